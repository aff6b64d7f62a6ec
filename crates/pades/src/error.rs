//! The errors of this crate, with their causes as types.

mod limit;

use ades_core::{Fault, Retry};

use crate::appearance::Rectangle;
pub use limit::Limit;

/// An error of preparing, completing or verifying a PAdES signature. Offsets count
/// octets from the file's first octet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error that all formats share: certificates, values, states, I/O.
    #[error(transparent)]
    Core(#[from] ades_core::Error),
    /// The CMS in a signature's `/Contents`. It never holds
    /// [`cades::Error::Core`]: those errors are [`Error::Core`].
    #[error(transparent)]
    Cms(cades::Error),
    /// There is no `%PDF-` in the first 1,024 octets.
    #[error("this is not a PDF: its first 1,024 octets have no %PDF- header")]
    NotPdf,
    /// An object or a cross-reference section cannot be read.
    #[error("malformed PDF at octet {offset}: {what}")]
    Malformed {
        /// offset of the fault
        offset: u64,
        /// what the reader found there
        what: &'static str,
    },
    /// The cross-reference points to the wrong place. Viewers search such files
    /// for their objects; this crate does so only with
    /// [`SignatureOptions::repair`](crate::SignatureOptions::repair).
    #[error("the cross-reference is broken at octet {offset}: {what}")]
    BrokenCrossReference {
        /// offset of the fault
        offset: u64,
        /// what the reader found there
        what: &'static str,
    },
    /// A document that was to be repaired is incomplete. Signing it would sign only the
    /// part of it that is left.
    #[error("the document is incomplete, so it cannot be repaired: {part}")]
    Incomplete {
        /// the missing part
        part: MissingPart,
    },
    /// The document has no object number left for the signature.
    #[error("no object number is left for the signature: the document has number {highest}")]
    NoNumberLeft {
        /// the document's highest object number
        highest: u64,
    },
    /// A part that the document must have is missing or has the wrong type.
    #[error("malformed PDF document: {what}")]
    Structure {
        /// the part, and its fault
        what: &'static str,
    },
    /// The document exceeds one of this crate's limits.
    #[error("the document exceeds a limit: {limit}")]
    Limit {
        /// the limit, with its number
        limit: Limit,
    },
    /// A valid document of a kind that this version cannot sign or read.
    #[error("this document is not supported: {what}")]
    Unsupported {
        /// the unsupported feature
        what: UnsupportedFeature,
    },
    /// The document is encrypted, and the empty password does not open it.
    #[error("the document is encrypted: give its password")]
    PasswordNeeded,
    /// The document is encrypted with another password.
    #[error("the password does not open the document")]
    WrongPassword,
    /// The document is encrypted for recipients, and the content of one of its
    /// [`envelopes`](crate::envelopes) is needed.
    #[error(
        "the document is encrypted for the holders of certificates: give the key of one of them"
    )]
    RecipientNeeded,
    /// An earlier signature or the document itself forbids this signature.
    #[error("the document forbids this signature: {why}")]
    Forbidden {
        /// the reason
        why: ForbiddenBy,
    },
    /// A form field already has this name.
    #[error("the document already has a field named {name:?}: choose another name")]
    FieldNameTaken {
        /// the full name of the field
        name: String,
    },
    /// No form field has this name.
    #[error("the document has no field named {name:?}")]
    NoSuchField {
        /// the full name that the caller passed
        name: String,
    },
    /// The lock of the signature would apply to no field.
    #[error("the lock protects nothing: the document has no field named {name:?}")]
    NoLockedField {
        /// the first name in the lock
        name: String,
    },
    /// The document has fewer signatures.
    #[error("the document has no signature number {}: document time-stamps do not count", index.saturating_add(1))]
    NoSuchSignature {
        /// its index in the report, counted from 0
        index: usize,
    },
    /// A signature cannot be raised to a higher level in this way.
    #[error("nothing can be added to this signature: {why}")]
    CannotAdd {
        /// the reason
        why: NotExtendable,
    },
    /// The octets are not a time-stamp token.
    #[error("the time-stamp cannot be read: it is not a token")]
    TimeStampMalformed,
    /// The time-stamp is over other data than what was prepared.
    #[error("the time-stamp is over other data than what was prepared: ask for another one")]
    TimeStampMismatch,
    /// A CRL or an OCSP response to be embedded is not one DER element.
    #[error("a CRL or OCSP response to be embedded is not one DER element")]
    RevocationValueMalformed,
    /// The form field cannot be signed.
    #[error("the field {name:?} cannot be signed: {why}")]
    FieldNotFit {
        /// the full name of the field
        name: String,
        /// the reason
        why: FieldFault,
    },
    /// The document has fewer pages.
    #[error("the document has no page number {page}: its pages are counted from 1 to {pages}")]
    NoSuchPage {
        /// the page that the caller passed, counted from 1
        page: usize,
        /// the number of pages
        pages: usize,
    },
    /// The rectangle of a visible signature has no area or is not within the page.
    #[error(
        "the rectangle {rectangle} has no area or is not within page number {page}, which is \
         {area} (left, bottom, width, height in points)"
    )]
    OutsidePage {
        /// the number of the page, counted from 1
        page: usize,
        /// the rectangle that the caller passed
        rectangle: Rectangle,
        /// the page as it is displayed
        area: Rectangle,
    },
    /// The font of a visible signature lacks a character.
    #[error(
        "the font has no glyph for the character {character:?}: choose a font with TrueType or \
         CFF outlines that has one"
    )]
    NoGlyph {
        /// the missing character
        character: char,
    },
    /// The text, font or image of a visible signature cannot be used.
    #[error("the appearance of the signature cannot be used: {problem}")]
    Appearance {
        /// the reason
        problem: AppearanceFault,
    },
    /// Completing a PDF signature needs the document, and the caller passed none.
    #[error("the document is needed to complete this signature")]
    DocumentNeeded,
    /// The document is not the one that was prepared.
    #[error("the document has changed since the signature was prepared")]
    DocumentChanged,
    /// The CMS is longer than the space reserved for it.
    #[error("the CMS has {len} octets, more than the {reserved} reserved for it")]
    DoesNotFit {
        /// length of the CMS in octets
        len: usize,
        /// length of the reserved space in octets of CMS
        reserved: usize,
    },
}

/// What is missing in an incomplete document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum MissingPart {
    /// The file ends within an object.
    #[error("the file is cut off within object {number}, which begins at octet {offset}")]
    ObjectEnd {
        /// the object's number
        number: u32,
        /// its offset
        offset: u64,
    },
    /// The file ends within the data of a stream.
    #[error("the file is cut off within the stream of object {number}, at octet {offset}")]
    StreamEnd {
        /// the stream's number
        number: u32,
        /// its offset
        offset: u64,
    },
    /// A page needs an object that the file does not have, or that cannot be read.
    #[error("object {number} is missing, which page {page} needs")]
    PageObject {
        /// the object's number
        number: u32,
        /// the page, counted from 1
        page: usize,
    },
    /// The page tree refers to an object that the file does not have, or that cannot be
    /// read.
    #[error("object {number} of the page tree is missing")]
    PageTreeNode {
        /// the object's number
        number: u32,
    },
}

/// A feature of PDF that this version does not support.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum UnsupportedFeature {
    /// An algorithm or version of the standard security handler.
    #[error("its encryption uses an unknown algorithm or version")]
    EncryptionAlgorithm,
    /// An object stream with a filter other than Flate.
    #[error("an object stream has a filter other than FlateDecode")]
    ObjectStreamFilter,
    /// A security handler other than those for passwords and for recipients.
    #[error("it is encrypted, but neither with a password nor for recipients (/Encrypt /Filter)")]
    SecurityHandler,
}

/// Why a document forbids a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ForbiddenBy {
    /// A certifying signature allows no changes.
    #[error("it is certified, and its certification allows no changes (DocMDP 1)")]
    Certification,
    /// A certifying signature or a lock allows visible signatures only in fields
    /// that are visible already.
    #[error("it is certified or locked: a visible signature needs a field that is visible already")]
    CertificationOfAppearance,
    /// The viewer makes the pages from the form, so a signature would not cover them.
    #[error("it has a dynamic XFA form: there are no pages that a signature could cover")]
    DynamicXfa,
    /// An earlier signature locks the field.
    #[error("an earlier signature locks the field (FieldMDP)")]
    FieldLock,
    /// The document is signed: validators report a new field in a group as tampering.
    #[error("it is signed: the name of a new field must not have periods")]
    FieldInGroup,
    /// An earlier signature locks the whole document.
    #[error("an earlier signature locks the whole document (/Lock /P 1)")]
    Lock,
    /// Only the first signature may certify.
    #[error("it is signed already: only the first signature can certify it")]
    NotFirst,
    /// The permissions of an encrypted document do not allow filling in forms.
    #[error("its permissions do not allow filling in forms without the owner's password")]
    PermissionToFill,
    /// The permissions of an encrypted document do not allow new fields.
    #[error("its permissions do not allow new fields without the owner's password")]
    PermissionToModify,
    /// An earlier signature covers an object that would be rewritten.
    #[error("the signature would change an object that an earlier signature covers")]
    SignedObject,
    /// The document is signed, and part of it cannot be read.
    #[error(
        "it is signed, and part of it cannot be read: validators report any change as tampering"
    )]
    UnreadableObject,
}

/// Why nothing can be added to a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NotExtendable {
    /// The octets that it covers are not known, so a change could be one of them.
    #[error("its /ByteRange does not leave out exactly its /Contents")]
    ByteRange,
    /// `/Contents` is not CMS with zeros after it.
    #[error("its /Contents is not CMS with zeros after it")]
    Contents,
    /// A later signature or document time-stamp covers `/Contents`.
    #[error(
        "a later signature or document time-stamp covers its /Contents; a document time-stamp \
         raises it"
    )]
    CoveredLater,
    /// A signature covers the whole file, whose end is not that of a revision. After an update,
    /// it would cover no revision.
    #[error("a signature covers the whole file, which does not end with startxref and %%EOF")]
    NotARevision,
    /// The document is damaged, so that its signed revision cannot be compared with a later one:
    /// validators, this one too, report any update as a change of what was signed.
    #[error("the document is damaged: an update would be reported as a change of what was signed")]
    NotComparable,
    /// `/Contents` has no room for a time-stamp.
    #[error(
        "its /Contents lacks {missing} octets of room for a time-stamp; a document time-stamp \
         raises it"
    )]
    NoRoom {
        /// the number of octets of CMS that are missing
        missing: usize,
    },
}

/// Why a form field cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FieldFault {
    /// It has a value: it is signed.
    #[error("it is signed already")]
    AlreadySigned,
    /// Its `/Lock` has an unknown level.
    #[error("its lock has a level other than 1, 2 or 3 (/Lock /P)")]
    LockLevel,
    /// Its `/Lock` restricts the whole document more than the certification.
    #[error("its lock allows fewer changes than the certification (/Lock /P)")]
    LocksDocument,
    /// The rectangle of its widget has no area.
    #[error("its rectangle has no area")]
    NoArea,
    /// No page has its widget.
    #[error("it is not on a page")]
    NoPage,
    /// It has no widget.
    #[error("it has no widget")]
    NoWidget,
    /// It is a terminal field: no field can be added below it.
    #[error("it is filled in itself: it is not a group of fields")]
    NotAGroup,
    /// It is of another type.
    #[error("it is not a signature field")]
    NotASignatureField,
    /// It has a `/Lock`, and the options have a lock, too.
    #[error("it has a lock of its own (/Lock)")]
    OwnLock,
    /// Its seed value dictionary has a constraint that this signature does not meet.
    #[error("{0}")]
    SeedValue(SeedConstraint),
    /// It has several widgets.
    #[error("it has more than one widget")]
    SeveralWidgets,
}

/// A constraint of a field's seed value dictionary (ISO 32000-2, 12.7.5.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SeedConstraint {
    /// `/AddRevInfo`
    #[error("it requires revocation values in the CMS (/SV /AddRevInfo)")]
    AddRevInfo,
    /// `/AppearanceFilter`
    #[error("it requires a certain appearance (/SV /AppearanceFilter)")]
    AppearanceFilter,
    /// `/Cert /Subject`
    #[error("it requires another certificate (/SV /Cert /Subject)")]
    Certificate,
    /// Properties of the certificate that this version does not compare.
    #[error("it requires a name, key usage or source of the certificate (/SV /Cert)")]
    CertificateProperties,
    /// `/Cert`, for a CMS that is not made here.
    #[error("it requires certain certificates, and the signer's is not known (/SV /Cert)")]
    CertificateUnknown,
    /// `/DigestMethod`
    #[error("it requires another digest algorithm (/SV /DigestMethod)")]
    DigestMethod,
    /// `/Filter`
    #[error("it requires another signature handler (/SV /Filter)")]
    Filter,
    /// `/Cert /Issuer`
    #[error("it requires another issuer of the certificate (/SV /Cert /Issuer)")]
    Issuer,
    /// `/LegalAttestation`
    #[error("it requires a legal attestation (/SV /LegalAttestation)")]
    LegalAttestation,
    /// `/LockDocument`
    #[error("it requires that the document be locked (/SV /LockDocument)")]
    LockDocument,
    /// `/MDP`
    #[error("it requires another certification, or none (/SV /MDP)")]
    Mdp,
    /// `/Cert /OID`
    #[error("it requires a certificate under another policy (/SV /Cert /OID)")]
    Policy,
    /// `/Reasons`
    #[error("it requires another reason, or none (/SV /Reasons)")]
    Reasons,
    /// `/SubFilter`
    #[error("it requires another signature format (/SV /SubFilter)")]
    SubFilter,
    /// `/TimeStamp`
    #[error("it requires a time-stamp (/SV /TimeStamp)")]
    TimeStamp,
    /// `/V`
    #[error("its constraints are of a newer version (/SV /V)")]
    Version,
}

/// Why an appearance cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AppearanceFault {
    /// The border has no width, or fills the rectangle.
    #[error("the border has no width, or is as wide as the rectangle")]
    BorderWidth,
    /// A CMYK image in a document that claims to be PDF/A.
    #[error("the document claims to be PDF/A, which does not take CMYK images: convert it to RGB")]
    CmykInPdfA,
    /// Control characters, or characters that override the direction of text.
    #[error("the text has control characters or overrides of its direction")]
    ControlCharacters,
    /// Neither text nor image nor QR code.
    #[error("it has neither text nor image nor QR code")]
    Empty,
    /// The caller passed a rectangle for a field that has one.
    #[error("an existing field has its own rectangle: give none")]
    ExistingField,
    /// The font has outlines of another kind.
    #[error("the font needs TrueType or CFF outlines (.ttf, .otf, .ttc)")]
    FontOutlines,
    /// The font file is too long.
    #[error("the font has more than 32 MiB")]
    FontLen,
    /// The font has no glyphs.
    #[error("the font has no glyphs")]
    FontWithoutGlyphs,
    /// The image cannot be compressed.
    #[error("the image cannot be compressed")]
    ImageCompression,
    /// The image takes too much space in the document.
    #[error("the image takes more than 2 MiB in the document: make it smaller")]
    ImageEmbeddedLen,
    /// The image is neither PNG nor JPEG.
    #[error("the image is neither PNG nor JPEG")]
    ImageFormat,
    /// The image file is too long.
    #[error("the image has more than 8 MiB")]
    ImageLen,
    /// The image has no pixels or too many.
    #[error("the image has no pixels or more than 16,777,216")]
    ImagePixels,
    /// The JPEG has other colours than 8-bit grey, RGB or CMYK.
    #[error("the JPEG is not 8-bit grey, RGB or CMYK")]
    JpegColours,
    /// The JPEG has a coding process that PDF does not have.
    #[error("the JPEG has a coding process that PDF does not support")]
    JpegProcess,
    /// The JPEG ends within the image.
    #[error("the JPEG ends within the image")]
    JpegTruncated,
    /// A new field needs a page and a rectangle.
    #[error(
        "a new field needs a page and a rectangle, unless the name of an existing field is given"
    )]
    NewField,
    /// Page number 0.
    #[error("page 0 does not exist: pages are counted from 1")]
    PageZero,
    /// The modules of the QR code would be smaller than 0.7 points.
    #[error(
        "telephones cannot read a QR code as small as this: make the rectangle larger, or the \
         code's text shorter"
    )]
    QrCodeTooSmall,
    /// The text of the QR code is empty or too long.
    #[error("the text of the QR code is empty or longer than 1,024 octets")]
    QrTextLen,
    /// The text is larger than the rectangle even in the smallest font size.
    #[error("the text does not fit into its rectangle")]
    TextDoesNotFit,
    /// A text that is empty or too long.
    #[error("the text is empty or longer than 4,096 octets")]
    TextLen,
    /// The font cannot shape the text.
    #[error("the font cannot shape the text")]
    TextShaping,
    /// The font cannot be read.
    #[error("the font cannot be read")]
    UnreadableFont,
    /// The JPEG cannot be read.
    #[error("the JPEG cannot be read")]
    UnreadableJpeg,
    /// The PNG cannot be read.
    #[error("the PNG cannot be read")]
    UnreadablePng,
}

impl Error {
    /// Who has to act before the operation can succeed.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Core(error) => error.fault(),
            Self::Cms(error) => error.fault(),
            Self::FieldNameTaken { .. }
            | Self::NoLockedField { .. }
            | Self::NoSuchField { .. }
            | Self::FieldNotFit { .. }
            | Self::NoSuchPage { .. }
            | Self::NoSuchSignature { .. }
            | Self::OutsidePage { .. }
            | Self::NoGlyph { .. }
            | Self::Appearance { .. }
            | Self::PasswordNeeded
            | Self::WrongPassword
            | Self::RecipientNeeded
            | Self::DocumentNeeded
            | Self::DoesNotFit { .. } => Fault::Caller,
            Self::Limit { .. } => Fault::Limit,
            Self::Unsupported { .. } => Fault::Unsupported,
            Self::NotPdf
            | Self::Malformed { .. }
            | Self::BrokenCrossReference { .. }
            | Self::Incomplete { .. }
            | Self::NoNumberLeft { .. }
            | Self::Structure { .. }
            | Self::Forbidden { .. }
            | Self::CannotAdd { .. }
            | Self::TimeStampMalformed
            | Self::TimeStampMismatch
            | Self::RevocationValueMalformed
            | Self::DocumentChanged => Fault::Input,
        }
    }

    /// Whether another try can help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Core(error) => error.retry(),
            Self::Cms(error) => error.retry(),
            Self::NotPdf
            | Self::Malformed { .. }
            | Self::BrokenCrossReference { .. }
            | Self::Incomplete { .. }
            | Self::NoNumberLeft { .. }
            | Self::Structure { .. }
            | Self::Limit { .. }
            | Self::Unsupported { .. }
            | Self::PasswordNeeded
            | Self::WrongPassword
            | Self::RecipientNeeded
            | Self::Forbidden { .. }
            | Self::FieldNameTaken { .. }
            | Self::NoLockedField { .. }
            | Self::NoSuchField { .. }
            | Self::FieldNotFit { .. }
            | Self::NoSuchPage { .. }
            | Self::OutsidePage { .. }
            | Self::NoGlyph { .. }
            | Self::Appearance { .. }
            | Self::NoSuchSignature { .. }
            | Self::CannotAdd { .. }
            | Self::TimeStampMalformed
            | Self::TimeStampMismatch
            | Self::RevocationValueMalformed
            | Self::DocumentNeeded
            | Self::DocumentChanged
            | Self::DoesNotFit { .. } => Retry::Never,
        }
    }
    /// Whether the cross-reference is broken, so that
    /// [`SignatureOptions::repair`](crate::SignatureOptions::repair) may help.
    #[must_use]
    pub const fn is_repairable(&self) -> bool {
        matches!(self, Self::BrokenCrossReference { .. })
    }
}

impl From<cades::Error> for Error {
    fn from(error: cades::Error) -> Self {
        match error {
            cades::Error::Core(error) => Self::Core(error),
            error => Self::Cms(error),
        }
    }
}

pub(crate) const fn broken(offset: u64, what: &'static str) -> Error {
    Error::BrokenCrossReference { offset, what }
}

pub(crate) const fn structure(what: &'static str) -> Error {
    Error::Structure { what }
}

pub(crate) const fn exceeds(limit: Limit) -> Error {
    Error::Limit { limit }
}

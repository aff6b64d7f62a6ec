//! The errors of this crate, with their causes as types.

use ades_core::{Fault, Retry};

use crate::appearance::Rectangle;

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
    /// The form field cannot be signed.
    #[error("the field {name:?} cannot be signed: {why}")]
    FieldNotFit {
        /// the full name of the field
        name: String,
        /// the reason
        why: FieldFault,
    },
    /// The document has fewer pages.
    #[error("the document has no page number {page}: it has {pages} pages")]
    NoSuchPage {
        /// the page that the caller passed, counted from 1
        page: usize,
        /// the number of pages
        pages: usize,
    },
    /// The rectangle of a visible signature has no area or is not within the page.
    #[error("the rectangle {rectangle} has no area or is not within page number {page}")]
    OutsidePage {
        /// the number of the page, counted from 1
        page: usize,
        /// the rectangle that the caller passed
        rectangle: Rectangle,
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

/// A limit of this crate. `Display` has its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Limit {
    /// Length of the CMS that a placeholder holds.
    #[error("32 MiB of CMS")]
    ContentsLen,
    /// Length of all cross-reference streams of a file, decoded.
    #[error("32 MiB of cross-reference streams")]
    CrossReferenceStreams,
    /// Length of all object streams that are read, decoded.
    #[error("1 GiB of decoded object streams")]
    DecodedObjectStreams,
    /// Length of one decoded stream.
    #[error("32 MiB in a decoded stream")]
    DecodedStream,
    /// Depth of the hierarchy of form fields.
    #[error("64 levels of form fields")]
    FieldLevels,
    /// Length of all field names, and of the values of signature fields.
    #[error("16 MiB of field names and values")]
    FieldNames,
    /// Number of form fields and widgets.
    #[error("131,072 form fields and widgets")]
    Fields,
    /// Length of the field names in a lock.
    #[error("4 MiB of names in a lock")]
    LockNames,
    /// Nesting of arrays and dictionaries.
    #[error("128 levels of nesting")]
    Nesting,
    /// Length of one indirect object, stream data not counted.
    #[error("16 MiB in one object")]
    ObjectLen,
    /// The highest object number.
    #[error("2,147,483,647 as the highest object number")]
    ObjectNumber,
    /// Number of objects in an object stream.
    #[error("1,048,576 objects in an object stream")]
    ObjectsInStream,
    /// Depth of the page tree.
    #[error("64 levels of the page tree")]
    PageTreeLevels,
    /// Number of nodes of the page tree.
    #[error("1,048,576 nodes of the page tree")]
    PageTreeNodes,
    /// Depth of the structure tree's `/ParentTree`.
    #[error("64 levels of the structure's parent tree")]
    ParentTreeLevels,
    /// Number of references that wait to be followed.
    #[error("1,048,576 references waiting to be followed")]
    PendingVisits,
    /// Number of objects in a file whose cross-reference is rebuilt.
    #[error("4,194,304 objects in a file that is repaired")]
    RepairedObjects,
    /// Number of cross-reference sections.
    #[error("16,384 cross-reference sections")]
    Sections,
    /// Length of one list in a seed value dictionary.
    #[error("1 MiB in one list of a field's seed values")]
    SeedValues,
    /// Number of objects that a signed revision reaches.
    #[error("900,000 objects in a signed document")]
    SignedObjects,
    /// Total length of the octets that the signatures of a document cover.
    #[error("signatures that together cover 64 times the file")]
    SignedOctets,
    /// Number of signatures.
    #[error("1,024 signatures")]
    Signatures,
    /// Number of cross-reference subsections.
    #[error("1,048,576 cross-reference subsections")]
    Subsections,
    /// Total length of the syntax that is read.
    #[error("eight passes over the file's objects")]
    SyntaxRead,
    /// Length of a file whose newest cross-reference section is a table.
    #[error("10 GB in a file with a cross-reference table")]
    TableOffset,
    /// Length of all trailers.
    #[error("4 MiB in all trailers")]
    TrailerLen,
    /// Number of values in all trailers.
    #[error("524,288 values in all trailers")]
    TrailerValues,
    /// Number of values in one object.
    #[error("524,288 values in one object")]
    ValuesInObject,
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
    /// A security handler other than the standard one.
    #[error("it is encrypted, but not with a password (/Encrypt /Filter)")]
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

/// Why a form field cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FieldFault {
    /// It has a value: it is signed.
    #[error("it is signed already")]
    AlreadySigned,
    /// Its `/Lock` restricts the whole document.
    #[error("its lock restricts the whole document (/Lock /P)")]
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
    /// Control characters, or characters that override the direction of text.
    #[error("the text has control characters or overrides of its direction")]
    ControlCharacters,
    /// Neither text nor image.
    #[error("it has neither text nor image")]
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
    /// The JPEG has other colours than grey or 8-bit RGB.
    #[error("the JPEG is not 8-bit grey or colour")]
    JpegColours,
    /// The JPEG has a coding process that PDF does not have.
    #[error("the JPEG has a coding process that PDF does not support")]
    JpegProcess,
    /// The JPEG ends within the image.
    #[error("the JPEG ends within the image")]
    JpegTruncated,
    /// A new field needs a page and a rectangle.
    #[error("a new field needs a page and a rectangle")]
    NewField,
    /// Page number 0.
    #[error("page 0 does not exist: pages are counted from 1")]
    PageZero,
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
            | Self::NoSuchField { .. }
            | Self::FieldNotFit { .. }
            | Self::NoSuchPage { .. }
            | Self::OutsidePage { .. }
            | Self::NoGlyph { .. }
            | Self::Appearance { .. }
            | Self::PasswordNeeded
            | Self::WrongPassword
            | Self::DocumentNeeded
            | Self::DoesNotFit { .. } => Fault::Caller,
            Self::Limit { .. } => Fault::Limit,
            Self::Unsupported { .. } => Fault::Unsupported,
            Self::NotPdf
            | Self::Malformed { .. }
            | Self::BrokenCrossReference { .. }
            | Self::Structure { .. }
            | Self::Forbidden { .. }
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
            | Self::Structure { .. }
            | Self::Limit { .. }
            | Self::Unsupported { .. }
            | Self::PasswordNeeded
            | Self::WrongPassword
            | Self::Forbidden { .. }
            | Self::FieldNameTaken { .. }
            | Self::NoSuchField { .. }
            | Self::FieldNotFit { .. }
            | Self::NoSuchPage { .. }
            | Self::OutsidePage { .. }
            | Self::NoGlyph { .. }
            | Self::Appearance { .. }
            | Self::DocumentNeeded
            | Self::DocumentChanged
            | Self::DoesNotFit { .. } => Retry::Never,
        }
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

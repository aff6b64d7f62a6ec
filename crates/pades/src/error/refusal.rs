//! Why a document does not allow a signature, or an addition to one.

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

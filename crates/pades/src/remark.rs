//! What to know of a document that is signed all the same.

use serde::Serialize;

/// Something about a document that does not forbid a signature, but that
/// whoever signs should be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Remark {
    /// See [`SignatureOptions::repair`](crate::SignatureOptions::repair)
    #[error("its cross-reference is broken; the signature brings a whole new one")]
    Repaired,
    /// `/Perms` with `/UR3` or `/UR` (ISO 32000-1, 12.8.2.3): no validator minds
    /// them, but Adobe Reader takes them for void once the document has changed
    #[error("its usage rights for Adobe Reader, such as saving a form, end with the signature")]
    UsageRights,
    /// A static XFA form (ISO 32000-1, 12.7.8): pages and fields are there twice
    #[error("it has an XFA form; viewers that know XFA show that, and others the pages")]
    Xfa,
    /// `/NeedAppearances` (ISO 32000-2, table 224)
    #[error("its form has viewers draw the fields anew, not as they were when it was signed")]
    NeedAppearances,
}

//! What a time-stamp that is added to a signature is for.

use serde::{Deserialize, Serialize};

/// What a time-stamp is for that is added to a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TimeStampPurpose {
    /// It proves that the signature existed: level B-T.
    Signature,
    /// It protects the signature and the validation data in the document: level B-LTA, and
    /// its renewal.
    Archive,
}

//! The facts about a signature that a judge needs.

use ades_core::Level;
use ades_core::facts::SignatureFacts;
use chrono::{DateTime, Utc};

use crate::material::Material;

/// A signature of any format.
#[derive(Debug)]
pub struct Signature<'a> {
    /// What the format states.
    pub facts: &'a SignatureFacts,
    /// The certificates and revocation data with which it is judged.
    pub material: &'a Material,
    /// The level that the format states.
    pub level: Level,
    /// Whether every digest matches and the value verifies. `None` if that could not
    /// be found out.
    pub intact: Option<bool>,
    /// The time at which the signer claims to have signed.
    pub claimed_time: Option<DateTime<Utc>>,
    /// What the format found about the signature.
    pub findings: &'a [Finding],
}

/// Something that a format found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// A stable code.
    pub code: String,
    /// The finding as text for people.
    pub text: String,
    /// What it means for the signature.
    pub meaning: Meaning,
}

/// What a finding means for a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Meaning {
    /// The signature is not in its format, or contradicts itself (5.2.2).
    Format,
    /// The signing certificate is not there or not the one that is named (5.2.3).
    SigningCertificate,
    /// The digest of a signed object differs (5.2.7).
    Hash,
    /// A signed object was not given, or cannot be read (5.2.7).
    DataMissing,
    /// The signature value does not verify (5.2.7).
    Value,
    /// An algorithm that this version does not support: nothing was computed (5.2.7).
    Unsupported,
    /// A rule about attributes is not met (5.2.8).
    Attribute,
    /// The signature does not cover the document as it is now, or as it was expected.
    Coverage,
    /// The signature leaves out parts of the document by the signer's own choice. It does
    /// not pass, because nobody vouches for those parts, but it can be intact.
    PartLeftOut,
    /// Worth knowing, without effect on the answer.
    Remark,
}

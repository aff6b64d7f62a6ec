//! Warnings to show to the user before signing.

use std::fmt;

use ades_core::{DigestAlgorithm, SignatureParameters};
use serde::{Serialize, Serializer};

/// A fact about a document that does not forbid a signature, but that the user should know.
///
/// [`code`](Self::code) is stable, and is the serialised form. `Display` is a sentence for the
/// user about the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Warning {
    /// A warning about a CAdES container
    Cades(cades::Warning),
    /// A warning about a PDF
    Pades(pades::Warning),
    /// A warning about an XML document
    Xades(xades::Warning),
    /// The signature names its policy by a SHA-1 digest
    PolicyDigestSha1,
}

impl Warning {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Cades(warning) => warning.code(),
            Self::Pades(warning) => warning.code(),
            Self::Xades(warning) => warning.code(),
            Self::PolicyDigestSha1 => "policy-digest-sha1",
        }
    }

    /// The warnings about the claims of a signature.
    pub(crate) fn about(parameters: &SignatureParameters) -> Option<Self> {
        let digest = parameters.signature_policy()?.digest.as_ref()?;
        (digest.algorithm() == DigestAlgorithm::Sha1).then_some(Self::PolicyDigestSha1)
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cades(warning) => warning.fmt(f),
            Self::Pades(warning) => warning.fmt(f),
            Self::Xades(warning) => warning.fmt(f),
            Self::PolicyDigestSha1 => f.write_str(
                "the policy is named by a SHA-1 digest: another document may have the same digest, \
                 so use a stronger one if the policy publishes it",
            ),
        }
    }
}

impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl From<cades::Warning> for Warning {
    fn from(warning: cades::Warning) -> Self {
        Self::Cades(warning)
    }
}

impl From<pades::Warning> for Warning {
    fn from(warning: pades::Warning) -> Self {
        Self::Pades(warning)
    }
}

impl From<xades::Warning> for Warning {
    fn from(warning: xades::Warning) -> Self {
        Self::Xades(warning)
    }
}

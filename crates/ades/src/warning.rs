//! What to tell whoever signs a document that can be signed all the same.

use std::fmt;

use serde::{Serialize, Serializer};

/// Something about a document that does not forbid a signature.
///
/// [`code`](Self::code) is stable, and is what `Serialize` writes; `Display` is a sentence about
/// the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Warning {
    /// Of a CAdES container
    Cades(cades::Warning),
    /// Of a PDF
    Pades(pades::Warning),
    /// Of an XML document
    Xades(xades::Warning),
}

impl Warning {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Cades(warning) => warning.code(),
            Self::Pades(warning) => warning.code(),
            Self::Xades(warning) => warning.code(),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cades(warning) => warning.fmt(f),
            Self::Pades(warning) => warning.fmt(f),
            Self::Xades(warning) => warning.fmt(f),
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

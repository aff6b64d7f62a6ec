//! The results of [`verify`](crate::verify()) and [`inspect`](crate::inspect).

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::detect::Format;
use crate::{format, text};

/// The signatures of a document or container, and their problems.
///
/// It serialises as the report of its format. `Display` shows the verdict on each signature to
/// people. Text from the document is [escaped](crate::text::for_terminal), so that it cannot
/// control a terminal.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Report {
    /// The report of a CAdES container
    Cades(cades::report::Report),
    /// The report of a PDF
    Pades(pades::report::Report),
    /// The report of an XML document
    Xades(xades::report::Report),
}

impl Report {
    /// The format of the signatures.
    #[must_use]
    pub const fn format(&self) -> Format {
        match self {
            Self::Cades(_) => Format::Cades,
            Self::Pades(_) => Format::Pades,
            Self::Xades(_) => Format::Xades,
        }
    }

    /// Whether there is a signature, and no signature has a problem.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        match self {
            Self::Cades(report) => report.is_valid(),
            Self::Pades(report) => report.is_valid(),
            Self::Xades(report) => report.is_valid(),
        }
    }

    /// Whether a signature signs a document outside the container. Pass that document with
    /// [`VerifyOptions::original`](crate::VerifyOptions::original).
    #[must_use]
    pub fn is_detached(&self) -> bool {
        match self {
            Self::Cades(report) => report.packaging == "detached",
            Self::Pades(_) => false,
            Self::Xades(report) => format::xades::needs_original(report),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self {
            Self::Cades(report) => text::cades::verdicts(report),
            Self::Pades(report) => text::pades::verdicts(report),
            Self::Xades(report) => text::xades::verdicts(report),
        })
    }
}

/// The signatures of a document or container, without verdicts.
///
/// It serialises as the report of its format, without the fields that contain verdicts. `Display`
/// is a list for people.
#[derive(Clone, Debug)]
pub struct Contents(pub(crate) Report);

impl Contents {
    /// The format of the signatures.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.0.format()
    }
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match &self.0 {
            Report::Cades(report) => text::cades::contents(report),
            Report::Pades(report) => text::pades::contents(report),
            Report::Xades(report) => text::xades::contents(report),
        })
    }
}

impl Serialize for Contents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut report = serde_json::to_value(&self.0).map_err(serde::ser::Error::custom)?;
        for key in ["signatures", "time_stamps"] {
            if let Some(signatures) = report.get_mut(key) {
                remove_verdicts(signatures);
            }
        }
        report.serialize(serializer)
    }
}

fn remove_verdicts(signatures: &mut Value) {
    for signature in signatures.as_array_mut().into_iter().flatten() {
        if let Some(signature) = signature.as_object_mut() {
            for key in ["intact", "problems", "problem", "detail", "trusted", "cms"] {
                signature.remove(key);
            }
            for key in ["countersignatures", "references", "manifest"] {
                if let Some(inner) = signature.get_mut(key) {
                    remove_verdicts(inner);
                }
            }
        }
    }
}

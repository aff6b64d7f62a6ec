//! Baseline levels.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A baseline level (EN 319 122-1, EN 319 132-1 and EN 319 142-1, each in clause
/// 6), determined from the content of the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Level {
    /// Something that B-B requires is missing
    #[serde(rename = "below")]
    Below,
    /// B-B
    #[serde(rename = "B-B")]
    B,
    /// B-T: with a signature time-stamp
    #[serde(rename = "B-T")]
    T,
    /// B-LT: with revocation values as well
    #[serde(rename = "B-LT")]
    Lt,
    /// B-LTA: with an archive time-stamp as well
    #[serde(rename = "B-LTA")]
    Lta,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Below => "below B-B",
            Self::B => "B-B",
            Self::T => "B-T",
            Self::Lt => "B-LT",
            Self::Lta => "B-LTA",
        })
    }
}

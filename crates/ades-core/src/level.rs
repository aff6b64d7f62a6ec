//! Baseline levels.

use serde::Serialize;

/// A baseline level (EN 319 122-1, EN 319 132-1 and EN 319 142-1, clause 6
/// each), judged by what is present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub enum Level {
    /// Something that B-B demands is missing
    #[serde(rename = "below")]
    Below,
    /// B-B
    #[serde(rename = "B-B")]
    B,
    /// B-T: with a signature time-stamp
    #[serde(rename = "B-T")]
    T,
    /// B-LT: with revocation values too
    #[serde(rename = "B-LT")]
    Lt,
    /// B-LTA: with an archive time-stamp too
    #[serde(rename = "B-LTA")]
    Lta,
}

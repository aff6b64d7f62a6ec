//! One adapter for each format: converts the options, and calls the format's crate.

pub(crate) mod cades;
pub(crate) mod pades;
pub(crate) mod xades;

use crate::error::Error;

/// The finished container does not verify.
fn not_valid<P: ToString>(problems: impl Iterator<Item = P>) -> Error {
    Error::CompletedNotValid { problems: problems.map(|problem| problem.to_string()).collect() }
}

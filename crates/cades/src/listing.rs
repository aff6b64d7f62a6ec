//! The space that values take in the reports of a container.

use crate::container::{MAX_LISTED, MAX_LISTED_LEN};
use crate::error::{Error, Limit};

/// The space that is left in the reports of one container, or of one document
/// with embedded CMS.
///
/// A value of a few octets takes many times as much memory in a report, and all
/// reports of a document are in memory together.
#[derive(Debug)]
pub struct Listing {
    values: usize,
    octets: usize,
}

impl Listing {
    /// An empty listing.
    #[must_use]
    pub const fn new() -> Self {
        Self { values: MAX_LISTED, octets: MAX_LISTED_LEN }
    }

    /// Takes the space of one value with this many octets of text.
    pub(crate) fn take(&mut self, octets: usize) -> Result<(), Error> {
        let left = self.values.checked_sub(1).zip(self.octets.checked_sub(octets));
        (self.values, self.octets) = left.ok_or(Limit::Listed)?;
        Ok(())
    }
}

impl Default for Listing {
    fn default() -> Self {
        Self::new()
    }
}

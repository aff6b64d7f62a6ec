//! Limits the cost of the canonical forms of a document.

use crate::error::{Error, Limit};
use crate::xml::Limits;

/// Maximum number of selected and left-out elements that all forms list.
pub(crate) const MAX_LISTED_TOGETHER: usize = 262_144;

/// The work on all forms of one pass: octets written, and elements, attributes and
/// namespaces searched for them.
#[derive(Debug)]
pub(crate) struct Work {
    done: u64,
    allowed: u64,
    /// The number of listed elements.
    listed: usize,
}

impl Work {
    pub(crate) const fn new(limits: &Limits) -> Self {
        Self { done: 0, allowed: limits.work, listed: 0 }
    }

    /// Adds work.
    pub(crate) const fn add(&mut self, amount: usize) {
        self.done = self.done.saturating_add(amount as u64);
    }

    /// Adds a listed element.
    pub(crate) const fn list(&mut self) {
        self.listed += 1;
    }

    /// Whether the work exceeds the limits of the last [`check`](Self::check).
    pub(crate) const fn is_exceeded(&self) -> bool {
        self.done > self.allowed || self.listed > MAX_LISTED_TOGETHER
    }

    /// Checks the limits, which grow with the number of octets of the document that
    /// have been read.
    pub(crate) fn check(&mut self, read: u64, limits: &Limits) -> Result<(), Error> {
        self.allowed = limits.work.max(read.saturating_mul(limits.work_ratio));
        let limit = if self.done > self.allowed {
            Limit::CanonicalizationWork(self.allowed)
        } else if self.listed > MAX_LISTED_TOGETHER {
            Limit::SelectedElementsTogether
        } else {
            return Ok(());
        };
        Err(Error::Limit { offset: Some(read), limit })
    }
}

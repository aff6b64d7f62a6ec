//! What the canonical forms of a document may cost.

use crate::error::Error;
use crate::xml::Limits;

/// So many selected or left-out elements are remembered of all forms.
const MAX_LISTED: usize = 262_144;

/// The work on all forms of one pass: octets written, and whatever had to be
/// looked at for them.
#[derive(Debug)]
pub(crate) struct Work {
    done: u64,
    allowed: u64,
    /// The elements that are remembered.
    listed: usize,
}

impl Work {
    pub(crate) const fn new(limits: &Limits) -> Self {
        Self { done: 0, allowed: limits.work, listed: 0 }
    }

    /// So much more.
    pub(crate) const fn add(&mut self, amount: usize) {
        self.done = self.done.saturating_add(amount as u64);
    }

    /// One more element is remembered.
    pub(crate) const fn list(&mut self) {
        self.listed += 1;
    }

    /// Whether it is more than was allowed when that was last looked up.
    pub(crate) const fn is_much(&self) -> bool {
        self.done > self.allowed || self.listed > MAX_LISTED
    }

    /// Looks up what is allowed where so many octets of the document have been
    /// read.
    pub(crate) fn check(&mut self, read: u64, limits: &Limits) -> Result<(), Error> {
        self.allowed = limits.work.max(read.saturating_mul(limits.work_ratio));
        let limit = if self.done > self.allowed {
            "work on canonical forms"
        } else if self.listed > MAX_LISTED {
            "elements selected or left out, in all canonical forms"
        } else {
            return Ok(());
        };
        Err(Error::Limit { offset: read, limit })
    }
}

//! A signature that is known before its container is read, so that one reading is enough to
//! find it and to digest what it refers to.

use std::fmt;

use ades_core::Document;

use crate::c14n::Target;
use crate::namespaces::DS;
use crate::options::ReadingOptions;
use crate::verify::collect::{CollectedDocument, Collector, Counted};
use crate::verify::signature::Signature;
use crate::verify::tree::of_fragment;

use super::References;
use super::job::{Done, Job, carry_out};
use super::state::Budget;

/// A signature that a document is expected to have, and no other.
#[derive(Clone)]
pub(crate) struct ForeseenSignature {
    /// The signature element. Its value and the content of its objects do not matter.
    pub(crate) fragment: String,
    /// Its offset in the document, which is UTF-8.
    pub(crate) offset: u64,
}

/// The outcomes of the references of a foreseen signature.
pub(crate) struct ForeseenOutcomes {
    jobs: Vec<Job>,
    done: Vec<Done>,
}

impl ForeseenSignature {
    /// Reads the document, and digests what the foreseen signature refers to. `None` if that
    /// fails: the usual way then succeeds, or reports why it does not.
    pub(crate) fn read(
        &self,
        document: &mut Document<'_>,
        reading: &ReadingOptions,
        expected: &[Target],
    ) -> Option<(CollectedDocument, ForeseenOutcomes)> {
        // A stream cannot be read again.
        let length = document.len().ok()??;
        let mut element = of_fragment(self.fragment.as_bytes(), &reading.ids)?;
        if !element.is(DS, "Signature") {
            return None;
        }
        element.move_by(self.offset);
        let signatures = [Signature::read(&element)];
        let jobs = References::new(&signatures, reading).ok()?.jobs;
        let budget = Budget::new(length, &mut []).ok()?;
        let mut collector = Collector::new(&reading.ids, expected);
        let mut length = 0;
        let counted = Counted { inner: document.reader().ok()?, length: &mut length };
        let reader = reading.reader(counted).ok()?;
        let done =
            carry_out(&jobs, reader, reading, &budget, &mut |event| collector.see(event)).ok()?;
        Some((collector.finish(length).ok()?, ForeseenOutcomes { jobs, done }))
    }
}

impl ForeseenOutcomes {
    /// The results of these jobs. `None` unless they are the foreseen ones: the document has
    /// another signature, or the signature is at another place.
    pub(super) fn of(self, jobs: &[Job]) -> Option<Vec<Done>> {
        (self.jobs == jobs).then_some(self.done)
    }
}

// The signature element contains roles and places, which must not reach logs.
impl fmt::Debug for ForeseenSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForeseenSignature").field("offset", &self.offset).finish_non_exhaustive()
    }
}

//! The changes after each signature. Each signed revision is compared with the next
//! one once, so that the work grows with the file and not with the number of
//! signatures.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::changes::{Comparison, FoundChange};
use crate::error::Error;
use crate::file::{Pdf, Revision};
use crate::reach::Reach;

/// The changes between one signed revision and the next.
struct Step {
    /// Number of sections after the first of the two.
    later: usize,
    found: BTreeSet<FoundChange>,
}

/// The changes between all signed revisions, up to the newest.
pub(super) struct History {
    /// The oldest first.
    steps: Vec<Step>,
    /// Whether a limit was exceeded, so that the newest steps are missing.
    cut_short: bool,
}

impl History {
    /// `ends`: where the signed revisions end, by the number of later sections.
    /// `stamps`: the numbers of fields with sound document time-stamps.
    pub(super) fn read(
        pdf: &mut Pdf<'_>,
        ends: &BTreeMap<usize, u64>,
        stamps: &HashSet<u32>,
    ) -> Result<Self, Error> {
        let revisions = ends.iter().rev().filter(|(later, _)| **later > 0);
        let mut revisions: Vec<Revision> =
            revisions.map(|(later, end)| Revision { later: *later, end: *end }).collect();
        revisions.push(Revision { later: 0, end: pdf.len() });
        let mut history = Self { steps: Vec::new(), cut_short: false };
        let mut reach = Reach::default();
        for pair in revisions.windows(2) {
            let &[then, now] = pair else { continue };
            let found = match step(pdf, &mut reach, stamps, then, now) {
                Ok(found) => found,
                Err(Error::Limit { .. }) => {
                    history.cut_short = true;
                    return Ok(history);
                }
                Err(Error::Core(error)) => return Err(error.into()),
                // A change that cannot be read may be harmful.
                Err(_) => {
                    reach.set_incomplete();
                    BTreeSet::from([FoundChange::OTHER])
                }
            };
            history.steps.push(Step { later: then.later, found });
        }
        Ok(history)
    }

    /// The changes after a signed revision; `None` if comparing them exceeds the
    /// limits.
    pub(super) fn since(&self, later: usize) -> Option<BTreeSet<&FoundChange>> {
        let steps = self.steps.iter().filter(|step| step.later <= later);
        (!self.cut_short || later == 0).then(|| steps.flat_map(|step| &step.found).collect())
    }
}

fn step(
    pdf: &mut Pdf<'_>,
    reach: &mut Reach,
    stamps: &HashSet<u32>,
    then: Revision,
    now: Revision,
) -> Result<BTreeSet<FoundChange>, Error> {
    if reach.is_empty() {
        pdf.at(then, |pdf| reach.read(pdf))?;
    }
    let (found, changed) = Comparison::new(reach, stamps, then, now).run(pdf)?;
    if now.later > 0 {
        pdf.at(now, |pdf| reach.advance(pdf, &changed))?;
    }
    Ok(found)
}

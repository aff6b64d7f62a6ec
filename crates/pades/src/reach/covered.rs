//! What earlier signatures cover, looked through before another one is made.

use super::{Reach, Role};
use crate::document::coverage::{ends, signatures};
use crate::document::form::Form;
use crate::error::{Error, ForbiddenBy};
use crate::file::{Pdf, Revision};

/// A signed document with more objects is not looked through: preparing another
/// signature would take seconds.
const MAX_OBJECTS: u64 = 65_536;

/// What is signed, with nothing behind it.
#[derive(Debug, Default)]
pub(crate) struct Covered {
    reach: Reach,
}

impl Covered {
    /// Whether nothing of this object may change, whatever else it is.
    pub(crate) fn holds(&self, number: u32) -> bool {
        self.reach.mark(number).roles.has(Role::Other)
    }
}

/// Reads all that is signed, as a verifier does who compares it with what comes
/// later: whatever it refers to is known then, and has no new object's number.
/// What is beyond the verifier's limits is not compared by it either; documents of
/// more than 65,536 objects are not read so far.
///
/// # Errors
/// [`Error::Forbidden`] if that cannot be told: every change would be taken for
/// one of what is signed.
pub(crate) fn reach_signed(pdf: &mut Pdf<'_>, form: &Form) -> Result<Covered, Error> {
    if pdf.size() > MAX_OBJECTS {
        return Ok(Covered::default());
    }
    let ends = match signatures(pdf, form) {
        Ok(found) => ends(&found),
        Err(Error::Limit { .. }) => return Ok(Covered::default()),
        Err(error) => return Err(error),
    };
    let mut reach = Reach::default();
    let mut then = None;
    for (later, end) in ends.into_iter().rev() {
        let now = Revision { later, end };
        match step(pdf, &mut reach, then, now) {
            Ok(()) => {}
            Err(Error::Limit { .. }) => {
                pdf.leave_free(reach.highest());
                return Ok(Covered::default());
            }
            Err(Error::Core(error)) => return Err(error.into()),
            Err(_) => reach.lose(),
        }
        then = Some(now);
    }
    pdf.leave_free(reach.highest());
    // What came after the last signature may have been taken for such a change already.
    if then.is_none_or(|last| last.later > 0) {
        return Ok(Covered::default());
    }
    if reach.is_blind() {
        return Err(Error::Forbidden { why: ForbiddenBy::UnreadableObject });
    }
    Ok(Covered { reach })
}

fn step(
    pdf: &mut Pdf<'_>,
    reach: &mut Reach,
    then: Option<Revision>,
    now: Revision,
) -> Result<(), Error> {
    let Some(then) = then else {
        return pdf.at(now, |pdf| reach.read(pdf));
    };
    let sections = pdf.sections.get(now.later..then.later).unwrap_or_default();
    let changed: Vec<u32> = reach.touched(sections).into_iter().collect();
    pdf.at(now, |pdf| reach.go_on(pdf, &changed))
}

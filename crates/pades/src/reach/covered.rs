//! The objects that earlier signatures cover, read before another signature is
//! prepared.

use super::{Reach, Role};
use crate::document::coverage::{ends, signatures};
use crate::document::form::Form;
use crate::error::{Error, ForbiddenBy};
use crate::file::{Pdf, Revision};

/// Maximum number of objects in a signed document that is read: for more, preparing
/// another signature would take seconds.
const MAX_OBJECTS: u64 = 65_536;

/// The objects that signatures cover. It is empty if they are not known, or if the
/// document was changed after the last signature.
#[derive(Debug, Default)]
pub(crate) struct Covered {
    reach: Reach,
}

impl Covered {
    /// Whether this object must not change.
    pub(crate) fn holds(&self, number: u32) -> bool {
        self.reach.mark(number).roles.has(Role::Other)
    }
}

/// Reads every signed object, as verification does before it compares revisions.
/// After that, no new object gets a number that a signed object refers to. Returns
/// no covered objects for documents of more than 65,536 objects, and for documents
/// beyond the limits of verification, which does not compare their revisions.
///
/// # Errors
/// [`Error::Forbidden`] if a signed object cannot be read: validators would report
/// any change as tampering.
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
                pdf.reserve_up_to(reach.highest());
                return Ok(Covered::default());
            }
            Err(Error::Core(error)) => return Err(error.into()),
            Err(_) => reach.set_incomplete(),
        }
        then = Some(now);
    }
    pdf.reserve_up_to(reach.highest());
    // If the document was changed after the last signature, verification reports that
    // change anyway, so signed objects may change again.
    if then.is_none_or(|last| last.later > 0) {
        return Ok(Covered::default());
    }
    if reach.is_incomplete() {
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
    pdf.at(now, |pdf| reach.advance(pdf, &changed))
}

//! Whether a document is complete whose cross-reference was rebuilt. The objects that a
//! rebuilt cross-reference lacks may have been lost with a part of the file, although a
//! reference to a missing object is legal (ISO 32000-2, 7.3.10).

use std::collections::HashSet;

use super::page::Walk;
use crate::error::{Error, MissingPart};
use crate::file::{Indirect, Pdf};
use crate::syntax::{Reference, Value};

/// Keys of pages, resources and annotations whose values are not needed to show a page.
/// `/Length` is not needed because the end of a stream is searched for.
const NOT_NEEDED: [&[u8]; 15] = [
    b"A",
    b"AA",
    b"B",
    b"Dest",
    b"IRT",
    b"Length",
    b"Metadata",
    b"OC",
    b"P",
    b"Parent",
    b"Pg",
    b"PieceInfo",
    b"Popup",
    b"Thumb",
    b"V",
];
/// The keys of a page that lead to what it shows. Resources may be inherited.
const NEEDED: [&[u8]; 3] = [b"Annots", b"Contents", b"Resources"];

/// Checks that the file has the page tree and every object that its pages need.
///
/// # Errors
/// [`Error::Incomplete`] names the missing object.
pub(crate) fn check(pdf: &mut Pdf<'_>) -> Result<(), Error> {
    let catalog = pdf.catalog()?;
    let mut walk = Walk::new(&catalog.value)?;
    let mut needs = Needs::default();
    while let Some(page) = walk.next(pdf, &mut 0)? {
        needs.page += 1;
        needs.of_page(pdf, page.value())?;
    }
    match walk.missing() {
        Some(Reference { number, .. }) => {
            Err(Error::Incomplete { part: MissingPart::PageTreeNode { number } })
        }
        None => Ok(()),
    }
}

/// Follows the references of one page after the other.
#[derive(Default)]
struct Needs {
    /// The number of the page, counted from 1.
    page: usize,
    seen: HashSet<Reference>,
    pending: Vec<Reference>,
}

impl Needs {
    /// The page, and the nodes above it that were not visited before.
    fn of_page(&mut self, pdf: &mut Pdf<'_>, page: &Value) -> Result<(), Error> {
        let mut node = page.clone();
        loop {
            for value in NEEDED.iter().filter_map(|key| node.get(key)) {
                self.note(value);
            }
            let above = node.get(b"Parent").and_then(Value::reference);
            let Some(above) = above.filter(|above| self.seen.insert(*above)) else { break };
            let Some(parent) = pdf.object(above)? else { break };
            node = parent.value;
        }
        while let Some(reference) = self.pending.pop() {
            let object = self.object(pdf, reference)?;
            self.note(&object.value);
        }
        Ok(())
    }

    fn object(&self, pdf: &mut Pdf<'_>, reference: Reference) -> Result<Indirect, Error> {
        let part = MissingPart::PageObject { number: reference.number, page: self.page };
        match pdf.object(reference) {
            Ok(Some(object)) => Ok(object),
            Err(error @ (Error::Core(_) | Error::Limit { .. })) => Err(error),
            Ok(None) | Err(_) => Err(Error::Incomplete { part }),
        }
    }

    /// Notes the references in a value.
    fn note(&mut self, value: &Value) {
        if let Some(reference) = value.reference()
            && self.seen.insert(reference)
        {
            self.pending.push(reference);
        }
        for element in value.elements().unwrap_or_default() {
            self.note(element);
        }
        let needed = |key: &&(Vec<u8>, Value)| !NOT_NEEDED.contains(&key.0.as_slice());
        for (_, value) in value.entries().iter().filter(needed) {
            self.note(value);
        }
    }
}

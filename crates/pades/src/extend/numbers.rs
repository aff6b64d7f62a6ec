//! Chooses the numbers of new objects. A reference to a missing object is legal and
//! the same as null (ISO 32000-2, 7.3.10). If a new object had that number, the
//! reference would lead to it, and validators would report a change of a signed
//! object.

use std::collections::HashSet;

use crate::document::form::Form;
use crate::document::geometry::inherited;
use crate::document::page;
use crate::error::Error;
use crate::file::{Entry, Pdf};
use crate::options::{SignatureField, SignatureOptions};
use crate::reach::{Covered, reach_signed};
use crate::syntax::{Kind, Reference, Value};

/// Maximum number of objects that are read, besides those that earlier signatures
/// cover.
const MAX_OBJECTS: usize = 4096;

/// Reads objects that may refer to missing ones, so that new objects get higher
/// numbers: first the objects that earlier signatures cover, within limits, then up
/// to 4,096 objects, starting at the field or its page. Returns the covered objects.
pub(crate) fn reserve_numbers(
    pdf: &mut Pdf<'_>,
    catalog: &Value,
    form: &Form,
    name: &str,
    options: &SignatureOptions,
) -> Result<Covered, Error> {
    let mut covered = Covered::default();
    // In a repaired document, earlier signatures cannot be verified.
    if pdf.startxref.is_some() && form.signed().next().is_some() {
        covered = pdf.with_own_limits(|pdf| reach_signed(pdf, form))?;
    }
    let found = pdf.with_own_limits(|pdf| {
        let mut walk = Walk::default();
        walk.begin(pdf, catalog, form, name, options)?;
        walk.run(pdf)
    });
    match found {
        Err(error @ Error::Core(_)) => Err(error),
        // Other errors matter only for objects that the signature touches; they are
        // reported when those are read.
        _ => Ok(covered),
    }
}

/// A walk from object to object. Reading an object is enough: [`Pdf::object`]
/// records the numbers it refers to.
#[derive(Default)]
struct Walk {
    seen: HashSet<u32>,
    /// The objects to read next.
    near: Vec<Reference>,
    /// The objects to read when `near` is empty.
    far: Vec<Reference>,
}

impl Walk {
    /// Starts at the field, or at the page of a new field and its inherited
    /// resources; then at the trailer's `/Root` and `/Info`.
    fn begin(
        &mut self,
        pdf: &mut Pdf<'_>,
        catalog: &Value,
        form: &Form,
        name: &str,
        options: &SignatureOptions,
    ) -> Result<(), Error> {
        match options.field {
            SignatureField::Existing(_) => {
                let field = form.find(name);
                let field = field.iter().flat_map(|it| it.widgets.iter().chain([&it.reference]));
                for reference in field {
                    self.note(pdf, *reference, true)?;
                }
            }
            SignatureField::New | SignatureField::NewNamed(_) => {
                let page = page::find(pdf, catalog, options.page_of_new_field())?;
                self.note(pdf, page.reference, true)?;
                if let Some(resources) = inherited(pdf, &page.value, b"Resources")? {
                    self.value(pdf, &resources, true)?;
                }
            }
        }
        for key in [b"Root".as_slice(), b"Info"] {
            let value = pdf.trailer(key).and_then(|(value, _)| value.reference());
            if let Some(reference) = value {
                self.note(pdf, reference, false)?;
            }
        }
        Ok(())
    }

    fn run(&mut self, pdf: &mut Pdf<'_>) -> Result<(), Error> {
        loop {
            if self.near.is_empty() {
                self.near = std::mem::take(&mut self.far);
            }
            let wave = std::mem::take(&mut self.near);
            if wave.is_empty() {
                return Ok(());
            }
            for reference in wave {
                match pdf.object(reference) {
                    Ok(Some(object)) => self.value(pdf, &object.value, true)?,
                    Ok(None) => {}
                    Err(error @ (Error::Core(_) | Error::Limit { .. })) => return Err(error),
                    // If the signature touches this object, the error is reported
                    // when it is read again.
                    Err(_) => {}
                }
            }
        }
    }

    fn value(&mut self, pdf: &mut Pdf<'_>, value: &Value, near: bool) -> Result<(), Error> {
        match &value.kind {
            Kind::Reference(reference) => self.note(pdf, *reference, near)?,
            Kind::Array(elements) => {
                for element in elements.iter() {
                    self.value(pdf, element, near)?;
                }
            }
            Kind::Dictionary(entries) => {
                for (key, value) in entries.iter() {
                    // /Parent leads to all other pages.
                    self.value(pdf, value, near && key != b"Parent")?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn note(&mut self, pdf: &mut Pdf<'_>, reference: Reference, near: bool) -> Result<(), Error> {
        if self.seen.len() == MAX_OBJECTS
            || self.seen.contains(&reference.number)
            || matches!(pdf.entry(reference.number)?, None | Some(Entry::Free))
        {
            return Ok(());
        }
        self.seen.insert(reference.number);
        let next = if near { &mut self.near } else { &mut self.far };
        next.push(reference);
        Ok(())
    }
}

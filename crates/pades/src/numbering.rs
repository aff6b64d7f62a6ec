//! Which numbers new objects get. A reference to an object that is not there is
//! legal, and the same as null (ISO 32000-2, 7.3.10): an object of that number
//! would be shown in a place that nobody chose, and is taken for a change of what
//! was signed.

use std::collections::HashSet;

use crate::document::form::Form;
use crate::document::geometry::inherited;
use crate::document::page;
use crate::error::Error;
use crate::file::{Entry, Pdf};
use crate::options::{SignatureField, SignatureOptions};
use crate::syntax::{Kind, Reference, Value};
use crate::verify::{Covered, reach_signed};

/// So many objects are looked at, beside what earlier signatures cover.
const MAX_OBJECTS: usize = 4096;

/// Reads what may refer to objects that are not there, so that new ones get
/// numbers behind those: what earlier signatures cover, if that is not too much, and
/// what is nearest to the field or its page: of up to 4,096 objects, everything.
/// Yields what is covered.
pub(crate) fn look_around(
    pdf: &mut Pdf<'_>,
    catalog: &Value,
    form: &Form,
    name: &str,
    options: &SignatureOptions,
) -> Result<Covered, Error> {
    let mut covered = Covered::default();
    // Signatures in a document that was repaired are not judged afterwards.
    if pdf.startxref.is_some() && form.signed().next().is_some() {
        covered = pdf.apart(|pdf| reach_signed(pdf, form))?;
    }
    let found = pdf.apart(|pdf| {
        let mut walk = Walk::default();
        walk.begin(pdf, catalog, form, name, options)?;
        walk.run(pdf)
    });
    match found {
        Err(error @ Error::Core(_)) => Err(error),
        // Whatever is wrong is told where it matters.
        _ => Ok(covered),
    }
}

/// From one object to the next. Reading them is enough: [`Pdf::object`] keeps in
/// mind what they refer to.
#[derive(Default)]
struct Walk {
    seen: HashSet<u32>,
    /// What comes next ...
    near: Vec<Reference>,
    /// ... and what comes when nothing else does.
    far: Vec<Reference>,
}

impl Walk {
    /// Begins with the field or the page of a new one, what the page inherits, and
    /// in the end all that the trailer leads to.
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
                    // It is none that a signature touches, or that is told there.
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
                    // All other pages are there.
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

//! The appearance of a signature field, and the page that shows it (ISO 32000-2,
//! 12.5.6.19).

use crate::appearance::{Appearance, StampPosition, draw, number};
use crate::document::annotation::{self, HIDDEN, LOCKED, NO_VIEW, PRINT};
use crate::document::form::Field;
use crate::document::geometry::{Geometry, rectangle};
use crate::document::place::Place;
use crate::document::{page, pdf_a};
use crate::error::{AppearanceFault, Error, FieldFault, structure};
use crate::extend::Update;
use crate::file::{Indirect, Pdf};
use crate::signer::SubFilter;
use crate::syntax::{Edit, Reference, Value};

/// Annotation flags: the widget is printed and cannot be moved.
pub(super) const WIDGET_FLAGS: i64 = PRINT | LOCKED;
/// An empty form XObject: PDF/A-1 requires one even for an invisible widget. Every signature
/// gets one, because a document may become part of one that conforms.
const EMPTY_APPEARANCE: &[u8] =
    b"<</Type/XObject/Subtype/Form/BBox[0 0 0 0]/Length 0>>\nstream\n\nendstream";

/// The labels of an invisible signature and of a document time-stamp, for people who use
/// assistive technology.
const LABEL: &str = "Signature";
const TIME_STAMP_LABEL: &str = "Document time-stamp";

/// The entries of a new widget that decide its appearance.
pub(super) struct Look {
    pub(super) rectangle: String,
    pub(super) form: Option<Reference>,
    /// The text for people who cannot see the signature. PDF/UA-1 requires it in the
    /// field (`/TU`), PDF/UA-2 in the widget, unless the structure has a label
    /// (`/Contents`; ISO 14289-2, 8.10.2.3). Every document gets it, because a document
    /// may become part of one that conforms.
    pub(super) alternative: String,
}

impl Look {
    pub(super) fn invisible(
        pdf: &mut Pdf<'_>,
        update: &mut Update,
        catalog: &Value,
        sub_filter: SubFilter,
    ) -> Result<Self, Error> {
        let needs_form = if sub_filter.is_time_stamp() {
            // To pyHanko, a form makes a document time-stamp a change that a certification
            // without changes does not allow.
            pdf_a::may_be_part_1(pdf, catalog)?
        } else {
            // PDF/A forbids encryption.
            pdf.security.is_none()
        };
        let form = needs_form.then(|| update.allocate());
        if let Some(form) = form {
            update.put(form, EMPTY_APPEARANCE.to_vec());
        }
        let label = if sub_filter.is_time_stamp() { TIME_STAMP_LABEL } else { LABEL };
        Ok(Self { rectangle: "0 0 0 0".to_owned(), form, alternative: label.to_owned() })
    }

    /// Draws the appearance of a new field for its page.
    pub(super) fn drawn(
        pdf: &mut Pdf<'_>,
        update: &mut Update,
        catalog: &Value,
        page: &Value,
        appearance: &Appearance,
    ) -> Result<Self, Error> {
        let StampPosition::Page { page: at, rectangle } = appearance.position else {
            return Err(Error::Appearance { problem: AppearanceFault::NewField });
        };
        let geometry = Geometry::read(pdf, page)?;
        let outside = || Error::OutsidePage { page: at, rectangle, area: geometry.area() };
        let (corners, frame) = geometry.place(rectangle).ok_or_else(outside)?;
        let form = draw(pdf, update, catalog, appearance, frame)?;
        Ok(Self {
            rectangle: corners.map(number).join(" "),
            form: Some(form),
            alternative: appearance.alternative(),
        })
    }
}

/// Draws the appearance of an existing widget. Returns the form XObject and the
/// page.
pub(super) fn draw_in(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    catalog: &Value,
    widget: &Indirect,
    name: &str,
    appearance: &Appearance,
) -> Result<(Reference, Reference), Error> {
    let refuse = |why| Error::FieldNotFit { name: name.to_owned(), why };
    let page = match Place::of(pdf, &widget.value, b"P")? {
        Place::Indirect(page) if page.is_dictionary() => Some(page),
        // /P is optional: the page has the widget in its /Annots (table 166).
        _ => page::with_annotation(pdf, catalog, widget.reference)?,
    };
    let page = page.ok_or(refuse(FieldFault::NoPage))?;
    let corners = pdf.get(&widget.value, b"Rect")?;
    let corners = corners.map_or(Ok(None), |corners| rectangle(pdf, &corners))?;
    let corners = corners.filter(|[left, bottom, right, top]| left < right && bottom < top);
    let corners = corners.ok_or(refuse(FieldFault::NoArea))?;
    let frame = Geometry::read(pdf, &page.value)?.frame(corners);
    Ok((draw(pdf, update, catalog, appearance, frame)?, page.reference))
}

/// Gives an existing widget its appearance. Only the flags that hide it are cleared.
pub(super) fn show(
    pdf: &mut Pdf<'_>,
    edit: &mut Edit<'_>,
    widget: &Indirect,
    form: Reference,
) -> Result<(), Error> {
    let value = &widget.value;
    let flags = annotation::flags(pdf, value)? & !(HIDDEN | NO_VIEW) | WIDGET_FLAGS;
    edit.set(value, b"AP", format!("<</N {form}>>").as_bytes());
    edit.set(value, b"F", flags.to_string().as_bytes());
    Ok(())
}

/// Repeats the label of an existing field (`/TU`) in its widget, where PDF/UA-2 expects
/// it. An existing `/Contents` stays.
pub(super) fn describe(field: &Indirect, edit: &mut Edit<'_>) {
    let label = field.value.get(b"TU").and_then(|label| field.octets.get(label.span.clone()));
    if let Some(label) = label
        && field.value.get(b"Contents").is_none()
    {
        edit.set(&field.value, b"Contents", label);
    }
}

/// Whether the flags of an existing field's widget hide it.
pub(super) fn is_hidden(pdf: &mut Pdf<'_>, field: &Field) -> Result<bool, Error> {
    let widget = field.widgets.first().copied().unwrap_or(field.reference);
    let Some(widget) = pdf.object(widget)? else {
        return Ok(false);
    };
    Ok(annotation::flags(pdf, &widget.value)? & (HIDDEN | NO_VIEW) != 0)
}

/// Adds the widget to the page's annotations. Some writers put a lone annotation in
/// place of the array; it becomes the array's first element. `may_tag`: the structure
/// tree may order the page's annotations.
pub(super) fn annotate(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    page: &Indirect,
    widget: Reference,
    may_tag: bool,
) -> Result<(), Error> {
    let widget = widget.to_string();
    let mut edit = Edit::new(&page.octets);
    match Place::of(pdf, &page.value, b"Annots")? {
        Place::Absent => edit.set(&page.value, b"Annots", format!("[{widget}]").as_bytes()),
        Place::Direct(array) if array.elements().is_some() => edit.push(&array, widget.as_bytes()),
        Place::Direct(lone) if lone.is_dictionary() => {
            let lone = page.octets.get(lone.span).unwrap_or_default();
            let both = [b"[", lone, format!(" {widget}]").as_bytes()].concat();
            edit.set(&page.value, b"Annots", &both);
        }
        Place::Indirect(lone) if lone.is_dictionary() => {
            let both = format!("[{} {widget}]", lone.reference);
            edit.set(&page.value, b"Annots", both.as_bytes());
        }
        Place::Indirect(array) => {
            let Some(elements) = array.value.elements() else {
                return Err(structure("a page's /Annots is not an array"));
            };
            if elements.iter().any(|element| element.reference().is_none()) {
                let mut edit = Edit::new(&array.octets);
                edit.push(&array.value, widget.as_bytes());
                return update.change(pdf, &array, edit);
            }
            // Other pages may share the array: this page gets its own.
            let mut own = b"[".to_vec();
            for reference in elements.iter().filter_map(Value::reference) {
                own.extend_from_slice(format!("{reference} ").as_bytes());
            }
            own.extend_from_slice(format!("{widget}]").as_bytes());
            edit.set(&page.value, b"Annots", &own);
        }
        Place::Direct(_) => return Err(structure("a page's /Annots is not an array")),
    }
    if may_tag && page.value.get(b"Tabs").is_none() {
        // PDF/UA: a page with annotations has the tab order of the structure.
        edit.set(&page.value, b"Tabs", b"/S");
    }
    update.change(pdf, page, edit)
}

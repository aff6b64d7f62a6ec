//! The appearance of a signature field, and the page that shows it (ISO 32000-2,
//! 12.5.6.19).

use crate::appearance::{Appearance, StampPosition, draw, number};
use crate::document::annotation::{self, HIDDEN, LOCKED, NO_VIEW, PRINT};
use crate::document::form::Field;
use crate::document::geometry::{Geometry, rectangle};
use crate::document::page;
use crate::document::place::Place;
use crate::error::{AppearanceFault, Error, FieldFault, structure};
use crate::extend::Update;
use crate::file::{Indirect, Pdf};
use crate::syntax::{Edit, Reference, Value};

/// Annotation flags: the widget is printed and cannot be moved.
pub(super) const WIDGET_FLAGS: i64 = PRINT | LOCKED;
/// An empty form XObject: PDF/A-1 requires one even for an invisible widget.
const EMPTY_APPEARANCE: &[u8] =
    b"<</Type/XObject/Subtype/Form/BBox[0 0 0 0]/Length 0>>\nstream\n\nendstream";

/// The entries of a new widget that decide its appearance.
pub(super) struct Look {
    pub(super) rectangle: String,
    pub(super) form: Option<Reference>,
    /// The text for people who cannot see the signature.
    pub(super) alternative: Option<String>,
}

impl Look {
    pub(super) fn invisible(pdf: &Pdf<'_>, update: &mut Update) -> Self {
        // PDF/A requires an appearance and forbids encryption.
        let form = pdf.security.is_none().then(|| update.allocate());
        if let Some(form) = form {
            update.put(form, EMPTY_APPEARANCE.to_vec());
        }
        Self { rectangle: "0 0 0 0".to_owned(), form, alternative: None }
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
        let placed = Geometry::read(pdf, page)?.place(rectangle);
        let (corners, frame) = placed.ok_or(Error::OutsidePage { page: at, rectangle })?;
        let form = draw(pdf, update, catalog, appearance, frame)?;
        Ok(Self {
            rectangle: corners.map(number).join(" "),
            form: Some(form),
            alternative: Some(appearance.alternative()),
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

/// Whether the flags of an existing field's widget hide it.
pub(super) fn is_hidden(pdf: &mut Pdf<'_>, field: &Field) -> Result<bool, Error> {
    let widget = field.widgets.first().copied().unwrap_or(field.reference);
    let Some(widget) = pdf.object(widget)? else {
        return Ok(false);
    };
    Ok(annotation::flags(pdf, &widget.value)? & (HIDDEN | NO_VIEW) != 0)
}

/// Adds the widget to the page's annotations. `may_tag`: the structure tree may
/// order the page's annotations.
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

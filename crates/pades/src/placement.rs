//! Putting a signature into a document: field and widget, page, form, catalog
//! (ISO 32000-2, 12.7.5.5, 12.5.6.19).

use ades_core::DigestAlgorithm;

use crate::appearance::{Appearance, Spot, draw};
use crate::dictionary::{Dictionary, Written};
use crate::document::form::Form;
use crate::document::geometry::{Geometry, rectangle};
use crate::document::page;
use crate::error::{Error, structure};
use crate::file::{Indirect, Pdf};
use crate::lock::FieldLock;
use crate::options::{SignatureField, SignatureOptions};
use crate::rules;
use crate::seed;
use crate::syntax::{Edit, Reference, Value, encode_text, string};
use crate::tagging::tag;
use crate::update::{Place, Update};

/// `/SigFlags`: signatures are there, and changes are only ever appended.
const SIG_FLAGS: u64 = 3;
/// Annotation flags: printed, and not to be moved.
const WIDGET_FLAGS: u32 = 4 + 128;

/// Where a signature goes, and all that changes there.
pub(crate) struct Placement {
    pub(crate) update: Update,
    pub(crate) signature: Reference,
    /// The signature dictionary; the places in it hold for the update, too.
    pub(crate) dictionary: Written,
}

/// Plans the update.
pub(crate) fn plan(
    pdf: &mut Pdf<'_>,
    mut dictionary: Dictionary<'_>,
    digest: DigestAlgorithm,
    options: &SignatureOptions,
) -> Result<Placement, Error> {
    let catalog = pdf.catalog()?;
    let form = Form::read(pdf, &catalog.value)?;
    let mut update = Update::new(pdf)?;
    let signature = update.allocate();
    let mut catalog_edit = Edited::new(&catalog);

    let mut new_field = None;
    let name = match &options.field {
        SignatureField::New => form.free_name(),
        SignatureField::NewNamed(name) | SignatureField::Existing(name) => name.clone(),
    };
    rules::check(pdf, &catalog.value, &form, &name, options)?;
    rules::check_permissions(pdf, options)?;
    if let SignatureField::Existing(_) = &options.field {
        let (field, own) = existing(pdf, &form, &name, dictionary.sub_filter, digest, options)?;
        let mut edit = Edit::new(&field.octets);
        if let Some(lock) = lock_dictionary(pdf, &mut update, options)? {
            if own.is_some() {
                return Err(Error::FieldNotFit { name, why: "it has a lock of its own (/Lock)" });
            }
            edit.set(&field.value, b"Lock", lock.to_string().as_bytes());
        }
        let lock = own.or_else(|| options.lock.clone());
        dictionary.lock = lock.map(|lock| (lock, catalog.reference));
        edit.set(&field.value, b"V", signature.to_string().as_bytes());
        let is_widget = field.value.is(b"Subtype", b"Widget");
        if let Some(appearance) = &options.visible {
            let widget = if is_widget { None } else { only_widget(pdf, &form, &name)? };
            let shown = widget.as_ref().unwrap_or(&field);
            let form = draw_in(pdf, &mut update, &catalog.value, shown, &name, appearance)?;
            match &widget {
                None => show(&mut edit, &field, form),
                Some(widget) => {
                    let mut edit = Edit::new(&widget.octets);
                    show(&mut edit, widget, form);
                    update.change(pdf, widget, edit)?;
                }
            }
        } else if is_widget && field.value.get(b"F").is_none() {
            edit.set(&field.value, b"F", WIDGET_FLAGS.to_string().as_bytes());
        }
        update.change(pdf, &field, edit)?;
    } else {
        if form.find(&name).is_some() {
            return Err(Error::FieldNameTaken { name });
        }
        let number = match options.visible.as_ref().map(|appearance| appearance.spot) {
            Some(Spot::Page(number, _)) => number,
            _ => options.page.unwrap_or(1),
        };
        let page = page::find(pdf, &catalog.value, number)?;
        let field = update.allocate();
        new_field = Some(field);
        let look = match &options.visible {
            Some(appearance) => draw_on(pdf, &mut update, &catalog.value, &page.value, appearance)?,
            None => Look::invisible(pdf, &mut update),
        };
        let lock = lock_dictionary(pdf, &mut update, options)?;
        dictionary.lock = options.lock.clone().map(|lock| (lock, catalog.reference));
        // After a signature, a page may get no more than the annotation itself,
        // and a change of the structure is taken for tampering.
        let tagged = catalog.value.get(b"StructTreeRoot").is_some();
        let ordered = tagged && form.signed().next().is_none();
        let parent = match &options.visible {
            Some(_) if ordered => tag(pdf, &mut update, &catalog.value, page.reference, field)?,
            _ => None,
        };
        update.add(pdf, field, widget(&name, signature, &look, page.reference, lock, parent))?;
        annotate(pdf, &mut update, &page, field, ordered)?;
    }
    let dictionary = dictionary.write();
    update.add(pdf, signature, dictionary.octets.clone())?;
    extend_form(pdf, &mut update, &mut catalog_edit, new_field)?;
    if options.certification.is_some() {
        certify(pdf, &mut update, &mut catalog_edit, signature)?;
    }
    catalog_edit.put(pdf, &mut update)?;
    Ok(Placement { update, signature, dictionary })
}

/// An object and its changes, if there are any.
pub(crate) struct Edited<'a> {
    object: &'a Indirect,
    edit: Edit<'a>,
    changed: bool,
}

impl<'a> Edited<'a> {
    pub(crate) fn new(object: &'a Indirect) -> Self {
        Self { object, edit: Edit::new(&object.octets), changed: false }
    }

    /// As it was.
    pub(crate) const fn object(&self) -> &'a Indirect {
        self.object
    }

    pub(crate) fn set(&mut self, dictionary: &Value, key: &[u8], value: &[u8]) {
        self.edit.set(dictionary, key, value);
        self.changed = true;
    }

    pub(crate) fn push(&mut self, array: &Value, element: &[u8]) {
        self.edit.push(array, element);
        self.changed = true;
    }

    pub(crate) fn put(self, pdf: &Pdf<'_>, update: &mut Update) -> Result<(), Error> {
        if self.changed { update.change(pdf, self.object, self.edit) } else { Ok(()) }
    }
}

/// An empty form XObject: PDF/A-1 wants one even for what is not seen.
const EMPTY_APPEARANCE: &[u8] =
    b"<</Type/XObject/Subtype/Form/BBox[0 0 0 0]/Length 0>>\nstream\n\nendstream";

/// The lock that is asked for, as an object of its own (table 235).
fn lock_dictionary(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    options: &SignatureOptions,
) -> Result<Option<Reference>, Error> {
    let Some(lock) = &options.lock else {
        return Ok(None);
    };
    let reference = update.allocate();
    let dictionary = [b"<</Type/SigFieldLock".as_slice(), &lock.entries(), b">>"].concat();
    update.add(pdf, reference, dictionary)?;
    Ok(Some(reference))
}

/// Field and widget in one: a signature field has no other widget.
fn widget(
    name: &str,
    signature: Reference,
    look: &Look,
    page: Reference,
    lock: Option<Reference>,
    parent: Option<u64>,
) -> Vec<u8> {
    let mut out = b"<</Type/Annot/Subtype/Widget/FT/Sig/T".to_vec();
    out.extend_from_slice(&string(&encode_text(name)));
    if let Some(alternative) = &look.alternative {
        for key in [b"/TU".as_slice(), b"/Contents"] {
            out.extend_from_slice(key);
            out.extend_from_slice(&string(&encode_text(alternative)));
        }
    }
    let appearance = look.form.map(|it| format!("/AP<</N {it}>>")).unwrap_or_default();
    let lock = lock.map(|it| format!("/Lock {it}")).unwrap_or_default();
    let parent = parent.map(|it| format!("/StructParent {it}")).unwrap_or_default();
    let rectangle = &look.rectangle;
    let rest = format!(
        "/V {signature}/F {WIDGET_FLAGS}/Rect[{rectangle}]{appearance}{lock}{parent}/P {page}>>"
    );
    out.extend_from_slice(rest.as_bytes());
    out
}

/// What a new widget looks like.
struct Look {
    rectangle: String,
    form: Option<Reference>,
    /// What is read to those who cannot see it.
    alternative: Option<String>,
}

impl Look {
    fn invisible(pdf: &Pdf<'_>, update: &mut Update) -> Self {
        // PDF/A, which wants an appearance, is never encrypted.
        let form = pdf.security.is_none().then(|| update.allocate());
        if let Some(form) = form {
            update.put(form, EMPTY_APPEARANCE.to_vec());
        }
        Self { rectangle: "0 0 0 0".to_owned(), form, alternative: None }
    }
}

/// Draws what a new field shows on its page.
fn draw_on(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    catalog: &Value,
    page: &Value,
    appearance: &Appearance,
) -> Result<Look, Error> {
    let Spot::Page(number, rectangle) = appearance.spot else {
        return Err(Error::Appearance { problem: "a new field needs a page and a rectangle" });
    };
    let placed = Geometry::read(pdf, page)?.place(rectangle);
    let (corners, frame) = placed.ok_or(Error::OutsidePage { page: number })?;
    let form = draw(pdf, update, catalog, appearance, frame)?;
    Ok(Look {
        rectangle: corners.map(crate::appearance::number).join(" "),
        form: Some(form),
        alternative: Some(appearance.alternative()),
    })
}

/// The widget of a field that is an object of its own.
fn only_widget(pdf: &mut Pdf<'_>, form: &Form, name: &str) -> Result<Option<Indirect>, Error> {
    let reference = form.find(name).and_then(|field| field.widgets.first().copied());
    let missing = Error::FieldNotFit { name: name.to_owned(), why: "it has no widget" };
    pdf.object(reference.ok_or(missing)?)
}

/// Draws what an existing widget is to show.
fn draw_in(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    catalog: &Value,
    widget: &Indirect,
    name: &str,
    appearance: &Appearance,
) -> Result<Reference, Error> {
    let refuse = |why| Error::FieldNotFit { name: name.to_owned(), why };
    let page = pdf.get(&widget.value, b"P")?.filter(Value::is_dictionary);
    let page = page.ok_or(refuse("it does not say which page it is on"))?;
    let corners = pdf.get(&widget.value, b"Rect")?;
    let corners = corners.map_or(Ok(None), |corners| rectangle(pdf, &corners))?;
    let corners = corners.filter(|[left, bottom, right, top]| left < right && bottom < top);
    let corners = corners.ok_or(refuse("its rectangle has no area"))?;
    let frame = Geometry::read(pdf, &page)?.frame(corners);
    draw(pdf, update, catalog, appearance, frame)
}

/// Gives an existing widget its looks.
fn show(edit: &mut Edit<'_>, widget: &Indirect, form: Reference) {
    let value = &widget.value;
    edit.set(value, b"AP", format!("<</N {form}>>").as_bytes());
    edit.set(value, b"F", WIDGET_FLAGS.to_string().as_bytes());
}

/// The field to be signed, and its lock.
fn existing(
    pdf: &mut Pdf<'_>,
    form: &Form,
    name: &str,
    sub_filter: &str,
    digest: DigestAlgorithm,
    options: &SignatureOptions,
) -> Result<(Indirect, Option<FieldLock>), Error> {
    let found = form.find(name).ok_or_else(|| Error::NoSuchField { name: name.to_owned() })?;
    let refuse = |why| Err(Error::FieldNotFit { name: name.to_owned(), why });
    if !found.is_signature {
        return refuse("it is no signature field");
    }
    if found.value.is_some() {
        return refuse("it is signed already");
    }
    if found.widgets.len() > 1 {
        return refuse("it has more than one widget");
    }
    let field = pdf.object(found.reference)?.ok_or(structure("a field is missing"))?;
    seed::check(pdf, &field.value, name, sub_filter, digest, options)?;
    let lock = seed::lock(pdf, &field.value, name, options)?;
    Ok((field, lock))
}

/// Adds the widget to the page's annotations, by changing the page, or the
/// array if it is an object of its own that holds more than references.
fn annotate(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    page: &Indirect,
    widget: Reference,
    ordered: bool,
) -> Result<(), Error> {
    let widget = widget.to_string();
    let mut edit = Edit::new(&page.octets);
    match Place::of(pdf, &page.value, b"Annots")? {
        Place::Absent => edit.set(&page.value, b"Annots", format!("[{widget}]").as_bytes()),
        Place::Direct(array) if array.elements().is_some() => edit.push(&array, widget.as_bytes()),
        Place::Indirect(array) => {
            let Some(elements) = array.value.elements() else {
                return Err(structure("a page's /Annots is no array"));
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
        Place::Direct(_) => return Err(structure("a page's /Annots is no array")),
    }
    if ordered && page.value.get(b"Tabs").is_none() {
        // PDF/UA: with annotations, the order is that of the structure.
        edit.set(&page.value, b"Tabs", b"/S");
    }
    update.change(pdf, page, edit)
}

/// Adds the field to the form, which may not be there yet.
fn extend_form(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    catalog: &mut Edited<'_>,
    field: Option<Reference>,
) -> Result<(), Error> {
    let object = catalog.object();
    match Place::of(pdf, &object.value, b"AcroForm")? {
        Place::Absent => {
            let fields = field.map(|field| field.to_string()).unwrap_or_default();
            let form = update.allocate();
            let value = format!("<</Fields[{fields}]/SigFlags {SIG_FLAGS}>>");
            update.put(form, value.into_bytes());
            catalog.set(&object.value, b"AcroForm", form.to_string().as_bytes());
        }
        Place::Direct(form) if form.is_dictionary() => {
            extend(pdf, update, catalog, &form, field)?;
        }
        Place::Indirect(form) if form.value.is_dictionary() => {
            let mut edited = Edited::new(&form);
            extend(pdf, update, &mut edited, &form.value, field)?;
            edited.put(pdf, update)?;
        }
        _ => return Err(structure("/AcroForm is no dictionary")),
    }
    Ok(())
}

fn extend(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    holder: &mut Edited<'_>,
    form: &Value,
    field: Option<Reference>,
) -> Result<(), Error> {
    let flags = pdf.get(form, b"SigFlags")?.and_then(|flags| flags.unsigned()).unwrap_or(0);
    if flags & SIG_FLAGS != SIG_FLAGS {
        holder.set(form, b"SigFlags", (flags | SIG_FLAGS).to_string().as_bytes());
    }
    let Some(field) = field else {
        return Ok(());
    };
    let field = field.to_string();
    match Place::of(pdf, form, b"Fields")? {
        Place::Absent => holder.set(form, b"Fields", format!("[{field}]").as_bytes()),
        Place::Direct(array) if array.elements().is_some() => {
            holder.push(&array, field.as_bytes());
        }
        Place::Indirect(array) if array.value.elements().is_some() => {
            let mut edited = Edited::new(&array);
            edited.push(&array.value, field.as_bytes());
            edited.put(pdf, update)?;
        }
        _ => return Err(structure("/Fields is no array")),
    }
    Ok(())
}

/// The catalog names the signature that certifies (12.8.6).
fn certify(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    catalog: &mut Edited<'_>,
    signature: Reference,
) -> Result<(), Error> {
    let object = catalog.object();
    let signature = signature.to_string();
    match Place::of(pdf, &object.value, b"Perms")? {
        Place::Absent => {
            catalog.set(&object.value, b"Perms", format!("<</DocMDP {signature}>>").as_bytes());
        }
        Place::Direct(permissions) if permissions.is_dictionary() => {
            catalog.set(&permissions, b"DocMDP", signature.as_bytes());
        }
        Place::Indirect(permissions) if permissions.value.is_dictionary() => {
            let mut edited = Edited::new(&permissions);
            edited.set(&permissions.value, b"DocMDP", signature.as_bytes());
            edited.put(pdf, update)?;
        }
        _ => return Err(structure("/Perms is no dictionary")),
    }
    Ok(())
}

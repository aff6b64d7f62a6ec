//! Putting a signature into a document: field and widget, page, form, catalog
//! (ISO 32000-2, 12.7.5.5).

use crate::catalog::{certify, declare_extension, extend_form};
use crate::dictionary::{Dictionary, Written};
use crate::document::form::Form;
use crate::document::page;
use crate::error::Error;
use crate::field::{NewField, existing, only_widget};
use crate::file::{Indirect, Pdf};
use crate::numbering::look_around;
use crate::options::{SignatureField, SignatureOptions};
use crate::remark::Remark;
use crate::rules;
use crate::seed::Signer;
use crate::syntax::{Edit, Reference};
use crate::tagging::tag;
use crate::update::{Edited, Update};
use crate::widget::{Look, WIDGET_FLAGS, annotate, draw_in, show};

/// The number of the page that a visible signature is on.
pub(crate) fn page_number(pdf: &mut Pdf<'_>, page: Reference) -> Result<Option<usize>, Error> {
    let catalog = pdf.catalog()?;
    page::number(pdf, &catalog.value, page)
}

/// Where a signature goes.
pub(crate) struct Placement {
    pub(crate) signature: Reference,
    /// The signature dictionary; the places in it hold for the update, too.
    pub(crate) dictionary: Written,
    /// The page that a visible signature is on.
    pub(crate) page: Option<Reference>,
    pub(crate) remarks: Vec<Remark>,
}

/// Plans the update.
pub(crate) fn plan(
    pdf: &mut Pdf<'_>,
    dictionary: &Dictionary<'_>,
    signer: &Signer<'_>,
    options: &SignatureOptions,
) -> Result<(Update, Placement), Error> {
    let catalog = pdf.catalog()?;
    let form = Form::read(pdf, &catalog.value)?;
    let name = match &options.field {
        SignatureField::New => form.free_name(),
        SignatureField::NewNamed(name) | SignatureField::Existing(name) => name.clone(),
    };
    let remarks = rules::check(pdf, &catalog.value, &form, &name, options)?;
    rules::check_permissions(pdf, options)?;
    let covered = look_around(pdf, &catalog.value, &form, &name, options)?;
    loop {
        let mut update = Update::new(pdf)?;
        let first = update.allocate();
        let target = Target { catalog: &catalog, form: &form, name: &name, signature: first };
        let (dictionary, page) =
            target.sign(pdf, &mut update, dictionary.clone(), signer, options)?;
        // What was read meanwhile may refer to the very numbers that were taken.
        if pdf.next_number()? == first.number {
            if update.numbers().any(|number| covered.holds(number)) {
                let why = "what would be written anew is also something that is signed";
                return Err(Error::Forbidden { why });
            }
            return Ok((update, Placement { signature: first, dictionary, page, remarks }));
        }
    }
}

/// The field that is to be signed, there already or not.
struct Target<'t> {
    catalog: &'t Indirect,
    form: &'t Form,
    name: &'t str,
    signature: Reference,
}

impl Target<'_> {
    /// Plans all that is written; yields the signature dictionary and the page that
    /// a visible signature is on.
    fn sign(
        &self,
        pdf: &mut Pdf<'_>,
        update: &mut Update,
        mut dictionary: Dictionary<'_>,
        signer: &Signer<'_>,
        options: &SignatureOptions,
    ) -> Result<(Written, Option<Reference>), Error> {
        let (root, page) = match &options.field {
            SignatureField::Existing(_) => {
                (None, self.fill(pdf, update, &mut dictionary, signer, options)?)
            }
            SignatureField::New | SignatureField::NewNamed(_) => {
                let (root, page) = self.create(pdf, update, &mut dictionary, options)?;
                (root, options.visible.is_some().then_some(page))
            }
        };
        let dictionary = dictionary.write();
        update.add(pdf, self.signature, dictionary.octets.clone())?;
        let mut catalog = Edited::new(self.catalog);
        extend_form(pdf, update, &mut catalog, root)?;
        if options.certification.is_some() {
            certify(pdf, update, &mut catalog, self.signature)?;
        }
        if signer.is_pades() {
            declare_extension(pdf, update, &mut catalog)?;
        }
        catalog.put(pdf, update)?;
        Ok((dictionary, page))
    }

    /// Signs a field that is there; yields the page it is seen on, if it is.
    fn fill(
        &self,
        pdf: &mut Pdf<'_>,
        update: &mut Update,
        dictionary: &mut Dictionary<'_>,
        signer: &Signer<'_>,
        options: &SignatureOptions,
    ) -> Result<Option<Reference>, Error> {
        let Self { catalog, form, name, signature } = *self;
        let (field, own) = existing(pdf, form, name, signer, options)?;
        let mut edit = Edit::new(&field.octets);
        if let Some(lock) = lock_dictionary(pdf, update, options)? {
            if own.is_some() {
                let why = "it has a lock of its own (/Lock)";
                return Err(Error::FieldNotFit { name: name.to_owned(), why });
            }
            edit.set(&field.value, b"Lock", lock.to_string().as_bytes());
        }
        let lock = own.or_else(|| options.lock.clone());
        dictionary.lock = lock.map(|lock| (lock, catalog.reference));
        edit.set(&field.value, b"V", signature.to_string().as_bytes());
        let is_widget = field.value.is(b"Subtype", b"Widget");
        let mut page = None;
        if let Some(appearance) = &options.visible {
            let widget = if is_widget { None } else { only_widget(pdf, form, name)? };
            let shown = widget.as_ref().unwrap_or(&field);
            let drawn = draw_in(pdf, update, &catalog.value, shown, name, appearance)?;
            let (look, on) = drawn;
            page = Some(on);
            match &widget {
                None => show(pdf, &mut edit, &field, look)?,
                Some(widget) => {
                    let mut edit = Edit::new(&widget.octets);
                    show(pdf, &mut edit, widget, look)?;
                    update.change(pdf, widget, edit)?;
                }
            }
        } else if is_widget && field.value.get(b"F").is_none() {
            edit.set(&field.value, b"F", WIDGET_FLAGS.to_string().as_bytes());
        }
        update.change(pdf, &field, edit)?;
        Ok(page)
    }

    /// Makes a field; yields what has to be added to the form, and the page.
    fn create(
        &self,
        pdf: &mut Pdf<'_>,
        update: &mut Update,
        dictionary: &mut Dictionary<'_>,
        options: &SignatureOptions,
    ) -> Result<(Option<Reference>, Reference), Error> {
        let Self { catalog, form, name, signature } = *self;
        if form.find(name).is_some() {
            return Err(Error::FieldNameTaken { name: name.to_owned() });
        }
        let page = page::find(pdf, &catalog.value, options.page_of_new_field())?;
        let new = NewField::place(pdf, update, form, name)?;
        let look = match &options.visible {
            Some(appearance) => Look::drawn(pdf, update, &catalog.value, &page.value, appearance)?,
            None => Look::invisible(pdf, update),
        };
        let lock = lock_dictionary(pdf, update, options)?;
        dictionary.lock = options.lock.clone().map(|lock| (lock, catalog.reference));
        // After a signature, a page may get no more than the annotation itself,
        // and a change of the structure is taken for tampering.
        let tagged = catalog.value.get(b"StructTreeRoot").is_some();
        let ordered = tagged && form.signed().next().is_none();
        let tagged = match &options.visible {
            Some(_) if ordered => tag(pdf, update, &catalog.value, page.reference, new.reference)?,
            _ => None,
        };
        let widget = new.write(signature, &look, page.reference, lock, tagged);
        update.add(pdf, new.reference, widget)?;
        annotate(pdf, update, &page, new.reference, ordered)?;
        Ok((new.root, page.reference))
    }
}

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

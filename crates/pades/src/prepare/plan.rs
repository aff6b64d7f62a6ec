//! Planning the update that signs a document: field and widget, page, form,
//! catalog (ISO 32000-2, 12.7.5.5).

use ades_core::Document;
use ades_core::in_place::TAIL;

use super::catalog::{certify, extend_form};
use super::dictionary::{Dictionary, WrittenDictionary};
use super::field::{NewField, existing, only_widget};
use super::need_appearances;
use super::permissions;
use super::tagging::tag;
use super::widget::{Look, WIDGET_FLAGS, annotate, describe, draw_in, show};
use crate::document::form::Form;
use crate::document::{completeness, page};
use crate::error::{Error, FieldFault, ForbiddenBy};
use crate::extend::extensions::{CADES, LONG_TERM, declare_extension};
use crate::extend::{Edited, Update, WrittenUpdate, reserve_numbers};
use crate::file::{Indirect, Pdf};
use crate::options::{SignatureField, SignatureOptions};
use crate::report::Warning;
use crate::signer::{Certificates, Signer, SubFilter};
use crate::syntax::{Edit, Reference};

/// An update that is complete except for the `/ByteRange`, the identifier and
/// the CMS, which depend on the document's digest.
pub(crate) struct Plan {
    pub(super) update: WrittenUpdate,
    pub(super) signature: Reference,
    /// The signature dictionary. Its ranges count from the start of the
    /// signature's value in `update`.
    pub(super) dictionary: WrittenDictionary,
    pub(crate) warnings: Vec<Warning>,
    /// The document's length, and its last octets.
    pub(crate) length: u64,
    pub(super) tail: Vec<u8>,
    /// The number of the page that shows a visible signature. Set only for
    /// [`check`](crate::check): `prepare` does not need it.
    pub(super) page: Option<usize>,
}

impl Plan {
    pub(crate) fn new(
        document: &mut Document<'_>,
        signer: &Signer<'_>,
        dictionary: Dictionary<'_>,
        options: &SignatureOptions,
    ) -> Result<Self, Error> {
        let credential = options.credential();
        let first = Pdf::open(document, credential)
            .and_then(|pdf| Self::in_pdf(pdf, dictionary.clone(), signer, options));
        match first {
            Err(
                Error::BrokenCrossReference { .. }
                | Error::Malformed { .. }
                | Error::NoNumberLeft { .. }
                | Error::Structure { .. },
            ) if options.repair => {
                let repaired = Pdf::open_broken(document, credential).and_then(|mut pdf| {
                    pdf.with_own_limits(completeness::check)?;
                    Self::in_pdf(pdf, dictionary, signer, options)
                });
                let mut plan = repaired.map_err(|error| match error {
                    // Another repair does not help.
                    Error::BrokenCrossReference { what, .. } => Error::Structure { what },
                    error => error,
                })?;
                plan.warnings.insert(0, Warning::Repaired);
                Ok(plan)
            }
            plan => plan,
        }
    }

    fn in_pdf(
        mut pdf: Pdf<'_>,
        dictionary: Dictionary<'_>,
        signer: &Signer<'_>,
        options: &SignatureOptions,
    ) -> Result<Self, Error> {
        let placed = place(&mut pdf, &dictionary, signer, options)?;
        let page = match (placed.page, signer.certificates) {
            (Some(page), Certificates::Later) => {
                let catalog = pdf.catalog()?;
                page::number(&mut pdf, &catalog.value, page)?
            }
            _ => None,
        };
        let update = placed.update.write(&mut pdf)?;
        let length = pdf.len();
        let tail = pdf.source().read(length.saturating_sub(TAIL), TAIL)?.to_vec();
        Ok(Self {
            update,
            signature: placed.signature,
            dictionary: placed.dictionary,
            warnings: placed.warnings,
            length,
            tail,
            page,
        })
    }
}

/// An update with all its objects, and where the signature is in it.
struct Placed {
    update: Update,
    signature: Reference,
    dictionary: WrittenDictionary,
    /// The page that shows a visible signature.
    page: Option<Reference>,
    warnings: Vec<Warning>,
}

/// Puts the signature into the document.
fn place(
    pdf: &mut Pdf<'_>,
    dictionary: &Dictionary<'_>,
    signer: &Signer<'_>,
    options: &SignatureOptions,
) -> Result<Placed, Error> {
    let catalog = pdf.catalog()?;
    let form = Form::read(pdf, &catalog.value)?;
    let name = match &options.field {
        SignatureField::New => form.free_name(),
        SignatureField::NewNamed(name) | SignatureField::Existing(name) => name.clone(),
    };
    let warnings = if signer.sub_filter.is_time_stamp() {
        permissions::check_extension(pdf, &catalog.value, &form)?
    } else {
        permissions::check(pdf, &catalog.value, &form, &name, options)?
    };
    permissions::check_encryption(pdf, options)?;
    let covered = reserve_numbers(pdf, &catalog.value, &form, &name, options)?;
    loop {
        let mut update = Update::new(pdf)?;
        let signature = update.allocate();
        let target = TargetField { catalog: &catalog, form: &form, name: &name, signature };
        let (dictionary, page) =
            target.sign(pdf, &mut update, dictionary.clone(), signer, options)?;
        // The objects read since may refer to the numbers of the new objects. If they
        // do, the new objects get higher numbers.
        if pdf.next_number()? != signature.number {
            continue;
        }
        if update.numbers().any(|number| covered.holds(number)) {
            return Err(Error::Forbidden { why: ForbiddenBy::SignedObject });
        }
        return Ok(Placed { update, signature, dictionary, page, warnings });
    }
}

/// The field that is signed, whether it exists or not.
struct TargetField<'t> {
    catalog: &'t Indirect,
    form: &'t Form,
    name: &'t str,
    signature: Reference,
}

impl TargetField<'_> {
    /// Adds all objects to the update; returns the signature dictionary and the
    /// page that shows a visible signature.
    fn sign(
        &self,
        pdf: &mut Pdf<'_>,
        update: &mut Update,
        mut dictionary: Dictionary<'_>,
        signer: &Signer<'_>,
        options: &SignatureOptions,
    ) -> Result<(WrittenDictionary, Option<Reference>), Error> {
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
        let clears = need_appearances::is_cleared(self.form, options);
        extend_form(pdf, update, &mut catalog, root, clears)?;
        if options.certification.is_some() {
            certify(pdf, update, &mut catalog, self.signature)?;
        }
        match signer.sub_filter {
            SubFilter::Cades => declare_extension(pdf, update, &mut catalog, CADES)?,
            SubFilter::TimeStamp => declare_extension(pdf, update, &mut catalog, LONG_TERM)?,
            SubFilter::Pkcs7 => {}
        }
        catalog.put(pdf, update)?;
        Ok((dictionary, page))
    }

    /// Signs an existing field; returns the page that shows it.
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
        if let Some(lock) = add_lock(pdf, update, options)? {
            if own.is_some() {
                let why = FieldFault::OwnLock;
                return Err(Error::FieldNotFit { name: name.to_owned(), why });
            }
            edit.set(&field.value, b"Lock", lock.to_string().as_bytes());
        }
        dictionary.lock_level = own.as_ref().and_then(|own| own.level);
        let lock = own.map(|own| own.lock).or_else(|| options.lock.clone());
        dictionary.lock = lock.map(|lock| (lock, catalog.reference));
        edit.set(&field.value, b"V", signature.to_string().as_bytes());
        let is_widget = field.value.is(b"Subtype", b"Widget");
        let mut page = None;
        if let Some(appearance) = &options.visible {
            let widget = if is_widget { None } else { only_widget(pdf, form, name)? };
            let shown = widget.as_ref().unwrap_or(&field);
            let (look, on) = draw_in(pdf, update, &catalog.value, shown, name, appearance)?;
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
        // In a signed document, validators report any other change of the widget.
        if is_widget && form.signed().next().is_none() {
            describe(&field, &mut edit);
        }
        update.change(pdf, &field, edit)?;
        Ok(page)
    }

    /// Creates a field; returns the reference to add to the form's `/Fields`, if
    /// any, and the page.
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
            None => Look::invisible(pdf, update, &catalog.value, dictionary.sub_filter)?,
        };
        let lock = add_lock(pdf, update, options)?;
        dictionary.lock = options.lock.clone().map(|lock| (lock, catalog.reference));
        // In a signed document, validators accept a new annotation on a page, but
        // report a change of the structure tree or of /Tabs as tampering.
        let tagged = catalog.value.get(b"StructTreeRoot").is_some();
        let may_tag = tagged && form.signed().next().is_none();
        let structure = match &options.visible {
            Some(_) if may_tag => tag(pdf, update, &catalog.value, page.reference, new.reference)?,
            _ => None,
        };
        let widget = new.write(signature, &look, page.reference, lock, structure);
        update.add(pdf, new.reference, widget)?;
        annotate(pdf, update, &page, new.reference, may_tag)?;
        Ok((new.root, page.reference))
    }
}

/// Adds the lock of the options, as an indirect object (table 235).
fn add_lock(
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

//! The form field that holds the signature (ISO 32000-2, 12.7.4.2, 12.7.5.5).

use super::seed_value;
use super::widget::{Look, WIDGET_FLAGS};
use crate::document::form::{Field, Form};
use crate::document::place::Place;
use crate::error::{Error, FieldFault, ForbiddenBy, structure};
use crate::extend::{Edited, Update};
use crate::file::{Indirect, Pdf};
use crate::lock::FieldLock;
use crate::options::SignatureOptions;
use crate::signer::Signer;
use crate::syntax::{Reference, encode_text, string};

/// The lock of an existing field.
pub(super) struct ExistingLock {
    pub(super) lock: FieldLock,
    /// The level at which it restricts the whole document (`/P`, table 236).
    pub(super) level: Option<u64>,
}

/// An existing field that can be signed, and its lock.
pub(super) fn existing(
    pdf: &mut Pdf<'_>,
    form: &Form,
    name: &str,
    signer: &Signer<'_>,
    options: &SignatureOptions,
) -> Result<(Indirect, Option<ExistingLock>), Error> {
    let found = form.find(name).ok_or_else(|| Error::NoSuchField { name: name.to_owned() })?;
    let refuse = |why| Err(Error::FieldNotFit { name: name.to_owned(), why });
    if !found.is_signature {
        return refuse(FieldFault::NotASignatureField);
    }
    if found.value.is_some() {
        return refuse(FieldFault::AlreadySigned);
    }
    if found.widgets.len() > 1 {
        return refuse(FieldFault::SeveralWidgets);
    }
    let field = pdf.object(found.reference)?.ok_or(structure("a field is missing"))?;
    seed_value::check(pdf, &field.value, name, signer, options)?;
    let lock = existing_lock(pdf, &field, name, options)?;
    Ok((field, lock))
}

/// The field's lock, which the signature repeats in its `/Reference`. A certification
/// must not allow more than the lock.
fn existing_lock(
    pdf: &mut Pdf<'_>,
    field: &Indirect,
    name: &str,
    options: &SignatureOptions,
) -> Result<Option<ExistingLock>, Error> {
    let Some(lock) = pdf.get(&field.value, b"Lock")? else {
        return Ok(None);
    };
    let refuse = |why| Err(Error::FieldNotFit { name: name.to_owned(), why });
    let level = pdf.get(&lock, b"P")?.filter(|level| !level.is_null());
    let level = match level.map(|level| level.unsigned()) {
        Some(Some(level @ 1..=3)) => Some(level),
        Some(_) => return refuse(FieldFault::LockLevel),
        None => None,
    };
    let ours = options.certification.map(|certification| certification as u64);
    if let (Some(level), Some(ours)) = (level, ours)
        && ours > level
    {
        return refuse(FieldFault::LocksDocument);
    }
    let lock = FieldLock::read(pdf, &lock)?;
    Ok(Some(ExistingLock { lock, level: level.into_iter().chain(level.and(ours)).min() }))
}

/// The widget of a field whose widget is another object.
pub(super) fn only_widget(
    pdf: &mut Pdf<'_>,
    form: &Form,
    name: &str,
) -> Result<Option<Indirect>, Error> {
    let reference = form.find(name).and_then(|field| field.widgets.first().copied());
    let missing = Error::FieldNotFit { name: name.to_owned(), why: FieldFault::NoWidget };
    pdf.object(reference.ok_or(missing)?)
}

/// A new field and its place in the form.
pub(super) struct NewField<'a> {
    pub(super) reference: Reference,
    /// The last part of its name.
    partial: &'a str,
    parent: Option<Reference>,
    /// The reference to add to the form's `/Fields`; `None` below an existing field.
    pub(super) root: Option<Reference>,
}

impl<'a> NewField<'a> {
    /// Creates the missing parents of a field with this name, and adds the
    /// outermost new field to its parent, if that exists.
    pub(super) fn place(
        pdf: &mut Pdf<'_>,
        update: &mut Update,
        form: &Form,
        name: &'a str,
    ) -> Result<Self, Error> {
        let (above, partial) = name.rsplit_once('.').unwrap_or(("", name));
        let (known, parent) = nearest_ancestor(form, above);
        if !above.is_empty() && form.signed().next().is_some() {
            // pyHanko reports a new field in a group as tampering, even if the group is
            // new.
            return Err(Error::Forbidden { why: ForbiddenBy::FieldInGroup });
        }
        let missing = above.strip_prefix(known).unwrap_or_default();
        let missing = missing.split('.').filter(|part| !part.is_empty());
        let levels: Vec<(Reference, &str)> =
            missing.map(|part| (update.allocate(), part)).collect();
        let reference = update.allocate();
        let below = levels.iter().skip(1).map(|(level, _)| *level).chain([reference]);
        let mut up = parent.map(|parent| parent.reference);
        for ((level, part), kid) in levels.iter().zip(below) {
            let mut value = b"<</T".to_vec();
            value.extend_from_slice(&string(&encode_text(part)));
            let above = up.map(|up| format!("/Parent {up}")).unwrap_or_default();
            value.extend_from_slice(format!("{above}/Kids[{kid}]>>").as_bytes());
            update.add(pdf, *level, value)?;
            up = Some(*level);
        }
        let outermost = levels.first().map_or(reference, |(level, _)| *level);
        if let Some(parent) = parent {
            adopt(pdf, update, parent, outermost)?;
        }
        let root = parent.is_none().then_some(outermost);
        Ok(Self { reference, partial, parent: up, root })
    }

    /// Writes field and widget as one object: the field has no other widget.
    pub(super) fn write(
        &self,
        signature: Reference,
        look: &Look,
        page: Reference,
        lock: Option<Reference>,
        structure: Option<u64>,
    ) -> Vec<u8> {
        let mut out = b"<</Type/Annot/Subtype/Widget/FT/Sig/T".to_vec();
        out.extend_from_slice(&string(&encode_text(self.partial)));
        for key in [b"/TU".as_slice(), b"/Contents"] {
            out.extend_from_slice(key);
            out.extend_from_slice(&string(&encode_text(&look.alternative)));
        }
        let above = self.parent.map(|it| format!("/Parent {it}")).unwrap_or_default();
        let appearance = look.form.map(|it| format!("/AP<</N {it}>>")).unwrap_or_default();
        let lock = lock.map(|it| format!("/Lock {it}")).unwrap_or_default();
        let structure = structure.map(|it| format!("/StructParent {it}")).unwrap_or_default();
        let rectangle = &look.rectangle;
        let rest = format!(
            "{above}/V {signature}/F {WIDGET_FLAGS}/Rect[{rectangle}]{appearance}{lock}{structure}\
             /P {page}>>"
        );
        out.extend_from_slice(rest.as_bytes());
        out
    }
}

/// The nearest field above, by its name, which is empty if there is none.
fn nearest_ancestor<'n, 'f>(form: &'f Form, above: &'n str) -> (&'n str, Option<&'f Field>) {
    let mut known = above;
    while !known.is_empty() {
        if let Some(field) = form.find(known) {
            return (known, Some(field));
        }
        known = known.rsplit_once('.').map_or("", |(before, _)| before);
    }
    (known, None)
}

/// Adds a field below an existing one, which must be a group of fields.
fn adopt(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    parent: &Field,
    child: Reference,
) -> Result<(), Error> {
    let field = pdf.object(parent.reference)?.ok_or(structure("a field is missing"))?;
    let has_kids = !matches!(Place::of(pdf, &field.value, b"Kids")?, Place::Absent);
    let is_terminal = parent.value.is_some()
        || !parent.widgets.is_empty()
        || field.value.is(b"Subtype", b"Widget")
        || !has_kids && field.value.get(b"FT").is_some();
    if is_terminal {
        return Err(Error::FieldNotFit { name: parent.name.clone(), why: FieldFault::NotAGroup });
    }
    let mut edited = Edited::new(&field);
    if !edited.append(pdf, update, &field.value, b"Kids", &child.to_string())? {
        return Err(structure("a field's /Kids is not an array"));
    }
    edited.put(pdf, update)
}

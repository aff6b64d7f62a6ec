//! The field that holds the signature (ISO 32000-2, 12.7.4.2, 12.7.5.5).

use crate::document::form::{Field, Form};
use crate::document::place::Place;
use crate::error::{Error, structure};
use crate::file::{Indirect, Pdf};
use crate::lock::FieldLock;
use crate::options::SignatureOptions;
use crate::seed::{self, Signer};
use crate::syntax::{Reference, encode_text, string};
use crate::update::{Edited, Update};
use crate::widget::{Look, WIDGET_FLAGS};

/// An existing field that can be signed, and its lock.
pub(crate) fn existing(
    pdf: &mut Pdf<'_>,
    form: &Form,
    name: &str,
    signer: &Signer<'_>,
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
    seed::check(pdf, &field.value, name, signer, options)?;
    let lock = seed::lock(pdf, &field.value, name, options)?;
    Ok((field, lock))
}

/// The widget of a field that is an object of its own.
pub(crate) fn only_widget(
    pdf: &mut Pdf<'_>,
    form: &Form,
    name: &str,
) -> Result<Option<Indirect>, Error> {
    let reference = form.find(name).and_then(|field| field.widgets.first().copied());
    let missing = Error::FieldNotFit { name: name.to_owned(), why: "it has no widget" };
    pdf.object(reference.ok_or(missing)?)
}

/// A new field's place in the form.
pub(crate) struct NewField<'a> {
    pub(crate) reference: Reference,
    /// The last part of its name.
    partial: &'a str,
    /// The field above it.
    parent: Option<Reference>,
    /// What is to be added to the form's own fields, if anything is.
    pub(crate) root: Option<Reference>,
}

impl<'a> NewField<'a> {
    /// Takes a place for a field of this name. The fields above it, whose names
    /// are those of its own before each period, are made if they are not there.
    pub(crate) fn place(
        pdf: &mut Pdf<'_>,
        update: &mut Update,
        form: &Form,
        name: &'a str,
    ) -> Result<Self, Error> {
        let (above, partial) = name.rsplit_once('.').unwrap_or(("", name));
        let mut known = above;
        let parent = loop {
            if known.is_empty() {
                break None;
            }
            if let Some(field) = form.find(known) {
                break Some(field);
            }
            known = known.rsplit_once('.').map_or("", |(before, _)| before);
        };
        if !above.is_empty() && form.signed().next().is_some() {
            // pyHanko takes it for tampering, whether the group is new or not.
            return Err(Error::Forbidden { why: "it is signed: new fields must not be in groups" });
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

    /// Field and widget in one: a signature field has no other widget.
    pub(crate) fn write(
        &self,
        signature: Reference,
        look: &Look,
        page: Reference,
        lock: Option<Reference>,
        structure: Option<u64>,
    ) -> Vec<u8> {
        let mut out = b"<</Type/Annot/Subtype/Widget/FT/Sig/T".to_vec();
        out.extend_from_slice(&string(&encode_text(self.partial)));
        if let Some(alternative) = &look.alternative {
            for key in [b"/TU".as_slice(), b"/Contents"] {
                out.extend_from_slice(key);
                out.extend_from_slice(&string(&encode_text(alternative)));
            }
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

/// Adds a field below another, which must not be one of its own to be filled in.
fn adopt(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    parent: &Field,
    child: Reference,
) -> Result<(), Error> {
    let field = pdf.object(parent.reference)?.ok_or(structure("a field is missing"))?;
    let kids = Place::of(pdf, &field.value, b"Kids")?;
    let filled = parent.value.is_some()
        || !parent.widgets.is_empty()
        || field.value.is(b"Subtype", b"Widget")
        || matches!(kids, Place::Absent) && field.value.get(b"FT").is_some();
    if filled {
        let why = "it is to be filled in itself, and no group of fields";
        return Err(Error::FieldNotFit { name: parent.name.clone(), why });
    }
    let child = child.to_string();
    let mut edited = Edited::new(&field);
    match kids {
        Place::Absent => edited.set(&field.value, b"Kids", format!("[{child}]").as_bytes()),
        Place::Direct(kids) if kids.elements().is_some() => edited.push(&kids, child.as_bytes()),
        Place::Indirect(kids) if kids.value.elements().is_some() => {
            let mut edited = Edited::new(&kids);
            edited.push(&kids.value, child.as_bytes());
            return edited.put(pdf, update);
        }
        _ => return Err(structure("a field's /Kids is no array")),
    }
    edited.put(pdf, update)
}

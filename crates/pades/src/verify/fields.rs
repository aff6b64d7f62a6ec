//! Form fields that were filled in, signed or added (ISO 32000-2, 12.7).

use super::changes::{Comparison, current, elements, readable};
use super::compare::{changed_keys, difference, repeats};
use crate::document::annotation::{self, HIDDEN, NO_VIEW};
use crate::document::geometry::rectangle;
use crate::error::Error;
use crate::file::{Indirect, Pdf};
use crate::reach::{FieldIdentity, Owner};
use crate::report::Change;
use crate::syntax::{Reference, Value};

/// Maximum depth of new fields.
const MAX_LEVELS: usize = 64;
/// `/Ff`: the field is read-only (table 227).
const READ_ONLY: i64 = 1;

/// The kind of change of a field between two revisions.
#[derive(Clone, Copy, Debug)]
pub(super) enum FieldChange {
    /// It is not a signature field.
    Filled,
    /// It was signed before.
    Signed,
    /// It is still empty.
    Empty,
    /// It was signed: the kind of change.
    Signing(Change),
}

impl Comparison<'_> {
    /// Records a change of an object that belongs to a field's appearance or value.
    pub(super) fn filled(&mut self, pdf: &mut Pdf<'_>, owner: Owner) -> Result<(), Error> {
        let Owner::Field(field) = owner else {
            self.add(Change::Other);
            return Ok(());
        };
        let kind = match self.field_change(pdf, field)? {
            FieldChange::Filled => Change::FormFilling,
            FieldChange::Signing(kind) => kind,
            FieldChange::Signed | FieldChange::Empty => Change::Other,
        };
        self.add_of(kind, field);
        Ok(())
    }

    fn add_of(&mut self, kind: Change, field: u32) {
        match (kind, self.reach.field(field)) {
            (Change::Signature | Change::VisibleSignature | Change::FormFilling, Some(place)) => {
                let name = place.name.clone();
                self.add_to(kind, &name);
            }
            _ => self.add(kind),
        }
    }

    fn field_change(&mut self, pdf: &mut Pdf<'_>, field: u32) -> Result<FieldChange, Error> {
        if let Some(change) = self.field_changes.get(&field) {
            return Ok(*change);
        }
        let change = self.find_field_change(pdf, field)?;
        self.field_changes.insert(field, change);
        Ok(change)
    }

    fn find_field_change(&self, pdf: &mut Pdf<'_>, field: u32) -> Result<FieldChange, Error> {
        if !self.reach.field(field).is_some_and(|place| place.is_signature) {
            return Ok(FieldChange::Filled);
        }
        let old = readable(self.then(pdf, |pdf| current(pdf, field)))?;
        let new = readable(self.now(pdf, |pdf| current(pdf, field)))?;
        let (Ok(Some(old)), Ok(Some(new))) = (old, new) else {
            return Ok(FieldChange::Signed);
        };
        if old.reference != new.reference
            || self.then(pdf, |pdf| content(pdf, &old.value))? != FieldContent::Nothing
        {
            return Ok(FieldChange::Signed);
        }
        if self.now(pdf, |pdf| content(pdf, &new.value))? != FieldContent::Signature {
            return Ok(FieldChange::Empty);
        }
        let was = self.then(pdf, |pdf| visibility_of_all(pdf, &old.value))?;
        let is = self.now(pdf, |pdf| visibility_of_all(pdf, &new.value))?;
        let kind = match () {
            () if !self.is_new_value(&new.value) => Change::Other,
            () if is > was => Change::VisibleSignature,
            () if self.stamps.contains(&field) && is == Visibility::None => Change::TimeStamp,
            () => Change::Signature,
        };
        Ok(FieldChange::Signing(kind))
    }

    /// Whether the signature is a new object.
    fn is_new_value(&self, field: &Value) -> bool {
        let value = field.get(b"V").and_then(Value::reference);
        value.is_none_or(|value| self.reach.mark(value.number).roles.is_empty())
            && !repeats(field, b"V")
    }

    /// Compares a field or a widget that both revisions have.
    pub(super) fn field(
        &mut self,
        pdf: &mut Pdf<'_>,
        number: u32,
        owner: Owner,
        old: &Value,
        new: &Value,
    ) -> Result<(), Error> {
        let field = self.reach.field(number).map(|place| place.field);
        let dictionaries = old.is_dictionary() && new.is_dictionary();
        let (Some(field), true, false) = (field, dictionaries, owner == Owner::Several) else {
            self.add(Change::Other);
            return Ok(());
        };
        let change = self.field_change(pdf, field)?;
        for key in changed_keys(old, new) {
            let added = old.get(key).is_none();
            match (change, key) {
                _ if repeats(new, key) => self.add(Change::Other),
                (_, b"Ff") if locks_only(old, new) => self.add(Change::FormFilling),
                (_, b"Type") if added && new.is(key, b"Annot") => {}
                (FieldChange::Filled, b"F") if shows_again(old, new) => self.add(Change::Other),
                (
                    FieldChange::Filled,
                    b"AP" | b"AS" | b"DA" | b"F" | b"I" | b"M" | b"Q" | b"RV" | b"TI" | b"V",
                ) => self.add_of(Change::FormFilling, field),
                (FieldChange::Signing(kind), b"AP" | b"AS" | b"DA" | b"F" | b"M" | b"Q" | b"V") => {
                    self.add_of(kind, field);
                }
                // Signing adds a widget to a field without one.
                (FieldChange::Signing(kind), b"Lock" | b"P" | b"Rect" | b"Subtype") if added => {
                    self.add_of(kind, field);
                }
                (FieldChange::Filled | FieldChange::Empty, b"Kids") => {
                    let (old, new) = self.values(pdf, key, old, new)?;
                    self.lists(pdf, Owner::Field(field), old.as_ref(), new.as_ref())?;
                }
                _ => self.add(Change::Other),
            }
        }
        Ok(())
    }

    /// Compares the fields of the form, or those below a field. All must stay in
    /// their order; signature fields may be added.
    pub(super) fn lists(
        &mut self,
        pdf: &mut Pdf<'_>,
        owner: Owner,
        old: Option<&Value>,
        new: Option<&Value>,
    ) -> Result<(), Error> {
        let above = match owner {
            Owner::Form => None,
            Owner::Field(field) => self.reach.field(field).cloned(),
            Owner::Nobody | Owner::Several => {
                self.add(Change::Other);
                return Ok(());
            }
        };
        let (Some(old), Some(new)) = (elements(old), elements(new)) else {
            self.add(Change::Other);
            return Ok(());
        };
        let (removed, added) = difference(old, new);
        if !removed.is_empty() {
            self.add(Change::Other);
        }
        for field in added {
            self.add_field(pdf, field, above.as_ref(), 0)?;
        }
        Ok(())
    }

    fn add_field(
        &mut self,
        pdf: &mut Pdf<'_>,
        field: &Value,
        above: Option<&FieldIdentity>,
        level: usize,
    ) -> Result<(), Error> {
        let new = self.new_widget(pdf, field)?.filter(|_| level < MAX_LEVELS);
        let Some(field) = new else {
            self.add(Change::Other);
            return Ok(());
        };
        let place = self.now(pdf, |pdf| FieldIdentity::of(pdf, &field, above))?;
        let mut is_seen = self.now(pdf, |pdf| shows(pdf, &field.value))?;
        let mut has_fields = false;
        let kids = self.now(pdf, |pdf| pdf.get(&field.value, b"Kids"))?;
        for kid in elements(kids.as_ref()).unwrap_or_default() {
            let object = self.now(pdf, |pdf| match kid.reference() {
                Some(reference) => pdf.object(reference),
                None => Ok(None),
            });
            if readable(object)?.is_ok_and(|o| o.is_some_and(|o| o.value.get(b"T").is_some())) {
                has_fields = true;
                self.add_field(pdf, kid, Some(&place), level + 1)?;
            } else if let Some(widget) = self.new_widget(pdf, kid)? {
                is_seen |= self.now(pdf, |pdf| shows(pdf, &widget.value))?;
            } else {
                self.add(Change::Other);
            }
        }
        let number = field.reference.number;
        let content = self.now(pdf, |pdf| content(pdf, &field.value))?;
        let kind = match (content, is_seen) {
            // The field groups other fields.
            (FieldContent::Nothing, false) if has_fields => return Ok(()),
            _ if !place.is_signature || place.field != number || place.name.is_empty() => {
                Change::Other
            }
            (FieldContent::Unclear, _) => Change::Other,
            (FieldContent::Signature, _) if !self.is_new_value(&field.value) => Change::Other,
            (FieldContent::Signature, true) => Change::VisibleSignature,
            (FieldContent::Signature, false) if self.stamps.contains(&number) => Change::TimeStamp,
            (_, false) => Change::Signature,
            // The visible field is not signed.
            (FieldContent::Nothing, true) => Change::Annotation,
        };
        match kind {
            Change::TimeStamp | Change::Other => self.add(kind),
            _ => self.add_to(kind, &place.name),
        }
        Ok(())
    }

    /// A field or widget that was not reached before and has no actions.
    fn new_widget(&mut self, pdf: &mut Pdf<'_>, value: &Value) -> Result<Option<Indirect>, Error> {
        let Some(reference) = value.reference() else {
            return Ok(None);
        };
        if !self.reach.mark(reference.number).roles.is_empty() {
            return Ok(None);
        }
        let object = readable(self.now(pdf, |pdf| pdf.object(reference)))?;
        let fits = |object: &Indirect| {
            let actions = object.value.get(b"A").or_else(|| object.value.get(b"AA"));
            object.value.is_dictionary() && !object.is_stream() && actions.is_none()
        };
        let object = object.ok().flatten().filter(fits);
        if object.is_some() {
            self.added.insert(reference.number);
        }
        Ok(object)
    }

    /// Records a widget of the form that was added to this page.
    pub(super) fn put_on_page(
        &mut self,
        pdf: &mut Pdf<'_>,
        widget: Reference,
    ) -> Result<(), Error> {
        let field = self.reach.field(widget.number).map(|place| place.field);
        let change = field.map(|field| self.field_change(pdf, field)).transpose()?;
        let object = readable(self.now(pdf, |pdf| pdf.object(widget)))?;
        let is_seen = match object {
            Ok(Some(object)) => self.now(pdf, |pdf| shows(pdf, &object.value))?,
            Ok(None) => false,
            Err(()) => true,
        };
        match (change, field) {
            (Some(FieldChange::Signing(_)), Some(field)) if is_seen => {
                self.add_of(Change::VisibleSignature, field);
            }
            (Some(FieldChange::Signing(_)), _) => {}
            _ => self.add(Change::Other),
        }
        Ok(())
    }
}

/// The `/V` of a signature field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FieldContent {
    Nothing,
    /// A dictionary. Verification reports whether the signature is sound.
    Signature,
    /// Something else, or an object that cannot be read.
    Unclear,
}

fn content(pdf: &mut Pdf<'_>, field: &Value) -> Result<FieldContent, Error> {
    let Some(value) = field.get(b"V") else {
        return Ok(FieldContent::Nothing);
    };
    let object = match value.reference() {
        None if value.is_null() => return Ok(FieldContent::Nothing),
        None => {
            return Ok(if value.is_dictionary() {
                FieldContent::Signature
            } else {
                FieldContent::Unclear
            });
        }
        Some(reference) => readable(pdf.object(reference))?,
    };
    Ok(match object {
        Ok(None) => FieldContent::Nothing,
        Ok(Some(object)) if object.value.is_null() => FieldContent::Nothing,
        Ok(Some(object)) if object.value.is_dictionary() && !object.is_stream() => {
            FieldContent::Signature
        }
        _ => FieldContent::Unclear,
    })
}

/// How far a widget is visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Visibility {
    None,
    /// Not on screen, by its flags, but perhaps in print.
    NoView,
    View,
}

/// The highest visibility of a field and its widgets.
fn visibility_of_all(pdf: &mut Pdf<'_>, field: &Value) -> Result<Visibility, Error> {
    let mut most = visibility(pdf, field)?;
    let kids = pdf.get(field, b"Kids")?;
    for kid in elements(kids.as_ref()).unwrap_or_default() {
        let kid = pdf.resolve(kid)?;
        if kid.get(b"T").is_none() {
            most = most.max(visibility(pdf, &kid)?);
        }
    }
    Ok(most)
}

/// Whether a widget has an area and is not hidden.
fn shows(pdf: &mut Pdf<'_>, widget: &Value) -> Result<bool, Error> {
    Ok(visibility(pdf, widget)? != Visibility::None)
}

fn visibility(pdf: &mut Pdf<'_>, widget: &Value) -> Result<Visibility, Error> {
    let Some(corners) = pdf.get(widget, b"Rect")? else {
        return Ok(Visibility::None);
    };
    let area = match rectangle(pdf, &corners)? {
        Some([left, bottom, right, top]) => left < right && bottom < top,
        // Readers treat a malformed rectangle in different ways.
        None => true,
    };
    let flags = annotation::flags(pdf, widget)?;
    Ok(match () {
        () if !area || flags & HIDDEN != 0 => Visibility::None,
        () if flags & NO_VIEW != 0 => Visibility::NoView,
        () => Visibility::View,
    })
}

fn flags(dictionary: &Value, key: &[u8]) -> Option<i64> {
    dictionary.get(key).map_or(Some(0), Value::integer)
}

/// Whether the only change is that the field is read-only now, which signing does.
fn locks_only(old: &Value, new: &Value) -> bool {
    let (old, new) = (flags(old, b"Ff"), flags(new, b"Ff"));
    old.is_some() && new == old.map(|old| old | READ_ONLY)
}

/// Whether a widget becomes visible.
fn shows_again(old: &Value, new: &Value) -> bool {
    match (flags(old, b"F"), flags(new, b"F")) {
        (Some(old), Some(new)) => old & !new & (HIDDEN | NO_VIEW) != 0,
        _ => true,
    }
}

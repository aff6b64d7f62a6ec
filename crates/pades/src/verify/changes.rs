//! The changes from one revision to a later one, by kind. Each object is compared in
//! every role that it had in the earlier revision.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::compare::{changed_keys, difference, equal, repeats, same};
use super::equivalence::Followed;
use super::fields::FieldChange;
use crate::document::signature::Permissions;
use crate::error::Error;
use crate::file::{Entry, Indirect, Pdf, Revision};
use crate::reach::{Mark, Owner, Reach, Role, is_nowhere, reference};
use crate::report::Change;
use crate::syntax::{Kind, Reference, Value};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FoundChange {
    pub(super) kind: Change,
    /// The full name of the field that it belongs to. A lock of this field forbids it.
    pub(super) field: Option<String>,
}

impl FoundChange {
    pub(super) const OTHER: Self = Self { kind: Change::Other, field: None };

    /// Whether a signature allows it (ISO 32000-2, tables 236 and 257).
    pub(super) fn allowed(&self, permissions: &Permissions) -> bool {
        let highest = match permissions.level() {
            None => Change::Other,
            Some(1) => Change::TimeStamp,
            Some(3) => Change::Annotation,
            Some(_) => Change::FormFilling,
        };
        let locked = |field: &String| permissions.locks.iter().any(|lock| lock.covers(field));
        self.kind <= highest && !self.field.as_ref().is_some_and(locked)
    }
}

/// A comparison of two revisions.
pub(super) struct Comparison<'a> {
    pub(super) reach: &'a Reach,
    /// The numbers of fields with sound document time-stamps.
    pub(super) stamps: &'a HashSet<u32>,
    then: Revision,
    now: Revision,
    /// New fields and their widgets.
    pub(super) added: HashSet<u32>,
    pub(super) field_changes: HashMap<u32, FieldChange>,
    found: BTreeSet<FoundChange>,
    pub(super) followed: Followed,
}

/// An object in both revisions.
struct ChangedObject {
    number: u32,
    mark: Mark,
    old: Option<Indirect>,
    new: Option<Indirect>,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(
        reach: &'a Reach,
        stamps: &'a HashSet<u32>,
        then: Revision,
        now: Revision,
    ) -> Self {
        let (added, field_changes) = (HashSet::new(), HashMap::new());
        let (found, followed) = (BTreeSet::new(), Followed::default());
        Self { reach, stamps, then, now, added, field_changes, found, followed }
    }

    /// Compares the revisions; returns the changes and the numbers of the objects that
    /// differ.
    pub(super) fn run(
        mut self,
        pdf: &mut Pdf<'_>,
    ) -> Result<(BTreeSet<FoundChange>, Vec<u32>), Error> {
        self.trailers(pdf)?;
        let mut changed = Vec::new();
        let mut last = Vec::new();
        for number in self.candidates(pdf)? {
            let Some(object) = self.changed_object(pdf, number)? else { continue };
            changed.push(number);
            // Whether an added annotation is a new field is known after the form was
            // compared.
            if object.mark.roles.has_one_of(&[Role::Page, Role::Annotations]) {
                last.push(object);
            } else {
                self.compare(pdf, &object)?;
            }
        }
        for object in last {
            self.compare(pdf, &object)?;
        }
        Ok((self.found, changed))
    }

    pub(super) fn add(&mut self, kind: Change) {
        self.found.insert(FoundChange { kind, field: None });
    }

    pub(super) fn add_to(&mut self, kind: Change, field: &str) {
        self.found.insert(FoundChange { kind, field: Some(field.to_owned()) });
    }

    pub(super) fn then<T>(&self, pdf: &mut Pdf<'_>, read: impl FnOnce(&mut Pdf<'_>) -> T) -> T {
        pdf.at(self.then, |pdf| read(pdf))
    }

    pub(super) fn now<T>(&self, pdf: &mut Pdf<'_>, read: impl FnOnce(&mut Pdf<'_>) -> T) -> T {
        pdf.at(self.now, |pdf| read(pdf))
    }

    /// The numbers of the objects that may differ.
    fn candidates(&mut self, pdf: &mut Pdf<'_>) -> Result<BTreeSet<u32>, Error> {
        if self.reach.is_incomplete() {
            self.add(Change::Other);
            return Ok(BTreeSet::new());
        }
        let sections = pdf.sections.get(self.now.later..self.then.later).unwrap_or_default();
        let candidates = self.reach.touched(sections);
        for section in self.now.later..self.then.later {
            if pdf.contradicts_itself(section, &candidates)? {
                self.add(Change::Other);
            }
        }
        Ok(candidates)
    }

    /// Compares the newest trailers (7.5.5).
    fn trailers(&mut self, pdf: &mut Pdf<'_>) -> Result<(), Error> {
        let old = self.then(pdf, |pdf| Ok::<_, Error>(pdf.newest()?.trailer.clone()))?;
        let new = self.now(pdf, |pdf| Ok::<_, Error>(pdf.newest()?.trailer.clone()))?;
        let id = |trailer: &Value| {
            let first = trailer.get(b"ID").and_then(Value::elements).and_then(<[Value]>::first);
            first.and_then(Value::string).map(<[u8]>::to_vec)
        };
        let encrypted = old.get(b"Encrypt").is_some();
        for key in changed_keys(&old, &new) {
            match key {
                b"Root" => self.roots(pdf, &old, &new)?,
                b"Encrypt" => self.add(Change::Other),
                // The encryption key depends on the first part.
                b"ID" if encrypted && id(&old) != id(&new) => self.add(Change::Other),
                _ => {}
            }
        }
        Ok(())
    }

    /// Compares catalogs that have different object numbers.
    fn roots(&mut self, pdf: &mut Pdf<'_>, old: &Value, new: &Value) -> Result<(), Error> {
        let [old, new] = [old, new].map(|trailer| trailer.get(b"Root").and_then(Value::reference));
        let (Some(old), Some(new)) = (old, new) else {
            self.add(Change::Other);
            return Ok(());
        };
        let old = self.then(pdf, |pdf| pdf.object(old))?;
        let new = self.now(pdf, |pdf| pdf.object(new))?;
        match (old, new) {
            (Some(old), Some(new)) if !old.is_stream() && !new.is_stream() => {
                self.catalogs(pdf, &old.value, &new.value)
            }
            _ => {
                self.add(Change::Other);
                Ok(())
            }
        }
    }

    /// The object in both revisions; `None` if it does not differ.
    fn changed_object(
        &self,
        pdf: &mut Pdf<'_>,
        number: u32,
    ) -> Result<Option<ChangedObject>, Error> {
        let missing = self.reach.missing().contains(&number);
        let was = self.then(pdf, |pdf| location(pdf, number))?;
        let is = self.now(pdf, |pdf| location(pdf, number))?;
        if was == is && !missing {
            return Ok(None);
        }
        if let (Some(entry), _) = is
            && missing
            && self.now(pdf, |pdf| is_nowhere(pdf, entry))?
        {
            return Ok(None);
        }
        let old = self.then(pdf, |pdf| current(pdf, number));
        let new = self.now(pdf, |pdf| current(pdf, number));
        let (old, new) = (readable(old)?, readable(new)?);
        let (old, new) = match (old, new) {
            // One of the two cannot be read.
            (Err(()), _) | (_, Err(())) => (None, None),
            (Ok(_), Ok(None)) if missing => return Ok(None),
            (Ok(None), Ok(None)) => return Ok(None),
            (Ok(Some(old)), Ok(Some(new))) if !missing && same(&old, &new) => return Ok(None),
            (Ok(Some(old)), Ok(Some(new))) if !missing && old.reference != new.reference => {
                // With another generation, references to the one do not lead to the
                // other.
                (Some(old), None)
            }
            (Ok(old), Ok(new)) => (old.filter(|_| !missing), new),
        };
        Ok(Some(ChangedObject { number, mark: self.reach.mark(number), old, new }))
    }

    fn compare(&mut self, pdf: &mut Pdf<'_>, object: &ChangedObject) -> Result<(), Error> {
        let dictionary = |side: &Option<Indirect>| {
            let side = side.as_ref().filter(|side| !side.is_stream());
            side.map(|side| side.value.clone())
        };
        let (old, new) = (dictionary(&object.old), dictionary(&object.new));
        for role in object.mark.roles.iter() {
            match (role, &old, &new) {
                (Role::About, ..) if object.new.is_some() || object.old.is_some() => {}
                (Role::ValidationData, ..) if object.new.is_some() => {
                    self.add(Change::ValidationData);
                }
                (Role::AnnotationPart, ..) => self.add(Change::Annotation),
                (Role::Annotation, _, new) if new.is_some() == object.new.is_some() => {
                    self.add(Change::Annotation);
                }
                (Role::Appearance | Role::FieldValue, ..)
                    if object.old.is_some() && object.new.is_some() =>
                {
                    self.filled(pdf, object.mark.owner)?;
                }
                (Role::Catalog, Some(old), Some(new)) => self.catalogs(pdf, old, new)?,
                (Role::Page, Some(old), Some(new)) => self.pages(pdf, old, new)?,
                // A lone annotation in place of the array. Fields have that role, too.
                (Role::Annotations, Some(old), Some(new))
                    if old.is_dictionary() && new.is_dictionary() =>
                {
                    if !object.mark.roles.has(Role::Field) {
                        self.add(Change::Annotation);
                    }
                }
                (Role::Annotations, Some(old), Some(new)) => {
                    self.annotations(pdf, Some(old), Some(new))?;
                }
                (Role::Form, Some(old), Some(new)) => self.forms(pdf, Some(old), Some(new))?,
                (Role::Fields, Some(old), Some(new)) => {
                    self.lists(pdf, object.mark.owner, Some(old), Some(new))?;
                }
                (Role::Field, Some(old), Some(new)) => {
                    self.field(pdf, object.number, object.mark.owner, old, new)?;
                }
                (Role::Resources, Some(old), Some(new)) => {
                    self.resources(pdf, Some(old), Some(new))?;
                }
                (Role::ResourceCategory, Some(old), Some(new)) => self.category(old, new),
                _ if self.are_equivalent(pdf, object.old.as_ref(), object.new.as_ref())? => {}
                _ => self.add(Change::Other),
            }
        }
        Ok(())
    }

    /// The values of a key in both revisions, resolved.
    pub(super) fn values(
        &self,
        pdf: &mut Pdf<'_>,
        key: &[u8],
        old: &Value,
        new: &Value,
    ) -> Result<(Option<Value>, Option<Value>), Error> {
        let old = self.then(pdf, |pdf| pdf.get(old, key))?;
        let new = self.now(pdf, |pdf| pdf.get(new, key))?;
        Ok((old, new))
    }

    fn catalogs(&mut self, pdf: &mut Pdf<'_>, old: &Value, new: &Value) -> Result<(), Error> {
        for key in changed_keys(old, new) {
            match key {
                _ if repeats(new, key) => self.add(Change::Other),
                b"AcroForm" => {
                    let (old, new) = self.values(pdf, key, old, new)?;
                    self.forms(pdf, old.as_ref(), new.as_ref())?;
                }
                b"DSS" if new.get(key).is_some() => self.add(Change::ValidationData),
                b"Extensions" | b"MarkInfo" | b"Metadata" | b"Version" => {}
                _ if self.is_equivalent(pdf, old.get(key), new.get(key))? => {}
                _ => self.add(Change::Other),
            }
        }
        Ok(())
    }

    /// Compares the form: its fields, and the resources of fields that are filled in
    /// later.
    fn forms(
        &mut self,
        pdf: &mut Pdf<'_>,
        old: Option<&Value>,
        new: Option<&Value>,
    ) -> Result<(), Error> {
        let nothing = Value { kind: Kind::Dictionary([].into()), span: 0..0 };
        let old = old.unwrap_or(&nothing);
        let Some(new) = new.filter(|new| new.is_dictionary() && old.is_dictionary()) else {
            self.add(Change::Other);
            return Ok(());
        };
        for key in changed_keys(old, new) {
            match key {
                _ if repeats(new, key) => self.add(Change::Other),
                b"Fields" => {
                    let (old, new) = self.values(pdf, key, old, new)?;
                    self.lists(pdf, Owner::Form, old.as_ref(), new.as_ref())?;
                }
                b"DR" => {
                    let (old, new) = self.values(pdf, key, old, new)?;
                    self.resources(pdf, old.as_ref(), new.as_ref())?;
                }
                b"SigFlags" => {
                    let flags = |form: &Value| form.get(key).and_then(Value::unsigned);
                    if flags(old).unwrap_or(0) & !flags(new).unwrap_or(0) != 0 {
                        self.add(Change::Other);
                    }
                }
                b"DA" | b"NeedAppearances" | b"Q" => self.add(Change::FormFilling),
                _ if self.is_equivalent(pdf, old.get(key), new.get(key))? => {}
                _ => self.add(Change::Other),
            }
        }
        Ok(())
    }

    /// Compares the resources of fields that are filled in later. Resources may be
    /// added; those that exist must stay, because signed values are drawn with them.
    fn resources(
        &mut self,
        pdf: &mut Pdf<'_>,
        old: Option<&Value>,
        new: Option<&Value>,
    ) -> Result<(), Error> {
        let Some(new) = new.filter(|new| new.is_dictionary()) else {
            self.add(Change::Other);
            return Ok(());
        };
        self.add(Change::FormFilling);
        let Some(old) = old else {
            return Ok(());
        };
        for key in changed_keys(old, new) {
            match key {
                _ if repeats(new, key) => self.add(Change::Other),
                // Fields are not drawn with these; some signers keep their
                // appearances there.
                b"ProcSet" | b"XObject" => {}
                key if old.get(key).is_none() => {}
                key => match self.values(pdf, key, old, new)? {
                    (Some(old), Some(new)) => self.category(&old, &new),
                    _ => self.add(Change::Other),
                },
            }
        }
        Ok(())
    }

    fn category(&mut self, old: &Value, new: &Value) {
        let added = |key: &&[u8]| old.get(key).is_none() && !repeats(new, key);
        let more = old.is_dictionary() && new.is_dictionary();
        let more = more && changed_keys(old, new).iter().all(added);
        self.add(if more || equal(old, new) { Change::FormFilling } else { Change::Other });
    }

    fn pages(&mut self, pdf: &mut Pdf<'_>, old: &Value, new: &Value) -> Result<(), Error> {
        if !old.is_dictionary() || !new.is_dictionary() {
            self.add(Change::Other);
            return Ok(());
        }
        for key in changed_keys(old, new) {
            // Whether the value, where it is present, has this form.
            let either = |is: &dyn Fn(&Value) -> bool| {
                [old, new].iter().all(|page| page.get(key).is_none_or(is))
            };
            match key {
                _ if repeats(new, key) => self.add(Change::Other),
                b"Annots" => {
                    let old = self.then(pdf, |pdf| annotations_of(pdf, old))?;
                    let new = self.now(pdf, |pdf| annotations_of(pdf, new))?;
                    self.annotations(pdf, old.as_ref(), new.as_ref())?;
                }
                // iText leaves this mark.
                b"ITXT" if either(&|mark| mark.string().is_some()) => {}
                // The tab order (table 31).
                b"Tabs" if either(&|tabs| tabs.name().is_some_and(is_order)) => {}
                _ if self.is_equivalent(pdf, old.get(key), new.get(key))? => {}
                _ => self.add(Change::Other),
            }
        }
        Ok(())
    }

    /// Compares a page's annotations. The type of an added object decides what kind of
    /// change it is.
    fn annotations(
        &mut self,
        pdf: &mut Pdf<'_>,
        old: Option<&Value>,
        new: Option<&Value>,
    ) -> Result<(), Error> {
        let (Some(old), Some(new)) = (elements(old), elements(new)) else {
            self.add(Change::Other);
            return Ok(());
        };
        let (removed, added) = difference(old, new);
        let references = |values: &[&Value]| -> HashSet<Reference> {
            values.iter().filter_map(|value| value.reference()).collect()
        };
        let (gone, come) = (references(&removed), references(&added));
        for value in &removed {
            let reference = value.reference();
            let field = reference.is_some_and(|it| {
                self.reach.mark(it.number).roles.has(Role::Field) && !come.contains(&it)
            });
            self.add(if field { Change::Other } else { Change::Annotation });
        }
        for value in added {
            let Some(reference) = value.reference() else {
                let is = is_annotation(value);
                self.add(if is { Change::Annotation } else { Change::Other });
                continue;
            };
            if self.added.contains(&reference.number) || gone.contains(&reference) {
                continue;
            }
            if self.reach.mark(reference.number).roles.has(Role::Field) {
                self.put_on_page(pdf, reference)?;
                continue;
            }
            let found = self.now(pdf, |pdf| pdf.object(reference));
            let is = match readable(found)? {
                Ok(Some(object)) => !object.is_stream() && is_annotation(&object.value),
                Ok(None) => true,
                Err(()) => false,
            };
            self.add(if is { Change::Annotation } else { Change::Other });
        }
        Ok(())
    }
}

/// A page's `/Annots`. A lone annotation counts as an array of one.
fn annotations_of(pdf: &mut Pdf<'_>, page: &Value) -> Result<Option<Value>, Error> {
    let Some(value) = pdf.get(page, b"Annots")? else { return Ok(None) };
    if !value.is_dictionary() {
        return Ok(Some(value));
    }
    let lone: Vec<Value> = page.get(b"Annots").into_iter().cloned().collect();
    Ok(Some(Value { kind: Kind::Array(lone.into()), span: 0..0 }))
}

/// The elements of an array; no elements for an absent value.
pub(super) fn elements(value: Option<&Value>) -> Option<&[Value]> {
    match value {
        None => Some(&[]),
        Some(value) => value.elements(),
    }
}

fn is_order(tabs: &[u8]) -> bool {
    matches!(tabs, b"A" | b"C" | b"R" | b"S" | b"W")
}

fn is_annotation(value: &Value) -> bool {
    value.get(b"Subtype").is_some() && value.get(b"Rect").is_some()
}

/// The entries of an object and of its object stream.
fn location(pdf: &mut Pdf<'_>, number: u32) -> Result<(Option<Entry>, Option<Entry>), Error> {
    let entry = pdf.entry(number)?;
    let stream = match entry {
        Some(Entry::Compressed { stream, .. }) => pdf.entry(stream)?,
        _ => None,
    };
    Ok((entry, stream))
}

/// The object with this number, in any generation.
pub(super) fn current(pdf: &mut Pdf<'_>, number: u32) -> Result<Option<Indirect>, Error> {
    match reference(pdf, number)? {
        Some(reference) => pdf.object(reference),
        None => Ok(None),
    }
}

/// Turns errors about one object into a value, but not I/O errors and limits.
pub(super) fn readable<T>(found: Result<T, Error>) -> Result<Result<T, ()>, Error> {
    match found {
        Ok(found) => Ok(Ok(found)),
        Err(error @ (Error::Core(_) | Error::Limit { .. })) => Err(error),
        Err(_) => Ok(Err(())),
    }
}

//! What was changed after a signature, by kind: objects are compared, those of
//! the signed revision with those of the file as it is.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::document::form::Form;
use crate::error::Error;
use crate::file::{Entry, Indirect, Pdf};
use crate::lock::FieldLock;
use crate::report::Change;
use crate::syntax::{Reference, Value};

/// So many objects are compared.
const MAX_OBJECTS: usize = 1 << 20;
/// Validation data may have this many parts.
const MAX_PARTS: usize = 1 << 16;

/// One change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub(super) kind: Change,
    /// Of a field that the signature locks.
    locked: bool,
}

impl Found {
    pub(super) const OTHER: Self = Self { kind: Change::Other, locked: false };

    /// Whether a certification of this level allows it (ISO 32000-2, table 257).
    pub(super) fn allowed(self, certification: Option<u64>) -> bool {
        let highest = match certification {
            None => Change::Other,
            Some(1) => Change::TimeStamp,
            Some(3) => Change::Annotation,
            Some(_) => Change::FormFilling,
        };
        !self.locked && self.kind <= highest
    }
}

/// What an object is to the document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Catalog,
    Metadata,
    Form,
    ValidationData,
    Field { kind: Change, locked: bool },
}

/// One of two states of the document.
struct State {
    catalog: Indirect,
    form: Form,
}

impl State {
    fn read(pdf: &mut Pdf<'_>) -> Result<Self, Error> {
        let catalog = pdf.catalog()?;
        let form = Form::read(pdf, &catalog.value)?;
        Ok(Self { catalog, form })
    }
}

struct Comparison {
    roles: HashMap<u32, Role>,
    /// What a field would be as an addition.
    fields: HashMap<Reference, Change>,
    found: BTreeSet<Found>,
}

/// The kinds of changes in the newest `later` sections.
pub(super) fn after(
    pdf: &mut Pdf<'_>,
    later: usize,
    locks: &[FieldLock],
) -> Result<Vec<Found>, Error> {
    pdf.at_revision(later);
    let then = State::read(pdf);
    let size = pdf.size();
    pdf.at_revision(0);
    let then = then?;
    let now = State::read(pdf)?;

    let mut comparison =
        Comparison { roles: HashMap::new(), fields: HashMap::new(), found: BTreeSet::new() };
    comparison.assign(pdf, later, &then, &now, locks)?;
    let mut numbers = BTreeSet::new();
    for section in pdf.sections.get(..later).unwrap_or_default() {
        for number in section.ranges().flatten() {
            if numbers.len() == MAX_OBJECTS {
                return Err(Error::Limit { limit: "1,048,576 objects changed after a signature" });
            }
            numbers.extend(u32::try_from(number));
        }
    }
    if then.catalog.reference != now.catalog.reference {
        comparison.add(Change::Other);
    }
    for number in numbers {
        pdf.at_revision(later);
        let old = current(pdf, number);
        pdf.at_revision(0);
        let new = current(pdf, number)?;
        comparison.compare(pdf, number, old?.as_ref(), new.as_ref(), size)?;
    }
    Ok(comparison.found.into_iter().collect())
}

/// The object of this number, whatever its generation.
fn current(pdf: &mut Pdf<'_>, number: u32) -> Result<Option<Indirect>, Error> {
    let generation = match pdf.entry(number)? {
        None | Some(Entry::Free) => return Ok(None),
        Some(Entry::Plain { generation, .. }) => generation,
        Some(Entry::Compressed { .. }) => 0,
    };
    pdf.object(Reference { number, generation })
}

impl Comparison {
    fn add(&mut self, kind: Change) {
        self.found.insert(Found { kind, locked: false });
    }

    fn assign(
        &mut self,
        pdf: &mut Pdf<'_>,
        later: usize,
        then: &State,
        now: &State,
        locks: &[FieldLock],
    ) -> Result<(), Error> {
        let signed_then: HashSet<Reference> =
            then.form.signed().map(|(field, _)| field.reference).collect();
        for (state, left_out) in [(then, later), (now, 0)] {
            for field in &state.form.fields {
                let kind = match &field.value {
                    // What was signed already is not signed again.
                    _ if signed_then.contains(&field.reference) => Change::Other,
                    Some(value) if field.is_signature => {
                        let stamp = pdf.resolve(value)?.is(b"SubFilter", b"ETSI.RFC3161");
                        if stamp { Change::TimeStamp } else { Change::Signature }
                    }
                    _ => Change::FormFilling,
                };
                let role =
                    Role::Field { kind, locked: locks.iter().any(|lock| lock.covers(&field.name)) };
                for widget in field.widgets.iter().chain([&field.reference]) {
                    self.fields.insert(*widget, kind);
                    self.roles.insert(widget.number, role);
                    if left_out == later {
                        pdf.at_revision(left_out);
                        let appearance = appearance(pdf, *widget);
                        pdf.at_revision(0);
                        self.roles.extend(appearance?.into_iter().map(|number| (number, role)));
                    }
                }
            }
        }
        for (state, left_out) in [(then, later), (now, 0)] {
            pdf.at_revision(left_out);
            let assigned = self.assign_parts(pdf, &state.catalog.value);
            pdf.at_revision(0);
            assigned?;
        }
        self.roles.insert(now.catalog.reference.number, Role::Catalog);
        Ok(())
    }

    fn assign_parts(&mut self, pdf: &mut Pdf<'_>, catalog: &Value) -> Result<(), Error> {
        let mut role = |value: Option<&Value>, role| {
            if let Some(reference) = value.and_then(Value::reference) {
                self.roles.entry(reference.number).or_insert(role);
            }
        };
        role(catalog.get(b"AcroForm"), Role::Form);
        role(catalog.get(b"Metadata"), Role::Metadata);
        role(pdf.trailer(b"Info").map(|(info, _)| info), Role::Metadata);
        if let Some(form) = pdf.get(catalog, b"AcroForm")? {
            role(form.get(b"Fields"), Role::Form);
        }
        let mut stack: Vec<Value> = catalog.get(b"DSS").cloned().into_iter().collect();
        let mut seen = HashSet::new();
        while let Some(value) = stack.pop() {
            let value = match value.reference() {
                Some(reference) if seen.insert(reference) => {
                    role(Some(&value), Role::ValidationData);
                    pdf.resolve(&value)?
                }
                Some(_) => continue,
                None => value,
            };
            if seen.len() > MAX_PARTS {
                return Err(Error::Limit { limit: "65,536 parts of validation data" });
            }
            stack.extend(value.elements().unwrap_or_default().iter().cloned());
            stack.extend(value.entries().iter().map(|(_, value)| value.clone()));
        }
        Ok(())
    }

    fn compare(
        &mut self,
        pdf: &mut Pdf<'_>,
        number: u32,
        old: Option<&Indirect>,
        new: Option<&Indirect>,
        size: u64,
    ) -> Result<(), Error> {
        let is_container = |object: Option<&Indirect>| {
            object.is_some_and(|o| {
                o.is_stream() && (o.value.is(b"Type", b"XRef") || o.value.is(b"Type", b"ObjStm"))
            })
        };
        let same = match (old, new) {
            (None, None) => true,
            (Some(old), Some(new)) => {
                // A stream that was written again is changed: nobody needs to.
                old.offset == new.offset && old.offset.is_some()
                    || !old.is_stream() && !new.is_stream() && same(old, new)
            }
            _ => false,
        };
        if same || is_container(new) && old.is_none_or(|old| is_container(Some(old))) {
            return Ok(());
        }
        match self.roles.get(&number).copied() {
            Some(Role::Catalog) => self.compare_catalogs(pdf, old, new),
            Some(Role::Metadata) => Ok(()),
            Some(Role::ValidationData) => {
                self.add(Change::ValidationData);
                Ok(())
            }
            Some(Role::Form) => self.compare_forms(old.map(|o| &o.value), new.map(|n| &n.value)),
            Some(Role::Field { kind, locked }) => {
                self.found.insert(Found { kind, locked });
                Ok(())
            }
            None => {
                match (old, new) {
                    // New objects count where something new leads to them. Numbers
                    // that were there and free could be led to by what is signed.
                    (None, Some(_)) if u64::from(number) >= size => {}
                    (Some(old), Some(new)) if old.value.is(b"Type", b"Page") => {
                        self.compare_pages(pdf, &old.value, &new.value)?;
                    }
                    (Some(old), Some(new)) if is_annotation(&old.value) => {
                        let still = is_annotation(&new.value);
                        self.add(if still { Change::Annotation } else { Change::Other });
                    }
                    (Some(old), Some(new)) => match (old.value.elements(), new.value.elements()) {
                        (Some(old), Some(new)) => self.compare_annotations(pdf, old, new)?,
                        _ => self.add(Change::Other),
                    },
                    _ => self.add(Change::Other),
                }
                Ok(())
            }
        }
    }

    fn compare_catalogs(
        &mut self,
        pdf: &mut Pdf<'_>,
        old: Option<&Indirect>,
        new: Option<&Indirect>,
    ) -> Result<(), Error> {
        let (Some(old), Some(new)) = (old, new) else {
            self.add(Change::Other);
            return Ok(());
        };
        for key in changed_keys(&old.value, &new.value) {
            match key {
                b"AcroForm" => {
                    let (old, new) = (old.value.get(key), pdf.get(&new.value, key)?);
                    // A form that was in the catalog, or was not there.
                    let direct = old.filter(|old| old.is_dictionary());
                    match (old, direct) {
                        (Some(_), None) => self.add(Change::Other),
                        (_, direct) => self.compare_forms(direct, new.as_ref())?,
                    }
                }
                b"DSS" => self.add(Change::ValidationData),
                b"Extensions" | b"Metadata" | b"Version" => {}
                _ => self.add(Change::Other),
            }
        }
        Ok(())
    }

    /// Forms, and arrays of fields.
    fn compare_forms(&mut self, old: Option<&Value>, new: Option<&Value>) -> Result<(), Error> {
        let Some(new) = new else {
            self.add(Change::Other);
            return Ok(());
        };
        if let Some(fields) = new.elements() {
            let old = old.and_then(Value::elements).unwrap_or_default();
            self.compare_fields(old, fields);
            return Ok(());
        }
        let empty = Value { kind: crate::syntax::Kind::Null, span: 0..0 };
        let old = old.unwrap_or(&empty);
        for key in changed_keys(old, new) {
            match key {
                b"Fields" => {
                    let elements = |value: &Value| {
                        value.get(key).and_then(Value::elements).unwrap_or_default().to_vec()
                    };
                    self.compare_fields(&elements(old), &elements(new));
                }
                b"SigFlags" => {}
                b"DR" | b"DA" | b"NeedAppearances" | b"XFA" | b"CO" | b"Q" => {
                    self.add(Change::FormFilling);
                }
                _ => self.add(Change::Other),
            }
        }
        Ok(())
    }

    fn compare_fields(&mut self, old: &[Value], new: &[Value]) {
        let references = |values: &[Value]| -> HashSet<Reference> {
            values.iter().filter_map(Value::reference).collect()
        };
        let (old, new) = (references(old), references(new));
        if old.difference(&new).next().is_some() {
            self.add(Change::Other);
        }
        for added in new.difference(&old) {
            let kind = self.fields.get(added).copied();
            self.add(match kind {
                Some(kind @ (Change::Signature | Change::TimeStamp)) => kind,
                _ => Change::Other,
            });
        }
    }

    fn compare_pages(&mut self, pdf: &mut Pdf<'_>, old: &Value, new: &Value) -> Result<(), Error> {
        for key in changed_keys(old, new) {
            match key {
                b"Annots" => {
                    // An indirect array that was changed itself is found there.
                    let (before, after) = (pdf.get(old, key)?, pdf.get(new, key)?);
                    let elements = |value: &Option<Value>| {
                        value.as_ref().and_then(Value::elements).unwrap_or_default().to_vec()
                    };
                    self.compare_annotations(pdf, &elements(&before), &elements(&after))?;
                }
                b"Tabs" => {}
                _ => self.add(Change::Other),
            }
        }
        Ok(())
    }

    /// Arrays of annotations: additions are judged by what is added.
    fn compare_annotations(
        &mut self,
        pdf: &mut Pdf<'_>,
        old: &[Value],
        new: &[Value],
    ) -> Result<(), Error> {
        let references = |values: &[Value]| -> HashSet<Reference> {
            values.iter().filter_map(Value::reference).collect()
        };
        let (before, after) = (references(old), references(new));
        if before.difference(&after).next().is_some() {
            self.add(Change::Annotation);
        }
        for added in after.difference(&before) {
            match self.fields.get(added).copied() {
                Some(kind) => self.add(kind),
                None => {
                    let annotation = pdf.object(*added)?;
                    let is = annotation.is_some_and(|object| is_annotation(&object.value));
                    self.add(if is { Change::Annotation } else { Change::Other });
                }
            }
        }
        let direct = |values: &[Value]| values.iter().filter(|v| v.reference().is_none()).count();
        if direct(old) != direct(new) {
            self.add(Change::Other);
        }
        Ok(())
    }
}

/// The stream that shows a widget in its normal state.
fn appearance(pdf: &mut Pdf<'_>, widget: Reference) -> Result<Option<u32>, Error> {
    let Some(widget) = pdf.object(widget)? else {
        return Ok(None);
    };
    let appearances = pdf.get(&widget.value, b"AP")?;
    let normal = appearances.as_ref().and_then(|a| a.get(b"N")).and_then(Value::reference);
    Ok(normal.map(|reference| reference.number))
}

fn is_annotation(value: &Value) -> bool {
    value.get(b"Subtype").is_some() && value.get(b"Rect").is_some()
}

/// Whether two objects say the same, however they are spaced.
fn same(old: &Indirect, new: &Indirect) -> bool {
    equal(&old.value, &new.value)
}

/// Whether two values are the same, wherever they stand.
fn equal(old: &Value, new: &Value) -> bool {
    match (old.elements(), new.elements()) {
        (Some(old), Some(new)) => {
            return old.len() == new.len() && old.iter().zip(new).all(|(a, b)| equal(a, b));
        }
        (None, None) => {}
        _ => return false,
    }
    if old.is_dictionary() && new.is_dictionary() {
        return changed_keys(old, new).is_empty();
    }
    old.kind == new.kind
}

/// The keys whose values differ.
fn changed_keys<'a>(old: &'a Value, new: &'a Value) -> Vec<&'a [u8]> {
    // Of a key that is there twice, the last counts.
    let map = |value: &'a Value| -> BTreeMap<&'a [u8], &'a Value> {
        value.entries().iter().map(|(key, value)| (key.as_slice(), value)).collect()
    };
    let (old, new) = (map(old), map(new));
    let keys: BTreeSet<&[u8]> = old.keys().chain(new.keys()).copied().collect();
    keys.into_iter()
        .filter(|key| match (old.get(key), new.get(key)) {
            (Some(old), Some(new)) => !equal(old, new),
            _ => true,
        })
        .collect()
}

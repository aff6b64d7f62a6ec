//! The objects that a revision's trailer reaches, and by which paths. Each object
//! is visited once for each of its roles.

mod covered;
mod roles;

use std::collections::{BTreeSet, HashMap};

use crate::error::{Error, Limit, exceeds};
use crate::file::{Entry, Indirect, Pdf, Section};
use crate::syntax::{Kind, MAX_SENSIBLE, Reference, Value, decode_text, is_regular};
pub(crate) use covered::{Covered, reach_signed};
pub(crate) use roles::Role;
use roles::{Roles, mentions};

/// Maximum number of objects that a revision reaches.
pub(crate) const MAX_OBJECTS: usize = 900_000;
/// Maximum number of pending visits.
pub(crate) const MAX_PENDING: usize = 1 << 20;
/// Visits are processed in batches of at most this many.
const MAX_BATCH: usize = 1 << 16;
/// Maximum number of objects that are missing although the cross-reference has them.
const MAX_MISSING: usize = 1024;
/// Maximum length in octets that is searched for references when an object cannot be
/// read.
const MAX_SEARCHED: u64 = 64 * 1024;

/// The field that an object belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Owner {
    #[default]
    Nobody,
    /// The form itself.
    Form,
    /// The field with this number.
    Field(u32),
    /// More than one.
    Several,
}

impl Owner {
    /// Whether a visit by `other` changes the owner.
    fn is_changed_by(self, other: Self) -> bool {
        other != Self::Nobody && self != other && self != Self::Several
    }
}

/// The roles and the owner of an object.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mark {
    pub(crate) roles: Roles,
    pub(crate) owner: Owner,
}

/// A field, or a widget that is a separate object, and the field it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct FieldIdentity {
    /// The full name of the field.
    pub(crate) name: String,
    pub(crate) is_signature: bool,
    /// The number of the field, which differs from the object's own number for a
    /// separate widget.
    pub(crate) field: u32,
}

/// The objects reached so far. Roles are only added: an object that had a role in
/// one signed revision keeps it in all later ones.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    marks: HashMap<u32, Mark>,
    fields: HashMap<u32, FieldIdentity>,
    /// Object streams, and the reached objects that were in them.
    containers: HashMap<u32, Vec<u32>>,
    /// Objects that are missing or incomplete because the cross-reference points
    /// after the end of the revision.
    missing: BTreeSet<u32>,
    /// Whether some objects could not be visited.
    incomplete: bool,
    /// Pending visits, by the turn of their roles.
    pending: [Vec<Visit>; 3],
}

#[derive(Clone, Copy, Debug)]
struct Visit {
    reference: Reference,
    role: Role,
    owner: Owner,
    link: LinkKind,
}

/// How a reference leads to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LinkKind {
    /// From a key. The object may be a dictionary of arbitrary names, in which any
    /// key has a meaning.
    Named,
    /// As an element of an array, such as a destination, or from a key that only
    /// mentions the object. It is not a dictionary of arbitrary names.
    Passing,
}

impl Reach {
    pub(crate) fn mark(&self, number: u32) -> Mark {
        self.marks.get(&number).copied().unwrap_or_default()
    }

    pub(crate) fn field(&self, number: u32) -> Option<&FieldIdentity> {
        self.fields.get(&number)
    }

    /// The highest number that is referred to, up to [`MAX_SENSIBLE`].
    pub(crate) fn highest(&self) -> u32 {
        let numbers = self.marks.keys().copied();
        numbers.filter(|number| *number <= MAX_SENSIBLE).max().unwrap_or(0)
    }

    /// The reached objects that later sections may have changed: those with entries
    /// there, those in object streams with entries there, and those that were
    /// missing although the cross-reference has them.
    pub(crate) fn touched(&self, sections: &[Section]) -> BTreeSet<u32> {
        let mut touched = self.missing.clone();
        for number in sections.iter().flat_map(Section::ranges).flatten() {
            let Ok(number) = u32::try_from(number) else { continue };
            touched.extend(self.contained(number));
            if !self.mark(number).roles.is_empty() {
                touched.insert(number);
            }
        }
        touched
    }

    /// The reached objects that were in this object stream.
    fn contained(&self, stream: u32) -> &[u32] {
        self.containers.get(&stream).map(Vec::as_slice).unwrap_or_default()
    }

    pub(crate) const fn missing(&self) -> &BTreeSet<u32> {
        &self.missing
    }

    pub(crate) const fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// Records that some objects could not be visited: they may refer to any object.
    pub(crate) const fn set_incomplete(&mut self) {
        self.incomplete = true;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// Visits a whole revision.
    pub(crate) fn read(&mut self, pdf: &mut Pdf<'_>) -> Result<(), Error> {
        let mut keys = BTreeSet::new();
        let mut values = Vec::new();
        for section in pdf.visible() {
            for (key, value) in section.trailer.entries() {
                if keys.insert(key.as_slice()) {
                    values.push((key.clone(), value.clone()));
                }
            }
        }
        self.trailer(pdf, &values)?;
        self.run(pdf)
    }

    /// Visits the objects that were changed since the previous revision, and the
    /// objects that they refer to now.
    pub(crate) fn advance(&mut self, pdf: &mut Pdf<'_>, changed: &[u32]) -> Result<(), Error> {
        let trailer = pdf.newest()?.trailer.entries().to_vec();
        self.trailer(pdf, &trailer)?;
        for number in changed {
            self.missing.remove(number);
            let mark = self.mark(*number);
            let Some(reference) = reference(pdf, *number)? else { continue };
            let Some(object) = self.object(pdf, reference)? else { continue };
            for role in mark.roles.iter() {
                self.children(pdf, &object, role, mark.owner)?;
            }
        }
        self.run(pdf)
    }

    fn trailer(&mut self, pdf: &mut Pdf<'_>, entries: &[(Vec<u8>, Value)]) -> Result<(), Error> {
        for (key, value) in entries {
            match key.as_slice() {
                b"Root" => self.value(value, Role::Catalog, Owner::Nobody, LinkKind::Named),
                b"Info" => self.value(value, Role::About, Owner::Nobody, LinkKind::Named),
                _ => self.existing(pdf, value)?,
            }
        }
        Ok(())
    }

    /// Visits existing objects that other trailer keys refer to. Missing ones do not
    /// count: some writers give `/AdditionalStreams` a new number without writing the
    /// object, the next writer gives that number to another object, and readers ignore
    /// such keys.
    fn existing(&mut self, pdf: &mut Pdf<'_>, value: &Value) -> Result<(), Error> {
        if let Some(reference) = value.reference()
            && !matches!(pdf.entry(reference.number)?, None | Some(Entry::Free))
        {
            self.push_visit(reference, Role::Other, Owner::Nobody, LinkKind::Passing);
        }
        for element in value.elements().unwrap_or_default() {
            self.existing(pdf, element)?;
        }
        for (_, value) in value.entries() {
            self.existing(pdf, value)?;
        }
        Ok(())
    }

    fn run(&mut self, pdf: &mut Pdf<'_>) -> Result<(), Error> {
        for turn in 0..self.pending.len() {
            while let Some(pending) = self.pending.get_mut(turn) {
                if pending.len() > MAX_PENDING {
                    return Err(exceeds(Limit::PendingVisits));
                }
                let from = pending.len().saturating_sub(MAX_BATCH);
                let batch: Vec<Visit> = pending.drain(from..).collect();
                if batch.is_empty() {
                    break;
                }
                // The order of the file is the fastest to read.
                let mut sorted = Vec::with_capacity(batch.len());
                for visit in batch {
                    let entry = pdf.entry(visit.reference.number)?;
                    sorted.push(match entry {
                        None | Some(Entry::Free) => ((0, 0), visit),
                        Some(Entry::Plain { offset, .. }) => ((0, offset), visit),
                        Some(Entry::Compressed { stream, index }) => {
                            ((u64::from(stream), u64::from(index)), visit)
                        }
                    });
                }
                sorted.sort_by_key(|(offset, _)| *offset);
                for (_, visit) in sorted {
                    self.visit(pdf, visit)?;
                }
            }
        }
        Ok(())
    }

    /// Whether a visit in this role adds nothing to the roles that the object has.
    fn is_known(&self, number: u32, role: Role, link: LinkKind) -> bool {
        let known: &[Role] = match role {
            // Changes of pages and catalogs are judged so strictly that another
            // role adds nothing, unless their keys are arbitrary names.
            Role::Other if link == LinkKind::Passing => &[Role::Page, Role::Catalog],
            Role::Annotation => &[Role::Field],
            Role::Mentioned => {
                &[Role::Page, Role::Catalog, Role::Field, Role::Structure, Role::Other]
            }
            Role::AnnotationPart if link == LinkKind::Named => &[Role::Other],
            Role::Tagged | Role::AnnotationPart => {
                &[Role::Page, Role::Catalog, Role::Field, Role::Annotation, Role::Other]
            }
            Role::ValidationData | Role::About => &[Role::Other],
            _ => &[],
        };
        self.mark(number).roles.has_one_of(known)
    }

    fn visit(&mut self, pdf: &mut Pdf<'_>, visit: Visit) -> Result<(), Error> {
        let Visit { reference, role, owner, link } = visit;
        let number = reference.number;
        if self.is_known(number, role, link) {
            return Ok(());
        }
        if self.marks.len() >= MAX_OBJECTS && !self.marks.contains_key(&number) {
            return Err(exceeds(Limit::SignedObjects));
        }
        let mark = self.marks.entry(number).or_default();
        let mut roles = Roles::default();
        if mark.owner.is_changed_by(owner) {
            let first = mark.owner == Owner::Nobody;
            mark.owner = if first { owner } else { Owner::Several };
            // Then the objects that it refers to have several owners, too.
            if mark.owner == Owner::Several {
                roles = mark.roles;
            }
        }
        if !mark.roles.has(role) {
            mark.roles.add(role);
            roles.add(role);
        }
        if roles.is_empty() {
            return Ok(());
        }
        let owner = if mark.owner == Owner::Several { Owner::Several } else { owner };
        let Some(object) = self.object(pdf, reference)? else {
            // A visit to a missing object also takes time.
            return pdf.source().charge(0);
        };
        for role in roles.iter() {
            self.children(pdf, &object, role, owner)?;
        }
        Ok(())
    }

    /// The object in the revision; `None` if it has none.
    fn object(
        &mut self,
        pdf: &mut Pdf<'_>,
        reference: Reference,
    ) -> Result<Option<Indirect>, Error> {
        let number = reference.number;
        let Some(entry) = pdf.entry(number)? else { return Ok(None) };
        if is_nowhere(pdf, entry)? {
            self.note_missing(number);
            return Ok(None);
        }
        if let Entry::Compressed { stream, .. } = entry {
            self.container(pdf, stream)?;
            self.containers.entry(stream).or_default().push(number);
        }
        match pdf.object(reference) {
            Ok(Some(object)) => {
                if !pdf.ends_as_before(&object)? {
                    self.note_missing(number);
                }
                Ok(Some(object))
            }
            Ok(None) => {
                let generation = match entry {
                    Entry::Plain { generation, .. } => generation,
                    Entry::Free | Entry::Compressed { .. } => 0,
                };
                if entry != Entry::Free && generation == reference.generation {
                    self.note_missing(number);
                }
                Ok(None)
            }
            Err(error @ (Error::Core(_) | Error::Limit { .. })) => Err(error),
            Err(_) => {
                self.unread(pdf, entry)?;
                Ok(None)
            }
        }
    }

    fn note_missing(&mut self, number: u32) {
        self.missing.insert(number);
        self.incomplete |= self.missing.len() > MAX_MISSING;
    }

    /// Visits the objects that an object stream refers to, such as its `/Length`: if one
    /// of them changes, the objects in the stream may change.
    fn container(&mut self, pdf: &mut Pdf<'_>, number: u32) -> Result<(), Error> {
        if self.containers.contains_key(&number) {
            return Ok(());
        }
        self.containers.insert(number, Vec::new());
        let Some(reference) = reference(pdf, number)? else { return Ok(()) };
        match pdf.object(reference) {
            Ok(Some(stream)) => {
                if !pdf.ends_as_before(&stream)? {
                    self.incomplete = true;
                }
                for (key, value) in stream.value.entries() {
                    if key != b"Extends" {
                        self.value(value, Role::Other, Owner::Nobody, LinkKind::Named);
                    }
                }
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(error @ (Error::Core(_) | Error::Limit { .. })) => Err(error),
            Err(_) => {
                self.incomplete = true;
                Ok(())
            }
        }
    }

    /// Visits everything that an unreadable object may refer to: other readers may be
    /// able to read it.
    fn unread(&mut self, pdf: &mut Pdf<'_>, entry: Entry) -> Result<(), Error> {
        let Entry::Plain { offset, .. } = entry else {
            self.incomplete = true;
            return Ok(());
        };
        let offset = offset.saturating_add(pdf.shift);
        let octets = up_to_end(pdf.source().read(offset, MAX_SEARCHED)?);
        let (found, searched) = (references_in(octets), octets.len());
        pdf.source().charge(searched)?;
        for reference in found {
            self.push_visit(reference, Role::Other, Owner::Nobody, LinkKind::Named);
        }
        Ok(())
    }

    fn push_visit(&mut self, reference: Reference, role: Role, owner: Owner, link: LinkKind) {
        let mark = self.mark(reference.number);
        let same = mark.roles.has(role) && !mark.owner.is_changed_by(owner);
        if same || self.is_known(reference.number, role, link) {
            return;
        }
        // One more than the maximum makes `run` report the limit.
        if let Some(pending) = self.pending.get_mut(role.turn())
            && pending.len() <= MAX_PENDING
        {
            pending.push(Visit { reference, role, owner, link });
        }
    }

    /// Visits the objects that an object refers to, in one of its roles.
    fn children(
        &mut self,
        pdf: &mut Pdf<'_>,
        object: &Indirect,
        role: Role,
        owner: Owner,
    ) -> Result<(), Error> {
        // A lone annotation in place of a page's array of them.
        let role = match role {
            Role::Annotations if object.is_dictionary() => Role::Annotation,
            role => role,
        };
        let (mut owner, mut is_signature) = (owner, false);
        if role == Role::Field && object.value.is_dictionary() {
            let identity = self.identify(pdf, object, owner)?;
            if owner != Owner::Several {
                owner = Owner::Field(identity.field);
            }
            is_signature = identity.is_signature;
        }
        if !object.is_stream() && !is_signature {
            self.value(&object.value, role, owner, LinkKind::Named);
            return Ok(());
        }
        for (key, value) in object.value.entries() {
            let child = match (role, key.as_slice()) {
                (Role::Field, b"V") => Role::Other,
                (Role::Appearance, b"Length") => Role::Appearance,
                // Pages may use the resources of an appearance, too.
                (Role::Appearance, _) => Role::Other,
                (role, key) => role.of_entry(key),
            };
            self.entry(value, role, child, owner, link_kind(key));
        }
        Ok(())
    }

    fn value(&mut self, value: &Value, role: Role, owner: Owner, link: LinkKind) {
        match &value.kind {
            Kind::Reference(reference) => self.push_visit(*reference, role, owner, link),
            Kind::Array(elements) => {
                let child = role.of_element();
                for element in elements.iter() {
                    self.entry(element, role, child, owner, LinkKind::Passing);
                }
            }
            Kind::Dictionary(entries) => {
                for (key, value) in entries.iter() {
                    self.entry(value, role, role.of_entry(key), owner, link_kind(key));
                }
            }
            _ => {}
        }
    }

    fn entry(&mut self, value: &Value, above: Role, role: Role, owner: Owner, link: LinkKind) {
        let owner = match role {
            Role::Fields if above == Role::Form => Owner::Form,
            Role::Fields | Role::Field | Role::Appearance | Role::FieldValue => owner,
            _ => Owner::Nobody,
        };
        self.value(value, role, owner, link);
    }

    /// Records the name of a field.
    fn identify(
        &mut self,
        pdf: &mut Pdf<'_>,
        field: &Indirect,
        owner: Owner,
    ) -> Result<FieldIdentity, Error> {
        let number = field.reference.number;
        if let Some(identity) = self.fields.get(&number) {
            return Ok(identity.clone());
        }
        let above = match owner {
            Owner::Field(above) => self.fields.get(&above),
            _ => None,
        };
        let identity = FieldIdentity::of(pdf, field, above)?;
        pdf.source().charge(identity.name.len())?;
        self.fields.insert(number, identity.clone());
        Ok(identity)
    }
}

impl FieldIdentity {
    /// Reads a field or widget below the field `above`.
    pub(crate) fn of(
        pdf: &mut Pdf<'_>,
        object: &Indirect,
        above: Option<&Self>,
    ) -> Result<Self, Error> {
        let partial = pdf.get(&object.value, b"T")?;
        let partial = partial.as_ref().and_then(Value::string).map(decode_text);
        let kind = pdf.get(&object.value, b"FT")?;
        let kind = kind.as_ref().and_then(Value::name).map(|kind| kind == b"Sig");
        let number = object.reference.number;
        let is_signature = kind.unwrap_or(above.is_some_and(|above| above.is_signature));
        Ok(match (above, partial) {
            (Some(above), None) => {
                Self { name: above.name.clone(), is_signature, field: above.field }
            }
            (Some(above), Some(name)) => {
                Self { name: format!("{}.{name}", above.name), is_signature, field: number }
            }
            (None, name) => Self { name: name.unwrap_or_default(), is_signature, field: number },
        })
    }
}

fn link_kind(key: &[u8]) -> LinkKind {
    if mentions(key) { LinkKind::Passing } else { LinkKind::Named }
}

/// Whether the cross-reference puts an object into an object stream that is missing,
/// or that is in an object stream itself, where streams are not allowed (7.5.7).
pub(crate) fn is_nowhere(pdf: &mut Pdf<'_>, entry: Entry) -> Result<bool, Error> {
    let Entry::Compressed { stream, .. } = entry else { return Ok(false) };
    Ok(!matches!(pdf.entry(stream)?, Some(Entry::Plain { .. })))
}

/// The reference to the object with this number, if it exists.
pub(crate) fn reference(pdf: &mut Pdf<'_>, number: u32) -> Result<Option<Reference>, Error> {
    let generation = match pdf.entry(number)? {
        None | Some(Entry::Free) => return Ok(None),
        Some(Entry::Plain { generation, .. }) => generation,
        Some(Entry::Compressed { .. }) => 0,
    };
    Ok(Some(Reference { number, generation }))
}

/// The octets up to `endobj`.
fn up_to_end(octets: &[u8]) -> &[u8] {
    const END: &[u8] = b"endobj";

    let end = octets.windows(END.len()).position(|window| window == END);
    octets.get(..end.unwrap_or(octets.len())).unwrap_or_default()
}

/// Everything that is written like a reference.
fn references_in(octets: &[u8]) -> Vec<Reference> {
    let words: Vec<&str> = octets
        .split(|octet| !is_regular(*octet))
        .filter(|word| !word.is_empty())
        .map(|word| std::str::from_utf8(word).unwrap_or("?"))
        .collect();
    let references = words.windows(3).filter_map(|words| match words {
        [number, generation, "R"] => {
            Some(Reference { number: number.parse().ok()?, generation: generation.parse().ok()? })
        }
        _ => None,
    });
    references.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_in_an_object_that_cannot_be_read() {
        let object = up_to_end(b"7 0 obj<</A 4 0 R/B[x 5 0 R 6 1 R]bar>>endobj 8 0 R");
        let found = references_in(object);
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["4 0 R", "5 0 R", "6 1 R"]);
    }
}

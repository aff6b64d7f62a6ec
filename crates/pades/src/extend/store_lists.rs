//! The lists of a document security store (ISO 32000-2, tables 261 and 262): of the whole
//! document, and of one signature in `/VRI`.

use std::collections::HashSet;

use super::{Edited, Update};
use crate::document::place::Place;
use crate::error::{Error, structure};
use crate::file::Pdf;
use crate::syntax::{Reference, Value};

/// What is added to the lists of a store.
pub(super) struct Lists<'l> {
    pub(super) new: &'l [(&'static [u8], Vec<Reference>)],
    pub(super) of_signature: &'l [(&'static [u8], Vec<Reference>)],
    /// The key of the signature in `/VRI`, if it gets lists of its own.
    pub(super) signature: Option<&'l str>,
}

impl Lists<'_> {
    /// A store with nothing else.
    pub(super) fn as_store(&self) -> String {
        let vri = self.signature.map(|key| format!("/VRI<</{key} {}>>", self.as_entry()));
        format!("<</Type/DSS{}{}>>", dictionary_entries(self.new), vri.unwrap_or_default())
    }

    /// The lists of the signature.
    fn as_entry(&self) -> String {
        format!("<</Type/VRI{}>>", dictionary_entries(self.of_signature))
    }

    pub(super) fn add_to(
        &self,
        pdf: &mut Pdf<'_>,
        update: &mut Update,
        holder: &mut Edited<'_>,
        store: &Value,
    ) -> Result<bool, Error> {
        let mut changed = false;
        for (key, added) in self.new.iter().filter(|(_, added)| !added.is_empty()) {
            if !holder.append(pdf, update, store, key, &list(added))? {
                return Err(structure("a list of /DSS is not an array"));
            }
            changed = true;
        }
        if let Some(signature) = self.signature {
            changed |= self.add_entry(pdf, update, holder, store, signature)?;
        }
        Ok(changed)
    }

    /// Adds the lists of the signature to `/VRI`, wherever that is written.
    fn add_entry(
        &self,
        pdf: &mut Pdf<'_>,
        update: &mut Update,
        holder: &mut Edited<'_>,
        store: &Value,
        signature: &str,
    ) -> Result<bool, Error> {
        match Place::of(pdf, store, b"VRI")? {
            Place::Absent => {
                let vri = format!("<</{signature} {}>>", self.as_entry());
                holder.set(store, b"VRI", vri.as_bytes());
                Ok(true)
            }
            Place::Direct(vri) if vri.is_dictionary() => {
                self.extend_entry(pdf, update, holder, &vri, signature)
            }
            Place::Indirect(object) if object.is_dictionary() => {
                let mut edited = Edited::new(&object);
                let changed =
                    self.extend_entry(pdf, update, &mut edited, &object.value, signature)?;
                edited.put(pdf, update)?;
                Ok(changed)
            }
            Place::Direct(_) | Place::Indirect(_) => Err(structure("/VRI is not a dictionary")),
        }
    }

    fn extend_entry(
        &self,
        pdf: &mut Pdf<'_>,
        update: &mut Update,
        holder: &mut Edited<'_>,
        vri: &Value,
        signature: &str,
    ) -> Result<bool, Error> {
        let key = signature.as_bytes();
        match Place::of(pdf, vri, key)? {
            Place::Absent => {
                holder.set(vri, key, self.as_entry().as_bytes());
                Ok(true)
            }
            Place::Direct(entry) if entry.is_dictionary() => self.extend_lists(pdf, holder, &entry),
            Place::Indirect(object) if object.is_dictionary() => {
                let mut edited = Edited::new(&object);
                let changed = self.extend_lists(pdf, &mut edited, &object.value)?;
                edited.put(pdf, update)?;
                Ok(changed)
            }
            Place::Direct(_) | Place::Indirect(_) => {
                Err(structure("an entry of /VRI is not a dictionary"))
            }
        }
    }

    /// Adds what the lists of the signature lack. They are written as direct arrays: other
    /// dictionaries may share an indirect one.
    fn extend_lists(
        &self,
        pdf: &mut Pdf<'_>,
        holder: &mut Edited<'_>,
        entry: &Value,
    ) -> Result<bool, Error> {
        let mut changed = false;
        for (key, wanted) in self.of_signature {
            let mut all = references(pdf, entry, key)?;
            let present: HashSet<Reference> = all.iter().copied().collect();
            let missing = wanted.iter().filter(|reference| !present.contains(reference));
            let before = all.len();
            all.extend(missing);
            if all.len() > before {
                holder.set(entry, key, format!("[{}]", list(&all)).as_bytes());
                changed = true;
            }
        }
        Ok(changed)
    }
}

/// The references in the array of a key.
pub(super) fn references(
    pdf: &mut Pdf<'_>,
    dictionary: &Value,
    key: &[u8],
) -> Result<Vec<Reference>, Error> {
    let array = pdf.get(dictionary, key)?;
    let elements = array.as_ref().and_then(Value::elements).unwrap_or_default();
    Ok(elements.iter().filter_map(Value::reference).collect())
}

/// The entries of a dictionary for lists that are not empty.
fn dictionary_entries(lists: &[(&'static [u8], Vec<Reference>)]) -> String {
    let lists = lists.iter().filter(|(_, references)| !references.is_empty());
    lists
        .map(|(key, references)| format!("/{}[{}]", String::from_utf8_lossy(key), list(references)))
        .collect()
}

/// References as the elements of an array.
fn list(references: &[Reference]) -> String {
    let all: Vec<String> = references.iter().map(Reference::to_string).collect();
    all.join(" ")
}

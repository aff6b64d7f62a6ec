//! For fuzzing: reads all objects of a file, to check that signing changes only the
//! objects that it must change.

use std::collections::BTreeMap;
use std::fmt;

use ades_core::Document;

use crate::file::{Entry, Pdf};
use crate::security::Credential;
use crate::syntax::{Kind, Reference, Value};

/// Maximum object number: larger files are skipped, because every object is read.
const MAX_NUMBER: u32 = 4096;

/// Maximum number of references that lead to references.
const MAX_LINKS: usize = 16;

/// All objects of a file.
#[derive(Debug, Default, PartialEq)]
pub struct Objects(BTreeMap<u32, Object>);

#[derive(PartialEq)]
struct Object {
    generation: u16,
    /// Its offset in the file; `None` in an object stream.
    offset: Option<u64>,
    value: Value,
    /// A stream's decoded data, if it can be decoded.
    data: Option<Option<Vec<u8>>>,
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {:?}: {:?}", self.data.is_some(), self.offset, self.value)
    }
}

impl Objects {
    /// Reads all readable objects in ascending or descending order of their numbers.
    /// `None` if the file cannot be read or is too large.
    #[must_use]
    pub fn read(document: &mut Document<'_>, repair: bool, backwards: bool) -> Option<Self> {
        let open = if repair { Pdf::open_broken } else { Pdf::open };
        let mut pdf = open(document, Credential::default()).ok()?;
        if pdf.next_number().ok()? > MAX_NUMBER {
            return None;
        }
        let mut entries = pdf.all_entries().ok()?;
        if backwards {
            entries.reverse();
        }
        Some(Self::of(&mut pdf, entries))
    }

    /// Reads all objects of a signed file, whatever its size.
    #[must_use]
    pub fn read_signed(document: &mut Document<'_>) -> Option<Self> {
        let mut pdf = Pdf::open(document, Credential::default()).ok()?;
        let entries = pdf.all_entries().ok()?;
        Some(Self::of(&mut pdf, entries))
    }

    fn of(pdf: &mut Pdf<'_>, entries: Vec<(u32, Entry)>) -> Self {
        let mut all = BTreeMap::new();
        for (number, entry) in entries {
            let generation = match entry {
                Entry::Free => continue,
                Entry::Plain { generation, .. } => generation,
                Entry::Compressed { .. } => 0,
            };
            let Ok(Some(object)) = pdf.object(Reference { number, generation }) else {
                continue;
            };
            let data = object.is_stream().then(|| pdf.data(&object).ok().flatten());
            let value = Value { span: 0..0, ..object.value };
            all.insert(number, Object { generation, offset: object.offset, value, data });
        }
        Self(all)
    }

    /// Checks that `after` has all these objects, apart from the changes of a signature.
    ///
    /// # Errors
    /// The first difference.
    pub fn are_kept(&self, after: &Self) -> Result<(), String> {
        /// Maximum number of changed objects: catalog, form, fields, page, annotations,
        /// structure.
        const MAX_TOUCHED: usize = 12;

        let mut touched = 0;
        for (number, was) in &self.0 {
            let Some(is) = after.0.get(number) else {
                return Err(format!("{number} is missing"));
            };
            // With other octets after the file, a stream that could not be decoded
            // before may be decodable.
            let same_data = match &was.data {
                Some(None) => is.data.is_some(),
                data => *data == is.data,
            };
            if was.generation != is.generation || !same_data {
                return Err(format!("{number} was {was:?} and is {is:?}"));
            }
            let same = if was.offset == is.offset {
                equal(&was.value, &is.value)
            } else {
                touched += 1;
                was.data.is_none() && self.keeps(&was.value, &is.value)
            };
            if !same {
                return Err(format!("{number} was {was:?} and is {is:?}"));
            }
        }
        if touched > MAX_TOUCHED { Err(format!("{touched} objects were changed")) } else { Ok(()) }
    }

    /// Whether a changed dictionary or array has kept its contents. A signature sets
    /// some keys to other values.
    fn keeps(&self, was: &Value, is: &Value) -> bool {
        const SET: [&[u8]; 9] = [
            b"AP",
            b"Annots",
            b"DocMDP",
            b"ESIC",
            b"F",
            b"K",
            b"ParentTreeNextKey",
            b"SigFlags",
            b"V",
        ];

        match (&was.kind, &is.kind) {
            (Kind::Array(was), Kind::Array(is)) => {
                let kept = |(was, is): (&Value, &Value)| self.keeps(was, is);
                was.len() <= is.len() && was.iter().zip(is.iter()).all(kept)
            }
            (Kind::Dictionary(was), Kind::Dictionary(_)) => was.iter().all(|(key, _)| {
                let (Some(was), Some(is)) = (get(was, key), is.get(key)) else {
                    return false;
                };
                // A signature may replace a null value.
                SET.contains(&key.as_slice()) || self.is_nothing(was) || self.keeps(was, is)
            }),
            _ => equal(was, is),
        }
    }

    /// Whether it is null, or refers to null or to a missing object.
    fn is_nothing(&self, value: &Value) -> bool {
        let mut value = value;
        for _ in 0..MAX_LINKS {
            let Some(reference) = value.reference() else {
                return value.is_null();
            };
            match self.0.get(&reference.number) {
                Some(object) if object.generation == reference.generation => value = &object.value,
                _ => return true,
            }
        }
        false
    }
}

/// Whether two values are equal, apart from their spans.
fn equal(a: &Value, b: &Value) -> bool {
    match (&a.kind, &b.kind) {
        (Kind::Array(a), Kind::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equal(a, b))
        }
        (Kind::Dictionary(a), Kind::Dictionary(b)) => {
            let same =
                |((key, a), (other, b)): (&(_, Value), &(_, Value))| key == other && equal(a, b);
            a.len() == b.len() && a.iter().zip(b.iter()).all(same)
        }
        (a, b) => a == b,
    }
}

fn get<'v>(entries: &'v [(Vec<u8>, Value)], key: &[u8]) -> Option<&'v Value> {
    entries.iter().rev().find(|(k, _)| k == key).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Lexer;

    #[test]
    fn null_and_references_to_it_are_nothing() {
        let value = |text: &str| Lexer::new(text.as_bytes(), true).value().unwrap();
        let object = |text| Object { generation: 0, offset: None, value: value(text), data: None };
        let objects = [
            (1, "null"),
            (2, "1 0 R"),
            (3, "2 0 R"),
            (4, "9 0 R"),
            (5, "5 0 R"),
            (6, "<<>>"),
            (7, "6 0 R"),
        ];
        let objects = Objects(objects.map(|(number, text)| (number, object(text))).into());
        for text in ["null", "1 0 R", "2 0 R", "3 0 R", "4 0 R", "9 0 R", "6 1 R"] {
            assert!(objects.is_nothing(&value(text)), "{text}");
        }
        for text in ["<<>>", "5 0 R", "6 0 R", "7 0 R", "0"] {
            assert!(!objects.is_nothing(&value(text)), "{text}");
        }
    }
}

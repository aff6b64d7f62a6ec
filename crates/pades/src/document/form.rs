//! The interactive form and its fields (ISO 32000-2, 12.7).

use std::collections::HashSet;

use crate::document::place::Place;
use crate::error::{Error, Limit, exceeds};
use crate::file::Pdf;
use crate::syntax::{Kind, Reference, Value, decode_text};

/// Maximum number of fields and widgets.
pub(crate) const MAX_FIELDS: usize = 1 << 17;
/// Maximum length in octets of all names and of the values in signature fields.
pub(crate) const MAX_OCTETS: usize = 16 * 1024 * 1024;
/// Maximum depth of fields.
pub(crate) const MAX_LEVELS: usize = 64;

/// A field, terminal or not.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) reference: Reference,
    /// The full name: the names of all levels, separated by periods.
    pub(crate) name: String,
    pub(crate) is_signature: bool,
    /// Its own `/V`, unless null. In a field of another type, only its presence
    /// matters: a direct value is replaced by null to save memory.
    pub(crate) value: Option<Value>,
    /// Its children without a name, which are widgets.
    pub(crate) widgets: Vec<Reference>,
}

/// All fields; parents come before their children.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    pub(crate) fields: Vec<Field>,
}

struct Visit {
    reference: Reference,
    /// The parent's index in `fields`.
    parent: Option<usize>,
    level: usize,
}

impl Form {
    /// Reads the form; a document without one has no fields.
    pub(crate) fn read(pdf: &mut Pdf<'_>, catalog: &Value) -> Result<Self, Error> {
        let mut form = Self::default();
        let Some(dictionary) = Place::of(pdf, catalog, b"AcroForm")?.into_dictionary() else {
            return Ok(form);
        };
        let roots = pdf.get(&dictionary, b"Fields")?;
        let visit = |value: &Value, parent, level| {
            value.reference().map(|reference| Visit { reference, parent, level })
        };
        let roots = roots.as_ref().and_then(Value::elements).unwrap_or_default();
        let mut stack: Vec<Visit> =
            roots.iter().rev().filter_map(|root| visit(root, None, 0)).collect();
        let mut seen = HashSet::new();
        let mut octets = 0usize;
        while let Some(Visit { reference, parent, level }) = stack.pop() {
            if !seen.insert(reference) {
                continue;
            }
            if seen.len() > MAX_FIELDS {
                return Err(exceeds(Limit::Fields));
            }
            if level > MAX_LEVELS {
                return Err(exceeds(Limit::FieldLevels));
            }
            let Some(object) = pdf.object(reference)?.filter(|object| !object.is_stream()) else {
                continue;
            };
            let partial = pdf.get(&object.value, b"T")?;
            let partial = partial.as_ref().and_then(Value::string).map(decode_text);
            let above = parent.and_then(|parent| form.fields.get_mut(parent));
            let (name, inherited) = match (above, partial) {
                (Some(above), None) => {
                    above.widgets.push(reference);
                    continue;
                }
                (Some(above), Some(name)) => (format!("{}.{name}", above.name), above.is_signature),
                (None, name) => (name.unwrap_or_default(), false),
            };
            pdf.source().charge(name.len())?;
            let kind = pdf.get(&object.value, b"FT")?;
            let is_signature =
                kind.as_ref().and_then(Value::name).map_or(inherited, |kind| kind == b"Sig");
            let value = pdf.get(&object.value, b"V")?.and(object.value.get(b"V"));
            let value = value.map(|value| match value.reference() {
                None if !is_signature => Value { kind: Kind::Null, span: 0..0 },
                _ => value.clone(),
            });
            let kept = name.len() + value.as_ref().map_or(0, |value| value.span.len());
            octets = octets
                .checked_add(kept)
                .filter(|octets| *octets <= MAX_OCTETS)
                .ok_or(exceeds(Limit::FieldNames))?;
            let at = form.fields.len();
            form.fields.push(Field { reference, name, is_signature, value, widgets: Vec::new() });
            let kids = pdf.get(&object.value, b"Kids")?;
            let kids = kids.as_ref().and_then(Value::elements).unwrap_or_default();
            stack.extend(kids.iter().rev().filter_map(|kid| visit(kid, Some(at), level + 1)));
        }
        Ok(form)
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The signature fields that are signed, and their values.
    pub(crate) fn signed(&self) -> impl Iterator<Item = (&Field, &Value)> {
        let signed = self.fields.iter().filter(|field| field.is_signature);
        signed.filter_map(|field| Some((field, field.value.as_ref()?)))
    }

    /// The first unused name of the form `Signature1`.
    pub(crate) fn free_name(&self) -> String {
        let taken: HashSet<&str> = self.fields.iter().map(|field| field.name.as_str()).collect();
        let mut number = 1usize;
        loop {
            let name = format!("Signature{number}");
            if !taken.contains(name.as_str()) {
                return name;
            }
            number += 1;
        }
    }
}

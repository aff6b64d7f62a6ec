//! The fields that a signature locks (ISO 32000-2, 12.8.2.4 and table 236).

use serde::{Deserialize, Serialize};

use crate::error::{Error, Limit, exceeds};
use crate::file::Pdf;
use crate::syntax::{Value, decode_text, encode_text, string};

/// Maximum length in octets of the names in a lock, each counted with one more octet.
pub(crate) const MAX_NAMES: usize = 4 * 1024 * 1024;

/// The fields that are locked when a field is signed, by their full names. Periods
/// separate levels; a name includes all fields below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum FieldLock {
    /// All fields.
    All,
    /// These fields.
    Include(Vec<String>),
    /// All fields except these.
    Exclude(Vec<String>),
}

impl FieldLock {
    /// Reads transform parameters or a lock dictionary. An unknown action locks all
    /// fields.
    pub(crate) fn read(pdf: &mut Pdf<'_>, dictionary: &Value) -> Result<Self, Error> {
        let action = pdf.get(dictionary, b"Action")?;
        let fields = pdf.get(dictionary, b"Fields")?;
        let mut names = Vec::new();
        let mut left = MAX_NAMES;
        for field in fields.as_ref().and_then(Value::elements).unwrap_or_default() {
            let field = pdf.resolve(field)?;
            let Some(name) = field.string().map(decode_text) else {
                continue;
            };
            left = left.checked_sub(name.len() + 1).ok_or(exceeds(Limit::LockNames))?;
            names.push(name);
        }
        Ok(match action.as_ref().and_then(Value::name) {
            Some(b"Include") => Self::Include(names),
            Some(b"Exclude") => Self::Exclude(names),
            _ => Self::All,
        })
    }

    /// Whether the lock applies to the field with this name.
    pub(crate) fn covers(&self, name: &str) -> bool {
        let named = |names: &[String]| {
            names.iter().any(|locked| {
                name.strip_prefix(locked.as_str())
                    .is_some_and(|r| r.is_empty() || r.starts_with('.'))
            })
        };
        match self {
            Self::All => true,
            Self::Include(names) => named(names),
            Self::Exclude(names) => !named(names),
        }
    }

    /// The entries of transform parameters or of a lock dictionary.
    pub(crate) fn entries(&self) -> Vec<u8> {
        let (action, fields) = match self {
            Self::All => ("All", None),
            Self::Include(fields) => ("Include", Some(fields)),
            Self::Exclude(fields) => ("Exclude", Some(fields)),
        };
        let mut out = format!("/Action/{action}").into_bytes();
        if let Some(fields) = fields {
            out.extend_from_slice(b"/Fields[");
            out.extend(fields.iter().flat_map(|field| string(&encode_text(field))));
            out.push(b']');
        }
        out
    }
}

//! Where the value of a key is written: in the dictionary or as an indirect object.

use crate::error::{Error, structure};
use crate::file::{Indirect, Pdf};
use crate::syntax::Value;

/// The value of a key, and where it is written.
pub(crate) enum Place {
    /// The key is absent, or its value is null.
    Absent,
    /// In the dictionary itself.
    Direct(Value),
    /// As an indirect object.
    Indirect(Indirect),
}

impl Place {
    /// Returns an error if the dictionary has the key twice with different values:
    /// readers choose different ones.
    pub(crate) fn of(pdf: &mut Pdf<'_>, dictionary: &Value, key: &[u8]) -> Result<Self, Error> {
        let mut all = dictionary.entries().iter().filter(|(k, _)| k == key).map(|(_, v)| v);
        let Some(value) = all.next() else {
            return Ok(Self::Absent);
        };
        let reference = value.reference();
        if all.any(|other| reference.is_none() || other.reference() != reference) {
            return Err(structure("a dictionary has a key twice, with different values"));
        }
        match reference {
            _ if value.is_null() => Ok(Self::Absent),
            Some(reference) => Ok(pdf.follow(reference)?.map_or(Self::Absent, Self::Indirect)),
            None => Ok(Self::Direct(value.clone())),
        }
    }

    /// The value, if it is a dictionary and not a stream.
    pub(crate) fn into_dictionary(self) -> Option<Value> {
        match self {
            Self::Direct(value) => Some(value).filter(Value::is_dictionary),
            Self::Indirect(object) => Some(object).filter(Indirect::is_dictionary).map(|o| o.value),
            Self::Absent => None,
        }
    }
}

//! Where the value of a dictionary's key is written.

use crate::error::{Error, structure};
use crate::file::{Indirect, Pdf};
use crate::syntax::Value;

/// What a reference in a dictionary leads to, and where it is written.
pub(crate) enum Place {
    /// Nothing is there.
    Absent,
    /// In the dictionary itself.
    Direct(Value),
    /// An object of its own.
    Indirect(Indirect),
}

impl Place {
    /// An error if the key is there twice, with different values: of those,
    /// readers see one or the other.
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

    /// The value, if it is a dictionary and no stream.
    pub(crate) fn into_dictionary(self) -> Option<Value> {
        match self {
            Self::Direct(value) => Some(value).filter(Value::is_dictionary),
            Self::Indirect(object) => Some(object).filter(Indirect::is_dictionary).map(|o| o.value),
            Self::Absent => None,
        }
    }
}

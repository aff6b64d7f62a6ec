//! Values with the spans of the octets they were read from: unchanged values are
//! copied octet by octet.

use std::fmt;
use std::ops::Range;
use std::rc::Rc;

/// The highest object number in practice (ISO 32000-1, annex C). A reference to a
/// higher number is an error, not a reference to a lost object.
pub(crate) const MAX_SENSIBLE: u32 = 8_388_607;

/// An object's number and generation (ISO 32000-2, 7.3.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Reference {
    pub(crate) number: u32,
    pub(crate) generation: u16,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} R", self.number, self.generation)
    }
}

/// One value, and its span in the octets it was read from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Value {
    pub(crate) kind: Kind,
    pub(crate) span: Range<usize>,
}

/// A value by its type. Names and strings are decoded octets. Clones of arrays and
/// dictionaries share their contents.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Null,
    Boolean(bool),
    Integer(i64),
    /// As it is written.
    Real(Vec<u8>),
    Name(Vec<u8>),
    /// Literal or hexadecimal, as the octets of the span show.
    String(Vec<u8>),
    Array(Rc<[Value]>),
    /// In the order of the file. Repeated keys are kept.
    Dictionary(Rc<[(Vec<u8>, Value)]>),
    Reference(Reference),
}

impl Value {
    /// The value of a dictionary's key; the last value of a repeated key.
    pub(crate) fn get(&self, key: &[u8]) -> Option<&Self> {
        self.entries().iter().rev().find(|(k, _)| k == key).map(|(_, value)| value)
    }

    /// A dictionary's entries; none if it is not a dictionary.
    pub(crate) fn entries(&self) -> &[(Vec<u8>, Self)] {
        match &self.kind {
            Kind::Dictionary(entries) => entries,
            _ => &[],
        }
    }

    pub(crate) const fn is_dictionary(&self) -> bool {
        matches!(self.kind, Kind::Dictionary(_))
    }

    pub(crate) const fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    pub(crate) fn elements(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::Array(elements) => Some(elements),
            _ => None,
        }
    }

    pub(crate) fn name(&self) -> Option<&[u8]> {
        match &self.kind {
            Kind::Name(name) => Some(name),
            _ => None,
        }
    }

    pub(crate) fn string(&self) -> Option<&[u8]> {
        match &self.kind {
            Kind::String(string) => Some(string),
            _ => None,
        }
    }

    pub(crate) const fn integer(&self) -> Option<i64> {
        match self.kind {
            Kind::Integer(integer) => Some(integer),
            _ => None,
        }
    }

    pub(crate) fn unsigned(&self) -> Option<u64> {
        self.integer().and_then(|integer| u64::try_from(integer).ok())
    }

    pub(crate) const fn boolean(&self) -> Option<bool> {
        match self.kind {
            Kind::Boolean(boolean) => Some(boolean),
            _ => None,
        }
    }

    pub(crate) const fn reference(&self) -> Option<Reference> {
        match self.kind {
            Kind::Reference(reference) => Some(reference),
            _ => None,
        }
    }

    /// The highest number that is referred to, up to [`MAX_SENSIBLE`].
    pub(crate) fn highest_reference(&self) -> u32 {
        let own = self.reference().map(|reference| reference.number);
        let elements = self.elements().unwrap_or_default().iter();
        let values = self.entries().iter().map(|(_, value)| value);
        let inner = elements.chain(values).map(Self::highest_reference);
        inner.chain(own.filter(|number| *number <= MAX_SENSIBLE)).max().unwrap_or(0)
    }

    /// Number of values, including those inside.
    pub(crate) fn count(&self) -> usize {
        let elements = self.elements().unwrap_or_default().iter();
        let inner = elements.chain(self.entries().iter().map(|(_, value)| value));
        inner.map(Self::count).sum::<usize>() + 1
    }

    /// Whether the value of the dictionary's key is this name.
    pub(crate) fn is(&self, key: &[u8], name: &[u8]) -> bool {
        self.get(key).and_then(Self::name) == Some(name)
    }
}

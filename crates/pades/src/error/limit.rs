//! The limits of this crate. Their constants are where they are checked.

use std::fmt;

use crate::document::{coverage, form, page};
use crate::extend::cross_reference;
use crate::file::{filter, object_stream, rebuild, source, xref};
use crate::pending::MAX_CAPACITY;
use crate::prepare::{seed_value, tagging};
use crate::syntax::lexer;
use crate::{lock, reach, verify};

/// A limit of this crate. `Display` has its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Limit {
    /// Length of the CMS that a placeholder holds.
    #[error("{} of CMS", Size(MAX_CAPACITY as u64))]
    ContentsLen,
    /// Length of all cross-reference streams of a file, decoded.
    #[error("{} of cross-reference streams", Size(filter::MAX_DECODED))]
    CrossReferenceStreams,
    /// Length of all object streams that are read, decoded.
    #[error("{} of decoded object streams", Size(object_stream::MAX_ALL_DECODED))]
    DecodedObjectStreams,
    /// Length of one decoded stream.
    #[error("{} in a decoded stream", Size(filter::MAX_DECODED))]
    DecodedStream,
    /// Depth of the hierarchy of form fields.
    #[error("{} levels of form fields", Count(form::MAX_LEVELS as u64))]
    FieldLevels,
    /// Length of all field names, and of the values of signature fields.
    #[error("{} of field names and values", Size(form::MAX_OCTETS as u64))]
    FieldNames,
    /// Number of form fields and widgets.
    #[error("{} form fields and widgets", Count(form::MAX_FIELDS as u64))]
    Fields,
    /// Length of the field names in a lock.
    #[error("{} of names in a lock", Size(lock::MAX_NAMES as u64))]
    LockNames,
    /// Nesting of arrays and dictionaries.
    #[error("{} levels of nesting", Count(lexer::MAX_DEPTH as u64))]
    Nesting,
    /// Length of one indirect object, stream data not counted.
    #[error("{} in one object", Size(source::MAX_OBJECT))]
    ObjectLen,
    /// Number of objects in an object stream.
    #[error("{} objects in an object stream", Count(object_stream::MAX_OBJECTS))]
    ObjectsInStream,
    /// Depth of the page tree.
    #[error("{} levels of the page tree", Count(page::MAX_LEVELS as u64))]
    PageTreeLevels,
    /// Number of nodes of the page tree.
    #[error("{} nodes of the page tree", Count(page::MAX_NODES as u64))]
    PageTreeNodes,
    /// Depth of the structure tree's `/ParentTree`.
    #[error("{} levels of the structure's parent tree", Count(tagging::MAX_LEVELS as u64))]
    ParentTreeLevels,
    /// Number of references that wait to be followed.
    #[error("{} references waiting to be followed", Count(reach::MAX_PENDING as u64))]
    PendingVisits,
    /// Number of objects in a file whose cross-reference is rebuilt.
    #[error("{} objects in a file that is repaired", Count(rebuild::MAX_OBJECTS as u64))]
    RepairedObjects,
    /// Number of cross-reference sections.
    #[error("{} cross-reference sections", Count(xref::MAX_SECTIONS as u64))]
    Sections,
    /// Length of one list in a seed value dictionary.
    #[error("{} in one list of a field's seed values", Size(seed_value::MAX_LIST as u64))]
    SeedValues,
    /// Number of objects that a signed revision reaches.
    #[error("{} objects in a signed document", Count(reach::MAX_OBJECTS as u64))]
    SignedObjects,
    /// Total length of the octets that the signatures of a document cover.
    #[error("signatures that together cover {} times the file", Count(verify::MAX_PASSES))]
    SignedOctets,
    /// Number of signatures.
    #[error("{} signatures", Count(coverage::MAX_SIGNATURES as u64))]
    Signatures,
    /// Number of cross-reference subsections.
    #[error("{} cross-reference subsections", Count(xref::MAX_SUBSECTIONS as u64))]
    Subsections,
    /// Total length of the syntax that is read.
    #[error("{} passes over the file's objects", Count(source::MAX_PASSES))]
    SyntaxRead,
    /// Length of a file whose newest cross-reference section is a table.
    #[error(
        "{} octets in a file with a cross-reference table",
        Count(cross_reference::MAX_TABLE_OFFSET)
    )]
    TableOffset,
    /// Length of all trailers.
    #[error("{} in all trailers", Size(xref::MAX_TRAILERS as u64))]
    TrailerLen,
    /// Number of values in all trailers.
    #[error("{} values in all trailers", Count(xref::MAX_TRAILER_VALUES as u64))]
    TrailerValues,
    /// Number of values in one object.
    #[error("{} values in one object", Count(lexer::MAX_VALUES as u64))]
    ValuesInObject,
}

/// A number with a comma before each three digits.
struct Count(u64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            small @ 0..1000 => write!(f, "{small}"),
            large => write!(f, "{},{:03}", Self(large / 1000), large % 1000),
        }
    }
}

/// A number of octets, in the largest unit that it is a multiple of.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.trailing_zeros() {
            30.. => write!(f, "{} GiB", Count(self.0 >> 30)),
            20..30 => write!(f, "{} MiB", Count(self.0 >> 20)),
            _ => write!(f, "{} octets", Count(self.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_state_their_numbers() {
        for (limit, text) in [
            (Limit::ContentsLen, "32 MiB of CMS"),
            (Limit::DecodedObjectStreams, "1 GiB of decoded object streams"),
            (Limit::Fields, "131,072 form fields and widgets"),
            (Limit::Nesting, "128 levels of nesting"),
            (Limit::TableOffset, "9,999,999,999 octets in a file with a cross-reference table"),
        ] {
            assert_eq!(limit.to_string(), text);
        }
        assert_eq!(Count(1_000_007).to_string(), "1,000,007");
        assert_eq!(Size(4096).to_string(), "4,096 octets");
    }
}

//! The place of a signature in the original octets, and its encoding.

use serde::{Deserialize, Serialize};

use crate::c14n::InsertionSite;
use crate::error::{Error, NotInsertable};
use crate::options::Position;
use crate::xml::Encoding;

/// A place between the octets of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Insertion {
    /// Number of octets of the document before it.
    pub(crate) offset: u64,
    /// Number of octets of the document that the insertion replaces: 2 for the `/>` of
    /// an empty-element tag, else 0.
    pub(crate) replaced: u64,
    encoding: Encoding,
    /// The name of the element around the insertion, if that was an empty-element tag
    /// and now needs an end tag.
    end_tag: Option<String>,
}

impl Insertion {
    pub(crate) fn new(site: &InsertionSite, position: &Position) -> Result<Self, Error> {
        let InsertionSite { name, span, root, encoding, .. } = site;
        let encoding = *encoding;
        let cannot = |why| Err(Error::CannotInsert { why });
        if span.in_entity {
            return cannot(NotInsertable::InEntity);
        }
        if matches!(position, Position::After(_)) {
            if span == root {
                return cannot(NotInsertable::AfterRoot);
            }
            return Ok(Self { offset: span.whole().end, replaced: 0, encoding, end_tag: None });
        }
        if span.is_empty_tag() {
            let replaced = encoding.width(b"/>");
            let offset = span.start_tag.end - replaced;
            return Ok(Self { offset, replaced, encoding, end_tag: Some(name.clone()) });
        }
        Ok(Self { offset: span.end_tag.start, replaced: 0, encoding, end_tag: None })
    }

    /// The octets to insert for an ASCII fragment.
    pub(crate) fn octets(&self, fragment: &str) -> Result<Vec<u8>, Error> {
        let text = match &self.end_tag {
            Some(name) => format!(">{fragment}</{name}>"),
            None => fragment.to_owned(),
        };
        let what = "its encoding does not have the characters of an element's name";
        let damaged = ades_core::Error::StateDamaged { what };
        self.encoding.encode(&text).ok_or(Error::Core(damaged))
    }
}

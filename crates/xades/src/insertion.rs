//! Where a signature goes into the original octets, and in which encoding.

use serde::{Deserialize, Serialize};

use crate::c14n::{Site, Target};
use crate::error::Error;
use crate::options::Position;
use crate::xml::Encoding;

/// A place between the octets of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Insertion {
    /// So many octets of the document come before.
    pub(crate) offset: u64,
    /// So many are replaced: the slash and the bracket of `<a/>`.
    pub(crate) replaced: u64,
    encoding: Encoding,
    /// The name of the element around it, if that was one tag and needs an end
    /// tag.
    end_tag: Option<String>,
}

impl Position {
    /// The element it is about; the root element if not given.
    pub(crate) const fn target(&self) -> Option<&Target> {
        match self {
            Self::LastInRoot => None,
            Self::LastIn(target) | Self::Behind(target) => Some(target),
        }
    }
}

impl Insertion {
    pub(crate) fn new(site: &Site, position: &Position) -> Result<Self, Error> {
        let Site { name, span, root, encoding, .. } = site;
        let encoding = *encoding;
        if span.in_entity {
            return Err(Error::CannotInsert { why: "its place comes out of an entity" });
        }
        if matches!(position, Position::Behind(_)) {
            if span == root {
                return Err(Error::CannotInsert { why: "nothing can be behind the root element" });
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

    /// The octets to insert for a fragment of ASCII.
    pub(crate) fn octets(&self, fragment: &str) -> Result<Vec<u8>, Error> {
        let text = match &self.end_tag {
            Some(name) => format!(">{fragment}</{name}>"),
            None => fragment.to_owned(),
        };
        let damaged = ades_core::Error::StateDamaged { what: "a name that its encoding has not" };
        self.encoding.encode(&text).ok_or(Error::Core(damaged))
    }
}

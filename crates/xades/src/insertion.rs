//! Where a signature goes into the original octets, and in which encoding.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::xml::{Encoding, Span};

/// The place of the last child of the root element.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Insertion {
    /// So many octets of the document come before.
    pub(crate) offset: u64,
    /// So many are replaced: the slash and the bracket of `<root/>`.
    pub(crate) replaced: u64,
    encoding: Encoding,
    /// The root element's name, if it was one tag and needs an end tag.
    end_tag: Option<String>,
}

impl Insertion {
    /// Before the root element's end tag.
    pub(crate) fn new(root: &Span, name: &str, encoding: Encoding) -> Self {
        if root.is_empty_tag() {
            let replaced = encoding.width(b"/>");
            let offset = root.start_tag.end - replaced;
            return Self { offset, replaced, encoding, end_tag: Some(name.to_owned()) };
        }
        Self { offset: root.end_tag.start, replaced: 0, encoding, end_tag: None }
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

//! The elements of a trusted list as a tree. The list was verified before, by a stricter reader;
//! this one reads the same octets.

use quick_xml::NsReader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};

use crate::error::Error;

/// Maximum length of a trusted list. The longest national list has some 5 MB.
pub const MAX_LIST_LEN: usize = 32 * 1024 * 1024;
/// Maximum number of elements in a trusted list.
pub const MAX_ELEMENTS: usize = 1_000_000;
/// Maximum depth of the elements.
pub const MAX_DEPTH: usize = 64;

const TRUSTED_LIST: &str = "http://uri.etsi.org/02231/v2#";
const ADDITIONAL_TYPES: &str = "http://uri.etsi.org/02231/v2/additionaltypes#";
const QUALIFICATIONS: &str =
    "http://uri.etsi.org/TrstSvc/SvcInfoExt/eSigDir-1999-93-EC-TrustedList/#";

/// The namespaces that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    /// TS 119 612
    List,
    /// Its additional types: `TakenOverBy`, `ExtendedKeyUsage`, `CertSubjectDNAttribute`
    Additional,
    /// `Qualifications`
    Qualifications,
    /// Any other, such as that of the signature
    Other,
}

/// An element with its content.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) space: Space,
    pub(crate) name: String,
    attributes: Vec<(String, String)>,
    /// Its own text, without that of its children.
    text: String,
    pub(crate) children: Vec<Self>,
}

impl Element {
    /// The children with a name in the namespace of trusted lists.
    pub(crate) fn all(&self, name: &'static str) -> impl Iterator<Item = &Self> {
        self.all_in(Space::List, name)
    }

    pub(crate) fn all_in(&self, space: Space, name: &'static str) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(move |child| child.space == space && child.name == name)
    }

    pub(crate) fn first(&self, name: &'static str) -> Option<&Self> {
        self.all(name).next()
    }

    /// As [`first`](Self::first), one child after the other.
    pub(crate) fn at(&self, path: &[&'static str]) -> Option<&Self> {
        path.iter().try_fold(self, |element, name| element.first(name))
    }

    /// Its text, without surrounding white space.
    pub(crate) fn text(&self) -> &str {
        self.text.trim()
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// Reads a document. Returns its root element.
pub(crate) fn read(octets: &[u8]) -> Result<Element, Error> {
    if octets.len() > MAX_LIST_LEN {
        return Err(Error::TooLong { max: MAX_LIST_LEN });
    }
    let text = std::str::from_utf8(octets)
        .map_err(|e| malformed(e.valid_up_to() as u64, "it is not in UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Builder { open: Vec::new(), root: None, count: 0 }.read(text)
}

struct Builder {
    /// The elements whose end is still to come.
    open: Vec<Element>,
    root: Option<Element>,
    count: usize,
}

impl Builder {
    fn read(mut self, text: &str) -> Result<Element, Error> {
        let mut reader = NsReader::from_str(text);
        loop {
            let offset = reader.buffer_position();
            let event = reader.read_resolved_event();
            let (space, event) = event.map_err(|e| malformed(offset, e.to_string()))?;
            let space = space_of(&space);
            match event {
                Event::Start(tag) => self.start(space, &tag, offset)?,
                Event::Empty(tag) => {
                    self.start(space, &tag, offset)?;
                    self.end();
                }
                Event::End(_) => self.end(),
                Event::Text(text) => self.push(&text.xml10_content()),
                Event::CData(text) => self.push(&text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let character =
                        resolve(&reference).ok_or_else(|| malformed(offset, "it has an entity"))?;
                    self.push(character.encode_utf8(&mut [0; 4]));
                }
                Event::DocType(_) => {
                    return Err(malformed(offset, "it has a document type declaration"));
                }
                // Another encoding would give other characters than those that were verified.
                Event::Decl(declaration) => {
                    let encoding = declaration.encoding().transpose();
                    let encoding = encoding.map_err(|e| malformed(offset, e.to_string()))?;
                    if encoding.is_some_and(|name| !name.eq_ignore_ascii_case("utf-8")) {
                        return Err(malformed(offset, "its encoding is not UTF-8"));
                    }
                }
                Event::Comment(_) | Event::PI(_) => {}
                Event::Eof => break,
            }
        }
        self.root.ok_or_else(|| malformed(text.len() as u64, "it has no root element"))
    }

    fn start(&mut self, space: Space, tag: &BytesStart<'_>, offset: u64) -> Result<(), Error> {
        self.count += 1;
        if self.count > MAX_ELEMENTS {
            return Err(Error::Limit { what: "elements", max: MAX_ELEMENTS });
        }
        if self.open.len() == MAX_DEPTH {
            return Err(Error::Limit { what: "elements inside one another", max: MAX_DEPTH });
        }
        if self.open.is_empty() && self.root.is_some() {
            return Err(malformed(offset, "it has two root elements"));
        }
        let mut attributes = Vec::new();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|e| malformed(offset, e.to_string()))?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(|e| malformed(offset, e.to_string()))?.into_owned();
            attributes.push((attribute.key.as_ref().to_owned(), value));
        }
        let name = tag.local_name().as_ref().to_owned();
        let (text, children) = (String::new(), Vec::new());
        self.open.push(Element { space, name, attributes, text, children });
        Ok(())
    }

    fn end(&mut self) {
        let Some(closed) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(closed),
            None => self.root = Some(closed),
        }
    }

    fn push(&mut self, text: &str) {
        if let Some(element) = self.open.last_mut() {
            element.text.push_str(text);
        }
    }
}

fn space_of(found: &ResolveResult<'_>) -> Space {
    match found {
        ResolveResult::Bound(Namespace(TRUSTED_LIST)) => Space::List,
        ResolveResult::Bound(Namespace(ADDITIONAL_TYPES)) => Space::Additional,
        ResolveResult::Bound(Namespace(QUALIFICATIONS)) => Space::Qualifications,
        _ => Space::Other,
    }
}

/// A character reference, or an entity that every XML document has.
fn resolve(reference: &BytesRef<'_>) -> Option<char> {
    Some(match &*reference.xml10_content() {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return reference.resolve_char_ref().ok().flatten(),
    })
}

fn malformed(offset: u64, problem: impl Into<String>) -> Error {
    Error::Xml { offset, problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_that_of_the_element_alone_and_entities_are_refused() {
        let list =
            "<l xmlns='http://uri.etsi.org/02231/v2#'><a> 1&amp;<!-- c -->&#50; <b>x</b></a></l>";
        let root = read(list.as_bytes()).unwrap();
        assert_eq!((root.space, root.name.as_str()), (Space::List, "l"));
        assert_eq!(root.first("a").unwrap().text(), "1&2");
        assert_eq!(root.at(&["a", "b"]).unwrap().text(), "x");
        for bad in [
            "<l>&e;</l>",
            "<!DOCTYPE l><l/>",
            "<?xml version='1.0' encoding='ISO-8859-1'?><l/>",
            "<l/><l/>",
            "<l>",
            "",
            "<l></k>",
        ] {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(matches!(read(b"<l>\xff</l>"), Err(Error::Xml { offset: 3, .. })));
    }

    #[test]
    fn depth_is_bounded() {
        let deep = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(read(deep(MAX_DEPTH).as_bytes()).is_ok());
        assert!(matches!(read(deep(MAX_DEPTH + 1).as_bytes()), Err(Error::Limit { .. })));
    }
}

//! Names elements of a document, and finds them while the document is read.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::namespaces::DS;
use crate::xml::{Attribute, StartElement, XML_NAMESPACE};

/// A description of one or several elements of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Target {
    /// The element with this Id, which must be the only one.
    Id(String),
    /// The element whose start tag begins at this octet.
    At(u64),
    /// Elements of this name.
    Named {
        /// The namespace name; empty for none.
        namespace: String,
        /// The local name.
        local_name: String,
        /// The index of one of them in document order, from 0. `None`: all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nth: Option<usize>,
    },
    /// Elements of this name whose attribute `Id`, in no namespace, has this value:
    /// XPath's `name[@Id = "…"]`. It does not matter which attributes are Ids, or how
    /// many elements match.
    NamedWithId {
        /// The namespace name; empty for none.
        namespace: String,
        /// The local name.
        local_name: String,
        /// The attribute's value.
        id: String,
    },
}

impl Target {
    /// The document's first `ds:Signature`, in document order.
    #[must_use]
    pub fn first_signature() -> Self {
        Self::signatures(Some(0))
    }

    /// All `ds:Signature` elements.
    #[must_use]
    pub fn all_signatures() -> Self {
        Self::signatures(None)
    }

    fn signatures(nth: Option<usize>) -> Self {
        Self::Named { namespace: DS.into(), local_name: "Signature".into(), nth }
    }
}

/// For messages: `with the Id "x"`, `at octet 7`, `{urn:a}b, number 2`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "with the Id {:?}", cut(id)),
            Self::At(at) => write!(f, "at octet {at}"),
            Self::Named { namespace, local_name, nth } => {
                write!(f, "{{{}}}{}", cut(namespace), cut(local_name))?;
                nth.map_or(Ok(()), |nth| write!(f, ", number {}", nth + 1))
            }
            Self::NamedWithId { namespace, local_name, id } => {
                write!(f, "{{{}}}{} with Id={:?}", cut(namespace), cut(local_name), cut(id))
            }
        }
    }
}

/// Shortens a name for a message: names may come from documents and be long.
fn cut(text: &str) -> &str {
    text.char_indices().nth(200).and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// The attributes that are Ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdAttributes {
    names: Vec<(String, String)>,
    dtd: bool,
}

impl IdAttributes {
    /// No attributes. [`and`](Self::and) adds some.
    #[must_use]
    pub const fn none() -> Self {
        Self { names: Vec::new(), dtd: false }
    }

    /// Adds attributes of this name. `""` means no namespace.
    #[must_use]
    pub fn and(mut self, namespace: &str, local_name: &str) -> Self {
        self.names.push((namespace.into(), local_name.into()));
        self
    }

    /// Adds the attributes that the document's internal DTD subset declares as type
    /// ID. The author of the document then decides what is an Id.
    #[must_use]
    pub const fn and_dtd(mut self) -> Self {
        self.dtd = true;
        self
    }

    /// The namespace names and local names, without those from a DTD.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names.iter().map(|(namespace, local_name)| (namespace.as_str(), local_name.as_str()))
    }

    /// Whether attributes that a DTD declares are among them.
    pub(crate) const fn has_dtd(&self) -> bool {
        self.dtd
    }

    /// Whether the element has this Id.
    fn has(&self, element: &StartElement<'_>, wanted: &str) -> bool {
        let wanted = wanted.as_bytes();
        element.attributes().any(|id| value(&id) == wanted && self.includes(&id))
    }

    /// The first of the element's Ids.
    pub(crate) fn of<'r>(&self, element: &StartElement<'r>) -> Option<&'r [u8]> {
        let id = element.attributes().find(|attribute| self.includes(attribute));
        id.as_ref().map(value)
    }

    pub(crate) fn includes(&self, attribute: &Attribute<'_>) -> bool {
        self.dtd && attribute.dtd_id
            || self.names.iter().any(|(namespace, local_name)| {
                attribute.local_name == local_name.as_bytes()
                    && attribute.namespace == namespace.as_bytes()
            })
    }
}

/// Trims the values of `xml:id`, which are tokens even if no DTD says so (xml:id 1.0,
/// clause 4).
fn value<'r>(attribute: &Attribute<'r>) -> &'r [u8] {
    let xml_id = attribute.namespace == XML_NAMESPACE.as_bytes();
    if xml_id { attribute.value.trim_ascii() } else { attribute.value }
}

impl Default for IdAttributes {
    /// `Id`, `ID`, `id` and `xml:id`.
    fn default() -> Self {
        Self::none().and("", "Id").and("", "ID").and("", "id").and(XML_NAMESPACE, "id")
    }
}

/// The search for a target.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TargetSearch {
    target: Target,
    /// The number of elements with the name so far, whatever `nth` is.
    met: usize,
    /// The offset of the first element with the Id.
    first: Option<u64>,
    /// The offset of another element with the Id.
    second: Option<u64>,
}

impl TargetSearch {
    pub(crate) const fn new(target: Target) -> Self {
        Self { target, met: 0, first: None, second: None }
    }

    /// Whether it is for an element that begins at the octet `from` or later.
    pub(crate) const fn is_at_or_after(&self, from: u64) -> bool {
        matches!(self.target, Target::At(at) if at >= from)
    }

    /// The Id of the element, if that is how it is found.
    pub(crate) const fn id(&self) -> Option<&str> {
        match &self.target {
            Target::Id(id) => Some(id.as_str()),
            _ => None,
        }
    }

    /// Whether the element certainly does not match, at the cost of one comparison. If it does
    /// not, [`meets`](Self::meets) need not see the element.
    pub(crate) fn passes_over(&self, element: &StartElement<'_>) -> bool {
        match &self.target {
            Target::Id(_) => element.tag.attributes.is_empty(),
            Target::At(at) => element.tag().start != *at,
            Target::Named { .. } | Target::NamedWithId { .. } => false,
        }
    }

    /// Whether the element matches. Call this for every element, in document order.
    pub(crate) fn meets(&mut self, element: &StartElement<'_>, ids: &IdAttributes) -> bool {
        let here = element.tag().start;
        match &self.target {
            Target::Id(id) => {
                let meets = ids.has(element, id);
                if meets {
                    match self.first {
                        None => self.first = Some(here),
                        Some(_) => self.second = self.second.or(Some(here)),
                    }
                    self.met += 1;
                }
                meets
            }
            Target::At(at) => {
                let meets = !element.in_entity() && here == *at;
                self.met += usize::from(meets);
                meets
            }
            Target::Named { namespace, local_name, nth } => {
                if element.local_name() != local_name.as_bytes()
                    || element.namespace() != namespace.as_bytes()
                {
                    return false;
                }
                let meets = nth.is_none_or(|nth| nth == self.met);
                self.met += 1;
                meets
            }
            Target::NamedWithId { namespace, local_name, id } => {
                let has_id = |attribute: Attribute<'_>| {
                    attribute.namespace.is_empty()
                        && attribute.local_name == b"Id"
                        && attribute.value == id.as_bytes()
                };
                let meets = element.local_name() == local_name.as_bytes()
                    && element.namespace() == namespace.as_bytes()
                    && element.attributes().any(has_id);
                self.met += usize::from(meets);
                meets
            }
        }
    }

    /// Returns an error if two elements have the Id.
    pub(crate) const fn check_unique(&self) -> Result<(), Error> {
        match (self.first, self.second) {
            (Some(first), Some(second)) => Err(Error::DuplicateId { first, second }),
            _ => Ok(()),
        }
    }

    /// Returns an error if no element matched.
    pub(crate) fn check_met(&self) -> Result<(), Error> {
        if self.met == 0 {
            return Err(self.not_found());
        }
        self.check_found()
    }

    /// Returns an error if the target must exist and was not found. A target that means
    /// all elements of a name need not exist.
    pub(crate) fn check_found(&self) -> Result<(), Error> {
        let found = match &self.target {
            Target::Named { nth: Some(nth), .. } => self.met > *nth,
            Target::Named { nth: None, .. } | Target::NamedWithId { .. } => true,
            Target::Id(_) | Target::At(_) => self.met > 0,
        };
        if found { Ok(()) } else { Err(self.not_found()) }
    }

    pub(crate) fn not_found(&self) -> Error {
        Error::NoSuchElement { target: self.target.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_element() {
        let named = |nth| Target::Named { namespace: "urn:a".into(), local_name: "b".into(), nth };
        assert_eq!(Target::Id("x\n".into()).to_string(), "with the Id \"x\\n\"");
        assert_eq!(named(Some(1)).to_string(), "{urn:a}b, number 2");
        assert_eq!(named(None).to_string(), "{urn:a}b");
        assert_eq!(Target::Id("é".repeat(1000)).to_string().chars().count(), 214);
    }
}

//! Which elements somebody means.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::properties::DS;
use crate::xml::{Attribute, StartElement, XML_NAMESPACE};

/// An element that somebody means.
#[derive(Clone, Debug, PartialEq, Eq)]
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
        /// Which of them, in document order, from 0; all if not given.
        nth: Option<usize>,
    },
    /// Elements of this name whose attribute `Id`, of no namespace, says this:
    /// XPath's `name[@Id = "…"]`. What is an Id otherwise does not matter, and
    /// neither does how many there are.
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

    const fn describe(&self) -> &'static str {
        match self {
            Self::Id(_) => "by Id",
            Self::At(_) => "by its place",
            Self::Named { .. } => "by its name",
            Self::NamedWithId { .. } => "by its name and Id",
        }
    }
}

/// Which attributes are Ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdAttributes {
    names: Vec<(String, String)>,
    dtd: bool,
}

impl IdAttributes {
    /// None but those that are added.
    #[must_use]
    pub const fn none() -> Self {
        Self { names: Vec::new(), dtd: false }
    }

    /// With attributes of this name; no namespace is `""`.
    #[must_use]
    pub fn and(mut self, namespace: &str, local_name: &str) -> Self {
        self.names.push((namespace.into(), local_name.into()));
        self
    }

    /// With those that the document's own DTD declares as of type ID. Whoever
    /// writes the document decides then what is an Id.
    #[must_use]
    pub const fn and_dtd(mut self) -> Self {
        self.dtd = true;
        self
    }

    /// Namespace names and local names, but for what a DTD declares.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names.iter().map(|(namespace, local_name)| (namespace.as_str(), local_name.as_str()))
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

/// xml:id values are tokens (xml:id 1.0, clause 4), whatever a DTD says.
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

/// A target, and what has been found of it.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    target: Target,
    met: usize,
    /// Where the element with the wanted Id begins.
    first: Option<u64>,
    /// And another one.
    second: Option<u64>,
}

impl Wanted {
    pub(crate) const fn new(target: Target) -> Self {
        Self { target, met: 0, first: None, second: None }
    }

    /// Whether the element is one that is meant.
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
                let meets = !element.in_entity && here == *at;
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
                let says = |attribute: Attribute<'_>| {
                    attribute.namespace.is_empty()
                        && attribute.local_name == b"Id"
                        && attribute.value == id.as_bytes()
                };
                let meets = element.local_name() == local_name.as_bytes()
                    && element.namespace() == namespace.as_bytes()
                    && element.attributes().any(says);
                self.met += usize::from(meets);
                meets
            }
        }
    }

    /// Whether what was found was not too much.
    pub(crate) const fn check_unique(&self) -> Result<(), Error> {
        match (self.first, self.second) {
            (Some(first), Some(second)) => Err(Error::DuplicateId { first, second }),
            _ => Ok(()),
        }
    }

    /// Whether there was one, of whatever number.
    pub(crate) const fn check_met(&self) -> Result<(), Error> {
        if self.met == 0 {
            return Err(Error::NoSuchElement { target: self.target.describe() });
        }
        self.check_found()
    }

    /// Whether it was there.
    pub(crate) const fn check_found(&self) -> Result<(), Error> {
        let found = match &self.target {
            Target::Named { nth: Some(nth), .. } => self.met > *nth,
            Target::Named { nth: None, .. } | Target::NamedWithId { .. } => true,
            Target::Id(_) | Target::At(_) => self.met > 0,
        };
        if found { Ok(()) } else { Err(Error::NoSuchElement { target: self.target.describe() }) }
    }
}

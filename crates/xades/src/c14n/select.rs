//! Which nodes of a document.

use crate::error::Error;
use crate::xml::{Attribute, StartElement, XML_NAMESPACE};

/// Whether an element is in the node-set, and whether the text, comments and
/// instructions directly in it are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The element with its attributes and namespaces.
    pub element: bool,
    /// Its text, comments and processing instructions.
    pub content: bool,
}

impl Shown {
    /// Both.
    pub const YES: Self = Self { element: true, content: true };
    /// Neither.
    pub const NO: Self = Self { element: false, content: false };
}

/// A node-set, decided element by element in document order.
pub trait Select {
    /// Whether an element is in it; `parent` is what was said of its parent.
    fn element(&mut self, element: &StartElement<'_>, parent: Shown) -> Shown;

    /// Whether the comments and instructions outside of the root element are.
    fn outside(&self) -> bool {
        false
    }
}

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
        Self::Named {
            namespace: "http://www.w3.org/2000/09/xmldsig#".into(),
            local_name: "Signature".into(),
            nth,
        }
    }

    const fn describe(&self) -> &'static str {
        match self {
            Self::Id(_) => "by Id",
            Self::At(_) => "by its place",
            Self::Named { .. } => "by its name",
        }
    }
}

/// Which attributes are Ids.
#[derive(Clone, Debug, PartialEq, Eq)]
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

    fn id<'r>(&self, element: &StartElement<'r>, wanted: &str) -> Option<Attribute<'r>> {
        element.attributes().find(|attribute| {
            // xml:id values are tokens (xml:id 1.0, clause 4), whatever a DTD says.
            let xml_id = attribute.namespace == XML_NAMESPACE.as_bytes();
            let value = if xml_id { attribute.value.trim_ascii() } else { attribute.value };
            value == wanted.as_bytes()
                && (self.dtd && attribute.dtd_id
                    || self.names.iter().any(|(namespace, local_name)| {
                        attribute.local_name == local_name.as_bytes()
                            && attribute.namespace == namespace.as_bytes()
                    }))
        })
    }
}

impl Default for IdAttributes {
    /// `Id`, `ID`, `id` and `xml:id`.
    fn default() -> Self {
        Self::none().and("", "Id").and("", "ID").and("", "id").and(XML_NAMESPACE, "id")
    }
}

/// A document, or an element with all that is in it; less some elements with
/// all that is in them.
#[derive(Clone, Debug)]
pub struct Selection {
    apex: Option<Wanted>,
    without: Vec<Wanted>,
    ids: IdAttributes,
}

impl Selection {
    /// The whole document.
    #[must_use]
    pub fn document() -> Self {
        Self { apex: None, without: Vec::new(), ids: IdAttributes::default() }
    }

    /// One element with all that is in it.
    #[must_use]
    pub fn element(target: Target) -> Self {
        Self { apex: Some(Wanted::new(target)), ..Self::document() }
    }

    /// Less this one.
    #[must_use]
    pub fn without(mut self, target: Target) -> Self {
        self.without.push(Wanted::new(target));
        self
    }

    /// With other Id attributes than `Id`, `ID`, `id` and `xml:id`.
    #[must_use]
    pub fn with_ids(mut self, ids: IdAttributes) -> Self {
        self.ids = ids;
        self
    }

    /// Whether it is the whole document, less what is left out.
    #[must_use]
    pub const fn is_document(&self) -> bool {
        self.apex.is_none()
    }

    /// What the element is, given what was said of its parent; `left_out` is
    /// whether it is in something left out, and becomes so if it is that
    /// itself. Nothing is selected in what is left out.
    pub(crate) fn role(
        &mut self,
        element: &StartElement<'_>,
        parent: Shown,
        left_out: &mut bool,
    ) -> Result<Role, Error> {
        let mut role = if parent.element { Role::Shown } else { Role::Hidden };
        if let Some(apex) = &mut self.apex
            && apex.meets(element, &self.ids)?
        {
            role = Role::Apex;
        }
        if *left_out {
            role = Role::Hidden;
        }
        for without in &mut self.without {
            if without.meets(element, &self.ids)? {
                *left_out = true;
                role = if role == Role::Hidden { role } else { Role::LeftOut };
            }
        }
        Ok(role)
    }

    /// Whether everything was there.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        let all = self.apex.iter().chain(&self.without);
        match all.into_iter().find(|wanted| !wanted.satisfied()) {
            Some(wanted) => Err(Error::NoSuchElement { target: wanted.target.describe() }),
            None => Ok(()),
        }
    }
}

/// What an element is to a selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Shown,
    Hidden,
    /// The selected element.
    Apex,
    /// Where what is left out begins.
    LeftOut,
}

/// A target, and what has been found of it.
#[derive(Clone, Debug)]
struct Wanted {
    target: Target,
    met: usize,
    /// Where the element with the wanted Id begins.
    first: Option<u64>,
}

impl Wanted {
    const fn new(target: Target) -> Self {
        Self { target, met: 0, first: None }
    }

    fn meets(&mut self, element: &StartElement<'_>, ids: &IdAttributes) -> Result<bool, Error> {
        match &self.target {
            Target::Id(id) => {
                if ids.id(element, id).is_none() {
                    return Ok(false);
                }
                let here = element.tag().start;
                if let Some(first) = self.first {
                    return Err(Error::DuplicateId { first, second: here });
                }
                self.first = Some(here);
                self.met += 1;
                Ok(true)
            }
            Target::At(at) => {
                let meets = !element.in_entity && element.tag().start == *at;
                self.met += usize::from(meets);
                Ok(meets)
            }
            Target::Named { namespace, local_name, nth } => {
                if element.local_name() != local_name.as_bytes()
                    || element.namespace() != namespace.as_bytes()
                {
                    return Ok(false);
                }
                let meets = nth.is_none_or(|nth| nth == self.met);
                self.met += 1;
                Ok(meets)
            }
        }
    }

    const fn satisfied(&self) -> bool {
        match &self.target {
            Target::Named { nth: Some(nth), .. } => self.met > *nth,
            Target::Named { nth: None, .. } => true,
            _ => self.met > 0,
        }
    }
}

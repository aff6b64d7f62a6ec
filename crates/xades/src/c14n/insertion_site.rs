//! The place in a document where a signature is inserted.

use crate::error::Error;
use crate::namespaces::DS;
use crate::xml::{Encoding, EndElement, Event, Reader, Span, StartElement};

use super::pass::ElementName;
use super::target::{IdAttributes, Target, TargetSearch};

/// The element that a signature goes into or after, and facts about the document.
pub(crate) struct InsertionSite {
    /// The element's name.
    pub(crate) name: String,
    /// The element's place.
    pub(crate) span: Span,
    /// The place of the root element.
    pub(crate) root: Span,
    pub(crate) encoding: Encoding,
    /// Whether the document contains a `ds:Signature`.
    pub(crate) signed: bool,
    /// Whether the element is inside a `ds:Signature`.
    pub(crate) in_signature: bool,
    /// Whether the element is a `ds:Signature`.
    pub(crate) is_signature: bool,
    pub(crate) has_doctype: bool,
    /// Whether the DTD declares attributes for elements with the prefixes of new
    /// signatures and properties.
    pub(crate) declares_attributes: bool,
}

/// What insertions into a document depend on, wherever they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InsertionFacts {
    pub(crate) encoding: Encoding,
    pub(crate) has_doctype: bool,
    /// As [`InsertionSite::declares_attributes`].
    pub(crate) declares_attributes: bool,
}

impl InsertionFacts {
    /// The facts about a document that was read to its end.
    pub(crate) fn new(reader: &Reader<'_>) -> Self {
        let dtd = reader.dtd();
        let prefixes = [b"ds".as_slice(), b"xades", b"xades141"];
        Self {
            encoding: reader.encoding(),
            has_doctype: dtd.present,
            declares_attributes: prefixes.into_iter().any(|prefix| dtd.declares_for(prefix)),
        }
    }
}

/// Finds an insertion site while the document is read.
pub(crate) struct SiteFinder<'i> {
    ids: &'i IdAttributes,
    /// `None`: the root element.
    search: Option<TargetSearch>,
    /// The depth of the element while it is open.
    open: Option<usize>,
    element: Option<(String, Span)>,
    root: Option<Span>,
    /// The root element.
    root_name: Option<ElementName>,
    /// Whether it contains an element that is not a signature.
    root_has_more: bool,
    signed: bool,
    /// The depth of the outermost signature that is open.
    signature: Option<usize>,
    in_signature: bool,
    is_signature: bool,
}

impl<'i> SiteFinder<'i> {
    /// Searches this element. `None`: the root element.
    pub(crate) fn new(target: Option<&Target>, ids: &'i IdAttributes) -> Self {
        Self {
            ids,
            search: target.cloned().map(TargetSearch::new),
            open: None,
            element: None,
            root: None,
            root_name: None,
            root_has_more: false,
            signed: false,
            signature: None,
            in_signature: false,
            is_signature: false,
        }
    }

    pub(crate) fn see(&mut self, event: &Event<'_>) {
        match event {
            Event::StartElement(element) => {
                self.start(element);
                if let Some(end) = element.end() {
                    self.end(&end);
                }
            }
            Event::EndElement(element) => self.end(element),
            _ => {}
        }
    }

    fn start(&mut self, element: &StartElement<'_>) {
        let signs = element.local_name() == b"Signature" && element.namespace() == DS.as_bytes();
        self.signed |= signs;
        match element.depth() {
            0 => self.root_name = Some(ElementName::new(element)),
            1 => self.root_has_more |= !signs,
            _ => {}
        }
        let meets = match &mut self.search {
            Some(search) => search.meets(element, self.ids),
            None => element.depth() == 0,
        };
        if meets && self.open.is_none() && self.element.is_none() {
            self.open = Some(element.depth());
            (self.in_signature, self.is_signature) = (self.signature.is_some(), signs);
        }
        if signs && self.signature.is_none() {
            self.signature = Some(element.depth());
        }
    }

    fn end(&mut self, element: &EndElement<'_>) {
        if self.open == Some(element.depth()) {
            let name = String::from_utf8_lossy(element.qualified_name()).into_owned();
            self.element = Some((name, element.span().clone()));
            self.open = None;
        }
        if self.signature == Some(element.depth()) {
            self.signature = None;
        }
        if element.depth() == 0 {
            self.root = Some(element.span().clone());
        }
    }

    /// The root element, if it contains more than signatures and no signature was found so far.
    pub(crate) fn unsigned_root(&self) -> Option<&ElementName> {
        let unsigned = self.root_has_more && !self.signed;
        self.root_name.as_ref().filter(|_| unsigned)
    }

    /// The site, after the document's end.
    pub(crate) fn finish(self, reader: &Reader<'_>) -> Result<InsertionSite, Error> {
        if let Some(search) = &self.search {
            search.check_unique()?;
            search.check_found()?;
        }
        let what = "the document has no root element";
        let root = self.root.ok_or(Error::NotWellFormed { offset: 0, what })?;
        let (name, span) = match (self.element, &self.search) {
            (Some(element), _) => element,
            (None, Some(search)) => return Err(search.not_found()),
            (None, None) => return Err(Error::NotWellFormed { offset: 0, what }),
        };
        let InsertionFacts { encoding, has_doctype, declares_attributes } =
            InsertionFacts::new(reader);
        Ok(InsertionSite {
            name,
            span,
            root,
            encoding,
            signed: self.signed,
            in_signature: self.in_signature,
            is_signature: self.is_signature,
            has_doctype,
            declares_attributes,
        })
    }
}

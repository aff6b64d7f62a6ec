//! A place in a document for whoever puts something into it.

use crate::error::Error;
use crate::properties::DS;
use crate::xml::{Encoding, EndElement, Event, Reader, Span, StartElement};

use super::target::{IdAttributes, Target, Wanted};

/// A place in a document, and the document around it.
pub(crate) struct Site {
    /// The element's name and where it stands.
    pub(crate) name: String,
    pub(crate) span: Span,
    /// Where the root element stands.
    pub(crate) root: Span,
    pub(crate) encoding: Encoding,
    /// Whether there is a `ds:Signature` in the document.
    pub(crate) signed: bool,
    /// Whether the element is within one, or is one.
    pub(crate) in_signature: bool,
    pub(crate) is_signature: bool,
    pub(crate) has_doctype: bool,
    /// Whether the DTD declares attributes for elements that have the prefixes
    /// of our signatures.
    pub(crate) declares_attributes: bool,
}

/// Finds it while the document is read.
pub(crate) struct Seeker<'i> {
    ids: &'i IdAttributes,
    /// The root element if not given.
    wanted: Option<Wanted>,
    /// The depth of the wanted element while it is open.
    open: Option<usize>,
    place: Option<(String, Span)>,
    root: Option<Span>,
    signed: bool,
    /// The depth of the outermost signature that is open.
    signature: Option<usize>,
    in_signature: bool,
    is_signature: bool,
}

impl<'i> Seeker<'i> {
    /// For a place in this element, the root element if not given.
    pub(crate) fn new(within: Option<&Target>, ids: &'i IdAttributes) -> Self {
        Self {
            ids,
            wanted: within.cloned().map(Wanted::new),
            open: None,
            place: None,
            root: None,
            signed: false,
            signature: None,
            in_signature: false,
            is_signature: false,
        }
    }

    pub(crate) fn see(&mut self, event: &Event<'_>) {
        match event {
            Event::StartElement(element) => self.start(element),
            Event::EndElement(element) => self.end(element),
            _ => {}
        }
    }

    fn start(&mut self, element: &StartElement<'_>) {
        let signs = element.local_name() == b"Signature" && element.namespace() == DS.as_bytes();
        self.signed |= signs;
        let meets = match &mut self.wanted {
            Some(wanted) => wanted.meets(element, self.ids),
            None => element.depth() == 0,
        };
        if meets && self.open.is_none() && self.place.is_none() {
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
            self.place = Some((name, element.span().clone()));
            self.open = None;
        }
        if self.signature == Some(element.depth()) {
            self.signature = None;
        }
        if element.depth() == 0 {
            self.root = Some(element.span().clone());
        }
    }

    /// The document has ended.
    pub(crate) fn finish(self, reader: &Reader<'_>) -> Result<Site, Error> {
        if let Some(wanted) = &self.wanted {
            wanted.check_unique()?;
            wanted.check_found()?;
        }
        let what = "a document without root element";
        let root = self.root.ok_or(Error::NotWellFormed { offset: 0, what })?;
        let missing = Error::NoSuchElement { target: "that the signature goes to" };
        let (name, span) = self.place.ok_or(missing)?;
        let dtd = reader.dtd();
        Ok(Site {
            name,
            span,
            root,
            encoding: reader.encoding(),
            signed: self.signed,
            in_signature: self.in_signature,
            is_signature: self.is_signature,
            has_doctype: dtd.present,
            declares_attributes: dtd.declares_for(b"ds") || dtd.declares_for(b"xades"),
        })
    }
}

//! The first reading of a document: finds its signatures, and keeps the parts of
//! them that verifying needs.

mod open_signature;

use std::cell::RefCell;
use std::ops::Range;

use ades_core::{DigestAlgorithm, Document, DocumentDigest};

use crate::c14n::{
    ElementName, IdAttributes, InsertionFacts, InsertionSite, PausedPass, Target, TargetSearch,
};
use crate::error::{Error, Limit};
use crate::namespaces::{ANY_XADES, DS};
use crate::options::ReadingOptions;
use crate::source_document::{Digesting, SourceDocument, digester};
use crate::xml::{EndElement, Event, Reader, Span, StartElement};

use super::signature::Signature;
use super::tree::Element;
use open_signature::{Keep, OpenSignature, take};

/// Maximum number of signatures in one document.
pub(crate) const MAX_SIGNATURES: usize = 1024;
/// Maximum depth of signatures inside one another.
pub(crate) const MAX_NESTED: usize = 8;
/// Maximum number of octets kept of one signature: certificates, references and
/// properties, time-stamps. Enveloped objects and the like are not kept.
pub(crate) const MAX_SIGNATURE_LEN: usize = 4 << 20;
/// Maximum number of octets kept of all signatures.
pub(crate) const MAX_SIGNATURES_LEN_TOGETHER: usize = 64 << 20;
/// Maximum number of octets kept of the revocation values and other validation data of
/// all signatures. More of them are left out, which is not an error.
pub(crate) const MAX_VALIDATION_DATA_LEN: usize = 32 << 20;
/// Maximum depth of the elements kept of a signature.
pub(crate) const MAX_DEPTH: usize = 64;
/// Maximum number of elements that the caller expects to be signed.
pub(crate) const MAX_EXPECTED: usize = 65_536;

/// The result of the first reading of a document.
#[derive(Debug)]
pub(crate) struct CollectedDocument {
    /// The number of octets.
    pub(crate) length: u64,
    pub(crate) root: ElementName,
    root_span: Span,
    /// Whether the root element contains anything except signatures.
    pub(crate) root_has_more: bool,
    /// In document order.
    pub(crate) signatures: Vec<CollectedSignature>,
    /// The places of the elements that the caller expects to be signed.
    pub(crate) expected: Vec<Range<u64>>,
    /// The elements that unsigned properties can be inserted into, in the order of their ends.
    properties: Vec<PropertiesElement>,
}

/// An element around unsigned properties.
#[derive(Debug)]
struct PropertiesElement {
    /// With its prefix.
    name: String,
    span: Span,
    depth: usize,
}

/// A `ds:Signature`.
#[derive(Clone, Debug)]
pub(crate) struct CollectedSignature {
    pub(crate) element: Element,
    /// The index of the signature around it.
    pub(crate) within: Option<usize>,
    /// Whether it is in a `xades:CounterSignature`.
    pub(crate) counter: bool,
    /// Whether it comes from an entity. It then has no place of its own.
    pub(crate) in_entity: bool,
}

impl CollectedSignature {
    /// `None`: malformed, or out of an entity.
    pub(crate) fn read(&self) -> Option<Signature<'_>> {
        if self.in_entity { None } else { Signature::read(&self.element) }
    }

    /// The index of the signature that it countersigns.
    pub(crate) fn countersigned(&self) -> Option<usize> {
        self.within.filter(|_| self.counter)
    }
}

impl CollectedDocument {
    /// The signature at this place of the report: the index of a signature, then of
    /// one of its countersignatures, and so on.
    pub(crate) fn signature(&self, which: &[usize]) -> Option<&CollectedSignature> {
        self.signatures.get(self.index(which)?)
    }

    /// The index of that signature.
    pub(crate) fn index(&self, which: &[usize]) -> Option<usize> {
        let mut at = None;
        for nth in which {
            let mut level = (0..).zip(&self.signatures).filter(|(_, it)| it.countersigned() == at);
            at = level.nth(*nth).map(|(index, _)| Some(index))?;
        }
        at
    }

    /// Its signatures, in its order. `None`: malformed, or out of an entity.
    pub(crate) fn read_signatures(&self) -> Vec<Option<Signature<'_>>> {
        self.signatures.iter().map(CollectedSignature::read).collect()
    }

    /// Reads the whole document.
    pub(crate) fn read(
        document: &mut Document<'_>,
        reading: &ReadingOptions,
        expected: &[Target],
    ) -> Result<Self, Error> {
        let mut length = 0;
        let mut reader =
            reading.reader(Counted { inner: document.reader()?, length: &mut length })?;
        let collector = Self::collect(&mut reader, reading, expected)?;
        drop(reader);
        collector.finish(length)
    }

    /// As [`read`](Self::read), for a document that is extended: digests its octets, and keeps
    /// what insertions depend on.
    pub(crate) fn read_to_extend(
        document: &mut Document<'_>,
        algorithm: DigestAlgorithm,
        reading: &ReadingOptions,
        expected: &[Target],
    ) -> Result<(Self, SourceDocument, InsertionFacts), Error> {
        let of_octets = RefCell::new(digester(document, algorithm)?);
        let mut octets = Digesting::new(document.reader()?, &of_octets, None);
        let mut reader = reading.reader(&mut octets)?;
        let collector = Self::collect(&mut reader, reading, expected)?;
        let facts = InsertionFacts::new(&reader);
        drop(reader);
        let length = octets.length;
        drop(octets);
        let digest = DocumentDigest(of_octets.into_inner().finish()?.finish());
        Ok((collector.finish(length)?, SourceDocument { digest, length }, facts))
    }

    /// Passes all events to a collector.
    fn collect<'i>(
        reader: &mut Reader<'_>,
        reading: &'i ReadingOptions,
        expected: &[Target],
    ) -> Result<Collector<'i>, Error> {
        let mut collector = Collector::new(&reading.ids, expected);
        while let Some(event) = reader.next_with_text()? {
            collector.see(&event)?;
        }
        Ok(collector)
    }

    /// The place of an insertion into the element around unsigned properties that begins at this
    /// octet, and the number of elements around that element.
    pub(crate) fn site(
        &self,
        start: u64,
        facts: &InsertionFacts,
    ) -> Option<(InsertionSite, usize)> {
        let around = self.properties.iter().find(|one| one.span.start_tag.start == start)?;
        let (name, span) = (around.name.clone(), around.span.clone());
        let InsertionFacts { encoding, has_doctype, declares_attributes } = *facts;
        let site = InsertionSite {
            name,
            span,
            root: self.root_span.clone(),
            encoding,
            signed: true,
            in_signature: true,
            is_signature: false,
            has_doctype,
            declares_attributes,
        };
        Some((site, around.depth))
    }

    /// The place of the root element.
    pub(crate) fn root_place(&self) -> Range<u64> {
        self.root_span.whole()
    }
}

/// Collects the signatures of a document while it is read.
pub(super) struct Collector<'a> {
    ids: &'a IdAttributes,
    expected: Vec<TargetSearch>,
    root: Option<ElementName>,
    root_span: Span,
    root_has_more: bool,
    signatures: Vec<CollectedSignature>,
    /// The open signatures, outermost first.
    open: Vec<OpenSignature>,
    /// For each open element: whether it is a `xades:CounterSignature`.
    is_counter_signature: Vec<bool>,
    /// The places of the expected elements.
    places: Vec<Range<u64>>,
    /// The elements around unsigned properties.
    properties: Vec<PropertiesElement>,
    /// The open expected elements: their depths and their indices in `places`.
    open_expected: Vec<(usize, usize)>,
    /// The number of octets kept of all signatures.
    kept_len: usize,
    /// The number of octets that may still be kept of validation data.
    validation_data_left: usize,
}

impl<'a> Collector<'a> {
    pub(super) fn new(ids: &'a IdAttributes, expected: &[Target]) -> Self {
        Self {
            ids,
            expected: expected.iter().cloned().map(TargetSearch::new).collect(),
            root: None,
            root_span: Span { start_tag: 0..0, end_tag: 0..0, in_entity: false },
            root_has_more: false,
            signatures: Vec::new(),
            open: Vec::new(),
            is_counter_signature: Vec::new(),
            places: Vec::new(),
            properties: Vec::new(),
            open_expected: Vec::new(),
            kept_len: 0,
            validation_data_left: MAX_VALIDATION_DATA_LEN,
        }
    }

    /// Continues a reading that found no signature yet, in a root element that contains more.
    pub(super) fn continuing(ids: &'a IdAttributes, paused: &PausedPass) -> Self {
        let root = &paused.root;
        let mut is_counter_signature = vec![false; paused.reader.depth()];
        if let Some(of_root) = is_counter_signature.first_mut() {
            *of_root =
                root.namespace.starts_with(ANY_XADES) && root.local_name == "CounterSignature";
        }
        Self {
            root: Some(root.clone()),
            root_has_more: true,
            is_counter_signature,
            ..Self::new(ids, &[])
        }
    }

    pub(super) fn see(&mut self, event: &Event<'_>) -> Result<(), Error> {
        match event {
            Event::StartElement(element) => {
                self.start(element)?;
                self.text(element.following())?;
                if let Some(end) = element.end() {
                    self.see_end(&end)?;
                }
            }
            Event::EndElement(element) => self.see_end(element)?,
            Event::Text(piece) => self.text(piece.as_bytes())?,
            Event::CommentStart => self.comment_or_instruction(true),
            Event::InstructionStart(_) => self.comment_or_instruction(false),
            _ => {}
        }
        Ok(())
    }

    fn see_end(&mut self, element: &EndElement<'_>) -> Result<(), Error> {
        if element.depth() == 0 {
            self.root_span = element.span().clone();
        }
        self.end(element);
        self.text(element.following)
    }

    /// The result, after the document's end. `length` is the number of its octets.
    pub(super) fn finish(self, length: u64) -> Result<CollectedDocument, Error> {
        for expected in &self.expected {
            expected.check_unique()?;
            expected.check_met()?;
        }
        let Some(root) = self.root else {
            let what = "the document has no root element";
            return Err(Error::NotWellFormed { offset: 0, what });
        };
        let Self { root_span, root_has_more, signatures, places, properties, .. } = self;
        Ok(CollectedDocument {
            length,
            root,
            root_span,
            root_has_more,
            signatures,
            expected: places,
            properties,
        })
    }

    fn start(&mut self, element: &StartElement<'_>) -> Result<(), Error> {
        if self.root.is_none() {
            self.root = Some(ElementName::new(element));
        }
        let meets = |expected: &mut TargetSearch| expected.meets(element, self.ids);
        // Each search must see the element, even after another one has matched.
        if self.expected.iter_mut().map(meets).fold(false, std::ops::BitOr::bitor) {
            if self.places.len() == MAX_EXPECTED {
                let offset = element.tag().start;
                return Err(limit(offset, Limit::ExpectedElements));
            }
            self.open_expected.push((element.depth(), self.places.len()));
            self.places.push(element.tag());
        }
        let signature =
            element.local_name() == b"Signature" && element.namespace() == DS.as_bytes();
        self.root_has_more |= element.depth() == 1 && !signature;
        if signature {
            self.start_signature(element)?;
        } else if let Some(open) = self.open.last_mut() {
            self.kept_len += open.start(element, self.ids, &mut self.validation_data_left)?;
            self.check_kept(element.tag().start)?;
        }
        let xades = element.namespace().starts_with(ANY_XADES.as_bytes());
        self.is_counter_signature.push(xades && element.local_name() == b"CounterSignature");
        Ok(())
    }

    fn start_signature(&mut self, element: &StartElement<'_>) -> Result<(), Error> {
        let offset = element.tag().start;
        if self.signatures.len() == MAX_SIGNATURES {
            return Err(limit(offset, Limit::Signatures));
        }
        if self.open.len() == MAX_NESTED {
            return Err(limit(offset, Limit::NestedSignatures));
        }
        let within = self.open.last().map(|open| open.index);
        if let Some(around) = self.open.last_mut() {
            // The signature around this one keeps only its start tag.
            if let (0, Some((parent, Keep::Everything))) = (around.skipped, around.open.last_mut())
            {
                parent.children.push(Element::new(element, self.ids));
            }
            around.skipped += 1;
        }
        let kept = Element::new(element, self.ids);
        let kept_len = kept.cost();
        self.kept_len += kept_len;
        let index = self.signatures.len();
        let open = vec![(kept, Keep::Signature)];
        self.open.push(OpenSignature { index, kept_len, open, skipped: 0 });
        self.signatures.push(CollectedSignature {
            element: Element::default(),
            within,
            counter: self.is_counter_signature.last() == Some(&true),
            in_entity: element.in_entity(),
        });
        self.check_kept(offset)
    }

    fn check_kept(&self, offset: u64) -> Result<(), Error> {
        if self.open.last().is_some_and(|one| one.kept_len > MAX_SIGNATURE_LEN) {
            return Err(limit(offset, Limit::SignatureLength));
        }
        if self.kept_len > MAX_SIGNATURES_LEN_TOGETHER {
            return Err(limit(offset, Limit::SignaturesLengthTogether));
        }
        Ok(())
    }

    fn text(&mut self, piece: &[u8]) -> Result<(), Error> {
        let white = || piece.iter().all(|&octet| matches!(octet, b' ' | b'\t' | b'\r' | b'\n'));
        if self.is_counter_signature.len() == 1 && !self.root_has_more {
            self.root_has_more = !white();
        }
        let Some(signature) = self.open.last_mut() else { return Ok(()) };
        let Some((element, keep)) = signature.open.last_mut() else { return Ok(()) };
        if signature.skipped > 0 {
            return Ok(());
        }
        if *keep == Keep::ValidationData {
            if !element.cut && take(&mut self.validation_data_left, piece.len()) {
                element.text.push_str(&String::from_utf8_lossy(piece));
            } else {
                (element.cut, element.text) = (true, String::new());
            }
            return Ok(());
        }
        if *keep != Keep::Everything {
            element.more = element.more || !white();
            return Ok(());
        }
        element.text.push_str(&String::from_utf8_lossy(piece));
        signature.kept_len += piece.len();
        self.kept_len += piece.len();
        let offset = element.place.start;
        self.check_kept(offset)
    }

    /// Records that an element contains a comment or an instruction that may not be
    /// signed. Elements that are kept with everything in them are signed with
    /// everything except comments. The signature value is not signed.
    fn comment_or_instruction(&mut self, comment: bool) {
        let Some(signature) = self.open.last_mut() else { return };
        let Some((element, keep)) = signature.open.last_mut() else { return };
        if signature.skipped == 0 {
            element.more |=
                comment || *keep != Keep::Everything || element.is(DS, "SignatureValue");
        }
    }

    fn end(&mut self, ended: &EndElement<'_>) {
        let (depth, span) = (ended.depth(), ended.span());
        self.is_counter_signature.pop();
        if let Some((_, index)) = self.open_expected.pop_if(|open| open.0 == depth)
            && let Some(place) = self.places.get_mut(index)
        {
            *place = span.whole();
        }
        let Some(signature) = self.open.last_mut() else { return };
        if signature.skipped > 0 {
            signature.skipped -= 1;
            return;
        }
        let Some((mut element, keep)) = signature.open.pop() else { return };
        element.place = span.whole();
        if keep.is_around_properties() {
            let name = String::from_utf8_lossy(ended.qualified_name()).into_owned();
            self.properties.push(PropertiesElement { name, span: span.clone(), depth });
        }
        match signature.open.last_mut() {
            Some((parent, _)) => parent.children.push(element),
            None => {
                if let Some(collected) = self.signatures.get_mut(signature.index) {
                    collected.element = element;
                }
                self.open.pop();
                if let Some(around) = self.open.last_mut() {
                    around.skipped -= 1;
                }
            }
        }
    }
}

const fn limit(offset: u64, limit: Limit) -> Error {
    Error::Limit { offset: Some(offset), limit }
}

/// Counts the octets that are read through it.
pub(super) struct Counted<'l, R> {
    pub(super) inner: R,
    pub(super) length: &'l mut u64,
}

impl<R: std::io::Read> std::io::Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        *self.length += read as u64;
        Ok(read)
    }
}

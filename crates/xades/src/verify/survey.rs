//! The first reading of a document: where its signatures are, and what of each
//! has to be held.

use std::ops::Range;

use ades_core::Document;

use crate::c14n::{IdAttributes, Selected, Target, Wanted};
use crate::error::Error;
use crate::options::Reading;
use crate::properties::DS;
use crate::xml::{Event, Span, StartElement};

use super::tree::Element;

/// A document may have this many signatures.
const MAX_SIGNATURES: usize = 1024;
/// Signatures within signatures are followed this deep.
const MAX_NESTED: usize = 8;
/// So many octets are held of one signature: certificates, references and
/// properties, but neither enveloped objects nor time-stamps and the like.
const MAX_SIGNATURE: usize = 4 << 20;
/// So many of all.
const MAX_SIGNATURES_TOGETHER: usize = 64 << 20;
/// Elements within elements of what is held.
const MAX_DEPTH: usize = 64;
/// So many elements directly in a `ds:Object` are told apart.
const MAX_IN_OBJECT: usize = 64;
/// So many elements may be expected.
const MAX_EXPECTED: usize = 65_536;

/// What the namespaces of all versions of XAdES begin with.
pub(crate) const ANY_XADES: &str = "http://uri.etsi.org/01903/";

/// What a document has.
#[derive(Debug)]
pub(crate) struct Survey {
    /// In octets.
    pub(crate) length: u64,
    pub(crate) root: Selected,
    pub(crate) root_place: Range<u64>,
    /// Whether there is anything but signatures in the root element.
    pub(crate) root_has_more: bool,
    pub(crate) signatures: Vec<Found>,
    /// Where the elements are that the caller expects to be signed.
    pub(crate) expected: Vec<Range<u64>>,
}

/// A `ds:Signature`.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) element: Element,
    /// The signature around it: its place in the list.
    pub(crate) within: Option<usize>,
    /// Whether it stands in a `xades:CounterSignature`.
    pub(crate) counter: bool,
    /// Whether it comes out of an entity: then it has no place of its own.
    pub(crate) in_entity: bool,
}

/// What is held of an element's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    Nothing,
    Everything,
    /// Of a `ds:Signature`.
    Signature,
    /// Of a `ds:Object`.
    Object,
    Qualifying,
    Unsigned,
    /// Of the signature, or of what is signed.
    UnsignedOfKind,
    /// Nothing, and of the element itself only its name and place.
    Place,
}

impl Hold {
    /// What is held of a child behind so many others; `None`: not even its name.
    fn of_child(self, element: &StartElement<'_>, before: usize) -> Option<Self> {
        let ds = element.namespace() == DS.as_bytes();
        let xades = element.namespace().starts_with(ANY_XADES.as_bytes());
        match (self, element.local_name()) {
            (Self::Nothing | Self::Place, _) => None,
            (Self::Everything, b"X509CRL") if ds => None,
            (Self::Everything, _) => Some(Self::Everything),
            (Self::Signature, b"SignedInfo" | b"SignatureValue" | b"KeyInfo") if ds => {
                Some(Self::Everything)
            }
            (Self::Signature, b"Object") if ds => Some(Self::Object),
            (Self::Signature, _) => Some(Self::Nothing),
            (Self::Object, b"Manifest") if ds => Some(Self::Everything),
            (Self::Object, b"QualifyingProperties") if xades => Some(Self::Qualifying),
            (Self::Object, _) => (before < MAX_IN_OBJECT).then_some(Self::Place),
            (Self::Qualifying, b"SignedProperties") if xades => Some(Self::Everything),
            (Self::Qualifying, b"UnsignedProperties") if xades => Some(Self::Unsigned),
            (Self::Qualifying, _) => Some(Self::Nothing),
            (Self::Unsigned, b"UnsignedSignatureProperties" | b"UnsignedDataObjectProperties")
                if xades =>
            {
                Some(Self::UnsignedOfKind)
            }
            (Self::Unsigned | Self::UnsignedOfKind, _) => Some(Self::Nothing),
        }
    }
}

/// A signature that has begun.
struct Collector {
    /// Its place in the list.
    index: usize,
    open: Vec<(Element, Hold)>,
    /// How deep in what is not held.
    skipped: usize,
    held: usize,
}

impl Found {
    /// The signature that it countersigns, as its place in the list.
    pub(crate) fn countersigned(&self) -> Option<usize> {
        self.within.filter(|_| self.counter)
    }
}

impl Survey {
    /// The signature at this place of the report: of the signatures one, of its
    /// countersignatures one, and so on.
    pub(crate) fn signature(&self, which: &[usize]) -> Option<&Found> {
        let mut at = None;
        for nth in which {
            let mut level = (0..).zip(&self.signatures).filter(|(_, it)| it.countersigned() == at);
            at = level.nth(*nth).map(|(index, _)| Some(index))?;
        }
        self.signatures.get(at?)
    }

    /// Reads the whole document.
    pub(crate) fn read(
        document: &mut Document<'_>,
        reading: &Reading,
        expected: &[Target],
    ) -> Result<Self, Error> {
        let mut length = 0;
        let counted = Counted { inner: document.reader()?, length: &mut length };
        let mut reader = reading.reader(counted)?;
        let mut surveyor = Surveyor {
            ids: &reading.ids,
            expected: expected.iter().cloned().map(Wanted::new).collect(),
            root: None,
            root_has_more: false,
            found: Vec::new(),
            collectors: Vec::new(),
            parents: Vec::new(),
            places: Vec::new(),
            open_expected: Vec::new(),
            held: 0,
        };
        let mut root_place = 0..0;
        while let Some(event) = reader.next_event()? {
            match event {
                Event::StartElement(element) => surveyor.start(&element)?,
                Event::EndElement(element) => {
                    if element.depth() == 0 {
                        root_place = element.span().whole();
                    }
                    surveyor.end(element.depth(), element.span());
                }
                Event::Text(piece) => surveyor.text(piece.as_bytes())?,
                Event::CommentStart => surveyor.aside(true),
                Event::InstructionStart(_) => surveyor.aside(false),
                _ => {}
            }
        }
        drop(reader);
        for expected in &surveyor.expected {
            expected.check_unique()?;
            expected.check_met()?;
        }
        let Some(root) = surveyor.root else {
            let what = "a document without root element";
            return Err(Error::NotWellFormed { offset: 0, what });
        };
        let Surveyor { root_has_more, found: signatures, places: expected, .. } = surveyor;
        Ok(Self { length, root, root_place, root_has_more, signatures, expected })
    }
}

struct Surveyor<'a> {
    ids: &'a IdAttributes,
    expected: Vec<Wanted>,
    root: Option<Selected>,
    root_has_more: bool,
    found: Vec<Found>,
    /// Of the signatures that are open, outermost first.
    collectors: Vec<Collector>,
    /// Of each open element: whether it is a `xades:CounterSignature`.
    parents: Vec<bool>,
    /// Where the expected elements are ...
    places: Vec<Range<u64>>,
    /// ... and how deep those are that have not ended.
    open_expected: Vec<(usize, usize)>,
    /// Of all signatures.
    held: usize,
}

impl Surveyor<'_> {
    fn start(&mut self, element: &StartElement<'_>) -> Result<(), Error> {
        if self.root.is_none() {
            self.root = Some(Selected::new(element));
        }
        let meets = |expected: &mut Wanted| expected.meets(element, self.ids);
        // Each of them counts, even if another one was met.
        if self.expected.iter_mut().map(meets).fold(false, std::ops::BitOr::bitor) {
            if self.places.len() == MAX_EXPECTED {
                let offset = element.tag().start;
                return Err(Error::Limit { offset, limit: "65,536 expected elements" });
            }
            self.open_expected.push((element.depth(), self.places.len()));
            self.places.push(element.tag());
        }
        let signature =
            element.local_name() == b"Signature" && element.namespace() == DS.as_bytes();
        self.root_has_more |= element.depth() == 1 && !signature;
        if signature {
            self.start_signature(element)?;
        } else if let Some(collector) = self.collectors.last_mut() {
            self.held += collector.start(element, self.ids)?;
            self.check_held(element.tag().start)?;
        }
        let xades = element.namespace().starts_with(ANY_XADES.as_bytes());
        self.parents.push(xades && element.local_name() == b"CounterSignature");
        Ok(())
    }

    fn start_signature(&mut self, element: &StartElement<'_>) -> Result<(), Error> {
        let offset = element.tag().start;
        if self.found.len() == MAX_SIGNATURES {
            return Err(Error::Limit { offset, limit: "1,024 signatures" });
        }
        if self.collectors.len() == MAX_NESTED {
            return Err(Error::Limit { offset, limit: "8 signatures within signatures" });
        }
        let within = self.collectors.last().map(|collector| collector.index);
        if let Some(around) = self.collectors.last_mut() {
            // The one around holds nothing of this one, but knows of it.
            if let (0, Some((parent, Hold::Everything))) = (around.skipped, around.open.last_mut())
            {
                parent.children.push(Element::new(element, self.ids));
            }
            around.skipped += 1;
        }
        let held = Element::new(element, self.ids);
        self.held += held.cost();
        let index = self.found.len();
        self.collectors.push(Collector {
            index,
            held: held.cost(),
            open: vec![(held, Hold::Signature)],
            skipped: 0,
        });
        self.found.push(Found {
            element: Element::default(),
            within,
            counter: self.parents.last() == Some(&true),
            in_entity: element.in_entity,
        });
        self.check_held(offset)
    }

    fn check_held(&self, offset: u64) -> Result<(), Error> {
        let one = self.collectors.last().is_some_and(|one| one.held > MAX_SIGNATURE);
        if one {
            return Err(Error::Limit { offset, limit: "4 MiB of one signature" });
        }
        if self.held > MAX_SIGNATURES_TOGETHER {
            return Err(Error::Limit { offset, limit: "64 MiB of all signatures" });
        }
        Ok(())
    }

    fn text(&mut self, piece: &[u8]) -> Result<(), Error> {
        let white = || piece.iter().all(|&octet| matches!(octet, b' ' | b'\t' | b'\r' | b'\n'));
        if self.parents.len() == 1 && !self.root_has_more {
            self.root_has_more = !white();
        }
        let Some(collector) = self.collectors.last_mut() else { return Ok(()) };
        let Some((element, hold)) = collector.open.last_mut() else { return Ok(()) };
        if collector.skipped > 0 {
            return Ok(());
        }
        if *hold != Hold::Everything {
            element.more = element.more || !white();
            return Ok(());
        }
        element.text.push_str(&String::from_utf8_lossy(piece));
        collector.held += piece.len();
        self.held += piece.len();
        let offset = element.place.start;
        self.check_held(offset)
    }

    /// A comment or an instruction. What is held as a whole is signed as a whole,
    /// less its comments, but for the signature's value.
    fn aside(&mut self, comment: bool) {
        let Some(collector) = self.collectors.last_mut() else { return };
        let Some((element, hold)) = collector.open.last_mut() else { return };
        if collector.skipped == 0 {
            element.more |=
                comment || *hold != Hold::Everything || element.is(DS, "SignatureValue");
        }
    }

    fn end(&mut self, depth: usize, span: &Span) {
        self.parents.pop();
        if let Some((_, index)) = self.open_expected.pop_if(|open| open.0 == depth)
            && let Some(place) = self.places.get_mut(index)
        {
            *place = span.whole();
        }
        let Some(collector) = self.collectors.last_mut() else { return };
        if collector.skipped > 0 {
            collector.skipped -= 1;
            return;
        }
        let Some((mut element, _)) = collector.open.pop() else { return };
        element.place = span.whole();
        match collector.open.last_mut() {
            Some((parent, _)) => parent.children.push(element),
            None => {
                if let Some(found) = self.found.get_mut(collector.index) {
                    found.element = element;
                }
                self.collectors.pop();
                if let Some(around) = self.collectors.last_mut() {
                    around.skipped -= 1;
                }
            }
        }
    }
}

impl Collector {
    /// An element begins in the signature; what holding it costs.
    fn start(&mut self, element: &StartElement<'_>, ids: &IdAttributes) -> Result<usize, Error> {
        let hold = match self.open.last_mut() {
            Some((parent, hold)) if self.skipped == 0 => {
                let hold = hold.of_child(element, parent.children.len());
                parent.more |= hold.is_none();
                hold
            }
            _ => None,
        };
        let Some(hold) = hold else {
            self.skipped += 1;
            return Ok(0);
        };
        if self.open.len() == MAX_DEPTH {
            let offset = element.tag().start;
            return Err(Error::Limit {
                offset,
                limit: "64 elements within one another in a signature",
            });
        }
        let held = match hold {
            Hold::Place => Element::bare(element),
            _ => Element::new(element, ids),
        };
        let cost = held.cost();
        self.held += cost;
        self.open.push((held, hold));
        Ok(cost)
    }
}

/// Counts what is read through it.
struct Counted<'l, R> {
    inner: R,
    length: &'l mut u64,
}

impl<R: std::io::Read> std::io::Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        *self.length += read as u64;
        Ok(read)
    }
}

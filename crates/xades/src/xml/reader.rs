//! The reader: returns the events of a document.

mod grammar;
mod paused;

use std::fmt;
use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, Limit};

use super::dtd::Dtd;
use super::encoding::Encoding;
use super::entities::Budget;
use super::event::{EndElement, Event, Extent, Span, StartElement, Text};
use super::limits::Limits;
use super::namespaces::Namespaces;
use super::scan::{Bad, Stop, SyntaxFault, Token};
use super::tag::Tag;
use super::window::Window;
use super::xml_scope::XmlScope;

pub(crate) use paused::PausedReader;

/// Reads a document once, from its start to its end, and returns its [`Event`]s.
pub struct Reader<'a> {
    window: Window<'a>,
    limits: Limits,
    ignore_external_subset: bool,
    stage: Stage,
    inside: Inside,
    /// The length of the window that the last event covers.
    used: usize,
    /// The length of the plain text that follows it, if it is a tag and the text is not returned
    /// yet.
    following: usize,
    /// The number of closing brackets at the end of the text so far, at most 2.
    brackets: usize,
    /// Whether the last event was the first one of an empty-element tag.
    empty_tag: bool,
    /// The entities whose text is being read, outermost first.
    frames: Vec<Frame>,
    dtd: Dtd,
    budget: Budget,
    open: Vec<OpenElement>,
    names: Vec<u8>,
    namespaces: Namespaces,
    xml_scope: XmlScope,
    tag: Tag,
    span: Span,
    character: ([u8; 4], usize),
}

/// The part of the document that the reader is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Before the document type declaration and the root element.
    Start,
    /// After the document type declaration.
    Prolog,
    Content,
    Epilog,
}

/// The construct of unlimited length that the reader is inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    Nothing,
    Comment,
    Cdata,
    /// The white space after the target of an instruction.
    InstructionSpace,
    InstructionData,
}

/// The text of an entity.
#[derive(Debug)]
struct Frame {
    text: Arc<[u8]>,
    at: usize,
    /// The number of elements that were open at its start.
    open: usize,
    /// The place of the reference in the original octets.
    reference: Range<u64>,
}

/// An element whose end has not been read. The numbers are the lengths to restore at
/// its end.
#[derive(Clone, Debug)]
struct OpenElement {
    name: usize,
    namespaces: usize,
    xml_scope: usize,
    start_tag: Range<u64>,
    in_entity: bool,
}

/// The [`Event`] at the window's start. It borrows nothing.
enum Step {
    Start,
    End { name: Range<usize>, canonical: bool },
    Text { len: usize, plain: bool },
    Character,
    LineFeed,
    CommentStart,
    CommentText(usize),
    CommentEnd,
    InstructionStart(Range<usize>),
    InstructionData(usize),
    InstructionEnd,
}

impl<'a> Reader<'a> {
    /// Reads a document in memory.
    ///
    /// # Errors
    /// An error about the document's first octets.
    pub fn from_slice(octets: &'a [u8]) -> Result<Self, Error> {
        Window::from_slice(octets).map(Self::new)
    }

    /// Reads a document from a reader.
    ///
    /// # Errors
    /// An error about the document's first octets; [`ades_core::Error::Read`].
    pub fn from_read(reader: impl Read + 'a) -> Result<Self, Error> {
        Window::from_read(Box::new(reader)).map(Self::new)
    }

    fn new(window: Window<'a>) -> Self {
        Self {
            window,
            limits: Limits::DEFAULT,
            ignore_external_subset: false,
            stage: Stage::Start,
            inside: Inside::Nothing,
            used: 0,
            following: 0,
            brackets: 0,
            empty_tag: false,
            frames: Vec::new(),
            dtd: Dtd::default(),
            budget: Budget::new(&Limits::DEFAULT),
            open: Vec::new(),
            names: Vec::new(),
            namespaces: Namespaces::new(),
            xml_scope: XmlScope::default(),
            tag: Tag::default(),
            span: Span { start_tag: 0..0, end_tag: 0..0, in_entity: false },
            character: ([0; 4], 0),
        }
    }

    /// Sets limits, instead of [`Limits::DEFAULT`].
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.budget = Budget::new(&limits);
        self.limits = limits;
        self
    }

    /// Reads documents that name an external DTD subset as if they named none, as XML
    /// 1.0 (clause 5.1) allows. The declarations in the subset, above all default
    /// attributes, are then missing. By default such a document is rejected with
    /// [`Error::External`].
    #[must_use]
    pub const fn ignoring_external_subset(mut self) -> Self {
        self.ignore_external_subset = true;
        self
    }

    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The number of octets read so far.
    pub(crate) fn read(&self) -> u64 {
        self.offset(0)
    }

    pub(crate) const fn encoding(&self) -> Encoding {
        self.window.encoding()
    }

    pub(crate) const fn dtd(&self) -> &Dtd {
        &self.dtd
    }

    /// The next event. `None` at the document's end.
    ///
    /// # Errors
    /// An error about the document. The reader must not be used after an error.
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>, Error> {
        self.next(false)
    }

    /// As [`next_event`](Self::next_event), except that an event covers more. That of a tag covers
    /// the text that follows the tag, up to the first character that a canonical form might not
    /// copy. That of a start tag also covers the end tag, and the text after that, if the element
    /// has no other content. Most of a document is such text and such elements.
    pub(crate) fn next_with_text(&mut self) -> Result<Option<Event<'_>>, Error> {
        self.next(true)
    }

    fn next(&mut self, with_text: bool) -> Result<Option<Event<'_>>, Error> {
        let Some(step) = self.step()? else { return Ok(None) };
        let mut covered = Extent { tag: self.used, ..Extent::default() };
        if with_text {
            covered.following = std::mem::take(&mut self.following);
            self.used += covered.following;
            if matches!(step, Step::Start)
                && !self.empty_tag
                && let Some(end_tag) = self.close_leaf(self.used)
            {
                covered.end_tag = end_tag;
                covered.after = std::mem::take(&mut self.following);
                self.used += end_tag + covered.after;
            }
        }
        Ok(Some(self.event(step, covered)))
    }

    #[inline]
    fn event(&self, step: Step, covered: Extent) -> Event<'_> {
        let rest = rest(&self.frames, &self.window);
        let piece = |len: usize| rest.get(..len).unwrap_or_default();
        match step {
            Step::Start => Event::StartElement(StartElement {
                text: rest,
                tag: &self.tag,
                namespaces: &self.namespaces,
                xml_scope: &self.xml_scope,
                covered,
                span: &self.span,
            }),
            Step::End { name, canonical } => {
                let both = piece(covered.tag + covered.following);
                Event::EndElement(EndElement {
                    canonical: canonical.then_some(both),
                    name: rest.get(name).unwrap_or_default(),
                    following: both.get(covered.tag..).unwrap_or_default(),
                    span: &self.span,
                    depth: self.open.len(),
                })
            }
            Step::Text { len, plain } => Event::Text(Text { text: piece(len), plain }),
            Step::Character => {
                let (utf8, len) = &self.character;
                let text = utf8.get(..*len).unwrap_or_default();
                Event::Text(Text { text, plain: false })
            }
            Step::LineFeed => match self.inside {
                Inside::Comment => Event::CommentText(b"\n"),
                Inside::InstructionData => Event::InstructionData(b"\n"),
                _ => Event::Text(Text { text: b"\n", plain: true }),
            },
            Step::CommentStart => Event::CommentStart,
            Step::CommentText(len) => Event::CommentText(piece(len)),
            Step::CommentEnd => Event::CommentEnd,
            Step::InstructionStart(target) => {
                Event::InstructionStart(rest.get(target).unwrap_or_default())
            }
            Step::InstructionData(len) => Event::InstructionData(piece(len)),
            Step::InstructionEnd => Event::InstructionEnd,
        }
    }

    #[inline]
    fn step(&mut self) -> Result<Option<Step>, Error> {
        let used = std::mem::take(&mut self.used);
        self.skip(used);
        if self.following > 0 {
            let len = std::mem::take(&mut self.following);
            self.used = len;
            return Ok(Some(Step::Text { len, plain: true }));
        }
        if self.empty_tag {
            return Ok(Some(self.end_of_empty_tag()));
        }
        loop {
            let step = match self.inside {
                Inside::Nothing if self.stage == Stage::Content => self.content()?,
                Inside::Nothing if self.window.rest().is_empty() => match self.at_window_end()? {
                    true => continue,
                    false => return Ok(None),
                },
                Inside::Nothing => self.outside()?,
                inside => self.within(inside)?,
            };
            if step.is_some() {
                return Ok(step);
            }
        }
    }

    /// Skips the start of the window.
    fn skip(&mut self, len: usize) {
        match self.frames.last_mut() {
            Some(frame) => frame.at += len,
            None => self.window.advance(len),
        }
    }

    /// Extends the empty window, or leaves an entity. Returns false at the document's
    /// end.
    fn at_window_end(&mut self) -> Result<bool, Error> {
        if let Some(frame) = self.frames.last() {
            if frame.open != self.open.len() {
                return self.wrong(0, "an element begins in an entity and does not end there");
            }
            self.frames.pop();
            self.brackets = 0;
            return Ok(true);
        }
        if self.window.more()? {
            return Ok(true);
        }
        match self.stage {
            Stage::Epilog => Ok(false),
            Stage::Content => self.wrong(0, "the document ends inside an element"),
            _ => self.wrong(0, "the document has no root element"),
        }
    }

    /// Extends the window, because its end cuts off a token.
    fn need_more(&mut self) -> Result<(), Error> {
        self.check_length(rest(&self.frames, &self.window).len())?;
        self.need_more_of_long()
    }

    fn check_length(&self, len: usize) -> Result<(), Error> {
        if len > self.limits.tag {
            return Err(self.limit(Limit::TagLength(self.limits.tag)));
        }
        Ok(())
    }

    fn need_more_of_long(&mut self) -> Result<(), Error> {
        if !self.frames.is_empty() {
            return self.wrong(0, "an entity ends inside a token");
        }
        if self.window.more()? {
            return Ok(());
        }
        let at = self.window.rest().len();
        self.wrong(at, "the document ends inside a token")
    }

    fn wrong<T>(&self, at: usize, what: &'static str) -> Result<T, Error> {
        Err(self.error(at, SyntaxFault::NotWellFormed(what)))
    }

    /// The error for a fault at this place of the window.
    fn error(&self, at: usize, fault: SyntaxFault) -> Error {
        fault.error(self.offset(at))
    }

    /// The error for a limit that is exceeded here.
    fn limit(&self, limit: Limit) -> Error {
        self.error(0, SyntaxFault::Limit(limit))
    }

    fn offset(&self, at: usize) -> u64 {
        match self.frames.first() {
            Some(frame) => frame.reference.start,
            None => self.window.offset(at),
        }
    }

    /// The original octets of `len` octets of the window from `at` on.
    #[inline]
    fn range(&self, at: usize, len: usize) -> Range<u64> {
        match self.frames.first() {
            Some(frame) => frame.reference.clone(),
            None => self.window.range(at, len),
        }
    }

    /// The result of reading a token. `None` if the window was extended and the token
    /// must be read again.
    fn token<T>(&mut self, token: Token<T>) -> Result<Option<T>, Error> {
        match token {
            Ok(read) => Ok(Some(read)),
            Err(Stop::More) => self.need_more().map(|()| None),
            Err(Stop::Bad(Bad { at, fault })) => Err(self.error(at, fault)),
        }
    }
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("depth", &self.open.len()).finish_non_exhaustive()
    }
}

/// The window: an entity's text, or the document.
#[inline]
fn rest<'r>(frames: &'r [Frame], window: &'r Window<'_>) -> &'r [u8] {
    match frames.last() {
        Some(frame) => frame.text.get(frame.at..).unwrap_or_default(),
        None => window.rest(),
    }
}

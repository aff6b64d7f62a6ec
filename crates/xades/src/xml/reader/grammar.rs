//! Reads the productions of XML 1.0, each at the start of the window.

use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, ExternalResource, Limit};
use crate::xml::chars::{self, SPACE};
use crate::xml::dtd::{self, Entity};
use crate::xml::entities::{entity_name, predefined};
use crate::xml::event::Span;
use crate::xml::scan::{Bad, Cursor, Stop, SyntaxFault, Token, bad};

use super::{Frame, Inside, OpenElement, Reader, Stage, Step, rest};

impl Reader<'_> {
    /// Reads the next step before or after the root element: clauses 2.1 and 2.8.
    pub(super) fn outside(&mut self) -> Result<Option<Step>, Error> {
        let text = self.window.rest();
        let spaces = text.iter().take_while(|&&octet| chars::is(octet, SPACE)).count();
        match text.get(spaces) {
            None => {}
            Some(b'<') if spaces == 0 => return self.markup(),
            Some(b'<') => {}
            Some(_) => return self.wrong(spaces, "text outside the root element"),
        }
        self.skip(spaces);
        Ok(None)
    }

    /// Reads the next step in content.
    pub(super) fn content(&mut self) -> Result<Option<Step>, Error> {
        let text = rest(&self.frames, &self.window);
        let Some(first) = text.first() else {
            return self.at_window_end().map(|_| None);
        };
        match first {
            b'<' => match text.get(1) {
                Some(b'/') => self.end_tag(),
                None | Some(b'?' | b'!') => {
                    self.brackets = 0;
                    self.markup()
                }
                Some(_) => self.start_tag(),
            },
            b'&' => {
                self.brackets = 0;
                self.reference()
            }
            b'>' => {
                if self.brackets == 2 {
                    return self.wrong(0, "]]> in text");
                }
                self.brackets = 0;
                self.used = 1;
                Ok(Some(Step::Text { len: 1, plain: false }))
            }
            b'\r' => {
                self.brackets = 0;
                self.carriage_return()
            }
            _ => {
                let len;
                (len, self.brackets) = plain_text(text, 0, self.brackets);
                self.used = len;
                Ok(Some(Step::Text { len, plain: true }))
            }
        }
    }

    /// Normalises line ends (clause 2.11): CR LF and CR become LF. In the text of an
    /// entity a CR comes from a character reference and stays.
    fn carriage_return(&mut self) -> Result<Option<Step>, Error> {
        if !self.frames.is_empty() {
            self.used = 1;
            return Ok(Some(match self.inside {
                Inside::Comment => Step::CommentText(1),
                Inside::InstructionData => Step::InstructionData(1),
                _ => Step::Text { len: 1, plain: false },
            }));
        }
        if self.window.rest().len() < 2 && self.window.more()? {
            return Ok(None);
        }
        if self.window.rest().get(1) == Some(&b'\n') {
            self.window.advance(1);
            return Ok(None);
        }
        self.used = 1;
        Ok(Some(Step::LineFeed))
    }

    /// Reads markup that begins with `<`, except tags in content.
    fn markup(&mut self) -> Result<Option<Step>, Error> {
        let text = rest(&self.frames, &self.window);
        match text.get(1) {
            None => self.need_more().map(|()| None),
            Some(b'?') => self.instruction(),
            Some(b'!') => self.declaration(),
            Some(_) if self.stage == Stage::Epilog => {
                self.wrong(0, "an element after the root element")
            }
            Some(_) => self.start_tag(),
        }
    }

    fn start_tag(&mut self) -> Result<Option<Step>, Error> {
        if self.open.len() >= self.limits.depth {
            return Err(self.limit(Limit::ElementDepth(self.limits.depth)));
        }
        if self.dtd.present {
            let read = self.offset(0);
            self.budget.read(read, &self.limits);
        }
        let spent = self.budget.spent();
        let text = rest(&self.frames, &self.window);
        if let Err(stop) = self.tag.read(text, &self.limits, &self.dtd, &mut self.budget) {
            self.budget.return_to(spent);
            return self.token(Err(stop));
        }
        self.check_length(self.tag.len)?;
        self.tag.place = self.range(0, self.tag.len);
        self.tag.in_entity = !self.frames.is_empty();
        self.tag.depth = self.open.len();
        let open = OpenElement {
            name: self.names.len(),
            namespaces: self.namespaces.len(),
            xml_scope: self.xml_scope.len(),
            start_tag: self.tag.place.clone(),
            in_entity: self.tag.in_entity,
        };
        let resolved = self.tag.resolve(text, &self.limits, &mut self.namespaces);
        if let Err(Bad { at, fault }) = resolved {
            return Err(self.error(at, fault));
        }
        self.names.extend_from_slice(text.get(self.tag.name.range()).unwrap_or_default());
        for attribute in self.tag.of_xml() {
            let name = self.tag.local_name(text, attribute);
            self.xml_scope.push(self.open.len(), name, self.tag.value(text, attribute));
        }
        if self.xml_scope.len() > self.limits.xml_attributes {
            return Err(self.limit(Limit::XmlAttributes(self.limits.xml_attributes)));
        }
        let records = (self.open.len() + 1) * size_of::<OpenElement>();
        let held = self.names.len() + self.namespaces.held() + self.xml_scope.held() + records;
        if held > self.limits.open {
            return Err(self.limit(Limit::OpenElements(self.limits.open)));
        }
        self.open.push(open);
        self.stage = Stage::Content;
        self.empty_tag = self.tag.empty;
        if !self.tag.empty {
            self.used = self.tag.len;
            (self.following, self.brackets) = plain_text(text, self.tag.len, 0);
        }
        Ok(Some(Step::Start))
    }

    pub(super) fn end_of_empty_tag(&mut self) -> Step {
        self.empty_tag = false;
        self.used = self.tag.len;
        let end = self.tag.place.end;
        self.close(end..end);
        if self.stage == Stage::Content {
            let text = rest(&self.frames, &self.window);
            (self.following, self.brackets) = plain_text(text, self.tag.len, 0);
        }
        Step::End { name: self.tag.name.range(), canonical: false }
    }

    fn end_tag(&mut self) -> Result<Option<Step>, Error> {
        let Some(open) = self.open.last() else { return Ok(None) };
        let name = self.names.get(open.name..).unwrap_or_default();
        let text = rest(&self.frames, &self.window);
        let len = match end_tag(text, name) {
            Ok(len) => len,
            Err(stop) => return self.token(Err(stop)),
        };
        let name = 2..2 + name.len();
        self.check_length(len)?;
        if self.frames.last().is_some_and(|frame| frame.open == self.open.len()) {
            return self.wrong(0, "an element ends in an entity and does not begin there");
        }
        let range = self.range(0, len);
        // No text follows the root element.
        if self.open.len() > 1 {
            (self.following, self.brackets) = plain_text(text, len, 0);
        }
        self.close(range);
        self.used = len;
        Ok(Some(Step::End { canonical: len == name.end + 1, name }))
    }

    /// Closes the element that was opened last, if its end tag follows `covered` octets of the
    /// window as a canonical form writes it. Returns the length of the end tag. An element with
    /// declarations stays open: what they declare is in scope while its event is used.
    pub(super) fn close_leaf(&mut self, covered: usize) -> Option<usize> {
        let open = self.open.last()?;
        if open.namespaces < self.namespaces.len() || open.xml_scope < self.xml_scope.len() {
            return None;
        }
        let name = self.names.get(open.name..)?;
        let text = rest(&self.frames, &self.window);
        let len = name.len() + 3;
        let tag = text.get(covered..covered + len)?;
        let own = tag.strip_prefix(b"</").and_then(|tag| tag.strip_suffix(b">"));
        if own != Some(name) || len > self.limits.tag {
            return None;
        }
        let range = self.range(covered, len);
        if self.open.len() > 1 {
            (self.following, self.brackets) = plain_text(text, covered + len, 0);
        }
        self.close(range);
        Some(len)
    }

    /// Closes the innermost open element.
    fn close(&mut self, end_tag: Range<u64>) {
        let Some(open) = self.open.pop() else { return };
        self.names.truncate(open.name);
        self.namespaces.truncate(open.namespaces);
        self.xml_scope.truncate(open.xml_scope);
        self.span = Span { start_tag: open.start_tag, end_tag, in_entity: open.in_entity };
        if self.open.is_empty() {
            self.stage = Stage::Epilog;
        }
    }

    fn instruction(&mut self) -> Result<Option<Step>, Error> {
        let mut cursor = Cursor::new(rest(&self.frames, &self.window), 2);
        let token = dtd::instruction_target(&mut cursor).map(|_| ());
        let end = cursor.at;
        if self.token(token)?.is_none() {
            return Ok(None);
        }
        self.inside = Inside::InstructionSpace;
        self.used = end;
        Ok(Some(Step::InstructionStart(2..end)))
    }

    /// Reads markup that begins with `<!`.
    fn declaration(&mut self) -> Result<Option<Step>, Error> {
        let mut cursor = Cursor::new(rest(&self.frames, &self.window), 0);
        let token = cursor.skip(b"<!--");
        match self.token(token)? {
            None => return Ok(None),
            Some(true) => {
                self.inside = Inside::Comment;
                self.used = 4;
                return Ok(Some(Step::CommentStart));
            }
            Some(false) => {}
        }
        if self.stage == Stage::Content {
            let mut cursor = Cursor::new(rest(&self.frames, &self.window), 0);
            let token = cursor.expect(b"<![CDATA[", "a declaration that is not allowed here");
            if self.token(token)?.is_some() {
                self.inside = Inside::Cdata;
                self.skip(9);
            }
            return Ok(None);
        }
        if self.stage != Stage::Start {
            return self.wrong(0, "a declaration that is not allowed here");
        }
        let limit = Limit::DoctypeLength(self.limits.dtd);
        let spent = self.budget.spent();
        let (len, dtd) = match dtd::read(self.window.rest(), &mut self.budget) {
            Ok((len, _)) if len > self.limits.dtd => {
                return Err(self.limit(limit));
            }
            Ok(read) => read,
            Err(Stop::More) if self.window.rest().len() > self.limits.dtd => {
                return Err(self.limit(limit));
            }
            Err(Stop::More) => {
                self.budget.return_to(spent);
                return self.need_more_of_long().map(|()| None);
            }
            Err(Stop::Bad(Bad { at, fault })) => return Err(self.error(at, fault)),
        };
        if dtd.external && !self.ignore_external_subset {
            let subset = SyntaxFault::External(ExternalResource::DtdSubset);
            return Err(self.error(0, subset));
        }
        self.dtd = dtd;
        self.stage = Stage::Prolog;
        self.skip(len);
        Ok(None)
    }

    /// Reads a reference in content, which begins with `&`: clause 4.4.
    fn reference(&mut self) -> Result<Option<Step>, Error> {
        let text = rest(&self.frames, &self.window);
        let mut cursor = Cursor::new(text, 0);
        if text.get(1) == Some(&b'#') {
            let token = cursor.char_reference();
            self.used = cursor.at;
            let Some(c) = self.token(token)? else {
                self.used = 0;
                return Ok(None);
            };
            return Ok(Some(self.character(c)));
        }
        let token = entity_name(&mut cursor);
        let len = cursor.at;
        if len > self.limits.tag {
            return self.check_length(len).map(|()| None);
        }
        let fault = match token {
            Ok(name) => match (predefined(name), self.dtd.entity(name)) {
                (Some(c), _) => {
                    self.used = len;
                    return Ok(Some(self.character(c)));
                }
                (_, Some(Entity::Internal(text))) => {
                    let text = text.clone();
                    return self.enter(text, len).map(|()| None);
                }
                (_, Some(Entity::External)) => {
                    SyntaxFault::External(ExternalResource::GeneralEntity)
                }
                (_, Some(Entity::Unparsed)) => {
                    SyntaxFault::NotWellFormed("a reference to an unparsed entity")
                }
                (_, None) => SyntaxFault::NotWellFormed("an entity that is not declared"),
            },
            Err(stop) => return self.token::<()>(Err(stop)).map(|_| None),
        };
        Err(self.error(0, fault))
    }

    fn character(&mut self, c: char) -> Step {
        let mut utf8 = [0; 4];
        let len = c.encode_utf8(&mut utf8).len();
        self.character = (utf8, len);
        Step::Character
    }

    /// Continues in the text of an entity.
    fn enter(&mut self, text: Arc<[u8]>, reference: usize) -> Result<(), Error> {
        let range = self.range(0, reference);
        self.budget.read(range.start, &self.limits);
        if self.frames.len() >= self.limits.entity_depth {
            return Err(self.limit(Limit::EntityDepth(self.limits.entity_depth)));
        }
        let token = self.budget.spend(text.len(), 0);
        self.token(token)?;
        self.skip(reference);
        self.frames.push(Frame { text, at: 0, open: self.open.len(), reference: range });
        Ok(())
    }

    /// Reads the next step inside a comment, CDATA section or instruction.
    pub(super) fn within(&mut self, inside: Inside) -> Result<Option<Step>, Error> {
        let text = rest(&self.frames, &self.window);
        if inside == Inside::InstructionSpace {
            let spaces = text.iter().take_while(|&&octet| chars::is(octet, SPACE)).count();
            if spaces == text.len() {
                self.skip(spaces);
                return self.need_more_of_long().map(|()| None);
            }
            self.skip(spaces);
            self.inside = Inside::InstructionData;
            return Ok(None);
        }
        let end: &[u8] = match inside {
            Inside::Comment => b"--",
            Inside::Cdata => b"]]>",
            _ => b"?>",
        };
        match run(text, end) {
            (0, Ends::Cut) => self.need_more_of_long().map(|()| None),
            (0, Ends::CarriageReturn) => self.carriage_return(),
            (0, Ends::Here) => self.end_of(inside, end.len()),
            (len, _) => {
                self.used = len;
                Ok(Some(match inside {
                    Inside::Comment => Step::CommentText(len),
                    Inside::Cdata => Step::Text { len, plain: false },
                    _ => Step::InstructionData(len),
                }))
            }
        }
    }

    fn end_of(&mut self, inside: Inside, len: usize) -> Result<Option<Step>, Error> {
        let mut used = len;
        let step = match inside {
            Inside::Comment => {
                let mut cursor = Cursor::new(rest(&self.frames, &self.window), len);
                let token = cursor.expect(b">", "two hyphens in a comment");
                if self.token(token)?.is_none() {
                    return Ok(None);
                }
                used += 1;
                Some(Step::CommentEnd)
            }
            Inside::Cdata => None,
            _ => Some(Step::InstructionEnd),
        };
        self.inside = Inside::Nothing;
        match step {
            Some(_) => self.used = used,
            None => self.skip(used),
        }
        Ok(step)
    }
}

/// The length of the plain text from `at` on, and the number of closing brackets, at most 2, at its
/// end. `brackets` of them precede it.
#[inline]
fn plain_text(text: &[u8], at: usize, brackets: usize) -> (usize, usize) {
    let end = chars::find_text_stop(text, at);
    let run = text.get(at..end).unwrap_or_default();
    if !run.ends_with(b"]") {
        return (run.len(), if run.is_empty() { brackets } else { 0 });
    }
    let own = run.iter().rev().take(2).take_while(|&&octet| octet == b']').count();
    let carried = if own == run.len() { brackets } else { 0 };
    (run.len(), (own + carried).min(2))
}

/// Reads an end tag of this name. Returns its length.
fn end_tag(text: &[u8], name: &[u8]) -> Token<usize> {
    let mut cursor = Cursor::new(text, 2);
    cursor.expect(name, "an end tag that does not match the open element")?;
    if cursor.peek()? != b'>' {
        if cursor.spaces() == 0 {
            return bad(2, "an end tag that does not match the open element");
        }
        cursor.expect(b">", "an end tag with more than a name")?;
        return Ok(cursor.at);
    }
    Ok(cursor.at + 1)
}

/// Why a run ends.
enum Ends {
    /// The terminator follows.
    Here,
    CarriageReturn,
    /// The window ends, possibly inside the terminator.
    Cut,
}

/// The length of the text before a terminator or a carriage return.
fn run(text: &[u8], end: &[u8]) -> (usize, Ends) {
    let first = end.first().copied().unwrap_or_default();
    let mut at = 0;
    loop {
        let tail = text.get(at..).unwrap_or_default();
        // Blocks that contain neither are compared many octets at a time.
        let blocks = tail
            .chunks(64)
            .take_while(|piece| !chars::any(piece, |octet| (octet == first) | (octet == b'\r')))
            .map(<[u8]>::len)
            .sum::<usize>();
        at += blocks;
        let tail = text.get(at..).unwrap_or_default();
        let Some(found) = tail.iter().position(|&octet| octet == first || octet == b'\r') else {
            return (text.len(), Ends::Cut);
        };
        at += found;
        let tail = tail.get(found..).unwrap_or_default();
        if tail.first() == Some(&b'\r') {
            return (at, Ends::CarriageReturn);
        }
        if tail.starts_with(end) {
            return (at, Ends::Here);
        }
        if end.starts_with(tail) {
            return (at, Ends::Cut);
        }
        at += 1;
    }
}

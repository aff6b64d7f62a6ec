//! A window on a document: its octets are decoded and checked piece by piece.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::ops::Range;

use crate::error::Error;

use super::chars;
use super::declaration::{self, Prologue};
use super::encoding::{Decoded, Encoding};

/// Number of octets by which the window is extended.
const PIECE: usize = 64 * 1024;

/// A window on a document: the text from the reader's position to the end of the
/// checked text.
pub(crate) struct Window<'a> {
    octets: Octets<'a>,
    encoding: Encoding,
    /// The reader's position.
    at: usize,
    /// The end of the checked text, which has only characters that XML allows.
    checked: usize,
    /// A position, and its offset in the original octets.
    known: Cell<(usize, u64)>,
    /// The offset of the window's first octet, if the document is UTF-8.
    first: u64,
    /// The fault after the checked text.
    wrong: Option<(u64, &'static str)>,
}

enum Octets<'a> {
    /// UTF-8 in memory. The window is the document.
    Slice(&'a [u8]),
    Stream(Stream<'a>),
}

struct Stream<'a> {
    reader: Box<dyn Read + 'a>,
    /// The number of octets that it has returned.
    fetched: u64,
    /// Octets that have not been decoded. The first `held` are valid.
    raw: Vec<u8>,
    held: usize,
    /// The window. The widths stay empty for UTF-8, in which each octet is one of the document.
    decoded: Decoded,
    ended: bool,
}

/// A window without its source. A source of the octets that follow continues it.
#[derive(Clone)]
pub(crate) struct PausedWindow {
    /// The number of octets of the document that the source has returned.
    pub(crate) fetched: u64,
    /// Those that have not been decoded.
    raw: Vec<u8>,
    decoded: Decoded,
    encoding: Encoding,
    at: usize,
    checked: usize,
    known: (usize, u64),
    first: u64,
}

impl<'a> Window<'a> {
    /// This place of the document. `None` in memory, at the document's end and before an error.
    pub(crate) fn pause(&self) -> Option<PausedWindow> {
        let Octets::Stream(stream) = &self.octets else { return None };
        let goes_on = !stream.ended && self.wrong.is_none();
        goes_on.then(|| PausedWindow {
            fetched: stream.fetched,
            raw: stream.raw.get(..stream.held).unwrap_or_default().to_vec(),
            decoded: stream.decoded.clone(),
            encoding: self.encoding,
            at: self.at,
            checked: self.checked,
            known: self.known.get(),
            first: self.first,
        })
    }

    /// Continues with a source of the octets that follow.
    pub(crate) fn resume(paused: &PausedWindow, reader: Box<dyn Read + 'a>) -> Self {
        let PausedWindow { fetched, raw, decoded, encoding, at, checked, known, first } =
            paused.clone();
        let held = raw.len();
        let stream = Stream { reader, fetched, raw, held, decoded, ended: false };
        let (octets, known) = (Octets::Stream(stream), Cell::new(known));
        Self { octets, encoding, at, checked, known, first, wrong: None }
    }

    pub(crate) fn from_slice(octets: &'a [u8]) -> Result<Self, Error> {
        let prologue = declaration::read(octets)?;
        if prologue.encoding != Encoding::Utf8 {
            return Self::from_read(Box::new(octets));
        }
        let start = prologue.mark + prologue.declaration;
        Ok(Self {
            octets: Octets::Slice(octets),
            encoding: Encoding::Utf8,
            at: start,
            checked: start,
            known: Cell::new((0, 0)),
            first: 0,
            wrong: None,
        })
    }

    pub(crate) fn from_read(reader: Box<dyn Read + 'a>) -> Result<Self, Error> {
        let decoded = Decoded::default();
        let mut stream =
            Stream { reader, fetched: 0, raw: Vec::new(), held: 0, decoded, ended: false };
        while stream.held < declaration::MAX_LEN && !stream.ended {
            stream.fetch(declaration::MAX_LEN)?;
        }
        let held = stream.raw.get(..stream.held).unwrap_or_default();
        let Prologue { encoding, mark, declaration } = declaration::read(held)?;
        stream.consume(mark);
        let mut window = Self {
            octets: Octets::Stream(stream),
            encoding,
            at: 0,
            checked: 0,
            known: Cell::new((0, mark as u64)),
            first: mark as u64,
            wrong: None,
        };
        window.decode();
        while window.rest().len() < declaration {
            if !window.more()? {
                break;
            }
        }
        window.advance(declaration);
        Ok(window)
    }

    pub(crate) const fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The text of the window from the reader's position on.
    #[inline]
    pub(crate) fn rest(&self) -> &[u8] {
        let window = match &self.octets {
            Octets::Slice(octets) => octets,
            Octets::Stream(stream) => stream.decoded.text.as_slice(),
        };
        window.get(self.at..self.checked).unwrap_or_default()
    }

    /// Moves the reader's position.
    #[inline]
    pub(crate) fn advance(&mut self, len: usize) {
        self.at = (self.at + len).min(self.checked);
    }

    /// Extends the window: at least doubles it, if the document is long enough, so that
    /// reading a long token repeatedly costs no more than its length. Returns false at
    /// the document's end.
    pub(crate) fn more(&mut self) -> Result<bool, Error> {
        if let Some((offset, what)) = self.wrong {
            return Err(Error::Encoding { offset, what });
        }
        let pending = self.checked - self.at;
        match &mut self.octets {
            Octets::Slice(octets) => {
                let end = octets.len().min(self.checked + pending.max(PIECE));
                let piece = octets.get(self.checked..end).unwrap_or_default();
                let last = end == octets.len();
                let before = self.checked;
                let (good, what) = check_utf8(piece, last);
                self.checked += good;
                self.wrong = what.map(|what| (self.checked as u64, what));
                if self.checked > before {
                    return Ok(true);
                }
            }
            Octets::Stream(stream) => {
                let (at, offset) = self.known.get();
                self.known.set((0, count_offset(&stream.decoded, at, offset, self.at)));
                stream.forget(self.at);
                self.first += self.at as u64;
                self.checked -= self.at;
                self.at = 0;
                let before = self.checked;
                while self.checked <= before.saturating_add(pending.saturating_sub(1)) {
                    let Octets::Stream(stream) = &mut self.octets else { break };
                    if stream.ended && stream.held == 0 || self.wrong.is_some() {
                        break;
                    }
                    if !stream.ended {
                        stream.fetch(stream.held + PIECE)?;
                    }
                    self.decode();
                }
                if self.checked > before {
                    return Ok(true);
                }
            }
        }
        match self.wrong {
            Some((offset, what)) => Err(Error::Encoding { offset, what }),
            None => Ok(false),
        }
    }

    /// Decodes the fetched octets.
    fn decode(&mut self) {
        let Octets::Stream(stream) = &mut self.octets else { return };
        let raw = stream.raw.get(..stream.held).unwrap_or_default();
        let (used, what) = if self.encoding == Encoding::Utf8 {
            let (good, what) = check_utf8(raw, stream.ended);
            stream.decoded.text.extend_from_slice(raw.get(..good).unwrap_or_default());
            (good, what)
        } else {
            let (used, what) = self.encoding.decode(raw, &mut stream.decoded);
            let cut_off = stream.ended && used < raw.len() && what.is_none();
            (used, if cut_off { Some(CUT_OFF) } else { what })
        };
        stream.consume(used);
        self.checked = stream.decoded.text.len();
        if let Some(what) = what {
            self.wrong = Some((self.offset_of(self.checked), what));
        }
    }

    /// The offset in the original octets of the text `len` octets after the reader's
    /// position.
    pub(crate) fn offset(&self, len: usize) -> u64 {
        let at = (self.at + len).min(self.checked);
        let offset = self.offset_of(at);
        self.known.set((at, offset));
        offset
    }

    /// The original octets of `len` octets of the text, which begin `at` octets after the reader's
    /// position.
    #[inline]
    pub(crate) fn range(&self, at: usize, len: usize) -> Range<u64> {
        if self.encoding == Encoding::Utf8 {
            let [start, end] = [at, at + len].map(|at| (self.at + at).min(self.checked));
            return self.first + start as u64..self.first + end as u64;
        }
        let start = self.offset(at);
        start..self.offset(at + len)
    }

    fn offset_of(&self, to: usize) -> u64 {
        let (at, offset) = self.known.get();
        match &self.octets {
            Octets::Slice(_) => to as u64,
            Octets::Stream(stream) => count_offset(&stream.decoded, at, offset, to),
        }
    }
}

const CUT_OFF: &str = "a character is cut off";

/// The offset of the position `to`, from the known offset of the position `at`.
fn count_offset(decoded: &Decoded, at: usize, offset: u64, to: usize) -> u64 {
    let len = |range: Range<usize>| {
        if decoded.widths.is_empty() {
            return range.len() as u64;
        }
        let widths = decoded.widths.get(range).unwrap_or_default();
        widths.iter().map(|width| u64::from(*width)).sum()
    };
    if to >= at { offset + len(at..to) } else { offset.saturating_sub(len(to..at)) }
}

/// The number of octets that are characters that XML allows, and the fault of the next
/// one. A character that is cut off is a fault only at the end.
fn check_utf8(octets: &[u8], last: bool) -> (usize, Option<&'static str>) {
    let (good, mut wrong) = match std::str::from_utf8(octets) {
        Ok(_) => (octets.len(), None),
        Err(error) if error.error_len().is_some() => (error.valid_up_to(), Some("not UTF-8")),
        Err(error) => (error.valid_up_to(), last.then_some(CUT_OFF)),
    };
    let text = octets.get(..good).unwrap_or_default();
    let good = match chars::first_forbidden(text) {
        Some(at) => {
            wrong = Some("a character that XML does not allow");
            at
        }
        None => good,
    };
    (good, wrong)
}

impl Stream<'_> {
    /// Reads once, up to a total of `want` undecoded octets.
    fn fetch(&mut self, want: usize) -> Result<(), Error> {
        if self.raw.len() < want {
            self.raw.resize(want, 0);
        }
        loop {
            let free = self.raw.get_mut(self.held..want).unwrap_or_default();
            let room = free.len();
            match self.reader.read(free) {
                Ok(0) => self.ended = true,
                Ok(read) if read <= room => {
                    self.held += read;
                    self.fetched += read as u64;
                }
                Ok(_) => return Err(ades_core::Error::ReaderMisbehaved.into()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(ades_core::Error::Read(error).into()),
            }
            return Ok(());
        }
    }

    /// Removes decoded octets.
    fn consume(&mut self, used: usize) {
        self.raw.copy_within(used..self.held, 0);
        self.held -= used;
    }

    /// Removes text from the start of the window.
    fn forget(&mut self, len: usize) {
        let Decoded { text, widths } = &mut self.decoded;
        for window in [text, widths] {
            // The widths may be empty.
            window.drain(..len.min(window.len()));
        }
    }
}

impl fmt::Debug for Window<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window").field("encoding", &self.encoding).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One octet for each `read`.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = buffer.len().min(1);
            self.0.read(&mut buffer[..len])
        }
    }

    fn all(mut window: Window<'_>) -> (String, u64) {
        let mut text = String::new();
        loop {
            let rest = std::str::from_utf8(window.rest()).unwrap().to_owned();
            window.advance(rest.len());
            text.push_str(&rest);
            if !window.more().unwrap() {
                return (text, window.offset(0));
            }
        }
    }

    #[test]
    fn the_text_does_not_depend_on_how_the_octets_are_split() {
        let text = "<a>é€</a>";
        let utf16: Vec<u8> = std::iter::once(0xFEFF)
            .chain("<?xml version='1.0' encoding='utf-16'?>".encode_utf16())
            .chain(text.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        let windows = b"<?xml version='1.0' encoding='windows-1252'?><a>\xE9\x80</a>";
        for octets in [text.as_bytes(), &utf16, windows] {
            let expected = (text.to_owned(), octets.len() as u64);
            assert_eq!(all(Window::from_slice(octets).unwrap()), expected);
            let trickle = Box::new(Trickle(octets));
            assert_eq!(all(Window::from_read(trickle).unwrap()), expected);
        }
    }

    #[test]
    fn the_text_before_an_error_is_in_the_window() {
        for octets in [b"<a>\xFF".as_slice(), b"<a>\x01", b"<a>\xE2\x82", b"<a>\xEF\xBF\xBE"] {
            for mut window in [
                Window::from_slice(octets).unwrap(),
                Window::from_read(Box::new(Trickle(octets))).unwrap(),
            ] {
                while window.rest().len() < 3 {
                    assert!(window.more().unwrap());
                }
                assert_eq!(window.rest(), b"<a>");
                assert!(matches!(window.more(), Err(Error::Encoding { offset: 3, .. })));
            }
        }
    }
}

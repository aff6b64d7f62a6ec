//! Reading tokens from a window that may end inside a token.

use std::ops::Range;

use crate::error::{Error, ExternalResource, Limit};

use super::chars::{self, HIGH, NAME, NAME_START, SPACE};

/// Why a token could not be read.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The window ends inside it.
    More,
    /// It breaks a rule.
    Bad(Bad),
}

/// Why a token is wrong, and where, counted from the token's first octet.
#[derive(Debug)]
pub(crate) struct Bad {
    pub(crate) at: usize,
    pub(crate) fault: SyntaxFault,
}

/// An error without its offset in the document.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SyntaxFault {
    NotWellFormed(&'static str),
    Namespace(&'static str),
    External(ExternalResource),
    Unsupported(&'static str),
    Limit(Limit),
}

impl SyntaxFault {
    pub(crate) const fn error(self, offset: u64) -> Error {
        match self {
            Self::NotWellFormed(what) => Error::NotWellFormed { offset, what },
            Self::Namespace(what) => Error::Namespace { offset, what },
            Self::External(what) => Error::External { offset, what },
            Self::Unsupported(what) => Error::Unsupported { offset, what },
            Self::Limit(limit) => Error::Limit { offset: Some(offset), limit },
        }
    }
}

pub(crate) type Token<T> = Result<T, Stop>;

pub(crate) const fn bad<T>(at: usize, what: &'static str) -> Token<T> {
    Err(Stop::Bad(Bad { at, fault: SyntaxFault::NotWellFormed(what) }))
}

pub(crate) const fn fault<T>(at: usize, fault: SyntaxFault) -> Token<T> {
    Err(Stop::Bad(Bad { at, fault }))
}

/// A qualified name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) start: usize,
    pub(crate) len: usize,
    /// The offset of its colon from its start. 0: it has no colon.
    pub(crate) colon: usize,
}

impl Name {
    pub(crate) const fn range(self) -> Range<usize> {
        self.start..self.start + self.len
    }
}

/// A position in a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'t> {
    pub(crate) text: &'t [u8],
    pub(crate) at: usize,
}

impl<'t> Cursor<'t> {
    pub(crate) const fn new(text: &'t [u8], at: usize) -> Self {
        Self { text, at }
    }

    pub(crate) fn peek(&self) -> Token<u8> {
        self.text.get(self.at).copied().ok_or(Stop::More)
    }

    /// Skips one octet.
    pub(crate) const fn step(&mut self) {
        self.at += 1;
    }

    /// Skips white space. Returns its length.
    pub(crate) fn spaces(&mut self) -> usize {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let spaces = rest.iter().take_while(|&&octet| chars::is(octet, SPACE)).count();
        self.at += spaces;
        spaces
    }

    /// Skips white space, which is mandatory.
    pub(crate) fn need_space(&mut self) -> Token<()> {
        if self.spaces() > 0 {
            return Ok(());
        }
        self.peek()?;
        bad(self.at, "white space is missing")
    }

    /// Skips these octets, if they come next. Returns whether they did.
    pub(crate) fn skip(&mut self, literal: &[u8]) -> Token<bool> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if rest.starts_with(literal) {
            self.at += literal.len();
            return Ok(true);
        }
        if literal.starts_with(rest) { Err(Stop::More) } else { Ok(false) }
    }

    /// Skips these octets, which must come next.
    pub(crate) fn expect(&mut self, literal: &[u8], what: &'static str) -> Token<()> {
        if self.skip(literal)? { Ok(()) } else { bad(self.at, what) }
    }

    /// The text since `start`.
    pub(crate) fn since(&self, start: usize) -> &'t [u8] {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Reads a qualified name (Namespaces in XML, clause 4).
    pub(crate) fn qname(&mut self) -> Token<Name> {
        match self.ascii_qname() {
            Some(name) => {
                self.at += name.len;
                Ok(name)
            }
            None => self.any_qname(),
        }
    }

    /// The qualified name that comes next, if it is ASCII and the text does not end with it. Most
    /// names are, and this is the most frequent token of a document.
    fn ascii_qname(&self) -> Option<Name> {
        let (mut colon, mut wanted) = (0, NAME_START);
        for (len, &octet) in self.text.get(self.at..)?.iter().enumerate() {
            let class = chars::class(octet);
            if class & wanted != 0 {
                wanted = NAME;
            } else if octet == b':' && colon == 0 && len > 0 {
                (colon, wanted) = (len, NAME_START);
            } else {
                let ends = wanted == NAME && class & HIGH == 0 && octet != b':';
                return ends.then_some(Name { start: self.at, len, colon });
            }
        }
        None
    }

    fn any_qname(&mut self) -> Token<Name> {
        let start = self.at;
        self.ncname()?;
        let mut colon = 0;
        if self.peek()? == b':' {
            colon = self.at - start;
            self.step();
            self.ncname()?;
            if self.peek()? == b':' {
                return fault(self.at, SyntaxFault::Namespace("a name with two colons"));
            }
        }
        Ok(Name { start, len: self.at - start, colon })
    }

    /// Reads a name without colons.
    pub(crate) fn ncname(&mut self) -> Token<&'t [u8]> {
        let start = self.at;
        let first = self.peek()?;
        if first < 0x80 {
            if !chars::is(first, NAME_START) {
                return match first {
                    b':' => {
                        let what = "a name that begins with a colon";
                        fault(self.at, SyntaxFault::Namespace(what))
                    }
                    _ => bad(self.at, "a name is missing, or begins with a wrong character"),
                };
            }
        } else {
            let (c, _) = self.char()?;
            if !chars::is_name_start(c) {
                return bad(self.at, "a name begins with a wrong character");
            }
        }
        self.nmtoken()?;
        Ok(self.since(start))
    }

    /// Skips name characters. There may be none.
    pub(crate) fn nmtoken(&mut self) -> Token<()> {
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let Some(run) = rest.iter().position(|&octet| !chars::is(octet, NAME)) else {
                return Err(Stop::More);
            };
            self.at += run;
            if !chars::is(self.peek()?, HIGH) {
                return Ok(());
            }
            let (c, len) = self.char()?;
            if !chars::is_name_char(c) {
                return Ok(());
            }
            self.at += len;
        }
    }

    fn char(&self) -> Token<(char, usize)> {
        chars::char_at(self.text, self.at).ok_or(Stop::More)
    }

    /// Reads a quoted text. Returns it without the quotation marks.
    pub(crate) fn quoted(&mut self) -> Token<&'t [u8]> {
        let quote = self.peek()?;
        if !matches!(quote, b'"' | b'\'') {
            return bad(self.at, "a quotation mark is missing");
        }
        let start = self.at + 1;
        let rest = self.text.get(start..).unwrap_or_default();
        let len = rest.iter().position(|&octet| octet == quote).ok_or(Stop::More)?;
        self.at = start + len + 1;
        Ok(rest.get(..len).unwrap_or_default())
    }

    /// Reads a character reference, from its `&#` on (clause 4.1).
    pub(crate) fn char_reference(&mut self) -> Token<char> {
        let start = self.at;
        self.at += 2;
        let hexadecimal = self.skip(b"x")?;
        let base = if hexadecimal { 16 } else { 10 };
        let mut value = 0u32;
        let mut digits = 0;
        loop {
            let octet = self.peek()?;
            if octet == b';' && digits > 0 {
                break;
            }
            let Some(digit) = char::from(octet).to_digit(base) else {
                return bad(start, "a malformed character reference");
            };
            value = value.saturating_mul(base).saturating_add(digit);
            digits += 1;
            self.step();
        }
        self.step();
        match char::from_u32(value).filter(|&c| chars::is_char(c)) {
            Some(c) => Ok(c),
            None => bad(start, "a reference to a character that XML does not allow"),
        }
    }
}

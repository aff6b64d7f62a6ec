//! Reading values from octets (ISO 32000-2, 7.2 and 7.3). Every octet is read a
//! bounded number of times; nesting and counts are limited.

use super::value::{Kind, Reference, Value};
use crate::error::Limit;

/// Maximum nesting of arrays and dictionaries.
pub(crate) const MAX_DEPTH: usize = 128;
/// Maximum number of values in one indirect object, including keys.
pub(crate) const MAX_VALUES: usize = 1 << 19;

/// Why the lexer returned no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The octets end here, but the file may continue.
    CutOff,
    /// The octets at this position are malformed.
    Malformed(usize, &'static str),
    /// A limit is exceeded.
    Limit(Limit),
}

/// Reads tokens and values one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Lexer<'a> {
    octets: &'a [u8],
    pub(crate) at: usize,
    /// Whether the file ends with `octets`.
    last: bool,
    values: usize,
}

pub(crate) const fn is_space(octet: u8) -> bool {
    matches!(octet, 0 | b'\t' | b'\n' | 0x0C | b'\r' | b' ')
}

const fn is_delimiter(octet: u8) -> bool {
    matches!(octet, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

pub(crate) const fn is_regular(octet: u8) -> bool {
    !is_space(octet) && !is_delimiter(octet)
}

impl<'a> Lexer<'a> {
    /// `last`: the octets end where the file ends; else they are an excerpt.
    pub(crate) const fn new(octets: &'a [u8], last: bool) -> Self {
        Self { octets, at: 0, last, values: 0 }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.octets.get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.octets.get(self.at..).unwrap_or_default()
    }

    pub(crate) const fn fail<T>(&self, what: &'static str) -> Result<T, Stop> {
        Err(Stop::Malformed(self.at, what))
    }

    /// The result if the octets end within a token: an error only at the file's end.
    pub(crate) const fn end<T>(&self) -> Result<T, Stop> {
        if self.last { self.fail("the file ends within an object") } else { Err(Stop::CutOff) }
    }

    /// Skips white space and comments, which may continue after an excerpt.
    pub(crate) fn space(&mut self) -> Result<(), Stop> {
        loop {
            match self.peek() {
                Some(octet) if is_space(octet) => self.at += 1,
                Some(b'%') => {
                    let line = self.rest().iter().position(|o| matches!(o, b'\r' | b'\n'));
                    self.at += line.unwrap_or(self.rest().len());
                }
                Some(_) => return Ok(()),
                None if self.last => return Ok(()),
                None => return Err(Stop::CutOff),
            }
        }
    }

    /// Reads a keyword if it comes next, after white space.
    pub(crate) fn keyword(&mut self, word: &[u8]) -> Result<bool, Stop> {
        self.space()?;
        if !self.last && self.rest().len() <= word.len() {
            return Err(Stop::CutOff);
        }
        let found = self.rest().starts_with(word)
            && !self.rest().get(word.len()).copied().is_some_and(is_regular);
        if found {
            self.at += word.len();
        }
        Ok(found)
    }

    /// The octets of a token of regular characters.
    fn regular(&mut self) -> Result<&'a [u8], Stop> {
        let rest = self.rest();
        let len = rest.iter().position(|&o| !is_regular(o));
        if len.is_none() && !self.last {
            return Err(Stop::CutOff);
        }
        let token = rest.get(..len.unwrap_or(rest.len())).unwrap_or_default();
        self.at += token.len();
        Ok(token)
    }

    /// An unsigned integer after white space.
    pub(crate) fn unsigned(&mut self, what: &'static str) -> Result<u64, Stop> {
        self.space()?;
        let start = self.at;
        let token = self.regular()?;
        digits(token).ok_or(Stop::Malformed(start, what))
    }

    /// `12 0 obj`
    pub(crate) fn object_header(&mut self) -> Result<Reference, Stop> {
        const NO_OBJECT: &str = "an object was expected here";

        self.space()?;
        let start = self.at;
        let number = self.unsigned(NO_OBJECT)?;
        let generation = self.unsigned(NO_OBJECT)?;
        if !self.keyword(b"obj")? {
            // Some writers put a number or a name directly after `obj`.
            if !self.rest().starts_with(b"obj") {
                return Err(Stop::Malformed(start, NO_OBJECT));
            }
            self.at += 3;
        }
        match (u32::try_from(number), u16::try_from(generation)) {
            (Ok(number), Ok(generation)) => Ok(Reference { number, generation }),
            _ => Err(Stop::Malformed(start, "an object number or generation is too high")),
        }
    }

    /// The next value.
    pub(crate) fn value(&mut self) -> Result<Value, Stop> {
        self.nested(0)
    }

    fn count(&mut self) -> Result<(), Stop> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(Stop::Limit(Limit::ValuesInObject));
        }
        Ok(())
    }

    fn nested(&mut self, depth: usize) -> Result<Value, Stop> {
        if depth == MAX_DEPTH {
            return Err(Stop::Limit(Limit::Nesting));
        }
        self.count()?;
        self.space()?;
        let start = self.at;
        let kind = match self.peek() {
            None => return self.end(),
            Some(b'/') => Kind::Name(self.name()?),
            Some(b'(') => Kind::String(self.literal_string()?),
            Some(b'<') => match self.octets.get(self.at + 1) {
                Some(b'<') => self.dictionary(depth)?,
                None => return self.end(),
                Some(_) => Kind::String(self.hexadecimal_string()?),
            },
            Some(b'[') => self.array(depth)?,
            Some(b'0'..=b'9' | b'+' | b'-' | b'.') => self.number_or_reference()?,
            Some(_) => match self.regular()? {
                b"true" => Kind::Boolean(true),
                b"false" => Kind::Boolean(false),
                b"null" => Kind::Null,
                _ => return Err(Stop::Malformed(start, "this is not a value")),
            },
        };
        Ok(Value { kind, span: start..self.at })
    }

    /// `#` with two digits stands for an octet (7.3.5); `#` without them stands for
    /// itself, as in PDF 1.1.
    fn name(&mut self) -> Result<Vec<u8>, Stop> {
        self.at += 1;
        let mut rest = self.regular()?;
        let mut name = Vec::with_capacity(rest.len());
        while let [octet, after @ ..] = rest {
            rest = after;
            match (octet, after) {
                (b'#', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                    (Some(high), Some(low)) => {
                        name.push(high << 4 | low);
                        rest = after;
                    }
                    _ => name.push(b'#'),
                },
                _ => name.push(*octet),
            }
        }
        Ok(name)
    }

    fn next(&mut self) -> Result<u8, Stop> {
        match self.peek() {
            Some(octet) => {
                self.at += 1;
                Ok(octet)
            }
            None => self.end(),
        }
    }

    /// A literal string (7.3.4.2).
    fn literal_string(&mut self) -> Result<Vec<u8>, Stop> {
        self.at += 1;
        let mut string = Vec::new();
        let mut open = 0usize;
        loop {
            match self.next()? {
                b'(' => {
                    open += 1;
                    string.push(b'(');
                }
                b')' if open == 0 => return Ok(string),
                b')' => {
                    open -= 1;
                    string.push(b')');
                }
                b'\r' => {
                    self.line_feed()?;
                    string.push(b'\n');
                }
                b'\\' => match self.next()? {
                    b'n' => string.push(b'\n'),
                    b'r' => string.push(b'\r'),
                    b't' => string.push(b'\t'),
                    b'b' => string.push(0x08),
                    b'f' => string.push(0x0C),
                    b'\n' => {}
                    b'\r' => self.line_feed()?,
                    octet @ b'0'..=b'7' => {
                        let mut code = u16::from(octet - b'0');
                        for _ in 0..2 {
                            match self.peek() {
                                Some(octet @ b'0'..=b'7') => {
                                    self.at += 1;
                                    code = code << 3 | u16::from(octet - b'0');
                                }
                                Some(_) => break,
                                None => return self.end(),
                            }
                        }
                        // High-order overflow is ignored (7.3.4.2).
                        string.push(code.to_be_bytes()[1]);
                    }
                    octet => string.push(octet),
                },
                octet => string.push(octet),
            }
        }
    }

    /// Skips the line feed of a CR LF.
    fn line_feed(&mut self) -> Result<(), Stop> {
        match self.peek() {
            Some(b'\n') => self.at += 1,
            Some(_) => {}
            None => return self.end(),
        }
        Ok(())
    }

    /// A hexadecimal string (7.3.4.3): a missing last digit is 0.
    fn hexadecimal_string(&mut self) -> Result<Vec<u8>, Stop> {
        self.at += 1;
        let mut string = self.pairs();
        let mut half = None;
        loop {
            let octet = self.next()?;
            match (hex(octet), half) {
                (Some(digit), None) => half = Some(digit),
                (Some(digit), Some(high)) => {
                    string.push(high << 4 | digit);
                    half = None;
                }
                (None, half) if octet == b'>' => {
                    string.extend(half.map(|high| high << 4));
                    return Ok(string);
                }
                (None, _) if is_space(octet) => {}
                (None, _) => {
                    self.at -= 1;
                    return self.fail("this is not a hexadecimal digit");
                }
            }
        }
    }

    /// The octets of the pairs of hexadecimal digits from here on, up to something else.
    fn pairs(&mut self) -> Vec<u8> {
        let (mut string, mut rest) = (Vec::new(), self.rest());
        while let Some((digits, after)) = rest.split_first_chunk()
            && let Some(octets) = of_digits(digits)
        {
            string.extend_from_slice(&octets);
            rest = after;
        }
        while let [high, low, after @ ..] = rest
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            string.push(high << 4 | low);
            rest = after;
        }
        self.at += 2 * string.len();
        string
    }

    fn array(&mut self, depth: usize) -> Result<Kind, Stop> {
        self.at += 1;
        let mut elements = Vec::new();
        loop {
            self.space()?;
            match self.peek() {
                Some(b']') => {
                    self.at += 1;
                    return Ok(Kind::Array(elements.into()));
                }
                Some(_) => elements.push(self.nested(depth + 1)?),
                None => return self.end(),
            }
        }
    }

    fn dictionary(&mut self, depth: usize) -> Result<Kind, Stop> {
        self.at += 2;
        let mut entries = Vec::new();
        loop {
            self.space()?;
            match (self.peek(), self.octets.get(self.at + 1)) {
                (Some(b'>'), Some(b'>')) => {
                    self.at += 2;
                    return Ok(Kind::Dictionary(entries.into()));
                }
                (Some(b'>'), None) | (None, _) => return self.end(),
                (Some(b'/'), _) => {
                    self.count()?;
                    let key = self.name()?;
                    entries.push((key, self.nested(depth + 1)?));
                }
                _ => return self.fail("this is not a key of a dictionary"),
            }
        }
    }

    /// A number, or a reference such as `12 0 R`.
    fn number_or_reference(&mut self) -> Result<Kind, Stop> {
        let start = self.at;
        let token = self.regular()?;
        let Some(integer) = integer(token) else {
            let real = token.iter().all(|o| matches!(o, b'0'..=b'9' | b'+' | b'-' | b'.'));
            return if real {
                Ok(Kind::Real(token.to_vec()))
            } else {
                Err(Stop::Malformed(start, "this is not a number"))
            };
        };
        let Some(number) = digits(token).and_then(|n| u32::try_from(n).ok()) else {
            return Ok(Kind::Integer(integer));
        };
        // The next two tokens may complete a reference. If not, they are read again.
        let number_end = self.at;
        self.space()?;
        if self.peek().is_some_and(|o| o.is_ascii_digit()) {
            let generation = digits(self.regular()?).and_then(|n| u16::try_from(n).ok());
            if let Some(generation) = generation
                && self.keyword(b"R")?
            {
                return Ok(Kind::Reference(Reference { number, generation }));
            }
        }
        self.at = number_end;
        Ok(Kind::Integer(integer))
    }
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// The octets that these hexadecimal digits are, if they are. The signature's placeholder has
/// thousands: without branches, the processor takes many at a time.
fn of_digits(digits: &[u8; 64]) -> Option<[u8; 32]> {
    const NONE: u8 = 0x80;
    let nibble = |digit: u8| {
        let (decimal, letter) = (digit.wrapping_sub(b'0'), (digit | 0x20).wrapping_sub(b'a'));
        let letter = if letter < 6 { letter + 10 } else { NONE };
        if decimal < 10 { decimal } else { letter }
    };
    let nibbles = digits.map(nibble);
    if nibbles.iter().fold(0, |all, nibble| all | nibble) & NONE != 0 {
        return None;
    }
    let mut octets = [0; 32];
    for (octet, pair) in octets.iter_mut().zip(nibbles.as_chunks::<2>().0) {
        let [high, low] = pair;
        *octet = high << 4 | low;
    }
    Some(octets)
}

fn digits(token: &[u8]) -> Option<u64> {
    if token.is_empty() || !token.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(token).ok()?.parse().ok()
}

fn integer(token: &[u8]) -> Option<i64> {
    std::str::from_utf8(token).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Value, Stop> {
        Lexer::new(text, true).value()
    }

    fn string(text: &[u8]) -> Vec<u8> {
        read(text).unwrap().string().unwrap().to_vec()
    }

    /// Digits are read many at a time, and one by one where something else is among them.
    #[test]
    fn long_hexadecimal_strings_are_read_as_short_ones() {
        let digits = b"0123456789abcdefABCDEF".iter().copied().cycle();
        for octet in (0..=u8::MAX).filter(|octet| *octet != b'>') {
            for place in [0, 1, 62, 63, 64, 129] {
                let mut text: Vec<u8> = digits.clone().take(130).collect();
                text[place] = octet;
                let written = text.iter().copied().filter(|octet| !is_space(*octet));
                let nibbles: Option<Vec<u8>> = written.map(hex).collect();
                let octets_of = |nibbles: Vec<u8>| {
                    let pairs = nibbles.chunks(2);
                    pairs.map(|pair| pair[0] << 4 | pair.get(1).unwrap_or(&0)).collect::<Vec<u8>>()
                };
                let found = read(&[b"<", text.as_slice(), b">"].concat()).ok();
                let found = found.and_then(|value| Some(value.string()?.to_vec()));
                assert_eq!(found, nibbles.map(octets_of), "{octet:#04x} at {place}");
            }
        }
    }

    #[test]
    fn strings_are_read_in_every_spelling() {
        assert_eq!(string(b"(a(b)c)"), b"a(b)c");
        assert_eq!(string(b"(a\\(b\\\\\\n\\053\\53\\0053)"), b"a(b\\\n++\x053");
        assert_eq!(string(b"(a\\\r\nb\r\nc\rd)"), b"ab\nc\nd");
        assert_eq!(string(b"<48 65\n6C6c6F7>"), b"Hellop");
        assert_eq!(string(b"<>"), b"");
        assert!(read(b"<4x>").is_err());
    }

    #[test]
    fn names_have_escapes_and_may_be_empty() {
        assert_eq!(read(b"/A#20B#zz/").unwrap().name().unwrap(), b"A B#zz");
        assert_eq!(read(b"/ 1").unwrap().name().unwrap(), b"");
    }

    #[test]
    fn numbers_and_references_are_distinguished() {
        let value = read(b"[1 2 3 0 R 4 5 -7 .5 +8 12 0 R]").unwrap();
        let kinds: Vec<_> = value.elements().unwrap().iter().map(|v| v.kind.clone()).collect();
        let reference = |number| Kind::Reference(Reference { number, generation: 0 });
        assert_eq!(kinds.get(2), Some(&reference(3)));
        assert_eq!(kinds.last(), Some(&reference(12)));
        assert_eq!(read(b"[1 0 R]").unwrap().elements().unwrap().len(), 1);
        assert!(matches!(kinds.get(5), Some(Kind::Integer(-7))), "{kinds:?}");
    }

    #[test]
    fn an_excerpt_needs_more_octets_and_a_file_is_malformed() {
        let text = b"<</A[1 0 R(x)]/B<41>>> ";
        assert!(read(text).is_ok());
        for len in 0..text.len() - 1 {
            assert_eq!(Lexer::new(&text[..len], false).value(), Err(Stop::CutOff), "{len}");
            assert!(matches!(read(&text[..len]), Err(Stop::Malformed(..))), "{len}");
        }
    }

    #[test]
    fn spans_are_the_octets_of_the_values() {
        let text = b" << /A (x) % c\n /B[ 1 0 R ] >>";
        let value = read(text).unwrap();
        assert_eq!(&text[value.get(b"B").unwrap().span.clone()], b"[ 1 0 R ]");
        assert_eq!(&text[value.get(b"A").unwrap().span.clone()], b"(x)");
        assert_eq!(value.span, 1..text.len());
    }

    #[test]
    fn nesting_is_limited() {
        assert!(matches!(read(&b"[".repeat(100_000)), Err(Stop::Limit(_))));
        assert!(read(&[b"[".repeat(100), b"]".repeat(100)].concat()).is_ok());
    }
}

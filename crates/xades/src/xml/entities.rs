//! Expands references in attribute values, and limits the expansion of entities (XML
//! 1.0, clauses 3.3.3 and 4.4).

use crate::error::Limit;

use super::chars;
use super::dtd::{Dtd, Entity};
use super::limits::Limits;
use super::scan::{Cursor, Stop, SyntaxFault, Token, bad, fault};

/// The cost of expanding one entity, in addition to its text.
const EACH: u64 = 16;

/// The number of octets that entities and default attributes have added so far, and
/// its limit.
#[derive(Debug)]
pub(crate) struct Budget {
    spent: u64,
    allowed: u64,
    pub(crate) depth: usize,
}

impl Budget {
    pub(crate) const fn new(limits: &Limits) -> Self {
        Self { spent: 0, allowed: limits.expansion, depth: limits.entity_depth }
    }

    /// Raises the limit for the number of octets read: a long document may expand more
    /// than a short one.
    pub(crate) fn read(&mut self, octets: u64, limits: &Limits) {
        self.allowed = limits.expansion.max(octets.saturating_mul(limits.expansion_ratio));
    }

    pub(crate) const fn spent(&self) -> u64 {
        self.spent
    }

    /// Undoes the expense of a token that will be read again.
    pub(crate) const fn return_to(&mut self, spent: u64) {
        self.spent = spent;
    }

    pub(crate) const fn spend(&mut self, len: usize, at: usize) -> Token<()> {
        self.spent = self.spent.saturating_add(len as u64 + EACH);
        if self.spent > self.allowed {
            return fault(at, SyntaxFault::Limit(Limit::Expansion(self.allowed)));
        }
        Ok(())
    }
}

/// The character of a predefined entity.
pub(crate) const fn predefined(name: &[u8]) -> Option<char> {
    match name {
        b"amp" => Some('&'),
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        _ => None,
    }
}

/// Appends the normalised form of an attribute value. `at` is the offset of the value
/// in its token.
pub(crate) fn normalise(
    value: &[u8],
    at: usize,
    dtd: &Dtd,
    budget: &mut Budget,
    out: &mut Vec<u8>,
) -> Token<()> {
    Normaliser { dtd, budget, out }.run(value, at, None, 0)
}

struct Normaliser<'n> {
    dtd: &'n Dtd,
    budget: &'n mut Budget,
    out: &'n mut Vec<u8>,
}

impl Normaliser<'_> {
    /// `reference`: if this is the text of an entity, the offset of the reference.
    fn run(
        &mut self,
        value: &[u8],
        at: usize,
        reference: Option<usize>,
        depth: usize,
    ) -> Token<()> {
        let mut cursor = Cursor::new(value, 0);
        loop {
            let run = chars::find_value_stop(value, cursor.at);
            self.out.extend_from_slice(value.get(cursor.at..run).unwrap_or_default());
            cursor.at = run;
            let here = reference.unwrap_or(at + run);
            let Ok(octet) = cursor.peek() else {
                return Ok(());
            };
            match octet {
                b'<' => return bad(here, "a less-than sign in an attribute value"),
                b'&' => self.reference(&mut cursor, here, depth)?,
                b'"' | b'\'' => {
                    self.out.push(octet);
                    cursor.step();
                }
                _ => {
                    // A line end of two characters becomes one space. In the text of an
                    // entity line ends are already normalised.
                    let line_end = octet == b'\r' && reference.is_none();
                    if !(line_end && value.get(run + 1) == Some(&b'\n')) {
                        self.out.push(b' ');
                    }
                    cursor.step();
                }
            }
        }
    }

    fn reference(&mut self, cursor: &mut Cursor<'_>, here: usize, depth: usize) -> Token<()> {
        if cursor.text.get(cursor.at + 1) == Some(&b'#') {
            let c = cursor.char_reference().or_else(|stop| relocate(stop, here))?;
            let mut utf8 = [0; 4];
            self.out.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
            return Ok(());
        }
        let name = entity_name(cursor).or_else(|stop| relocate(stop, here))?;
        if let Some(c) = predefined(name) {
            self.out.push(c as u8);
            return Ok(());
        }
        match self.dtd.entity(name) {
            Some(Entity::Internal(text)) => {
                if depth >= self.budget.depth {
                    return fault(here, SyntaxFault::Limit(Limit::EntityDepth(self.budget.depth)));
                }
                self.budget.spend(text.len(), here)?;
                let text = text.clone();
                self.run(&text, 0, Some(here), depth + 1)
            }
            Some(_) => bad(here, "an external entity in an attribute value"),
            None => bad(here, "an entity that is not declared"),
        }
    }
}

/// Reads `&name;`.
pub(crate) fn entity_name<'t>(cursor: &mut Cursor<'t>) -> Token<&'t [u8]> {
    cursor.step();
    let name = cursor.ncname()?;
    cursor.expect(b";", "a reference without semicolon")?;
    Ok(name)
}

/// Moves a fault to the place of the reference. The value is complete, so a token that
/// is cut off is malformed.
fn relocate<T>(stop: Stop, here: usize) -> Token<T> {
    match stop {
        Stop::More => bad(here, "a malformed reference"),
        Stop::Bad(wrong) => fault(here, wrong.fault),
    }
}

/// Normalises a value of a tokenised type further: removes spaces at its ends, and
/// replaces several by one.
pub(crate) fn tokenise(out: &mut Vec<u8>, from: usize) {
    let mut to = from;
    let mut space = true;
    for at in from..out.len() {
        let Some(&octet) = out.get(at) else { break };
        if octet == b' ' && space {
            continue;
        }
        space = octet == b' ';
        if let Some(place) = out.get_mut(to) {
            *place = octet;
        }
        to += 1;
    }
    if space && to > from {
        to -= 1;
    }
    out.truncate(to);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(value: &str) -> Option<String> {
        let mut out = Vec::new();
        let mut budget = Budget::new(&Limits::DEFAULT);
        let result = normalise(value.as_bytes(), 0, &Dtd::default(), &mut budget, &mut out);
        result.ok().map(|()| String::from_utf8(out).unwrap())
    }

    #[test]
    fn line_ends_become_spaces_unless_they_are_references() {
        assert_eq!(normalised("a\r\nb\rc\nd\te").unwrap(), "a b c d e");
        assert_eq!(normalised("&#13;&#xA;&lt;'&quot;").unwrap(), "\r\n<'\"");
        for wrong in ["<", "&", "&a", "&a;", "&#;", "&#x;", "&#0;", "&#xD800;", "&#x110000;", "&;"]
        {
            assert_eq!(normalised(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn tokens_are_separated_by_single_spaces() {
        for (before, after) in
            [("", ""), ("  ", ""), (" a ", "a"), ("a  b", "a b"), ("  a \n  b ", "a \n b")]
        {
            let mut out = format!("x{before}").into_bytes();
            tokenise(&mut out, 1);
            assert_eq!(out, format!("x{after}").into_bytes(), "{before:?}");
        }
    }
}

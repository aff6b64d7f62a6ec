//! Writing values, and changing existing values without touching their other
//! octets.

use std::ops::Range;

use super::lexer::is_regular;
use super::value::Value;

/// A name (ISO 32000-2, 7.3.5), with `#xx` for every special character.
pub(crate) fn name(octets: &[u8]) -> Vec<u8> {
    let mut out = vec![b'/'];
    for &octet in octets {
        if is_regular(octet) && octet.is_ascii_graphic() && octet != b'#' {
            out.push(octet);
        } else {
            out.extend_from_slice(format!("#{octet:02X}").as_bytes());
        }
    }
    out
}

/// A string: literal if it is printable ASCII, else hexadecimal. Parentheses and
/// backslashes are escaped, so that a string cannot end early.
pub(crate) fn string(octets: &[u8]) -> Vec<u8> {
    if !octets.iter().all(|o| matches!(o, b' '..=b'~')) {
        return hexadecimal(octets);
    }
    let mut out = vec![b'('];
    for &octet in octets {
        if matches!(octet, b'(' | b')' | b'\\') {
            out.push(b'\\');
        }
        out.push(octet);
    }
    out.push(b')');
    out
}

fn hexadecimal(octets: &[u8]) -> Vec<u8> {
    let digits: String = octets.iter().map(|octet| format!("{octet:02X}")).collect();
    format!("<{digits}>").into_bytes()
}

/// Changes to a value in existing octets: all other octets are copied.
#[derive(Debug)]
pub(crate) struct Edit<'a> {
    octets: &'a [u8],
    changes: Vec<(Range<usize>, Vec<u8>)>,
}

impl<'a> Edit<'a> {
    /// Changes to values whose spans refer to these octets.
    pub(crate) const fn new(octets: &'a [u8]) -> Self {
        Self { octets, changes: Vec::new() }
    }

    /// Sets a dictionary's key to a value that the caller has written. A repeated key
    /// gets the same value everywhere.
    pub(crate) fn set(&mut self, dictionary: &Value, key: &[u8], value: &[u8]) {
        let mut found: Vec<&Value> =
            dictionary.entries().iter().filter(|(k, _)| k == key).map(|(_, v)| v).collect();
        match found.pop() {
            Some(last) => self.replace(last, value),
            None => {
                let end = dictionary.span.end.saturating_sub(2);
                self.changes.push((end..end, [name(key).as_slice(), b" ", value].concat()));
            }
        }
        for other in found {
            // Readers choose different ones of repeated keys.
            self.replace(other, value);
        }
    }

    /// Replaces a value.
    pub(crate) fn replace(&mut self, old: &Value, new: &[u8]) {
        self.changes.push((old.span.clone(), [b" ", new, b" "].concat()));
    }

    /// Adds an element to the end of an array.
    pub(crate) fn push(&mut self, array: &Value, element: &[u8]) {
        let end = array.span.end.saturating_sub(1);
        self.changes.push((end..end, [b" ", element].concat()));
    }

    /// The changed octets of `value`.
    pub(crate) fn finish(mut self, value: &Value) -> Vec<u8> {
        self.changes.sort_by_key(|(range, _)| range.start);
        let mut out = Vec::new();
        let mut at = value.span.start;
        let copy = |range: Range<usize>| self.octets.get(range).unwrap_or_default();
        for (range, new) in &self.changes {
            out.extend_from_slice(copy(at..range.start));
            out.extend_from_slice(new);
            at = range.end;
        }
        out.extend_from_slice(copy(at..value.span.end));
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::lexer::Lexer;
    use super::*;

    fn read(octets: &[u8]) -> Value {
        Lexer::new(octets, true).value().unwrap()
    }

    #[test]
    fn unchanged_octets_are_copied() {
        let text = b"<< /A[1 2]/B<</C (x) %y\n>> /Annots[3 0 R]/Z/N>>";
        let value = read(text);
        let mut edit = Edit::new(text);
        edit.push(value.get(b"Annots").unwrap(), b"4 0 R");
        edit.set(&value, b"A", b"5 0 R");
        edit.set(&value, b"New", b"true");
        let out = edit.finish(&value);
        assert_eq!(
            String::from_utf8_lossy(&out),
            "<< /A 5 0 R /B<</C (x) %y\n>> /Annots[3 0 R 4 0 R]/Z/N/New true>>"
        );
        read(&out);
    }

    #[test]
    fn a_repeated_key_gets_the_same_value_everywhere() {
        let text = b"<</A 1/A 2>>";
        let value = read(text);
        let mut edit = Edit::new(text);
        edit.set(&value, b"A", b"3");
        let out = edit.finish(&value);
        assert!(read(&out).entries().iter().all(|(_, v)| v.integer() == Some(3)));
    }

    #[test]
    fn a_string_cannot_end_early() {
        let reason = b"ok) /Evil true (x\\";
        assert_eq!(read(&string(reason)).string().unwrap(), reason);
    }

    proptest! {
        #[test]
        fn strings_and_names_are_read_as_they_were_written(octets: Vec<u8>) {
            let written = string(&octets);
            let read_back = read(&written);
            prop_assert_eq!(read_back.string().unwrap(), &octets);
            prop_assert_eq!(read_back.span.end, written.len());
            let written = name(&octets);
            let read_back = read(&written);
            prop_assert_eq!(read_back.name().unwrap(), &octets);
        }
    }
}

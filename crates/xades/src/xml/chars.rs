//! The character classes of XML 1.0, clauses 2.2 and 2.3.

/// May occur in a name, after its first character.
pub(crate) const NAME: u8 = 1;
/// May begin a name.
pub(crate) const NAME_START: u8 = 2;
/// White space.
pub(crate) const SPACE: u8 = 4;
/// Ends a run of text that a canonical form copies unchanged.
pub(crate) const TEXT_STOP: u8 = 8;
/// Ends such a run of an attribute value.
pub(crate) const VALUE_STOP: u8 = 16;
/// Written as a reference in text of a canonical form.
pub(crate) const TEXT_ESCAPED: u8 = 32;
/// Written as a reference in attribute values of a canonical form.
pub(crate) const VALUE_ESCAPED: u8 = 64;
/// Not ASCII: a part of a character of several octets.
pub(crate) const HIGH: u8 = 128;

const CLASSES: [u8; 256] = classes();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler; a mistake does not build")]
const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut i = 0;
    while i < 256 {
        let octet = i as u8;
        let mut class = 0;
        if octet.is_ascii_alphabetic() || octet == b'_' {
            class |= NAME | NAME_START;
        }
        if octet.is_ascii_digit() || matches!(octet, b'-' | b'.') {
            class |= NAME;
        }
        if matches!(octet, b' ' | b'\t' | b'\n' | b'\r') {
            class |= SPACE;
        }
        if matches!(octet, b'<' | b'&' | b'>' | b'\r') {
            class |= TEXT_STOP | TEXT_ESCAPED;
        }
        if matches!(octet, b'<' | b'&' | b'"' | b'\'' | b'\t' | b'\n' | b'\r') {
            class |= VALUE_STOP;
        }
        if matches!(octet, b'<' | b'&' | b'"' | b'\t' | b'\n' | b'\r') {
            class |= VALUE_ESCAPED;
        }
        if octet >= 0x80 {
            class |= HIGH;
        }
        classes[i] = class;
        i += 1;
    }
    classes
}

/// The classes of an octet.
pub(crate) fn class(octet: u8) -> u8 {
    CLASSES.get(usize::from(octet)).copied().unwrap_or(0)
}

/// Whether an octet belongs to one of these classes.
pub(crate) fn is(octet: u8, classes: u8) -> bool {
    class(octet) & classes != 0
}

/// `Char`: the characters that a document may contain.
pub(crate) const fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
}

/// `NameStartChar` without the colon.
pub(crate) const fn is_name_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | 'a'..='z' | '_'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}'
        | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}'
        | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

/// `NameChar` without the colon.
pub(crate) const fn is_name_char(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// The character that begins at an octet of valid UTF-8, and its length.
pub(crate) fn char_at(text: &[u8], at: usize) -> Option<(char, usize)> {
    let len = match text.get(at)? {
        0..0x80 => 1,
        0x80..0xE0 => 2,
        0xE0..0xF0 => 3,
        0xF0.. => 4,
    };
    let c = std::str::from_utf8(text.get(at..at + len)?).ok()?.chars().next()?;
    Some((c, len))
}

/// The index of the first octet from `from` on that ends a run of text. The text's length if
/// there is none.
pub(crate) fn find_text_stop(text: &[u8], from: usize) -> usize {
    find(text, from, TEXT_STOP, |word| {
        // `<` and `>` differ in one bit.
        zeros((word | each(0x02)) ^ each(b'>'))
            | zeros(word ^ each(b'&'))
            | zeros(word ^ each(b'\r'))
    })
}

/// As [`find_text_stop`], for a run of an attribute value.
pub(crate) fn find_value_stop(text: &[u8], from: usize) -> usize {
    find(text, from, VALUE_STOP, |word| {
        // So do `&` and the apostrophe, and tabulator and carriage return.
        zeros((word | each(0x01)) ^ each(b'\''))
            | zeros(word ^ each(b'"'))
            | zeros(word ^ each(b'<'))
            | zeros((word | each(0x04)) ^ each(b'\r'))
            | zeros(word ^ each(b'\n'))
    })
}

/// The index of the first octet of these classes. `stops` finds them in eight octets at once: it
/// sets the high bit of the first one, and of none before it.
fn find(text: &[u8], from: usize, classes: u8, stops: impl Fn(u64) -> u64) -> usize {
    let (words, rest) = text.get(from..).unwrap_or_default().as_chunks::<8>();
    let mut at = from;
    for word in words {
        let stops = stops(u64::from_le_bytes(*word));
        if stops != 0 {
            return at + stops.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at + rest.iter().position(|&octet| is(octet, classes)).unwrap_or(rest.len())
}

/// Eight times the same octet.
const fn each(octet: u8) -> u64 {
    0x0101_0101_0101_0101 * octet as u64
}

/// Sets the high bit of the least significant octet that is zero. The bits of more significant
/// octets have no meaning.
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(each(1)) & !word & each(0x80)
}

/// Whether any octet passes the test. There is no early exit, so that the compiler can
/// test many octets at once.
pub(crate) fn any(piece: &[u8], test: impl Fn(u8) -> bool) -> bool {
    piece.iter().fold(false, |any, &octet| any | test(octet))
}

/// The index of the first character that XML does not allow, in text that is UTF-8.
pub(crate) fn first_forbidden(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    for piece in text.chunks(256) {
        let control = |o: u8| (o < 0x20) & (o != b'\t') & (o != b'\n') & (o != b'\r');
        if any(piece, |o| control(o) | (o == 0xEF)) {
            for (i, &octet) in piece.iter().enumerate() {
                let here = at + i;
                let not_character = octet == 0xEF
                    && matches!(text.get(here..here + 3), Some([_, 0xBF, 0xBE | 0xBF]));
                if control(octet) || not_character {
                    return Some(here);
                }
            }
        }
        at += piece.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_at_its_first_stop() {
        for octet in 0..=255 {
            for at in 0..20 {
                let mut text = [b'x'; 24];
                // A stop after it must not matter, and neither must others before `from`.
                text[at] = octet;
                text[23] = b'<';
                for (found, classes) in [
                    (find_text_stop as fn(&[u8], usize) -> usize, TEXT_STOP),
                    (find_value_stop, VALUE_STOP),
                ] {
                    let expected = if is(octet, classes) { at } else { 23 };
                    assert_eq!(found(&text, 0), expected, "{octet} at {at}");
                    assert_eq!(found(&text, at), expected, "{octet} at {at}");
                    assert_eq!(found(&text, at + 1), 23);
                    assert_eq!(found(&text[..23], at + 1), 23);
                }
            }
        }
    }

    #[test]
    fn characters_that_xml_does_not_allow_are_found() {
        assert_eq!(first_forbidden("a\tb\r\n\u{7F}\u{85}\u{FFFD}\u{10FFFF}".as_bytes()), None);
        for c in ['\0', '\u{B}', '\u{1F}', '\u{FFFE}', '\u{FFFF}'] {
            let text = format!("{}{c}y", "é".repeat(200));
            assert_eq!(first_forbidden(text.as_bytes()), Some(400));
        }
    }
}

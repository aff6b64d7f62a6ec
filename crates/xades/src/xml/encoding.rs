//! The encodings of documents, decoded to UTF-8 in pieces.

use serde::{Deserialize, Serialize};

use super::chars;

/// A character encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    Ascii,
    Iso8859_1,
    Iso8859_15,
    Windows1252,
}

/// The characters of Windows-1252 from 0x80 to 0x9F. `\0`: undefined.
const WINDOWS_1252: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0',
    '\u{2018}', '\u{2019}', '\u{201C}', '\u{201D}', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0',
    'ž', 'Ÿ',
];

impl Encoding {
    /// The encoding of this name in an XML declaration. Case does not matter.
    pub(crate) fn from_name(name: &[u8], little_endian: bool) -> Option<Self> {
        const NAMES: [(&str, Encoding); 16] = [
            ("UTF-8", Encoding::Utf8),
            ("UTF8", Encoding::Utf8),
            ("UTF-16LE", Encoding::Utf16Le),
            ("UTF-16BE", Encoding::Utf16Be),
            ("US-ASCII", Encoding::Ascii),
            ("ASCII", Encoding::Ascii),
            ("ISO-8859-1", Encoding::Iso8859_1),
            ("ISO8859-1", Encoding::Iso8859_1),
            ("ISO_8859-1", Encoding::Iso8859_1),
            ("LATIN1", Encoding::Iso8859_1),
            ("ISO-8859-15", Encoding::Iso8859_15),
            ("ISO8859-15", Encoding::Iso8859_15),
            ("ISO_8859-15", Encoding::Iso8859_15),
            ("LATIN-9", Encoding::Iso8859_15),
            ("WINDOWS-1252", Encoding::Windows1252),
            ("CP1252", Encoding::Windows1252),
        ];
        if name.eq_ignore_ascii_case(b"UTF-16") {
            return Some(if little_endian { Self::Utf16Le } else { Self::Utf16Be });
        }
        let known = NAMES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()))?;
        Some(known.1)
    }

    /// Its name in an XML declaration. `None` if no declaration is needed.
    pub(crate) const fn name(self) -> Option<&'static str> {
        match self {
            Self::Utf8 | Self::Ascii => None,
            Self::Utf16Le | Self::Utf16Be => Some("UTF-16"),
            Self::Iso8859_1 => Some("ISO-8859-1"),
            Self::Iso8859_15 => Some("ISO-8859-15"),
            Self::Windows1252 => Some("windows-1252"),
        }
    }

    pub(crate) const fn is_utf16(self) -> bool {
        matches!(self, Self::Utf16Le | Self::Utf16Be)
    }

    /// The number of octets in which it encodes this UTF-8 text.
    pub(crate) fn width(self, text: &[u8]) -> u64 {
        let count = |test: fn(u8) -> bool| {
            text.iter().fold(0u64, |count, &octet| count + u64::from(test(octet)))
        };
        // Each character has one octet that is not a continuation. The first octet of
        // those that UTF-16 encodes as a surrogate pair is 0xF0 or more.
        let characters = || count(|octet| octet & 0xC0 != 0x80);
        match self {
            Self::Utf8 => text.len() as u64,
            Self::Utf16Le | Self::Utf16Be => 2 * (characters() + count(|octet| octet >= 0xF0)),
            _ => characters(),
        }
    }

    /// Encodes a text. `None` if the encoding does not have all its characters.
    pub(crate) fn encode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Utf8 => Some(text.as_bytes().to_vec()),
            Self::Utf16Le => Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            Self::Utf16Be => Some(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
            _ => {
                let octet = |c| (0..=0xFF).find(|&o| self.decode_one(&[o]) == Ok(Some((c, 1))));
                text.chars().map(octet).collect()
            }
        }
    }

    /// Decodes octets and appends the text to `out`. Returns the number of decoded octets,
    /// and the fault of the next octet, if any. A character that is cut off at the end is
    /// not decoded.
    pub(crate) fn decode(self, octets: &[u8], out: &mut Vec<u8>) -> (usize, Option<&'static str>) {
        let mut used = 0;
        let mut utf8 = [0; 4];
        loop {
            let rest = octets.get(used..).unwrap_or_default();
            if !self.is_utf16() {
                // All encodings except UTF-16 encode printable ASCII as itself.
                let ascii = rest.iter().take_while(|octet| matches!(octet, b' '..=b'~')).count();
                if let Some((ascii, _)) = rest.split_at_checked(ascii).filter(|_| ascii > 0) {
                    out.extend_from_slice(ascii);
                    used += ascii.len();
                    continue;
                }
            }
            let (c, len) = match self.decode_one(rest) {
                Ok(Some(decoded)) => decoded,
                Ok(None) => return (used, None),
                Err(what) => return (used, Some(what)),
            };
            if !chars::is_char(c) {
                return (used, Some("a character that XML does not allow"));
            }
            out.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
            used += len;
        }
    }

    fn decode_one(self, octets: &[u8]) -> Result<Option<(char, usize)>, &'static str> {
        let undefined = "an octet that this encoding does not define";
        if self.is_utf16() {
            return self.decode_utf16(octets);
        }
        let Some(&octet) = octets.first() else {
            return Ok(None);
        };
        let c = match (self, octet) {
            (Self::Ascii, 0x80..) => return Err(undefined),
            (Self::Windows1252, 0x80..=0x9F) => match WINDOWS_1252.get(usize::from(octet - 0x80)) {
                None | Some('\0') => return Err(undefined),
                Some(&c) => c,
            },
            (Self::Iso8859_15, _) => match octet {
                0xA4 => '€',
                0xA6 => 'Š',
                0xA8 => 'š',
                0xB4 => 'Ž',
                0xB8 => 'ž',
                0xBC => 'Œ',
                0xBD => 'œ',
                0xBE => 'Ÿ',
                _ => char::from(octet),
            },
            _ => char::from(octet),
        };
        Ok(Some((c, 1)))
    }

    fn decode_utf16(self, octets: &[u8]) -> Result<Option<(char, usize)>, &'static str> {
        let alone = "half of a surrogate pair";
        let unit = |octets: [u8; 2]| match self {
            Self::Utf16Le => u16::from_le_bytes(octets),
            _ => u16::from_be_bytes(octets),
        };
        let &[a, b, ref rest @ ..] = octets else {
            return Ok(None);
        };
        let first = unit([a, b]);
        if !(0xD800..0xE000).contains(&first) {
            return Ok(char::from_u32(u32::from(first)).map(|c| (c, 2)));
        }
        let &[c, d, ..] = rest else {
            return if first < 0xDC00 { Ok(None) } else { Err(alone) };
        };
        match char::decode_utf16([first, unit([c, d])]).next() {
            Some(Ok(c)) => Ok(Some((c, 4))),
            _ => Err(alone),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latin_9_and_windows_1252_have_their_own_euro_signs() {
        let decode = |encoding: Encoding, octets: &[u8]| {
            let mut out = Vec::new();
            assert_eq!(encoding.decode(octets, &mut out), (octets.len(), None));
            let text = String::from_utf8(out).unwrap();
            assert_eq!(encoding.encode(&text).unwrap(), octets);
            text
        };
        assert_eq!(decode(Encoding::Iso8859_15, b"\xA4\xBD\xE9"), "€œé");
        assert_eq!(decode(Encoding::Windows1252, b"\x80\x9C\xE9"), "€œé");
        assert_eq!(decode(Encoding::Iso8859_1, b"\x80\xA4\xE9"), "\u{80}¤é");
        assert_eq!(decode(Encoding::Utf16Be, b"\x20\xAC\xD8\x3D\xDE\x00"), "€😀");
    }

    #[test]
    fn undefined_octets_are_an_error() {
        let mut out = Vec::new();
        assert_eq!(Encoding::Windows1252.decode(b"a\x81", &mut out).0, 1);
        assert!(Encoding::Windows1252.decode(b"\x81", &mut out).1.is_some());
        assert!(Encoding::Ascii.decode(b"\x80", &mut out).1.is_some());
        assert!(Encoding::Utf16Le.decode(b"\x00\xDC", &mut out).1.is_some());
        assert!(Encoding::Utf16Le.decode(b"\x00\xD8a\x00", &mut out).1.is_some());
        assert_eq!(Encoding::Utf16Le.decode(b"\x00\xD8a", &mut out), (0, None));
    }
}

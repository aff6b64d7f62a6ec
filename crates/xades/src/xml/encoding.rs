//! The encodings of documents, decoded to UTF-8 in pieces.

use std::iter::repeat_n;

use serde::{Deserialize, Serialize};

use super::chars;
use super::national::{DecodedOne, HighHalf, National};

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
    // The encodings of `national`. All of these, and the two before them, are there.
    Big5,
    EucJp,
    EucKr,
    Gb18030,
    Gb2312,
    Gbk,
    Ibm866,
    Iso8859_2,
    Iso8859_3,
    Iso8859_4,
    Iso8859_5,
    Iso8859_6,
    Iso8859_7,
    Iso8859_8,
    Iso8859_9,
    Iso8859_10,
    Iso8859_11,
    Iso8859_13,
    Iso8859_14,
    Iso8859_16,
    Koi8R,
    Koi8U,
    ShiftJis,
    Tis620,
    Windows874,
    Windows1250,
    Windows1251,
    Windows1253,
    Windows1254,
    Windows1255,
    Windows1256,
    Windows1257,
    Windows1258,
    Windows31J,
}

/// Other names of encodings, which Java's and libxml2's readers of XML know.
const OTHER_NAMES: [(&str, Encoding); 40] = [
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
    ("LATIN2", Encoding::Iso8859_2),
    ("LATIN5", Encoding::Iso8859_9),
    ("LATIN-9", Encoding::Iso8859_15),
    ("GREEK", Encoding::Iso8859_7),
    ("ISO_8859-2", Encoding::Iso8859_2),
    ("ISO_8859-3", Encoding::Iso8859_3),
    ("ISO_8859-4", Encoding::Iso8859_4),
    ("ISO_8859-5", Encoding::Iso8859_5),
    ("ISO_8859-6", Encoding::Iso8859_6),
    ("ISO_8859-7", Encoding::Iso8859_7),
    ("ISO_8859-8", Encoding::Iso8859_8),
    ("ISO_8859-9", Encoding::Iso8859_9),
    ("ISO_8859-15", Encoding::Iso8859_15),
    ("ISO8859-2", Encoding::Iso8859_2),
    ("ISO8859-15", Encoding::Iso8859_15),
    ("CP866", Encoding::Ibm866),
    ("CP932", Encoding::Windows31J),
    ("CP936", Encoding::Gbk),
    ("CP1250", Encoding::Windows1250),
    ("CP1251", Encoding::Windows1251),
    ("CP1252", Encoding::Windows1252),
    ("CP1253", Encoding::Windows1253),
    ("CP1254", Encoding::Windows1254),
    ("CP1255", Encoding::Windows1255),
    ("CP1256", Encoding::Windows1256),
    ("CP1257", Encoding::Windows1257),
    ("CP1258", Encoding::Windows1258),
    ("EUCJP", Encoding::EucJp),
    ("EUCKR", Encoding::EucKr),
    ("MS_KANJI", Encoding::ShiftJis),
];

/// Decoded text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Decoded {
    /// The text as UTF-8.
    pub(crate) text: Vec<u8>,
    /// For each octet of the text: at the first octet of a character, the number of original
    /// octets of that character; otherwise 0.
    pub(crate) widths: Vec<u8>,
}

impl Decoded {
    /// Adds a character that has this number of original octets.
    fn push(&mut self, c: char, width: usize) {
        let mut utf8 = [0; 4];
        let utf8 = c.encode_utf8(&mut utf8).as_bytes();
        self.text.extend_from_slice(utf8);
        self.widths.push(width as u8);
        self.widths.extend(repeat_n(0, utf8.len() - 1));
    }

    /// Adds ASCII whose characters have one octet each.
    fn push_ascii(&mut self, ascii: &[u8]) {
        self.text.extend_from_slice(ascii);
        self.widths.extend(repeat_n(1, ascii.len()));
    }
}

impl Encoding {
    /// The encoding of this name in an XML declaration. Case does not matter.
    pub(crate) fn from_name(name: &[u8], little_endian: bool) -> Option<Self> {
        if name.eq_ignore_ascii_case(b"UTF-16") {
            return Some(if little_endian { Self::Utf16Le } else { Self::Utf16Be });
        }
        if let Some(national) = National::named(name) {
            return Some(national.encoding);
        }
        let mut others = OTHER_NAMES.iter();
        others.find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes())).map(|known| known.1)
    }

    /// Its name in an XML declaration. `None` if no declaration is needed.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Utf8 | Self::Ascii => None,
            Self::Utf16Le | Self::Utf16Be => Some("UTF-16"),
            Self::Iso8859_1 => Some("ISO-8859-1"),
            other => National::of(other).map(|national| national.name),
        }
    }

    /// Whether Java, and so EU DSS, decodes it.
    pub(crate) const fn is_known_to_java(self) -> bool {
        !matches!(self, Self::Iso8859_10 | Self::Iso8859_14)
    }

    /// A name that differs from those of all other encodings.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Ascii => "US-ASCII",
            other => other.name().unwrap_or_default(),
        }
    }

    pub(crate) const fn is_utf16(self) -> bool {
        matches!(self, Self::Utf16Le | Self::Utf16Be)
    }

    /// The number of octets of a character of ASCII.
    pub(crate) const fn width_of_ascii(self) -> u64 {
        if self.is_utf16() { 2 } else { 1 }
    }

    /// Encodes a text. `None` if the encoding does not have all its characters.
    pub(crate) fn encode(self, text: &str) -> Option<Vec<u8>> {
        let national = National::of(self);
        match self {
            Self::Utf8 => Some(text.as_bytes().to_vec()),
            Self::Utf16Le => Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            Self::Utf16Be => Some(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
            Self::Ascii => text.is_ascii().then(|| text.as_bytes().to_vec()),
            _ => {
                let mut octets = Vec::with_capacity(text.len());
                for c in text.chars() {
                    match (u8::try_from(c), national) {
                        (Ok(ascii @ ..0x80), Some(national)) if !national.refuses_ascii(ascii) => {
                            octets.push(ascii);
                        }
                        (_, Some(national)) => octets.extend(national.encode(c)?),
                        (latin, None) => octets.push(latin.ok()?),
                    }
                }
                Some(octets)
            }
        }
    }

    /// Decodes octets and appends the text to `out`. Returns the number of decoded octets,
    /// and the fault of the next octet, if any. A character that is cut off at the end is
    /// not decoded.
    pub(crate) fn decode(self, octets: &[u8], out: &mut Decoded) -> (usize, Option<&'static str>) {
        let national = National::of(self);
        let high_half = national.and_then(National::high_half);
        let is_itself = |octet: u8| {
            matches!(octet, b' '..=b'~') && !national.is_some_and(|n| n.refuses_ascii(octet))
        };
        let mut used = 0;
        loop {
            let rest = octets.get(used..).unwrap_or_default();
            if !self.is_utf16() {
                let ascii = rest.iter().take_while(|octet| is_itself(**octet)).count();
                if let Some((ascii, _)) = rest.split_at_checked(ascii).filter(|_| ascii > 0) {
                    out.push_ascii(ascii);
                    used += ascii.len();
                    continue;
                }
            }
            let decoded = match (&high_half, national) {
                (Some(high_half), _) => decode_single(high_half, rest),
                (None, Some(national)) => national.decode_one(rest),
                (None, None) => self.decode_one(rest),
            };
            let (c, len) = match decoded {
                Ok(Some(decoded)) => decoded,
                Ok(None) => return (used, None),
                Err(what) => return (used, Some(what)),
            };
            if !chars::is_char(c) {
                return (used, Some("a character that XML does not allow"));
            }
            out.push(c, len);
            used += len;
        }
    }

    fn decode_one(self, octets: &[u8]) -> DecodedOne {
        if self.is_utf16() {
            return self.decode_utf16(octets);
        }
        match octets.first() {
            None => Ok(None),
            Some(0x80..) if self == Self::Ascii => Err(UNDEFINED),
            Some(&octet) => Ok(Some((char::from(octet), 1))),
        }
    }

    fn decode_utf16(self, octets: &[u8]) -> DecodedOne {
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

/// Why an octet is rejected that has no character.
const UNDEFINED: &str = "an octet that this encoding does not define";

fn decode_single(high_half: &HighHalf, octets: &[u8]) -> DecodedOne {
    let Some(&octet) = octets.first() else { return Ok(None) };
    let c = match octet.checked_sub(0x80) {
        None => Some(char::from(octet)),
        Some(high) => high_half.get(usize::from(high)).copied().flatten(),
    };
    c.map(|c| Some((c, 1))).ok_or(UNDEFINED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(encoding: Encoding, octets: &[u8]) -> Option<String> {
        let mut out = Decoded::default();
        let (used, what) = encoding.decode(octets, &mut out);
        let text = String::from_utf8(out.text).unwrap();
        let widths: usize = out.widths.iter().map(|width| usize::from(*width)).sum();
        assert_eq!((widths, out.widths.len()), (used, text.len()));
        (used == octets.len() && what.is_none()).then_some(text)
    }

    #[test]
    fn each_encoding_has_its_own_characters() {
        use Encoding::*;
        for (encoding, octets, text) in [
            (Iso8859_15, b"\xA4\xBD\xE9".as_slice(), "€œé"),
            (Windows1252, b"\x80\x9C\xE9", "€œé"),
            (Iso8859_1, b"\x80\xA4\xE9", "\u{80}¤é"),
            (Iso8859_9, b"\x80\xDE\xFE", "\u{80}Şş"),
            (Iso8859_11, b"\x80\xA1", "\u{80}ก"),
            (Windows874, b"\x80\xA1", "€ก"),
            (Windows1251, b"\xD9\xB9", "Щ№"),
            (Koi8U, b"\xA4\xAE", "є╝"),
            (Utf16Be, b"\x20\xAC\xD8\x3D\xDE\x00", "€😀"),
            (ShiftJis, b"\x95\x5Ca\xB1\x81\x60", "表aｱ〜"),
            (Windows31J, b"\x87\x40\x81\x60\\", "①～\\"),
            (EucJp, b"\xC9\xBD\x8E\xB1\x8F\xB0\xA1", "表ｱ丂"),
            (EucKr, b"\xB0\xA1", "가"),
            (Gb2312, b"\xB1\xED\xA1\xA4", "表・"),
            (Gbk, b"\xB1\xED\x81\x40\xA1\xA4", "表丂·"),
            (Gb18030, b"\xB1\xED\x81\x30\x81\x31", "表\u{81}"),
            (Big5, b"\xAA\xED", "表"),
        ] {
            assert_eq!(decoded(encoding, octets).as_deref(), Some(text), "{encoding:?}");
            assert_eq!(encoding.encode(text).as_deref(), Some(octets), "{encoding:?}");
        }
    }

    #[test]
    fn octets_without_a_common_character_are_an_error() {
        use Encoding::*;
        for (encoding, octets) in [
            (Windows1252, b"\x81".as_slice()),
            (Windows1255, b"\xCC"),
            (Windows1258, b"\xCC"),
            (Tis620, b"\xA0"),
            (Ascii, b"\x80"),
            (Utf16Le, b"\x00\xDC"),
            (Utf16Le, b"\x00\xD8a\x00"),
            (ShiftJis, b"\\"),
            (ShiftJis, b"~"),
            (ShiftJis, b"\x87\x40"),
            (ShiftJis, b"\x81\x20"),
            (EucKr, b"\x81\x41"),
            (Gb2312, b"\x81\x40"),
            (Gbk, b"\x81\x30\x81\x31"),
            (Gb18030, b"\xA8\xBC"),
            (Gb18030, b"\x84\x31\x82\x36"),
            (Big5, b"\xA1\x45"),
            (Big5, b"\x88\x62"),
        ] {
            let mut out = Decoded::default();
            let before = encoding.encode("a").unwrap();
            let (used, what) = encoding.decode(&[&before, octets].concat(), &mut out);
            assert!(used == before.len() && what.is_some(), "{encoding:?} {octets:x?}");
        }
        let mut out = Decoded::default();
        for (encoding, cut_off) in [
            (Utf16Le, b"\x00\xD8a".as_slice()),
            (ShiftJis, b"\x95"),
            (EucJp, b"\x8F\xB0"),
            (Gb18030, b"\x81\x30\x81"),
        ] {
            assert_eq!(encoding.decode(cut_off, &mut out), (0, None), "{encoding:?}");
        }
    }

    #[test]
    fn names_of_encodings_are_found() {
        let found = |name: &str| Encoding::from_name(name.as_bytes(), true);
        assert_eq!(found("windows-1250"), Some(Encoding::Windows1250));
        assert_eq!(found("cp1250"), Some(Encoding::Windows1250));
        assert_eq!(found("UTF-16"), Some(Encoding::Utf16Le));
        assert_eq!(found("ISO-2022-JP"), None);
        for (name, encoding) in OTHER_NAMES {
            assert_eq!(found(name), Some(encoding));
            assert!(encoding.name().is_none_or(|name| found(name).is_some()), "{name}");
        }
    }
}

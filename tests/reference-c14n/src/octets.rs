//! From octets to characters (XML 1.0, clauses 2.11, 4.3.3 and appendix F).

use crate::Refused;
use crate::characters::is_char;

enum Encoding {
    Utf8,
    /// Whether the low octet comes first.
    Utf16(bool),
    /// One octet per character, by this table.
    Table(fn(u8) -> Option<char>),
}

/// The document's characters, with line ends as line feeds.
pub(crate) fn decode(octets: &[u8]) -> Result<Vec<char>, Refused> {
    let (bare, marked) = match octets {
        [0xEF, 0xBB, 0xBF, rest @ ..] => (rest, Some(Encoding::Utf8)),
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => return Err("UTF-32".into()),
        [0xFF, 0xFE, rest @ ..] => (rest, Some(Encoding::Utf16(true))),
        [0xFE, 0xFF, rest @ ..] => (rest, Some(Encoding::Utf16(false))),
        _ => (octets, None),
    };
    let (text, wide) = match (bare, &marked) {
        (_, Some(Encoding::Utf16(low_first))) => (utf16(bare, *low_first)?, Some(*low_first)),
        ([b'<', 0, 0, 0, ..] | [0, 0, 0, b'<', ..], _) => return Err("UTF-32".into()),
        ([b'<', 0, ..], None) => (utf16(bare, true)?, Some(true)),
        ([0, b'<', ..], None) => (utf16(bare, false)?, Some(false)),
        _ => (declared_as(bare, marked.is_some())?, None),
    };
    if let Some(low_first) = wide {
        let name = match declared_encoding(&text) {
            None if marked.is_none() => return Err("UTF-16 that nothing names".into()),
            name => name.unwrap_or_else(|| "utf-16".to_owned()),
        };
        let same = if low_first { "utf-16le" } else { "utf-16be" };
        if name != "utf-16" && name != same {
            return Err(format!("{name} is declared in UTF-16"));
        }
    }
    match text.chars().find(|c| !is_char(*c)) {
        Some(c) => Err(format!("the character {c:?}")),
        None => Ok(text.replace("\r\n", "\n").replace('\r', "\n").chars().collect()),
    }
}

/// Decodes the document for the encoding that its XML declaration names. The declaration
/// is ASCII in all supported encodings.
fn declared_as(octets: &[u8], marked: bool) -> Result<String, Refused> {
    let name = declared_encoding(&latin_1(octets)).unwrap_or_else(|| "utf-8".to_owned());
    let encoding = named(&name).ok_or_else(|| format!("the encoding {name}"))?;
    if marked && !matches!(encoding, Encoding::Utf8) {
        return Err(format!("{name} after a byte order mark of UTF-8"));
    }
    match encoding {
        Encoding::Table(table) => {
            let text: Option<String> = octets.iter().map(|octet| table(*octet)).collect();
            text.ok_or_else(|| "an octet that is not a character".into())
        }
        _ => String::from_utf8(octets.to_vec()).map_err(|_| "not UTF-8".into()),
    }
}

/// Whether the encoding that the XML declaration names, if it does, is one of those that
/// [`parse`](crate::parse) reads.
pub fn reads_encoding_of(octets: &[u8]) -> bool {
    declared_encoding(&latin_1(octets)).is_none_or(|name| named(&name).is_some())
}

fn named(name: &str) -> Option<Encoding> {
    Some(match name {
        "utf-8" | "utf8" => Encoding::Utf8,
        "us-ascii" | "ascii" => Encoding::Table(|octet| octet.is_ascii().then_some(octet.into())),
        "iso-8859-1" | "iso8859-1" | "iso_8859-1" | "latin1" => {
            Encoding::Table(|octet| Some(octet.into()))
        }
        "iso-8859-15" | "iso8859-15" | "iso_8859-15" | "latin-9" => Encoding::Table(latin_9),
        "windows-1252" | "cp1252" => Encoding::Table(windows_1252),
        _ => return None,
    })
}

fn latin_1(octets: &[u8]) -> String {
    octets.iter().map(|octet| char::from(*octet)).collect()
}

/// The encoding in the XML declaration, in lower case. The parser checks whether the
/// declaration is well-formed.
fn declared_encoding(text: &str) -> Option<String> {
    let rest = text.strip_prefix("<?xml")?;
    let declaration = rest.strip_prefix([' ', '\t', '\r', '\n'])?.split_once("?>")?.0;
    let after = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = after.chars().next()?;
    Some(after.strip_prefix(quote)?.split_once(quote)?.0.to_ascii_lowercase())
}

fn utf16(octets: &[u8], low_first: bool) -> Result<String, Refused> {
    let (pairs, rest) = octets.as_chunks::<2>();
    let from = if low_first { u16::from_le_bytes } else { u16::from_be_bytes };
    let units: Vec<u16> = pairs.iter().map(|pair| from(*pair)).collect();
    match String::from_utf16(&units) {
        Ok(text) if rest.is_empty() => Ok(text),
        _ => Err("not UTF-16".into()),
    }
}

fn latin_9(octet: u8) -> Option<char> {
    Some(match octet {
        0xA4 => '€',
        0xA6 => 'Š',
        0xA8 => 'š',
        0xB4 => 'Ž',
        0xB8 => 'ž',
        0xBC => 'Œ',
        0xBD => 'œ',
        0xBE => 'Ÿ',
        _ => octet.into(),
    })
}

fn windows_1252(octet: u8) -> Option<char> {
    const FROM_80: &str = "€?‚ƒ„…†‡ˆ‰Š‹Œ?Ž??‘’“”•–—˜™š›œ?žŸ";
    match octet {
        0x80..=0x9F => FROM_80.chars().nth(usize::from(octet - 0x80)).filter(|c| *c != '?'),
        _ => Some(octet.into()),
    }
}

//! CMS containers as text, and with padding after their end.

use std::io::{self, Read, Seek, SeekFrom};

use ades_core::document::ReadSeek;
use ades_core::{Document, base64};
use ades_validation::{Finding, Meaning};

use crate::detect::without_zeros;
use crate::error::Error;

/// Maximum number of octets of a container as text.
const MAX_TEXT: u64 = 96 * 1024 * 1024;
/// Maximum number of octets of padding after a container.
const MAX_PADDING: u64 = 1024 * 1024;
/// Number of octets within which the line of PEM or the fields of S/MIME have to begin.
const HEAD: u64 = 16 * 1024;

/// How a container was wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Armour {
    /// PEM (RFC 7468, 8 and 9)
    Pem,
    /// Base64 without a header
    Base64,
    /// S/MIME with base64 (RFC 8551, 3.5)
    Smime,
    /// Zeros or line ends after the container
    Padded,
}

impl Armour {
    pub(crate) fn remark(self) -> Finding {
        let (code, text) = match self {
            Self::Pem => ("container-in-pem", "the container is PEM; CAdES is binary"),
            Self::Base64 => ("container-in-base64", "the container is base64; CAdES is binary"),
            Self::Smime => ("container-in-smime", "the container is S/MIME; CAdES is binary"),
            Self::Padded => ("container-padded", "there is padding after the container's end"),
        };
        Finding { code: code.to_owned(), text: text.to_owned(), meaning: Meaning::Remark }
    }
}

/// The container in a text. `None` if the document is not such a text.
pub(crate) fn remove(document: &mut Document<'_>) -> Result<Option<(Armour, Vec<u8>)>, Error> {
    let Some(armour) = kind_of(&text_of(read(document, HEAD)?)) else { return Ok(None) };
    let text = text_of(read(document, MAX_TEXT)?);
    let octets = match armour {
        Armour::Pem => within_pem(&text).and_then(from_base64),
        Armour::Smime => after_empty_line(&text).and_then(|body| match body {
            // The content-transfer-encoding `binary`.
            [0x30, ..] => Some(body.to_vec()),
            _ => from_base64(body),
        }),
        Armour::Base64 | Armour::Padded => from_base64(&text),
    };
    match (octets, armour) {
        (Some(octets), _) => Ok(Some((armour, octets))),
        (None, Armour::Pem) => Err(Error::NotContainer { found: "PEM that is damaged or cut off" }),
        (None, Armour::Smime) => Err(Error::NotContainer { found: MESSAGE }),
        (None, _) => Ok(None),
    }
}

/// A message that is not S/MIME with one part, for people.
const MESSAGE: &str = "an e-mail (if it is multipart/signed, its part smime.p7s is the container, \
                       and the part before it is the document)";

/// The octets of a text, in UTF-8 without its byte order mark. Shells also write UTF-16.
fn text_of(octets: Vec<u8>) -> Vec<u8> {
    match octets.as_slice() {
        [0xFF, 0xFE, text @ ..] | [0xFE, 0xFF, text @ ..] => without_zeros(text),
        [0xEF, 0xBB, 0xBF, text @ ..] => text.to_vec(),
        _ => octets,
    }
}

fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.iter().filter(|octet| !octet.is_ascii_whitespace()).copied();
    base64::decode(&String::from_utf8(text.collect()).ok()?)
}

fn read(document: &mut Document<'_>, most: u64) -> Result<Vec<u8>, Error> {
    let source = document.random_access()?;
    let mut read = || -> io::Result<Vec<u8>> {
        let mut octets = Vec::new();
        source.rewind()?;
        Read::take(&mut *source, most).read_to_end(&mut octets)?;
        source.rewind()?;
        Ok(octets)
    };
    read().map_err(|error| ades_core::Error::Read(error).into())
}

fn kind_of(head: &[u8]) -> Option<Armour> {
    let text = head.trim_ascii_start();
    // The base64 of a SEQUENCE whose length is indefinite or has several octets.
    let sequence = text.starts_with(b"MI");
    let alphabet = |octet: &u8| octet.is_ascii_alphanumeric() || b"+/=\r\n \t".contains(octet);
    if text.first() == Some(&0x30) {
        None
    } else if pem_line(text).is_some() {
        Some(Armour::Pem)
    } else if has_mime_fields(text) {
        Some(Armour::Smime)
    } else if sequence && text.iter().all(alphabet) {
        Some(Armour::Base64)
    } else {
        None
    }
}

/// The offset of the line before the container. Other text may precede it (RFC 7468, 2).
fn pem_line(text: &[u8]) -> Option<usize> {
    const LABELS: [&[u8]; 3] = [b"PKCS7", b"CMS", b"PKCS #7 SIGNED DATA"];
    let mut at = 0;
    for line in text.split_inclusive(|octet| *octet == b'\n') {
        let line_at = at;
        at += line.len();
        if line.contains(&0) {
            break;
        }
        let line = line.to_ascii_uppercase();
        let label = line.strip_prefix(b"-----BEGIN ");
        let label = label.and_then(|label| label.trim_ascii_end().strip_suffix(b"-----"));
        if label.is_some_and(|label| LABELS.contains(&label)) {
            return Some(line_at);
        }
    }
    None
}

/// Whether a text begins with the fields of a message (RFC 5322, 2.2) that has MIME's among them.
fn has_mime_fields(text: &[u8]) -> bool {
    const NAMES: [&[u8]; 3] = [b"mime-version", b"content-type", b"content-transfer-encoding"];
    let mut has_mime = false;
    for line in text.split(|octet| *octet == b'\n').map(<[u8]>::trim_ascii_end) {
        match line.first() {
            None => break,
            Some(b' ' | b'\t') => {}
            Some(_) => {
                let Some(colon) = line.iter().position(|octet| *octet == b':') else {
                    return false;
                };
                let (name, _) = line.split_at(colon);
                if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
                    return false;
                }
                has_mime |= NAMES.contains(&name.to_ascii_lowercase().as_slice());
            }
        }
    }
    has_mime
}

/// The base64 between the lines of PEM, after the fields that older programs write there
/// (RFC 1421, 4.4).
fn within_pem(text: &[u8]) -> Option<&[u8]> {
    let line = text.get(pem_line(text)?..)?;
    let rest = line.get(find(line, b"\n")? + 1..)?;
    let body = rest.get(..find(rest, b"-----")?)?;
    if body.contains(&b':') { after_empty_line(body) } else { Some(body) }
}

/// The text after the first empty line.
fn after_empty_line(text: &[u8]) -> Option<&[u8]> {
    let ends =
        [&b"\r\n\r\n"[..], b"\n\n"].into_iter().filter_map(|end| Some((find(text, end)?, end)));
    let (at, end) = ends.min_by_key(|(at, _)| *at)?;
    text.get(at + end.len()..)
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// Whether a document has only zeros, white space or the end-of-file octet of DOS from
/// `offset` on.
pub(crate) fn is_padding(document: &mut Document<'_>, offset: u64) -> Result<bool, Error> {
    let source = document.random_access()?;
    let mut read = || -> io::Result<bool> {
        source.seek(SeekFrom::Start(offset))?;
        let mut rest = Vec::new();
        Read::take(&mut *source, MAX_PADDING + 1).read_to_end(&mut rest)?;
        source.rewind()?;
        let padding =
            rest.iter().all(|octet| matches!(octet, 0 | b'\r' | b'\n' | b' ' | b'\t' | 0x1A));
        Ok(padding && rest.len() as u64 <= MAX_PADDING)
    };
    read().map_err(|error| ades_core::Error::Read(error).into())
}

/// The first octets of a source, as a source of its own.
pub(crate) struct Prefix<'d> {
    source: &'d mut dyn ReadSeek,
    len: u64,
    at: u64,
}

impl<'d> Prefix<'d> {
    pub(crate) fn new(source: &'d mut dyn ReadSeek, len: u64) -> Self {
        Self { source, len, at: 0 }
    }
}

impl Read for Prefix<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.len.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let most = left.min(out.len());
        self.source.seek(SeekFrom::Start(self.at))?;
        let read = self.source.read(out.get_mut(..most).unwrap_or_default())?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Prefix<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = to.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_known_by_their_start() {
        for (head, kind) in [
            (&b"-----BEGIN PKCS7-----\nMII"[..], Some(Armour::Pem)),
            (b"\r\n-----BEGIN CMS-----\r\nMII", Some(Armour::Pem)),
            (b"Contents:\n  a file\n-----BEGIN PKCS #7 SIGNED DATA-----\nMII", Some(Armour::Pem)),
            (b"a line with -----BEGIN CMS-----\nMII", None),
            (b"-----BEGIN CERTIFICATE-----\nMII", None),
            (b"MIME-Version: 1.0\r\nContent-Type: x", Some(Armour::Smime)),
            (b"content-type: application/pkcs7-mime", Some(Armour::Smime)),
            (
                b"To: a\nSubject: b\n c\nContent-Type: application/pkcs7-mime\n\nMII",
                Some(Armour::Smime),
            ),
            (b"To: a\n\nContent-Type: application/pkcs7-mime\n\nMII", None),
            (b"To whom it may concern\nContent-Type: x\n", None),
            (b"MIIB\r\nabc+/=", Some(Armour::Base64)),
            (b"MIAGCSqGSIb3DQEHAqCA", Some(Armour::Base64)),
            (b"MIIB, not base64", None),
            (b"\x30\x82\x01\x00", None),
            (b"\x30\x82\x01\x00\n-----BEGIN CMS-----\nMII", None),
            (b"", None),
        ] {
            assert_eq!(kind_of(head), kind, "{head:?}");
        }
    }

    #[test]
    fn the_octets_in_the_text_are_found() {
        let octets = b"\x30\x82\x01\x00any octets".to_vec();
        let text = base64::encode(&octets);
        let (first, second) = text.split_at(10);
        for (wrapped, armour) in [
            (
                format!("-----BEGIN CMS-----\r\n{first}\r\n{second}\r\n-----END CMS-----\r\n"),
                Armour::Pem,
            ),
            (
                format!(
                    "Text:\n\n-----BEGIN PKCS7-----\nA: b\n\n{first}\n{second}\n-----END PKCS7-----"
                ),
                Armour::Pem,
            ),
            (format!("\u{FEFF}-----BEGIN CMS-----\n{text}\n-----END CMS-----\n"), Armour::Pem),
            (format!("{first}\n{second}\n"), Armour::Base64),
            (format!("MIME-Version: 1.0\nA: b\n\n{first}\n{second}\n\n"), Armour::Smime),
            (format!("To: a\r\nMIME-Version: 1.0\r\n\r\n{first}\r\n{second}"), Armour::Smime),
        ] {
            let wide = wrapped.trim_start_matches('\u{FEFF}').encode_utf16();
            let wide: Vec<u8> = wide.flat_map(u16::to_le_bytes).collect();
            for wrapped in [wrapped.as_bytes(), &[&[0xFF, 0xFE], &*wide].concat()] {
                let found = remove(&mut Document::from_bytes(wrapped)).unwrap();
                assert_eq!(found, Some((armour, octets.clone())), "{wrapped:?}");
            }
        }
        let binary = [b"Content-Type: application/pkcs7-mime\r\n\r\n", &*octets].concat();
        let found = remove(&mut Document::from_bytes(&binary)).unwrap();
        assert_eq!(found, Some((Armour::Smime, octets)));
    }

    #[test]
    fn damaged_texts_are_named() {
        for (text, named) in [
            ("-----BEGIN CMS-----\nMIIB\n", "PEM"),
            ("-----BEGIN CMS-----\nnot base64!\n-----END CMS-----\n", "PEM"),
            ("MIME-Version: 1.0\nContent-Type: multipart/signed\n\n--a\n", "multipart/signed"),
        ] {
            let error = remove(&mut Document::from_bytes(text.as_bytes())).unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
        }
    }

    #[test]
    fn padding_is_zeros_and_white_space() {
        for (rest, padding) in [(&b"\0\0\r\n\x1A"[..], true), (b"", true), (b"\0x", false)] {
            let octets = [b"container", rest].concat();
            let mut document = Document::from_bytes(&octets);
            assert_eq!(is_padding(&mut document, 9).unwrap(), padding, "{rest:?}");
        }
        let mut document = Document::from_bytes(b"container\0\0");
        let mut prefix = Prefix::new(document.random_access().unwrap(), 9);
        let mut read = Vec::new();
        prefix.read_to_end(&mut read).unwrap();
        assert_eq!(read, b"container");
        assert_eq!(prefix.seek(SeekFrom::End(0)).unwrap(), 9);
    }
}

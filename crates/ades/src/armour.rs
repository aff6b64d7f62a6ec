//! CMS containers as text, and with padding after their end.

use std::io::{self, Read, Seek, SeekFrom};

use ades_core::document::ReadSeek;
use ades_core::{Document, base64};
use ades_validation::{Finding, Meaning};

use crate::error::Error;

/// Maximum number of octets of a container as text.
const MAX_TEXT: u64 = 96 * 1024 * 1024;
/// Maximum number of octets of padding after a container.
const MAX_PADDING: u64 = 1024 * 1024;
/// Number of octets that decide whether a file is text.
const HEAD: u64 = 256;

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
    let head = read(document, HEAD)?;
    let Some(armour) = kind_of(&head) else { return Ok(None) };
    let text = read(document, MAX_TEXT)?;
    let body = match armour {
        Armour::Pem => between_pem_lines(&text),
        Armour::Smime => after_headers(&text),
        Armour::Base64 | Armour::Padded => Some(text.as_slice()),
    };
    let body: Option<String> = body.and_then(|body| {
        let body = body.iter().filter(|octet| !octet.is_ascii_whitespace());
        String::from_utf8(body.copied().collect()).ok()
    });
    Ok(body.and_then(|body| base64::decode(&body)).map(|octets| (armour, octets)))
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
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    let lower = text.to_ascii_lowercase();
    let header = [&b"mime-version:"[..], b"content-type:", b"content-transfer-encoding:"];
    // The base64 of a SEQUENCE whose length is indefinite or has several octets.
    let sequence = text.starts_with(b"MI");
    let alphabet = |octet: &u8| octet.is_ascii_alphanumeric() || b"+/=\r\n \t".contains(octet);
    if [
        &b"-----begin pkcs7-----"[..],
        b"-----begin cms-----",
        b"-----begin pkcs #7 signed data-----",
    ]
    .iter()
    .any(|line| lower.starts_with(line))
    {
        Some(Armour::Pem)
    } else if header.iter().any(|name| lower.starts_with(name)) {
        Some(Armour::Smime)
    } else if sequence && text.iter().all(alphabet) {
        Some(Armour::Base64)
    } else {
        None
    }
}

/// The text between the first two lines of hyphens.
fn between_pem_lines(text: &[u8]) -> Option<&[u8]> {
    let start = find(text, b"-----BEGIN ").or_else(|| find(text, b"-----begin "))?;
    let rest = text.get(start + 5..)?;
    let rest = rest.get(find(rest, b"-----")? + 5..)?;
    rest.get(..find(rest, b"-----")?)
}

/// The text after the first empty line.
fn after_headers(text: &[u8]) -> Option<&[u8]> {
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
            (b"\xEF\xBB\xBF\r\n-----BEGIN CMS-----\r\nMII", Some(Armour::Pem)),
            (b"-----BEGIN CERTIFICATE-----\nMII", None),
            (b"MIME-Version: 1.0\r\nContent-Type: x", Some(Armour::Smime)),
            (b"content-type: application/pkcs7-mime", Some(Armour::Smime)),
            (b"MIIB\r\nabc+/=", Some(Armour::Base64)),
            (b"MIAGCSqGSIb3DQEHAqCA", Some(Armour::Base64)),
            (b"MIIB, not base64", None),
            (b"\x30\x82\x01\x00", None),
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
            (format!("{first}\n{second}\n"), Armour::Base64),
            (format!("MIME-Version: 1.0\nA: b\n\n{first}\n{second}\n\n"), Armour::Smime),
            (format!("MIME-Version: 1.0\r\n\r\n{first}\r\n{second}"), Armour::Smime),
        ] {
            let mut document = Document::from_bytes(wrapped.as_bytes());
            assert_eq!(remove(&mut document).unwrap(), Some((armour, octets.clone())), "{wrapped}");
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

//! Detects the kind of a document, and the format that fits it.

use std::fmt;
use std::io::{self, Read, Seek};

use ades_core::Document;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A signature format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Format {
    /// CMS signatures over any file (EN 319 122-1)
    Cades,
    /// Signatures in PDFs (EN 319 142-1)
    Pades,
    /// XML signatures (EN 319 132-1)
    Xades,
}

impl Format {
    /// The usual file extension of documents that hold signatures of this format: `pdf` or `xml`.
    /// CAdES signs documents of any kind.
    #[must_use]
    pub const fn document_extension(self) -> Option<&'static str> {
        match self {
            Self::Cades => None,
            Self::Pades => Some("pdf"),
            Self::Xades => Some("xml"),
        }
    }

    /// Whether containers of this format are text, which does not disturb a terminal.
    #[must_use]
    pub const fn is_text(self) -> bool {
        match self {
            Self::Cades | Self::Pades => false,
            Self::Xades => true,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cades => "CAdES",
            Self::Pades => "PAdES",
            Self::Xades => "XAdES",
        })
    }
}

/// The kind of a document, from its first octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DocumentKind {
    /// A PDF
    Pdf,
    /// XML, or XHTML
    Xml,
    /// HTML without an XML declaration or namespace. It may still be well-formed XML.
    Html,
    /// Anything else, including CMS containers
    Other,
}

/// id-signedData with its tag and length: the first element of a CMS container, whose
/// content may look like a PDF or XML.
const SIGNED_DATA: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02";

impl DocumentKind {
    /// Number of octets at the start of a document that decide its kind.
    pub const HEAD_LEN: usize = 1024;

    /// Reads the first [`HEAD_LEN`](Self::HEAD_LEN) octets of a document, which must be seekable.
    ///
    /// # Errors
    /// [`Error::Core`] if reading fails or the document is a stream.
    pub fn of(document: &mut Document<'_>) -> Result<Self, Error> {
        let source = document.random_access()?;
        let mut head = || -> io::Result<Vec<u8>> {
            let mut head = Vec::new();
            source.rewind()?;
            Read::take(&mut *source, Self::HEAD_LEN as u64).read_to_end(&mut head)?;
            Seek::rewind(&mut *source)?;
            Ok(head)
        };
        Ok(Self::from_head(&head().map_err(ades_core::Error::Read)?))
    }

    /// What a document is that is not a CMS container. `None` if it begins as one.
    pub(crate) fn without_signatures(
        document: &mut Document<'_>,
    ) -> Result<Option<&'static str>, Error> {
        let source = document.random_access()?;
        let mut head = Vec::new();
        let mut read = || -> io::Result<()> {
            source.rewind()?;
            Read::take(&mut *source, 64).read_to_end(&mut head)?;
            Seek::rewind(&mut *source)
        };
        read().map_err(ades_core::Error::Read)?;
        let text = head.iter().all(|octet| octet.is_ascii_graphic() || octet.is_ascii_whitespace());
        Ok(match head.as_slice() {
            [] => Some("an empty file"),
            [0x30, ..] if contains(&head, SIGNED_DATA) => None,
            [b'P', b'K', 3, 4, ..] => Some("a ZIP archive (ASiC containers are not supported yet)"),
            [b'{', ..] => Some("JSON (JAdES is not supported yet)"),
            _ if text => Some("text"),
            _ => Some("another file"),
        })
    }

    /// Decides by the first octets of a document; [`HEAD_LEN`](Self::HEAD_LEN) are enough.
    #[must_use]
    pub fn from_head(head: &[u8]) -> Self {
        let first = head.get(..32).unwrap_or(head);
        if first.starts_with(b"\x30") && contains(first, SIGNED_DATA) {
            return Self::Other;
        }
        // UTF-16 has a zero octet beside each ASCII character.
        let text: Vec<u8> = match head {
            [0xFE, 0xFF, rest @ ..] | [0xFF, 0xFE, rest @ ..] => without_zeros(rest),
            [b'<', 0, ..] | [0, b'<', ..] => without_zeros(head),
            _ => head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).to_vec(),
        };
        let text = text.trim_ascii_start().to_ascii_lowercase();
        let is_html = text.starts_with(b"<!doctype html") || text.starts_with(b"<html");
        let is_xml = match text.as_slice() {
            // The namespace of an SVG image inside HTML does not make the HTML an XML document.
            _ if is_html => html_tag(&text).is_some_and(|tag| contains(tag, b"xmlns")),
            [b'<', next, ..] => {
                next.is_ascii_alphabetic() || b"_?!".contains(next) || !next.is_ascii()
            }
            _ => false,
        };
        // Viewers accept a PDF header after other octets. An XML document may mention it.
        match (is_xml, contains(&text, b"%pdf-")) {
            (true, _) => Self::Xml,
            (false, true) => Self::Pdf,
            (false, false) if is_html => Self::Html,
            (false, false) => Self::Other,
        }
    }

    /// The media type that a signature states by default.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Xml => "application/xml",
            Self::Html | Self::Other => "application/octet-stream",
        }
    }
}

fn contains(text: &[u8], what: &[u8]) -> bool {
    text.windows(what.len()).any(|window| window == what)
}

/// The document's first `html` tag, cut at the end of `text`.
fn html_tag(text: &[u8]) -> Option<&[u8]> {
    let start = text.windows(5).position(|window| window == b"<html")?;
    let tag = text.get(start..)?;
    let end = tag.iter().position(|octet| *octet == b'>').unwrap_or(tag.len());
    tag.get(..end)
}

pub(crate) fn without_zeros(octets: &[u8]) -> Vec<u8> {
    octets.iter().copied().filter(|octet| *octet != 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_octets_decide_the_kind() {
        use DocumentKind as Kind;

        for (head, kind) in [
            (&b"%PDF-1.7\n"[..], Kind::Pdf),
            (b"\0\0junk%PDF-1.4", Kind::Pdf),
            (b"<?xml version=\"1.0\"?><a/>", Kind::Xml),
            (b"\xEF\xBB\xBF \r\n<Invoice xmlns=\"urn:x\">", Kind::Xml),
            (b"\xFF\xFE<\0?\0x\0m\0l\0", Kind::Xml),
            (b"<!-- a comment --><a/>", Kind::Xml),
            (b"<\0r\0/\0>\0", Kind::Xml),
            (b"\0<\0?\0x\0m\0l\0 ", Kind::Xml),
            (b"<r>%PDF-1.7</r>", Kind::Xml),
            (b"<html xmlns='http://www.w3.org/1999/xhtml'/>", Kind::Xml),
            (b"<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML'><html xmlns=", Kind::Xml),
            (b"<?xml version='1.0'?><html>", Kind::Xml),
            (b"<!DOCTYPE html><html>", Kind::Html),
            (
                b"<!DOCTYPE html><html lang='nl'><svg xmlns='http://www.w3.org/2000/svg'>",
                Kind::Html,
            ),
            (b"<html><body><math xmlns='http://www.w3.org/1998/Math/MathML'/>", Kind::Html),
            (b"<!DOCTYPE html><p><svg xmlns='http://www.w3.org/2000/svg'>", Kind::Html),
            (
                b"<!DOCTYPE html>\n<html lang='nl'\n  xmlns='http://www.w3.org/1999/xhtml'>",
                Kind::Xml,
            ),
            (b"<html><body>%PDF-1.4", Kind::Pdf),
            (b"<- not XML", Kind::Other),
            (b"plain text", Kind::Other),
            (b"\x30\x80\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02 %PDF-1.4", Kind::Other),
            (b"", Kind::Other),
        ] {
            assert_eq!(DocumentKind::from_head(head), kind, "{head:?}");
        }
    }
}

//! What is read: files, and standard input where a path is `-`.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use ades_core::Document;

use crate::exit::Failure;
use crate::progress::Watched;
use crate::temporary::{self, Temporary};

/// No text we read whole (certificates, states, jobs) may be longer.
const MAX_TEXT: u64 = 8 * 1024 * 1024;

/// Whether a path means standard input or output.
pub(crate) fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

/// Whether a path can be read once only: standard input, a pipe, or what this
/// process alone has under that name.
pub(crate) fn is_stream(path: &Path) -> bool {
    let own = ["/dev/stdin", "/dev/fd", "/proc/self", "/proc/thread-self"];
    is_standard(path)
        || own.iter().any(|own| path.starts_with(own))
        || path.metadata().is_ok_and(|data| !data.is_file() && !data.is_dir())
}

pub(crate) fn name(path: &Path) -> String {
    if is_standard(path) { "standard input".to_owned() } else { path.display().to_string() }
}

pub(crate) fn absolute(path: &Path) -> PathBuf {
    if is_standard(path) {
        return path.to_owned();
    }
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Opens what can be rewound: a file as it is, anything else by a copy in an
/// unnamed temporary file.
pub(crate) fn open(path: &Path) -> Result<File, Failure> {
    let failed = |e: &io::Error| Failure::file(path, e);
    if is_standard(path) {
        return copied(io::stdin().lock(), path).map_err(|e| failed(&e));
    }
    let file = File::open(path).map_err(|e| failed(&e))?;
    let metadata = file.metadata().map_err(|e| failed(&e))?;
    if metadata.is_dir() {
        return Err(Failure::input(format!("{}: is a folder", path.display())));
    }
    if metadata.is_file() { Ok(file) } else { copied(file, path).map_err(|e| failed(&e)) }
}

pub(crate) fn document(path: &Path) -> Result<Document<'static>, Failure> {
    open(path).map(|file| watched(file, path)).map(Document::seekable)
}

/// An opened file; people see how far it is read.
pub(crate) fn watched(file: File, path: &Path) -> Watched<File> {
    let length = file.metadata().map(|metadata| metadata.len()).ok();
    Watched::new(file, &name(path), length)
}

fn copied(from: impl Read, path: &Path) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut Watched::new(from, &name(path), None), &mut file)?;
    file.rewind()?;
    Ok(file)
}

/// What can be read once, kept in a temporary file beside `place` until that is
/// dropped.
pub(crate) fn spool(path: &Path, place: Option<&Path>) -> Result<Temporary, Failure> {
    let failed = |e: io::Error| Failure::file(path, &e);
    let place = place.map_or_else(|| std::env::temp_dir().join("stdin"), Path::to_owned);
    temporary::sweep([place.as_path()].into_iter());
    let mut file = Temporary::beside(&place).map_err(failed)?;
    let from: Box<dyn Read> = if is_standard(path) {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(failed)?)
    };
    io::copy(&mut Watched::new(from, &name(path), None), file.file()).map_err(failed)?;
    Ok(file)
}

pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    let octets = read_at_most(path, MAX_TEXT)?;
    String::from_utf8(octets)
        .map_err(|_| Failure::input(format!("{}: is not a text file", name(path))))
}

/// Certificates as PEM. Text around them may be of any encoding.
pub(crate) fn read_pem(path: &Path) -> Result<String, Failure> {
    let octets = read_at_most(path, MAX_TEXT)?;
    if octets.starts_with(b"\x30") && !contains(&octets, b"-----BEGIN ") {
        let (name, how) = (name(path), "openssl x509 -inform DER makes it");
        return Err(Failure::input(format!("{name}: this is DER; PEM is wanted: {how}")));
    }
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

pub(crate) fn read_at_most(path: &Path, max: u64) -> Result<Vec<u8>, Failure> {
    let mut octets = Vec::new();
    open(path)?.take(max + 1).read_to_end(&mut octets).map_err(|e| Failure::file(path, &e))?;
    if octets.len() as u64 > max {
        return Err(Failure::input(format!("{}: has more than {max} octets", name(path))));
    }
    Ok(octets)
}

/// What a file looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Pdf,
    Xml,
    /// HTML that does not say that it is XML, and may be so all the same.
    Html,
    Other,
}

/// Looks at a file's first kilobyte, and rewinds it.
pub(crate) fn kind(file: &mut (impl Read + Seek + ?Sized)) -> io::Result<Kind> {
    let mut start = Vec::new();
    file.rewind()?;
    file.take(1024).read_to_end(&mut start)?;
    file.rewind()?;
    Ok(kind_of(&start))
}

fn kind_of(start: &[u8]) -> Kind {
    /// `06 09 …`: id-signedData, the first thing in a CMS container, whose
    /// content may be anything.
    const SIGNED_DATA: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02";
    let head = start.get(..32).unwrap_or(start);
    if head.starts_with(b"\x30") && head.windows(11).any(|window| window == SIGNED_DATA) {
        return Kind::Other;
    }
    // UTF-16 has a zero beside each ASCII character.
    let text: Vec<u8> = match start {
        [0xFE, 0xFF, rest @ ..] | [0xFF, 0xFE, rest @ ..] => without_zeros(rest),
        [b'<', 0, ..] | [0, b'<', ..] => without_zeros(start),
        _ => start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start).to_vec(),
    };
    let text = text.trim_ascii_start().to_ascii_lowercase();
    let is_html = text.starts_with(b"<!doctype html") || text.starts_with(b"<html");
    let is_xml = match text.as_slice() {
        // A drawing within HTML says of itself only that it is XML.
        _ if is_html => html_tag(&text).is_some_and(|tag| contains(tag, b"xmlns")),
        [b'<', next, ..] => next.is_ascii_alphabetic() || b"_?!".contains(next) || !next.is_ascii(),
        _ => false,
    };
    // A PDF's header may stand behind something else, and may be spoken of.
    match (is_xml, contains(&text, b"%pdf-")) {
        (true, _) => Kind::Xml,
        (false, true) => Kind::Pdf,
        (false, false) if is_html => Kind::Html,
        (false, false) => Kind::Other,
    }
}

fn contains(text: &[u8], what: &[u8]) -> bool {
    text.windows(what.len()).any(|window| window == what)
}

/// The tag that HTML begins with, as much of it as there is.
fn html_tag(text: &[u8]) -> Option<&[u8]> {
    let start = text.windows(5).position(|window| window == b"<html")?;
    let tag = text.get(start..)?;
    let end = tag.iter().position(|octet| *octet == b'>').unwrap_or(tag.len());
    tag.get(..end)
}

fn without_zeros(octets: &[u8]) -> Vec<u8> {
    octets.iter().copied().filter(|octet| *octet != 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_told_by_the_first_octets() {
        for (start, kind) in [
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
            assert_eq!(kind_of(start), kind, "{start:?}");
        }
    }
}

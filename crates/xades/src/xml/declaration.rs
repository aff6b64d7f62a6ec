//! The start of a document: byte order mark and XML declaration (XML 1.0, clauses
//! 2.8, 4.3.3 and appendix F).

use crate::error::{Error, Limit};

use super::encoding::{Decoded, Encoding};
use super::scan::{Bad, Cursor, Stop, SyntaxFault, Token, bad, fault};

/// Maximum length of byte order mark and XML declaration together.
pub(crate) const MAX_LEN: usize = 4096;

/// The encoding that the start of a document indicates, and where its text begins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Prologue {
    pub(crate) encoding: Encoding,
    /// Length of the byte order mark.
    pub(crate) mark: usize,
    /// Length of the XML declaration in UTF-8.
    pub(crate) declaration: usize,
}

/// Reads the start of a document: at least [`MAX_LEN`] octets, or the whole
/// document.
pub(crate) fn read(start: &[u8]) -> Result<Prologue, Error> {
    let (guess, mark) = match start {
        [0x00, 0x00, 0xFE, 0xFF, ..]
        | [0xFF, 0xFE, 0x00, 0x00, ..]
        | [0x00, 0x00, 0x00, 0x3C, ..]
        | [0x3C, 0x00, 0x00, 0x00, ..] => {
            return Err(unknown(0, b"UTF-32"));
        }
        [0xEF, 0xBB, 0xBF, ..] => (Encoding::Utf8, 3),
        [0xFF, 0xFE, ..] => (Encoding::Utf16Le, 2),
        [0xFE, 0xFF, ..] => (Encoding::Utf16Be, 2),
        [0x3C, 0x00, ..] => (Encoding::Utf16Le, 0),
        [0x00, 0x3C, ..] => (Encoding::Utf16Be, 0),
        [0x4C, 0x6F, 0xA7, 0x94, ..] => {
            return Err(unknown(0, b"EBCDIC"));
        }
        _ => (Encoding::Utf8, 0),
    };
    let octets = start.get(mark..start.len().min(MAX_LEN)).unwrap_or_default();
    let mut decoded = Decoded::default();
    let text = if guess.is_utf16() {
        guess.decode(octets, &mut decoded);
        decoded.text.as_slice()
    } else {
        octets
    };
    let offset_of = |at: usize| {
        let width = if guess.is_utf16() { 2 } else { 1 };
        (mark + at * width) as u64
    };
    let declaration = match declaration(text) {
        Ok(declaration) => declaration,
        Err(Stop::More) if start.len() >= MAX_LEN => {
            return Err(Error::Limit { offset: Some(0), limit: Limit::DeclarationLength });
        }
        Err(Stop::More) => {
            let what = "the document ends within the XML declaration";
            return Err(Error::NotWellFormed { offset: start.len() as u64, what });
        }
        Err(Stop::Bad(Bad { at, fault })) => return Err(fault.error(offset_of(at))),
    };
    // Clause 4.3.3: a document with neither a mark nor an encoding declaration is UTF-8.
    let declared = declaration.as_ref().is_some_and(|declaration| declaration.encoding.is_some());
    if guess.is_utf16() && mark == 0 && !declared {
        let what = "UTF-16 without a byte order mark or an encoding declaration";
        return Err(Error::Encoding { offset: 0, what });
    }
    let Some(declaration) = declaration else {
        return Ok(Prologue { encoding: guess, mark, declaration: 0 });
    };
    let encoding = match declaration.encoding {
        None => guess,
        Some((at, name)) => {
            let offset = offset_of(at);
            let declared = Encoding::from_name(name, guess == Encoding::Utf16Le)
                .ok_or_else(|| unknown(offset, name))?;
            let agrees = if guess.is_utf16() || declared.is_utf16() || mark > 0 {
                declared == guess
            } else {
                true
            };
            if !agrees {
                let what = "the octets are not in the declared encoding";
                return Err(Error::Encoding { offset, what });
            }
            declared
        }
    };
    Ok(Prologue { encoding, mark, declaration: declaration.len })
}

/// The error for an encoding that this crate does not decode. Encodings with shift sequences,
/// such as ISO-2022-JP, are among them: the same octets have several meanings.
fn unknown(offset: u64, name: &[u8]) -> Error {
    /// Longer than any registered name.
    const MAX_NAME: usize = 64;

    let name = name.get(..MAX_NAME).unwrap_or(name);
    Error::UnknownEncoding { offset, name: String::from_utf8_lossy(name).into_owned() }
}

struct Declaration<'t> {
    len: usize,
    encoding: Option<(usize, &'t [u8])>,
}

/// Reads the `XMLDecl`, if the document has one.
fn declaration(text: &[u8]) -> Token<Option<Declaration<'_>>> {
    let begins = text.starts_with(b"<?xml")
        && text.get(5).is_some_and(|octet| matches!(octet, b' ' | b'\t' | b'\n' | b'\r'));
    if !begins {
        return Ok(None);
    }
    let mut cursor = Cursor::new(text, 5);
    cursor.need_space()?;
    cursor.expect(b"version", "the XML declaration has no version")?;
    let (at, version) = value(&mut cursor)?;
    match version {
        b"1.0" => {}
        b"1.1" => return fault(at, SyntaxFault::Unsupported("XML 1.1")),
        _ => return bad(at, "an unknown XML version"),
    }
    let mut encoding = None;
    let mut spaces = cursor.spaces();
    if spaces > 0 && cursor.skip(b"encoding")? {
        let (at, name) = value(&mut cursor)?;
        let of_names = |octet: &u8| octet.is_ascii_alphanumeric() || b"._-".contains(octet);
        if !name.first().is_some_and(u8::is_ascii_alphabetic) || !name.iter().all(of_names) {
            return bad(at, "a malformed encoding name");
        }
        encoding = Some((at, name));
        spaces = cursor.spaces();
    }
    if spaces > 0 && cursor.skip(b"standalone")? {
        let (at, standalone) = value(&mut cursor)?;
        if !matches!(standalone, b"yes" | b"no") {
            return bad(at, "standalone is neither yes nor no");
        }
        cursor.spaces();
    }
    cursor.expect(b"?>", "a malformed XML declaration")?;
    Ok(Some(Declaration { len: cursor.at, encoding }))
}

/// Reads `= "value"`. Returns the offset of the value, and the value.
fn value<'t>(cursor: &mut Cursor<'t>) -> Token<(usize, &'t [u8])> {
    cursor.spaces();
    cursor.expect(b"=", "an equals sign is missing")?;
    cursor.spaces();
    let at = cursor.at + 1;
    Ok((at, cursor.quoted()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding(start: &[u8]) -> Option<Encoding> {
        read(start).ok().map(|prologue| prologue.encoding)
    }

    #[test]
    fn marks_and_declarations_must_agree() {
        let latin: &[u8] = b"<?xml version='1.0' encoding='iso-8859-1'?><a/>";
        assert_eq!(encoding(latin), Some(Encoding::Iso8859_1));
        assert_eq!(encoding(b"\xEF\xBB\xBF<a/>"), Some(Encoding::Utf8));
        assert_eq!(encoding(&[b"\xEF\xBB\xBF", latin].concat()), None);
        assert_eq!(encoding(b"\xFF\xFE<\0a\0/\0>\0"), Some(Encoding::Utf16Le));
        assert_eq!(encoding(b"<?xml version='1.0' encoding='UTF-16'?><a/>"), None);
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
        assert_eq!(encoding(&utf16("<a/>")), None);
        assert_eq!(encoding(&utf16("<?xml version='1.0'?><a/>")), None);
        let declared = utf16("<?xml version='1.0' encoding='UTF-16'?><a/>");
        assert_eq!(encoding(&declared), Some(Encoding::Utf16Be));
        let russian = b"<?xml version='1.0' encoding='koi8-r'?><a/>";
        assert_eq!(encoding(russian), Some(Encoding::Koi8R));
        for (name, reason) in [("ISO-2022-JP", "ISO-2022-JP"), ("x", "\"x\"")] {
            let octets = format!("<?xml version='1.0' encoding='{name}'?><a/>");
            let error = read(octets.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains("UTF-8"), "{error}");
        }
        assert!(read(b"\0\0\0<").unwrap_err().to_string().contains("UTF-32"));
    }

    #[test]
    fn errors_have_the_offset_of_the_fault() {
        let error = |start: &[u8]| read(start).unwrap_err().to_string();
        assert_eq!(error(b"<?xml version='1.1'?>"), "unsupported XML at octet 15: XML 1.1");
        assert!(error(b"<?xml version='1.0' standalone='maybe'?>").contains("octet 32"));
        assert!(error(b"<?xml version='1.0'encoding='UTF-8'?>").contains("octet 19"));
        assert!(error(b"<?xml version='1.0'").contains("ends within"));
    }
}

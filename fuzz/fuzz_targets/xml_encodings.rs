//! A document whose encoding the first line names: any octets after it are canonicalised or
//! refused. The result does not depend on how the octets are split, and the canonical form of
//! the canonical form, which is UTF-8, is the same.
#![no_main]

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use xades::Error;
use xades::c14n::{Canonicalization, Selection, canonicalize};
use xades::xml::Reader;

/// Maximum length of a name.
const NAME: usize = 20;

/// Hands out at most this many octets at a time.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = buffer.len().min(self.1);
        self.0.read(&mut buffer[..len])
    }
}

fn form(reader: Result<Reader<'_>, Error>) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let method = Canonicalization::C14N_1_1.with_comments();
    reader
        .and_then(|reader| {
            canonicalize(reader, method, Selection::document(), &mut |piece| {
                out.extend_from_slice(piece);
                Ok(())
            })
        })
        .map_err(|error| error.to_string())?;
    Ok(out)
}

fuzz_target!(|octets: &[u8]| {
    let Some(end) = octets.iter().position(|octet| *octet == b'\n') else { return };
    let (name, content) = octets.split_at(end);
    let is_name = |octet: &u8| octet.is_ascii_alphanumeric() || b"-_.".contains(octet);
    if name.len() > NAME || !name.iter().all(is_name) {
        return;
    }
    let declaration = [b"<?xml version='1.0' encoding='", name, b"'?><r>"].concat();
    let document = [&declaration, content, b"</r>"].concat();
    let at_once = form(Reader::from_slice(&document));
    for length in [1, 2, 3, 7] {
        assert_eq!(at_once, form(Reader::from_read(Pieces(&document, length))));
    }
    if let Ok(canonical) = at_once {
        assert!(std::str::from_utf8(&canonical).is_ok());
        assert_eq!(form(Reader::from_slice(&canonical)).as_ref(), Ok(&canonical));
    }
});

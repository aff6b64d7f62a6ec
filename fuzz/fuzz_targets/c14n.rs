//! Any octets are canonicalised or refused. At once and in pieces the result is
//! the same, and a canonical form is its own.
#![no_main]

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use xades::c14n::{Canonicalization, Selection, Target, canonicalize};
use xades::xml::Reader;

/// Hands out as many octets as the first of them says, over and over.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = buffer.len().min(self.1);
        self.0.read(&mut buffer[..len])
    }
}

fn form(
    reader: Result<Reader<'_>, xades::Error>,
    method: &Canonicalization,
    selection: &Selection,
) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    reader
        .and_then(|reader| {
            canonicalize(reader, method.clone(), selection.clone(), &mut |piece| {
                out.extend_from_slice(piece);
                Ok(())
            })
        })
        .map_err(|error| error.to_string())?;
    Ok(out)
}

fuzz_target!(|octets: &[u8]| {
    let Some((&first, document)) = octets.split_first() else { return };
    let method = match first % 3 {
        0 => Canonicalization::C14N_1_0.with_comments(),
        1 => Canonicalization::C14N_1_1,
        _ => Canonicalization::EXCLUSIVE.with_prefix_list("p #default"),
    };
    let part = Selection::element(Target::Id("i".into())).without(Target::first_signature());
    for selection in [Selection::document(), part] {
        let at_once = form(Reader::from_slice(document), &method, &selection);
        let pieces = Pieces(document, usize::from(first / 3 % 8) + 1);
        assert_eq!(at_once, form(Reader::from_read(pieces), &method, &selection));
        if let Ok(once) = at_once
            && selection.is_document()
        {
            let twice = form(Reader::from_slice(&once), &method, &selection);
            assert_eq!(twice.as_ref(), Ok(&once), "a canonical form is its own");
        }
    }
});

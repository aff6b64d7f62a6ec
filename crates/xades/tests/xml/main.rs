//! The reader and the canonicaliser through their public interface.
// Helpers of tests are not in test functions, which is where clippy.toml allows these.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod disagreements;
mod limits;
mod properties;
mod reader;
mod selections;
mod stumbles;
mod vectors;

use std::io::{self, Read};

use xades::Error;
use xades::c14n::{Canonicalization, Selection, Target, canonicalize};
use xades::xml::Reader;

/// The canonical form of a document in memory.
fn c14n(document: &[u8], method: Canonicalization, selection: Selection) -> Result<String, Error> {
    form(Reader::from_slice(document)?, method, selection)
}

fn form(
    reader: Reader<'_>,
    method: Canonicalization,
    selection: Selection,
) -> Result<String, Error> {
    let mut out = Vec::new();
    let covered = canonicalize(reader, method, selection, &mut |piece| {
        out.extend_from_slice(piece);
        Ok(())
    })?;
    assert_eq!(covered.length, out.len() as u64);
    Ok(String::from_utf8(out).unwrap())
}

/// Canonical XML 1.0 of a whole document, comments kept.
fn whole(document: &[u8]) -> Result<String, Error> {
    c14n(document, Canonicalization::C14N_1_0.with_comments(), Selection::document())
}

fn by_id(id: &str) -> Selection {
    Selection::element(Target::Id(id.into()))
}

/// The first element of this name.
fn first(namespace: &str, local_name: &str) -> Selection {
    Selection::element(Target::Named {
        namespace: namespace.into(),
        local_name: local_name.into(),
        nth: Some(0),
    })
}

/// Reads pieces of these lengths, cyclically.
struct Pieces<'a> {
    rest: &'a [u8],
    lengths: Vec<usize>,
    turn: usize,
}

impl<'a> Pieces<'a> {
    fn new(rest: &'a [u8], lengths: &[usize]) -> Self {
        Self { rest, lengths: lengths.to_vec(), turn: 0 }
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = self.lengths[self.turn % self.lengths.len()];
        self.turn += 1;
        let len = buffer.len().min(wanted);
        self.rest.read(&mut buffer[..len])
    }
}

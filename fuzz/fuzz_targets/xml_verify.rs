//! Any octets are verified or refused. The result does not depend on how the octets
//! are split, and everything that a report calls covered is in the document.
#![no_main]

use std::io::{Cursor, Read, Seek, SeekFrom};

use ades_core::Document;
use libfuzzer_sys::fuzz_target;
use xades::VerifyOptions;
use xades::report::{ReferenceReport, Report, SignatureReport};

/// Hands out at most this many octets at a time.
struct Pieces<'a>(Cursor<&'a [u8]>, usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = buffer.len().min(self.1);
        self.0.read(&mut buffer[..len])
    }
}

impl Seek for Pieces<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

fn verify(mut document: Document<'_>) -> Result<Report, String> {
    let content = Document::from_bytes(b"<content>Y29udGVudA==</content>");
    let options = VerifyOptions::new().original(content);
    xades::verify(&mut document, options).map_err(|error| error.to_string())
}

fn check_reference(reference: &ReferenceReport, length: u64) {
    for place in reference.covers.iter().map(|part| &part.place).chain(&reference.left_out) {
        assert!(place.from <= place.to && place.to <= length);
    }
    assert_eq!(reference.intact != Some(true), reference.problem.is_some());
    reference.manifest.iter().for_each(|inner| check_reference(inner, length));
}

fn check(signature: &SignatureReport, length: u64) {
    assert!(signature.place.from <= signature.place.to && signature.place.to <= length);
    signature.references.iter().for_each(|reference| check_reference(reference, length));
    let all = signature.references.iter().all(|reference| reference.intact == Some(true));
    assert!(all || signature.intact != Some(true));
    signature.countersignatures.iter().for_each(|inner| check(inner, length));
}

fuzz_target!(|octets: &[u8]| {
    let at_once = verify(Document::from_bytes(octets));
    let pieces = Pieces(Cursor::new(octets), octets.len() % 7 + 1);
    let in_pieces = verify(Document::seekable(pieces));
    assert_eq!(format!("{at_once:?}"), format!("{in_pieces:?}"));
    if let Ok(report) = at_once {
        assert_eq!(report.length, octets.len() as u64);
        report.signatures.iter().for_each(|signature| check(signature, report.length));
    }
});

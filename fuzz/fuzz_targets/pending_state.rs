//! A stored state is read or refused. A state that is read is stored as the same state
//! again, and completing it succeeds or is an error.
#![no_main]

use ades_core::{Document, PendingState, StateKey};
use libfuzzer_sys::fuzz_target;

fn read<S: PendingState + PartialEq + std::fmt::Debug>(text: &str, complete: impl Fn(S)) {
    let key = StateKey::new([7; 32]);
    for key in [None, Some(&key)] {
        let Ok(pending) = S::from_json(text, key) else { continue };
        let again = pending.to_json(key).expect("a state that was read can be stored");
        assert_eq!(S::from_json(&again, key).expect("a stored state is read"), pending);
        complete(pending);
    }
}

fuzz_target!(|octets: &[u8]| {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    read(text, |pending: cades::PendingSignature| {
        let mut document = Document::from_bytes(b"document");
        let _ = pending.complete(Some(&mut document), &[1; 256], &mut Vec::new());
    });
    read(text, |pending: pades::PendingSignature| {
        let mut document = Document::from_bytes(b"%PDF-1.7");
        let _ = pending.complete(Some(&mut document), &[1; 256], &mut Vec::new());
        let _ = pending.preview(&mut document, &mut Vec::new());
    });
    read(text, |pending: pades::PreparedDocument| {
        let mut document = Document::from_bytes(b"%PDF-1.7");
        let _ = pending.embed(&mut document, &[1; 256], &mut Vec::new());
    });
    read(text, |pending: xades::PendingSignature| {
        let mut document = Document::from_bytes(b"<document/>");
        let _ = pending.complete(Some(&mut document), &[1; 256], &mut Vec::new());
    });
    read(text, |pending: xades::PendingTimeStamp| {
        let mut document = Document::from_bytes(b"<document/>");
        let _ = xades::add_time_stamp(&mut document, &pending, &[1; 256], &mut Vec::new());
    });
});

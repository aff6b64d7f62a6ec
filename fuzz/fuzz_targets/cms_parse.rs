//! A container of any origin is read or refused. What is read can be verified, and
//! its content read, without a panic. Where rasn-cms reads it too, both say the same
//! of it.
#![no_main]

use std::sync::LazyLock;

use ades_core::{Certificate, Document};
use cades::{Container, VerifyOptions};
use libfuzzer_sys::fuzz_target;

fn foreign() -> Certificate {
    static FOREIGN: LazyLock<Certificate> = LazyLock::new(|| {
        let der = include_bytes!("../seeds/certificate_chain/leaf.der");
        Certificate::from_der(der.to_vec()).expect("a certificate")
    });
    FOREIGN.clone()
}

fuzz_target!(|octets: &[u8]| {
    let mut source = Document::from_bytes(octets);
    let Ok(container) = Container::read(&mut source) else { return };
    if let Some(expected) = container.content_len() {
        let mut length = 0;
        let read = container.read_content(&mut source, &mut |piece| {
            length += piece.len() as u64;
            Ok(())
        });
        assert!(read.is_ok() && length == expected, "the content has the length that was reported");
    }
    let mut original = Document::from_bytes(b"content");
    // Trust anchors: one of its own certificates, and one that issued none of them.
    let own = container.certificates().last().cloned();
    for trust in own.into_iter().chain([foreign()]) {
        let trust = [trust];
        let options = VerifyOptions::new().original(&mut original).trust(&trust);
        let _ = container.verify(&mut source, options);
    }
    if let Err(difference) = second_readers::cms::compare(octets) {
        panic!("{difference}");
    }
});

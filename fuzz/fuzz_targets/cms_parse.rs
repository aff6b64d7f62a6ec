//! A container of any origin reads or is an error; what reads can be verified,
//! and its content read, without a panic.
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
        assert!(read.is_ok() && length == expected, "what was measured is what is read");
    }
    let mut original = Document::from_bytes(b"content");
    // With one of its own as anchor, and with one that nothing leads to.
    let own = container.certificates().last().cloned();
    for trust in own.into_iter().chain([foreign()]) {
        let trust = [trust];
        let options = VerifyOptions::new().original(&mut original).trust(&trust);
        let _ = container.verify(&mut source, options);
    }
});

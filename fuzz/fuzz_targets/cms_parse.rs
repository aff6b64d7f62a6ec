//! A container of any origin is read or refused. What is read can be verified, and
//! its content read, without a panic. Where rasn-cms reads it too, both say the same
//! of it.
#![no_main]

use std::sync::LazyLock;

use ades_core::{Certificate, Document};
use ades_evidence::path::{IssuerPool, PathBuilder, Request};
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
    let options = VerifyOptions::new().original(&mut original);
    if let Ok(report) = container.verify(&mut source, options) {
        let now = chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap_or_default();
        for anchor in own.into_iter().chain([foreign()]) {
            let mut paths = PathBuilder::new(&[anchor]);
            for signature in &report.signatures {
                let evidence = &signature.facts.evidence;
                let all: Vec<Certificate> = evidence.distinct_certificates().cloned().collect();
                let pool = IssuerPool::new(&all);
                let request = Request::document_signing(now);
                let signer = signature.facts.certificate.iter();
                signer.for_each(|signer| drop(paths.find(signer, &pool, &request)));
            }
        }
    }
    if let Err(difference) = second_readers::cms::compare(octets) {
        panic!("{difference}");
    }
});

//! A signer with a P-256 key and a certificate made here.

use ades_core::{
    Certificate, CertificateChain, Document, PendingState, SignatureParameters, ToBeSigned,
};
use cades::report::Report;
use cades::{Packaging, PendingSignature, SignatureOptions, VerifyOptions};
use chrono::DateTime;
use test_key::TestKey;

pub(crate) struct Signer {
    key: TestKey,
    pub(crate) chain: CertificateChain,
}

impl Signer {
    /// Each number has a key and a certificate of its own.
    pub(crate) fn new(number: u8) -> Self {
        let key = TestKey::new(&format!("Signer {number}"));
        let leaf = Certificate::from_der(key.certificate()).unwrap();
        Self { key, chain: CertificateChain::from_leaf(leaf, []).unwrap() }
    }

    pub(crate) fn sign(&self, to_be_signed: &ToBeSigned) -> Vec<u8> {
        self.key.sign_digest(to_be_signed.digest().0.value())
    }

    /// Signs and completes, from the stored state.
    pub(crate) fn finish(&self, pending: &PendingSignature, document: Option<&[u8]>) -> Vec<u8> {
        let stored = pending.to_json(None).unwrap();
        let pending = PendingSignature::from_json(&stored, None).unwrap();
        let value = self.sign(&pending.to_be_signed());
        let mut out = Vec::new();
        pending.complete(document.map(Document::from_bytes).as_mut(), &value, &mut out).unwrap();
        out
    }

    /// A new container.
    pub(crate) fn container(&self, content: &[u8], packaging: Packaging) -> Vec<u8> {
        let mut document = Document::from_bytes(content);
        let options = SignatureOptions::new().packaging(packaging);
        let pending = cades::prepare(&mut document, &self.chain, &parameters(), &options).unwrap();
        self.finish(&pending, Some(content))
    }
}

/// A signing time within the certificates' validity: 2026-09-21T14:13:20Z.
pub(crate) fn parameters() -> SignatureParameters {
    SignatureParameters::new(DateTime::from_timestamp(1_790_000_000, 0).unwrap())
}

pub(crate) fn verify(container: &[u8], original: Option<&[u8]>) -> Report {
    let mut container = Document::from_bytes(container);
    let mut original = original.map(Document::from_bytes);
    let mut options = VerifyOptions::new();
    if let Some(original) = &mut original {
        options = options.original(original);
    }
    cades::verify(&mut container, options).unwrap()
}

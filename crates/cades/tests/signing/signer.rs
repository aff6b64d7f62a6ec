//! A signer with a P-256 key and a certificate made here.

use ades_core::asn1::der::{INTEGER, OID, SEQUENCE, SET, element};
use ades_core::{
    Certificate, CertificateChain, Document, PendingState, SignatureParameters, ToBeSigned,
};
use cades::report::Report;
use cades::{Packaging, PendingSignature, SignatureOptions, VerifyOptions};
use chrono::DateTime;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};

const UTF8_STRING: u8 = 0x0C;
const BIT_STRING: u8 = 0x03;
const UTC_TIME: u8 = 0x17;
/// 2.5.4.3
const COMMON_NAME: &[u8] = &[OID, 3, 0x55, 4, 3];
/// ecdsa-with-SHA256, 1.2.840.10045.4.3.2
const ECDSA_SHA256: &[u8] = &[SEQUENCE, 10, OID, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2];
/// id-ecPublicKey with secp256r1
const P256: &[u8] = &[
    SEQUENCE, 19, OID, 7, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1, OID, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D,
    3, 1, 7,
];

pub struct Signer {
    key: SigningKey,
    pub chain: CertificateChain,
}

impl Signer {
    /// The number makes key and certificate, and becomes its serial number.
    pub fn new(number: u8) -> Self {
        let key = SigningKey::from_slice(&[number; 32]).unwrap();
        let point = key.verifying_key().to_sec1_point(false);
        let key_info = element(SEQUENCE, &[P256, &element(BIT_STRING, &[&[0], point.as_bytes()])]);
        let validity = element(
            SEQUENCE,
            &[&element(UTC_TIME, &[b"200101000000Z"]), &element(UTC_TIME, &[b"491231235959Z"])],
        );
        let serial = element(INTEGER, &[&[number]]);
        let (issuer, subject) = (name("Test CA"), name(&format!("Signer {number}")));
        let to_be_signed =
            element(SEQUENCE, &[&serial, ECDSA_SHA256, &issuer, &validity, &subject, &key_info]);
        let signature: Signature = key.sign(&to_be_signed);
        let signature = element(BIT_STRING, &[&[0], signature.to_der().as_bytes()]);
        let certificate = element(SEQUENCE, &[&to_be_signed, ECDSA_SHA256, &signature]);
        let leaf = Certificate::from_der(certificate).unwrap();
        Self { key, chain: CertificateChain::from_leaf(leaf, []).unwrap() }
    }

    pub fn sign(&self, to_be_signed: &ToBeSigned) -> Vec<u8> {
        let signature: Signature = self.key.sign(to_be_signed.data());
        signature.to_der().as_bytes().to_vec()
    }

    /// Signs and completes, from the stored state.
    pub fn finish(&self, pending: &PendingSignature, document: Option<&[u8]>) -> Vec<u8> {
        let stored = pending.to_json(None).unwrap();
        let pending = PendingSignature::from_json(&stored, None).unwrap();
        let value = self.sign(&pending.to_be_signed());
        let mut out = Vec::new();
        pending.complete(document.map(Document::from_bytes).as_mut(), &value, &mut out).unwrap();
        out
    }

    /// A new container.
    pub fn container(&self, content: &[u8], packaging: Packaging) -> Vec<u8> {
        let mut document = Document::from_bytes(content);
        let options = SignatureOptions::new().packaging(packaging);
        let pending = cades::prepare(&mut document, &self.chain, &parameters(), &options).unwrap();
        self.finish(&pending, Some(content))
    }
}

fn name(common_name: &str) -> Vec<u8> {
    let value = element(UTF8_STRING, &[common_name.as_bytes()]);
    let attribute = element(SEQUENCE, &[COMMON_NAME, &value]);
    element(SEQUENCE, &[&element(SET, &[&attribute])])
}

/// A signing time within the certificates' validity: 2026-09-21T14:13:20Z.
pub fn parameters() -> SignatureParameters {
    SignatureParameters::new(DateTime::from_timestamp(1_790_000_000, 0).unwrap())
}

pub fn verify(container: &[u8], original: Option<&[u8]>) -> Report {
    let mut container = Document::from_bytes(container);
    let mut original = original.map(Document::from_bytes);
    let mut options = VerifyOptions::new();
    if let Some(original) = &mut original {
        options = options.original(original);
    }
    cades::verify(&mut container, options).unwrap()
}

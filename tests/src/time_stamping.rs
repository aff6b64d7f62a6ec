//! A time-stamping service, and revocation data for it, at any time.

use ades_core::asn1::der::{self, OCTET_STRING, SEQUENCE};
use ades_core::{Digest, DigestAlgorithm};
use ades_evidence::ValidationData;

use crate::evidence::{
    Answer, By, List, Response, Stamp, TIME_STAMPING, attribute, names, oid, time,
    with_extended_key_usage,
};
use crate::pki::{Pki, TestSigner};

/// A service with a certificate of the PKI's issuing CA.
#[derive(Debug)]
pub struct Service<'p> {
    pki: &'p Pki,
    signer: TestSigner,
}

impl<'p> Service<'p> {
    /// A service of this PKI.
    #[must_use]
    pub fn new(pki: &'p Pki) -> Self {
        let signer = with_extended_key_usage(pki, "Time-stamps", &[TIME_STAMPING], true);
        Self { pki, signer }
    }

    /// Its key and certificate.
    #[must_use]
    pub const fn signer(&self) -> &TestSigner {
        &self.signer
    }

    /// A token over an imprint, with the certificate of the service. `at` is a
    /// `GeneralizedTime`.
    #[must_use]
    pub fn token(&self, imprint: &Digest, at: &str) -> Vec<u8> {
        let value = der::element(OCTET_STRING, &[imprint.value()]);
        let algorithm = imprint.algorithm().algorithm_identifier();
        let number =
            Digest::of(DigestAlgorithm::Sha256, &[imprint.value(), at.as_bytes()].concat());
        let info = [
            der::unsigned_integer(&[1]),
            oid("1.2.3.4.1"),
            der::element(SEQUENCE, &[&algorithm, &value]),
            der::unsigned_integer(number.value().first_chunk::<8>().unwrap()),
            time(at),
        ];
        let info = der::element(SEQUENCE, &[&info.concat()]);
        let digest = Digest::of(DigestAlgorithm::Sha256, &info);
        let digest = der::element(OCTET_STRING, &[digest.value()]);
        let digest = attribute("1.2.840.113549.1.9.4", &[digest]);
        let stamp = Stamp {
            info,
            attributes: vec![digest, names(self.signer.leaf())],
            ..Stamp::new(b"", &self.signer)
        };
        stamp.signed(&self.signer)
    }

    /// What level B-LT needs for `subject`, which the issuing CA has certified, and for the
    /// service: an OCSP response and a CRL, valid for a month from `at` on.
    #[must_use]
    pub fn validation_data(
        &self,
        subject: &TestSigner,
        at: &'static str,
        until: &'static str,
    ) -> ValidationData {
        let by = By::Issuing(self.pki);
        let mut answer = Answer::good(subject.leaf(), self.pki.issuing());
        (answer.this_update, answer.next_update) = (at, Some(until));
        let response = Response { produced_at: at, ..Response::new(answer) };
        let list = List { this_update: at, next_update: Some(until), ..List::new(1, Vec::new()) };
        let mut data = ValidationData::new();
        data.certificates = vec![self.pki.issuing().clone(), self.pki.root().clone()];
        data.ocsp_responses = vec![response.whole(by)];
        data.crls = vec![list.signed(by)];
        data
    }
}

//! The services that raising a signature asks, with the same answers in every run: time-stamps
//! (RFC 3161) and OCSP responses (RFC 6960).

use ades::formats::ades_core::asn1::ber::Reader;
use ades::formats::ades_core::asn1::der::{
    self, INTEGER, OCTET_STRING, OID, SEQUENCE, SET, context,
};
use ades::formats::ades_evidence::token::TimeStampRequest;
use ades::{Certificate, Digest, DigestAlgorithm, Need, Oid};
use chrono::{DateTime, TimeDelta, Utc};
use test_key::TestKey;

const BIT_STRING: u8 = 0x03;
const ENUMERATED: u8 = 0x0A;
const GENERALIZED_TIME: u8 = 0x18;
const OCSP_URL: &[u8] = b"http://ocsp.test/";

/// A certification authority, a signer and a time-stamping service.
pub(crate) struct Services {
    authority: TestKey,
    pub(crate) signer: TestKey,
    stamps: TestKey,
}

impl Services {
    pub(crate) fn new() -> Self {
        let authority = TestKey::authority("Authority of counted documents");
        let uri = der::element(0x86, &[OCSP_URL]);
        let access = der::element(SEQUENCE, &[&oid("1.3.6.1.5.5.7.48.1"), &uri]);
        let access = der::element(OCTET_STRING, &[&der::element(SEQUENCE, &[&access])]);
        let access = der::element(SEQUENCE, &[&oid("1.3.6.1.5.5.7.1.1"), &access]);
        let usage = der::element(SEQUENCE, &[&oid("1.3.6.1.5.5.7.3.8")]);
        let usage = der::element(OCTET_STRING, &[&usage]);
        let usage = der::element(SEQUENCE, &[&oid("2.5.29.37"), b"\x01\x01\xFF", &usage]);
        let signer = authority.issue("Signer of counted documents", &access);
        let stamps = authority.issue("Time-stamps", &[usage, access].concat());
        Self { authority, signer, stamps }
    }

    /// The trust anchor.
    pub(crate) fn anchor(&self) -> Certificate {
        certificate(&self.authority)
    }

    /// The need of the signer's status.
    pub(crate) fn status_need(&self) -> Need {
        Need::ocsp(&certificate(&self.signer), &self.anchor(), None).unwrap()
    }

    /// The answer at a time.
    pub(crate) fn answer(&self, need: &Need, now: DateTime<Utc>) -> Vec<u8> {
        match need {
            Need::TimeStamp { request } => {
                let granted = der::element(SEQUENCE, &[&[INTEGER, 1, 0]]);
                der::element(SEQUENCE, &[&granted, &self.token(request, now)])
            }
            Need::Ocsp { request, .. } => {
                let about = [&self.signer, &self.stamps].map(certificate).into_iter();
                let mut about = about.filter(|one| contains(request.der(), one.serial_number()));
                self.good(&about.next().unwrap(), now)
            }
            other => panic!("nobody answers {other:?}"),
        }
    }

    fn token(&self, request: &TimeStampRequest, now: DateTime<Utc>) -> Vec<u8> {
        let imprint = request.imprint();
        let value = der::element(OCTET_STRING, &[imprint.value()]);
        let imprint = [imprint.algorithm().algorithm_identifier(), value].concat();
        let nonce = nonce(request).map(|nonce| der::element(INTEGER, &[&nonce]));
        let info = [
            der::unsigned_integer(&[1]),
            oid("1.2.3.4.1"),
            der::element(SEQUENCE, &[&imprint]),
            der::unsigned_integer(&now.timestamp().to_be_bytes()),
            time(now),
            nonce.unwrap_or_default(),
        ];
        let info = der::element(SEQUENCE, &[&info.concat()]);
        let own = certificate(&self.stamps);
        let named = der::element(OCTET_STRING, &[own.digest(DigestAlgorithm::Sha256).value()]);
        let named = (0..3).fold(named, |inner, _| der::element(SEQUENCE, &[&inner]));
        let digest = Digest::of(DigestAlgorithm::Sha256, &info);
        let mut attributes = [
            ("1.2.840.113549.1.9.3", oid("1.2.840.113549.1.9.16.1.4")),
            ("1.2.840.113549.1.9.4", der::element(OCTET_STRING, &[digest.value()])),
            ("1.2.840.113549.1.9.16.2.47", named),
        ]
        .map(|(kind, value)| der::element(SEQUENCE, &[&oid(kind), &der::element(SET, &[&value])]));
        let attributes = der::set_of(&mut attributes);
        let value = sign(&self.stamps, &der::element(SET, &[&attributes]));
        let signer = [
            vec![INTEGER, 1, 1],
            der::element(SEQUENCE, &[own.issuer(), own.serial_number()]),
            DigestAlgorithm::Sha256.algorithm_identifier(),
            der::element(context(0), &[&attributes]),
            algorithm(),
            der::element(OCTET_STRING, &[&value]),
        ];
        let signer = der::element(SEQUENCE, &[&signer.concat()]);
        let content = der::element(context(0), &[&der::element(OCTET_STRING, &[&info])]);
        let signed_data = [
            vec![INTEGER, 1, 3],
            der::element(SET, &[&DigestAlgorithm::Sha256.algorithm_identifier()]),
            der::element(SEQUENCE, &[&oid("1.2.840.113549.1.9.16.1.4"), &content]),
            der::element(context(0), &[own.der()]),
            der::element(SET, &[&signer]),
        ];
        let signed_data = der::element(SEQUENCE, &[&signed_data.concat()]);
        let wrapped = der::element(context(0), &[&signed_data]);
        der::element(SEQUENCE, &[&oid("1.2.840.113549.1.7.2"), &wrapped])
    }

    /// The authority's own response: the certificate is not revoked.
    fn good(&self, about: &Certificate, now: DateTime<Utc>) -> Vec<u8> {
        let sha1 = |octets: &[u8]| {
            let digest = Digest::of(DigestAlgorithm::Sha1, octets);
            der::element(OCTET_STRING, &[digest.value()])
        };
        let own = self.anchor();
        // An uncompressed point, at the end of its SubjectPublicKeyInfo.
        let key = own.public_key_info().last_chunk::<65>().unwrap().as_slice();
        let id = [
            DigestAlgorithm::Sha1.algorithm_identifier(),
            sha1(own.subject()),
            sha1(key),
            about.serial_number().to_vec(),
        ];
        let answer = [
            der::element(SEQUENCE, &[&id.concat()]),
            vec![0x80, 0],
            time(now),
            der::element(context(0), &[&time(now + TimeDelta::days(7))]),
        ];
        let answers = der::element(SEQUENCE, &[&der::element(SEQUENCE, &[&answer.concat()])]);
        let data = [der::element(context(1), &[own.subject()]), time(now), answers];
        let data = der::element(SEQUENCE, &[&data.concat()]);
        let value = der::element(BIT_STRING, &[&[0], &sign(&self.authority, &data)]);
        let basic = der::element(SEQUENCE, &[&data, &algorithm(), &value]);
        let basic = der::element(OCTET_STRING, &[&basic]);
        let bytes = der::element(SEQUENCE, &[&oid("1.3.6.1.5.5.7.48.1.1"), &basic]);
        der::element(SEQUENCE, &[&[ENUMERATED, 1, 0], &der::element(context(0), &[&bytes])])
    }
}

fn certificate(key: &TestKey) -> Certificate {
    Certificate::from_der(key.certificate()).unwrap()
}

fn sign(key: &TestKey, octets: &[u8]) -> Vec<u8> {
    key.sign_digest(Digest::of(DigestAlgorithm::Sha256, octets).value())
}

/// ecdsa-with-SHA256
fn algorithm() -> Vec<u8> {
    der::element(SEQUENCE, &[&oid("1.2.840.10045.4.3.2")])
}

fn oid(dotted: &str) -> Vec<u8> {
    der::element(OID, &[Oid::from_dotted(dotted).unwrap().as_bytes()])
}

fn time(time: DateTime<Utc>) -> Vec<u8> {
    der::element(GENERALIZED_TIME, &[time.format("%Y%m%d%H%M%SZ").to_string().as_bytes()])
}

/// The content octets of the nonce in a request.
fn nonce(request: &TimeStampRequest) -> Option<Vec<u8>> {
    let whole = Reader::new(request.der(), 0).next("request").unwrap();
    let fields = whole.children().all(8).unwrap();
    let numbers: Vec<_> = fields.iter().filter(|field| field.tag == INTEGER).collect();
    numbers.get(1).map(|nonce| nonce.content.to_vec())
}

fn contains(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|window| window == part)
}

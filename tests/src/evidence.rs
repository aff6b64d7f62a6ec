//! OCSP responses, CRLs and time-stamp tokens of the test PKI, made field by field so
//! that each can be wrong.

use ades_core::asn1::der::{self, INTEGER, OCTET_STRING, SEQUENCE, context};
use ades_core::{Certificate, Digest, DigestAlgorithm, Oid, SignatureAlgorithm};
use rcgen::CustomExtension;

use crate::pki::{Key, Pki, Profile, TestSigner};

/// The algorithm of the P-256 keys.
const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256);
const BOOLEAN: u8 = 0x01;
const BIT_STRING: u8 = 0x03;
const ENUMERATED: u8 = 0x0A;
const GENERALIZED_TIME: u8 = 0x18;

/// The OID of an extended key usage for OCSP responders.
pub const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";
/// The OID of an extended key usage for time-stamps.
pub const TIME_STAMPING: &str = "1.3.6.1.5.5.7.3.8";

/// Who signs.
#[derive(Clone, Copy, Debug)]
pub enum By<'a> {
    /// The issuing CA of a PKI.
    Issuing(&'a Pki),
    /// The root of a PKI.
    Root(&'a Pki),
    /// A P-256 signer.
    Signer(&'a TestSigner),
}

impl By<'_> {
    fn sign(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Issuing(pki) => pki.sign_as_issuing(message),
            Self::Root(pki) => pki.sign_as_root(message),
            Self::Signer(signer) => signer.sign_message(ALGORITHM, message),
        }
    }

    fn certificate(&self) -> &Certificate {
        match self {
            Self::Issuing(pki) => pki.issuing(),
            Self::Root(pki) => pki.root(),
            Self::Signer(signer) => signer.leaf(),
        }
    }
}

/// An `OBJECT IDENTIFIER` from dotted decimals.
#[must_use]
pub fn oid(dotted: &str) -> Vec<u8> {
    der::object_identifier(Oid::from_dotted(dotted).unwrap())
}

/// An `Extension`.
#[must_use]
pub fn extension(dotted: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let flag = if critical { der::element(BOOLEAN, &[&[0xFF]]) } else { Vec::new() };
    der::element(SEQUENCE, &[&oid(dotted), &flag, &der::element(OCTET_STRING, &[value])])
}

/// A `GeneralizedTime`.
#[must_use]
pub fn time(text: &str) -> Vec<u8> {
    der::element(GENERALIZED_TIME, &[text.as_bytes()])
}

/// A certificate of a P-256 key with these extended key usages.
#[must_use]
pub fn with_extended_key_usage(
    pki: &Pki,
    name: &str,
    purposes: &[&str],
    critical: bool,
) -> TestSigner {
    pki.issue(&profile(name, purposes, critical))
}

/// The contents of a certificate with these extended key usages.
#[must_use]
pub fn profile(name: &str, purposes: &[&str], critical: bool) -> Profile {
    let purposes: Vec<u8> = purposes.iter().flat_map(|purpose| oid(purpose)).collect();
    let usage = der::element(SEQUENCE, &[&purposes]);
    let mut usage = CustomExtension::from_oid_content(&[2, 5, 29, 37], usage);
    usage.set_criticality(critical);
    Profile { common_name: name.into(), extensions: vec![usage], ..Profile::new(Key::P256) }
}

/// One `SingleResponse`.
#[derive(Clone, Debug)]
pub struct Answer {
    /// CertID
    pub id: Vec<u8>,
    /// CertStatus
    pub status: Vec<u8>,
    /// thisUpdate
    pub this_update: &'static str,
    /// nextUpdate
    pub next_update: Option<&'static str>,
    /// singleExtensions
    pub extensions: Vec<Vec<u8>>,
}

impl Answer {
    /// That the certificate is good.
    #[must_use]
    pub fn good(certificate: &Certificate, issuer: &Certificate) -> Self {
        Self {
            id: certificate_id(certificate, issuer, DigestAlgorithm::Sha1),
            status: vec![0x80, 0],
            this_update: "20260101000000Z",
            next_update: Some("20260108000000Z"),
            extensions: Vec::new(),
        }
    }

    /// That it is revoked.
    #[must_use]
    pub fn revoked(mut self, at: &str, reason: Option<u8>) -> Self {
        let reason = reason.map(|code| der::element(context(0), &[&[ENUMERATED, 1, code]]));
        self.status = der::element(context(1), &[&time(at), &reason.unwrap_or_default()]);
        self
    }

    fn to_der(&self) -> Vec<u8> {
        let next = self.next_update.map(|next| der::element(context(0), &[&time(next)]));
        let parts = [
            self.id.clone(),
            self.status.clone(),
            time(self.this_update),
            next.unwrap_or_default(),
            explicit_extensions(1, &self.extensions),
        ];
        der::element(SEQUENCE, &[&parts.concat()])
    }
}

/// A `CertID`.
#[must_use]
pub fn certificate_id(
    certificate: &Certificate,
    issuer: &Certificate,
    algorithm: DigestAlgorithm,
) -> Vec<u8> {
    let hash = |octets: &[u8]| der::element(OCTET_STRING, &[Digest::of(algorithm, octets).value()]);
    let parts = [
        algorithm.algorithm_identifier(),
        hash(certificate.issuer()),
        hash(&key_bits(issuer)),
        certificate.serial_number().to_vec(),
    ];
    der::element(SEQUENCE, &[&parts.concat()])
}

/// The octets of a P-256 key: an uncompressed point, at the end of its
/// SubjectPublicKeyInfo.
fn key_bits(certificate: &Certificate) -> Vec<u8> {
    certificate.public_key_info().last_chunk::<65>().unwrap().to_vec()
}

fn explicit_extensions(number: u8, extensions: &[Vec<u8>]) -> Vec<u8> {
    if extensions.is_empty() {
        return Vec::new();
    }
    der::element(context(number), &[&der::element(SEQUENCE, &[&extensions.concat()])])
}

/// A response: what it says, and how.
#[derive(Clone, Debug)]
pub struct Response {
    /// responses
    pub answers: Vec<Answer>,
    /// producedAt
    pub produced_at: &'static str,
    /// Whether the responder is named by its key.
    pub by_key: bool,
    /// responseExtensions
    pub extensions: Vec<Vec<u8>>,
    /// certs
    pub certificates: Vec<Certificate>,
}

impl Response {
    /// A response with this answer and without certificates.
    #[must_use]
    pub fn new(answer: Answer) -> Self {
        Self {
            answers: vec![answer],
            produced_at: "20260101000000Z",
            by_key: false,
            extensions: Vec::new(),
            certificates: Vec::new(),
        }
    }

    /// The `BasicOCSPResponse`.
    #[must_use]
    pub fn basic(&self, by: By<'_>) -> Vec<u8> {
        let signer = by.certificate();
        let responder = if self.by_key {
            let hash = Digest::of(DigestAlgorithm::Sha1, &key_bits(signer));
            der::element(context(2), &[&der::element(OCTET_STRING, &[hash.value()])])
        } else {
            der::element(context(1), &[signer.subject()])
        };
        let answers: Vec<u8> = self.answers.iter().flat_map(Answer::to_der).collect();
        let parts = [
            responder,
            time(self.produced_at),
            der::element(SEQUENCE, &[&answers]),
            explicit_extensions(1, &self.extensions),
        ];
        let data = der::element(SEQUENCE, &[&parts.concat()]);
        let value = der::element(BIT_STRING, &[&[0], &by.sign(&data)]);
        let certificates: Vec<u8> =
            self.certificates.iter().flat_map(|one| one.der().to_vec()).collect();
        let certificates = der::element(context(0), &[&der::element(SEQUENCE, &[&certificates])]);
        let algorithm = ALGORITHM.algorithm_identifier();
        der::element(SEQUENCE, &[&data, &algorithm, &value, &certificates])
    }

    /// The octets of the `BasicOCSPResponse` in `octets`, which this response is.
    #[must_use]
    pub fn basic_of<'o>(&self, octets: &'o [u8]) -> &'o [u8] {
        let marker = oid("1.3.6.1.5.5.7.48.1.1");
        let found = octets.windows(marker.len()).position(|window| window == marker);
        // OCTET STRING with a length of two octets.
        found.map_or(octets, |at| &octets[at + marker.len() + 4..])
    }

    /// The `OCSPResponse`.
    #[must_use]
    pub fn whole(&self, by: By<'_>) -> Vec<u8> {
        let basic = der::element(OCTET_STRING, &[&self.basic(by)]);
        let bytes = der::element(SEQUENCE, &[&oid("1.3.6.1.5.5.7.48.1.1"), &basic]);
        der::element(SEQUENCE, &[&[ENUMERATED, 1, 0], &der::element(context(0), &[&bytes])])
    }
}

/// An entry of a CRL.
#[must_use]
pub fn entry(serial_number: &[u8], at: &str, extensions: &[Vec<u8>]) -> Vec<u8> {
    let extensions = if extensions.is_empty() {
        Vec::new()
    } else {
        der::element(SEQUENCE, &[&extensions.concat()])
    };
    der::element(SEQUENCE, &[serial_number, &time(at), &extensions])
}

/// The reasonCode extension of an entry.
#[must_use]
pub fn reason(code: u8) -> Vec<u8> {
    extension("2.5.29.21", false, &[ENUMERATED, 1, code])
}

/// A CRL: what it says, and how.
#[derive(Clone, Debug)]
pub struct List {
    /// revokedCertificates
    pub entries: Vec<Vec<u8>>,
    /// thisUpdate
    pub this_update: &'static str,
    /// nextUpdate
    pub next_update: Option<&'static str>,
    /// crlExtensions
    pub extensions: Vec<Vec<u8>>,
}

impl List {
    /// A CRL with these entries, and this number.
    #[must_use]
    pub fn new(number: u8, entries: Vec<Vec<u8>>) -> Self {
        Self {
            entries,
            this_update: "20260101000000Z",
            next_update: Some("20260201000000Z"),
            extensions: vec![extension("2.5.29.20", false, &[INTEGER, 1, number])],
        }
    }

    /// The CRL.
    #[must_use]
    pub fn signed(&self, by: By<'_>) -> Vec<u8> {
        let algorithm = ALGORITHM.algorithm_identifier();
        let entries = if self.entries.is_empty() {
            Vec::new()
        } else {
            der::element(SEQUENCE, &[&self.entries.concat()])
        };
        let parts = [
            vec![INTEGER, 1, 1],
            algorithm.clone(),
            by.certificate().subject().to_vec(),
            time(self.this_update),
            self.next_update.map(time).unwrap_or_default(),
            entries,
            explicit_extensions(0, &self.extensions),
        ];
        let data = der::element(SEQUENCE, &[&parts.concat()]);
        let value = der::element(BIT_STRING, &[&[0], &by.sign(&data)]);
        der::element(SEQUENCE, &[&data, &algorithm, &value])
    }
}

const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
/// signing-certificate-v2
pub const SIGNING_CERTIFICATE_V2: &str = "1.2.840.113549.1.9.16.2.47";
const TST_INFO: &str = "1.2.840.113549.1.9.16.1.4";

/// An `Attribute` with these values.
#[must_use]
pub fn attribute(kind: &str, values: &[Vec<u8>]) -> Vec<u8> {
    der::element(SEQUENCE, &[&oid(kind), &der::element(der::SET, &[&values.concat()])])
}

/// The attribute that names a certificate by its SHA-256 digest.
#[must_use]
pub fn names(certificate: &Certificate) -> Vec<u8> {
    let hash = certificate.digest(DigestAlgorithm::Sha256);
    let hash = der::element(OCTET_STRING, &[hash.value()]);
    let named = (0..3).fold(hash, |inner, _| der::element(SEQUENCE, &[&inner]));
    attribute(SIGNING_CERTIFICATE_V2, &[named])
}

/// A time-stamp token: what it says, and how.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// TSTInfo
    pub info: Vec<u8>,
    /// content-type
    pub content_type: &'static str,
    /// The other signed attributes.
    pub attributes: Vec<Vec<u8>>,
    /// The certificates in it.
    pub certificates: Vec<Certificate>,
    /// The number of equal signers.
    pub signers: usize,
}

impl Stamp {
    /// A token over `data` by `signer`, with its certificate.
    #[must_use]
    pub fn new(data: &[u8], signer: &TestSigner) -> Self {
        Self::with_extensions(data, signer, &[])
    }

    /// A token with these extensions of TSTInfo.
    #[must_use]
    pub fn with_extensions(data: &[u8], signer: &TestSigner, extensions: &[Vec<u8>]) -> Self {
        let imprint = [
            DigestAlgorithm::Sha256.algorithm_identifier(),
            der::element(OCTET_STRING, &[Digest::of(DigestAlgorithm::Sha256, data).value()]),
        ];
        let extensions = match extensions {
            [] => Vec::new(),
            some => der::element(context(1), &[&some.concat()]),
        };
        let info = [
            der::unsigned_integer(&[1]),
            oid("1.2.3.4.1"),
            der::element(SEQUENCE, &[&imprint.concat()]),
            der::unsigned_integer(&[9]),
            time("20260101000000.5Z"),
            der::element(SEQUENCE, &[&[INTEGER, 1, 1], &[0x80, 1, 250]]),
            extensions,
        ];
        let info = der::element(SEQUENCE, &[&info.concat()]);
        let digest = Digest::of(DigestAlgorithm::Sha256, &info);
        let digest = der::element(OCTET_STRING, &[digest.value()]);
        Self {
            attributes: vec![attribute(MESSAGE_DIGEST, &[digest]), names(signer.leaf())],
            info,
            content_type: TST_INFO,
            certificates: vec![signer.leaf().clone()],
            signers: 1,
        }
    }

    /// The token.
    #[must_use]
    pub fn signed(&self, by: &TestSigner) -> Vec<u8> {
        let mut attributes = self.attributes.clone();
        attributes.push(attribute(CONTENT_TYPE, &[oid(self.content_type)]));
        let attributes = der::set_of(&mut attributes);
        let value = by.sign_message(ALGORITHM, &der::element(der::SET, &[&attributes]));
        let leaf = by.leaf();
        let signer = [
            vec![INTEGER, 1, 1],
            der::element(SEQUENCE, &[leaf.issuer(), leaf.serial_number()]),
            DigestAlgorithm::Sha256.algorithm_identifier(),
            der::element(context(0), &[&attributes]),
            ALGORITHM.algorithm_identifier(),
            der::element(OCTET_STRING, &[&value]),
        ];
        let signer = der::element(SEQUENCE, &[&signer.concat()]);
        let content = der::element(context(0), &[&der::element(OCTET_STRING, &[&self.info])]);
        let certificates: Vec<u8> =
            self.certificates.iter().flat_map(|one| one.der().to_vec()).collect();
        let signed_data = [
            vec![INTEGER, 1, 3],
            der::element(der::SET, &[&DigestAlgorithm::Sha256.algorithm_identifier()]),
            der::element(SEQUENCE, &[&oid(TST_INFO), &content]),
            der::element(context(0), &[&certificates]),
            der::element(der::SET, &[&signer.repeat(self.signers)]),
        ];
        let signed_data = der::element(SEQUENCE, &[&signed_data.concat()]);
        let wrapped = der::element(context(0), &[&signed_data]);
        der::element(SEQUENCE, &[&oid("1.2.840.113549.1.7.2"), &wrapped])
    }
}

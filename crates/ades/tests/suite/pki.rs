//! A key and its certificate, generated in the test, and documents of each kind.

use ades::{Certificate, CertificateChain, SignatureParameters, SigningOptions, ToBeSigned};
use chrono::{DateTime, Utc};
use pkcs12_signer::{Pkcs12Signer, PrivateKey};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};

pub(crate) struct Signer {
    pub(crate) root: Certificate,
    pub(crate) remote: Pkcs12Signer,
    key: PrivateKey,
    issuer: Issuer<'static, KeyPair>,
}

impl Signer {
    pub(crate) fn new() -> Self {
        let root_key = KeyPair::generate().unwrap();
        let mut params = named("Test Root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root = params.self_signed(&root_key).unwrap();
        let root = Certificate::from_der(root.der().to_vec()).unwrap();
        let issuer = Issuer::new(params, root_key);

        let key = KeyPair::generate().unwrap();
        let mut params = named("Test Signer");
        params.key_usages = vec![KeyUsagePurpose::ContentCommitment];
        let leaf = params.signed_by(&key, &issuer).unwrap();
        let leaf = Certificate::from_der(leaf.der().to_vec()).unwrap();
        let chain = CertificateChain::from_leaf(leaf, [root.clone()]).unwrap();
        let private = || PrivateKey::from_pkcs8(&key.serialize_der()).unwrap();
        let remote = Pkcs12Signer::new(private(), chain).unwrap();
        Self { root, remote, key: private(), issuer }
    }

    pub(crate) const fn chain(&self) -> &CertificateChain {
        self.remote.chain()
    }

    /// A CRL of the root that was issued on the first day of a month of 2026, and says
    /// whether the signer's certificate is revoked.
    pub(crate) fn crl(&self, month: u8, is_revoked: bool) -> Vec<u8> {
        let serial = self.chain().leaf().serial_number();
        let revoked = RevokedCertParams {
            // After its tag and length.
            serial_number: SerialNumber::from_slice(serial.get(2..).unwrap()),
            revocation_time: date_time_ymd(2026, 2, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, month, 1),
            next_update: date_time_ymd(2027, 1, 1),
            crl_number: SerialNumber::from(u64::from(month)),
            issuing_distribution_point: None,
            revoked_certs: is_revoked.then_some(revoked).into_iter().collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().der().to_vec()
    }

    pub(crate) fn sign(&self, to_be_signed: &ToBeSigned) -> Vec<u8> {
        self.key.sign(to_be_signed).unwrap()
    }
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2050, 1, 1);
    params
}

/// Options with a signing time in the certificate's validity.
pub(crate) fn options() -> SigningOptions {
    let time = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    SigningOptions::new(SignatureParameters::new(time))
}

/// A time shortly after the signing time.
pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_060, 0).unwrap()
}

pub(crate) const XML: &[u8] = b"<?xml version='1.0'?>\n<a xmlns='urn:a'><b Id='b'>text</b></a>\n";
pub(crate) const BINARY: &[u8] = b"\0any octets\xFF";

/// A PDF of one page; `catalog` goes into its catalog.
pub(crate) fn pdf(catalog: &str) -> Vec<u8> {
    let objects = [
        format!("<</Type/Catalog/Pages 2 0 R{catalog}>>"),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>".to_owned(),
    ];
    let mut pdf = b"%PDF-1.7\n".to_vec();
    let mut offsets = Vec::new();
    for (number, object) in (1..).zip(&objects) {
        offsets.push(pdf.len());
        pdf.extend(format!("{number} 0 obj\n{object}\nendobj\n").bytes());
    }
    let xref = pdf.len();
    pdf.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for offset in offsets {
        pdf.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    let size = objects.len() + 1;
    pdf.extend(format!("trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{xref}\n%%EOF\n").bytes());
    pdf
}

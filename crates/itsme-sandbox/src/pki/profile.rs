//! The contents of the certificates. Those of signers have the profile of the
//! documented test certificate (order of the subject, extensions, statements),
//! with names and URLs that nobody can mistake for real ones.

use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, CustomExtension, DistinguishedName,
    DnType, DnValue, Error, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};

use crate::users::User;

/// Validity of a signer's certificate, in days.
pub(super) const LEAF_DAYS: i64 = 365;
/// Validity of the certificates of CAs and of TLS, in days.
pub(super) const CA_DAYS: i64 = 3650;

/// A CA, the TLS server or the TLS client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Root,
    Issuing,
    ServerCa,
    ClientCa,
    Server,
    Client,
}

impl Role {
    pub(super) const fn file(self) -> &'static str {
        match self {
            Self::Root => "ca-root",
            Self::Issuing => "ca-issuing",
            Self::ServerCa => "ca-tls-server",
            Self::ClientCa => "ca-tls-client",
            Self::Server => "tls-server",
            Self::Client => "tls-client",
        }
    }

    const fn common_name(self) -> &'static str {
        match self {
            Self::Root => "SANDBOX Root CA - no legal value",
            Self::Issuing => "SANDBOX Sign Issuing CA - no legal value",
            Self::ServerCa => "SANDBOX TLS server CA",
            Self::ClientCa => "SANDBOX TLS client CA",
            Self::Server => "SANDBOX back end",
            Self::Client => "SANDBOX partner",
        }
    }
}

pub(super) fn ca(role: Role) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = name(role);
    params.is_ca = IsCa::Ca(match role {
        Role::Root => BasicConstraints::Unconstrained,
        _ => BasicConstraints::Constrained(0),
    });
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    if role == Role::Issuing {
        params.use_authority_key_identifier_extension = true;
        params.crl_distribution_points =
            vec![CrlDistributionPoint { uris: vec!["http://pki.sandbox.invalid/root.crl".into()] }];
    }
    validity(&mut params, CA_DAYS);
    Ok(params)
}

/// The certificate of the TLS server or client. `hosts` are the names and
/// addresses of the server.
pub(super) fn tls_certificate(role: Role, hosts: Vec<String>) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name = name(role);
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![match role {
        Role::Server => ExtendedKeyUsagePurpose::ServerAuth,
        _ => ExtendedKeyUsagePurpose::ClientAuth,
    }];
    validity(&mut params, CA_DAYS);
    Ok(params)
}

/// A signer's certificate.
pub(super) fn leaf(user: User, key: &KeyPair) -> Result<CertificateParams, Error> {
    let (surname, given, number) = user.person();
    let mut params = CertificateParams::new(Vec::new())?;
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, printable("BE")?);
    name.push(DnType::LocalityName, "Brussel");
    name.push(DnType::from_oid(&[2, 5, 4, 5]), printable(number)?);
    name.push(DnType::from_oid(&[2, 5, 4, 4]), format!("{surname} no legal value"));
    name.push(DnType::from_oid(&[2, 5, 4, 42]), given);
    name.push(DnType::CommonName, format!("{surname} no legal value {given}"));
    params.distinguished_name = name;
    validity(&mut params, LEAF_DAYS);
    params.is_ca = IsCa::NoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedKeyUsagePurpose::EmailProtection,
        // Microsoft's document signing.
        ExtendedKeyUsagePurpose::Other(vec![1, 3, 6, 1, 4, 1, 311, 10, 3, 12]),
    ];
    params.crl_distribution_points =
        vec![CrlDistributionPoint { uris: vec!["http://pki.sandbox.invalid/issuing.crl".into()] }];
    let key_identifier = params.key_identifier(key);
    for (oid, der) in [
        (&[2, 5, 29, 32][..], policies()),
        (&[1, 3, 6, 1, 5, 5, 7, 1, 1], authority_info_access()),
        (&[1, 3, 6, 1, 5, 5, 7, 1, 3], qc_statements()),
        // subjectKeyIdentifier, which rcgen writes only for CAs.
        (&[2, 5, 29, 14], tlv(OCTET_STRING, &[&key_identifier])),
    ] {
        params.custom_extensions.push(CustomExtension::from_oid_content(oid, der));
    }
    Ok(params)
}

fn name(role: Role) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, "BE");
    name.push(DnType::OrganizationName, "SANDBOX - not itsme");
    name.push(DnType::CommonName, role.common_name());
    name
}

fn printable(text: &str) -> Result<DnValue, Error> {
    Ok(DnValue::PrintableString(text.try_into()?))
}

fn validity(params: &mut CertificateParams, days: i64) {
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::hours(1);
    params.not_after = now + Duration::days(days);
}

const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const PRINTABLE_STRING: u8 = 0x13;
const IA5_STRING: u8 = 0x16;
const SEQUENCE: u8 = 0x30;
/// `uniformResourceIdentifier` of a `GeneralName`.
const URI: u8 = 0x86;

/// 2.25.147696108260133247754979445240114994976: the policy of the sandbox, as
/// an OID derived from a UUID.
const SANDBOX_POLICY: &[u8] = &[
    0x69, 0x81, 0xDE, 0x9D, 0x9E, 0x96, 0xD1, 0xE2, 0xDA, 0xBD, 0xEF, 0x90, 0xD5, 0xD9, 0x9A, 0x9C,
    0x9F, 0xA1, 0xBE, 0x20,
];
/// 0.4.0.194112.1.2: QCP-n-qscd (EN 319 411-2).
const QCP_N_QSCD: &[u8] = &[0x04, 0x00, 0x8B, 0xEC, 0x40, 0x01, 0x02];
/// 1.3.6.1.5.5.7.2.1: CPS.
const CPS: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x02, 0x01];

fn policies() -> Vec<u8> {
    let cps = tlv(IA5_STRING, &[b"http://pki.sandbox.invalid/cps"]);
    let qualifier = tlv(SEQUENCE, &[&oid(CPS), &cps]);
    let sandbox = tlv(SEQUENCE, &[&oid(SANDBOX_POLICY), &tlv(SEQUENCE, &[&qualifier])]);
    tlv(SEQUENCE, &[&sandbox, &tlv(SEQUENCE, &[&oid(QCP_N_QSCD)])])
}

/// `AuthorityInfoAccessSyntax`: id-ad-caIssuers and id-ad-ocsp.
fn authority_info_access() -> Vec<u8> {
    let method = |last: u8, uri: &[u8]| {
        let id = [0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, last];
        tlv(SEQUENCE, &[&oid(&id), &tlv(URI, &[uri])])
    };
    let issuers = method(2, b"http://pki.sandbox.invalid/issuing.crt");
    tlv(SEQUENCE, &[&issuers, &method(1, b"http://ocsp.sandbox.invalid")])
}

/// `QCStatements` (EN 319 412-5): semantics of a natural person, QcCompliance,
/// QcSSCD, QcType eSign, QcPDS.
fn qc_statements() -> Vec<u8> {
    // 0.4.0.1862.1.n
    let etsi = |n: u8| oid(&[0x04, 0x00, 0x8E, 0x46, 0x01, n]);
    // 0.4.0.194121.1.1: id-etsi-qcs-semanticsId-Natural
    let natural = tlv(SEQUENCE, &[&oid(&[0x04, 0x00, 0x8B, 0xEC, 0x49, 0x01, 0x01])]);
    // 1.3.6.1.5.5.7.11.2: id-qcs-pkixQCSyntax-v2
    let syntax = oid(&[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x0B, 0x02]);
    let e_sign = tlv(SEQUENCE, &[&oid(&[0x04, 0x00, 0x8E, 0x46, 0x01, 0x06, 0x01])]);
    let url = tlv(IA5_STRING, &[b"https://pki.sandbox.invalid/pds"]);
    let location = tlv(SEQUENCE, &[&url, &tlv(PRINTABLE_STRING, &[b"en"])]);
    tlv(
        SEQUENCE,
        &[
            &tlv(SEQUENCE, &[&syntax, &natural]),
            &tlv(SEQUENCE, &[&etsi(1)]),
            &tlv(SEQUENCE, &[&etsi(4)]),
            &tlv(SEQUENCE, &[&etsi(6), &e_sign]),
            &tlv(SEQUENCE, &[&etsi(5), &tlv(SEQUENCE, &[&location])]),
        ],
    )
}

fn oid(content: &[u8]) -> Vec<u8> {
    tlv(OID, &[content])
}

/// A DER element of a tag and its concatenated contents, which must be shorter
/// than 64 KiB.
fn tlv(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let content = contents.concat();
    let [.., high, low] = content.len().to_be_bytes();
    let mut der = match (high, low) {
        (0, 0..=0x7F) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    der.extend_from_slice(&content);
    der
}

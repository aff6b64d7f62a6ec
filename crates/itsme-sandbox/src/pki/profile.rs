//! The contents of the certificates. Those of signers have the profile of the
//! documented test certificate (order of the subject, extensions, statements),
//! with names and URLs that nobody can mistake for real ones.

use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, CustomExtension, DistinguishedName,
    DnType, DnValue, Error, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};

use super::addresses::{Addresses, Ca};
use crate::der;
use crate::users::User;

/// Validity of a signer's certificate, in days.
pub(super) const LEAF_DAYS: i64 = 365;
/// Validity of the certificates of CAs and of TLS, in days.
pub(super) const CA_DAYS: i64 = 3650;

/// A certificate that is not a signer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Root,
    Issuing,
    TimeStampingCa,
    TimeStamping,
    Responder,
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
            Self::TimeStampingCa => "ca-time-stamping",
            Self::TimeStamping => "time-stamping",
            Self::Responder => "ocsp",
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
            Self::TimeStampingCa => "SANDBOX Time-stamping CA - no legal value",
            Self::TimeStamping => "SANDBOX Time-stamping unit - no legal value",
            Self::Responder => "SANDBOX OCSP responder - no legal value",
            Self::ServerCa => "SANDBOX TLS server CA",
            Self::ClientCa => "SANDBOX TLS client CA",
            Self::Server => "SANDBOX back end",
            Self::Client => "SANDBOX partner",
        }
    }
}

/// A CA's certificate. Those below the root state where the root's evidence is.
pub(super) fn ca(role: Role, addresses: &Addresses) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = name(role);
    params.is_ca = IsCa::Ca(match role {
        Role::Root => BasicConstraints::Unconstrained,
        _ => BasicConstraints::Constrained(0),
    });
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    if matches!(role, Role::Issuing | Role::TimeStampingCa) {
        state_addresses(&mut params, Ca::Root, addresses);
    }
    validity(&mut params, CA_DAYS);
    Ok(params)
}

/// The certificate of the time-stamping unit. Its extended key usage is critical and has the one
/// purpose (RFC 3161, 2.3).
pub(super) fn time_stamping(
    key: &KeyPair,
    addresses: &Addresses,
) -> Result<CertificateParams, Error> {
    let mut params = service(Role::TimeStamping, key)?;
    state_addresses(&mut params, Ca::TimeStamping, addresses);
    let purposes = der::sequence(&[&der::oid(TIME_STAMPING)]);
    let mut usage = CustomExtension::from_oid_content(EXTENDED_KEY_USAGE, purposes);
    usage.set_criticality(true);
    params.custom_extensions.push(usage);
    Ok(params)
}

/// The certificate of an OCSP responder, which nobody asks about (RFC 6960, 4.2.2.2.1).
pub(super) fn responder(key: &KeyPair) -> Result<CertificateParams, Error> {
    let mut params = service(Role::Responder, key)?;
    params.use_authority_key_identifier_extension = true;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
    let no_check = CustomExtension::from_oid_content(OCSP_NO_CHECK, der::NULL.to_vec());
    params.custom_extensions.push(no_check);
    Ok(params)
}

/// What the certificates of both services have.
fn service(role: Role, key: &KeyPair) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = name(role);
    params.is_ca = IsCa::NoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    name_key(&mut params, key);
    validity(&mut params, LEAF_DAYS);
    Ok(params)
}

/// Makes a certificate one that has expired yesterday.
pub(super) fn expired(mut params: CertificateParams) -> CertificateParams {
    let end = OffsetDateTime::now_utc() - Duration::days(1);
    params.not_before = end - Duration::days(LEAF_DAYS);
    params.not_after = end;
    params
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
pub(super) fn leaf(
    user: User,
    key: &KeyPair,
    addresses: &Addresses,
) -> Result<CertificateParams, Error> {
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
    state_addresses(&mut params, Ca::Signers, addresses);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedKeyUsagePurpose::EmailProtection,
        // Microsoft's document signing.
        ExtendedKeyUsagePurpose::Other(vec![1, 3, 6, 1, 4, 1, 311, 10, 3, 12]),
    ];
    for (kind, value) in
        [(&[2, 5, 29, 32][..], policies()), (&[1, 3, 6, 1, 5, 5, 7, 1, 3], qc_statements())]
    {
        params.custom_extensions.push(CustomExtension::from_oid_content(kind, value));
    }
    name_key(&mut params, key);
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

/// `uniformResourceIdentifier` of a `GeneralName`.
const URI: u8 = der::primitive(6);
/// 1.3.6.1.5.5.7.48.1.5: id-pkix-ocsp-nocheck (RFC 6960, 4.2.2.2.1).
const OCSP_NO_CHECK: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 48, 1, 5];
/// 1.3.6.1.5.5.7.3.8: id-kp-timeStamping.
const TIME_STAMPING: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];
const EXTENDED_KEY_USAGE: &[u64] = &[2, 5, 29, 37];
const SUBJECT_KEY_IDENTIFIER: &[u64] = &[2, 5, 29, 14];
const AUTHORITY_INFO_ACCESS: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 1];

/// 2.25.147696108260133247754979445240114994976: the policy of the sandbox, as
/// an OID derived from a UUID.
pub(crate) const SANDBOX_POLICY: &[u8] = &[
    0x69, 0x81, 0xDE, 0x9D, 0x9E, 0x96, 0xD1, 0xE2, 0xDA, 0xBD, 0xEF, 0x90, 0xD5, 0xD9, 0x9A, 0x9C,
    0x9F, 0xA1, 0xBE, 0x20,
];
/// 0.4.0.194112.1.2: QCP-n-qscd (EN 319 411-2).
const QCP_N_QSCD: &[u8] = &[0x04, 0x00, 0x8B, 0xEC, 0x40, 0x01, 0x02];
/// 1.3.6.1.5.5.7.2.1: CPS.
const CPS: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x02, 0x01];

fn policies() -> Vec<u8> {
    let cps = der::element(der::IA5_STRING, &[b"http://pki.sandbox.invalid/cps"]);
    let qualifier = der::sequence(&[&der::oid(CPS), &cps]);
    let sandbox = der::sequence(&[&der::oid(SANDBOX_POLICY), &der::sequence(&[&qualifier])]);
    der::sequence(&[&sandbox, &der::sequence(&[&der::oid(QCP_N_QSCD)])])
}

/// Adds subjectKeyIdentifier, which rcgen writes only for CAs.
fn name_key(params: &mut CertificateParams, key: &KeyPair) {
    let identifier = der::element(der::OCTET_STRING, &[&params.key_identifier(key)]);
    let extension = CustomExtension::from_oid_content(SUBJECT_KEY_IDENTIFIER, identifier);
    params.custom_extensions.push(extension);
}

/// States where the evidence about a certificate of this issuer is. Clients choose a CRL by the
/// key of its issuer, too.
fn state_addresses(params: &mut CertificateParams, issuer: Ca, addresses: &Addresses) {
    params.use_authority_key_identifier_extension = true;
    params.crl_distribution_points =
        vec![CrlDistributionPoint { uris: vec![addresses.crl(issuer)] }];
    let access = authority_info_access(issuer, addresses);
    let access = CustomExtension::from_oid_content(AUTHORITY_INFO_ACCESS, access);
    params.custom_extensions.push(access);
}

/// `AuthorityInfoAccessSyntax`: id-ad-caIssuers, and id-ad-ocsp if the CA has a responder.
fn authority_info_access(issuer: Ca, addresses: &Addresses) -> Vec<u8> {
    let method = |last: u8, url: &str| {
        let id = [0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, last];
        der::sequence(&[&der::oid(&id), &der::element(URI, &[url.as_bytes()])])
    };
    let ocsp = addresses.ocsp(issuer).map(|url| method(1, &url)).unwrap_or_default();
    der::sequence(&[&method(2, &addresses.certificate(issuer)), &ocsp])
}

/// `QCStatements` (EN 319 412-5): semantics of a natural person, QcCompliance,
/// QcSSCD, QcType eSign, QcPDS.
fn qc_statements() -> Vec<u8> {
    // 0.4.0.1862.1.n
    let etsi = |n: u8| der::oid(&[0x04, 0x00, 0x8E, 0x46, 0x01, n]);
    // 0.4.0.194121.1.1: id-etsi-qcs-semanticsId-Natural
    let natural = der::sequence(&[&der::oid(&[0x04, 0x00, 0x8B, 0xEC, 0x49, 0x01, 0x01])]);
    // 1.3.6.1.5.5.7.11.2: id-qcs-pkixQCSyntax-v2
    let syntax = der::oid(&[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x0B, 0x02]);
    let e_sign = der::sequence(&[&der::oid(&[0x04, 0x00, 0x8E, 0x46, 0x01, 0x06, 0x01])]);
    let url = der::element(der::IA5_STRING, &[b"https://pki.sandbox.invalid/pds"]);
    let location = der::sequence(&[&url, &der::element(der::PRINTABLE_STRING, &[b"en"])]);
    der::sequence(&[
        &der::sequence(&[&syntax, &natural]),
        &der::sequence(&[&etsi(1)]),
        &der::sequence(&[&etsi(4)]),
        &der::sequence(&[&etsi(6), &e_sign]),
        &der::sequence(&[&etsi(5), &der::sequence(&[&location])]),
    ])
}

//! The sandbox's PKI, made on first use: a root, an issuing CA and signers in
//! the shape of the documented test chain (RSA 2048, qualified-looking, and
//! called a sandbox in every name), and beside it a CA for TLS.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, CustomExtension, DistinguishedName,
    DnType, DnValue, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, RsaKeySize,
    SanType,
};
use time::{Duration, OffsetDateTime};

use crate::SandboxError;
use crate::users::User;

/// How long a signer's certificate is valid.
const LEAF_DAYS: i64 = 365;

pub(crate) struct Pki {
    dir: Option<PathBuf>,
    root_pem: String,
    issuing_pem: String,
    issuer: Issuer<'static, KeyPair>,
    tls_ca_pem: String,
    client_ca_pem: String,
    server: (String, String),
    client: (String, String),
    signers: Mutex<HashMap<(User, u8), Signer>>,
}

/// One signer's certificate and key. The key leaves only as signatures.
#[derive(Clone)]
struct Signer {
    pem: String,
    key_der: Vec<u8>,
}

/// How a value is to be made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Pkcs1v15,
    Pss,
}

impl Pki {
    /// Opens the PKI in `dir`, or makes it; without `dir`, in memory.
    pub(crate) fn open(dir: Option<&Path>) -> Result<Self, SandboxError> {
        if let Some(dir) = dir {
            fs::create_dir_all(dir.join("private")).map_err(SandboxError::Io)?;
            restrict(&dir.join("private"), 0o700)?;
        }
        let (root_pem, root) = ca(dir, "root", "SANDBOX Root CA - no legal value", None)?;
        let (issuing_pem, issuer) =
            ca(dir, "issuing", "SANDBOX Sign Issuing CA - no legal value", Some(&root))?;
        let (tls_ca_pem, tls) = ca(dir, "tls-ca", "SANDBOX TLS CA", None)?;
        let (client_ca_pem, clients) = ca(dir, "client-ca", "SANDBOX TLS client CA", None)?;
        let server = tls_end(dir, "server", ExtendedKeyUsagePurpose::ServerAuth, &tls)?;
        let client = tls_end(dir, "partner", ExtendedKeyUsagePurpose::ClientAuth, &clients)?;
        if let Some(dir) = dir {
            let identity = format!("{}{}", client.0, client.1);
            write_private(&dir.join("client.pem"), identity.as_bytes())?;
            fs::write(dir.join("root.pem"), &root_pem).map_err(SandboxError::Io)?;
            fs::write(dir.join("server-ca.pem"), &tls_ca_pem).map_err(SandboxError::Io)?;
            let chain = format!("{issuing_pem}{root_pem}");
            fs::write(dir.join("chain.pem"), chain).map_err(SandboxError::Io)?;
        }
        Ok(Self {
            dir: dir.map(Path::to_owned),
            root_pem,
            issuing_pem,
            issuer,
            tls_ca_pem,
            client_ca_pem,
            server,
            client,
            signers: Mutex::default(),
        })
    }

    /// The trust anchor of the signers' certificates.
    pub(crate) fn root_pem(&self) -> &str {
        &self.root_pem
    }

    pub(crate) fn issuing_pem(&self) -> &str {
        &self.issuing_pem
    }

    pub(crate) fn tls_ca_pem(&self) -> &str {
        &self.tls_ca_pem
    }

    /// The CA of the clients that the back end accepts.
    pub(crate) fn client_ca_pem(&self) -> &str {
        &self.client_ca_pem
    }

    /// Certificate and key of the back end's TLS server.
    pub(crate) const fn server(&self) -> &(String, String) {
        &self.server
    }

    /// Certificate and key that the application shows at the back end.
    pub(crate) const fn client(&self) -> &(String, String) {
        &self.client
    }

    /// The certificate a user has in its `edition`; made if it is not there.
    pub(crate) fn certificate(&self, user: User, edition: u8) -> Result<String, SandboxError> {
        self.signer(user, edition).map(|signer| signer.pem)
    }

    /// A signature value with a user's key over a SHA-256 digest.
    pub(crate) fn sign(
        &self,
        user: User,
        edition: u8,
        digest: &[u8; 32],
        scheme: Scheme,
    ) -> Result<Vec<u8>, SandboxError> {
        let signer = self.signer(user, edition)?;
        let key = RsaKeyPair::from_pkcs8(&signer.key_der).map_err(|_| SandboxError::Key)?;
        let digest =
            Digest::import_less_safe(digest, &digest::SHA256).map_err(|_| SandboxError::Key)?;
        let mut value = vec![0; key.public_modulus_len()];
        match scheme {
            Scheme::Pkcs1v15 => key.sign_digest(&RSA_PKCS1_SHA256, &digest, &mut value),
            Scheme::Pss => key.sign_digest(&RSA_PSS_SHA256, &digest, &mut value),
        }
        .map_err(|_| SandboxError::Key)?;
        Ok(value)
    }

    fn signer(&self, user: User, edition: u8) -> Result<Signer, SandboxError> {
        let mut signers = self.signers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signer) = signers.get(&(user, edition)) {
            return Ok(signer.clone());
        }
        let name = format!("user-{}-{edition}", user.name());
        let (pem, key) = stored(self.dir.as_deref(), &name, || {
            let key = rsa_key()?;
            let certificate = leaf(user, &key)?.signed_by(&key, &self.issuer)?;
            Ok((certificate.pem(), key.serialize_pem()))
        })?;
        let key_der = KeyPair::from_pem(&key)?.serialize_der();
        let signer = Signer { pem, key_der };
        signers.insert((user, edition), signer.clone());
        Ok(signer)
    }
}

/// The documented test leaf: subject order, key usages, policies, statements.
fn leaf(user: User, key: &KeyPair) -> Result<CertificateParams, SandboxError> {
    let (given, surname, number) = user.person();
    let printable =
        |text: &str| text.try_into().map(DnValue::PrintableString).map_err(|_| SandboxError::Key);
    let mut params = CertificateParams::new(Vec::new())?;
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, printable("BE")?);
    name.push(DnType::LocalityName, "Brussel");
    name.push(DnType::CustomDnType(vec![2, 5, 4, 5]), printable(number)?);
    name.push(DnType::CustomDnType(vec![2, 5, 4, 4]), surname);
    name.push(DnType::CustomDnType(vec![2, 5, 4, 42]), given);
    name.push(DnType::CommonName, format!("{surname} {given}"));
    params.distinguished_name = name;
    validity(&mut params, LEAF_DAYS);
    params.is_ca = IsCa::NoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedKeyUsagePurpose::EmailProtection,
        ExtendedKeyUsagePurpose::Other(vec![1, 3, 6, 1, 4, 1, 311, 10, 3, 12]),
    ];
    params.crl_distribution_points = vec![CrlDistributionPoint {
        uris: vec!["http://crl.sandbox.invalid/issuing.crl".to_owned()],
    }];
    // rcgen writes a subject key identifier only for CAs.
    let mut key_identifier = vec![0x04, 20];
    key_identifier.extend(params.key_identifier(key));
    for (oid, der) in [
        (&[2, 5, 29, 14][..], key_identifier.as_slice()),
        (&[2, 5, 29, 32], CERTIFICATE_POLICIES),
        (&[1, 3, 6, 1, 5, 5, 7, 1, 1], AUTHORITY_INFO_ACCESS),
        (&[1, 3, 6, 1, 5, 5, 7, 1, 3], QC_STATEMENTS),
    ] {
        params.custom_extensions.push(CustomExtension::from_oid_content(oid, der.to_vec()));
    }
    Ok(params)
}

/// `SEQUENCE OF PolicyInformation`: the sandbox's own policy
/// (2.25.147696108260133247754979445240114994976, the OID of a UUID) and
/// QCP-n-qscd (0.4.0.194112.1.2).
const CERTIFICATE_POLICIES: &[u8] = &[
    0x30, 0x23, 0x30, 0x16, 0x06, 0x14, 0x69, 0x81, 0xDE, 0x9D, 0x9E, 0x96, 0xD1, 0xE2, 0xDA, 0xBD,
    0xEF, 0x90, 0xD5, 0xD9, 0x9A, 0x9C, 0x9F, 0xA1, 0xBE, 0x20, 0x30, 0x09, 0x06, 0x07, 0x04, 0x00,
    0x8B, 0xEC, 0x40, 0x01, 0x02,
];

/// id-ad-caIssuers at `http://ca.sandbox.invalid/issuing.crt`, id-ad-ocsp at
/// `http://ocsp.sandbox.invalid`.
const AUTHORITY_INFO_ACCESS: &[u8] = &[
    0x30, 0x5C, 0x30, 0x31, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02, 0x86, 0x25,
    0x68, 0x74, 0x74, 0x70, 0x3A, 0x2F, 0x2F, 0x63, 0x61, 0x2E, 0x73, 0x61, 0x6E, 0x64, 0x62, 0x6F,
    0x78, 0x2E, 0x69, 0x6E, 0x76, 0x61, 0x6C, 0x69, 0x64, 0x2F, 0x69, 0x73, 0x73, 0x75, 0x69, 0x6E,
    0x67, 0x2E, 0x63, 0x72, 0x74, 0x30, 0x27, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30,
    0x01, 0x86, 0x1B, 0x68, 0x74, 0x74, 0x70, 0x3A, 0x2F, 0x2F, 0x6F, 0x63, 0x73, 0x70, 0x2E, 0x73,
    0x61, 0x6E, 0x64, 0x62, 0x6F, 0x78, 0x2E, 0x69, 0x6E, 0x76, 0x61, 0x6C, 0x69, 0x64,
];

/// Semantics of a natural person, QcCompliance, QcSSCD, QcType eSign, QcPDS at
/// `https://pds.sandbox.invalid` (EN 319 412-5).
const QC_STATEMENTS: &[u8] = &[
    0x30, 0x6F, 0x30, 0x15, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x0B, 0x02, 0x30, 0x09,
    0x06, 0x07, 0x04, 0x00, 0x8B, 0xEC, 0x49, 0x01, 0x01, 0x30, 0x08, 0x06, 0x06, 0x04, 0x00, 0x8E,
    0x46, 0x01, 0x01, 0x30, 0x08, 0x06, 0x06, 0x04, 0x00, 0x8E, 0x46, 0x01, 0x04, 0x30, 0x13, 0x06,
    0x06, 0x04, 0x00, 0x8E, 0x46, 0x01, 0x06, 0x30, 0x09, 0x06, 0x07, 0x04, 0x00, 0x8E, 0x46, 0x01,
    0x06, 0x01, 0x30, 0x2D, 0x06, 0x06, 0x04, 0x00, 0x8E, 0x46, 0x01, 0x05, 0x30, 0x23, 0x30, 0x21,
    0x16, 0x1B, 0x68, 0x74, 0x74, 0x70, 0x73, 0x3A, 0x2F, 0x2F, 0x70, 0x64, 0x73, 0x2E, 0x73, 0x61,
    0x6E, 0x64, 0x62, 0x6F, 0x78, 0x2E, 0x69, 0x6E, 0x76, 0x61, 0x6C, 0x69, 0x64, 0x13, 0x02, 0x65,
    0x6E,
];

fn validity(params: &mut CertificateParams, days: i64) {
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::hours(1);
    params.not_after = now + Duration::days(days);
}

fn rsa_key() -> Result<KeyPair, SandboxError> {
    Ok(KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048)?)
}

fn ca(
    dir: Option<&Path>,
    name: &str,
    common_name: &str,
    issuer: Option<&Issuer<'static, KeyPair>>,
) -> Result<(String, Issuer<'static, KeyPair>), SandboxError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "BE");
    params.distinguished_name.push(DnType::OrganizationName, "SANDBOX - not itsme");
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = issuer.is_some();
    validity(&mut params, 3650);
    let (pem, key) = stored(dir, name, || {
        let key = rsa_key()?;
        let certificate = match issuer {
            Some(issuer) => params.signed_by(&key, issuer)?,
            None => params.self_signed(&key)?,
        };
        Ok((certificate.pem(), key.serialize_pem()))
    })?;
    Ok((pem, Issuer::new(params, KeyPair::from_pem(&key)?)))
}

fn tls_end(
    dir: Option<&Path>,
    name: &str,
    usage: ExtendedKeyUsagePurpose,
    issuer: &Issuer<'static, KeyPair>,
) -> Result<(String, String), SandboxError> {
    stored(dir, name, || {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        params.subject_alt_names.push(SanType::IpAddress([127, 0, 0, 1].into()));
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, format!("SANDBOX {name}"));
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        validity(&mut params, 3650);
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let certificate = params.signed_by(&key, issuer)?;
        Ok((certificate.pem(), key.serialize_pem()))
    })
}

/// A certificate and its key: from the directory, else made and kept there.
fn stored(
    dir: Option<&Path>,
    name: &str,
    make: impl FnOnce() -> Result<(String, String), SandboxError>,
) -> Result<(String, String), SandboxError> {
    let Some(dir) = dir else { return make() };
    let file = dir.join("private").join(format!("{name}.pem"));
    if let Ok(both) = fs::read_to_string(&file)
        && let Some(at) = both.find("-----BEGIN PRIVATE KEY-----")
    {
        let (certificate, key) = both.split_at(at);
        return Ok((certificate.to_owned(), key.to_owned()));
    }
    let (certificate, key) = make()?;
    write_private(&file, format!("{certificate}{key}").as_bytes())?;
    Ok((certificate, key))
}

fn write_private(file: &Path, octets: &[u8]) -> Result<(), SandboxError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(file).map_err(SandboxError::Io)?;
    out.write_all(octets).map_err(SandboxError::Io)
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> Result<(), SandboxError> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(SandboxError::Io)
}

#[cfg(not(unix))]
fn restrict(_path: &Path, _mode: u32) -> Result<(), SandboxError> {
    Ok(())
}

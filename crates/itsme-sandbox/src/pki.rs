//! The PKI of the sandbox, made on first use: a root, an issuing CA and signers
//! with the profile of the documented test chain (RSA 2048, the extensions of
//! qualified certificates, and SANDBOX in every name), a CA with a time-stamping
//! unit, OCSP responders, and two CAs for TLS, one for each end.
//!
//! Certificates state the addresses of the evidence about them. A run at other
//! addresses makes new certificates for the same keys.

mod addresses;
mod authority;
mod profile;
mod signing_key;
mod store;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use base64ct::{Base64, Encoding};
use rcgen::{CertificateParams, Issuer, KeyPair, RsaKeySize};

use self::profile::{CA_DAYS, LEAF_DAYS, Role};
use self::signing_key::SigningKey;
use self::store::{Entry, Fit, Locked, Store};
use crate::SandboxError;
use crate::users::User;

pub(crate) use self::addresses::{Addresses, Ca, TIME_STAMPING_PATH};
pub(crate) use self::authority::{Authority, Issued, Service};
pub(crate) use self::profile::SANDBOX_POLICY;

/// The certificates of a sandbox. The only key that it gives out is that of the
/// TLS client.
pub struct Pki {
    store: Store,
    addresses: Addresses,
    root: Authority,
    issuing: Authority,
    time_stamping_ca: Authority,
    /// The time-stamping unit.
    time_stamping: Service,
    signers_responder: Service,
    time_stamping_responder: Service,
    server_ca: String,
    client_ca: String,
    server: Entry,
    client: Entry,
    signers: Mutex<HashMap<Holder, Arc<Signer>>>,
}

/// A user and one of the user's certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Holder {
    pub(crate) user: User,
    pub(crate) edition: u8,
}

impl Holder {
    /// The edition of a certificate in the user's name whose key signs nothing.
    pub(crate) const FOREIGN: u8 = u8::MAX;

    fn file(self) -> String {
        format!("signer-{}-{}", self.user.name(), self.edition)
    }
}

/// The certificate and the key of a signer.
struct Signer {
    certificate: String,
    key: RsaKeyPair,
}

/// A signature scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Pkcs1v15,
    Pss,
}

impl Pki {
    /// Opens the PKI in `dir`, or makes one. Without `dir`, it stays in memory. A
    /// certificate whose issuer is not the one in the directory is made again,
    /// so that a mixture of two PKIs repairs itself.
    ///
    /// `hosts` are the names and addresses of the back end.
    pub(crate) fn open(
        dir: Option<&Path>,
        hosts: Vec<String>,
        addresses: Addresses,
    ) -> Result<Self, SandboxError> {
        let store = Store::open(dir)?;
        let locked = store.lock()?;
        let root = authority(&locked, Role::Root, None, &addresses)?;
        let issuing = authority(&locked, Role::Issuing, Some(&root), &addresses)?;
        let time_stamping_ca = authority(&locked, Role::TimeStampingCa, Some(&root), &addresses)?;
        let (server_ca, server_issuer) = ca(&locked, Role::ServerCa, None, &addresses)?;
        let (client_ca, client_issuer) = ca(&locked, Role::ClientCa, None, &addresses)?;
        // These certificates are never stored: the next start may have other
        // hosts, and other keys of the services do no harm.
        let server = tls_certificate(Role::Server, hosts, &server_issuer)?;
        let time_stamping =
            service(&time_stamping_ca, |key| profile::time_stamping(key, &addresses))?;
        let signers_responder = service(&issuing, profile::responder)?;
        let time_stamping_responder = service(&time_stamping_ca, profile::responder)?;
        let role = Role::Client;
        let fit = Fit { issuer: Some(&client_ca), front_url: None };
        let client = locked.entry(role.file(), CA_DAYS, fit, |_| {
            tls_certificate(role, Vec::new(), &client_issuer)
        })?;
        locked.publish("root.pem", &root.pem)?;
        locked.publish("chain.pem", &format!("{}{}", issuing.pem, root.pem))?;
        locked.publish("server-ca.pem", &server_ca)?;
        locked.publish("client.pem", &format!("{}{}", client.certificate, client.key))?;
        drop(locked);
        let signers = Mutex::default();
        Ok(Self {
            store,
            addresses,
            root,
            issuing,
            time_stamping_ca,
            time_stamping,
            signers_responder,
            time_stamping_responder,
            server_ca,
            client_ca,
            server,
            client,
            signers,
        })
    }

    pub(crate) const fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    pub(crate) const fn authority(&self, ca: Ca) -> &Authority {
        match ca {
            Ca::Root => &self.root,
            Ca::Signers => &self.issuing,
            Ca::TimeStamping => &self.time_stamping_ca,
        }
    }

    /// The OCSP responder of a CA, if it has one.
    pub(crate) const fn responder(&self, ca: Ca) -> Option<&Service> {
        match ca {
            Ca::Root => None,
            Ca::Signers => Some(&self.signers_responder),
            Ca::TimeStamping => Some(&self.time_stamping_responder),
        }
    }

    /// The time-stamping unit.
    pub(crate) const fn time_stamping(&self) -> &Service {
        &self.time_stamping
    }

    /// The serial numbers of the certificates that are revoked if a CA revokes: those of the
    /// signers, of the time-stamping unit, and of the CA of the signers.
    pub(crate) fn revocable(&self, ca: Ca) -> Result<Vec<Vec<u8>>, SandboxError> {
        match ca {
            Ca::Root => Ok(vec![self.issuing.certificate.serial_number.clone()]),
            Ca::TimeStamping => {
                let both = [&self.time_stamping.certificate, &self.time_stamping.expired];
                Ok(both.into_iter().map(|one| one.serial_number.clone()).collect())
            }
            Ca::Signers => {
                let holders = User::ALL.into_iter().flat_map(|user| {
                    [0, 1, Holder::FOREIGN].map(|edition| Holder { user, edition })
                });
                let signers = holders.filter(|holder| self.has(*holder));
                let serial_number = |holder| {
                    let read = Issued::from_pem(&self.certificate(holder)?);
                    Ok(read.map(|one| one.serial_number))
                };
                signers.filter_map(|holder| serial_number(holder).transpose()).collect()
            }
        }
    }

    /// PEM of the trust anchor of the signers' certificates.
    #[must_use]
    pub fn root_pem(&self) -> &str {
        &self.root.pem
    }

    /// PEM of the CA that issues the signers' certificates.
    #[must_use]
    pub fn issuing_pem(&self) -> &str {
        &self.issuing.pem
    }

    /// PEM of the certificate of the time-stamping unit, then of its CA.
    #[must_use]
    pub fn time_stamping_chain_pem(&self) -> String {
        format!("{}{}", pem(&self.time_stamping.certificate.der), self.time_stamping_ca.pem)
    }

    /// PEM of a signer's issuers: the issuing CA, then the root.
    #[must_use]
    pub fn chain_pem(&self) -> String {
        format!("{}{}", self.issuing.pem, self.root.pem)
    }

    /// PEM of the trust anchor of the back end's TLS certificate.
    #[must_use]
    pub fn server_ca_pem(&self) -> &str {
        &self.server_ca
    }

    /// PEM of the client certificate that the back end accepts, and of its key
    /// (PKCS#8).
    #[must_use]
    pub fn client_identity_pem(&self) -> String {
        format!("{}{}", self.client.certificate, self.client.key)
    }

    /// PEM of a user's certificate; for [`User::Renews`], of the first one.
    ///
    /// # Errors
    /// [`SandboxError`] if the certificate cannot be read or made.
    pub fn certificate_pem(&self, user: User) -> Result<String, SandboxError> {
        self.certificate(Holder { user, edition: 0 })
    }

    /// The CA of the TLS clients that the back end accepts.
    pub(crate) fn client_ca_pem(&self) -> &str {
        &self.client_ca
    }

    /// The certificate and the key of the TLS server.
    pub(crate) fn server(&self) -> (&str, &str) {
        (&self.server.certificate, &self.server.key)
    }

    /// The certificate of a holder. It is made if it does not exist.
    pub(crate) fn certificate(&self, holder: Holder) -> Result<String, SandboxError> {
        self.signer(holder).map(|signer| signer.certificate.clone())
    }

    /// Whether the user already has a certificate.
    pub(crate) fn has_certificate(&self, user: User) -> bool {
        // Every user except `New` counts as having one.
        user != User::New || self.has(Holder { user, edition: 0 })
    }

    /// Whether the certificate of a holder was made.
    fn has(&self, holder: Holder) -> bool {
        let signers = self.signers.lock().unwrap_or_else(PoisonError::into_inner);
        signers.contains_key(&holder) || self.store.has(&holder.file())
    }

    /// Signs a SHA-256 digest with the key of a holder.
    pub(crate) fn sign(
        &self,
        holder: Holder,
        digest: &[u8; 32],
        scheme: Scheme,
    ) -> Result<Vec<u8>, SandboxError> {
        let signer = self.signer(holder)?;
        let making =
            |error: aws_lc_rs::error::Unspecified| SandboxError::making("a signature value")(error);
        let digest = Digest::import_less_safe(digest, &digest::SHA256).map_err(making)?;
        let mut value = vec![0; signer.key.public_modulus_len()];
        match scheme {
            Scheme::Pkcs1v15 => signer.key.sign_digest(&RSA_PKCS1_SHA256, &digest, &mut value),
            Scheme::Pss => signer.key.sign_digest(&RSA_PSS_SHA256, &digest, &mut value),
        }
        .map_err(making)?;
        Ok(value)
    }

    fn signer(&self, holder: Holder) -> Result<Arc<Signer>, SandboxError> {
        let mut signers = self.signers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signer) = signers.get(&holder) {
            return Ok(Arc::clone(signer));
        }
        let locked = self.store.lock()?;
        let fit =
            Fit { issuer: Some(&self.issuing.pem), front_url: Some(&self.addresses.front_url) };
        let entry = locked.entry(&holder.file(), LEAF_DAYS, fit, |stored| {
            let key = stored.map_or_else(rsa_key, Ok)?;
            let mut params = profile::leaf(holder.user, &key, &self.addresses)
                .map_err(SandboxError::making("a signer's certificate"))?;
            params.serial_number = Some(self.issuing.new_serial_number()?);
            let certificate = params
                .signed_by(&key, &self.issuing.issuer)
                .map_err(SandboxError::making("a signer's certificate"))?;
            Ok(Entry { certificate: certificate.pem(), key: key.serialize_pem() })
        })?;
        let key = KeyPair::from_pem(&entry.key).ok();
        let key = key.and_then(|key| RsaKeyPair::from_pkcs8(key.serialized_der()).ok());
        let key = key.ok_or_else(|| SandboxError::PkiFile { path: locked.file(&holder.file()) })?;
        let signer = Arc::new(Signer { certificate: entry.certificate, key });
        signers.insert(holder, Arc::clone(&signer));
        Ok(signer)
    }
}

impl std::fmt::Debug for Pki {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pki").finish_non_exhaustive()
    }
}

fn rsa_key() -> Result<KeyPair, SandboxError> {
    KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048)
        .map_err(SandboxError::making("an RSA key"))
}

fn ec_key() -> Result<KeyPair, SandboxError> {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)
        .map_err(SandboxError::making("an elliptic-curve key"))
}

/// Opens or makes a CA of signers or services.
fn authority(
    locked: &Locked<'_>,
    role: Role,
    above: Option<&Authority>,
    addresses: &Addresses,
) -> Result<Authority, SandboxError> {
    let (pem, issuer) = ca(locked, role, above, addresses)?;
    let params = profile::ca(role, addresses).map_err(SandboxError::making("a CA"))?;
    let key_identifier = params.key_identifier(issuer.key());
    let file = || SandboxError::PkiFile { path: locked.file(role.file()) };
    Authority::new(pem, issuer, key_identifier).ok_or_else(file)
}

/// Opens or makes a CA: its certificate, and the issuer with its key.
fn ca(
    locked: &Locked<'_>,
    role: Role,
    above: Option<&Authority>,
    addresses: &Addresses,
) -> Result<(String, Issuer<'static, KeyPair>), SandboxError> {
    let making = |error: rcgen::Error| SandboxError::making("a CA's certificate")(error);
    let mut params = profile::ca(role, addresses).map_err(making)?;
    // Only a CA below another one states addresses.
    let fit = Fit {
        issuer: above.map(|above| above.pem.as_str()),
        front_url: above.map(|_| addresses.front_url.as_str()),
    };
    let entry = locked.entry(role.file(), CA_DAYS, fit, |stored| {
        let signs = matches!(role, Role::Root | Role::Issuing);
        let key = match stored {
            Some(key) => key,
            None if signs => rsa_key()?,
            None => ec_key()?,
        };
        params.serial_number = above.map(Authority::new_serial_number).transpose()?;
        let certificate = match above {
            Some(above) => params.signed_by(&key, &above.issuer),
            None => params.self_signed(&key),
        };
        let certificate = certificate.map_err(making)?;
        Ok(Entry { certificate: certificate.pem(), key: key.serialize_pem() })
    })?;
    let key = KeyPair::from_pem(&entry.key)
        .map_err(|_| SandboxError::PkiFile { path: locked.file(role.file()) })?;
    Ok((entry.certificate, Issuer::new(params, key)))
}

/// Makes the key of a service, its certificate, and one that has expired.
fn service(
    ca: &Authority,
    profile: impl Fn(&KeyPair) -> Result<CertificateParams, rcgen::Error>,
) -> Result<Service, SandboxError> {
    const WHAT: &str = "a certificate of an evidence service";
    let key = ec_key()?;
    let issue = |change: fn(CertificateParams) -> CertificateParams| {
        let mut params = change(profile(&key).map_err(SandboxError::making(WHAT))?);
        params.serial_number = Some(ca.new_serial_number()?);
        let certificate = params.signed_by(&key, &ca.issuer).map_err(SandboxError::making(WHAT))?;
        Issued::read(certificate.der()).ok_or_else(|| SandboxError::making(WHAT)("it is malformed"))
    };
    let (certificate, expired) = (issue(|params| params)?, issue(profile::expired)?);
    let signing_key = SigningKey::from_pkcs8(key.serialized_der());
    let key = signing_key.ok_or_else(|| SandboxError::making(WHAT)("its key cannot be read"))?;
    Ok(Service { certificate, expired, key })
}

fn pem(der: &[u8]) -> String {
    let text = Base64::encode_string(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn tls_certificate(
    role: Role,
    hosts: Vec<String>,
    issuer: &Issuer<'static, KeyPair>,
) -> Result<Entry, SandboxError> {
    let key = ec_key()?;
    let certificate = profile::tls_certificate(role, hosts)
        .and_then(|params| params.signed_by(&key, issuer))
        .map_err(SandboxError::making("a certificate for TLS"))?;
    Ok(Entry { certificate: certificate.pem(), key: key.serialize_pem() })
}

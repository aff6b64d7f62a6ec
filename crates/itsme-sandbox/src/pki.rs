//! The PKI of the sandbox, made on first use: a root, an issuing CA and signers
//! with the profile of the documented test chain (RSA 2048, the extensions of
//! qualified certificates, and SANDBOX in every name), and two CAs for TLS, one
//! for each end.

mod profile;
mod store;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use rcgen::{Issuer, KeyPair, RsaKeySize};

use self::profile::{CA_DAYS, LEAF_DAYS, Role};
use self::store::{Entry, Locked, Store};
use crate::SandboxError;
use crate::users::User;

/// The certificates of a sandbox. The only key that it gives out is that of the
/// TLS client.
pub struct Pki {
    store: Store,
    root: String,
    issuing: String,
    issuer: Issuer<'static, KeyPair>,
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
    pub(crate) fn open(dir: Option<&Path>, hosts: Vec<String>) -> Result<Self, SandboxError> {
        let store = Store::open(dir)?;
        let locked = store.lock()?;
        let (root, root_issuer) = ca(&locked, Role::Root, None)?;
        let (issuing, issuer) = ca(&locked, Role::Issuing, Some((&root, &root_issuer)))?;
        let (server_ca, server_issuer) = ca(&locked, Role::ServerCa, None)?;
        let (client_ca, client_issuer) = ca(&locked, Role::ClientCa, None)?;
        // The server's certificate is never stored, because the next start may
        // have other hosts.
        let server = tls_certificate(Role::Server, hosts, &server_issuer)?;
        let role = Role::Client;
        let client = locked.entry(role.file(), CA_DAYS, Some(&client_ca), || {
            tls_certificate(role, Vec::new(), &client_issuer)
        })?;
        locked.publish("root.pem", &root)?;
        locked.publish("chain.pem", &format!("{issuing}{root}"))?;
        locked.publish("server-ca.pem", &server_ca)?;
        locked.publish("client.pem", &format!("{}{}", client.certificate, client.key))?;
        drop(locked);
        let signers = Mutex::default();
        Ok(Self { store, root, issuing, issuer, server_ca, client_ca, server, client, signers })
    }

    /// PEM of the trust anchor of the signers' certificates.
    #[must_use]
    pub fn root_pem(&self) -> &str {
        &self.root
    }

    /// PEM of the CA that issues the signers' certificates.
    #[must_use]
    pub fn issuing_pem(&self) -> &str {
        &self.issuing
    }

    /// PEM of a signer's issuers: the issuing CA, then the root.
    #[must_use]
    pub fn chain_pem(&self) -> String {
        format!("{}{}", self.issuing, self.root)
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
        let holder = Holder { user, edition: 0 };
        let signers = self.signers.lock().unwrap_or_else(PoisonError::into_inner);
        // Every user except `New` counts as having one.
        user != User::New || signers.contains_key(&holder) || self.store.has(&holder.file())
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
        let entry = locked.entry(&holder.file(), LEAF_DAYS, Some(&self.issuing), || {
            let key = rsa_key()?;
            let certificate = profile::leaf(holder.user, &key)
                .and_then(|params| params.signed_by(&key, &self.issuer))
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

/// Opens or makes a CA: its certificate, and the issuer with its key.
fn ca(
    locked: &Locked<'_>,
    role: Role,
    issuer: Option<(&str, &Issuer<'static, KeyPair>)>,
) -> Result<(String, Issuer<'static, KeyPair>), SandboxError> {
    let making = |error: rcgen::Error| SandboxError::making("a CA's certificate")(error);
    let params = profile::ca(role).map_err(making)?;
    let above = issuer.map(|(certificate, _)| certificate);
    let entry = locked.entry(role.file(), CA_DAYS, above, || {
        let signs = matches!(role, Role::Root | Role::Issuing);
        let key = if signs { rsa_key()? } else { ec_key()? };
        let certificate = match issuer {
            Some((_, issuer)) => params.signed_by(&key, issuer),
            None => params.self_signed(&key),
        };
        let certificate = certificate.map_err(making)?;
        Ok(Entry { certificate: certificate.pem(), key: key.serialize_pem() })
    })?;
    let key = KeyPair::from_pem(&entry.key)
        .map_err(|_| SandboxError::PkiFile { path: locked.file(role.file()) })?;
    Ok((entry.certificate, Issuer::new(params, key)))
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

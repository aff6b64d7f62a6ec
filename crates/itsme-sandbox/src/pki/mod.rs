//! The sandbox's PKI, made on first use: a root, an issuing CA and signers in
//! the shape of the documented test chain (RSA 2048, qualified-looking, and
//! called a sandbox in every name), and beside it two CAs for TLS, one for
//! each end.

mod profile;
mod store;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use rcgen::{Issuer, KeyPair, RsaKeySize};

use self::profile::{CA_DAYS, LEAF_DAYS, Role};
use self::store::{Entry, Store};
use crate::SandboxError;
use crate::users::User;

/// The certificates of a sandbox that are there to be trusted or shown. Keys
/// stay inside, but for the client's.
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

/// Whose certificate, and which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Holder {
    pub(crate) user: User,
    pub(crate) edition: u8,
}

impl Holder {
    /// A certificate in the user's name whose key signs nothing.
    pub(crate) const FOREIGN: u8 = u8::MAX;

    fn file(self) -> String {
        format!("signer-{}-{}", self.user.name(), self.edition)
    }
}

/// One signer's certificate and key. The key leaves only as signatures.
struct Signer {
    certificate: String,
    key: RsaKeyPair,
}

/// How a value is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Pkcs1v15,
    Pss,
}

impl Pki {
    /// Opens the PKI in `dir`, or makes it; without `dir`, in memory.
    pub(crate) fn open(dir: Option<&Path>) -> Result<Self, SandboxError> {
        let store = Store::open(dir)?;
        let (root, root_issuer) = ca(&store, Role::Root, None)?;
        let (issuing, issuer) = ca(&store, Role::Issuing, Some(&root_issuer))?;
        let (server_ca, server_issuer) = ca(&store, Role::ServerCa, None)?;
        let (client_ca, client_issuer) = ca(&store, Role::ClientCa, None)?;
        let server = tls_end(&store, Role::Server, &server_issuer)?;
        let client = tls_end(&store, Role::Client, &client_issuer)?;
        let signers = Mutex::default();
        let pki =
            Self { store, root, issuing, issuer, server_ca, client_ca, server, client, signers };
        pki.store.publish("root.pem", pki.root_pem())?;
        pki.store.publish("chain.pem", &pki.chain_pem())?;
        pki.store.publish("server-ca.pem", pki.server_ca_pem())?;
        pki.store.publish("client.pem", &pki.client_identity_pem())?;
        Ok(pki)
    }

    /// The trust anchor of the signers' certificates.
    #[must_use]
    pub fn root_pem(&self) -> &str {
        &self.root
    }

    /// The CA that issues the signers' certificates.
    #[must_use]
    pub fn issuing_pem(&self) -> &str {
        &self.issuing
    }

    /// What is above a signer's certificate: issuing CA, then root.
    #[must_use]
    pub fn chain_pem(&self) -> String {
        format!("{}{}", self.issuing, self.root)
    }

    /// The trust anchor of the back end's TLS certificate.
    #[must_use]
    pub fn server_ca_pem(&self) -> &str {
        &self.server_ca
    }

    /// The client certificate that the back end accepts, and its key (PKCS #8).
    #[must_use]
    pub fn client_identity_pem(&self) -> String {
        format!("{}{}", self.client.certificate, self.client.key)
    }

    /// The certificate of a user (of the user who renews: the first).
    ///
    /// # Errors
    /// [`SandboxError`] if it has to be made and cannot be, or cannot be read.
    pub fn certificate_pem(&self, user: User) -> Result<String, SandboxError> {
        self.certificate(Holder { user, edition: 0 })
    }

    /// The CA of the clients that the back end accepts.
    pub(crate) fn client_ca_pem(&self) -> &str {
        &self.client_ca
    }

    /// Certificate and key of the back end's TLS server.
    pub(crate) fn server(&self) -> (&str, &str) {
        (&self.server.certificate, &self.server.key)
    }

    /// A holder's certificate; made if it is not there.
    pub(crate) fn certificate(&self, holder: Holder) -> Result<String, SandboxError> {
        self.signer(holder).map(|signer| signer.certificate.clone())
    }

    /// Whether the user's certificate would have to be made.
    pub(crate) fn has_certificate(&self, user: User) -> bool {
        let holder = Holder { user, edition: 0 };
        let signers = self.signers.lock().unwrap_or_else(PoisonError::into_inner);
        // Everybody but the new user counts as having one.
        user != User::New || signers.contains_key(&holder) || self.store.has(&holder.file())
    }

    /// A signature value with a holder's key over a SHA-256 digest.
    pub(crate) fn sign(
        &self,
        holder: Holder,
        digest: &[u8; 32],
        scheme: Scheme,
    ) -> Result<Vec<u8>, SandboxError> {
        let signer = self.signer(holder)?;
        let digest =
            Digest::import_less_safe(digest, &digest::SHA256).map_err(|_| SandboxError::Key)?;
        let mut value = vec![0; signer.key.public_modulus_len()];
        match scheme {
            Scheme::Pkcs1v15 => signer.key.sign_digest(&RSA_PKCS1_SHA256, &digest, &mut value),
            Scheme::Pss => signer.key.sign_digest(&RSA_PSS_SHA256, &digest, &mut value),
        }
        .map_err(|_| SandboxError::Key)?;
        Ok(value)
    }

    fn signer(&self, holder: Holder) -> Result<Arc<Signer>, SandboxError> {
        let mut signers = self.signers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signer) = signers.get(&holder) {
            return Ok(Arc::clone(signer));
        }
        let entry = self.store.entry(&holder.file(), LEAF_DAYS, || {
            let key = rsa_key()?;
            let params = profile::leaf(holder.user, &key)?;
            let certificate = params.signed_by(&key, &self.issuer)?.pem();
            Ok(Entry { certificate, key: key.serialize_pem() })
        })?;
        let key = KeyPair::from_pem(&entry.key)?;
        let key = RsaKeyPair::from_pkcs8(key.serialized_der()).map_err(|_| SandboxError::Key)?;
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
    Ok(KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048)?)
}

fn ec_key() -> Result<KeyPair, SandboxError> {
    Ok(KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?)
}

fn ca(
    store: &Store,
    role: Role,
    issuer: Option<&Issuer<'static, KeyPair>>,
) -> Result<(String, Issuer<'static, KeyPair>), SandboxError> {
    let params = profile::ca(role)?;
    let entry = store.entry(role.file(), CA_DAYS, || {
        let signs = matches!(role, Role::Root | Role::Issuing);
        let key = if signs { rsa_key()? } else { ec_key()? };
        let certificate = match issuer {
            Some(issuer) => params.signed_by(&key, issuer)?,
            None => params.self_signed(&key)?,
        };
        Ok(Entry { certificate: certificate.pem(), key: key.serialize_pem() })
    })?;
    Ok((entry.certificate, Issuer::new(params, KeyPair::from_pem(&entry.key)?)))
}

fn tls_end(
    store: &Store,
    role: Role,
    issuer: &Issuer<'static, KeyPair>,
) -> Result<Entry, SandboxError> {
    store.entry(role.file(), CA_DAYS, || {
        let key = ec_key()?;
        let certificate = profile::tls_end(role)?.signed_by(&key, issuer)?.pem();
        Ok(Entry { certificate, key: key.serialize_pem() })
    })
}

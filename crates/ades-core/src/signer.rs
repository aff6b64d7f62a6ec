//! Remote signers: services and devices that hold the private key.
//!
//! A signer has two operations. [`identify`](RemoteSigner::identify) returns the
//! user's certificate, which is part of the data to be signed.
//! [`sign`](RemoteSigner::sign) returns a value for each digest of a batch. A key
//! file or an HSM answers at once. Other signers, such as itsme®, need the user's
//! browser and minutes of waiting. So both operations return a [`Step`], whose
//! session can be stored and continued by any process.
//!
//! `docs/own-signer.md` shows how to write a signer.

mod ecdsa;
mod error;
mod session;
mod step;
mod value;

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use serde::{Deserialize, Serialize};

use crate::Oid;
use crate::algorithm::SignatureAlgorithm;
use crate::chain::CertificateChain;
use crate::error::Retry;
use crate::parameters::CommitmentType;
use crate::pending::ToBeSigned;

pub use ecdsa::ecdsa_from_raw;
pub use error::{SignerError, SignerErrorKind};
pub use session::{IdentificationSession, SigningSession};
pub use step::{Step, StepResult};
pub use value::{MAX_VALUE_LEN, read_value};

/// A boxed future that any executor can run.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A service or device that holds the user's private key.
///
/// The last *stored* session is the state of a conversation. Continuing consumes
/// a copy of it. A [`Step`] replaces the stored session. An error returns no
/// session: keep the stored one, and use it for another try if the error's
/// [`Retry`] says that one can help.
pub trait RemoteSigner: Send + Sync {
    /// The capabilities of this signer.
    fn capabilities(&self) -> Capabilities;

    /// Checks the texts that the user will see, as far as possible without a
    /// request, so that an application can report a bad text before it identifies
    /// the user.
    ///
    /// # Errors
    /// Those that [`sign`](Self::sign) returns for the same texts.
    fn check_display(&self, display: &Display) -> Result<(), SignerError> {
        let _ = display;
        Ok(())
    }

    /// The key of the [`Step::Redirect`] that a return belongs to, read from the
    /// query of the return. An application finds the stored session by it. `None`
    /// if the query has no key, or more than one. The key says only where to look:
    /// [`Event::Returned`] checks the return.
    fn return_key(&self, query: &str) -> Option<String> {
        let _ = query;
        None
    }

    /// Starts to identify the user who signs, and their certificate.
    fn identify(
        &self,
        request: IdentificationRequest,
    ) -> BoxFuture<'_, StepResult<Identity, IdentificationSession>>;

    /// Continues an identification by one step. It never starts a new one. After
    /// an error, continue with the stored session.
    fn continue_identification(
        &self,
        session: IdentificationSession,
        event: Event,
    ) -> BoxFuture<'_, StepResult<Identity, IdentificationSession>> {
        let _ = (session, event);
        Box::pin(async { Err(SignerError::new(SignerErrorKind::UnknownSession)) })
    }

    /// Starts to sign a batch. The values are returned in the order of the items,
    /// each with its item's id.
    ///
    /// After [`SignerErrorKind::UnknownOutcome`] the user may have been asked to
    /// confirm; after every other error, nobody was. If the future is dropped
    /// after it was polled, the outcome is unknown as well. The futures of the
    /// other methods can be dropped at any time, and the call repeated with the
    /// same session.
    fn sign(
        &self,
        request: SigningRequest,
    ) -> BoxFuture<'_, StepResult<Vec<SignatureValue>, SigningSession>>;

    /// Continues a batch by one step. It never starts a new one. After an error,
    /// continue with the stored session.
    fn continue_signing(
        &self,
        session: SigningSession,
        event: Event,
    ) -> BoxFuture<'_, StepResult<Vec<SignatureValue>, SigningSession>> {
        let _ = (session, event);
        Box::pin(async { Err(SignerError::new(SignerErrorKind::UnknownSession)) })
    }

    /// Ends a session that the application does not continue, if its service has a
    /// call for that. The session may have ended already. Its result does not count
    /// any more, whether or not the call succeeds.
    ///
    /// # Errors
    /// The service was not reached, or refused. Nothing depends on it.
    fn close(&self, session: OpenSession) -> BoxFuture<'_, Result<(), SignerError>> {
        let _ = session;
        Box::pin(async { Ok(()) })
    }
}

/// Why a conversation continues.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Time has passed. The signer asks its service for the answer.
    Poll,
    /// The user's browser came back to the application's redirect URL.
    Returned {
        /// the query of the URL, unchanged
        query: String,
        /// the value that ties the request to one browser, such as a cookie's
        /// value: the same as in [`IdentificationRequest::browser`]
        browser: Option<String>,
    },
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Poll => "Poll",
            Self::Returned { .. } => "Returned(..)",
        })
    }
}

/// A session that an application gives up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenSession {
    /// An identification in progress.
    Identification(IdentificationSession),
    /// A batch that waits for confirmation.
    Signing(SigningSession),
}

/// The final refusal of a user or a service. `Debug` does not show the message.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The reason
    pub reason: RefusalReason,
    /// The service's own code, if it gave one
    pub code: Option<String>,
    /// The service's own message, if it gave one. It can name the user, so do not
    /// log it
    pub message: Option<String>,
}

impl Refusal {
    /// A refusal, with the service's own code if it gave one.
    #[must_use]
    pub const fn new(reason: RefusalReason, code: Option<String>) -> Self {
        Self { reason, code, message: None }
    }

    /// Adds the service's own message.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("reason", &self.reason)
            .field("code", &self.code)
            .finish_non_exhaustive()
    }
}

/// Why there will be no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum RefusalReason {
    /// The user refused.
    #[error("the user refused")]
    ByUser,
    /// The user did not answer in time.
    #[error("the user did not confirm in time")]
    Expired,
    /// The user's account is not allowed to sign. Only the service's support can
    /// help.
    #[error(
        "the user's account is not allowed to sign; the user must contact the service's support"
    )]
    NotAllowed,
}

impl RefusalReason {
    /// Whether another session can have another result.
    #[must_use]
    pub const fn retry(self) -> Retry {
        match self {
            Self::ByUser | Self::Expired => Retry::NewSession,
            Self::NotAllowed => Retry::Never,
        }
    }
}

/// Whom to identify, and in which language.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdentificationRequest {
    /// The user's language.
    pub language: Option<Language>,
    /// The [`Identity::account`] of an earlier identification, if the user is
    /// known.
    pub account: Option<String>,
    /// A value that ties the conversation to one browser, such as a session
    /// cookie's value. Only its digest is stored. If it is set, an identification
    /// counts only once that browser has come back, so polling alone does not
    /// finish it: somebody else may have been given the page's address.
    pub browser: Option<String>,
}

impl fmt::Debug for IdentificationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentificationRequest")
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

/// A user who can sign.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Identity {
    /// The signer's certificate and its issuers.
    pub chain: CertificateChain,
    /// The service's identifier for this user. It is pseudonymous personal data,
    /// so do not log it.
    pub account: Option<String>,
}

impl Identity {
    /// A user with this certificate chain.
    #[must_use]
    pub const fn new(chain: CertificateChain, account: Option<String>) -> Self {
        Self { chain, account }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("chain", &self.chain).finish_non_exhaustive()
    }
}

/// A batch of items that one confirmation covers.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SigningRequest {
    /// The user who signs.
    pub identity: Identity,
    /// The items to sign: 1 to [`Capabilities::max_batch`], with distinct ids.
    pub items: Vec<SigningItem>,
    /// The texts that the signer shows to the user.
    pub display: Display,
    /// See [`IdentificationRequest::browser`].
    pub browser: Option<String>,
    /// The application's id of this request, for signers that send one to their
    /// service. It helps to find the request there when its outcome is unknown. The
    /// signer chooses one if it is `None`.
    pub request_id: Option<String>,
}

impl SigningRequest {
    /// A batch without anything to display.
    #[must_use]
    pub fn new(identity: Identity, items: Vec<SigningItem>) -> Self {
        Self { identity, items, display: Display::default(), browser: None, request_id: None }
    }

    /// Checks the batch against the signer's capabilities and the user's key.
    ///
    /// # Errors
    /// [`SignerErrorKind::EmptyBatch`], [`SignerErrorKind::BatchTooLarge`],
    /// [`SignerErrorKind::DuplicateId`], [`SignerErrorKind::UnsupportedAlgorithm`]
    pub fn check(&self, capabilities: &Capabilities) -> Result<(), SignerError> {
        let max = capabilities.max_batch;
        if self.items.is_empty() {
            return Err(SignerErrorKind::EmptyBatch.into());
        }
        if self.items.len() > max {
            return Err(SignerErrorKind::BatchTooLarge { max }.into());
        }
        let mut ids = HashSet::new();
        for item in &self.items {
            if item.id.is_empty() || !ids.insert(item.id.as_str()) {
                return Err(SignerErrorKind::DuplicateId { id: item.id.clone() }.into());
            }
            let algorithm = item.to_be_signed.algorithm();
            let key_fits = self.identity.chain.leaf().key_type().fits(algorithm);
            if !key_fits || !capabilities.algorithms.contains(&algorithm) {
                return Err(SignerErrorKind::UnsupportedAlgorithm { algorithm }.into());
            }
        }
        Ok(())
    }
}

impl fmt::Debug for SigningRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningRequest").field("items", &self.items).finish_non_exhaustive()
    }
}

/// One item of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SigningItem {
    /// The application's identifier for it, distinct within the batch.
    pub id: String,
    /// The data to be signed.
    pub to_be_signed: ToBeSigned,
}

impl SigningItem {
    /// An item with an id that is distinct within the batch.
    #[must_use]
    pub fn new(id: impl Into<String>, to_be_signed: ToBeSigned) -> Self {
        Self { id: id.into(), to_be_signed }
    }
}

/// The texts that the signer shows to the user. A signer leaves out those that it
/// cannot show; see its [`Capabilities`]. `Debug` shows neither descriptions nor
/// roles.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Display {
    /// The user's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// A description of the documents, in each language.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub description: Vec<(Language, String)>,
    /// The signature policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Oid>,
    /// The commitment type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitment: Option<CommitmentType>,
    /// The signer's role, in each language.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub role: Vec<(Language, String)>,
}

impl fmt::Debug for Display {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Display")
            .field("language", &self.language)
            .field("policy", &self.policy)
            .field("commitment", &self.commitment)
            .finish_non_exhaustive()
    }
}

/// A language in which a signer can address the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum Language {
    /// German
    De,
    /// English
    En,
    /// French
    Fr,
    /// Dutch
    Nl,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 4] = [Self::En, Self::Fr, Self::Nl, Self::De];

    /// The language of a tag such as `fr`, `FR` or `fr-BE`. Only the primary subtag
    /// counts (RFC 5646).
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next()?;
        Self::ALL.into_iter().find(|l| l.code().eq_ignore_ascii_case(primary))
    }

    /// The upper-case two-letter code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::De => "DE",
            Self::En => "EN",
            Self::Fr => "FR",
            Self::Nl => "NL",
        }
    }
}

/// A signature value. Completing verifies it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SignatureValue {
    /// The id of the item that it belongs to.
    pub id: String,
    /// RSA: a value of the modulus's length. ECDSA: the DER `SEQUENCE { r, s }`, see
    /// [`ecdsa_from_raw`]. Ed25519: 64 octets.
    #[serde(with = "crate::base64::octets")]
    pub value: Vec<u8>,
}

impl SignatureValue {
    /// The value of the item with this id.
    #[must_use]
    pub fn new(id: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        Self { id: id.into(), value: value.into() }
    }
}

impl fmt::Debug for SignatureValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignatureValue({:?}, {} octets)", self.id, self.value.len())
    }
}

/// Puts values in the order of the items that they belong to.
///
/// # Errors
/// [`SignerErrorKind::ResultMismatch`] if an id is missing, unknown or repeated.
pub fn match_values<'a>(
    ids: impl IntoIterator<Item = &'a str>,
    mut values: Vec<SignatureValue>,
) -> Result<Vec<SignatureValue>, SignerError> {
    let mismatch = || SignerError::new(SignerErrorKind::ResultMismatch);
    let mut ordered = Vec::with_capacity(values.len());
    for id in ids {
        let at = values.iter().position(|v| v.id == id).ok_or_else(mismatch)?;
        ordered.push(values.swap_remove(at));
    }
    if values.is_empty() { Ok(ordered) } else { Err(mismatch()) }
}

/// The capabilities of a signer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// The signer's name, for stored sessions and messages.
    pub name: &'static str,
    /// The signature algorithms that it makes.
    pub algorithms: Vec<SignatureAlgorithm>,
    /// Maximum number of items in a batch.
    pub max_batch: usize,
    /// Whether it needs the user's browser.
    pub interactive: bool,
    /// The languages in which it addresses the user; empty if it shows nothing.
    pub languages: Vec<Language>,
    /// Whether it shows the signature policy and the commitment type to the user.
    pub shows_policy: bool,
    /// Maximum length of a description, in characters.
    pub max_description: Option<usize>,
}

impl Capabilities {
    /// A signer that answers at once and signs batches of any size.
    #[must_use]
    pub const fn immediate(name: &'static str, algorithms: Vec<SignatureAlgorithm>) -> Self {
        Self {
            name,
            algorithms,
            max_batch: usize::MAX,
            interactive: false,
            languages: Vec::new(),
            shows_policy: false,
            max_description: None,
        }
    }
}

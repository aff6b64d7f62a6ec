//! Remote signers: whoever holds the private key.
//!
//! A signer is asked twice: [`identify`](RemoteSigner::identify) yields the
//! user's certificate, which goes into what is signed;
//! [`sign`](RemoteSigner::sign) yields a value for each digest of a batch.
//! Either question may be answered at once (a key file, an HSM) or need the
//! user's browser and minutes of waiting (itsme®). So both yield a [`Step`],
//! and the step's session can be stored and taken up by any process.
//!
//! `docs/own-signer.md` shows how to write one.

mod ecdsa;
mod error;
mod session;

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

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

/// A future that any executor can run.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a call to a signer yields.
pub type StepResult<T, S> = Result<Step<T, S>, SignerError>;

/// A service or device that holds the user's private key.
///
/// A conversation with it is where the last *stored* session says. Continuing
/// takes a copy of that; when it fails, keep the stored one: an error gives
/// none back, and if its [`Retry`] says that another try may help, that session
/// is what to try with. Every [`Step`] that comes instead replaces it.
pub trait RemoteSigner: Send + Sync {
    /// What this signer can do.
    fn capabilities(&self) -> Capabilities;

    /// Whether this signer takes what the user is to see, as far as that can be
    /// said without asking anybody: so it is known before the identification.
    ///
    /// # Errors
    /// Those that [`sign`](Self::sign) would have for the same texts.
    fn check_display(&self, display: &Display) -> Result<(), SignerError> {
        let _ = display;
        Ok(())
    }

    /// Starts to find out who signs, and with which certificate.
    fn identify(
        &self,
        request: IdentificationRequest,
    ) -> BoxFuture<'_, StepResult<Identity, IdentificationSession>>;

    /// Takes an identification one step further. Never starts a new one. If it
    /// fails, the session that was stored before stays the one to continue with.
    fn continue_identification(
        &self,
        session: IdentificationSession,
        event: Event,
    ) -> BoxFuture<'_, StepResult<Identity, IdentificationSession>> {
        let _ = (session, event);
        Box::pin(async { Err(SignerError::new(SignerErrorKind::UnknownSession)) })
    }

    /// Starts to sign a batch. Values come back in the order of the items,
    /// each with its item's id.
    ///
    /// [`SignerErrorKind::UnknownOutcome`] says that the user may have been
    /// asked; every other error, that nobody was. Dropping the future once it
    /// was polled means the former; other calls may be dropped at any time and
    /// made again, with the same session.
    fn sign(
        &self,
        request: SigningRequest,
    ) -> BoxFuture<'_, StepResult<Vec<SignatureValue>, SigningSession>>;

    /// Takes a batch one step further. Never starts a new one. If it fails, the
    /// session that was stored before stays the one to continue with.
    fn continue_signing(
        &self,
        session: SigningSession,
        event: Event,
    ) -> BoxFuture<'_, StepResult<Vec<SignatureValue>, SigningSession>> {
        let _ = (session, event);
        Box::pin(async { Err(SignerError::new(SignerErrorKind::UnknownSession)) })
    }
}

/// Where a conversation with a signer stands.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step<T, S> {
    /// Send the user's browser to this address. Store the session first; go
    /// on with [`Event::Returned`] when the user comes back, or poll.
    Redirect {
        /// where to: whoever has this address can take the user's place, so it
        /// is not for logs
        url: String,
        /// what to continue with
        session: S,
    },
    /// Not yet: ask again after this time.
    Wait {
        /// how long
        after: Duration,
        /// what to continue with
        session: S,
    },
    /// The answer.
    Done(T),
    /// The answer is no.
    Refused(Refusal),
}

impl<T: fmt::Debug, S: fmt::Debug> fmt::Debug for Step<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redirect { session, .. } => {
                f.debug_struct("Redirect").field("session", session).finish_non_exhaustive()
            }
            Self::Wait { after, session } => {
                f.debug_struct("Wait").field("after", after).field("session", session).finish()
            }
            Self::Done(answer) => f.debug_tuple("Done").field(answer).finish(),
            Self::Refused(refusal) => f.debug_tuple("Refused").field(refusal).finish(),
        }
    }
}

/// Why a conversation goes on.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Time has passed.
    Poll,
    /// The user's browser came back to the application's redirect URL.
    Returned {
        /// the URL's query, as it came
        query: String,
        /// what ties the request to one browser (a cookie's value), as given
        /// when the conversation was started
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

/// The final no of a user or a service. `Debug` leaves the message out.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// Why
    pub reason: RefusalReason,
    /// The service's own code, if it gave one
    pub code: Option<String>,
    /// The service's own words, if there were any: they may name the user and
    /// are not to be logged
    pub message: Option<String>,
}

impl Refusal {
    /// A refusal, with the service's own code where it gave one.
    #[must_use]
    pub const fn new(reason: RefusalReason, code: Option<String>) -> Self {
        Self { reason, code, message: None }
    }

    /// With the service's own words.
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
    /// The user said no.
    #[error("the user refused")]
    ByUser,
    /// The user did not answer in time.
    #[error("the user did not confirm in time")]
    Expired,
    /// The user's account may not sign; only the service's support can help.
    #[error(
        "the user's account is not allowed to sign; the user must contact the service's support"
    )]
    NotAllowed,
}

impl RefusalReason {
    /// Whether another session may end otherwise.
    #[must_use]
    pub const fn retry(self) -> Retry {
        match self {
            Self::ByUser | Self::Expired => Retry::NewSession,
            Self::NotAllowed => Retry::Never,
        }
    }
}

/// Who shall be identified, and how to talk to them.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdentificationRequest {
    /// The user's language.
    pub language: Option<Language>,
    /// A user this application knows from an earlier [`Identity::account`].
    pub account: Option<String>,
    /// What ties the conversation to one browser: a session cookie's value.
    /// Only its digest is stored.
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
    /// The service's name for this user: pseudonymous personal data, not to be
    /// logged.
    pub account: Option<String>,
}

impl Identity {
    /// A user with this certificate.
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

/// A batch to be signed with one confirmation.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SigningRequest {
    /// Who signs.
    pub identity: Identity,
    /// What is signed: 1 to [`Capabilities::max_batch`] items with distinct ids.
    pub items: Vec<SigningItem>,
    /// What the user gets to see.
    pub display: Display,
    /// As in [`IdentificationRequest::browser`].
    pub browser: Option<String>,
}

impl SigningRequest {
    /// A batch with nothing to show.
    #[must_use]
    pub fn new(identity: Identity, items: Vec<SigningItem>) -> Self {
        Self { identity, items, display: Display::default(), browser: None }
    }

    /// Checks the batch against a signer's capabilities and its identity's key.
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

/// One thing to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SigningItem {
    /// The application's name for it, distinct within the batch.
    pub id: String,
    /// What is signed.
    pub to_be_signed: ToBeSigned,
}

impl SigningItem {
    /// What is to be signed, under a name that is distinct within the batch.
    #[must_use]
    pub fn new(id: impl Into<String>, to_be_signed: ToBeSigned) -> Self {
        Self { id: id.into(), to_be_signed }
    }
}

/// What the user gets to see at the signer. A signer leaves out what it cannot
/// show ([`Capabilities`] tells). `Debug` shows neither descriptions nor roles.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Display {
    /// The user's language.
    pub language: Option<Language>,
    /// What is being signed, in each language.
    pub description: Vec<(Language, String)>,
    /// The signature policy.
    pub policy: Option<Oid>,
    /// The commitment.
    pub commitment: Option<CommitmentType>,
    /// The signer's role, in each language.
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

/// A language a signer can speak.
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
    /// Every language.
    pub const ALL: [Self; 4] = [Self::En, Self::Fr, Self::Nl, Self::De];

    /// From a tag such as `fr`, `FR` or `fr-BE` (RFC 5646: the primary subtag counts).
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

/// A signature value, still to be verified: that is what completing does.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SignatureValue {
    /// The item it belongs to.
    pub id: String,
    /// RSA: as long as the modulus. ECDSA: the DER `SEQUENCE { r, s }`; see
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

/// Puts values in the order of the items they belong to.
///
/// # Errors
/// [`SignerErrorKind::ResultMismatch`] if an id is missing, unknown or twice there.
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

/// What a signer can do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// The signer's name, for stored sessions and messages.
    pub name: &'static str,
    /// The signature algorithms it can be asked for.
    pub algorithms: Vec<SignatureAlgorithm>,
    /// How many items one confirmation may cover.
    pub max_batch: usize,
    /// Whether the user's browser is needed.
    pub interactive: bool,
    /// The languages it speaks; empty if it speaks to nobody.
    pub languages: Vec<Language>,
    /// Whether it shows the signature policy and the commitment to the user.
    pub shows_policy: bool,
    /// The longest description it shows, in characters.
    pub max_description: Option<usize>,
}

impl Capabilities {
    /// A signer that answers at once, one batch of any size at a time.
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

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

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Oid;
use crate::algorithm::SignatureAlgorithm;
use crate::chain::CertificateChain;
use crate::error::{Error, Fault, Retry};
use crate::parameters::CommitmentType;
use crate::pending::ToBeSigned;

/// A future that any executor can run.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a call to a signer yields.
pub type StepResult<T, S> = Result<Step<T, S>, SignerError>;

/// A service or device that holds the user's private key.
pub trait RemoteSigner: Send + Sync {
    /// What this signer can do.
    fn capabilities(&self) -> Capabilities;

    /// Starts to find out who signs, and with which certificate.
    fn identify(
        &self,
        request: IdentificationRequest,
    ) -> BoxFuture<'_, StepResult<Identity, IdentificationSession>>;

    /// Takes an identification one step further. Never starts a new one.
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
    fn sign(
        &self,
        request: SigningRequest,
    ) -> BoxFuture<'_, StepResult<Vec<SignatureValue>, SigningSession>>;

    /// Takes a batch one step further. Never starts a new one.
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
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step<T, S> {
    /// Send the user's browser to this address. Store the session first; go
    /// on with [`Event::Returned`] when the user comes back, or poll.
    Redirect {
        /// where to
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

/// The final no of a user or a service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// Why
    pub reason: RefusalReason,
    /// The service's own code, if it gave one
    pub code: Option<String>,
}

impl Refusal {
    /// A refusal, with the service's own code where it gave one.
    #[must_use]
    pub const fn new(reason: RefusalReason, code: Option<String>) -> Self {
        Self { reason, code }
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
pub struct SigningItem {
    /// The application's name for it, distinct within the batch.
    pub id: String,
    /// What is signed.
    pub to_be_signed: ToBeSigned,
}

/// What the user gets to see at the signer. A signer leaves out what it cannot
/// show ([`Capabilities`] tells).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
pub struct SignatureValue {
    /// The item it belongs to.
    pub id: String,
    /// RSA: as long as the modulus. ECDSA: the DER `SEQUENCE { r, s }`.
    /// Ed25519: 64 octets.
    #[serde(with = "crate::base64::octets")]
    pub value: Vec<u8>,
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

macro_rules! session {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Serialises as the signer's name, the layout's version, and a text
        /// that only this signer reads. It holds no key, password or token.
        #[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            signer: String,
            version: u32,
            data: String,
        }

        impl $name {
            /// For a signer: stores its own session data.
            ///
            /// # Errors
            /// [`SignerErrorKind::Session`] if `data` cannot be serialised.
            pub fn pack(
                signer: &str,
                version: u32,
                data: &impl Serialize,
            ) -> Result<Self, SignerError> {
                let data = serde_json::to_string(data)
                    .map_err(|e| SignerError::new(SignerErrorKind::Session).caused_by(e))?;
                Ok(Self { signer: signer.to_owned(), version, data })
            }

            /// For a signer: reads what it stored.
            ///
            /// # Errors
            /// [`SignerErrorKind::Session`] if another signer or a newer
            /// version stored it, or it is damaged.
            pub fn unpack<T: DeserializeOwned>(
                &self,
                signer: &str,
                version: u32,
            ) -> Result<T, SignerError> {
                let fail = || SignerError::new(SignerErrorKind::Session);
                if self.signer != signer || self.version > version {
                    return Err(fail());
                }
                serde_json::from_str(&self.data).map_err(|e| fail().caused_by(e))
            }

            /// The name of the signer that can continue it.
            #[must_use]
            pub fn signer(&self) -> &str {
                &self.signer
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({}, ..)"), self.signer)
            }
        }
    };
}

session! {
    /// An identification that is under way.
    IdentificationSession
}
session! {
    /// A batch that is being confirmed.
    SigningSession
}

/// A signer's error: what happened, whose fault it is, whether a retry helps.
#[derive(Debug, thiserror::Error)]
#[error("{kind}{}", code.as_ref().map(|c| format!(" ({c})")).unwrap_or_default())]
pub struct SignerError {
    kind: SignerErrorKind,
    code: Option<String>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl SignerError {
    /// An error of this kind.
    #[must_use]
    pub const fn new(kind: SignerErrorKind) -> Self {
        Self { kind, code: None, source: None }
    }

    /// With the service's own code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// With the error behind it.
    #[must_use]
    pub fn caused_by(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> &SignerErrorKind {
        &self.kind
    }

    /// The service's own code, if it gave one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Whose fault it is.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        self.kind.blame().0
    }

    /// Whether another try may help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        self.kind.blame().1
    }
}

impl From<SignerErrorKind> for SignerError {
    fn from(kind: SignerErrorKind) -> Self {
        Self::new(kind)
    }
}

impl From<Error> for SignerError {
    fn from(error: Error) -> Self {
        Self::new(SignerErrorKind::Core).caused_by(error)
    }
}

/// What can go wrong with a signer, whichever it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignerErrorKind {
    /// More items than one confirmation may cover.
    #[error("the batch has more than {max} items")]
    BatchTooLarge {
        /// how many it may have
        max: usize,
    },
    /// The certificate is not the one that was expected, or not fit to sign.
    #[error("the certificate is not the expected one or not fit to sign")]
    Certificate,
    /// The service does not accept this application.
    #[error(
        "the service does not accept this application: check client certificate, address filter and codes"
    )]
    ClientNotAuthorised,
    /// The configuration does not fit the service.
    #[error("the configuration does not fit the service")]
    Configuration,
    /// What lies behind is an error of `ades-core`.
    #[error("the request or answer is not usable")]
    Core,
    /// Two items have the same id, or one has none.
    #[error("the id {id:?} is empty or not unique in the batch")]
    DuplicateId {
        /// the id
        id: String,
    },
    /// Nothing to sign.
    #[error("the batch is empty")]
    EmptyBatch,
    /// Something given to the signer is not allowed.
    #[error("{what}")]
    InvalidRequest {
        /// what, and why
        what: String,
    },
    /// The service's answer breaks its own protocol.
    #[error("the service's answer is not what its protocol says: {what}")]
    Protocol {
        /// what was found
        what: String,
    },
    /// Values do not match the items asked for.
    #[error("the service's values do not match the items asked for")]
    ResultMismatch,
    /// The service failed.
    #[error("the service failed with HTTP status {status}")]
    Service {
        /// the HTTP status
        status: u16,
    },
    /// The stored session is not readable by this signer.
    #[error("the stored session is damaged, or from another signer or a newer version")]
    Session,
    /// The browser that came back is not the one that was sent, or its state
    /// parameter is missing, wrong or used.
    #[error("the returning browser does not belong to this session")]
    State,
    /// The service could not be reached, or did not answer in time.
    #[error("the service could not be reached or did not answer in time")]
    Unavailable,
    /// Whether the service got the request is not known; asking again could
    /// ask the user twice.
    #[error("no answer came to a request that must not be repeated blindly")]
    UnknownOutcome,
    /// The service does not know this session, or it has ended.
    #[error("the session is unknown to the signer or has ended")]
    UnknownSession,
    /// This signer or this key does not make such signatures.
    #[error("the signer does not make {algorithm} signatures with this key")]
    UnsupportedAlgorithm {
        /// what was asked for
        algorithm: SignatureAlgorithm,
    },
    /// A value does not verify; the error behind says what is wrong with it.
    #[error("a signature value does not verify")]
    Value,
    /// The service wants to send the user somewhere we do not trust.
    #[error("the service wants to send the user to an address that is not allowed")]
    UntrustedRedirect,
}

impl SignerErrorKind {
    const fn blame(&self) -> (Fault, Retry) {
        match self {
            Self::BatchTooLarge { .. }
            | Self::DuplicateId { .. }
            | Self::EmptyBatch
            | Self::InvalidRequest { .. }
            | Self::UnsupportedAlgorithm { .. } => (Fault::Caller, Retry::Never),
            Self::Certificate => (Fault::Input, Retry::NewIdentification),
            Self::ClientNotAuthorised | Self::Configuration => (Fault::Configuration, Retry::Never),
            Self::Core | Self::Session | Self::State => (Fault::Input, Retry::Never),
            Self::Protocol { .. }
            | Self::ResultMismatch
            | Self::UntrustedRedirect
            | Self::Value => (Fault::Service, Retry::NewSession),
            Self::Service { .. } | Self::Unavailable => (Fault::Service, Retry::Later),
            Self::UnknownOutcome | Self::UnknownSession => (Fault::Service, Retry::NewSession),
        }
    }
}

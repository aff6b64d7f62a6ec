//! [`ItsmeSigner`]: each step sends a request, reads its answer, and decides on
//! the next step.

mod exchange;
mod identification;
mod polling;
mod signing;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use ades_core::signer::{
    BoxFuture, Capabilities, Display, Event, IdentificationRequest, IdentificationSession,
    Identity, Language, SignatureValue, SignerError, SignerErrorKind, SigningRequest,
    SigningSession, StepResult,
};
use ades_core::{Certificate, DigestAlgorithm, RemoteSigner, SignatureAlgorithm};
use chrono::{DateTime, TimeDelta, Utc};
use http::Method;
use tracing::{Instrument, field};

use crate::certificate;
use crate::config::{Config, Settings};
use crate::discovery::Discovery;
use crate::error::Error;
use crate::other_answer::OtherAnswer;
use crate::redirect;
use crate::session::Common;
use crate::trace;
use crate::transport::Transport;
use crate::wire;

pub(crate) const NAME: &str = "itsme";
/// itsme® signs SHA-256 digests. The certificate determines the type of the key.
const ALGORITHMS: [SignatureAlgorithm; 2] = [
    SignatureAlgorithm::RsaPkcs1v15(DigestAlgorithm::Sha256),
    SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256),
];
/// Maximum number of tries of a request that may be repeated.
const TRIES: u64 = 3;
/// Time after which the discovery document is fetched again, in seconds.
const DISCOVERY_SECONDS: i64 = 3600;

/// A [`RemoteSigner`] over itsme® Sign.
///
/// # Cancellation
/// A future that is dropped before its first poll has sent nothing. After that,
/// the effect of dropping it depends on the call:
///
/// | dropped call | effect | what to do |
/// |---|---|---|
/// | [`discovery`](Self::discovery), [`resolve`](Self::resolve) | none | call it again |
/// | `identify` | itsme® may have opened a session that nobody uses | call it again |
/// | `continue_identification`, `continue_signing` | none | call it again with the same session and event |
/// | `sign` | as [`SignerErrorKind::UnknownOutcome`]: itsme® may ask the user about a session whose id is lost | let the call finish, in its own task if necessary, or handle it as an unknown outcome |
///
/// # Logs
/// Each call is a `tracing` span of the same name. Its fields are the session
/// (the beginning of a digest of its id), the number of items and our request
/// id; its events have durations and HTTP statuses. The logs do not contain the
/// content of requests and answers.
pub struct ItsmeSigner {
    config: Config,
    transport: Box<dyn Transport>,
    clock: Box<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    /// The document and the time at which it was fetched.
    discovery: Mutex<Option<(DateTime<Utc>, Arc<Discovery>)>>,
    on_unclear: Box<dyn Fn(&SignerError) + Send + Sync>,
}

impl ItsmeSigner {
    /// A signer over HTTPS with the system clock. Its futures need tokio.
    ///
    /// # Errors
    /// [`Error::Config`] if the certificate, the key or the trust anchors are
    /// not usable.
    #[cfg(feature = "https")]
    pub fn new(config: Config) -> Result<Self, Error> {
        let transport = crate::https::Https::new(&config)?;
        Ok(Self::with_transport(config, transport, || {
            // `Utc::now` is not available: the workspace disables chrono's
            // clock, so that sans-IO crates cannot read the time.
            DateTime::from(std::time::SystemTime::now())
        }))
    }

    /// A signer over the caller's transport and clock: another HTTP client, or
    /// a test.
    #[must_use]
    pub fn with_transport(
        config: Config,
        transport: impl Transport + 'static,
        clock: impl Fn() -> DateTime<Utc> + Send + Sync + 'static,
    ) -> Self {
        Self {
            config,
            transport: Box::new(transport),
            clock: Box::new(clock),
            discovery: Mutex::new(None),
            on_unclear: Box::new(|_| {}),
        }
    }

    /// Sets a function that is called after each unclear answer to a status query
    /// after which the session goes on, so that an application can tell the user
    /// why it still waits.
    #[must_use]
    pub fn on_unclear(mut self, observer: impl Fn(&SignerError) + Send + Sync + 'static) -> Self {
        self.on_unclear = Box::new(observer);
        self
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) const fn settings(&self) -> &Settings {
        self.config.settings()
    }

    /// The discovery document. It is fetched when it is needed, with up to three
    /// tries, and again after an hour or after itsme® has refused a policy.
    ///
    /// # Errors
    /// The transport failed, the service answered with an error, or the document
    /// is malformed.
    pub async fn discovery(&self) -> Result<Arc<Discovery>, SignerError> {
        if let Some(discovery) = self.known_discovery() {
            return Ok(discovery);
        }
        self.fetch_discovery(OtherAnswer::may_pass)
            .instrument(tracing::info_span!("discovery"))
            .await
    }

    async fn fetch_discovery(
        &self,
        may_repeat: impl Fn(&OtherAnswer) -> bool,
    ) -> Result<Arc<Discovery>, SignerError> {
        let path = "/.well-known/configuration";
        let read = wire::discovery_answer;
        let asked = self.ask_repeatedly(Method::GET, path, None, read, may_repeat).await;
        let discovery = asked.map_err(|other| other.into_error(&self.settings().base_url))?;
        let discovery = Arc::new(discovery);
        let known = ((self.clock)(), Arc::clone(&discovery));
        *self.discovery.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(discovery)
    }

    /// The languages in which itsme® addresses the user. The discovery document is
    /// fetched with a single try if it is not known; if that fails, all languages
    /// count as offered.
    ///
    /// Once the document is known, a request in another language is an error before
    /// it is sent, and descriptions and roles need only the offered languages.
    pub async fn languages(&self) -> Vec<Language> {
        if self.known_discovery().is_none() {
            let fetched = self.fetch_discovery(|_| false);
            // The service itself refuses a language that it does not offer.
            let _ = fetched.instrument(tracing::info_span!("discovery")).await;
        }
        self.known_languages()
    }

    fn known_languages(&self) -> Vec<Language> {
        let discovery = self.known_discovery();
        discovery.map_or_else(|| Language::ALL.to_vec(), |known| known.offered_languages())
    }

    /// The language of a request: that of the caller, or of the configuration.
    fn language(&self, requested: Option<Language>) -> Result<Language, Error> {
        let language = requested.unwrap_or(self.settings().language);
        let offered = self.known_languages();
        if offered.contains(&language) {
            return Ok(language);
        }
        Err(Error::LanguageNotOffered { language, offered, configured: requested.is_none() })
    }

    fn known_discovery(&self) -> Option<Arc<Discovery>> {
        let known = self.discovery.lock().unwrap_or_else(PoisonError::into_inner);
        let (fetched, discovery) = known.as_ref()?;
        let age = (self.clock)().signed_duration_since(*fetched).num_seconds();
        (0..DISCOVERY_SECONDS).contains(&age).then(|| Arc::clone(discovery))
    }

    fn forget_discovery(&self) {
        *self.discovery.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn check_certificate(&self, leaf: &Certificate) -> Result<(), SignerError> {
        let now = (self.clock)();
        certificate::check(leaf, self.settings().profile, now, self.deadline(now))
    }

    /// The deadline of a session that begins now.
    fn deadline(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let seconds = i64::try_from(self.settings().limits.session_seconds).unwrap_or(i64::MAX);
        let lifetime = TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::MAX);
        now.checked_add_signed(lifetime).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// The common part of a new session.
    fn common(&self, browser: Option<&str>) -> Result<Common, SignerError> {
        Ok(Common {
            state: random()?,
            browser: browser.map(redirect::binding),
            deadline: self.deadline((self.clock)()),
            polls: 0,
            failures: 0,
            unusable: None,
        })
    }

    fn page(&self, url: &str, common: &Common) -> Result<String, Error> {
        let Settings { allowed_hosts, allow_loopback_http, .. } = self.settings();
        redirect::with_state(url, &common.state, allowed_hosts, *allow_loopback_http)
    }
}

impl RemoteSigner for ItsmeSigner {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::immediate(NAME, ALGORITHMS.to_vec());
        capabilities.max_batch = self.settings().limits.batch;
        capabilities.interactive = true;
        capabilities.languages = self.known_languages();
        capabilities.shows_policy = true;
        capabilities.max_description = Some(self.settings().limits.description);
        capabilities
    }

    fn check_display(&self, display: &Display) -> Result<(), SignerError> {
        self.texts(display).map(|_| ())
    }

    fn return_key(&self, query: &str) -> Option<String> {
        redirect::key_of_return(query).map(ToOwned::to_owned)
    }

    fn identify(
        &self,
        request: IdentificationRequest,
    ) -> BoxFuture<'_, StepResult<Identity, IdentificationSession>> {
        let span = tracing::info_span!("identify", session = field::Empty);
        Box::pin(trace::step(span, &self.clock, self.start_identification(request)))
    }

    fn continue_identification(
        &self,
        session: IdentificationSession,
        event: Event,
    ) -> BoxFuture<'_, StepResult<Identity, IdentificationSession>> {
        let span = tracing::info_span!("continue_identification", session = field::Empty);
        Box::pin(trace::step(span, &self.clock, self.poll_identification(session, event)))
    }

    fn sign(
        &self,
        request: SigningRequest,
    ) -> BoxFuture<'_, StepResult<Vec<SignatureValue>, SigningSession>> {
        let items = request.items.len();
        let (session, id) = (field::Empty, field::Empty);
        let span = tracing::info_span!("sign", items, session, request = id);
        Box::pin(trace::step(span, &self.clock, self.start_signing(request)))
    }

    fn continue_signing(
        &self,
        session: SigningSession,
        event: Event,
    ) -> BoxFuture<'_, StepResult<Vec<SignatureValue>, SigningSession>> {
        let (none, id) = (field::Empty, field::Empty);
        let span = tracing::info_span!("continue_signing", session = none, request = id);
        Box::pin(trace::step(span, &self.clock, self.poll_signing(session, event)))
    }
}

impl fmt::Debug for ItsmeSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItsmeSigner").field("config", &self.config).finish_non_exhaustive()
    }
}

/// 128 random bits in hexadecimal digits.
fn random() -> Result<String, SignerError> {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets)
        .map_err(|e| SignerError::new(SignerErrorKind::Unavailable).caused_by(e))?;
    Ok(octets.iter().map(|octet| format!("{octet:02x}")).collect())
}

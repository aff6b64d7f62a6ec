//! [`ItsmeSigner`]: each step sends a request, reads its answer, and decides on
//! the next step.

mod identification;
mod polling;
mod signing;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ades_core::signer::{
    BoxFuture, Capabilities, Display, Event, IdentificationRequest, IdentificationSession,
    Identity, Language, SignatureValue, SignerError, SignerErrorKind, SigningRequest,
    SigningSession, StepResult,
};
use ades_core::{Certificate, DigestAlgorithm, RemoteSigner, SignatureAlgorithm};
use chrono::{DateTime, TimeDelta, Utc};
use http::{Method, Request};
use serde_json::Value;
use tracing::{Instrument, field};

use crate::certificate;
use crate::config::{Config, Settings};
use crate::discovery::Discovery;
use crate::error::Error;
use crate::other_answer::OtherAnswer;
use crate::redirect;
use crate::session::Common;
use crate::trace;
use crate::transport::{Transport, TransportError};
use crate::wire;

const NAME: &str = "itsme";
/// itsme® signs SHA-256 digests. The certificate determines the type of the key.
const ALGORITHMS: [SignatureAlgorithm; 2] = [
    SignatureAlgorithm::RsaPkcs1v15(DigestAlgorithm::Sha256),
    SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256),
];
/// Maximum number of tries of a request that may be repeated.
const TRIES: u32 = 3;
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
        }
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
        self.fetch_discovery().instrument(tracing::info_span!("discovery")).await
    }

    async fn fetch_discovery(&self) -> Result<Arc<Discovery>, SignerError> {
        let mut tries = 1;
        loop {
            let answer = self.exchange(Method::GET, "/.well-known/configuration", None).await;
            match answer.and_then(|(status, body)| wire::discovery_answer(status, &body)) {
                Ok(discovery) => {
                    let discovery = Arc::new(discovery);
                    let known = ((self.clock)(), Arc::clone(&discovery));
                    *self.discovery.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
                    return Ok(discovery);
                }
                Err(other) if tries < TRIES && other.is_transient() => self.pause(tries).await,
                Err(other) => return Err(other.into_error()),
            }
            tries += 1;
        }
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

    /// Waits before the next try, longer each time.
    async fn pause(&self, tries: u32) {
        self.transport.pause(Duration::from_secs(u64::from(tries))).await;
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
        })
    }

    fn page(&self, url: &str, common: &Common) -> Result<String, Error> {
        let Settings { allowed_hosts, allow_loopback_http, .. } = self.settings();
        redirect::with_state(url, &common.state, allowed_hosts, *allow_loopback_http)
    }

    async fn exchange(
        &self,
        method: Method,
        path: &'static str,
        body: Option<Value>,
    ) -> Result<(u16, Vec<u8>), OtherAnswer> {
        let not_sent = |e: http::Error| OtherAnswer::NoAnswer(TransportError::NotSent(e.into()));
        let Settings { base_url, request, .. } = self.settings();
        let partner_code = request.x_partner_code.as_ref().filter(|_| method == Method::POST);
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{base_url}{path}"))
            .header(http::header::ACCEPT, "application/json")
            .header(http::header::CONTENT_TYPE, "application/json");
        if let Some(code) = partner_code {
            request = request.header("x-partner-code", code);
        }
        let request = request
            .body(body.map_or(Vec::new(), |body| body.to_string().into_bytes()))
            .map_err(not_sent)?;
        let begun = (self.clock)();
        let answer = self.transport.send(request).await;
        let millis = trace::millis(begun, (self.clock)());
        match answer {
            Ok(answer) => {
                let status = answer.status().as_u16();
                tracing::debug!(path, status, millis, "itsme answered");
                Ok((status, answer.into_body()))
            }
            Err(error) => {
                tracing::warn!(path, millis, %error, "itsme did not answer");
                Err(OtherAnswer::NoAnswer(error))
            }
        }
    }
}

impl RemoteSigner for ItsmeSigner {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::immediate(NAME, ALGORITHMS.to_vec());
        capabilities.max_batch = self.settings().limits.batch;
        capabilities.interactive = true;
        capabilities.languages = Language::ALL.to_vec();
        capabilities.shows_policy = true;
        capabilities.max_description = Some(self.settings().limits.description);
        capabilities
    }

    fn check_display(&self, display: &Display) -> Result<(), SignerError> {
        self.texts(display).map(|_| ())
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

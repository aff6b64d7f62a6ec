//! The conversation: each step is a request, its answer, and what comes next.

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

use crate::config::{Config, Settings};
use crate::discovery::Discovery;
use crate::error::Error;
use crate::fitness;
use crate::instead::Instead;
use crate::observe;
use crate::redirect;
use crate::session::Common;
use crate::transport::{Transport, TransportError};
use crate::wire;

const NAME: &str = "itsme";
/// What itsme® signs is a SHA-256 digest; with which key, the certificate says.
const ALGORITHMS: [SignatureAlgorithm; 2] = [
    SignatureAlgorithm::RsaPkcs1v15(DigestAlgorithm::Sha256),
    SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256),
];
/// A question that may be repeated is asked this often.
const TRIES: u32 = 3;
/// A discovery document is used for this long, in seconds.
const DISCOVERY_SECONDS: i64 = 3600;

/// itsme® Sign.
///
/// # Cancellation
/// A future that is dropped before it was polled has sent nothing. Later it
/// depends on the call:
///
/// | dropped | means |
/// |---|---|
/// | [`discovery`](Self::discovery), [`resolve`](Self::resolve) | nothing: call again |
/// | `identify` | a session may have been opened that nobody will use: call again |
/// | `continue_identification`, `continue_signing` | nothing: call again with the same session and event |
/// | `sign` | the same as [`SignerErrorKind::UnknownOutcome`]: the user may be asked about a session whose id is lost. Let it run to its end, in a task of its own if need be, or treat it so |
///
/// # Logs
/// Each call is a `tracing` span of its name with the session (the beginning
/// of a digest of its id), the number of items and our request id; its events
/// have durations and HTTP states. Nothing of what is sent or answered is
/// written down.
pub struct ItsmeSigner {
    config: Config,
    transport: Box<dyn Transport>,
    clock: Box<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    /// With the time it was fetched at.
    discovery: Mutex<Option<(DateTime<Utc>, Arc<Discovery>)>>,
}

impl ItsmeSigner {
    /// A signer over HTTPS with the system's clock. Its futures need tokio.
    ///
    /// # Errors
    /// [`Error::Config`] if certificate, key or trust anchors are not usable.
    #[cfg(feature = "https")]
    pub fn new(config: Config) -> Result<Self, Error> {
        let transport = crate::https::Https::new(&config)?;
        Ok(Self::with_transport(config, transport, || {
            // chrono's own clock is switched off for the sans-IO crates.
            DateTime::from(std::time::SystemTime::now())
        }))
    }

    /// A signer over something else: another HTTP client, a test.
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

    /// The discovery document: fetched at need, up to three times if that
    /// fails, and anew after an hour or once itsme® refused a policy.
    ///
    /// # Errors
    /// What the transport or the document's reading yields.
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
                Err(instead) if tries < TRIES && instead.may_pass() => self.pause(tries).await,
                Err(instead) => return Err(instead.into_error()),
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

    /// Before another try: longer each time.
    async fn pause(&self, tries: u32) {
        self.transport.pause(Duration::from_secs(u64::from(tries))).await;
    }

    fn check_certificate(&self, leaf: &Certificate) -> Result<(), SignerError> {
        let now = (self.clock)();
        fitness::check(leaf, self.settings().profile, now, self.deadline(now))
    }

    /// When a session that begins now is given up.
    fn deadline(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let seconds = i64::try_from(self.settings().limits.session_seconds).unwrap_or(i64::MAX);
        let lifetime = TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::MAX);
        now.checked_add_signed(lifetime).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// What a new session begins with.
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
    ) -> Result<(u16, Vec<u8>), Instead> {
        let not_sent = |e: http::Error| Instead::Lost(TransportError::NotSent(e.into()));
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
        let millis = observe::millis(begun, (self.clock)());
        match answer {
            Ok(answer) => {
                let status = answer.status().as_u16();
                tracing::debug!(path, status, millis, "itsme answered");
                Ok((status, answer.into_body()))
            }
            Err(error) => {
                tracing::warn!(path, millis, %error, "itsme did not answer");
                Err(Instead::Lost(error))
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
        Box::pin(observe::step(span, &self.clock, self.start_identification(request)))
    }

    fn continue_identification(
        &self,
        session: IdentificationSession,
        event: Event,
    ) -> BoxFuture<'_, StepResult<Identity, IdentificationSession>> {
        let span = tracing::info_span!("continue_identification", session = field::Empty);
        Box::pin(observe::step(span, &self.clock, self.poll_identification(session, event)))
    }

    fn sign(
        &self,
        request: SigningRequest,
    ) -> BoxFuture<'_, StepResult<Vec<SignatureValue>, SigningSession>> {
        let items = request.items.len();
        let (session, id) = (field::Empty, field::Empty);
        let span = tracing::info_span!("sign", items, session, request = id);
        Box::pin(observe::step(span, &self.clock, self.start_signing(request)))
    }

    fn continue_signing(
        &self,
        session: SigningSession,
        event: Event,
    ) -> BoxFuture<'_, StepResult<Vec<SignatureValue>, SigningSession>> {
        let (none, id) = (field::Empty, field::Empty);
        let span = tracing::info_span!("continue_signing", session = none, request = id);
        Box::pin(observe::step(span, &self.clock, self.poll_signing(session, event)))
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

//! The conversation: each step is a request, its answer, and what comes next.

use std::fmt;
use std::sync::OnceLock;

use ades_core::certificate::UsageCheck;
use ades_core::chain::certificates_from_pem;
use ades_core::signer::{
    BoxFuture, Capabilities, Event, IdentificationRequest, IdentificationSession, Identity,
    Language, Refusal, RefusalReason, SignatureValue, SignerError, SignerErrorKind, SigningRequest,
    SigningSession, Step, StepResult,
};
use ades_core::verify::verify_digest;
use ades_core::{
    Certificate, CertificateChain, DigestAlgorithm, Oid, RemoteSigner, SignatureAlgorithm,
};
use chrono::{DateTime, TimeDelta, Utc};
use http::{Method, Request};
use serde_json::Value;

use crate::config::{Config, Profile};
use crate::discovery::Discovery;
use crate::error::Error;
use crate::redirect;
use crate::session::{Common, Identification, Item, Signing, VERSION};
use crate::text::{self, Charset};
use crate::transport::{Transport, TransportError};
use crate::wire::{self, Answer};

const NAME: &str = "itsme";
/// The one algorithm itsme® signs with.
const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::RsaPkcs1v15(DigestAlgorithm::Sha256);
/// Certificates with this policy are test certificates.
const TEST_POLICY: &str = "1.3.6.1.4.1.8024.1.400";

/// itsme® Sign.
pub struct ItsmeSigner {
    config: Config,
    transport: Box<dyn Transport>,
    clock: Box<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    discovery: OnceLock<Discovery>,
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
            discovery: OnceLock::new(),
        }
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The discovery document; fetched once.
    ///
    /// # Errors
    /// What the transport or the document's reading yields.
    pub async fn discovery(&self) -> Result<&Discovery, SignerError> {
        if let Some(discovery) = self.discovery.get() {
            return Ok(discovery);
        }
        let (status, body) =
            self.exchange(Method::GET, "/.well-known/configuration", None).await.map_err(lost)?;
        match status {
            200 => {
                let discovery = Discovery::from_json(&body)?;
                Ok(self.discovery.get_or_init(|| discovery))
            }
            401 | 403 => Err(SignerErrorKind::ClientNotAuthorised.into()),
            status => Err(SignerErrorKind::Service { status }.into()),
        }
    }

    async fn start_identification(
        &self,
        request: IdentificationRequest,
    ) -> StepResult<Identity, IdentificationSession> {
        if let Some(code) = &request.account {
            wire::check_user_code(code)?;
        }
        let language = request.language.unwrap_or(self.config.settings().language);
        let body = wire::identification_request(&self.config, language, request.account.as_deref());
        let (status, body) =
            self.exchange(Method::POST, "/user_identification", Some(body)).await.map_err(lost)?;
        let (id, url) = match wire::identification_answer(status, &body)? {
            Answer::Done(opened) => opened,
            Answer::Pending => return Err(protocol("a new identification that is pending")),
            other => return stop(other),
        };
        let common = self.common(request.browser.as_deref())?;
        let url = self.page(&url, &common)?;
        let session = Identification { id, common };
        let session = IdentificationSession::pack(NAME, VERSION, &session)?;
        Ok(Step::Redirect { url, session })
    }

    async fn poll_identification(
        &self,
        session: IdentificationSession,
        event: Event,
    ) -> StepResult<Identity, IdentificationSession> {
        let mut data: Identification = session.unpack(NAME, VERSION)?;
        check_event(&data.common, &event)?;
        let request = wire::identification_status_request(&self.config, &data.id);
        let answer =
            match self.exchange(Method::POST, "/user_identification/status", Some(request)).await {
                Ok((status, body)) => wire::identification_status_answer(status, &body)?,
                Err(error) => {
                    return self.again(&mut data.common, error).and_then(|after| {
                        let session = IdentificationSession::pack(NAME, VERSION, &data)?;
                        Ok(Step::Wait { after, session })
                    });
                }
            };
        match answer {
            Answer::Done(user) => self.identity(user).map(Step::Done),
            Answer::Pending => match self.wait(&mut data.common) {
                None => Ok(Step::Refused(Refusal::new(RefusalReason::Expired, None))),
                Some(after) => {
                    let session = IdentificationSession::pack(NAME, VERSION, &data)?;
                    Ok(Step::Wait { after, session })
                }
            },
            Answer::Failed(status) if status >= 500 => {
                let after = self.failed(&mut data.common, status)?;
                let session = IdentificationSession::pack(NAME, VERSION, &data)?;
                Ok(Step::Wait { after, session })
            }
            other => stop(other),
        }
    }

    fn identity(&self, user: wire::Identified) -> Result<Identity, SignerError> {
        let mut own = certificates_from_pem(&user.certificate)?.into_iter();
        let leaf = own.next().ok_or(ades_core::Error::NoCertificate)?;
        let chain = user.chain.map(|pem| certificates_from_pem(&pem)).transpose()?;
        let chain = chain.unwrap_or_default();
        if !chain.is_empty() {
            // Whatever the order: the signer's is the one that issued nobody else.
            let ordered = CertificateChain::from_unordered(chain.iter().cloned())?;
            if *ordered.leaf() != leaf {
                return Err(Error::CertificateMismatch.into());
            }
        }
        let chain = CertificateChain::from_leaf(leaf, own.chain(chain))?;
        self.check_certificate(chain.leaf())?;
        Ok(Identity::new(chain, Some(user.user_code)))
    }

    fn check_certificate(&self, leaf: &Certificate) -> Result<(), SignerError> {
        leaf.check_fit((self.clock)(), UsageCheck::NonRepudiation)
            .map_err(|e| SignerError::new(SignerErrorKind::Certificate).caused_by(e))?;
        let test = leaf.policies().iter().map(Oid::to_string).any(|oid| oid == TEST_POLICY);
        if test && self.config.settings().profile == Profile::Production {
            return Err(Error::TestCertificate.into());
        }
        Ok(())
    }

    async fn start_signing(
        &self,
        request: SigningRequest,
    ) -> StepResult<Vec<SignatureValue>, SigningSession> {
        request.check(&self.capabilities())?;
        let leaf = request.identity.chain.leaf().clone();
        self.check_certificate(&leaf)?;
        let user_code = request.identity.account.as_deref().unwrap_or_default();
        wire::check_user_code(user_code)?;
        let shown = self.shown(&request).await?;
        let items: Vec<Item> = request
            .items
            .iter()
            .map(|item| Item { id: item.id.clone(), digest: item.to_be_signed.digest().clone() })
            .collect();
        let body = wire::sign_request(&self.config, &random()?, user_code, &items, &shown);
        // Never repeated: the user would be asked twice.
        let (status, body) = self
            .exchange(Method::POST, "/sign_document", Some(body))
            .await
            .map_err(|error| match error {
                TransportError::Unknown(_) | TransportError::TooLong => {
                    SignerError::new(SignerErrorKind::UnknownOutcome).caused_by(error)
                }
                error => lost(error),
            })?;
        let (id, url) = match wire::sign_answer(status, &body)? {
            Answer::Done(opened) => opened,
            Answer::Pending => return Err(protocol("a new signature session without its id")),
            // Something went wrong behind the service's door: it may have a session.
            Answer::Failed(status) if status >= 500 => {
                return Err(SignerError::new(SignerErrorKind::UnknownOutcome)
                    .with_code(format!("HTTP {status}")));
            }
            other => return stop(other),
        };
        let common = self.common(request.browser.as_deref())?;
        let url = self.page(&url, &common)?;
        let session = SigningSession::pack(NAME, VERSION, &Signing { id, common, items, leaf })?;
        Ok(Step::Redirect { url, session })
    }

    /// Texts checked, policy and commitment as the discovery document has them.
    async fn shown(&self, request: &SigningRequest) -> Result<wire::Shown, SignerError> {
        let display = &request.display;
        let transliterate = self.config.settings().tolerance.transliterate;
        let max = self.config.settings().limits.description;
        let description = text::check_translations(
            "description",
            &display.description,
            Charset::Latin9,
            max,
            transliterate,
        )?;
        let role = text::check_translations(
            "role",
            &display.role,
            Charset::Latin1,
            text::MAX_ROLE,
            transliterate,
        )?;
        let default = &self.config.settings().policy;
        let policy = display.policy.map(|p| p.to_string()).or_else(|| default.reference.clone());
        let commitment =
            display.commitment.map(|c| c.0.to_string()).or_else(|| default.commitment.clone());
        if policy.is_none() && (commitment.is_some() || !role.is_empty()) {
            return Err(SignerErrorKind::InvalidRequest {
                what: "a commitment or role is shown only together with a policy".to_owned(),
            }
            .into());
        }
        let (policy, commitment) = match policy {
            None => (None, None),
            Some(policy) => match self.discovery().await {
                Ok(discovery) => {
                    let policy = discovery.policy(&policy)?.reference.clone();
                    if let Some(commitment) = &commitment {
                        discovery.commitment(commitment)?;
                    }
                    (Some(policy), commitment)
                }
                Err(_) if default.allow_unchecked => (Some(policy), commitment),
                Err(error) => return Err(error),
            },
        };
        Ok(wire::Shown { language: display.language, description, policy, commitment, role })
    }

    async fn poll_signing(
        &self,
        session: SigningSession,
        event: Event,
    ) -> StepResult<Vec<SignatureValue>, SigningSession> {
        let mut data: Signing = session.unpack(NAME, VERSION)?;
        check_event(&data.common, &event)?;
        let request = wire::sign_status_request(&self.config, &random()?, &data.id);
        let url_safe = self.config.settings().tolerance.url_safe_values;
        let answer = match self.exchange(Method::POST, "/sign_document", Some(request)).await {
            Ok((status, body)) => wire::sign_status_answer(status, &body, url_safe)?,
            Err(error) => {
                let after = self.again(&mut data.common, error)?;
                let session = SigningSession::pack(NAME, VERSION, &data)?;
                return Ok(Step::Wait { after, session });
            }
        };
        match answer {
            Answer::Done(values) => self.accept(&data, values).map(Step::Done),
            Answer::Pending => match self.wait(&mut data.common) {
                None => Ok(Step::Refused(Refusal::new(RefusalReason::Expired, None))),
                Some(after) => {
                    let session = SigningSession::pack(NAME, VERSION, &data)?;
                    Ok(Step::Wait { after, session })
                }
            },
            Answer::Failed(status) if status >= 500 => {
                let after = self.failed(&mut data.common, status)?;
                let session = SigningSession::pack(NAME, VERSION, &data)?;
                Ok(Step::Wait { after, session })
            }
            other => stop(other),
        }
    }

    /// Matches values by id and verifies each against its own digest.
    fn accept(
        &self,
        data: &Signing,
        values: Vec<SignatureValue>,
    ) -> Result<Vec<SignatureValue>, SignerError> {
        let ids = data.items.iter().map(|item| item.id.as_str());
        let values = ades_core::signer::match_values(ids, values)?;
        let verifies =
            |item: &Item, value: &[u8]| verify_digest(&data.leaf, ALGORITHM, &item.digest.0, value);
        let first_problem =
            data.items.iter().zip(&values).find_map(|(item, v)| verifies(item, &v.value).err());
        let Some(problem) = first_problem else { return Ok(values) };
        if self.config.settings().tolerance.reordered_values
            && let Some(values) = reassociated(&data.items, &values, verifies)
        {
            return Ok(values);
        }
        let kind = match problem {
            ades_core::Error::WrongKey => SignerErrorKind::Certificate,
            _ => SignerErrorKind::Value,
        };
        Err(SignerError::new(kind).caused_by(problem))
    }

    fn common(&self, browser: Option<&str>) -> Result<Common, SignerError> {
        let seconds =
            i64::try_from(self.config.settings().limits.session_seconds).unwrap_or(i64::MAX);
        let lifetime = TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::MAX);
        let now = (self.clock)();
        Ok(Common {
            state: random()?,
            browser: browser.map(redirect::binding),
            deadline: now.checked_add_signed(lifetime).unwrap_or(now),
            polls: 0,
            failures: 0,
        })
    }

    fn page(&self, url: &str, common: &Common) -> Result<String, SignerError> {
        let loopback = self.config.settings().allow_loopback_http;
        Ok(redirect::with_state(
            url,
            &common.state,
            &self.config.settings().allowed_hosts,
            loopback,
        )?)
    }

    /// When to ask again, or nothing once the session's time is over.
    fn wait(&self, common: &mut Common) -> Option<std::time::Duration> {
        common.failures = 0;
        let after = common.next_poll();
        common.polls = common.polls.saturating_add(1);
        ((self.clock)() < common.deadline).then_some(after)
    }

    /// A status query without an answer: asked again, but not for ever.
    fn again(
        &self,
        common: &mut Common,
        error: TransportError,
    ) -> Result<std::time::Duration, SignerError> {
        common.failures = common.failures.saturating_add(1);
        let hopeless = matches!(error, TransportError::NotAuthorised(_) | TransportError::TooLong);
        if hopeless || common.failures > self.config.settings().limits.status_failures {
            return Err(lost(error));
        }
        common.polls = common.polls.saturating_add(1);
        Ok(common.next_poll())
    }

    fn failed(&self, common: &mut Common, status: u16) -> Result<std::time::Duration, SignerError> {
        common.failures = common.failures.saturating_add(1);
        common.polls = common.polls.saturating_add(1);
        if common.failures > self.config.settings().limits.status_failures {
            return Err(SignerErrorKind::Service { status }.into());
        }
        Ok(common.next_poll())
    }

    async fn exchange(
        &self,
        method: Method,
        path: &'static str,
        body: Option<Value>,
    ) -> Result<(u16, Vec<u8>), TransportError> {
        let not_sent = |e: http::Error| TransportError::NotSent(e.into());
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.config.settings().base_url))
            .header(http::header::ACCEPT, "application/json")
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(body.map_or(Vec::new(), |body| body.to_string().into_bytes()))
            .map_err(not_sent)?;
        let answer = self.transport.send(request).await;
        match &answer {
            Ok(answer) => {
                tracing::debug!(path, status = answer.status().as_u16(), "itsme answered")
            }
            Err(error) => tracing::warn!(path, %error, "itsme did not answer"),
        }
        answer.map(|answer| (answer.status().as_u16(), answer.into_body()))
    }
}

impl RemoteSigner for ItsmeSigner {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::immediate(NAME, vec![ALGORITHM]);
        capabilities.max_batch = self.config.settings().limits.batch;
        capabilities.interactive = true;
        capabilities.languages = Language::ALL.to_vec();
        capabilities.shows_policy = true;
        capabilities.max_description = Some(self.config.settings().limits.description);
        capabilities
    }

    fn identify(
        &self,
        request: IdentificationRequest,
    ) -> BoxFuture<'_, StepResult<Identity, IdentificationSession>> {
        Box::pin(self.start_identification(request))
    }

    fn continue_identification(
        &self,
        session: IdentificationSession,
        event: Event,
    ) -> BoxFuture<'_, StepResult<Identity, IdentificationSession>> {
        Box::pin(self.poll_identification(session, event))
    }

    fn sign(
        &self,
        request: SigningRequest,
    ) -> BoxFuture<'_, StepResult<Vec<SignatureValue>, SigningSession>> {
        Box::pin(self.start_signing(request))
    }

    fn continue_signing(
        &self,
        session: SigningSession,
        event: Event,
    ) -> BoxFuture<'_, StepResult<Vec<SignatureValue>, SigningSession>> {
        Box::pin(self.poll_signing(session, event))
    }
}

impl fmt::Debug for ItsmeSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItsmeSigner").field("config", &self.config).finish_non_exhaustive()
    }
}

fn check_event(common: &Common, event: &Event) -> Result<(), SignerError> {
    match event {
        Event::Returned { query, browser } => redirect::check_return(
            query,
            browser.as_deref(),
            &common.state,
            common.browser.as_deref(),
        ),
        _ => Ok(()),
    }
}

/// Each value where it verifies, if that is one place for each.
fn reassociated(
    items: &[Item],
    values: &[SignatureValue],
    verifies: impl Fn(&Item, &[u8]) -> Result<(), ades_core::Error>,
) -> Option<Vec<SignatureValue>> {
    items
        .iter()
        .map(|item| {
            let mut fitting = values.iter().filter(|v| verifies(item, &v.value).is_ok());
            let value = fitting.next()?.value.clone();
            fitting.next().is_none().then(|| SignatureValue { id: item.id.clone(), value })
        })
        .collect()
}

/// What ends a conversation.
fn stop<T, U, S>(answer: Answer<T>) -> StepResult<U, S> {
    match answer {
        Answer::Code(code) => match code.refusal() {
            Some(refusal) => Ok(Step::Refused(refusal)),
            None => Err(Error::Code(code).into()),
        },
        Answer::NoSession => Err(SignerErrorKind::UnknownSession.into()),
        Answer::NotAuthorised => Err(SignerErrorKind::ClientNotAuthorised.into()),
        Answer::Failed(status) => Err(SignerErrorKind::Service { status }.into()),
        Answer::Done(_) | Answer::Pending => Err(protocol("an answer out of place")),
    }
}

fn lost(error: TransportError) -> SignerError {
    let kind = match error {
        TransportError::NotAuthorised(_) => SignerErrorKind::ClientNotAuthorised,
        TransportError::TooLong => {
            SignerErrorKind::Protocol { what: "an answer of more than 1 MiB".to_owned() }
        }
        TransportError::NotSent(_) | TransportError::Unknown(_) => SignerErrorKind::Unavailable,
    };
    SignerError::new(kind).caused_by(error)
}

fn protocol(what: &'static str) -> SignerError {
    Error::Protocol { what }.into()
}

/// 128 random bits in hexadecimal digits.
fn random() -> Result<String, SignerError> {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets)
        .map_err(|e| SignerError::new(SignerErrorKind::Unavailable).caused_by(e))?;
    Ok(octets.iter().map(|octet| format!("{octet:02x}")).collect())
}

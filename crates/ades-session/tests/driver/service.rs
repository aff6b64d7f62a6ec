//! A signing service with a page for its users, and a signer over it. It counts what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ades::signer::{
    BoxFuture, Capabilities, Event, IdentificationRequest, IdentificationSession, Identity,
    OpenSession, Refusal, RefusalReason, SignatureValue, SignerError, SignerErrorKind,
    SigningRequest, SigningSession, Step, StepResult,
};
use ades::{Certificate, CertificateChain, DigestAlgorithm, RemoteSigner, SignatureAlgorithm};
use ades_session::clock::{Clock, ManualClock};
use chrono::{DateTime, TimeDelta, Utc};
use test_key::TestKey;

use crate::faults::Points;

pub(crate) const NAME: &str = "script";
/// How long a session of the service lasts, in seconds.
pub(crate) const SESSION: i64 = 600;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    Undecided,
    Confirmed,
    Refused,
    NotAllowed,
}

/// What the signer makes of its next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing was sent
    NotSent,
    /// Sent, and acted on, but the answer is lost
    AnswerLost,
    /// The answer is unreadable
    Unclear,
    /// The service wants a pause of this many seconds
    Busy(u64),
    /// The configuration is wrong
    Configuration,
    /// The values do not verify
    WrongValues,
    /// The values are by another key
    OtherKey,
    /// The service does not know the session
    Forgotten,
    /// The code of the return was used already
    AlreadyAdvanced,
}

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) key: String,
    pub(crate) user: User,
    pub(crate) request_id: Option<String>,
    browser: Option<String>,
    items: Vec<(String, Vec<u8>)>,
    expires_at: DateTime<Utc>,
    returned: bool,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) identifications: Vec<Session>,
    pub(crate) batches: Vec<Session>,
    /// Number of calls that continued a session
    pub(crate) continued: usize,
    /// Sessions that were closed
    pub(crate) closed: usize,
    pub(crate) trouble: VecDeque<Trouble>,
    keys: u64,
}

#[derive(Debug)]
pub(crate) struct Service {
    state: Mutex<State>,
    clock: Arc<ManualClock>,
    key: TestKey,
}

impl Service {
    pub(crate) fn new(clock: Arc<ManualClock>) -> Arc<Self> {
        let key = TestKey::new("Session User");
        Arc::new(Self { state: Mutex::default(), clock, key })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The next call has this trouble.
    pub(crate) fn trouble(&self, trouble: Trouble) {
        self.state().trouble.push_back(trouble);
    }

    /// What the user does at a page of the service. Returns the query of the return.
    pub(crate) fn visit(&self, page: &str, user: User) -> String {
        let (_, query) = page.split_once('?').unwrap();
        let mut state = self.state();
        let State { identifications, batches, .. } = &mut *state;
        let found = identifications.iter_mut().chain(batches);
        let session = found.into_iter().find(|session| query == format!("st={}", session.key));
        session.expect("the page of a session").user = user;
        query.to_owned()
    }

    fn session(&self, browser: Option<String>, state: &mut State) -> Session {
        state.keys += 1;
        Session {
            key: format!("key-{}", state.keys),
            user: User::Undecided,
            request_id: None,
            browser,
            items: Vec::new(),
            expires_at: self.clock.now() + TimeDelta::seconds(SESSION),
            returned: false,
        }
    }

    fn values(&self, items: &[(String, Vec<u8>)], trouble: Option<Trouble>) -> Vec<SignatureValue> {
        let other = TestKey::new("Somebody Else");
        let key = if trouble == Some(Trouble::OtherKey) { &other } else { &self.key };
        let value = |(id, digest): &(String, Vec<u8>)| {
            let mut digest = digest.clone();
            if trouble == Some(Trouble::WrongValues) {
                digest[0] ^= 1;
            }
            SignatureValue::new(id, key.sign_digest(&digest))
        };
        items.iter().map(value).collect()
    }
}

/// A signer over the service.
#[derive(Debug)]
pub(crate) struct Signer {
    pub(crate) service: Arc<Service>,
    pub(crate) points: Arc<Points>,
    pub(crate) interactive: bool,
    pub(crate) max_batch: usize,
}

type Packed = (usize, String);

impl Signer {
    /// The step of a session that the user has not answered.
    fn wait<T, S>(&self, expires_at: DateTime<Utc>, session: S) -> Step<T, S> {
        if self.service.clock.now() > expires_at {
            return Step::Refused(Refusal::new(RefusalReason::Expired, None));
        }
        Step::wait(Duration::from_secs(1), session).with_expiry(expires_at)
    }
}

fn error(trouble: Trouble) -> Option<SignerError> {
    Some(match trouble {
        Trouble::NotSent => SignerErrorKind::Unavailable.into(),
        Trouble::AnswerLost => SignerErrorKind::UnknownOutcome.into(),
        Trouble::Unclear => SignerErrorKind::Unclear.into(),
        Trouble::Busy(seconds) => SignerError::new(SignerErrorKind::Service { status: 429 })
            .with_retry_after(Duration::from_secs(seconds)),
        Trouble::Configuration => SignerErrorKind::Configuration.into(),
        Trouble::Forgotten => SignerErrorKind::UnknownSession.into(),
        Trouble::AlreadyAdvanced => SignerErrorKind::AlreadyAdvanced.into(),
        Trouble::WrongValues | Trouble::OtherKey => return None,
    })
}

/// As every signer: the key first, then the browser.
fn check(session: &mut Session, event: &Event) -> Result<(), SignerError> {
    if let Event::Returned { query, browser } = event {
        if *query != format!("st={}", session.key) {
            return Err(SignerErrorKind::State.into());
        }
        if session.browser.is_some() && session.browser != *browser {
            return Err(SignerErrorKind::OtherBrowser.into());
        }
        session.returned = true;
    }
    Ok(())
}

fn answered(session: &Session) -> Option<RefusalReason> {
    match session.user {
        User::Refused => Some(RefusalReason::ByUser),
        User::NotAllowed => Some(RefusalReason::NotAllowed),
        User::Undecided | User::Confirmed => None,
    }
}

impl RemoteSigner for Signer {
    fn capabilities(&self) -> Capabilities {
        let algorithm = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256);
        let mut capabilities = Capabilities::immediate(NAME, vec![algorithm]);
        capabilities.interactive = self.interactive;
        capabilities.max_batch = self.max_batch;
        capabilities
    }

    fn return_key(&self, query: &str) -> Option<String> {
        query.strip_prefix("st=").map(ToOwned::to_owned)
    }

    fn identify(
        &self,
        request: IdentificationRequest,
    ) -> BoxFuture<'_, StepResult<Identity, IdentificationSession>> {
        Box::pin(async move {
            self.points.pass().await;
            let trouble = self.service.state().trouble.pop_front();
            if let Some(error) = trouble.and_then(error) {
                return Err(error);
            }
            let step = {
                let mut state = self.service.state();
                let session = self.service.session(request.browser, &mut state);
                let (key, end) = (session.key.clone(), session.expires_at);
                let packed: Packed = (state.identifications.len(), key.clone());
                state.identifications.push(session);
                let stored = IdentificationSession::pack(NAME, 1, &packed)?;
                if self.interactive {
                    Step::redirect(format!("https://service.example/i?st={key}"), stored)
                        .with_return_key(key)
                        .with_expiry(end)
                } else {
                    Step::Done(identity(&self.service.key))
                }
            };
            self.points.pass().await;
            Ok(step)
        })
    }

    fn continue_identification(
        &self,
        session: IdentificationSession,
        event: Event,
    ) -> BoxFuture<'_, StepResult<Identity, IdentificationSession>> {
        Box::pin(async move {
            self.points.pass().await;
            let (at, _): Packed = session.unpack(NAME, 1)?;
            let step = {
                let mut state = self.service.state();
                state.continued += 1;
                let trouble = state.trouble.pop_front();
                let found = &mut state.identifications[at];
                check(found, &event)?;
                if let Some(error) = trouble.and_then(error) {
                    return Err(error);
                }
                let counts = found.browser.is_none() || found.returned;
                match (answered(found), found.user) {
                    (Some(reason), _) => {
                        Step::Refused(Refusal::new(reason, Some("SAID".to_owned())))
                    }
                    (None, User::Confirmed) if counts => Step::Done(identity(&self.service.key)),
                    _ => self.wait(found.expires_at, session),
                }
            };
            self.points.pass().await;
            Ok(step)
        })
    }

    fn sign(
        &self,
        request: SigningRequest,
    ) -> BoxFuture<'_, StepResult<Vec<SignatureValue>, SigningSession>> {
        Box::pin(async move {
            request.check(&self.capabilities())?;
            self.points.pass().await;
            let step = {
                let mut state = self.service.state();
                let trouble = state.trouble.pop_front();
                if let Some(error) = trouble.filter(|t| *t != Trouble::AnswerLost).and_then(error) {
                    return Err(error);
                }
                let mut session = self.service.session(request.browser, &mut state);
                session.request_id = request.request_id;
                let item = |item: &ades::signer::SigningItem| {
                    (item.id.clone(), item.to_be_signed.digest().0.value().to_vec())
                };
                session.items = request.items.iter().map(item).collect();
                let (key, end) = (session.key.clone(), session.expires_at);
                let values = self.service.values(&session.items, trouble);
                let packed: Packed = (state.batches.len(), key.clone());
                state.batches.push(session);
                if trouble == Some(Trouble::AnswerLost) {
                    return Err(SignerErrorKind::UnknownOutcome.into());
                }
                if self.interactive {
                    let stored = SigningSession::pack(NAME, 1, &packed)?;
                    Step::redirect(format!("https://service.example/s?st={key}"), stored)
                        .with_return_key(key)
                        .with_expiry(end)
                } else {
                    Step::Done(values)
                }
            };
            self.points.pass().await;
            Ok(step)
        })
    }

    fn continue_signing(
        &self,
        session: SigningSession,
        event: Event,
    ) -> BoxFuture<'_, StepResult<Vec<SignatureValue>, SigningSession>> {
        Box::pin(async move {
            self.points.pass().await;
            let (at, _): Packed = session.unpack(NAME, 1)?;
            let step = {
                let mut state = self.service.state();
                state.continued += 1;
                let trouble = state.trouble.pop_front();
                let found = &mut state.batches[at];
                check(found, &event)?;
                if let Some(error) = trouble.and_then(error) {
                    return Err(error);
                }
                if trouble == Some(Trouble::OtherKey) {
                    return Err(SignerErrorKind::Certificate.into());
                }
                match (answered(found), found.user) {
                    (Some(reason), _) => {
                        Step::Refused(Refusal::new(reason, Some("SAID".to_owned())))
                    }
                    (None, User::Confirmed) => {
                        let items = found.items.clone();
                        Step::Done(self.service.values(&items, trouble))
                    }
                    _ => self.wait(found.expires_at, session),
                }
            };
            self.points.pass().await;
            Ok(step)
        })
    }

    fn close(&self, _session: OpenSession) -> BoxFuture<'_, Result<(), SignerError>> {
        Box::pin(async {
            self.points.pass().await;
            self.service.state().closed += 1;
            Ok(())
        })
    }
}

fn identity(key: &TestKey) -> Identity {
    let leaf = Certificate::from_der(key.certificate().to_vec()).unwrap();
    Identity::new(CertificateChain::from_leaf(leaf, []).unwrap(), Some("account".to_owned()))
}

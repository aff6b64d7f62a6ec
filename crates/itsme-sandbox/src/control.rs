//! The control API for tests: [`Control`] in Rust, and HTTP at the front end.
//!
//! | request | body | effect |
//! |---|---|---|
//! | GET `/sandbox/sessions` | | lists the sessions and their states, the oldest first |
//! | POST `/sandbox/answer` | `{"session":"…","user":"ready","approve":true}` | the user answers a session according to the user's habit; `user` is optional if the session has one |
//! | POST `/sandbox/auto` | `{"user":"refuses-signing"}` or `{"user":null}` | sets the user who answers new sessions immediately, or nobody |
//! | POST `/sandbox/clock` | `{"advance_seconds":180}` | advances the sandbox's clock |
//! | POST `/sandbox/policies` | `{"ref":"1.3.6…","enabled":false}` | disables or enables a signature policy of the discovery document |
//! | POST `/sandbox/faults` | `{"endpoint":"sign_status","fault":{"kind":"reset"},"times":1}` | injects a [`Fault`] into the next answers of an [`Endpoint`] |
//! | GET `/sandbox/faults` | | lists the faults of the back end that have not been applied yet |
//! | POST `/sandbox/evidence` | `{"service":"ocsp","fault":{"kind":"revoked"},"times":1}` | injects an [`EvidenceFault`] into the next answers of an [`EvidenceService`] |
//! | GET `/sandbox/evidence` | | the number of requests that each evidence service got: `{"time_stamp":2,"ocsp":1}` |
//! | POST `/sandbox/reset` | | restores the state at the start: no sessions, no faults, the system's time |
//!
//! `session` is the `asyncRespID` or `respID` that the application has. The
//! status is 204 for a success without a body, 404 for an unknown session or
//! policy, and 409 if the answer does not fit the session, too many faults are
//! queued, or the service cannot have the fault.
//!
//! The API has no password. So that no page in a browser on this machine can use it, it refuses
//! requests
//!
//! - with a `Host` that is neither an address, nor `localhost`, nor
//!   [`Config::public_host`](crate::Config#structfield.public_host) (421): DNS rebinding,
//! - with the `Origin` of another site, or with `Sec-Fetch-Site` `cross-site` or `same-site` (403),
//! - with the content type of a form (415): a body is `application/json`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use crate::app_state::{AppState, Mutable};
use crate::evidence::{EvidenceFault, EvidenceService};
use crate::faults::{Endpoint, Fault};
use crate::guard;
use crate::sessions::{AnswerError, Purpose, SessionState};
use crate::users::User;

/// The control API of a running sandbox.
#[derive(Clone)]
pub struct Control(Arc<AppState>);

/// A session in the list of the control API.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct SessionInfo {
    /// `asyncRespID` / `respID`
    pub session: String,
    /// `q` in the address of the session's page
    pub page: String,
    /// `identification` or `signature`
    pub purpose: &'static str,
    /// The state
    pub state: SessionState,
    /// The user who answered or is expected to answer
    pub user: Option<User>,
    /// Number of digests
    pub documents: usize,
}

impl Control {
    pub(crate) const fn new(app: Arc<AppState>) -> Self {
        Self(app)
    }

    /// All sessions, the oldest first.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionInfo> {
        let mutable = self.0.mutable();
        let now = mutable.now();
        let info = |session: &crate::sessions::Session| {
            let (purpose, documents) = match &session.purpose {
                Purpose::Identification => ("identification", 0),
                Purpose::Signature(order) => ("signature", order.documents.len()),
            };
            let (state, user) = (session.state(now), session.user);
            let (session, page) = (session.id.clone(), session.page.clone());
            SessionInfo { session, page, purpose, state, user, documents }
        };
        mutable.sessions.all().into_iter().map(info).collect()
    }

    /// Answers a session according to the user's habit. Only the first answer
    /// counts. `user` is required if the session has no user yet.
    ///
    /// # Errors
    /// [`AnswerError`] if the session does not exist or belongs to another user.
    pub fn answer(
        &self,
        session: &str,
        user: impl Into<Option<User>>,
        approve: bool,
    ) -> Result<SessionState, AnswerError> {
        let mut mutable = self.0.mutable();
        let now = mutable.now();
        mutable.sessions.answer(session, user.into(), approve, now)
    }

    /// Sets the user who answers every new session immediately, or nobody. A
    /// session that already has a user is answered by that user.
    pub fn set_auto(&self, user: Option<User>) {
        self.0.mutable().auto_user = user;
    }

    /// Advances the sandbox's clock.
    pub fn advance(&self, seconds: u64) {
        let mut mutable = self.0.mutable();
        mutable.ahead = mutable.ahead.saturating_add(seconds);
    }

    /// Enables or disables a signature policy. Returns `false` if no policy has
    /// this reference.
    pub fn set_policy(&self, reference: &str, enabled: bool) -> bool {
        self.0.mutable().discovery.set_enabled(reference, enabled)
    }

    /// Applies a fault to the next `times` answers of `endpoint`. Returns `false`
    /// if too many faults are queued. A fault that needs a successful answer,
    /// because it changes a certificate, a value or a page's URL, stays queued
    /// until there is one.
    pub fn inject(&self, endpoint: Endpoint, fault: Fault, times: u32) -> bool {
        self.0.mutable().faults.add(endpoint, fault, times)
    }

    /// The faults of the back end that have not been applied yet, and how often each still will be.
    #[must_use]
    pub fn queued(&self) -> Vec<(Endpoint, Fault, u32)> {
        self.0.mutable().faults.all()
    }

    /// Applies a fault to the next `times` answers of an evidence service. Returns
    /// `false` if too many faults are queued, or if the service cannot have the fault.
    pub fn inject_evidence(
        &self,
        service: EvidenceService,
        fault: EvidenceFault,
        times: u32,
    ) -> bool {
        fault.fits(service) && self.0.mutable().evidence_faults.add(service, fault, times)
    }

    /// Number of requests that each evidence service got, if it got any. Time-stamps cost money:
    /// a client should ask for each only once.
    #[must_use]
    pub fn evidence_requests(&self) -> BTreeMap<EvidenceService, u64> {
        self.0.mutable().evidence_requests.clone()
    }

    /// Restores the state at the start: no sessions, no injected faults, the
    /// system's time.
    pub fn reset(&self) {
        *self.0.mutable() = Mutable::new(&self.0.config);
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Control(..)")
    }
}

pub(crate) fn router(app: Arc<AppState>) -> Router {
    Router::new()
        .route("/sandbox/sessions", get(sessions))
        .route("/sandbox/answer", post(answer))
        .route("/sandbox/auto", post(auto))
        .route("/sandbox/clock", post(clock))
        .route("/sandbox/policies", post(policies))
        .route("/sandbox/faults", get(queued).post(faults))
        .route("/sandbox/evidence", get(evidence_requests).post(evidence))
        .route("/sandbox/reset", post(reset))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), guard::check))
        .with_state(Control::new(app))
}

async fn sessions(Shared(control): Shared<Control>) -> Json<Vec<SessionInfo>> {
    Json(control.sessions())
}

#[derive(Deserialize)]
struct AnswerRequest {
    session: String,
    user: Option<User>,
    approve: bool,
}

async fn answer(
    Shared(control): Shared<Control>,
    Json(answer): Json<AnswerRequest>,
) -> Result<Json<SessionState>, (StatusCode, String)> {
    control.answer(&answer.session, answer.user, answer.approve).map(Json).map_err(|error| {
        let status = match error {
            AnswerError::Unknown => StatusCode::NOT_FOUND,
            AnswerError::NobodyChosen | AnswerError::OtherUser => StatusCode::CONFLICT,
        };
        (status, error.to_string())
    })
}

#[derive(Deserialize)]
struct AutoRequest {
    user: Option<User>,
}

async fn auto(Shared(control): Shared<Control>, Json(auto): Json<AutoRequest>) -> StatusCode {
    control.set_auto(auto.user);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct ClockRequest {
    advance_seconds: u64,
}

async fn clock(Shared(control): Shared<Control>, Json(clock): Json<ClockRequest>) -> StatusCode {
    control.advance(clock.advance_seconds);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct PolicyRequest {
    #[serde(rename = "ref")]
    reference: String,
    enabled: bool,
}

async fn policies(
    Shared(control): Shared<Control>,
    Json(policy): Json<PolicyRequest>,
) -> StatusCode {
    match control.set_policy(&policy.reference, policy.enabled) {
        true => StatusCode::NO_CONTENT,
        false => StatusCode::NOT_FOUND,
    }
}

#[derive(Deserialize, Serialize)]
struct FaultRequest {
    endpoint: Endpoint,
    fault: Fault,
    #[serde(default = "once")]
    times: u32,
}

const fn once() -> u32 {
    1
}

async fn faults(Shared(control): Shared<Control>, Json(request): Json<FaultRequest>) -> StatusCode {
    match control.inject(request.endpoint, request.fault, request.times) {
        true => StatusCode::NO_CONTENT,
        false => StatusCode::CONFLICT,
    }
}

async fn queued(Shared(control): Shared<Control>) -> Json<Vec<FaultRequest>> {
    let queued = control.queued().into_iter();
    Json(queued.map(|(endpoint, fault, times)| FaultRequest { endpoint, fault, times }).collect())
}

#[derive(Deserialize)]
struct EvidenceFaultRequest {
    service: EvidenceService,
    fault: EvidenceFault,
    #[serde(default = "once")]
    times: u32,
}

async fn evidence(
    Shared(control): Shared<Control>,
    Json(request): Json<EvidenceFaultRequest>,
) -> StatusCode {
    match control.inject_evidence(request.service, request.fault, request.times) {
        true => StatusCode::NO_CONTENT,
        false => StatusCode::CONFLICT,
    }
}

async fn evidence_requests(
    Shared(control): Shared<Control>,
) -> Json<BTreeMap<EvidenceService, u64>> {
    Json(control.evidence_requests())
}

async fn reset(Shared(control): Shared<Control>) -> StatusCode {
    control.reset();
    StatusCode::NO_CONTENT
}

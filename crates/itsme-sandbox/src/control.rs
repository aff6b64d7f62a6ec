//! Control for tests: from Rust by [`Control`], over HTTP at the front end.
//!
//! | request | body | does |
//! |---|---|---|
//! | GET `/sandbox/sessions` | | lists the sessions and how they stand, the oldest first |
//! | POST `/sandbox/answer` | `{"session":"…","user":"ready","approve":true}` | a user answers, as is their habit; `user` may be left out where the session has one |
//! | POST `/sandbox/auto` | `{"user":"refuses-signing"}` or `{"user":null}` | who answers new sessions at once, if anybody |
//! | POST `/sandbox/clock` | `{"advance_seconds":180}` | puts the sandbox's clock forward |
//! | POST `/sandbox/policies` | `{"ref":"1.3.6…","enabled":false}` | switches a signature policy of the discovery document off or on |
//! | POST `/sandbox/faults` | `{"endpoint":"sign_status","fault":{"kind":"reset"},"times":1}` | injects a [`Fault`] into the next answers of an [`Endpoint`] |
//! | POST `/sandbox/reset` | | back to how it started: no sessions, no faults, the right time |
//!
//! `session` is what the application knows as `asyncRespID` or `respID`. What
//! succeeds without an answer is 204; an unknown session or policy is 404; an
//! answer that cannot be, or too many faults, is 409.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use crate::faults::{Endpoint, Fault};
use crate::sessions::{AnswerError, Purpose, State};
use crate::users::User;
use crate::world::{Changing, World};

/// Changes a running sandbox.
#[derive(Clone)]
pub struct Control(Arc<World>);

/// A session as the control API lists it.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct SessionInfo {
    /// `asyncRespID` / `respID`
    pub session: String,
    /// `identification` or `signature`
    pub purpose: &'static str,
    /// How it stands
    pub state: State,
    /// Who answered, or has to
    pub user: Option<User>,
    /// How many digests
    pub documents: usize,
}

impl Control {
    pub(crate) const fn new(world: Arc<World>) -> Self {
        Self(world)
    }

    /// Every session, the oldest first.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionInfo> {
        let changing = self.0.changing();
        let now = changing.now();
        let info = |session: &crate::sessions::Session| {
            let (purpose, documents) = match &session.purpose {
                Purpose::Identification => ("identification", 0),
                Purpose::Signature(order) => ("signature", order.documents.len()),
            };
            let (state, user) = (session.state(now), session.user);
            SessionInfo { session: session.id.clone(), purpose, state, user, documents }
        };
        changing.sessions.all().into_iter().map(info).collect()
    }

    /// A user answers a session, as is the user's habit; the first answer
    /// counts. `user` is needed where the session has none yet.
    ///
    /// # Errors
    /// [`AnswerError`] if there is no such session, or the user is not its own.
    pub fn answer(
        &self,
        session: &str,
        user: impl Into<Option<User>>,
        approve: bool,
    ) -> Result<State, AnswerError> {
        let mut changing = self.0.changing();
        let now = changing.now();
        changing.sessions.answer(session, user.into(), approve, now)
    }

    /// Who answers every new session at once, if anybody. A session that has
    /// its user already is answered by that one.
    pub fn set_auto(&self, user: Option<User>) {
        self.0.changing().auto_user = user;
    }

    /// Puts the sandbox's clock forward.
    pub fn advance(&self, seconds: u64) {
        let mut changing = self.0.changing();
        changing.ahead = changing.ahead.saturating_add(seconds);
    }

    /// Switches a signature policy on or off; `false` if there is none of this
    /// reference.
    pub fn set_policy(&self, reference: &str, enabled: bool) -> bool {
        self.0.changing().discovery.set_enabled(reference, enabled)
    }

    /// The next `times` answers of `endpoint` go wrong; `false` if too many
    /// faults wait already. A fault that changes what only a good answer has
    /// (a certificate, a value, a page's address) waits for one.
    pub fn inject(&self, endpoint: Endpoint, fault: Fault, times: u32) -> bool {
        self.0.changing().faults.add(endpoint, fault, times)
    }

    /// Back to how it started: no sessions, no faults, the right time.
    pub fn reset(&self) {
        *self.0.changing() = Changing::new(&self.0.config);
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Control(..)")
    }
}

pub(crate) fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/sandbox/sessions", get(sessions))
        .route("/sandbox/answer", post(answer))
        .route("/sandbox/auto", post(auto))
        .route("/sandbox/clock", post(clock))
        .route("/sandbox/policies", post(policies))
        .route("/sandbox/faults", post(faults))
        .route("/sandbox/reset", post(reset))
        .with_state(Control::new(world))
}

async fn sessions(Shared(control): Shared<Control>) -> Json<Vec<SessionInfo>> {
    Json(control.sessions())
}

#[derive(Deserialize)]
struct Answer {
    session: String,
    user: Option<User>,
    approve: bool,
}

async fn answer(
    Shared(control): Shared<Control>,
    Json(answer): Json<Answer>,
) -> Result<Json<State>, (StatusCode, String)> {
    control.answer(&answer.session, answer.user, answer.approve).map(Json).map_err(|error| {
        let status = match error {
            AnswerError::Unknown => StatusCode::NOT_FOUND,
            AnswerError::NobodyChosen | AnswerError::OtherUser => StatusCode::CONFLICT,
        };
        (status, error.to_string())
    })
}

#[derive(Deserialize)]
struct Auto {
    user: Option<User>,
}

async fn auto(Shared(control): Shared<Control>, Json(auto): Json<Auto>) -> StatusCode {
    control.set_auto(auto.user);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct Clock {
    advance_seconds: u64,
}

async fn clock(Shared(control): Shared<Control>, Json(clock): Json<Clock>) -> StatusCode {
    control.advance(clock.advance_seconds);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct Policy {
    #[serde(rename = "ref")]
    reference: String,
    enabled: bool,
}

async fn policies(Shared(control): Shared<Control>, Json(policy): Json<Policy>) -> StatusCode {
    match control.set_policy(&policy.reference, policy.enabled) {
        true => StatusCode::NO_CONTENT,
        false => StatusCode::NOT_FOUND,
    }
}

#[derive(Deserialize)]
struct Injection {
    endpoint: Endpoint,
    fault: Fault,
    #[serde(default = "once")]
    times: u32,
}

const fn once() -> u32 {
    1
}

async fn faults(Shared(control): Shared<Control>, Json(injection): Json<Injection>) -> StatusCode {
    match control.inject(injection.endpoint, injection.fault, injection.times) {
        true => StatusCode::NO_CONTENT,
        false => StatusCode::CONFLICT,
    }
}

async fn reset(Shared(control): Shared<Control>) -> StatusCode {
    control.reset();
    StatusCode::NO_CONTENT
}

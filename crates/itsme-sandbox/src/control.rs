//! Control for tests: from Rust by [`Control`], over HTTP at the front end.
//!
//! | request | body | does |
//! |---|---|---|
//! | GET `/sandbox/sessions` | | lists the sessions and how they stand |
//! | POST `/sandbox/answer` | `{"session":"…","user":"ready","approve":true}` | a user answers |
//! | POST `/sandbox/auto` | `{"user":"refuses-signing"}` or `{"user":null}` | who answers at once, if anybody |
//! | POST `/sandbox/clock` | `{"advance_seconds":180}` | puts the clock forward |
//! | POST `/sandbox/policies` | `{"ref":"1.3.6…","enabled":false}` | switches a signature policy off or on |
//! | POST `/sandbox/faults` | `{"endpoint":"sign_status","fault":{"kind":"reset"},"times":1}` | injects a fault |
//! | POST `/sandbox/reset` | | back to how it started: no sessions, no faults, the right time |

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use crate::faults::{Endpoint, Fault};
use crate::server::{Changing, World};
use crate::sessions::{Purpose, State};
use crate::users::User;

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

    /// Every session.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionInfo> {
        let changing = self.0.changing();
        let now = changing.now();
        changing
            .sessions
            .all()
            .map(|session| SessionInfo {
                session: session.id.clone(),
                purpose: match session.purpose {
                    Purpose::Identification => "identification",
                    Purpose::Signature(_) => "signature",
                },
                state: session.state(now),
                user: session.user,
                documents: match &session.purpose {
                    Purpose::Identification => 0,
                    Purpose::Signature(sign) => sign.documents.len(),
                },
            })
            .collect()
    }

    /// A user answers a session; `None` if there is no such session, or it is
    /// another user's.
    #[must_use]
    pub fn answer(&self, session: &str, user: User, approve: bool) -> Option<State> {
        let mut changing = self.0.changing();
        let now = changing.now();
        changing.sessions.answer(session, user, approve, now)
    }

    /// Who answers every new session at once, if anybody.
    pub fn set_auto(&self, user: Option<User>) {
        self.0.changing().auto_user = user;
    }

    /// Puts the sandbox's clock forward.
    pub fn advance(&self, seconds: u64) {
        let mut changing = self.0.changing();
        changing.ahead = changing.ahead.saturating_add(seconds);
    }

    /// The next `times` answers of `endpoint` go wrong. A fault that changes
    /// what only a good answer has waits for one.
    pub fn inject(&self, endpoint: Endpoint, fault: Fault, times: u32) {
        self.0.changing().faults.add(endpoint, fault, times);
    }

    /// Switches a signature policy of the discovery document off or on.
    pub fn set_policy(&self, reference: &str, enabled: bool) {
        let mut changing = self.0.changing();
        if enabled {
            changing.disabled.remove(reference);
        } else {
            changing.disabled.insert(reference.to_owned());
        }
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
    user: User,
    approve: bool,
}

async fn answer(
    Shared(control): Shared<Control>,
    Json(answer): Json<Answer>,
) -> Result<Json<State>, StatusCode> {
    control
        .answer(&answer.session, answer.user, answer.approve)
        .map(Json)
        .ok_or(StatusCode::NOT_FOUND)
}

#[derive(Deserialize)]
struct Auto {
    user: Option<User>,
}

async fn auto(Shared(control): Shared<Control>, Json(auto): Json<Auto>) {
    control.set_auto(auto.user);
}

#[derive(Deserialize)]
struct Clock {
    advance_seconds: u64,
}

async fn clock(Shared(control): Shared<Control>, Json(clock): Json<Clock>) {
    control.advance(clock.advance_seconds);
}

#[derive(Deserialize)]
struct Policy {
    #[serde(rename = "ref")]
    reference: String,
    enabled: bool,
}

async fn policies(Shared(control): Shared<Control>, Json(policy): Json<Policy>) {
    control.set_policy(&policy.reference, policy.enabled);
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

async fn faults(Shared(control): Shared<Control>, Json(injection): Json<Injection>) {
    control.inject(injection.endpoint, injection.fault, injection.times);
}

async fn reset(Shared(control): Shared<Control>) {
    control.reset();
}

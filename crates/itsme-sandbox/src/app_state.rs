//! The state of a running sandbox.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::config::Config;
use crate::discovery::Discovery;
use crate::evidence::{EvidenceFault, EvidenceService};
use crate::faults::{Faults, Queue};
use crate::pki::Pki;
use crate::redirect::RegisteredUrls;
use crate::sessions::Sessions;
use crate::users::User;

/// The state that both listeners share.
pub(crate) struct AppState {
    pub(crate) config: Config,
    pub(crate) registered: RegisteredUrls,
    pub(crate) pki: Pki,
    pub(crate) front_url: String,
    mutable: Mutex<Mutable>,
}

/// The part that changes while the sandbox runs.
#[derive(Debug, Default)]
pub(crate) struct Mutable {
    pub(crate) sessions: Sessions,
    pub(crate) faults: Faults,
    pub(crate) evidence_faults: Queue<EvidenceService, EvidenceFault>,
    /// Number of requests that each evidence service got.
    pub(crate) evidence_requests: BTreeMap<EvidenceService, u64>,
    pub(crate) discovery: Discovery,
    /// The seconds by which the sandbox's clock is ahead of the system clock.
    pub(crate) ahead: u64,
    /// The user who answers new sessions immediately.
    pub(crate) auto_user: Option<User>,
}

impl AppState {
    pub(crate) fn new(
        config: Config,
        registered: RegisteredUrls,
        pki: Pki,
        front_url: String,
    ) -> Self {
        let mutable = Mutex::new(Mutable::new(&config));
        Self { config, registered, pki, front_url, mutable }
    }

    pub(crate) fn mutable(&self) -> MutexGuard<'_, Mutable> {
        self.mutable.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mutable {
    /// The state at the start of a sandbox.
    pub(crate) fn new(config: &Config) -> Self {
        let auto_user = config.auto_approve.then_some(config.auto_user);
        Self { auto_user, ..Self::default() }
    }

    /// Seconds since 1970 on the sandbox's clock.
    pub(crate) fn now(&self) -> u64 {
        let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        real.as_secs().saturating_add(self.ahead)
    }
}

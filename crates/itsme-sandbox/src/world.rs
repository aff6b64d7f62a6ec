//! What both listeners share.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::config::Config;
use crate::discovery::Discovery;
use crate::faults::Faults;
use crate::pki::Pki;
use crate::redirect::Registered;
use crate::sessions::Sessions;
use crate::users::User;

pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) registered: Registered,
    pub(crate) pki: Pki,
    pub(crate) front_url: String,
    changing: Mutex<Changing>,
}

/// What changes.
#[derive(Debug, Default)]
pub(crate) struct Changing {
    pub(crate) sessions: Sessions,
    pub(crate) faults: Faults,
    pub(crate) discovery: Discovery,
    /// By how many seconds the sandbox's clock is ahead.
    pub(crate) ahead: u64,
    /// Who answers new sessions at once.
    pub(crate) auto_user: Option<User>,
}

impl World {
    pub(crate) fn new(config: Config, registered: Registered, pki: Pki, front_url: String) -> Self {
        let changing = Mutex::new(Changing::new(&config));
        Self { config, registered, pki, front_url, changing }
    }

    pub(crate) fn changing(&self) -> MutexGuard<'_, Changing> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Changing {
    /// As a sandbox starts.
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

//! The times and limits of a driver.

use std::time::Duration;

use crate::body::MAX_STATES;

/// The times and limits of a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// How long a process has a job for itself before another one may continue it. Default: 90
    /// seconds. It must be longer than [`call`](Self::call), and at most
    /// [`MAX_LEASE`](crate::store::MAX_LEASE)
    pub lease: Duration,
    /// How long one call to the signer takes at most. Default: 45 seconds
    pub call: Duration,
    /// How long a job waits for its user between two steps. Default: a day
    pub idle: Duration,
    /// How long the signer is asked for the values of a user who did not confirm in time, on the
    /// application's request, before the job ends. Default: a day
    pub late_results: Duration,
    /// How long a job that is over stays. Default: 30 days
    pub retention: Duration,
    /// The most octets of pending signatures that one batch may have together. What does not fit is
    /// the next batch. Default, and the maximum: what a store holds
    pub batch_states: usize,
}

impl Default for Settings {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self {
            lease: Duration::from_secs(90),
            call: Duration::from_secs(45),
            idle: DAY,
            late_results: DAY,
            retention: DAY.saturating_mul(30),
            batch_states: MAX_STATES,
        }
    }
}

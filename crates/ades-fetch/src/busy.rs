//! Hosts that have asked to be left alone for a time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Maximum number of hosts that are kept. The one whose time ends first is dropped.
const MAX_HOSTS: usize = 1024;
/// The time without a `Retry-After` that can be read.
pub(crate) const DEFAULT_PAUSE: Duration = Duration::from_secs(30);
/// The longest time that is kept: time-stamping services block a client for a day.
const MAX_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Default)]
pub(crate) struct BusyHosts(Mutex<HashMap<String, Instant>>);

impl BusyHosts {
    /// The time for which this host (with its port) is still to be left alone.
    pub(crate) fn remaining(&self, host: &str, now: Instant) -> Option<Duration> {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = *hosts.get(host)?;
        let remaining = until.checked_duration_since(now).filter(|rest| !rest.is_zero());
        if remaining.is_none() {
            hosts.remove(host);
        }
        remaining
    }

    /// Leaves a host alone. Returns the time.
    pub(crate) fn pause(&self, host: &str, asked: Option<Duration>, now: Instant) -> Duration {
        let pause = asked.unwrap_or(DEFAULT_PAUSE).min(MAX_PAUSE);
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= MAX_HOSTS && !hosts.contains_key(host) {
            let first = hosts.iter().min_by_key(|(_, until)| **until);
            if let Some(first) = first.map(|(host, _)| host.clone()) {
                hosts.remove(&first);
            }
        }
        hosts.insert(host.to_owned(), now + pause);
        pause
    }
}

/// The value of `Retry-After`, if it is a number of seconds (RFC 9110, 10.2.3). A date is not
/// read: it needs the service's clock to be right.
pub(crate) fn retry_after(value: Option<&str>) -> Option<Duration> {
    value?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_left_alone_for_the_time_that_they_ask_for() {
        let (hosts, now) = (BusyHosts::default(), Instant::now());
        let second = Duration::from_secs(1);
        assert_eq!(hosts.remaining("a:80", now), None);
        assert_eq!(hosts.pause("a:80", Some(9 * second), now), 9 * second);
        assert_eq!(hosts.remaining("a:80", now + 4 * second), Some(5 * second));
        assert_eq!(hosts.remaining("b:80", now), None);
        assert_eq!(hosts.remaining("a:80", now + 9 * second), None);
        assert_eq!(hosts.pause("a:80", None, now), DEFAULT_PAUSE);
        assert_eq!(hosts.pause("a:80", Some(Duration::MAX), now), MAX_PAUSE);
    }

    #[test]
    fn the_number_of_hosts_is_bounded() {
        let (hosts, now) = (BusyHosts::default(), Instant::now());
        for at in 0..2 * MAX_HOSTS {
            let asked = Duration::from_secs(60 + at as u64);
            hosts.pause(&format!("host{at}:80"), Some(asked), now);
        }
        assert_eq!(hosts.0.lock().unwrap().len(), MAX_HOSTS);
        assert_eq!(hosts.remaining("host0:80", now), None);
        assert!(hosts.remaining("host2047:80", now).is_some());
    }

    #[test]
    fn retry_after_is_seconds() {
        assert_eq!(retry_after(Some(" 7 ")), Some(Duration::from_secs(7)));
        for odd in [None, Some(""), Some("-1"), Some("Wed, 21 Oct 2026 07:28:00 GMT")] {
            assert_eq!(retry_after(odd), None, "{odd:?}");
        }
    }
}

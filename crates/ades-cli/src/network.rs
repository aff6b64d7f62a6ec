//! Asking evidence services: which hosts may be asked, how many requests, and side by side.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use ades::Need;
use ades_fetch::{Allowed, Exchange, FetchError, Fetcher, Hosts, Limits, Policy};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use url::Url;

use crate::exit::{BUG, Failure, with_causes};

/// Maximum number of addresses that are asked in one run. A container can contain the addresses
/// of anybody.
const MAX_REQUESTS: usize = 128;
/// Maximum number of addresses that are asked at the same time.
const MAX_AT_ONCE: usize = 8;

/// Which addresses in certificates may be asked, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct FetchRules {
    /// Hosts and networks that may be asked although they are not public
    pub(crate) allow: Vec<String>,
    /// The time for one answer, in seconds
    pub(crate) timeout: u64,
    /// The URL of a proxy
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) proxy: Option<String>,
}

impl FetchRules {
    /// The hosts that may be asked although they are not public.
    pub(crate) fn allowed(&self) -> Result<Allowed, Failure> {
        let mut allowed = Allowed::new();
        for text in &self.allow {
            allowed.add(text).map_err(|e| Failure::usage(format!("--fetch-allow: {e}")))?;
        }
        Ok(allowed)
    }

    /// A fetcher for public addresses and these. `held`: the maximum length of an answer that is
    /// held in memory, if it is not the usual one.
    pub(crate) fn fetcher(
        &self,
        besides: Allowed,
        held: Option<usize>,
    ) -> Result<Fetcher, Failure> {
        let timeout = Duration::from_secs(self.timeout);
        let mut limits = Limits::default();
        limits.answer = timeout;
        limits.connect = limits.connect.min(timeout);
        if let Some(held) = held {
            limits.held = held as u64;
        }
        let mut policy = Policy::new().hosts(Hosts::Public { besides }).limits(limits);
        if let Some(proxy) = &self.proxy {
            policy = policy.proxy(proxy);
        }
        Fetcher::new(&policy).map_err(|error| match error {
            FetchError::Proxy { .. } => Failure::usage(with_causes(&error)).about("--fetch-proxy"),
            error => Failure::new(BUG, with_causes(&error)),
        })
    }
}

/// The requests that a run may still make.
#[derive(Debug)]
pub(crate) struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(MAX_REQUESTS)
    }
}

impl Budget {
    /// Takes one request, if any is left.
    pub(crate) fn take(&mut self) -> bool {
        let left = self.0.checked_sub(1);
        self.0 = left.unwrap_or_default();
        left.is_some()
    }
}

/// The addresses that a certificate states for a need. Nobody but the user names a time-stamping
/// service.
pub(crate) fn addresses(need: &Need) -> &[String] {
    match need {
        Need::Ocsp { urls, .. } | Need::Crl { urls } | Need::Issuer { urls, .. } => urls,
        _ => &[],
    }
}

/// Asks one address for what is needed.
pub(crate) async fn ask(fetcher: &Fetcher, need: &Need, url: &str) -> Result<Vec<u8>, FetchError> {
    match need {
        Need::TimeStamp { request } => {
            let request = request.der();
            fetcher.fetch(url, Exchange::TimeStamp { request }).await
        }
        Need::Ocsp { request, .. } => {
            let request = request.der();
            fetcher.fetch(url, Exchange::Ocsp { request }).await
        }
        _ => fetcher.get(url).await,
    }
}

/// Runs requests, at most [`MAX_AT_ONCE`] at a time. The answers are in the order of the
/// requests, so that the same evidence gives the same report. A request that panicked has none.
pub(crate) async fn side_by_side<A: Send + 'static>(
    requests: impl IntoIterator<Item: Future<Output = A> + Send + 'static>,
) -> Vec<A> {
    let mut waiting = requests.into_iter().enumerate();
    let (mut running, mut answers) = (JoinSet::new(), BTreeMap::new());
    loop {
        while running.len() < MAX_AT_ONCE
            && let Some((at, request)) = waiting.next()
        {
            running.spawn(async move { (at, request.await) });
        }
        match running.join_next().await {
            Some(Ok((at, answer))) => drop(answers.insert(at, answer)),
            Some(Err(_)) => {}
            None => return answers.into_values().collect(),
        }
    }
}

/// Why an address gave nothing, without the address at the start: it is reported beside it.
pub(crate) fn reason(error: &FetchError, url: &str) -> String {
    if let FetchError::NotPublic { address, .. } = error {
        let host = Url::parse(url).ok().and_then(|url| url.host_str().map(ToOwned::to_owned));
        let host = host.unwrap_or_else(|| address.to_string());
        return format!(
            "{address} is not a public address; --fetch-allow {host} allows it, if this service is \
             meant"
        );
    }
    let text = with_causes(error);
    let rest = text.strip_prefix(url).and_then(|rest| rest.strip_prefix(": "));
    rest.map(ToOwned::to_owned).unwrap_or(text)
}

//! Answers the needs of an extension over the network.

use std::time::{Duration, SystemTime};

use ades::formats::ades_core::facts::MAX_EVIDENCE_LEN;
use ades::{Extension, Need};
use ades_fetch::{Allowed, Exchange, Fetcher, Hosts, Limits, Policy};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use url::Url;

use crate::exit::{BUG, Failure, with_causes};

/// Maximum number of requests that are on their way at the same time.
const MAX_AT_ONCE: usize = 8;
/// Maximum number of addresses that are asked in one run. A container can contain the addresses
/// of anybody.
const MAX_REQUESTS: usize = 128;

/// Which addresses in certificates may be asked, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct FetchRules {
    /// Hosts and networks that may be asked although they are not public
    pub(crate) allow: Vec<String>,
    /// The time for one answer, in seconds
    pub(crate) timeout: u64,
}

/// The services that an extension needs.
pub(crate) struct Services {
    runtime: Handle,
    /// For the addresses in certificates, which strangers choose.
    evidence: Fetcher,
    /// For the time-stamping services, which the user has named.
    time_stamps: Fetcher,
    authorities: Vec<String>,
    requests: usize,
}

impl Services {
    pub(crate) fn new(
        authorities: &[String],
        fetch: &FetchRules,
        runtime: Handle,
    ) -> Result<Self, Failure> {
        let mut besides = Allowed::new();
        for text in &fetch.allow {
            besides.add(text).map_err(|e| Failure::usage(format!("--fetch-allow: {e}")))?;
        }
        let mut named = besides.clone();
        for text in authorities {
            let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
            let host = url.as_ref().and_then(Url::host_str);
            let host = host.ok_or_else(|| {
                Failure::usage(format!("--tsa: {text} is not an address with http or https"))
            })?;
            let host = host.trim_start_matches('[').trim_end_matches(']');
            named.add(host).map_err(|e| Failure::usage(format!("--tsa: {e}")))?;
        }
        let timeout = Duration::from_secs(fetch.timeout);
        Ok(Self {
            runtime,
            evidence: fetcher(besides, timeout)?,
            time_stamps: fetcher(named, timeout)?,
            authorities: authorities.to_vec(),
            requests: 0,
        })
    }

    /// Answers each need from the first of its addresses that gives an answer that counts, and
    /// says of the others why they failed.
    pub(crate) fn answer(&mut self, extension: &mut Extension, needs: Vec<Need>) {
        let mut open: Vec<(Need, Vec<String>)> =
            needs.into_iter().map(|need| (need, Vec::new())).collect();
        for round in 0.. {
            let mut requests = Vec::new();
            for (at, (need, _)) in open.iter().enumerate() {
                if self.requests < MAX_REQUESTS
                    && let Some(url) = self.urls(need).get(round).cloned()
                {
                    self.requests += 1;
                    requests.push((at, need.clone(), url));
                }
            }
            if requests.is_empty() {
                break;
            }
            let mut answered = Vec::new();
            for (at, url, result) in self.send(requests) {
                let Some((need, failures)) = open.get_mut(at) else { continue };
                let counted = result.and_then(|octets| {
                    let counted = extension.answer(&need.id(), octets, SystemTime::now().into());
                    counted.map_err(|error| format!("{url}: {}", with_causes(&error)))
                });
                match counted {
                    Ok(()) => answered.push(need.id()),
                    Err(why) => failures.push(why),
                }
            }
            open.retain(|(need, _)| !answered.contains(&need.id()));
        }
        for (need, failures) in open {
            let why = match failures.is_empty() {
                true => "no address can be asked".to_owned(),
                false => failures.join("; "),
            };
            extension.fail(&need.id(), why);
        }
    }

    fn urls<'a>(&'a self, need: &'a Need) -> &'a [String] {
        match need {
            Need::TimeStamp { .. } => &self.authorities,
            Need::Ocsp { urls, .. } | Need::Crl { urls } | Need::Issuer { urls, .. } => urls,
            _ => &[],
        }
    }

    /// Sends requests side by side. The answers are in the order of the requests.
    fn send(&self, requests: Vec<(usize, Need, String)>) -> Vec<(usize, String, Fetched)> {
        let mut waiting = requests.into_iter();
        let mut answers = self.runtime.block_on(async {
            let (mut running, mut answers) = (JoinSet::new(), Vec::new());
            loop {
                while running.len() < MAX_AT_ONCE
                    && let Some((at, need, url)) = waiting.next()
                {
                    let fetcher = match need {
                        Need::TimeStamp { .. } => self.time_stamps.clone(),
                        _ => self.evidence.clone(),
                    };
                    running
                        .spawn(async move { (at, url.clone(), fetch(fetcher, need, url).await) });
                }
                match running.join_next().await {
                    Some(Ok(answer)) => answers.push(answer),
                    // A task that panicked has no answer.
                    Some(Err(_)) => {}
                    None => return answers,
                }
            }
        });
        answers.sort_by_key(|(at, ..)| *at);
        answers
    }
}

/// The octets of an answer, or why there is none, with the address.
type Fetched = Result<Vec<u8>, String>;

async fn fetch(fetcher: Fetcher, need: Need, url: String) -> Fetched {
    let answer = match &need {
        Need::TimeStamp { request } => {
            let request = request.der();
            fetcher.fetch(&url, Exchange::TimeStamp { request }).await
        }
        Need::Ocsp { request, .. } => {
            let request = request.der();
            fetcher.fetch(&url, Exchange::Ocsp { request }).await
        }
        _ => fetcher.get(&url).await,
    };
    answer.map_err(|error| with_causes(&error))
}

fn fetcher(besides: Allowed, timeout: Duration) -> Result<Fetcher, Failure> {
    let mut limits = Limits::default();
    limits.answer = timeout;
    limits.connect = limits.connect.min(timeout);
    // An answer is embedded, so it is held whole: as much as a format keeps of all evidence.
    limits.held = MAX_EVIDENCE_LEN as u64;
    let policy = Policy::new().hosts(Hosts::Public { besides }).limits(limits);
    Fetcher::new(&policy).map_err(|e| Failure::new(BUG, with_causes(&e)))
}

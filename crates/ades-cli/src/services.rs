//! Answers the needs of an extension over the network.

use std::time::SystemTime;

use ades::formats::ades_core::facts::MAX_EVIDENCE_LEN;
use ades::formats::ades_evidence::answers::Answer;
use ades::formats::ades_evidence::token::TimeStampRequest;
use ades::{Digest, DigestAlgorithm, Extension, Need, Oid};
use ades_fetch::Fetcher;
use tokio::runtime::Handle;
use url::Url;

use crate::exit::{Failure, with_causes};
use crate::network::{self, Budget, FetchRules};

/// The services that an extension needs.
pub(crate) struct Services {
    runtime: Handle,
    /// For the addresses in certificates, which strangers choose.
    evidence: Fetcher,
    /// For the time-stamping services, which the user has named.
    time_stamps: Fetcher,
    authorities: Vec<String>,
    requests: Budget,
}

impl Services {
    pub(crate) fn new(
        authorities: &[String],
        fetch: &FetchRules,
        runtime: Handle,
    ) -> Result<Self, Failure> {
        let besides = fetch.allowed()?;
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
        // An answer is embedded, so it is held whole: as much as a format keeps of all evidence.
        let held = Some(MAX_EVIDENCE_LEN);
        Ok(Self {
            runtime,
            evidence: fetch.fetcher(besides, held)?,
            time_stamps: fetch.fetcher(named, held)?,
            authorities: authorities.to_vec(),
            requests: Budget::default(),
        })
    }

    /// Lets as many requests be made as at the start: a long wait asks often.
    pub(crate) fn renew(&mut self) {
        self.requests = Budget::default();
    }

    /// The length of a token of the time-stamping service, from one over random octets.
    ///
    /// # Errors
    /// Why no service gave one.
    pub(crate) fn token_len(
        &self,
        digest: DigestAlgorithm,
        policy: Option<Oid>,
    ) -> Result<usize, String> {
        let mut random = [0; 48];
        getrandom::fill(&mut random).map_err(|error| error.to_string())?;
        let (data, nonce) = random.split_at(32);
        let imprint = Digest::of(digest, data);
        let request = TimeStampRequest::new(&imprint, policy, Some(nonce));
        let request = request.ok_or("no request can be made")?;
        let need = Need::TimeStamp { request };
        let mut failures = Vec::new();
        for url in &self.authorities {
            let answer = self.runtime.block_on(network::ask(&self.time_stamps, &need, url));
            let answer = answer.map_err(|error| network::reason(&error, url)).and_then(|octets| {
                let answer = need.read_answer(octets, SystemTime::now().into());
                answer.map_err(|error| with_causes(&error))
            });
            match answer {
                Ok(Answer::TimeStamp(token)) => return Ok(token.len()),
                Ok(_) => {}
                Err(why) => failures.push(format!("{url}: {why}")),
            }
        }
        Err(failures.join("; "))
    }

    /// Answers each need from the first of its addresses that gives an answer that counts, and
    /// says of the others why they failed.
    pub(crate) fn answer(&mut self, extension: &mut Extension, needs: Vec<Need>) {
        let mut open: Vec<(Need, Vec<String>)> =
            needs.into_iter().map(|need| (need, Vec::new())).collect();
        for round in 0.. {
            let mut requests = Vec::new();
            for (at, (need, _)) in open.iter().enumerate() {
                if let Some(url) = self.urls(need).get(round).cloned()
                    && self.requests.take()
                {
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
                    counted.map_err(|error| with_causes(&error))
                });
                match counted {
                    Ok(()) => answered.push(need.id()),
                    Err(why) => failures.push(format!("{url}: {why}")),
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
            need => network::addresses(need),
        }
    }

    /// Sends requests side by side. The answers are in the order of the requests.
    fn send(&self, requests: Vec<(usize, Need, String)>) -> Vec<(usize, String, Fetched)> {
        let requests = requests.into_iter().map(|(at, need, url)| {
            let fetcher = match need {
                Need::TimeStamp { .. } => self.time_stamps.clone(),
                _ => self.evidence.clone(),
            };
            async move {
                let answer = network::ask(&fetcher, &need, &url).await;
                let answer = answer.map_err(|error| network::reason(&error, &url));
                (at, url, answer)
            }
        });
        self.runtime.block_on(network::side_by_side(requests))
    }
}

/// The octets of an answer, or why there is none.
type Fetched = Result<Vec<u8>, String>;

//! Fetches the evidence that judging or raising signatures needs, from the addresses in
//! certificates.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ades::formats::ades_core::facts::RevocationForm;
use ades::formats::ades_evidence::answers::{self, Answer};
use ades::formats::ades_evidence::needs::{Need, NeedId};
use ades::{GivenData, StoredCrl};
use ades_fetch::Fetcher;
use chrono::{DateTime, Utc};

use crate::exit::{Failure, with_causes};
use crate::network::{self, Budget, FetchRules};

/// Fetches evidence, and keeps it for the other containers of the same run: each address is asked
/// once.
pub(crate) struct EvidenceSource {
    fetcher: Fetcher,
    /// Number of the addresses of each need that were asked.
    asked: BTreeMap<NeedId, usize>,
    requests: Budget,
    given: GivenData,
    not_fetched: Vec<NotFetched>,
}

/// An address that gave no answer, or not the one that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct NotFetched {
    pub(crate) need: NeedId,
    pub(crate) url: String,
    pub(crate) reason: String,
}

impl std::fmt::Display for NotFetched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} gave no evidence: {}", self.url, self.reason)
    }
}

/// A CRL in a file without a name.
struct CrlFile(Mutex<File>);

impl StoredCrl for CrlFile {
    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.rewind()?;
        Ok(Box::new(Locked(file)))
    }
}

struct Locked<'a>(MutexGuard<'a, File>);

impl Read for Locked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

/// A CRL in a file, which is read as a stream.
pub(crate) fn stored_crl(file: File) -> Arc<dyn StoredCrl> {
    Arc::new(CrlFile(Mutex::new(file)))
}

/// What was fetched.
enum Fetched {
    Answer(Answer),
    List(Arc<dyn StoredCrl>),
}

impl EvidenceSource {
    pub(crate) fn new(rules: &FetchRules) -> Result<Self, Failure> {
        Ok(Self {
            fetcher: rules.fetcher(rules.allowed()?, None)?,
            asked: BTreeMap::new(),
            requests: Budget::default(),
            given: GivenData::new(),
            not_fetched: Vec::new(),
        })
    }

    /// All answers so far.
    pub(crate) fn given(&self) -> GivenData {
        self.given.clone()
    }

    /// The addresses that gave no answer to one of these needs.
    pub(crate) fn not_fetched(&self, needs: &BTreeSet<NeedId>) -> Vec<NotFetched> {
        let all = self.not_fetched.iter();
        all.filter(|one| needs.contains(&one.need)).cloned().collect()
    }

    /// Answers needs from the next address of each. `time`: the time at which revocation data
    /// must not have run out. Returns whether there is anything new: then ask again what is still
    /// missing.
    ///
    /// OCSP responses and issuers come first. CRLs are long, so they are asked for only if there
    /// is nothing else that can be.
    pub(crate) async fn answer(&mut self, needs: &[Need], time: DateTime<Utc>) -> bool {
        let is_list = |need: &&Need| matches!(need, Need::Crl { .. });
        let (lists, others): (Vec<&Need>, Vec<&Need>) = needs.iter().partition(is_list);
        self.answer_all(&others, time).await || self.answer_all(&lists, time).await
    }

    /// Answers needs side by side, until one of them is or no address is left.
    async fn answer_all(&mut self, needs: &[&Need], time: DateTime<Utc>) -> bool {
        loop {
            let requests = self.next_requests(needs);
            if requests.is_empty() {
                return false;
            }
            let mut is_new = false;
            let fetcher = &self.fetcher;
            let requests = requests.into_iter().map(|(need, url)| {
                let fetcher = fetcher.clone();
                async move {
                    let result = fetch(&fetcher, &need, &url, time).await;
                    (need.id(), url, result)
                }
            });
            for (need, url, result) in network::side_by_side(requests).await {
                match result {
                    Ok(fetched) => {
                        self.keep(fetched);
                        is_new = true;
                    }
                    Err(reason) => self.not_fetched.push(NotFetched { need, url, reason }),
                }
            }
            if is_new {
                return true;
            }
        }
    }

    /// The next address of each need.
    fn next_requests(&mut self, needs: &[&Need]) -> Vec<(Need, String)> {
        let mut requests = Vec::new();
        for need in needs {
            let asked = self.asked.entry(need.id()).or_default();
            if let Some(url) = network::addresses(need).get(*asked)
                && self.requests.take()
            {
                *asked += 1;
                requests.push(((*need).clone(), url.clone()));
            }
        }
        requests
    }

    fn keep(&mut self, fetched: Fetched) {
        match fetched {
            Fetched::List(list) => self.given.add_stored_crl(list),
            Fetched::Answer(Answer::OcspResponse(octets)) => {
                self.given.add_revocation(RevocationForm::OcspResponse, octets);
            }
            Fetched::Answer(Answer::Crl(octets)) => {
                self.given.add_revocation(RevocationForm::Crl, octets);
            }
            Fetched::Answer(Answer::Certificates(all)) => {
                all.into_iter().for_each(|one| self.given.add_certificate(one));
            }
            // Nobody asks for a time-stamp here: its service is not named by a certificate.
            Fetched::Answer(_) => {}
        }
    }
}

/// Fetches one answer and checks that it is what was asked for. The error is for people, without
/// the address.
async fn fetch(
    fetcher: &Fetcher,
    need: &Need,
    url: &str,
    time: DateTime<Utc>,
) -> Result<Fetched, String> {
    if let Need::Crl { .. } = need {
        return fetch_list(fetcher, url, time).await;
    }
    let octets = network::ask(fetcher, need, url).await;
    let octets = octets.map_err(|error| network::reason(&error, url))?;
    let answer = need.read_answer(octets, time).map_err(|error| with_causes(&error))?;
    Ok(Fetched::Answer(answer))
}

/// Fetches a CRL into a file.
async fn fetch_list(fetcher: &Fetcher, url: &str, time: DateTime<Utc>) -> Result<Fetched, String> {
    let mut file =
        tempfile::tempfile().map_err(|error| format!("there is no place for it: {error}"))?;
    fetcher.get_into(url, &mut file).await.map_err(|error| network::reason(&error, url))?;
    file.rewind().map_err(|error| error.to_string())?;
    answers::check_crl(&file, time).map_err(|error| with_causes(&error))?;
    Ok(Fetched::List(stored_crl(file)))
}

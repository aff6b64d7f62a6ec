//! What the world outside of the store has seen: the signing service, the folder of
//! the containers, and the receiver of events. It survives the death of a process.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use super::{Outcome, ensure};
use crate::store::{Event, JobId, Stored};

/// A log of what the world has seen, in memory or in a file that several processes
/// append to.
#[derive(Debug)]
pub struct Ledger {
    place: Place,
    /// How long the service keeps a session.
    session_life: Duration,
}

#[derive(Debug)]
enum Place {
    Memory(Mutex<String>),
    File(PathBuf),
}

/// A request for a batch, as the service has seen it.
struct Asked {
    job: String,
    request: String,
    at: i64,
    was_read: bool,
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

impl Ledger {
    pub(super) const fn in_memory(session_life: Duration) -> Self {
        Self { place: Place::Memory(Mutex::new(String::new())), session_life }
    }

    pub(super) const fn in_file(path: PathBuf, session_life: Duration) -> Self {
        Self { place: Place::File(path), session_life }
    }

    pub(super) const fn session_life(&self) -> Duration {
        self.session_life
    }

    /// Appends a line in one write, so that lines of several processes do not mix.
    fn append(&self, line: &str) -> io::Result<()> {
        match &self.place {
            Place::Memory(text) => {
                text.lock().unwrap_or_else(PoisonError::into_inner).push_str(line);
                Ok(())
            }
            Place::File(path) => {
                OpenOptions::new().create(true).append(true).open(path)?.write_all(line.as_bytes())
            }
        }
    }

    fn text(&self) -> io::Result<String> {
        match &self.place {
            Place::Memory(text) => Ok(text.lock().unwrap_or_else(PoisonError::into_inner).clone()),
            Place::File(path) => std::fs::read_to_string(path),
        }
    }

    /// The service receives the request for a batch.
    pub(super) fn ask(&self, job: JobId, request: &str, now: DateTime<Utc>) -> io::Result<()> {
        self.append(&format!("ask {job} {request} {}\n", now.timestamp_millis()))
    }

    /// The service is asked for the value of a digest. It does not know a session
    /// that it did not start, or that has ended.
    pub(super) fn read(
        &self,
        request: &str,
        digest: &[u8],
        now: DateTime<Utc>,
    ) -> io::Result<Option<Vec<u8>>> {
        let asked = self.asked()?.into_iter().find(|asked| asked.request == request);
        if asked.is_none_or(|asked| self.ended_at(&asked) <= now.timestamp_millis()) {
            return Ok(None);
        }
        self.append(&format!("read {request}\n"))?;
        Ok(Some(Sha256::digest([request.as_bytes(), digest].concat()).to_vec()))
    }

    fn ended_at(&self, asked: &Asked) -> i64 {
        asked.at.saturating_add(i64::try_from(self.session_life.as_millis()).unwrap_or(i64::MAX))
    }

    /// A container is written, unless there is one. Returns the digest of the one
    /// that is there.
    pub(super) fn write_container(
        &self,
        job: JobId,
        item: u32,
        value: &[u8],
    ) -> io::Result<Vec<u8>> {
        let digest = Sha256::digest([b"container of ", value].concat()).to_vec();
        self.append(&format!("container {job} {item} {}\n", hex(&digest)))?;
        Ok(digest)
    }

    /// An event is delivered.
    pub(super) fn deliver(&self, event: &Event) -> io::Result<()> {
        self.append(&format!("event {} {} {}\n", event.id, event.job, event.kind))
    }

    /// The requests, in the order in which the service has seen them.
    fn asked(&self) -> io::Result<Vec<Asked>> {
        let mut all: Vec<Asked> = Vec::new();
        for line in self.text()?.lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["ask", job, request, at] => all.push(Asked {
                    job: job.to_owned(),
                    request: request.to_owned(),
                    at: at.parse().unwrap_or_default(),
                    was_read: false,
                }),
                ["read", request] => all
                    .iter_mut()
                    .filter(|asked| asked.request == request)
                    .for_each(|asked| asked.was_read = true),
                _ => {}
            }
        }
        Ok(all)
    }

    /// Checks what the world has seen of jobs that are done.
    ///
    /// # Errors
    /// A second open session, a lost or doubled value, container or event.
    pub(super) fn check(&self, jobs: &[Stored]) -> Outcome {
        self.check_sessions()?;
        let text = self.text()?;
        let mut containers = BTreeMap::<_, BTreeSet<_>>::new();
        let mut events = BTreeMap::<_, BTreeSet<_>>::new();
        for line in text.lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["container", job, item, digest] => {
                    containers.entry((job.to_owned(), item.to_owned())).or_default().insert(digest);
                }
                ["event", id, job, kind] => {
                    events.entry((job, kind)).or_default().insert(id);
                }
                _ => {}
            }
        }
        for job in jobs {
            let id = job.id.to_string();
            let signed = events.get(&(id.as_str(), "signed")).map_or(0, BTreeSet::len);
            ensure(signed == 1, format!("{job:?} has {signed} events \"signed\""))?;
            let valued: BTreeSet<u32> = job.items.iter().map(|item| item.batch).collect();
            let here = events.get(&(id.as_str(), "values-here")).map_or(0, BTreeSet::len);
            ensure(here == valued.len(), format!("{job:?} has {here} events \"values-here\""))?;
            for item in &job.items {
                let written = containers.remove(&(id.clone(), item.no.to_string()));
                let stored = item.container_digest.as_deref().map(hex);
                let stored: BTreeSet<&str> = stored.iter().map(String::as_str).collect();
                let same = written.as_ref() == Some(&stored);
                ensure(same, format!("item {} of {job:?} has {written:?}", item.no))?;
            }
        }
        ensure(containers.is_empty(), format!("containers of no item: {containers:?}"))
    }

    /// Of each job, a session starts only after the values of the one before were
    /// read, or after it ended.
    fn check_sessions(&self) -> Outcome {
        let mut open: BTreeMap<String, Asked> = BTreeMap::new();
        let mut requests = BTreeSet::new();
        for asked in self.asked()? {
            let unused = requests.insert(asked.request.clone());
            ensure(unused, format!("the request {} was sent twice", asked.request))?;
            if let Some(before) = open.get(&asked.job) {
                let ended = before.was_read || self.ended_at(before) <= asked.at;
                let what =
                    format!("{} opened {} beside {}", asked.job, asked.request, before.request);
                ensure(ended, what)?;
            }
            open.insert(asked.job.clone(), asked);
        }
        Ok(())
    }
}

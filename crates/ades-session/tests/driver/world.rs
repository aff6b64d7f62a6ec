//! A service, a store, documents, and the processes and the user between them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Cursor, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ades::{Document, SignatureParameters, SigningOptions};
use ades_session::clock::{Clock, ManualClock};
use ades_session::documents::{Published, Unfinished};
use ades_session::sealing::{KeyRing, RootKey};
use ades_session::store::{BatchState, EventKind, KeyId, Store, Stored};
use ades_session::{
    Documents, Driver, Error, JobId, MemoryStore, Next, Outcome, SigningJob, SigningJobItem, Stop,
};
use chrono::DateTime;
use zeroize::Zeroizing;

use crate::faults::{Failure, Faulty, Points, run};
use crate::service::{Service, Signer, User};

pub(crate) const BROWSER: Option<&str> = Some("cookie-of-the-user");
pub(crate) const OTHER: Option<&str> = Some("cookie-of-somebody-else");
/// Longer than a lease: the process that had it counts as dead.
pub(crate) const LAPSE: Duration = Duration::from_secs(120);

/// Documents and containers in memory.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) files: Mutex<BTreeMap<String, Vec<u8>>>,
    /// The places in which nothing can be published now
    pub(crate) full: Mutex<BTreeSet<String>>,
    /// How often each container was new in its place
    pub(crate) published: Mutex<BTreeMap<String, usize>>,
}

#[derive(Debug)]
struct File {
    name: String,
    octets: Vec<u8>,
    files: Arc<Files>,
}

#[derive(Clone)]
struct Shared(Arc<Files>);

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared(..)")
    }
}

impl Documents for Shared {
    fn open(&self, reference: &str) -> io::Result<Document<'static>> {
        let files = self.0.files.lock().unwrap();
        let octets = files.get(reference).ok_or(io::ErrorKind::NotFound)?;
        Ok(Document::seekable(Cursor::new(octets.clone())))
    }

    fn exists(&self, reference: &str) -> io::Result<bool> {
        Ok(self.0.files.lock().unwrap().contains_key(reference))
    }

    fn create(&self, reference: &str) -> io::Result<Box<dyn Unfinished>> {
        let (name, files) = (reference.to_owned(), Arc::clone(&self.0));
        Ok(Box::new(File { name, octets: Vec::new(), files }))
    }
}

impl Unfinished for File {
    fn writer(&mut self) -> &mut dyn Write {
        &mut self.octets
    }

    fn read_back(&mut self) -> io::Result<Document<'static>> {
        Ok(Document::seekable(Cursor::new(self.octets.clone())))
    }

    fn publish(self: Box<Self>) -> io::Result<Published> {
        let Self { name, octets, files } = *self;
        if files.full.lock().unwrap().contains(&name) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut all = files.files.lock().unwrap();
        Ok(match all.get(&name) {
            Some(same) if *same == octets => Published::Same,
            Some(_) => Published::Other,
            None => {
                *files.published.lock().unwrap().entry(name.clone()).or_default() += 1;
                all.insert(name, octets);
                Published::New
            }
        })
    }
}

pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) service: Arc<Service>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) files: Arc<Files>,
    pub(crate) interactive: bool,
    pub(crate) max_batch: usize,
}

/// How a process differs from a sound one.
#[derive(Default)]
pub(crate) struct Process {
    pub(crate) dies_at: Option<i64>,
    pub(crate) put_fails: Option<(Range<u64>, Failure)>,
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock::new(DateTime::from_timestamp(1_790_000_000, 0).unwrap()));
        let files = Arc::new(Files::default());
        let documents = [
            ("a.txt", b"a text".to_vec()),
            ("b.xml", b"<order xmlns='urn:example'>1,000 euro</order>".to_vec()),
            ("c.pdf", pdf()),
        ];
        for (name, octets) in documents {
            files.files.lock().unwrap().insert(name.to_owned(), octets);
        }
        Self {
            service: Service::new(Arc::clone(&clock)),
            store: Arc::new(MemoryStore::with_clock(Arc::clone(&clock) as Arc<dyn Clock>)),
            clock,
            files,
            interactive: true,
            max_batch: 70,
        }
    }

    /// A sound process.
    pub(crate) fn driver(&self) -> Driver {
        self.process(&Process::default()).0
    }

    pub(crate) fn process(&self, process: &Process) -> (Driver, Arc<Points>) {
        let points = process.dies_at.map_or_else(Points::none, Points::at);
        let signer = Signer {
            service: Arc::clone(&self.service),
            points: Arc::clone(&points),
            interactive: self.interactive,
            max_batch: self.max_batch,
        };
        let mut store = Faulty::new(Arc::clone(&self.store), Arc::clone(&points));
        store.fails = process.put_fails.clone();
        let documents = Arc::new(Shared(Arc::clone(&self.files)));
        let root = RootKey::from_octets(Zeroizing::new([7; 32]));
        let keys = KeyRing::new(KeyId(1), root);
        let driver = Driver::new(Arc::new(signer), Arc::new(store), documents, keys).unwrap();
        (driver, points)
    }

    /// Three signatures in three formats.
    pub(crate) fn job(&self) -> SigningJob {
        let options = || SigningOptions::new(SignatureParameters::new(self.clock.now()));
        let item = |from: &str, to: &str| SigningJobItem::new(from, to, options());
        let items = vec![
            item("a.txt", "a.txt.p7s"),
            item("b.xml", "b-signed.xml"),
            item("c.pdf", "c-signed.pdf"),
        ];
        SigningJob::new("tenant", "job-1", items)
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    pub(crate) fn stored(&self, job: JobId) -> Stored {
        run(self.store.get(job)).unwrap().unwrap()
    }

    /// The kinds of all events, in order.
    pub(crate) fn events(&self) -> Vec<EventKind> {
        let mut kinds = Vec::new();
        loop {
            let events = run(self.store.outbox(50, LAPSE)).unwrap().unwrap();
            if events.is_empty() {
                return kinds;
            }
            for event in events {
                run(self.store.delivered(&event)).unwrap().unwrap();
                kinds.push(event.kind);
            }
        }
    }

    /// Begins the job, identifies the user, and returns the page for the confirmation.
    pub(crate) fn until_signing(&self, driver: &Driver) -> (JobId, String) {
        let begun = run(driver.begin(self.job(), BROWSER)).unwrap().unwrap();
        let page = page(&begun.next);
        let query = self.service.visit(&page, User::Confirmed);
        let outcome = run(driver.returned(&query, BROWSER)).unwrap().unwrap();
        (begun.job, self::page(&next(outcome)))
    }

    /// The containers are in their places, once each, and the store agrees.
    pub(crate) fn check_done(&self, job: JobId) {
        let stored = self.stored(job);
        let published = self.files.published.lock().unwrap();
        for container in ["a.txt.p7s", "b-signed.xml", "c-signed.pdf"] {
            assert_eq!(published.get(container), Some(&1), "{container}");
        }
        assert_eq!(published.len(), 3);
        assert_eq!(stored.items.len(), 3);
        for item in &stored.items {
            assert!(item.value.is_some() && item.container_digest.is_some());
        }
        assert!(stored.batches.iter().all(|batch| !batch.state.is_open()));
        let valued = stored.batches.iter().filter(|batch| batch.state == BatchState::Valued);
        assert_eq!(valued.count(), 3_usize.div_ceil(self.max_batch));
        let signed = self.events().into_iter().filter(|kind| *kind == EventKind::Signed).count();
        assert_eq!(signed, 1);
    }
}

/// The page to which a step redirects.
pub(crate) fn page(next: &Next) -> String {
    match next {
        Next::Redirect { url, .. } => url.clone(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn next(outcome: Outcome) -> Next {
    match outcome {
        Outcome::Next { next, .. } => next,
        other => panic!("{other:?}"),
    }
}

/// A user with a browser, who does what the application shows until the job is over, with processes
/// that may die. Returns how often they had to allow another question.
pub(crate) fn guide(world: &World, processes: Vec<Driver>) -> (JobId, usize) {
    let mut processes = processes.into_iter().peekable();
    let mut asked_again = 0;
    let mut found = None;
    // The processes die one after the other; the last one is sound.
    let mut last: Option<Next> = None;
    for _ in 0..100 {
        let driver = processes.peek().unwrap().clone();
        let dead = |world: &World| world.pass(LAPSE);
        let step = match (&found, &last) {
            (None, _) => run(driver.begin(world.job(), BROWSER)).map(|begun| {
                let begun = begun.unwrap();
                found = Some(begun.job);
                begun.next
            }),
            (Some(_), Some(Next::Redirect { url, .. }))
            | (Some(_), Some(Next::Wait { page: Some(url), .. })) => {
                let query = world.service.visit(url, User::Confirmed);
                run(driver.returned(&query, BROWSER)).map(after_return)
            }
            (Some(job), Some(Next::Stopped(Stop::Unknown))) => {
                asked_again += 1;
                run(driver.ask_again(*job, BROWSER)).map(|outcome| next(outcome.unwrap()))
            }
            (Some(job), Some(Next::Done { .. })) => return (*job, asked_again),
            (Some(job), Some(Next::Stopped(_) | Next::Ended(_))) => {
                panic!("{job}: {last:?}")
            }
            (Some(job), _) => {
                world.pass(Duration::from_secs(2));
                run(driver.poll(*job, BROWSER)).map(|outcome| next(outcome.unwrap()))
            }
        };
        match step {
            Some(next) => last = Some(next),
            None => {
                processes.next();
                dead(world);
                last = Some(Next::NeedsUser);
            }
        }
    }
    panic!("the job does not come to its end: {last:?}")
}

fn after_return(outcome: Result<Outcome, Error>) -> Next {
    match outcome.unwrap() {
        Outcome::Next { next, .. }
        | Outcome::Repeated { next, .. }
        | Outcome::Late { next, .. } => next,
        other => panic!("{other:?}"),
    }
}

/// The smallest PDF with a page.
fn pdf() -> Vec<u8> {
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Resources<<>>>>",
    ];
    let mut pdf = "%PDF-1.7\n%\u{e2}\u{e3}\n".to_owned();
    let mut table = "xref\n0 4\n0000000000 65535 f \n".to_owned();
    for (no, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", pdf.len()));
        pdf.push_str(&format!("{} 0 obj\n{object}\nendobj\n", no + 1));
    }
    let start = pdf.len();
    pdf.push_str(&table);
    pdf.push_str(&format!("trailer\n<</Size 4/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n"));
    pdf.into_bytes()
}

//! A node: a process with the driver, as a web application has it.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ades::itsme::{Config, ItsmeSigner};
use ades::{Format, Packaging, SignatureParameters, SigningOptions};
use ades_session::sealing::{KeyRing, RootKey};
use ades_session::store::{KeyId, Store, StoreError};
use ades_session::{Driver, Error, Folder, Settings, SigningJob, SigningJobItem, TokioRuntime};
use zeroize::Zeroizing;

use crate::wire::{Answer, Call, MARK, Request, Shown};
use crate::world;

/// Where a node finds documents and the signer's configuration.
pub(crate) const FOLDER: &str = "ADES_SESSION_KILLS_FOLDER";
/// Where a node finds its database.
pub(crate) const DATABASE: &str = "ADES_SESSION_KILLS_DATABASE";
/// How long a dead node keeps a job.
const LEASE: Duration = Duration::from_secs(3);
/// How long a call to the sandbox may take.
const CALL: Duration = Duration::from_millis(1400);
/// The time between two looks for jobs whose users have gone.
const POLL: Duration = Duration::from_millis(100);

/// Works as a node until standard input ends, if this process was started as one.
///
/// # Panics
/// If the store or the signer cannot be opened.
pub fn node(open: impl AsyncFnOnce(&str) -> Result<Arc<dyn Store>, StoreError>) {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let database = std::env::var(DATABASE).unwrap();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open(&database).await.unwrap();
        let driver = driver(&folder, store);
        let poller = driver.clone();
        tokio::spawn(async move {
            loop {
                // An error is one of a moment: the other node, or the next round, goes on.
                let _ = poller.poll_due(20).await;
                let _ = poller.sweep(20).await;
                tokio::time::sleep(POLL).await;
            }
        });
        serve(driver).await;
    });
}

fn driver(folder: &Path, store: Arc<dyn Store>) -> Driver {
    let config = Config::load(folder.join(world::CONFIG)).unwrap();
    let signer = Arc::new(ItsmeSigner::new(config).unwrap());
    let documents = Arc::new(Folder::new(folder.join(world::DOCUMENTS)));
    let keys = KeyRing::new(KeyId(1), RootKey::from_octets(Zeroizing::new([7; 32])));
    let mut settings = Settings::default();
    (settings.lease, settings.call) = (LEASE, CALL);
    let driver = Driver::new(signer, store, documents, keys).unwrap();
    driver.runtime(TokioRuntime).settings(settings)
}

/// Answers requests, each in a task of its own.
async fn serve(driver: Driver) {
    let (sender, mut requests) = tokio::sync::mpsc::channel::<Request>(64);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let request = serde_json::from_str(&line.unwrap()).unwrap();
            if sender.blocking_send(request).is_err() {
                break;
            }
        }
    });
    print(&Answer { id: 0, job: None, shown: Shown::Again });
    while let Some(request) = requests.recv().await {
        let driver = driver.clone();
        tokio::spawn(async move { print(&answer(&driver, request).await) });
    }
}

fn print(answer: &Answer) {
    let line = format!("\n{MARK}{}\n", serde_json::to_string(answer).unwrap());
    let mut out = std::io::stdout().lock();
    // The test may be over.
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

async fn answer(driver: &Driver, request: Request) -> Answer {
    let Request { id, browser, call } = request;
    let browser = Some(browser.as_str());
    let outcome = match &call {
        Call::Begin { key, documents } => match driver.begin(job(key, *documents), browser).await {
            Ok(begun) => return Answer::new(id, Some(begun.job.to_string()), begun.next),
            Err(error) => Err(error),
        },
        Call::Returned { query } => driver.returned(query, browser).await,
        Call::Poll { job } => driver.poll(job.parse().unwrap(), browser).await,
        Call::AskAgain { job } => driver.ask_again(job.parse().unwrap(), browser).await,
    };
    match outcome {
        Ok(outcome) => Answer::of(id, outcome),
        // The database was busy, or another node has the job: the page is loaded again.
        Err(Error::Store(StoreError::Unavailable(_))) => {
            Answer { id, job: None, shown: Shown::Again }
        }
        Err(error) => {
            Answer { id, job: None, shown: Shown::Failed(format!("{call:?}: {error}: {error:?}")) }
        }
    }
}

/// The job of a user: texts and XML documents, one after the other.
fn job(key: &str, documents: usize) -> SigningJob {
    let item = |no: usize| {
        let options = SigningOptions::new(SignatureParameters::new(SystemTime::now()));
        let options = options.packaging(Packaging::Enveloping);
        let format = if no.is_multiple_of(2) { Format::Cades } else { Format::Xades };
        let (document, container) = world::names(key, no);
        SigningJobItem::new(document, container, options.format(format))
    };
    SigningJob::new("", key, (0..documents).map(item).collect())
}

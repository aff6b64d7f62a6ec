//! [`Driver`]: takes signing jobs from the request to the containers.

mod ask;
mod batch;
mod ending;
mod inner;
mod settings;
mod standing;
mod turn;

use std::fmt;
use std::sync::Arc;

use ades::{Digest, DigestAlgorithm, RemoteSigner};

use crate::body::{Ending, MAX_STATES};
use crate::documents::Documents;
use crate::error::{Error, JobProblem};
use crate::job::{MAX_ITEMS, MAX_REFERENCE, MAX_TOGETHER, SigningJob};
use crate::observer::{Nobody, Observer};
use crate::outcome::{Begun, Next, Outcome, Status};
use crate::runtime::{self, Runtime};
use crate::sealing::KeyRing;
use crate::store::{EventKind, JobId, JobSelection, MAX_LEASE, Store};
use inner::{Inner, Wish};
use turn::BUSY;

pub use settings::Settings;

/// Drives signing jobs with one signer, over one store and the application's documents. Cloning
/// gives another handle to the same driver.
///
/// A web application calls [`begin`](Self::begin) when its user wants to sign,
/// [`returned`](Self::returned) at the address to which the signer's pages send the browser back,
/// and [`poll`](Self::poll) on the page that shows a job. A process of its own, or a task, calls
/// [`poll_due`](Self::poll_due) and [`sweep`](Self::sweep) now and then. Any of them may run in any
/// process that has the same store, keys and references.
///
/// *Browser* is a value that only the user's browser has, such as the value of a session cookie
/// (`SameSite=Lax`, because `Strict` cookies do not come back from another site). Only its digest
/// is stored. Whoever is sent the address of the signer's page could otherwise identify or confirm
/// in somebody else's job. Without a browser, whoever knows a return key or a job's name can
/// continue the job.
///
/// # Dropped calls
/// A call whose future is dropped may have reached the signer. The job is then in the stage
/// *asking*, from which only its user or the application takes it: see
/// [`Stop::Unknown`](crate::Stop::Unknown). Web servers drop futures when a browser goes away, so
/// set a [runtime](Self::runtime) that lets each call finish.
#[derive(Clone)]
pub struct Driver(Arc<Inner>);

impl Driver {
    /// A driver. `keys` seal what the store must not read.
    ///
    /// # Errors
    /// [`Error::Random`]
    pub fn new(
        signer: Arc<dyn RemoteSigner>,
        store: Arc<dyn Store>,
        documents: Arc<dyn Documents>,
        keys: KeyRing,
    ) -> Result<Self, Error> {
        let holder = JobId::from_random(random()?).to_string();
        Ok(Self(Arc::new(Inner {
            signer,
            store,
            documents,
            keys: Arc::new(keys),
            runtime: None,
            font: None,
            settings: Settings::default(),
            observer: Arc::new(Nobody),
            holder,
        })))
    }

    /// Sets the application's runtime. Without one, documents are read and written where the
    /// driver's futures are polled.
    #[must_use]
    pub fn runtime(self, runtime: impl Runtime + 'static) -> Self {
        self.with(|inner| inner.runtime = Some(Arc::new(runtime)))
    }

    /// Sets the font of visible signatures that name none.
    #[must_use]
    pub fn font(self, font: &[u8]) -> Self {
        self.with(|inner| inner.font = Some(font.into()))
    }

    /// Sets the times and limits. A lease lasts at least as long as two calls.
    #[must_use]
    pub fn settings(self, mut settings: Settings) -> Self {
        settings.lease = settings.lease.max(settings.call.saturating_mul(2)).min(MAX_LEASE);
        settings.batch_states = settings.batch_states.min(MAX_STATES);
        self.with(|inner| inner.settings = settings)
    }

    /// Sets the observer of what happens.
    #[must_use]
    pub fn observer(self, observer: Arc<dyn Observer>) -> Self {
        self.with(|inner| inner.observer = observer)
    }

    fn with(self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Arc::unwrap_or_clone(self.0);
        change(&mut inner);
        Self(Arc::new(inner))
    }

    /// Checks a job, stores it, and asks the signer for the first step. Everything that can be
    /// checked without the user's certificate is checked before anybody is asked.
    ///
    /// Beginning a job that exists (the same tenant and key) does not ask again: it returns what to
    /// do next for the job that was begun first.
    ///
    /// # Errors
    /// [`Error::Job`], [`Error::Documents`], [`Error::Sign`] and [`Error::Signer`] if the job cannot
    /// be signed; nothing is stored. [`Error::Signer`] too if the signer could not be asked: the
    /// job is stored, and beginning it again asks again. [`Error::OtherBrowser`]; [`Error::Store`].
    pub async fn begin(&self, job: SigningJob, browser: Option<&str>) -> Result<Begun, Error> {
        let (inner, browser) = (Arc::clone(&self.0), browser.map(binding));
        let task = async move { inner.begin(job, browser).await };
        runtime::run(self.0.runtime.as_ref(), task).await
    }

    /// Continues the job that a browser comes back for, from the signer's page. `query` is the
    /// query of the address, unchanged.
    ///
    /// # Errors
    /// [`Error::Signer`] and others as [`begin`](Self::begin): the job stays.
    pub async fn returned(&self, query: &str, browser: Option<&str>) -> Result<Outcome, Error> {
        let (inner, browser) = (Arc::clone(&self.0), browser.map(binding));
        let query = query.to_owned();
        let task = async move { inner.returned(query, browser).await };
        runtime::run(self.0.runtime.as_ref(), task).await
    }

    /// Continues a job by one step if its time has come: for the page that shows the job, which
    /// loads itself again after [`Next::Wait`].
    ///
    /// # Errors
    /// As [`returned`](Self::returned), and
    /// [`StoreError::NotFound`](crate::store::StoreError::NotFound).
    pub async fn poll(&self, job: JobId, browser: Option<&str>) -> Result<Outcome, Error> {
        self.visit(job, browser, Wish::GoOn).await
    }

    /// As [`poll`](Self::poll), whether the job's time has come or not: for an application that waits
    /// by itself, and polls after [`Next::Wait`] says so, or on its user's wish.
    ///
    /// # Errors
    /// As [`poll`](Self::poll).
    pub async fn poll_now(&self, job: JobId, browser: Option<&str>) -> Result<Outcome, Error> {
        self.visit(job, browser, Wish::GoOnNow).await
    }

    /// Stops a job that waits for its user, on the user's own wish: they have lost the signer's
    /// page, the session does not come to its end, or they want to identify again. The answer is [`Next::Stopped`]. What they
    /// confirm after all is still collected by [`poll_now`](Self::poll_now), until
    /// [`ask_again`](Self::ask_again) or [`identify_again`](Self::identify_again).
    ///
    /// # Errors
    /// As [`poll`](Self::poll), and [`Error::Stage`] if values are stored, or the job is over.
    pub async fn stop(&self, job: JobId, browser: Option<&str>) -> Result<Outcome, Error> {
        self.visit(job, browser, Wish::Stop).await
    }

    /// Asks the user for the confirmation again, on their own request after [`Next::Stopped`]. What
    /// is left of the stopped session is given up. A job that has not stopped goes back to the
    /// signer's page, so a button that is pressed twice does not ask twice.
    ///
    /// # Errors
    /// As [`poll`](Self::poll), and [`Error::Stage`] if there is nothing to ask for: the values are
    /// stored, or the job is over.
    pub async fn ask_again(&self, job: JobId, browser: Option<&str>) -> Result<Outcome, Error> {
        self.visit(job, browser, Wish::AskAgain).await
    }

    /// As [`ask_again`](Self::ask_again), from the identification on.
    ///
    /// # Errors
    /// As [`ask_again`](Self::ask_again).
    pub async fn identify_again(
        &self,
        job: JobId,
        browser: Option<&str>,
    ) -> Result<Outcome, Error> {
        self.visit(job, browser, Wish::IdentifyAgain).await
    }

    async fn visit(&self, job: JobId, browser: Option<&str>, wish: Wish) -> Result<Outcome, Error> {
        let (inner, browser) = (Arc::clone(&self.0), browser.map(binding));
        let task = async move { inner.visit(job, browser, wish).await };
        runtime::run(self.0.runtime.as_ref(), task).await
    }

    /// What a page shows about a job, without continuing it. `None` if the job belongs to another
    /// browser.
    ///
    /// # Errors
    /// [`Error::Store`], with [`StoreError::NotFound`](crate::store::StoreError::NotFound) if the job
    /// does not exist; [`Error::Body`].
    pub async fn status(&self, job: JobId, browser: Option<&str>) -> Result<Option<Status>, Error> {
        let stored = self.0.store.get(job).await?;
        let body = self.0.open(&stored)?;
        if body.browser.is_some() && body.browser != browser.map(binding) {
            return Ok(None);
        }
        Ok(Some(standing::status(&stored, &body)))
    }

    /// Ends a job of which nothing is confirmed, by the application's own decision. It tells the
    /// signer, if a session is open.
    ///
    /// # Errors
    /// [`Error::Stage`] if values are stored, or the job is over; [`Error::Store`].
    pub async fn cancel(&self, job: JobId) -> Result<Next, Error> {
        let inner = Arc::clone(&self.0);
        let task = async move {
            let Some(lease) = inner.lease(job).await? else { return Ok(BUSY) };
            let mut turn = inner.turn(lease).await?;
            let ended = turn.end(Ending::Cancelled, EventKind::Close).await;
            turn.finish(ended).await
        };
        runtime::run(self.0.runtime.as_ref(), task).await
    }

    /// Continues at most `n` jobs whose time has come and whose users may not come back: it asks the
    /// signer for results, and writes containers. It never asks a user. Call it every few seconds,
    /// in one process or in several.
    ///
    /// # Errors
    /// [`Error::Store`]. The errors of single jobs are in the result.
    pub async fn poll_due(&self, n: u32) -> Result<Vec<(JobId, Result<Next, Error>)>, Error> {
        let inner = Arc::clone(&self.0);
        let task = async move {
            let mut jobs = Vec::new();
            for _ in 0..n {
                // One at a time: a lease must not lapse while other jobs have their turn.
                let duration = inner.settings.lease;
                let leases =
                    inner.store.lease_many(JobSelection::Due, 1, &inner.holder, duration).await?;
                let Some(lease) = leases.into_iter().next() else { break };
                jobs.push((lease.job(), inner.continue_due(lease).await));
            }
            Ok(jobs)
        };
        runtime::run(self.0.runtime.as_ref(), task).await
    }

    /// Ends at most `n` jobs whose users never answered, after a last question to the signer, and
    /// removes at most `n` jobs that are over for as long as [`Settings::retention`]. Call it every
    /// minute. Returns how many jobs it looked at and removed.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub async fn sweep(&self, n: u32) -> Result<u64, Error> {
        let inner = Arc::clone(&self.0);
        let task = async move {
            let mut swept = 0;
            for _ in 0..n {
                let duration = inner.settings.lease;
                let leases = inner
                    .store
                    .lease_many(JobSelection::Expired, 1, &inner.holder, duration)
                    .await?;
                let Some(lease) = leases.into_iter().next() else { break };
                if let Err(error) = inner.expire(lease).await {
                    tracing::warn!(error = ?error, "an expired job could not be ended");
                }
                swept += 1;
            }
            Ok(swept + inner.store.purge(n).await?)
        };
        runtime::run(self.0.runtime.as_ref(), task).await
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("store", &self.0.store)
            .field("documents", &self.0.documents)
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

fn check_job(job: &SigningJob) -> Result<(), Error> {
    let found = job.items.len();
    if !(1..=MAX_ITEMS).contains(&found) {
        return Err(Error::Job(JobProblem::Items { found }));
    }
    let mut containers = std::collections::HashMap::new();
    for (item, request) in job.items.iter().enumerate() {
        if request.texts().any(|text| text.is_empty() || text.len() > MAX_REFERENCE) {
            return Err(Error::Job(JobProblem::Reference { item }));
        }
        if request.together.len() >= MAX_TOGETHER {
            return Err(Error::Job(JobProblem::TooManyTogether { item }));
        }
        if let Some(one) = containers.insert(request.container.as_str(), item) {
            return Err(Error::Job(JobProblem::SameContainer { one, other: item }));
        }
    }
    Ok(())
}

/// The digest that ties a job to a browser. The signer gets it in place of the browser's value, so
/// that a poller, which has no browser, can continue.
fn binding(browser: &str) -> String {
    let text = format!("ades-session browser\n{browser}");
    Digest::of(DigestAlgorithm::Sha256, text.as_bytes()).to_hex()
}

/// Random octets.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut octets = [0; N];
    getrandom::fill(&mut octets).map_err(Error::Random)?;
    Ok(octets)
}

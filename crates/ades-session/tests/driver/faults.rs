//! Processes that die, and stores that fail, at a chosen point.

use std::future::{Future, pending};
use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ades::signer::BoxFuture;
use ades_session::store::{
    ByReturnKey, Change, Created, Event, JobId, JobSelection, KeyId, Lease, NewJob, ReturnKeyHash,
    Store, StoreError, Stored,
};

/// The points at which a process can die: before and after each call to the store and to the signer.
/// A process that is dead never wakes again.
#[derive(Debug)]
pub(crate) struct Points {
    left: AtomicI64,
    /// Number of points that were passed
    pub(crate) passed: AtomicU64,
}

impl Points {
    /// Never dies.
    pub(crate) fn none() -> Arc<Self> {
        Self::at(i64::MAX)
    }

    /// Dies at the point of this number, counted from 0.
    pub(crate) fn at(point: i64) -> Arc<Self> {
        Arc::new(Self { left: AtomicI64::new(point), passed: AtomicU64::new(0) })
    }

    pub(crate) async fn pass(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) <= 0 {
            pending::<()>().await;
        }
        self.passed.fetch_add(1, Ordering::SeqCst);
    }
}

/// Runs a future of calls that never wait. `None` if its process has died.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

/// How the store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The change is not written
    Before,
    /// The change is written, and then the connection breaks
    After,
}

/// A store in front of another one, with points and failures.
#[derive(Debug)]
pub(crate) struct Faulty {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) points: Arc<Points>,
    /// The puts, counted from 0, that fail, and how
    pub(crate) fails: Option<(Range<u64>, Failure)>,
    pub(crate) puts: AtomicU64,
}

impl Faulty {
    pub(crate) fn new(store: Arc<dyn Store>, points: Arc<Points>) -> Self {
        Self { store, points, fails: None, puts: AtomicU64::new(0) }
    }

    fn around<'a, T: Send + 'a>(&'a self, call: BoxFuture<'a, T>) -> BoxFuture<'a, T> {
        Box::pin(async move {
            self.points.pass().await;
            let result = call.await;
            self.points.pass().await;
            result
        })
    }
}

type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

impl Store for Faulty {
    fn create(&self, job: NewJob) -> Answer<'_, Created> {
        self.around(self.store.create(job))
    }

    fn get(&self, job: JobId) -> Answer<'_, Stored> {
        self.around(self.store.get(job))
    }

    fn find<'a>(&'a self, tenant: &'a str, key: &'a str) -> Answer<'a, Option<JobId>> {
        self.around(self.store.find(tenant, key))
    }

    fn lease<'a>(
        &'a self,
        job: JobId,
        holder: &'a str,
        duration: Duration,
    ) -> Answer<'a, Option<Lease>> {
        self.around(self.store.lease(job, holder, duration))
    }

    fn lease_by_return_key<'a>(
        &'a self,
        hash: ReturnKeyHash,
        holder: &'a str,
        duration: Duration,
    ) -> Answer<'a, ByReturnKey> {
        self.around(self.store.lease_by_return_key(hash, holder, duration))
    }

    fn lease_many<'a>(
        &'a self,
        which: JobSelection,
        n: u32,
        holder: &'a str,
        duration: Duration,
    ) -> Answer<'a, Vec<Lease>> {
        self.around(self.store.lease_many(which, n, holder, duration))
    }

    fn put<'a>(&'a self, lease: &'a Lease, version: u64, change: Change) -> Answer<'a, u64> {
        let put = self.puts.fetch_add(1, Ordering::SeqCst);
        let fails = self.fails.as_ref().filter(|(puts, _)| puts.contains(&put));
        Box::pin(async move {
            self.points.pass().await;
            let broken = || Err(StoreError::unavailable("the connection broke"));
            let result = match fails {
                Some((_, Failure::Before)) => broken(),
                Some((_, Failure::After)) => {
                    self.store.put(lease, version, change).await.and(broken())
                }
                None => self.store.put(lease, version, change).await,
            };
            self.points.pass().await;
            result
        })
    }

    fn renew<'a>(&'a self, lease: &'a Lease, duration: Duration) -> Answer<'a, Lease> {
        self.around(self.store.renew(lease, duration))
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> Answer<'a, ()> {
        self.around(self.store.release(lease))
    }

    fn remove<'a>(&'a self, lease: &'a Lease, version: u64) -> Answer<'a, ()> {
        self.around(self.store.remove(lease, version))
    }

    fn purge(&self, n: u32) -> Answer<'_, u64> {
        self.around(self.store.purge(n))
    }

    fn outbox(&self, n: u32, duration: Duration) -> Answer<'_, Vec<Event>> {
        self.around(self.store.outbox(n, duration))
    }

    fn delivered<'a>(&'a self, event: &'a Event) -> Answer<'a, ()> {
        self.around(self.store.delivered(event))
    }

    fn failed<'a>(&'a self, event: &'a Event, retry_in: Duration) -> Answer<'a, ()> {
        self.around(self.store.failed(event, retry_in))
    }

    fn keys_in_use(&self) -> Answer<'_, Vec<(KeyId, u64)>> {
        self.around(self.store.keys_in_use())
    }
}

//! A store that fails on request.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ades_core::signer::BoxFuture;

use crate::clock::ManualClock;
use crate::store::{
    ByReturnKey, Change, Created, Event, JobId, JobSelection, KeyId, Lease, NewJob, ReturnKeyHash,
    Store, StoreError, Stored,
};

/// A call of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Call {
    /// [`Store::create`]
    Create,
    /// [`Store::delivered`]
    Delivered,
    /// [`Store::failed`]
    Failed,
    /// [`Store::find`]
    Find,
    /// [`Store::get`]
    Get,
    /// [`Store::keys_in_use`]
    KeysInUse,
    /// [`Store::lease`]
    Lease,
    /// [`Store::lease_by_return_key`]
    LeaseByReturnKey,
    /// [`Store::lease_many`]
    LeaseMany,
    /// [`Store::outbox`]
    Outbox,
    /// [`Store::purge`]
    Purge,
    /// [`Store::put`]
    Put,
    /// [`Store::release`]
    Release,
    /// [`Store::remove`]
    Remove,
    /// [`Store::renew`]
    Renew,
}

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Injected {
    /// The call passes.
    Nothing,
    /// The store is not available, and does nothing.
    ErrorBefore,
    /// The store does what it is asked for, but its answer is lost.
    ErrorAfter,
    /// The call arrives this much later. If that is longer than the lease, the
    /// lease is lost.
    Delay(Duration),
}

/// Decides what happens to each call.
type Plan = Box<dyn FnMut(Call) -> Injected + Send>;

/// A store that fails as its plan says.
pub struct Faulty {
    inner: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    plan: Mutex<Plan>,
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faulty").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl Faulty {
    /// A store that fails as `plan` says. `clock` is the clock of `inner`: delays
    /// advance it.
    pub fn new(
        inner: Arc<dyn Store>,
        clock: Arc<ManualClock>,
        plan: impl FnMut(Call) -> Injected + Send + 'static,
    ) -> Self {
        Self { inner, clock, plan: Mutex::new(Box::new(plan)) }
    }

    fn inject<'a, T: Send + 'a>(
        &'a self,
        call: Call,
        inner: BoxFuture<'a, Result<T, StoreError>>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        Box::pin(async move {
            let injected = (self.plan.lock().unwrap_or_else(PoisonError::into_inner))(call);
            match injected {
                Injected::Nothing => inner.await,
                Injected::ErrorBefore => Err(StoreError::unavailable("injected, nothing was done")),
                Injected::ErrorAfter => {
                    inner.await?;
                    Err(StoreError::unavailable("injected, the answer is lost"))
                }
                Injected::Delay(duration) => {
                    self.clock.advance(duration);
                    inner.await
                }
            }
        })
    }
}

impl Store for Faulty {
    fn create(&self, job: NewJob) -> BoxFuture<'_, Result<Created, StoreError>> {
        self.inject(Call::Create, self.inner.create(job))
    }

    fn get(&self, job: JobId) -> BoxFuture<'_, Result<Stored, StoreError>> {
        self.inject(Call::Get, self.inner.get(job))
    }

    fn find<'a>(
        &'a self,
        tenant: &'a str,
        application_key: &'a str,
    ) -> BoxFuture<'a, Result<Option<JobId>, StoreError>> {
        self.inject(Call::Find, self.inner.find(tenant, application_key))
    }

    fn lease<'a>(
        &'a self,
        job: JobId,
        holder: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, StoreError>> {
        self.inject(Call::Lease, self.inner.lease(job, holder, duration))
    }

    fn lease_by_return_key<'a>(
        &'a self,
        hash: ReturnKeyHash,
        holder: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<ByReturnKey, StoreError>> {
        self.inject(Call::LeaseByReturnKey, self.inner.lease_by_return_key(hash, holder, duration))
    }

    fn lease_many<'a>(
        &'a self,
        which: JobSelection,
        n: u32,
        holder: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<Vec<Lease>, StoreError>> {
        self.inject(Call::LeaseMany, self.inner.lease_many(which, n, holder, duration))
    }

    fn put<'a>(
        &'a self,
        lease: &'a Lease,
        version: u64,
        change: Change,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        self.inject(Call::Put, self.inner.put(lease, version, change))
    }

    fn renew<'a>(
        &'a self,
        lease: &'a Lease,
        duration: Duration,
    ) -> BoxFuture<'a, Result<Lease, StoreError>> {
        self.inject(Call::Renew, self.inner.renew(lease, duration))
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        self.inject(Call::Release, self.inner.release(lease))
    }

    fn remove<'a>(
        &'a self,
        lease: &'a Lease,
        version: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.inject(Call::Remove, self.inner.remove(lease, version))
    }

    fn purge(&self, n: u32) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.inject(Call::Purge, self.inner.purge(n))
    }

    fn outbox(&self, n: u32, duration: Duration) -> BoxFuture<'_, Result<Vec<Event>, StoreError>> {
        self.inject(Call::Outbox, self.inner.outbox(n, duration))
    }

    fn delivered<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Result<(), StoreError>> {
        self.inject(Call::Delivered, self.inner.delivered(event))
    }

    fn failed<'a>(
        &'a self,
        event: &'a Event,
        retry_in: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.inject(Call::Failed, self.inner.failed(event, retry_in))
    }

    fn keys_in_use(&self) -> BoxFuture<'_, Result<Vec<(KeyId, u64)>, StoreError>> {
        self.inject(Call::KeysInUse, self.inner.keys_in_use())
    }
}

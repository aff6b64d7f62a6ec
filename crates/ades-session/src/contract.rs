//! The contract of [`Store`], as tests that any implementation can run.
//!
//! [`check`] runs every case against new stores of the implementation, with a clock
//! that the case sets. [`crash::check`] lets two workers of a small model of the
//! driver crash at every point and fail at every call of the store. [`race`] is
//! for threads and processes with real time. [`Faulty`] makes any store fail.
//!
//! The cases return an error instead of panicking:
//!
//! ```
//! use std::sync::Arc;
//!
//! use ades_session::contract::{self, block_on};
//! use ades_session::store::MemoryStore;
//!
//! let checked = block_on(contract::check(async |clock| {
//!     Ok(Arc::new(MemoryStore::with_clock(clock)) as Arc<_>)
//! }));
//! checked.unwrap();
//! ```

mod batches;
mod bench;
pub mod crash;
mod faulty;
mod leases;
mod ledger;
mod model;
mod outbox;
pub mod race;
mod removal;
mod returning;

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use ades_core::signer::BoxFuture;

use crate::clock::ManualClock;
use crate::store::{Store, StoreError};

use bench::Bench;
pub use bench::START;
pub use faulty::{Call, Faulty, Injected};
pub use ledger::Ledger;

/// What a store does wrong.
#[derive(Debug)]
pub struct Broken {
    case: &'static str,
    what: String,
}

impl Broken {
    /// A finding.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { case: "", what: what.into() }
    }

    /// Adds the name of the case.
    const fn named(mut self, case: &'static str) -> Self {
        self.case = case;
        self
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.case, self.what)
    }
}

impl std::error::Error for Broken {}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        Self::new(format!("unexpected error: {error:?}"))
    }
}

impl From<std::io::Error> for Broken {
    fn from(error: std::io::Error) -> Self {
        Self::new(format!("the ledger cannot be used: {error}"))
    }
}

/// The result of a case.
pub type Outcome = Result<(), Broken>;

/// A condition that must hold.
pub(crate) fn ensure(holds: bool, what: impl Into<String>) -> Outcome {
    if holds { Ok(()) } else { Err(Broken::new(what)) }
}

/// Two values that must be equal.
pub(crate) fn equal<T: PartialEq + fmt::Debug>(what: &str, found: T, expected: T) -> Outcome {
    ensure(found == expected, format!("{what}: found {found:?}, expected {expected:?}"))
}

/// A case of the contract.
type Case = fn(Bench) -> BoxFuture<'static, Outcome>;

/// Every case, with its name.
const CASES: &[(&str, Case)] = &[
    ("create is idempotent", |bench| Box::pin(leases::create_is_idempotent(bench))),
    ("a job that does not exist", |bench| Box::pin(leases::missing(bench))),
    ("one lease at a time", |bench| Box::pin(leases::one_at_a_time(bench))),
    ("an old lease writes nothing", |bench| Box::pin(leases::fencing(bench))),
    ("a change needs the version", |bench| Box::pin(leases::versions(bench))),
    ("leases are renewed and released", |bench| Box::pin(leases::renewed(bench))),
    ("times are those of the store", |bench| Box::pin(leases::times(bench))),
    ("due and expired jobs", |bench| Box::pin(leases::due(bench))),
    ("limits", |bench| Box::pin(leases::limits(bench))),
    ("returning browsers", |bench| Box::pin(returning::outcomes(bench))),
    ("a return key is used once", |bench| Box::pin(returning::once(bench))),
    ("one open batch", |bench| Box::pin(batches::one_open(bench))),
    ("one value, one container", |bench| Box::pin(batches::written_once(bench))),
    ("a digest stays", |bench| Box::pin(batches::digests(bench))),
    ("a refused change changes nothing", |bench| Box::pin(batches::all_or_nothing(bench))),
    ("events are delivered in order", |bench| Box::pin(outbox::in_order(bench))),
    ("events are repeated", |bench| Box::pin(outbox::repeated(bench))),
    ("purging keeps what is needed", |bench| Box::pin(removal::purge(bench))),
    ("removing", |bench| Box::pin(removal::remove(bench))),
    ("keys in use", |bench| Box::pin(removal::keys(bench))),
];

/// Runs every case against a new store each, which `open` makes with the clock that
/// the case sets.
///
/// # Errors
/// The first thing that the store does wrong.
pub async fn check<F>(open: F) -> Outcome
where
    F: AsyncFn(Arc<ManualClock>) -> Result<Arc<dyn Store>, StoreError>,
{
    for (name, case) in CASES {
        let clock = Arc::new(ManualClock::new(START));
        let store =
            open(Arc::clone(&clock)).await.map_err(|error| Broken::from(error).named(name))?;
        case(Bench::new(store, clock)).await.map_err(|broken| broken.named(name))?;
    }
    Ok(())
}

/// Runs a future on this thread until it is ready, without a runtime.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        thread::park();
    }
}

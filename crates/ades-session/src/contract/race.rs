//! Several threads or processes on the same jobs, in real time: pauses beyond the
//! lease, random deaths. Each worker blocks its thread while it pauses.

use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::ledger::Ledger;
use super::model::{Point, Random, Stop, Worker, is_complete, new_job};
use super::{Broken, Outcome, ensure};
use crate::clock::SystemClock;
use crate::store::{JobId, Store, StoreError};

const LEASE: Duration = Duration::from_millis(120);
/// Long enough that a slow machine asks for the values of a session while it is open: a job has a
/// limited number of batches.
const SESSION: Duration = Duration::from_millis(100);
/// Number of jobs that a worker takes at a time.
const JOBS: u32 = 3;
/// Number of points of which, on average, one is a pause, and one a death.
const HAZARDS: u64 = 40;
/// How long `verify` continues jobs that are not done.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a worker does when it has to die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Death {
    /// It drops everything and starts again as another worker.
    Drop,
    /// It aborts the process.
    Abort,
}

/// The ledger of a race, in a file that all its workers use.
#[must_use]
pub const fn ledger(path: PathBuf) -> Ledger {
    Ledger::in_file(path, SESSION)
}

/// Creates the jobs of a race.
///
/// # Errors
/// Those of the store.
pub async fn create(
    store: &dyn Store,
    seed: u64,
    jobs: u32,
    items: u32,
) -> Result<Vec<JobId>, Broken> {
    let mut random = Random(seed);
    let mut ids = Vec::new();
    for _ in 0..jobs {
        ids.push(store.create(new_job(&mut random, items)).await?.id());
    }
    Ok(ids)
}

/// Works until the jobs are done or the time is over.
///
/// # Errors
/// Those of the store, except that it is not available.
pub async fn work(
    store: &dyn Store,
    ledger: &Ledger,
    jobs: &[JobId],
    seed: u64,
    death: Death,
    time: Duration,
) -> Outcome {
    let end = Instant::now() + time;
    let mut random = Random(seed);
    while Instant::now() < end {
        let mut dice = Random(random.next());
        let mut hazard = |_: Point| match dice.next() % HAZARDS {
            0 if death == Death::Abort => std::process::abort(),
            0 => true,
            1 => {
                sleep(LEASE * 2);
                false
            }
            _ => false,
        };
        let mut worker = worker(store, ledger, &mut random, &mut hazard);
        // The poller and a returning browser at the same time.
        let job = jobs.get(usize::try_from(worker.random.next()).unwrap_or(0) % jobs.len().max(1));
        let stopped = async {
            worker.round(JOBS).await?;
            if let Some(job) = job
                && let Some(lease) = store.lease(*job, &worker.holder, LEASE).await?
            {
                worker.continue_job(&lease).await?;
            }
            Ok::<(), Stop>(())
        };
        tolerate(stopped.await)?;
        if matches!(all_complete(store, jobs).await, Ok(true)) {
            break;
        }
        sleep(Duration::from_millis(random.next() % 4));
    }
    Ok(())
}

/// Finishes the jobs without hazards, and checks what the world has seen.
///
/// # Errors
/// A second open session; a lost or doubled value, container or event.
pub async fn verify(store: &dyn Store, ledger: &Ledger, jobs: &[JobId]) -> Outcome {
    let end = Instant::now() + PATIENCE;
    let mut random = Random(0);
    let mut idle = 0;
    while idle < 2 {
        ensure(Instant::now() < end, "the jobs are not done")?;
        let mut calm = |_| false;
        tolerate(worker(store, ledger, &mut random, &mut calm).round(100).await)?;
        let is_done = all_complete(store, jobs).await?;
        // Twice the time in which an event that somebody took comes back.
        idle = if is_done { idle + 1 } else { 0 };
        sleep(if is_done { LEASE * 2 } else { LEASE / 8 });
    }
    let mut stored = Vec::new();
    for job in jobs {
        stored.push(store.get(*job).await?);
    }
    ledger.check(&stored)
}

fn worker<'a>(
    store: &'a dyn Store,
    ledger: &'a Ledger,
    random: &mut Random,
    hazard: &'a mut (dyn FnMut(Point) -> bool + Send),
) -> Worker<'a> {
    let holder = format!("worker {:x}", random.next());
    let random = Random(random.next());
    Worker { store, ledger, clock: &SystemClock, holder, lease: LEASE, random, hazard }
}

/// A death is a part of the race, and so is a database that is busy for too long.
fn tolerate(result: Result<(), Stop>) -> Outcome {
    match result {
        Ok(()) | Err(Stop::Died | Stop::Store(StoreError::Unavailable(_))) => Ok(()),
        Err(Stop::Store(error)) => Err(error.into()),
        Err(Stop::Ledger(error)) => Err(error.into()),
    }
}

async fn all_complete(store: &dyn Store, jobs: &[JobId]) -> Result<bool, StoreError> {
    for job in jobs {
        if !is_complete(&store.get(*job).await?) {
            return Ok(false);
        }
    }
    Ok(true)
}

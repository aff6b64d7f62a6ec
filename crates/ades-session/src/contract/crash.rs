//! A process that dies at each point, and a store that fails at each call.

use std::sync::Arc;
use std::time::Duration;

use super::ledger::Ledger;
use super::model::{Point, Random, Stop, Worker, is_complete, new_job};
use super::{Broken, Call, Faulty, Injected, Outcome, START, ensure};
use crate::clock::ManualClock;
use crate::store::{JobId, Store, StoreError};

const LEASE: Duration = Duration::from_secs(60);
const SESSION: Duration = Duration::from_secs(180);
/// Number of items of each job: two batches.
const ITEMS: u32 = 3;
/// Maximum number of rounds of a job, deaths and faults included.
const MAX_ROUNDS: u32 = 60;
/// The calls that fail, and up to which one of them: the first to the nth.
const FAULTY_CALLS: [(Call, u32); 5] = [
    (Call::Put, 9),
    (Call::LeaseMany, 4),
    (Call::Release, 4),
    (Call::Outbox, 4),
    (Call::Delivered, 3),
];

/// Lets a worker die once at each point of a job, and fail at each call, and checks
/// that another worker finishes the job, with one container for each item, none
/// lost or doubled, and never two sessions at a time.
///
/// # Errors
/// The first thing that the store, or the model, does wrong.
pub async fn check<F>(open: F) -> Outcome
where
    F: AsyncFn(Arc<ManualClock>) -> Result<Arc<dyn Store>, StoreError>,
{
    let clock = Arc::new(ManualClock::new(START));
    let bench = Bench { store: open(Arc::clone(&clock)).await?, clock };
    let mut seed = 0;
    for point in Point::ALL {
        for pause in [None, Some(LEASE * 2)] {
            seed += 1;
            bench
                .die_or_pause(seed, point, pause)
                .await
                .map_err(|broken| Broken::new(format!("{point:?}, pause {pause:?}: {broken}")))?;
        }
    }
    for (call, calls) in FAULTY_CALLS {
        for injected in [Injected::ErrorBefore, Injected::ErrorAfter, Injected::Delay(LEASE * 2)] {
            for nth in 0..calls {
                seed += 1;
                bench.fail(seed, call, injected, nth).await.map_err(|broken| {
                    Broken::new(format!("call {nth} of {call:?}, {injected:?}: {broken}"))
                })?;
            }
        }
    }
    Ok(())
}

struct Bench {
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
}

impl Bench {
    /// The process dies when it reaches the point first, or pauses there.
    async fn die_or_pause(&self, seed: u64, point: Point, pause: Option<Duration>) -> Outcome {
        let mut reached = false;
        let mut hazard = |at: Point| {
            let first = at == point && !reached;
            reached |= first;
            match pause {
                Some(pause) if first => {
                    self.clock.advance(pause);
                    false
                }
                _ => first,
            }
        };
        self.finish(seed, &*self.store, &mut hazard).await?;
        ensure(reached, "the point was not reached")
    }

    /// The store fails at the nth call of a kind.
    async fn fail(&self, seed: u64, call: Call, injected: Injected, nth: u32) -> Outcome {
        let mut count = 0;
        let plan = move |this: Call| {
            let hit = this == call && count == nth;
            count += u32::from(this == call);
            if hit { injected } else { Injected::Nothing }
        };
        let store = Faulty::new(Arc::clone(&self.store), Arc::clone(&self.clock), plan);
        self.finish(seed, &store, &mut |_| false).await
    }

    /// Continues a new job until it is done. A worker that stopped is replaced by
    /// another one.
    async fn finish(
        &self,
        seed: u64,
        store: &dyn Store,
        hazard: &mut (dyn FnMut(Point) -> bool + Send),
    ) -> Outcome {
        let ledger = Ledger::in_memory(SESSION);
        let mut random = Random(seed << 32);
        let job = self.store.create(new_job(&mut random, ITEMS)).await?.id();
        for round in 0..MAX_ROUNDS {
            let mut worker = Worker {
                store,
                ledger: &ledger,
                clock: &*self.clock,
                holder: format!("worker {round}"),
                lease: LEASE,
                random: Random(random.next()),
                hazard: &mut *hazard,
            };
            match worker.round(1).await {
                Ok(()) | Err(Stop::Died | Stop::Store(StoreError::Unavailable(_))) => {}
                Err(Stop::Store(error)) => return Err(error.into()),
                Err(Stop::Ledger(error)) => return Err(error.into()),
            }
            if self.is_finished(job).await? {
                return ledger.check(&[self.store.get(job).await?]);
            }
            self.clock.advance(LEASE);
        }
        Err(Broken::new(format!("not done: {:?}", self.store.get(job).await?)))
    }

    /// Whether the job is done and its events are delivered.
    async fn is_finished(&self, job: JobId) -> Result<bool, Broken> {
        if !is_complete(&self.store.get(job).await?) {
            return Ok(false);
        }
        self.clock.advance(LEASE * 3);
        let left = self.store.outbox(1, Duration::ZERO).await?;
        Ok(left.is_empty())
    }
}

//! The contract, run against the store in memory.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ades_session::clock::SystemClock;
use ades_session::contract::race::{self, Death};
use ades_session::contract::{self, block_on};
use ades_session::store::{
    Change, JobId, JobRow, Keeper, KeyId, MemoryStore, NewJob, Sealed, Stage, Store, StoreError,
};

const LEASE: Duration = Duration::from_secs(60);

#[test]
fn the_store_in_memory_keeps_the_contract() {
    block_on(contract::check(async |clock| Ok(Arc::new(MemoryStore::with_clock(clock)) as Arc<_>)))
        .unwrap();
}

#[test]
fn nothing_is_lost_or_doubled_when_processes_die_and_calls_fail() {
    block_on(contract::crash::check(async |clock| {
        Ok(Arc::new(MemoryStore::with_clock(clock)) as Arc<_>)
    }))
    .unwrap();
}

#[test]
fn nothing_is_lost_or_doubled_when_threads_race() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = race::ledger(folder.path().join("ledger"));
    let store = MemoryStore::new();
    let jobs = block_on(race::create(&store, 1, 8, 5)).unwrap();
    std::thread::scope(|scope| {
        for seed in 2..6 {
            let (store, ledger, jobs) = (&store, &ledger, &jobs);
            let time = Duration::from_secs(2);
            scope.spawn(move || {
                block_on(race::work(store, ledger, jobs, seed, Death::Drop, time)).unwrap();
            });
        }
    });
    block_on(race::verify(&store, &ledger, &jobs)).unwrap();
}

/// Keeps the jobs as a file would, and can fail.
#[derive(Debug, Default)]
struct Kept {
    jobs: Mutex<BTreeMap<JobId, JobRow>>,
    writes: AtomicUsize,
    is_full: AtomicBool,
}

impl Kept {
    fn write(&self, change: impl FnOnce(&mut BTreeMap<JobId, JobRow>)) -> Result<(), StoreError> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("no space"));
        }
        self.writes.fetch_add(1, Ordering::SeqCst);
        change(&mut self.jobs.lock().unwrap());
        Ok(())
    }
}

impl Keeper for Kept {
    fn keep(&self, row: &JobRow) -> Result<(), StoreError> {
        self.write(|jobs| {
            jobs.insert(row.stored.id, row.clone());
        })
    }

    fn forget(&self, job: JobId) -> Result<(), StoreError> {
        self.write(|jobs| {
            jobs.remove(&job);
        })
    }
}

#[test]
fn a_store_with_a_keeper_keeps_the_contract() {
    block_on(contract::check(async |clock| {
        let keeper = Arc::new(Kept::default());
        Ok(Arc::new(MemoryStore::kept_by(keeper, [], clock)) as Arc<_>)
    }))
    .unwrap();
}

fn sealed(octet: u8) -> Sealed {
    Sealed::new(KeyId(1), vec![octet; 40])
}

fn new_job(octet: u8) -> NewJob {
    NewJob::new(JobId::from_random([octet; 16]), "", octet.to_string(), "signer", sealed(octet))
}

#[test]
fn kept_jobs_are_those_of_the_next_process_and_leases_are_not() {
    let keeper = Arc::new(Kept::default());
    let open = || {
        let jobs: Vec<_> = keeper.jobs.lock().unwrap().values().cloned().collect();
        MemoryStore::kept_by(Arc::clone(&keeper) as _, jobs, Arc::new(SystemClock))
    };
    let writes = || keeper.writes.load(Ordering::SeqCst);
    let store = open();
    let job = block_on(store.create(new_job(1))).unwrap().id();
    assert_eq!(writes(), 1);
    let lease = block_on(store.lease(job, "one", LEASE)).unwrap().unwrap();
    let lease = block_on(store.renew(&lease, LEASE)).unwrap();
    assert_eq!(writes(), 1);
    let change = Change::new(&lease.stored, Stage::Identifying, sealed(2));
    assert_eq!(block_on(store.put(&lease, 1, change)).unwrap(), 2);
    assert_eq!(writes(), 2);
    let mut before = block_on(store.get(job)).unwrap();
    before.leased_until = None;
    // The process is killed; nobody else could have the job.
    let next = open();
    assert_eq!(block_on(next.get(job)).unwrap(), before);
    let lease = block_on(next.lease(job, "two", LEASE)).unwrap().unwrap();
    block_on(next.remove(&lease, 2)).unwrap();
    assert!(keeper.jobs.lock().unwrap().is_empty());
}

#[test]
fn what_cannot_be_kept_is_not_changed() {
    let keeper = Arc::new(Kept::default());
    let store = MemoryStore::kept_by(Arc::clone(&keeper) as _, [], Arc::new(SystemClock));
    let is_full = |is: bool| keeper.is_full.store(is, Ordering::SeqCst);
    let job = block_on(store.create(new_job(1))).unwrap().id();
    let lease = block_on(store.lease(job, "one", LEASE)).unwrap().unwrap();
    let change = || Change::new(&lease.stored, Stage::Identifying, sealed(2));
    is_full(true);
    let failed = block_on(store.put(&lease, 1, change())).unwrap_err();
    assert!(matches!(failed, StoreError::Unavailable(_)), "{failed:?}");
    let failed = block_on(store.remove(&lease, 1)).unwrap_err();
    assert!(matches!(failed, StoreError::Unavailable(_)), "{failed:?}");
    let failed = block_on(store.create(new_job(2))).unwrap_err();
    assert!(matches!(failed, StoreError::Unavailable(_)), "{failed:?}");
    assert!(matches!(block_on(store.get(new_job(2).id)), Err(StoreError::NotFound)));
    let stored = block_on(store.get(job)).unwrap();
    assert_eq!((stored.version, stored.stage), (1, Stage::Start));
    is_full(false);
    // The lease is still there.
    assert_eq!(block_on(store.put(&lease, 1, change())).unwrap(), 2);
}

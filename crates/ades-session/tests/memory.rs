//! The contract, run against the store in memory.

use std::sync::Arc;
use std::time::Duration;

use ades_session::contract::race::{self, Death};
use ades_session::contract::{self, block_on};
use ades_session::store::MemoryStore;

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

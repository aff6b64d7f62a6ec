//! The contract, run against SQLite, and a race of processes on one file.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ades_session::contract::race::{self, Death};
use ades_session::contract::{self, block_on};
use ades_session::store::{JobId, Store};
use ades_session_sqlite::{Options, SqliteStore};

/// How long the processes race.
const RACE: Duration = Duration::from_secs(3);
const PROCESSES: u64 = 3;
/// Where a worker process finds the database.
const FOLDER: &str = "ADES_SESSION_RACE_FOLDER";
const SEED: &str = "ADES_SESSION_RACE_SEED";

/// The path of a new database for each call.
fn new_databases(folder: &Path) -> impl Fn() -> PathBuf {
    let count = std::cell::Cell::new(0);
    let folder = folder.to_owned();
    move || {
        count.set(count.get() + 1);
        folder.join(format!("{}.sqlite", count.get()))
    }
}

#[test]
fn sqlite_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let next = new_databases(folder.path());
    block_on(contract::check(async |clock| {
        Ok(Arc::new(Options::new().clock(clock).open(next())?) as Arc<_>)
    }))
    .unwrap();
}

#[test]
fn nothing_is_lost_or_doubled_when_processes_die_and_calls_fail() {
    let folder = tempfile::tempdir().unwrap();
    let next = new_databases(folder.path());
    block_on(contract::crash::check(async |clock| {
        Ok(Arc::new(Options::new().clock(clock).open(next())?) as Arc<_>)
    }))
    .unwrap();
}

fn jobs_of(folder: &Path) -> Vec<JobId> {
    let text = std::fs::read_to_string(folder.join("jobs")).unwrap();
    text.lines().map(|line| line.parse().unwrap()).collect()
}

/// A worker of the race, if this process was started as one.
#[test]
fn worker() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let seed = std::env::var(SEED).unwrap().parse().unwrap();
    let store = SqliteStore::open(folder.join("jobs.sqlite")).unwrap();
    let ledger = race::ledger(folder.join("ledger"));
    let jobs = jobs_of(&folder);
    block_on(race::work(&store, &ledger, &jobs, seed, Death::Abort, RACE)).unwrap();
}

fn start_worker(folder: &Path, seed: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "worker", "--quiet"])
        .env(FOLDER, folder)
        .env(SEED, seed.to_string())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn nothing_is_lost_or_doubled_when_processes_race_and_die() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let store = SqliteStore::open(path.join("jobs.sqlite")).unwrap();
    let jobs = block_on(race::create(&store, 1, 6, 5)).unwrap();
    let names: Vec<String> = jobs.iter().map(|job| format!("{job}\n")).collect();
    std::fs::write(path.join("jobs"), names.concat()).unwrap();

    let end = Instant::now() + RACE;
    let mut seed = 100;
    let mut start = || {
        seed += 1;
        start_worker(path, seed)
    };
    let mut workers: Vec<Child> = (0..PROCESSES).map(|_| start()).collect();
    let mut deaths = 0;
    while Instant::now() < end && !workers.is_empty() {
        let mut left = Vec::new();
        for mut worker in workers {
            match worker.try_wait().unwrap() {
                None => left.push(worker),
                // It was aborted; another process takes its place.
                Some(status) if status.code().is_none() => {
                    deaths += 1;
                    left.push(start());
                }
                Some(status) => assert!(status.success(), "a worker failed: {status}"),
            }
        }
        workers = left;
        std::thread::sleep(Duration::from_millis(2));
    }
    for mut worker in workers {
        let status = worker.wait().unwrap();
        assert!(status.success() || status.code().is_none(), "a worker failed: {status}");
    }
    block_on(race::verify(&store, &race::ledger(path.join("ledger")), &jobs)).unwrap();
    assert!(deaths > 0, "no process has died, so the race shows nothing");
}

/// A node of the kill test, if this process was started as one.
#[test]
fn node() {
    session_kills::node(async |path| Ok(Arc::new(SqliteStore::open(path)?) as Arc<_>));
}

#[test]
fn nothing_is_lost_or_doubled_when_nodes_are_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.sqlite");
    let store = Arc::new(SqliteStore::open(&path).unwrap());
    session_kills::race(path.to_str().unwrap(), store);
}

#[test]
#[cfg(unix)]
fn only_the_owner_can_read_the_database() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.sqlite");
    let store = SqliteStore::open(&path).unwrap();
    assert!(block_on(store.keys_in_use()).unwrap().is_empty());
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", file.path().display());
    }
}

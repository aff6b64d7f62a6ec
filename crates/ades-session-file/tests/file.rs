//! The contract, run against files, and processes that are killed.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ades_session::contract::{self, block_on};
use ades_session::sealing::{KeyRing, Nonce, Place, RootKey};
use ades_session::store::{
    ByReturnKey, JobId, JobRow, JobSelection, KeyId, NewJob, ReturnKeyHash, Sealed, Stage, Store,
    StoreError, Stored, When,
};
use ades_session_file::{FileStore, StoredRow};

const LEASE: Duration = Duration::from_secs(60);

/// The path of a new folder for each call.
fn new_folders(parent: &Path) -> impl Fn() -> PathBuf {
    let count = std::cell::Cell::new(0);
    let parent = parent.to_owned();
    move || {
        count.set(count.get() + 1);
        let folder = parent.join(count.get().to_string());
        std::fs::create_dir(&folder).unwrap();
        folder
    }
}

#[test]
fn files_keep_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let next = new_folders(folder.path());
    block_on(contract::check(async |clock| {
        Ok(Arc::new(FileStore::with_clock(next(), clock)?) as Arc<_>)
    }))
    .unwrap();
}

#[test]
fn nothing_is_lost_or_doubled_when_processes_die_and_calls_fail() {
    let folder = tempfile::tempdir().unwrap();
    let next = new_folders(folder.path());
    block_on(contract::crash::check(async |clock| {
        Ok(Arc::new(FileStore::with_clock(next(), clock)?) as Arc<_>)
    }))
    .unwrap();
}

/// A node of the kill test, if this process was started as one.
#[test]
fn node() {
    session_kills::node(async |folder| Ok(Arc::new(FileStore::open(folder)?) as Arc<_>));
}

#[test]
fn nothing_is_lost_or_doubled_when_nodes_are_killed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(FileStore::open(folder.path()).unwrap());
    session_kills::race(folder.path().to_str().unwrap(), store);
}

fn new_job(no: u8) -> NewJob {
    let body = Sealed::new(KeyId(1), vec![no; 40]);
    let mut job = NewJob::new(JobId::from_random([no; 16]), "", no.to_string(), "signer", body);
    job.due = Some(When::In(Duration::ZERO));
    job
}

#[test]
#[cfg(unix)]
fn only_the_owner_can_read_a_job() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::open(folder.path()).unwrap();
    block_on(store.create(new_job(1))).unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", file.path().display());
    }
}

#[test]
fn a_damaged_file_stops_only_its_job() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::open(folder.path()).unwrap();
    let one = block_on(store.create(new_job(1))).unwrap().id();
    let two = block_on(store.create(new_job(2))).unwrap().id();
    let path = folder.path().join(format!("{one}.job"));
    let whole = std::fs::read_to_string(&path).unwrap();
    let newer = whole.replace("{\"version\":1,", "{\"version\":2,");
    let odd = whole.replace("\"start\"", "\"begin\"");
    let cut = whole[..whole.len() / 2].to_owned();
    for (text, expected) in [(newer, "version"), (odd, "stage"), (cut, "file")] {
        std::fs::write(&path, text).unwrap();
        let damaged = |found: Result<(), StoreError>| {
            let is = matches!(found, Err(StoreError::Damaged { column }) if column == expected);
            assert!(is, "{found:?}, not {expected}");
        };
        damaged(block_on(store.get(one)).map(drop));
        damaged(block_on(store.lease(one, "", LEASE)).map(drop));
        // The job that is begun again may be the damaged one.
        damaged(block_on(store.create(new_job(3))).map(drop));
        damaged(block_on(store.find("", "1")).map(drop));
        damaged(block_on(store.keys_in_use()).map(drop));
        assert_eq!(block_on(store.find("", "2")).unwrap(), Some(two));
        let due = block_on(store.lease_many(JobSelection::Due, 9, "", LEASE)).unwrap();
        assert_eq!(due.iter().map(|lease| lease.job()).collect::<Vec<_>>(), [two]);
        block_on(store.release(&due[0])).unwrap();
        let stranger = block_on(store.lease_by_return_key(ReturnKeyHash::of("x"), "", LEASE));
        assert_eq!(stranger.unwrap(), ByReturnKey::Unknown);
    }
    std::fs::write(&path, whole).unwrap();
    assert!(block_on(store.lease(one, "", LEASE)).unwrap().is_some());
}

#[test]
fn a_job_moves_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    for folder in [&here, &there] {
        std::fs::create_dir(folder).unwrap();
    }
    let (from, to) = (FileStore::open(&here).unwrap(), FileStore::open(&there).unwrap());
    let job = block_on(from.create(new_job(1))).unwrap().id();
    let before = block_on(from.get(job)).unwrap();
    let name = format!("{job}.job");
    std::fs::rename(here.join(&name), there.join(&name)).unwrap();
    assert!(matches!(block_on(from.get(job)), Err(StoreError::NotFound)));
    assert_eq!(block_on(to.get(job)).unwrap(), before);
    // A killed process leaves a file that it did not finish. Opening the folder removes it.
    std::fs::write(there.join(".unfinished-1"), b"half").unwrap();
    FileStore::open(&there).unwrap();
    assert!(!there.join(".unfinished-1").exists());
}

/// A job that is not sealed is readable JSON, and one that is sealed is not.
#[test]
fn the_stored_form_of_a_job_is_that_of_the_job() {
    let content = br#"{"version":1,"job":["text",7]}"#;
    let plain = KeyRing::unsealed();
    let keys = KeyRing::new(KeyId(1), RootKey::from_hex(&"07".repeat(32)).unwrap());
    let id = JobId::from_random([1; 16]);
    let place = Place::Body { job: id, stage: Stage::Start, version: 1 };
    for (ring, is_readable) in [(&plain, true), (&keys, false)] {
        let body = ring.seal(&place, content, Nonce::from_random([3; 24])).unwrap();
        let new = NewJob::new(id, "tenant", "key", "signer", body);
        let row = JobRow::new(Stored::created(new, chrono::DateTime::UNIX_EPOCH));
        let stored = serde_json::to_string(&StoredRow::of(&row)).unwrap();
        assert_eq!(stored.contains(r#"{"unsealed":{"job":["text",7],"version":1}}"#), is_readable);
        let again: StoredRow = serde_json::from_str(&stored).unwrap();
        assert!(again == StoredRow::of(&row));
        let again = again.into_row(id).unwrap();
        let opened = ring.open(&place, &again.stored.body).unwrap();
        let json = |octets: &[u8]| serde_json::from_slice::<serde_json::Value>(octets).unwrap();
        assert_eq!(json(&opened), json(content));
        // Whoever can write to the file cannot put in a body of their own.
        assert_eq!(keys.open(&place, &again.stored.body).is_err(), is_readable);
        let odd = stored.replace("\"start\"", "\"begin\"");
        let odd = serde_json::from_str::<StoredRow>(&odd).unwrap().into_row(id);
        assert!(matches!(odd, Err(StoreError::Damaged { column: "stage" })), "{odd:?}");
    }
}

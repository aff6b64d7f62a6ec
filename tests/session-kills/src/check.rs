//! What must hold at the end.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use ades::{Digest, DigestAlgorithm, Document, VerifyOptions};
use ades_session::store::{BatchState, EventKind, Stage, Store};

use crate::user::Signed;
use crate::world::{World, names};

/// How long an event that was taken is nobody else's.
const DELIVERY: Duration = Duration::from_secs(60);

/// Compares the store, the folder and the sandbox with what the users saw.
pub(crate) fn all(world: &World, store: &dyn Store, signed: &[Signed]) {
    assert!(!signed.is_empty());
    let mut batches = 0;
    let mut files = BTreeSet::new();
    for one in signed {
        batches += job(world, store, one);
        for no in 0..one.documents {
            let (document, container) = names(&one.key, no);
            files.extend([document, container]);
        }
    }
    // Files that killed nodes did not finish are hidden.
    let found: BTreeSet<String> = std::fs::read_dir(world.documents())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect();
    assert_eq!(found, files, "a container is lost or doubled");

    // Each question was stored before it was asked, each user confirmed once, and nobody was asked
    // again without their own wish. A batch more than that was stored by a process that was paused
    // before it asked.
    let (opened, confirmed) = world.signature_sessions();
    let allowed: usize = signed.iter().map(|one| one.allowed).sum();
    assert!(opened <= batches, "{opened} sessions were opened for {batches} batches");
    assert!(opened <= signed.len() + allowed, "{opened} sessions, {allowed} asked again");
    assert_eq!(confirmed, signed.len(), "sessions that were confirmed");
    assert_eq!(world.block_on(events(store)), signed.len(), "events of signed jobs");
}

/// Checks a job. Returns the number of its batches.
fn job(world: &World, store: &dyn Store, signed: &Signed) -> usize {
    let key = &signed.key;
    let stored = world.block_on(store.get(signed.job)).unwrap();
    assert_eq!(stored.stage, Stage::Done, "{key}");
    assert_eq!(stored.items.len(), signed.documents, "{key}");
    let mut digests = BTreeSet::new();
    for item in &stored.items {
        assert!(item.value.is_some(), "{key}: item {}", item.no);
        assert!(digests.insert(&item.digest), "{key}: item {} is confirmed twice", item.no);
        let (_, container) = names(key, usize::try_from(item.no).unwrap());
        let octets = std::fs::read(world.documents().join(container)).unwrap();
        let digest = Digest::of(DigestAlgorithm::Sha256, &octets);
        let expected = item.container_digest.as_deref().unwrap();
        assert_eq!(digest.value(), expected, "{key}: item {}", item.no);
        let (mut document, now) = (Document::from_bytes(&octets), SystemTime::now().into());
        let report = ades::verify(&mut document, VerifyOptions::new(), now).unwrap();
        assert_eq!(report.integrity(), Some(true), "{key}: item {}", item.no);
    }
    let valued = stored.batches.iter().filter(|batch| batch.state == BatchState::Valued);
    assert_eq!(valued.count(), 1, "{key}: {:?}", stored.batches);
    assert!(stored.batches.iter().all(|batch| !batch.state.is_open()), "{key}");
    stored.batches.len()
}

/// Takes all events, and returns how many jobs were signed.
async fn events(store: &dyn Store) -> usize {
    let mut count = 0;
    loop {
        let events = store.outbox(100, DELIVERY).await.unwrap();
        if events.is_empty() {
            return count;
        }
        for event in events {
            count += usize::from(event.kind == EventKind::Signed);
            store.delivered(&event).await.unwrap();
        }
    }
}

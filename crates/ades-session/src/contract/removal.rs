//! Purging, removing, and keys.

use std::time::Duration;

use super::bench::{Bench, LEASE};
use super::{Broken, Outcome, ensure, equal};
use crate::store::{
    BatchChange, BatchState, ByReturnKey, Created, EventKind, ItemChange, JobSelection, KeyId,
    Lease, NewReturnKey, ReturnKeyHash, ReturnPurpose, Sealed, Stage, StoreError, When,
};

const DAY: Duration = Duration::from_secs(86_400);

async fn is_there(bench: &Bench, lease: &Lease) -> Result<bool, Broken> {
    match bench.store.get(lease.job()).await {
        Ok(_) => Ok(true),
        Err(StoreError::NotFound) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// A job with a value, in its last stage, to be purged after a day.
async fn with_value(bench: &Bench, stage: Stage) -> Result<Lease, Broken> {
    let lease = bench.leased().await?;
    let mut change = bench.change(&lease, Stage::Asking);
    change.batches = vec![BatchChange::asking(0, "request")];
    change.items = vec![ItemChange::Asked { no: 0, batch: 0, digest: vec![0; 32] }];
    let key = ReturnKeyHash::of(&lease.job().to_string());
    change.return_keys = vec![NewReturnKey::new(key, ReturnPurpose::Signing, When::In(LEASE))];
    let lease = bench.step(lease, change).await?;
    let mut change = bench.change(&lease, stage);
    change.batches = vec![BatchChange::state(0, BatchState::Valued)];
    change.items = vec![ItemChange::Value { no: 0, value: Sealed::new(KeyId(2), vec![1; 9]) }];
    change.purge = Some(When::In(DAY));
    bench.step(lease, change).await
}

pub(super) async fn purge(bench: Bench) -> Outcome {
    let unfinished = with_value(&bench, Stage::Values).await?;
    let unfetched = with_value(&bench, Stage::Cancelled).await?;
    let leased = bench.leased().await?;
    let mut change = bench.change(&leased, Stage::Done);
    change.purge = Some(When::In(DAY));
    bench.store.put(&leased, 1, change.clone()).await?;
    let unsent = bench.leased().await?;
    change.events = vec![bench.event(EventKind::Refused)];
    bench.store.put(&unsent, 1, change.clone()).await?;
    change.events.clear();
    change.purge = None;
    let kept = bench.leased().await?;
    bench.store.put(&kept, 1, change).await?;
    bench.store.release(&unsent).await?;
    bench.store.release(&kept).await?;

    equal("too early", bench.store.purge(9).await?, 0)?;
    bench.clock.advance(DAY);
    let last = bench.lease(leased.job()).await?;
    equal("nothing can go", bench.store.purge(9).await?, 0)?;
    bench.store.release(&last).await?;
    equal("it is no longer leased", bench.store.purge(9).await?, 1)?;
    ensure(!is_there(&bench, &leased).await?, "it is still there")?;
    for event in bench.store.outbox(9, LEASE).await? {
        bench.store.delivered(&event).await?;
    }
    equal("its event is delivered", bench.store.purge(9).await?, 1)?;
    let lease = bench.lease(unfetched.job()).await?;
    let mut change = bench.change(&lease, Stage::Cancelled);
    change.items = vec![ItemChange::Container { no: 0, digest: vec![3; 32] }];
    bench.store.put(&lease, lease.stored.version, change).await?;
    bench.store.release(&lease).await?;
    equal("its container is there", bench.store.purge(9).await?, 1)?;
    ensure(is_there(&bench, &unfinished).await?, "an unfinished job was purged")?;
    ensure(is_there(&bench, &kept).await?, "a job without a time was purged")
}

pub(super) async fn remove(bench: Bench) -> Outcome {
    let lease = with_value(&bench, Stage::Values).await?;
    let mut change = bench.change(&lease, Stage::Values);
    change.events = vec![bench.event(EventKind::Signed)];
    let lease = bench.step(lease, change).await?;
    let version = lease.stored.version;
    let found = bench.store.remove(&lease, version - 1).await;
    let conflict = matches!(found, Err(StoreError::Conflict { .. }));
    ensure(conflict, format!("found {found:?}, expected a conflict"))?;
    bench.store.remove(&lease, version).await?;
    ensure(!is_there(&bench, &lease).await?, "it is still there")?;
    equal("events", bench.store.outbox(9, LEASE).await?.len(), 0)?;
    let key = ReturnKeyHash::of(&lease.job().to_string());
    let returned = bench.store.lease_by_return_key(key, "web", LEASE).await?;
    equal("return key", returned, ByReturnKey::Unknown)?;
    // The name is free again.
    let job = bench.new_job(&lease.stored.application_key);
    equal("created again", bench.store.create(job.clone()).await?, Created::New(job.id))
}

pub(super) async fn keys(bench: Bench) -> Outcome {
    equal("an empty store", bench.store.keys_in_use().await?, vec![])?;
    let old = with_value(&bench, Stage::Values).await?;
    let mut change = bench.change(&old, Stage::Values);
    let mut event = bench.event(EventKind::ValuesHere);
    event.body = Some(Sealed::new(KeyId(7), vec![1]));
    change.events = vec![event];
    let old = bench.step(old, change).await?;
    let other = bench.leased().await?;
    bench.store.release(&old).await?;
    bench.store.release(&other).await?;
    let expected = vec![(KeyId(1), 2), (KeyId(2), 1), (KeyId(7), 1)];
    equal("keys", bench.store.keys_in_use().await?, expected)?;

    let leases =
        bench.store.lease_many(JobSelection::SealedWith(KeyId(9)), 9, "sweeper", LEASE).await?;
    equal("unused key", leases.len(), 0)?;
    let leases =
        bench.store.lease_many(JobSelection::SealedWith(KeyId(2)), 9, "sweeper", LEASE).await?;
    let Some(lease) = leases.first() else { return Err(Broken::new("no job with the key 2")) };
    equal("the job with the value", (lease.job(), leases.len()), (old.job(), 1))?;
    let mut change = bench.change(lease, Stage::Values);
    change.body.key = KeyId(5);
    let value = Sealed::new(KeyId(5), vec![2; 9]);
    change.items = vec![ItemChange::Resealed { no: 0, value: value.clone() }];
    bench.store.put(lease, lease.stored.version, change).await?;
    let stored = bench.store.get(old.job()).await?;
    equal("sealed again", stored.items.first().and_then(|item| item.value.clone()), Some(value))?;
    let expected = vec![(KeyId(1), 1), (KeyId(5), 2), (KeyId(7), 1)];
    equal("keys afterwards", bench.store.keys_in_use().await?, expected)
}

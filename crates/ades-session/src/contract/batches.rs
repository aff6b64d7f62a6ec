//! Batches, items, values and containers.

use super::bench::Bench;
use super::{Outcome, equal};
use crate::store::{
    BatchChange, BatchState, Change, EventKind, Invariant, ItemChange, KeyId, Lease, Sealed, Stage,
};

fn asked(no: u32, batch: u32) -> ItemChange {
    ItemChange::Asked { no, batch, digest: vec![no as u8; 32] }
}

fn value(no: u32, octet: u8) -> ItemChange {
    ItemChange::Value { no, value: Sealed::new(KeyId(1), vec![octet; 300]) }
}

const fn container(no: u32, digest: Vec<u8>) -> ItemChange {
    ItemChange::Container { no, digest }
}

/// A change that asks for a batch with these items.
fn ask(bench: &Bench, lease: &Lease, batch: u32, items: &[u32]) -> Change {
    let mut change = bench.change(lease, Stage::Asking);
    change.batches = vec![BatchChange::asking(batch, format!("request {batch}"))];
    change.items = items.iter().map(|no| asked(*no, batch)).collect();
    change
}

fn state(bench: &Bench, lease: &Lease, batch: u32, state: BatchState) -> Change {
    let mut change = bench.change(lease, Stage::Signing);
    change.batches = vec![BatchChange::state(batch, state)];
    change
}

pub(super) async fn one_open(bench: Bench) -> Outcome {
    let mut lease = bench.leased().await?;
    let unknown = Invariant::Unknown { what: "batch", no: 1 };
    bench.refused(&lease, state(&bench, &lease, 1, BatchState::Open), unknown).await?;
    lease = bench.step(lease.clone(), ask(&bench, &lease, 1, &[0, 1])).await?;
    for open in [BatchState::Asking, BatchState::Open, BatchState::Unknown] {
        lease = bench.step(lease.clone(), state(&bench, &lease, 1, open)).await?;
        let second = ask(&bench, &lease, 2, &[0, 1]);
        bench.refused(&lease, second, Invariant::OneOpenBatch { batch: 1 }).await?;
    }
    // One change may end the first batch and open the second, in either order.
    let mut change = ask(&bench, &lease, 2, &[0, 1]);
    change.batches.push(BatchChange::state(1, BatchState::Refused));
    lease = bench.step(lease, change).await?;
    let batches: Vec<_> = lease.stored.batches.iter().map(|b| (b.no, b.state)).collect();
    equal("batches", batches, vec![(1, BatchState::Refused), (2, BatchState::Asking)])?;
    let batch = lease.stored.open_batch().map(|b| (b.no, b.request_id.as_str()));
    equal("request id", batch, Some((2, "request 2")))?;
    let items: Vec<_> = lease.stored.items.iter().map(|item| (item.no, item.batch)).collect();
    equal("items", items, vec![(0, 2), (1, 2)])?;
    let again = state(&bench, &lease, 1, BatchState::Open);
    bench.refused(&lease, again, Invariant::BatchEnded { batch: 1 }).await
}

pub(super) async fn written_once(bench: Bench) -> Outcome {
    let lease = bench.leased().await?;
    let lease = bench.step(lease.clone(), ask(&bench, &lease, 0, &[0, 1])).await?;
    let with = |lease: &Lease, items: Vec<ItemChange>| {
        let mut change = bench.change(lease, Stage::Values);
        change.items = items;
        change
    };
    let change = with(&lease, vec![value(7, 1)]);
    bench.refused(&lease, change, Invariant::Unknown { what: "item", no: 7 }).await?;
    let change = with(&lease, vec![container(0, vec![1; 32])]);
    bench.refused(&lease, change, Invariant::ValueFirst { item: 0 }).await?;

    let mut change = with(&lease, vec![value(0, 1), value(1, 2)]);
    change.batches = vec![BatchChange::state(0, BatchState::Valued)];
    let lease = bench.step(lease, change).await?;
    let change = with(&lease, vec![value(1, 2)]);
    bench.refused(&lease, change, Invariant::OneValue { item: 1 }).await?;
    let change = ask(&bench, &lease, 1, &[0]);
    bench.refused(&lease, change, Invariant::OneValue { item: 0 }).await?;

    let lease = bench.step(lease.clone(), with(&lease, vec![container(0, vec![1; 32])])).await?;
    let lease = bench.step(lease.clone(), with(&lease, vec![container(0, vec![1; 32])])).await?;
    let change = with(&lease, vec![container(0, vec![2; 32])]);
    bench.refused(&lease, change, Invariant::OneContainer { item: 0 }).await?;
    let octets = |value: &Sealed| value.octets.first().copied();
    let items = lease.stored.items.iter();
    let items: Vec<_> = items
        .map(|item| (item.value.as_ref().and_then(octets), item.container_digest.clone()))
        .collect();
    let expected = vec![(Some(1), Some(vec![1; 32])), (Some(2), None)];
    equal("values and containers", items, expected)
}

pub(super) async fn digests(bench: Bench) -> Outcome {
    let lease = bench.leased().await?;
    let lease = bench.step(lease.clone(), ask(&bench, &lease, 0, &[5])).await?;
    let other = |lease: &Lease, batch: u32| {
        let mut change = bench.change(lease, Stage::Asking);
        change.items = vec![ItemChange::Asked { no: 5, batch, digest: vec![9; 48] }];
        change
    };
    let kept = Invariant::DigestKept { item: 5 };
    bench.refused(&lease, other(&lease, 0), kept).await?;
    let no_batch = Invariant::Unknown { what: "open batch", no: 1 };
    bench.refused(&lease, other(&lease, 1), no_batch).await?;
    // After the refusal, another certificate means another digest.
    let lease = bench.step(lease.clone(), state(&bench, &lease, 0, BatchState::Refused)).await?;
    let mut change = other(&lease, 1);
    change.batches = vec![BatchChange::asking(1, "again")];
    let lease = bench.step(lease, change).await?;
    let items: Vec<_> = lease.stored.items.iter().map(|item| item.digest.clone()).collect();
    equal("the new digest", items, vec![vec![9; 48]])
}

pub(super) async fn all_or_nothing(bench: Bench) -> Outcome {
    let lease = bench.leased().await?;
    let lease = bench.step(lease.clone(), ask(&bench, &lease, 0, &[0])).await?;
    let before = bench.store.get(lease.job()).await?;
    // The last part is refused: an item that does not exist.
    let mut change = bench.change(&lease, Stage::Values);
    change.batches = vec![BatchChange::state(0, BatchState::Valued)];
    change.items = vec![value(0, 1), value(1, 1)];
    change.events = vec![bench.event(EventKind::ValuesHere)];
    bench.refused(&lease, change, Invariant::Unknown { what: "item", no: 1 }).await?;
    equal("the job", bench.store.get(lease.job()).await?, before.clone())?;
    // An event's id is used twice, after everything else is written.
    let event = bench.event(EventKind::ValuesHere);
    let mut change = bench.change(&lease, Stage::Values);
    change.items = vec![value(0, 1)];
    change.events = vec![event.clone(), event];
    bench.refused(&lease, change, Invariant::Once { what: "event's id" }).await?;
    equal("the job again", bench.store.get(lease.job()).await?, before)?;
    let events = bench.store.outbox(9, super::bench::LEASE).await?;
    equal("events", events.len(), 0)
}

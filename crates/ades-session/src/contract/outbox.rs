//! Events.

use std::time::Duration;

use super::bench::{Bench, LEASE, START};
use super::{Broken, Outcome, ensure, equal};
use crate::store::{Event, EventKind, JobId, KeyId, Lease, NewEvent, Sealed, Stage};

async fn with_events(bench: &Bench, kinds: &[EventKind]) -> Result<(Lease, Vec<NewEvent>), Broken> {
    let lease = bench.leased().await?;
    let mut change = bench.change(&lease, Stage::Done);
    change.events = kinds.iter().map(|kind| bench.event(*kind)).collect();
    if let Some(first) = change.events.first_mut() {
        first.body = Some(Sealed::new(KeyId(3), b"details".to_vec()));
    }
    let events = change.events.clone();
    Ok((bench.step(lease, change).await?, events))
}

fn summary(events: &[Event]) -> Vec<(JobId, EventKind, u32)> {
    events.iter().map(|event| (event.job, event.kind, event.tries)).collect()
}

pub(super) async fn in_order(bench: Bench) -> Outcome {
    let (one, written) = with_events(&bench, &[EventKind::ValuesHere, EventKind::Signed]).await?;
    let (two, _) = with_events(&bench, &[EventKind::Refused]).await?;
    let taken = bench.store.outbox(1, LEASE).await?;
    equal("the oldest", summary(&taken), vec![(one.job(), EventKind::ValuesHere, 1)])?;
    let Some(first) = taken.first() else { return Ok(()) };
    let expected = written.first().map(|event| (event.id, event.body.clone()));
    equal("id and details", Some((first.id, first.body.clone())), expected)?;
    equal("time", first.happened_at, START)?;
    // The second event of the job waits for the first.
    let taken = bench.store.outbox(9, LEASE).await?;
    equal("other jobs", summary(&taken), vec![(two.job(), EventKind::Refused, 1)])?;
    equal("nothing is left", bench.store.outbox(9, LEASE).await?.len(), 0)?;
    bench.store.delivered(first).await?;
    bench.store.delivered(first).await?;
    let next = bench.store.outbox(9, LEASE).await?;
    equal("the next", summary(&next), vec![(one.job(), EventKind::Signed, 1)])?;
    ensure(next.iter().all(|event| event.seq > first.seq), "the order does not grow")
}

pub(super) async fn repeated(bench: Bench) -> Outcome {
    let (lease, _) = with_events(&bench, &[EventKind::Signed]).await?;
    let job = lease.job();
    let first = bench.store.outbox(9, LEASE).await?;
    bench.clock.advance(LEASE);
    let second = bench.store.outbox(9, LEASE).await?;
    equal("after its time", summary(&second), vec![(job, EventKind::Signed, 2)])?;
    let ids = |events: &[Event]| events.iter().map(|event| event.id).collect::<Vec<_>>();
    equal("the same id", ids(&second), ids(&first))?;
    // Who took it first is too late to say when it is tried again.
    for (event, retry_in) in [(&first, Duration::ZERO), (&second, LEASE * 2)] {
        for event in event {
            bench.store.failed(event, retry_in).await?;
        }
    }
    equal("it waits", bench.store.outbox(9, LEASE).await?.len(), 0)?;
    bench.clock.advance(LEASE);
    equal("it still waits", bench.store.outbox(9, LEASE).await?.len(), 0)?;
    bench.clock.advance(LEASE);
    let third = bench.store.outbox(9, LEASE).await?;
    equal("the next try", summary(&third), vec![(job, EventKind::Signed, 3)])?;
    // What was delivered is delivered, whoever says it.
    for event in &first {
        bench.store.delivered(event).await?;
    }
    bench.clock.advance(LEASE * 10);
    equal("delivered", bench.store.outbox(9, LEASE).await?.len(), 0)
}

//! Creating, leases, versions and times.

use std::time::Duration;

use chrono::TimeDelta;

use super::bench::{Bench, LEASE, START};
use super::{Broken, Outcome, ensure, equal};
use crate::store::{
    Created, Intent, Invariant, JobId, JobSelection, KeyId, Lease, MAX_BODY_LEN, MAX_LEASE,
    MAX_NAME_LEN, MAX_PER_CALL, Sealed, Stage, StoreError, StoreLimit, Stored, When,
};

const SECOND: Duration = Duration::from_secs(1);

fn lost(found: Result<impl std::fmt::Debug, StoreError>, lease: &Lease) -> Outcome {
    let is_lost = matches!(&found, Err(StoreError::LeaseLost { lease: no }) if *no == lease.no);
    ensure(is_lost, format!("found {found:?}, expected that lease {} is lost", lease.no))
}

pub(super) async fn create_is_idempotent(bench: Bench) -> Outcome {
    let job = bench.new_job("order 1");
    let id = job.id;
    let body = job.body.clone();
    equal("new job", bench.store.create(job.clone()).await?, Created::New(id))?;
    equal("the same again", bench.store.create(job.clone()).await?, Created::Existing(id))?;
    let other = bench.new_job("order 1");
    equal("same application key", bench.store.create(other).await?, Created::Existing(id))?;
    let mut foreign = bench.new_job("order 1");
    foreign.tenant = "another tenant".to_owned();
    equal("another tenant", bench.store.create(foreign.clone()).await?, Created::New(foreign.id))?;
    let mut same_name = job;
    same_name.application_key = "order 2".to_owned();
    let found = bench.store.create(same_name).await;
    let refused = matches!(found, Err(StoreError::Invariant(Invariant::Once { .. })));
    ensure(refused, format!("a job's name was used twice: {found:?}"))?;

    let stored = bench.store.get(id).await?;
    equal("version", stored.version, 1)?;
    equal("stage", stored.stage, Stage::Start)?;
    equal("body", &stored.body, &body)?;
    equal("created", stored.created_at, START)?;
    equal("tenant", stored.tenant.as_str(), "tenant")?;
    equal("application key", stored.application_key.as_str(), "order 1")?;
    equal("signer", stored.signer.as_str(), "test-signer")?;
    equal("find", bench.store.find("tenant", "order 1").await?, Some(id))?;
    equal("find for another tenant", bench.store.find("nobody", "order 1").await?, None)
}

pub(super) async fn missing(bench: Bench) -> Outcome {
    let missing = JobId::from_random([0xff; 16]);
    let not_found = |found: Result<(), StoreError>| {
        let is_not_found = matches!(found, Err(StoreError::NotFound));
        ensure(is_not_found, format!("found {found:?}, expected NotFound"))
    };
    not_found(bench.store.get(missing).await.map(drop))?;
    not_found(bench.store.lease(missing, "worker", LEASE).await.map(drop))?;
    let mut lease = bench.leased().await?;
    lease.stored.id = missing;
    let change = bench.change(&lease, Stage::Done);
    not_found(bench.store.put(&lease, 1, change).await.map(drop))?;
    not_found(bench.store.remove(&lease, 1).await)?;
    not_found(bench.store.renew(&lease, LEASE).await.map(drop))?;
    bench.store.release(&lease).await?;
    Ok(())
}

pub(super) async fn one_at_a_time(bench: Bench) -> Outcome {
    let job = bench.job().await?;
    let first = bench.lease(job).await?;
    equal("end of the lease", first.until, START + LEASE)?;
    equal("present time", first.now, START)?;
    equal("leased in store", bench.store.get(job).await?.leased_until, Some(first.until))?;
    equal("second lease", bench.store.lease(job, "other", LEASE).await?.map(|l| l.no), None)?;
    // A lease ends at its end, not after it.
    bench.clock.advance(LEASE);
    let second = bench.lease(job).await?;
    ensure(second.no > first.no, "the numbers of leases do not grow")?;
    equal("a lease is not a change", second.stored.version, 1)?;
    Ok(())
}

pub(super) async fn fencing(bench: Bench) -> Outcome {
    let lapsed = bench.leased().await?;
    bench.clock.advance(LEASE);
    // Nobody else has a lease, and yet it has lapsed.
    let change = bench.change(&lapsed, Stage::Asking);
    lost(bench.store.put(&lapsed, 1, change.clone()).await, &lapsed)?;
    lost(bench.store.renew(&lapsed, LEASE).await, &lapsed)?;
    lost(bench.store.remove(&lapsed, 1).await, &lapsed)?;
    let newer = bench.lease(lapsed.job()).await?;
    lost(bench.store.put(&lapsed, 1, change.clone()).await, &lapsed)?;
    // The older lease cannot end the newer one.
    bench.store.release(&lapsed).await?;
    equal("after the release", bench.store.lease(newer.job(), "x", LEASE).await?.is_none(), true)?;
    equal("written by the newer lease", bench.store.put(&newer, 1, change).await?, 2)?;
    // The version that a lost lease names does not matter.
    let change = bench.change(&lapsed, Stage::Identified);
    lost(bench.store.put(&lapsed, 2, change).await, &lapsed)?;
    equal("stage", bench.store.get(newer.job()).await?.stage, Stage::Asking)
}

pub(super) async fn versions(bench: Bench) -> Outcome {
    let lease = bench.leased().await?;
    let change = bench.change(&lease, Stage::Identifying);
    let body = change.body.clone();
    ensure(!lease.stored.is_result_of(1, &body), "a change is there before it is written")?;
    equal("version", bench.store.put(&lease, 1, change.clone()).await?, 2)?;
    let stored = bench.store.get(lease.job()).await?;
    ensure(stored.is_result_of(1, &body), "a change cannot be recognised")?;
    ensure(!stored.is_result_of(1, &bench.body()), "another change is recognised")?;
    for version in [1, 3] {
        let found = bench.store.put(&lease, version, change.clone()).await;
        let expected = matches!(found, Err(StoreError::Conflict { expected, found: 2 }) if expected == version);
        ensure(expected, format!("version {version}: {found:?}, expected a conflict"))?;
    }
    equal("unchanged", bench.store.get(lease.job()).await?, stored)?;
    equal("next version", bench.store.put(&lease, 2, change).await?, 3)
}

pub(super) async fn renewed(bench: Bench) -> Outcome {
    let lease = bench.leased().await?;
    bench.clock.advance(LEASE - SECOND);
    let renewed = bench.store.renew(&lease, LEASE).await?;
    equal("end", renewed.until, START + LEASE + LEASE - SECOND)?;
    equal("number", renewed.no, lease.no)?;
    bench.clock.advance(LEASE - SECOND);
    let change = bench.change(&lease, Stage::Identifying);
    bench.store.put(&renewed, 1, change).await?;
    bench.store.release(&renewed).await?;
    lost(bench.store.renew(&renewed, LEASE).await, &renewed)?;
    let change = bench.change(&lease, Stage::Identifying);
    lost(bench.store.put(&renewed, 2, change).await, &renewed)?;
    let next = bench.lease(lease.job()).await?;
    ensure(next.no > lease.no, "the number of a released lease is used again")
}

fn in_and_at(stored: &Stored) -> [Option<TimeDelta>; 3] {
    [stored.due_at, stored.expires_at, stored.purge_at].map(|time| Some(time? - START))
}

pub(super) async fn times(bench: Bench) -> Outcome {
    let mut job = bench.new_job("times");
    job.due = Some(When::In(Duration::from_millis(1500)));
    job.expires = Some(When::At(START + TimeDelta::days(1)));
    job.purge = Some(When::In(Duration::MAX));
    let id = bench.store.create(job).await?.id();
    let stored = bench.store.get(id).await?;
    let [due, expires, purge] = in_and_at(&stored);
    equal("due", due, Some(TimeDelta::milliseconds(1500)))?;
    equal("expires", expires, Some(TimeDelta::days(1)))?;
    ensure(purge > Some(TimeDelta::days(365_000)), "a very late time is lost")?;

    bench.clock.advance(SECOND);
    let lease = bench.lease(id).await?;
    let mut change = bench.change(&lease, Stage::Asking);
    change.due = Some(When::In(SECOND));
    change.intent = Some(Intent::Sign);
    change.tries = 7;
    bench.store.put(&lease, 1, change).await?;
    let changed = bench.store.get(id).await?;
    let [due, expires, purge] = in_and_at(&changed);
    equal("due from the present time", due, Some(TimeDelta::seconds(2)))?;
    equal("expires is removed", expires, None)?;
    equal("purge is kept", purge, Some(stored.purge_at.unwrap_or(START) - START))?;
    equal("intent", changed.intent, Some(Intent::Sign))?;
    equal("tries", changed.tries, 7)?;
    equal("created", changed.created_at, START)?;
    equal("changed", changed.changed_at, START + SECOND)
}

pub(super) async fn due(bench: Bench) -> Outcome {
    let mut ids = Vec::new();
    for (key, seconds) in [("late", 3), ("first", 1), ("second", 2), ("much later", 900)] {
        let mut job = bench.new_job(key);
        job.due = Some(When::In(SECOND * seconds));
        job.expires = Some(When::In(SECOND * (1000 - seconds)));
        ids.push(bench.store.create(job).await?.id());
    }
    bench.job().await?;
    let &[late, first, second, later] = ids.as_slice() else {
        return Err(Broken::new("four jobs"));
    };
    let jobs = |leases: &[Lease]| leases.iter().map(Lease::job).collect::<Vec<_>>();

    equal("too early", bench.store.lease_many(JobSelection::Due, 9, "a", LEASE).await?.len(), 0)?;
    bench.clock.advance(SECOND * 3);
    let held = bench.lease(first).await?;
    let leases = bench.store.lease_many(JobSelection::Due, 1, "a", LEASE).await?;
    equal("the longest due that is not leased", jobs(&leases), vec![second])?;
    equal(
        "the rest",
        jobs(&bench.store.lease_many(JobSelection::Due, 9, "b", LEASE).await?),
        vec![late],
    )?;
    equal(
        "nothing is left",
        bench.store.lease_many(JobSelection::Due, 9, "c", LEASE).await?.len(),
        0,
    )?;
    let change = bench.change(&held, Stage::Identifying);
    bench.store.put(&held, 1, change).await?;
    bench.clock.advance(LEASE);
    equal(
        "no longer due",
        jobs(&bench.store.lease_many(JobSelection::Due, 9, "d", LEASE).await?),
        vec![second, late],
    )?;

    bench.clock.advance(SECOND * 1000);
    let leases = bench.store.lease_many(JobSelection::Expired, 2, "e", LEASE).await?;
    equal("the longest expired", jobs(&leases), vec![later, late])?;
    equal(
        "due again",
        jobs(&bench.store.lease_many(JobSelection::Due, 9, "f", LEASE).await?),
        vec![second],
    )
}

pub(super) async fn limits(bench: Bench) -> Outcome {
    let limited = |found: Result<(), StoreError>, expected: StoreLimit| {
        let is_limited = matches!(found, Err(StoreError::Limit(limit)) if limit == expected);
        ensure(is_limited, format!("found {found:?}, expected the limit {expected:?}"))
    };
    let mut job = bench.new_job(&"k".repeat(MAX_NAME_LEN + 1));
    limited(bench.store.create(job.clone()).await.map(drop), StoreLimit::NameLen)?;
    job.application_key = "a\0b".to_owned();
    limited(bench.store.create(job.clone()).await.map(drop), StoreLimit::NameLen)?;
    job.application_key = "é€😀".to_owned();
    job.body.octets = vec![0; MAX_BODY_LEN + 1];
    limited(bench.store.create(job.clone()).await.map(drop), StoreLimit::BodyLen)?;
    job.body.octets = (0..=255).cycle().take(100_000).collect();
    let body = job.body.clone();
    bench.store.create(job.clone()).await?;
    let stored = bench.store.get(job.id).await?;
    equal("a large body", &stored.body, &body)?;
    equal("a name", stored.application_key.as_str(), "é€😀")?;

    let long = MAX_LEASE + SECOND;
    limited(bench.store.lease(job.id, "w", long).await.map(drop), StoreLimit::Lease)?;
    limited(
        bench.store.lease_many(JobSelection::Due, 1, "w", long).await.map(drop),
        StoreLimit::Lease,
    )?;
    let lease = bench.lease(job.id).await?;
    limited(bench.store.renew(&lease, long).await.map(drop), StoreLimit::Lease)?;
    let change = crate::store::Change::new(
        &lease.stored,
        Stage::Start,
        Sealed::new(KeyId(1), vec![0; MAX_BODY_LEN + 1]),
    );
    limited(bench.store.put(&lease, 1, change).await.map(drop), StoreLimit::BodyLen)?;

    let mut job = bench.new_job("due");
    job.due = Some(When::In(Duration::ZERO));
    for n in 0..=MAX_PER_CALL {
        job.id = JobId::from_random(u128::from(1_000_000 + n).to_be_bytes());
        job.application_key = format!("due {n}");
        bench.store.create(job.clone()).await?;
    }
    let leases = bench.store.lease_many(JobSelection::Due, u32::MAX, "w", LEASE).await?;
    equal("leases of one call", leases.len(), MAX_PER_CALL as usize)
}

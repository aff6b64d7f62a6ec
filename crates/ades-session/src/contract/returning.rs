//! Browsers that come back.

use std::time::Duration;

use super::bench::{Bench, LEASE, START};
use super::{Broken, Outcome, ensure, equal};
use crate::store::{
    ByReturnKey, Invariant, Lease, NewReturnKey, ReturnKey, ReturnKeyHash, ReturnPurpose, Stage,
    When,
};

const WAIT: Duration = Duration::from_secs(600);

fn new_key(key: &str) -> NewReturnKey {
    NewReturnKey::new(ReturnKeyHash::of(key), ReturnPurpose::Signing, When::In(WAIT))
}

async fn returned(bench: &Bench, key: &str) -> Result<ByReturnKey, Broken> {
    Ok(bench.store.lease_by_return_key(ReturnKeyHash::of(key), "web", LEASE).await?)
}

async fn leased(bench: &Bench, key: &str) -> Result<(Lease, ReturnKey), Broken> {
    match returned(bench, key).await? {
        ByReturnKey::Leased { lease, key } => Ok((*lease, key)),
        other => Err(Broken::new(format!("found {other:?}, expected a lease"))),
    }
}

pub(super) async fn outcomes(bench: Bench) -> Outcome {
    let lease = bench.leased().await?;
    let job = lease.job();
    let mut change = bench.change(&lease, Stage::Signing);
    change.return_keys = vec![new_key("first"), new_key("second")];
    bench.store.put(&lease, 1, change).await?;
    let busy = ByReturnKey::Busy { job, stage: Stage::Signing, until: lease.until };
    equal("another process continues", returned(&bench, "first").await?, busy)?;
    bench.store.release(&lease).await?;
    equal("a stranger", returned(&bench, "third").await?, ByReturnKey::Unknown)?;

    let (lease, key) = leased(&bench, "first").await?;
    let unused = ReturnKey::new(ReturnPurpose::Signing, None, START + WAIT);
    equal("the key", key, unused)?;
    equal("the job", (lease.job(), lease.stored.version), (job, 2))?;
    // Coming back alone does not use the key: only a change does.
    bench.store.release(&lease).await?;
    let (lease, key) = leased(&bench, "first").await?;
    equal("the key again", key, unused)?;
    bench.clock.advance(Duration::from_secs(1));
    let mut change = bench.change(&lease, Stage::Signing);
    change.used_return_keys = vec![ReturnKeyHash::of("first"), ReturnKeyHash::of("third")];
    let lease = bench.step(lease, change).await?;
    let mut change = bench.change(&lease, Stage::Signing);
    change.used_return_keys = vec![ReturnKeyHash::of("first")];
    bench.clock.advance(Duration::from_secs(1));
    let lease = bench.step(lease, change).await?;
    bench.store.release(&lease).await?;
    let (lease, key) = leased(&bench, "first").await?;
    let used = Some(START + Duration::from_secs(1));
    equal("the first use", key.used_at, used)?;
    bench.store.release(&lease).await?;
    let (lease, key) = leased(&bench, "second").await?;
    equal("the other key", key, unused)?;

    // A late user finds the job, and learns that it has ended.
    bench.clock.advance(WAIT);
    bench.store.release(&lease).await?;
    let (lease, key) = leased(&bench, "second").await?;
    ensure(key.until < lease.now, "a late user cannot be recognised")?;
    let change = bench.change(&lease, Stage::Expired);
    bench.store.put(&lease, lease.stored.version, change).await?;
    let ended = ByReturnKey::Ended { job, stage: Stage::Expired, key };
    equal("an ended job", returned(&bench, "second").await?, ended)
}

pub(super) async fn once(bench: Bench) -> Outcome {
    let mine = bench.leased().await?;
    let mut change = bench.change(&mine, Stage::Signing);
    change.return_keys = vec![new_key("key")];
    let mine = bench.step(mine, change.clone()).await?;
    // The same key again for the same job moves its end.
    bench.clock.advance(Duration::from_secs(1));
    let mine = bench.step(mine, change.clone()).await?;
    bench.store.release(&mine).await?;
    let (_, key) = leased(&bench, "key").await?;
    equal("the new end", key.until, START + WAIT + Duration::from_secs(1))?;

    let other = bench.leased().await?;
    let mut change = bench.change(&other, Stage::Signing);
    change.return_keys = vec![new_key("another"), new_key("key")];
    bench.refused(&other, change, Invariant::Once { what: "return key" }).await?;
    equal("nothing is written", returned(&bench, "another").await?, ByReturnKey::Unknown)
}

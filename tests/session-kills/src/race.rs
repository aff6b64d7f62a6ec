//! The race: users, nodes, and the kills.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use ades_session::store::Store;

use crate::nodes::Nodes;
use crate::random::Random;
use crate::user::{Signed, User};
use crate::world::World;
use crate::{BATCHES, DEFAULT_KILLS, KILLS, SHORT_BATCHES, check};

/// Number of users at a time.
const USERS: u64 = 3;
/// Bounds of the longest time between two kills.
const GAP: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));
/// Lets users sign with two nodes that are killed at random times, in batches of 1, 5 and 70
/// documents, and checks that for each confirmed digest there is exactly one container. `database`
/// is what the nodes open, and `store` is the same database.
///
/// The environment variable `ADES_SESSION_KILLS` sets the number of kills. Without it there are few,
/// and batches of 1 and 5 only.
///
/// # Panics
/// If something is lost, doubled or asked for twice, or a job does not come to its end.
pub fn race(database: &str, store: Arc<dyn Store>) {
    let (kills, batches) = match std::env::var(KILLS) {
        Ok(kills) => (kills.parse().unwrap(), BATCHES),
        Err(_) => (DEFAULT_KILLS, SHORT_BATCHES),
    };
    let seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let world = World::start();
    let nodes = Nodes::start(world.folder.path(), database);
    let mut all = Vec::new();
    let kinds = u32::try_from(batches.len()).unwrap();
    for (at, &documents) in (0..).zip(batches) {
        // The first kinds have the rest of a division.
        let kills = kills / kinds + u32::from(at < kills % kinds);
        let begun = Instant::now();
        let signed = round(&world, &nodes, documents, kills, seed + u64::from(at));
        println!(
            "{kills} kills, batches of {documents}: {} jobs, {} questions asked again, {} s",
            signed.len(),
            signed.iter().map(|signed| signed.allowed).sum::<usize>(),
            begun.elapsed().as_secs()
        );
        all.extend(signed);
    }
    drop(nodes);
    check::all(&world, &*store, &all);
}

/// Users sign until there were this many kills, and finish what they began.
fn round(world: &World, nodes: &Nodes, documents: usize, kills: u32, seed: u64) -> Vec<Signed> {
    let (is_over, jobs) = (AtomicBool::new(false), AtomicU64::new(1));
    let user = |random| User { world, nodes, random };
    // The first job says how fast this machine is: kills are as far apart as at most one job takes.
    let begun = Instant::now();
    let first = user(Random::new(seed)).sign(&format!("{documents}-0"), documents);
    let longest = begun.elapsed().clamp(GAP.0, GAP.1);
    std::thread::scope(|scope| {
        let users: Vec<_> = (0..USERS)
            .map(|no| {
                let mut user = user(Random::new(seed * USERS + no));
                let (is_over, jobs) = (&is_over, &jobs);
                scope.spawn(move || {
                    let mut signed = Vec::new();
                    while !is_over.load(Ordering::Relaxed) {
                        let job = jobs.fetch_add(1, Ordering::Relaxed);
                        signed.push(user.sign(&format!("{documents}-{job}"), documents));
                    }
                    signed
                })
            })
            .collect();
        let mut random = Random::new(seed);
        for _ in 0..kills {
            let longest = u64::try_from(longest.as_millis()).unwrap();
            std::thread::sleep(Duration::from_millis(random.below(longest)));
            if users.iter().any(|user| user.is_finished()) {
                // It has failed.
                break;
            }
            nodes.kill(usize::try_from(random.below(2)).unwrap());
        }
        is_over.store(true, Ordering::Relaxed);
        let signed = users.into_iter().flat_map(|user| user.join().unwrap());
        signed.chain([first]).collect()
    })
}

//! A user: does what the application shows, until the containers are there.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use ades_session::{JobId, Stop};

use crate::nodes::Nodes;
use crate::random::Random;
use crate::wire::{Call, Shown};
use crate::world::World;

/// Maximum time for one job, with all the kills.
const PATIENCE: Duration = Duration::from_secs(600);
/// The time after which a page loads itself again.
const RELOAD: Duration = Duration::from_millis(40);
/// Of this many users, one closes the browser after the confirmation.
const LEAVERS: u64 = 8;

/// What a user remembers of a job that is done.
#[derive(Debug)]
pub(crate) struct Signed {
    pub(crate) key: String,
    pub(crate) job: JobId,
    pub(crate) documents: usize,
    /// How often the user allowed another question, because nobody knew the outcome of one
    pub(crate) allowed: usize,
}

pub(crate) struct User<'a> {
    pub(crate) world: &'a World,
    pub(crate) nodes: &'a Nodes,
    pub(crate) random: Random,
}

impl User<'_> {
    pub(crate) fn sign(&mut self, key: &str, documents: usize) -> Signed {
        self.world.write_documents(key, documents);
        let (begun, browser) = (Instant::now(), format!("browser of {key}"));
        let leaves = self.random.below(LEAVERS) == 0;
        let mut confirmed = BTreeSet::new();
        let (mut signings, mut allowed) = (0, 0);
        let mut job = None;
        let mut call = Call::Begin { key: key.to_owned(), documents };
        loop {
            assert!(begun.elapsed() < PATIENCE, "{key} does not come to its end: {call:?}");
            let node = usize::try_from(self.random.below(2)).unwrap();
            let Some(answer) = self.nodes.ask(node, &browser, &call) else {
                // The node is dead: the browser loads the page again, perhaps from the other one.
                continue;
            };
            job = job.or(answer.job);
            let poll = || job.clone().map(|job| Call::Poll { job });
            match answer.shown {
                Shown::Page(url) if !confirmed.contains(&url) => {
                    let (count, query) = self.world.confirm(&url);
                    confirmed.insert(url);
                    signings += usize::from(count > 0);
                    assert!(count == 0 || count == documents, "{key}: {count} of {documents}");
                    assert!(signings <= 1, "{key}: asked again after the confirmation");
                    call = match poll() {
                        Some(poll) if leaves && count > 0 => poll,
                        _ => Call::Returned { query },
                    };
                }
                Shown::Page(_) | Shown::Again => {
                    std::thread::sleep(RELOAD);
                    // The first page of a job may not have reached the browser.
                    call = match (poll(), &call) {
                        (Some(poll), Call::Begin { .. } | Call::AskAgain { .. }) => poll,
                        _ => call,
                    };
                }
                Shown::Stopped(Stop::Unknown) => {
                    assert_eq!(signings, 0, "{key}: unknown after the confirmation");
                    allowed += 1;
                    call = Call::AskAgain { job: job.clone().unwrap() };
                }
                Shown::Done => {
                    assert_eq!(signings, 1, "{key}: done without a confirmation");
                    let job = job.unwrap().parse().unwrap();
                    return Signed { key: key.to_owned(), job, documents, allowed };
                }
                other => panic!("{key}: {call:?}: {other:?}"),
            }
        }
    }
}

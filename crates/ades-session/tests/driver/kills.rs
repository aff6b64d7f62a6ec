//! A process dies at every point: before and after each call to the store and to the signer. Another
//! process and the user go on, and nothing is lost or doubled.

use std::time::Duration;

use ades_session::store::Stage;
use ades_session::{Next, Stop};

use crate::faults::run;
use crate::service::User;
use crate::world::{BROWSER, LAPSE, Process, World, guide, next};

/// Points of a whole job, found by running it; one more than there are is not reached.
const MAX_POINTS: i64 = 200;

/// The user comes back after each death.
#[test]
fn a_death_at_any_point_loses_and_doubles_nothing() {
    for max_batch in [70, 2] {
        let mut deaths = 0;
        for point in 0..MAX_POINTS {
            let mut world = World::new();
            world.max_batch = max_batch;
            let (dying, points) =
                world.process(&Process { dies_at: Some(point), ..Process::default() });
            let (job, asked_again) = guide(&world, vec![dying, world.driver()]);
            world.check_done(job);
            let batches = world.service.state().batches.len();
            assert_eq!(batches, expected(&world, job, asked_again), "point {point}");
            assert!(asked_again <= 1, "point {point}");
            let passed = points.passed.load(std::sync::atomic::Ordering::SeqCst);
            if passed < u64::try_from(point).unwrap() {
                break;
            }
            deaths += 1;
        }
        assert!(deaths > 40, "{deaths}");
    }
}

/// How many batches the service may have seen: each that the store has. A batch of which the store
/// only knows that it was announced may not have reached the service.
fn expected(world: &World, job: ades_session::JobId, asked_again: usize) -> usize {
    let needed = 3_usize.div_ceil(world.max_batch);
    let stored = world.stored(job).batches.len();
    assert_eq!(stored, needed + asked_again);
    let known = world.service.state().batches.len();
    assert!(known == stored || known + asked_again == stored, "{known} of {stored}");
    known
}

/// The user confirms in the app, and never comes back: pollers find the end, wherever a process dies.
#[test]
fn pollers_bring_a_confirmed_job_to_its_end() {
    let mut deaths = 0;
    for point in 0..MAX_POINTS {
        let world = World::new();
        let (job, page) = world.until_signing(&world.driver());
        world.service.visit(&page, User::Confirmed);
        world.pass(Duration::from_secs(8));
        let (dying, _) = world.process(&Process { dies_at: Some(point), ..Process::default() });
        let died = run(dying.poll_due(1)).is_none();
        for _ in 0..3 {
            world.pass(LAPSE);
            run(world.driver().poll_due(9)).unwrap().unwrap();
        }
        assert_eq!(world.stored(job).stage, Stage::Done, "point {point}");
        assert_eq!(world.service.state().batches.len(), 1);
        world.check_done(job);
        if !died {
            break;
        }
        deaths += 1;
    }
    assert!(deaths > 8, "{deaths}");
}

/// Crash point 3 of the design: the question was sent or not, and nothing says which. Time alone
/// never asks again.
#[test]
fn a_death_during_the_question_is_unknown_for_ever() {
    let mut unknown = 0;
    for point in 0..MAX_POINTS {
        let world = World::new();
        let driver = world.driver();
        let begun = run(driver.begin(world.job(), BROWSER)).unwrap().unwrap();
        let query = world.service.visit(&crate::world::page(&begun.next), User::Confirmed);
        let (dying, _) = world.process(&Process { dies_at: Some(point), ..Process::default() });
        if run(dying.returned(&query, BROWSER)).is_some() {
            break;
        }
        if world.stored(begun.job).stage != Stage::Asking {
            continue;
        }
        unknown += 1;
        let asked = world.service.state().batches.len();
        for _ in 0..5 {
            world.pass(Duration::from_secs(24 * 60 * 60));
            run(driver.poll_due(9)).unwrap().unwrap();
            run(driver.sweep(9)).unwrap().unwrap();
            let stopped = next(run(driver.poll(begun.job, BROWSER)).unwrap().unwrap());
            assert_eq!(stopped, Next::Stopped(Stop::Unknown), "point {point}");
        }
        assert_eq!(world.service.state().batches.len(), asked);
    }
    assert!(unknown >= 2, "{unknown}");
}

//! What holds whatever happens, by the numbers of the design: I1 to I11.

use std::time::Duration;

use ades_session::clock::Clock;
use ades_session::store::{BatchState, Stage};
use ades_session::{Error, Next, Stop};

use crate::faults::{Failure, run};
use crate::service::{Trouble, User};
use crate::world::{BROWSER, LAPSE, Process, World, next, page};

/// I1: the signer is not asked before a committed row says that it is.
#[test]
fn i1_no_question_without_a_row_that_says_so() {
    let world = World::new();
    let begun = run(world.driver().begin(world.job(), BROWSER)).unwrap().unwrap();
    let query = world.service.visit(&page(&begun.next), User::Confirmed);
    // The store fails for good when the intent is written: put 0 stores the identity, put 1 the
    // intent. The driver tries each put several times.
    for put in 1..4 {
        let (driver, _) = world.process(&Process {
            put_fails: Some((put..put + 1, Failure::Before)),
            ..Process::default()
        });
        let _ = run(driver.returned(&query, BROWSER)).unwrap();
        let state = world.service.state();
        for asked in &state.batches {
            let id = asked.request_id.clone().unwrap();
            let stored = world.stored(begun.job);
            assert!(stored.batches.iter().any(|batch| batch.request_id == id));
        }
    }
    assert_eq!(world.service.state().batches.len(), 1);
}

/// I2: at most one open batch, whatever the user does.
#[test]
fn i2_one_open_batch() {
    let world = World::new();
    let driver = world.driver();
    let (job, _) = world.until_signing(&driver);
    for _ in 0..3 {
        let wait = next(run(driver.poll(job, BROWSER)).unwrap().unwrap());
        assert!(matches!(wait, Next::Wait { .. }), "{wait:?}");
        let page = next(run(driver.ask_again(job, BROWSER)).unwrap().unwrap());
        assert!(matches!(page, Next::Redirect { .. }), "{page:?}");
    }
    let open = world.stored(job).batches.into_iter().filter(|batch| batch.state.is_open());
    assert_eq!(open.count(), 1);
    assert_eq!(world.service.state().batches.len(), 1);
}

/// I3, I5: values are verified and stored before a container is written.
#[test]
fn i3_values_are_stored_before_anything_is_written() {
    let world = World::new();
    let (job, page) = world.until_signing(&world.driver());
    let query = world.service.visit(&page, User::Confirmed);
    let mut seen = false;
    for point in 0..60 {
        let (driver, _) = world.process(&Process { dies_at: Some(point), ..Process::default() });
        let _ = run(driver.returned(&query, BROWSER));
        let stored = world.stored(job);
        if !world.files.published.lock().unwrap().is_empty() {
            assert!(stored.items.iter().all(|item| item.value.is_some()), "point {point}");
            seen = true;
        }
        world.pass(LAPSE);
        if stored.stage == Stage::Done {
            break;
        }
    }
    assert!(seen);
    world.check_done(job);
}

/// I4: one container for each confirmed digest; what else is in its place stays.
#[test]
fn i4_another_container_is_not_overwritten() {
    let world = World::new();
    let driver = world.driver();
    let (job, page) = world.until_signing(&driver);
    let query = world.service.visit(&page, User::Confirmed);
    let mine = b"of somebody else".to_vec();
    world.files.files.lock().unwrap().insert("a.txt.p7s".to_owned(), mine.clone());
    let partly = next(run(driver.returned(&query, BROWSER)).unwrap().unwrap());
    assert!(matches!(partly, Next::Incomplete { .. }), "{partly:?}");
    assert_eq!(world.files.files.lock().unwrap()["a.txt.p7s"], mine);
    let stored = world.stored(job);
    assert!(stored.items[0].value.is_some() && stored.items[0].container_digest.is_none());
}

/// I6: a process that slept beyond its lease writes nothing.
#[test]
fn i6_an_expired_lease_writes_nothing() {
    let world = World::new();
    let (job, page) = world.until_signing(&world.driver());
    let query = world.service.visit(&page, User::Confirmed);
    // The process sleeps with the answer of the service in its hands.
    for point in 3..6 {
        let (driver, _) = world.process(&Process { dies_at: Some(point), ..Process::default() });
        assert!(run(driver.returned(&query, BROWSER)).is_none(), "point {point}");
        world.pass(LAPSE);
        let version = world.stored(job).version;
        let lease = run(world.store.lease(job, "another", LAPSE)).unwrap().unwrap().unwrap();
        assert_eq!(lease.stored.version, version);
        run(world.store.release(&lease)).unwrap().unwrap();
    }
    let done = next(run(world.driver().poll(job, BROWSER)).unwrap().unwrap());
    assert!(matches!(done, Next::Done { .. }), "{done:?}");
    world.check_done(job);
}

/// I7: the prepared state does not change between asking and completing.
#[test]
fn i7_the_stored_digests_are_those_that_were_asked_for() {
    let world = World::new();
    let driver = world.driver();
    let (job, page) = world.until_signing(&driver);
    let before: Vec<_> = world.stored(job).items.into_iter().map(|item| item.digest).collect();
    let query = world.service.visit(&page, User::Confirmed);
    run(driver.returned(&query, BROWSER)).unwrap().unwrap();
    let after: Vec<_> = world.stored(job).items.into_iter().map(|item| item.digest).collect();
    assert_eq!(before, after);
    world.check_done(job);
}

/// I9: what is confirmed is not purged before it is written.
#[test]
fn i9_values_without_containers_stay() {
    let world = World::new();
    let driver = world.driver();
    let (job, page) = world.until_signing(&driver);
    world.files.full.lock().unwrap().insert("c-signed.pdf".to_owned());
    let query = world.service.visit(&page, User::Confirmed);
    run(driver.returned(&query, BROWSER)).unwrap().unwrap();
    world.pass(LAPSE * 30 * 24 * 400);
    world.events();
    run(driver.sweep(9)).unwrap().unwrap();
    assert_eq!(world.stored(job).stage, Stage::Values);
}

/// I10: all times are those of the store's clock, which is far from the system's here.
#[test]
fn i10_the_store_has_the_only_clock() {
    let world = World::new();
    let day = Duration::from_secs(24 * 60 * 60);
    world.pass(day * 365 * 10);
    let driver = world.driver();
    let (job, page) = world.until_signing(&driver);
    let now = world.clock.now();
    let stored = world.stored(job);
    assert_eq!((stored.created_at, stored.changed_at), (now, now));
    for time in [stored.due_at.unwrap(), stored.expires_at.unwrap()] {
        assert!(time > now && time < now + day, "{time}");
    }
    world.service.visit(&page, User::Confirmed);
    world.pass(LAPSE);
    assert_eq!(run(driver.poll_due(9)).unwrap().unwrap().len(), 1);
    let purge_at = world.stored(job).purge_at.unwrap();
    assert!(purge_at > now + day && purge_at < now + day * 40, "{purge_at}");
}

/// I11: what is stored in clear, or unsealed by nobody, has no page, key, name or reference.
#[test]
fn i11_the_body_is_sealed() {
    let world = World::new();
    let (job, _) = world.until_signing(&world.driver());
    let stored = world.stored(job);
    let octets = String::from_utf8_lossy(&stored.body.octets).into_owned();
    for secret in ["service.example", "key-", "a.txt", "cookie", "account"] {
        assert!(!octets.contains(secret), "{secret}");
    }
}

/// The store fails at each change, before it is written or after: the driver finds out which, and
/// goes on.
#[test]
fn a_store_that_fails_once_stops_nothing() {
    for put in 0..12 {
        for failure in [Failure::Before, Failure::After] {
            let world = World::new();
            let (driver, _) = world.process(&Process {
                put_fails: Some((put..put + 1, failure)),
                ..Process::default()
            });
            let (job, page) = world.until_signing(&driver);
            let query = world.service.visit(&page, User::Confirmed);
            let done = next(run(driver.returned(&query, BROWSER)).unwrap().unwrap());
            assert!(matches!(done, Next::Done { .. }), "put {put}, {failure:?}: {done:?}");
            assert_eq!(world.service.state().batches.len(), 1);
            world.check_done(job);
        }
    }
}

/// A job of another signer is not continued, and a body that cannot be opened is an error.
#[test]
fn a_lost_answer_is_stored_as_unknown() {
    let world = World::new();
    let begun = run(world.driver().begin(world.job(), BROWSER)).unwrap().unwrap();
    let query = world.service.visit(&page(&begun.next), User::Confirmed);
    world.service.state().trouble.extend([Trouble::WrongValues, Trouble::AnswerLost]);
    let stopped = next(run(world.driver().returned(&query, BROWSER)).unwrap().unwrap());
    assert_eq!(stopped, Next::Stopped(Stop::Unknown));
    assert_eq!(world.stored(begun.job).batches[0].state, BatchState::Unknown);
    let cancelled = run(world.driver().cancel(begun.job)).unwrap();
    assert!(matches!(cancelled, Ok(Next::Ended(_))), "{cancelled:?}");
    let over = run(world.driver().cancel(begun.job)).unwrap();
    assert!(matches!(over, Err(Error::Stage { stage: Stage::Cancelled })), "{over:?}");
}

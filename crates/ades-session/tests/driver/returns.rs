//! Browsers that come back: a stranger's, a second time, late, another one, two at once.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use ades_session::store::{BatchState, Stage};
use ades_session::{Next, Outcome};

use crate::faults::run;
use crate::service::{Trouble, User};
use crate::world::{BROWSER, OTHER, World, next, page};

/// EDGECASES 31
#[test]
fn case_31_a_stranger_learns_and_changes_nothing() {
    let world = World::new();
    let driver = world.driver();
    let (job, _) = world.until_signing(&driver);
    let version = world.stored(job).version;
    for query in ["", "q=1", "st=", "st=key-99", "st=KEY-1"] {
        let outcome = run(driver.returned(query, BROWSER)).unwrap().unwrap();
        assert_eq!(outcome, Outcome::Stranger, "{query}");
    }
    assert_eq!(world.stored(job).version, version);
}

/// EDGECASES 32: trip 1 comes back after trip 2 has begun.
#[test]
fn case_32_a_late_return_opens_nothing() {
    let world = World::new();
    let driver = world.driver();
    let (job, page) = world.until_signing(&driver);
    let continued = world.service.state().continued;
    let late = run(driver.returned("st=key-1", BROWSER)).unwrap().unwrap();
    let Outcome::Late { job: found, next } = late else { panic!("{late:?}") };
    assert_eq!(found, job);
    let Next::Wait { page: shown, .. } = next else { panic!("{next:?}") };
    assert_eq!(shown, Some(page));
    assert_eq!(world.service.state().batches.len(), 1);
    assert_eq!(world.service.state().continued, continued);
}

/// EDGECASES 33, and I8: return keys and polls are bound to the browser.
#[test]
fn case_33_i8_another_browser_is_refused() {
    let world = World::new();
    let driver = world.driver();
    let begun = run(driver.begin(world.job(), BROWSER)).unwrap().unwrap();
    let query = world.service.visit(&page(&begun.next), User::Confirmed);
    for browser in [None, OTHER] {
        let outcome = run(driver.returned(&query, browser)).unwrap().unwrap();
        assert_eq!(outcome, Outcome::OtherBrowser);
        let outcome = run(driver.poll(begun.job, browser)).unwrap().unwrap();
        assert_eq!(outcome, Outcome::OtherBrowser);
        let outcome = run(driver.ask_again(begun.job, browser)).unwrap().unwrap();
        assert_eq!(outcome, Outcome::OtherBrowser);
    }
    assert_eq!(world.service.state().continued, 0);
    // Polling does not believe that the user of another browser is this one.
    world.pass(Duration::from_secs(7));
    let polled = run(driver.poll_due(1)).unwrap().unwrap();
    assert!(matches!(&polled[..], [(_, Ok(Next::Wait { .. }))]), "{polled:?}");
    assert_eq!(world.stored(begun.job).stage, Stage::Identifying);
    // Its own browser still can.
    let confirm = next(run(driver.returned(&query, BROWSER)).unwrap().unwrap());
    assert!(matches!(confirm, Next::Redirect { .. }), "{confirm:?}");
}

/// EDGECASES 34
#[test]
fn case_34_a_second_return_only_asks_for_the_status() {
    let world = World::new();
    let driver = world.driver();
    let (job, page) = world.until_signing(&driver);
    let query = world.service.visit(&page, User::Undecided);
    let first = next(run(driver.returned(&query, BROWSER)).unwrap().unwrap());
    assert!(matches!(first, Next::Wait { .. }), "{first:?}");
    let continued = world.service.state().continued;
    // At once: not even the status.
    let again = run(driver.returned(&query, BROWSER)).unwrap().unwrap();
    assert!(matches!(again, Outcome::Repeated { next: Next::Wait { .. }, .. }), "{again:?}");
    assert_eq!(world.service.state().continued, continued);
    world.pass(Duration::from_secs(1));
    world.service.visit(&page, User::Confirmed);
    let done = run(driver.returned(&query, BROWSER)).unwrap().unwrap();
    assert!(matches!(done, Outcome::Repeated { next: Next::Done { .. }, .. }), "{done:?}");
    assert_eq!(world.service.state().batches.len(), 1);
    // And after the end.
    let after = run(driver.returned(&query, BROWSER)).unwrap().unwrap();
    assert!(matches!(after, Outcome::Late { next: Next::Done { .. }, .. }), "{after:?}");
    assert_eq!(run(driver.returned(&query, OTHER)).unwrap().unwrap(), Outcome::OtherBrowser);
    world.check_done(job);
}

#[test]
fn a_code_that_was_used_is_not_used_again() {
    let world = World::new();
    let driver = world.driver();
    let (job, page) = world.until_signing(&driver);
    let query = world.service.visit(&page, User::Confirmed);
    world.service.trouble(Trouble::AlreadyAdvanced);
    let first = run(driver.returned(&query, BROWSER)).unwrap().unwrap();
    assert!(matches!(first, Outcome::Repeated { next: Next::Wait { .. }, .. }), "{first:?}");
    world.pass(Duration::from_secs(6));
    let second = run(driver.returned(&query, BROWSER)).unwrap().unwrap();
    assert!(matches!(second, Outcome::Repeated { next: Next::Done { .. }, .. }), "{second:?}");
    world.check_done(job);
}

/// Two callbacks at once, and a poll during a callback: one continues, the others have to come
/// back, and nothing is asked twice.
#[test]
fn two_returns_at_once_are_one() {
    let world = World::new();
    let driver = world.driver();
    let (job, page) = world.until_signing(&driver);
    let query = world.service.visit(&page, User::Confirmed);
    // A process that stops while it has the lease.
    for point in 1..40 {
        let world = World::new();
        let driver = world.driver();
        let begun = run(driver.begin(world.job(), BROWSER)).unwrap().unwrap();
        let first = world.service.visit(&self::page(&begun.next), User::Confirmed);
        let process = crate::world::Process { dies_at: Some(point), ..Default::default() };
        let (slow, points) = world.process(&process);
        let mut one = pin!(slow.returned(&first, BROWSER));
        let waiting = one.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending();
        if !waiting {
            assert!(points.passed.load(std::sync::atomic::Ordering::SeqCst) > 5);
            break;
        }
        let two = run(driver.returned(&first, BROWSER)).unwrap().unwrap();
        let three = run(driver.poll(begun.job, BROWSER)).unwrap().unwrap();
        let leased = world.stored(begun.job).leased_until.is_some();
        if leased {
            assert!(matches!(two, Outcome::Busy { .. }), "{two:?}");
            assert!(matches!(three, Outcome::Busy { .. }), "{three:?}");
            let other = run(driver.poll(begun.job, OTHER)).unwrap().unwrap();
            assert_eq!(other, Outcome::OtherBrowser);
        }
        assert!(world.service.state().batches.len() <= 1, "point {point}");
        let open = world.stored(begun.job).batches.iter().filter(|b| b.state.is_open()).count();
        assert!(open <= 1);
    }
    let done = next(run(driver.returned(&query, BROWSER)).unwrap().unwrap());
    assert!(matches!(done, Next::Done { .. }), "{done:?}");
    assert_eq!(world.stored(job).batches[0].state, BatchState::Valued);
    world.check_done(job);
}

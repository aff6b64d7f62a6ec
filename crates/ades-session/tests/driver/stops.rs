//! Refusals, unclear answers, the end of the time, and containers that cannot be written.

use std::time::Duration;

use ades::Retry;
use ades::signer::RefusalReason;
use ades_session::store::{BatchState, EventKind, Stage};
use ades_session::{EndReason, Error, ItemState, Next, Outcome, Stop};

use crate::faults::run;
use crate::service::{SESSION, Trouble, User};
use crate::world::{BROWSER, World, next, page};

const MINUTE: Duration = Duration::from_secs(60);

/// EDGECASES 39
#[test]
fn case_39_a_refusal_ends_the_session_and_not_the_job() {
    let world = World::new();
    let driver = world.driver();
    let (job, page) = world.until_signing(&driver);
    let query = world.service.visit(&page, User::Refused);
    let refused = next(run(driver.returned(&query, BROWSER)).unwrap().unwrap());
    let reason = RefusalReason::ByUser;
    let stop = Stop::Refused { reason, code: Some("SAID".to_owned()) };
    assert_eq!(refused, Next::Stopped(stop));
    let stored = world.stored(job);
    assert_eq!((stored.stage, stored.batches[0].state), (Stage::Identified, BatchState::Refused));
    // Neither a page that loads itself again nor a poller asks again; the user does.
    world.pass(MINUTE);
    for _ in 0..2 {
        let still = next(run(driver.poll(job, BROWSER)).unwrap().unwrap());
        assert!(matches!(still, Next::Stopped(_)), "{still:?}");
        assert!(run(driver.poll_due(9)).unwrap().unwrap().is_empty());
    }
    assert_eq!(world.service.state().batches.len(), 1);
    let again = next(run(driver.ask_again(job, BROWSER)).unwrap().unwrap());
    let query = world.service.visit(&self::page(&again), User::Confirmed);
    // The user is not identified a second time.
    assert_eq!(world.service.state().identifications.len(), 1);
    let done = next(run(driver.returned(&query, BROWSER)).unwrap().unwrap());
    assert!(matches!(done, Next::Done { .. }), "{done:?}");
    assert_eq!(world.service.state().batches.len(), 2);
}

#[test]
fn case_39_an_account_that_may_not_sign_ends_the_job() {
    let world = World::new();
    let driver = world.driver();
    let (job, page) = world.until_signing(&driver);
    let query = world.service.visit(&page, User::NotAllowed);
    let ended = next(run(driver.returned(&query, BROWSER)).unwrap().unwrap());
    assert_eq!(ended, Next::Ended(EndReason::Refused));
    assert!(matches!(run(driver.ask_again(job, BROWSER)).unwrap(), Err(Error::Stage { .. })));
    assert_eq!(world.events(), [EventKind::Refused]);
}

#[test]
fn a_refused_identification_can_be_asked_again() {
    let world = World::new();
    let driver = world.driver();
    let begun = run(driver.begin(world.job(), BROWSER)).unwrap().unwrap();
    let query = world.service.visit(&page(&begun.next), User::Refused);
    let refused = next(run(driver.returned(&query, BROWSER)).unwrap().unwrap());
    assert!(matches!(refused, Next::Stopped(Stop::Refused { .. })), "{refused:?}");
    let again = next(run(driver.ask_again(begun.job, BROWSER)).unwrap().unwrap());
    assert!(matches!(again, Next::Redirect { .. }), "{again:?}");
    // A button that is pressed twice goes to the same page.
    let twice = next(run(driver.ask_again(begun.job, BROWSER)).unwrap().unwrap());
    assert_eq!(again, twice);
    assert_eq!(world.service.state().identifications.len(), 2);
}

/// EDGECASES 20, 40: an unclear answer ends nothing.
#[test]
fn unclear_answers_keep_the_session_with_growing_pauses() {
    let world = World::new();
    let driver = world.driver();
    let (job, page) = world.until_signing(&driver);
    world.service.visit(&page, User::Confirmed);
    let mut waits = Vec::new();
    for _ in 0..12 {
        world.service.trouble(Trouble::Unclear);
        let due = world.stored(job).due_at.unwrap();
        let wait = due.signed_duration_since(world.stored(job).changed_at).num_seconds();
        waits.push(wait);
        world.pass(Duration::from_secs(wait.unsigned_abs() + 1));
        let polled = run(driver.poll_due(9)).unwrap().unwrap();
        assert!(matches!(&polled[..], [(_, Ok(_))]), "{polled:?}");
        assert_eq!(world.stored(job).stage, Stage::Signing);
    }
    // A fifth of a minute is added at most.
    assert!(waits.windows(2).all(|two| two[1] + 12 >= two[0]), "{waits:?}");
    assert!(waits[0] <= 7 && (60..=72).contains(&waits[11]), "{waits:?}");
    world.pass(MINUTE * 2);
    let polled = run(driver.poll_due(9)).unwrap().unwrap();
    assert!(matches!(&polled[..], [(_, Ok(Next::Done { .. }))]), "{polled:?}");
    world.check_done(job);
}

#[test]
fn the_pause_that_a_service_asks_for_is_kept() {
    let world = World::new();
    let driver = world.driver();
    let (job, page) = world.until_signing(&driver);
    let query = world.service.visit(&page, User::Confirmed);
    world.service.trouble(Trouble::Busy(40));
    let wait = next(run(driver.returned(&query, BROWSER)).unwrap().unwrap());
    let Next::Wait { after, .. } = wait else { panic!("{wait:?}") };
    assert!((39..=40).contains(&after.as_secs()), "{after:?}");
    let continued = world.service.state().continued;
    world.pass(Duration::from_secs(38));
    let _ = run(driver.poll(job, BROWSER)).unwrap().unwrap();
    assert!(run(driver.poll_due(9)).unwrap().unwrap().is_empty());
    assert_eq!(world.service.state().continued, continued);
    // The return was not used: it counts when the page is loaded again.
    world.pass(Duration::from_secs(2));
    let done = run(driver.returned(&query, BROWSER)).unwrap().unwrap();
    assert!(matches!(done, Outcome::Next { next: Next::Done { .. }, .. }), "{done:?}");
}

/// EDGECASES 38: our own deadline is not a refusal.
#[test]
fn case_38_a_late_confirmation_is_still_collected() {
    let world = World::new();
    let driver = world.driver();
    let (job, page) = world.until_signing(&driver);
    world.pass(Duration::from_secs(SESSION.unsigned_abs() + 90));
    assert_eq!(run(driver.sweep(9)).unwrap().unwrap(), 1);
    let stopped = next(run(driver.poll(job, BROWSER)).unwrap().unwrap());
    assert_eq!(stopped, Next::Stopped(Stop::Expired));
    assert_eq!(world.stored(job).stage, Stage::Signing);
    assert_eq!(world.events(), [EventKind::Expired]);
    assert!(run(driver.poll_due(9)).unwrap().unwrap().is_empty());
    world.service.visit(&page, User::Confirmed);
    world.pass(MINUTE);
    let done = next(run(driver.poll(job, BROWSER)).unwrap().unwrap());
    assert!(matches!(done, Next::Done { .. }), "{done:?}");
    world.check_done(job);
}

/// EDGECASES 38, for the identification: its session is kept as well.
#[test]
fn case_38_a_late_identification_is_still_collected() {
    let world = World::new();
    let driver = world.driver();
    let begun = run(driver.begin(world.job(), BROWSER)).unwrap().unwrap();
    world.pass(Duration::from_secs(SESSION.unsigned_abs() + 30));
    for _ in 0..2 {
        let stopped = next(run(driver.poll_now(begun.job, BROWSER)).unwrap().unwrap());
        assert_eq!(stopped, Next::Stopped(Stop::Expired));
    }
    assert_eq!(world.stored(begun.job).stage, Stage::Identifying);
    assert!(run(driver.poll_due(9)).unwrap().unwrap().is_empty());
    let status = run(driver.status(begun.job, BROWSER)).unwrap().unwrap().unwrap();
    assert_eq!(status.page.as_deref(), Some(page(&begun.next).as_str()));
    let query = world.service.visit(&page(&begun.next), User::Confirmed);
    let confirm = next(run(driver.returned(&query, BROWSER)).unwrap().unwrap());
    assert!(matches!(confirm, Next::Redirect { .. }), "{confirm:?}");
    assert_eq!(world.service.state().identifications.len(), 1);
    assert_eq!(world.events(), [EventKind::Expired]);
}

/// The user has renewed the certificate, and nobody is being asked.
#[test]
fn a_user_who_is_identified_can_identify_again() {
    let world = World::new();
    let driver = world.driver();
    let begun = run(driver.begin(world.job(), BROWSER)).unwrap().unwrap();
    let query = world.service.visit(&page(&begun.next), User::Confirmed);
    world.service.state().trouble.extend([Trouble::WrongValues, Trouble::NotSent]);
    run(driver.returned(&query, BROWSER)).unwrap().unwrap_err();
    assert_eq!(world.stored(begun.job).stage, Stage::Identified);
    let stopped = next(run(driver.stop(begun.job, BROWSER)).unwrap().unwrap());
    assert_eq!(stopped, Next::Stopped(Stop::GivenUp));
    let again = next(run(driver.identify_again(begun.job, BROWSER)).unwrap().unwrap());
    assert!(matches!(again, Next::Redirect { .. }), "{again:?}");
    assert_eq!(world.stored(begun.job).stage, Stage::Identifying);
    assert_eq!(world.service.state().identifications.len(), 2);
}

#[test]
fn a_job_that_nobody_comes_back_for_ends_and_is_removed() {
    let world = World::new();
    let driver = world.driver();
    let (job, _) = world.until_signing(&driver);
    world.pass(Duration::from_secs(SESSION.unsigned_abs() + 90));
    run(driver.sweep(9)).unwrap().unwrap();
    world.pass(MINUTE * 60 * 25);
    run(driver.sweep(9)).unwrap().unwrap();
    let stored = world.stored(job);
    assert_eq!((stored.stage, stored.batches[0].state), (Stage::Expired, BatchState::Refused));
    assert_eq!(world.service.state().closed, 1);
    // Not while its events are undelivered.
    world.pass(MINUTE * 60 * 24 * 31);
    assert_eq!(run(driver.sweep(9)).unwrap().unwrap(), 0);
    assert_eq!(world.events(), [EventKind::Expired, EventKind::Expired]);
    assert_eq!(run(driver.sweep(9)).unwrap().unwrap(), 1);
    assert!(run(world.store.get(job)).unwrap().is_err());
}

/// EDGECASES 40: nobody is asked twice without wanting to be.
#[test]
fn case_40_an_unknown_outcome_waits_for_the_user() {
    let world = World::new();
    let driver = world.driver();
    let begun = run(driver.begin(world.job(), BROWSER)).unwrap().unwrap();
    let query = world.service.visit(&page(&begun.next), User::Confirmed);
    world.service.state().trouble.extend([Trouble::WrongValues, Trouble::AnswerLost]);
    // WrongValues does not concern the identification.
    let stopped = next(run(driver.returned(&query, BROWSER)).unwrap().unwrap());
    assert_eq!(stopped, Next::Stopped(Stop::Unknown));
    let stored = world.stored(begun.job);
    assert_eq!((stored.stage, stored.batches[0].state), (Stage::Asking, BatchState::Unknown));
    world.pass(MINUTE * 60 * 24 * 9);
    run(driver.poll_due(9)).unwrap().unwrap();
    run(driver.sweep(9)).unwrap().unwrap();
    let still = next(run(driver.poll(begun.job, BROWSER)).unwrap().unwrap());
    assert_eq!(still, Next::Stopped(Stop::Unknown));
    assert_eq!(world.service.state().batches.len(), 1);
    let again = next(run(driver.ask_again(begun.job, BROWSER)).unwrap().unwrap());
    assert!(matches!(again, Next::Redirect { .. }), "{again:?}");
    assert_eq!(world.service.state().batches.len(), 2);
    assert_eq!(world.events(), [EventKind::NeedsAttention]);
}

#[test]
fn a_request_that_was_not_sent_is_sent_when_the_user_is_there() {
    let world = World::new();
    let driver = world.driver();
    world.service.trouble(Trouble::NotSent);
    let error = run(driver.begin(world.job(), BROWSER)).unwrap().unwrap_err();
    assert!(matches!(&error, Error::Signer(e) if e.retry() == Retry::Later), "{error:?}");
    let soon = run(driver.begin(world.job(), BROWSER)).unwrap().unwrap();
    assert!(matches!(soon.next, Next::Wait { page: None, .. }), "{:?}", soon.next);
    world.pass(Duration::from_secs(3));
    let begun = run(driver.begin(world.job(), BROWSER)).unwrap().unwrap();
    let query = world.service.visit(&page(&begun.next), User::Confirmed);
    world.service.state().trouble.extend([Trouble::WrongValues, Trouble::NotSent]);
    let error = run(driver.returned(&query, BROWSER)).unwrap().unwrap_err();
    assert!(matches!(error, Error::Signer(_)));
    assert_eq!(world.stored(begun.job).batches[0].state, BatchState::Refused);
    world.pass(Duration::from_secs(3));
    let confirm = next(run(driver.poll(begun.job, BROWSER)).unwrap().unwrap());
    assert!(matches!(confirm, Next::Redirect { .. }), "{confirm:?}");
    assert_eq!(world.service.state().batches.len(), 1);
}

#[test]
fn a_wrong_configuration_stops_the_job_until_somebody_asks_again() {
    let world = World::new();
    let driver = world.driver();
    world.service.trouble(Trouble::Configuration);
    assert!(run(driver.begin(world.job(), BROWSER)).unwrap().is_err());
    let begun = run(driver.begin(world.job(), BROWSER)).unwrap().unwrap();
    assert!(matches!(begun.next, Next::Stopped(Stop::Failed { .. })), "{:?}", begun.next);
    let again = next(run(driver.ask_again(begun.job, BROWSER)).unwrap().unwrap());
    assert!(matches!(again, Next::Redirect { .. }), "{again:?}");
}

/// EDGECASES 53, 54, and I5: a value counts only once it verifies, over the digest that it is for.
#[test]
fn case_54_i5_values_that_do_not_verify_are_asked_for_again() {
    let world = World::new();
    let driver = world.driver();
    let (job, page) = world.until_signing(&driver);
    let query = world.service.visit(&page, User::Confirmed);
    world.service.trouble(Trouble::WrongValues);
    let wait = next(run(driver.returned(&query, BROWSER)).unwrap().unwrap());
    assert!(matches!(wait, Next::Wait { .. }), "{wait:?}");
    assert!(world.stored(job).items.iter().all(|item| item.value.is_none()));
    world.pass(Duration::from_secs(3));
    let done = run(driver.returned(&query, BROWSER)).unwrap().unwrap();
    assert!(matches!(done, Outcome::Next { next: Next::Done { .. }, .. }), "{done:?}");
    assert_eq!(world.service.state().batches.len(), 1);
    world.check_done(job);
}

/// EDGECASES 52: the user renewed the certificate. The session stays until they decide.
#[test]
fn case_52_another_certificate_needs_another_identification_on_request() {
    let world = World::new();
    let driver = world.driver();
    let (job, page) = world.until_signing(&driver);
    let query = world.service.visit(&page, User::Confirmed);
    world.service.trouble(Trouble::OtherKey);
    let stopped = next(run(driver.returned(&query, BROWSER)).unwrap().unwrap());
    assert_eq!(stopped, Next::Stopped(Stop::OtherCertificate));
    assert_eq!(world.stored(job).stage, Stage::Signing);
    let again = next(run(driver.identify_again(job, BROWSER)).unwrap().unwrap());
    assert!(matches!(again, Next::Redirect { .. }), "{again:?}");
    let state = world.service.state();
    assert_eq!((state.identifications.len(), state.batches.len(), state.closed), (2, 1, 1));
}

#[test]
fn a_session_that_the_service_forgot_is_asked_for_again_on_request() {
    let world = World::new();
    let driver = world.driver();
    let (job, page) = world.until_signing(&driver);
    let query = world.service.visit(&page, User::Undecided);
    world.service.trouble(Trouble::Forgotten);
    let stopped = next(run(driver.returned(&query, BROWSER)).unwrap().unwrap());
    assert_eq!(stopped, Next::Stopped(Stop::SessionLost));
    let again = next(run(driver.ask_again(job, BROWSER)).unwrap().unwrap());
    assert!(matches!(again, Next::Redirect { .. }), "{again:?}");
}

#[test]
fn a_container_that_cannot_be_written_keeps_its_value() {
    let world = World::new();
    let driver = world.driver();
    let (job, page) = world.until_signing(&driver);
    world.files.full.lock().unwrap().insert("b-signed.xml".to_owned());
    let query = world.service.visit(&page, User::Confirmed);
    let partly = next(run(driver.returned(&query, BROWSER)).unwrap().unwrap());
    let Next::Incomplete { items, .. } = &partly else { panic!("{partly:?}") };
    assert_eq!(items[0].state, ItemState::Signed);
    assert!(matches!(&items[1].state, ItemState::NotWritten { problem } if !problem.is_empty()));
    assert_eq!(items[2].state, ItemState::Signed);
    // Confirmed values are neither cancelled nor given up.
    assert!(matches!(run(driver.cancel(job)).unwrap(), Err(Error::Stage { .. })));
    assert!(matches!(run(driver.ask_again(job, BROWSER)).unwrap(), Err(Error::Stage { .. })));
    world.pass(MINUTE);
    run(driver.poll_due(9)).unwrap().unwrap();
    world.files.full.lock().unwrap().clear();
    world.pass(MINUTE);
    let polled = run(driver.poll_due(9)).unwrap().unwrap();
    assert!(matches!(&polled[..], [(_, Ok(Next::Done { .. }))]), "{polled:?}");
    assert_eq!(world.service.state().batches.len(), 1);
    world.check_done(job);
}

#[test]
fn cancelling_closes_the_session() {
    let world = World::new();
    let driver = world.driver();
    let (job, page) = world.until_signing(&driver);
    assert_eq!(run(driver.cancel(job)).unwrap().unwrap(), Next::Ended(EndReason::Cancelled));
    assert_eq!(world.service.state().closed, 1);
    assert_eq!(world.stored(job).batches[0].state, BatchState::Refused);
    assert_eq!(world.events(), [EventKind::Close]);
    let query = world.service.visit(&page, User::Confirmed);
    let late = run(driver.returned(&query, BROWSER)).unwrap().unwrap();
    assert!(matches!(late, Outcome::Late { next: Next::Ended(_), .. }), "{late:?}");
}

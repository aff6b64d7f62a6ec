//! An application that watches its driver, waits by itself, and stops what does not end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ades::signer::{Refusal, SignerError};
use ades::{Checked, PendingSignature};
use ades_session::store::{BatchState, Stage};
use ades_session::{Error, ItemError, JobId, Next, Observer, Stop, WrittenSignature};

use crate::faults::run;
use crate::service::{Trouble, User};
use crate::world::{BROWSER, LAPSE, World, next, page};

/// What happened, in order.
#[derive(Debug, Default)]
struct Log(Mutex<Vec<String>>);

impl Log {
    fn add(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Log {
    fn stored(&self, _: JobId, stage: Stage) {
        self.add(stage.name().to_owned());
    }

    fn checked(&self, item: usize, checked: &Checked) {
        self.add(format!("checked: {item} as {}", checked.format()));
    }

    fn written(&self, _: JobId, item: usize, signature: &WrittenSignature<'_>) {
        assert!(signature.value_digest.is_some());
        self.add(format!("written: {item} by {:?}", signature.chain.leaf().common_name()));
    }

    fn signer_failed(&self, _: JobId, error: &SignerError) {
        self.add(format!("failed: {:?}", error.kind()));
    }

    fn refused(&self, _: JobId, refusal: &Refusal) {
        self.add(format!("refused: {:?}", refusal.code));
    }

    fn prepared(&self, _: JobId, item: usize, pending: &PendingSignature) {
        self.add(format!("prepared: {item} as {}", pending.format()));
    }

    fn not_written(&self, _: JobId, item: usize, error: &ItemError) {
        self.add(format!("not written: {item}: {error}"));
    }
}

#[test]
fn an_observer_sees_what_a_job_does_not_keep() {
    let world = World::new();
    let log = Arc::new(Log::default());
    let driver = world.driver().observer(Arc::clone(&log) as Arc<_>);
    let (job, page) = world.until_signing(&driver);
    assert_eq!(
        log.take(),
        [
            "checked: 0 as CAdES",
            "checked: 1 as XAdES",
            "checked: 2 as PAdES",
            "start", // that the signer is asked
            "identifying",
            "identified",
            "prepared: 0 as CAdES",
            "prepared: 1 as XAdES",
            "prepared: 2 as PAdES",
            "asking",
            "signing",
        ]
    );
    let query = world.service.visit(&page, User::Undecided);
    for trouble in [Trouble::Unclear, Trouble::WrongValues, Trouble::Forgotten] {
        world.service.trouble(trouble);
    }
    run(driver.returned(&query, BROWSER)).unwrap().unwrap();
    assert_eq!(log.take(), ["failed: Unclear", "signing"]);
    world.service.visit(&page, User::Confirmed);
    run(driver.poll_now(job, BROWSER)).unwrap().unwrap();
    let [wrong, stored] = log.take().try_into().unwrap();
    assert!(wrong.starts_with("failed: "), "{wrong}");
    assert_eq!(stored, "signing");
    let lost = next(run(driver.poll_now(job, BROWSER)).unwrap().unwrap());
    assert_eq!(lost, Next::Stopped(Stop::SessionLost));
    assert_eq!(log.take(), ["failed: UnknownSession", "identified"]);

    let again = next(run(driver.ask_again(job, BROWSER)).unwrap().unwrap());
    let query = world.service.visit(&self::page(&again), User::Refused);
    run(driver.returned(&query, BROWSER)).unwrap().unwrap();
    assert_eq!(log.take().pop().unwrap(), "identified");
    let again = next(run(driver.ask_again(job, BROWSER)).unwrap().unwrap());
    // A stranger is not a failure of the signer.
    run(driver.returned("st=key-99", BROWSER)).unwrap().unwrap();
    world.files.full.lock().unwrap().insert("b-signed.xml".to_owned());
    let query = world.service.visit(&self::page(&again), User::Confirmed);
    run(driver.returned(&query, BROWSER)).unwrap().unwrap();
    let seen = log.take();
    assert_eq!(seen.iter().filter(|what| what.starts_with("failed")).count(), 0, "{seen:?}");
    for what in [
        "written: 0 by Some(\"Session User\")",
        "not written: 1: the container cannot be written",
        "written: 2 by Some(\"Session User\")",
    ] {
        assert!(seen.contains(&what.to_owned()), "{what}: {seen:?}");
    }
}

#[test]
fn an_application_that_waits_by_itself_goes_on_at_once() {
    let world = World::new();
    let driver = world.driver();
    let (job, page) = world.until_signing(&driver);
    world.service.visit(&page, User::Confirmed);
    let continued = world.service.state().continued;
    // A page that loads itself again too soon asks nothing.
    let wait = next(run(driver.poll(job, BROWSER)).unwrap().unwrap());
    assert!(matches!(wait, Next::Wait { .. }), "{wait:?}");
    assert_eq!(world.service.state().continued, continued);
    world.files.full.lock().unwrap().insert("a.txt.p7s".to_owned());
    let partly = next(run(driver.poll_now(job, BROWSER)).unwrap().unwrap());
    assert!(matches!(partly, Next::Incomplete { .. }), "{partly:?}");
    assert_eq!(world.service.state().continued, continued + 1);
    world.files.full.lock().unwrap().clear();
    let partly = next(run(driver.poll(job, BROWSER)).unwrap().unwrap());
    assert!(matches!(partly, Next::Incomplete { .. }), "{partly:?}");
    let done = next(run(driver.poll_now(job, BROWSER)).unwrap().unwrap());
    assert!(matches!(done, Next::Done { .. }), "{done:?}");
    world.check_done(job);
}

#[test]
fn a_stopped_job_still_collects_what_its_user_confirms() {
    let world = World::new();
    let driver = world.driver();
    let (job, page) = world.until_signing(&driver);
    for _ in 0..2 {
        let stopped = next(run(driver.stop(job, BROWSER)).unwrap().unwrap());
        assert_eq!(stopped, Next::Stopped(Stop::GivenUp));
    }
    // Nobody asks by itself any more.
    world.pass(LAPSE);
    assert!(run(driver.poll_due(9)).unwrap().unwrap().is_empty());
    let still = next(run(driver.poll_now(job, BROWSER)).unwrap().unwrap());
    assert_eq!(still, Next::Stopped(Stop::GivenUp));
    world.service.visit(&page, User::Confirmed);
    let done = next(run(driver.poll_now(job, BROWSER)).unwrap().unwrap());
    assert!(matches!(done, Next::Done { .. }), "{done:?}");
    let over = run(driver.stop(job, BROWSER)).unwrap();
    assert!(matches!(over, Err(Error::Stage { stage: Stage::Done })), "{over:?}");
    world.check_done(job);
}

#[test]
fn a_stopped_job_asks_again_in_another_session() {
    let world = World::new();
    let driver = world.driver();
    let begun = run(driver.begin(world.job(), BROWSER)).unwrap().unwrap();
    let stopped = next(run(driver.stop(begun.job, BROWSER)).unwrap().unwrap());
    assert_eq!(stopped, Next::Stopped(Stop::GivenUp));
    assert_eq!(world.service.state().closed, 1);
    let again = next(run(driver.ask_again(begun.job, BROWSER)).unwrap().unwrap());
    assert_eq!(world.service.state().identifications.len(), 2);
    let query = world.service.visit(&page(&again), User::Confirmed);
    run(driver.returned(&query, BROWSER)).unwrap().unwrap();
    run(driver.stop(begun.job, BROWSER)).unwrap().unwrap();
    let again = next(run(driver.ask_again(begun.job, BROWSER)).unwrap().unwrap());
    assert_eq!(world.service.state().batches.len(), 2);
    assert_eq!(world.service.state().closed, 2);
    let states: Vec<_> =
        world.stored(begun.job).batches.into_iter().map(|batch| batch.state).collect();
    assert_eq!(states, [BatchState::Refused, BatchState::Open]);
    let query = world.service.visit(&page(&again), User::Confirmed);
    let done = next(run(driver.returned(&query, BROWSER)).unwrap().unwrap());
    assert!(matches!(done, Next::Done { .. }), "{done:?}");
    world.check_done(begun.job);
}

#[test]
fn a_status_names_the_stage_and_the_end_of_the_certificate() {
    let world = World::new();
    let driver = world.driver();
    let begun = run(driver.begin(world.job(), BROWSER)).unwrap().unwrap();
    let status = |job| run(driver.status(job, BROWSER)).unwrap().unwrap().unwrap();
    let before = status(begun.job);
    assert_eq!((before.stage, before.certificate_until), (Stage::Identifying, None));
    let query = world.service.visit(&page(&begun.next), User::Confirmed);
    run(driver.returned(&query, BROWSER)).unwrap().unwrap();
    let after = status(begun.job);
    assert_eq!(after.stage, Stage::Signing);
    assert!(after.certificate_until.unwrap() > after.changed_at - Duration::from_secs(1));
}

//! Jobs that go well.

use std::time::Duration;

use ades::Format;
use ades_session::store::{EventKind, Stage};
use ades_session::{Error, ItemError, ItemState, JobProblem, Next, Outcome, SigningJob};

use crate::faults::run;
use crate::service::User;
use crate::world::{BROWSER, OTHER, World, guide, next, page};

#[test]
fn a_web_handler_is_three_calls() {
    let world = World::new();
    let driver = world.driver();
    let begun = run(driver.begin(world.job(), BROWSER)).unwrap().unwrap();
    let query = world.service.visit(&page(&begun.next), User::Confirmed);
    let confirm = next(run(driver.returned(&query, BROWSER)).unwrap().unwrap());
    let query = world.service.visit(&page(&confirm), User::Confirmed);
    let done = next(run(driver.returned(&query, BROWSER)).unwrap().unwrap());
    let Next::Done { items, .. } = done else { panic!("{done:?}") };
    assert!(items.iter().all(|item| item.state == ItemState::Signed));
    let formats: Vec<Format> = items.iter().map(|item| item.format).collect();
    assert_eq!(formats, [Format::Cades, Format::Xades, Format::Pades]);
    let containers: Vec<&str> = items.iter().map(|item| item.container.as_str()).collect();
    assert_eq!(containers, ["a.txt.p7s", "b-signed.xml", "c-signed.pdf"]);
    assert_eq!(world.events(), [EventKind::ValuesHere, EventKind::Signed]);
    let stored = world.stored(begun.job);
    assert_eq!((stored.stage, stored.due_at), (Stage::Done, None));
    assert!(stored.purge_at.is_some());
    // The service knows the request by the id that was stored before the call.
    let asked = &world.service.state().batches[0];
    assert_eq!(asked.request_id.as_deref(), Some(stored.batches[0].request_id.as_str()));
    // Anybody's next request shows the same.
    let again = next(run(driver.poll(begun.job, BROWSER)).unwrap().unwrap());
    assert!(matches!(&again, Next::Done { items: found, .. } if *found == items), "{again:?}");
}

#[test]
fn any_process_continues_and_the_job_names_no_place() {
    let world = World::new();
    // Each step is another process: all that they share is the store, the documents and the keys.
    let processes = || world.driver();
    let begun = run(processes().begin(world.job(), BROWSER)).unwrap().unwrap();
    let query = world.service.visit(&page(&begun.next), User::Confirmed);
    let confirm = next(run(processes().returned(&query, BROWSER)).unwrap().unwrap());
    let query = world.service.visit(&page(&confirm), User::Confirmed);
    let done = next(run(processes().returned(&query, BROWSER)).unwrap().unwrap());
    assert!(matches!(done, Next::Done { .. }), "{done:?}");
    world.check_done(begun.job);
}

#[test]
fn batches_follow_one_another_each_with_its_confirmation() {
    let mut world = World::new();
    world.max_batch = 2;
    let (job, asked_again) = guide(&world, vec![world.driver()]);
    assert_eq!(asked_again, 0);
    assert_eq!(world.service.state().batches.len(), 2);
    assert_eq!(world.service.state().identifications.len(), 1);
    let stored = world.stored(job);
    assert_eq!(stored.items.iter().map(|item| item.batch).collect::<Vec<_>>(), [0, 0, 1]);
    world.check_done(job);
}

#[test]
fn a_signer_that_answers_at_once_is_done_with_begin() {
    let mut world = World::new();
    (world.interactive, world.max_batch) = (false, 1);
    let begun = run(world.driver().begin(world.job(), None)).unwrap().unwrap();
    assert!(matches!(begun.next, Next::Done { .. }), "{:?}", begun.next);
    world.check_done(begun.job);
}

#[test]
fn beginning_twice_is_beginning_once() {
    let world = World::new();
    let driver = world.driver();
    let one = run(driver.begin(world.job(), BROWSER)).unwrap().unwrap();
    let two = run(driver.begin(world.job(), BROWSER)).unwrap().unwrap();
    assert_eq!(one, two);
    assert_eq!(world.service.state().identifications.len(), 1);
    let other = run(driver.begin(world.job(), OTHER)).unwrap();
    assert!(matches!(other, Err(Error::OtherBrowser)), "{other:?}");
}

#[test]
fn everything_is_checked_before_anybody_is_asked() {
    let world = World::new();
    world.files.files.lock().unwrap().insert("c-signed.pdf".to_owned(), b"taken".to_vec());
    let mut job = world.job();
    job.items[0].document = "missing.txt".to_owned();
    job.items[1].options.format = Some(Format::Pades);
    let error = run(world.driver().begin(job, BROWSER)).unwrap().unwrap_err();
    let Error::Documents { failures } = &error else { panic!("{error:?}") };
    assert_eq!(failures.iter().map(|failure| failure.item).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(matches!(failures[0].error, ItemError::Read(_)));
    assert!(matches!(failures[1].error, ItemError::Sign(ades::Error::NotPdf)));
    assert!(matches!(failures[2].error, ItemError::Taken));
    assert!(world.service.state().identifications.is_empty());
    // Nothing was stored: the job can be begun when it is right.
    assert_eq!(run(world.store.find("tenant", "job-1")).unwrap().unwrap(), None);

    let problem = |change: fn(&mut SigningJob)| {
        let mut job = world.job();
        change(&mut job);
        match run(world.driver().begin(job, BROWSER)).unwrap().unwrap_err() {
            Error::Job(problem) => problem,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(problem(|job| job.items.clear()), JobProblem::Items { found: 0 });
    let twice = |job: &mut SigningJob| job.items[2].container = job.items[0].container.clone();
    assert_eq!(problem(twice), JobProblem::SameContainer { one: 0, other: 2 });
    let empty = |job: &mut SigningJob| job.items[1].document.clear();
    assert_eq!(problem(empty), JobProblem::Reference { item: 1 });
}

/// EDGECASES 60: what the user confirms is what was checked.
#[test]
fn case_60_a_document_that_changed_is_not_signed() {
    let world = World::new();
    let driver = world.driver();
    let begun = run(driver.begin(world.job(), BROWSER)).unwrap().unwrap();
    world.files.files.lock().unwrap().insert("a.txt".to_owned(), b"another text".to_vec());
    let query = world.service.visit(&page(&begun.next), User::Confirmed);
    let error = run(driver.returned(&query, BROWSER)).unwrap().unwrap_err();
    let Error::Documents { failures } = &error else { panic!("{error:?}") };
    assert!(matches!(failures[..], [ref one] if matches!(one.error, ItemError::Changed)));
    assert!(world.service.state().batches.is_empty());
    // The user is identified, and can go on when the document is back.
    world.files.files.lock().unwrap().insert("a.txt".to_owned(), b"a text".to_vec());
    let confirm = next(run(driver.poll(begun.job, BROWSER)).unwrap().unwrap());
    assert!(matches!(confirm, Next::Redirect { .. }), "{confirm:?}");
}

/// EDGECASES 37: the user closes the browser, and confirms in the app.
#[test]
fn case_37_a_poller_collects_what_nobody_comes_back_for() {
    let world = World::new();
    let driver = world.driver();
    let (job, page) = world.until_signing(&driver);
    // Not due yet.
    assert_eq!(run(driver.poll_due(10)).unwrap().unwrap().len(), 0);
    world.pass(Duration::from_secs(7));
    let polled = run(driver.poll_due(10)).unwrap().unwrap();
    assert!(matches!(&polled[..], [(id, Ok(Next::Wait { .. }))] if *id == job), "{polled:?}");
    world.service.visit(&page, User::Confirmed);
    world.pass(Duration::from_secs(15));
    let polled = run(driver.poll_due(10)).unwrap().unwrap();
    assert!(matches!(&polled[..], [(_, Ok(Next::Done { .. }))]), "{polled:?}");
    world.check_done(job);
}

#[test]
fn the_poller_asks_no_user() {
    let mut world = World::new();
    world.max_batch = 1;
    let driver = world.driver();
    let (job, page) = world.until_signing(&driver);
    world.service.visit(&page, User::Confirmed);
    world.pass(Duration::from_secs(7));
    let polled = run(driver.poll_due(10)).unwrap().unwrap();
    // The first batch is written; the second one waits for the user.
    assert!(matches!(&polled[..], [(_, Ok(Next::NeedsUser))]), "{polled:?}");
    assert_eq!(world.service.state().batches.len(), 1);
    let confirm = next(run(driver.poll(job, BROWSER)).unwrap().unwrap());
    assert!(matches!(confirm, Next::Redirect { .. }), "{confirm:?}");
}

#[test]
fn a_status_page_continues_nothing() {
    let world = World::new();
    let driver = world.driver();
    let (job, _) = world.until_signing(&driver);
    let before = (world.stored(job).version, world.service.state().continued);
    let status = run(driver.status(job, BROWSER)).unwrap().unwrap().unwrap();
    assert!(matches!(status.next, Next::Wait { page: Some(_), expires_at: Some(_), .. }));
    assert!(status.items.iter().all(|item| item.state == ItemState::Asked));
    assert!(run(driver.status(job, OTHER)).unwrap().unwrap().is_none());
    assert_eq!(before, (world.stored(job).version, world.service.state().continued));
}

/// What the store has in clear is not personal, and Debug shows no address, key or name.
#[test]
fn nothing_personal_is_shown() {
    let world = World::new();
    let driver = world.driver();
    let (job, _) = world.until_signing(&driver);
    let outcome = run(driver.poll(job, BROWSER)).unwrap().unwrap();
    let status = run(driver.status(job, BROWSER)).unwrap().unwrap();
    let shown =
        format!("{outcome:?} {status:?} {:?} {driver:?} {:?}", world.job(), world.stored(job));
    for secret in ["service.example", "key-", "cookie", "a.txt", "b.xml", "Session User", "account"]
    {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
    assert!(matches!(outcome, Outcome::Next { .. }));
}

//! Drivers with a runtime: calls that are dropped, tasks that die, and a store that is away.

use std::future::{Future, ready};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use ades::signer::BoxFuture;
use ades_session::store::Stage;
use ades_session::{Error, Next, Runtime};

use crate::faults::{Failure, run};
use crate::service::User;
use crate::world::{BROWSER, Process, World, next, page};

/// A thread for each task.
#[derive(Debug)]
struct Threads;

impl Runtime for Threads {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        thread::spawn(|| block_on(task));
    }

    fn spawn_blocking(&self, work: Box<dyn FnOnce() + Send>) {
        thread::spawn(work);
    }

    fn sleep(&self, _time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(ready(()))
    }
}

/// A runtime that drops what it gets.
#[derive(Debug)]
struct Stopped;

impl Runtime for Stopped {
    fn spawn(&self, _task: BoxFuture<'static, ()>) {}

    fn spawn_blocking(&self, _work: Box<dyn FnOnce() + Send>) {}

    fn sleep(&self, _time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(ready(()))
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return result;
        }
        thread::park();
    }
}

#[test]
fn a_call_in_a_task_of_its_own_returns_its_result() {
    let world = World::new();
    let driver = world.driver().runtime(Threads);
    let begun = block_on(driver.begin(world.job(), BROWSER)).unwrap();
    let query = world.service.visit(&page(&begun.next), User::Confirmed);
    let confirm = next(block_on(driver.returned(&query, BROWSER)).unwrap());
    let query = world.service.visit(&page(&confirm), User::Confirmed);
    let done = next(block_on(driver.returned(&query, BROWSER)).unwrap());
    assert!(matches!(done, Next::Done { .. }), "{done:?}");
    world.check_done(begun.job);
}

/// What a web server does when the browser goes away.
#[test]
fn a_call_that_is_dropped_goes_on() {
    let world = World::new();
    let driver = world.driver().runtime(Threads);
    let begun = run(world.driver().begin(world.job(), BROWSER)).unwrap().unwrap();
    let query = world.service.visit(&page(&begun.next), User::Confirmed);
    // Polled once, and dropped.
    let _ = run(driver.returned(&query, BROWSER));
    let started = Instant::now();
    while world.stored(begun.job).stage != Stage::Signing {
        assert!(started.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(world.service.state().batches.len(), 1);
}

#[test]
fn a_task_that_the_runtime_drops_is_an_error() {
    let world = World::new();
    let driver = world.driver().runtime(Stopped);
    let error = block_on(driver.begin(world.job(), BROWSER)).unwrap_err();
    assert!(matches!(error, Error::Task), "{error:?}");
}

/// The service has acted, and the store is away for longer than three tries.
#[test]
fn a_store_that_comes_back_within_the_lease_loses_nothing() {
    let world = World::new();
    let fails = Some((1..9, Failure::Before));
    let (driver, _) = world.process(&Process { put_fails: fails, ..Process::default() });
    let driver = driver.runtime(Threads);
    let begun = block_on(driver.begin(world.job(), BROWSER)).unwrap();
    assert!(matches!(begun.next, Next::Redirect { .. }), "{:?}", begun.next);
    assert_eq!(world.service.state().identifications.len(), 1);
}

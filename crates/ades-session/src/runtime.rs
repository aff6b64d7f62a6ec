//! What the driver needs of the application's runtime. No runtime is named here.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ades::signer::BoxFuture;

use crate::error::Error;

/// The application's runtime: `TokioRuntime` of the feature `tokio`, or another one.
pub trait Runtime: Send + Sync + fmt::Debug {
    /// Runs a task to its end. Each call of the driver is one. Web servers drop the future of a
    /// request when the browser goes away, and the signer may have received the batch by then: a
    /// task of its own goes on.
    fn spawn(&self, task: BoxFuture<'static, ()>);

    /// Runs work that reads and writes documents, where it may block.
    fn spawn_blocking(&self, work: Box<dyn FnOnce() + Send>);

    /// Waits: while the store is not available, a change is tried again as long as the lease lasts.
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()>;
}

/// Tokio. Its methods panic outside of a runtime of tokio, as tokio's own do.
#[cfg(feature = "tokio")]
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioRuntime;

#[cfg(feature = "tokio")]
impl Runtime for TokioRuntime {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        tokio::spawn(task);
    }

    fn spawn_blocking(&self, work: Box<dyn FnOnce() + Send>) {
        tokio::task::spawn_blocking(work);
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// Runs a future, in a task of its own if there is a runtime.
pub(crate) async fn run<T: Send + 'static>(
    runtime: Option<&Arc<dyn Runtime>>,
    future: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let Some(runtime) = runtime else { return future.await };
    let (promise, result) = promise();
    runtime.spawn(Box::pin(async move { promise.keep(future.await) }));
    result.await.unwrap_or(Err(Error::Task))
}

/// Runs blocking work, on a thread for it if there is a runtime.
pub(crate) async fn block<T: Send + 'static>(
    runtime: Option<&Arc<dyn Runtime>>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let Some(runtime) = runtime else { return Ok(work()) };
    let (promise, result) = promise();
    runtime.spawn_blocking(Box::new(move || promise.keep(work())));
    result.await.ok_or(Error::Task)
}

/// The place of a result that another task makes.
struct Place<T> {
    result: Option<T>,
    is_over: bool,
    waker: Option<Waker>,
}

/// The duty to make a result. Dropping it says that there will be none.
struct Promise<T>(Arc<Mutex<Place<T>>>);

/// A future of the result: `None` if the task was dropped, or panicked.
struct Promised<T>(Arc<Mutex<Place<T>>>);

fn promise<T>() -> (Promise<T>, Promised<T>) {
    let place = Arc::new(Mutex::new(Place { result: None, is_over: false, waker: None }));
    (Promise(Arc::clone(&place)), Promised(place))
}

fn locked<T>(place: &Mutex<Place<T>>) -> MutexGuard<'_, Place<T>> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Promise<T> {
    fn keep(self, result: T) {
        locked(&self.0).result = Some(result);
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        let waker = {
            let mut place = locked(&self.0);
            place.is_over = true;
            place.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Future for Promised<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut place = locked(&self.0);
        if place.is_over {
            return Poll::Ready(place.result.take());
        }
        place.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

//! The log of each step: its name, its session, its duration and its outcome.
//! The log does not contain the content of requests and answers, because it is
//! personal data.

use std::future::Future;

use ades_core::signer::{Step, StepResult};
use ades_core::{Digest, DigestAlgorithm};
use chrono::{DateTime, Utc};
use tracing::{Instrument, Span};

/// Runs a step in its span and logs its outcome.
pub(crate) async fn step<T, S>(
    span: Span,
    clock: &(dyn Fn() -> DateTime<Utc> + Send + Sync),
    step: impl Future<Output = StepResult<T, S>>,
) -> StepResult<T, S> {
    let begun = clock();
    let result = step.instrument(span.clone()).await;
    let millis = millis(begun, clock());
    span.in_scope(|| match &result {
        Ok(step) => tracing::info!(millis, outcome = outcome(step), "step taken"),
        Err(error) => {
            tracing::warn!(millis, fault = ?error.fault(), retry = ?error.retry(), "step failed");
        }
    });
    result
}

/// The milliseconds between two times.
pub(crate) fn millis(begun: DateTime<Utc>, ended: DateTime<Utc>) -> i64 {
    ended.signed_duration_since(begun).num_milliseconds()
}

/// Adds the session to the current span, as the beginning of the digest of its
/// id. Whoever knows the id itself could ask for the result.
pub(crate) fn session(id: &str) {
    let digest = Digest::of(DigestAlgorithm::Sha256, id.as_bytes()).to_hex();
    Span::current().record("session", digest.get(..8).unwrap_or_default());
}

/// Adds our request id to the current span.
pub(crate) fn request(id: &str) {
    Span::current().record("request", id);
}

const fn outcome<T, S>(step: &Step<T, S>) -> &'static str {
    match step {
        Step::Redirect { .. } => "redirect",
        Step::Wait { .. } => "wait",
        Step::Done(_) => "done",
        Step::Refused(_) => "refused",
        _ => "other",
    }
}

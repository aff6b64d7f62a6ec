//! One request and its answer.

use std::time::Duration;

use http::{Method, Request};
use serde_json::Value;

use super::{ItsmeSigner, TRIES};
use crate::config::Settings;
use crate::http_answer::Answer;
use crate::other_answer::OtherAnswer;
use crate::trace;
use crate::transport::TransportError;

/// Maximum wait before a request that opens nothing is repeated. A service that
/// asks for more gets no further request.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// The outcome of a request.
pub(super) struct Asked<T> {
    pub(super) answer: Result<T, OtherAnswer>,
    /// The time for which the service asks before the next request
    pub(super) retry_after: Option<Duration>,
}

impl ItsmeSigner {
    /// Sends a request and reads its answer.
    pub(super) async fn ask<T>(
        &self,
        method: Method,
        path: &'static str,
        body: Option<&Value>,
        read: impl Fn(&Answer) -> Result<T, OtherAnswer>,
    ) -> Asked<T> {
        match self.exchange(method, path, body).await {
            Ok(answer) => Asked { answer: read(&answer), retry_after: answer.retry_after },
            Err(error) => Asked { answer: Err(OtherAnswer::NoAnswer(error)), retry_after: None },
        }
    }

    /// As [`ask`](Self::ask), up to three times while `may_repeat` holds for the answer.
    pub(super) async fn ask_repeatedly<T>(
        &self,
        method: Method,
        path: &'static str,
        body: Option<&Value>,
        read: impl Fn(&Answer) -> Result<T, OtherAnswer>,
        may_repeat: impl Fn(&OtherAnswer) -> bool,
    ) -> Result<T, OtherAnswer> {
        let mut tries = 1;
        loop {
            let Asked { answer, retry_after } = self.ask(method.clone(), path, body, &read).await;
            let pause = Duration::from_secs(tries).max(retry_after.unwrap_or_default());
            match answer {
                Err(other) if tries < TRIES && pause <= MAX_PAUSE && may_repeat(&other) => {
                    self.transport.pause(pause).await;
                }
                answer => return answer,
            }
            tries += 1;
        }
    }

    async fn exchange(
        &self,
        method: Method,
        path: &'static str,
        body: Option<&Value>,
    ) -> Result<Answer, TransportError> {
        let not_sent = |e: http::Error| TransportError::NotSent(e.into());
        let Settings { base_url, request, .. } = self.settings();
        let partner_code = request.x_partner_code.as_ref().filter(|_| method == Method::POST);
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{base_url}{path}"))
            .header(http::header::ACCEPT, "application/json")
            .header(http::header::CONTENT_TYPE, "application/json");
        if let Some(code) = partner_code {
            request = request.header("x-partner-code", code);
        }
        let request = request
            .body(body.map_or(Vec::new(), |body| body.to_string().into_bytes()))
            .map_err(not_sent)?;
        let begun = (self.clock)();
        let answer = self.transport.send(request).await;
        let ended = (self.clock)();
        let millis = trace::millis(begun, ended);
        match answer {
            Ok(answer) => {
                tracing::debug!(path, status = answer.status().as_u16(), millis, "itsme answered");
                Ok(Answer::new(answer, ended))
            }
            Err(error) => {
                tracing::warn!(path, millis, %error, "itsme did not answer");
                Err(error)
            }
        }
    }
}

//! A conversation with a signer, from one step to the next.

use std::time::Duration;

use ades_core::signer::{BoxFuture, Event, Step, StepResult};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::exit::Failure;
use crate::output::Say;

/// The user's way back, on this machine.
pub(crate) struct Return {
    listener: TcpListener,
    path: String,
}

impl Return {
    /// Listens at a loopback redirect URL. Without it the signer is asked
    /// again and again all the same.
    pub(crate) async fn listen(redirect_url: Option<&str>) -> Option<Self> {
        let rest = redirect_url?.strip_prefix("http://")?;
        let (authority, path) = rest.split_once('/')?;
        let listener = TcpListener::bind(authority).await.ok()?;
        Some(Self { listener, path: format!("/{path}") })
    }

    /// Waits for the browser; yields the query it came with.
    async fn query(&self) -> String {
        loop {
            match self.one_request().await {
                Some(query) => return query,
                None => tokio::task::yield_now().await,
            }
        }
    }

    async fn one_request(&self) -> Option<String> {
        const PAGE: &str = "<!DOCTYPE html><html lang=\"en\"><title>ades</title>\
                            <p>Thank you. You can close this page.</p></html>";
        let (mut stream, _) = self.listener.accept().await.ok()?;
        let mut request = vec![0; 8 * 1024];
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut request));
        let length = read.await.ok()?.ok()?;
        let text = String::from_utf8_lossy(request.get(..length)?).into_owned();
        let target = text.strip_prefix("GET ")?.split(' ').next()?.to_owned();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let ours = path == self.path;
        let (status, body) = if ours { ("200 OK", PAGE) } else { ("404 Not Found", "") };
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len(),
        );
        // A browser that is gone already has been here all the same.
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
        ours.then(|| query.to_owned())
    }
}

/// What goes on while the conversation does.
pub(crate) struct Conversation<'a, S> {
    /// Stores the session before each wait.
    pub(crate) save: &'a mut dyn FnMut(&S) -> Result<(), Failure>,
    /// Where the user comes back.
    pub(crate) back: Option<&'a Return>,
    pub(crate) say: &'a Say,
    /// Whether nobody has to click.
    pub(crate) unattended: bool,
}

impl<S: Clone> Conversation<'_, S> {
    /// Goes from step to step until there is an answer.
    pub(crate) async fn finish<'s, T>(
        &mut self,
        mut step: Step<T, S>,
        proceed: &(dyn Fn(S, Event) -> BoxFuture<'s, StepResult<T, S>> + Sync),
    ) -> Result<T, Failure> {
        loop {
            let (after, session) = match step {
                Step::Done(answer) => return Ok(answer),
                Step::Refused(refusal) => return Err(refusal.into()),
                Step::Redirect { url, session } => {
                    if !self.unattended {
                        self.say.line(format_args!("open this page to go on:\n  {url}"));
                    }
                    (Duration::ZERO, session)
                }
                Step::Wait { after, session } => (after, session),
                _ => {
                    return Err(Failure::new(
                        70,
                        "the signer took a step this program does not know",
                    ));
                }
            };
            (self.save)(&session)?;
            let event = self.wait(after).await;
            step = match proceed(session.clone(), event).await {
                Err(error) if matches!(error.kind(), ades_core::signer::SignerErrorKind::State) => {
                    // Somebody else's browser, or an old one: nothing to do with us.
                    self.say.line("a browser came back that was not sent by this session");
                    Step::Wait { after: Duration::from_secs(1), session }
                }
                other => other?,
            };
        }
    }

    async fn wait(&self, after: Duration) -> Event {
        let Some(back) = self.back else {
            tokio::time::sleep(after).await;
            return Event::Poll;
        };
        tokio::select! {
            () = tokio::time::sleep(after) => Event::Poll,
            query = back.query() => Event::Returned { query, browser: None },
        }
    }
}

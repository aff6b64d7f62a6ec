//! A conversation with a signer, from one step to the next.

use std::time::Duration;

use ades_core::signer::{BoxFuture, Event, SignerErrorKind, Step, StepResult};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::exit::{BUG, Failure};
use crate::output::Say;

/// The user's way back, on this machine.
pub(crate) struct Return(mpsc::Receiver<String>);

impl Return {
    /// Listens at a loopback redirect URL. Without it the signer is asked
    /// again and again all the same.
    pub(crate) async fn listen(redirect_url: Option<&str>) -> Option<Self> {
        let (authority, path) = redirect_url?.strip_prefix("http://")?.split_once('/')?;
        let listener = TcpListener::bind(authority).await.ok()?;
        let path = format!("/{path}");
        let (sender, returns) = mpsc::channel(8);
        tokio::spawn(async move {
            while !sender.is_closed() {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let (sender, path) = (sender.clone(), path.clone());
                tokio::spawn(async move {
                    let answered = tokio::time::timeout(ANSWER, answer(stream, &path)).await;
                    if let Ok(Some(query)) = answered {
                        // Nobody waits any more: the conversation is over.
                        let _ = sender.send(query).await;
                    }
                });
            }
        });
        Some(Self(returns))
    }
}

/// A browser gets this long to say what it wants.
const ANSWER: Duration = Duration::from_secs(5);
/// No request line and headers are longer, in octets.
const MAX_REQUEST: usize = 8 * 1024;
const PAGE: &str = "<!DOCTYPE html><html lang=\"en\"><title>ades</title>\
                    <p>Thank you. You can close this page.</p></html>";

/// Answers one request; the query, if it came to the right place.
async fn answer(mut stream: TcpStream, ours: &str) -> Option<String> {
    let mut request = Vec::new();
    let mut piece = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < MAX_REQUEST {
        match stream.read(&mut piece).await.ok()? {
            0 => break,
            read => request.extend_from_slice(piece.get(..read)?),
        }
    }
    let text = String::from_utf8_lossy(&request);
    let target = text.strip_prefix("GET ")?.split(' ').next()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let found = path == ours;
    let (status, body) = if found { ("200 OK", PAGE) } else { ("404 Not Found", "") };
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len(),
    );
    // A browser that is gone already has been here all the same.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
    found.then(|| query.to_owned())
}

/// What goes on while the conversation does.
pub(crate) struct Conversation<'a, S> {
    /// Stores the session before each wait.
    pub(crate) save: &'a mut dyn FnMut(&S) -> Result<(), Failure>,
    /// Where the user comes back.
    pub(crate) back: Option<&'a mut Return>,
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
                    (self.save)(&session)?;
                    if !self.unattended {
                        self.say.line(format_args!("open this page to go on:\n  {url}"));
                    }
                    (Duration::ZERO, session)
                }
                Step::Wait { after, session } => {
                    (self.save)(&session)?;
                    (after, session)
                }
                _ => {
                    let message = "the signer took a step this program does not know";
                    return Err(Failure::new(BUG, message));
                }
            };
            let event = self.wait(after).await;
            step = match proceed(session.clone(), event).await {
                Err(error) if *error.kind() == SignerErrorKind::State => {
                    // Somebody else's browser, or an old one: nothing to do with us.
                    self.say.line("a browser came back that was not sent by this session");
                    Step::Wait { after: Duration::from_secs(1), session }
                }
                other => other?,
            };
        }
    }

    async fn wait(&mut self, after: Duration) -> Event {
        let Some(back) = &mut self.back else {
            tokio::time::sleep(after).await;
            return Event::Poll;
        };
        tokio::select! {
            () = tokio::time::sleep(after) => Event::Poll,
            Some(query) = back.0.recv() => Event::Returned { query, browser: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use ades_core::signer::{Refusal, RefusalReason, SignerError};

    use super::*;
    use crate::exit::{REFUSED, SERVICE};

    type Script = VecDeque<StepResult<&'static str, u32>>;

    struct Played {
        result: Result<&'static str, Failure>,
        stored: Vec<u32>,
        /// Sessions with what the signer was told.
        events: Vec<(u32, String)>,
    }

    fn play(first: Step<&'static str, u32>, script: Script, back: Option<&mut Return>) -> Played {
        let (script, events) = (Mutex::new(script), Mutex::new(Vec::new()));
        let mut stored = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let result = runtime.block_on(
            Conversation {
                save: &mut |session| {
                    stored.push(*session);
                    Ok(())
                },
                back,
                say: &Say::new(true),
                unattended: true,
            }
            .finish(first, &|session, event| {
                events.lock().unwrap().push((session, format!("{event:?}")));
                let next = script.lock().unwrap().pop_front().unwrap();
                Box::pin(async { next })
            }),
        );
        Played { result, stored, events: events.into_inner().unwrap() }
    }

    fn wait(session: u32) -> Step<&'static str, u32> {
        Step::Wait { after: Duration::from_millis(1), session }
    }

    #[test]
    fn each_session_is_stored_before_it_is_waited_for() {
        let first = Step::Redirect { url: "https://page".to_owned(), session: 1 };
        let script = [Ok(wait(2)), Ok(wait(3)), Ok(Step::Done("signed"))].into();
        let Played { result, stored, events } = play(first, script, None);
        assert_eq!(result.unwrap(), "signed");
        assert_eq!(stored, [1, 2, 3]);
        assert_eq!(events.iter().map(|e| e.0).collect::<Vec<_>>(), stored);
    }

    #[test]
    fn a_signer_that_answers_at_once_is_not_stored() {
        let Played { result, stored, events } = play(Step::Done("signed"), Script::new(), None);
        assert_eq!((result.unwrap(), stored.len(), events.len()), ("signed", 0, 0));
    }

    #[test]
    fn a_refusal_and_a_failure_end_the_conversation() {
        let refusal = Refusal::new(RefusalReason::ByUser, Some("REJECTED".to_owned()));
        let Played { result, .. } = play(wait(1), [Ok(Step::Refused(refusal))].into(), None);
        let failure = result.unwrap_err();
        assert_eq!(failure.status, REFUSED);
        assert_eq!(failure.to_string(), "the user refused (REJECTED)");

        let error = SignerError::new(SignerErrorKind::UnknownSession);
        let Played { result, .. } = play(wait(1), [Err(error)].into(), None);
        assert_eq!(result.unwrap_err().status, SERVICE);
    }

    #[test]
    fn a_strangers_return_does_not_end_the_conversation() {
        let (sender, returns) = mpsc::channel(1);
        sender.try_send("st=wrong".to_owned()).unwrap();
        let mut back = Return(returns);
        let script =
            [Err(SignerError::new(SignerErrorKind::State)), Ok(Step::Done("signed"))].into();
        let first = Step::Wait { after: Duration::from_secs(60), session: 1 };
        let Played { result, stored, events } = play(first, script, Some(&mut back));
        assert_eq!(result.unwrap(), "signed");
        assert_eq!(stored, [1, 1]);
        assert_eq!(events[0].1, "Returned(..)");
        assert_eq!(events[1], (1, "Poll".to_owned()));
    }
}

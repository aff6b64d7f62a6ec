//! A conversation with a signer, from one step to the next.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ades_core::signer::{BoxFuture, Event, SignerErrorKind, Step, StepResult};
use itsme_signer::is_return_from;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use url::Url;

use crate::exit::{BUG, Failure};
use crate::output::{self, Say};

/// The user's way back, on this machine.
pub(crate) struct Return {
    visits: mpsc::Receiver<Visit>,
    pages: Pages,
}

/// A browser that came back and waits for an answer.
struct Visit {
    query: String,
    verdict: oneshot::Sender<Verdict>,
}

/// What a browser that came back is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It was sent from here.
    Welcome,
    /// It was, and has been back: that step is over.
    Past,
    /// It was not. Whether anything goes on here is none of its business.
    Stranger,
}

impl Verdict {
    const fn status_and_page(self) -> (&'static str, &'static str) {
        match self {
            Self::Welcome => ("200 OK", "Thank you. You can close this page."),
            Self::Past => ("410 Gone", "This step is done already. You can close this page."),
            Self::Stranger => ("400 Bad Request", "There is nothing to be done here."),
        }
    }
}

/// The pages the user was sent to.
#[derive(Clone, Default)]
struct Pages(Arc<Mutex<Vec<Page>>>);

struct Page {
    address: String,
    /// Whether the conversation went on without it.
    over: bool,
    /// Whether the browser has been back from it.
    seen: bool,
}

impl Pages {
    fn all(&self) -> MutexGuard<'_, Vec<Page>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, address: &str) {
        self.all().push(Page { address: address.to_owned(), over: false, seen: false });
    }

    fn end(&self) {
        self.all().iter_mut().for_each(|page| page.over = true);
    }

    fn welcome(&self, query: &str) {
        if let Some(page) = self.all().iter_mut().find(|p| is_return_from(&p.address, query)) {
            page.seen = true;
        }
    }

    /// What a return from a step that is over is told. The signer judges others.
    fn judge(&self, query: &str) -> Option<Verdict> {
        let mut pages = self.all();
        let page = pages.iter_mut().find(|p| p.over && is_return_from(&p.address, query))?;
        let again = std::mem::replace(&mut page.seen, true);
        Some(if again { Verdict::Past } else { Verdict::Welcome })
    }
}

impl Return {
    /// Listens at a loopback redirect URL. Without it the signer is asked
    /// again and again all the same. Whose return it is, the state says that was
    /// sent along: the URL's own query is not looked at.
    pub(crate) async fn listen(redirect_url: &Url, say: &Say) -> Option<Self> {
        let address = address(redirect_url)?;
        let listener = match TcpListener::bind(&address).await {
            Ok(listener) => listener,
            Err(error) => {
                say.line(format_args!(
                    "{address}: {error}: the browser's return will not be noticed; the signer is \
                     asked from time to time"
                ));
                return None;
            }
        };
        let path = redirect_url.path().to_owned();
        let (sender, visits) = mpsc::channel(8);
        let pages = Pages::default();
        let judge = pages.clone();
        tokio::spawn(async move {
            while !sender.is_closed() {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let (path, sender, judge) = (path.clone(), sender.clone(), judge.clone());
                tokio::spawn(receive(stream, path, sender, judge));
            }
        });
        Some(Self { visits, pages })
    }

    /// Answers whoever is still waiting at a conversation's end.
    fn end(&mut self) {
        self.pages.end();
        while let Ok(visit) = self.visits.try_recv() {
            let verdict = self.pages.judge(&visit.query).unwrap_or(Verdict::Stranger);
            let _ = visit.verdict.send(verdict);
        }
    }
}

/// Host and port, http's own if there is none.
fn address(url: &Url) -> Option<String> {
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}

/// A browser gets this long to say what it wants.
const REQUEST: Duration = Duration::from_secs(5);
/// It waits this long for an answer.
const ANSWER: Duration = Duration::from_secs(60);
/// A signer is asked again after this time at the latest.
const MAX_WAIT: Duration = Duration::from_secs(3600);
/// No request line and headers are longer, in octets.
const MAX_REQUEST: usize = 8 * 1024;

/// Answers one request.
async fn receive(mut stream: TcpStream, ours: String, sender: mpsc::Sender<Visit>, pages: Pages) {
    let Ok(Some(target)) = tokio::time::timeout(REQUEST, target(&mut stream)).await else { return };
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let (status, text) = if path == ours {
        let judged = match pages.judge(query) {
            Some(verdict) => verdict,
            // Nobody waits any more, or nobody comes to it: as to a stranger.
            None => {
                let asked = tokio::time::timeout(ANSWER, ask(query, &sender)).await;
                asked.ok().flatten().unwrap_or(Verdict::Stranger)
            }
        };
        judged.status_and_page()
    } else {
        ("404 Not Found", "There is nothing to be done here.")
    };
    let body = format!("<!DOCTYPE html><html lang=\"en\"><title>ades</title><p>{text}</p></html>");
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len(),
    );
    // A browser that is gone already has been here all the same.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn ask(query: &str, sender: &mpsc::Sender<Visit>) -> Option<Verdict> {
    let (verdict, judged) = oneshot::channel();
    sender.send(Visit { query: query.to_owned(), verdict }).await.ok()?;
    judged.await.ok()
}

/// What a GET request asks for.
async fn target(stream: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    let mut piece = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < MAX_REQUEST {
        match stream.read(&mut piece).await.ok()? {
            0 => break,
            read => request.extend_from_slice(piece.get(..read)?),
        }
    }
    let text = String::from_utf8_lossy(&request);
    text.strip_prefix("GET ")?.split(' ').next().map(ToOwned::to_owned)
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

type Proceed<'p, 's, T, S> = dyn Fn(S, Event) -> BoxFuture<'s, StepResult<T, S>> + Sync + 'p;

impl<S: Clone> Conversation<'_, S> {
    /// Goes from step to step until there is an answer.
    pub(crate) async fn finish<'s, T>(
        &mut self,
        first: Step<T, S>,
        proceed: &Proceed<'_, 's, T, S>,
    ) -> Result<T, Failure> {
        let result = self.talk(first, proceed).await;
        if let Some(back) = &mut self.back {
            back.end();
        }
        result
    }

    async fn talk<'s, T>(
        &mut self,
        mut step: Step<T, S>,
        proceed: &Proceed<'_, 's, T, S>,
    ) -> Result<T, Failure> {
        loop {
            let (after, session) = match step {
                Step::Done(answer) => return Ok(answer),
                Step::Refused(refusal) => return Err(refusal.into()),
                Step::Redirect { url, session } => {
                    (self.save)(&session)?;
                    if let Some(back) = &self.back {
                        back.pages.add(&url);
                    }
                    if !self.unattended {
                        // Without it, nothing would ever go on.
                        output::loud(format_args!("open this page to go on:\n  {url}"));
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
            step = self.next(Instant::now() + after.min(MAX_WAIT), session, proceed).await?;
        }
    }

    /// The next step, once it is time or the user comes back. Other people's
    /// visits put nothing off.
    async fn next<'s, T>(
        &mut self,
        until: Instant,
        session: S,
        proceed: &Proceed<'_, 's, T, S>,
    ) -> Result<Step<T, S>, Failure> {
        let mut said = false;
        while let Some(back) = &mut self.back {
            let visit = tokio::select! {
                // However many come, the time is looked at first.
                biased;
                () = tokio::time::sleep_until(until) => break,
                visit = back.visits.recv() => visit,
            };
            let Some(Visit { query, verdict }) = visit else { break };
            let event = Event::Returned { query: query.clone(), browser: None };
            match proceed(session.clone(), event).await {
                Err(error) if *error.kind() == SignerErrorKind::State => {
                    let judged = back.pages.judge(&query).unwrap_or(Verdict::Stranger);
                    if judged == Verdict::Stranger && !std::mem::replace(&mut said, true) {
                        self.say.line("a browser came back that was not sent by this session");
                    }
                    let _ = verdict.send(judged);
                }
                step => {
                    back.pages.welcome(&query);
                    let _ = verdict.send(Verdict::Welcome);
                    return Ok(step?);
                }
            }
        }
        tokio::time::sleep_until(until).await;
        Ok(proceed(session, Event::Poll).await?)
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

    fn back() -> (mpsc::Sender<Visit>, Return) {
        let (sender, visits) = mpsc::channel(8);
        (sender, Return { visits, pages: Pages::default() })
    }

    fn visit(sender: &mpsc::Sender<Visit>, query: &str) -> oneshot::Receiver<Verdict> {
        let (verdict, judged) = oneshot::channel();
        sender.try_send(Visit { query: query.to_owned(), verdict }).unwrap_or_else(|_| panic!());
        judged
    }

    fn stranger() -> StepResult<&'static str, u32> {
        Err(SignerError::new(SignerErrorKind::State))
    }

    #[test]
    fn case_31_a_strangers_return_changes_and_reveals_nothing() {
        let (sender, mut back) = back();
        let mut judged = [visit(&sender, "st=wrong"), visit(&sender, "")];
        let script = [stranger(), stranger(), Ok(Step::Done("signed"))].into();
        let first = Step::Wait { after: Duration::from_millis(200), session: 1 };
        let begun = std::time::Instant::now();
        let Played { result, stored, events } = play(first, script, Some(&mut back));
        assert_eq!(result.unwrap(), "signed");
        assert!(begun.elapsed() >= Duration::from_millis(200));
        assert_eq!(stored, [1]);
        let events: Vec<&str> = events.iter().map(|(_, event)| event.as_str()).collect();
        assert_eq!(events, ["Returned(..)", "Returned(..)", "Poll"]);
        for judged in &mut judged {
            assert_eq!(judged.try_recv(), Ok(Verdict::Stranger));
        }
    }

    #[test]
    fn case_32_and_34_a_return_counts_only_during_its_step() {
        let (sender, mut back) = back();
        let page =
            |state| Step::Redirect { url: format!("https://page?q=1&st={state}"), session: 1 };
        // Twice while it is pending: read again.
        let mut judged = [visit(&sender, "q=1&st=one"), visit(&sender, "q=1&st=one")];
        let wait = || Ok(Step::Wait { after: Duration::from_secs(9), session: 1 });
        let script = [wait(), Ok(Step::Done("identified"))].into();
        back.pages.add("https://page?q=1&st=one");
        let first = Step::Wait { after: Duration::from_secs(9), session: 1 };
        play(first, script, Some(&mut back)).result.unwrap();
        for judged in &mut judged {
            assert_eq!(judged.try_recv(), Ok(Verdict::Welcome));
        }
        // Again when the next step has begun: over, and nobody is asked.
        assert_eq!(back.pages.judge("q=1&st=one"), Some(Verdict::Past));
        assert_eq!(back.pages.judge("q=1&st=two"), None);

        // The step went on by itself before the browser came back.
        play(page("two"), [Ok(Step::Done("signed"))].into(), Some(&mut back)).result.unwrap();
        assert_eq!(back.pages.judge("st=two"), Some(Verdict::Welcome));
        assert_eq!(back.pages.judge("st=two"), Some(Verdict::Past));
    }

    /// However fast they come.
    #[test]
    fn strangers_do_not_keep_us_from_asking() {
        let (sender, mut back) = back();
        let strangers = std::thread::spawn(move || {
            loop {
                let (verdict, _) = oneshot::channel();
                let visit = Visit { query: "st=wrong".to_owned(), verdict };
                if sender.blocking_send(visit).is_err() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let begun = Instant::now();
        // As the signer does: only a stranger's return is an error.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let result = runtime.block_on(
            Conversation {
                save: &mut |_| Ok(()),
                back: Some(&mut back),
                say: &Say::new(true),
                unattended: true,
            }
            .finish(
                Step::Wait { after: Duration::from_millis(300), session: 1 },
                &|_, event| {
                    Box::pin(async move {
                        match event {
                            Event::Poll => Ok(Step::Done("signed")),
                            _ if begun.elapsed() > Duration::from_secs(20) => {
                                Ok(Step::Done("starved"))
                            }
                            _ => Err(SignerError::new(SignerErrorKind::State)),
                        }
                    })
                },
            ),
        );
        assert_eq!(result.unwrap(), "signed");
        drop(back);
        strangers.join().unwrap();
    }

    #[test]
    fn case_38_our_own_deadline_is_not_a_refusal() {
        let own = Refusal::new(RefusalReason::Expired, None);
        let Played { result, .. } = play(wait(1), [Ok(Step::Refused(own))].into(), None);
        assert_eq!(result.unwrap_err().status, SERVICE);
        let theirs = Refusal::new(RefusalReason::Expired, Some("EXPIRED".to_owned()));
        let Played { result, .. } = play(wait(1), [Ok(Step::Refused(theirs))].into(), None);
        assert_eq!(result.unwrap_err().status, REFUSED);
    }

    /// What a browser that comes back with this request is told.
    async fn returned(address: &str, target: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.lines().next().unwrap().to_owned()
    }

    #[test]
    fn a_browser_comes_back_to_any_loopback_url() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for (host, rest, target) in [
                ("127.0.0.1", "", "/?st=one"),
                ("127.0.0.1", "/", "/?st=one"),
                ("127.0.0.1", "?tenant=7", "/?tenant=7&st=one"),
                ("localhost", "/re turn?tenant=7", "/re%20turn?tenant=7&st=one"),
                ("127.0.0.1", "/return", "/return?st=one"),
            ] {
                let port = crate::sandbox::free_port().unwrap();
                let address = format!("{host}:{port}");
                let url = Url::parse(&format!("HTTP://{address}{rest}")).unwrap();
                let back = Return::listen(&url, &Say::new(true)).await.unwrap();
                back.pages.add("https://page?st=one");
                back.pages.end();
                assert_eq!(returned(&address, target).await, "HTTP/1.1 200 OK", "{url}");
                let elsewhere = returned(&address, "/elsewhere?st=one").await;
                assert_eq!(elsewhere, "HTTP/1.1 404 Not Found", "{url}");
            }
        });
        for (url, expected) in [
            ("http://localhost/ret", "localhost:80"),
            ("http://[::1]?tenant=7", "[::1]:80"),
            ("http://127.0.0.1:8099", "127.0.0.1:8099"),
        ] {
            assert_eq!(address(&Url::parse(url).unwrap()).as_deref(), Some(expected));
        }
    }

    #[test]
    fn whoever_waits_at_the_end_is_answered() {
        let (sender, mut back) = back();
        back.pages.add("https://page?st=one");
        let mut judged = [visit(&sender, "st=one"), visit(&sender, "st=two")];
        play(Step::Done("signed"), Script::new(), Some(&mut back)).result.unwrap();
        assert_eq!(judged[0].try_recv(), Ok(Verdict::Welcome));
        assert_eq!(judged[1].try_recv(), Ok(Verdict::Stranger));
    }
}

//! A conversation with a signer, from one step to the next.

use std::time::Duration;

use ades::signer::{BoxFuture, Event, SignerErrorKind, Step, StepResult};
use tokio::time::Instant;

use crate::exit::{BUG, Failure};
use crate::output::{self, Messages};
use crate::return_page::{Answer, ReturnPage, Visit};

/// Maximum time between two polls of a signer.
const MAX_WAIT: Duration = Duration::from_secs(3600);

/// A conversation with a signer, with its storage and its return page.
pub(crate) struct Conversation<'a, S> {
    /// Called to store the session before each wait
    pub(crate) save: &'a mut dyn FnMut(&S) -> Result<(), Failure>,
    /// The page to which the user's browser returns
    pub(crate) return_page: Option<&'a mut ReturnPage>,
    pub(crate) messages: &'a Messages,
    /// Whether the signer confirms by itself, so that no page is shown
    pub(crate) unattended: bool,
}

type Proceed<'p, 's, T, S> = dyn Fn(S, Event) -> BoxFuture<'s, StepResult<T, S>> + Sync + 'p;

impl<S: Clone> Conversation<'_, S> {
    /// Goes from step to step until the signer answers.
    pub(crate) async fn finish<'s, T>(
        &mut self,
        first: Step<T, S>,
        proceed: &Proceed<'_, 's, T, S>,
    ) -> Result<T, Failure> {
        let result = self.talk(first, proceed).await;
        if let Some(page) = &mut self.return_page {
            page.end();
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
                    if let Some(page) = &self.return_page {
                        page.pages.add(&url);
                    }
                    if !self.unattended {
                        // Printed even with --quiet: the user must open this page to continue.
                        output::print_always(format_args!("open this page to continue:\n  {url}"));
                    }
                    (Duration::ZERO, session)
                }
                Step::Wait { after, session } => {
                    (self.save)(&session)?;
                    (after, session)
                }
                _ => {
                    let message =
                        "the signer answered with a step that this version does not support";
                    return Err(Failure::new(BUG, message));
                }
            };
            step = self.next(Instant::now() + after.min(MAX_WAIT), session, proceed).await?;
        }
    }

    /// Waits until it is time or the user's browser returns, and asks the signer for the next
    /// step. Visits of strangers do not delay it.
    async fn next<'s, T>(
        &mut self,
        until: Instant,
        session: S,
        proceed: &Proceed<'_, 's, T, S>,
    ) -> Result<Step<T, S>, Failure> {
        let mut printed = false;
        while let Some(page) = &mut self.return_page {
            let visit = tokio::select! {
                // The time has priority, so that many visits cannot delay the poll.
                biased;
                () = tokio::time::sleep_until(until) => break,
                visit = page.visits.recv() => visit,
            };
            let Some(Visit { query, answer }) = visit else { break };
            let event = Event::Returned { query: query.clone(), browser: None };
            match proceed(session.clone(), event).await {
                Err(error) if *error.kind() == SignerErrorKind::State => {
                    let found = page.pages.answer(&query).unwrap_or(Answer::Stranger);
                    if found == Answer::Stranger && !std::mem::replace(&mut printed, true) {
                        let message = "a browser came back that this session did not send";
                        self.messages.print(message);
                    }
                    let _ = answer.send(found);
                }
                step => {
                    page.pages.note_return(&query);
                    let _ = answer.send(Answer::Welcome);
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

    use ades::signer::{Refusal, RefusalReason, SignerError};

    use tokio::sync::{mpsc, oneshot};

    use super::*;
    use crate::exit::{REFUSED, SERVICE};
    use crate::return_page::SignerPages;

    type Script = VecDeque<StepResult<&'static str, u32>>;

    struct Played {
        result: Result<&'static str, Failure>,
        stored: Vec<u32>,
        /// Sessions with the events that the signer got
        events: Vec<(u32, String)>,
    }

    fn play(
        first: Step<&'static str, u32>,
        script: Script,
        back: Option<&mut ReturnPage>,
    ) -> Played {
        let (script, events) = (Mutex::new(script), Mutex::new(Vec::new()));
        let mut stored = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let result = runtime.block_on(
            Conversation {
                save: &mut |session| {
                    stored.push(*session);
                    Ok(())
                },
                return_page: back,
                messages: &Messages::new(true),
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
    fn session_is_stored_before_each_wait() {
        let first = Step::Redirect { url: "https://page".to_owned(), session: 1 };
        let script = [Ok(wait(2)), Ok(wait(3)), Ok(Step::Done("signed"))].into();
        let Played { result, stored, events } = play(first, script, None);
        assert_eq!(result.unwrap(), "signed");
        assert_eq!(stored, [1, 2, 3]);
        assert_eq!(events.iter().map(|e| e.0).collect::<Vec<_>>(), stored);
    }

    #[test]
    fn signer_that_answers_at_once_stores_no_session() {
        let Played { result, stored, events } = play(Step::Done("signed"), Script::new(), None);
        assert_eq!((result.unwrap(), stored.len(), events.len()), ("signed", 0, 0));
    }

    #[test]
    fn refusal_and_failure_end_the_conversation() {
        let refusal = Refusal::new(RefusalReason::ByUser, Some("REJECTED".to_owned()));
        let Played { result, .. } = play(wait(1), [Ok(Step::Refused(refusal))].into(), None);
        let failure = result.unwrap_err();
        assert_eq!(failure.status, REFUSED);
        assert_eq!(failure.to_string(), "the user refused (REJECTED)");

        let error = SignerError::new(SignerErrorKind::UnknownSession);
        let Played { result, .. } = play(wait(1), [Err(error)].into(), None);
        assert_eq!(result.unwrap_err().status, SERVICE);
    }

    fn back() -> (mpsc::Sender<Visit>, ReturnPage) {
        let (sender, visits) = mpsc::channel(8);
        (sender, ReturnPage { visits, pages: SignerPages::default() })
    }

    fn visit(sender: &mpsc::Sender<Visit>, query: &str) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        sender.try_send(Visit { query: query.to_owned(), answer }).unwrap_or_else(|_| panic!());
        answered
    }

    fn stranger() -> StepResult<&'static str, u32> {
        Err(SignerError::new(SignerErrorKind::State))
    }

    #[test]
    fn case_31_a_strangers_return_changes_and_reveals_nothing() {
        let (sender, mut back) = back();
        let mut answers = [visit(&sender, "st=wrong"), visit(&sender, "")];
        let script = [stranger(), stranger(), Ok(Step::Done("signed"))].into();
        let first = Step::Wait { after: Duration::from_millis(200), session: 1 };
        let begun = std::time::Instant::now();
        let Played { result, stored, events } = play(first, script, Some(&mut back));
        assert_eq!(result.unwrap(), "signed");
        assert!(begun.elapsed() >= Duration::from_millis(200));
        assert_eq!(stored, [1]);
        let events: Vec<&str> = events.iter().map(|(_, event)| event.as_str()).collect();
        assert_eq!(events, ["Returned(..)", "Returned(..)", "Poll"]);
        for answered in &mut answers {
            assert_eq!(answered.try_recv(), Ok(Answer::Stranger));
        }
    }

    #[test]
    fn case_32_and_34_a_return_counts_only_during_its_step() {
        let (sender, mut back) = back();
        let page =
            |state| Step::Redirect { url: format!("https://page?q=1&st={state}"), session: 1 };
        // It comes back twice while the step is pending: the signer is asked both times.
        let mut answers = [visit(&sender, "q=1&st=one"), visit(&sender, "q=1&st=one")];
        let wait = || Ok(Step::Wait { after: Duration::from_secs(9), session: 1 });
        let script = [wait(), Ok(Step::Done("identified"))].into();
        back.pages.add("https://page?q=1&st=one");
        let first = Step::Wait { after: Duration::from_secs(9), session: 1 };
        play(first, script, Some(&mut back)).result.unwrap();
        for answered in &mut answers {
            assert_eq!(answered.try_recv(), Ok(Answer::Welcome));
        }
        // It comes back again in the next step: the signer is not asked.
        assert_eq!(back.pages.answer("q=1&st=one"), Some(Answer::StepOver));
        assert_eq!(back.pages.answer("q=1&st=two"), None);

        // The step ended before the browser came back.
        play(page("two"), [Ok(Step::Done("signed"))].into(), Some(&mut back)).result.unwrap();
        assert_eq!(back.pages.answer("st=two"), Some(Answer::Welcome));
        assert_eq!(back.pages.answer("st=two"), Some(Answer::StepOver));
    }

    #[test]
    fn strangers_do_not_delay_polling() {
        let (sender, mut back) = back();
        let strangers = std::thread::spawn(move || {
            loop {
                let (answer, _) = oneshot::channel();
                let visit = Visit { query: "st=wrong".to_owned(), answer };
                if sender.blocking_send(visit).is_err() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let begun = Instant::now();
        // As signers do: a stranger's return is an error, polling is not.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let result = runtime.block_on(
            Conversation {
                save: &mut |_| Ok(()),
                return_page: Some(&mut back),
                messages: &Messages::new(true),
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

    #[test]
    fn waiting_browsers_are_answered_at_the_end() {
        let (sender, mut back) = back();
        back.pages.add("https://page?st=one");
        let mut answers = [visit(&sender, "st=one"), visit(&sender, "st=two")];
        play(Step::Done("signed"), Script::new(), Some(&mut back)).result.unwrap();
        assert_eq!(answers[0].try_recv(), Ok(Answer::Welcome));
        assert_eq!(answers[1].try_recv(), Ok(Answer::Stranger));
    }
}

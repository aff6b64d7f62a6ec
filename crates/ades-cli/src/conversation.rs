//! A conversation with a signer, from one step to the next.

use std::time::Duration;

use ades::signer::{BoxFuture, Event, SignerErrorKind, Step, StepResult};
use tokio::time::Instant;

use crate::browser::Guide;
use crate::exit::{BUG, Failure};
use crate::return_page::{ReturnPage, Verdict, Visit};

/// Maximum time between two polls of a signer.
const MAX_WAIT: Duration = Duration::from_secs(3600);

/// Called to store the session, with the signer's page if it is known, before each wait
pub(crate) type Save<'a, S> = dyn FnMut(&S, Option<&str>) -> Result<(), Failure> + 'a;

/// A conversation with a signer, with its storage and its return page.
pub(crate) struct Conversation<'a, S> {
    pub(crate) save: &'a mut Save<'a, S>,
    /// The page to which the user's browser returns
    pub(crate) return_page: Option<&'a mut ReturnPage>,
    pub(crate) guide: Guide,
}

/// The beginning of a conversation.
pub(crate) enum Opening<T, S> {
    /// The signer's first step
    New(Step<T, S>),
    /// The session of an earlier process, with its page if it is known
    Stored { session: S, page: Option<String> },
}

type Proceed<'p, 's, T, S> = dyn Fn(S, Event) -> BoxFuture<'s, StepResult<T, S>> + Sync + 'p;

impl<S: Clone> Conversation<'_, S> {
    /// Goes from step to step until the signer answers.
    pub(crate) async fn finish<'s, T>(
        &mut self,
        opening: Opening<T, S>,
        proceed: &Proceed<'_, 's, T, S>,
    ) -> Result<T, Failure> {
        let result = match opening {
            Opening::New(first) => self.talk(first, None, proceed).await,
            Opening::Stored { session, page } => self.take_up(session, page, proceed).await,
        };
        if let Some(page) = &mut self.return_page {
            page.end_step();
        }
        result
    }

    /// Continues a stored session. The user may have confirmed in the meantime; only otherwise
    /// the page is shown again.
    async fn take_up<'s, T>(
        &mut self,
        session: S,
        page: Option<String>,
        proceed: &Proceed<'_, 's, T, S>,
    ) -> Result<T, Failure> {
        if let (Some(return_page), Some(page)) = (&mut self.return_page, &page) {
            return_page.expect(page).await;
        }
        let first = self.next(Instant::now(), session, proceed).await?;
        if matches!(first, Step::Wait { .. }) {
            self.guide.show_again(page.as_deref());
        }
        self.talk(first, page, proceed).await
    }

    async fn talk<'s, T>(
        &mut self,
        mut step: Step<T, S>,
        mut page: Option<String>,
        proceed: &Proceed<'_, 's, T, S>,
    ) -> Result<T, Failure> {
        let unattended = self.guide.unattended;
        loop {
            let (after, session) = match step {
                Step::Done(answer) => return Ok(answer),
                Step::Refused(refusal) => return Err(refusal.into()),
                Step::Redirect { url, session, .. } => {
                    (self.save)(&session, Some(&url))?;
                    let mut on_its_way = false;
                    if let Some(return_page) = &mut self.return_page {
                        on_its_way = return_page.has_browser();
                        return_page.expect(&url).await;
                    }
                    self.guide.show(&url, on_its_way);
                    page = Some(url);
                    (Duration::ZERO, session)
                }
                Step::Wait { after, session, .. } => {
                    if let Some(return_page) = self.return_page.as_mut().filter(|_| !unattended) {
                        return_page.note_waiting();
                    }
                    (self.save)(&session, page.as_deref())?;
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
            let Some(Visit { query, verdict }) = visit else { break };
            let event = Event::Returned { query: query.clone(), browser: None };
            match proceed(session.clone(), event).await {
                Err(error) if *error.kind() == SignerErrorKind::State => {
                    // The visit may have waited since an earlier step.
                    let ours = page.trips.is_from_page(&query);
                    if !ours && !std::mem::replace(&mut printed, true) {
                        let message = "a browser came back that this session did not send";
                        self.guide.messages.print(message);
                    }
                    let _ = verdict.send(if ours { Verdict::Ours } else { Verdict::Stranger });
                }
                step => {
                    page.trips.note_return(&query);
                    let _ = verdict.send(Verdict::Ours);
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
    use crate::output::Messages;

    type Script = VecDeque<StepResult<&'static str, u32>>;

    struct Played {
        result: Result<&'static str, Failure>,
        stored: Vec<u32>,
        /// The pages that were stored with the sessions
        pages: Vec<Option<String>>,
        /// Sessions with the events that the signer got
        events: Vec<(u32, String)>,
    }

    fn guide() -> Guide {
        Guide { unattended: true, open: false, messages: Messages::new(true) }
    }

    fn play(
        first: Step<&'static str, u32>,
        script: Script,
        back: Option<&mut ReturnPage>,
    ) -> Played {
        play_from(Opening::New(first), script, back)
    }

    fn play_from(
        opening: Opening<&'static str, u32>,
        script: Script,
        back: Option<&mut ReturnPage>,
    ) -> Played {
        let (script, events) = (Mutex::new(script), Mutex::new(Vec::new()));
        let (mut stored, mut pages) = (Vec::new(), Vec::new());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let result = runtime.block_on(
            Conversation {
                save: &mut |session, page| {
                    stored.push(*session);
                    pages.push(page.map(ToOwned::to_owned));
                    Ok(())
                },
                return_page: back,
                guide: guide(),
            }
            .finish(opening, &|session, event| {
                events.lock().unwrap().push((session, format!("{event:?}")));
                let next = script.lock().unwrap().pop_front().unwrap();
                Box::pin(async { next })
            }),
        );
        Played { result, stored, pages, events: events.into_inner().unwrap() }
    }

    fn wait(session: u32) -> Step<&'static str, u32> {
        Step::wait(Duration::from_millis(1), session)
    }

    #[test]
    fn session_is_stored_before_each_wait() {
        let first = Step::redirect("https://page", 1);
        let script = [Ok(wait(2)), Ok(wait(3)), Ok(Step::Done("signed"))].into();
        let Played { result, stored, pages, events } = play(first, script, None);
        assert_eq!(result.unwrap(), "signed");
        assert_eq!(stored, [1, 2, 3]);
        assert_eq!(pages, [const { Some("https://page") }; 3].map(|p| p.map(str::to_owned)));
        assert_eq!(events.iter().map(|e| e.0).collect::<Vec<_>>(), stored);
    }

    #[test]
    fn signer_that_answers_at_once_stores_no_session() {
        let Played { result, stored, events, .. } = play(Step::Done("signed"), Script::new(), None);
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

    #[test]
    fn stored_session_is_asked_before_its_page_is_shown_again() {
        let page = || Some("https://page?st=one".to_owned());
        let stored = || Opening::Stored { session: 1, page: page() };
        // Confirmed in the meantime: nothing is stored.
        let script = [Ok(Step::Done("signed"))].into();
        let Played { result, stored: saved, .. } = play_from(stored(), script, None);
        assert_eq!((result.unwrap(), saved.len()), ("signed", 0));
        // Still pending: the page stays with the session.
        let script = [Ok(wait(2)), Ok(Step::Done("signed"))].into();
        let (_sender, mut back) = ReturnPage::for_tests();
        let Played { pages, events, .. } = play_from(stored(), script, Some(&mut back));
        assert_eq!(pages, [page()]);
        assert_eq!(events.iter().map(|event| event.0).collect::<Vec<_>>(), [1, 2]);
        assert!(back.trips.is_from_page("st=one"));
    }

    fn visit(sender: &mpsc::Sender<Visit>, query: &str) -> oneshot::Receiver<Verdict> {
        let (verdict, decided) = oneshot::channel();
        sender.try_send(Visit { query: query.to_owned(), verdict }).unwrap_or_else(|_| panic!());
        decided
    }

    fn tell(future: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(future);
    }

    fn stranger() -> StepResult<&'static str, u32> {
        Err(SignerError::new(SignerErrorKind::State))
    }

    #[test]
    fn case_31_a_strangers_return_changes_and_reveals_nothing() {
        let (sender, mut back) = ReturnPage::for_tests();
        let mut answers = [visit(&sender, "st=wrong"), visit(&sender, "")];
        let script = [stranger(), stranger(), Ok(Step::Done("signed"))].into();
        let first = Step::wait(Duration::from_millis(200), 1);
        let begun = std::time::Instant::now();
        let Played { result, stored, events, .. } = play(first, script, Some(&mut back));
        assert_eq!(result.unwrap(), "signed");
        assert!(begun.elapsed() >= Duration::from_millis(200));
        assert_eq!(stored, [1]);
        let events: Vec<&str> = events.iter().map(|(_, event)| event.as_str()).collect();
        assert_eq!(events, ["Returned(..)", "Returned(..)", "Poll"]);
        for answered in &mut answers {
            assert_eq!(answered.try_recv(), Ok(Verdict::Stranger));
        }
    }

    #[test]
    fn case_32_and_34_a_return_counts_only_during_its_step() {
        let (sender, mut back) = ReturnPage::for_tests();
        let page = |state| Step::redirect(format!("https://page?q=1&st={state}"), 1);
        // It comes back twice while the step is pending: the signer is asked both times.
        let mut answers = [visit(&sender, "q=1&st=one"), visit(&sender, "q=1&st=one")];
        let wait = || Ok(Step::wait(Duration::from_secs(9), 1));
        let script = [wait(), Ok(Step::Done("identified"))].into();
        tell(back.expect("https://page?q=1&st=one"));
        let first = Step::wait(Duration::from_secs(9), 1);
        play(first, script, Some(&mut back)).result.unwrap();
        for answered in &mut answers {
            assert_eq!(answered.try_recv(), Ok(Verdict::Ours));
        }
        // It comes back again in the next step, or late from a step: the signer is not asked.
        let late = visit(&sender, "q=1&st=one");
        let first = Step::wait(Duration::from_millis(50), 2);
        let script = [stranger(), Ok(Step::Done("signed"))].into();
        play(first, script, Some(&mut back)).result.unwrap();
        assert_eq!(late.blocking_recv().unwrap(), Verdict::Ours);
        play(page("two"), [Ok(Step::Done("signed"))].into(), Some(&mut back)).result.unwrap();
        assert!(back.trips.is_from_page("st=two") && !back.trips.is_from_page("st=three"));
    }

    #[test]
    fn strangers_do_not_delay_polling() {
        let (sender, mut back) = ReturnPage::for_tests();
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
        // As signers do: a stranger's return is an error, polling is not.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let result = runtime.block_on(
            Conversation { save: &mut |_, _| Ok(()), return_page: Some(&mut back), guide: guide() }
                .finish(Opening::New(Step::wait(Duration::from_millis(300), 1)), &|_, event| {
                    Box::pin(async move {
                        match event {
                            Event::Poll => Ok(Step::Done("signed")),
                            _ if begun.elapsed() > Duration::from_secs(20) => {
                                Ok(Step::Done("starved"))
                            }
                            _ => Err(SignerError::new(SignerErrorKind::State)),
                        }
                    })
                }),
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
        let (sender, mut back) = ReturnPage::for_tests();
        tell(back.expect("https://page?st=one"));
        let mut answers = [visit(&sender, "st=one"), visit(&sender, "st=two")];
        play(Step::Done("signed"), Script::new(), Some(&mut back)).result.unwrap();
        assert_eq!(answers[0].try_recv(), Ok(Verdict::Ours));
        assert_eq!(answers[1].try_recv(), Ok(Verdict::Stranger));
    }
}

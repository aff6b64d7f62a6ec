//! The conversation of a job with its user: what `ades-session` says next, the signer's pages, and the
//! browser that comes back from them.

use std::time::Duration;

use ades::signer::{Refusal, RefusalReason};
use ades_session::{Driver, EndReason, Error, JobId, Next, Outcome, Stop};
use tokio::time::Instant;

use crate::browser::Guide;
use crate::commands::sign::Again;
use crate::exit::{BUG, Failure, REFUSED};
use crate::path_name;
use crate::remote::{RemoteJob, Seen};
use crate::return_page::{ReturnPage, Verdict, Visit};

/// Maximum time between two polls of a signer.
const MAX_WAIT: Duration = Duration::from_secs(3600);

/// The conversation of a job.
pub(crate) struct Conversation<'a> {
    pub(crate) driver: &'a Driver,
    pub(crate) id: JobId,
    pub(crate) job: &'a RemoteJob,
    /// The page to which the user's browser returns
    pub(crate) return_page: Option<&'a mut ReturnPage>,
    pub(crate) guide: Guide,
}

impl Conversation<'_> {
    /// Goes from step to step until all containers are written.
    pub(crate) async fn finish(&mut self, first: Result<Next, Failure>) -> Result<(), Failure> {
        let result = match first {
            Ok(next) => self.talk(next).await,
            Err(failure) => Err(failure),
        };
        self.end_step();
        result
    }

    /// Continues the session of an earlier process. The user may have confirmed in the meantime; only
    /// otherwise the page is shown again.
    pub(crate) async fn take_up(&mut self, page: Option<String>) -> Result<(), Failure> {
        if let (Some(return_page), Some(page)) = (&mut self.return_page, &page) {
            return_page.expect(page).await;
        }
        let next = self.next(Instant::now()).await;
        if matches!(next, Ok(Next::Wait { .. })) {
            self.guide.show_again(page.as_deref());
        }
        self.finish(next).await
    }

    /// Gives up the session of an earlier process, and asks the user again.
    pub(crate) async fn ask_again(&mut self, again: Again) -> Result<(), Failure> {
        let stopped = self.driver.stop(self.id, None).await;
        self.after(stopped)?;
        let asked = match again {
            Again::Ask => self.driver.ask_again(self.id, None).await,
            Again::Identify => self.driver.identify_again(self.id, None).await,
        };
        let next = self.after(asked);
        self.finish(next).await
    }

    fn end_step(&mut self) {
        if let Some(page) = &mut self.return_page {
            page.end_step();
        }
    }

    async fn talk(&mut self, mut next: Next) -> Result<(), Failure> {
        loop {
            let until = match next {
                Next::Redirect { url, .. } => {
                    self.end_step();
                    let mut on_its_way = false;
                    if let Some(return_page) = &mut self.return_page {
                        on_its_way = return_page.has_browser();
                        return_page.expect(&url).await;
                    }
                    self.guide.show(&url, on_its_way);
                    Instant::now()
                }
                Next::Wait { after, .. } => {
                    let unattended = self.guide.unattended;
                    if let Some(return_page) = self.return_page.as_mut().filter(|_| !unattended) {
                        return_page.note_waiting();
                    }
                    Instant::now() + after.min(MAX_WAIT)
                }
                Next::Busy { after, .. } => Instant::now() + after.min(MAX_WAIT),
                Next::NeedsUser => Instant::now(),
                Next::Done { .. } => return Ok(()),
                Next::Stopped(stop) => return Err(stopped(stop)),
                Next::Ended(reason) => return Err(ended(reason)),
                _ => {
                    let message = "the job takes a step that this version does not support";
                    return Err(Failure::new(BUG, message));
                }
            };
            next = self.next(until).await?;
        }
    }

    /// Waits until it is time or the user's browser returns, and takes the next step. Visits of
    /// strangers do not delay it.
    async fn next(&mut self, until: Instant) -> Result<Next, Failure> {
        let mut printed = false;
        while let Some(page) = &mut self.return_page {
            let visit = tokio::select! {
                // The time has priority, so that many visits cannot delay the poll.
                biased;
                () = tokio::time::sleep_until(until) => break,
                visit = page.visits.recv() => visit,
            };
            let Some(Visit { query, verdict }) = visit else { break };
            let outcome = self.driver.returned(&query, None).await;
            let is_stranger = matches!(outcome, Ok(Outcome::Stranger | Outcome::OtherBrowser));
            // The visit may have waited since an earlier step.
            let ours = !is_stranger || page.trips.is_from_page(&query);
            if !is_stranger {
                page.trips.note_return(&query);
            }
            if !ours && !std::mem::replace(&mut printed, true) {
                let message = "a browser came back that this session did not send";
                self.guide.messages.print(message);
            }
            let _ = verdict.send(if ours { Verdict::Ours } else { Verdict::Stranger });
            match &outcome {
                // From an earlier step: this one still waits.
                Ok(Outcome::Late { next: Next::Wait { .. }, .. }) | Ok(Outcome::Busy { .. }) => {}
                _ if is_stranger => {}
                _ => return self.after(outcome),
            }
        }
        tokio::time::sleep_until(until).await;
        let outcome = self.driver.poll_now(self.id, None).await;
        self.after(outcome)
    }

    /// What a call of the driver means for this process.
    pub(crate) fn after(&self, outcome: Result<Outcome, Error>) -> Result<Next, Failure> {
        let Seen { failure, not_written, written } = self.job.seen();
        let next = match outcome.map(Outcome::into_next) {
            Err(error) => return Err(self.job.failure(error)),
            Ok(Some((_, Next::Incomplete { .. }))) => {
                return Err(self.incomplete(not_written, &written));
            }
            Ok(Some((_, next))) => next,
            Ok(None) => return Err(Failure::new(BUG, "the job is not that of this process")),
        };
        // The job stays, for a later process: this one does not ask a service in trouble for ever.
        match failure {
            Some(failure) => Err(failure),
            None => Ok(next),
        }
    }

    /// The containers that could not be written stay in the job, with their values.
    fn incomplete(&self, mut failures: Vec<Failure>, written: &[usize]) -> Failure {
        let items = &self.job.job().items;
        for item in written.iter().filter_map(|no| items.get(*no)) {
            let name = path_name::of_output(&item.output);
            self.guide.messages.print(format_args!("signed: {name}"));
        }
        if failures.iter().all(|failure| failure.status == BUG) {
            self.job.give_up();
        }
        let (failed, count) = (failures.len(), failures.len() + written.len());
        failures.pop_if(|_| failed == 1).unwrap_or_else(|| {
            let what = format!("{failed} of {count} files could not be written");
            Failure::together(&failures, &what)
        })
    }
}

/// Why a job goes on only when its user says so.
fn stopped(stop: Stop) -> Failure {
    match stop {
        Stop::Refused { reason, code } => Failure::from(&Refusal::new(reason, code)),
        Stop::Expired => Failure::from(&Refusal::new(RefusalReason::Expired, None)),
        Stop::Unknown => unknown_outcome(),
        Stop::Failed { message } => Failure::service(message),
        _ => Failure::service("the signer's session has ended").and("ades resume asks again"),
    }
}

fn ended(reason: EndReason) -> Failure {
    let message = match reason {
        EndReason::Refused => "the user or the service has refused",
        EndReason::Expired => "nobody confirmed in time",
        _ => "the job has ended",
    };
    Failure::new(REFUSED, message).finally()
}

/// The signer was asked, and its answer is not known.
pub(crate) fn unknown_outcome() -> Failure {
    Failure::service(
        "it is not known whether the signer got the request; the user may have been asked. \
         --ask-again asks again",
    )
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    use ades::signer::{
        BoxFuture, Capabilities, Event, IdentificationRequest, IdentificationSession, Identity,
        SignatureValue, SignerError, SignerErrorKind, SigningRequest, SigningSession, Step,
        StepResult,
    };
    use ades::{PendingState, RemoteSigner};
    use tokio::sync::{mpsc, oneshot};

    use super::*;
    use crate::exit::SERVICE;
    use crate::job::{JOB, Job};
    use crate::output::Messages;
    use crate::stored_job::JobFile;

    /// A job that waits at the page `…/qes/identify?language=NL&q=0&st=1`.
    const IDENTIFYING: &str = include_str!("../tests/fixtures/job-4-identifying.json");
    /// The query of a return from its page.
    const OURS: &str = "st=1";

    type Answer = StepResult<Identity, ()>;

    /// A signer with these answers.
    #[derive(Default)]
    struct Scripted {
        script: Mutex<VecDeque<Answer>>,
        events: Mutex<Vec<String>>,
    }

    impl RemoteSigner for Scripted {
        fn capabilities(&self) -> Capabilities {
            let mut capabilities = Capabilities::immediate("itsme", Vec::new());
            capabilities.interactive = true;
            capabilities
        }

        fn return_key(&self, query: &str) -> Option<String> {
            ades::itsme::return_key(&format!("?{query}")).map(ToOwned::to_owned)
        }

        fn identify(
            &self,
            _: IdentificationRequest,
        ) -> BoxFuture<'_, StepResult<Identity, IdentificationSession>> {
            Box::pin(async { Err(SignerErrorKind::Unavailable.into()) })
        }

        fn continue_identification(
            &self,
            session: IdentificationSession,
            event: Event,
        ) -> BoxFuture<'_, StepResult<Identity, IdentificationSession>> {
            self.events.lock().unwrap().push(format!("{event:?}"));
            let answer = self.script.lock().unwrap().pop_front().unwrap();
            Box::pin(async move {
                Ok(match answer? {
                    Step::Wait { after, .. } => Step::wait(after, session),
                    Step::Refused(refusal) => Step::Refused(refusal),
                    _ => panic!("not in a script"),
                })
            })
        }

        fn sign(
            &self,
            _: SigningRequest,
        ) -> BoxFuture<'_, StepResult<Vec<SignatureValue>, SigningSession>> {
            Box::pin(async { Err(SignerErrorKind::Unavailable.into()) })
        }
    }

    struct Played {
        failure: Failure,
        /// The stage that is stored at the end
        stage: String,
        /// The events that the signer got
        events: Vec<String>,
    }

    /// Takes the job up, and plays the script to its end.
    fn play(script: impl IntoIterator<Item = Answer>, back: Option<&mut ReturnPage>) -> Played {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("job.pending");
        let job: Job = serde_json::from_str(IDENTIFYING).unwrap();
        std::fs::write(&path, job.to_json(None).unwrap()).unwrap();
        let (file, job) = JobFile::load(&path).unwrap();
        let messages = Messages::new(true);
        let (remote, row, status) = RemoteJob::stored(file, job, messages).unwrap();
        let remote = Arc::new(remote);
        let signer = Arc::new(Scripted {
            script: Mutex::new(script.into_iter().collect()),
            ..Scripted::default()
        });
        let driver = remote.driver(Arc::clone(&signer) as _, Some(row)).unwrap();
        let guide = Guide { unattended: true, open: false, messages };
        let (driver, job) = (&driver, remote.as_ref());
        let mut talk = Conversation { driver, id: JOB, job, return_page: back, guide };
        let failure = block_on(talk.take_up(status.page)).unwrap_err();
        let stage = crate::stored_job::read(&path).unwrap().stage;
        let events = std::mem::take(&mut *signer.events.lock().unwrap());
        Played { failure, stage, events }
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(future)
    }

    fn wait(seconds: u64) -> Answer {
        Ok(Step::wait(Duration::from_secs(seconds), ()))
    }

    fn refused() -> Answer {
        Ok(Step::Refused(Refusal::new(RefusalReason::ByUser, Some("REJECTED".to_owned()))))
    }

    fn visit(sender: &mpsc::Sender<Visit>, query: &str) -> oneshot::Receiver<Verdict> {
        let (verdict, decided) = oneshot::channel();
        sender.try_send(Visit { query: query.to_owned(), verdict }).unwrap_or_else(|_| panic!());
        decided
    }

    #[test]
    fn refusal_and_failure_end_the_conversation() {
        let Played { failure, stage, events } = play([refused()], None);
        assert_eq!(
            (failure.status, failure.to_string().as_str()),
            (REFUSED, "the user refused (REJECTED)")
        );
        assert_eq!((stage.as_str(), events.len()), ("start", 1));
        let lost = Err(SignerError::new(SignerErrorKind::UnknownSession));
        let Played { failure, stage, .. } = play([wait(0), lost], None);
        assert_eq!((failure.status, stage.as_str()), (SERVICE, "start"));
        // An answer that says nothing about the user keeps the session.
        let unclear = Err(SignerError::new(SignerErrorKind::Unclear));
        let Played { failure, stage, .. } = play([unclear], None);
        assert_eq!((failure.status, stage.as_str()), (SERVICE, "identifying"));
    }

    #[test]
    fn case_38_our_own_deadline_is_not_a_refusal() {
        let own = Ok(Step::Refused(Refusal::new(RefusalReason::Expired, None)));
        let Played { failure, stage, .. } = play([own], None);
        assert_eq!((failure.status, stage.as_str()), (SERVICE, "identifying"));
        let code = Some("EXPIRED".to_owned());
        let theirs = Ok(Step::Refused(Refusal::new(RefusalReason::Expired, code)));
        let Played { failure, stage, .. } = play([theirs], None);
        assert_eq!((failure.status, stage.as_str()), (REFUSED, "start"));
    }

    #[test]
    fn case_31_a_strangers_return_changes_and_reveals_nothing() {
        let (sender, mut back) = ReturnPage::for_tests();
        let mut answers = [visit(&sender, "st=wrong"), visit(&sender, "")];
        let begun = std::time::Instant::now();
        let Played { events, .. } = play([wait(1), refused()], Some(&mut back));
        assert!(begun.elapsed() >= Duration::from_millis(900));
        assert_eq!(events, ["Poll", "Poll"]);
        for answered in &mut answers {
            assert_eq!(answered.try_recv(), Ok(Verdict::Stranger));
        }
    }

    #[test]
    fn case_32_and_34_a_return_counts_during_its_step() {
        let (sender, mut back) = ReturnPage::for_tests();
        // It comes back twice while the step is pending, and is ours both times.
        let mut answers = [visit(&sender, OURS), visit(&sender, OURS)];
        let Played { events, .. } = play([wait(2), wait(1), refused()], Some(&mut back));
        // The signer is asked once about the return.
        let returns = events.iter().filter(|event| *event == "Returned(..)").count();
        assert_eq!((returns, events.len()), (1, 3), "{events:?}");
        for answered in &mut answers {
            assert_eq!(answered.try_recv(), Ok(Verdict::Ours));
        }
        assert!(back.trips.is_from_page(OURS) && back.has_browser());
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
        let begun = std::time::Instant::now();
        play([wait(1), refused()], Some(&mut back));
        assert!(begun.elapsed() < Duration::from_secs(20));
        drop(back);
        strangers.join().unwrap();
    }

    #[test]
    fn waiting_browsers_are_answered_at_the_end() {
        let (sender, mut back) = ReturnPage::for_tests();
        let mut answers = [visit(&sender, OURS), visit(&sender, "st=two")];
        play([refused()], Some(&mut back));
        assert_eq!(answers[0].try_recv(), Ok(Verdict::Ours));
        assert_eq!(answers[1].try_recv(), Ok(Verdict::Stranger));
    }
}

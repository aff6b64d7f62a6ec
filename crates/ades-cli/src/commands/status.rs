//! `ades status`: where a stored job stands. It takes no lock and writes nothing.

use std::fmt::Write;
use std::path::Path;

use ades::text::for_terminal;
use ades_session::store::Stage;
use ades_session::{ItemState, Status as JobStatus};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::args::StatusArgs;
use crate::exit::{DONE, Failure};
use crate::job::{Job, JobItem, Part, SignerKind, stage_name};
use crate::lock::Lock;
use crate::output;
use crate::path_name::{absolute, of_input, of_output, quoted};
use crate::raise;
use crate::stored_job;

/// The version of the JSON object.
const VERSION: u32 = 1;

pub(crate) fn run(args: &StatusArgs) -> Result<u8, Failure> {
    let path = absolute(&args.pending);
    let job = stored_job::read(&path)?;
    let port = raise::begun(&path);
    // Signing with a key file stores a job only when all files are signed.
    let is_raising = port.is_some() || job.session.is_none();
    let stored = if is_raising { None } else { Some(job.session().map(|(_, status)| status)) };
    let stored = stored.transpose().map_err(|error| {
        Failure::input(format!("the pending state: {error}")).about(path.display())
    })?;
    let status = Status { path: &path, job: &job, stored, running: Lock::is_taken(&path) };
    if args.json {
        output::print(format_args!("{}\n", status.json()))?;
    } else {
        output::print(status.text(std::time::SystemTime::now().into()))?;
    }
    Ok(DONE)
}

struct Status<'a> {
    path: &'a Path,
    job: &'a Job,
    /// `None` if all files are signed, and only raising is left
    stored: Option<JobStatus>,
    /// Whether a process works on the job; `None` on a file system without locks
    running: Option<bool>,
}

/// The state of one file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FileState {
    /// The container is written.
    Signed,
    /// The signature value is here; the container is not written yet.
    Confirmed,
    /// The user is being asked.
    Asked,
    Waiting,
}

impl FileState {
    const fn code(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Confirmed => "confirmed",
            Self::Asked => "asked",
            Self::Waiting => "waiting",
        }
    }
}

impl Status<'_> {
    fn resume(&self) -> String {
        let ask_again = if self.is_unknown() { " --ask-again" } else { "" };
        format!("ades resume {}{ask_again}", quoted(self.path))
    }

    fn stage(&self) -> Stage {
        self.stored.as_ref().map_or(Stage::Done, |stored| stored.stage)
    }

    /// The time until which the signer waits for the user.
    fn session_until(&self) -> Option<DateTime<Utc>> {
        self.stored.as_ref().and_then(|stored| stored.session_until)
    }

    /// The time until which the user's certificate is valid.
    fn certificate_until(&self) -> Option<DateTime<Utc>> {
        self.stored.as_ref().and_then(|stored| stored.certificate_until)
    }

    /// Whether it is not known if the signer got the request. While a process works on the job,
    /// the request is on its way.
    fn is_unknown(&self) -> bool {
        self.stage() == Stage::Asking && self.running != Some(true)
    }

    /// The page to open. The pages of an embedded sandbox end with its process.
    fn page(&self) -> Option<&str> {
        let gone = self.job.signer.kind == SignerKind::Sandbox && self.running == Some(false);
        self.stored.as_ref().and_then(|stored| stored.page.as_deref()).filter(|_| !gone)
    }

    const fn signer(&self) -> &'static str {
        match self.job.signer.kind {
            SignerKind::Sandbox => "sandbox",
            SignerKind::Itsme(_) => "itsme",
            SignerKind::Pkcs12(_) => "pkcs12",
        }
    }

    /// All files. Those that the stored job does not have were written before it began.
    fn files(&self) -> impl Iterator<Item = (&JobItem, FileState)> {
        let state = |no: usize| {
            let mut items = self.stored.as_ref()?.items.iter();
            let item = items.find(|item| item.document == Part::Document.of(no))?;
            Some(match item.state {
                ItemState::Signed => FileState::Signed,
                ItemState::Confirmed | ItemState::NotWritten { .. } => FileState::Confirmed,
                ItemState::Asked if self.stage() == Stage::Signing => FileState::Asked,
                _ => FileState::Waiting,
            })
        };
        let items = self.job.items.iter().enumerate();
        items.map(move |(no, item)| (item, state(no).unwrap_or(FileState::Signed)))
    }

    /// Number of containers that are written.
    fn signed(&self) -> usize {
        self.files().filter(|(_, state)| *state == FileState::Signed).count()
    }

    /// What happens at this stage, and what the user has to do.
    fn sentences(&self) -> (&'static str, String) {
        let resume = || format!("continue with: {}", self.resume());
        let page = |what: &str| match self.page() {
            Some(page) if self.running == Some(true) => format!("{what} at {page}"),
            Some(page) => format!("{what} at {page}, and {}", resume()),
            None => resume(),
        };
        let running = || match self.running {
            Some(true) => "nothing; the process that works on the job continues".to_owned(),
            _ => resume(),
        };
        match self.stage() {
            _ if self.stored.is_none() => {
                ("all files are signed; their levels are being raised", running())
            }
            Stage::Start => ("nobody has been asked yet", running()),
            Stage::Identifying => ("the user has to identify", page("identify")),
            Stage::Identified => ("the user is identified", running()),
            Stage::Asking if self.is_unknown() => (
                "it is not known whether the signer got the request; the user may have been asked",
                format!("see what the signer's app shows, then ask again: {}", self.resume()),
            ),
            Stage::Asking => ("the signer is being asked", running()),
            Stage::Signing => ("the user has to confirm", page("confirm")),
            Stage::Values => {
                ("the signature values are here; the files are to be written", running())
            }
            Stage::Done => ("all files are signed", running()),
            _ => ("the job has ended", "remove the file".to_owned()),
        }
    }

    fn json(&self) -> Value {
        let files: Vec<Value> = self
            .files()
            .map(|(item, state)| {
                json!({
                    "input": item.input,
                    "together": item.together,
                    "output": item.output,
                    "format": item.format,
                    "state": state.code(),
                })
            })
            .collect();
        let (_, to_do) = self.sentences();
        json!({
            "version": VERSION,
            "file": self.path,
            "stage": if self.stored.is_none() { "raising" } else { stage_name(self.stage()) },
            "since": self.job.since.map(time),
            "running": self.running,
            "signer": self.signer(),
            "page": self.page(),
            "session_until": self.session_until().map(time),
            "certificate_until": self.certificate_until().map(time),
            "to_do": to_do,
            "resume": self.resume(),
            "signed": self.signed(),
            "files": files,
        })
    }

    fn text(&self, now: DateTime<Utc>) -> String {
        let (stage, to_do) = self.sentences();
        // Names of files may contain characters that control a terminal.
        let mut text = for_terminal(&format!("{}: {stage}", self.path.display()));
        let mut line = |name: &str, value: &str| {
            let _ = write!(text, "\n  {name:<18} {}", for_terminal(value));
        };
        if let Some(since) = self.job.since {
            line("since", &format!("{} ({} ago)", time(since), duration(now - since)));
        }
        line("to do", &to_do);
        line(
            "process",
            match self.running {
                Some(true) => "a process works on it",
                Some(false) => "no process works on it",
                None => "unknown: the file system has no locks",
            },
        );
        line("signer", self.signer());
        if let Some(until) = self.session_until() {
            line("the signer waits", &until_text(until, now));
        }
        if let Some(until) = self.certificate_until() {
            line("certificate valid", &until_text(until, now));
        }
        line("signed", &format!("{} of {} files", self.signed(), self.job.items.len()));
        for (item, state) in self.files() {
            let inputs = std::iter::once(&item.input).chain(&item.together);
            let inputs = inputs.map(|input| of_input(input)).collect::<Vec<_>>().join(", ");
            let text = format!("{inputs} -> {}", of_output(&item.output));
            line(&format!("  {}", state.code()), &text);
        }
        text + "\n"
    }
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn until_text(until: DateTime<Utc>, now: DateTime<Utc>) -> String {
    if until > now {
        format!("until {} (in {})", time(until), duration(until - now))
    } else {
        format!("until {}, which is over", time(until))
    }
}

/// A duration in its largest unit.
fn duration(delta: TimeDelta) -> String {
    let seconds = delta.num_seconds().max(0);
    let (number, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7200 => (seconds / 60, "minute"),
        7200..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDENTIFYING: &str = include_str!("../../tests/fixtures/job-4-identifying.json");
    const SIGNING: &str = include_str!("../../tests/fixtures/job-4-signing.json");

    fn status<R>(state: &str, running: Option<bool>, show: impl FnOnce(Status<'_>) -> R) -> R {
        let job: Job = serde_json::from_str(state).unwrap();
        let stored = Some(job.session().unwrap().1);
        show(Status { path: Path::new("/srv/a job.pending"), job: &job, stored, running })
    }

    #[test]
    fn says_what_the_user_has_to_do() {
        let found = status(IDENTIFYING, Some(false), |status| status.json());
        assert_eq!(found["stage"], "identifying");
        assert_eq!(found["since"], "2026-01-02T03:04:05Z");
        assert!(found["session_until"].is_string() && found["certificate_until"].is_null());
        let page = found["page"].as_str().unwrap();
        let to_do = found["to_do"].as_str().unwrap();
        assert!(to_do.contains(page) && to_do.ends_with("ades resume '/srv/a job.pending'"));
        // While a process works on it, there is nothing to resume.
        let found = status(SIGNING, Some(true), |status| status.json());
        assert!(!found["to_do"].as_str().unwrap().contains("resume"));
        assert!(found["certificate_until"].is_string());
        assert_eq!(found["files"][0]["state"], "asked");
    }

    #[test]
    fn unknown_outcome_names_the_option() {
        let asking = |running| {
            status(SIGNING, running, |status| {
                let mut stored = status.stored.clone();
                if let Some(stored) = &mut stored {
                    stored.stage = Stage::Asking;
                }
                Status { stored, ..status }.json()
            })
        };
        assert!(asking(Some(false))["to_do"].as_str().unwrap().contains("--ask-again"));
        assert!(!asking(Some(true))["to_do"].as_str().unwrap().contains("--ask-again"));
    }

    #[test]
    fn durations_have_one_unit() {
        for (seconds, expected) in [
            (-5, "0 seconds"),
            (1, "1 second"),
            (119, "119 seconds"),
            (180, "3 minutes"),
            (7200, "2 hours"),
            (86_400 * 3, "3 days"),
        ] {
            assert_eq!(duration(TimeDelta::try_seconds(seconds).unwrap()), expected);
        }
    }
}

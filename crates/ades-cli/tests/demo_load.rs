//! Many people at once in `ades demo`, with a slow service. Memory stays flat. In full, with the
//! figures of docs/benchmarks.md:
//!
//! ```sh
//! cargo build --release -p ades-cli
//! ADES_LOAD=500 ADES_RELEASE=$PWD/target/release/ades \
//!     cargo test -p ades-cli --features judges --test demo_load -- --nocapture
//! ```
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]
#![cfg(target_os = "linux")]

#[path = "../../ades-demo/tests/common/browser.rs"]
#[allow(dead_code)]
mod browser;
mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use browser::Browser;
use common::Bench;
use common::service::Sandbox;
use serde_json::json;

/// Number of people, unless `ADES_LOAD` says otherwise.
const PEOPLE: usize = 40;
/// Number of rounds. Memory is compared between the first and the last one.
const ROUNDS: usize = 3;
/// Number of requests at the same time.
const AT_ONCE: usize = 64;
/// How long the service takes for an answer.
const DELAY_MILLIS: u64 = 500;
/// How much more memory the last round may need than the first one.
const GROWTH_KB: u64 = 12 * 1024;

/// One person.
struct Person {
    browser: Browser,
    case: String,
    /// The signer's page, or where it sends the browser
    page: String,
}

impl Person {
    /// The key with which the signer's page sends the browser back.
    fn key(&self) -> String {
        let (_, key) = self.page.split_once("st=").unwrap();
        key.chars().take_while(char::is_ascii_alphanumeric).collect()
    }

    /// Comes back from the signer's page, and looks at the case until it leads to another page of
    /// the signer, or is signed. The poller may be at work on the job when the person comes back.
    fn come_back(&mut self) {
        let old = self.key();
        let mut target = format!("/return?st={old}");
        loop {
            let answer = self.browser.get(&target);
            if answer.status == 303 && answer.location().starts_with("http") {
                self.page = answer.location();
            } else if answer.status == 200 && answer.text().contains("st=") {
                self.page = answer.text();
            }
            if self.key() != old || answer.text().contains("all.zip") {
                return;
            }
            // While another process has the job, the return is said again.
            if answer.header("location").is_some_and(|to| to.starts_with("/return")) {
                continue;
            }
            if target == self.case {
                std::thread::sleep(Duration::from_millis(500));
            }
            target.clone_from(&self.case);
        }
    }
}

/// Does something for everybody, and returns the times that it took.
fn everybody(people: &mut [Person], act: impl Fn(&mut Person) + Sync) -> Vec<Duration> {
    let (next, times) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let people: Vec<Mutex<&mut Person>> = people.iter_mut().map(Mutex::new).collect();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(people.len()) {
            scope.spawn(|| {
                while let Some(person) = people.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let begun = Instant::now();
                    act(&mut person.lock().unwrap());
                    times.lock().unwrap().push(begun.elapsed());
                }
            });
        }
    });
    let mut times = times.into_inner().unwrap();
    times.sort();
    times
}

struct Server {
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(bench: &Bench, address: &str) -> Self {
        let program = std::env::var("ADES_RELEASE");
        let program = program.unwrap_or_else(|_| env!("CARGO_BIN_EXE_ades").to_owned());
        let mut command = bench.command_by(&program);
        command.args(["demo", "--dir", "demo", "--listen", address]);
        command.args(["--signer", "itsme:sb/itsme.toml"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
        Self { child }
    }

    /// The memory of the process in kB: now, and at most.
    fn memory(&self) -> (u64, u64) {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse().unwrap()
        };
        (field("VmRSS:"), field("VmHWM:"))
    }
}

impl Server {
    /// The processor time of the process. The kernel counts in hundredths of a second.
    fn processor(&self) -> Duration {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let (_, fields) = text.rsplit_once(") ").unwrap();
        let fields: Vec<&str> = fields.split(' ').collect();
        let ticks = |at: usize| fields[at].parse::<u64>().unwrap();
        Duration::from_millis(10 * (ticks(11) + ticks(12)))
    }
}

/// Asks the sandbox to answer everybody who waits.
fn answer_all(sandbox: &Sandbox, purpose: &str) {
    for session in sandbox.sessions(purpose) {
        if session["state"] == "pending" {
            sandbox.answer_as("ready", &session, true);
        }
    }
}

fn round(sandbox: &Sandbox, address: &str, number: usize, figures: &mut BTreeMap<&str, String>) {
    let slow = json!({"kind": "delay", "millis": DELAY_MILLIS});
    for endpoint in ["user_identification", "identification_status", "sign_document", "sign_status"]
    {
        sandbox.fault(endpoint, &slow, u32::try_from(number).unwrap());
    }
    let person =
        || Person { browser: Browser::new(address), case: String::new(), page: String::new() };
    let mut people: Vec<Person> = (0..number).map(|_| person()).collect();
    let text = "I agree. ".repeat(5_000);
    let mut note = |name, times: Vec<Duration>| {
        let at = |share: usize| times[(times.len() - 1) * share / 100].as_millis();
        figures.insert(name, format!("median {} ms, 99 % below {} ms", at(50), at(99)));
    };
    note(
        "1 upload",
        everybody(&mut people, |person| {
            let files = [("notes.txt", text.as_bytes()), ("more.txt", b"x")];
            person.case = person.browser.upload("/cases", &files).location();
        }),
    );
    note(
        "2 begin",
        everybody(&mut people, |person| {
            person.page = person.browser.post(&person.case, "wish=sign").location();
        }),
    );
    answer_all(sandbox, "identification");
    note(
        "3 return, ask",
        everybody(&mut people, |person| {
            person.come_back();
        }),
    );
    assert_eq!(
        sandbox.sessions("signature").iter().filter(|s| s["state"] == "pending").count(),
        number
    );
    answer_all(sandbox, "signature");
    note(
        "4 return, containers",
        everybody(&mut people, |person| {
            person.come_back();
        }),
    );
    note(
        "5 download",
        everybody(&mut people, |person| {
            let archive = person.browser.get(&format!("{}/all.zip", person.case));
            assert!(archive.body.len() > text.len(), "{}", archive.status);
            person.browser.post(&person.case, "wish=delete").location();
        }),
    );
}

#[test]
fn many_people_at_once_and_flat_memory() {
    let number = std::env::var("ADES_LOAD").ok().map_or(PEOPLE, |text| text.parse().unwrap());
    let bench = Bench::new();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let sandbox = Sandbox::start(&bench, &["--redirect-url", &format!("http://{address}/return")]);
    let server = Server::start(&bench, &address);
    let (mut memory, mut figures) = (vec![server.memory()], BTreeMap::new());
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        round(&sandbox, &address, number, &mut figures);
        times.push(begun.elapsed());
        memory.push(server.memory());
        sandbox.control("/sandbox/reset", &json!({}));
    }
    println!(
        "{number} people at once, the service takes {DELAY_MILLIS} ms; memory (now, peak) in kB: {memory:?}"
    );
    println!("rounds: {times:?}; steps of the last round:");
    for (step, figure) in &figures {
        println!("  {step}: {figure}");
    }
    let jobs = u32::try_from(number * ROUNDS).unwrap();
    let database = std::fs::metadata(bench.path("demo/jobs.sqlite")).unwrap().len();
    println!(
        "each job of two documents: {:?} of a processor, {} kB in the database",
        server.processor() / jobs,
        database / 1024 / u64::from(jobs)
    );
    drop(server);
    let (first, last) = (memory[1].1, memory[ROUNDS].1);
    assert!(last <= first + GROWTH_KB, "{memory:?}");
}

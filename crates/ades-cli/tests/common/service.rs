//! The sandbox in a process of its own, and processes that wait for it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Bench, json};

/// A sandbox in a process of its own.
pub(crate) struct Sandbox {
    child: Child,
    front: String,
    pub(crate) addresses: Value,
}

impl Sandbox {
    pub(crate) fn start(bench: &Bench, arguments: &[&str]) -> Self {
        let mut command = bench.command(&[&["sandbox", "--dir", "sb"], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let addresses = json(&line);
        let front = addresses["front_url"].as_str().unwrap().to_owned();
        assert!(std::path::Path::new(addresses["config"].as_str().unwrap()).exists());
        let front = front.strip_prefix("http://").unwrap().to_owned();
        Self { child, front, addresses }
    }

    pub(crate) fn control(&self, path: &str, body: &Value) -> Value {
        let (_, answer) = http(&self.front, "POST", path, "application/json", &body.to_string());
        serde_json::from_str(&answer).unwrap_or_default()
    }

    /// Number of requests that each evidence service got.
    pub(crate) fn requests(&self) -> BTreeMap<String, u64> {
        let (_, answer) = http(&self.front, "GET", "/sandbox/evidence", "", "");
        serde_json::from_str(&answer).unwrap()
    }

    pub(crate) fn sessions(&self, purpose: &str) -> Vec<Value> {
        let (_, answer) = http(&self.front, "GET", "/sandbox/sessions", "", "");
        let all: Vec<Value> = serde_json::from_str(&answer).unwrap();
        all.into_iter().filter(|session| session["purpose"] == purpose).collect()
    }

    pub(crate) fn answer(&self, purpose: &str, approve: bool) {
        for session in self.sessions(purpose) {
            self.answer_as("ready", &session, approve);
        }
    }

    pub(crate) fn answer_as(&self, user: &str, session: &Value, approve: bool) {
        let session = &session["session"];
        let answer = json!({"session": session, "user": user, "approve": approve});
        self.control("/sandbox/answer", &answer);
    }

    pub(crate) fn fault(&self, endpoint: &str, fault: &Value, times: u32) {
        let fault = json!({"endpoint": endpoint, "fault": fault, "times": times});
        self.control("/sandbox/faults", &fault);
    }

    pub(crate) fn evidence_fault(&self, service: &str, fault: &Value, times: u32) {
        let fault = json!({"service": service, "fault": fault, "times": times});
        self.control("/sandbox/evidence", &fault);
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends one request; returns head and body of the response.
pub(crate) fn http(
    host: &str,
    method: &str,
    path: &str,
    kind: &str,
    body: &str,
) -> (String, String) {
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// Waits until a condition holds.
#[track_caller]
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}: not after 30 seconds");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) const ITSME: &[&str] = &["--signer", "itsme:sb/itsme.toml"];

pub(crate) fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("one.txt", b"the first document");
    bench.write("two.txt", b"the second document");
    bench
}

/// Runs the program with default signal handling. Shells start background jobs with some signals
/// ignored, and children inherit that.
pub(crate) fn spawn(bench: &Bench, arguments: &[&str]) -> Child {
    let mut command = bench.command_by("env");
    command.args(["--default-signal=HUP,INT,TERM", env!("CARGO_BIN_EXE_ades")]).args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Sends SIGKILL, which the process cannot handle.
pub(crate) fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

pub(crate) fn stage(bench: &Bench, pending: &str) -> String {
    let Ok(text) = std::fs::read_to_string(bench.path(pending)) else { return String::new() };
    let stage = &json(&text)["state"]["stage"];
    let named = stage.as_object().and_then(|stage| stage.keys().next().cloned());
    named.or_else(|| stage.as_str().map(ToOwned::to_owned)).unwrap_or_default()
}

impl Bench {
    /// Adds to the configuration that the sandbox wrote.
    pub(crate) fn configure(&self, more: &str) {
        let text = String::from_utf8(self.read("sb/itsme.toml")).unwrap();
        self.write("sb/itsme.toml", format!("{text}\n{more}"));
    }
}

//! The sandbox in a process of its own, and processes that wait for it.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime};

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

    /// Waits until each fault has been applied to a request, whose answer may be on its way.
    #[track_caller]
    pub(crate) fn until_faults_are_applied(&self) {
        until("the request", || http(&self.front, "GET", "/sandbox/faults", "", "").1 == "[]");
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
#[track_caller]
pub(crate) fn http(
    host: &str,
    method: &str,
    path: &str,
    kind: &str,
    body: &str,
) -> (String, String) {
    try_http(host, method, path, kind, body).unwrap()
}

fn try_http(
    host: &str,
    method: &str,
    path: &str,
    kind: &str,
    body: &str,
) -> io::Result<(String, String)> {
    let mut stream = TcpStream::connect(host)?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok((head.to_owned(), body.to_owned()))
}

/// Follows redirects and waiting pages from this address, as the browser of a user who has
/// answered. Returns the address of the last page, and the page.
#[track_caller]
pub(crate) fn browse(url: &str) -> (String, String) {
    let mut url = url.to_owned();
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < PATIENCE, "{url} leads nowhere");
        let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
        // While another process takes the return address over, nobody answers for a moment.
        let (mut head, mut body) = (String::new(), String::new());
        until(&url, || {
            let answer = try_http(host, "GET", &format!("/{path}"), "", "");
            answer.map(|answer| (head, body) = answer).is_ok()
        });
        let location = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("location").then(|| value.trim().to_owned())
        });
        let refresh =
            body.split("content=\"1; url=").nth(1).and_then(|rest| rest.split('"').next());
        url = match (location, refresh) {
            (Some(location), _) => location,
            (None, Some(path)) => {
                std::thread::sleep(Duration::from_millis(200));
                format!("http://{host}{}", path.replace("&amp;", "&"))
            }
            (None, None) => {
                assert!(head.starts_with("HTTP/1.1 200"), "{head}");
                return (url, body);
            }
        };
    }
}

/// Maximum time until a condition holds. No test fails early on a slow machine with many tests at
/// once; one that waits in vain takes this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// Waits until a condition holds.
#[track_caller]
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < PATIENCE, "{what}: not after {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// When a job was last written.
pub(crate) fn written(bench: &Bench, pending: &str) -> SystemTime {
    bench.path(pending).metadata().unwrap().modified().unwrap()
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

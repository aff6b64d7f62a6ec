//! The server of the return page: a few requests of HTTP/1.1, each with a connection of its own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ades::signer::Language;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::timeout;
use url::Url;

use super::html::{self, Waiting};
use super::neighbours::{self, Neighbours};
use super::trips::{Reply, Source, Trips};

/// Maximum number of connections at a time.
const MAX_CONNECTIONS: u32 = 64;
/// Maximum time to read a request, and to write an answer.
const TRANSFER: Duration = Duration::from_secs(5);
/// Maximum time until a browser that came back gets an answer. Most often the next page is known
/// by then, so that the user does not see the waiting page.
const FIRST_ANSWER: Duration = Duration::from_secs(2);
/// Maximum time until a browser that waits gets an answer.
const LATER_ANSWER: Duration = Duration::from_secs(5);
/// Maximum time until the signer has decided whether it sent a browser.
const DECISION: Duration = Duration::from_secs(60);
/// The time between the notice that the address will be free and its end.
const NOTICE: Duration = Duration::from_millis(50);
/// Maximum time for the last answers at the end of the program.
const CLOSING: Duration = Duration::from_secs(1);
/// Maximum size of a request line with its headers, in octets.
const MAX_REQUEST: usize = 8 * 1024;
/// The parameter of a browser that waits: it has not come back once more.
const WAITS: &str = "ades=waits";

/// A browser that has returned and waits for an answer.
pub(crate) struct Visit {
    pub(crate) query: String,
    pub(crate) verdict: oneshot::Sender<Verdict>,
}

/// Whether the signer sent the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The signer sent this browser for this job.
    Ours,
    /// It did not. The answer does not reveal whether there is a conversation.
    Stranger,
}

/// The server of one process.
pub(super) struct Server {
    /// The host and port of the redirect URL
    pub(super) address: String,
    path: String,
    language: Language,
    pub(super) trips: Trips,
    visits: mpsc::Sender<Visit>,
    neighbours: Neighbours,
    /// Whether this process took the address over from another one
    took_over: AtomicBool,
    connections: Arc<Semaphore>,
    closing: watch::Sender<bool>,
}

/// An answer to a request.
pub(super) enum Answer {
    Page {
        status: &'static str,
        html: String,
    },
    /// The page with the outcome
    Last(String),
    Redirect(String),
    /// The answer of another process
    Passed(Vec<u8>),
    Accepted,
}

impl Server {
    pub(super) fn new(
        redirect_url: &Url,
        address: &str,
        language: Language,
        trips: Trips,
        visits: mpsc::Sender<Visit>,
    ) -> Self {
        Self {
            address: address.to_owned(),
            path: redirect_url.path().to_owned(),
            language,
            trips,
            visits,
            neighbours: Neighbours::default(),
            took_over: AtomicBool::new(false),
            connections: Arc::new(Semaphore::new(MAX_CONNECTIONS as usize)),
            closing: watch::Sender::new(false),
        }
    }

    /// Whether this process has taken the address over.
    pub(super) fn has_address(&self) -> bool {
        self.took_over.load(Ordering::SeqCst)
    }

    /// Records that this process has taken the address over.
    pub(super) fn take_address(&self) {
        self.took_over.store(true, Ordering::SeqCst);
    }

    /// Answers requests for ever.
    pub(super) async fn accept(self: Arc<Self>, listener: TcpListener) {
        loop {
            let Ok(permit) = Arc::clone(&self.connections).acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else {
                // Too many open files: wait for some to be closed.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let server = Arc::clone(&self);
            tokio::spawn(async move {
                server.serve(stream).await;
                drop(permit);
            });
        }
    }

    /// Prepares the other processes for the end of this one: they try to take the address over
    /// all the time from now on.
    pub(super) async fn give_notice(&self) {
        self.closing.send_replace(true);
        if !self.neighbours.is_empty() {
            tokio::time::sleep(NOTICE).await;
        }
    }

    /// Lets the present connections end.
    pub(super) async fn close(&self) {
        let _ = timeout(CLOSING, self.connections.acquire_many(MAX_CONNECTIONS)).await;
    }

    async fn serve(&self, mut stream: TcpStream) {
        let Ok(Some(request)) = timeout(TRANSFER, read(&mut stream)).await else { return };
        let answer = if let Some(target) = target(&request, "GET ") {
            self.get(target).await
        } else if target(&request, "POST ").is_some() {
            match self.announced(&request) {
                Some(neighbours::WATCH) => return self.hold(stream).await,
                Some(key) if self.neighbours.add(key) => Answer::Accepted,
                _ => self.nothing("403 Forbidden"),
            }
        } else {
            self.nothing("405 Method Not Allowed")
        };
        let last = matches!(answer, Answer::Last(_));
        let passed = self.announced(&request) == Some(neighbours::PASSED);
        // The return counts even if the browser has disconnected.
        let read = timeout(TRANSFER, async {
            stream.write_all(&answer.into_octets()).await?;
            stream.shutdown().await?;
            // Whoever has read all closes the connection. A process that passes the page on says
            // first that it has: it may also end meanwhile.
            let said = last && stream.read(&mut [0]).await? > 0;
            Ok::<bool, io::Error>(said || !passed)
        });
        if matches!(read.await, Ok(Ok(true))) && last {
            self.trips.note_shown();
        }
    }

    async fn get(&self, target: &str) -> Answer {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        // Its own browsers first: a process that has just taken the address over may have
        // announced itself to itself.
        if !self.trips.is_from_page(query)
            && let Some(port) = self.neighbours.port_of(target)
        {
            return self.pass_on(port, target).await;
        }
        if path != self.path {
            return self.nothing("404 Not Found");
        }
        let waits = query.split('&').any(|part| part == WAITS);
        let from = self.trips.from(query);
        let asked = match from {
            Source::Over => Some(Verdict::Ours),
            Source::Pending if waits => Some(Verdict::Ours),
            // The conversation may be in a request to the service. It gets to the visit later.
            Source::Pending => {
                timeout(FIRST_ANSWER, self.ask(query)).await.unwrap_or(Some(Verdict::Ours))
            }
            Source::Unknown if self.trips.have_ended() => None,
            Source::Unknown => timeout(DECISION, self.ask(query)).await.ok().flatten(),
        };
        if asked == Some(Verdict::Ours) {
            return self.lead_on(target, query, waits).await;
        }
        // A process that took the address over learns the keys of the other ones only now.
        if self.has_address()
            && let Some(port) = self.neighbours.port_after_announcements(target).await
        {
            return self.pass_on(port, target).await;
        }
        self.nothing("400 Bad Request")
    }

    /// Sends a browser of this job to the next page, as soon as there is one.
    async fn lead_on(&self, target: &str, query: &str, waits: bool) -> Answer {
        self.trips.note_return(query);
        let time = if waits { LATER_ANSWER } else { FIRST_ANSWER };
        match timeout(time, self.trips.reply(query)).await {
            Ok(Some(Reply::Page(url))) => Answer::Redirect(url),
            Ok(Some(Reply::Last(outcome))) => Answer::Last(html::last_page(self.language, outcome)),
            _ => self.waiting(target, self.trips.from(query) == Source::Pending),
        }
    }

    fn waiting(&self, target: &str, confirming: bool) -> Answer {
        let marked = target.contains(WAITS);
        let again = if marked { target.to_owned() } else { format!("{target}&{WAITS}") };
        let waiting = if confirming { Waiting::Confirmation } else { Waiting::Program };
        Answer::Page { status: "200 OK", html: html::waiting_page(self.language, waiting, &again) }
    }

    fn nothing(&self, status: &'static str) -> Answer {
        Answer::Page { status, html: html::nothing_page(self.language) }
    }

    /// Lets the conversation decide. Without one, every browser is a stranger.
    async fn ask(&self, query: &str) -> Option<Verdict> {
        let (verdict, decided) = oneshot::channel();
        self.visits.send(Visit { query: query.to_owned(), verdict }).await.ok()?;
        decided.await.ok()
    }

    /// Passes a request on to the process that waits for this browser.
    async fn pass_on(&self, port: u16, target: &str) -> Answer {
        let mut closing = self.closing.subscribe();
        tokio::select! {
            passed = neighbours::pass_on(port, target, &self.address) => match passed {
                Some(octets) => Answer::Passed(octets),
                // The process has ended.
                None => Answer::Page {
                    status: "200 OK",
                    html: html::gone_page(self.language),
                },
            },
            // The browser comes again, to the process that takes the address over.
            _ = closing.wait_for(|closing| *closing) => self.waiting(target, false),
        }
    }

    /// Holds the connection of another process, which learns from its end that the address is
    /// free.
    async fn hold(&self, mut stream: TcpStream) {
        if stream.write_all(&Answer::Accepted.into_octets()).await.is_ok() {
            let mut closing = self.closing.subscribe();
            let mut octet = [0];
            tokio::select! {
                _ = closing.wait_for(|closing| *closing) => {}
                // The other process has ended.
                _ = stream.read(&mut octet) => {}
            }
        }
    }

    /// What another process announces.
    fn announced<'a>(&self, request: &'a str) -> Option<&'a str> {
        let (_, headers) = request.split_once("\r\n").unwrap_or_default();
        let header = |wanted: &str| {
            let mut lines = headers.lines().filter_map(|line| line.split_once(':'));
            lines.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
        };
        // A page in a browser must not announce itself. Browsers add these headers.
        let from_browser = header("origin").or(header("sec-fetch-site")).is_some();
        let own_host = header("host") == Some(self.address.as_str());
        header(neighbours::HEADER).filter(|_| own_host && !from_browser)
    }
}

impl Answer {
    fn into_octets(self) -> Vec<u8> {
        /// The pages load nothing, are not stored, and stay out of frames.
        const HEADERS: &str = "Content-Type: text/html; charset=utf-8\r\n\
            Cache-Control: no-store\r\n\
            Content-Security-Policy: default-src 'none'; img-src data:; style-src 'unsafe-inline'; \
            base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n\
            Referrer-Policy: no-referrer\r\n\
            X-Content-Type-Options: nosniff\r\n";
        let (status, more, body) = match self {
            Self::Page { status, html } => (status, HEADERS.to_owned(), html),
            Self::Last(html) => ("200 OK", HEADERS.to_owned(), html),
            Self::Redirect(url) => {
                let more = format!(
                    "Location: {url}\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
                );
                ("303 See Other", more, String::new())
            }
            Self::Accepted => ("204 No Content", String::new(), String::new()),
            Self::Passed(octets) => return octets,
        };
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

/// Reads the head of a request.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    let mut piece = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < MAX_REQUEST {
        match stream.read(&mut piece).await.ok()? {
            0 => break,
            read => request.extend_from_slice(piece.get(..read)?),
        }
    }
    Some(String::from_utf8_lossy(&request).into_owned())
}

/// The target of a request with this method.
fn target<'a>(request: &'a str, method: &str) -> Option<&'a str> {
    request.strip_prefix(method)?.split([' ', '\r']).next()
}

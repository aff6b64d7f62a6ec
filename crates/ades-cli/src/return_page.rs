//! The local page to which the signer redirects the user's browser at the end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ades::itsme::is_return_from;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use url::Url;

use crate::output::Messages;

/// The page on this machine to which the user's browser returns.
pub(crate) struct ReturnPage {
    pub(crate) visits: mpsc::Receiver<Visit>,
    pub(crate) pages: SignerPages,
}

/// A browser that has returned and waits for an answer.
pub(crate) struct Visit {
    pub(crate) query: String,
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// The answer to a browser that has returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// This conversation sent the browser to the signer.
    Welcome,
    /// This conversation sent the browser to the signer, and the browser has returned before.
    StepOver,
    /// This conversation did not send the browser. The answer does not reveal whether there is a
    /// conversation.
    Stranger,
}

impl Answer {
    const fn status_and_page(self) -> (&'static str, &'static str) {
        match self {
            Self::Welcome => ("200 OK", "Thank you. You can close this page."),
            Self::StepOver => ("410 Gone", "This step is done already. You can close this page."),
            Self::Stranger => ("400 Bad Request", "There is nothing to do here."),
        }
    }
}

/// The signer's pages to which the user was sent.
#[derive(Clone, Default)]
pub(crate) struct SignerPages(Arc<Mutex<Vec<Page>>>);

struct Page {
    address: String,
    /// Whether the step of this page is over
    over: bool,
    /// Whether the browser has returned from it
    returned: bool,
}

impl SignerPages {
    fn all(&self) -> MutexGuard<'_, Vec<Page>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, address: &str) {
        self.all().push(Page { address: address.to_owned(), over: false, returned: false });
    }

    pub(crate) fn end(&self) {
        self.all().iter_mut().for_each(|page| page.over = true);
    }

    /// Records that the browser has returned from the page that this query belongs to.
    pub(crate) fn note_return(&self, query: &str) {
        if let Some(page) = self.all().iter_mut().find(|p| is_return_from(&p.address, query)) {
            page.returned = true;
        }
    }

    /// The answer to a return from a step that is over. `None` for any other return: the signer
    /// decides whether it is valid.
    pub(crate) fn answer(&self, query: &str) -> Option<Answer> {
        let mut pages = self.all();
        let page = pages.iter_mut().find(|p| p.over && is_return_from(&p.address, query))?;
        let again = std::mem::replace(&mut page.returned, true);
        Some(if again { Answer::StepOver } else { Answer::Welcome })
    }
}

impl ReturnPage {
    /// Listens at a loopback redirect URL. Returns `None` if that fails: then the signer is only
    /// polled. The state parameter identifies a return, so the redirect URL's own query does not
    /// matter.
    pub(crate) async fn listen(redirect_url: &Url, messages: &Messages) -> Option<Self> {
        let address = address(redirect_url)?;
        let listener = match TcpListener::bind(&address).await {
            Ok(listener) => listener,
            Err(error) => {
                messages.print(format_args!(
                    "{address}: {error}: the browser's return will not be noticed; the signer is \
                     polled instead"
                ));
                return None;
            }
        };
        let path = redirect_url.path().to_owned();
        let (sender, visits) = mpsc::channel(8);
        let pages = SignerPages::default();
        let known = pages.clone();
        tokio::spawn(async move {
            while !sender.is_closed() {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let (path, sender, known) = (path.clone(), sender.clone(), known.clone());
                tokio::spawn(serve(stream, path, sender, known));
            }
        });
        Some(Self { visits, pages })
    }

    /// Answers every browser that still waits, at the end of a conversation.
    pub(crate) fn end(&mut self) {
        self.pages.end();
        while let Ok(visit) = self.visits.try_recv() {
            let answer = self.pages.answer(&visit.query).unwrap_or(Answer::Stranger);
            let _ = visit.answer.send(answer);
        }
    }
}

/// Host and port, by default that of the scheme.
fn address(url: &Url) -> Option<String> {
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}

/// Maximum time for a browser to send its request.
const REQUEST: Duration = Duration::from_secs(5);
/// Maximum time until the browser gets an answer.
const ANSWER: Duration = Duration::from_secs(60);
/// Maximum size of a request line with its headers, in octets.
const MAX_REQUEST: usize = 8 * 1024;

/// Answers one request.
async fn serve(
    mut stream: TcpStream,
    own_path: String,
    sender: mpsc::Sender<Visit>,
    pages: SignerPages,
) {
    let Ok(Some(target)) = tokio::time::timeout(REQUEST, target(&mut stream)).await else { return };
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let (status, text) = if path == own_path {
        let answer = match pages.answer(query) {
            Some(answer) => answer,
            // Without a conversation, every browser is a stranger.
            None => {
                let asked = tokio::time::timeout(ANSWER, ask(query, &sender)).await;
                asked.ok().flatten().unwrap_or(Answer::Stranger)
            }
        };
        answer.status_and_page()
    } else {
        ("404 Not Found", "There is nothing to do here.")
    };
    let body = format!("<!DOCTYPE html><html lang=\"en\"><title>ades</title><p>{text}</p></html>");
    let response = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len(),
    );
    // The return counts even if the browser has disconnected.
    let _ = stream.write_all(response.as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// Lets the conversation decide on the answer.
async fn ask(query: &str, sender: &mpsc::Sender<Visit>) -> Option<Answer> {
    let (answer, answered) = oneshot::channel();
    sender.send(Visit { query: query.to_owned(), answer }).await.ok()?;
    answered.await.ok()
}

/// Reads the target of a GET request.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The status line of the answer to a browser that comes back with this request.
    async fn returned(address: &str, target: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.lines().next().unwrap().to_owned()
    }

    #[test]
    fn browser_comes_back_to_any_loopback_url() {
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
                let page = ReturnPage::listen(&url, &Messages::new(true)).await.unwrap();
                page.pages.add("https://page?st=one");
                page.pages.end();
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
}

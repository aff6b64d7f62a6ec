//! The address on this machine to which the signer's pages return the user's browser. It sends the
//! browser on to the next page, and at the end shows what happened.

mod ending;
mod html;
mod neighbours;
mod server;
mod trips;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use ades::signer::Language;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use url::Url;

pub(crate) use self::ending::{Ending, LastPage};
use self::server::Server;
pub(crate) use self::server::{Verdict, Visit};
pub(crate) use self::trips::Trips;
use crate::output::Messages;

/// Maximum time that the program waits at its end for a browser that it sent on, until that has
/// seen the last page.
const LAST_PAGE: Duration = Duration::from_secs(5);
/// The same for a browser that has not come back yet: the user may have closed it.
const UNSEEN: Duration = Duration::from_secs(2);

/// The page on this machine to which the user's browser returns.
pub(crate) struct ReturnPage {
    pub(crate) visits: mpsc::Receiver<Visit>,
    pub(crate) trips: Trips,
    server: Arc<Server>,
    /// The port at which the process that has the address reaches this one
    lodging: Option<u16>,
    /// Whether the user took some time, as a person with a browser does
    waited: bool,
    /// The listeners
    tasks: JoinSet<()>,
    messages: Messages,
}

impl ReturnPage {
    /// Listens at a loopback redirect URL, with pages in this language. Returns `None` if that
    /// fails: then the signer is only polled. If another `ades` has the address, it passes the
    /// browsers of this process on, and this process takes the address over when it is free.
    ///
    /// The key in the query identifies a return, so the redirect URL's own query does not matter.
    pub(crate) async fn listen(
        redirect_url: &Url,
        language: Language,
        messages: Messages,
    ) -> Option<Self> {
        let address = address(redirect_url)?;
        let (sender, visits) = mpsc::channel(8);
        let trips = Trips::default();
        let server = Server::new(redirect_url, &address, language, trips.clone(), sender);
        let server = Arc::new(server);
        let mut tasks = JoinSet::new();
        let lodging = match TcpListener::bind(&address).await {
            Ok(listener) => {
                tasks.spawn(Arc::clone(&server).accept(listener));
                None
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                match neighbours::lodge(&server, &mut tasks).await {
                    Ok(port) => Some(port),
                    Err(error) => return only_polled(&address, &error, messages),
                }
            }
            Err(error) => return only_polled(&address, &error, messages),
        };
        Some(Self { visits, trips, server, lodging, waited: false, tasks, messages })
    }

    /// Expects a browser from this page of the signer.
    pub(crate) async fn expect(&mut self, page: &str) {
        self.trips.add(page);
        if let Some(port) = self.lodging.filter(|_| !self.server.has_address())
            && let Err(error) = neighbours::announce(&self.server, port).await
            && !self.server.has_address()
        {
            self.lodging = None;
            let _: Option<()> = only_polled(&self.server.address, &error, self.messages);
        }
        self.trips.open(page);
    }

    /// Records that the user has been asked, and has not answered yet.
    pub(crate) const fn note_waiting(&mut self) {
        self.waited = true;
    }

    /// Whether a browser has come back, so that it can be sent on.
    pub(crate) fn has_browser(&self) -> bool {
        self.trips.has_browser()
    }

    /// Ends a step: browsers that come back from its page from now on wait for the next one.
    pub(crate) fn end_step(&mut self) {
        self.trips.end_step();
        while let Ok(visit) = self.visits.try_recv() {
            let ours = self.trips.is_from_page(&visit.query);
            if ours {
                self.trips.note_return(&visit.query);
            }
            let _ = visit.verdict.send(if ours { Verdict::Ours } else { Verdict::Stranger });
        }
    }

    /// Shows the outcome to the browser, if one is on its way, and stops.
    pub(crate) async fn finish(mut self, outcome: LastPage) {
        self.trips.end(outcome);
        let time = match (self.trips.has_browser(), self.waited) {
            (true, _) => LAST_PAGE,
            (false, true) => UNSEEN,
            (false, false) => Duration::ZERO,
        };
        let _ = tokio::time::timeout(time, self.trips.until_shown()).await;
        // Another process takes the address over as soon as nobody listens at it.
        self.server.give_notice().await;
        self.tasks.shutdown().await;
        self.server.close().await;
    }
}

fn only_polled<T>(address: &str, error: &io::Error, messages: Messages) -> Option<T> {
    messages.print(format_args!(
        "{address}: {error}: the browser's return will not be noticed; the signer is polled instead"
    ));
    None
}

/// Host and port, by default that of the scheme.
fn address(url: &Url) -> Option<String> {
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    impl ReturnPage {
        /// A page without listeners, whose visits the test makes.
        pub(crate) fn for_tests() -> (mpsc::Sender<Visit>, Self) {
            let url = Url::parse("http://127.0.0.1:1/").unwrap();
            let (sender, visits) = mpsc::channel(8);
            let trips = Trips::default();
            let server =
                Server::new(&url, "127.0.0.1:1", Language::En, trips.clone(), sender.clone());
            let (server, messages) = (Arc::new(server), Messages::new(true));
            let tasks = JoinSet::new();
            let (lodging, waited) = (None, false);
            (sender, Self { visits, trips, server, lodging, waited, tasks, messages })
        }
    }

    pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(future)
    }

    async fn listen(url: &str) -> ReturnPage {
        let url = Url::parse(url).unwrap();
        ReturnPage::listen(&url, Language::En, Messages::new(true)).await.unwrap()
    }

    /// The answer to a browser that comes back with this request.
    async fn returned(address: &str, target: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    fn signed() -> LastPage {
        LastPage { ending: Ending::Signed, signed: 1, files: 1 }
    }

    fn free_address() -> String {
        format!("127.0.0.1:{}", crate::sandbox::free_port().unwrap())
    }

    #[test]
    fn browser_comes_back_to_any_loopback_url() {
        block_on(async {
            for (host, rest, target) in [
                ("127.0.0.1", "", "/?st=one"),
                ("127.0.0.1", "/", "/?st=one"),
                ("127.0.0.1", "?tenant=7", "/?tenant=7&st=one"),
                ("localhost", "/re turn?tenant=7", "/re%20turn?tenant=7&st=one"),
                ("127.0.0.1", "/return", "/return?st=one"),
            ] {
                let port = crate::sandbox::free_port().unwrap();
                let address = format!("{host}:{port}");
                let mut page = listen(&format!("HTTP://{address}{rest}")).await;
                page.expect("https://page?st=one").await;
                page.end_step();
                page.trips.end(signed());
                let answer = returned(&address, target).await;
                assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
                assert!(answer.contains("<h1>Signed</h1>"), "{answer}");
                let elsewhere = returned(&address, "/elsewhere?st=one").await;
                assert!(elsewhere.starts_with("HTTP/1.1 404 Not Found"), "{elsewhere}");
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
    fn browser_is_sent_on_from_page_to_page() {
        block_on(async {
            let address = free_address();
            let mut page = listen(&format!("http://{address}/return")).await;
            page.expect("https://page/1?st=one").await;
            page.end_step();
            // While the next page is not known, the browser waits and comes again.
            let waits = returned(&address, "/return?st=one&x=%22<\">").await;
            assert!(waits.starts_with("HTTP/1.1 200 OK"), "{waits}");
            let again = "http-equiv=\"refresh\" content=\"1; url=/return?st=one&amp;\
                         x=%22&lt;&quot;&gt;&amp;ades=waits\"";
            assert!(waits.contains(again), "{waits}");
            page.expect("https://page/2?q=1&st=two").await;
            for query in ["st=one", "st=one&ades=waits"] {
                let answer = returned(&address, &format!("/return?{query}")).await;
                assert!(answer.starts_with("HTTP/1.1 303 See Other"), "{answer}");
                assert!(answer.contains("\r\nLocation: https://page/2?q=1&st=two\r\n"), "{answer}");
            }
            page.end_step();
            page.trips.end(signed());
            for query in ["st=one", "st=two&ades=waits"] {
                let last = returned(&address, &format!("/return?{query}")).await;
                assert!(last.contains("<h1>Signed</h1>") && !last.contains("refresh"), "{last}");
            }
            let stranger = returned(&address, "/return?st=three").await;
            assert!(stranger.starts_with("HTTP/1.1 400"), "{stranger}");
            page.finish(signed()).await;
            assert!(TcpStream::connect(&address).await.is_err());
        });
    }

    #[test]
    fn program_waits_for_a_browser_that_is_on_its_way() {
        block_on(async {
            let address = free_address();
            let mut page = listen(&format!("http://{address}/")).await;
            page.expect("https://page/1?st=one").await;
            page.trips.note_return("st=one");
            page.end_step();
            page.expect("https://page/2?st=two").await;
            page.end_step();
            let begun = std::time::Instant::now();
            let late = async {
                tokio::time::sleep(Duration::from_millis(300)).await;
                returned(&address, "/?st=two").await
            };
            let outcome = LastPage { ending: Ending::Refused, signed: 0, files: 1 };
            let (late, ()) = tokio::join!(late, page.finish(outcome));
            assert!(late.contains("<h1>You refused</h1>"), "{late}");
            assert!(begun.elapsed() >= Duration::from_millis(300));
            // Without a browser it does not wait.
            let mut page = listen(&format!("http://{}/", free_address())).await;
            page.expect("https://page/1?st=one").await;
            let begun = std::time::Instant::now();
            page.finish(signed()).await;
            assert!(begun.elapsed() < UNSEEN);
        });
    }

    /// Its browser has not seen it: it is gone, or the process that passed it on has ended.
    #[test]
    fn page_that_did_not_arrive_is_not_shown() {
        block_on(async {
            let address = free_address();
            let mut page = listen(&format!("http://{address}/")).await;
            page.expect("https://page?st=one").await;
            page.end_step();
            page.trips.end(signed());
            let request = format!("GET /?st=one HTTP/1.1\r\nHost: {address}\r\n");
            let ask = async |more: &str| {
                let mut stream = TcpStream::connect(&address).await.unwrap();
                stream.write_all(format!("{request}{more}\r\n").as_bytes()).await.unwrap();
                stream.readable().await.unwrap();
                stream
            };
            drop(ask("").await);
            let mut cut = ask("Ades-Return: 1 passed\r\n").await;
            cut.read_to_end(&mut Vec::new()).await.unwrap();
            drop(cut);
            let shown = tokio::time::timeout(Duration::from_millis(200), page.trips.until_shown());
            assert!(shown.await.is_err());
            let passed = neighbours::pass_on(address[10..].parse().unwrap(), "/?st=one", &address);
            assert!(passed.await.is_some());
            page.trips.until_shown().await;
        });
    }

    #[test]
    fn processes_share_one_address() {
        block_on(async {
            let address = free_address();
            let url = format!("http://{address}/return");
            let mut first = listen(&url).await;
            let mut second = listen(&url).await;
            let mut third = listen(&url).await;
            first.expect("https://page/1?st=first").await;
            second.expect("https://page/2?st=second").await;
            third.expect("https://page/3?st=third").await;
            for page in [&mut first, &mut second, &mut third] {
                page.end_step();
            }
            second.expect("https://page/2?st=next").await;
            let sent_on = returned(&address, "/return?st=second").await;
            assert!(sent_on.contains("\r\nLocation: https://page/2?st=next\r\n"), "{sent_on}");
            // The owner of the address ends while a browser of another process waits there.
            let waiting = returned(&address, "/return?st=third&ades=waits");
            let (waiting, ()) = tokio::join!(waiting, async {
                while !third.has_browser() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                first.finish(signed()).await;
            });
            assert!(waiting.contains("http-equiv=\"refresh\""), "{waiting}");
            // Another process takes over, and passes on the browsers of the third.
            while !second.server.has_address() && !third.server.has_address() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            for page in [&mut second, &mut third] {
                page.end_step();
                page.trips.end(signed());
            }
            for state in ["second", "next", "third"] {
                let last = returned(&address, &format!("/return?st={state}")).await;
                assert!(last.contains("<h1>Signed</h1>"), "{state}: {last}");
            }
        });
    }

    /// Otherwise a fast browser comes back from it before that process can pass it on.
    #[test]
    fn browser_is_sent_on_after_the_process_with_the_address_knows_the_key() {
        block_on(async {
            let owner = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = owner.local_addr().unwrap().to_string();
            let knows = Arc::new(AtomicBool::new(false));
            let accept = tokio::spawn({
                let knows = Arc::clone(&knows);
                async move {
                    let mut watching = Vec::new();
                    loop {
                        let (mut stream, _) = owner.accept().await.unwrap();
                        let mut request = [0; 1024];
                        let read = stream.read(&mut request).await.unwrap();
                        let request = String::from_utf8_lossy(&request[..read]);
                        if request.contains(neighbours::WATCH) {
                            watching.push(stream);
                            continue;
                        }
                        if request.contains(&trips::key_digest("?st=two").unwrap()) {
                            tokio::time::sleep(Duration::from_millis(300)).await;
                            knows.store(true, Ordering::SeqCst);
                        }
                        let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
                    }
                }
            });
            let mut page = listen(&format!("http://{address}/")).await;
            let port = page.lodging.unwrap();
            page.expect("https://page/1?st=one").await;
            page.end_step();
            let waiting = async {
                let answer = neighbours::pass_on(port, "/?st=one&ades=waits", &address).await;
                (String::from_utf8(answer.unwrap()).unwrap(), knows.load(Ordering::SeqCst))
            };
            let expecting = page.expect("https://page/2?st=two");
            let ((answer, knew), ()) = tokio::join!(waiting, expecting);
            assert!(answer.contains("\r\nLocation: https://page/2?st=two\r\n"), "{answer}");
            assert!(knew);
            accept.abort();
        });
    }

    #[test]
    fn address_of_another_program_is_left_to_it() {
        block_on(async {
            let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = other.local_addr().unwrap().to_string();
            let accept = tokio::spawn(async move {
                loop {
                    let (mut stream, _) = other.accept().await.unwrap();
                    let _ = stream.read(&mut [0; 1024]).await;
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nnot ades").await;
                }
            });
            let mut page = listen(&format!("http://{address}/")).await;
            assert!(page.lodging.is_some());
            page.expect("https://page?st=one").await;
            assert!(page.lodging.is_none());
            accept.abort();
        });
    }

    #[test]
    fn only_programs_can_announce_themselves() {
        block_on(async {
            let address = free_address();
            let _page = listen(&format!("http://{address}/")).await;
            let digest = "0".repeat(64);
            for (headers, expected) in [
                (format!("Host: {address}\r\nAdes-Return: 1 4711 {digest}\r\n"), "204"),
                (format!("Host: evil.example\r\nAdes-Return: 1 4711 {digest}\r\n"), "403"),
                (
                    format!("Host: {address}\r\nOrigin: null\r\nAdes-Return: 1 4711 {digest}\r\n"),
                    "403",
                ),
                (
                    format!(
                        "Host: {address}\r\nSec-Fetch-Site: none\r\nAdes-Return: 1 1 {digest}\r\n"
                    ),
                    "403",
                ),
                (format!("Host: {address}\r\nAdes-Return: 2 4711 {digest}\r\n"), "403"),
                (format!("Host: {address}\r\nAdes-Return: 1 99999 {digest}\r\n"), "403"),
                (format!("Host: {address}\r\nAdes-Return: 1 4711 abc\r\n"), "403"),
                (format!("Host: {address}\r\n"), "403"),
            ] {
                let mut stream = TcpStream::connect(&address).await.unwrap();
                let request = format!("POST / HTTP/1.1\r\n{headers}\r\n");
                stream.write_all(request.as_bytes()).await.unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).await.unwrap();
                assert!(
                    answer.starts_with(&format!("HTTP/1.1 {expected} ")),
                    "{headers}: {answer}"
                );
            }
        });
    }
}

//! A fetcher against a server on loopback that gives prepared answers.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::io::{Read, Seek};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ades_fetch::{Allowed, Exchange, FetchError, Fetcher, Hosts, Limits, Policy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A server that gives its answers in order, one for each connection.
struct Server {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            for answer in answers {
                let (stream, _) = listener.accept().await.unwrap();
                serve(stream, &answer, &seen).await;
            }
        });
        Self { address, requests }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, answer: &str, seen: &Mutex<Vec<String>>) {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let read = stream.read(&mut piece).await.unwrap();
        request.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
            seen.lock().unwrap().push(text);
            break;
        }
    }
    // A client that gives up closes the connection.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
    )
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.answer = Duration::from_secs(10);
    limits
}

fn local() -> Fetcher {
    Fetcher::new(&Policy::new().hosts(Hosts::Any).limits(limits())).unwrap()
}

#[tokio::test]
async fn each_exchange_has_its_method_and_media_types() {
    let answers = ["crl", "ocsp", "token"].map(|body| answer("200 OK", "", body));
    let server = Server::start(answers.into()).await;
    let (fetcher, url) = (local(), server.url("/ca.crl"));
    assert_eq!(fetcher.get(&url).await.unwrap(), b"crl");
    let ocsp = Exchange::Ocsp { request: b"question" };
    assert_eq!(fetcher.fetch(&url, ocsp).await.unwrap(), b"ocsp");
    let time_stamp = Exchange::TimeStamp { request: b"imprint" };
    assert_eq!(fetcher.fetch(&url, time_stamp).await.unwrap(), b"token");
    let requests = server.requests();
    assert!(requests[0].starts_with("GET /ca.crl HTTP/1.1\r\n"), "{}", requests[0]);
    for (request, kind, body) in
        [(&requests[1], "ocsp-request", "question"), (&requests[2], "timestamp-query", "imprint")]
    {
        assert!(request.starts_with("POST /ca.crl HTTP/1.1\r\n"), "{request}");
        assert!(request.contains(&format!("content-type: application/{kind}\r\n")), "{request}");
        assert!(request.ends_with(&format!("\r\n\r\n{body}")), "{request}");
    }
}

#[tokio::test]
async fn addresses_inside_a_network_are_refused_unless_allowed() {
    let fetcher = Fetcher::new(&Policy::new().limits(limits())).unwrap();
    let server = Server::start(vec![answer("200 OK", "", "secret"); 2]).await;
    let port = server.address.rsplit_once(':').unwrap().1;
    for host in
        ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "[::ffff:127.0.0.1]", "2130706433"]
    {
        let error = fetcher.get(&format!("http://{host}:{port}/")).await.unwrap_err();
        assert!(matches!(error, FetchError::NotPublic { .. }), "{host}: {error:?}");
        assert!(!error.is_temporary());
    }
    assert_eq!(server.requests().len(), 0);
    for host in ["127.0.0.1", "localhost"] {
        let mut besides = Allowed::new();
        besides.add(host).unwrap();
        let policy = Policy::new().hosts(Hosts::Public { besides }).limits(limits());
        let fetcher = Fetcher::new(&policy).unwrap();
        assert_eq!(fetcher.get(&format!("http://{host}:{port}/")).await.unwrap(), b"secret");
    }
}

#[tokio::test]
async fn a_redirect_does_not_lead_into_a_network() {
    let to = answer("302 Found", "location: http://169.254.169.254/latest\r\n", "");
    let server = Server::start(vec![to]).await;
    let mut besides = Allowed::new();
    besides.add("127.0.0.0/8").unwrap();
    let policy = Policy::new().hosts(Hosts::Public { besides }).limits(limits());
    let error = Fetcher::new(&policy).unwrap().get(&server.url("/")).await.unwrap_err();
    let expected = "169.254.169.254".parse::<std::net::IpAddr>().unwrap();
    assert!(matches!(error, FetchError::NotPublic { address, .. } if address == expected));
}

#[tokio::test]
async fn redirects_are_followed_and_counted() {
    let to = |path: &str, status: &str| answer(status, &format!("location: {path}\r\n"), "");
    let moved = "301 Moved Permanently";
    let server = Server::start(vec![
        to("/b", moved),
        to("c", "307 Temporary Redirect"),
        answer("200 OK", "", "found"),
    ])
    .await;
    assert_eq!(local().get(&server.url("/a/x")).await.unwrap(), b"found");
    let paths: Vec<String> = server
        .requests()
        .iter()
        .map(|request| request.split(' ').nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(paths, ["/a/x", "/b", "/c"]);

    let endless = Server::start(vec![to("/", moved); 9]).await;
    let error = local().get(&endless.url("/")).await.unwrap_err();
    assert!(matches!(error, FetchError::Redirects { max: 3, .. }), "{error:?}");
    assert_eq!(endless.requests().len(), 4);

    // A redirect that would turn a question into a GET is not followed.
    let server = Server::start(vec![to("/b", moved)]).await;
    let error = local().fetch(&server.url("/"), Exchange::Ocsp { request: b"q" }).await;
    assert!(matches!(error, Err(FetchError::Status { status: 301, .. })), "{error:?}");
    let server = Server::start(vec![to("ldap://directory/cn=ca", moved)]).await;
    let error = local().get(&server.url("/")).await.unwrap_err();
    assert!(matches!(error, FetchError::Unsupported { .. }), "{error:?}");
}

#[tokio::test]
async fn answers_have_a_length_and_a_time() {
    let mut limits = limits();
    (limits.held, limits.length) = (4, 8);
    let fetcher = Fetcher::new(&Policy::new().hosts(Hosts::Any).limits(limits)).unwrap();
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n";
    let server = Server::start(vec![answer("200 OK", "", "12345"), chunked.to_owned()]).await;
    for _ in 0..2 {
        let error = fetcher.get(&server.url("/")).await.unwrap_err();
        assert!(matches!(error, FetchError::TooLong { max: 4, .. }), "{error:?}");
    }
    limits.answer = Duration::from_millis(200);
    limits.tries = 1;
    let fetcher = Fetcher::new(&Policy::new().hosts(Hosts::Any).limits(limits)).unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let error = fetcher.get(&url).await.unwrap_err();
    assert!(matches!(error, FetchError::Timeout { .. }), "{error:?}");
    // Cut off, empty, no HTTP at all.
    for odd in [
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n12",
        &answer("200 OK", "", ""),
        "220 mail\r\n",
    ] {
        let server = Server::start(vec![odd.to_owned(); 2]).await;
        let error = local().get(&server.url("/")).await.unwrap_err();
        assert!(matches!(error, FetchError::Unreachable { .. }), "{odd}: {error:?}");
        assert_eq!(server.requests().len(), 2, "{odd}");
    }
}

#[tokio::test]
async fn a_long_answer_goes_into_a_file() {
    let mut limits = limits();
    (limits.held, limits.length) = (4, 8);
    let fetcher = Fetcher::new(&Policy::new().hosts(Hosts::Any).limits(limits)).unwrap();
    let broken_off = "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nxxxxxxx".to_owned();
    let whole = answer("200 OK", "", "12345678");
    let server = Server::start(vec![broken_off, whole, answer("200 OK", "", "123456789")]).await;
    let mut file = tempfile::tempfile().unwrap();
    fetcher.get_into(&server.url("/"), &mut file).await.unwrap();
    let mut found = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut found).unwrap();
    assert_eq!(found, "12345678", "nothing of the answer that broke off is left");
    let error = fetcher.get_into(&server.url("/"), &mut file).await.unwrap_err();
    assert!(matches!(error, FetchError::TooLong { max: 8, .. }), "{error:?}");
}

/// Trap 11: a time-stamp is not asked for twice, and a service that is busy is left alone.
#[tokio::test]
async fn what_can_be_repeated_is_and_a_busy_host_is_left_alone() {
    let broken = || answer("500 Internal Server Error", "", "");
    let good = || answer("200 OK", "", "good");
    let server = Server::start(vec![broken(), good()]).await;
    assert_eq!(local().get(&server.url("/")).await.unwrap(), b"good");
    // A time-stamp is asked for once.
    let server = Server::start(vec![broken(), good()]).await;
    let time_stamp = Exchange::TimeStamp { request: b"imprint" };
    let error = local().fetch(&server.url("/"), time_stamp).await.unwrap_err();
    assert!(matches!(error, FetchError::Status { status: 500, .. }), "{error:?}");
    assert_eq!(server.requests().len(), 1);
    // What is not there is not asked for again.
    let server = Server::start(vec![answer("404 Not Found", "", "no"), good()]).await;
    let error = local().get(&server.url("/")).await.unwrap_err();
    assert!(matches!(error, FetchError::Status { status: 404, .. }) && !error.is_temporary());
    assert_eq!(server.requests().len(), 1);

    let busy = answer("429 Too Many Requests", "retry-after: 90\r\n", "");
    let server = Server::start(vec![busy, good()]).await;
    let fetcher = local();
    for _ in 0..2 {
        let error = fetcher.clone().get(&server.url("/")).await.unwrap_err();
        let FetchError::Busy { after, .. } = error else { panic!("{error:?}") };
        assert!(after > Duration::from_secs(80) && after <= Duration::from_secs(90));
    }
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn other_schemes_are_named() {
    for url in
        ["ldap://directory.example.com/cn=ca", "file:///etc/passwd", "crl", "data:,x", "http:///"]
    {
        let error = local().get(url).await.unwrap_err();
        assert!(
            matches!(&error, FetchError::Unsupported { url: named } if named == url),
            "{error:?}"
        );
    }
}

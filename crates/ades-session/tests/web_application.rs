//! A user, a stranger and the sandbox with the example of a web application.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

#[allow(dead_code)]
#[path = "../examples/web_application.rs"]
mod application;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant, SystemTime};

use ades::{Document, VerifyOptions};
use itsme_sandbox::sessions::SessionState;
use itsme_sandbox::{Sandbox, User};

/// An answer of the application.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let line = self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("{name} in {}", self.head))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A browser.
struct Browser<'a> {
    address: &'a str,
    cookie: String,
}

impl Browser<'_> {
    fn send(&self, method: &str, target: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let head = format!(
            "{method} {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncookie: {}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
            self.address,
            self.cookie,
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut octets = Vec::new();
        stream.read_to_end(&mut octets).unwrap();
        let end = octets.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(octets[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: octets[end + 4..].to_vec() }
    }

    fn get(&self, target: &str) -> Answer {
        self.send("GET", target, "")
    }

    /// Comes back from the signer's page. While another task has the job, the page loads itself
    /// again.
    fn come_back(&self, back: &str) -> Answer {
        loop {
            let answer = self.get(back);
            if !answer.text().contains("<meta http-equiv=refresh content=2>") {
                return answer;
            }
        }
    }
}

/// Starts the application and its sandbox.
fn start(runtime: &tokio::runtime::Runtime, folder: &std::path::Path) -> (String, Sandbox) {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = free.to_string();
    let (back, dir) = (format!("http://{address}/return"), folder.join("sandbox"));
    let config = itsme_sandbox::Config::default().dir(dir.clone());
    let config = config.redirect_urls(vec![back.clone()]);
    let sandbox = runtime.block_on(Sandbox::start(config)).unwrap();
    let text = format!(
        "base_url = {:?}\npartner_code = \"SANDBOX\"\nservice_code = \"SANDBOX_SIGN\"\n\
         redirect_url = {back:?}\nprofile = \"test\"\nallow_loopback_http = true\n\
         [client]\ncertificate = \"client.pem\"\n[server]\nca = \"server-ca.pem\"\n",
        sandbox.base_url()
    );
    let config = ades::itsme::Config::from_toml(&text, &dir).unwrap();
    let (at, folder) = (address.clone(), folder.to_owned());
    runtime.spawn(async move { application::serve(&at, config, folder).await.unwrap() });
    let begun = Instant::now();
    while TcpStream::connect(&address).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(180), "the application does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    (address, sandbox)
}

/// The user answers at the sandbox's page, which sends the browser back with the key.
fn answer(sandbox: &Sandbox, page: &str, approve: bool) -> String {
    let mut sessions = sandbox.control().sessions().into_iter();
    let open = sessions.find(|session| session.state == SessionState::Pending).unwrap();
    sandbox.control().answer(&open.session, User::Ready, approve).unwrap();
    let (_, key) = page.split_once("st=").unwrap();
    format!("/return?st={key}")
}

#[test]
fn a_user_signs_a_text_and_nobody_else_does() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (address, sandbox) = start(&runtime, folder.path());
    let mut user = Browser { address: &address, cookie: String::new() };
    let stranger = Browser { address: &address, cookie: "browser=of-somebody-else".to_owned() };

    let form = user.get("/");
    user.cookie = form.header("set-cookie").split(';').next().unwrap().to_owned();
    let name = form.text().split("value=").nth(1).unwrap()[..32].to_owned();
    let fields = format!("name={name}&text=I+agree.");
    let first = user.send("POST", "/", &fields);
    assert_eq!(first.status, 303, "{}", first.text());
    let page = first.header("location").to_owned();
    // The form that is sent twice goes to the same page.
    assert_eq!(user.send("POST", "/", &fields).header("location"), page);
    assert_eq!(sandbox.control().sessions().len(), 1);

    let back = answer(&sandbox, &page, true);
    for target in [back.as_str(), "/return", "/return?st=0123456789abcdef0123456789abcdef"] {
        assert_eq!(stranger.get(target).status, 404, "{target}");
    }
    let second = user.come_back(&back);
    assert_eq!(second.status, 303, "{}", second.text());

    // The user refuses, thinks again, and confirms.
    let back = answer(&sandbox, second.header("location"), false);
    let refused = user.come_back(&back);
    assert!(refused.text().contains("ByUser"), "{}", refused.text());
    let job = refused.text().split("/jobs/").nth(1).unwrap()[..32].to_owned();
    assert_eq!(stranger.send("POST", &format!("/jobs/{job}"), "").status, 404);
    let again = user.send("POST", &format!("/jobs/{job}"), "");
    assert_eq!(again.status, 303, "{}", again.text());
    let back = answer(&sandbox, again.header("location"), true);
    let done = user.come_back(&back);
    let link = format!("/jobs/{job}/container");
    assert!(done.text().contains(&link), "{}", done.text());
    assert!(user.get(&back).text().contains(&link));

    assert_eq!(stranger.get(&link).status, 404);
    let container = user.get(&link);
    let mut signed = Document::from_bytes(&container.body);
    let report = ades::verify(&mut signed, VerifyOptions::new(), SystemTime::now().into()).unwrap();
    assert_eq!(report.integrity(), Some(true));
    assert!(container.body.windows(8).any(|window| window == b"I agree."));
}

/// The README of the crate and the guide say so.
#[test]
fn the_example_has_less_than_150_lines() {
    assert!(include_str!("../examples/web_application.rs").lines().count() < 150);
}

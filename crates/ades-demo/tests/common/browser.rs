//! A browser that talks to the application over HTTP.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// An answer of the application.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }

    /// Where a redirect leads.
    #[track_caller]
    pub(crate) fn location(&self) -> String {
        assert_eq!(self.status, 303, "{}", self.text());
        self.header("location").unwrap().to_owned()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn shows(&self, text: &str) -> &Self {
        assert!(self.text().contains(text), "{text:?} is not in {} {}", self.status, self.text());
        self
    }

    /// The token of the page's forms.
    pub(crate) fn token(&self) -> String {
        let text = self.text();
        let (_, rest) = text.split_once("name=\"token\" value=\"").expect("a form");
        rest[..32].to_owned()
    }
}

/// A browser.
#[derive(Clone)]
pub(crate) struct Browser {
    address: String,
    pub(crate) cookie: String,
}

impl Browser {
    pub(crate) fn new(address: &str) -> Self {
        Self { address: address.to_owned(), cookie: String::new() }
    }

    pub(crate) fn send(&mut self, method: &str, target: &str, head: &str, body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(180))).unwrap();
        let head = format!(
            "{method} {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncookie: {}\r\n\
             content-length: {}\r\n{head}\r\n",
            self.address,
            self.cookie,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        // The application may answer, and close, before it has read everything.
        let _ = stream.write_all(body);
        let mut octets = Vec::new();
        let _ = stream.read_to_end(&mut octets);
        let end = octets.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer");
        let head = String::from_utf8(octets[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let answer = Answer { status, head, body: octets[end + 4..].to_vec() };
        if let Some(cookie) = answer.header("set-cookie").filter(|text| text.starts_with("browser"))
        {
            self.cookie = cookie.split(';').next().unwrap().to_owned();
        }
        answer
    }

    pub(crate) fn get(&mut self, target: &str) -> Answer {
        self.send("GET", target, "", b"")
    }

    /// Comes back from the signer's page. While another process has the job, the application sends
    /// the browser to the same address once more, for as long as a lease lasts.
    #[track_caller]
    pub(crate) fn come_back(&mut self, back: &str) -> Answer {
        let begun = Instant::now();
        loop {
            let answer = self.get(back);
            let onward = answer.header("location").unwrap_or_default();
            if !onward.starts_with("/return") {
                return answer;
            }
            assert!(begun.elapsed() < Duration::from_secs(180), "{back} is busy");
        }
    }

    /// Sends a form with a token.
    pub(crate) fn post(&mut self, target: &str, fields: &str) -> Answer {
        let token = self.get("/").token();
        let head = "content-type: application/x-www-form-urlencoded\r\n";
        self.send("POST", target, head, format!("token={token}&{fields}").as_bytes())
    }

    pub(crate) fn upload(&mut self, target: &str, files: &[(&str, &[u8])]) -> Answer {
        let token = self.get("/").token();
        self.upload_with(target, &token, files)
    }

    pub(crate) fn upload_with(
        &mut self,
        target: &str,
        token: &str,
        files: &[(&str, &[u8])],
    ) -> Answer {
        let mut body =
            format!("--b\r\ncontent-disposition: form-data; name=\"token\"\r\n\r\n{token}\r\n")
                .into_bytes();
        for (name, octets) in files {
            body.extend(
                format!(
                    "--b\r\ncontent-disposition: form-data; name=\"document\"; \
                     filename=\"{name}\"\r\ncontent-type: application/octet-stream\r\n\r\n"
                )
                .as_bytes(),
            );
            body.extend_from_slice(octets);
            body.extend(b"\r\n");
        }
        body.extend(b"--b--\r\n");
        self.send("POST", target, "content-type: multipart/form-data; boundary=b\r\n", &body)
    }
}

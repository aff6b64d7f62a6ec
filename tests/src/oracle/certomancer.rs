//! certomancer: certificates of somebody else, and their services at any time. One process per
//! test process.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ades_evidence::needs::Need;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;
use tempfile::TempDir;

use super::lines::Lines;

/// The running services.
#[derive(Debug)]
pub struct Certomancer {
    _lines: Lines,
    _dir: TempDir,
    url: String,
    root: PathBuf,
    signer: PathBuf,
}

/// A time-stamping service of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamping {
    /// Its certificate ends with 2029.
    First,
    /// Its certificate begins in 2029 and ends with 2039.
    Second,
    /// Its certificate begins in 2039 and ends with 2054.
    Third,
}

impl Certomancer {
    /// The password of the signer's key.
    pub const PASSWORD: &str = "sesame";

    /// The services that all tests of this process share.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Certomancer> = OnceLock::new();
        SHARED.get_or_init(|| {
            let (lines, dir) = (Lines::python("certomancer", "services.py"), TempDir::new());
            let dir = dir.unwrap();
            let answer = lines.ask(&json!({ "start": { "dir": dir.path() } }));
            let text = |name: &str| answer[name].as_str().unwrap().to_owned();
            let (root, signer) = (text("root").into(), text("signer").into());
            Self { url: text("url"), root, signer, _lines: lines, _dir: dir }
        })
    }

    /// The file of the trust anchor, PEM.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file of the signer's key and certificates, PKCS#12. The certificate ends with 2027.
    #[must_use]
    pub fn signer(&self) -> &Path {
        &self.signer
    }

    /// The address of a time-stamping service.
    #[must_use]
    pub fn tsa(&self, stamping: Stamping) -> String {
        let name = match stamping {
            Stamping::First => "first",
            Stamping::Second => "second",
            Stamping::Third => "third",
        };
        format!("{}/tsa/{name}", self.url)
    }

    /// The answer to a need at a time, from the address that a certificate names. An error if the
    /// service does not answer.
    pub fn answer(
        &self,
        need: &Need,
        stamping: Stamping,
        time: DateTime<Utc>,
    ) -> Result<Vec<u8>, String> {
        let (method, url, kind, body) = match need {
            Need::TimeStamp { request } => {
                ("POST", &self.tsa(stamping), "timestamp-query", request.der())
            }
            Need::Ocsp { request, urls } => ("POST", &urls[0], "ocsp-request", request.der()),
            Need::Crl { urls } | Need::Issuer { urls, .. } => {
                ("GET", &urls[0], "octet-stream", &[][..])
            }
            other => return Err(format!("{other:?}")),
        };
        let rest = url.strip_prefix("http://").unwrap();
        let (host, path) = rest.split_once('/').unwrap();
        let time = time.to_rfc3339_opts(SecondsFormat::Secs, false);
        let head = format!(
            "{method} /{path} HTTP/1.0\r\nHost: {host}\r\nX-Certomancer-Fake-Time: {time}\r\n\
             Content-Type: application/{kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(host).unwrap();
        stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        match head.split(' ').nth(1) {
            Some("200") => Ok(answer.split_off(end + 4)),
            _ => Err(format!("{url}: {head}")),
        }
    }
}

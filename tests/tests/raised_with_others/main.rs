//! Signatures that we and others raise: in turns with EU DSS, with the services of certomancer, in
//! containers of OpenSSL, of earlier versions, and countersignatures. EU DSS judges all of them.

mod certomancer;
mod countersignatures;
mod earlier;
mod openssl;
mod turns;

use std::path::PathBuf;

use ades::{Document, Inputs, SigningOptions};
use ades_core::Certificate;
use ades_tests::oracle::dss::Dss;
use ades_tests::pki::{TestSigner, pem};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use tempfile::TempDir;

const CONTENT: &[u8] = b"content that several programs raise\n";
const XML: &[u8] = b"<?xml version=\"1.0\"?>\n<contract><clause>to be kept</clause></contract>\n";

/// A folder, and EU DSS with trust anchors.
struct Court {
    dir: TempDir,
    anchors: Vec<PathBuf>,
}

impl Court {
    fn new(anchors: &[&Certificate]) -> Self {
        let dir = TempDir::new().unwrap();
        let write = |(at, anchor): (usize, &&Certificate)| {
            let path = dir.path().join(format!("anchor-{at}.pem"));
            std::fs::write(&path, pem(anchor)).unwrap();
            path
        };
        let anchors = anchors.iter().enumerate().map(write).collect();
        Self { dir, anchors }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, octets: &[u8]) -> PathBuf {
        std::fs::write(self.path(name), octets).unwrap();
        self.path(name)
    }

    /// The verdicts of EU DSS at a time, countersignatures among them. All time-stamps are good.
    fn verdicts(&self, signed: &[u8], original: Option<&[u8]>, time: DateTime<Utc>) -> Vec<Value> {
        let answer = Dss::shared().try_validate_pdf(&json!({
            "file": self.write("judged", signed),
            "original": original.map(|octets| self.write("original", octets)),
            "trust": self.anchors,
            "time": rfc3339(time),
        }));
        let answer = answer.unwrap_or_else(|error| panic!("EU DSS failed: {error}"));
        for stamp in answer["timestamps"].as_array().unwrap() {
            for good in ["found", "intact", "signature_intact"] {
                assert_eq!(stamp[good], true, "{stamp:#}");
            }
        }
        answer["signatures"].as_array().unwrap().clone()
    }
}

/// A document with a signature.
fn signed(document: &[u8], signer: &TestSigner, options: &SigningOptions) -> Vec<u8> {
    let mut source = Document::from_bytes(document);
    let pending = ades::prepare(Inputs::new(&mut source), &signer.chain, options).unwrap();
    let mut out = Vec::new();
    pending.complete(Some(&mut source), &signer.sign(&pending.to_be_signed()), &mut out).unwrap();
    out
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Fails the test unless EU DSS names this level, and passes what has validation data.
#[track_caller]
fn assert_level(verdict: &Value, level: &str, what: &str) {
    let found = verdict["level"].as_str().unwrap();
    assert_eq!(found.split_once("-BASELINE-").unwrap().1, level, "{what}: {verdict:#}");
    if level != "T" {
        assert_eq!(verdict["indication"], "TOTAL_PASSED", "{what}: {verdict:#}");
    }
}

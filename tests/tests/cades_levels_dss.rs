//! Raised CAdES signatures judged by EU DSS, and containers of others raised.

use std::path::PathBuf;

use ades::{DigestAlgorithm, ExtendOptions, Level, TargetLevel};
use ades_tests::corpora::everything;
use ades_tests::levels::{Raising, Responder, signer};
use ades_tests::oracle::dss::Dss;
use ades_tests::oracle::openssl;
use ades_tests::pki::{Key, Pki, pem};
use ades_tests::signing::{parameters, sign};
use cades::Packaging;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tempfile::TempDir;

const CONTENT: &[u8] = b"content for EU DSS, for long\n";

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(TempDir::new().unwrap());
        files.write("ca.pem", pem(Pki::shared().issuing()).as_bytes());
        files.write("content", CONTENT);
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, octets: &[u8]) -> PathBuf {
        std::fs::write(self.path(name), octets).unwrap();
        self.path(name)
    }

    fn judge(&self, container: &[u8], packaging: Packaging, time: DateTime<Utc>) -> Value {
        let detached = packaging == Packaging::Detached;
        let verdicts = Dss::shared().try_validate(&json!({
            "file": self.write("container", container),
            "original": detached.then(|| self.path("content")),
            "trust": [self.path("ca.pem")],
            "time": time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        }));
        verdicts.unwrap_or_else(|error| panic!("EU DSS failed: {error}")).remove(0)
    }
}

#[test]
fn dss_says_the_levels_and_passes_what_was_raised() {
    let files = Files::new();
    let responders = [Responder::Issuing, Responder::NoCheck, Responder::Checked];
    for (key, by) in Key::ALL.into_iter().zip(responders.into_iter().cycle()) {
        let signer = signer(Pki::shared(), key);
        for packaging in [Packaging::Detached, Packaging::Enveloping] {
            let container = sign(CONTENT, packaging, &signer, &parameters()).unwrap();
            let mut raising = Raising::new(&signer);
            raising.services.by = by;
            raising.original = (packaging == Packaging::Detached).then_some(CONTENT);
            let mut current = container;
            for (wish, level) in [
                (TargetLevel::T, "CAdES-BASELINE-T"),
                (TargetLevel::Lt, "CAdES-BASELINE-LT"),
                (TargetLevel::Lta, "CAdES-BASELINE-LTA"),
                (TargetLevel::Lta, "CAdES-BASELINE-LTA"),
                (TargetLevel::Lta, "CAdES-BASELINE-LTA"),
            ] {
                let what = format!("{key:?} {packaging:?} {by:?} {wish:?}");
                let options = ExtendOptions::new(wish);
                let options = match wish {
                    TargetLevel::Lta => options.digest(DigestAlgorithm::Sha512),
                    _ => options,
                };
                let (raised, reached) = raising.raise(&current, options);
                assert_eq!(reached.missing, vec![], "{what}");
                let time = raising.services.now + TimeDelta::seconds(30);
                let verdict = files.judge(&raised, packaging, time);
                assert_eq!(verdict["level"], level, "{what}: {verdict}");
                assert_eq!(verdict["structure_valid"], true, "{what}: {verdict}");
                // The policy of EU DSS does not allow EdDSA.
                let is_allowed = key != Key::Ed25519;
                let passed = if is_allowed { "TOTAL_PASSED" } else { "INDETERMINATE" };
                if wish > TargetLevel::T {
                    assert_eq!(verdict["indication"], passed, "{what}: {verdict}");
                    let why = &verdict["sub_indication"];
                    let expected = is_allowed || why == "CRYPTO_CONSTRAINTS_FAILURE_NO_POE";
                    assert!(expected, "{what}: {why}");
                }
                current = raised;
            }
        }
    }
}

#[test]
fn openssl_verifies_the_token_over_the_signature_value() {
    let files = Files::new();
    let signer = signer(Pki::shared(), Key::P256);
    let container = sign(CONTENT, Packaging::Enveloping, &signer, &parameters()).unwrap();
    let mut raising = Raising::new(&signer);
    let (raised, _) = raising.raise(&container, ExtendOptions::new(TargetLevel::T));
    let report = raising.verify(&raised);
    let stamp = report.signatures[0].time_stamps().next().unwrap();
    let token = files.write("token", &stamp.octets);
    let digest = ades_evidence::token::Token::read(&stamp.octets).unwrap().imprint.unwrap();
    let (token, ca) = (token.display().to_string(), files.path("ca.pem").display().to_string());
    let time = raising.services.now.timestamp().to_string();
    openssl::run(&[
        "ts",
        "-verify",
        "-digest",
        &digest.to_hex(),
        "-in",
        &token,
        "-token_in",
        "-CAfile",
        &ca,
        "-partial_chain",
        "-attime",
        &time,
    ])
    .unwrap();
}

/// An hour after the time that the first signer claims.
fn signing_time(container: &[u8]) -> Option<DateTime<Utc>> {
    let options = ades::VerifyOptions::new();
    let mut document = ades::Document::from_bytes(container);
    let report = ades::verify(&mut document, options, ades_tests::levels::now()).ok()?;
    report.signatures.first()?.claimed_time.map(|time| time + TimeDelta::hours(1))
}

/// Containers of others: raised with their octets, or refused before a time-stamp is spent.
#[test]
fn containers_of_others_keep_their_octets_or_cost_no_time_stamp() {
    let endings = [".p7m", ".p7s", ".pkcs7", ".p7"];
    let Some(files) = everything(&["signed"], &endings) else { return };
    let signer = signer(Pki::shared(), Key::P256);
    let (mut raised, mut reasons) = (0, Vec::new());
    for (path, octets) in &files {
        let mut raising = Raising::new(&signer);
        // Nothing is known about the certificates of others.
        raising.broken = |need| !matches!(need, ades::Need::TimeStamp { .. });
        raising.services.now = signing_time(octets).unwrap_or(raising.services.now);
        let result = raising.try_raise(octets, ExtendOptions::new(TargetLevel::T));
        let (out, reached) = match result {
            Ok(raised) => raised,
            Err(why) => {
                assert_eq!(raising.services.counts[0], 0, "{path}");
                reasons.push(format!("{path}: {why}"));
                continue;
            }
        };
        if raising.written > 0 {
            raised += 1;
            assert!(reached.level >= Level::T || !reached.missing.is_empty(), "{path}");
            let before = Raising::new(&signer).verify(octets);
            let after = raising.verify(&out);
            for (before, after) in before.signatures.iter().zip(&after.signatures) {
                assert_eq!(before.intact, after.intact, "{path}");
                let new = after.time_stamps().count() - before.time_stamps().count();
                assert!(new <= 1, "{path}");
            }
        } else {
            assert_eq!(raising.services.counts[0], 0, "{path}: {reached:?}");
            reasons.push(format!("{path}: {:?} {:?}", reached.level, reached.missing));
        }
    }
    // Most have a time-stamp already.
    assert!(raised > 0 && reasons.len() > 5, "{raised} raised, not: {reasons:#?}");
}

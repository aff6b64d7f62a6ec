//! PDF documents that the facade raises, asking services step by step.

use ades::{
    Advance, Document, ExtendOptions, Extension, Level, Need, PendingState, Reached, TargetLevel,
    VerifyOptions,
};
use ades_tests::levels::{Services, now, signer};
use ades_tests::oracle::dss::Dss;
use ades_tests::pki::{Key, Pki, TestSigner, pem};
use ades_tests::signing::{parameters, sign_pades};
use chrono::TimeDelta;
use pades::SignatureOptions;
use serde_json::json;
use tempfile::TempDir;

struct Raising<'s> {
    services: Services,
    signer: &'s TestSigner,
    password: &'static str,
    /// The length of a token, if it was measured.
    token_len: Option<usize>,
    /// What cannot be had.
    broken: fn(&Need) -> bool,
    /// Whether the state is stored and restored before each step.
    is_stored: bool,
}

impl<'s> Raising<'s> {
    fn new(signer: &'s TestSigner) -> Self {
        let services = Services::new(Pki::shared(), now());
        let (password, token_len) = ("", None);
        Self { services, signer, password, token_len, broken: |_| false, is_stored: true }
    }

    fn options(&self) -> VerifyOptions<'static> {
        VerifyOptions::new().trust(&[Pki::shared().issuing().clone()]).password(self.password)
    }

    fn raise(&mut self, pdf: &[u8], level: TargetLevel) -> (Vec<u8>, Reached) {
        let options = ExtendOptions::new(level).nonce_seed([7; 32]);
        let token_len = self.token_len;
        self.raise_with(pdf, token_len.map_or(options.clone(), |len| options.token_len(len)))
    }

    fn raise_with(&mut self, pdf: &[u8], options: ExtendOptions) -> (Vec<u8>, Reached) {
        let mut current = pdf.to_vec();
        let mut extension = Extension::new(options);
        for _ in 0..32 {
            if self.is_stored {
                let stored = extension.to_json(None).unwrap();
                extension = Extension::from_json(&stored, None).unwrap();
            }
            let mut out = Vec::new();
            let mut document = Document::from_bytes(&current);
            let now = self.services.now;
            let step = extension.advance(&mut document, &mut self.options(), now, &mut out);
            drop(document);
            match step.unwrap() {
                Advance::Needs(needs) => {
                    for need in needs {
                        let known = [self.signer.leaf()];
                        let answer = match (self.broken)(&need) {
                            true => None,
                            false => self.services.answer(&need, &known),
                        };
                        match answer {
                            Some(octets) => extension.answer(&need.id(), octets, now).unwrap(),
                            None => extension.fail(&need.id(), "the service is down"),
                        }
                    }
                }
                Advance::Written => {
                    // Either the CMS has grown within its placeholder, or there is an update.
                    assert!(out.starts_with(&current) || out.len() == current.len());
                    current = out;
                    self.services.now += TimeDelta::seconds(1);
                }
                Advance::Done(reached) => return (current, reached),
                other => panic!("{other:?}"),
            }
        }
        panic!("it does not end")
    }

    fn level(&self, pdf: &[u8]) -> Level {
        let mut document = Document::from_bytes(pdf);
        let report = ades::verify(&mut document, self.options(), self.services.now).unwrap();
        assert_eq!(report.signatures[0].intact, Some(true));
        report.signatures[0].level
    }
}

fn signed(signer: &TestSigner, options: &SignatureOptions) -> Vec<u8> {
    let pdf = ades_tests::pdf::Document::default().write();
    sign_pades(&pdf, signer, &parameters(), options).unwrap()
}

const WISHES: [(TargetLevel, Level, &str); 5] = [
    (TargetLevel::T, Level::T, "PAdES-BASELINE-T"),
    (TargetLevel::Lt, Level::Lt, "PAdES-BASELINE-LT"),
    (TargetLevel::Lta, Level::Lta, "PAdES-BASELINE-LTA"),
    (TargetLevel::Lta, Level::Lta, "PAdES-BASELINE-LTA"),
    (TargetLevel::Lta, Level::Lta, "PAdES-BASELINE-LTA"),
];

#[test]
fn dss_passes_what_was_raised_and_renewed_twice() {
    let dir = TempDir::new().unwrap();
    let (file, anchor) = (dir.path().join("file.pdf"), dir.path().join("ca.pem"));
    std::fs::write(&anchor, pem(Pki::shared().issuing())).unwrap();
    for (room, is_stored) in [(None, true), (None, false), (Some(1536), true), (Some(1536), false)]
    {
        let signer = signer(Pki::shared(), Key::P256);
        let options = SignatureOptions::new();
        let options = room.map_or(options.clone(), |len| options.room_for_time_stamp(len));
        let mut current = signed(&signer, &options);
        let mut raising = Raising::new(&signer);
        raising.token_len = room;
        raising.is_stored = is_stored;
        for (wish, level, name) in WISHES {
            let (raised, reached) = raising.raise(&current, wish);
            assert_eq!(reached.missing, vec![], "{wish:?}");
            assert_eq!(reached.level, level, "{wish:?}");
            assert_eq!(raising.level(&raised), level, "{wish:?}");
            std::fs::write(&file, &raised).unwrap();
            let time = raising.services.now + TimeDelta::seconds(30);
            let time = time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            let request = json!({ "file": file, "trust": [anchor], "time": time });
            let answer = Dss::shared().try_validate_pdf(&request).unwrap();
            let verdict = &answer["signatures"][0];
            assert_eq!(verdict["level"], name, "{wish:?}: {verdict:#}");
            let in_the_cms = wish == TargetLevel::T && raised.len() == current.len();
            assert_eq!(in_the_cms, wish == TargetLevel::T && room.is_some(), "{wish:?}");
            if wish > TargetLevel::T {
                assert_eq!(verdict["indication"], "TOTAL_PASSED", "{wish:?}: {verdict:#}");
            }
            current = raised;
        }
    }
}

#[test]
fn two_signatures_of_an_encrypted_document_are_raised_by_one_document_time_stamp() {
    let signer = signer(Pki::shared(), Key::P256);
    let pdf = ades_tests::pdf::Document::default().write();
    let pdf = ades_tests::pdf::encrypted(&pdf, ades_tests::pdf::Encryption::Aes256, "secret");
    let options = SignatureOptions::new().password("secret");
    let once = sign_pades(&pdf, &signer, &parameters(), &options).unwrap();
    let twice = sign_pades(&once, &signer, &parameters(), &options).unwrap();
    let mut raising = Raising::new(&signer);
    raising.password = "secret";
    let (raised, reached) = raising.raise(&twice, TargetLevel::Lta);
    assert_eq!(reached.missing, vec![]);
    assert_eq!(reached.level, Level::Lta);
    assert!(raised.starts_with(&twice));
    assert_eq!(raising.services.counts[0], 2, "one time-stamp for T, one for LTA");
}

#[test]
fn trap_10_what_was_reached_is_written_when_a_service_fails() {
    let signer = signer(Pki::shared(), Key::P256);
    let signed = signed(&signer, &SignatureOptions::new());
    let mut raising = Raising::new(&signer);
    raising.broken = |need| !matches!(need, Need::TimeStamp { .. });
    let (stamped, reached) = raising.raise(&signed, TargetLevel::Lta);
    assert_eq!((reached.level, raising.level(&stamped)), (Level::T, Level::T));
    assert!(!reached.missing.is_empty());
    // It goes on from there.
    raising.broken = |_| false;
    let (raised, reached) = raising.raise(&stamped, TargetLevel::Lta);
    assert!(raised.starts_with(&stamped));
    assert_eq!((reached.level, reached.missing), (Level::Lta, vec![]));
}

#[test]
fn trap_09_a_token_that_is_too_long_costs_another_one_and_not_the_level() {
    let signer = signer(Pki::shared(), Key::P256);
    let signed = signed(&signer, &SignatureOptions::new());
    let mut raising = Raising::new(&signer);
    raising.token_len = Some(16);
    let (raised, reached) = raising.raise(&signed, TargetLevel::T);
    assert_eq!((reached.level, reached.missing), (Level::T, vec![]));
    assert_eq!(raising.services.counts[0], 2);
    assert!(raised.len() < signed.len() + 8192, "{}", raised.len() - signed.len());
}

/// Answers needs until there is one for the time-stamp with this number.
fn up_to_stamp<'e>(
    raising: &mut Raising<'_>,
    extension: &'e mut Extension,
    pdf: &[u8],
    number: usize,
) -> &'e mut Extension {
    loop {
        let (now, mut out) = (raising.services.now, Vec::new());
        let mut document = Document::from_bytes(pdf);
        let step = extension.advance(&mut document, &mut raising.options(), now, &mut out);
        let Advance::Needs(needs) = step.unwrap() else { panic!("no needs") };
        for need in needs {
            if matches!(need, Need::TimeStamp { .. }) && raising.services.counts[0] == number {
                return extension;
            }
            let octets = raising.services.answer(&need, &[raising.signer.leaf()]).unwrap();
            extension.answer(&need.id(), octets, now).unwrap();
        }
    }
}

#[test]
fn whoever_stops_before_the_end_gets_what_was_reached() {
    let signer = signer(Pki::shared(), Key::P256);
    let signed = signed(&signer, &SignatureOptions::new());
    let mut raising = Raising::new(&signer);
    let mut extension = Extension::new(ExtendOptions::new(TargetLevel::Lta));
    let mut written = Vec::new();
    let mut write = |extension: &mut Extension| {
        written.clear();
        let is_written =
            extension.write_reached(&mut Document::from_bytes(&signed), &mut written).unwrap();
        (is_written, written.clone())
    };
    assert_eq!(write(&mut extension), (false, Vec::new()));
    let extension = up_to_stamp(&mut raising, &mut extension, &signed, 1);
    let (is_written, reached) = write(extension);
    assert!(is_written && reached.starts_with(&signed));
    assert_eq!(raising.level(&reached), Level::Lt);
    assert!(!write(extension).0, "it was written");
    let (archived, reached) = raising.raise(&reached, TargetLevel::Lta);
    assert_eq!((reached.level, raising.level(&archived)), (Level::Lta, Level::Lta));
}

#[test]
fn a_document_that_changes_between_two_steps_is_an_error() {
    let signer = signer(Pki::shared(), Key::P256);
    let signed = signed(&signer, &SignatureOptions::new());
    let mut changed = signed.clone();
    changed[11] ^= 1;
    let mut raising = Raising::new(&signer);
    // In one process, the octets before the signature are not read again before they are copied.
    for level in [TargetLevel::Lt, TargetLevel::Lta] {
        raising.services.counts[0] = 0;
        let mut extension = Extension::new(ExtendOptions::new(level));
        let number = if level == TargetLevel::Lta { 1 } else { 0 };
        let extension = up_to_stamp(&mut raising, &mut extension, &signed, number);
        let error = loop {
            let (now, mut out) = (raising.services.now, Vec::new());
            let mut document = Document::from_bytes(&changed);
            match extension.advance(&mut document, &mut raising.options(), now, &mut out) {
                Ok(Advance::Needs(needs)) => {
                    for need in needs {
                        let octets = raising.services.answer(&need, &[signer.leaf()]).unwrap();
                        extension.answer(&need.id(), octets, now).unwrap();
                    }
                }
                Ok(other) => panic!("{other:?}"),
                Err(error) => break error,
            }
        };
        let is_changed = matches!(error, ades::Error::Pades(pades::Error::DocumentChanged));
        assert!(is_changed, "{level:?}: {error:?}");
    }
}

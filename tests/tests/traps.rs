//! Mistakes of other implementations, by the numbers of `docs/levels.md`: the table there names a
//! test for each, and those that no other file has are here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ades::{
    Document, ExtendOptions, Freshness, Indication, Level, Need, Policy, Report, SubIndication,
    TargetLevel, Verdict, VerifyOptions,
};
use ades_core::facts::EvidencePlace;
use ades_evidence::crl::Crl;
use ades_evidence::ocsp::OcspResponse;
use ades_tests::corpora::everything;
use ades_tests::evidence::{Answer, By, List, Response, TIME_STAMPING, entry, profile, reason};
use ades_tests::levels::{Raising, now, signer};
use ades_tests::pki::{Key, Pki, Profile};
use ades_tests::signing::{parameters, sign};
use cades::Packaging;
use chrono::{DateTime, TimeDelta, Utc};

const CONTENT: &[u8] = b"content\n";
/// The number of traps.
const TRAPS: usize = 28;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All Rust files below a folder.
fn sources(folder: &Path, into: &mut Vec<(PathBuf, String)>) {
    for file in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if file.is_dir() && file.file_name().unwrap() != "target" {
            sources(&file, into);
        } else if file.extension().is_some_and(|kind| kind == "rs") {
            into.push((file.clone(), std::fs::read_to_string(&file).unwrap()));
        }
    }
}

/// The names of tests, each with what is written about it: its name and the comment before it.
fn tests() -> BTreeMap<String, String> {
    let mut files = Vec::new();
    sources(&root().join("crates"), &mut files);
    sources(&root().join("tests"), &mut files);
    let mut found = BTreeMap::new();
    for (_, text) in &files {
        let mut before = String::new();
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            let name = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
            if let (true, Some(name)) = (is_test, name.and_then(|rest| rest.split('(').next())) {
                found.insert(name.to_owned(), format!("{before} {name}").to_lowercase());
            }
            match line {
                _ if line.starts_with("///") => before.push_str(line),
                "#[test]" | "#[tokio::test]" => is_test = true,
                _ if line.starts_with("#[") => {}
                _ => (before, is_test) = (String::new(), false),
            }
        }
    }
    found
}

/// Whether a text names this trap: `trap 5`, `traps 5 and 24`, `trap_05_and_24`.
fn names_trap(text: &str, number: usize) -> bool {
    let Some((_, rest)) = text.split_once("trap") else { return false };
    let numbers = rest.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut listed = numbers.take_while(|word| {
        matches!(*word, "s" | "and") || word.chars().all(|c| c.is_ascii_digit())
    });
    listed.any(|word| word.parse() == Ok(number)) || names_trap(rest, number)
}

#[test]
fn each_trap_has_a_test_that_names_it() {
    let guide = std::fs::read_to_string(root().join("docs/levels.md")).unwrap();
    let (_, table) = guide.split_once("| trap | test |").unwrap();
    let tests = tests();
    let mut covered = [false; TRAPS + 1];
    for row in table.lines().skip(2).take_while(|line| line.starts_with('|')) {
        let (trap, named) = row.trim_matches('|').split_once('|').unwrap();
        let (numbers, _) = trap.split_once(':').unwrap();
        let numbers: Vec<usize> =
            numbers.split(',').map(|number| number.trim().parse().unwrap()).collect();
        let named: Vec<&str> = named.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "{row}");
        for name in named {
            let text = tests.get(name).unwrap_or_else(|| panic!("{name} is not a test"));
            let names_one = numbers.iter().any(|number| names_trap(text, *number));
            assert!(names_one, "{name} does not name one of {numbers:?}");
        }
        numbers.into_iter().for_each(|number| covered[number] = true);
    }
    let missing: Vec<usize> = (1..=TRAPS).filter(|number| !covered[*number]).collect();
    assert!(missing.is_empty(), "without a test: {missing:?}");
}

fn container(signer: &ades_tests::pki::TestSigner) -> Vec<u8> {
    sign(CONTENT, Packaging::Enveloping, signer, &parameters()).unwrap()
}

fn judged(container: &[u8], options: VerifyOptions<'_>, time: DateTime<Utc>) -> Report {
    ades::verify(&mut Document::from_bytes(container), options, time).unwrap()
}

fn answer(report: &Report) -> (Indication, Option<SubIndication>) {
    let [only] = report.signatures.as_slice() else { panic!() };
    (only.indication(), only.judgement.conclusion.sub_indication())
}

fn with_freshness(freshness: Freshness) -> Policy {
    let mut policy = Policy::default();
    policy.freshness = freshness;
    policy
}

/// What an OCSP response of the issuer says about the P-256 signer.
fn good(this_update: &'static str, next_update: &'static str) -> Vec<u8> {
    let pki = Pki::shared();
    let mut answer = Answer::good(pki.signer(Key::P256).leaf(), pki.issuing());
    (answer.this_update, answer.next_update) = (this_update, Some(next_update));
    Response { produced_at: this_update, ..Response::new(answer) }.whole(By::Issuing(pki))
}

/// Trap 13: *good* outside its window is not *revoked*: newer data may help.
#[test]
fn trap_13_good_outside_its_window_is_try_later() {
    let pki = Pki::shared();
    let container = container(pki.signer(Key::P256));
    let trust = [pki.issuing().clone()];
    let options = |freshness| {
        let response = good("20260101000000Z", "20260108000000Z");
        VerifyOptions::new().trust(&trust).ocsp(response).policy(with_freshness(freshness))
    };
    let report = judged(&container, options(Freshness::NextUpdate), now());
    assert_eq!(answer(&report), (Indication::Indeterminate, Some(SubIndication::TryLater)));
    assert_eq!(report.signatures[0].judgement.problems[0].code, "revocation-not-recent");
    let report = judged(&container, options(Freshness::NotDemanded), now());
    assert!(report.is_passed(), "{report}");
}

/// Trap 15: whether data are recent is a question of the policy, asked about the best signature
/// time. It is not a part of the level.
#[test]
fn trap_15_freshness_is_of_the_policy_and_about_the_best_signature_time() {
    let pki = Pki::shared();
    let own = pki.signer(Key::P256);
    let mut raising = Raising::new(own);
    // The window ends between the time-stamp and the validation.
    raising.broken = |need| !matches!(need, Need::TimeStamp { .. });
    let (stamped, reached) = raising.raise(&container(own), ExtendOptions::new(TargetLevel::T));
    assert_eq!(reached.level, Level::T);
    let crl = List { this_update: "20260921000000Z", ..List::new(1, Vec::new()) };
    let trust = [pki.issuing().clone()];
    let options = |response: &[u8], freshness| {
        let options = VerifyOptions::new().trust(&trust).ocsp(response.to_vec());
        // About the authority.
        let options = options.crl(crl.signed(By::Issuing(pki)));
        options.policy(with_freshness(freshness))
    };
    let later = now() + TimeDelta::days(30);
    let (recent, stale) =
        (good("20260921120000Z", "20260922120000Z"), good("20260901000000Z", "20260902000000Z"));
    let zero = Freshness::MaxAge(TimeDelta::zero());
    let try_later = (Indication::Indeterminate, Some(SubIndication::TryLater));
    let passed = (Indication::TotalPassed, None);
    for (response, freshness, expected) in [
        (&recent, Freshness::NotDemanded, passed),
        (&recent, Freshness::NextUpdate, passed),
        (&recent, zero, try_later),
        (&stale, Freshness::NotDemanded, passed),
        (&stale, Freshness::NextUpdate, try_later),
        (&good("20260922120000Z", "20260923120000Z"), zero, passed),
    ] {
        let report = judged(&stamped, options(response, freshness), later);
        let without_list = |report: &Report| {
            report.signatures[0].time_stamps().count() == 1
                && report.signatures[0].level == Level::T
        };
        assert!(without_list(&report), "{report}");
        assert_eq!(answer(&report), expected, "{freshness:?}\n{report}");
    }
}

/// Trap 16: every answer that is not *passed* has a sub-indication and a reason.
#[test]
fn trap_16_every_answer_that_is_not_passed_says_which_one_it_is() {
    fn check(path: &str, verdict: &Verdict, seen: &mut usize) {
        let judgement = &verdict.judgement;
        let is_passed = verdict.indication() == Indication::TotalPassed;
        assert_eq!(judgement.conclusion.sub_indication().is_none(), is_passed, "{path}");
        assert_eq!(judgement.problems.is_empty(), is_passed, "{path}");
        for stamp in &judgement.time_stamps {
            let is_passed = stamp.conclusion.indication() == Indication::TotalPassed;
            assert_eq!(stamp.conclusion.sub_indication().is_none(), is_passed, "{path}");
            assert_eq!(stamp.because.is_empty(), is_passed, "{path}");
        }
        *seen += 1;
        verdict.countersignatures.iter().for_each(|inner| check(path, inner, seen));
    }
    let endings = [".pdf", ".xml", ".p7m", ".p7s"];
    let Some(files) = everything(&["signed", "validation"], &endings) else { return };
    let mut seen = 0;
    for (path, octets) in &files {
        let mut document = Document::from_bytes(octets);
        let Ok(report) = ades::verify(&mut document, VerifyOptions::new(), now()) else { continue };
        report.signatures.iter().for_each(|verdict| check(path, verdict, &mut seen));
    }
    assert!(seen > 150, "{seen} signatures");
}

/// Trap 17: time-stamping authorities have trust anchors of their own.
#[test]
fn trap_17_time_stamping_authorities_are_judged_by_their_own_anchors() {
    let (pki, other) = (Pki::shared(), Pki::new());
    let validity = ((2020, 1, 1), (2027, 1, 1));
    let own = pki.issue(&Profile { validity, ..Profile::new(Key::P256) });
    let mut raising = Raising::new(&own);
    raising.services.authority = other.issue(&profile("Other", &[TIME_STAMPING], true));
    let (stamped, _) = raising.raise(&container(&own), ExtendOptions::new(TargetLevel::T));
    // The signer has expired: without the time-stamp, nobody knows when they signed.
    let later = now() + TimeDelta::days(365);
    let list = |pki| {
        let list = List { this_update: "20260922000000Z", ..List::new(1, Vec::new()) };
        list.signed(By::Issuing(pki))
    };
    let [signers, authorities] = [pki.issuing().clone(), other.issuing().clone()];
    let options = || VerifyOptions::new().crl(list(pki)).crl(list(&other));
    let with = |trust: &[_], stamps: Option<&[_]>| {
        let options = options().trust(trust);
        let options = match stamps {
            Some(stamps) => options.time_stamping_trust(stamps),
            None => options,
        };
        judged(&stamped, options, later).is_passed()
    };
    let [signers, authorities] = [&[signers][..], &[authorities]];
    assert!(!with(signers, None), "nobody trusts the authority");
    assert!(with(signers, Some(authorities)));
    assert!(!with(authorities, Some(authorities)), "nobody trusts the signer");
    assert!(!with(signers, Some(signers)), "the anchors of signers do not count for it");
    let both = [signers, authorities].concat();
    assert!(with(&both, None));
    assert!(!with(&both, Some(signers)), "its own anchors count alone");
}

/// Trap 20: among all data that count, the newest decide, whichever come first and have run out.
#[test]
fn trap_20_the_newest_data_decide_and_not_the_first() {
    let pki = Pki::shared();
    let own = pki.signer(Key::P256);
    let container = container(own);
    let make = |this_update, next_update, is_revoked: bool| {
        let revoked = entry(own.leaf().serial_number(), "20260801000000Z", &[reason(1)]);
        let entries = if is_revoked { vec![revoked] } else { Vec::new() };
        let list = List { this_update, next_update: Some(next_update), ..List::new(1, entries) };
        list.signed(By::Issuing(pki))
    };
    let old = make("20260701000000Z", "20260708000000Z", false);
    let recent = make("20260921000000Z", "20260928000000Z", false);
    let revoked = make("20260921000000Z", "20260928000000Z", true);
    let trust = [pki.issuing().clone()];
    for (other, expected) in [
        (&recent, (Indication::TotalPassed, None)),
        (&revoked, (Indication::Indeterminate, Some(SubIndication::RevokedNoPoe))),
    ] {
        for order in [[&old, other], [other, &old]] {
            let options = order.iter().fold(VerifyOptions::new().trust(&trust), |options, list| {
                options.crl(list.to_vec())
            });
            let options = options.policy(with_freshness(Freshness::NextUpdate));
            let report = judged(&container, options, now());
            assert_eq!(answer(&report), expected, "{report}");
        }
    }
}

/// Trap 23: a time that cannot be read makes the data unusable. It is not an open end.
#[test]
fn trap_23_data_with_an_unreadable_time_say_nothing() {
    let pki = Pki::shared();
    let subject = pki.signer(Key::P256).leaf();
    for odd in ["20261301000000Z", "20260101250000Z", "2026010100000Z", "20260101000000", "x"] {
        let list = |this_update, next_update| {
            let list = List { this_update, next_update, ..List::new(1, Vec::new()) };
            Crl::read(&list.signed(By::Issuing(pki))[..], [subject]).is_ok()
        };
        assert!(list("20260101000000Z", None));
        assert!(!list(odd, None) && !list("20260101000000Z", Some(odd)), "{odd}");
        let response = |this_update, next_update, produced_at| {
            let mut answer = Answer::good(subject, pki.issuing());
            (answer.this_update, answer.next_update) = (this_update, next_update);
            let response = Response { produced_at, ..Response::new(answer) };
            OcspResponse::read(response.whole(By::Issuing(pki))).is_ok()
        };
        let good = "20260101000000Z";
        assert!(response(good, None, good));
        assert!(!response(odd, None, good), "{odd}");
        assert!(!response(good, Some(odd), good), "{odd}");
        assert!(!response(good, None, odd), "{odd}");
    }
}

/// Trap 22: what the authority needs is embedded, in the place of each format.
#[test]
fn trap_22_the_revocation_of_the_authority_is_embedded_in_every_format() {
    let own = signer(Pki::shared(), Key::P256);
    let xml = b"<?xml version=\"1.0\"?><a>b</a>";
    let pdf = ades_tests::pdf::Document::default().write();
    let options = ades::SigningOptions::new(parameters());
    for (document, place) in [
        (CONTENT, EvidencePlace::SignedData),
        (&xml[..], EvidencePlace::Values),
        (&pdf, EvidencePlace::DocumentSecurityStore),
    ] {
        let signed = match place {
            EvidencePlace::SignedData => container(&own),
            _ => {
                let mut source = Document::from_bytes(document);
                let pending = ades::prepare(&mut source, &own.chain, &options).unwrap();
                let value = own.sign(&pending.to_be_signed());
                let mut out = Vec::new();
                pending.complete(Some(&mut source), &value, &mut out).unwrap();
                out
            }
        };
        let mut raising = Raising::new(&own);
        let (raised, reached) = raising.raise(&signed, ExtendOptions::new(TargetLevel::Lt));
        assert_eq!((reached.level, reached.missing), (Level::Lt, vec![]));
        let report = raising.verify(&raised);
        let values = report.signatures[0].facts.evidence.revocation_values();
        let responses: Vec<OcspResponse> =
            values.iter().map(|one| OcspResponse::read(&*one.octets).unwrap()).collect();
        let authority = raising.services.authority.leaf();
        for about in [own.leaf(), authority] {
            let issuing = Pki::shared().issuing();
            let found = responses.iter().filter(|one| one.about(about, issuing, &[]).is_ok());
            assert_eq!(found.count(), 1, "{place:?}");
        }
        let all_there = values
            .iter()
            .all(|one| one.place == place || one.place == EvidencePlace::TimeStampValidationData);
        assert!(all_there, "{place:?}");
    }
}

/// Trap 28: nothing that judges or raises reads a clock, so no fixture dies and every time can be
/// asked about.
#[test]
fn trap_28_the_crates_without_input_and_output_read_no_clock() {
    const CRATES: [&str; 8] = [
        "ades",
        "ades-core",
        "ades-evidence",
        "ades-validation",
        "cades",
        "pades",
        "trusted-lists",
        "xades",
    ];
    const CLOCKS: [&str; 4] = ["SystemTime::now", "Utc::now", "Local::now", "Instant::now"];

    let mut files = Vec::new();
    for name in CRATES {
        sources(&root().join("crates").join(name).join("src"), &mut files);
    }
    assert!(files.len() > 300, "{} files", files.len());
    for (file, text) in &files {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for clock in CLOCKS {
            assert!(!code.clone().any(|line| line.contains(clock)), "{}: {clock}", file.display());
        }
    }
}

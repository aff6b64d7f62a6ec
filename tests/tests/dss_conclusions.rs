//! What EU DSS 6.4 and we conclude about the files of others, and about signatures of our own:
//! indication and sub-indication of each signature. `fixtures/dss/differences.tsv` lists the
//! differences with the clause that decides each; it may only shrink.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ades::formats::ades_core::facts::Evidence;
use ades::{
    Certificate, Document, Indication, Report, SignatureParameters, ValidationTime, Verdict,
    VerifyOptions,
};
use ades_tests::corpora::everything;
use ades_tests::oracle::dss::Dss;
use ades_tests::pki::{Key, Pki, pem};
use ades_tests::signing;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::json;
use tempfile::TempDir;

/// Judged files without an own time are judged at this time, so that answers stay the same.
const NOW: &str = "2026-06-01T00:00:00Z";
/// File, anchors, answers of EU DSS, our answers, clause and rule.
const DIFFERENCES: &str = include_str!("../fixtures/dss/differences.tsv");

fn now() -> DateTime<Utc> {
    NOW.parse().unwrap()
}

/// Which trust anchors both are given.
#[derive(Clone, Copy, PartialEq)]
enum Anchors {
    /// None, at [`NOW`].
    None,
    /// Every CA's certificate in the file, an hour after the latest time-stamp. Without
    /// time-stamps, an hour after the latest claimed time.
    All,
}

impl Anchors {
    const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::All => "all",
        }
    }
}

/// What both are asked about one file.
struct Question {
    anchors: Vec<Certificate>,
    time: DateTime<Utc>,
}

impl Question {
    fn new(first: &Report, anchors: Anchors) -> Self {
        if anchors == Anchors::None {
            return Self { anchors: Vec::new(), time: now() };
        }
        let evidence = first.format_report.evidence();
        let certificates = evidence.into_iter().flat_map(Evidence::distinct_certificates);
        let stamps = evidence.map(Evidence::time_stamps).unwrap_or_default();
        let stamp = stamps.iter().filter_map(|stamp| stamp.time).max();
        let claimed = first.signatures.iter().filter_map(|one| one.claimed_time).max();
        let time = stamp.or(claimed).map_or_else(now, |time| time + TimeDelta::hours(1));
        Self { anchors: certificates.filter(|one| one.is_ca()).cloned().collect(), time }
    }

    /// Our answers. `None`: the file cannot be read.
    fn ours(&self, octets: &[u8]) -> Option<Report> {
        let options = VerifyOptions::new().trust(&self.anchors);
        let options = options.time(ValidationTime::At(self.time));
        ades::verify(&mut Document::from_bytes(octets), options, now()).ok()
    }

    /// The answers of EU DSS, or its error.
    fn dss(&self, file: &Path, folder: &Path) -> Result<Vec<String>, String> {
        let trust = self.anchors.iter().enumerate().map(|(at, anchor)| {
            let path = folder.join(format!("anchor-{at}.pem"));
            fs::write(&path, pem(anchor)).unwrap();
            path
        });
        let request = json!({
            "file": file,
            "trust": trust.collect::<Vec<_>>(),
            "time": self.time.to_rfc3339_opts(SecondsFormat::Secs, true),
        });
        let signatures = Dss::shared().try_validate(&request)?;
        let answer = |signature: &serde_json::Value| {
            let [indication, sub] =
                ["indication", "sub_indication"].map(|key| signature[key].as_str().unwrap());
            if sub == "null" { indication.to_owned() } else { format!("{indication}/{sub}") }
        };
        Ok(signatures.iter().map(answer).collect())
    }
}

fn answers(verdicts: &[Verdict]) -> Vec<String> {
    let one = |verdict: &Verdict| {
        let indication = match verdict.indication() {
            Indication::TotalPassed => "TOTAL_PASSED",
            Indication::Indeterminate => "INDETERMINATE",
            Indication::TotalFailed => "TOTAL_FAILED",
        };
        let own = match verdict.judgement.conclusion.sub_indication() {
            Some(sub) => format!("{indication}/{sub}"),
            None => indication.to_owned(),
        };
        [vec![own], answers(&verdict.countersignatures)].concat()
    };
    verdicts.iter().flat_map(one).collect()
}

/// The order of signatures is not a part of the answer.
fn joined(answers: Option<Vec<String>>) -> String {
    let Some(mut answers) = answers else { return "cannot be read".to_owned() };
    answers.sort();
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    answers.into_iter().for_each(|answer| *counted.entry(answer).or_default() += 1);
    let all = counted.into_iter().map(|(answer, count)| match count {
        1 => answer,
        _ => format!("{count} {answer}"),
    });
    let all = all.collect::<Vec<_>>().join("; ");
    if all.is_empty() { "no signature".to_owned() } else { all }
}

/// Why our signatures are not passed, for whoever reads a failure of this test.
fn because(report: &Report) -> String {
    let problems = report.signatures.iter().flat_map(|one| &one.judgement.problems);
    problems.map(|why| why.text.as_str()).collect::<Vec<_>>().join("; ")
}

/// The answers of both, for people and for the table, and why ours is so.
fn compare(octets: &[u8], name: &str, anchors: Anchors, folder: &Path) -> [String; 3] {
    let ending = name.rsplit('.').next().unwrap();
    let file = folder.join(format!("file.{ending}"));
    fs::write(&file, octets).unwrap();
    let unasked = Question { anchors: Vec::new(), time: now() };
    let first = unasked.ours(octets);
    let question = first.map_or(unasked, |first| Question::new(&first, anchors));
    let report = question.ours(octets);
    let mut why = report.as_ref().map(because).unwrap_or_default();
    let ours = report.map(|report| answers(&report.signatures));
    let dss = question.dss(&file, folder);
    if let Err(error) = &dss {
        why.push_str(&format!(" ({error})"));
    }
    [joined(dss.ok()), joined(ours), why]
}

#[test]
fn conclusions_are_those_of_eu_dss_or_in_the_list() {
    let endings = [".pdf", ".xml", ".p7m", ".p7s", ".pkcs7"];
    let Some(mut files) = everything(&["signed", "pdf"], &endings) else { return };
    // Some files are in both folders.
    files.sort_by(|one, other| one.0.rsplit('/').next().cmp(&other.0.rsplit('/').next()));
    files.dedup_by(|one, other| one.1 == other.1);
    let mut listed: BTreeMap<(&str, &str), (&str, &str)> = BTreeMap::new();
    for row in DIFFERENCES.lines().skip(1) {
        let [file, anchors, dss, ours, why] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{row}")
        };
        assert!(!why.is_empty(), "{row}");
        assert!(listed.insert((file, anchors), (dss, ours)).is_none(), "twice: {row}");
    }
    let folder = TempDir::new().unwrap();
    let (mut wrong, mut equal) = (Vec::new(), 0);
    for (path, octets) in &files {
        let name = path.rsplit('/').next().unwrap();
        for anchors in [Anchors::None, Anchors::All] {
            let [dss, ours, because] = compare(octets, name, anchors, folder.path());
            let known = listed.remove(&(name, anchors.name()));
            match known {
                None if dss == ours => equal += 1,
                Some(known) if is_listed(known, &dss, &ours) && dss != ours => {}
                _ => wrong.push(format!("{name}\t{}\t{dss}\t{ours}\t{because}", anchors.name())),
            }
        }
    }
    eprintln!("{equal} answers are equal");
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(listed.is_empty(), "not asked: {listed:?}");
}

/// Whether the answers are those of a row. EU DSS may have several, with `or` between them: it
/// tries the digest algorithms of a signature in an order that changes from run to run, and fails
/// if SHAKE256 is before the one that fits.
fn is_listed((dss, ours): (&str, &str), new_dss: &str, new_ours: &str) -> bool {
    ours == new_ours && dss.split(" or ").any(|one| one == new_dss)
}

/// Our own signatures of each format: their certificates have no revocation data.
#[test]
fn conclusions_about_our_own_signatures_are_those_of_eu_dss() {
    let pki = Pki::shared();
    let signer = pki.signer(Key::P256);
    let parameters: SignatureParameters = signing::parameters();
    let pdf = ades_tests::pdf::Document::default().write();
    let xml = b"<r><e>text</e></r>";
    let made = [
        (
            "own.p7m",
            signing::sign(b"text", cades::Packaging::Enveloping, signer, &parameters).unwrap(),
        ),
        (
            "own.pdf",
            signing::sign_pades(&pdf, signer, &parameters, &pades::SignatureOptions::new())
                .unwrap(),
        ),
        ("own.xml", {
            let mut source = Document::from_bytes(xml);
            let options = xades::SignatureOptions::new();
            let pending =
                xades::prepare(&mut source, &signer.chain, &parameters, &options).unwrap();
            signing::complete_xades(&pending, Some(xml), signer).unwrap()
        }),
    ];
    let folder = TempDir::new().unwrap();
    for (name, octets) in &made {
        for (anchors, expected) in [
            (Anchors::None, "INDETERMINATE/NO_CERTIFICATE_CHAIN_FOUND"),
            (Anchors::All, "INDETERMINATE/CERTIFICATE_CHAIN_GENERAL_FAILURE"),
        ] {
            let [dss, ours, _] = compare(octets, name, anchors, folder.path());
            assert_eq!([&*dss, &*ours], [expected; 2], "{name} {}", anchors.name());
        }
    }
    // A changed octet of the signed data.
    let [(name, mut octets), ..] = made;
    let at = octets.windows(4).position(|window| window == b"text").unwrap();
    octets[at] ^= 1;
    let [dss, ours, _] = compare(&octets, name, Anchors::All, folder.path());
    assert_eq!([&*dss, &*ours], ["TOTAL_FAILED/HASH_FAILURE"; 2]);
}

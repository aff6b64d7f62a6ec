//! 117 signatures that were made for one question of EN 319 102-1 each, with the right
//! answer: that of EU DSS 6.4, or that of the clause where ours is stricter. And: without
//! the input of a building block, no signature is passed.

use std::collections::HashMap;

use ades::formats::ades_core::facts::{Covers, Evidence, Objects, SignatureFacts, TimeStampFacts};
use ades::formats::ades_core::{Certificate, Document, Level};
use ades::formats::ades_validation::{GivenData, Judge, Material, Signature};
use ades::formats::pades;
use ades::{
    Freshness, Indication, Policy, Report, Revocation, SubIndication, TrustAnchor, VerifyOptions,
};
use ades_tests::corpora::everything;
use chrono::{DateTime, TimeDelta, Utc};

/// Cases whose answer is not the known one yet, with the reason. This list may only
/// shrink.
const DIFFERENT: &[(&str, &str)] = &[];
/// Cases whose best-signature-time is another than that of EU DSS, with the reason.
const OTHER_BEST_TIME: &[(&str, &str)] = &[(
    "P14_no_revocation_WARN_policy_expired_T",
    "the policy allows that nothing is known about revocation, so the time-stamp proves its time",
)];

struct Files(HashMap<String, Vec<u8>>);

impl Files {
    fn read() -> Option<Self> {
        let endings = [".pdf", ".xml", ".p7s", ".p7m", ".crt", ".txt", ".tsv"];
        let files = everything(&["validation"], &endings)?;
        let name = |path: &str| path.rsplit('/').next().unwrap().to_owned();
        Some(Self(files.into_iter().map(|(path, octets)| (name(&path), octets)).collect()))
    }

    fn certificate(&self, name: &str) -> Certificate {
        Certificate::from_der(self.0[name].clone()).unwrap()
    }

    fn table(&self) -> Vec<Case> {
        let table = std::str::from_utf8(&self.0["known-answers.tsv"]).unwrap();
        table.lines().skip(1).map(Case::read).collect()
    }
}

struct Case {
    name: String,
    file: String,
    time: DateTime<Utc>,
    original: Option<String>,
    policy: Policy,
    anchors: Vec<(String, Option<DateTime<Utc>>)>,
    expected: String,
    best_time: Option<DateTime<Utc>>,
}

impl Case {
    fn read(line: &str) -> Self {
        let cells: Vec<&str> = line.split('\t').collect();
        let [name, file, time, original, policy, anchors, _, expected, ..] = cells.as_slice()
        else {
            panic!("{line}")
        };
        let best_time = cells.get(9).and_then(|time| time.parse().ok());
        let anchors = anchors.split(',').map(|anchor| match anchor.split_once('@') {
            Some((name, until)) => (name.to_owned(), Some(until.parse().unwrap())),
            None => (anchor.to_owned(), None),
        });
        Self {
            name: (*name).to_owned(),
            file: file.rsplit('/').next().unwrap().to_owned(),
            // Without a time, any is right: that of the table's making.
            time: time.parse().ok().or(best_time).unwrap(),
            original: (*original != "-").then(|| (*original).to_owned()),
            policy: policy_of(policy),
            anchors: anchors.collect(),
            expected: (*expected).to_owned(),
            best_time,
        }
    }

    fn judged(&self, files: &Files) -> Report {
        let mut options = VerifyOptions::new().policy(self.policy.clone());
        for (name, until) in &self.anchors {
            let anchor = TrustAnchor::new(files.certificate(name));
            options = options.anchor(match until {
                Some(until) => anchor.until(*until),
                None => anchor,
            });
        }
        if let Some(original) = &self.original {
            options = options.original(None, Document::from_bytes(&files.0[original]));
        }
        let mut document = Document::from_bytes(&files.0[&self.file]);
        ades::verify(&mut document, options, self.time).unwrap()
    }
}

/// What the policies of EU DSS demand beside its default.
fn policy_of(file: &str) -> Policy {
    let mut policy = Policy::default();
    match file {
        "-" => {}
        "coherence.xml" => policy.time_stamp_order = true,
        "fresh0s.xml" => policy.freshness = Freshness::MaxAge(TimeDelta::zero()),
        "freshnext.xml" => policy.freshness = Freshness::NextUpdate,
        "levels.xml" => policy.min_level = Some(Level::Lta),
        "norev.xml" => policy.revocation = Revocation::IfPresent,
        other => panic!("{other}"),
    }
    policy
}

/// The answer in the words of the table.
fn answer(report: &Report) -> String {
    let [only] = report.signatures.as_slice() else {
        return format!("{} signatures", report.signatures.len());
    };
    let indication = match only.indication() {
        Indication::TotalPassed => "TOTAL_PASSED",
        Indication::Indeterminate => "INDETERMINATE",
        Indication::TotalFailed => "TOTAL_FAILED",
    };
    match only.judgement.conclusion.sub_indication() {
        Some(sub) => format!("{indication}/{sub}"),
        None => indication.to_owned(),
    }
}

#[test]
fn the_known_answers_are_given() {
    let Some(files) = Files::read() else { return };
    let cases = files.table();
    assert_eq!(cases.len(), 117);
    let (mut wrong, mut times) = (Vec::new(), Vec::new());
    for case in &cases {
        let report = case.judged(&files);
        let found = answer(&report);
        let is_known = DIFFERENT.iter().any(|(name, _)| *name == case.name);
        if (found == case.expected) == is_known {
            let why: Vec<&str> = report
                .signatures
                .iter()
                .flat_map(|one| &one.judgement.problems)
                .map(|why| why.text.as_str())
                .collect();
            wrong.push(format!("{}: {found}, not {}: {why:?}", case.name, case.expected));
        }
        let best = report.signatures.first().map(|one| one.judgement.best_time);
        let is_known = OTHER_BEST_TIME.iter().any(|(name, _)| *name == case.name);
        let seconds = |time: Option<DateTime<Utc>>| time.map(|time| time.timestamp());
        if case.best_time.is_some() && (seconds(best) == seconds(case.best_time)) == is_known {
            times.push(format!("{}: {best:?}, not {:?}", case.name, case.best_time));
        }
    }
    assert!(wrong.is_empty(), "{} answers:\n{}", wrong.len(), wrong.join("\n"));
    assert!(times.is_empty(), "{} times:\n{}", times.len(), times.join("\n"));
}

/// A case with the facts of its signature, which is sound.
struct Sound<'f> {
    files: &'f Files,
    case: Case,
    facts: SignatureFacts,
}

impl<'f> Sound<'f> {
    fn of(files: &'f Files, name: &str) -> Self {
        let case = files.table().into_iter().find(|case| case.name.starts_with(name)).unwrap();
        let mut document = Document::from_bytes(&files.0[&case.file]);
        let report = pades::verify(&mut document, pades::VerifyOptions::new()).unwrap();
        let sound = Self { files, case, facts: report.signatures[0].facts.clone() };
        assert_eq!(sound.judge(&sound.facts), None, "{name}");
        sound
    }

    fn judge(&self, facts: &SignatureFacts) -> Option<SubIndication> {
        self.judge_as(facts, Some(true), true)
    }

    fn judge_as(
        &self,
        facts: &SignatureFacts,
        intact: Option<bool>,
        with_anchors: bool,
    ) -> Option<SubIndication> {
        let anchors = self.case.anchors.iter().filter(|_| with_anchors);
        let anchor = |(name, _): &(String, _)| TrustAnchor::new(self.files.certificate(name));
        let material = Material::new(&facts.evidence, &GivenData::new());
        let mut judge = Judge::new(anchors.map(anchor).collect(), self.case.time)
            .policy(self.case.policy.clone());
        let judgement = judge.judge(&Signature {
            facts,
            material: &material,
            level: Level::Lta,
            intact,
            claimed_time: None,
            findings: &[],
        });
        judgement.conclusion.sub_indication()
    }

    /// The facts, with the objects of the evidence that are kept.
    fn keep(
        &self,
        certificate: impl Fn(&Certificate) -> bool,
        value: impl Fn(usize) -> bool,
        stamp: impl Fn(&mut TimeStampFacts) -> bool,
    ) -> SignatureFacts {
        let old = &self.facts.evidence;
        let mut evidence = Evidence::new();
        let certificates = old.certificates().iter();
        for one in certificates.filter(|one| certificate(&one.certificate)) {
            evidence.add_read_certificate(&one.certificate, one.place);
        }
        let values = old.revocation_values().iter().enumerate();
        for (_, one) in values.filter(|(at, _)| value(*at)) {
            evidence.add_revocation_value(Some(one.form), &one.octets, one.place);
        }
        let mut facts = self.facts.clone();
        facts.time_stamps.clear();
        for one in self.facts.time_stamps() {
            let mut one = one.clone();
            if stamp(&mut one) {
                facts.time_stamps.extend(evidence.add_time_stamp(one));
            }
        }
        facts.evidence = evidence.into();
        facts
    }
}

#[test]
fn without_the_input_of_a_building_block_no_basic_signature_is_passed() {
    use SubIndication as Sub;

    let Some(files) = Files::read() else { return };
    let sound = Sound::of(&files, "B02");
    assert_eq!(sound.judge_as(&sound.facts, None, true), Some(Sub::SignedDataNotFound));
    assert_eq!(sound.judge_as(&sound.facts, Some(true), false), Some(Sub::NoCertificateChainFound));
    let mut nobody = sound.facts.clone();
    nobody.certificate = None;
    assert_eq!(sound.judge(&nobody), Some(Sub::NoSigningCertificateFound));
    let mut unknown = sound.facts.clone();
    unknown.signature_algorithm = None;
    assert_eq!(sound.judge(&unknown), Some(Sub::CryptoConstraintsFailureNoPoe));
    let issuers = sound.keep(|one| !one.is_ca(), |_| true, |_| true);
    assert_eq!(sound.judge(&issuers), Some(Sub::NoCertificateChainFound));
    // The CRL about the signer, and the one about its issuer.
    let count = sound.facts.evidence.revocation_values().len();
    assert_eq!(count, 2);
    for missing in 0..count {
        let facts = sound.keep(|_| true, |at| at != missing, |_| true);
        assert_eq!(sound.judge(&facts), Some(Sub::CertificateChainGeneralFailure), "{missing}");
    }
}

#[test]
fn a_time_stamp_without_its_inputs_proves_nothing() {
    use SubIndication as Sub;

    let Some(files) = Files::read() else { return };
    let sound = Sound::of(&files, "T01");
    let expired = Some(Sub::OutOfBoundsNotRevoked);
    let of = |stamp: fn(&mut TimeStampFacts) -> bool| {
        sound.judge(&sound.keep(|_| true, |_| true, stamp))
    };
    assert_eq!(of(|_| true), None);
    assert_eq!(of(|_| false), expired);
    assert_eq!(
        of(|stamp| {
            stamp.imprint = None;
            true
        }),
        expired
    );
    assert_eq!(
        of(|stamp| {
            stamp.imprint = Some(false);
            true
        }),
        expired
    );
    assert_eq!(
        of(|stamp| {
            stamp.time = None;
            true
        }),
        expired
    );
    assert_eq!(
        of(|stamp| {
            stamp.covers = Covers::default();
            true
        }),
        expired
    );
    // The signature of the token, which ends it.
    assert_eq!(
        of(|stamp| {
            let mut octets = stamp.octets.to_vec();
            *octets.last_mut().unwrap() ^= 1;
            stamp.octets = octets.into();
            true
        }),
        expired
    );
}

#[test]
fn long_term_validation_without_its_inputs_proves_nothing() {
    use SubIndication as Sub;

    let Some(files) = Files::read() else { return };
    // Two authorities have expired, one after the other; the third is valid.
    let sound = Sound::of(&files, "A04");
    let kept = sound.facts.time_stamps.len();
    assert_eq!(kept, 3);
    let mut times: Vec<_> = sound.facts.time_stamps().map(|stamp| stamp.time).collect();
    times.sort();
    for missing in [times[1], times[2]] {
        let facts = sound.keep(|_| true, |_| true, |stamp| stamp.time != missing);
        assert_eq!(sound.judge(&facts), Some(Sub::OutOfBoundsNotRevoked), "{missing:?}");
    }
    // What nothing covers is not proven to have existed.
    for (name, expected) in
        [("A17", Sub::RevocationOutOfBoundsNoPoe), ("C13", Sub::CryptoConstraintsFailureNoPoe)]
    {
        let sound = Sound::of(&files, name);
        let uncovered = |stamp: &mut TimeStampFacts| {
            stamp.covers.objects = Objects::default();
            true
        };
        let facts = sound.keep(|_| true, |_| true, uncovered);
        assert_eq!(sound.judge(&facts), Some(expected), "{name}");
    }
}

/// Every case that passes: without one kind of evidence, or without the answer of one building
/// block, it does not.
#[test]
fn no_known_case_passes_without_an_input_of_a_building_block() {
    use SubIndication as Sub;

    let Some(files) = Files::read() else { return };
    let passing = files.table().into_iter().filter(|case| {
        case.expected == "TOTAL_PASSED"
            && case.file.ends_with(".pdf")
            && case.policy.revocation == Revocation::Required
    });
    let mut asked = 0;
    for case in passing {
        let sound = Sound::of(&files, &case.name);
        let name = &sound.case.name;
        // Integrity (5.2.7), anchors (5.2.6), the signer's certificate (5.2.3).
        let undecided = sound.judge_as(&sound.facts, None, true);
        assert_eq!(undecided, Some(Sub::SignedDataNotFound), "{name}");
        let without_anchors = sound.judge_as(&sound.facts, Some(true), false);
        assert_eq!(without_anchors, Some(Sub::NoCertificateChainFound), "{name}");
        let mut nobody = sound.facts.clone();
        nobody.certificate = None;
        assert_eq!(sound.judge(&nobody), Some(Sub::NoSigningCertificateFound), "{name}");
        // Algorithms (5.2.8).
        let mut unknown = sound.facts.clone();
        unknown.signature_algorithm = None;
        assert_eq!(sound.judge(&unknown), Some(Sub::CryptoConstraintsFailureNoPoe), "{name}");
        // Revocation data (5.2.5, 5.2.6, 5.6.2.2), unless nobody ever revokes the certificate.
        let is_required = !name.starts_with('K');
        let none = sound.keep(|_| true, |_| false, |_| true);
        if is_required {
            let sub = sound.judge(&none);
            assert_eq!(sub, Some(Sub::CertificateChainGeneralFailure), "{name}");
        }
        // Time-stamps (5.4, 5.5), and what they cover (5.6.2.3), if the validation time alone
        // is not enough.
        let bare = sound.keep(|_| true, |_| true, |_| false);
        if sound.judge(&bare).is_some() {
            let uncovering = sound.keep(
                |_| true,
                |_| true,
                |stamp| {
                    stamp.covers = Covers::default();
                    true
                },
            );
            assert!(sound.judge(&uncovering).is_some(), "{name}");
            let indication = sound.judge(&bare).map(SubIndication::indication);
            assert_eq!(indication, Some(Indication::Indeterminate), "{name}");
        }
        asked += 1;
    }
    assert!(asked > 25, "{asked} cases");
}

/// Past certificate validation and time sliding (5.6.2.1, 5.6.2.2): revoked after the time-stamp,
/// whose authority has expired, and archived in time.
#[test]
fn time_does_not_slide_without_proofs_of_the_revocation_data() {
    let Some(files) = Files::read() else { return };
    let sound = Sound::of(&files, "A08");
    for missing in 0..sound.facts.evidence.revocation_values().len() {
        let facts = sound.keep(|_| true, |at| at != missing, |_| true);
        let answer = sound.judge(&facts).map(SubIndication::indication);
        // Without the data that say so, nobody knows about the revocation, and other data may
        // be enough.
        assert_ne!(answer, Some(Indication::TotalFailed), "{missing}");
    }
    let uncovered = sound.keep(
        |_| true,
        |_| true,
        |stamp| {
            stamp.covers.objects = Objects::default();
            true
        },
    );
    assert_eq!(sound.judge(&uncovered), Some(SubIndication::RevokedNoPoe));
}

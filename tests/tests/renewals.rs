//! Signatures at level B-LTA that are renewed twice and judged at times long after the certificates
//! of the signer, the time-stamping authorities and the responders have expired; EU DSS is asked at
//! the same times. The traps have the numbers of `docs/levels.md`.

use ades::{
    DigestAlgorithm, Document, ExtendOptions, Format, Indication, Level, Need, Report,
    SubIndication, TargetLevel,
};
use ades_core::Certificate;
use ades_tests::levels::{Raising, Responder, addresses, with_root_list};
use ades_tests::oracle::dss::Dss;
use ades_tests::pki::{Key, Pki, Profile, TestSigner, pem};
use ades_tests::signing::{complete_xades, parameters, sign, sign_pades};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;
use tempfile::TempDir;

const CONTENT: &[u8] = b"content to be kept for decades\n";
const XML: &[u8] = b"<?xml version=\"1.0\"?>\n<contract><clause>to be kept</clause></contract>\n";
const FORMATS: [Format; 3] = [Format::Cades, Format::Xades, Format::Pades];

fn at(day: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(&format!("{day}T12:00:00Z")).unwrap().to_utc()
}

fn signed(format: Format, signer: &TestSigner) -> Vec<u8> {
    match format {
        Format::Cades => {
            sign(CONTENT, cades::Packaging::Enveloping, signer, &parameters()).unwrap()
        }
        Format::Xades => {
            let options = xades::SignatureOptions::new();
            let mut source = Document::from_bytes(XML);
            let pending =
                xades::prepare(&mut source, &signer.chain, &parameters(), &options).unwrap();
            complete_xades(&pending, Some(XML), signer).unwrap()
        }
        Format::Pades => {
            let pdf = ades_tests::pdf::Document::default().write();
            sign_pades(&pdf, signer, &parameters(), &pades::SignatureOptions::new()).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

/// Who is trusted, and who says that nobody was revoked.
#[derive(Clone, Copy, Debug)]
enum Setting {
    /// The issuing CA is the anchor, and responds itself.
    Issuing,
    /// The root is the anchor, and publishes a CRL about the issuing CA. The responders' own
    /// certificates are in their responses only, and expire.
    Root,
}

impl Setting {
    fn pki(self) -> &'static Pki {
        match self {
            Self::Issuing => Pki::shared(),
            Self::Root => with_root_list(),
        }
    }

    fn anchor(self) -> &'static Certificate {
        match self {
            Self::Issuing => self.pki().issuing(),
            Self::Root => self.pki().root(),
        }
    }

    /// A signer whose certificate ends at the start of 2028.
    fn signer(self) -> TestSigner {
        self.pki().issue(&Profile {
            validity: ((2020, 1, 1), (2028, 1, 1)),
            extensions: addresses(),
            ..Profile::new(Key::P256)
        })
    }

    /// Services until the start of 2030.
    fn raising(self, signer: &TestSigner) -> Raising<'_> {
        let mut raising = Raising::with(self.pki(), self.anchor(), signer);
        raising.services.replace(((2020, 1, 1), (2030, 1, 1)));
        raising.services.by = match self {
            Self::Issuing => Responder::Issuing,
            Self::Root => Responder::NoCheck,
        };
        raising
    }
}

/// Renews with the services that are valid between two days, and then embeds the data about the new
/// authority, so that it can be judged without a network.
fn renewed(
    raising: &mut Raising<'_>,
    container: &[u8],
    day: &str,
    validity: ades_tests::levels::Validity,
) -> Vec<u8> {
    raising.services.now = at(day);
    raising.services.replace(validity);
    let options = ExtendOptions::new(TargetLevel::Lta).digest(DigestAlgorithm::Sha512);
    let (renewed, reached) = raising.raise(container, options);
    assert_eq!((reached.level, &reached.missing), (Level::Lta, &vec![]), "{day} {reached:?}");
    with_newest_data(raising, &renewed)
}

fn with_newest_data(raising: &mut Raising<'_>, container: &[u8]) -> Vec<u8> {
    let (complete, reached) = raising.raise(container, ExtendOptions::new(TargetLevel::Lt));
    assert_eq!((reached.level, reached.missing), (Level::Lta, vec![]));
    complete
}

fn answer(report: &Report) -> (Indication, Option<SubIndication>) {
    let [only] = report.signatures.as_slice() else { panic!() };
    (only.indication(), only.judgement.conclusion.sub_indication())
}

/// EU DSS with the same anchor at the same time.
fn dss_passes(dir: &TempDir, container: &[u8], anchor: &Certificate, time: DateTime<Utc>) -> bool {
    let (file, trust) = (dir.path().join("container"), dir.path().join("anchor.pem"));
    std::fs::write(&file, container).unwrap();
    std::fs::write(&trust, pem(anchor)).unwrap();
    let time = time.to_rfc3339_opts(SecondsFormat::Secs, true);
    let request = json!({ "file": file, "trust": [trust], "time": time });
    let answer = Dss::shared().try_validate_pdf(&request).unwrap();
    let verdict = &answer["signatures"][0];
    assert!(verdict["level"].as_str().unwrap().ends_with("BASELINE-LTA"), "{verdict:#}");
    match verdict["indication"].as_str().unwrap() {
        "TOTAL_PASSED" => true,
        "INDETERMINATE" => false,
        other => panic!("{other}: {verdict:#}"),
    }
}

/// Trap 18: a time-stamp whose authority has expired is judged at a later proof of existence, never
/// at its own time. Trap 28: every judgement takes its time as an argument.
fn outlives_everybody(format: Format) {
    let dir = TempDir::new().unwrap();
    for setting in [Setting::Issuing, Setting::Root] {
        let signer = setting.signer();
        let mut raising = setting.raising(&signer);
        let container = signed(format, &signer);
        let (archived, reached) = raising.raise(&container, ExtendOptions::new(TargetLevel::Lta));
        assert_eq!((reached.level, &reached.missing), (Level::Lta, &vec![]), "{reached:?}");
        let once = renewed(&mut raising, &archived, "2029-06-01", ((2027, 1, 1), (2038, 1, 1)));
        let twice = renewed(&mut raising, &once, "2037-06-01", ((2035, 1, 1), (2048, 1, 1)));
        let first = raising.verify_at(&archived, at("2027-01-01"));
        let best = first.signatures[0].judgement.best_time;
        for (container, name, day, passes) in [
            (&archived, "archived", "2027-01-01", true),
            // The signer has expired, the authority has not.
            (&archived, "archived", "2029-01-01", true),
            (&archived, "archived", "2030-06-01", false),
            // The first authority has expired, and the second has not.
            (&once, "once", "2030-06-01", true),
            (&once, "once", "2037-12-01", true),
            (&once, "once", "2038-06-01", false),
            (&twice, "twice", "2038-06-01", true),
            (&twice, "twice", "2047-12-01", true),
            (&twice, "twice", "2048-06-01", false),
        ] {
            let what = format!("{format:?} {setting:?} {name} {day}");
            let report = raising.verify_at(container, at(day));
            let is_passed = answer(&report).0 == Indication::TotalPassed;
            assert_eq!(is_passed, passes, "{what}\n{report}");
            assert_eq!(dss_passes(&dir, container, setting.anchor(), at(day)), passes, "{what}");
            let judgement = &report.signatures[0].judgement;
            if passes {
                assert_eq!(judgement.best_time, best, "{what}");
            } else {
                let sub = judgement.conclusion.sub_indication().unwrap();
                let expected =
                    [SubIndication::OutOfBoundsNotRevoked, SubIndication::OutOfBoundsNoPoe];
                assert!(expected.contains(&sub), "{what}\n{report}");
            }
        }
        // Which time-stamps count because a younger one proves that they were good.
        let report = raising.verify_at(&twice, at("2038-06-01"));
        let by_younger: Vec<bool> =
            report.signatures[0].judgement.time_stamps.iter().map(|one| one.by_younger).collect();
        assert_eq!(by_younger, [true, true, true, false], "{format:?} {setting:?}\n{report}");
    }
}

#[test]
fn trap_18_and_28_a_cms_container_outlives_everybody_by_two_renewals() {
    outlives_everybody(Format::Cades);
}

#[test]
fn trap_18_and_28_an_xml_document_outlives_everybody_by_two_renewals() {
    outlives_everybody(Format::Xades);
}

#[test]
fn trap_18_and_28_a_pdf_outlives_everybody_by_two_renewals() {
    outlives_everybody(Format::Pades);
}

/// A renewal that did not get newer data about the authority before it proves of old data only that
/// they existed: whether the authority was revoked before the renewal is not known (5.6.2.2.4).
#[test]
fn a_renewal_over_stale_data_proves_nothing_once_the_authority_has_expired() {
    for format in FORMATS {
        let signer = Setting::Issuing.signer();
        let mut raising = Setting::Issuing.raising(&signer);
        let container = signed(format, &signer);
        let (archived, _) = raising.raise(&container, ExtendOptions::new(TargetLevel::Lta));
        raising.broken = |need| !matches!(need, Need::TimeStamp { .. });
        raising.services.now = at("2029-06-01");
        raising.services.replace(((2027, 1, 1), (2038, 1, 1)));
        let (stale, reached) = raising.raise(&archived, ExtendOptions::new(TargetLevel::Lta));
        // A remark, and not a refusal: trap 25.
        assert_eq!((reached.level, reached.missing), (Level::Lta, vec![]), "{format:?}");
        let codes: Vec<&str> = reached.remarks.iter().map(|one| one.code.as_str()).collect();
        // The updates of a PDF get one time here: data of the second of a time-stamp are not older.
        let expected = match format {
            Format::Pades => "revocation-not-recent",
            _ => "revocation-stale",
        };
        assert!(codes.contains(&expected), "{format:?} {codes:?}");
        raising.broken = |_| false;
        let stale = with_newest_data(&mut raising, &stale);
        assert!(raising.verify_at(&stale, at("2029-12-01")).is_passed(), "{format:?}");
        let report = raising.verify_at(&stale, at("2030-06-01"));
        let expected = (Indication::Indeterminate, Some(SubIndication::OutOfBoundsNotRevoked));
        assert_eq!(answer(&report), expected, "{format:?}\n{report}");
    }
}

/// From B-LT to B-LTA after the data are no longer recent: newer ones about the authorities are
/// embedded first, or the archive time-stamp could not help once the authority has expired.
#[test]
fn data_that_are_no_longer_recent_are_replaced_before_the_archive_time_stamp() {
    for format in FORMATS {
        let signer = Setting::Issuing.signer();
        let mut raising = Setting::Issuing.raising(&signer);
        let container = signed(format, &signer);
        let (long_term, _) = raising.raise(&container, ExtendOptions::new(TargetLevel::Lt));
        // Level B-LT needs no newer data.
        raising.services.now = at("2027-06-01");
        let counts = raising.services.counts;
        let (same, _) = raising.raise(&long_term, ExtendOptions::new(TargetLevel::Lt));
        assert_eq!((same == long_term, raising.services.counts), (true, counts), "{format:?}");

        raising.services.replace(((2027, 1, 1), (2038, 1, 1)));
        let (archived, reached) = raising.raise(&long_term, ExtendOptions::new(TargetLevel::Lta));
        assert_eq!((reached.level, reached.missing), (Level::Lta, vec![]), "{format:?}");
        let asked = raising.services.counts[1] - counts[1];
        assert_eq!(asked, 1, "{format:?}: about the authority, and not about the signer");
        let complete = with_newest_data(&mut raising, &archived);
        let report = raising.verify_at(&complete, at("2031-01-01"));
        assert!(report.is_passed(), "{format:?}\n{report}");
    }
}

/// Trap 12: the certificate of the responder ends today. Its response in the signature counts when it
/// is proven to be older.
#[test]
fn trap_12_a_responder_that_has_expired_is_judged_at_its_proof_of_existence() {
    for format in FORMATS {
        let signer = Setting::Issuing.signer();
        let mut raising = Setting::Issuing.raising(&signer);
        // The authority ends later.
        raising.services.replace(((2020, 1, 1), (2027, 1, 1)));
        raising.services.authority = raising.services.new_authority(((2020, 1, 1), (2030, 1, 1)));
        raising.services.by = Responder::NoCheck;
        let container = signed(format, &signer);
        let raise = |raising: &mut Raising<'_>, level| {
            let (raised, reached) = raising.raise(&container, ExtendOptions::new(level));
            assert_eq!(reached.missing, vec![], "{format:?}");
            raised
        };
        let long_term = raise(&mut raising, TargetLevel::Lt);
        let archived = raise(&mut raising, TargetLevel::Lta);
        for (container, day, expected) in [
            (&long_term, "2026-12-01", None),
            (&archived, "2026-12-01", None),
            (&long_term, "2027-06-01", Some(SubIndication::RevocationOutOfBoundsNoPoe)),
            // The time-stamps are not passed either: the same responder speaks of their authority.
            (&archived, "2027-06-01", Some(SubIndication::RevocationOutOfBoundsNoPoe)),
        ] {
            let report = raising.verify_at(container, at(day));
            assert_eq!(answer(&report).1, expected, "{format:?} {day}\n{report}");
        }
        // Newer data about the authority of the newest time-stamp, by a responder that lives.
        raising.services.now = at("2027-06-01");
        let authority = raising.services.authority.leaf().clone();
        raising.services.replace(((2027, 1, 1), (2038, 1, 1)));
        raising.services.known.push(authority);
        let alive = with_newest_data(&mut raising, &archived);
        let report = raising.verify_at(&alive, at("2027-06-02"));
        assert!(report.is_passed(), "{format:?}\n{report}");
    }
}

//! Signatures with a certificate of certomancer, raised and renewed with its time-stamps, OCSP
//! responses and CRLs at times that the test chooses.

use ades::{
    Certificate, DigestAlgorithm, Document, ExtendOptions, Format, Indication, Level, Packaging,
    SigningOptions, TargetLevel,
};
use ades_core::chain::anchors_from_pem;
use ades_tests::levels::Raising;
use ades_tests::oracle::certomancer::{Certomancer, Stamping};
use ades_tests::signing::parameters;
use chrono::{DateTime, TimeDelta, Utc};
use pkcs12_signer::Pkcs12Signer;

use crate::{CONTENT, Court, XML, assert_level};

fn at(day: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(&format!("{day}T12:00:00Z")).unwrap().to_utc()
}

fn anchor() -> Certificate {
    let pem = std::fs::read_to_string(Certomancer::shared().root()).unwrap();
    anchors_from_pem(&pem).unwrap().remove(0)
}

fn signed(format: Format) -> Vec<u8> {
    let file = std::fs::read(Certomancer::shared().signer()).unwrap();
    let signer = Pkcs12Signer::from_bytes(&file, Certomancer::PASSWORD).unwrap();
    let options = SigningOptions::new(parameters());
    let pdf = ades_tests::pdf::Document::default().write();
    let (document, options) = match format {
        Format::Cades => (CONTENT, options.packaging(Packaging::Enveloping)),
        Format::Xades => (XML, options),
        _ => (&pdf[..], options),
    };
    let (mut source, mut out) = (Document::from_bytes(document), Vec::new());
    ades::sign(&mut source, &signer, &options, &mut out).unwrap();
    out
}

/// Renews with another service, and embeds what that one needs.
fn renewed(raising: &mut Raising<'_>, container: &[u8], by: Stamping, day: &str) -> Vec<u8> {
    raising.services.now = at(day);
    raising.certomancer = Some(by);
    let options = ExtendOptions::new(TargetLevel::Lta).digest(DigestAlgorithm::Sha512);
    let (renewed, reached) = raising.raise(container, options);
    assert_eq!((reached.level, reached.missing), (Level::Lta, vec![]), "{by:?}");
    raising.services.now += TimeDelta::minutes(1);
    let (complete, reached) = raising.raise(&renewed, ExtendOptions::new(TargetLevel::Lt));
    assert_eq!((reached.level, reached.missing), (Level::Lta, vec![]), "{by:?}");
    complete
}

fn outlives_those_of_certomancer(format: Format) {
    let anchor = anchor();
    let court = Court::new(&[&anchor]);
    let mut raising = Raising::by_certomancer(&anchor);
    let mut current = signed(format);
    for (wish, name) in [(TargetLevel::T, "T"), (TargetLevel::Lt, "LT"), (TargetLevel::Lta, "LTA")]
    {
        raising.services.now += TimeDelta::minutes(1);
        let (raised, reached) = raising.raise(&current, ExtendOptions::new(wish));
        assert_eq!((reached.level, reached.missing), (wish.level(), vec![]), "{format:?} {wish:?}");
        let time = raising.services.now + TimeDelta::seconds(30);
        assert_level(&court.verdicts(&raised, None, time)[0], name, &format!("{format:?}"));
        current = raised;
    }
    let archived = current;
    let once = renewed(&mut raising, &archived, Stamping::Second, "2029-06-01");
    let twice = renewed(&mut raising, &once, Stamping::Third, "2039-06-01");
    for (container, name, day, passes) in [
        (&archived, "archived", "2026-10-01", true),
        // The signer has expired, the first service has not.
        (&archived, "archived", "2029-06-01", true),
        (&archived, "archived", "2031-01-01", false),
        // The first service has expired, the second has not.
        (&once, "once", "2031-01-01", true),
        (&once, "once", "2041-01-01", false),
        (&twice, "twice", "2041-01-01", true),
        (&twice, "twice", "2054-01-01", true),
        (&twice, "twice", "2056-01-01", false),
    ] {
        let what = format!("{format:?} {name} {day}");
        let report = raising.verify_at(container, at(day));
        let [only] = &report.signatures[..] else { panic!("{what}") };
        assert_eq!(only.level, Level::Lta, "{what}");
        let expected = if passes { Indication::TotalPassed } else { Indication::Indeterminate };
        assert_eq!(only.indication(), expected, "{what}\n{report}");
        let verdict = court.verdicts(container, None, at(day)).remove(0);
        let expected = if passes { "TOTAL_PASSED" } else { "INDETERMINATE" };
        assert_eq!(verdict["indication"], expected, "{what}: {verdict:#}");
    }
}

#[test]
fn a_cms_container_outlives_those_of_certomancer() {
    outlives_those_of_certomancer(Format::Cades);
}

#[test]
fn an_xml_document_outlives_those_of_certomancer() {
    outlives_those_of_certomancer(Format::Xades);
}

#[test]
fn a_pdf_outlives_those_of_certomancer() {
    outlives_those_of_certomancer(Format::Pades);
}

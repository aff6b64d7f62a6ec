//! Each answer about a signature, and its reason.

use ades::formats::ades_core::base64;
use ades::{
    Certificate, Document, Error, Indication, NextStep, Packaging, Report, SubIndication,
    ValidationTime, VerifyOptions,
};
use chrono::{DateTime, Utc};

use crate::pki::{BINARY, Signer, now, options};

/// An enveloping CAdES container of [`BINARY`].
fn container(signer: &Signer, packaging: Packaging) -> Vec<u8> {
    let mut signed = Vec::new();
    let mut document = Document::from_bytes(BINARY);
    let options = options().packaging(packaging);
    ades::sign(&mut document, &signer.remote, &options, &mut signed).unwrap();
    signed
}

fn judged(signed: &[u8], options: VerifyOptions<'_>, now: DateTime<Utc>) -> Report {
    ades::verify(&mut Document::from_bytes(signed), options, now).unwrap()
}

/// The answer, the sub-indication, and whether the only signature is intact.
fn answer(report: &Report) -> (Indication, Option<SubIndication>, Option<bool>) {
    let [only] = report.signatures.as_slice() else { panic!("{report}") };
    (report.conclusion(), only.judgement.conclusion.sub_indication(), only.intact)
}

fn trusting(anchors: &[Certificate]) -> VerifyOptions<'_> {
    VerifyOptions::new().trust(anchors).without_revocation()
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

#[test]
fn each_missing_input_has_its_own_answer() {
    use Indication::{Indeterminate, TotalFailed, TotalPassed};
    use SubIndication as Sub;

    let (signer, stranger) = (Signer::new(), Signer::new());
    let anchors = [signer.root.clone()];
    let strangers = [stranger.root];
    let signed = container(&signer, Packaging::Enveloping);
    let claimed = ValidationTime::Claimed;
    for (options, time, expected) in [
        (trusting(&anchors), now(), (TotalPassed, None)),
        (VerifyOptions::new(), now(), (Indeterminate, Some(Sub::NoCertificateChainFound))),
        (trusting(&strangers), now(), (Indeterminate, Some(Sub::NoCertificateChainFound))),
        // Revocation is not looked at, and that was not asked for.
        (
            VerifyOptions::new().trust(&anchors),
            now(),
            (Indeterminate, Some(Sub::CertificateChainGeneralFailure)),
        ),
        // After 2050, the certificate has expired. Only the signer says that it had not.
        (trusting(&anchors), at(2_600_000_000), (Indeterminate, Some(Sub::OutOfBoundsNoPoe))),
        (trusting(&anchors).time(claimed), at(2_600_000_000), (TotalPassed, None)),
        // Before 2020, it is not valid yet.
        (trusting(&anchors), at(1_500_000_000), (TotalFailed, Some(Sub::NotYetValid))),
        // The signer claims a time to come.
        (trusting(&anchors), at(1_780_000_000), (Indeterminate, Some(Sub::SigConstraintsFailure))),
        (
            trusting(&anchors).time(claimed),
            at(1_780_000_000),
            (Indeterminate, Some(Sub::SigConstraintsFailure)),
        ),
    ] {
        let report = judged(&signed, options, time);
        let (conclusion, sub, intact) = answer(&report);
        assert_eq!(((conclusion, sub), intact), (expected, Some(true)), "{time}: {report}");
    }
}

/// The signature is of September 2026.
#[test]
fn the_newest_crl_that_counts_decides() {
    use SubIndication as Sub;

    let (signer, stranger) = (Signer::new(), Signer::new());
    let anchors = [signer.root.clone()];
    let signed = container(&signer, Packaging::Enveloping);
    let missing = Some(Sub::CertificateChainGeneralFailure);
    let (good, revoked) = (signer.crl(3, false), signer.crl(4, true));
    let mut damaged = good.clone();
    *damaged.last_mut().unwrap() ^= 1;
    for (crls, expected) in [
        (vec![], missing),
        (vec![&good], None),
        (vec![&good, &revoked], Some(Sub::RevokedNoPoe)),
        (vec![&revoked, &good], Some(Sub::RevokedNoPoe)),
        // It is newer, and not on hold any more.
        (vec![&revoked, &signer.crl(5, false)], None),
        // It did not exist yet.
        (vec![&signer.crl(12, false)], missing),
        (vec![&stranger.crl(3, false)], missing),
        (vec![&damaged], missing),
        (vec![&b"\x30\x00".to_vec()], missing),
    ] {
        let mut options = VerifyOptions::new().trust(&anchors);
        for crl in &crls {
            options = options.crl(crl.to_vec());
        }
        let report = judged(&signed, options, now());
        assert_eq!(answer(&report).1, expected, "{report}");
        let json = serde_json::to_value(&report).unwrap();
        let known = match expected {
            None => "good",
            Some(Sub::RevokedNoPoe) => "revoked",
            Some(_) => "unknown",
        };
        assert_eq!(json["signatures"][0]["revocation"], known, "{report}");
        let asks = report.next_steps().contains(&NextStep::GiveRevocationData);
        assert_eq!(asks, expected == missing, "{report}");
    }
}

#[test]
fn what_was_not_given_is_undecided_and_what_differs_is_failed() {
    let signer = Signer::new();
    let anchors = [signer.root.clone()];
    let detached = container(&signer, Packaging::Detached);
    let report = judged(&detached, trusting(&anchors), now());
    let missing = (Indication::Indeterminate, Some(SubIndication::SignedDataNotFound), None);
    assert_eq!(answer(&report), missing, "{report}");
    let other = Document::from_bytes(b"other");
    let report = judged(&detached, trusting(&anchors).original(None, other), now());
    let failed = (Indication::TotalFailed, Some(SubIndication::HashFailure), Some(false));
    assert_eq!(answer(&report), failed, "{report}");

    let mut changed = container(&signer, Packaging::Enveloping);
    if let Some(last) = changed.last_mut() {
        *last ^= 1;
    }
    let report = judged(&changed, trusting(&anchors), now());
    assert_eq!(report.conclusion(), Indication::TotalFailed, "{report}");
    let report = judged(&changed, VerifyOptions::new().integrity_only(), now());
    assert_eq!(report.integrity(), Some(false), "{report}");
}

#[test]
fn integrity_alone_passes_nobody() {
    let signer = Signer::new();
    let signed = container(&signer, Packaging::Enveloping);
    let report = judged(&signed, VerifyOptions::new().integrity_only(), now());
    assert_eq!((report.integrity(), report.is_passed()), (Some(true), false), "{report}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((&json["version"], &json["asked"]), (&2.into(), &"integrity".into()));
    assert_eq!(json["conclusion"], "indeterminate");
}

#[test]
fn containers_in_other_forms_are_read_with_a_remark() {
    let signer = Signer::new();
    let anchors = [signer.root.clone()];
    let signed = container(&signer, Packaging::Enveloping);
    let text = base64::encode(&signed);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).filter_map(|l| str::from_utf8(l).ok()).collect();
    let lines = lines.join("\r\n");
    for (octets, code) in [
        (
            format!("-----BEGIN PKCS7-----\r\n{lines}\r\n-----END PKCS7-----\r\n").into_bytes(),
            "container-in-pem",
        ),
        (lines.clone().into_bytes(), "container-in-base64"),
        (
            format!("MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime\r\n\r\n{lines}\r\n")
                .into_bytes(),
            "container-in-smime",
        ),
        ([&signed[..], b"\0\0\r\n"].concat(), "container-padded"),
    ] {
        let report = judged(&octets, trusting(&anchors), now());
        assert!(report.is_passed(), "{code}: {report}");
        let remarks = &report.signatures[0].judgement.remarks;
        assert!(remarks.iter().any(|remark| remark.code == code), "{code}: {remarks:?}");
    }
    let followed = [&signed[..], b"\0more"].concat();
    assert!(ades::verify(&mut Document::from_bytes(&followed), trusting(&anchors), now()).is_err());
}

#[test]
fn files_without_signatures_are_named() {
    for (octets, name) in [
        (&b"PK\x03\x04 and so on"[..], "ZIP"),
        (b"{\"payload\":\"x\"}", "JSON"),
        (b"0123 some text", "text"),
        (b"", "empty"),
    ] {
        let verified = ades::verify(&mut Document::from_bytes(octets), VerifyOptions::new(), now());
        let error = verified.unwrap_err();
        assert!(matches!(error, Error::NotContainer { .. }), "{error:?}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

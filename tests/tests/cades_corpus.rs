//! Containers that others made, as we read them beside what EU DSS says of each
//! (`fixtures/cades/expected.json`).

use ades_core::Document;
use ades_tests::corpora::{self, File};
use cades::report::{Level, Problem, Report};
use cades::{Error, VerifyOptions};
use serde_json::Value;

fn read(file: &File) -> Result<Report, Error> {
    cades::verify(&mut Document::from_bytes(&file.read()), VerifyOptions::new())
}

/// The verdicts that differ from EU DSS's, each with its reason.
fn differs(name: &str) -> bool {
    match name {
        // The DigestInfo in its RSA value has no NULL in its AlgorithmIdentifier.
        // BouncyCastle lets that pass; OpenSSL refuses it, and so do we.
        "cades-broken-sig-tst.p7m" => true,
        _ => false,
    }
}

/// BouncyCastle keeps the order of certificates when it writes DER. They are a
/// SET OF (RFC 5652, 10.2.3), and in these files not sorted.
fn unsorted_certificates(name: &str) -> bool {
    ["Signature-C-X-1.p7m"].contains(&name)
}

#[test]
fn the_corpus_is_judged_as_dss_judges_it() {
    let text = include_str!("../fixtures/cades/expected.json");
    let expected: serde_json::Map<String, Value> = serde_json::from_str(text).unwrap();
    assert!(expected.len() >= 16);
    let Some(corpus) = corpora::files("cades") else { return };
    assert_eq!(corpus.len(), expected.len());
    for file in &corpus {
        let (name, expected) = (file.name, &expected[file.name]);
        let report = match read(file) {
            Ok(report) => report,
            Err(error) => {
                assert_eq!(expected["cms"]["trailing"], true, "{name}: {error}");
                assert!(matches!(error, Error::TrailingOctets { offset: 2712 }), "{name}: {error}");
                continue;
            }
        };
        assert_eq!(report.version.map(Value::from).as_ref(), Some(&expected["cms"]["version"]));
        let der = expected["cms"]["der"] == true && !unsorted_certificates(name);
        assert_eq!(report.first_not_der.is_none(), der, "{name}: {:?}", report.first_not_der);
        let theirs = expected["signatures"].as_array().unwrap();
        assert_eq!(report.signatures.len(), theirs.len(), "{name}");
        for (ours, theirs) in report.signatures.iter().zip(theirs) {
            assert_eq!(
                (ours.intact == Some(true)) != (theirs["intact"] == true),
                differs(name),
                "{name}"
            );
            assert_eq!(report.certificates, theirs["certificates"], "{name}");
            let time = ours.claimed_time.map(|t| t.format("%Y-%m-%dT%H:%M:%SZ").to_string());
            assert_eq!(Value::from(time), theirs["signing_time"], "{name}");
            let policy = ours.policy.as_ref().map(|p| p.id.to_string());
            assert_eq!(Value::from(policy), theirs["policy"], "{name}");
            let baseline = theirs["level"].as_str().unwrap().starts_with("CAdES-BASELINE");
            assert!(!baseline || ours.level >= Level::B, "{name}: {:?}", ours.level);
            let detached = theirs["digests"][0]["found"] == false;
            assert_eq!(ours.problems.contains(&Problem::ContentMissing), detached, "{name}");
        }
    }
}

#[test]
fn what_we_refuse_is_named() {
    let Some(corpus) = corpora::files("cades") else { return };
    let problems = |name: &str| {
        let file = corpus.iter().find(|file| file.name == name).unwrap();
        read(file).unwrap().signatures.remove(0).problems
    };
    assert_eq!(problems("cades-broken-sig-tst.p7m"), [Problem::SignatureInvalid]);
    assert_eq!(problems("Signature-C-X-1.p7m"), [], "SHA-1 verifies; a judge finds it weak");
    assert_eq!(problems("cades-extended-epes.pkcs7"), [Problem::SigningTimeMissing]);
    assert_eq!(
        problems("cms-no-sign-cert.p7m"),
        [Problem::SignerCertificateMissing, Problem::SigningCertificateMissing]
    );
}

//! The XML report (ETSI TS 119 102-2): valid against the schema, and it says the same as the JSON.

use std::fs;

use ades::formats::ades_core::facts::Evidence;
use ades::{Document, Report, ValidationTime, VerifyOptions};
use ades_tests::corpora::everything;
use ades_tests::oracle::dss::Dss;
use chrono::{DateTime, Utc};
use serde_json::Value;
use tempfile::TempDir;

fn now() -> DateTime<Utc> {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

/// Reports about a document: without anchors, and with all its CAs at three times.
fn reports(octets: &[u8]) -> Vec<Report> {
    let judge = |options: VerifyOptions<'_>| {
        ades::verify(&mut Document::from_bytes(octets), options, now()).ok()
    };
    let Some(first) = judge(VerifyOptions::new()) else { return Vec::new() };
    let certificates = first.format_report.evidence().into_iter();
    let certificates = certificates.flat_map(Evidence::distinct_certificates);
    let anchors: Vec<_> = certificates.filter(|one| one.is_ca()).cloned().collect();
    let times = [ValidationTime::At(now()), ValidationTime::Claimed];
    let with_anchors = |time| judge(VerifyOptions::new().trust(&anchors).time(time));
    let others: Vec<Report> = times.into_iter().filter_map(with_anchors).collect();
    let integrity = judge(VerifyOptions::new().integrity_only());
    [first].into_iter().chain(others).chain(integrity).collect()
}

/// The texts of all elements with this name, in order.
fn texts<'x>(xml: &'x str, name: &str) -> Vec<&'x str> {
    let (start, end) = (format!("<{name}>"), format!("</{name}>"));
    let parts = xml.split(start.as_str()).skip(1);
    parts.map(|part| part.split(end.as_str()).next().unwrap()).collect()
}

fn signatures<'j>(signatures: &'j Value, into: &mut Vec<&'j Value>) {
    for signature in signatures.as_array().into_iter().flatten() {
        into.push(signature);
        self::signatures(&signature["countersignatures"], into);
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Compares each signature of the JSON with its part of the XML.
fn assert_same(name: &str, json: &Value, xml: &str) {
    let mut all = Vec::new();
    signatures(&json["signatures"], &mut all);
    // Reports of time-stamps are inside SignatureValidationObjects.
    let own = xml.split("<SignatureValidationObjects>").next().unwrap();
    let parts: Vec<_> = own.split("<SignatureValidationReport>").skip(1).collect();
    assert_eq!(parts.len(), all.len(), "{name}");
    for (json, part) in all.into_iter().zip(parts) {
        let (_, status) = part.rsplit_once("<SignatureValidationStatus>").unwrap();
        let main = texts(status, "MainIndication")[0];
        let indication = json["indication"].as_str().unwrap();
        assert_eq!(main, format!("urn:etsi:019102:mainindication:{indication}"), "{name}");
        let sub = texts(status, "SubIndication");
        let expected = json["sub_indication"].as_str();
        let expected = expected.map(|sub| format!("urn:etsi:019102:subindication:{sub}"));
        assert_eq!(sub.first().map(|sub| (*sub).to_owned()), expected, "{name}");
        assert_eq!(texts(part, "POETime")[0], json["best_time"], "{name}");
        let signed: Vec<_> = json["claimed_time"].as_str().into_iter().collect();
        assert_eq!(texts(part, "Time"), signed, "{name}");
        if let Some(signer) = json["signer"].as_str().filter(|_| part.contains("<Signer>")) {
            assert_eq!(texts(part, "Signer"), [escaped(signer)], "{name}");
        }
        for kind in ["problem", "remark"] {
            let prefix = format!("urn:x-ades:{kind}:");
            let types = texts(status, "Type").into_iter();
            let mut codes: Vec<&str> =
                types.filter_map(|one| one.strip_prefix(prefix.as_str())).collect();
            let mut seen = std::collections::HashSet::new();
            codes.retain(|code| seen.insert(*code));
            let key = format!("{kind}s");
            let expected: Vec<_> =
                json[&key].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
            assert_eq!(codes, expected, "{name} {kind}");
        }
        for (element, key) in [
            ("Format", "format"),
            ("Level", "level"),
            ("Covers", "covers"),
            ("Revocation", "revocation"),
        ] {
            assert_eq!(texts(part, element), [json[key].as_str().unwrap()], "{name}");
        }
        let stamps = json["timestamps"].as_array().unwrap();
        let times = stamps.iter().filter_map(|stamp| stamp["time"].as_str());
        // The JSON of the facts has fractions of seconds.
        let times: Vec<String> = times.map(|time| format!("{}Z", &time[..19])).collect();
        assert_eq!(texts(part, "TimeStampValue"), times, "{name}");
    }
}

#[test]
fn reports_are_valid_and_say_the_same_as_the_json() {
    let endings = [".pdf", ".xml", ".p7m", ".p7s", ".pkcs7"];
    let Some(files) = everything(&["signed", "validation"], &endings) else { return };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("report.xml");
    let (mut written, mut elements) = (0, 0);
    for (name, octets) in &files {
        for report in reports(octets) {
            let Some(xml) = report.to_xml() else {
                assert!(report.signatures.is_empty(), "{name}");
                continue;
            };
            assert_same(name, &serde_json::to_value(&report).unwrap(), &xml);
            fs::write(&path, &xml).unwrap();
            Dss::shared()
                .etsi_schema(&path, "report")
                .unwrap_or_else(|problems| panic!("{name}: {problems}\n{xml}"));
            // What belongs to the sub-indication (TS 119 102-2, 4.3.12).
            let status = texts(&xml, "SubIndication").join(" ");
            if status.contains("REVOKED_NO_POE") && xml.contains(":problem:certificate-revoked") {
                assert!(xml.contains("<RevocationStatusInformation>"), "{name}");
                elements += 1;
            }
            if report.signatures.iter().any(|one| !one.judgement.weak_uses.is_empty()) {
                assert!(xml.contains("<SecureAlgorithm>false<"), "{name}");
                elements += 1;
            }
            written += 1;
        }
    }
    assert!(written > 300 && elements > 20, "{written} reports, {elements}");
}

//! XML signatures of other programs: their reports (`fixtures/xades/expected.json`), and the
//! verdict of xmlsec1.

use std::path::{Path, PathBuf};

use ades_core::Document;
use ades_tests::corpora;
use ades_tests::oracle::xmlsec1;
use serde_json::{Map, Value, json};
use xades::report::{Problem, Report, SignatureReport};
use xades::{Error, VerifyOptions};

/// The signatures, with the paths of their files.
#[track_caller]
fn corpus() -> Option<Vec<(&'static str, PathBuf)>> {
    let files = corpora::files("xades")?.into_iter();
    let signatures =
        files.filter(|file| file.name.ends_with(".xml") && !file.name.ends_with("test.xml"));
    Some(signatures.map(|file| (file.name, file.path)).collect())
}

/// The folder that the URIs of a signature are relative to.
fn folder(path: &Path) -> &Path {
    let folder = path.parent().unwrap();
    if folder.ends_with("META-INF") { folder.parent().unwrap() } else { folder }
}

fn files(folder: &Path, prefix: &str) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() {
            all.extend(files(&path, &format!("{name}/")));
        } else {
            all.push((name, std::fs::read(&path).unwrap()));
        }
    }
    all
}

fn verified(name: &str, path: &Path) -> Result<Report, Error> {
    let octets = std::fs::read(path).unwrap();
    // Single files have no files beside them.
    let beside = if name.starts_with("asic/") { files(folder(path), "") } else { Vec::new() };
    let options = beside.iter().fold(VerifyOptions::new(), |options, (name, octets)| {
        options.original_named(name.clone(), Document::from_bytes(octets))
    });
    xades::verify(&mut Document::from_bytes(&octets), options)
}

fn summary(signature: &SignatureReport) -> Value {
    let countersignatures: Vec<Value> = signature.countersignatures.iter().map(summary).collect();
    json!({
        "format": signature.format,
        "level": signature.level,
        "intact": signature.intact == Some(true),
        "covers": signature.covers,
        "problems": signature.problems,
        "signing_time": signature.claimed_time,
        "algorithm": signature.signature_algorithm,
        "references": signature.references.iter().map(|r| json!([r.kind, r.intact])).collect::<Vec<_>>(),
        "unsigned_properties": signature.unsigned_properties,
        "countersignatures": countersignatures,
    })
}

fn expected() -> Map<String, Value> {
    serde_json::from_str(include_str!("../fixtures/xades/expected.json")).unwrap()
}

#[test]
fn the_corpus_has_the_expected_reports() {
    let Some(corpus) = corpus() else { return };
    let mut found = Map::new();
    for (name, path) in corpus {
        let answer = match verified(name, &path) {
            Ok(report) => Value::Array(report.signatures.iter().map(summary).collect()),
            Err(error) => json!({ "refused": error.to_string() }),
        };
        found.insert(name.to_owned(), answer);
    }
    let expected = expected();
    assert_eq!(found.len(), 24);
    for (name, found) in &found {
        assert_eq!(Some(found), expected.get(name), "{name}: {found:#}");
    }
}

/// xmlsec1 verifies only the first of several
/// signatures.
#[test]
fn xmlsec1_agrees() {
    let Some(corpus) = corpus() else { return };
    let mut agreed = 0;
    for (name, path) in corpus {
        let Ok(report) = verified(name, &path) else { continue };
        let signature = &report.signatures[0];
        let beyond =
            [Problem::UnsupportedAlgorithm, Problem::ContentMissing, Problem::ManifestMismatch];
        if beyond.iter().any(|problem| signature.problems.contains(problem)) {
            continue;
        }
        let ids = [
            "Id:SignedProperties",
            "Id:Object",
            "Id:KeyInfo",
            "Id:Manifest",
            "Id:SignatureProperties",
        ];
        let theirs = xmlsec1::holds(&path, folder(&path), &ids);
        assert_eq!(theirs.is_ok(), signature.intact == Some(true), "{name}: {theirs:?}");
        agreed += 1;
    }
    assert!(agreed >= 8, "{agreed}");
}

/// A reference without a URI is to a document that the application knows.
#[test]
fn a_reference_without_uri_uses_the_original() {
    let signed = corpora::file("xades", "simple-test.signed-only-detached-LuxTrustCA3.xml");
    let content = corpora::file("xml", "dss__37994232__simple-test.xml");
    let (Some(signed), Some(content)) = (signed, content) else { return };
    let (signed, content) = (signed.read(), content.read());
    for (content, intact) in [(content.as_slice(), true), (b"<other/>", false)] {
        let options = VerifyOptions::new().original(Document::from_bytes(content));
        let report = xades::verify(&mut Document::from_bytes(&signed), options).unwrap();
        assert_eq!(report.signatures[0].intact == Some(true), intact);
        assert!(report.signatures[0].problems.contains(&Problem::LegacyProperty));
    }
}

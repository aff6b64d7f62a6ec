//! The PDF corpus, and what the judges say of each file before we touch it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ades_core::{Digest, DigestAlgorithm};
use ades_tests::oracle::dss::Dss;
use ades_tests::oracle::pdf::{Pdfsig, mutool_check, pdfsig, qpdf_check, render};
use ades_tests::oracle::pyhanko::PyHanko;
use ades_tests::oracle::verapdf;
use serde_json::{Value, json};

const TIME: &str = "2026-09-21T14:13:20Z";

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pdf")
}

fn corpus_files() -> Vec<String> {
    let names = std::fs::read_dir(corpus()).unwrap();
    let mut names: Vec<String> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.ends_with(".md") && !name.ends_with(".json"));
    names.sort();
    names
}

#[test]
fn every_file_of_the_corpus_has_its_source_beside_it() {
    let sources = std::fs::read_to_string(corpus().join("SOURCES.md")).unwrap();
    let listed: BTreeMap<&str, &str> = sources
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> =
                line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
            (cells.len() == 8 && cells[5].len() == 64).then(|| (cells[1], cells[5]))
        })
        .collect();
    let names = corpus_files();
    assert_eq!(listed.keys().copied().collect::<Vec<_>>(), names);
    for name in &names {
        let octets = std::fs::read(corpus().join(name)).unwrap();
        let digest = Digest::of(DigestAlgorithm::Sha256, &octets).to_hex();
        assert_eq!(digest, listed[&**name], "{name}");
    }
}

/// What every judge says of a file, without trust anchors: independent of
/// today's date.
fn verdict(name: &str) -> Value {
    let path = corpus().join(name);
    let qpdf = qpdf_check(&path, None);
    let mutool = mutool_check(&path, None);
    json!({
        "qpdf": {
            "verdict": format!("{:?}", qpdf.verdict),
            "encrypted": qpdf.encrypted,
            "needs_password": qpdf.needs_password,
            "pages": qpdf.pages,
        },
        "mutool": {
            "readable": mutool.readable, "repaired": mutool.repaired, "pages": mutool.pages,
        },
        "rendered_pages": render(&path, None).len(),
        "pdfsig": from_pdfsig(&path),
        "pyhanko": from_pyhanko(&path),
        "dss": from_dss(&path),
        "verapdf": from_verapdf(&path),
    })
}

fn from_pdfsig(path: &Path) -> Value {
    let Ok(signatures) = pdfsig(path, None) else { return json!("unreadable") };
    let of = |found: &Pdfsig| {
        json!({
            "field": found.field, "subfilter": found.subfilter, "verdict": found.verdict,
            "total_document": found.total_document,
        })
    };
    signatures.iter().map(of).collect()
}

fn from_pyhanko(path: &Path) -> Value {
    let mut answer = match PyHanko::shared().try_validate(&json!({ "file": path, "time": TIME })) {
        Ok(answer) => answer,
        Err(error) => return json!({ "error": error }),
    };
    let kept = [
        "field",
        "type",
        "subfilter",
        "certification",
        "intact",
        "valid",
        "coverage",
        "modification_level",
        "docmdp_ok",
        "seed_value_ok",
        "error",
    ];
    let signatures = answer["signatures"].as_array().unwrap();
    answer["signatures"] = signatures.iter().map(|found| keep(found, &kept)).collect();
    answer
}

fn from_dss(path: &Path) -> Value {
    let request = json!({ "file": path, "time": TIME });
    let answer = match Dss::shared().try_validate_pdf(&request) {
        Ok(answer) => answer,
        Err(error) => return json!({ "error": error }),
    };
    let of = |list: &Value, kept: &[&str]| -> Value {
        let of = |found: &Value| {
            let (mut value, pdf) = (keep(found, kept), &found["pdf"]);
            value["pdf"] = keep(pdf, &["fields", "sub_filter", "byte_range_valid", "doc_mdp"]);
            // How many changes of each kind that there are.
            value["after"] = pdf["after"]
                .as_object()
                .into_iter()
                .flatten()
                .filter_map(|(kind, changes)| Some((kind.clone(), changes.as_array()?.len())))
                .filter(|(_, changes)| *changes > 0)
                .map(|(kind, changes)| (kind, json!(changes)))
                .collect();
            value
        };
        list.as_array().unwrap().iter().map(of).collect()
    };
    json!({
        "signatures": of(
            &answer["signatures"],
            &["level", "intact", "valid", "structure_valid", "signing_time"],
        ),
        "timestamps": of(&answer["timestamps"], &["type", "intact", "signature_intact"]),
    })
}

fn from_verapdf(path: &Path) -> Value {
    let verdict = match verapdf::validate(path) {
        Ok(verdict) => verdict,
        Err(error) => return json!({ "error": error }),
    };
    let failed: BTreeMap<_, _> =
        verdict.results.into_iter().map(|result| (result.profile, result.failed)).collect();
    json!({ "encrypted": verdict.encrypted, "failed_by_claim": failed })
}

fn keep(value: &Value, names: &[&str]) -> Value {
    names.iter().map(|&name| (name.to_owned(), value[name].clone())).collect()
}

/// With `UPDATE_EXPECTED` set, writes the expectations anew: look at the
/// difference before you commit it.
#[test]
fn the_judges_say_of_the_corpus_what_is_written_down() {
    let found: BTreeMap<String, Value> =
        corpus_files().into_iter().map(|name| (name.clone(), verdict(&name))).collect();
    let path = corpus().join("expected.json");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        let text = serde_json::to_string_pretty(&found).unwrap();
        std::fs::write(&path, text + "\n").unwrap();
    }
    let expected: BTreeMap<String, Value> =
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, verdict) in &found {
        assert_eq!(verdict, &expected[name], "{name}");
    }
}

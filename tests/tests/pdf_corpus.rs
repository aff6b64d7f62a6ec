//! The PDF corpus, and what the judges say of each file before we touch it.

use std::collections::BTreeMap;
use std::path::Path;

use ades_tests::corpora;
use ades_tests::oracle::dss::Dss;
use ades_tests::oracle::pdf::{Pdfsig, mutool_check, pdfsig, qpdf_check, render};
use ades_tests::oracle::pyhanko::PyHanko;
use ades_tests::oracle::verapdf;
use serde_json::{Value, json};

const TIME: &str = "2026-09-21T14:13:20Z";

/// What every judge says of a file, without trust anchors: independent of
/// today's date.
fn verdict(path: &Path) -> Value {
    let qpdf = qpdf_check(path, None);
    let mutool = mutool_check(path, None);
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
        "rendered_pages": render(path, None).len(),
        "pdfsig": from_pdfsig(path),
        "pyhanko": from_pyhanko(path),
        "dss": from_dss(path),
        "verapdf": from_verapdf(path),
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

/// With `UPDATE_EXPECTED` set, writes new expectations. Review the difference
/// before you commit it.
#[test]
fn the_judges_say_of_the_corpus_what_is_written_down() {
    let Some(corpus) = corpora::files("pdf") else { return };
    let found: BTreeMap<String, Value> =
        corpus.iter().map(|file| (file.name.to_owned(), verdict(&file.path))).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pdf/expected.json");
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

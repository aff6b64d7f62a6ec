//! The verdicts of pyHanko, EU DSS and poppler on a PDF that we signed.

use std::path::Path;

use serde_json::{Value, json};

use super::dss::Dss;
use super::pdf::pdfsig;
use super::pyhanko::PyHanko;
use crate::pki::Pki;

/// Asserts that the PDF has `count` signatures of the test PKI, all of them
/// PAdES baseline B, and that the changes after each are allowed.
///
/// # Panics
/// If one of the judges disagrees.
#[track_caller]
pub fn all_accept(pdf: &Path, count: usize) {
    let root = pdf.with_file_name("root.pem");
    std::fs::write(&root, Pki::shared().root_pem()).unwrap();
    let request = json!({ "file": pdf, "trust": [root], "time": "2026-09-21T14:13:20Z" });
    let list = |answer: Value| answer["signatures"].as_array().cloned().unwrap();
    let pyhanko = list(PyHanko::shared().try_validate(&request).unwrap());
    assert_eq!(pyhanko.len(), count);
    for signature in &pyhanko {
        assert_eq!(signature["bottom_line"], true, "{signature:#}");
    }
    let dss = list(Dss::shared().try_validate_pdf(&request).unwrap());
    assert_eq!(dss.len(), count);
    for signature in &dss {
        assert_eq!(signature["level"], "PAdES-BASELINE-B", "{signature:#}");
        let after = &signature["pdf"]["after"];
        assert_eq!(after["undefined"], json!([]), "{signature:#}");
        assert_eq!(after["annotations_overlap_on_pages"], json!([]), "{signature:#}");
    }
    let poppler = pdfsig(pdf, None).unwrap();
    assert_eq!(poppler.len(), count);
    assert!(poppler.iter().all(|signature| signature.valid), "{poppler:?}");
}

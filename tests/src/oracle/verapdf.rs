//! veraPDF, which checks PDF/A and PDF/UA: one JVM per test process.

use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Value, json};

use super::lines::Lines;

/// The verdict of veraPDF on a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The document is encrypted and was not checked further.
    pub encrypted: bool,
    /// The profiles to which the document claims to conform, such as `2b` and `ua1`.
    pub claims: Vec<String>,
    /// One result for each claimed profile, or for the requested one.
    pub results: Vec<Conformance>,
}

impl Verdict {
    /// Whether there is a result, and all results are compliant.
    #[must_use]
    pub fn keeps_its_claims(&self) -> bool {
        !self.results.is_empty() && self.results.iter().all(|result| result.compliant)
    }
}

/// Conformance to one profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conformance {
    /// The profile, such as `2b` or `ua1`.
    pub profile: String,
    /// No test failed.
    pub compliant: bool,
    /// Clause and number of each test that failed, such as `6.1.4-3`.
    pub failed: Vec<String>,
}

/// Checks the profiles that the document claims. An error if veraPDF cannot read
/// it.
pub fn validate(pdf: &Path) -> Result<Verdict, String> {
    ask(&json!({ "file": pdf }))
}

/// Checks one profile, regardless of what the document claims.
pub fn validate_as(pdf: &Path, profile: &str) -> Result<Verdict, String> {
    ask(&json!({ "file": pdf, "profile": profile }))
}

fn ask(request: &Value) -> Result<Verdict, String> {
    static SHARED: OnceLock<Lines> = OnceLock::new();
    let judge = SHARED.get_or_init(|| Lines::java("veraPDF", "verapdf", "oracle.VeraPdf"));
    let answer = judge.try_ask(&json!({ "validate": request }))?;
    let results = answer["results"].as_array().unwrap();
    Ok(Verdict {
        encrypted: answer["encrypted"] == true,
        claims: answer["claims"].as_array().unwrap().iter().map(string).collect(),
        results: results
            .iter()
            .map(|result| Conformance {
                profile: string(&result["profile"]),
                compliant: result["compliant"] == true,
                failed: result["failed"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|rule| string(&rule["rule"]))
                    .collect(),
            })
            .collect(),
    })
}

fn string(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

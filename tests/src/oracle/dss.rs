//! EU DSS, in one JVM per test process.

use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Value, json};

use super::lines::Lines;

/// A running judge.
#[derive(Debug)]
pub struct Dss(Lines);

impl Dss {
    /// The judge of this process.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Dss> = OnceLock::new();
        SHARED.get_or_init(|| Self(Lines::java("EU DSS", "dss", "oracle.Oracle")))
    }

    /// What the judge is: versions of `dss`, `bouncycastle` and `java`.
    #[must_use]
    pub fn ping(&self) -> Value {
        self.0.ask(&json!({ "ping": {} }))
    }

    /// DSS's verdict: one object for each signature, countersignatures too.
    #[must_use]
    pub fn validate(&self, container: &Path, original: Option<&Path>, root: &Path) -> Vec<Value> {
        let more = json!({ "file": container, "original": original, "trust": [root] });
        self.try_validate(&more).unwrap_or_else(|error| panic!("EU DSS failed: {error}"))
    }

    /// The same for any `file`, with `original`, `trust` and `time` as wanted;
    /// an error if DSS cannot read the file.
    pub fn try_validate(&self, more: &Value) -> Result<Vec<Value>, String> {
        let answer = self.0.try_ask(&json!({ "validate": more }))?;
        Ok(answer["signatures"].as_array().cloned().unwrap())
    }

    /// DSS's verdict of a PDF: one object for each signature, with what its
    /// dictionary says, its byte range and the later changes in `pdf`.
    #[must_use]
    pub fn validate_pdf(&self, pdf: &Path, root: &Path) -> Vec<Value> {
        let answer = self.try_validate_pdf(&json!({ "file": pdf, "trust": [root] }));
        let answer = answer.unwrap_or_else(|error| panic!("EU DSS failed: {error}"));
        answer["signatures"].as_array().cloned().unwrap()
    }

    /// The same for any `file`, with `trust`, `time` and `password` as wanted:
    /// `signatures` and `timestamps` (see `Judge.java`); an error if DSS cannot
    /// read the file.
    pub fn try_validate_pdf(&self, more: &Value) -> Result<Value, String> {
        self.0.try_ask(&json!({ "validate": more }))
    }

    /// What BouncyCastle, below DSS, reads in a container (see
    /// `StrictCms.java`); an error if it cannot.
    pub fn parse_cms(&self, container: &Path, original: Option<&Path>) -> Result<Value, String> {
        self.0.try_ask(&json!({ "parse_cms": { "file": container, "original": original } }))
    }

    /// Has DSS sign; `more` says how (see `Signer.java`).
    pub fn sign(&self, more: &Value) {
        self.0.ask(&json!({ "sign": more }));
    }

    /// Has DSS sign a PDF; `more` says how (see `PdfSigner.java`). An error if
    /// it refuses.
    pub fn sign_pdf(&self, more: &Value) -> Result<(), String> {
        self.0.try_ask(&json!({ "sign_pdf": more })).map(|_| ())
    }
}

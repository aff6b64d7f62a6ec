//! EU DSS, which verifies and makes signatures: one JVM per test process.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use ades_core::base64;
use serde_json::{Value, json};

use super::libxml2::Question;
use super::lines::Lines;

/// The running judge.
#[derive(Debug)]
pub struct Dss(Lines);

impl Dss {
    /// The judge that all tests of this process share.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Dss> = OnceLock::new();
        SHARED.get_or_init(|| Self(Lines::java("EU DSS", "dss", "oracle.Oracle")))
    }

    /// Returns the versions of `dss`, `bouncycastle` and `java`.
    #[must_use]
    pub fn ping(&self) -> Value {
        self.0.ask(&json!({ "ping": {} }))
    }

    /// Returns the verdict of DSS: one object for each signature and
    /// countersignature.
    #[must_use]
    pub fn validate(&self, container: &Path, original: Option<&Path>, root: &Path) -> Vec<Value> {
        let more = json!({ "file": container, "original": original, "trust": [root] });
        self.try_validate(&more).unwrap_or_else(|error| panic!("EU DSS failed: {error}"))
    }

    /// As [`validate`](Self::validate), for a request with `file` and optionally
    /// `original`, `trust` and `time`. An error if DSS cannot read the file.
    pub fn try_validate(&self, more: &Value) -> Result<Vec<Value>, String> {
        let answer = self.0.try_ask(&json!({ "validate": more }))?;
        Ok(answer["signatures"].as_array().cloned().unwrap())
    }

    /// Returns the verdict of DSS on a PDF: one object for each signature, whose
    /// member `pdf` has the dictionary, the byte range and the later changes.
    #[must_use]
    pub fn validate_pdf(&self, pdf: &Path, root: &Path) -> Vec<Value> {
        let answer = self.try_validate_pdf(&json!({ "file": pdf, "trust": [root] }));
        let answer = answer.unwrap_or_else(|error| panic!("EU DSS failed: {error}"));
        answer["signatures"].as_array().cloned().unwrap()
    }

    /// As [`validate_pdf`](Self::validate_pdf), for a request with `file` and
    /// optionally `trust`, `time` and `password`. The answer has `signatures` and
    /// `timestamps` (see `Judge.java`). An error if DSS cannot read the file.
    pub fn try_validate_pdf(&self, more: &Value) -> Result<Value, String> {
        self.0.try_ask(&json!({ "validate": more }))
    }

    /// Returns what BouncyCastle, which DSS uses, reads in a container (see
    /// `StrictCms.java`). An error if it cannot read it.
    pub fn parse_cms(&self, container: &Path, original: Option<&Path>) -> Result<Value, String> {
        self.0.try_ask(&json!({ "parse_cms": { "file": container, "original": original } }))
    }

    /// Lets DSS sign as `more` describes (see `Signer.java`).
    pub fn sign(&self, more: &Value) {
        self.0.ask(&json!({ "sign": more }));
    }

    /// Lets DSS sign a PDF as `more` describes (see `PdfSigner.java`). An error if
    /// it rejects the request.
    pub fn sign_pdf(&self, more: &Value) -> Result<(), String> {
        self.0.try_ask(&json!({ "sign_pdf": more })).map(|_| ())
    }

    /// Lets DSS make a XAdES signature as `more` describes (see `XmlSigner.java`).
    /// An error if it rejects the request.
    pub fn sign_xml(&self, more: &Value) -> Result<(), String> {
        self.0.try_ask(&json!({ "sign_xml": more })).map(|_| ())
    }

    /// Lets DSS raise signatures as `more` describes (see `Raiser.java`). Returns the time from
    /// file to file, without that of the time-stamping service. An error if it rejects the
    /// request.
    pub fn raise(&self, more: &Value) -> Result<Duration, String> {
        let answer = self.0.try_ask(&json!({ "raise": more }))?;
        Ok(Duration::from_nanos(answer["nanoseconds"].as_u64().unwrap()))
    }

    /// Returns the canonical form by Apache Santuario, which DSS uses. An error if it
    /// rejects the document.
    pub fn canonicalise(&self, question: &Question, document: &[u8]) -> Result<Vec<u8>, String> {
        let prefixes = (!question.prefixes.is_empty()).then(|| question.prefixes.join(" "));
        let answer = self.0.try_ask(&json!({ "canonicalise": {
            "document": base64::encode(document),
            "method": question.uri(),
            "prefixes": prefixes,
            "id": question.id,
            "node_set": question.node_set,
        }}))?;
        let form = answer["form"].as_str().unwrap();
        Ok(base64::decode(form).expect("Santuario's judge answers in base64"))
    }

    /// Checks a whole document against a schema of ETSI: `report` (TS 119 102-2) or
    /// `trusted-list` (TS 119 612). Otherwise returns the problems.
    pub fn etsi_schema(&self, document: &Path, of: &str) -> Result<(), String> {
        let answer = self.0.try_ask(&json!({ "etsi_schema": { "file": document, "of": of } }))?;
        match answer["problems"].as_array().unwrap().as_slice() {
            [] => Ok(()),
            problems => Err(format!("{problems:?}")),
        }
    }

    /// Returns the number of signatures in a document if all are valid against the
    /// schemas of XML Signature, XAdES 1.3.2 and XAdES 1.4.1, otherwise the
    /// problems.
    pub fn schema_valid(&self, document: &Path) -> Result<u64, String> {
        let answer = self.0.try_ask(&json!({ "schema": { "file": document } }))?;
        match answer["problems"].as_array().unwrap().as_slice() {
            [] => Ok(answer["signatures"].as_u64().unwrap()),
            problems => Err(format!("{problems:?}")),
        }
    }
}

//! EU DSS, in one JVM per test process.

use std::path::Path;
use std::sync::OnceLock;

use ades_core::base64;
use serde_json::{Value, json};

use super::libxml2::Question;
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

    /// Has DSS make a XAdES signature; `more` says how (see `XmlSigner.java`).
    /// An error if it refuses.
    pub fn sign_xml(&self, more: &Value) -> Result<(), String> {
        self.0.try_ask(&json!({ "sign_xml": more })).map(|_| ())
    }

    /// The canonical form that Apache Santuario, below DSS, writes; an error if
    /// it refuses the document.
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

    /// How many signatures a document has that are valid against the schemas of
    /// XML Signature, XAdES 1.3.2 and XAdES 1.4.1; what is wrong if one is not.
    pub fn schema_valid(&self, document: &Path) -> Result<u64, String> {
        let answer = self.0.try_ask(&json!({ "schema": { "file": document } }))?;
        match answer["problems"].as_array().unwrap().as_slice() {
            [] => Ok(answer["signatures"].as_u64().unwrap()),
            problems => Err(format!("{problems:?}")),
        }
    }
}

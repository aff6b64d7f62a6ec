//! signxml, which verifies and makes XAdES signatures: one process per test
//! process. It cannot judge signatures over parts of a document, because it
//! canonicalises an element without the `xml:` attributes of its ancestors.

use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Value, json};

use super::lines::Lines;

/// The running judge.
#[derive(Debug)]
pub struct SignXml(Lines);

impl SignXml {
    /// The judge that all tests of this process share.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<SignXml> = OnceLock::new();
        SHARED.get_or_init(|| Self(Lines::python("signxml", "xades.py")))
    }

    /// Returns the number of verified references. An error with signxml's message if
    /// the signature is not valid or its properties are not signed.
    pub fn verify(&self, document: &Path, root_pem: &Path) -> Result<u64, String> {
        self.verify_detached(&json!({ "file": document, "trust": root_pem }))
    }

    /// As [`verify`](Self::verify), optionally with `contents` and `location` (see
    /// `xades.py`).
    pub fn verify_detached(&self, more: &Value) -> Result<u64, String> {
        let answer = self.0.try_ask(&json!({ "validate": more }))?;
        match answer["properties"].as_bool() {
            Some(true) => Ok(answer["references"].as_u64().unwrap()),
            _ => Err("the properties are not signed".into()),
        }
    }

    /// Lets signxml sign as `more` describes (see `xades.py`). An error if it rejects
    /// the request.
    pub fn sign(&self, more: &Value) -> Result<(), String> {
        self.0.try_ask(&json!({ "sign": more })).map(|_| ())
    }
}

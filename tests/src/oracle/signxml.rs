//! signxml, judge and signer of XAdES signatures, in one process per test
//! process. It is no judge of parts of documents: canonicalising an element
//! loses the `xml:` attributes of its ancestors.

use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Value, json};

use super::lines::Lines;

/// A running judge.
#[derive(Debug)]
pub struct SignXml(Lines);

impl SignXml {
    /// The judge of this process.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<SignXml> = OnceLock::new();
        SHARED.get_or_init(|| Self(Lines::python("signxml", "xades.py")))
    }

    /// How many references were verified; signxml's words if the signature is
    /// not valid, or its properties are not signed.
    pub fn verify(&self, document: &Path, root_pem: &Path) -> Result<u64, String> {
        self.verify_detached(&json!({ "file": document, "trust": root_pem }))
    }

    /// The same with `contents` and `location` as wanted (see `xades.py`).
    pub fn verify_detached(&self, more: &Value) -> Result<u64, String> {
        let answer = self.0.try_ask(&json!({ "validate": more }))?;
        match answer["properties"].as_bool() {
            Some(true) => Ok(answer["references"].as_u64().unwrap()),
            _ => Err("the properties are not signed".into()),
        }
    }

    /// Has signxml sign; `more` says how (see `xades.py`). An error if it refuses.
    pub fn sign(&self, more: &Value) -> Result<(), String> {
        self.0.try_ask(&json!({ "sign": more })).map(|_| ())
    }
}

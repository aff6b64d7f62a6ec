//! pyHanko, judge and signer of PDF signatures, in one process per test process.

use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Value, json};

use super::lines::Lines;

/// A running judge.
#[derive(Debug)]
pub struct PyHanko(Lines);

impl PyHanko {
    /// The judge of this process.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<PyHanko> = OnceLock::new();
        SHARED.get_or_init(|| Self(Lines::python("pyHanko", "pdf.py")))
    }

    /// pyHanko's verdict: one object for each signature and document
    /// time-stamp, read leniently.
    #[must_use]
    pub fn validate(&self, pdf: &Path, root: &Path) -> Vec<Value> {
        let answer = self.try_validate(&json!({ "file": pdf, "trust": [root] }));
        let answer = answer.unwrap_or_else(|error| panic!("pyHanko failed: {error}"));
        answer["signatures"].as_array().cloned().unwrap()
    }

    /// The same for any `file`, with `trust`, `password`, `time` and `strict`
    /// as wanted, and what it says of the file (see `pdf.py`); an error if it
    /// cannot read the file.
    pub fn try_validate(&self, more: &Value) -> Result<Value, String> {
        self.0.try_ask(&json!({ "validate": more }))
    }

    /// Has pyHanko sign; `more` says how (see `pdf.py`). An error if it refuses.
    pub fn sign(&self, more: &Value) -> Result<(), String> {
        self.ask("sign", more)
    }

    /// The same for any command: `sign`, `fill`, `archive`.
    pub fn ask(&self, command: &str, more: &Value) -> Result<(), String> {
        self.0.try_ask(&json!({ command: more })).map(|_| ())
    }
}

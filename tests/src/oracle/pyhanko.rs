//! pyHanko, which verifies and makes PDF signatures: one process per test process.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};

use super::lines::Lines;

/// The running judge.
#[derive(Debug)]
pub struct PyHanko(Lines);

impl PyHanko {
    /// The judge that all tests of this process share.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<PyHanko> = OnceLock::new();
        SHARED.get_or_init(|| Self(Lines::python("pyHanko", "pdf.py")))
    }

    /// Returns pyHanko's verdict in lenient mode: one object for each signature and
    /// document time-stamp.
    #[must_use]
    pub fn validate(&self, pdf: &Path, root: &Path) -> Vec<Value> {
        let answer = self.try_validate(&json!({ "file": pdf, "trust": [root] }));
        let answer = answer.unwrap_or_else(|error| panic!("pyHanko failed: {error}"));
        answer["signatures"].as_array().cloned().unwrap()
    }

    /// As [`validate`](Self::validate), for a request with `file` and optionally
    /// `trust`, `password`, `time` and `strict`. The answer also describes the
    /// file (see `pdf.py`). An error if pyHanko cannot read the file.
    pub fn try_validate(&self, more: &Value) -> Result<Value, String> {
        self.0.try_ask(&json!({ "validate": more }))
    }

    /// Lets pyHanko sign as `more` describes (see `pdf.py`). An error if it rejects
    /// the request.
    pub fn sign(&self, more: &Value) -> Result<(), String> {
        self.ask("sign", more)
    }

    /// Lets pyHanko raise a signature as `more` describes (see `pdf.py`). Returns the time from
    /// file to file. An error if it rejects the request.
    pub fn raise(&self, more: &Value) -> Result<Duration, String> {
        let answer = self.0.try_ask(&json!({ "raise": more }))?;
        Ok(Duration::from_nanos(answer["nanoseconds"].as_u64().unwrap()))
    }

    /// As [`sign`](Self::sign), for any command: `sign`, `fill` or `archive`.
    pub fn ask(&self, command: &str, more: &Value) -> Result<(), String> {
        self.0.try_ask(&json!({ command: more })).map(|_| ())
    }
}

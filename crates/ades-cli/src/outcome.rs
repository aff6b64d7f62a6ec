//! The machine-readable outcome of a signing.

use std::path::PathBuf;

use ades::{Format, Level, Warning};
use serde_json::{Value, json};

use crate::exit::Failure;
use crate::output;

/// The outcome of a signing, complete or not.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) signed: Vec<SignedFile>,
    /// The stored job that `ades resume` continues
    pub(crate) pending: Option<PathBuf>,
    /// Whether the signatures have no legal value
    pub(crate) sandbox: bool,
}

/// A container that was written.
#[derive(Debug)]
pub(crate) struct SignedFile {
    /// `-` is standard input
    pub(crate) input: PathBuf,
    /// The other documents of one signature over several
    pub(crate) together: Vec<PathBuf>,
    pub(crate) output: PathBuf,
    pub(crate) format: Format,
    /// The name in the certificate
    pub(crate) signer: Option<String>,
    pub(crate) warnings: Vec<Warning>,
    /// The level that was reached
    pub(crate) level: Level,
}

impl Outcome {
    /// Prints one JSON object.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub(crate) fn print(&self, failure: Option<&Failure>) -> Result<(), Failure> {
        let signed: Vec<Value> = self.signed.iter().map(SignedFile::to_json).collect();
        let error = failure.map(
            |failure| json!({ "exit_status": failure.status, "message": failure.to_string() }),
        );
        let line = json!({
            "version": 1,
            "signed": signed,
            "sandbox": self.sandbox,
            "pending": self.pending.as_ref().map(|path| path.display().to_string()),
            "error": error,
        });
        output::print_whole(format_args!("{line}\n"))
    }
}

impl SignedFile {
    fn to_json(&self) -> Value {
        let warning =
            |warning: &Warning| json!({ "code": warning.code(), "message": warning.to_string() });
        let path = |path: &PathBuf| path.display().to_string();
        let mut line = json!({
            "input": path(&self.input),
            "output": path(&self.output),
            "format": self.format.to_string(),
            "level": self.level,
            "signer": self.signer,
            "warnings": self.warnings.iter().map(warning).collect::<Vec<_>>(),
        });
        if let Some(line) = line.as_object_mut().filter(|_| !self.together.is_empty()) {
            let together: Vec<String> = self.together.iter().map(path).collect();
            line.insert("together".to_owned(), json!(together));
        }
        line
    }
}

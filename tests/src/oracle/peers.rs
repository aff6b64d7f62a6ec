//! Other engines in Rust, for comparing speed: `tests/peers`, which is built when
//! it is first used.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};

use super::lines::Lines;

/// The running process.
#[derive(Debug)]
pub struct Peers(Lines);

impl Peers {
    /// The process that all callers share.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Peers> = OnceLock::new();
        SHARED.get_or_init(|| {
            let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/Cargo.toml");
            let mut command = Command::new("cargo");
            command.args(["run", "--release", "--quiet", "--locked", "--manifest-path"]);
            Self(Lines::start("the peers", command.arg(manifest)))
        })
    }

    /// The time for signing a PDF from file to file, without the operation of the
    /// key. An error if the peer rejects the PDF. `leaf` and `chain` are DER.
    pub fn sign_pdf(
        &self,
        peer: &str,
        file: &Path,
        out: &Path,
        leaf: &Path,
        chain: &[&Path],
    ) -> Result<Duration, String> {
        let of = json!({ "file": file, "out": out, "leaf": leaf, "chain": chain });
        self.seconds(&json!({ peer: of }))
    }

    /// The time that bergshamra takes to canonicalise a file.
    pub fn canonicalise(&self, file: &Path, exclusive: bool) -> Result<Duration, String> {
        self.seconds(&json!({ "bergshamra": { "file": file, "exclusive": exclusive } }))
    }

    fn seconds(&self, request: &Value) -> Result<Duration, String> {
        let answer = self.0.try_ask(request)?;
        Ok(Duration::from_secs_f64(answer["seconds"].as_f64().unwrap()))
    }
}

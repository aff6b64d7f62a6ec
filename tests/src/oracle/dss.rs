//! EU DSS, in one JVM per test process.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock};

use serde_json::{Value, json};

/// A running judge.
#[derive(Debug)]
pub struct Dss(Mutex<(ChildStdin, BufReader<ChildStdout>, Child)>);

impl Dss {
    /// The judge of this process.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Dss> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    fn start() -> Self {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracles/dss/target");
        assert!(
            target.join("lib").is_dir(),
            "EU DSS is needed: tests/oracles/install.sh installs it"
        );
        let class_path =
            format!("{}:{}/*", target.join("classes").display(), target.join("lib").display());
        let mut child = Command::new("java")
            .args(["-Xshare:auto", "-cp", &class_path, "oracle.Oracle"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Java is needed: tests/oracles/install.sh installs it");
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self(Mutex::new((stdin, BufReader::new(stdout), child)))
    }

    /// What the judge is: versions of `dss`, `bouncycastle` and `java`.
    #[must_use]
    pub fn ping(&self) -> Value {
        self.ask(&json!({ "ping": {} }))
    }

    fn ask(&self, request: &Value) -> Value {
        self.try_ask(request).unwrap_or_else(|error| panic!("EU DSS failed: {error}"))
    }

    fn try_ask(&self, request: &Value) -> Result<Value, String> {
        let mut judge = self.0.lock().unwrap();
        writeln!(judge.0, "{request}").unwrap();
        let mut line = String::new();
        judge.1.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).expect("EU DSS answers with JSON");
        match answer.get("error") {
            Some(error) => Err(error.to_string()),
            None => Ok(answer),
        }
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
        let answer = self.try_ask(&json!({ "validate": more }))?;
        Ok(answer["signatures"].as_array().cloned().unwrap())
    }

    /// What BouncyCastle, below DSS, reads in a container (see
    /// `StrictCms.java`); an error if it cannot.
    pub fn parse_cms(&self, container: &Path, original: Option<&Path>) -> Result<Value, String> {
        self.try_ask(&json!({ "parse_cms": { "file": container, "original": original } }))
    }

    /// Has DSS sign; `more` says how (see `Signer.java`).
    pub fn sign(&self, more: &Value) {
        self.ask(&json!({ "sign": more }));
    }
}

//! A judge that runs as long as the test process. It answers each line of JSON
//! with a line of JSON.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use serde_json::Value;

/// The judge's process and its pipes.
#[derive(Debug)]
pub(super) struct Lines {
    name: &'static str,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>, Child)>,
}

impl Lines {
    /// Starts a Java program of `tests/oracles` that Maven built.
    pub(super) fn java(name: &'static str, project: &str, class: &str) -> Self {
        let target = oracles().join(project).join("target");
        assert!(
            target.join("lib").is_dir(),
            "{name} is needed: tests/oracles/install.sh installs it"
        );
        let class_path =
            format!("{}:{}/*", target.join("classes").display(), target.join("lib").display());
        Self::start(name, Command::new("java").args(["-Xshare:auto", "-cp", &class_path, class]))
    }

    /// Starts a Python program of `tests/oracles/python`.
    pub(super) fn python(name: &'static str, script: &str) -> Self {
        let dir = oracles().join("python");
        Self::start(name, Command::new(dir.join("venv/bin/python")).arg(dir.join(script)))
    }

    pub(super) fn start(name: &'static str, command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("{name}: {e}: tests/oracles/install.sh installs it"));
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { name, pipes: Mutex::new((stdin, BufReader::new(stdout), child)) }
    }

    /// Returns the judge's answer, or its error message.
    pub(super) fn try_ask(&self, request: &Value) -> Result<Value, String> {
        let mut pipes = self.pipes.lock().unwrap();
        writeln!(pipes.0, "{request}").unwrap();
        let mut line = String::new();
        pipes.1.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line)
            .unwrap_or_else(|e| panic!("{}: {e}: {line:?} to {request}", self.name));
        match answer["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer),
        }
    }

    /// Returns the judge's answer. The test fails if the judge reports an error.
    pub(super) fn ask(&self, request: &Value) -> Value {
        self.try_ask(request).unwrap_or_else(|error| panic!("{} failed: {error}", self.name))
    }
}

fn oracles() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("oracles")
}

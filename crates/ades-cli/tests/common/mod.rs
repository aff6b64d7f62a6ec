//! Runs the built binary.
#![allow(
    dead_code,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

pub(crate) mod chromium;
pub(crate) mod looks;
pub(crate) mod pages;
pub(crate) mod service;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use ades_tests::pki::{Key, Pki};
use tempfile::TempDir;

/// A folder with the files of a test, in which the program runs.
pub(crate) struct Bench {
    dir: TempDir,
}

/// The result of a run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    pub(crate) fn new(output: &Output) -> Self {
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        let code = output.status.code().unwrap_or(-1);
        Self { code, out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Fails the test unless the run ended with this status and printed this message.
    #[track_caller]
    pub(crate) fn ends(&self, code: i32, saying: &str) -> &Self {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.err.contains(saying), "{saying:?} is not in {self:?}");
        self
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { dir: TempDir::new().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, octets: impl AsRef<[u8]>) {
        fs::write(self.path(name), octets).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// All names in the folder, sorted, hidden ones among them.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command_by(env!("CARGO_BIN_EXE_ades"));
        command.args(arguments);
        command
    }

    /// Another program, in the same folder.
    pub(crate) fn command_by(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.dir.path());
        command.env("XDG_DATA_HOME", self.path("data")).env("PASSWORD", "sesame");
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn ades(&self, arguments: &[&str]) -> Run {
        Run::new(&self.command(arguments).output().unwrap())
    }

    /// With standard input; returns standard output as octets, too.
    pub(crate) fn ades_with(&self, arguments: &[&str], input: &[u8]) -> (Run, Vec<u8>) {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        (Run::new(&output), output.stdout)
    }

    pub(crate) fn openssl(&self, arguments: &[&str]) -> Run {
        let output =
            Command::new("openssl").current_dir(self.dir.path()).args(arguments).output().unwrap();
        Run::new(&output)
    }

    /// `chain.pem`, `key.pem`, `root.pem` and `key.p12` (password in PASSWORD).
    pub(crate) fn identity(&self, key: Key) {
        let pki = Pki::shared();
        let signer = pki.signer(key);
        self.write("chain.pem", signer.chain_pem());
        self.write("key.pem", &signer.key_pem);
        self.write("root.pem", pki.root_pem());
        let export = ["pkcs12", "-export", "-inkey", "key.pem", "-in", "chain.pem"];
        self.openssl(&[&export[..], &["-out", "key.p12", "-passout", "pass:sesame"]].concat())
            .ends(0, "");
    }

    /// Fails the test unless OpenSSL accepts it as a CAdES signature of the document.
    #[track_caller]
    pub(crate) fn openssl_accepts(&self, container: &str, document: Option<&str>, root: &str) {
        let mut arguments = vec!["cms", "-verify", "-cades", "-binary", "-inform", "DER"];
        arguments.extend(["-in", container, "-CAfile", root, "-purpose", "any"]);
        if let Some(document) = document {
            arguments.extend(["-content", document]);
        }
        arguments.extend(["-out", "openssl.out"]);
        self.openssl(&arguments).ends(0, "Verification successful");
        fs::remove_file(self.path("openssl.out")).unwrap();
    }

    /// `ades sign --signer pkcs12:key.p12` with these arguments.
    pub(crate) fn sign(&self, arguments: &[&str]) -> Run {
        self.ades(&[&["sign"], PKCS12, arguments].concat())
    }
}

pub(crate) const PKCS12: &[&str] = &["--signer", "pkcs12:key.p12", "--password-env", "PASSWORD"];

pub(crate) fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

//! asn1crypto, an independent strict reader.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Returns what asn1crypto reads in a container.
#[must_use]
pub fn strict(container: &Path) -> Value {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracles/python");
    let output = Command::new(dir.join("venv/bin/python"))
        .arg(dir.join("strict.py"))
        .arg(container)
        .output()
        .expect("asn1crypto is needed: tests/oracles/install.sh installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

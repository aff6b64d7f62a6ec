//! The `openssl` command line, version 3.

use std::path::Path;
use std::process::Command;

/// Runs `openssl`; standard output, or standard error if it fails.
pub fn run(args: &[&str]) -> Result<Vec<u8>, String> {
    let output = Command::new("openssl")
        .args(args)
        .output()
        .expect("openssl is needed: tests/oracles/install.sh installs it");
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// `openssl cms -verify -cades`: the content of an enveloping container, or
/// nothing for a detached one.
pub fn cms_verify_cades(
    container: &Path,
    content: Option<&Path>,
    root: &Path,
) -> Result<Vec<u8>, String> {
    cms_verify(&["-cades"], container, content, root)
}

/// `openssl cms -verify` with more arguments.
pub fn cms_verify(
    more: &[&str],
    container: &Path,
    content: Option<&Path>,
    root: &Path,
) -> Result<Vec<u8>, String> {
    let mut args = vec!["cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any"];
    args.extend_from_slice(more);
    args.extend(["-in", path(container), "-CAfile", path(root)]);
    if let Some(content) = content {
        args.extend(["-content", path(content)]);
    }
    run(&args)
}

/// `openssl cms -sign -cades` and more arguments: a container others made.
pub fn cms_sign(
    more: &[&str],
    content: &Path,
    certificate: &Path,
    key: &Path,
    chain: &Path,
) -> Result<Vec<u8>, String> {
    let mut args = vec!["cms", "-sign", "-binary", "-outform", "DER", "-md", "sha256"];
    args.extend(["-in", path(content), "-signer", path(certificate)]);
    args.extend(["-inkey", path(key), "-certfile", path(chain)]);
    args.extend_from_slice(more);
    run(&args)
}

fn path(path: &Path) -> &str {
    path.to_str().expect("test paths are UTF-8")
}

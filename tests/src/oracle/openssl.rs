//! The `openssl` command line, version 3.

use std::path::Path;
use std::process::Command;

use ades_core::{DigestAlgorithm, SignatureAlgorithm};
use tempfile::TempDir;

/// Runs `openssl`. Returns its standard output, or its standard error if it fails.
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

/// Runs `openssl cms -verify -cades`. Returns the content.
pub fn cms_verify_cades(
    container: &Path,
    content: Option<&Path>,
    root: &Path,
) -> Result<Vec<u8>, String> {
    cms_verify(&["-cades"], container, content, root)
}

/// Runs `openssl cms -verify` with further arguments.
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

/// Runs `openssl cms -sign` with further arguments, such as `-cades`. Returns the
/// container.
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

/// Runs `openssl pkeyutl -sign`. Returns the signature value over a digest, or for
/// Ed25519 over the message itself.
pub fn pkeyutl_sign(
    key: &Path,
    algorithm: SignatureAlgorithm,
    signed: &[u8],
) -> Result<Vec<u8>, String> {
    let dir = TempDir::new().unwrap();
    let input = dir.path().join("input");
    std::fs::write(&input, signed).unwrap();
    let digest = match algorithm.digest_algorithm() {
        DigestAlgorithm::Sha256 => "digest:sha256",
        DigestAlgorithm::Sha384 => "digest:sha384",
        DigestAlgorithm::Sha512 => "digest:sha512",
        other => panic!("unknown digest algorithm {other}"),
    };
    let mut args = vec!["pkeyutl", "-sign", "-inkey", path(key), "-in", path(&input)];
    match algorithm {
        SignatureAlgorithm::Ed25519 => args.push("-rawin"),
        SignatureAlgorithm::RsaPss(_) => {
            args.extend(["-pkeyopt", digest, "-pkeyopt", "rsa_padding_mode:pss"]);
            args.extend(["-pkeyopt", "rsa_pss_saltlen:digest"]);
        }
        _ => args.extend(["-pkeyopt", digest]),
    }
    run(&args)
}

/// Runs `openssl asn1parse`. Returns a line for each element.
pub fn asn1parse(der: &Path) -> Result<String, String> {
    let out = run(&["asn1parse", "-inform", "DER", "-in", path(der)])?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Runs `openssl verify`: a path from a certificate to a root through `issuers`
/// (PEM).
pub fn verify_certificate(certificate: &Path, issuers: &Path, root: &Path) -> Result<(), String> {
    let args = ["verify", "-x509_strict", "-CAfile", path(root), "-untrusted", path(issuers)];
    run(&[&args[..], &[path(certificate)]].concat()).map(|_| ())
}

fn path(path: &Path) -> &str {
    path.to_str().expect("test paths are UTF-8")
}

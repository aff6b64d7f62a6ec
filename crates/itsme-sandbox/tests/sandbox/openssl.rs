//! Checks certificates and signature values with OpenSSL.

use std::path::Path;
use std::process::Command;

use base64ct::{Base64, Encoding};

/// Runs `openssl`, which must be installed, and returns its output: if it fails, all of it.
pub(crate) fn openssl(args: &[&str], dir: &Path) -> Result<String, String> {
    let output = Command::new("openssl").args(args).current_dir(dir).output();
    let output = output.expect("these tests need the openssl command");
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(text(&output.stderr) + &text(&output.stdout)),
    }
}

/// Whether `value` is an RSASSA-PKCS1-v1_5 signature over a SHA-256 digest
/// with the key of a certificate.
pub(crate) fn verifies(certificate: &str, digest: &[u8; 32], value: &[u8]) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, octets: &[u8]| std::fs::write(dir.path().join(name), octets).unwrap();
    write("leaf.pem", certificate.as_bytes());
    write("digest", digest);
    write("value", value);
    let key = openssl(&["x509", "-in", "leaf.pem", "-noout", "-pubkey"], dir.path()).unwrap();
    write("key.pem", key.as_bytes());
    let verify = [
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "key.pem",
        "-in",
        "digest",
        "-sigfile",
        "value",
        "-pkeyopt",
        "digest:sha256",
        "-pkeyopt",
        "rsa_padding_mode:pkcs1",
    ];
    openssl(&verify, dir.path()).is_ok()
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    Base64::decode_vec(text).unwrap()
}

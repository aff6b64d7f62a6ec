//! The example signer of `docs/own-signer.md` works.

use std::process::Command;

use ades_tests::pki::{Key, Pki};

/// Demand 9: any device or service can be a signer.
#[test]
fn the_documented_signer_signs_and_verifies() {
    let dir = tempfile::TempDir::new().unwrap();
    let (chain, key) = (dir.path().join("chain.pem"), dir.path().join("key.pem"));
    let signer = Pki::shared().signer(Key::Rsa2048);
    std::fs::write(&chain, signer.chain_pem()).unwrap();
    std::fs::write(&key, &signer.key_pem).unwrap();
    // With the features of the workspace's tests, so that nothing is built again.
    let build = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--workspace", "--example", "own_signer"])
        .status()
        .unwrap();
    assert!(build.success());
    let tests = std::env::current_exe().unwrap();
    let example = tests.ancestors().nth(2).unwrap().join("examples/own_signer");
    let output = Command::new(example).args([&chain, &key]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout, b"1: 256 octets, verified\n");
}

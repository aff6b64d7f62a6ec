//! The certificates, which OpenSSL checks, and the files of the PKI.

use std::fs;
use std::path::Path;

use itsme_sandbox::{Blame, Config, Sandbox, SandboxError, User};

use crate::client::Partner;
use crate::openssl::openssl;

async fn start(dir: &Path) -> Result<Sandbox, SandboxError> {
    Sandbox::start(Config::default().dir(dir.to_owned())).await
}

#[tokio::test]
#[ignore = "asks OpenSSL"]
async fn the_leaf_has_the_documented_profile() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = start(dir.path()).await.unwrap();
    fs::write(dir.path().join("leaf.pem"), sandbox.pki().certificate_pem(User::Ready).unwrap())
        .unwrap();
    let verify =
        ["verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", "chain.pem", "leaf.pem"];
    openssl(&verify, dir.path()).unwrap();
    let show = ["x509", "-in", "leaf.pem", "-noout", "-text", "-nameopt", "RFC2253,-dn_rev"];
    let text = openssl(&show, dir.path()).unwrap();
    for part in [
        "Version: 3",
        "sha256WithRSAEncryption",
        "(2048 bit)",
        "Subject: C=BE,L=Brussel,serialNumber=00000000097,SN=SANDBOX no legal value,GN=Ready,CN=SANDBOX no legal value Ready",
        "CN=SANDBOX Sign Issuing CA - no legal value",
        "X509v3 Key Usage: critical\n                Digital Signature, Non Repudiation\n",
        "TLS Web Client Authentication, E-mail Protection, 1.3.6.1.4.1.311.10.3.12",
        "Policy: 0.4.0.194112.1.2",
        "CPS: http://pki.sandbox.invalid/cps",
        "CA Issuers - URI:http://127.0.0.1:",
        "OCSP - URI:http://127.0.0.1:",
        "URI:http://127.0.0.1:",
        "X509v3 Subject Key Identifier",
        "X509v3 Authority Key Identifier",
        "qcStatements",
    ] {
        assert!(text.contains(part), "the certificate lacks {part}:\n{text}");
    }
    assert!(!text.contains("Basic Constraints"));
    // The statements are valid DER, and the documented five.
    let at = text_offset(dir.path());
    let parsed = openssl(&["asn1parse", "-in", "leaf.pem", "-strparse", &at], dir.path()).unwrap();
    for oid in [
        "1.3.6.1.5.5.7.11.2",
        "0.4.0.194121.1.1",
        "0.4.0.1862.1.1",
        "0.4.0.1862.1.4",
        "0.4.0.1862.1.6.1",
        "0.4.0.1862.1.5",
        "https://pki.sandbox.invalid/pds",
    ] {
        assert!(parsed.contains(oid), "the statements lack {oid}:\n{parsed}");
    }
}

/// The offset of the qcStatements extension's octets.
fn text_offset(dir: &Path) -> String {
    let parsed = openssl(&["asn1parse", "-in", "leaf.pem"], dir).unwrap();
    let mut lines = parsed.lines().skip_while(|line| !line.contains("qcStatements"));
    let value = lines.find(|line| line.contains("OCTET STRING")).unwrap();
    value.split(':').next().unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_directory_keeps_the_pki_for_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let first = start(dir.path()).await.unwrap();
    first.pki().certificate_pem(User::Ready).unwrap();
    let key = || {
        let file = dir.path().join("private").join("signer-ready-0.pem");
        let text = fs::read_to_string(file).unwrap();
        text.split_once("PRIVATE KEY").unwrap().1.to_owned()
    };
    let first_key = key();
    let (root, ca) = (first.root_pem().to_owned(), first.server_ca_pem().to_owned());
    first.shutdown().await;
    let second = start(dir.path()).await.unwrap();
    // The certificate states other addresses.
    second.pki().certificate_pem(User::Ready).unwrap();
    assert_eq!(key(), first_key);
    assert_eq!((second.root_pem(), second.server_ca_pem()), (root.as_str(), ca.as_str()));
    for name in ["server-ca.pem", "client.pem", "root.pem", "chain.pem"] {
        assert!(fs::read_to_string(dir.path().join(name)).unwrap().contains("CERTIFICATE"));
    }
    // The published files are all that a partner needs.
    let client = fs::read_to_string(dir.path().join("client.pem")).unwrap();
    assert_eq!(client, second.client_identity_pem());
}

fn leaf_verifies(dir: &Path) {
    let verify = ["verify", "-CAfile", "root.pem", "-untrusted", "chain.pem", "leaf.pem"];
    openssl(&verify, dir).unwrap();
}

/// Such a mixture could result from two simultaneous first starts without a lock.
#[tokio::test]
#[ignore = "asks OpenSSL"]
async fn certificates_of_another_pki_are_made_again() {
    let (own, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for dir in [&own, &other] {
        start(dir.path()).await.unwrap().pki().certificate_pem(User::Ready).unwrap();
    }
    let file = |dir: &tempfile::TempDir, name: &str| dir.path().join("private").join(name);
    for name in ["ca-root.pem", "ca-issuing.pem", "signer-ready-0.pem", "ca-tls-client.pem"] {
        fs::copy(file(&other, name), file(&own, name)).unwrap();
        let partner = Partner::in_dir(own.path()).await;
        let leaf = partner.sandbox.pki().certificate_pem(User::Ready).unwrap();
        fs::write(own.path().join("leaf.pem"), leaf).unwrap();
        leaf_verifies(own.path());
        // The client certificate comes from the CA that the back end knows.
        partner.identify().await;
    }
}

#[tokio::test]
#[ignore = "asks OpenSSL"]
async fn simultaneous_first_starts_share_one_pki() {
    let dir = tempfile::tempdir().unwrap();
    let starts: Vec<_> = (0..4)
        .map(|_| {
            let dir = dir.path().to_owned();
            tokio::spawn(async move {
                let sandbox = start(&dir).await.unwrap();
                // Each has a certificate with its own addresses, for the same key.
                sandbox.pki().certificate_pem(User::Ready).unwrap();
                sandbox.root_pem().to_owned()
            })
        })
        .collect();
    let mut seen = std::collections::HashSet::new();
    for start in starts {
        seen.insert(start.await.unwrap());
    }
    assert_eq!(seen.len(), 1);
    let root = seen.into_iter().next().unwrap();
    assert_eq!(fs::read_to_string(dir.path().join("root.pem")).unwrap(), root);
    let leaf = start(dir.path()).await.unwrap().pki().certificate_pem(User::Ready).unwrap();
    fs::write(dir.path().join("leaf.pem"), leaf).unwrap();
    leaf_verifies(dir.path());
}

/// A killed process may leave an incomplete temporary file. The next writer
/// replaces it.
#[tokio::test]
async fn files_that_a_killed_process_left_do_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("private")).unwrap();
    let long = vec![b'x'; 100_000];
    for name in ["private/ca-root.new", "private/signer-ready-0.new", "chain.new"] {
        fs::write(dir.path().join(name), &long).unwrap();
    }
    let sandbox = start(dir.path()).await.unwrap();
    sandbox.pki().certificate_pem(User::Ready).unwrap();
    assert_eq!(start(dir.path()).await.unwrap().root_pem(), sandbox.root_pem());
    assert!(!dir.path().join("private/ca-root.new").exists());
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_keys() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    // Files that a killed process left.
    fs::create_dir(dir.path().join("private")).unwrap();
    for name in ["client.new", "private/ca-root.new"] {
        fs::write(dir.path().join(name), "half").unwrap();
    }
    let sandbox = start(dir.path()).await.unwrap();
    sandbox.pki().certificate_pem(User::New).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let private = dir.path().join("private");
    assert_eq!(mode(&private), 0o700);
    let files: Vec<_> = fs::read_dir(&private).unwrap().map(|file| file.unwrap().path()).collect();
    let pem = files.iter().filter(|file| file.extension().is_some_and(|end| end == "pem"));
    assert_eq!(pem.count(), 7);
    for file in files.iter().map(AsRef::as_ref).chain([dir.path().join("client.pem").as_path()]) {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn a_file_with_other_contents_stops_the_start() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("private")).unwrap();
    fs::write(dir.path().join("private").join("ca-root.pem"), "something else").unwrap();
    let error = start(dir.path()).await.unwrap_err();
    assert!(matches!(error, SandboxError::PkiFile { .. }));
    assert_eq!((error.fault(), error.retry()), (Blame::Input, false));
}

#[tokio::test]
async fn answers_and_debug_output_contain_no_key() {
    let partner = Partner::auto(User::Ready).await;
    let (_, leaf, chain) = partner.identified().await;
    let debug = format!("{:?} {:?}", partner.sandbox, partner.sandbox.pki());
    assert!([leaf, chain, debug].iter().all(|text| !text.contains("PRIVATE KEY")));
}

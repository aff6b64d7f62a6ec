//! The certificates, as OpenSSL reads them, and the files.

use std::fs;
use std::path::Path;

use itsme_sandbox::{Config, Sandbox, SandboxError, User};

use crate::client::Partner;
use crate::openssl::openssl;

async fn start(dir: &Path) -> Result<Sandbox, SandboxError> {
    Sandbox::start(Config { dir: Some(dir.to_owned()), ..Config::default() }).await
}

#[tokio::test]
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
        "CA Issuers - URI:http://pki.sandbox.invalid/issuing.crt",
        "OCSP - URI:http://ocsp.sandbox.invalid",
        "URI:http://pki.sandbox.invalid/issuing.crl",
        "X509v3 Subject Key Identifier",
        "X509v3 Authority Key Identifier",
        "qcStatements",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert!(!text.contains("Basic Constraints"));
    // The statements parse as DER, and are the documented five.
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
        assert!(parsed.contains(oid), "{oid} is not in\n{parsed}");
    }
}

/// Where the octets of the qcStatements extension are.
fn text_offset(dir: &Path) -> String {
    let parsed = openssl(&["asn1parse", "-in", "leaf.pem"], dir).unwrap();
    let mut lines = parsed.lines().skip_while(|line| !line.contains("qcStatements"));
    let value = lines.find(|line| line.contains("OCTET STRING")).unwrap();
    value.split(':').next().unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_directory_keeps_everything_for_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let first = start(dir.path()).await.unwrap();
    let leaf = first.pki().certificate_pem(User::Ready).unwrap();
    let (root, ca) = (first.root_pem().to_owned(), first.server_ca_pem().to_owned());
    first.shutdown().await;
    let second = start(dir.path()).await.unwrap();
    assert_eq!(second.pki().certificate_pem(User::Ready).unwrap(), leaf);
    assert_eq!((second.root_pem(), second.server_ca_pem()), (root.as_str(), ca.as_str()));
    for name in ["server-ca.pem", "client.pem", "root.pem", "chain.pem"] {
        assert!(fs::read_to_string(dir.path().join(name)).unwrap().contains("CERTIFICATE"));
    }
    // What is published is enough to be a partner.
    let client = fs::read_to_string(dir.path().join("client.pem")).unwrap();
    assert_eq!(client, second.client_identity_pem());
}

#[cfg(unix)]
#[tokio::test]
async fn keys_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    let sandbox = start(dir.path()).await.unwrap();
    sandbox.pki().certificate_pem(User::New).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let private = dir.path().join("private");
    assert_eq!(mode(&private), 0o700);
    let files: Vec<_> = fs::read_dir(&private).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 7);
    for file in files.iter().map(AsRef::as_ref).chain([dir.path().join("client.pem").as_path()]) {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn a_file_that_is_something_else_stops_the_start() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("private")).unwrap();
    fs::write(dir.path().join("private").join("ca-root.pem"), "something else").unwrap();
    assert!(matches!(start(dir.path()).await, Err(SandboxError::PkiFile(_))));
}

#[tokio::test]
async fn no_key_is_in_an_answer_or_in_debug_output() {
    let partner = Partner::auto(User::Ready).await;
    let (_, leaf, chain) = partner.identified().await;
    let debug = format!("{:?} {:?}", partner.sandbox, partner.sandbox.pki());
    assert!([leaf, chain, debug].iter().all(|text| !text.contains("PRIVATE KEY")));
}

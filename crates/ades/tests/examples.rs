//! The examples run, and the READMEs have the first one.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use ades::{Certificate, Document, VerifyOptions};
use pkcs12_writer::Writer;
use rcgen::{CertificateParams, DnType, KeyPair, KeyUsagePurpose};

#[path = "suite/pki.rs"]
#[allow(dead_code)]
mod pki;

/// Runs an example and returns its standard output. `ADES_EXAMPLES` names a folder with the
/// examples, built already: `tests/run.sh` sets it, because building them once more takes minutes.
fn run(name: &str, arguments: &[&str]) -> String {
    let mut command = match std::env::var_os("ADES_EXAMPLES") {
        Some(folder) => Command::new(Path::new(&folder).join(name)),
        None => {
            let mut cargo = Command::new(env!("CARGO"));
            let features = ["--features", "pkcs12", "--example", name, "--"];
            cargo.args(["run", "--quiet", "--offline"]).args(features);
            cargo
        }
    };
    let run = command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{name}: {said}");
    String::from_utf8(run.stdout).unwrap()
}

/// A key file with a self-signed certificate, which is returned.
fn key_file(path: &Path, password: &str) -> Certificate {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Example User");
    params.key_usages = vec![KeyUsagePurpose::ContentCommitment];
    let certificate = params.self_signed(&key).unwrap();
    let der = certificate.der().to_vec();
    let file = Writer::with_pair(password, &key.serialize_der(), &der).write();
    std::fs::write(path, file).unwrap();
    std::fs::write(path.with_extension("pem"), certificate.pem()).unwrap();
    Certificate::from_der(der).unwrap()
}

#[test]
fn examples_sign_and_verify() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let key = path("key.p12");
    let anchor = key_file(Path::new(&key), "sesame");
    let documents = [
        ("contract.pdf", pki::pdf("")),
        ("invoice.xml", pki::XML.to_vec()),
        ("photo.bin", pki::BINARY.to_vec()),
    ];
    for (name, document) in &documents {
        std::fs::write(path(name), document).unwrap();
    }
    let paths = documents.each_ref().map(|(name, _)| path(name));
    let files = paths.each_ref().map(String::as_str);
    run("sign_batch", &[&[&key, "sesame"], &files[..]].concat());
    std::fs::write(path("font.ttf"), dejavu::sans::regular()).unwrap();
    run(
        "sign_pdf",
        &[&key, "sesame", &path("font.ttf"), files[0], &path("contract.pdf.certified")],
    );
    let anchors = [anchor];
    for (name, document) in &documents {
        let signed = std::fs::read(path(&format!("{name}.signed"))).unwrap();
        let mut options = VerifyOptions::new().trust(&anchors).without_revocation();
        if name.ends_with(".bin") {
            options = options.original(None, Document::from_bytes(document));
        }
        let report =
            ades::verify(&mut Document::from_bytes(&signed), options, SystemTime::now().into())
                .unwrap();
        assert!(report.is_passed(), "{name}: {report}");
    }

    let certified = std::fs::read(path("contract.pdf.certified")).unwrap();
    let options = VerifyOptions::new().trust(&anchors).without_revocation();
    let report =
        ades::verify(&mut Document::from_bytes(&certified), options, SystemTime::now().into())
            .unwrap();
    assert!(report.is_passed(), "{report}");
    assert!(certified.windows(7).any(|octets| octets == b"/DocMDP"));

    run("sign_xml", &[&key, "sesame", files[1], &path("parallel.xml")]);
    let said = run("verify", &[&path("parallel.xml"), &path("key.pem")]);
    assert!(said.contains("\ntotal-passed\n"), "{said}");
    let said = run("remote_redirect", &[]);
    assert!(said.contains("<xades:SignedProperties"), "{said}");
}

#[test]
fn readmes_have_the_first_example() {
    let example = include_str!("../examples/sign_batch.rs");
    assert!(example.lines().count() <= 25);
    assert!(include_str!("../README.md").contains(&format!("```rust,no_run\n{example}```")));
    // The package has no README of the repository.
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    if let Ok(readme) = std::fs::read_to_string(readme) {
        assert!(readme.contains(&format!("```rust\n{example}```")));
    }
}

//! xmlsec1, which verifies and makes XML signatures.

use std::path::Path;
use std::process::Command;

/// Verifies the first signature of a document with the root as trust anchor. An
/// error with xmlsec1's message if it is not valid.
pub fn verify(document: &Path, root_pem: &Path) -> Result<(), String> {
    verify_nth(document, root_pem, 0)
}

/// As [`verify`], for the `nth` signature in document order, from 0. Detached
/// documents are found by their names in the same folder.
pub fn verify_nth(document: &Path, root_pem: &Path, nth: usize) -> Result<(), String> {
    const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
    const XADES: &str = "http://uri.etsi.org/01903/v1.3.2#";

    let mut command = Command::new("xmlsec1");
    command.arg("--verify");
    let ours = ["Object", "Manifest", "SignatureValue"].map(|name| format!("{DS}:{name}"));
    for element in ours.into_iter().chain([
        format!("{XADES}:SignedProperties"),
        "e".to_owned(),
        "doc".to_owned(),
    ]) {
        command.args(["--id-attr:Id".to_owned(), element]);
    }
    let which = format!("(//*[local-name()='Signature'])[{}]", nth + 1);
    let output = command
        .args(["--node-xpath", &which, "--enabled-key-data", "x509", "--trusted-pem"])
        .arg(root_pem)
        .arg(document)
        .current_dir(document.parent().expect("a document is in a folder"))
        .output()
        .expect("xmlsec1 is needed: tests/oracles/install.sh installs it");
    let said = [output.stdout, output.stderr].concat();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&said).into_owned()) }
}

/// Fills digests, value and certificate into a template. An error with xmlsec1's
/// message if that fails. `ids` are attributes and elements, such as `Id:a`. URIs
/// are relative to the template's folder.
pub fn sign(template: &Path, key: &Path, leaf: &Path, ids: &[&str]) -> Result<Vec<u8>, String> {
    let signed = template.with_extension("signed");
    let mut command = Command::new("xmlsec1");
    command.args(["--sign", "--output"]).arg(&signed);
    command.current_dir(template.parent().expect("a template is in a folder"));
    command.arg("--privkey-pem").arg(format!("{},{}", key.display(), leaf.display()));
    add_ids(&mut command, ids);
    let output = command.arg(template).output();
    let output = output.expect("xmlsec1 is needed: tests/oracles/install.sh installs it");
    if output.status.success() {
        return Ok(std::fs::read(&signed).expect("xmlsec1 writes what it signs"));
    }
    Err(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// Verifies the first signature of a document without a trust anchor. An error
/// with xmlsec1's message if it is not valid. URIs are relative to `folder`.
pub fn holds(document: &Path, folder: &Path, ids: &[&str]) -> Result<(), String> {
    let mut command = Command::new("xmlsec1");
    command.args(["--verify", "--insecure"]).current_dir(folder);
    add_ids(&mut command, ids);
    let output = command.arg(document).output();
    let output = output.expect("xmlsec1 is needed: tests/oracles/install.sh installs it");
    let said = [output.stdout, output.stderr].concat();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&said).into_owned()) }
}

fn add_ids(command: &mut Command, ids: &[&str]) {
    for id in ids {
        let (attribute, element) = id.split_once(':').expect("attribute:element");
        command.args([format!("--id-attr:{attribute}"), element.to_owned()]);
    }
}

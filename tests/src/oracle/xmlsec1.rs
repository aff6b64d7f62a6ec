//! xmlsec1, a judge of XML signatures.

use std::path::Path;
use std::process::Command;

/// Whether the signature verifies under the root; xmlsec1's words if not.
pub fn verify(document: &Path, root_pem: &Path) -> Result<(), String> {
    let output = Command::new("xmlsec1")
        .args(["--verify", "--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties"])
        .args(["--enabled-key-data", "x509", "--trusted-pem"])
        .arg(root_pem)
        .arg(document)
        .output()
        .expect("xmlsec1 is needed: tests/oracles/install.sh installs it");
    let said = [output.stdout, output.stderr].concat();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&said).into_owned()) }
}

//! All judges of XAdES signatures on one file.

use std::path::{Path, PathBuf};

use ades_core::SignatureAlgorithm;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::dss::Dss;
use super::signxml::SignXml;
use super::xmlsec1;
use crate::pki::Pki;

/// A folder with the test PKI's root and the files to be judged.
#[derive(Debug)]
pub struct Court {
    dir: TempDir,
    root: PathBuf,
    /// The detached documents, by the URIs of their references.
    contents: Map<String, Value>,
}

/// Which judges are asked. The default is all of them.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// xmlsec1, about all signatures. It supports neither RSASSA-PSS nor Ed25519.
    pub xmlsec1: bool,
    /// signxml, about a single signature. It supports neither XPath nor Ed25519.
    pub signxml: bool,
}

impl Default for Asked {
    fn default() -> Self {
        Self { xmlsec1: true, signxml: true }
    }
}

impl Asked {
    /// Those of them that support the algorithm.
    #[must_use]
    pub const fn of(self, algorithm: SignatureAlgorithm) -> Self {
        use SignatureAlgorithm::{Ecdsa, Ed25519, RsaPkcs1v15};

        Self {
            xmlsec1: self.xmlsec1 && matches!(algorithm, RsaPkcs1v15(_) | Ecdsa(_)),
            signxml: self.signxml && !matches!(algorithm, Ed25519),
        }
    }
}

/// The verdict of each judge; an error has the judge's message.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// EU DSS: level, references, signature, certificate, trust, structure.
    pub dss: Result<(), String>,
    /// The schemas of XML Signature and XAdES.
    pub schema: Result<(), String>,
    /// `None` if it was not asked.
    pub xmlsec1: Option<Result<(), String>>,
    /// `None` if it was not asked.
    pub signxml: Option<Result<(), String>>,
}

impl Verdict {
    /// Whether all judges that were asked accept the signatures.
    #[must_use]
    pub fn all_accept(&self) -> bool {
        let schema = self.schema.is_ok();
        schema && self.signatures().into_iter().all(|(_, verdict)| verdict.is_ok())
    }

    /// Whether all judges of signatures that were asked reject them.
    #[must_use]
    pub fn all_refuse(&self) -> bool {
        self.signatures().into_iter().all(|(_, verdict)| verdict.is_err())
    }

    fn signatures(&self) -> Vec<(&str, &Result<(), String>)> {
        let mut all = vec![("EU DSS", &self.dss)];
        all.extend(self.xmlsec1.as_ref().map(|verdict| ("xmlsec1", verdict)));
        all.extend(self.signxml.as_ref().map(|verdict| ("signxml", verdict)));
        all
    }
}

impl Court {
    /// A folder with the test PKI's root.
    #[must_use]
    pub fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let root = dir.path().join("root.pem");
        std::fs::write(&root, Pki::shared().root_pem()).unwrap();
        Self { dir, root, contents: Map::new() }
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The trust anchor.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Adds a detached document.
    pub fn add_content(&mut self, name: &str, octets: &[u8]) {
        let path = self.write(name, octets);
        self.contents.insert(name.to_owned(), json!(path));
    }

    /// Writes a file.
    #[must_use]
    pub fn write(&self, name: &str, octets: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, octets).unwrap();
        path
    }

    /// Returns the verdicts on a document that should have `signatures` signatures,
    /// all of them XAdES baseline B.
    #[must_use]
    pub fn judge(&self, signed: &[u8], signatures: usize, asked: Asked) -> Verdict {
        let path = self.write("signed.xml", signed);
        let xmlsec1 =
            || (0..signatures).try_for_each(|nth| xmlsec1::verify_nth(&path, &self.root, nth));
        let signxml = || {
            SignXml::shared().verify_detached(&json!({
                "file": path, "trust": self.root, "contents": self.contents,
            }))
        };
        Verdict {
            dss: self.dss(&path, signatures),
            schema: schema(&path, signatures),
            xmlsec1: asked.xmlsec1.then(xmlsec1),
            signxml: asked.signxml.then(|| signxml().map(|_| ())),
        }
    }

    fn dss(&self, path: &Path, signatures: usize) -> Result<(), String> {
        let found = Dss::shared().try_validate(&json!({
            "file": path, "trust": [self.root], "time": "2026-10-01T00:00:00Z",
            "originals": if self.contents.is_empty() { Value::Null } else { json!(self.contents) },
        }))?;
        if found.len() != signatures {
            return Err(format!("{} signatures", found.len()));
        }
        found.iter().try_for_each(baseline_b)
    }
}

impl Default for Court {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether DSS finds no problem in a signature, except that the test PKI does not
/// have revocation data and that the table of algorithms in DSS does not have
/// EdDSA.
pub fn baseline_b(signature: &Value) -> Result<(), String> {
    const IGNORED: [&str; 3] = [
        "The certificate validation is not conclusive!",
        "No revocation data found for the certificate!",
        "The algorithm EdDSA with SHA512 is not authorised for signature creation!",
    ];
    let yes = ["intact", "valid", "structure_valid", "trusted_chain"];
    let yes = yes.iter().chain(&["signing_certificate_identified", "signing_certificate_unique"]);
    let digests = signature["digests"].as_array().unwrap();
    let errors = signature["errors"].as_array().unwrap();
    let good = signature["level"] == "XAdES-BASELINE-B"
        && yes.into_iter().all(|name| signature[name] == true)
        && signature["structure"] == json!([])
        && signature["signing_certificate_reference"]["digest_match"] == true
        && digests.len() >= 2
        && digests.iter().all(|digest| digest["found"] == true && digest["intact"] == true)
        && errors.iter().all(|error| IGNORED.contains(&error.as_str().unwrap()));
    if good { Ok(()) } else { Err(format!("{signature:#}")) }
}

fn schema(path: &Path, signatures: usize) -> Result<(), String> {
    let valid = Dss::shared().schema_valid(path)?;
    if valid == signatures as u64 { Ok(()) } else { Err(format!("{valid} signatures")) }
}

//! Writes the seeds for fuzzing that our generators make: `cargo run -p ades-tests
//! --bin seeds` replaces `fuzz/seeds/{pdf,c14n,xml_verify}`. Commit what has changed
//! only if the kinds of documents have: signatures have other values in every run.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ades_core::Document;
use ades_tests::c14n::{Algorithm, Part, vectors};
use ades_tests::pdf::kinds;
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{complete_xades, parameters};
use ades_tests::xml::documents;
use xades::{Packaging, SignatureOptions};

/// Maximum length of a seed: short ones are changed more often.
const MAX: usize = 4096;
/// Maximum length of signed XML and PDF.
const MAX_SIGNED: usize = 12_000;

fn main() {
    let pdf = Folder::new("pdf");
    for kind in kinds() {
        let max = if kind.signatures > 0 { MAX_SIGNED } else { MAX };
        // Nothing opens them: the targets have no password.
        if kind.octets.len() <= max && kind.password.is_none() {
            pdf.write(kind.name, &kind.octets);
        }
    }
    canonical_forms(&Folder::new("c14n"));
    signed_xml(&Folder::new("xml_verify"));
}

/// A folder below `fuzz/seeds`.
struct Folder(PathBuf);

impl Folder {
    /// Empty.
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, octets: &[u8]) {
        let name: String = name
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("-");
        fs::write(self.0.join(name.to_lowercase()), octets).unwrap();
    }
}

/// The target `c14n` takes what is to be done from the first octet.
fn canonical_forms(folder: &Folder) {
    let mut seen = BTreeSet::new();
    for vector in vectors() {
        let mode = match vector.algorithms {
            [Algorithm::Exclusive] => 2,
            [Algorithm::C14n11] => 1,
            _ => 0,
        };
        let part = if vector.part == Part::Whole { 0 } else { 3 };
        let seed = [&[mode + part], vector.input.as_slice()].concat();
        if seen.insert(seed.clone()) {
            folder.write(vector.name, &seed);
        }
    }
    for document in documents() {
        folder.write(document.name, &[b"\x00", document.octets.as_slice()].concat());
    }
}

fn signed_xml(folder: &Folder) {
    const DOCUMENT: &[u8] = b"<r a='1'>text<b Id='x'/></r>";

    let signer = Pki::shared().signer(Key::P256);
    let new = SignatureOptions::new;
    for (name, options) in [
        ("enveloped", new()),
        ("parallel", new().parallel()),
        ("enveloping-xml", new().packaging(Packaging::EnvelopingXml)),
        ("enveloping-base64", new().packaging(Packaging::EnvelopingBase64)),
        ("part", new().packaging(Packaging::InternallyDetached(vec!["x".to_owned()]))),
    ] {
        let mut source = Document::from_bytes(DOCUMENT);
        let pending = xades::prepare(&mut source, &signer.chain, &parameters(), &options).unwrap();
        let signed = complete_xades(&pending, Some(DOCUMENT), signer).unwrap();
        folder.write(name, &signed);
        if name == "enveloped" {
            let end = "</xades:SignedProperties>";
            let unsigned = format!(
                "{end}<xades:UnsignedProperties><xades:UnsignedSignatureProperties>\
                 <xades:SignatureTimeStamp/><xades:RevocationValues/>\
                 </xades:UnsignedSignatureProperties></xades:UnsignedProperties>"
            );
            let signed = String::from_utf8(signed).unwrap().replacen(end, &unsigned, 1);
            folder.write("time-stamped", signed.as_bytes());
        }
    }
}

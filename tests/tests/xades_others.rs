//! Verifying signatures of EU DSS and signxml: packagings × canonical forms ×
//! algorithms, countersignatures, and their signatures together with this project's in
//! one document. `xades_verify_xmlsec1.rs` does the same for xmlsec1.

use std::path::PathBuf;

use ades_core::{Certificate, Document, Level};
use ades_tests::oracle::dss::Dss;
use ades_tests::oracle::signxml::SignXml;
use ades_tests::oracle::xades::{Asked, Court};
use ades_tests::oracle::xmlsec1;
use ades_tests::pki::{Key, PemFiles, Pki};
use ades_tests::signing::{complete_xades, leads_to, parameters};
use serde_json::{Value, json};
use tempfile::TempDir;
use xades::report::{Coverage, Problem, Report};
use xades::{SignatureOptions, VerifyOptions, prepare_countersignature, verify};

const DOCUMENT: &str = "<?xml version=\"1.0\"?>\n<!-- before -->\n\
    <r xmlns:p=\"urn:p\" xmlns:unused=\"urn:u\" xml:lang=\"nl\" a=\"1\">\n  \
    <e Id=\"object\" p:b=\"é\">un<!-- c --> &amp; <![CDATA[<deux>]]></e>\r\n  \
    <f xmlns=\"urn:f\">trois</f>\n</r>\n";
const METHODS: [&str; 6] = [
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
    "http://www.w3.org/2006/12/xml-c14n11",
    "http://www.w3.org/2006/12/xml-c14n11#WithComments",
    "http://www.w3.org/2001/10/xml-exc-c14n#",
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
];
const DIGESTS: [&str; 3] = ["SHA256", "SHA384", "SHA512"];

/// A signer's files, the document, and the signed file.
struct Bench {
    dir: TempDir,
    pem: PemFiles,
    document: PathBuf,
}

impl Bench {
    fn new(key: Key) -> Self {
        let dir = TempDir::new().unwrap();
        let signer = Pki::shared().signer(key);
        let pem = signer.write_pem_files(dir.path());
        std::fs::write(dir.path().join("signer.p12"), signer.pkcs12("secret")).unwrap();
        let document = dir.path().join("document.xml");
        std::fs::write(&document, DOCUMENT).unwrap();
        Self { dir, pem, document }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Lets DSS sign with these settings.
    fn dss(&self, more: &Value) -> Vec<u8> {
        let out = self.path("signed.xml");
        let mut request = json!({
            "file": self.document, "out": out, "packaging": "ENVELOPED", "digest": "SHA256",
            "pkcs12": self.path("signer.p12"), "password": "secret",
            "time": "2026-09-21T14:13:20Z",
        });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Dss::shared().sign_xml(&request).unwrap_or_else(|error| panic!("{error}: {request}"));
        std::fs::read(out).unwrap()
    }

    /// Lets signxml sign.
    fn signxml(&self, method: &str, algorithm: &str, digest: &str, c14n: &str) -> Vec<u8> {
        let out = self.path("signed.xml");
        let request = json!({
            "file": self.document, "out": out, "key": self.pem.key, "chain": self.pem.chain,
            "method": method, "algorithm": algorithm, "digest": digest, "c14n": c14n,
        });
        SignXml::shared().sign(&request).unwrap_or_else(|error| panic!("{error}: {request}"));
        std::fs::read(out).unwrap()
    }
}

fn root() -> Certificate {
    Pki::shared().signer(Key::P256).chain.certificates().last().unwrap().clone()
}

fn verified(signed: &[u8], originals: &[(&str, &[u8])]) -> Report {
    let mut options = VerifyOptions::new();
    for (name, octets) in originals {
        options = options.original_named(*name, Document::from_bytes(octets));
    }
    verify(&mut Document::from_bytes(signed), options).unwrap()
}

/// Checks that all signatures are intact, trusted and B-B. Some sign only a part of the
/// document, which is the only problem that they may have.
#[track_caller]
fn accepted(report: &Report, count: usize, what: &str, signed: &[u8]) {
    let text = || String::from_utf8_lossy(&signed[..signed.len().min(8000)]).into_owned();
    assert_eq!(report.signatures.len(), count, "{what}\n{}", text());
    for signature in &report.signatures {
        assert!(signature.intact == Some(true), "{what}: {signature:#?}\n{}", text());
        assert!(leads_to(&signature.facts, &[root()]), "{what}: {signature:#?}");
        assert_eq!(signature.level, Level::B, "{what}: {signature:#?}");
        let part = |problem: &Problem| matches!(problem, Problem::NotCovered);
        assert!(signature.problems.iter().all(part), "{what}: {signature:#?}\n{}", text());
    }
}

/// Checks that a change of one signed octet is found.
#[track_caller]
fn change_is_found(signed: &[u8], old: &str, originals: &[(&str, &[u8])], what: &str) {
    let at = signed.windows(old.len()).position(|window| window == old.as_bytes());
    let at = at.unwrap_or_else(|| panic!("{what}: no {old}"));
    let mut changed = signed.to_vec();
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    let report = verified(&changed, originals);
    assert!(
        report.signatures.iter().any(|signature| signature.intact != Some(true)),
        "{what}: {report:#?}"
    );
}

#[test]
fn dss_in_every_packaging_canonical_form_and_algorithm() {
    let keys = [Key::Rsa2048, Key::P256, Key::P384, Key::P521];
    let benches = keys.map(Bench::new);
    for (form, more, changed) in [
        ("enveloped", json!({}), "trois"),
        ("xpath", json!({ "without": "xpath" }), "trois"),
        ("filter2", json!({ "without": "filter2" }), "trois"),
        ("enveloped-signature", json!({ "without": "enveloped-signature" }), "trois"),
        ("base64", json!({ "packaging": "ENVELOPING" }), "PD94"),
        ("nodes", json!({ "packaging": "ENVELOPING", "embed_xml": true }), "trois"),
        ("beside", json!({ "packaging": "INTERNALLY_DETACHED" }), "trois"),
    ] {
        for (number, c14n) in METHODS.into_iter().enumerate() {
            let bench = &benches[number % benches.len()];
            for (at, digest) in DIGESTS.into_iter().enumerate() {
                let mut more = more.clone();
                more["c14n"] = json!(c14n);
                more["digest"] = json!(digest);
                more["pss"] = json!(number % benches.len() == 0 && at == 1);
                let what = format!("{form} {c14n} {digest}");
                // This packaging signs the root element by its Id.
                let root = if form == "beside" { "<r Id=\"root\"" } else { "<r" };
                std::fs::write(&bench.document, DOCUMENT.replace("<r", root)).unwrap();
                let signed = bench.dss(&more);
                accepted(&verified(&signed, &[]), 1, &what, &signed);
                change_is_found(&signed, changed, &[], &what);
                change_is_found(&signed, "2026-09-21T", &[], &what);
            }
        }
    }
}

#[test]
fn dss_over_detached_documents() {
    let bench = Bench::new(Key::P256);
    let files = [("a.bin", b"\0\xFFone".as_slice()), ("b.xml", b"<b>two</b>")];
    let mut named = json!({});
    for (name, octets) in files {
        std::fs::write(bench.path(name), octets).unwrap();
        named[name] = json!(bench.path(name));
    }
    let signed = bench.dss(&json!({ "packaging": "DETACHED", "files": named }));
    accepted(&verified(&signed, &files), 1, "detached", &signed);
    let other = [files[0], ("b.xml", b"<b>three</b>".as_slice())];
    let report = verified(&signed, &other);
    assert!(report.signatures[0].intact != Some(true), "{report:#?}");
}

#[test]
fn the_properties_that_dss_writes_are_read() {
    let bench = Bench::new(Key::P256);
    let signed = bench.dss(&json!({ "commitments": ["ProofOfApproval"], "roles": ["Director"] }));
    let report = verified(&signed, &[]);
    accepted(&report, 1, "claims", &signed);
    let signature = &report.signatures[0];
    assert_eq!(signature.covers, Coverage::Whole);
    assert_eq!(signature.signer_roles, ["Director"]);
    assert_eq!(signature.commitments.len(), 1, "{signature:#?}");
    assert_eq!(signature.claimed_time.unwrap().to_rfc3339(), "2026-09-21T14:13:20+00:00");
}

/// Signatures of both in one document: parallel ones, and each countersigned by the other.
#[test]
fn dss_and_this_project_sign_and_countersign_one_document() {
    let bench = Bench::new(Key::P256);
    let signer = Pki::shared().signer(Key::Rsa2048);
    let ours = |document: &[u8]| {
        let options = SignatureOptions::new().parallel();
        let mut source = Document::from_bytes(document);
        let pending = xades::prepare(&mut source, &signer.chain, &parameters(), &options);
        complete_xades(&pending.unwrap(), Some(document), signer).unwrap()
    };
    let counter = |document: &[u8], nth| {
        let mut source = Document::from_bytes(document);
        let pending = prepare_countersignature(
            &mut source,
            &[nth],
            &signer.chain,
            &parameters(),
            &SignatureOptions::new(),
        );
        complete_xades(&pending.unwrap(), Some(document), signer).unwrap()
    };
    let by_dss = |document: &[u8], more: &Value| {
        std::fs::write(&bench.document, document).unwrap();
        bench.dss(more)
    };
    let countersigned_by_dss = |document: &[u8], index: usize| {
        std::fs::write(bench.path("counter.xml"), document).unwrap();
        let counter = bench.path("counter.xml");
        let packaging = "DETACHED";
        bench.dss(&json!({ "counter": counter, "counter_index": index, "packaging": packaging }))
    };

    let both = by_dss(&ours(DOCUMENT.as_bytes()), &json!({}));
    accepted(&verified(&both, &[]), 2, "ours, then theirs", &both);
    let both =
        ours(&by_dss(DOCUMENT.as_bytes(), &json!({ "without": "xpath", "c14n": METHODS[4] })));
    accepted(&verified(&both, &[]), 2, "theirs, then ours", &both);
    let court = Court::new();
    let asked = Asked { signxml: false, ..Asked::default() };
    let verdict = court.judge(&both, 2, asked);
    assert!(verdict.all_accept(), "{verdict:#?}");

    for (what, signed) in [
        ("theirs on ours", countersigned_by_dss(&both, 1)),
        ("ours on theirs", counter(&both, 0)),
        ("both", counter(&countersigned_by_dss(&both, 0), 0)),
    ] {
        let report = verified(&signed, &[]);
        let all: Vec<_> =
            report.signatures.iter().flat_map(|signature| &signature.countersignatures).collect();
        assert_eq!(report.signatures.len(), 2, "{what}");
        assert_eq!(all.len(), if what == "both" { 2 } else { 1 }, "{what}: {report:#?}");
        assert!(report.is_valid(), "{what}: {report:#?}");
        let verdict = court.judge(&signed, 2 + all.len(), asked);
        assert!(verdict.dss.is_ok(), "{what}: {verdict:#?}");
    }
}

#[test]
fn signxml_in_every_packaging_canonical_form_and_algorithm() {
    // signxml loses inherited attributes, and digests comments that references to the
    // same document do not cover.
    const PLAIN: &str = "<r a=\"1\">\n  <e Id=\"object\" b=\"é\">un &amp; <![CDATA[<deux>]]></e>\r\n  \
        <f xmlns=\"urn:f\">trois</f>\n</r>\n";

    let court = Court::new();
    for (key, name) in [
        (Key::Rsa2048, "RSA"),
        (Key::Rsa2048, "SHA-MGF1"),
        (Key::P256, "ECDSA"),
        (Key::P521, "ECDSA"),
    ] {
        let bench = Bench::new(key);
        for (number, c14n) in METHODS.into_iter().enumerate() {
            let digest = DIGESTS[number % 3];
            let algorithm = match name {
                "SHA-MGF1" => format!("{digest}_RSA_MGF1"),
                name => format!("{name}_{digest}"),
            };
            for (method, changed) in
                [("enveloped", "trois"), ("enveloping", "trois"), ("detached", "deux")]
            {
                let what = format!("{method} {c14n} {algorithm}");
                // signxml has an element of its own with this Id.
                let id = if method == "enveloping" { "own" } else { "object" };
                std::fs::write(&bench.document, PLAIN.replace("object", id)).unwrap();
                let signed = bench.signxml(method, &algorithm, digest, c14n);
                if c14n.contains("exc-c14n") {
                    // References without transforms are digested in C14N 1.0 (XML
                    // Signature, clause 4.4.3.2), but signxml uses the exclusive form.
                    let report = verified(&signed, &[]);
                    assert_eq!(report.signatures[0].problems[0], Problem::DigestMismatch, "{what}");
                    let path = court.write("signed.xml", &signed);
                    assert!(xmlsec1::verify(&path, court.root()).is_err(), "{what}");
                    continue;
                }
                accepted(&verified(&signed, &[]), 1, &what, &signed);
                change_is_found(&signed, changed, &[], &what);
            }
        }
    }
}

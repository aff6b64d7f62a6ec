//! Our containers judged by EU DSS and asn1crypto, and containers of DSS judged
//! by us.

use std::path::PathBuf;

use ades_core::{CommitmentType, Document, SignatureParameters, SignaturePolicy, SignerLocation};
use ades_tests::cms;
use ades_tests::oracle::dss::Dss;
use ades_tests::oracle::{openssl, python};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{algorithms, finish, parameters, sign};
use cades::report::{Level, Problem};
use cades::{Packaging, SignatureOptions, VerifyOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

const CONTENT: &[u8] = b"content for EU DSS\r\n\x00\xFF";

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(TempDir::new().unwrap());
        files.write("root.pem", Pki::shared().root_pem().as_bytes());
        files.write("content", CONTENT);
        files
    }

    fn write(&self, name: &str, octets: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, octets).unwrap();
        path
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn judge(&self, container: &[u8], packaging: Packaging) -> Vec<Value> {
        let container = self.write("container", container);
        let original = (packaging == Packaging::Detached).then(|| self.path("content"));
        Dss::shared().validate(&container, original.as_deref(), &self.path("root.pem"))
    }
}

fn assert_baseline_b(signature: &Value, what: &str) {
    assert_eq!(signature["level"], "CAdES-BASELINE-B", "{what}: {signature}");
    assert_eq!(signature["intact"], true, "{what}: {signature}");
    assert_eq!(signature["valid"], true, "{what}: {signature}");
    assert_eq!(signature["structure_valid"], true, "{what}: {signature}");
    assert_eq!(signature["structure"], json!([]), "{what}: {signature}");
    // The test PKI has no revocation service, and DSS's table of algorithms has
    // no EdDSA. DSS must report nothing else as missing.
    let missed = [
        "The certificate validation is not conclusive!",
        "No revocation data found for the certificate!",
        "The algorithm EdDSA with SHA512 is not authorised for signature creation!",
    ];
    let expected = if what.contains("ed25519") { &missed[..] } else { &missed[..2] };
    assert_eq!(signature["errors"], json!(expected), "{what}: {signature}");
    assert_eq!(signature["signing_certificate_identified"], true, "{what}: {signature}");
    assert_eq!(signature["signing_certificate_unique"], true, "{what}: {signature}");
    for digest in signature["digests"].as_array().unwrap() {
        assert!(digest["found"] == true && digest["intact"] == true, "{what}: {signature}");
    }
}

fn with_everything() -> SignatureParameters {
    let mut policy = SignaturePolicy::of_document(
        "1.3.6.1.4.1.49274.1.1.7.2.0".parse().unwrap(),
        ades_core::DigestAlgorithm::Sha256,
        b"policy document",
    );
    policy.uri = Some("https://policy.example/p.pdf".into());
    policy.user_notice = Some("Gekwalificeerde handtekening".into());
    parameters()
        .policy(policy)
        .commitment(CommitmentType::APPROVAL)
        .signer_role("Gérant")
        .location(
            SignerLocation::default().country("BE").locality("Liège").postal_address(["Rue 1"]),
        )
        .mime_type("text/plain")
        .description("Bail 12")
}

#[test]
fn every_packaging_key_and_algorithm_is_baseline_b() {
    let files = Files::new();
    for packaging in [Packaging::Detached, Packaging::Enveloping] {
        for key in Key::ALL {
            let signer = Pki::shared().signer(key);
            for algorithm in algorithms(signer) {
                for (name, parameters) in [("plain", parameters()), ("full", with_everything())] {
                    let what = format!("{packaging:?} {key:?} {algorithm} {name}");
                    let parameters = parameters.algorithm(algorithm);
                    let container = sign(CONTENT, packaging, signer, &parameters).unwrap();
                    let verdict = files.judge(&container, packaging);
                    assert_eq!(verdict.len(), 1, "{what}");
                    assert_baseline_b(&verdict[0], &what);
                    let read = python::strict(&files.path("container"));
                    assert_eq!(read["same_octets"], true, "{what}: DER for asn1crypto");
                    assert_eq!(read["version"], "v1");
                    assert_eq!(read["certificates"], 3);
                }
            }
        }
    }
}

#[test]
fn dss_reads_every_attribute() {
    let files = Files::new();
    let signer = Pki::shared().signer(Key::Rsa2048);
    let container = sign(CONTENT, Packaging::Detached, signer, &with_everything()).unwrap();
    let verdict = &files.judge(&container, Packaging::Detached)[0];
    assert_eq!(verdict["policy"], "1.3.6.1.4.1.49274.1.1.7.2.0");
    assert_eq!(verdict["policy_url"], "https://policy.example/p.pdf");
    assert_eq!(verdict["policy_notice"], "Gekwalificeerde handtekening");
    assert_eq!(verdict["commitments"], json!(["1.2.840.113549.1.9.16.6.5"]));
    assert_eq!(verdict["roles"], json!(["Gérant"]));
    assert_eq!(verdict["country"], "BE");
    assert_eq!(verdict["city"], "Liège");
    assert_eq!(verdict["mime_type"], "text/plain");
}

#[test]
fn a_changed_content_is_not_intact() {
    let files = Files::new();
    let signer = Pki::shared().signer(Key::P256);
    let container = sign(CONTENT, Packaging::Detached, signer, &parameters()).unwrap();
    files.write("content", b"something else");
    assert_eq!(files.judge(&container, Packaging::Detached)[0]["valid"], false);
}

#[test]
fn parallel_signatures_and_countersignatures_are_baseline_b() {
    let files = Files::new();
    let (first, second) = (Pki::shared().signer(Key::Rsa2048), Pki::shared().signer(Key::P384));
    for packaging in [Packaging::Detached, Packaging::Enveloping] {
        let one = sign(CONTENT, packaging, first, &parameters()).unwrap();
        let pending = cades::prepare_parallel(
            &mut Document::from_bytes(&one),
            Some(&mut Document::from_bytes(CONTENT)),
            &second.chain,
            &parameters(),
            &SignatureOptions::new(),
        )
        .unwrap();
        let two = finish(&pending, second, Some(&one)).unwrap();
        let pending = cades::prepare_countersignature(
            &mut Document::from_bytes(&two),
            &[0],
            &second.chain,
            &parameters(),
            &SignatureOptions::new(),
        )
        .unwrap();
        let three = finish(&pending, second, Some(&two)).unwrap();
        let verdict = files.judge(&three, packaging);
        assert_eq!(verdict.len(), 3);
        assert_eq!(verdict.iter().filter(|v| v["counter"] == true).count(), 1);
        // The order of DER may have changed with the length.
        let read = cades::verify(&mut Document::from_bytes(&three), VerifyOptions::new()).unwrap();
        let at = read.signatures.iter().position(|one| !one.countersignatures.is_empty()).unwrap();
        let pending = cades::prepare_countersignature(
            &mut Document::from_bytes(&three),
            &[at, 0],
            &first.chain,
            &parameters(),
            &SignatureOptions::new(),
        )
        .unwrap();
        let four = finish(&pending, first, Some(&three)).unwrap();
        assert_eq!(files.judge(&four, packaging).len(), 4);
        for signature in &verdict {
            assert_baseline_b(signature, "parallel and countersigned");
        }
        let read = python::strict(&files.path("container"));
        assert_eq!(read["same_octets"], true, "still DER");
    }
}

#[test]
fn containers_of_dss_verify() {
    let files = Files::new();
    for key in [Key::Rsa2048, Key::P256, Key::P384] {
        let signer = Pki::shared().signer(key);
        let (pem, chain) = (
            files.write("key.pem", signer.key_pem.as_bytes()),
            files.write("chain.pem", signer.chain_pem().as_bytes()),
        );
        let pkcs12 = files.path("signer.p12");
        openssl::run(&[
            "pkcs12",
            "-export",
            "-passout",
            "pass:secret",
            "-inkey",
            pem.to_str().unwrap(),
            "-in",
            chain.to_str().unwrap(),
            "-out",
            pkcs12.to_str().unwrap(),
        ])
        .unwrap();
        for packaging in ["DETACHED", "ENVELOPING"] {
            for (digest, pss) in [("SHA256", false), ("SHA512", false), ("SHA256", true)] {
                if pss && key != Key::Rsa2048 {
                    continue;
                }
                let what = format!("{key:?} {packaging} {digest} pss={pss}");
                let out = files.path("theirs");
                Dss::shared().sign(&json!({
                    "file": files.path("content"), "out": out, "packaging": packaging,
                    "digest": digest, "pss": pss, "pkcs12": pkcs12, "password": "secret",
                    "policy": "1.2.3.4.5", "policy_url": "https://policy.example/p.pdf",
                    "commitments": ["ProofOfApproval"], "roles": ["Director"],
                }));
                let theirs = std::fs::read(&out).unwrap();
                let mut source = Document::from_bytes(&theirs);
                let mut original = Document::from_bytes(CONTENT);
                let options = VerifyOptions::new().original(&mut original);
                let report = cades::verify(&mut source, options).unwrap();
                assert!(report.is_valid(), "{what}: {report:?}");
                let signature = &report.signatures[0];
                assert_eq!(signature.level, Level::B, "{what}");
                assert_eq!(signature.commitment, Some(CommitmentType::APPROVAL), "{what}");
                assert_eq!(signature.signer_roles, ["Director"], "{what}");
                assert_eq!(
                    signature.policy.as_ref().map(|p| p.id.to_string()).as_deref(),
                    Some("1.2.3.4.5"),
                    "{what}"
                );
            }
        }
    }
}

/// RFC 5652, 5.4: the value is over the DER of the signed attributes, whatever was
/// sent. OpenSSL takes the order in which they were sent.
#[test]
fn dss_and_we_agree_on_attributes_that_are_not_der() {
    type Encoding = fn(&[Vec<u8>]) -> Vec<u8>;

    let files = Files::new();
    let signer = Pki::shared().signer(Key::P256);
    let container = sign(CONTENT, Packaging::Enveloping, signer, &parameters()).unwrap();
    let der: Encoding = |attributes| cms::element(0x31, &[&attributes.concat()]);
    let descending: Encoding = |attributes| {
        let attributes: Vec<_> = attributes.iter().rev().cloned().collect();
        cms::element(0x31, &[&attributes.concat()])
    };
    let indefinite: Encoding =
        |attributes| [&[0x31, 0x80], &attributes.concat()[..], &[0, 0]].concat();
    for (sent, signed, is_der, verifies) in [
        (der, der, true, true),
        (descending, der, false, true),
        (descending, descending, false, false),
        (indefinite, der, false, true),
        (indefinite, indefinite, false, false),
    ] {
        let changed = cms::with_encoded_attributes(&container, signer, sent, signed);
        let judged = files.judge(&changed, Packaging::Enveloping);
        assert_eq!(judged[0]["valid"], verifies, "{judged:?}");
        let report = cades::verify(&mut Document::from_bytes(&changed), VerifyOptions::new());
        let [signature] = report.unwrap().signatures.try_into().unwrap();
        assert_eq!(signature.intact == Some(true), verifies, "{signature:?}");
        let reported = signature.problems.contains(&Problem::SignedAttributesNotDer);
        assert_eq!(reported, !is_der, "{signature:?}");
    }
}

//! The judges agree with each other, and each can say no: a judge that accepts
//! everything proves nothing. Nothing here is made or read by our engine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ades_core::verify::{verify, verify_digest};
use ades_core::{Digest, DigestAlgorithm, SignatureAlgorithm};
use ades_tests::corpora;
use ades_tests::oracle::dss::Dss;
use ades_tests::oracle::{openssl, python};
use ades_tests::pki::{Key, PemFiles, Pki, pem};
use ades_tests::signing::algorithms;
use pkcs12_signer::Pkcs12Signer;
use serde_json::{Value, json};
use tempfile::TempDir;

const CONTENT: &[u8] = b"content for the judges\r\n\x00\xFF";
const TIME: &str = "2026-09-21T14:13:20Z";

/// A directory with a signer's files and the content.
struct Bench {
    dir: TempDir,
    pem: PemFiles,
    content: PathBuf,
    pkcs12: PathBuf,
}

impl Bench {
    fn new(key: Key) -> Self {
        let signer = Pki::shared().signer(key);
        let dir = TempDir::new().unwrap();
        let pem = signer.write_pem_files(dir.path());
        let write = |name: &str, octets: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, octets).unwrap();
            path
        };
        let content = write("content", CONTENT);
        let pkcs12 = write("signer.p12", &signer.pkcs12("secret"));
        Self { dir, pem, content, pkcs12 }
    }

    fn write(&self, name: &str, octets: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, octets).unwrap();
        path
    }

    /// A container that DSS makes; `more` replaces and adds to the request.
    fn dss(&self, name: &str, packaging: &str, more: &Value) -> PathBuf {
        let out = self.dir.path().join(name);
        let mut request = json!({
            "file": self.content, "out": out, "packaging": packaging, "digest": "SHA256",
            "pkcs12": self.pkcs12, "password": "secret", "time": TIME,
        });
        for (name, value) in more.as_object().unwrap() {
            request[name] = value.clone();
        }
        Dss::shared().sign(&request);
        out
    }

    fn openssl(&self, more: &[&str]) -> PathBuf {
        let PemFiles { leaf, key, issuers, .. } = &self.pem;
        let made = openssl::cms_sign(more, &self.content, leaf, key, issuers).unwrap();
        self.write("openssl", &made)
    }

    fn original(&self, detached: bool) -> Option<&Path> {
        detached.then_some(&*self.content)
    }

    fn validate(&self, container: &Path, detached: bool) -> Vec<Value> {
        Dss::shared().validate(container, self.original(detached), &self.pem.root)
    }
}

fn assert_baseline_b(signature: &Value) {
    assert_eq!(signature["level"], "CAdES-BASELINE-B", "{signature}");
    assert_eq!(signature["intact"], true, "{signature}");
    assert_eq!(signature["valid"], true, "{signature}");
    assert_eq!(signature["structure"], json!([]), "{signature}");
    assert_eq!(signature["trusted_chain"], true, "{signature}");
    let digests = signature["digests"].as_array().unwrap();
    assert!(!digests.is_empty(), "{signature}");
    assert!(digests.iter().all(|d| d["found"] == true && d["intact"] == true), "{signature}");
}

#[test]
fn dss_is_the_version_the_expectations_are_of() {
    let versions = Dss::shared().ping();
    assert_eq!(versions["dss"], "6.4");
    assert!(versions["bouncycastle"].is_string() && versions["java"].is_string());
}

#[test]
fn every_judge_accepts_what_dss_signs() {
    for (key, pss) in
        [(Key::Rsa2048, false), (Key::Rsa2048, true), (Key::P256, false), (Key::P521, false)]
    {
        let bench = Bench::new(key);
        for (packaging, detached) in [("DETACHED", true), ("ENVELOPING", false)] {
            let what = format!("{key:?} pss={pss} {packaging}");
            let made = bench.dss("made", packaging, &json!({ "pss": pss }));
            let verdict = bench.validate(&made, detached);
            assert_eq!(verdict.len(), 1, "{what}");
            assert_baseline_b(&verdict[0]);
            assert_eq!(verdict[0]["signing_time"], TIME, "{what}");
            assert_eq!(verdict[0]["certificates"], 3, "{what}");
            let reference = &verdict[0]["signing_certificate_reference"];
            assert_eq!(reference["digest_match"], true, "{what}");

            let original = bench.original(detached);
            openssl::cms_verify_cades(&made, original, &bench.pem.root)
                .unwrap_or_else(|e| panic!("{what}: {e}"));
            let parsed = Dss::shared().parse_cms(&made, original).unwrap();
            assert_eq!(parsed["signers"][0]["verified"], true, "{what}: {parsed}");
            assert_eq!(parsed["trailing"], false, "{what}");
            assert_eq!(python::strict(&made)["certificates"], 3, "{what}");
        }
    }
}

#[test]
fn every_judge_refuses_a_flipped_bit_in_the_content() {
    let bench = Bench::new(Key::P256);
    let made = bench.dss("made", "DETACHED", &json!({}));
    let enveloping = bench.dss("enveloping", "ENVELOPING", &json!({}));
    let mut octets = std::fs::read(&enveloping).unwrap();
    let at = octets.windows(CONTENT.len()).position(|window| window == CONTENT).unwrap();
    octets[at] ^= 1;
    std::fs::write(&enveloping, octets).unwrap();
    let mut content = CONTENT.to_vec();
    content[3] ^= 1;
    std::fs::write(&bench.content, content).unwrap();

    for (made, detached) in [(made, true), (enveloping, false)] {
        let verdict = &bench.validate(&made, detached)[0];
        assert_eq!(verdict["valid"], false, "{verdict}");
        assert_eq!(verdict["digests"][0]["found"], true, "{verdict}");
        assert_eq!(verdict["digests"][0]["intact"], false, "{verdict}");
        let original = bench.original(detached);
        let error = openssl::cms_verify_cades(&made, original, &bench.pem.root).unwrap_err();
        assert!(error.contains("verification failure"), "{error}");
        let parsed = Dss::shared().parse_cms(&made, original).unwrap();
        assert_eq!(parsed["signers"][0]["verified"], false, "{parsed}");
    }
}

#[test]
fn a_stranger_s_root_is_not_trusted() {
    let bench = Bench::new(Key::P256);
    let made = bench.dss("made", "ENVELOPING", &json!({}));
    let stranger = bench.write("stranger.pem", Pki::new().root_pem().as_bytes());
    let verdict = &Dss::shared().validate(&made, None, &stranger)[0];
    assert_eq!(verdict["intact"], true);
    assert_eq!(verdict["trusted_chain"], false);
    assert_eq!(verdict["sub_indication"], "NO_CERTIFICATE_CHAIN_FOUND");
    assert!(openssl::cms_verify_cades(&made, None, &stranger).is_err());
    let PemFiles { leaf, issuers, .. } = &bench.pem;
    assert!(openssl::verify_certificate(leaf, issuers, &stranger).is_err());
}

#[test]
fn dss_accepts_what_openssl_signs() {
    let pss = ["-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:digest"];
    for (key, how) in [(Key::Rsa2048, &[][..]), (Key::Rsa2048, &pss), (Key::P256, &[])] {
        let bench = Bench::new(key);
        let packagings = [
            (&[][..], true, true),
            (&["-nodetach"], false, true),
            (&["-nodetach", "-stream"], false, false),
        ];
        // OpenSSL 3.0 cannot stream with PSS.
        let count = if how.is_empty() { 3 } else { 2 };
        for (packaging, detached, der) in packagings.into_iter().take(count) {
            let what = format!("{key:?} {how:?} {packaging:?}");
            let made = bench.openssl(&[&["-cades"], how, packaging].concat());
            let verdict = bench.validate(&made, detached);
            assert_eq!(verdict.len(), 1, "{what}");
            assert_baseline_b(&verdict[0]);
            let original = bench.original(detached);
            openssl::cms_verify_cades(&made, original, &bench.pem.root).unwrap();
            let parsed = Dss::shared().parse_cms(&made, original).unwrap();
            assert_eq!(parsed["signers"][0]["verified"], true, "{what}: {parsed}");
            // With -stream: indefinite lengths, octets in segments.
            let indefinite = openssl::asn1parse(&made).unwrap().contains("l=inf");
            assert_eq!(indefinite, !der, "{what}");
            if !der {
                assert_eq!(parsed["der"], false, "{what}");
                assert_eq!(python::strict(&made)["same_octets"], false, "{what}");
            }
        }
    }
}

#[test]
fn without_the_signing_certificate_s_attribute_it_is_no_cades() {
    let bench = Bench::new(Key::P256);
    let made = bench.openssl(&["-nodetach"]);
    let verdict = &bench.validate(&made, false)[0];
    assert_eq!(verdict["intact"], true);
    assert_eq!(verdict["level"], "CMS-NOT-ETSI");
    assert!(openssl::cms_verify_cades(&made, None, &bench.pem.root).is_err());
}

#[test]
fn what_dss_is_told_to_claim_it_reads_back() {
    let bench = Bench::new(Key::Rsa2048);
    let hash = Digest::of(DigestAlgorithm::Sha256, b"policy document").to_hex();
    let made = bench.dss(
        "made",
        "DETACHED",
        &json!({
            "policy": "1.2.3.4.5", "policy_hash": hash, "policy_notice": "Lisez-moi",
            "policy_url": "https://policy.example/p.pdf",
            "commitments": ["ProofOfApproval"], "roles": ["Gérant"],
            "location": { "country": "BE", "locality": "Liège", "postal_address": ["Rue 1"] },
        }),
    );
    let verdict = &bench.validate(&made, true)[0];
    assert_baseline_b(verdict);
    assert_eq!(verdict["policy"], "1.2.3.4.5");
    assert_eq!(verdict["policy_hash"], hash);
    assert_eq!(verdict["policy_hash_algorithm"], "SHA256");
    assert_eq!(verdict["policy_zero_hash"], false);
    assert_eq!(verdict["policy_notice"], "Lisez-moi");
    assert_eq!(verdict["policy_url"], "https://policy.example/p.pdf");
    assert_eq!(verdict["commitments"], json!(["1.2.840.113549.1.9.16.6.5"]));
    assert_eq!(verdict["roles"], json!(["Gérant"]));
    assert_eq!(verdict["country"], "BE");
    assert_eq!(verdict["city"], "Liège");
    assert_eq!(verdict["postal_address"], json!(["Rue 1"]));
}

#[test]
fn dss_adds_parallel_signatures_and_countersignatures() {
    let (first, second) = (Bench::new(Key::Rsa2048), Bench::new(Key::P384));
    for (packaging, detached) in [("DETACHED", true), ("ENVELOPING", false)] {
        let one = first.dss("one", packaging, &json!({}));
        let two = second.dss("two", packaging, &json!({ "parallel": one }));
        let verdict = first.validate(&two, detached);
        assert_eq!(verdict.len(), 2, "{packaging}");
        assert!(verdict.iter().all(|signature| signature["parent"].is_null()));

        let three = second.dss("three", packaging, &json!({ "counter": two }));
        let verdict = first.validate(&three, detached);
        assert_eq!(verdict.len(), 3, "{packaging}");
        verdict.iter().for_each(assert_baseline_b);
        let counter: Vec<_> = verdict.iter().filter(|s| s["counter"] == true).collect();
        assert_eq!(counter.len(), 1, "{packaging}");
        let parent = &counter[0]["parent"];
        assert!(verdict.iter().any(|s| s["id"] == *parent && s["counter"] == false));

        let parsed = Dss::shared().parse_cms(&three, first.original(detached)).unwrap();
        let signers = parsed["signers"].as_array().unwrap();
        assert_eq!(signers.len(), 3, "{packaging}");
        assert!(signers.iter().all(|signer| signer["verified"] == true), "{parsed}");
    }
}

#[test]
fn what_is_no_cms_is_an_error_and_the_judge_lives_on() {
    let bench = Bench::new(Key::P256);
    assert!(Dss::shared().parse_cms(&bench.content, None).is_err());
    assert!(Dss::shared().try_validate(&json!({ "file": bench.content })).is_err());
    assert_eq!(Dss::shared().ping()["dss"], "6.4");
}

#[test]
fn openssl_accepts_the_certificate_of_each_type_of_key() {
    for key in Key::ALL {
        let dir = TempDir::new().unwrap();
        let PemFiles { leaf, issuers, root, .. } =
            Pki::shared().signer(key).write_pem_files(dir.path());
        openssl::verify_certificate(&leaf, &issuers, &root)
            .unwrap_or_else(|e| panic!("{key:?}: {e}"));
        assert!(openssl::verify_certificate(&leaf, &root, &root).is_err(), "{key:?}: no issuer");
    }
}

#[test]
fn a_certificate_is_good_by_each_certificate_of_its_issuer() {
    let (pki, other) = (Pki::shared(), Pki::new());
    let bench = Bench::new(Key::P256);
    let (again, cross) = (pki.reissued(), pki.cross_signed_by(&other));
    for certificate in [&again, &cross] {
        assert_eq!(certificate.subject(), pki.issuing().subject());
        assert_eq!(certificate.public_key_info(), pki.issuing().public_key_info());
        assert_ne!(certificate.serial_number(), pki.issuing().serial_number());
    }
    let verify = |issuer, root: &Path| {
        let issuers = bench.write("again.pem", pem(issuer).as_bytes());
        openssl::verify_certificate(&bench.pem.leaf, &issuers, root)
    };
    let other_root = bench.write("other.pem", other.root_pem().as_bytes());
    verify(&again, &bench.pem.root).unwrap();
    verify(&cross, &other_root).unwrap();
    assert!(verify(&again, &other_root).is_err());
    assert!(verify(&cross, &bench.pem.root).is_err());
}

#[test]
fn values_by_the_pki_and_by_openssl_verify_over_a_digest() {
    for key in Key::ALL {
        let bench = Bench::new(key);
        let signer = Pki::shared().signer(key);
        for algorithm in algorithms(signer) {
            let theirs = |signed: &[u8]| {
                openssl::pkeyutl_sign(&bench.pem.key, algorithm, signed)
                    .unwrap_or_else(|e| panic!("{key:?} {algorithm}: {e}"))
            };
            if algorithm == SignatureAlgorithm::Ed25519 {
                let value = theirs(CONTENT);
                assert_eq!(value, signer.sign_message(algorithm, CONTENT));
                verify(signer.leaf(), algorithm, CONTENT, &value).unwrap();
                continue;
            }
            let digest = Digest::of(algorithm.digest_algorithm(), CONTENT);
            let (ours, theirs) =
                (signer.sign_digest(algorithm, digest.value()), theirs(digest.value()));
            for value in [&ours, &theirs] {
                verify_digest(signer.leaf(), algorithm, &digest, value)
                    .unwrap_or_else(|e| panic!("{key:?} {algorithm}: {e}"));
            }
            let deterministic = matches!(algorithm, SignatureAlgorithm::RsaPkcs1v15(_));
            assert_eq!(ours == theirs, deterministic, "{key:?} {algorithm}");
        }
    }
}

#[test]
fn the_pkcs12_file_opens_with_its_password_only() {
    let signer = Pki::shared().signer(Key::P384);
    let file = signer.pkcs12("secret");
    Pkcs12Signer::from_bytes(&file, "secret").unwrap();
    assert!(Pkcs12Signer::from_bytes(&file, "other").is_err());
}

/// What DSS says of a file of others, without trust anchors: independent of
/// today's date.
fn verdict(path: &Path) -> Value {
    let cms = match Dss::shared().parse_cms(path, None) {
        Ok(read) => {
            json!({ "version": read["version"], "der": read["der"], "trailing": read["trailing"] })
        }
        Err(error) => json!({ "error": error }),
    };
    let request = json!({ "file": path, "time": TIME });
    let signatures = match Dss::shared().try_validate(&request) {
        Ok(found) => found,
        Err(error) => return json!({ "cms": cms, "error": error }),
    };
    let kept = [
        "level",
        "intact",
        "valid",
        "counter",
        "algorithm",
        "digests",
        "certificates",
        "structure_valid",
        "sub_indication",
        "signing_time",
        "policy",
    ];
    let signatures: Vec<Value> = signatures
        .iter()
        .map(|found| kept.iter().map(|&name| (name.to_owned(), found[name].clone())).collect())
        .collect();
    json!({ "cms": cms, "count": signatures.len(), "signatures": signatures })
}

/// With `UPDATE_EXPECTED` set, writes new expectations. Review the difference
/// before you commit it.
#[test]
fn dss_says_of_the_corpus_what_is_written_down() {
    let Some(corpus) = corpora::files("cades") else { return };
    let found: BTreeMap<String, Value> =
        corpus.iter().map(|file| (file.name.to_owned(), verdict(&file.path))).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cades/expected.json");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        let text = serde_json::to_string_pretty(&found).unwrap();
        std::fs::write(&path, text + "\n").unwrap();
    }
    let expected: BTreeMap<String, Value> =
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, verdict) in &found {
        assert_eq!(verdict, &expected[name], "{name}");
    }
}

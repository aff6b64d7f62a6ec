//! One CAdES container of each kind, made by us, by OpenSSL, or from one of these
//! with other attributes: what we report of it. Nothing here was made by others.

use ades_core::{DigestAlgorithm, Document, Level, SignaturePolicy};
use ades_tests::cms::{attribute, contains, with_signed_attributes, with_unsigned_attribute};
use ades_tests::corpora::note_ran;
use ades_tests::oracle::openssl;
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{finish, leads_to, parameters, sign};
use cades::report::{Problem, Report};
use cades::{Error, Packaging, SignatureOptions, VerifyOptions};
use tempfile::TempDir;

const CONTENT: &[u8] = b"content\r\n\x00\xFF";

/// Whole OBJECT IDENTIFIERs.
const CONTENT_TYPE: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x09\x03";
const MESSAGE_DIGEST: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x09\x04";
const SIGNING_TIME: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x09\x05";
const SIGNING_CERTIFICATE_V2: &[u8] = b"\x06\x0B\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x02\x2F";
const SIGNATURE_TIME_STAMP: &[u8] = b"\x06\x0B\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x02\x0E";
const CERTIFICATE_REFS: &[u8] = b"\x06\x0B\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x02\x15";
const REVOCATION_VALUES: &[u8] = b"\x06\x0B\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x02\x18";
const ARCHIVE_TIME_STAMP_V3: &[u8] = b"\x06\x06\x04\x00\x8D\x45\x02\x04";

fn verify(container: &[u8]) -> Result<Report, Error> {
    let mut original = Document::from_bytes(CONTENT);
    let options = VerifyOptions::new().original(&mut original);
    cades::verify(&mut Document::from_bytes(container), options)
}

fn by_openssl(more: &[&str], key: Key) -> Vec<u8> {
    let (dir, signer) = (TempDir::new().unwrap(), Pki::shared().signer(key));
    let pem = signer.write_pem_files(dir.path());
    let content = dir.path().join("content");
    std::fs::write(&content, CONTENT).unwrap();
    openssl::cms_sign(more, &content, &pem.leaf, &pem.key, &pem.issuers).unwrap()
}

fn ours(packaging: Packaging) -> Vec<u8> {
    sign(CONTENT, packaging, Pki::shared().signer(Key::P256), &parameters()).unwrap()
}

/// What is expected of a container; `problems` are those of each signature.
struct Kind {
    name: &'static str,
    container: Vec<u8>,
    der: bool,
    problems: &'static [Problem],
    signatures: usize,
    unsigned: usize,
}

fn kind(name: &'static str, container: Vec<u8>, problems: &'static [Problem]) -> Kind {
    Kind { name, container, der: true, problems, signatures: 1, unsigned: 0 }
}

fn kinds() -> Vec<Kind> {
    let detached = ours(Packaging::Detached);
    let mut kinds = vec![
        kind("detached", detached.clone(), &[]),
        kind("enveloping", ours(Packaging::Enveloping), &[]),
        kind("OpenSSL's, detached", by_openssl(&["-cades"], Key::Rsa2048), &[]),
        kind("OpenSSL's, enveloping", by_openssl(&["-cades", "-nodetach"], Key::P384), &[]),
        Kind {
            der: false,
            ..kind(
                "BER, of indefinite length and in pieces",
                by_openssl(&["-cades", "-nodetach", "-stream"], Key::Rsa2048),
                &[],
            )
        },
        kind("signer by key identifier", by_openssl(&["-cades", "-keyid"], Key::P256), &[]),
        kind(
            "certificate not bound",
            by_openssl(&["-nodetach"], Key::Rsa2048),
            &[Problem::SigningCertificateMissing],
        ),
        kind(
            "no signed attributes",
            by_openssl(&["-nodetach", "-noattr"], Key::Rsa2048),
            &[Problem::SignedAttributesMissing],
        ),
        kind(
            "no certificate of the signer",
            by_openssl(&["-nocerts", "-cades"], Key::P256),
            &[Problem::SignerCertificateMissing],
        ),
        kind(
            "an algorithm of the past",
            by_openssl(&["-cades", "-md", "sha1"], Key::Rsa2048),
            &[Problem::LegacySigningCertificate],
        ),
        kind(
            "content that is not called data",
            by_openssl(&["-cades", "-nodetach", "-econtent_type", "1.2.3.4.5"], Key::P256),
            &[Problem::ContentTypeNotData],
        ),
    ];
    kinds.extend(with_other_signed_attributes(&detached));
    kinds.extend(with_unsigned_attributes(&detached));
    kinds.extend(of_several_signers(&detached));
    let signer = Pki::shared().signer(Key::P256);
    let policy =
        SignaturePolicy::of_document("1.2.3".parse().unwrap(), DigestAlgorithm::Sha256, b"policy");
    let epes = sign(CONTENT, Packaging::Detached, signer, &parameters().policy(policy)).unwrap();
    kinds.push(kind("with a policy", epes, &[]));
    kinds
}

fn with_other_signed_attributes(detached: &[u8]) -> Vec<Kind> {
    let without = |name, attribute: &'static [u8], problems| {
        let signer = Pki::shared().signer(Key::P256);
        let changed = with_signed_attributes(detached, signer, |attributes| {
            attributes.retain(|one| !contains(one, attribute));
        });
        kind(name, changed, problems)
    };
    let signer = Pki::shared().signer(Key::P256);
    let twice = with_signed_attributes(detached, signer, |attributes| {
        let time = attributes.iter().find(|one| contains(one, SIGNING_TIME)).cloned();
        attributes.extend(time);
    });
    let more = with_signed_attributes(detached, signer, |attributes| {
        attributes.push(attribute(b"\x06\x03\x2A\x03\x04", b"\x0C\x01x"));
    });
    vec![
        without("no signing time", SIGNING_TIME, &[Problem::SigningTimeMissing]),
        without("no content type", CONTENT_TYPE, &[Problem::ContentTypeMismatch]),
        without("no message digest", MESSAGE_DIGEST, &[Problem::MessageDigestMissing]),
        without(
            "no signing certificate",
            SIGNING_CERTIFICATE_V2,
            &[Problem::SigningCertificateMissing],
        ),
        kind("an attribute twice", twice, &[Problem::AttributeRepeated]),
        kind("an attribute of others", more, &[]),
    ]
}

/// The attributes of levels T to LTA and of older CAdES; nothing reads their values.
fn with_unsigned_attributes(detached: &[u8]) -> Vec<Kind> {
    let value = b"\x30\x03\x02\x01\x00";
    let [t, c, xl, a] =
        [SIGNATURE_TIME_STAMP, CERTIFICATE_REFS, REVOCATION_VALUES, ARCHIVE_TIME_STAMP_V3]
            .map(|kind| attribute(kind, value));
    let mut container = detached.to_vec();
    let mut kinds = Vec::new();
    for (name, attribute) in [
        ("a signature time-stamp", t),
        ("references to certificates", c),
        ("revocation values", xl),
        ("an archive time-stamp", a),
    ] {
        container = with_unsigned_attribute(&container, &attribute);
        kinds.push(Kind { unsigned: kinds.len() + 1, ..kind(name, container.clone(), &[]) });
    }
    kinds
}

fn of_several_signers(detached: &[u8]) -> Vec<Kind> {
    let signer = Pki::shared().signer(Key::P384);
    let parallel = cades::prepare_parallel(
        &mut Document::from_bytes(detached),
        Some(&mut Document::from_bytes(CONTENT)),
        &signer.chain,
        &parameters(),
        &SignatureOptions::new(),
    );
    let parallel = finish(&parallel.unwrap(), signer, Some(detached)).unwrap();
    let mut source = Document::from_bytes(detached);
    let options = SignatureOptions::new();
    let counter =
        cades::prepare_countersignature(&mut source, &[0], &signer.chain, &parameters(), &options);
    let counter = finish(&counter.unwrap(), signer, Some(detached)).unwrap();
    vec![
        Kind { signatures: 2, ..kind("two signers", parallel, &[]) },
        Kind { unsigned: 1, ..kind("a countersignature", counter, &[]) },
    ]
}

#[test]
fn every_kind_is_reported_as_what_it_is() {
    let kinds = kinds();
    for Kind { name, container, der, problems, signatures, unsigned } in &kinds {
        let report = verify(container).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(report.first_not_der.is_none(), *der, "{name}: {report:?}");
        assert_eq!(report.signatures.len(), *signatures, "{name}");
        for signature in &report.signatures {
            assert_eq!(signature.problems, *problems, "{name}");
            assert_eq!(signature.unsigned_attributes.len(), *unsigned, "{name}");
            let baseline = problems.is_empty();
            let legacy = *problems == [Problem::LegacySigningCertificate];
            assert_eq!(
                signature.level >= Level::B,
                baseline || legacy,
                "{name}: {:?}",
                signature.level
            );
            if baseline {
                assert!(signature.intact == Some(true), "{name}");
                assert!(leads_to(&signature.facts, &[Pki::shared().root().clone()]), "{name}");
            }
        }
        assert_eq!(report.is_valid(), problems.is_empty(), "{name}");
    }
    note_ran(&format!("{} CAdES containers that we make ourselves", kinds.len()));
}

#[test]
fn octets_after_a_container_are_malformed() {
    let container = ours(Packaging::Detached);
    let longer = [container.as_slice(), b"\n"].concat();
    let Err(Error::TrailingOctets { offset }) = verify(&longer) else { panic!("it was read") };
    assert_eq!(offset, container.len() as u64);
}

#[test]
fn a_second_signature_is_added_to_every_kind() {
    for Kind { name, container, signatures, .. } in kinds() {
        let signer = Pki::shared().signer(Key::P521);
        let pending = cades::prepare_parallel(
            &mut Document::from_bytes(&container),
            Some(&mut Document::from_bytes(CONTENT)),
            &signer.chain,
            &parameters(),
            &SignatureOptions::new(),
        );
        // Certificates that an archive time-stamp covers stay as they are.
        let pending = match pending {
            Ok(pending) => pending,
            Err(error) => {
                assert!(name == "content that is not called data", "{name}: {error}");
                continue;
            }
        };
        let both = finish(&pending, signer, Some(&container)).unwrap();
        assert_eq!(verify(&both).unwrap().signatures.len(), signatures + 1, "{name}");
    }
}

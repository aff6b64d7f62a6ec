//! Edge cases of certificates and values.

use ades_core::signer::{
    Event, IdentificationRequest, Identity, SignerError, SignerErrorKind, SigningItem,
    SigningRequest, Step,
};
use ades_core::{
    Digest, DigestAlgorithm, DtbsDigest, RemoteSigner, Retry, SignatureAlgorithm, ToBeSigned,
};
use ades_tests::pki::{Key, Pki, Profile, pem};
use base64ct::{Base64, Encoding};
use chrono::TimeDelta;
use itsme_signer::{Config, Error, ItsmeSigner};
use serde_json::{Value, json};

use crate::script::{
    RSA, Reply, Script, TOML, USER_CODE, collect, config, identified, identify, now, object,
    opened, own, request, run, sign, sign_error, sign_opened, signer, signer_with, success,
    test_signer, value,
};

fn identification(body: Value, more: &str) -> Result<Identity, SignerError> {
    let (signer, script) = signer_with(more, [opened()]);
    let (_, mut session) = identify(&signer);
    for _ in 0..2 {
        script.add(Reply::Json(200, body.clone()));
        match run(signer.continue_identification(session, Event::Poll))? {
            Step::Done(identity) => return Ok(identity),
            Step::Wait { session: next, .. } => session = next,
            other => panic!("{other:?}"),
        }
    }
    panic!("the same answer is neither accepted nor an error")
}

#[test]
fn case_50_without_a_chain_only_the_leaf_is_used() {
    let mut body = identified(test_signer());
    body.as_object_mut().unwrap().remove("fullCertificateChain");
    let identity = identification(body, "").unwrap();
    assert!(!identity.chain.is_complete());
    assert_eq!(identity.chain.leaf(), test_signer().leaf());
}

#[test]
fn case_51_chains_in_any_order_must_have_the_leaf() {
    let certificates = test_signer().chain.certificates();
    let scrambled: String = certificates.iter().rev().chain(&certificates[1..]).map(pem).collect();
    let scrambled = scrambled.trim_end().replace('\n', "\r\n");
    let mut body = identified(test_signer());
    body["fullCertificateChain"] = json!(scrambled);
    assert_eq!(identification(body, "").unwrap().chain, test_signer().chain);

    let mut body = identified(test_signer());
    body["certificate"] = json!(pem(Pki::shared().signer(Key::P256).leaf()));
    let error = identification(body, "").unwrap_err();
    assert!(matches!(own(&error), Error::CertificateMismatch));
    assert_eq!(error.kind(), &SignerErrorKind::Certificate);
}

#[test]
fn case_53_swapped_values_are_accepted_only_if_configured() {
    let ids = &["s-001", "s-002"];
    let swapped = json!([object("s-001", &value("s-002")), object("s-002", &value("s-001"))]);
    assert_eq!(collect("", ids, &swapped).unwrap_err().kind(), &SignerErrorKind::Value);
    let values = collect("[tolerance]\nreordered_values = true", ids, &swapped).unwrap();
    for (value, id) in values.iter().zip(ids) {
        ades_core::verify::verify(test_signer().leaf(), RSA, id.as_bytes(), &value.value).unwrap();
    }
}

#[test]
fn case_54_a_value_over_other_data_is_refused_with_the_reason() {
    let digest = Digest::of(DigestAlgorithm::Sha256, b"s-001");
    let twice = DtbsDigest(Digest::of(DigestAlgorithm::Sha256, digest.value()));
    let twice = test_signer().sign(&ToBeSigned::from_digest(twice, RSA).unwrap());
    let values = json!([object("s-001", &Base64::encode_string(&twice))]);
    let error = collect("", &["s-001"], &values).unwrap_err();
    assert_eq!(error.kind(), &SignerErrorKind::Value);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("a second time"), "{cause}");
}

#[test]
fn case_55_an_unsuitable_certificate_is_refused_before_signing() {
    let mut profile = Profile::new(Key::Rsa2048);
    profile.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    let unfit = Pki::shared().issue(&profile);
    let error = identification(identified(&unfit), "").unwrap_err();
    assert_eq!(error.kind(), &SignerErrorKind::Certificate);

    profile = Profile::new(Key::Rsa2048);
    profile.validity = ((2020, 1, 1), (2026, 1, 1));
    let expired = Pki::shared().issue(&profile);
    assert!(identification(identified(&expired), "").is_err());
    // The same holds between the identification and the signature.
    let error = sign_error(|r| r.identity.chain = expired.chain.clone());
    assert_eq!(error.kind(), &SignerErrorKind::Certificate);
}

#[test]
fn case_55_a_certificate_that_expires_during_the_session_is_refused() {
    // The certificate is valid until midnight, and a session lasts ten minutes.
    let mut profile = Profile::new(Key::Rsa2048);
    profile.validity = ((2020, 1, 1), (2026, 9, 22));
    let ends = Pki::shared().issue(&profile);
    let (_, end) = ends.leaf().validity();
    for (before, fine) in [(601, true), (599, false), (0, false), (-1, false)] {
        let now = end - TimeDelta::try_seconds(before).unwrap();
        let script = Script::default();
        let config = config("").unwrap();
        let signer = ItsmeSigner::with_transport(config, script.clone(), move || now);
        script.add(opened());
        script.add(Reply::Json(200, identified(&ends)));
        let (_, session) = identify(&signer);
        let step = run(signer.continue_identification(session, Event::Poll));
        assert_eq!(step.is_ok(), fine, "{before}: {step:?}");

        script.add(sign_opened());
        let asked = script.asked().len();
        let mut request = request(&["s-001"]);
        request.identity.chain = ends.chain.clone();
        let step = run(signer.sign(request));
        assert_eq!(step.is_ok(), fine, "{before}: {step:?}");
        assert_eq!(script.asked().len(), asked + usize::from(fine));
    }
}

/// The key of the certificate also determines the form of the value.
/// `tests/tests/pades_signing.rs` checks the room for it in a PDF.
#[test]
fn case_56_the_key_of_the_certificate_determines_the_algorithm() {
    let sha256 = DigestAlgorithm::Sha256;
    for (key, algorithm, order) in
        [(Key::Rsa4096, RSA, None), (Key::P256, SignatureAlgorithm::Ecdsa(sha256), Some(32))]
    {
        let user = Pki::shared().signer(key);
        let identity = identification(identified(user), "").unwrap();
        assert_eq!(identity.chain.leaf(), user.leaf());
        let to_be_signed = ToBeSigned::new(b"data".to_vec(), algorithm);
        let der = user.sign(&to_be_signed);
        let raw = order.map(|order| raw(&der, order));
        for value in [Some(&der), raw.as_ref()].into_iter().flatten() {
            let values = json!([object("s-001", &Base64::encode_string(value))]);
            let (signer, script) = signer([sign_opened(), success(&values)]);
            let items = vec![SigningItem::new("s-001", to_be_signed.clone())];
            let request = SigningRequest::new(identity.clone(), items);
            let session = match run(signer.sign(request)).unwrap() {
                Step::Redirect { session, .. } => session,
                other => panic!("{other:?}"),
            };
            match run(signer.continue_signing(session, Event::Poll)).unwrap() {
                Step::Done(values) => assert_eq!(values[0].value, der, "{key:?}"),
                other => panic!("{other:?}"),
            }
            assert_eq!(script.asked().len(), 2);
        }
    }
    // An algorithm that the key or itsme® does not have is refused before any
    // request.
    for (key, algorithm) in [
        (Key::P256, RSA),
        (Key::Rsa2048, SignatureAlgorithm::Ecdsa(sha256)),
        (Key::P384, SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha384)),
    ] {
        let error = sign_error(|r| {
            r.identity.chain = Pki::shared().signer(key).chain.clone();
            r.items[0].to_be_signed = ToBeSigned::new(b"data".to_vec(), algorithm);
        });
        assert_eq!(error.kind(), &SignerErrorKind::UnsupportedAlgorithm { algorithm });
    }
}

/// An ECDSA value as `r || s`.
fn raw(der: &[u8], order: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = &der[2..];
    while let [0x02, len, content @ ..] = rest {
        let (number, after) = content.split_at(usize::from(*len));
        let digits = number.strip_prefix(&[0]).unwrap_or(number);
        out.resize(out.len() + order - digits.len(), 0);
        out.extend_from_slice(digits);
        rest = after;
    }
    out
}

/// A certificatePolicies extension with one policy: 1.3.6.1.4.1.8024.1, followed
/// by the arc with these octets.
fn policy(arc: &[u8; 2]) -> rcgen::CustomExtension {
    let mut content = vec![0x30, 0x0E, 0x30, 0x0C, 0x06, 0x0A];
    content.extend([0x2B, 0x06, 0x01, 0x04, 0x01, 0xBE, 0x58, 0x01]);
    content.extend(arc);
    rcgen::CustomExtension::from_oid_content(&[2, 5, 29, 32], content)
}

/// The answer to an identification, with a certificate by a CA of this name.
fn identified_by(ca: &str, policies: Option<rcgen::CustomExtension>) -> Value {
    let named = |name: &str| {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params
    };
    let keys = || rcgen::KeyPair::generate().unwrap();
    let issuer = rcgen::Issuer::new(named(ca), keys());
    let mut user = named("A User");
    user.key_usages = vec![rcgen::KeyUsagePurpose::ContentCommitment];
    user.custom_extensions = policies.into_iter().collect();
    let leaf = user.signed_by(&keys(), &issuer).unwrap().pem();
    json!({ "status": "OK", "userCode": USER_CODE, "certificate": leaf })
}

/// The trusted list requires the policy …8024.1.410 of certificates by these CAs.
#[test]
fn case_57_a_certificate_that_is_not_qualified_is_refused_in_production() {
    for (ca, arc, fine) in [
        ("itsme Sign Issuing CA G1", None, false),
        ("itsme Sign Issuing CA G2x", None, false),
        ("itsme Sign Issuing CA G2x", Some(&[0x83, 0x11]), false),
        ("itsme Sign Issuing CA G1", Some(&[0x83, 0x1A]), true),
        ("itsme Sign Issuing CA G2x", Some(&[0x83, 0x1A]), true),
        // It requires nothing of a CA with another name, even a similar one.
        ("itsme Sign Issuing CA G2", None, true),
        ("itsme Sign Issuing CA G1x", None, true),
    ] {
        let answer = identified_by(ca, arc.map(policy));
        match identification(answer.clone(), "") {
            Ok(_) => assert!(fine, "{ca}"),
            Err(error) => {
                assert!(!fine && matches!(own(&error), Error::NotQualified), "{ca}: {error:?}");
                assert_eq!(error.kind(), &SignerErrorKind::Certificate);
            }
        }
        let test = TOML.replace("[front]", "profile = \"test\"\n[front]");
        let config = Config::from_toml(&test, std::path::Path::new(".")).unwrap();
        let script = Script::default();
        script.add(opened());
        script.add(Reply::Json(200, answer));
        let signer = ItsmeSigner::with_transport(config, script, now);
        let (_, session) = identify(&signer);
        run(signer.continue_identification(session, Event::Poll)).unwrap();
    }
}

#[test]
fn case_57_only_the_test_profile_accepts_a_test_certificate() {
    let mut profile = Profile::new(Key::Rsa2048);
    profile.extensions = vec![policy(&[0x83, 0x10])];
    let leaf = Pki::shared().issue(&profile);
    let error = identification(identified(&leaf), "").unwrap_err();
    assert!(matches!(own(&error), Error::TestCertificate));
    let test = TOML.replace("[front]", "profile = \"test\"\n[front]");
    let script = Script::default();
    script.add(opened());
    script.add(Reply::Json(200, identified(&leaf)));
    let config = Config::from_toml(&test, std::path::Path::new(".")).unwrap();
    let signer = ItsmeSigner::with_transport(config, script, now);
    let (_, session) = identify(&signer);
    assert!(matches!(run(signer.continue_identification(session, Event::Poll)), Ok(Step::Done(_))));
}

#[test]
fn case_62_an_unauthorised_client_is_reported_and_not_retried() {
    for reply in [Reply::NotAuthorised, Reply::Text(403, "<html>"), Reply::Text(401, "")] {
        let (signer, script) = signer([reply]);
        let error = run(signer.identify(IdentificationRequest::default())).unwrap_err();
        assert_eq!(error.kind(), &SignerErrorKind::ClientNotAuthorised);
        assert_eq!(error.retry(), Retry::Never);
        assert_eq!(script.asked().len(), 1);
    }
    // A status query is not repeated either.
    let (signer, _) = signer([sign_opened(), Reply::NotAuthorised]);
    let (_, session) = sign(&signer, &["s-001"]);
    assert!(run(signer.continue_signing(session, Event::Poll)).is_err());
}

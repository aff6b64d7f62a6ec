//! Edge case 15, policy and commitment: the container names what the user saw.

use ades_core::signer::{Display, Language, SignerErrorKind, Step};
use ades_core::{
    CommitmentType, Digest, DigestAlgorithm, RemoteSigner, SignatureParameters, SignaturePolicy,
};
use chrono::TimeDelta;
use itsme_signer::ItsmeSigner;
use itsme_signer::discovery::PolicyDigest;
use serde_json::{Value, json};

use crate::script::{
    REQUESTER, Reply, Script, now, own, request, run, sign_opened, signer, signer_with,
    signer_with_clock,
};

const DOCUMENT: Option<PolicyDigest<'_>> = Some(PolicyDigest::OfDocument(b"the policy"));
const DEFAULTS: &str = "[policy]\nreference = \"POLICY_3\"\ncommitment = \"APPROVED\"\n";
const APPROVAL: &str = "1.2.840.113549.1.9.16.6.5";

/// A discovery document whose references are not OIDs, so that a test notices an
/// OID in place of a reference.
fn discovery() -> Reply {
    let policy = |number: u32, status: &str| {
        json!({
            "oid": format!("1.2.{number}"), "ref": format!("POLICY_{number}"), "status": status,
            "url": "https://policy.example/p.pdf",
            "sigDigest": Digest::of(DigestAlgorithm::Sha512, b"the policy").to_hex(),
            "sigDigestAlg": "SHA512",
        })
    };
    Reply::Json(
        200,
        json!({
            "sign_policy_templates_supported": [policy(3, "ENABLED"), policy(4, "DISABLED")],
            "commitment_types_supported": [
                { "oid": APPROVAL, "ref": "APPROVED" },
                { "oid": "1.2.840.113549.1.9.16.6.6", "ref": "CREATED" },
            ],
        }),
    )
}

/// The `signPolicy` of a request that shows `display`.
fn sent(signer: &ItsmeSigner, script: &Script, display: Display) -> Value {
    script.add(sign_opened());
    let mut request = request(&["s-001"]);
    request.display = display;
    assert!(matches!(run(signer.sign(request)), Ok(Step::Redirect { .. })));
    script.asked().pop().unwrap().1["optInp"]["itsme"]["signPolicy"].clone()
}

#[test]
fn case_15_policies_are_checked_against_the_discovery_document() {
    for (reference, expected) in
        [("ITSME_DEFAULT", "not in"), ("POLICY_4", "disabled"), ("1.2.4", "disabled")]
    {
        let (signer, script) = signer([discovery()]);
        let error = run(Box::pin(signer.resolve(Some(reference), None, DOCUMENT))).unwrap_err();
        assert!(own(&error).to_string().contains(expected), "{error:?}");
        let commitment = signer.resolve(Some("POLICY_3"), Some(reference), DOCUMENT);
        let error = run(Box::pin(commitment)).unwrap_err();
        assert!(own(&error).to_string().contains("commitment"), "{error:?}");
        assert_eq!(script.asked().len(), 1);
    }
    // The same holds for a policy that was not resolved.
    for (oid, expected) in [("1.2.5", "not in"), ("1.2.4", "disabled")] {
        let (signer, script) = signer([discovery()]);
        let mut request = request(&["s-001"]);
        request.display.policy = Some(oid.parse().unwrap());
        let error = run(signer.sign(request)).unwrap_err();
        assert!(own(&error).to_string().contains(expected), "{error:?}");
        assert_eq!(script.asked().len(), 1);
    }
    // Without the discovery document it is an error, unless the configuration
    // allows it.
    let nowhere = || std::iter::repeat_n(Reply::NotSent, 3);
    let (signer, _) = signer_with(DEFAULTS, nowhere());
    assert!(run(Box::pin(signer.resolve(None, None, DOCUMENT))).is_err());
    let toml = "[policy]\nreference = \"1.2.3\"\nallow_unchecked = true";
    let (signer, script) = signer_with(toml, nowhere().chain(nowhere()));
    let terms = run(Box::pin(signer.resolve(None, None, DOCUMENT))).unwrap();
    let digest = Digest::of(DigestAlgorithm::Sha256, b"the policy");
    assert_eq!(terms.policy.as_ref().unwrap().digest, Some(digest));
    let mut display = Display::default();
    terms.show(&mut display);
    assert_eq!(sent(&signer, &script, display)["signPolicyRef"], "1.2.3");
    // Without the discovery document its digest is not available.
    let (signer, _) = signer_with(toml, nowhere());
    let digest = Some(PolicyDigest::FromDiscovery);
    assert!(run(Box::pin(signer.resolve(None, None, digest))).is_err());
}

/// By default, by reference, by OID and by name: signature and screen agree.
#[test]
fn resolved_terms_are_in_the_signature_and_on_the_screen() {
    for (toml, policy, commitment, expected) in [
        (DEFAULTS, None, None, Some(APPROVAL)),
        (DEFAULTS, Some("1.2.3"), Some("CREATED"), Some("1.2.840.113549.1.9.16.6.6")),
        (DEFAULTS, Some("POLICY_3"), None, Some(APPROVAL)),
        ("", Some("POLICY_3"), Some("approval"), Some(APPROVAL)),
        ("", Some("1.2.3"), Some(APPROVAL), Some(APPROVAL)),
        ("", Some("1.2.3"), None, None),
        ("[policy]\nreference = \"1.2.3\"", None, Some("APPROVED"), Some(APPROVAL)),
    ] {
        let (signer, script) = signer_with(toml, [discovery()]);
        let terms = run(Box::pin(signer.resolve(policy, commitment, DOCUMENT))).unwrap();
        let parameters = terms.apply(SignatureParameters::new(now()));
        let in_signature = parameters.signature_policy().unwrap();
        let mut of_document = SignaturePolicy::of_document(
            "1.2.3".parse().unwrap(),
            DigestAlgorithm::Sha256,
            b"the policy",
        );
        of_document.uri = Some("https://policy.example/p.pdf".to_owned());
        assert_eq!(in_signature, &of_document);
        let commitments: Vec<String> =
            parameters.commitments().iter().map(|c| c.0.to_string()).collect();
        assert_eq!(commitments, expected.into_iter().collect::<Vec<_>>());

        let mut display = Display::default();
        terms.show(&mut display);
        let shown = sent(&signer, &script, display);
        // The request has the references of the service.
        assert_eq!(shown["signPolicyRef"], "POLICY_3");
        let name = |oid| if oid == APPROVAL { "APPROVED" } else { "CREATED" };
        assert_eq!(shown.get("commitmentTypeRef"), expected.map(name).map(|n| json!(n)).as_ref());
        assert_eq!(script.asked().len(), 2);
    }
    // The caller must say where the digest comes from.
    let (signer, script) = signer_with(DEFAULTS, [discovery()]);
    let error = run(Box::pin(signer.resolve(None, None, None))).unwrap_err();
    assert!(own(&error).to_string().contains("digest"), "{error:?}");
    assert!(script.asked().is_empty());
    let digest = Some(PolicyDigest::FromDiscovery);
    let terms = run(Box::pin(signer.resolve(None, None, digest))).unwrap();
    let digest = Digest::of(DigestAlgorithm::Sha512, b"the policy");
    assert_eq!(terms.policy.unwrap().digest, Some(digest));
}

/// Otherwise only one of signature and screen would have them.
#[test]
fn configured_terms_that_a_request_omits_are_an_error() {
    let empty = Display::default();
    let mut without_commitment = Display::default();
    without_commitment.policy = Some("1.2.3".parse().unwrap());
    for display in [empty, without_commitment] {
        let (signer, script) = signer_with(DEFAULTS, []);
        let mut request = request(&["s-001"]);
        request.display = display;
        let error = run(signer.sign(request)).unwrap_err();
        let SignerErrorKind::InvalidRequest { what } = error.kind() else { panic!("{error:?}") };
        assert!(what.contains("resolve()"), "{what}");
        assert!(script.asked().is_empty());
    }
    // itsme® cannot show a commitment without a policy.
    let (signer, script) = signer([]);
    let alone = signer.resolve(None, Some("approval"), DOCUMENT);
    let error = run(Box::pin(alone)).unwrap_err();
    assert!(matches!(error.kind(), SignerErrorKind::InvalidRequest { .. }), "{error:?}");
    for change in [(|d| d.commitment = Some(CommitmentType::APPROVAL)) as fn(&mut Display), |d| {
        d.role = Language::ALL.into_iter().map(|l| (l, "Director".to_owned())).collect()
    }] {
        let mut request = request(&["s-001"]);
        change(&mut request.display);
        let error = run(signer.sign(request)).unwrap_err();
        assert!(matches!(error.kind(), SignerErrorKind::InvalidRequest { .. }), "{error:?}");
    }
    assert!(script.asked().is_empty());
    // No policy and no commitment are fine.
    let terms = run(Box::pin(signer.resolve(None, None, None))).unwrap();
    assert_eq!(terms, itsme_signer::Terms::default());
    assert_eq!(sent(&signer, &script, Display::default()), Value::Null);
}

#[test]
fn the_role_is_shown_with_the_policy() {
    let (signer, script) = signer([discovery()]);
    let mut display = Display::default();
    display.policy = Some("1.2.3".parse().unwrap());
    display.role = Language::ALL.into_iter().map(|l| (l, "Gérant".to_owned())).collect();
    let shown = sent(&signer, &script, display);
    assert_eq!(shown["signerRole"][0]["value"], "Gérant");
}

/// A failed fetch is repeated, and an old document is fetched again.
#[test]
fn the_discovery_document_is_fetched_again_when_needed() {
    let failures = [Reply::Lost, Reply::Text(503, "down"), Reply::Text(200, "<html>"), Reply::Huge];
    for failure in failures {
        let (signer, script) = signer([failure.clone(), failure.clone(), discovery()]);
        run(Box::pin(signer.discovery())).unwrap();
        run(Box::pin(signer.discovery())).unwrap();
        assert_eq!((script.asked().len(), script.pauses()), (3, vec![1, 2]));
        let (signer, script) = signer_with("", std::iter::repeat_n(failure, 3));
        assert!(run(Box::pin(signer.discovery())).is_err());
        assert_eq!(script.asked().len(), 3);
    }
    let (signer, script) = signer([Reply::Text(403, "")]);
    assert!(run(Box::pin(signer.discovery())).is_err());
    assert_eq!(script.asked().len(), 1);

    // The document is old, or itsme® refuses a policy that it lists.
    let (signer, script, time) = signer_with_clock("");
    script.add(discovery());
    run(Box::pin(signer.discovery())).unwrap();
    *time.lock().unwrap() += TimeDelta::try_minutes(59).unwrap();
    run(Box::pin(signer.discovery())).unwrap();
    assert_eq!(script.asked().len(), 1);
    *time.lock().unwrap() += TimeDelta::try_minutes(1).unwrap();
    script.add(discovery());
    run(Box::pin(signer.discovery())).unwrap();
    assert_eq!(script.asked().len(), 2);
    for code in ["INVALID_POLICY", "INVALID_POLICY_STATUS"] {
        script.add(Reply::Json(400, json!({ "result": { "maj": REQUESTER, "min": code } })));
        assert!(run(signer.sign(request(&["s-001"]))).is_err());
        let asked = script.asked().len();
        script.add(discovery());
        run(Box::pin(signer.discovery())).unwrap();
        assert_eq!(script.asked().len(), asked + 1);
    }
}

#[test]
fn malformed_entries_of_the_discovery_document_are_left_out() {
    let (signer, _) = signer([Reply::Json(
        200,
        json!({
            "sign_policy_templates_supported": [
                { "oid": "1.2.3", "ref": "1.2.3", "url": null, "text": null },
                { "oid": null, "ref": "1.2.4" },
                null,
            ],
            "commitment_types_supported": null,
            "sign_languages_supported": ["EN", null],
        }),
    )]);
    let discovery = run(Box::pin(signer.discovery())).unwrap();
    assert!(discovery.policy("1.2.3").is_ok() && discovery.policy("1.2.4").is_err());
    assert_eq!(discovery.languages, ["EN"]);
    assert_eq!(discovery.offered_languages(), [Language::En]);
}

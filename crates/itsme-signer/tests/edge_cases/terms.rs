//! Policy and commitment: what the user saw is what the container says.

use std::sync::{Arc, Mutex};

use ades_core::signer::{Display, Language, SignerErrorKind, Step};
use ades_core::{
    CommitmentType, Digest, DigestAlgorithm, RemoteSigner, SignatureParameters, SignaturePolicy,
};
use chrono::TimeDelta;
use itsme_signer::ItsmeSigner;
use itsme_signer::discovery::PolicyDigest;
use serde_json::{Value, json};

use crate::script::{
    REQUESTER, Reply, Script, config, now, own, request, run, sign_opened, signer, signer_with,
};

const DOCUMENT: Option<PolicyDigest<'_>> = Some(PolicyDigest::OfDocument(b"the policy"));
const DEFAULTS: &str = "[policy]\nreference = \"POLICY_3\"\ncommitment = \"APPROVED\"\n";
const APPROVAL: &str = "1.2.840.113549.1.9.16.6.5";

/// References that are no OIDs: what the OID alone would not show.
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

/// What is asked for where a request shows what was resolved.
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
    // Also where nobody resolved it.
    for (oid, expected) in [("1.2.5", "not in"), ("1.2.4", "disabled")] {
        let (signer, script) = signer([discovery()]);
        let mut request = request(&["s-001"]);
        request.display.policy = Some(oid.parse().unwrap());
        let error = run(signer.sign(request)).unwrap_err();
        assert!(own(&error).to_string().contains(expected), "{error:?}");
        assert_eq!(script.asked().len(), 1);
    }
    // Out of reach: refused, unless told otherwise.
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
    // A digest that only the discovery document has cannot be had.
    let (signer, _) = signer_with(toml, nowhere());
    let digest = Some(PolicyDigest::FromDiscovery);
    assert!(run(Box::pin(signer.resolve(None, None, digest))).is_err());
}

/// By default, by reference, by OID, by name: the signature and the screen say
/// the same.
#[test]
fn what_is_resolved_is_in_the_signature_and_on_the_screen() {
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
        // In the service's own words.
        assert_eq!(shown["signPolicyRef"], "POLICY_3");
        let name = |oid| if oid == APPROVAL { "APPROVED" } else { "CREATED" };
        assert_eq!(shown.get("commitmentTypeRef"), expected.map(name).map(|n| json!(n)).as_ref());
        assert_eq!(script.asked().len(), 2);
    }
    // Where the digest comes from has to be said.
    let (signer, script) = signer_with(DEFAULTS, [discovery()]);
    let error = run(Box::pin(signer.resolve(None, None, None))).unwrap_err();
    assert!(own(&error).to_string().contains("digest"), "{error:?}");
    assert!(script.asked().is_empty());
    let digest = Some(PolicyDigest::FromDiscovery);
    let terms = run(Box::pin(signer.resolve(None, None, digest))).unwrap();
    let digest = Digest::of(DigestAlgorithm::Sha512, b"the policy");
    assert_eq!(terms.policy.unwrap().digest, Some(digest));
}

/// Shown without being in the signature, or the other way round, it never is.
#[test]
fn defaults_that_were_not_resolved_are_refused() {
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
    // A commitment alone cannot be shown.
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
    // Nothing at all is fine.
    let terms = run(Box::pin(signer.resolve(None, None, None))).unwrap();
    assert_eq!(terms, itsme_signer::Terms::default());
    assert_eq!(sent(&signer, &script, Display::default()), Value::Null);
}

#[test]
fn the_role_is_shown_beside_the_policy() {
    let (signer, script) = signer([discovery()]);
    let mut display = Display::default();
    display.policy = Some("1.2.3".parse().unwrap());
    display.role = Language::ALL.into_iter().map(|l| (l, "Gérant".to_owned())).collect();
    let shown = sent(&signer, &script, display);
    assert_eq!(shown["signerRole"][0]["value"], "Gérant");
}

/// Reading is repeated; what the service offers is looked up anew now and then.
#[test]
fn the_discovery_document_is_fetched_again_at_need() {
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

    // Old, or older than what itsme® knows.
    let script = Script::default();
    let time = Arc::new(Mutex::new(now()));
    let clock = Arc::clone(&time);
    let signer = ItsmeSigner::with_transport(config("").unwrap(), script.clone(), move || {
        *clock.lock().unwrap()
    });
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
fn a_discovery_document_with_gaps_is_read() {
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
}

//! What is sent and what comes back.

use ades_core::signer::{
    Event, IdentificationRequest, SignatureValue, SignerError, SignerErrorKind, SigningSession,
    Step,
};
use ades_core::{Digest, DigestAlgorithm, RemoteSigner};
use base64ct::{Base64, Encoding};
use serde_json::{Value, json};

use crate::script::{
    PENDING, REQUESTER, Reply, SUCCESS, collect, identify, object, opened, request, run, sign,
    sign_opened, signer, value,
};

#[test]
fn case_16_the_small_d_is_read_and_the_large_one_sent() {
    let (signer, script) = signer([
        Reply::Json(
            200,
            json!({ "status": "OK", "asyncRespId": "x1", "identificationUrl": "https://front.example/i" }),
        ),
        Reply::Json(409, json!({ "status": "NOK", "statusReason": "PENDING" })),
    ]);
    let (_, session) = identify(&signer);
    run(signer.continue_identification(session, Event::Poll)).unwrap();
    assert_eq!(script.asked()[1].1["asyncRespID"], "x1");
}

#[test]
fn case_17_an_error_under_200_is_an_error() {
    let reply = Reply::Json(200, json!({ "status": "NOK", "statusReason": "UNAUTHORIZED_URL" }));
    let (signer, _) = signer([reply]);
    let error = run(signer.identify(IdentificationRequest::default())).unwrap_err();
    assert_eq!(error.kind(), &SignerErrorKind::Configuration);
    assert_eq!(error.code(), Some("UNAUTHORIZED_URL"));
}

#[test]
fn case_18_a_409_that_is_pending_is_not_a_failure() {
    for body in
        [json!({ "status": "NOK", "statusReason": "PENDING" }), json!({ "status": "PENDING" })]
    {
        let (signer, _) = signer([opened(), Reply::Json(409, body)]);
        let (_, session) = identify(&signer);
        let step = run(signer.continue_identification(session, Event::Poll)).unwrap();
        assert!(matches!(step, Step::Wait { .. }), "{step:?}");
    }
}

#[test]
fn case_19_an_empty_409_is_a_session_nobody_knows() {
    let (ident, _) = signer([opened(), Reply::Text(409, "")]);
    let (_, session) = identify(&ident);
    let error = run(ident.continue_identification(session, Event::Poll)).unwrap_err();
    assert_eq!(error.kind(), &SignerErrorKind::UnknownSession);
    let (signing, _) = signer([sign_opened(), Reply::Text(409, " ")]);
    let (_, session) = sign(&signing, &["s-001"]);
    let error = run(signing.continue_signing(session, Event::Poll)).unwrap_err();
    assert_eq!(error.kind(), &SignerErrorKind::UnknownSession);
}

#[test]
fn case_20_failures_without_json_are_retried_a_few_times() {
    for body in ["Internal error", "<html><body>Bad</body></html>", ""] {
        let (signer, script) = signer([sign_opened()]);
        let (_, mut session) = sign(&signer, &["s-001"]);
        for _ in 0..5 {
            script.add(Reply::Text(500, body));
            match run(signer.continue_signing(session, Event::Poll)).unwrap() {
                Step::Wait { session: next, .. } => session = next,
                other => panic!("{other:?}"),
            }
        }
        script.add(Reply::Text(500, body));
        let error = run(signer.continue_signing(session, Event::Poll)).unwrap_err();
        assert_eq!(error.kind(), &SignerErrorKind::Service { status: 500 });
        assert!(!format!("{error:?}").contains("Internal error"));
    }
}

fn status_of(body: Value) -> Result<Step<Vec<SignatureValue>, SigningSession>, SignerError> {
    let (signer, _) = signer([sign_opened(), Reply::Json(200, body)]);
    let (_, session) = sign(&signer, &["s-001"]);
    run(signer.continue_signing(session, Event::Poll))
}

#[test]
fn case_21_only_success_with_values_is_success() {
    assert!(matches!(status_of(json!({ "result": { "maj": PENDING } })), Ok(Step::Wait { .. })));
    for body in [
        json!({ "result": { "maj": SUCCESS } }),
        json!({ "result": { "maj": "urn:oasis:names:tc:dss:1.0:resultmajor:Whatever" } }),
        json!({ "result": {} }),
        json!({}),
        json!([]),
    ] {
        let error = status_of(body).unwrap_err();
        assert!(matches!(error.kind(), SignerErrorKind::Protocol { .. }), "{error:?}");
    }
}

#[test]
fn case_22_messages_of_every_shape() {
    for message in [json!("text"), json!({ "lang": "EN", "value": "text" }), Value::Null] {
        let body =
            json!({ "result": { "maj": REQUESTER, "min": "INVALID_POLICY", "msg": message } });
        let error = status_of(body).unwrap_err();
        assert_eq!(error.code(), Some("INVALID_POLICY"));
    }
    let error = status_of(json!({ "result": { "maj": REQUESTER } })).unwrap_err();
    assert_eq!(error.code(), Some("UNKNOWN"));
}

#[test]
fn case_23_values_are_matched_by_id() {
    let ids = &["s-001", "s-002"];
    let (one, two) = (value("s-001"), value("s-002"));
    let reversed = json!([object("s-002", &two), object("s-001", &one)]);
    let values = collect("", ids, &reversed).unwrap();
    assert_eq!(values.iter().map(|v| v.id.as_str()).collect::<Vec<_>>(), ids);

    let small = json!([
        { "b64Sig": { "value": one }, "whichdoc": "s-001" },
        { "b64Sig": { "value": two }, "whichdoc": "s-002" },
    ]);
    collect("", ids, &small).unwrap();

    for wrong in [
        json!([object("s-001", &one)]),
        json!([object("s-001", &one), object("s-001", &two)]),
        json!([object("s-001", &one), object("s-003", &two)]),
        json!([object("s-001", &one), object("s-002", &two), object("s-002", &two)]),
    ] {
        let error = collect("", ids, &wrong).unwrap_err();
        assert_eq!(error.kind(), &SignerErrorKind::ResultMismatch);
    }
    let missing = json!([object("s-001", &one), { "b64Sig": { "value": two } }]);
    assert!(matches!(
        collect("", ids, &missing).unwrap_err().kind(),
        SignerErrorKind::Protocol { .. }
    ));
}

#[test]
fn case_24_base64_is_read_with_white_space_and_the_length_checked() {
    let plain = value("s-001");
    let lines: Vec<String> =
        plain.as_bytes().chunks(64).map(|l| String::from_utf8_lossy(l).into_owned()).collect();
    for text in [lines.join("\r\n"), plain.trim_end_matches('=').to_owned()] {
        collect("", &["s-001"], &json!([object("s-001", &text)])).unwrap();
    }
    let url_safe = plain.replace('+', "-").replace('/', "_");
    let url_safe = json!([object("s-001", &url_safe)]);
    assert!(collect("", &["s-001"], &url_safe).is_err());
    collect("[tolerance]\nurl_safe_values = true", &["s-001"], &url_safe).unwrap();

    let short = json!([object("s-001", "AAAA")]);
    let error = collect("", &["s-001"], &short).unwrap_err();
    assert_eq!(error.kind(), &SignerErrorKind::Value);
}

#[test]
fn case_25_our_own_base64_is_canonical() {
    let (signer, script) = signer([sign_opened()]);
    run(signer.sign(request(&["s-001"]))).unwrap();
    let sent = script.asked()[0].1["inDocs"]["docHash"][0]["di"][0]["value"].clone();
    let digest = Digest::of(DigestAlgorithm::Sha256, b"s-001");
    assert_eq!(sent, Base64::encode_string(digest.value()));
}

#[test]
fn case_26_the_user_is_sent_only_where_we_trust() {
    for url in [
        "http://front.example/i",
        "https://user:pw@front.example/i",
        "https://evil.example/i",
        "https://front.example.evil.example/i",
        "javascript:alert(1)",
        "",
    ] {
        let reply = Reply::Json(
            200,
            json!({ "status": "OK", "asyncRespID": "x", "identificationUrl": url }),
        );
        let (signer, _) = signer([reply]);
        let error = run(signer.identify(IdentificationRequest::default())).unwrap_err();
        assert_eq!(error.kind(), &SignerErrorKind::UntrustedRedirect, "{url}");
    }
}

#[test]
fn case_27_our_state_is_added_and_nothing_else_changed() {
    for (given, before, after) in [
        ("https://front.example/i?q=a%2Fb&x", "https://front.example/i?q=a%2Fb&x&st=", ""),
        ("https://front.example/i", "https://front.example/i?st=", ""),
        ("https://front.example/i?q=1#top", "https://front.example/i?q=1&st=", "#top"),
    ] {
        let reply = json!({ "status": "OK", "asyncRespID": "x", "identificationUrl": given });
        let (signer, _) = signer([Reply::Json(200, reply)]);
        let (url, _) = identify(&signer);
        let state = url.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).unwrap();
        assert_eq!(state.len(), 32, "128 bits: {url}");
    }
}

//! Edge cases of the requests and answers on the wire.

use ades_core::signer::{Event, IdentificationRequest, RefusalReason, SignerErrorKind, Step};
use ades_core::{Digest, DigestAlgorithm, RemoteSigner, Retry};
use base64ct::{Base64, Encoding};
use itsme_signer::Error;
use serde_json::{Value, json};

use crate::script::{
    PENDING, REQUESTER, Reply, SUCCESS, collect, identified, identify, object, opened, own,
    request, run, sign, sign_opened, signer, status_of, success, test_signer, value, waits,
};

#[test]
fn case_16_a_small_d_is_accepted_and_a_capital_d_is_sent() {
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
fn case_16_two_spellings_of_a_key_must_agree() {
    let page = "https://front.example/i";
    for (ids, fine) in [
        (json!({ "asyncRespID": "x1", "asyncRespId": null }), true),
        (json!({ "asyncRespID": null, "asyncRespId": "x1" }), true),
        (json!({ "asyncRespID": "x1", "asyncRespId": "x1" }), true),
        (json!({ "asyncRespID": "", "asyncRespId": "x1" }), true),
        (json!({ "asyncRespID": "x1", "asyncRespId": "x2" }), false),
        (json!({ "asyncRespID": null }), false),
        (json!({ "asyncRespID": 1 }), false),
    ] {
        let mut body = json!({ "status": "OK", "identificationUrl": page, "statusReason": null });
        body.as_object_mut().unwrap().extend(ids.as_object().unwrap().clone());
        let (signer, _) = signer([Reply::Json(200, body)]);
        let step = run(signer.identify(IdentificationRequest::default()));
        assert_eq!(step.is_ok(), fine, "{ids}: {step:?}");
    }
    let value = value("s-001");
    for (ids, fine) in [
        (json!({ "respID": "sign-1", "asyncRespID": null }), true),
        (json!({ "respID": "sign-1", "asyncRespID": "sign-1" }), true),
        (json!({ "respId": "sign-1" }), true),
        (json!({ "asyncRespID": "sign-1", "reqID": null }), true),
        (json!({ "respID": "sign-1", "asyncRespID": "other" }), false),
    ] {
        let with_ids = |body: Value| {
            let mut body = body;
            body.as_object_mut().unwrap().extend(ids.as_object().unwrap().clone());
            Reply::Json(200, body)
        };
        let values = [
            json!({ "b64Sig": { "value": value }, "whichDoc": null, "whichdoc": "s-001" }),
            json!({ "b64Sig": { "value": value }, "whichDoc": "s-001", "whichdoc": "s-001" }),
        ];
        for object in values {
            let page = json!({ "itsme": { "signingUrl": "https://front.example/s" } });
            let (signer, _) = signer([
                with_ids(json!({ "result": { "maj": PENDING }, "optOutp": page })),
                with_ids(json!({ "result": { "maj": SUCCESS, "min": null }, "sigObj": [object] })),
            ]);
            match run(signer.sign(request(&["s-001"]))) {
                Ok(Step::Redirect { session, .. }) if fine => {
                    let step = run(signer.continue_signing(session, Event::Poll)).unwrap();
                    assert!(matches!(step, Step::Done(_)), "{step:?}");
                }
                // itsme® may have opened a session with either id.
                Err(error) if !fine => assert_eq!(error.kind(), &SignerErrorKind::UnknownOutcome),
                other => panic!("{ids}: {other:?}"),
            }
        }
    }
}

#[test]
fn case_17_an_error_with_status_200_is_an_error() {
    let reply = Reply::Json(200, json!({ "status": "NOK", "statusReason": "UNAUTHORIZED_URL" }));
    let (signer, _) = signer([reply]);
    let error = run(signer.identify(IdentificationRequest::default())).unwrap_err();
    assert_eq!(error.kind(), &SignerErrorKind::Configuration);
    assert_eq!(error.code(), Some("UNAUTHORIZED_URL"));
}

#[test]
fn case_18_a_409_with_pending_is_not_a_failure() {
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
fn case_19_an_empty_409_means_an_unknown_session() {
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
fn case_20_status_queries_that_fail_are_repeated() {
    for body in ["Internal error", "<html><body>Bad</body></html>", ""] {
        let (signer, script) = signer([sign_opened()]);
        let (_, mut session) = sign(&signer, &["s-001"]);
        let mut pauses = Vec::new();
        for _ in 0..13 {
            script.add(Reply::Text(500, body));
            let (after, next) = waits(run(signer.continue_signing(session, Event::Poll)));
            pauses.push(after);
            session = next;
        }
        assert_eq!(pauses, [1, 2, 3, 5, 10, 20, 20, 20, 20, 30, 30, 30, 30]);
        script.add(success(&json!([object("s-001", &value("s-001"))])));
        let done = run(signer.continue_signing(session, Event::Poll));
        assert!(matches!(done, Ok(Step::Done(_))), "{done:?}");

        // The configuration can limit the number.
        let error = status_of(&Reply::Text(500, body)).unwrap_err();
        assert_eq!(error.kind(), &SignerErrorKind::Service { status: 500 });
        assert_eq!(error.retry(), Retry::Later);
        assert!(!format!("{error:?}").contains("Internal error"));
    }
}

#[test]
fn case_21_only_success_with_values_is_success() {
    let of = |body| status_of(&Reply::Json(200, body));
    assert!(matches!(of(json!({ "result": { "maj": PENDING } })), Ok(Step::Wait { .. })));
    for body in [
        json!({ "result": { "maj": SUCCESS } }),
        json!({ "result": { "maj": SUCCESS }, "sigObj": null }),
        json!({ "result": { "maj": "urn:oasis:names:tc:dss:1.0:resultmajor:Whatever" } }),
        json!({ "result": {} }),
        json!({}),
        json!([]),
    ] {
        let error = of(body).unwrap_err();
        assert!(matches!(error.kind(), SignerErrorKind::Protocol { .. }), "{error:?}");
        // The confirmed values can still be fetched.
        assert_eq!(error.retry(), Retry::Later);
    }
}

/// An answer that says nothing about the session does not end it.
#[test]
fn case_21_unusable_answers_do_not_end_the_session() {
    let values = json!([object("s-001", &value("s-001"))]);
    for odd in [
        Reply::Text(200, "<html>"),
        Reply::Text(200, ""),
        Reply::Text(400, "oops"),
        Reply::Text(404, "not here"),
        Reply::Text(302, ""),
        Reply::Huge,
        Reply::Lost,
        Reply::NotSent,
        Reply::Json(200, json!({ "result": { "maj": SUCCESS } })),
        Reply::Json(200, json!({ "result": { "maj": "whatever" } })),
        Reply::Json(
            200,
            json!({ "result": { "maj": SUCCESS }, "sigObj": [{ "whichDoc": "s-001" }] }),
        ),
        Reply::Json(409, json!({ "status": "NOK", "statusReason": "UNEXPECTED_ERROR" })),
        Reply::Json(500, json!({ "result": { "maj": REQUESTER, "min": "GeneralError" } })),
        // Answers to another request or session.
        Reply::Json(200, json!({ "result": { "maj": REQUESTER }, "reqID": "another" })),
        Reply::Json(200, json!({ "result": { "maj": REQUESTER }, "respID": "another" })),
    ] {
        let (signer, _) = signer([sign_opened(), odd.clone(), success(&values)]);
        let (_, session) = sign(&signer, &["s-001"]);
        match run(signer.continue_signing(session, Event::Poll)).unwrap() {
            Step::Wait { session, .. } => {
                let done = run(signer.continue_signing(session, Event::Poll)).unwrap();
                assert!(matches!(done, Step::Done(_)), "{odd:?}: {done:?}");
            }
            other => panic!("{odd:?}: {other:?}"),
        }
    }
    // The same holds for an identification.
    for odd in
        [Reply::Text(200, "<html>"), Reply::Huge, Reply::Json(200, json!({ "status": "OK" }))]
    {
        let (signer, script) = signer([opened(), odd]);
        let (_, session) = identify(&signer);
        match run(signer.continue_identification(session, Event::Poll)).unwrap() {
            Step::Wait { session, .. } => {
                script.add(Reply::Json(200, identified(test_signer())));
                run(signer.continue_identification(session, Event::Poll)).unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn case_22_messages_of_every_form_are_read() {
    let result = |result: Value| status_of(&Reply::Json(200, json!({ "result": result })));
    for message in [
        json!("text"),
        json!({ "lang": "EN", "value": "text" }),
        json!([{ "lang": "EN", "value": "text" }]),
    ] {
        let error = result(json!({ "maj": REQUESTER, "min": "INVALID_POLICY", "msg": message }));
        let error = error.unwrap_err();
        assert_eq!(error.code(), Some("INVALID_POLICY"));
        // The error keeps the texts of the service and does not show them.
        let Error::Answered(reason) = own(&error) else { panic!("{error:?}") };
        assert_eq!(reason.major.as_deref(), Some(REQUESTER));
        assert_eq!(reason.minor.as_deref(), Some("INVALID_POLICY"));
        assert_eq!(reason.message.as_deref(), Some("text"));
        assert!(!format!("{error} {error:?}").contains("text"));
    }
    for message in [Value::Null, json!(7), json!([])] {
        let error = result(json!({ "maj": REQUESTER, "min": "WHAT", "msg": message })).unwrap_err();
        assert_eq!(error.code(), Some("WHAT"));
    }
    let error = result(json!({ "maj": REQUESTER })).unwrap_err();
    assert_eq!(error.code(), Some("RequesterError"));
    assert_eq!((error.kind(), error.retry()), (&SignerErrorKind::Unclear, Retry::Later));
}

/// No document says in which form the service reports it.
#[test]
fn case_39_a_refusal_is_a_whole_code_in_either_form() {
    let nok = |code| json!({ "status": "NOK", "statusReason": code });
    let result =
        |min: Value, msg: Value| json!({ "result": { "maj": REQUESTER, "min": min, "msg": msg } });
    for (body, reason, code) in [
        (nok("REJECTED"), RefusalReason::ByUser, "REJECTED"),
        (nok("EXPIRED"), RefusalReason::Expired, "EXPIRED"),
        (result(json!("urn:be:itsme:REJECTED"), Value::Null), RefusalReason::ByUser, "REJECTED"),
        (json!({ "status": "REJECTED" }), RefusalReason::ByUser, "REJECTED"),
        (result(json!(" EXPIRED "), json!("Action by user")), RefusalReason::Expired, "EXPIRED"),
        (
            json!({ "result": { "maj": "whatever", "min": "REJECTED" } }),
            RefusalReason::ByUser,
            "REJECTED",
        ),
        (
            result(json!("urn:x:NOT_ALLOWED_TO_SIGN"), Value::Null),
            RefusalReason::NotAllowed,
            "NOT_ALLOWED_TO_SIGN",
        ),
    ] {
        for status in [200, 400, 409] {
            match status_of(&Reply::Json(status, body.clone())).unwrap() {
                Step::Refused(refusal) => {
                    assert_eq!(refusal.reason, reason, "{body}");
                    assert_eq!(refusal.code.as_deref(), Some(code), "{body}");
                    let said = body.pointer("/result/msg").and_then(|m| m.as_str());
                    assert!(said.is_none() || refusal.message.as_deref() == said);
                    assert!(!format!("{refusal:?}").contains("Action"));
                }
                other => panic!("{body}: {other:?}"),
            }
        }
    }
}

#[test]
fn pending_is_recognised_in_both_forms() {
    for (status, body) in [
        (409, json!({ "status": "NOK", "statusReason": "PENDING" })),
        (409, json!({ "result": { "maj": REQUESTER, "min": "PENDING" } })),
        (200, json!({ "result": { "maj": PENDING }, "respID": null })),
    ] {
        let step = status_of(&Reply::Json(status, body.clone())).unwrap();
        assert!(matches!(step, Step::Wait { .. }), "{body}: {step:?}");
    }
}

/// An error about the query says nothing about the session.
#[test]
fn an_error_about_the_query_does_not_end_the_session() {
    for code in ["INVALID_REQUESTOR", "INCOMPLETE_REQUEST", "MISSING_PARTNER_CODE"] {
        let body = json!({ "result": { "maj": REQUESTER, "min": code } });
        let error = status_of(&Reply::Json(400, body)).unwrap_err();
        assert_eq!(error.retry(), Retry::Never, "{error:?}");
    }
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
    let missing = success(&json!([object("s-001", &one), { "b64Sig": { "value": two } }]));
    let error = status_of(&missing).unwrap_err();
    assert!(matches!(error.kind(), SignerErrorKind::Protocol { .. }), "{error:?}");
}

/// Demand 7: the encoding of hashes and values.
#[test]
fn case_24_base64_may_have_white_space_and_the_length_is_checked() {
    let plain = value("s-001");
    let lines: Vec<String> =
        plain.as_bytes().chunks(64).map(|l| String::from_utf8_lossy(l).into_owned()).collect();
    for text in [lines.join("\r\n"), plain.trim_end_matches('=').to_owned()] {
        collect("", &["s-001"], &json!([object("s-001", &text)])).unwrap();
    }
    let url_safe = plain.replace('+', "-").replace('/', "_");
    let url_safe = json!([object("s-001", &url_safe)]);
    let error = status_of(&success(&url_safe)).unwrap_err();
    assert!(matches!(error.kind(), SignerErrorKind::Protocol { .. }), "{error:?}");
    collect("[tolerance]\nurl_safe_values = true", &["s-001"], &url_safe).unwrap();

    let short = json!([object("s-001", "AAAA")]);
    let error = collect("", &["s-001"], &short).unwrap_err();
    assert_eq!(error.kind(), &SignerErrorKind::Value);
}

/// Demands 7 and 8: the request has only the hash.
#[test]
fn case_25_requests_have_canonical_base64() {
    let (signer, script) = signer([sign_opened()]);
    run(signer.sign(request(&["s-001"]))).unwrap();
    let sent = script.asked()[0].1["inDocs"]["docHash"][0]["di"][0]["value"].clone();
    let digest = Digest::of(DigestAlgorithm::Sha256, b"s-001");
    assert_eq!(sent, Base64::encode_string(digest.value()));
}

#[test]
fn case_26_the_user_is_sent_only_to_trusted_addresses() {
    for url in [
        "http://front.example/i",
        "https://user:pw@front.example/i",
        "https://evil.example/i",
        "https://front.example.evil.example/i",
        "javascript:alert(1)",
        "front.example/i",
        " https://front.example/i",
        "https://front.example/i\r\nSet-Cookie: a=b",
        "https://front.example/i?q=a b",
        "https://front.\texample/i",
        "https://front.example\\i",
        // The URL would have two states.
        "https://front.example/i?st=theirs",
        "https://front.example/i?q=1&%73t=theirs#top",
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
fn case_27_the_state_is_added_and_the_rest_of_the_url_is_unchanged() {
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

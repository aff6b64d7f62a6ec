//! Edge cases of sessions and their states.

use ades_core::signer::{
    Event, IdentificationRequest, IdentificationSession, Identity, RefusalReason, SignerErrorKind,
    SigningSession, Step,
};
use ades_core::{RemoteSigner, Retry};
use chrono::TimeDelta;
use itsme_signer::transport::ServerProblem;
use itsme_signer::{ItsmeSigner, is_return_from};
use serde_json::{Value, json};

use crate::script::{
    PENDING, REQUESTER, Reply, collect, drop_waiting, identified, identify, now, object, opened,
    request, returned, run, sign, sign_opened, signer, signer_with, signer_with_clock, state_of,
    success, test_signer, value,
};

#[test]
fn case_31_a_return_without_our_state_sends_no_request() {
    let (signer, script) = signer([opened()]);
    let (_, session) = identify(&signer);
    for query in ["", "q=1", "st=", "st=0123456789abcdef0123456789abcdef", "st=a&st=b"] {
        let event = returned(query.to_owned(), None);
        let error = run(signer.continue_identification(session.clone(), event)).unwrap_err();
        assert_eq!(error.kind(), &SignerErrorKind::State);
    }
    assert_eq!(script.asked().len(), 1);
}

/// Identifies the user, who returns. Returns the page, the query of the return,
/// the session and the identity.
fn identified_by_return(signer: &ItsmeSigner) -> (String, String, IdentificationSession, Identity) {
    let (page, session) = identify(signer);
    let query = format!("q=1&st={}", state_of(&page));
    let event = returned(query.clone(), None);
    match run(signer.continue_identification(session.clone(), event)).unwrap() {
        Step::Done(identity) => (page, query, session, identity),
        other => panic!("{other:?}"),
    }
}

#[test]
fn case_31_the_state_of_an_earlier_step_is_refused() {
    let done = Reply::Json(200, identified(test_signer()));
    let (signer, script) = signer([opened(), done, sign_opened()]);
    let (first, query, _, _) = identified_by_return(&signer);
    let (second, session) = sign(&signer, &["s-001"]);
    let event = returned(query.clone(), None);
    let error = run(signer.continue_signing(session, event)).unwrap_err();
    assert_eq!(error.kind(), &SignerErrorKind::State);
    assert_eq!(script.asked().len(), 3);
    // An application can tell it from a stranger's return without any request.
    assert!(is_return_from(&first, &query) && is_return_from(&first, &format!("?{query}")));
    assert!(!is_return_from(&second, &query));
    for stranger in ["", "st=", "q=1", "st=0123456789abcdef0123456789abcdef"] {
        assert!(!is_return_from(&first, stranger), "{stranger}");
    }
    assert!(!is_return_from("https://front.example/i", ""));
}

/// The session has ended: the same answer is read again, and nothing is opened.
#[test]
fn case_32_a_late_return_from_the_first_page_opens_nothing() {
    let done = || Reply::Json(200, identified(test_signer()));
    let (signer, script) = signer([opened(), done(), sign_opened(), done()]);
    let (_, query, first, identity) = identified_by_return(&signer);
    let (_, second) = sign(&signer, &["s-001"]);
    match run(signer.continue_identification(first, returned(query, None))).unwrap() {
        Step::Done(again) => assert_eq!(again, identity),
        other => panic!("{other:?}"),
    }
    let opened = script.asked().iter().filter(|(_, body)| !body["inDocs"].is_null()).count();
    assert_eq!(opened, 1);
    script.add(success(&json!([object("s-001", &value("s-001"))])));
    assert!(matches!(run(signer.continue_signing(second, Event::Poll)), Ok(Step::Done(_))));
}

/// A repeated return reads the status again and opens nothing.
#[test]
fn case_32_and_34_a_repeated_return_only_queries_the_status() {
    let pending = || Reply::Json(409, json!({ "status": "NOK", "statusReason": "PENDING" }));
    let (signer, script) = signer([opened(), pending(), pending()]);
    let (url, session) = identify(&signer);
    for _ in 0..2 {
        let event = returned(format!("q=1&st={}", state_of(&url)), None);
        run(signer.continue_identification(session.clone(), event)).unwrap();
    }
    let paths: Vec<String> = script.asked().into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths[1..], ["/user_identification/status", "/user_identification/status"]);
}

/// What an application stores in clear to find a session and to know when to ask: its key, its
/// deadline and the first poll.
#[test]
fn a_redirect_has_a_key_a_deadline_and_a_first_poll() {
    let pending = Reply::Json(409, json!({ "status": "NOK", "statusReason": "PENDING" }));
    let (signer, _) = signer([opened(), pending]);
    let step = run(signer.identify(IdentificationRequest::default())).unwrap();
    let Step::Redirect { url, session, return_key, poll_after, expires_at, .. } = step else {
        panic!("the step must redirect the browser")
    };
    let key = state_of(&url);
    assert_eq!(return_key.as_deref(), Some(key.as_str()));
    assert_eq!(poll_after, Some(std::time::Duration::from_secs(5)));
    assert_eq!(expires_at, itsme_signer::identification_deadline(&session));
    for query in [format!("st={key}"), format!("?q=1&st={key}"), format!("st={key}&q=1")] {
        assert_eq!(signer.return_key(&query).as_ref(), Some(&key));
    }
    for query in ["", "q=1", "stt=1", "st=1&st=2"] {
        assert_eq!(signer.return_key(query), None);
    }
    let step = run(signer.continue_identification(session, Event::Poll)).unwrap();
    assert!(matches!(step, Step::Wait { expires_at: at, .. } if at == expires_at), "{step:?}");
}

#[test]
fn case_33_a_session_belongs_to_one_browser() {
    let done = Reply::Json(200, identified(test_signer()));
    let (signer, _) = signer([opened(), done]);
    let mut request = IdentificationRequest::default();
    request.browser = Some("cookie-x".to_owned());
    let Step::Redirect { url, session, .. } = run(signer.identify(request)).unwrap() else {
        panic!("the step must redirect the browser")
    };
    assert!(!serde_json::to_string(&session).unwrap().contains("cookie-x"));
    let query = format!("st={}", state_of(&url));
    for browser in [None, Some("cookie-y")] {
        let event = returned(query.clone(), browser);
        let error = run(signer.continue_identification(session.clone(), event)).unwrap_err();
        assert_eq!(error.kind(), &SignerErrorKind::OtherBrowser);
    }
    let event = returned(query, Some("cookie-x"));
    assert!(matches!(run(signer.continue_identification(session, event)), Ok(Step::Done(_))));
}

/// Whoever gets the address of the page can identify there, as themselves. Polling must not
/// believe it either.
#[test]
fn case_33_an_identification_counts_once_its_browser_came_back() {
    let done = || Reply::Json(200, identified(test_signer()));
    let pending = Reply::Json(409, json!({ "status": "NOK", "statusReason": "PENDING" }));
    let (signer, _) = signer([opened(), done(), done(), pending, done()]);
    let mut request = IdentificationRequest::default();
    request.browser = Some("cookie-x".to_owned());
    let Step::Redirect { url, mut session, .. } = run(signer.identify(request)).unwrap() else {
        panic!("the step must redirect the browser")
    };
    for _ in 0..2 {
        session = match run(signer.continue_identification(session, Event::Poll)).unwrap() {
            Step::Wait { session, .. } => session,
            other => panic!("{other:?}"),
        };
    }
    // It comes back before the service has the result. From then on, polling is enough, also for
    // another process.
    let event = returned(format!("st={}", state_of(&url)), Some("cookie-x"));
    session = match run(signer.continue_identification(session, event)).unwrap() {
        Step::Wait { session, .. } => session,
        other => panic!("{other:?}"),
    };
    let stored = serde_json::to_string(&session).unwrap();
    let session = serde_json::from_str(&stored).unwrap();
    let step = run(signer.continue_identification(session, Event::Poll));
    assert!(matches!(step, Ok(Step::Done(_))), "{step:?}");
}

/// A refusal counts in any case, and so does the end of the time.
#[test]
fn case_33_a_refusal_needs_no_browser() {
    let rejected = Reply::Json(409, json!({ "status": "NOK", "statusReason": "REJECTED" }));
    let (signer, _) = signer([opened(), rejected]);
    let mut request = IdentificationRequest::default();
    request.browser = Some("cookie-x".to_owned());
    let Step::Redirect { session, .. } = run(signer.identify(request)).unwrap() else {
        panic!("the step must redirect the browser")
    };
    let step = run(signer.continue_identification(session, Event::Poll));
    assert!(matches!(step, Ok(Step::Refused(_))), "{step:?}");
}

/// The types also prevent swapped sessions and empty ids.
#[test]
fn case_35_and_36_a_status_query_always_carries_the_id_of_its_own_session() {
    let (signer, script) = signer([sign_opened(), Reply::Text(409, "")]);
    let (_, session) = sign(&signer, &["s-001"]);
    let stored = serde_json::to_string(&session).unwrap();
    let _ = run(signer.continue_signing(session, Event::Poll));
    let (_, status) = &script.asked()[1];
    assert_eq!(status["asyncRespID"], "sign-1");
    assert_eq!(status["inDocs"], Value::Null);

    let emptied = stored.replace("sign-1", "");
    let session: SigningSession = serde_json::from_str(&emptied).unwrap();
    let error = run(signer.continue_signing(session, Event::Poll)).unwrap_err();
    assert_eq!(error.kind(), &SignerErrorKind::Session);
}

#[test]
fn case_37_the_result_is_collected_without_a_return() {
    let values = collect("", &["s-001"], &json!([object("s-001", &value("s-001"))])).unwrap();
    assert_eq!(values.len(), 1);
}

#[test]
fn case_38_the_deadline_ends_the_wait_and_a_late_success_still_counts() {
    let (signer, script, late) = signer_with_clock("");
    script.add(sign_opened());
    let (_, session) = sign(&signer, &["s-001"]);
    *late.lock().unwrap() = now() + TimeDelta::try_minutes(11).unwrap();
    script.add(Reply::Json(200, json!({ "result": { "maj": PENDING } })));
    match run(signer.continue_signing(session.clone(), Event::Poll)).unwrap() {
        Step::Refused(refusal) => assert_eq!(refusal.reason, RefusalReason::Expired),
        other => panic!("{other:?}"),
    }
    script.add(success(&json!([object("s-001", &value("s-001"))])));
    assert!(matches!(run(signer.continue_signing(session, Event::Poll)), Ok(Step::Done(_))));
}

#[test]
fn case_39_refusals_say_whether_another_session_helps() {
    for (code, reason, retry) in [
        ("REJECTED", RefusalReason::ByUser, Retry::NewSession),
        ("EXPIRED", RefusalReason::Expired, Retry::NewSession),
        ("NOT_ALLOWED_TO_SIGN", RefusalReason::NotAllowed, Retry::Never),
        ("SIGNATURE_NOT_ALLOWED", RefusalReason::NotAllowed, Retry::Never),
    ] {
        let reply = Reply::Json(409, json!({ "status": "NOK", "statusReason": code }));
        let (signer, _) = signer([opened(), reply]);
        let (_, session) = identify(&signer);
        match run(signer.continue_identification(session, Event::Poll)).unwrap() {
            Step::Refused(refusal) => {
                assert_eq!((refusal.reason, refusal.reason.retry()), (reason, retry));
                assert_eq!(refusal.code.as_deref(), Some(code));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn case_40_a_signature_session_is_never_opened_twice() {
    let page = |url: &str| {
        let page = json!({ "itsme": { "signingUrl": url } });
        Reply::Json(
            200,
            json!({ "result": { "maj": PENDING }, "respID": "sign-1", "optOutp": page }),
        )
    };
    let no = |status, min: Value, msg: Value| {
        Reply::Json(status, json!({ "result": { "maj": REQUESTER, "min": min, "msg": msg } }))
    };
    // Every answer that does not prove that itsme® did not ask the user.
    for reply in [
        Reply::Lost,
        Reply::Huge,
        Reply::Text(500, "oops"),
        Reply::Text(502, ""),
        Reply::Text(200, "<html>"),
        Reply::Text(200, ""),
        Reply::Text(302, ""),
        Reply::Text(404, "not here"),
        Reply::Text(400, "<html>"),
        Reply::Text(409, ""),
        Reply::Json(200, json!({ "result": { "maj": PENDING } })),
        Reply::Json(200, json!({ "result": { "maj": "whatever" } })),
        Reply::Json(200, json!({ "result": { "maj": PENDING }, "reqID": "another" })),
        Reply::Json(409, json!({ "status": "NOK", "statusReason": "PENDING" })),
        page("https://evil.example/s"),
        page("http://front.example/s"),
        no(400, Value::Null, Value::Null),
        no(400, json!("WHATEVER"), Value::Null),
        no(400, Value::Null, json!("Action REJECTED by user")),
        no(500, json!("TECHNICAL_ERROR"), Value::Null),
        // The service failed at an unknown point.
        no(400, json!("ERROR"), Value::Null),
        no(400, json!("UNKNOWN"), Value::Null),
        no(400, json!("TECHNICAL_ERROR"), Value::Null),
        no(409, json!("UNEXPECTED_ERROR"), Value::Null),
    ] {
        let (signer, script) = signer([reply.clone()]);
        let error = run(signer.sign(request(&["s-001"]))).unwrap_err();
        assert_eq!(error.kind(), &SignerErrorKind::UnknownOutcome, "{reply:?}");
        assert!(std::error::Error::source(&error).is_some());
        assert_eq!(script.asked().len(), 1);
    }
    // The request was denied or never sent, so itsme® did not ask the user.
    for (reply, kind) in [
        (Reply::NotSent, SignerErrorKind::Unavailable),
        (Reply::NotAuthorised, SignerErrorKind::ClientNotAuthorised),
        (Reply::Text(403, "<html>"), SignerErrorKind::ClientNotAuthorised),
        (no(400, json!("INVALID_POLICY"), Value::Null), SignerErrorKind::Configuration),
        (no(400, json!("INVALID_DIGEST_INFO"), Value::Null), SignerErrorKind::Configuration),
        (Reply::Untrusted(ServerProblem::UnknownIssuer), SignerErrorKind::Configuration),
        (Reply::ProxyRefused, SignerErrorKind::Configuration),
    ] {
        let (signer, script) = signer([reply.clone()]);
        let error = run(signer.sign(request(&["s-001"]))).unwrap_err();
        assert_eq!(error.kind(), &kind, "{reply:?}");
        assert_eq!(script.asked().len(), 1);
    }
}

#[test]
fn case_40_an_identification_that_fails_is_tried_three_times() {
    let failed = |code| Reply::Json(400, json!({ "status": "NOK", "statusReason": code }));
    for code in ["UNEXPECTED_ERROR", "TECHNICAL_ERROR"] {
        let (signer, script) = signer([failed(code), failed(code), opened()]);
        identify(&signer);
        assert_eq!(script.pauses(), [1, 2]);

        let (signer, script) = signer_with("", [failed(code), failed(code), failed(code)]);
        let error = run(signer.identify(IdentificationRequest::default())).unwrap_err();
        assert_eq!((error.retry(), error.code()), (Retry::Later, Some(code)));
        assert_eq!(script.asked().len(), 3);
    }
    // Every other failure is not repeated: itsme® may have opened a session, or
    // the request fails again.
    for reply in [
        Reply::Lost,
        Reply::Text(500, "oops"),
        Reply::Text(200, "<html>"),
        failed("INVALID_LANG"),
        Reply::Text(503, ""),
        Reply::Json(500, json!({ "status": "NOK", "statusReason": "UNEXPECTED_ERROR" })),
    ] {
        let (signer, script) = signer([reply]);
        assert!(run(signer.identify(IdentificationRequest::default())).is_err());
        assert_eq!(script.asked().len(), 1);
    }
}

/// A dropped future has the effect that `ItsmeSigner` documents.
#[test]
fn a_dropped_call_leaves_its_session_usable() {
    let (signer, script) = signer([]);
    drop(signer.identify(IdentificationRequest::default()));
    drop(signer.sign(request(&["s-001"])));
    assert!(script.asked().is_empty(), "nothing is sent before the first poll");

    script.add(Reply::Never);
    drop_waiting(signer.identify(IdentificationRequest::default()));
    script.add(opened());
    let (_, session) = identify(&signer);
    script.add(Reply::Never);
    drop_waiting(signer.continue_identification(session.clone(), Event::Poll));
    script.add(Reply::Json(200, identified(test_signer())));
    let done = run(signer.continue_identification(session, Event::Poll));
    assert!(matches!(done, Ok(Step::Done(_))));

    // itsme® may have opened a session, so the request is sent only once.
    script.add(Reply::Never);
    drop_waiting(signer.sign(request(&["s-001"])));
    let opened = || script.asked().iter().filter(|(_, body)| !body["inDocs"].is_null()).count();
    assert_eq!(opened(), 1);

    script.add(sign_opened());
    let (_, session) = sign(&signer, &["s-001"]);
    script.add(Reply::Never);
    drop_waiting(signer.continue_signing(session.clone(), Event::Poll));
    script.add(success(&json!([object("s-001", &value("s-001"))])));
    let done = run(signer.continue_signing(session, Event::Poll));
    assert!(matches!(done, Ok(Step::Done(_))));
    assert_eq!(opened(), 2);
}

#[test]
fn the_wait_between_status_queries_grows() {
    let (signer, script) = signer([sign_opened()]);
    let (_, mut session) = sign(&signer, &["s-001"]);
    let mut waits = Vec::new();
    for _ in 0..6 {
        script.add(Reply::Json(200, json!({ "result": { "maj": PENDING } })));
        match run(signer.continue_signing(session, Event::Poll)).unwrap() {
            Step::Wait { after, session: next, .. } => {
                waits.push(after.as_secs());
                session = next;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(waits, [1, 2, 3, 5, 10, 10]);
}

//! Edge cases of answers that are neither a result nor the end of a session:
//! nothing that the user may have confirmed is thrown away.

use std::sync::{Arc, Mutex};

use ades_core::signer::{Event, SignerErrorKind, SigningSession, Step};
use ades_core::{RemoteSigner, Retry};
use ades_tests::pki::{Key, Pki, Profile};
use base64ct::{Base64, Encoding};
use chrono::TimeDelta;
use itsme_signer::{Error, ItsmeSigner};
use serde_json::{Value, json};

use crate::script::{
    PENDING, REQUESTER, RSA, Reply, Script, collect, identified, identify, object, opened, own,
    run, sign, sign_opened, signer, signer_with, signer_with_clock, status_of, success,
    test_signer, value, waits,
};

const RESPONDER: &str = "urn:oasis:names:tc:dss:1.0:resultmajor:ResponderError";

fn result(maj: &str, min: impl Into<Value>, msg: impl Into<Value>) -> Value {
    json!({ "result": { "maj": maj, "min": min.into(), "msg": msg.into() } })
}

fn good() -> Reply {
    success(&json!([object("s-001", &value("s-001"))]))
}

/// The value with one bit flipped.
fn flipped(data: &str, bit: u8) -> String {
    let mut octets = Base64::decode_vec(&value(data)).unwrap();
    octets[100] ^= 1 << bit;
    Base64::encode_string(&octets)
}

fn poll(
    signer: &ItsmeSigner,
    session: &SigningSession,
) -> Result<Step<(), SigningSession>, SignerErrorKind> {
    match run(signer.continue_signing(session.clone(), Event::Poll)) {
        Ok(Step::Done(_)) => Ok(Step::Done(())),
        Ok(Step::Wait { after, session, .. }) => Ok(Step::wait(after, session)),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.kind().clone()),
    }
}

/// Only a whole code that the service documents as final ends a session.
#[test]
fn case_64_an_unclear_answer_keeps_the_session() {
    let nok = |code: &str| json!({ "status": "NOK", "statusReason": code });
    let texts = [
        result(REQUESTER, "UNEXPECTED_ERROR", "the action was REJECTED"),
        result(RESPONDER, "UNEXPECTED_ERROR", "back-end certificate EXPIRED"),
        result(RESPONDER, "TECHNICAL_ERROR", json!({ "lang": "EN", "value": "EXPIRED" })),
        result(RESPONDER, "UNKNOWN", json!([{ "value": "NOT_ALLOWED_TO_SIGN" }])),
        result(REQUESTER, Value::Null, "REJECTED"),
        result(REQUESTER, Value::Null, "Action REJECTED by user"),
        result(REQUESTER, "back-end certificate EXPIRED", Value::Null),
        result(REQUESTER, "the user: REJECTED", Value::Null),
        result(REQUESTER, "back-end:EXPIRED", Value::Null),
        result(REQUESTER, "USER_REJECTED", Value::Null),
        result(REQUESTER, "rejected", Value::Null),
        result(REQUESTER, "IN_PROGRESS", Value::Null),
        result(REQUESTER, "SESSION_EXPIRED_SOON", Value::Null),
        // A code about the request that opened the session.
        result(REQUESTER, "INVALID_POLICY", "REJECTED"),
        result("urn:whatever", "WHATEVER", Value::Null),
        json!({ "result": { "maj": REQUESTER } }),
        nok("UNEXPECTED_ERROR"),
        nok("IN_PROGRESS"),
        nok("NOT_EXPIRED"),
        json!({ "status": "NOK" }),
        json!({ "status": "LATER" }),
    ];
    let mut replies: Vec<Reply> = Vec::new();
    for body in texts {
        replies.extend([200, 400, 409, 500].map(|status| Reply::Json(status, body.clone())));
        replies.extend([404, 429, 502, 503].map(|status| Reply::Json(status, body.clone())));
    }
    // A failure of the service's own, although with a final code.
    replies.push(Reply::Json(500, nok("REJECTED")));
    replies.push(Reply::Json(503, result(REQUESTER, "EXPIRED", Value::Null)));
    for reply in replies {
        let (signer, script) = signer([sign_opened(), reply.clone(), reply.clone(), good()]);
        let (_, mut session) = sign(&signer, &["s-001"]);
        for _ in 0..2 {
            (_, session) = waits(run(signer.continue_signing(session, Event::Poll)));
        }
        assert!(matches!(poll(&signer, &session), Ok(Step::Done(()))), "{reply:?}");
        assert_eq!(script.asked().len(), 4);

        // The same holds for an identification.
        let (signer, _) = signer_of_identification(reply.clone());
        let (_, session) = identify(&signer);
        let (_, session) = waits(run(signer.continue_identification(session, Event::Poll)));
        let done = run(signer.continue_identification(session, Event::Poll));
        assert!(matches!(done, Ok(Step::Done(_))), "{reply:?}: {done:?}");
    }
}

fn signer_of_identification(reply: Reply) -> (ItsmeSigner, Script) {
    signer([opened(), reply, Reply::Json(200, identified(test_signer()))])
}

#[test]
fn case_64_the_sessions_time_limits_how_often_it_is_asked() {
    let unclear = || Reply::Json(409, json!({ "status": "NOK", "statusReason": "IN_PROGRESS" }));
    let (signer, script, time) = signer_with_clock("");
    script.add(sign_opened());
    let (_, mut session) = sign(&signer, &["s-001"]);
    let mut waited = 0;
    let error = loop {
        script.add(unclear());
        match run(signer.continue_signing(session.clone(), Event::Poll)) {
            Ok(Step::Wait { after, session: next, .. }) => {
                *time.lock().unwrap() += TimeDelta::from_std(after).unwrap();
                waited += after.as_secs();
                session = next;
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
    };
    assert!((600..=630).contains(&waited), "{waited}");
    assert!(script.asked().len() < 35, "{}", script.asked().len());
    assert_eq!((error.kind(), error.retry()), (&SignerErrorKind::Unclear, Retry::Later));
    assert_eq!(error.code(), Some("IN_PROGRESS"));
    // The stored session is asked once more each time, and still gets its result.
    script.add(unclear());
    assert_eq!(poll(&signer, &session), Err(SignerErrorKind::Unclear));
    script.add(good());
    assert!(matches!(poll(&signer, &session), Ok(Step::Done(()))));
    let opened = script.asked().iter().filter(|(_, body)| !body["inDocs"].is_null()).count();
    assert_eq!(opened, 1);
}

/// An application can tell the user why it still waits.
#[test]
fn case_64_unclear_answers_are_reported_to_the_application() {
    let (signer, script) = signer([sign_opened()]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    let signer = signer.on_unclear(move |error| kept.lock().unwrap().push(error.kind().clone()));
    let (_, mut session) = sign(&signer, &["s-001"]);
    for reply in [
        Reply::Text(503, ""),
        Reply::Json(200, json!({ "result": { "maj": PENDING } })),
        Reply::Lost,
        success(&json!([object("s-001", &flipped("s-001", 0))])),
    ] {
        script.add(reply);
        (_, session) = waits(run(signer.continue_signing(session, Event::Poll)));
    }
    let unavailable = SignerErrorKind::Unavailable;
    let expected = [SignerErrorKind::Service { status: 503 }, unavailable, SignerErrorKind::Value];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[test]
fn case_65_a_damaged_value_is_asked_for_again() {
    let ids = ["s-001", "s-002"];
    let both =
        |one: String, two: String| success(&json!([object("s-001", &one), object("s-002", &two)]));
    let (one, two) = (value("s-001"), value("s-002"));
    let replies = [
        both(flipped("s-001", 0), two.clone()),
        both(one.clone(), flipped("s-002", 1)),
        both(flipped("s-001", 2), flipped("s-002", 3)),
        both(one.clone(), "AAAA".to_owned()),
        both(one.clone(), "no base64".to_owned()),
        success(&json!([object("s-001", &one)])),
        success(&json!([object("s-001", &one), object("s-003", &two)])),
        success(&Value::Null),
    ];
    let count = replies.len();
    let (signer, script) = signer([sign_opened()]);
    replies.into_iter().chain([both(one, two)]).for_each(|reply| script.add(reply));
    let (_, mut session) = sign(&signer, &ids);
    for _ in 0..count {
        (_, session) = waits(run(signer.continue_signing(session, Event::Poll)));
    }
    assert!(matches!(poll(&signer, &session), Ok(Step::Done(()))));
}

/// The result does not change any more, so asking on would only keep the user
/// waiting. A later process asks the same session once more.
#[test]
fn case_65_the_same_unusable_result_twice_is_an_error() {
    let wrong = |value: String| json!([object("s-001", &value)]);
    let by_us = |data: &str| wrong(value(data));
    for (values, kind) in [
        (by_us("another document"), SignerErrorKind::Value),
        (wrong("AAAA".to_owned()), SignerErrorKind::Value),
        (json!([object("s-002", &value("s-001"))]), SignerErrorKind::ResultMismatch),
    ] {
        let (signer, script) = signer([sign_opened(), success(&values), success(&values)]);
        let (_, session) = sign(&signer, &["s-001"]);
        let (_, session) = waits(run(signer.continue_signing(session, Event::Poll)));
        let error = run(signer.continue_signing(session.clone(), Event::Poll)).unwrap_err();
        assert_eq!((error.kind(), error.retry()), (&kind, Retry::Later));
        script.add(good());
        assert!(matches!(poll(&signer, &session), Ok(Step::Done(()))));
    }
    let error = collect("", &["s-001"], &json!("no list")).unwrap_err();
    assert!(matches!(error.kind(), SignerErrorKind::Protocol { .. }), "{error:?}");
    assert_eq!(error.retry(), Retry::Later);
}

/// One wrong bit must not cost a confirmation.
#[test]
fn case_52_another_key_is_reported_only_when_the_same_values_come_again() {
    let other = Pki::shared().issue(&Profile::new(Key::Rsa2048));
    let by_other = |data: &str| {
        Base64::encode_string(&other.sign(&ades_core::ToBeSigned::new(data.into(), RSA)))
    };
    let error = collect("", &["s-001"], &json!([object("s-001", &by_other("s-001"))])).unwrap_err();
    assert!(matches!(own(&error), Error::OtherKey), "{error:?}");
    assert_eq!(error.kind(), &SignerErrorKind::Certificate);
    assert_eq!(error.retry(), Retry::NewIdentification);

    // After one answer it can be damage.
    let once = success(&json!([object("s-001", &by_other("s-001"))]));
    let (signer, _) = signer_with("[limits]\nstatus_failures = 0", [sign_opened(), once.clone()]);
    let (_, session) = sign(&signer, &["s-001"]);
    let error = run(signer.continue_signing(session, Event::Poll)).unwrap_err();
    assert!(matches!(own(&error), Error::DamagedOrOtherKey), "{error:?}");
    assert_eq!((error.kind(), error.retry()), (&SignerErrorKind::Value, Retry::Later));

    // Different wrong values are damage.
    let (signer, script) = crate::script::signer([sign_opened(), once]);
    let (_, session) = sign(&signer, &["s-001"]);
    let (_, session) = waits(run(signer.continue_signing(session, Event::Poll)));
    script.add(success(&json!([object("s-001", &flipped("s-001", 0))])));
    let (_, session) = waits(run(signer.continue_signing(session, Event::Poll)));
    script.add(good());
    assert!(matches!(poll(&signer, &session), Ok(Step::Done(()))));

    // A batch with one value by the certificate's key is not by another key, also if
    // that value is over other data.
    for first in [value("s-001"), value("another document")] {
        let values = json!([object("s-001", &first), object("s-002", &by_other("s-002"))]);
        let error = collect("", &["s-001", "s-002"], &values).unwrap_err();
        assert_eq!((error.kind(), error.retry()), (&SignerErrorKind::Value, Retry::Later));
    }
}

#[test]
fn case_66_a_damaged_identification_is_asked_for_again() {
    let good = identified(test_signer());
    let changed = |key: &str, value: Value| {
        let mut body = good.clone();
        body[key] = value;
        body
    };
    let certificate = good["certificate"].as_str().unwrap();
    let foreign = identified(Pki::shared().signer(Key::P256))["certificate"].clone();
    for body in [
        changed("certificate", json!(certificate.replacen("MII", "MIJ", 1))),
        changed("certificate", json!("no PEM")),
        changed("certificate", Value::Null),
        changed("certificate", foreign),
        changed("fullCertificateChain", json!("no PEM")),
        changed("userCode", json!("short")),
        changed("userCode", Value::Null),
    ] {
        let (signer, script) = signer([opened(), Reply::Json(200, body.clone())]);
        let (_, session) = identify(&signer);
        let (_, session) = waits(run(signer.continue_identification(session, Event::Poll)));
        // The same answer again is an error, and the session stays.
        script.add(Reply::Json(200, body.clone()));
        let again = run(signer.continue_identification(session.clone(), Event::Poll));
        assert!(again.is_err(), "{body}");
        script.add(Reply::Json(200, good.clone()));
        let done = run(signer.continue_identification(session, Event::Poll));
        assert!(matches!(done, Ok(Step::Done(_))), "{body}: {done:?}");
    }
}

#[test]
fn case_67_retry_after_is_honoured_within_the_sessions_time() {
    let busy = |value| Reply::Headed(503, "retry-after", value, json!({}));
    let pending = |value| {
        let body = json!({ "result": { "maj": PENDING }, "respID": "sign-1" });
        Reply::Headed(200, "retry-after", value, body)
    };
    // The script's clock stands still at 2026-09-21T14:13:20Z, and a session lasts
    // ten minutes.
    for (reply, expected) in [
        (busy("30"), 30),
        (pending("30"), 30),
        (busy("Mon, 21 Sep 2026 14:14:20 GMT"), 60),
        (busy("Monday, 21-Sep-26 14:14:20 GMT"), 60),
        (busy("Mon Sep 21 14:14:20 2026"), 60),
        // Never less than our own wait, and never more than the session has left.
        (busy("0"), 1),
        (busy("Mon, 21 Sep 2026 14:00:00 GMT"), 1),
        (busy("86400"), 600),
        (busy("99999999999999999999"), 600),
        (busy("Tue, 21 Sep 2077 14:14:20 GMT"), 600),
        // A date with the wrong day of the week is ignored.
        (busy("Mon, 21 Sep 2077 14:14:20 GMT"), 1),
        (busy("soon"), 1),
    ] {
        let (signer, _) = signer([sign_opened(), reply.clone()]);
        let (_, session) = sign(&signer, &["s-001"]);
        let (after, _) = waits(run(signer.continue_signing(session, Event::Poll)));
        assert_eq!(after, expected, "{reply:?}");
    }
    let long = signer_with("[limits]\nsession_seconds = 86400", [sign_opened(), busy("86400")]);
    let (_, session) = sign(&long.0, &["s-001"]);
    let (after, _) = waits(run(long.0.continue_signing(session, Event::Poll)));
    assert_eq!(after, 600, "ten minutes at most");
}

/// A request that opens an identification, or fetches the discovery document.
#[test]
fn case_67_a_busy_service_is_not_pressed() {
    let busy = |value| Reply::Headed(429, "retry-after", value, json!({}));
    let request = ades_core::signer::IdentificationRequest::default;
    let (signer, script) = signer([busy("7"), busy("0"), opened()]);
    identify(&signer);
    assert_eq!(script.pauses(), [7, 2]);

    let (signer, script) = crate::script::signer([busy("120")]);
    let error = run(signer.identify(request())).unwrap_err();
    assert_eq!(error.kind(), &SignerErrorKind::Service { status: 429 });
    assert!(matches!(own(&error), Error::Busy { seconds: 120 }), "{error:?}");
    assert_eq!((error.retry(), script.asked().len()), (Retry::Later, 1));

    let (signer, script) =
        crate::script::signer([Reply::Headed(503, "retry-after", "3600", json!({}))]);
    assert!(run(Box::pin(signer.discovery())).is_err());
    assert_eq!(script.asked().len(), 1);
}

/// Nothing in these answers speaks about the session, and asking again without a
/// correction cannot help.
#[test]
fn case_62_an_error_about_the_query_keeps_the_session() {
    let about = |code| Reply::Json(400, result(REQUESTER, code, Value::Null));
    for reply in [about("INVALID_REQUESTOR"), about("MISSING_PARTNER_CODE"), Reply::Text(403, "")] {
        let error = status_of(&reply).unwrap_err();
        assert_eq!(error.retry(), Retry::Never, "{error:?}");
        let (signer, _) = signer([sign_opened(), reply, good()]);
        let (_, session) = sign(&signer, &["s-001"]);
        assert!(poll(&signer, &session).is_err());
        assert!(matches!(poll(&signer, &session), Ok(Step::Done(()))));
    }
}

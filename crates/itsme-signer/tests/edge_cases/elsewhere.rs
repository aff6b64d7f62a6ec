//! Edge cases of answers that are not the service's: a wrong address, a server that
//! is not trusted, a proxy. No later try helps, so that none is suggested.

use ades_core::signer::{Event, IdentificationRequest, SignerError, SignerErrorKind, Step};
use ades_core::{Fault, RemoteSigner, Retry};
use itsme_signer::Error;
use itsme_signer::transport::ServerProblem;
use serde_json::json;

use crate::script::{
    Reply, object, opened, own, run, sign, sign_opened, signer, status_of, success, value, waits,
};

fn identification_error(reply: Reply) -> (SignerError, usize) {
    let (signer, script) = signer([reply]);
    let error = run(signer.identify(IdentificationRequest::default())).unwrap_err();
    (error, script.asked().len())
}

#[track_caller]
fn is_configuration(error: &SignerError, saying: &[&str]) {
    assert_eq!(error.kind(), &SignerErrorKind::Configuration, "{error:?}");
    assert_eq!((error.fault(), error.retry()), (Fault::Configuration, Retry::Never));
    let cause = std::error::Error::source(error).unwrap().to_string();
    for words in saying {
        assert!(cause.contains(words), "{words:?} is not in {cause:?}");
    }
}

#[test]
fn case_68_a_wrong_address_is_reported_with_the_answer() {
    let page = "<!DOCTYPE html><title>Welcome</title>";
    for (reply, answer) in [
        (Reply::Text(404, ""), "HTTP status 404"),
        (Reply::Text(404, page), "HTTP status 404 and a web page"),
        (Reply::Json(404, json!({ "error": "no such path" })), "HTTP status 404"),
        (Reply::Text(405, ""), "HTTP status 405"),
        (Reply::Text(410, ""), "HTTP status 410"),
        (Reply::Text(200, page), "HTTP status 200 and a web page"),
        (Reply::Text(400, page), "client.certificate"),
        (Reply::Text(302, ""), "HTTP status 302"),
        (
            Reply::Headed(301, "location", "https://www.example.org/login?x=1", json!({})),
            "HTTP status 301 and a redirect to www.example.org",
        ),
        (Reply::Text(407, ""), "HTTP status 407"),
        (Reply::Text(421, ""), "HTTP status 421"),
    ] {
        let (error, asked) = identification_error(reply.clone());
        is_configuration(&error, &["https://back.example", answer, "base_url"]);
        assert!(matches!(own(&error), Error::NotTheService { .. }), "{error:?}");
        assert_eq!(asked, 1, "{reply:?}");
    }
    // Trouble at the right address.
    for status in [408, 425, 500, 502, 503, 504] {
        let (error, _) = identification_error(Reply::Text(status, page));
        assert_eq!((error.fault(), error.retry()), (Fault::Service, Retry::Later), "{status}");
    }
}

#[test]
fn case_68_the_discovery_document_has_the_same_address() {
    let (signer, script) = signer([Reply::Text(404, "")]);
    let error = run(Box::pin(signer.discovery())).unwrap_err();
    is_configuration(&error, &["HTTP status 404", "base_url"]);
    assert_eq!(script.asked().len(), 1);
}

/// A portal or a server in between can answer while a session is open.
#[test]
fn case_68_an_open_session_survives_answers_of_other_servers() {
    for reply in [Reply::Text(404, ""), Reply::Text(200, "<html>"), Reply::Text(302, "")] {
        let values = json!([object("s-001", &value("s-001"))]);
        let (signer, _) = signer([sign_opened(), reply, success(&values)]);
        let (_, session) = sign(&signer, &["s-001"]);
        let (_, session) = waits(run(signer.continue_signing(session, Event::Poll)));
        let done = run(signer.continue_signing(session, Event::Poll));
        assert!(matches!(done, Ok(Step::Done(_))), "{done:?}");
    }
    // The address was right before, so the error does not doubt it.
    let error = status_of(&Reply::Text(200, "<html>")).unwrap_err();
    assert!(matches!(own(&error), Error::OtherServer { .. }), "{error:?}");
    assert_eq!(error.kind(), &SignerErrorKind::Service { status: 200 });
    assert_eq!(error.retry(), Retry::Later);
}

#[test]
fn case_69_a_server_that_is_not_trusted_is_reported_with_the_setting() {
    for (problem, words) in [
        (ServerProblem::UnknownIssuer, "server.ca"),
        (ServerProblem::Expired, "has expired"),
        (ServerProblem::NotYetValid, "clock"),
        (ServerProblem::OtherHost, "base_url"),
        (ServerProblem::NoTls, "base_url"),
        (ServerProblem::Certificate, "certificate"),
    ] {
        let (error, asked) = identification_error(Reply::Untrusted(problem));
        is_configuration(&error, &["back.example", words]);
        assert_eq!(asked, 1);

        let (signer, script) = signer([Reply::Untrusted(problem)]);
        is_configuration(&run(Box::pin(signer.discovery())).unwrap_err(), &[words]);
        assert_eq!(script.asked().len(), 1);

        // A status query is not repeated, and the session stays.
        let values = json!([object("s-001", &value("s-001"))]);
        let replies = [sign_opened(), Reply::Untrusted(problem), success(&values)];
        let (signer, _) = crate::script::signer(replies);
        let (_, session) = sign(&signer, &["s-001"]);
        let error = run(signer.continue_signing(session.clone(), Event::Poll)).unwrap_err();
        is_configuration(&error, &[words]);
        let done = run(signer.continue_signing(session, Event::Poll));
        assert!(matches!(done, Ok(Step::Done(_))), "{done:?}");
    }
}

#[test]
fn case_69_a_proxy_that_refuses_is_reported_with_the_settings() {
    let (error, asked) = identification_error(Reply::ProxyRefused);
    is_configuration(&error, &["http://proxy.example:3128", "back.example", "proxy.url"]);
    assert_eq!(asked, 1);
}

#[test]
fn case_26_a_refused_host_is_named_with_the_setting() {
    for (page, host) in [
        ("https://Untrusted.example/i?q=1", "untrusted.example"),
        ("https://front.example.evil.example/i", "front.example.evil.example"),
        ("https://192.0.2.7/i", "192.0.2.7"),
    ] {
        let body = json!({ "status": "OK", "asyncRespID": "x", "identificationUrl": page });
        let (error, _) = identification_error(Reply::Json(200, body));
        assert_eq!(error.kind(), &SignerErrorKind::UntrustedRedirect);
        assert_eq!((error.fault(), error.retry()), (Fault::Configuration, Retry::Never));
        let cause = own(&error).to_string();
        assert!(cause.contains(host) && cause.contains("front.allowed_hosts"), "{cause}");
        assert!(!cause.contains("q=1"), "{cause}");
    }
}

/// Most digests have no character in which the alphabets differ.
#[test]
fn refused_digests_name_the_setting_of_their_alphabet() {
    for (toml, value) in [("", "true"), ("[request]\nurl_safe_digests = true", "false")] {
        let body = json!({ "result": {
            "maj": crate::script::REQUESTER, "min": "INVALID_DIGEST_INFO", "msg": "not Base64",
        } });
        let (signer, script) = crate::script::signer_with(toml, [Reply::Json(400, body)]);
        let error = run(signer.sign(crate::script::request(&["s-001"]))).unwrap_err();
        is_configuration(&error, &[&format!("request.url_safe_digests = {value}")]);
        assert_eq!((error.code(), script.asked().len()), (Some("INVALID_DIGEST_INFO"), 1));
    }
}

/// The answers above, with a body that is one.
#[test]
fn case_68_a_readable_answer_is_read_whatever_its_type() {
    let Reply::Json(status, body) = opened() else { unreachable!() };
    let (signer, _) = signer([Reply::Headed(status, "content-type", "text/html", body)]);
    let step = run(signer.identify(IdentificationRequest::default()));
    assert!(matches!(step, Ok(Step::Redirect { .. })), "{step:?}");
}

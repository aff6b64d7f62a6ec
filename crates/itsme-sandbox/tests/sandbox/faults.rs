//! The injected faults.

use base64ct::{Base64, Base64Url, Encoding};
use itsme_sandbox::{Endpoint, Fault, User};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::client::{
    DIGEST, Partner, SUCCESS, documents, identification, identification_status, result, signature,
    text,
};
use crate::openssl::{decode, verifies};

/// A partner whose user confirms immediately, the id of a confirmed session over
/// two documents, and the certificate that the values verify under.
async fn signed() -> (Partner, String, String) {
    let partner = Partner::auto(User::Ready).await;
    let (user_code, leaf, _) = partner.identified().await;
    let mut request = signature(&user_code);
    request["inDocs"]["docHash"] = documents(2);
    let (id, _) = partner.sign(&request).await;
    (partner, id, leaf)
}

/// Injects a fault over HTTP and returns the next result.
async fn faulty(partner: &Partner, id: &str, kind: &str) -> Value {
    let fault = json!({ "endpoint": "sign_status", "fault": { "kind": kind } });
    assert_eq!(partner.control("faults", &fault).await.status, StatusCode::NO_CONTENT, "{kind}");
    let answer = partner.result(id).await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.json()
}

fn value(body: &Value, at: usize) -> String {
    text(&body["sigObj"][at]["b64Sig"]["value"])
}

#[tokio::test]
#[ignore = "asks OpenSSL"]
async fn faults_make_values_that_do_not_verify() {
    let (partner, id, leaf) = signed().await;
    for kind in ["wrong_value", "other_digest", "double_hash", "pss", "foreign_key"] {
        let octets = decode(&value(&faulty(&partner, &id, kind).await, 0));
        assert_eq!(octets.len(), 256, "{kind}");
        assert!(!verifies(&leaf, &DIGEST, &octets), "{kind}");
    }
    let short = decode(&value(&faulty(&partner, &id, "short_value").await, 0));
    assert_eq!(short.len(), 255);
    // The fault applied once, so the next result is correct.
    let body = partner.result(&id).await.json();
    assert!(verifies(&leaf, &DIGEST, &decode(&value(&body, 0))));
}

#[tokio::test]
#[ignore = "asks OpenSSL"]
async fn faults_change_the_encoding_of_values() {
    let (partner, id, leaf) = signed().await;
    let plain = value(&partner.result(&id).await.json(), 0);
    let lines = value(&faulty(&partner, &id, "line_breaks").await, 0);
    assert!(lines.contains("\r\n"));
    assert_eq!(lines.replace("\r\n", ""), plain);
    let url = value(&faulty(&partner, &id, "url_alphabet").await, 0);
    assert_eq!(Base64Url::decode_vec(&url).unwrap(), Base64::decode_vec(&plain).unwrap());
    assert!(verifies(&leaf, &DIGEST, &decode(&plain)));
}

#[tokio::test]
async fn faults_change_ids() {
    let (partner, id, _) = signed().await;
    let ids = |body: &Value| {
        let objects = body["sigObj"].as_array().unwrap();
        objects.iter().map(|object| object["whichDoc"].clone()).collect::<Value>()
    };
    let body = faulty(&partner, &id, "duplicate_id").await;
    assert_eq!(ids(&body), json!(["s-000", "s-000"]));
    let body = faulty(&partner, &id, "missing_id").await;
    assert_eq!(ids(&body), json!([null, null]));
    let body = faulty(&partner, &id, "unknown_id").await;
    assert_eq!(ids(&body), json!(["nobody-asked-for-this", "s-001"]));
    let body = faulty(&partner, &id, "reversed_order").await;
    assert_eq!(ids(&body), json!(["s-001", "s-000"]));
    let body = faulty(&partner, &id, "swapped_values").await;
    assert_eq!(ids(&body), json!(["s-000", "s-001"]));
    let body = faulty(&partner, &id, "lower_case_key").await;
    assert_eq!(body["sigObj"][1]["whichdoc"], "s-001");
}

#[tokio::test]
async fn faults_make_inconsistent_results() {
    let (partner, id, _) = signed().await;
    let body = faulty(&partner, &id, "success_without_values").await;
    assert_eq!((&body["result"]["maj"], body.get("sigObj")), (&json!(SUCCESS), None));
    let body = faulty(&partner, &id, "unknown_major").await;
    assert!(text(&body["result"]["maj"]).ends_with("resultmajor:Whatever"));
    let fault = json!({
        "endpoint": "sign_status",
        "fault": { "kind": "result", "maj": "m", "min": "n", "msg": "a string" },
    });
    partner.control("faults", &fault).await;
    let body = partner.result(&id).await.json();
    assert_eq!(body["result"], json!({ "maj": "m", "min": "n", "msg": "a string" }));
}

#[tokio::test]
async fn faults_change_certificates_and_chains() {
    let partner = Partner::auto(User::Ready).await;
    let (_, leaf, chain) = partner.identified().await;
    let control = partner.sandbox.control();
    let (id, _) = partner.identify().await;
    let mut answers = Vec::new();
    for fault in [
        Fault::ForeignCertificate,
        Fault::ForeignIdentity,
        Fault::ChainMissing,
        Fault::ChainScrambled,
        Fault::CrlfPem,
    ] {
        control.inject(Endpoint::IdentificationStatus, fault, 1);
        answers.push(partner.identification_status(&id).await.json());
    }
    let [foreign, identity, missing, scrambled, crlf] = answers.try_into().unwrap();
    assert_ne!(text(&foreign["certificate"]), leaf);
    assert_eq!(text(&foreign["fullCertificateChain"]), chain);
    assert_ne!(text(&identity["certificate"]), leaf);
    assert!(text(&identity["fullCertificateChain"]).starts_with(&text(&identity["certificate"])));
    assert_eq!(missing.get("fullCertificateChain"), None);
    assert_eq!(text(&scrambled["fullCertificateChain"]).matches("BEGIN").count(), 4);
    assert_ne!(text(&scrambled["fullCertificateChain"]).find(&leaf), Some(0));
    assert_eq!(text(&crlf["certificate"]).replace("\r\n", "\n") + "\n", leaf);
}

#[tokio::test]
async fn faults_change_page_urls() {
    let partner = Partner::auto(User::Ready).await;
    let control = partner.sandbox.control();
    for (fault, part) in [
        (Fault::UntrustedHost, "https://untrusted.example/"),
        (Fault::HttpUrl, "http://front.sandbox.invalid/"),
        (Fault::UrlFragment, "#fragment"),
    ] {
        control.inject(Endpoint::UserIdentification, fault.clone(), 1);
        assert!(partner.identify().await.1.contains(part));
        control.inject(Endpoint::SignDocument, fault, 1);
        let request = signature(&User::Ready.user_code("SANDBOX"));
        assert!(partner.sign(&request).await.1.contains(part));
    }
    control.inject(Endpoint::UserIdentification, Fault::SmallD, 1);
    let body = partner.post("/user_identification", &identification()).await.json();
    assert_eq!(body.get("asyncRespID"), None);
    let id = text(&body["asyncRespId"]);
    assert_eq!(partner.identification_status(&id).await.status, StatusCode::OK);
}

#[tokio::test]
async fn faults_replace_whole_answers() {
    let partner = Partner::auto(User::Ready).await;
    let control = partner.sandbox.control();
    let html = Fault::Answer {
        status: 500,
        content_type: "text/html".to_owned(),
        body: "<h1>Internal error</h1>".to_owned(),
        headers: Default::default(),
    };
    control.inject(Endpoint::UserIdentification, html, 1);
    let answer = partner.post("/user_identification", &identification()).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (500, "<h1>Internal error</h1>"));

    let code = Fault::Code { status: 409, code: "UNEXPECTED_ERROR".to_owned() };
    control.inject(Endpoint::IdentificationStatus, code.clone(), 1);
    let answer = partner.identification_status("nothing").await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.json(), json!({ "status": "NOK", "statusReason": "UNEXPECTED_ERROR" }));
    control.inject(Endpoint::SignStatus, code, 1);
    let answer = partner.post("/sign_document", &result("nothing")).await;
    assert_eq!(answer.json()["result"]["min"], "UNEXPECTED_ERROR");

    control.inject(Endpoint::UserIdentification, Fault::Huge, 1);
    let answer = partner.post("/user_identification", &identification()).await;
    assert_eq!(answer.text.len(), 2 * 1024 * 1024);
}

#[tokio::test]
async fn faults_add_redirects_and_cookies() {
    let partner = Partner::start().await;
    let control = partner.sandbox.control();
    let url = format!("{}/.well-known/configuration", partner.sandbox.base_url());
    control.inject(Endpoint::Configuration, Fault::Redirect, 1);
    let response = partner.client.get(&url).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);
    assert!(response.headers().contains_key("location"));
    control.inject(Endpoint::Configuration, Fault::SetCookie, 1);
    let response = partner.client.get(&url).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.headers().contains_key("set-cookie"));
}

#[tokio::test]
async fn faults_delay_answers_and_break_connections() {
    let partner = Partner::auto(User::Ready).await;
    let control = partner.sandbox.control();
    let (id, _) = partner.identify().await;
    let request = identification_status(&id);

    control.inject(Endpoint::IdentificationStatus, Fault::Delay { millis: 300 }, 1);
    let begin = std::time::Instant::now();
    partner.post("/user_identification/status", &request).await;
    assert!(begin.elapsed().as_millis() >= 300);

    control.inject(Endpoint::IdentificationStatus, Fault::Reset, 1);
    assert!(partner.try_post("/user_identification/status", &request).await.is_err());
    // Other connections still work.
    let answer = partner.post("/user_identification/status", &request).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_fault_of_a_value_stays_queued_while_pending() {
    let partner = Partner::start().await;
    let control = partner.sandbox.control();
    let (id, _) = partner.sign(&signature(&User::Ready.user_code("SANDBOX"))).await;
    control.inject(Endpoint::SignStatus, Fault::SuccessWithoutValues, 1);
    partner.result(&id).await;
    let queued = async || {
        let url = format!("{}/sandbox/faults", partner.sandbox.front_url());
        partner.get(&url).await.0.json()
    };
    let fault = json!({"kind": "success_without_values"});
    let expected = json!([{"endpoint": "sign_status", "fault": fault, "times": 1}]);
    assert_eq!(queued().await, expected);
    control.answer(&id, User::Ready, true).unwrap();
    assert_eq!(partner.result(&id).await.json().get("sigObj"), None);
    assert_eq!(queued().await, json!([]));
    assert!(partner.result(&id).await.json().get("sigObj").is_some());
}

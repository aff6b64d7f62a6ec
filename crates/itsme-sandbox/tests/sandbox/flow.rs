//! The whole flow, and the habits of the users.

use itsme_sandbox::sessions::{CREATE_CERT_SECONDS, SIGN_SECONDS, SLOW_SECONDS};
use itsme_sandbox::{Blame, Config, Sandbox, SandboxError, User};
use reqwest::StatusCode;
use serde_json::json;

use crate::client::{
    DIGEST, PENDING, Partner, REQUESTER_ERROR, SUCCESS, builder, documents, identification,
    identity, signature, text,
};
use crate::openssl::{decode, verifies};

#[tokio::test]
#[ignore = "asks OpenSSL"]
async fn openssl_verifies_a_signed_digest() {
    let partner = Partner::auto(User::Ready).await;
    let (user_code, leaf, chain) = partner.identified().await;
    assert_eq!(user_code.len(), 36);
    assert!(chain.starts_with(&leaf) && chain.ends_with("-----END CERTIFICATE-----\n"));
    assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 3);

    let (id, _) = partner.sign(&signature(&user_code)).await;
    let answer = partner.result(&id).await;
    let body = answer.json();
    assert_eq!((answer.status, &body["result"]["maj"]), (StatusCode::OK, &json!(SUCCESS)));
    assert_eq!((&body["reqID"], &body["respID"]), (&json!("r-2"), &json!(id)));
    assert_eq!(body["sigObj"][0]["whichDoc"], "s-000");
    let value = text(&body["sigObj"][0]["b64Sig"]["value"]);
    assert_eq!(value.len(), 344);
    assert!(verifies(&leaf, &DIGEST, &decode(&value)));

    // A result may be fetched again.
    assert_eq!(partner.result(&id).await.json()["sigObj"][0], body["sigObj"][0]);
    partner.sandbox.shutdown().await;
}

#[tokio::test]
#[ignore = "asks OpenSSL"]
async fn one_confirmation_signs_seventy_digests() {
    let partner = Partner::auto(User::Ready).await;
    let (user_code, leaf, _) = partner.identified().await;
    let mut request = signature(&user_code);
    request["inDocs"]["docHash"] = documents(70);
    let (id, _) = partner.sign(&request).await;
    let body = partner.result(&id).await.json();
    let values = body["sigObj"].as_array().unwrap();
    assert_eq!(values.len(), 70);
    assert_eq!(values[69]["whichDoc"], "s-069");
    assert!(verifies(&leaf, &DIGEST, &decode(&text(&values[69]["b64Sig"]["value"]))));
}

#[tokio::test]
async fn the_back_end_serves_the_discovery_document() {
    let partner = Partner::start().await;
    let url = format!("{}/.well-known/configuration", partner.sandbox.base_url());
    let response = partner.client.get(url).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    let body: serde_json::Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(body["sign_languages_supported"], json!(["EN", "FR", "NL", "DE"]));
    assert_eq!(body["sign_policy_templates_supported"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn without_the_client_certificate_the_connection_fails() {
    let partner = Partner::start().await;
    let stranger = builder(&partner.sandbox).build().unwrap();
    let url = format!("{}/.well-known/configuration", partner.sandbox.base_url());
    assert!(stranger.get(&url).send().await.is_err());

    // A certificate by the CA of another sandbox fails too.
    let other = Partner::start().await;
    let identity = identity(&other.sandbox);
    let stranger = builder(&partner.sandbox).identity(identity).build().unwrap();
    assert!(stranger.get(&url).send().await.is_err());
}

#[tokio::test]
async fn mutual_tls_can_be_disabled() {
    let partner = Partner::with(Config::default().mutual_tls(false)).await;
    let anybody = builder(&partner.sandbox).build().unwrap();
    let url = format!("{}/.well-known/configuration", partner.sandbox.base_url());
    assert_eq!(anybody.get(url).send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn pending_is_409_for_the_identification_and_200_for_the_signature() {
    let partner = Partner::start().await;
    let control = partner.sandbox.control();
    let (id, _) = partner.identify().await;
    let answer = partner.identification_status(&id).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.json(), json!({ "status": "NOK", "statusReason": "PENDING" }));
    control.answer(&id, User::Ready, true).unwrap();
    let user_code = text(&partner.identification_status(&id).await.json()["userCode"]);

    let (id, _) = partner.sign(&signature(&user_code)).await;
    let answer = partner.result(&id).await;
    assert_eq!((answer.status, &answer.json()["result"]["maj"]), (StatusCode::OK, &json!(PENDING)));
    control.answer(&id, None, true).unwrap();
    assert_eq!(partner.result(&id).await.json()["result"]["maj"], SUCCESS);
}

#[tokio::test]
async fn a_user_code_identifies_a_known_user() {
    let partner = Partner::auto(User::Ready).await;
    let (user_code, leaf, _) = partner.identified().await;
    // The user code takes precedence over the automatic user.
    partner.sandbox.control().set_auto(Some(User::RefusesIdentification));
    let mut request = identification();
    request["userCode"] = json!(user_code);
    let id = text(&partner.post("/user_identification", &request).await.json()["asyncRespID"]);
    let answer = partner.identification_status(&id).await.json();
    assert_eq!((&answer["userCode"], &answer["certificate"]), (&json!(user_code), &json!(leaf)));
}

#[tokio::test]
async fn identifications_are_refused_or_expire() {
    let partner = Partner::auto(User::RefusesIdentification).await;
    let (id, _) = partner.identify().await;
    let answer = partner.identification_status(&id).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.json(), json!({ "status": "NOK", "statusReason": "REJECTED" }));

    let control = partner.sandbox.control();
    control.set_auto(Some(User::ExpiresIdentification));
    let (id, _) = partner.identify().await;
    assert_eq!(partner.identification_status(&id).await.json()["statusReason"], "PENDING");
    control.advance(CREATE_CERT_SECONDS);
    let answer = partner.identification_status(&id).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.json(), json!({ "status": "NOK", "statusReason": "EXPIRED" }));
}

#[tokio::test]
async fn signatures_are_refused_or_expire() {
    let partner = Partner::auto(User::RefusesSigning).await;
    let (user_code, ..) = partner.identified().await;
    let (id, _) = partner.sign(&signature(&user_code)).await;
    let answer = partner.result(&id).await;
    let body = answer.json();
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(body["result"]["maj"], REQUESTER_ERROR);
    assert_eq!(body["result"]["min"], "REJECTED");
    assert!(text(&body["result"]["msg"]["value"]).starts_with("SANDBOX"));

    let control = partner.sandbox.control();
    control.set_auto(Some(User::ExpiresSigning));
    let (user_code, ..) = partner.identified().await;
    let (id, _) = partner.sign(&signature(&user_code)).await;
    assert_eq!(partner.result(&id).await.json()["result"]["maj"], PENDING);
    control.advance(SIGN_SECONDS);
    let answer = partner.result(&id).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.json()["result"]["min"], "EXPIRED");
}

#[tokio::test]
async fn the_slow_user_answers_after_some_seconds() {
    let partner = Partner::auto(User::Slow).await;
    let (id, _) = partner.identify().await;
    assert_eq!(partner.identification_status(&id).await.json()["statusReason"], "PENDING");
    partner.sandbox.control().advance(SLOW_SECONDS);
    assert_eq!(partner.identification_status(&id).await.status, StatusCode::OK);
}

#[tokio::test]
#[ignore = "asks OpenSSL"]
async fn a_renewed_certificate_does_not_verify_under_the_first() {
    let partner = Partner::auto(User::Renews).await;
    let (user_code, leaf, _) = partner.identified().await;
    let (id, _) = partner.sign(&signature(&user_code)).await;
    let value = text(&partner.result(&id).await.json()["sigObj"][0]["b64Sig"]["value"]);
    assert!(!verifies(&leaf, &DIGEST, &decode(&value)));
    let (_, renewed, _) = partner.identified().await;
    assert!(verifies(&renewed, &DIGEST, &decode(&value)));
}

#[tokio::test]
async fn a_status_query_without_an_id_opens_a_session() {
    let partner = Partner::auto(User::Ready).await;
    let (user_code, ..) = partner.identified().await;
    let mut request = signature(&user_code);
    let (first, _) = partner.sign(&request).await;
    request["asyncRespID"] = json!("");
    let (second, _) = partner.sign(&request).await;
    assert_ne!(first, second);
    assert_eq!(partner.sandbox.control().sessions().len(), 3);
}

#[tokio::test]
async fn the_http_control_api_works_like_the_rust_one() {
    let partner = Partner::start().await;
    let (id, _) = partner.identify().await;
    let answer = json!({ "session": id, "approve": true });
    assert_eq!(partner.control("answer", &answer).await.status, StatusCode::CONFLICT);
    let answer = json!({ "session": id, "user": "slow", "approve": true });
    assert_eq!(partner.control("answer", &answer).await.text, "\"pending\"");
    let clock = json!({ "advance_seconds": SLOW_SECONDS });
    assert_eq!(partner.control("clock", &clock).await.status, StatusCode::NO_CONTENT);
    let url = format!("{}/sandbox/sessions", partner.sandbox.front_url());
    let mut sessions = partner.get(&url).await.0.json();
    let page = sessions[0].as_object_mut().unwrap().remove("page");
    assert!(page.is_some_and(|page| page.is_string()));
    let expected = json!([{
        "session": id, "purpose": "identification", "state": "confirmed", "user": "slow",
        "documents": 0,
    }]);
    assert_eq!(sessions, expected);

    let unknown = json!({ "session": "nothing", "user": "ready", "approve": true });
    assert_eq!(partner.control("answer", &unknown).await.status, StatusCode::NOT_FOUND);
    let nobody = json!({ "user": "nobody" });
    assert_eq!(partner.control("auto", &nobody).await.status, StatusCode::UNPROCESSABLE_ENTITY);

    assert_eq!(partner.control("auto", &json!({ "user": "ready" })).await.status, 204);
    partner.identified().await;
    assert_eq!(partner.control("reset", &json!({})).await.status, StatusCode::NO_CONTENT);
    assert!(partner.sandbox.control().sessions().is_empty());
    let (id, _) = partner.identify().await;
    assert_eq!(partner.identification_status(&id).await.json()["statusReason"], "PENDING");
}

#[tokio::test]
async fn an_unacceptable_configuration_is_refused() {
    for config in [
        Config::default().partner_code("ELEVENCHARS"),
        Config::default().service_code(""),
        Config::default().redirect_urls(["http://a.example/r".to_owned()]),
        Config::default().redirect_urls([]),
        Config::default().public_host("no host".to_owned()),
    ] {
        let error = Sandbox::start(config).await.unwrap_err();
        assert_eq!((error.fault(), error.retry()), (Blame::Configuration, false), "{error}");
    }
}

#[tokio::test]
async fn every_registered_redirect_url_is_accepted() {
    let urls = ["https://sca.example/return", "http://localhost:8000/callback"];
    let redirect_urls = urls.map(str::to_owned).to_vec();
    let partner = Partner::with(Config::default().redirect_urls(redirect_urls)).await;
    let ask = async |url: &str| {
        let mut request = identification();
        request["redirectUrl"] = json!(url);
        partner.post("/user_identification", &request).await.json()["status"].clone()
    };
    for url in urls.iter().chain(&["http://localhost:9000/callback"]) {
        assert_eq!(ask(url).await, "OK", "{url}");
    }
    for url in ["http://127.0.0.1:8000/callback", "https://sca.example/callback"] {
        assert_eq!(ask(url).await, "NOK", "{url}");
    }
}

#[tokio::test]
async fn the_public_host_is_in_urls_and_in_the_certificate() {
    let all: std::net::SocketAddr = "0.0.0.0:0".parse().unwrap();
    let config = Config::default().listen(all).public_host("sandbox.example".to_owned());
    let sandbox = Sandbox::start(config.clone()).await.unwrap();
    let port = sandbox.base_url().strip_prefix("https://sandbox.example:").unwrap();
    assert!(sandbox.front_url().starts_with("http://sandbox.example:"));
    // The client checks that the certificate has this name.
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    let client = builder(&sandbox)
        .identity(identity(&sandbox))
        .resolve("sandbox.example", address)
        .build()
        .unwrap();
    let url = format!("{}/.well-known/configuration", sandbox.base_url());
    assert_eq!(client.get(url).send().await.unwrap().status(), StatusCode::OK);

    // Without a name, the unspecified address becomes the loopback address.
    let partner = Partner::with(config.public_host(None)).await;
    assert!(partner.sandbox.base_url().starts_with("https://127.0.0.1:"));
    partner.identify().await;
    let v6 = Config::default().public_host("fd00::1".to_owned());
    let sandbox = Sandbox::start(v6).await.unwrap();
    assert!(sandbox.base_url().starts_with("https://[fd00::1]:"), "{}", sandbox.base_url());
}

#[tokio::test]
async fn a_port_in_use_may_be_free_later() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap();
    let error = Sandbox::start(Config::default().listen(listen)).await.unwrap_err();
    assert!(matches!(&error, SandboxError::Listen { address, .. } if *address == listen));
    assert_eq!((error.fault(), error.retry()), (Blame::System, true));
    // An address that this machine does not have is a wrong configuration.
    let listen: std::net::SocketAddr = "192.0.2.1:1".parse().unwrap();
    let error = Sandbox::start(Config::default().listen(listen)).await.unwrap_err();
    assert_eq!((error.fault(), error.retry()), (Blame::Configuration, false));
}

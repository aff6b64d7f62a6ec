//! Every documented code, with a request that causes it.

use itsme_sandbox::{Config, DigestAlphabet, User};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::client::{
    DIGEST_BASE64, Partner, REQUESTER_ERROR, document, documents, identification,
    identification_status, labels, result, signature, text,
};

/// A request with one changed value. `Null` means absent.
fn changed(mut request: Value, pointer: &str, value: Value) -> Value {
    *request.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
    request
}

#[tokio::test]
async fn an_identification_is_refused_with_the_documented_codes() {
    let partner = Partner::start().await;
    let blocked = User::Blocked.user_code("SANDBOX");
    let mut with_user = identification();
    with_user["userCode"] = json!("");
    for (pointer, value, code) in [
        ("/partnerCode", json!(null), "MISSING_PARTNER_CODE"),
        ("/partnerCode", json!(""), "MISSING_PARTNER_CODE"),
        ("/partnerCode", json!("ELEVENCHARS"), "INVALID_REQUESTOR"),
        ("/serviceCode", json!(null), "MISSING_SERVICE_CODE"),
        ("/serviceCode", json!("OTHER"), "INVALID_REQUESTOR"),
        ("/redirectUrl", json!(null), "INVALID_URL"),
        ("/redirectUrl", json!("return"), "INVALID_URL"),
        ("/redirectUrl", json!("http://sca.example/return"), "INVALID_URL"),
        ("/redirectUrl", json!("http://127.0.0.1:8080/itsme/return#x"), "INVALID_URL"),
        ("/redirectUrl", json!("http://127.0.0.1:8080/elsewhere"), "UNAUTHORIZED_URL"),
        ("/redirectUrl", json!("http://127.0.0.1:8080/itsme/return?x=1"), "UNAUTHORIZED_URL"),
        ("/lang", json!(null), "INVALID_LANG"),
        ("/lang", json!("ES"), "INVALID_LANG"),
        ("/lang", json!(7), "INCOMPLETE_REQUEST"),
        ("/userCode", json!("x"), "INVALID_REQUESTOR"),
        ("/userCode", json!(blocked), "NOT_ALLOWED_TO_SIGN"),
    ] {
        let request = changed(with_user.clone(), pointer, value);
        let answer = partner.post("/user_identification", &request).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{request}");
        assert_eq!(answer.json(), json!({ "status": "NOK", "statusReason": code }), "{request}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_a_request_is_refused() {
    let partner = Partner::start().await;
    for (path, pointer) in [
        ("/user_identification", "/statusReason"),
        ("/user_identification/status", "/statusReason"),
        ("/sign_document", "/result/min"),
    ] {
        for (content_type, body) in [
            ("application/json", ""),
            ("application/json", "null"),
            ("application/json", "[]"),
            ("application/json", "{"),
            ("text/plain", "{}"),
        ] {
            let answer = partner.post_text(path, content_type, body.to_owned()).await.unwrap();
            assert_eq!(answer.status, StatusCode::BAD_REQUEST);
            assert_eq!(answer.json().pointer(pointer), Some(&json!("NO_REQUEST")), "{body:?}");
        }
        let long = format!("{{\"x\":\"{}\"}}", "x".repeat(1024 * 1024));
        let answer = partner.post_text(path, "application/json", long).await.unwrap();
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        let deep = "[".repeat(100_000);
        let answer = partner.post_text(path, "application/json", deep).await.unwrap();
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn an_identification_status_query_is_refused_with_the_documented_codes() {
    let partner = Partner::auto(User::Blocked).await;
    let (id, _) = partner.identify().await;
    let good = identification_status(&id);
    for (pointer, value, code) in [
        ("/asyncRespID", json!(null), "MISSING_ASYNC_RESP_ID"),
        ("/asyncRespID", json!(""), "MISSING_ASYNC_RESP_ID"),
        ("/partnerCode", json!(null), "MISSING_PARTNER_CODE"),
        ("/serviceCode", json!(null), "MISSING_SERVICE_CODE"),
        ("/partnerCode", json!("OTHER"), "INVALID_REQUESTOR"),
        ("/partnerCode", json!("SANDBOX"), "NOT_ALLOWED_TO_SIGN"),
    ] {
        let request = changed(good.clone(), pointer, value);
        let answer = partner.post("/user_identification/status", &request).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.json(), json!({ "status": "NOK", "statusReason": code }), "{request}");
    }
    // The field with a small d is another field.
    let mut request = good;
    let id = request.as_object_mut().unwrap().remove("asyncRespID").unwrap();
    request["asyncRespId"] = id;
    let answer = partner.post("/user_identification/status", &request).await;
    assert_eq!(answer.json()["statusReason"], "MISSING_ASYNC_RESP_ID");
}

#[tokio::test]
async fn the_answer_about_an_unknown_session_is_empty() {
    let partner = Partner::auto(User::Ready).await;
    let (identification, _) = partner.identify().await;
    let (signing, _) = partner.sign(&signature(&User::Ready.user_code("SANDBOX"))).await;
    for answer in [
        partner.identification_status("nothing").await,
        // An id of the other kind of session.
        partner.identification_status(&signing).await,
        partner.result(&identification).await,
        partner.result("nothing").await,
    ] {
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::CONFLICT, ""));
    }
}

#[tokio::test]
async fn a_signature_is_refused_with_the_documented_codes() {
    let partner = Partner::start().await;
    let good = signature(&User::Ready.user_code("SANDBOX"));
    let itsme = |field: &str| format!("/optInp/itsme/{field}");
    let info = |alg: &str, value: &str| json!([{ "alg": alg, "value": value }]);
    let sha256 = "http://www.w3.org/2001/04/xmlenc#sha256";
    let sha512 = "http://www.w3.org/2001/04/xmlenc#sha512";
    let di = "/inDocs/docHash/0/di";
    let twice = json!([document("s"), document("s")]);
    let pair = json!([{ "alg": sha256, "value": DIGEST_BASE64 }, {}]);
    let blocked = User::Blocked.user_code("SANDBOX");
    let mut three = labels("x");
    three.as_array_mut().unwrap().pop();
    let all = |text: &str| {
        let label = |lang: &str| json!({ "lang": lang, "value": text });
        ["en", "fr", "nl", "de"].into_iter().map(label).collect::<Value>()
    };
    for (pointer, value, code) in [
        ("/optInp".to_owned(), json!(null), "INCOMPLETE_REQUEST"),
        ("/optInp/itsme".to_owned(), json!(null), "INCOMPLETE_REQUEST"),
        ("/reqID".to_owned(), json!(null), "INCOMPLETE_REQUEST"),
        ("/asyncRespID".to_owned(), json!(7), "INCOMPLETE_REQUEST"),
        ("/optInp/lang".to_owned(), json!("ES"), "INVALID_LANG"),
        (itsme("partnerCode"), json!(null), "MISSING_PARTNER_CODE"),
        (itsme("serviceCode"), json!(null), "MISSING_SERVICE_CODE"),
        (itsme("serviceCode"), json!("OTHER"), "INVALID_REQUESTOR"),
        (itsme("signer"), json!(null), "INCOMPLETE_REQUEST"),
        (itsme("signer/userCode"), json!("somebody"), "INVALID_REQUESTOR"),
        (itsme("signer/userCode"), json!(blocked), "NOT_ALLOWED_TO_SIGN"),
        (itsme("redirectUrl"), json!(null), "INCOMPLETE_REQUEST"),
        (itsme("redirectUrl"), json!("myapp://return"), "INVALID_URL"),
        (itsme("redirectUrl"), json!("https://sca.example/"), "UNAUTHORIZED_URL"),
        (itsme("description"), three, "INCOMPLETE_REQUEST"),
        (itsme("description"), all("L\u{2019}offre"), "UNEXPECTED_ERROR"),
        (itsme("description"), all(&"x".repeat(256)), "UNEXPECTED_ERROR"),
        (itsme("signPolicy/signerRole"), all("10 €"), "UNEXPECTED_ERROR"),
        (itsme("signPolicy/signerRole"), all(&"x".repeat(51)), "UNEXPECTED_ERROR"),
        (itsme("signPolicy/signPolicyRef"), json!(null), "INVALID_POLICY"),
        (itsme("signPolicy/signPolicyRef"), json!("ITSME_DEFAULT"), "INVALID_POLICY"),
        (itsme("signPolicy/commitmentTypeRef"), json!("1.2.3"), "INVALID_POLICY"),
        ("/inDocs".to_owned(), json!(null), "NO_HASH_PROVIDED"),
        ("/inDocs/docHash".to_owned(), json!([]), "NO_HASH_PROVIDED"),
        ("/inDocs/docHash".to_owned(), documents(71), "BATCH_TOO_LARGE"),
        ("/inDocs/docHash".to_owned(), twice, "INVALID_DIGEST_INFO"),
        ("/inDocs/docHash/0/id".to_owned(), json!(null), "INVALID_DIGEST_INFO"),
        (di.to_owned(), json!(null), "NO_DIGEST_INFO_PROVIDED"),
        (di.to_owned(), json!([]), "NO_DIGEST_INFO_PROVIDED"),
        (di.to_owned(), pair, "ONLY_SINGLE_DIGEST_INFO_SUPPORTED"),
        (di.to_owned(), info(sha512, DIGEST_BASE64), "INVALID_DIGEST_INFO"),
        (di.to_owned(), info(sha256, "XFxc"), "INVALID_DIGEST_INFO"),
        (di.to_owned(), info(sha256, "-_-_"), "INVALID_DIGEST_INFO"),
        // Padding bits that are not zero.
        (di.to_owned(), info(sha256, &DIGEST_BASE64.replace("w=", "x=")), "INVALID_DIGEST_INFO"),
    ] {
        let request = changed(good.clone(), &pointer, value);
        let answer = partner.post("/sign_document", &request).await;
        let body = answer.json();
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{pointer}: {body}");
        assert_eq!(body["result"]["maj"], REQUESTER_ERROR);
        assert_eq!(body["result"]["min"], code, "{pointer}: {body}");
    }
    assert!(partner.sandbox.control().sessions().is_empty());
}

#[tokio::test]
async fn digests_are_base64_or_base64url_or_strictly_one() {
    let mixed = "-___".repeat(10) + "-_8=";
    let plain = mixed.replace('-', "+").replace('_', "/");
    for (alphabet, url_safe, standard) in [
        (DigestAlphabet::Any, StatusCode::OK, StatusCode::OK),
        (DigestAlphabet::Base64, StatusCode::BAD_REQUEST, StatusCode::OK),
        (DigestAlphabet::Base64Url, StatusCode::OK, StatusCode::BAD_REQUEST),
    ] {
        let partner = Partner::with(Config::default().digests(alphabet)).await;
        for (value, expected) in [(&mixed, url_safe), (&plain, standard)] {
            let mut request = signature(&User::Ready.user_code("SANDBOX"));
            request["inDocs"]["docHash"][0]["di"][0]["value"] = json!(value);
            let answer = partner.post("/sign_document", &request).await;
            assert_eq!(answer.status, expected, "{alphabet:?}, {value}: {}", answer.text);
            if expected == StatusCode::BAD_REQUEST {
                assert_eq!(answer.json()["result"]["min"], "INVALID_DIGEST_INFO");
            }
        }
    }
}

#[tokio::test]
async fn optional_fields_may_be_absent() {
    let partner = Partner::start().await;
    let good = signature(&User::Ready.user_code("SANDBOX"));
    for pointer in [
        "/optInp/lang",
        "/optInp/itsme/description",
        "/optInp/itsme/signPolicy",
        "/optInp/itsme/signPolicy/commitmentTypeRef",
        "/optInp/itsme/signPolicy/signerRole",
        "/asyncRespID",
    ] {
        partner.sign(&changed(good.clone(), pointer, json!(null))).await;
    }
}

#[tokio::test]
async fn without_the_batch_option_only_one_digest_is_accepted() {
    let partner = Partner::with(Config::default().batch(false)).await;
    let mut request = signature(&User::Ready.user_code("SANDBOX"));
    partner.sign(&request).await;
    request["inDocs"]["docHash"] = documents(2);
    let body = partner.post("/sign_document", &request).await.json();
    assert_eq!(body["result"]["min"], "ONLY_SINGLE_HASH_SUPPORTED");
}

#[tokio::test]
async fn a_policy_can_be_disabled() {
    let partner = Partner::start().await;
    let request = signature(&User::Ready.user_code("SANDBOX"));
    let policy = json!({ "ref": "1.3.6.1.4.1.49274.1.1.7.2.0", "enabled": false });
    assert_eq!(partner.control("policies", &policy).await.status, StatusCode::NO_CONTENT);
    let body = partner.post("/sign_document", &request).await.json();
    assert_eq!(body["result"]["min"], "INVALID_POLICY_STATUS");
    let unknown = json!({ "ref": "nothing", "enabled": false });
    assert_eq!(partner.control("policies", &unknown).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_result_query_is_refused_with_the_documented_codes() {
    let partner = Partner::auto(User::Ready).await;
    let (id, _) = partner.sign(&signature(&User::Ready.user_code("SANDBOX"))).await;
    for (pointer, value, code) in [
        ("/optInp", json!(null), "INCOMPLETE_REQUEST"),
        ("/optInp/itsme/partnerCode", json!(null), "MISSING_PARTNER_CODE"),
        ("/optInp/itsme/serviceCode", json!(null), "MISSING_SERVICE_CODE"),
        ("/optInp/itsme/partnerCode", json!("OTHER"), "INVALID_REQUESTOR"),
        // The documented trap: without an id, this asks to sign nothing.
        ("/asyncRespID", json!(null), "NO_HASH_PROVIDED"),
    ] {
        let answer = partner.post("/sign_document", &changed(result(&id), pointer, value)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(text(&answer.json()["result"]["min"]), code);
    }
}

//! The negative and edge cases of the protocol, by their numbers.
//!
//! | numbers | covered |
//! |---|---|
//! | 1–27, 31–40, 50–55, 57, 61–63 | here, as far as they concern this variant |
//! | 28–30, 41–49 | the CSC variant: not built yet |
//! | 51, 55, 58 | also `tests/tests/chains.rs` |
//! | 52, 54 | also `tests/tests/values.rs` |
//! | 56 | the key's type comes from the certificate everywhere: `tests/tests/cades_dss.rs` |
//! | 59 | revocation data belongs to a later level |
//! | 60 | `tests/tests/states.rs` |
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use ades_core::signer::{
    BoxFuture, Event, IdentificationRequest, IdentificationSession, Identity, Language,
    RefusalReason, SignatureValue, SignerError, SignerErrorKind, SigningItem, SigningRequest,
    SigningSession, Step,
};
use ades_core::{
    CommitmentType, Digest, DigestAlgorithm, DtbsDigest, RemoteSigner, Retry, SignatureAlgorithm,
    ToBeSigned,
};
use ades_tests::pki::{Key, Pki, Profile, TestSigner, pem};
use chrono::{DateTime, TimeDelta, Utc};
use http::{Request, Response};
use itsme_signer::transport::{Transport, TransportError};
use itsme_signer::{Config, Error, ItsmeSigner};
use serde_json::{Value, json};

const USER_CODE: &str = "u0u1u2u3u4u5u6u7u8u9v0v1v2v3v4v5v6v7";
const RSA: SignatureAlgorithm = SignatureAlgorithm::RsaPkcs1v15(DigestAlgorithm::Sha256);
const PENDING: &str =
    "urn:oasis:names:tc:dss:1.0:profiles:asynchronousprocessing:resultmajor:Pending";
const SUCCESS: &str = "urn:oasis:names:tc:dss:1.0:resultmajor:Success";
const REQUESTER: &str = "urn:oasis:names:tc:dss:1.0:resultmajor:RequesterError";

const TOML: &str = r#"
base_url = "https://back.example"
partner_code = "DEMOPARTNR"
service_code = "DEMO_SIGN"
redirect_url = "https://sign.example.org/itsme/return"
[front]
allowed_hosts = ["front.example"]
"#;

/// What the other side answers.
enum Reply {
    Json(u16, Value),
    Text(u16, &'static str),
    Lost,
    NotSent,
    NotAuthorised,
}

/// A service that answers from a list and keeps what it was asked.
#[derive(Clone, Default)]
#[allow(clippy::type_complexity)]
struct Script(Arc<Mutex<(VecDeque<Reply>, Vec<(String, Value)>)>>);

impl Script {
    fn asked(&self) -> Vec<(String, Value)> {
        self.0.lock().unwrap().1.clone()
    }

    fn add(&self, reply: Reply) {
        self.0.lock().unwrap().0.push_back(reply);
    }
}

impl Transport for Script {
    fn send(
        &self,
        request: Request<Vec<u8>>,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
        let mut script = self.0.lock().unwrap();
        let body = serde_json::from_slice(request.body()).unwrap_or(Value::Null);
        script.1.push((request.uri().path().to_owned(), body));
        let lost = || Box::<dyn std::error::Error + Send + Sync>::from("scripted");
        let answer = match script.0.pop_front().expect("one more request than was scripted") {
            Reply::Json(status, body) => Ok((status, body.to_string().into_bytes())),
            Reply::Text(status, body) => Ok((status, body.as_bytes().to_vec())),
            Reply::Lost => Err(TransportError::Unknown(lost())),
            Reply::NotSent => Err(TransportError::NotSent(lost())),
            Reply::NotAuthorised => Err(TransportError::NotAuthorised(lost())),
        };
        Box::pin(async move {
            answer.map(|(status, body)| Response::builder().status(status).body(body).unwrap())
        })
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

fn config(more: &str) -> Result<Config, Error> {
    Config::from_toml(&format!("{TOML}{more}"), std::path::Path::new("."))
}

fn signer_with(more: &str, replies: impl IntoIterator<Item = Reply>) -> (ItsmeSigner, Script) {
    let script = Script::default();
    replies.into_iter().for_each(|reply| script.add(reply));
    (ItsmeSigner::with_transport(config(more).unwrap(), script.clone(), now), script)
}

fn signer(replies: impl IntoIterator<Item = Reply>) -> (ItsmeSigner, Script) {
    signer_with("", replies)
}

/// Runs a future that never waits.
fn run<T>(mut future: BoxFuture<'_, T>) -> T {
    let waker = std::task::Waker::noop();
    match future.as_mut().poll(&mut std::task::Context::from_waker(waker)) {
        std::task::Poll::Ready(answer) => answer,
        std::task::Poll::Pending => panic!("the script answers at once"),
    }
}

fn opened() -> Reply {
    Reply::Json(
        200,
        json!({
            "status": "OK", "asyncRespID": "ident-1",
            "identificationUrl": "https://front.example/qes/identify?language=NL&q=0a1b2c",
        }),
    )
}

fn sign_opened() -> Reply {
    Reply::Json(
        200,
        json!({
            "result": { "maj": PENDING }, "reqID": "r", "respID": "sign-1",
            "optOutp": { "itsme": { "signingUrl": "https://front.example/qes/sign?q=9z" } },
        }),
    )
}

fn test_signer() -> &'static TestSigner {
    Pki::shared().signer(Key::Rsa2048)
}

fn identified(leaf: &TestSigner) -> Value {
    json!({
        "status": "OK", "userCode": USER_CODE,
        "certificate": pem(leaf.leaf()), "fullCertificateChain": leaf.chain_pem(),
    })
}

fn identity() -> Identity {
    Identity::new(test_signer().chain.clone(), Some(USER_CODE.to_owned()))
}

fn item(id: &str, data: &str) -> SigningItem {
    SigningItem { id: id.to_owned(), to_be_signed: ToBeSigned::new(data.as_bytes().to_vec(), RSA) }
}

fn request(ids: &[&str]) -> SigningRequest {
    SigningRequest::new(identity(), ids.iter().map(|id| item(id, id)).collect())
}

fn value(data: &str) -> String {
    use base64ct::{Base64, Encoding};
    Base64::encode_string(&test_signer().sign(&ToBeSigned::new(data.into(), RSA)))
}

fn success(values: &Value) -> Reply {
    Reply::Json(200, json!({ "result": { "maj": SUCCESS }, "respID": "sign-1", "sigObj": values }))
}

fn object(id: &str, value: &str) -> Value {
    json!({ "b64Sig": { "value": value }, "whichDoc": id })
}

fn identify(signer: &ItsmeSigner) -> (String, IdentificationSession) {
    match run(signer.identify(IdentificationRequest::default())).unwrap() {
        Step::Redirect { url, session } => (url, session),
        other => panic!("{other:?}"),
    }
}

fn sign(signer: &ItsmeSigner, ids: &[&str]) -> (String, SigningSession) {
    match run(signer.sign(request(ids))).unwrap() {
        Step::Redirect { url, session } => (url, session),
        other => panic!("{other:?}"),
    }
}

/// The result of a finished session over `ids`.
fn collect(more: &str, ids: &[&str], values: &Value) -> Result<Vec<SignatureValue>, SignerError> {
    let (signer, _) = signer_with(more, [sign_opened(), success(values)]);
    let (_, session) = sign(&signer, ids);
    match run(signer.continue_signing(session, Event::Poll))? {
        Step::Done(values) => Ok(values),
        other => panic!("{other:?}"),
    }
}

fn own(error: &SignerError) -> &Error {
    std::error::Error::source(error).unwrap().downcast_ref().unwrap()
}

fn sign_error(change: impl FnOnce(&mut SigningRequest)) -> SignerError {
    // No reply is scripted: a request would fail the test.
    let (signer, script) = signer([]);
    let mut request = request(&["s-001"]);
    change(&mut request);
    let error = run(signer.sign(request)).unwrap_err();
    assert!(script.asked().is_empty());
    error
}

// Before anything is sent

#[test]
fn case_01_an_empty_batch_sends_nothing() {
    let error = sign_error(|request| request.items.clear());
    assert_eq!(error.kind(), &SignerErrorKind::EmptyBatch);
}

#[test]
fn case_02_seventy_one_digests_are_too_many() {
    let error = sign_error(|r| r.items = (0..71).map(|n| item(&format!("s-{n}"), "x")).collect());
    assert_eq!(error.kind(), &SignerErrorKind::BatchTooLarge { max: 70 });
}

#[test]
fn case_03_only_digests_of_32_octets_can_be_asked_for() {
    for length in [20, 33, 64] {
        assert!(Digest::new(DigestAlgorithm::Sha256, vec![0; length]).is_err());
    }
}

#[test]
fn case_04_other_algorithms_are_refused_not_converted() {
    let sha512 = SignatureAlgorithm::RsaPkcs1v15(DigestAlgorithm::Sha512);
    let pss = SignatureAlgorithm::RsaPss(DigestAlgorithm::Sha256);
    for algorithm in [sha512, pss] {
        let error = sign_error(|r| {
            r.items[0].to_be_signed = ToBeSigned::new(vec![1], algorithm);
        });
        assert_eq!(error.kind(), &SignerErrorKind::UnsupportedAlgorithm { algorithm });
    }
}

#[test]
fn case_05_two_documents_with_one_id() {
    let error = sign_error(|r| r.items.push(item("s-001", "other")));
    assert_eq!(error.kind(), &SignerErrorKind::DuplicateId { id: "s-001".to_owned() });
}

fn described(text: &str) -> Vec<(Language, String)> {
    Language::ALL.into_iter().map(|language| (language, text.to_owned())).collect()
}

#[test]
fn case_06_typographic_characters_are_named_by_position_or_replaced() {
    let text = "L\u{2019}offre \u{2013} 2026";
    let error = sign_error(|r| r.display.description = described(text));
    assert!(matches!(own(&error), Error::UnsupportedCharacter { index: 1, char: '\u{2019}', .. }));
    let (signer, script) = signer_with("[tolerance]\ntransliterate = true", [sign_opened()]);
    let mut request = request(&["s-001"]);
    request.display.description = described(text);
    run(signer.sign(request)).unwrap();
    let sent = &script.asked()[0].1["optInp"]["itsme"]["description"][0];
    assert_eq!(sent, &json!({ "lang": "EN", "value": "L'offre - 2026" }));
}

#[test]
fn case_07_decomposed_accents_are_composed() {
    let (signer, script) = signer([sign_opened()]);
    let mut request = request(&["s-001"]);
    request.display.description = described("cafe\u{301}");
    run(signer.sign(request)).unwrap();
    assert_eq!(script.asked()[0].1["optInp"]["itsme"]["description"][0]["value"], "café");
}

#[test]
fn case_08_roles_are_latin_1_and_descriptions_latin_9() {
    for text in ["Gérant œuvres", "10 €"] {
        let error = sign_error(|r| r.display.role = described(text));
        assert!(matches!(own(&error), Error::UnsupportedCharacter { field: "role", .. }));
        let (signer, _) = signer([sign_opened()]);
        let mut request = request(&["s-001"]);
        request.display.description = described(text);
        run(signer.sign(request)).unwrap();
    }
}

#[test]
fn case_09_lengths_count_characters() {
    let error = sign_error(|r| r.display.description = described(&"é".repeat(256)));
    assert!(matches!(own(&error), Error::TextTooLong { found: 256, max: 255, .. }));
    let (signer, _) = signer([sign_opened()]);
    let mut fits = request(&["s-001"]);
    fits.display.description = described(&"é".repeat(255));
    run(signer.sign(fits)).unwrap();

    let (signer, _) = signer_with("[limits]\ndescription = 50", []);
    let mut long = request(&["s-001"]);
    long.display.description = described(&"x".repeat(51));
    assert!(run(signer.sign(long)).is_err());

    let (signer, script) = signer_with("", [sign_opened()]);
    let mut empty = request(&["s-001"]);
    empty.display.description = described("");
    run(signer.sign(empty)).unwrap();
    assert_eq!(script.asked()[0].1.pointer("/optInp/itsme/description"), None);
}

#[test]
fn case_10_a_description_needs_every_language() {
    let error = sign_error(|r| {
        r.display.description = vec![(Language::En, "Lease".into()), (Language::Fr, "Bail".into())];
    });
    let Error::MissingTranslation { missing, .. } = own(&error) else { panic!("{error:?}") };
    assert_eq!(missing, &[Language::Nl, Language::De]);
}

#[test]
fn case_11_languages_are_mapped_or_refused() {
    for (tag, language) in [
        ("fr-BE", Some(Language::Fr)),
        ("fr", Some(Language::Fr)),
        ("NL", Some(Language::Nl)),
        ("ES", None),
    ] {
        assert_eq!(Language::from_tag(tag), language);
    }
    assert!(config("").is_ok());
    let spanish = TOML.replace("[front]", "language = \"ES\"\n[front]");
    let error = Config::from_toml(&spanish, std::path::Path::new(".")).unwrap_err();
    assert!(error.to_string().contains("language"), "{error}");
}

#[test]
fn case_12_redirect_urls_that_cannot_be_registered() {
    let long = format!("https://sign.example.org/{}", "x".repeat(231));
    assert_eq!(long.len(), 256);
    for url in [
        "http://sign.example.org/return",
        "https://sign.example.org/return#frag",
        "myapp://return",
        "not a url",
        &long,
    ] {
        let text = TOML.replace("https://sign.example.org/itsme/return", url);
        let error = Config::from_toml(&text, std::path::Path::new(".")).unwrap_err();
        assert!(error.to_string().contains("line 5: redirect_url"), "{error}");
    }
}

#[test]
fn case_13_user_codes_have_36_characters() {
    for code in ["x".repeat(35), format!("{}{}", "x".repeat(35), " ")] {
        let error = sign_error(|r| r.identity.account = Some(code.clone()));
        assert!(matches!(own(&error), Error::InvalidUserCode));
        let (signer, script) = signer([]);
        let mut known = IdentificationRequest::default();
        known.account = Some(code);
        assert!(run(signer.identify(known)).is_err());
        assert!(script.asked().is_empty());
    }
}

#[test]
fn case_14_codes_that_are_too_long() {
    for (from, to, key) in [
        ("DEMOPARTNR", "ELEVENCHARS".to_owned(), "line 3: partner_code"),
        ("DEMO_SIGN", "x".repeat(46), "line 4: service_code"),
    ] {
        let text = TOML.replace(from, &to);
        let error = Config::from_toml(&text, std::path::Path::new(".")).unwrap_err();
        assert!(error.to_string().contains(key), "{error}");
    }
}

fn discovery() -> Reply {
    let policy = |reference: &str, status: &str| json!({ "oid": reference, "ref": reference, "status": status });
    Reply::Json(
        200,
        json!({
            "sign_policy_templates_supported": [policy("1.2.3", "ENABLED"), policy("1.2.4", "DISABLED")],
            "commitment_types_supported": [{ "oid": "1.2.840.113549.1.9.16.6.5", "ref": "1.2.840.113549.1.9.16.6.5" }],
        }),
    )
}

#[test]
fn case_15_policies_are_checked_against_the_discovery_document() {
    for (reference, expected) in [("\"ITSME_DEFAULT\"", "not in"), ("\"1.2.4\"", "disabled")] {
        let (signer, script) =
            signer_with(&format!("[policy]\nreference = {reference}"), [discovery()]);
        let error = run(signer.sign(request(&["s-001"]))).unwrap_err();
        assert!(own(&error).to_string().contains(expected), "{error:?}");
        assert_eq!(script.asked().len(), 1);
    }
    // Out of reach: refused, unless told otherwise.
    let (signer, _) = signer_with("[policy]\nreference = \"1.2.3\"", [Reply::NotSent]);
    assert!(run(signer.sign(request(&["s-001"]))).is_err());
    let toml = "[policy]\nreference = \"1.2.3\"\nallow_unchecked = true";
    let (signer, script) = signer_with(toml, [Reply::NotSent, sign_opened()]);
    run(signer.sign(request(&["s-001"]))).unwrap();
    assert_eq!(script.asked()[1].1["optInp"]["itsme"]["signPolicy"]["signPolicyRef"], "1.2.3");
}

#[test]
fn what_the_user_sees_is_what_is_asked_for() {
    let (signer, script) = signer([discovery(), sign_opened()]);
    let mut request = request(&["s-001"]);
    request.display.policy = Some("1.2.3".parse().unwrap());
    request.display.commitment = Some(CommitmentType::APPROVAL);
    request.display.role = described("Gérant");
    run(signer.sign(request)).unwrap();
    let policy = &script.asked()[1].1["optInp"]["itsme"]["signPolicy"];
    assert_eq!(policy["commitmentTypeRef"], "1.2.840.113549.1.9.16.6.5");
    assert_eq!(policy["signerRole"][0]["value"], "Gérant");
}

// On the wire

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
    use base64ct::{Base64, Encoding};
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

// Flow and state

fn state_of(url: &str) -> String {
    url.split("st=").nth(1).unwrap().to_owned()
}

fn returned(query: String, browser: Option<&str>) -> Event {
    Event::Returned { query, browser: browser.map(ToOwned::to_owned) }
}

#[test]
fn case_31_returns_without_our_state_ask_nobody() {
    let (signer, script) = signer([opened()]);
    let (_, session) = identify(&signer);
    for query in ["", "q=1", "st=", "st=0123456789abcdef0123456789abcdef", "st=a&st=b"] {
        let event = returned(query.to_owned(), None);
        let error = run(signer.continue_identification(session.clone(), event)).unwrap_err();
        assert_eq!(error.kind(), &SignerErrorKind::State);
    }
    assert_eq!(script.asked().len(), 1);
}

/// A replay reads the status again and opens nothing.
#[test]
fn case_32_and_34_a_repeated_return_is_a_status_query() {
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

#[test]
fn case_33_a_session_belongs_to_one_browser() {
    let done = Reply::Json(200, identified(test_signer()));
    let (signer, _) = signer([opened(), done]);
    let mut request = IdentificationRequest::default();
    request.browser = Some("cookie-x".to_owned());
    let Step::Redirect { url, session } = run(signer.identify(request)).unwrap() else {
        panic!("no redirect")
    };
    assert!(!serde_json::to_string(&session).unwrap().contains("cookie-x"));
    let query = format!("st={}", state_of(&url));
    for browser in [None, Some("cookie-y")] {
        let event = returned(query.clone(), browser);
        let error = run(signer.continue_identification(session.clone(), event)).unwrap_err();
        assert_eq!(error.kind(), &SignerErrorKind::State);
    }
    let event = returned(query, Some("cookie-x"));
    assert!(matches!(run(signer.continue_identification(session, event)), Ok(Step::Done(_))));
}

/// Also by type: the two sessions cannot be swapped, and neither has an empty id.
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
fn case_37_the_result_is_collected_without_any_return() {
    let values = collect("", &["s-001"], &json!([object("s-001", &value("s-001"))])).unwrap();
    assert_eq!(values.len(), 1);
}

#[test]
fn case_38_a_deadline_ends_the_waiting_and_a_late_success_still_counts() {
    let script = Script::default();
    let late = Arc::new(Mutex::new(now()));
    let clock = Arc::clone(&late);
    let signer = ItsmeSigner::with_transport(config("").unwrap(), script.clone(), move || {
        *clock.lock().unwrap()
    });
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
fn case_40_a_signature_session_is_never_asked_for_twice() {
    for reply in [Reply::Lost, Reply::Text(500, "oops"), Reply::Text(502, "")] {
        let (signer, script) = signer([reply]);
        let error = run(signer.sign(request(&["s-001"]))).unwrap_err();
        assert_eq!(error.kind(), &SignerErrorKind::UnknownOutcome);
        assert_eq!(script.asked().len(), 1);
    }
    let (signer, _) = signer([Reply::NotSent]);
    let error = run(signer.sign(request(&["s-001"]))).unwrap_err();
    assert_eq!(error.kind(), &SignerErrorKind::Unavailable);

    let reply = Reply::Json(400, json!({ "status": "NOK", "statusReason": "UNEXPECTED_ERROR" }));
    let (signer, _) = signer_with("", [reply]);
    let error = run(signer.identify(IdentificationRequest::default())).unwrap_err();
    assert_eq!(error.retry(), Retry::Later);
}

#[test]
fn polling_slows_down() {
    let (signer, script) = signer([sign_opened()]);
    let (_, mut session) = sign(&signer, &["s-001"]);
    let mut waits = Vec::new();
    for _ in 0..6 {
        script.add(Reply::Json(200, json!({ "result": { "maj": PENDING } })));
        match run(signer.continue_signing(session, Event::Poll)).unwrap() {
            Step::Wait { after, session: next } => {
                waits.push(after.as_secs());
                session = next;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(waits, [1, 2, 3, 5, 10, 10]);
}

// Certificates and values

fn identification(body: Value, more: &str) -> Result<Identity, SignerError> {
    let (signer, _) = signer_with(more, [opened(), Reply::Json(200, body)]);
    let (_, session) = identify(&signer);
    match run(signer.continue_identification(session, Event::Poll))? {
        Step::Done(identity) => Ok(identity),
        other => panic!("{other:?}"),
    }
}

#[test]
fn case_50_without_a_chain_the_leaf_alone_is_used() {
    let mut body = identified(test_signer());
    body.as_object_mut().unwrap().remove("fullCertificateChain");
    let identity = identification(body, "").unwrap();
    assert!(!identity.chain.is_complete());
    assert_eq!(identity.chain.leaf(), test_signer().leaf());
}

#[test]
fn case_51_chains_of_any_shape_but_of_one_leaf() {
    let certificates = test_signer().chain.certificates();
    let scrambled: String = certificates.iter().rev().chain(&certificates[1..]).map(pem).collect();
    let scrambled = scrambled.trim_end().replace('\n', "\r\n");
    let mut body = identified(test_signer());
    body["fullCertificateChain"] = json!(scrambled);
    assert_eq!(identification(body, "").unwrap().chain, test_signer().chain);

    let mut body = identified(test_signer());
    body["certificate"] = json!(pem(Pki::shared().signer(Key::P256).leaf()));
    let error = identification(body, "").unwrap_err();
    assert!(matches!(own(&error), Error::CertificateMismatch));
    assert_eq!(error.kind(), &SignerErrorKind::Certificate);
}

#[test]
fn case_52_a_value_by_another_key_means_another_certificate() {
    use base64ct::{Base64, Encoding};
    let other = Pki::shared().issue(&Profile::new(Key::Rsa2048));
    let value = Base64::encode_string(&other.sign(&ToBeSigned::new("s-001".into(), RSA)));
    let error = collect("", &["s-001"], &json!([object("s-001", &value)])).unwrap_err();
    assert_eq!(error.kind(), &SignerErrorKind::Certificate);
    assert_eq!(error.retry(), Retry::NewIdentification);
}

#[test]
fn case_53_values_under_each_others_ids_only_where_tolerated() {
    let ids = &["s-001", "s-002"];
    let swapped = json!([object("s-001", &value("s-002")), object("s-002", &value("s-001"))]);
    assert_eq!(collect("", ids, &swapped).unwrap_err().kind(), &SignerErrorKind::Value);
    let values = collect("[tolerance]\nreordered_values = true", ids, &swapped).unwrap();
    for (value, id) in values.iter().zip(ids) {
        ades_core::verify::verify(test_signer().leaf(), RSA, id.as_bytes(), &value.value).unwrap();
    }
}

#[test]
fn case_54_a_value_over_something_else_is_refused_with_the_reason() {
    use base64ct::{Base64, Encoding};
    let digest = Digest::of(DigestAlgorithm::Sha256, b"s-001");
    let twice = DtbsDigest(Digest::of(DigestAlgorithm::Sha256, digest.value()));
    let twice = test_signer().sign(&ToBeSigned::from_digest(twice, RSA).unwrap());
    let values = json!([object("s-001", &Base64::encode_string(&twice))]);
    let error = collect("", &["s-001"], &values).unwrap_err();
    assert_eq!(error.kind(), &SignerErrorKind::Value);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("a second time"), "{cause}");
}

#[test]
fn case_55_an_unfit_certificate_is_refused_before_anything_is_hashed() {
    let mut profile = Profile::new(Key::Rsa2048);
    profile.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    let unfit = Pki::shared().issue(&profile);
    let error = identification(identified(&unfit), "").unwrap_err();
    assert_eq!(error.kind(), &SignerErrorKind::Certificate);

    profile = Profile::new(Key::Rsa2048);
    profile.validity = ((2020, 1, 1), (2026, 1, 1));
    let expired = Pki::shared().issue(&profile);
    assert!(identification(identified(&expired), "").is_err());
    // Between the two trips, too.
    let error = sign_error(|r| r.identity.chain = expired.chain.clone());
    assert_eq!(error.kind(), &SignerErrorKind::Certificate);
}

#[test]
fn case_57_a_test_certificate_is_for_the_test_profile_only() {
    // certificatePolicies with 1.3.6.1.4.1.8024.1.400
    let policies = [
        0x30, 0x0E, 0x30, 0x0C, 0x06, 0x0A, 0x2B, 0x06, 0x01, 0x04, 0x01, 0xBE, 0x58, 0x01, 0x83,
        0x10,
    ];
    let mut profile = Profile::new(Key::Rsa2048);
    profile.extensions =
        vec![rcgen::CustomExtension::from_oid_content(&[2, 5, 29, 32], policies.to_vec())];
    let leaf = Pki::shared().issue(&profile);
    let error = identification(identified(&leaf), "").unwrap_err();
    assert!(matches!(own(&error), Error::TestCertificate));
    let test = TOML.replace("[front]", "profile = \"test\"\n[front]");
    let script = Script::default();
    script.add(opened());
    script.add(Reply::Json(200, identified(&leaf)));
    let config = Config::from_toml(&test, std::path::Path::new(".")).unwrap();
    let signer = ItsmeSigner::with_transport(config, script, now);
    let (_, session) = identify(&signer);
    assert!(matches!(run(signer.continue_identification(session, Event::Poll)), Ok(Step::Done(_))));
}

#[test]
fn case_61_nothing_personal_or_secret_is_shown() {
    let (signer, _) = signer([opened(), Reply::Json(200, identified(test_signer()))]);
    let (url, session) = identify(&signer);
    let mut shown = format!("{signer:?} {session:?}");
    let event = returned(format!("st={}", state_of(&url)), Some("cookie"));
    shown.push_str(&format!("{event:?}"));
    let identity = match run(signer.continue_identification(session, event)).unwrap() {
        Step::Done(identity) => identity,
        other => panic!("{other:?}"),
    };
    shown.push_str(&format!("{identity:?} {:?}", request(&["s-001"])));
    for secret in [USER_CODE, "Test Signer", &state_of(&url), "ident-1", "cookie"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn case_62_a_client_that_is_not_accepted_is_told_so_and_not_repeated() {
    for reply in [Reply::NotAuthorised, Reply::Text(403, "<html>"), Reply::Text(401, "")] {
        let (signer, script) = signer([reply]);
        let error = run(signer.identify(IdentificationRequest::default())).unwrap_err();
        assert_eq!(error.kind(), &SignerErrorKind::ClientNotAuthorised);
        assert_eq!(error.retry(), Retry::Never);
        assert_eq!(script.asked().len(), 1);
    }
    // A status query is not repeated either.
    let (signer, _) = signer([sign_opened(), Reply::NotAuthorised]);
    let (_, session) = sign(&signer, &["s-001"]);
    assert!(run(signer.continue_signing(session, Event::Poll)).is_err());
}

#[test]
fn case_63_an_answer_that_redirects_is_an_error() {
    let (signer, _) = signer([Reply::Text(302, "")]);
    let error = run(signer.identify(IdentificationRequest::default())).unwrap_err();
    assert_eq!(error.kind(), &SignerErrorKind::Service { status: 302 });
}

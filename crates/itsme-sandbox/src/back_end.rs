//! The partner's protocol: requests checked as documented, answers with the
//! documented codes, and faults on demand.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use base64ct::{Base64, Encoding};
use serde_json::{Value, json};

use crate::faults::{Endpoint, Fault};
use crate::pki::Scheme;
use crate::server::World;
use crate::sessions::{MAX_BATCH, Purpose, Session, SignRequest, State as SessionState};
use crate::users::User;

/// No request may be longer, in octets.
const MAX_REQUEST: usize = 1024 * 1024;
const CONFIGURATION: &str = include_str!("../data/configuration.json");
const DSS: &str = "urn:oasis:names:tc:dss:1.0";
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";

pub(crate) fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/.well-known/configuration", get(configuration))
        .route("/user_identification", post(user_identification))
        .route("/user_identification/status", post(identification_status))
        .route("/sign_document", post(sign_document))
        .layer(DefaultBodyLimit::max(MAX_REQUEST))
        .with_state(world)
}

async fn configuration(State(world): State<Arc<World>>) -> Response<Body> {
    let answer = discovery(&world);
    let endpoint = Endpoint::Configuration;
    reply(endpoint, take(&world, endpoint, StatusCode::OK), StatusCode::OK, answer, |_, _| {}).await
}

async fn user_identification(State(world): State<Arc<World>>, body: Bytes) -> Response<Body> {
    let (status, answer) = match open_identification(&world, &body) {
        Ok(answer) => (StatusCode::OK, answer),
        Err(code) => (StatusCode::BAD_REQUEST, nok(code)),
    };
    reply(
        Endpoint::UserIdentification,
        take(&world, Endpoint::UserIdentification, status),
        status,
        answer,
        spoil_page,
    )
    .await
}

fn open_identification(world: &World, body: &[u8]) -> Result<Value, &'static str> {
    let request = parse(body)?;
    check_partner(world, &request)?;
    check_redirect(world, &request)?;
    let lang = check_lang(request.get("lang"), true)?;
    let user = text(&request, "userCode").map(|code| check_user(world, code)).transpose()?;
    let id = open_session(world, Purpose::Identification, &request, &lang, user);
    Ok(json!({ "status": "OK", "asyncRespID": id.0, "identificationUrl": id.1 }))
}

async fn identification_status(State(world): State<Arc<World>>, body: Bytes) -> Response<Body> {
    let (status, answer) = identification(&world, &body);
    let fault = take(&world, Endpoint::IdentificationStatus, status);
    reply(Endpoint::IdentificationStatus, fault, status, answer, spoil_certificates).await
}

fn identification(world: &World, body: &[u8]) -> (StatusCode, Value) {
    let bad = |code| (StatusCode::BAD_REQUEST, nok(code));
    let request = match parse(body).and_then(|r| check_partner(world, &r).map(|()| r)) {
        Ok(request) => request,
        Err(code) => return bad(code),
    };
    let Some(id) = text(&request, "asyncRespID") else { return bad("MISSING_ASYNC_RESP_ID") };
    let changing = world.changing();
    let session = changing.sessions.get(id).filter(|s| s.purpose == Purpose::Identification);
    let Some(session) = session else { return (StatusCode::CONFLICT, Value::Null) };
    match (session.state(changing.now()), session.user) {
        (SessionState::Confirmed, Some(user)) => {
            let edition = session.edition;
            drop(changing);
            let Ok(leaf) = world.pki.certificate(user, edition) else {
                return (StatusCode::INTERNAL_SERVER_ERROR, nok("TECHNICAL_ERROR"));
            };
            let chain = format!("{leaf}{}{}", world.pki.issuing_pem(), world.pki.root_pem());
            let answer = json!({
                "status": "OK",
                "userCode": user.user_code(&world.config.partner_code),
                "certificate": leaf,
                "fullCertificateChain": chain,
            });
            (StatusCode::OK, answer)
        }
        (SessionState::NotAllowed, _) => bad("NOT_ALLOWED_TO_SIGN"),
        (SessionState::Rejected, _) => (StatusCode::CONFLICT, nok("REJECTED")),
        (SessionState::Expired, _) => (StatusCode::CONFLICT, nok("EXPIRED")),
        _ => (StatusCode::CONFLICT, nok("PENDING")),
    }
}

async fn sign_document(State(world): State<Arc<World>>, body: Bytes) -> Response<Body> {
    let request = match parse(&body) {
        Ok(request) => request,
        Err(code) => {
            let answer = failure(&Value::Null, code);
            let status = StatusCode::BAD_REQUEST;
            let fault = take(&world, Endpoint::SignDocument, status);
            return reply(Endpoint::SignDocument, fault, status, answer, spoil_page).await;
        }
    };
    // The documented trap: without an id this opens a session, whatever was meant.
    if let Some(id) = text(&request, "asyncRespID") {
        let (status, answer, fault) = result(&world, &request, id);
        return reply(Endpoint::SignStatus, fault, status, answer, spoil_result).await;
    }
    let (status, answer) = match open_signature(&world, &request) {
        Ok(answer) => (StatusCode::OK, answer),
        Err(code) => (StatusCode::BAD_REQUEST, failure(&request, code)),
    };
    let fault = take(&world, Endpoint::SignDocument, status);
    reply(Endpoint::SignDocument, fault, status, answer, spoil_page).await
}

fn open_signature(world: &World, request: &Value) -> Result<Value, &'static str> {
    let options = request.pointer("/optInp/itsme").ok_or("INCOMPLETE_REQUEST")?;
    check_partner(world, options)?;
    check_redirect(world, options)?;
    let lang = check_lang(request.pointer("/optInp/lang"), false)?;
    let code = options.pointer("/signer/userCode").and_then(Value::as_str);
    let user = check_user(world, code.ok_or("INCOMPLETE_REQUEST")?)?;
    text(request, "reqID").ok_or("INCOMPLETE_REQUEST")?;
    let (policy, commitment) = check_policy(world, options.get("signPolicy"))?;
    let sign = SignRequest {
        documents: check_documents(world, request)?,
        description: check_texts(options.get("description"), 255, is_latin9)?,
        role: check_texts(options.pointer("/signPolicy/signerRole"), 50, is_latin1)?,
        policy,
        commitment,
    };
    let (id, url) = open_session(world, Purpose::Signature(sign), options, &lang, Some(user));
    Ok(json!({
        "result": { "maj": format!("{DSS}:profiles:asynchronousprocessing:resultmajor:Pending") },
        "reqID": request.get("reqID"),
        "respID": id,
        "optOutp": { "itsme": { "signingUrl": url, "userCode": code } },
    }))
}

/// The answer to a status query. A fault that waits for values is taken here,
/// where it is known whether there are any.
fn result(world: &World, request: &Value, id: &str) -> (StatusCode, Value, Option<Fault>) {
    let (status, answer) = match confirmed(world, request, id) {
        Err(answer) => answer,
        Ok(session) => {
            let fault = take(world, Endpoint::SignStatus, StatusCode::OK);
            let answer = json!({
                "result": { "maj": format!("{DSS}:resultmajor:Success") },
                "reqID": request.get("reqID"),
                "respID": id,
                "sigObj": values(world, &session, fault.as_ref()),
            });
            return (StatusCode::OK, answer, fault);
        }
    };
    let fault = world.changing().faults.take(Endpoint::SignStatus, false);
    (status, answer, fault)
}

/// The session of an id if it is a signature's and confirmed; else the answer.
fn confirmed(world: &World, request: &Value, id: &str) -> Result<Session, (StatusCode, Value)> {
    let options = request.pointer("/optInp/itsme").unwrap_or(&Value::Null);
    if let Err(code) = check_partner(world, options) {
        return Err((StatusCode::BAD_REQUEST, failure(request, code)));
    }
    let changing = world.changing();
    let now = changing.now();
    let session = changing.sessions.get(id).filter(|s| s.purpose != Purpose::Identification);
    let Some(session) = session else { return Err((StatusCode::CONFLICT, Value::Null)) };
    let major = match session.state(now) {
        SessionState::Confirmed => return Ok(session.clone()),
        SessionState::Pending => {
            let major = format!("{DSS}:profiles:asynchronousprocessing:resultmajor:Pending");
            let answer = json!({
                "result": { "maj": major }, "reqID": request.get("reqID"), "respID": id,
            });
            return Err((StatusCode::OK, answer));
        }
        SessionState::Expired => "EXPIRED",
        SessionState::NotAllowed => "NOT_ALLOWED_TO_SIGN",
        SessionState::Rejected => "REJECTED",
    };
    Err((StatusCode::OK, failure(request, major)))
}

/// One value per document, as the user's key or a fault makes it.
fn values(world: &World, session: &Session, fault: Option<&Fault>) -> Vec<Value> {
    let (Some(user), Purpose::Signature(sign)) = (session.user, &session.purpose) else {
        return Vec::new();
    };
    let edition = session.edition;
    let sha256 = |data: &[u8]| {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, data);
        <[u8; 32]>::try_from(digest.as_ref()).unwrap_or_default()
    };
    let value = |digest: &[u8; 32]| {
        let (user, digest, scheme) = match fault {
            Some(Fault::OtherDigest) => (user, sha256(b"another document"), Scheme::Pkcs1v15),
            Some(Fault::DoubleHash) => (user, sha256(digest), Scheme::Pkcs1v15),
            Some(Fault::Pss) => (user, *digest, Scheme::Pss),
            Some(Fault::ForeignKey) => (User::Slow, *digest, Scheme::Pkcs1v15),
            _ => (user, *digest, Scheme::Pkcs1v15),
        };
        let mut value = world.pki.sign(user, edition, &digest, scheme).unwrap_or_default();
        match fault {
            Some(Fault::WrongValue) => value.iter_mut().for_each(|octet| *octet ^= 0x5A),
            Some(Fault::ShortValue) => value.truncate(255),
            _ => {}
        }
        let text = Base64::encode_string(&value);
        match fault {
            Some(Fault::LineBreaks) => {
                let lines: Vec<String> =
                    text.as_bytes().chunks(64).map(|l| String::from_utf8_lossy(l).into()).collect();
                lines.join("\r\n")
            }
            Some(Fault::UrlAlphabet) => text.replace('+', "-").replace('/', "_"),
            _ => text,
        }
    };
    sign.documents
        .iter()
        .map(|(id, digest)| json!({ "b64Sig": { "value": value(digest) }, "whichDoc": id }))
        .collect()
}

fn spoil_result(answer: &mut Value, fault: &Fault) {
    match fault {
        Fault::UnknownMajor => {
            if let Some(result) = answer.get_mut("result") {
                *result = json!({ "maj": format!("{DSS}:resultmajor:Whatever") });
            }
        }
        Fault::SuccessWithoutValues => {
            if let Some(answer) = answer.as_object_mut() {
                answer.remove("sigObj");
            }
        }
        Fault::Result { maj, min, msg } => {
            let text = |text: &Option<String>| text.as_ref().map(|text| json!(text));
            for (key, value) in [("maj", text(maj)), ("min", text(min)), ("msg", msg.clone())] {
                let result = answer.get_mut("result").and_then(Value::as_object_mut);
                if let (Some(result), Some(value)) = (result, value) {
                    result.insert(key.to_owned(), value);
                }
            }
        }
        _ => {}
    }
    let Some(Value::Array(values)) = answer.get_mut("sigObj") else { return };
    if *fault == Fault::DuplicateId && values.len() == 1 {
        values.extend(values.first().cloned());
    }
    let id = |values: &[Value], at: usize| {
        values.get(at).and_then(|v| v.get("whichDoc")).cloned().unwrap_or_default()
    };
    let (first, second) = (id(values, 0), id(values, 1));
    let mut set = |at: usize, id: Value| {
        if let Some(value) = values.get_mut(at) {
            value["whichDoc"] = id;
        }
    };
    match fault {
        Fault::SwappedValues => {
            set(0, second);
            set(1, first);
        }
        Fault::DuplicateId => set(1, first),
        Fault::UnknownId => set(0, json!("nobody-asked-for-this")),
        Fault::ReversedOrder => values.reverse(),
        Fault::MissingId | Fault::LowerCaseKey => {
            for value in values.iter_mut() {
                let id = value.as_object_mut().and_then(|v| v.remove("whichDoc"));
                if let (Fault::LowerCaseKey, Some(id)) = (fault, id) {
                    value["whichdoc"] = id;
                }
            }
        }
        _ => {}
    }
}

fn spoil_page(answer: &mut Value, fault: &Fault) {
    if let (Fault::SmallD, Some(object)) = (fault, answer.as_object_mut())
        && let Some(id) = object.remove("asyncRespID")
    {
        object.insert("asyncRespId".to_owned(), id);
    }
    for pointer in ["/identificationUrl", "/optOutp/itsme/signingUrl"] {
        let Some(url) = answer.pointer_mut(pointer) else { continue };
        match fault {
            Fault::UntrustedHost => *url = json!("https://untrusted.example/qes/identify?q=1"),
            Fault::HttpUrl => *url = json!("http://front.sandbox.invalid/qes/identify?q=1"),
            Fault::UrlFragment => {
                *url = json!(format!("{}#fragment", url.as_str().unwrap_or_default()));
            }
            _ => {}
        }
    }
}

fn spoil_certificates(answer: &mut Value, fault: &Fault) {
    let Some(Value::String(chain)) = answer.get("fullCertificateChain").cloned() else { return };
    let end = "-----END CERTIFICATE-----\n";
    let parts: Vec<String> =
        chain.split_inclusive(end).filter(|p| p.contains("BEGIN")).map(Into::into).collect();
    let issuing = parts.get(1).cloned().unwrap_or_default();
    match fault {
        Fault::ForeignCertificate => answer["certificate"] = json!(issuing),
        Fault::ChainMissing => {
            if let Some(answer) = answer.as_object_mut() {
                answer.remove("fullCertificateChain");
            }
        }
        Fault::ChainScrambled => {
            let mut scrambled: Vec<String> = parts.iter().rev().cloned().collect();
            scrambled.push(issuing);
            answer["fullCertificateChain"] = json!(scrambled.concat());
        }
        Fault::CrlfPem => {
            for key in ["certificate", "fullCertificateChain"] {
                if let Some(Value::String(pem)) = answer.get(key).cloned() {
                    answer[key] = json!(pem.trim_end().replace('\n', "\r\n"));
                }
            }
        }
        _ => {}
    }
}

/// Sends an answer, or what a waiting fault makes of it.
async fn reply(
    endpoint: Endpoint,
    fault: Option<Fault>,
    status: StatusCode,
    mut answer: Value,
    spoil: fn(&mut Value, &Fault),
) -> Response<Body> {
    tracing::debug!(status = status.as_u16(), fault = fault.is_some(), "sandbox answer");
    if let Some(fault) = &fault {
        match fault {
            Fault::Answer { status, content_type, body } => {
                let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::OK);
                let headers = [(header::CONTENT_TYPE, content_type.clone())];
                return (status, headers, body.clone()).into_response();
            }
            Fault::Code { status, code } => {
                let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::OK);
                let sign = matches!(endpoint, Endpoint::SignDocument | Endpoint::SignStatus);
                let body = if sign { failure(&Value::Null, code) } else { nok(code) };
                let json = [(header::CONTENT_TYPE, "application/json")];
                return (status, json, body.to_string()).into_response();
            }
            Fault::Delay { millis } => {
                tokio::time::sleep(std::time::Duration::from_millis(*millis)).await;
            }
            Fault::Reset => {
                // A length that is never reached: the connection breaks.
                let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                let broken = BrokenBody(Some(reset));
                return (status, [(header::CONTENT_LENGTH, "4096")], Body::new(broken))
                    .into_response();
            }
            Fault::Huge => return (status, "x".repeat(2 * 1024 * 1024)).into_response(),
            Fault::Redirect => {
                let headers = [
                    (header::LOCATION, "https://elsewhere.example/"),
                    (header::SET_COOKIE, "session=1"),
                ];
                return (StatusCode::FOUND, headers).into_response();
            }
            other => spoil(&mut answer, other),
        }
    }
    if answer.is_null() {
        return status.into_response();
    }
    let json = [(header::CONTENT_TYPE, "application/json")];
    let cookie = (fault == Some(Fault::SetCookie))
        .then_some([(header::SET_COOKIE, "sandbox=not-to-be-kept; Secure")]);
    (status, json, cookie, answer.to_string()).into_response()
}

/// A body that fails where data should come.
struct BrokenBody(Option<std::io::Error>);

impl axum::body::HttpBody for BrokenBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
        std::task::Poll::Ready(self.0.take().map(Err))
    }
}

fn take(world: &World, endpoint: Endpoint, status: StatusCode) -> Option<Fault> {
    world.changing().faults.take(endpoint, status == StatusCode::OK)
}

/// The discovery document, with the policies that were switched off.
fn discovery(world: &World) -> Value {
    let mut document: Value = serde_json::from_str(CONFIGURATION).unwrap_or_default();
    let changing = world.changing();
    let policies = document.get_mut("sign_policy_templates_supported");
    for policy in policies.and_then(Value::as_array_mut).into_iter().flatten() {
        if text(policy, "ref").is_some_and(|reference| changing.disabled.contains(reference)) {
            policy["status"] = json!("DISABLED");
        }
    }
    document
}

/// What a policy or commitment is called in a language.
pub(crate) fn label(reference: &str, lang: &str) -> Option<String> {
    let document: Value = serde_json::from_str(CONFIGURATION).ok()?;
    ["sign_policy_templates_supported", "commitment_types_supported"]
        .into_iter()
        .filter_map(|list| document.get(list)?.as_array())
        .flatten()
        .find(|entry| text(entry, "ref") == Some(reference))
        .and_then(|entry| text(entry.get("text")?, lang).map(ToOwned::to_owned))
}

/// The user of a user code who may sign.
fn check_user(world: &World, code: &str) -> Result<User, &'static str> {
    match User::from_user_code(code, &world.config.partner_code) {
        Some(User::Blocked) => Err("NOT_ALLOWED_TO_SIGN"),
        Some(user) => Ok(user),
        None => Err("INVALID_REQUESTOR"),
    }
}

fn nok(code: &str) -> Value {
    json!({ "status": "NOK", "statusReason": code })
}

fn failure(request: &Value, code: &str) -> Value {
    json!({
        "result": {
            "maj": format!("{DSS}:resultmajor:RequesterError"),
            "min": code,
            "msg": { "lang": "EN", "value": format!("SANDBOX: {code}") },
        },
        "reqID": request.get("reqID"),
    })
}

fn parse(body: &[u8]) -> Result<Value, &'static str> {
    serde_json::from_slice(body).ok().filter(Value::is_object).ok_or("NO_REQUEST")
}

/// A text that is there and not empty.
fn text<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn check_partner(world: &World, request: &Value) -> Result<(), &'static str> {
    let partner = text(request, "partnerCode").ok_or("MISSING_PARTNER_CODE")?;
    let service = text(request, "serviceCode").ok_or("MISSING_SERVICE_CODE")?;
    if partner == world.config.partner_code && service == world.config.service_code {
        Ok(())
    } else {
        Err("INVALID_REQUESTOR")
    }
}

fn check_redirect(world: &World, request: &Value) -> Result<(), &'static str> {
    let found = text(request, "redirectUrl").ok_or("INCOMPLETE_REQUEST")?;
    if found.chars().count() > 255 {
        return Err("INVALID_URL");
    }
    let mut found = url::Url::parse(found).map_err(|_| "INVALID_URL")?;
    let here = matches!(found.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    let scheme = found.scheme() == "https" || (found.scheme() == "http" && here);
    if !scheme || found.fragment().is_some() || !found.username().is_empty() {
        return Err("INVALID_URL");
    }
    let registered = &world.config.redirect_url;
    let mut registered = url::Url::parse(registered).map_err(|_| "INVALID_URL")?;
    let loopback = matches!(registered.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if loopback {
        for url in [&mut found, &mut registered] {
            url.set_port(None).map_err(|()| "INVALID_URL")?;
        }
    }
    if found == registered { Ok(()) } else { Err("UNAUTHORIZED_URL") }
}

fn check_lang(lang: Option<&Value>, needed: bool) -> Result<String, &'static str> {
    match lang.and_then(Value::as_str) {
        Some(lang) => ["EN", "FR", "NL", "DE"]
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(lang))
            .map(ToOwned::to_owned)
            .ok_or("INVALID_LANG"),
        None if needed => Err("INVALID_LANG"),
        None => Ok("EN".to_owned()),
    }
}

fn check_documents(
    world: &World,
    request: &Value,
) -> Result<Vec<(String, [u8; 32])>, &'static str> {
    let hashes = request.pointer("/inDocs/docHash").and_then(Value::as_array);
    let hashes = hashes.filter(|h| !h.is_empty()).ok_or("NO_HASH_PROVIDED")?;
    if hashes.len() > MAX_BATCH {
        return Err("BATCH_TOO_LARGE");
    }
    if hashes.len() > 1 && !world.config.batch {
        return Err("ONLY_SINGLE_HASH_SUPPORTED");
    }
    let mut documents: Vec<(String, [u8; 32])> = Vec::new();
    for hash in hashes {
        let infos = hash.get("di").and_then(Value::as_array).ok_or("NO_DIGEST_INFO_PROVIDED")?;
        let info = match infos.as_slice() {
            [] => return Err("NO_DIGEST_INFO_PROVIDED"),
            [info] => info,
            _ => return Err("ONLY_SINGLE_DIGEST_INFO_SUPPORTED"),
        };
        let id = text(hash, "id").ok_or("INVALID_DIGEST_INFO")?.to_owned();
        let value = text(info, "value").and_then(|v| Base64::decode_vec(v).ok());
        let value = value.and_then(|v| <[u8; 32]>::try_from(v).ok());
        if text(info, "alg") != Some(SHA256) || documents.iter().any(|(known, _)| *known == id) {
            return Err("INVALID_DIGEST_INFO");
        }
        documents.push((id, value.ok_or("INVALID_DIGEST_INFO")?));
    }
    Ok(documents)
}

/// Policy and commitment, both known to the configuration.
fn check_policy(
    world: &World,
    policy: Option<&Value>,
) -> Result<(Option<String>, Option<String>), &'static str> {
    let Some(policy) = policy.filter(|p| !p.is_null()) else { return Ok((None, None)) };
    let configuration = discovery(world);
    let known = |list: &str, reference: &str| {
        let list = configuration.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
        list.into_iter().find(|entry| text(entry, "ref") == Some(reference))
    };
    let reference = text(policy, "signPolicyRef").ok_or("INVALID_POLICY")?;
    let entry = known("sign_policy_templates_supported", reference).ok_or("INVALID_POLICY")?;
    if text(&entry, "status").is_some_and(|status| status != "ENABLED") {
        return Err("INVALID_POLICY_STATUS");
    }
    let commitment = text(policy, "commitmentTypeRef");
    if let Some(commitment) = commitment {
        known("commitment_types_supported", commitment).ok_or("INVALID_POLICY")?;
    }
    Ok((Some(reference.to_owned()), commitment.map(ToOwned::to_owned)))
}

/// Texts in all four languages, of a length and a character set.
fn check_texts(
    texts: Option<&Value>,
    max: usize,
    allowed: fn(char) -> bool,
) -> Result<Vec<(String, String)>, &'static str> {
    let Some(texts) = texts.and_then(Value::as_array) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in texts {
        let lang = check_lang(entry.get("lang"), true)?;
        let value = text(entry, "value").ok_or("INCOMPLETE_REQUEST")?;
        if value.chars().count() > max || !value.chars().all(allowed) {
            return Err("UNEXPECTED_ERROR");
        }
        found.push((lang, value.to_owned()));
    }
    let all = ["EN", "FR", "NL", "DE"];
    if all.iter().all(|lang| found.iter().any(|(found, _)| found == lang)) {
        Ok(found)
    } else {
        Err("INCOMPLETE_REQUEST")
    }
}

const fn is_latin1(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{A0}'..='\u{FF}')
}

/// ISO 8859-15.
const fn is_latin9(c: char) -> bool {
    match c {
        '¤' | '¦' | '¨' | '´' | '¸' | '¼' | '½' | '¾' => false,
        '€' | 'Š' | 'š' | 'Ž' | 'ž' | 'Œ' | 'œ' | 'Ÿ' => true,
        _ => is_latin1(c),
    }
}

/// Opens a session and yields its id and page; where nobody has to click, it
/// is answered at once.
fn open_session(
    world: &World,
    purpose: Purpose,
    request: &Value,
    lang: &str,
    user: Option<User>,
) -> (String, String) {
    let page_name = match purpose {
        Purpose::Identification => "identify",
        Purpose::Signature(_) => "sign",
    };
    let redirect = text(request, "redirectUrl").unwrap_or_default().to_owned();
    let (id, page, icon) = (random(18), random(9), random(1));
    let icon = usize::from(icon.bytes().next().unwrap_or_default());
    let url = format!("{}/qes/{page_name}?language={lang}&q={page}", world.front_url);
    let mut changing = world.changing();
    let now = changing.now();
    changing.sessions.open(id.clone(), page, purpose, redirect, lang.to_owned(), user, icon, now);
    let who = changing.auto_user.map(|auto| user.unwrap_or(auto));
    if let Some(who) = who {
        changing.sessions.answer(&id, who, true, now);
    }
    (id, url)
}

/// Lower-case hexadecimal digits, two for each octet.
fn random(octets: usize) -> String {
    let mut buffer = vec![0; octets];
    // Without randomness ids repeat, which the tests of an integration notice.
    let _ = getrandom::fill(&mut buffer);
    buffer.iter().map(|octet| format!("{octet:02x}")).collect()
}

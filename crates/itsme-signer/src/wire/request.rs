//! Requests as JSON and answers read from it: pure functions. Answers are read
//! tolerantly (aliases, nulls, unknown fields); what matters is checked.

use ades_core::signer::{Language, SignatureValue};
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::codes::Code;
use crate::config::Config;
use crate::error::Error;
use crate::session::{IdentificationId, Item, SignatureId};

const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
const PENDING: &str =
    "urn:oasis:names:tc:dss:1.0:profiles:asynchronousprocessing:resultmajor:Pending";
const SUCCESS: &str = "urn:oasis:names:tc:dss:1.0:resultmajor:Success";
const REQUESTER_ERROR: &str = "urn:oasis:names:tc:dss:1.0:resultmajor:RequesterError";
const RESPONDER_ERROR: &str = "urn:oasis:names:tc:dss:1.0:resultmajor:ResponderError";

/// `POST /user_identification`
#[allow(clippy::indexing_slicing, reason = "a JSON object's missing key is inserted")]
pub(crate) fn identification_request(
    config: &Config,
    language: Language,
    user_code: Option<&str>,
) -> Value {
    let mut request = json!({
        "partnerCode": config.settings().partner_code,
        "serviceCode": config.settings().service_code,
        "lang": language.code(),
        "redirectUrl": config.settings().redirect_url,
    });
    if let Some(code) = user_code {
        request["userCode"] = json!(code);
    }
    request
}

/// `POST /user_identification/status`
pub(crate) fn identification_status_request(config: &Config, id: &IdentificationId) -> Value {
    json!({
        "partnerCode": config.settings().partner_code,
        "serviceCode": config.settings().service_code,
        "asyncRespID": id.as_str(),
    })
}

/// What is shown beside a batch.
pub(crate) struct Shown {
    pub(crate) language: Option<Language>,
    pub(crate) description: Vec<(Language, String)>,
    pub(crate) policy: Option<String>,
    pub(crate) commitment: Option<String>,
    pub(crate) role: Vec<(Language, String)>,
}

/// `POST /sign_document` that opens a session.
#[allow(clippy::indexing_slicing, reason = "a JSON object's missing key is inserted")]
pub(crate) fn sign_request(
    config: &Config,
    request_id: &str,
    user_code: &str,
    items: &[Item],
    shown: &Shown,
) -> Value {
    let hashes: Vec<Value> = items
        .iter()
        .map(|item| {
            let value = Base64::encode_string(item.digest.0.value());
            json!({ "id": item.id, "di": [{ "alg": SHA256, "value": value }] })
        })
        .collect();
    let texts = |texts: &[(Language, String)]| -> Vec<Value> {
        texts.iter().map(|(l, text)| json!({ "lang": l.code(), "value": text })).collect()
    };
    let mut itsme = json!({
        "signer": { "userCode": user_code },
        "partnerCode": config.settings().partner_code,
        "serviceCode": config.settings().service_code,
        "redirectUrl": config.settings().redirect_url,
    });
    if !shown.description.is_empty() {
        itsme["description"] = json!(texts(&shown.description));
    }
    if let Some(policy) = &shown.policy {
        let mut sign_policy = json!({ "signPolicyRef": policy });
        if let Some(commitment) = &shown.commitment {
            sign_policy["commitmentTypeRef"] = json!(commitment);
        }
        if !shown.role.is_empty() {
            sign_policy["signerRole"] = json!(texts(&shown.role));
        }
        itsme["signPolicy"] = sign_policy;
    }
    let mut options = json!({ "itsme": itsme });
    if let Some(language) = shown.language {
        options["lang"] = json!(language.code());
    }
    json!({
        "inDocs": { "docHash": hashes },
        "reqID": request_id,
        "asyncRespID": null,
        "optInp": options,
    })
}

/// `POST /sign_document` that asks for a result. It cannot be written without
/// the id of a signature session.
pub(crate) fn sign_status_request(config: &Config, request_id: &str, id: &SignatureId) -> Value {
    json!({
        "inDocs": null,
        "reqID": request_id,
        "asyncRespID": id.as_str(),
        "optInp": { "itsme": {
            "partnerCode": config.settings().partner_code,
            "serviceCode": config.settings().service_code,
        } },
    })
}

/// What an answer means.
#[derive(Debug)]
pub(crate) enum Answer<T> {
    /// What was asked for
    Done(T),
    /// Ask again
    Pending,
    /// A code
    Code(Code),
    /// The service does not know the session
    NoSession,
    /// The service failed
    Failed(u16),
    /// Our client certificate or address is not accepted
    NotAuthorised,
}

#[derive(Deserialize)]
struct IdentificationAnswer {
    status: Option<String>,
    #[serde(rename = "statusReason")]
    reason: Option<String>,
    #[serde(rename = "asyncRespID", alias = "asyncRespId")]
    id: Option<String>,
    #[serde(rename = "identificationUrl")]
    url: Option<String>,
    #[serde(rename = "userCode")]
    user_code: Option<String>,
    certificate: Option<String>,
    #[serde(rename = "fullCertificateChain")]
    chain: Option<String>,
}

/// The session that `POST /user_identification` opened, and its page.
pub(crate) fn identification_answer(
    status: u16,
    body: &[u8],
) -> Result<Answer<(IdentificationId, String)>, Error> {
    let Some(answer) = identification_body(status, body)? else { return Ok(short(status, body)) };
    if let Some(code) = refused(&answer) {
        return Ok(Answer::Code(code));
    }
    let id = answer.id.as_deref().and_then(IdentificationId::new);
    match (id, answer.url) {
        (Some(id), Some(url)) => Ok(Answer::Done((id, url))),
        _ => Err(protocol("an identification without asyncRespID or identificationUrl")),
    }
}

/// The identified user.
pub(crate) struct Identified {
    pub(crate) user_code: String,
    pub(crate) certificate: String,
    pub(crate) chain: Option<String>,
}

/// The result of `POST /user_identification/status`.
pub(crate) fn identification_status_answer(
    status: u16,
    body: &[u8],
) -> Result<Answer<Identified>, Error> {
    let Some(answer) = identification_body(status, body)? else { return Ok(short(status, body)) };
    if let Some(code) = refused(&answer) {
        return Ok(if code == Code::Pending { Answer::Pending } else { Answer::Code(code) });
    }
    match (answer.user_code, answer.certificate) {
        (Some(user_code), Some(certificate)) => {
            check_user_code(&user_code)?;
            Ok(Answer::Done(Identified { user_code, certificate, chain: answer.chain }))
        }
        _ => Err(protocol("an identified user without userCode or certificate")),
    }
}

pub(crate) fn check_user_code(code: &str) -> Result<(), Error> {
    let fits =
        code.chars().count() == 36 && !code.chars().any(|c| c.is_whitespace() || c.is_control());
    if fits { Ok(()) } else { Err(Error::InvalidUserCode) }
}

fn identification_body(status: u16, body: &[u8]) -> Result<Option<IdentificationAnswer>, Error> {
    if !matches!(status, 200 | 400 | 409 | 500) || is_blank(body) {
        return Ok(None);
    }
    match serde_json::from_slice(body) {
        Ok(answer) => Ok(Some(answer)),
        Err(_) if status == 500 => Ok(None),
        Err(_) => Err(protocol("an answer that is no JSON object of the documented kind")),
    }
}

/// The code of an answer that is not OK. Anything but `status: OK` is not.
fn refused(answer: &IdentificationAnswer) -> Option<Code> {
    match (answer.status.as_deref(), &answer.reason) {
        (Some("OK"), _) => None,
        (_, Some(reason)) => Some(Code::new(reason)),
        (Some(status), None) => Some(Code::new(status)),
        (None, None) => Some(Code::Unknown),
    }
}

#[derive(Deserialize)]
struct SignAnswer {
    result: Option<SignResult>,
    #[serde(rename = "respID", alias = "respId", alias = "asyncRespID")]
    id: Option<String>,
    #[serde(rename = "optOutp")]
    options: Option<SignOptions>,
    #[serde(rename = "sigObj")]
    values: Option<Vec<SignObject>>,
}

#[derive(Deserialize)]
struct SignResult {
    maj: Option<String>,
    min: Option<String>,
    /// A text, an object or nothing: never needed.
    #[serde(rename = "msg")]
    _message: Option<Value>,
}

#[derive(Deserialize)]
struct SignOptions {
    itsme: Option<SignOptionsItsme>,
}

#[derive(Deserialize)]
struct SignOptionsItsme {
    #[serde(rename = "signingUrl")]
    url: Option<String>,
}

#[derive(Deserialize)]
struct SignObject {
    #[serde(rename = "b64Sig")]
    signature: Option<SignValue>,
    #[serde(rename = "whichDoc", alias = "whichdoc")]
    document: Option<String>,
}

#[derive(Deserialize)]
struct SignValue {
    value: Option<String>,
}

/// The session that `POST /sign_document` opened, and its page.
pub(crate) fn sign_answer(
    status: u16,
    body: &[u8],
) -> Result<Answer<(SignatureId, String)>, Error> {
    let Some(answer) = sign_body(status, body)? else { return Ok(short(status, body)) };
    if let Some(code) = failure(&answer)? {
        return Ok(Answer::Code(code));
    }
    let id = answer.id.as_deref().and_then(SignatureId::new);
    let url = answer.options.and_then(|o| o.itsme).and_then(|i| i.url);
    match (id, url) {
        (Some(id), Some(url)) => Ok(Answer::Done((id, url))),
        _ => Err(protocol("a signature session without respID or signingUrl")),
    }
}

/// The values of a finished session, by id.
pub(crate) fn sign_status_answer(
    status: u16,
    body: &[u8],
    url_safe: bool,
) -> Result<Answer<Vec<SignatureValue>>, Error> {
    let Some(answer) = sign_body(status, body)? else { return Ok(short(status, body)) };
    if let Some(code) = failure(&answer)? {
        return Ok(Answer::Code(code));
    }
    if answer.result.as_ref().and_then(|r| r.maj.as_deref()) == Some(PENDING) {
        return Ok(Answer::Pending);
    }
    let values = answer.values.ok_or(protocol("success without sigObj"))?;
    values
        .into_iter()
        .map(|object| {
            let id = object.document.ok_or(protocol("a value without whichDoc"))?;
            let text = object.signature.and_then(|s| s.value).ok_or(protocol("no b64Sig"))?;
            let value = decode_value(&text, url_safe);
            Ok(SignatureValue { id, value: value.ok_or(protocol("a value that is no base64"))? })
        })
        .collect::<Result<_, _>>()
        .map(Answer::Done)
}

fn sign_body(status: u16, body: &[u8]) -> Result<Option<SignAnswer>, Error> {
    if !matches!(status, 200 | 400 | 409 | 500) || is_blank(body) {
        return Ok(None);
    }
    match serde_json::from_slice(body) {
        Ok(answer) => Ok(Some(answer)),
        Err(_) if status == 500 => Ok(None),
        Err(_) => Err(protocol("an answer that is no JSON object of the documented kind")),
    }
}

/// The code of a failed answer; a major result nobody knows is never success.
fn failure(answer: &SignAnswer) -> Result<Option<Code>, Error> {
    let result = answer.result.as_ref().ok_or(protocol("an answer without result"))?;
    match result.maj.as_deref() {
        Some(PENDING | SUCCESS) => Ok(None),
        Some(REQUESTER_ERROR | RESPONDER_ERROR) => {
            Ok(Some(result.min.as_deref().map_or(Code::Unknown, Code::new)))
        }
        _ => Err(protocol("an unknown result.maj")),
    }
}

/// Base64 with or without padding and white space; the URL-safe alphabet only
/// where it is tolerated. The length is checked by whoever verifies the value.
fn decode_value(text: &str, url_safe: bool) -> Option<Vec<u8>> {
    let mut plain: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    plain.truncate(plain.trim_end_matches('=').len());
    if plain.contains(['-', '_']) && !url_safe {
        return None;
    }
    Base64UrlUnpadded::decode_vec(&plain.replace('+', "-").replace('/', "_")).ok()
}

/// An answer without a body we could read.
fn short<T>(status: u16, body: &[u8]) -> Answer<T> {
    match status {
        401 | 403 => Answer::NotAuthorised,
        409 if is_blank(body) => Answer::NoSession,
        status => Answer::Failed(status),
    }
}

fn is_blank(body: &[u8]) -> bool {
    body.iter().all(u8::is_ascii_whitespace)
}

const fn protocol(what: &'static str) -> Error {
    Error::Protocol { what }
}

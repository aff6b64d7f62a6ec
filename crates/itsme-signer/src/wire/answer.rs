//! Answers read from JSON, tolerantly: spellings, nulls, unknown and missing
//! keys. What matters is checked.

use ades_core::signer::SignatureValue;
use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::Value;

use super::check_user_code;
use crate::codes::{Code, Reason};
use crate::discovery::Discovery;
use crate::instead::Instead;
use crate::session::{IdentificationId, SignatureId};

const PENDING: &str =
    "urn:oasis:names:tc:dss:1.0:profiles:asynchronousprocessing:resultmajor:Pending";
const SUCCESS: &str = "urn:oasis:names:tc:dss:1.0:resultmajor:Success";
const REQUESTER_ERROR: &str = "urn:oasis:names:tc:dss:1.0:resultmajor:RequesterError";
const RESPONDER_ERROR: &str = "urn:oasis:names:tc:dss:1.0:resultmajor:ResponderError";

// The documents spell some keys in more than one way.
const IDENTIFICATION_ID: &[&str] = &["asyncRespID", "asyncRespId"];
const SIGNATURE_ID: &[&str] = &["respID", "respId", "asyncRespID", "asyncRespId"];
const REQUEST_ID: &[&str] = &["reqID", "reqId"];
const DOCUMENT_ID: &[&str] = &["whichDoc", "whichdoc"];

/// The discovery document of `GET /.well-known/configuration`.
pub(crate) fn discovery_answer(status: u16, body: &[u8]) -> Result<Discovery, Instead> {
    match status {
        200 => Discovery::from_json(body)
            .map_err(|_| Instead::Unreadable("a malformed discovery document")),
        401 | 403 => Err(Instead::NotAuthorised),
        status => Err(Instead::Failed(status)),
    }
}

/// The session that `POST /user_identification` opened, and its page.
pub(crate) fn identification_answer(
    status: u16,
    body: &[u8],
) -> Result<(IdentificationId, String), Instead> {
    let answer = object(status, body)?;
    check_status(status, &answer)?;
    let id = text(&answer, IDENTIFICATION_ID)?.as_deref().and_then(IdentificationId::new);
    match (id, text(&answer, &["identificationUrl"])?) {
        (Some(id), Some(url)) => Ok((id, url)),
        _ => Err(Instead::Unreadable("an identification without asyncRespID or identificationUrl")),
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
    id: &IdentificationId,
) -> Result<Identified, Instead> {
    let answer = object(status, body)?;
    check_echo(&answer, IDENTIFICATION_ID, id.as_str())?;
    check_status(status, &answer)?;
    let user_code = text(&answer, &["userCode"])?.filter(|code| check_user_code(code).is_ok());
    match (user_code, text(&answer, &["certificate"])?) {
        (Some(user_code), Some(certificate)) => {
            let chain = text(&answer, &["fullCertificateChain"])?;
            Ok(Identified { user_code, certificate, chain })
        }
        _ => Err(Instead::Unreadable("an identified user without userCode or certificate")),
    }
}

/// The session that `POST /sign_document` opened, and its page.
pub(crate) fn sign_answer(
    status: u16,
    body: &[u8],
    request_id: &str,
) -> Result<(SignatureId, String), Instead> {
    let answer = object(status, body)?;
    check_echo(&answer, REQUEST_ID, request_id)?;
    check_result(status, &answer)?;
    let id = text(&answer, SIGNATURE_ID)?.as_deref().and_then(SignatureId::new);
    let page = answer.pointer("/optOutp/itsme").unwrap_or(&Value::Null);
    match (id, text(page, &["signingUrl"])?) {
        (Some(id), Some(url)) => Ok((id, url)),
        _ => Err(Instead::Unreadable("a signature session without respID or signingUrl")),
    }
}

/// The values of a finished session, by id.
pub(crate) fn sign_status_answer(
    status: u16,
    body: &[u8],
    request_id: &str,
    id: &SignatureId,
    url_safe: bool,
) -> Result<Vec<SignatureValue>, Instead> {
    let answer = object(status, body)?;
    check_echo(&answer, REQUEST_ID, request_id)?;
    check_echo(&answer, SIGNATURE_ID, id.as_str())?;
    if check_result(status, &answer)? == PENDING {
        return Err(Instead::Pending);
    }
    let values = answer.get("sigObj").and_then(Value::as_array);
    let values = values.ok_or(Instead::Unreadable("success without sigObj"))?;
    values.iter().map(|value| signature_value(value, url_safe)).collect()
}

fn signature_value(object: &Value, url_safe: bool) -> Result<SignatureValue, Instead> {
    let id = text(object, DOCUMENT_ID)?.ok_or(Instead::Unreadable("a value without whichDoc"))?;
    let value = text(object.get("b64Sig").unwrap_or(&Value::Null), &["value"])?
        .ok_or(Instead::Unreadable("a document without b64Sig"))?;
    let value = decode_value(&value, url_safe);
    Ok(SignatureValue::new(id, value.ok_or(Instead::Unreadable("a value not in base64"))?))
}

/// The JSON object that is the answer, if there is one.
fn object(status: u16, body: &[u8]) -> Result<Value, Instead> {
    let blank = body.iter().all(u8::is_ascii_whitespace);
    match status {
        401 | 403 => return Err(Instead::NotAuthorised),
        409 if blank => return Err(Instead::NoSession),
        200 | 400 | 409 | 500 => {}
        status => return Err(Instead::Failed(status)),
    }
    match serde_json::from_slice(body) {
        Ok(object @ Value::Object(_)) => Ok(object),
        _ if status == 200 || status == 409 => Err(Instead::Unreadable("no JSON object")),
        _ => Err(Instead::Failed(status)),
    }
}

/// The text under a key that is spelled in one of these ways. `null` and the
/// empty text are none; two spellings may stand together if they agree.
fn text(object: &Value, spellings: &[&str]) -> Result<Option<String>, Instead> {
    let mut found: Option<&str> = None;
    for value in spellings.iter().filter_map(|key| object.get(key)) {
        match (value, found) {
            (Value::Null, _) => {}
            (Value::String(text), _) if text.is_empty() => {}
            (Value::String(text), None) => found = Some(text),
            (Value::String(text), Some(other)) if text == other => {}
            (Value::String(_), Some(_)) => {
                return Err(Instead::Unreadable("two spellings of a key, with different values"));
            }
            _ => return Err(Instead::Unreadable("something else where a text should be")),
        }
    }
    Ok(found.map(ToOwned::to_owned))
}

/// What an answer repeats of our request has to be ours.
fn check_echo(answer: &Value, spellings: &[&str], ours: &str) -> Result<(), Instead> {
    match text(answer, spellings)? {
        Some(theirs) if theirs != ours => Err(Instead::Unreadable("the answer to something else")),
        _ => Ok(()),
    }
}

/// Checks the answer to an identification: anything but `status: OK` is no.
fn check_status(status: u16, answer: &Value) -> Result<(), Instead> {
    let major = text(answer, &["status"])?;
    let minor = text(answer, &["statusReason"])?;
    match (major.as_deref(), minor.as_deref()) {
        (Some("OK"), _) => Ok(()),
        (None, None) => Err(Instead::Unreadable("an answer without status")),
        (Some("NOK") | None, minor) => Err(no(status, Reason::new(major.as_deref(), minor, None))),
        (Some(code), minor) => Err(no(status, Reason::new(Some(code), minor.or(Some(code)), None))),
    }
}

/// Checks the answer to a signature: pending or success, or else no. A major
/// result nobody knows is never success. Some failures come in the form of an
/// identification's.
fn check_result(status: u16, answer: &Value) -> Result<&'static str, Instead> {
    let Some(result) = answer.get("result").filter(|result| result.is_object()) else {
        check_status(status, answer)?;
        return Err(Instead::Unreadable("an answer without result"));
    };
    let major = text(result, &["maj"])?;
    let minor = text(result, &["min"])?;
    match major.as_deref() {
        Some(PENDING) => return Ok(PENDING),
        Some(SUCCESS) => return Ok(SUCCESS),
        _ => {}
    }
    let reason = Reason::new(major.as_deref(), minor.as_deref(), message(result.get("msg")));
    let error = matches!(major.as_deref(), Some(REQUESTER_ERROR | RESPONDER_ERROR));
    if error || reason.refusal().is_some() {
        Err(no(status, reason))
    } else {
        Err(Instead::Unreadable("an unknown result.maj"))
    }
}

fn no(status: u16, reason: Reason) -> Instead {
    match reason.code {
        Some(Code::Pending) => Instead::Pending,
        _ => Instead::No { status, reason },
    }
}

/// A message is a text, or an object with one, or a list of such objects.
fn message(message: Option<&Value>) -> Option<&str> {
    match message? {
        Value::String(text) => Some(text),
        Value::Array(all) => message_of(all.first()?),
        object => message_of(object),
    }
}

fn message_of(object: &Value) -> Option<&str> {
    object.get("value").and_then(Value::as_str)
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

//! Reads answers. The reader accepts the variants in the documents of the
//! service: other spellings of keys, nulls, unknown and missing keys. It rejects
//! an answer that contradicts itself or lacks a value that this crate needs.

use ades_core::signer::SignatureValue;
use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::Value;

use super::check_user_code;
use crate::codes::{Code, Reason};
use crate::discovery::Discovery;
use crate::other_answer::OtherAnswer;
use crate::session::{IdentificationId, SignatureId};

const PENDING: &str =
    "urn:oasis:names:tc:dss:1.0:profiles:asynchronousprocessing:resultmajor:Pending";
const SUCCESS: &str = "urn:oasis:names:tc:dss:1.0:resultmajor:Success";
const REQUESTER_ERROR: &str = "urn:oasis:names:tc:dss:1.0:resultmajor:RequesterError";
const RESPONDER_ERROR: &str = "urn:oasis:names:tc:dss:1.0:resultmajor:ResponderError";

// The documents spell these keys in more than one way.
const IDENTIFICATION_ID: &[&str] = &["asyncRespID", "asyncRespId"];
const SIGNATURE_ID: &[&str] = &["respID", "respId", "asyncRespID", "asyncRespId"];
const REQUEST_ID: &[&str] = &["reqID", "reqId"];
const DOCUMENT_ID: &[&str] = &["whichDoc", "whichdoc"];

/// Reads the answer to `GET /.well-known/configuration`.
pub(crate) fn discovery_answer(status: u16, body: &[u8]) -> Result<Discovery, OtherAnswer> {
    match status {
        200 => Discovery::from_json(body)
            .map_err(|_| OtherAnswer::Malformed("the discovery document is malformed")),
        401 | 403 => Err(OtherAnswer::NotAuthorised),
        status => Err(OtherAnswer::Failed(status)),
    }
}

/// Reads the answer to `POST /user_identification`: the session's id and the
/// URL of its page.
pub(crate) fn identification_answer(
    status: u16,
    body: &[u8],
) -> Result<(IdentificationId, String), OtherAnswer> {
    let answer = object(status, body)?;
    check_status(status, &answer)?;
    let id = text(&answer, IDENTIFICATION_ID)?.as_deref().and_then(IdentificationId::new);
    match (id, text(&answer, &["identificationUrl"])?) {
        (Some(id), Some(url)) => Ok((id, url)),
        _ => Err(OtherAnswer::Malformed("asyncRespID or identificationUrl is missing")),
    }
}

/// The identified user.
pub(crate) struct Identified {
    pub(crate) user_code: String,
    pub(crate) certificate: String,
    pub(crate) chain: Option<String>,
}

/// Reads the answer to `POST /user_identification/status`.
pub(crate) fn identification_status_answer(
    status: u16,
    body: &[u8],
    id: &IdentificationId,
) -> Result<Identified, OtherAnswer> {
    let answer = object(status, body)?;
    check_echo(&answer, IDENTIFICATION_ID, id.as_str())?;
    check_status(status, &answer)?;
    let user_code = text(&answer, &["userCode"])?.filter(|code| check_user_code(code).is_ok());
    match (user_code, text(&answer, &["certificate"])?) {
        (Some(user_code), Some(certificate)) => {
            let chain = text(&answer, &["fullCertificateChain"])?;
            Ok(Identified { user_code, certificate, chain })
        }
        _ => Err(OtherAnswer::Malformed("userCode or certificate is missing or malformed")),
    }
}

/// Reads the answer to a `POST /sign_document` that opens a session: its id and
/// the URL of its page.
pub(crate) fn sign_answer(
    status: u16,
    body: &[u8],
    request_id: &str,
) -> Result<(SignatureId, String), OtherAnswer> {
    let answer = object(status, body)?;
    check_echo(&answer, REQUEST_ID, request_id)?;
    check_result(status, &answer)?;
    let id = text(&answer, SIGNATURE_ID)?.as_deref().and_then(SignatureId::new);
    let page = answer.pointer("/optOutp/itsme").unwrap_or(&Value::Null);
    match (id, text(page, &["signingUrl"])?) {
        (Some(id), Some(url)) => Ok((id, url)),
        _ => Err(OtherAnswer::Malformed("respID or signingUrl is missing")),
    }
}

/// Reads the answer to a `POST /sign_document` that asks for a result: the
/// values with their ids.
pub(crate) fn sign_status_answer(
    status: u16,
    body: &[u8],
    request_id: &str,
    id: &SignatureId,
    url_safe: bool,
) -> Result<Vec<SignatureValue>, OtherAnswer> {
    let answer = object(status, body)?;
    check_echo(&answer, REQUEST_ID, request_id)?;
    check_echo(&answer, SIGNATURE_ID, id.as_str())?;
    if check_result(status, &answer)? == PENDING {
        return Err(OtherAnswer::Pending);
    }
    let values = answer.get("sigObj").and_then(Value::as_array);
    let values =
        values.ok_or(OtherAnswer::Malformed("the result is Success, but sigObj is missing"))?;
    values.iter().map(|value| signature_value(value, url_safe)).collect()
}

fn signature_value(object: &Value, url_safe: bool) -> Result<SignatureValue, OtherAnswer> {
    let id = text(object, DOCUMENT_ID)?
        .ok_or(OtherAnswer::Malformed("an element of sigObj has no whichDoc"))?;
    let value = text(object.get("b64Sig").unwrap_or(&Value::Null), &["value"])?
        .ok_or(OtherAnswer::Malformed("an element of sigObj has no b64Sig.value"))?;
    let value = decode_value(&value, url_safe);
    Ok(SignatureValue::new(id, value.ok_or(OtherAnswer::Malformed("b64Sig.value is not base64"))?))
}

/// Reads the JSON object of an answer with a status that may have one.
fn object(status: u16, body: &[u8]) -> Result<Value, OtherAnswer> {
    let blank = body.iter().all(u8::is_ascii_whitespace);
    match status {
        401 | 403 => return Err(OtherAnswer::NotAuthorised),
        409 if blank => return Err(OtherAnswer::UnknownSession),
        200 | 400 | 409 | 500 => {}
        status => return Err(OtherAnswer::Failed(status)),
    }
    match serde_json::from_slice(body) {
        Ok(object @ Value::Object(_)) => Ok(object),
        _ if status == 200 || status == 409 => {
            Err(OtherAnswer::Malformed("the body is not a JSON object"))
        }
        _ => Err(OtherAnswer::Failed(status)),
    }
}

/// The text under a key with one of these spellings. `null` and the empty text
/// count as absent. Two spellings may occur together if their values are equal.
fn text(object: &Value, spellings: &[&str]) -> Result<Option<String>, OtherAnswer> {
    let mut found: Option<&str> = None;
    for value in spellings.iter().filter_map(|key| object.get(key)) {
        match (value, found) {
            (Value::Null, _) => {}
            (Value::String(text), _) if text.is_empty() => {}
            (Value::String(text), None) => found = Some(text),
            (Value::String(text), Some(other)) if text == other => {}
            (Value::String(_), Some(_)) => {
                return Err(OtherAnswer::Malformed(
                    "two spellings of one key have different values",
                ));
            }
            _ => return Err(OtherAnswer::Malformed("a value is not a string")),
        }
    }
    Ok(found.map(ToOwned::to_owned))
}

/// Checks that an id which the answer repeats is the one of our request.
fn check_echo(answer: &Value, spellings: &[&str], ours: &str) -> Result<(), OtherAnswer> {
    match text(answer, spellings)? {
        Some(theirs) if theirs != ours => {
            Err(OtherAnswer::Malformed("the answer belongs to another request or session"))
        }
        _ => Ok(()),
    }
}

/// Checks the status of an identification's answer. Every status but `OK`
/// denies the request.
fn check_status(status: u16, answer: &Value) -> Result<(), OtherAnswer> {
    let major = text(answer, &["status"])?;
    let minor = text(answer, &["statusReason"])?;
    match (major.as_deref(), minor.as_deref()) {
        (Some("OK"), _) => Ok(()),
        (None, None) => Err(OtherAnswer::Malformed("status is missing")),
        (Some("NOK") | None, minor) => Err(no(status, Reason::new(major.as_deref(), minor, None))),
        (Some(code), minor) => Err(no(status, Reason::new(Some(code), minor.or(Some(code)), None))),
    }
}

/// Checks the result of a signature's answer and returns its `maj`: pending or
/// success. An unknown `maj` is never success. Some failures have the form of
/// an identification's answer, so an answer without `result` is checked as one.
fn check_result(status: u16, answer: &Value) -> Result<&'static str, OtherAnswer> {
    let Some(result) = answer.get("result").filter(|result| result.is_object()) else {
        check_status(status, answer)?;
        return Err(OtherAnswer::Malformed("result is missing"));
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
        Err(OtherAnswer::Malformed("result.maj is unknown"))
    }
}

fn no(status: u16, reason: Reason) -> OtherAnswer {
    match reason.code {
        Some(Code::Pending) => OtherAnswer::Pending,
        _ => OtherAnswer::Denied { status, reason },
    }
}

/// The text of a message: a string, an object with a `value`, or a list of such
/// objects.
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

/// Decodes base64 with or without padding and white space. The URL-safe alphabet
/// is accepted only if `url_safe`. Verifying the value checks its length.
fn decode_value(text: &str, url_safe: bool) -> Option<Vec<u8>> {
    let mut plain: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    plain.truncate(plain.trim_end_matches('=').len());
    if plain.contains(['-', '_']) && !url_safe {
        return None;
    }
    Base64UrlUnpadded::decode_vec(&plain.replace('+', "-").replace('/', "_")).ok()
}

//! Reads answers. The reader accepts the variants in the documents of the
//! service: other spellings of keys, nulls, unknown and missing keys. It rejects
//! an answer that contradicts itself or lacks a value that this crate needs.

use ades_core::signer::SignatureValue;
use ades_core::{Digest, DigestAlgorithm};
use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};

use super::check_user_code;
use crate::codes::{Code, Reason};
use crate::discovery::Discovery;
use crate::http_answer::Answer;
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
pub(crate) fn discovery_answer(answer: &Answer) -> Result<Discovery, OtherAnswer> {
    match answer.status {
        200 if !answer.is_web_page => Discovery::from_json(&answer.body)
            .map_err(|_| OtherAnswer::Malformed("the discovery document is malformed")),
        401 | 403 => Err(OtherAnswer::NotAuthorised),
        _ => Err(OtherAnswer::undocumented(answer)),
    }
}

/// Reads the answer to `POST /user_identification`: the session's id and the
/// URL of its page.
pub(crate) fn identification_answer(
    answer: &Answer,
) -> Result<(IdentificationId, String), OtherAnswer> {
    let status = answer.status;
    let answer = object(answer)?;
    check_status(status, &answer)?;
    let id = text(&answer, IDENTIFICATION_ID)?.as_deref().and_then(IdentificationId::new);
    match (id, text(&answer, &["identificationUrl"])?) {
        (Some(id), Some(url)) => Ok((id, url)),
        _ => Err(OtherAnswer::Malformed("asyncRespID or identificationUrl is missing")),
    }
}

/// The content of an answer to a finished session. The content may be damaged,
/// so that the next answer differs.
pub(crate) struct Finished<T> {
    /// Distinguishes this content from another
    pub(crate) digest: String,
    /// The content, or how it breaks the protocol
    pub(crate) content: Result<T, &'static str>,
}

/// The identified user.
pub(crate) struct Identified {
    pub(crate) user_code: String,
    pub(crate) certificate: String,
    pub(crate) chain: Option<String>,
}

/// Reads the answer to `POST /user_identification/status`.
pub(crate) fn identification_status_answer(
    answer: &Answer,
    id: &IdentificationId,
) -> Result<Finished<Identified>, OtherAnswer> {
    let status = answer.status;
    let answer = object(answer)?;
    check_echo(&answer, IDENTIFICATION_ID, id.as_str())?;
    check_status(status, &answer)?;
    let keys = ["userCode", "certificate", "fullCertificateChain"];
    let digest = digest(&json!(keys.map(|key| answer.get(key))));
    Ok(Finished { digest, content: identified(&answer) })
}

fn identified(answer: &Value) -> Result<Identified, &'static str> {
    let user_code = text(answer, &["userCode"])?.filter(|code| check_user_code(code).is_ok());
    let user_code = user_code.ok_or("userCode is missing or malformed")?;
    let certificate = text(answer, &["certificate"])?.ok_or("certificate is missing")?;
    let chain = text(answer, &["fullCertificateChain"])?;
    Ok(Identified { user_code, certificate, chain })
}

fn digest(content: &Value) -> String {
    Digest::of(DigestAlgorithm::Sha256, content.to_string().as_bytes()).to_hex()
}

/// Reads the answer to a `POST /sign_document` that opens a session: its id and
/// the URL of its page.
pub(crate) fn sign_answer(
    answer: &Answer,
    request_id: &str,
) -> Result<(SignatureId, String), OtherAnswer> {
    let status = answer.status;
    let answer = object(answer)?;
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
    answer: &Answer,
    request_id: &str,
    id: &SignatureId,
    url_safe: bool,
) -> Result<Finished<Vec<SignatureValue>>, OtherAnswer> {
    let status = answer.status;
    let answer = object(answer)?;
    check_echo(&answer, REQUEST_ID, request_id)?;
    check_echo(&answer, SIGNATURE_ID, id.as_str())?;
    if check_result(status, &answer)? == PENDING {
        return Err(OtherAnswer::Pending);
    }
    let objects = answer.get("sigObj").unwrap_or(&Value::Null);
    Ok(Finished { digest: digest(objects), content: signature_values(objects, url_safe) })
}

fn signature_values(objects: &Value, url_safe: bool) -> Result<Vec<SignatureValue>, &'static str> {
    let objects = objects.as_array().ok_or("the result is Success, but sigObj is missing")?;
    objects.iter().map(|object| signature_value(object, url_safe)).collect()
}

fn signature_value(object: &Value, url_safe: bool) -> Result<SignatureValue, &'static str> {
    let id = text(object, DOCUMENT_ID)?.ok_or("an element of sigObj has no whichDoc")?;
    let value = text(object.get("b64Sig").unwrap_or(&Value::Null), &["value"])?
        .ok_or("an element of sigObj has no b64Sig.value")?;
    let value = decode_value(&value, url_safe)?;
    Ok(SignatureValue::new(id, value))
}

/// Reads the JSON object of an answer with a status that may have one.
fn object(answer: &Answer) -> Result<Value, OtherAnswer> {
    let blank = answer.body.iter().all(u8::is_ascii_whitespace);
    match answer.status {
        401 | 403 => return Err(OtherAnswer::NotAuthorised),
        409 if blank => return Err(OtherAnswer::UnknownSession),
        200 | 400 | 409 | 500 => {}
        _ => return Err(OtherAnswer::undocumented(answer)),
    }
    match serde_json::from_slice(&answer.body) {
        Ok(object @ Value::Object(_)) => Ok(object),
        _ if matches!(answer.status, 200 | 409) && !answer.is_web_page => {
            Err(OtherAnswer::Malformed("the body is not a JSON object"))
        }
        _ => Err(OtherAnswer::undocumented(answer)),
    }
}

/// The text under a key with one of these spellings. `null` and the empty text
/// count as absent. Two spellings may occur together if their values are equal.
fn text(object: &Value, spellings: &[&str]) -> Result<Option<String>, &'static str> {
    let mut found: Option<&str> = None;
    for value in spellings.iter().filter_map(|key| object.get(key)) {
        match (value, found) {
            (Value::Null, _) => {}
            (Value::String(text), _) if text.is_empty() => {}
            (Value::String(text), None) => found = Some(text),
            (Value::String(text), Some(other)) if text == other => {}
            (Value::String(_), Some(_)) => {
                return Err("two spellings of one key have different values");
            }
            _ => return Err("a value is not a string"),
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
fn decode_value(text: &str, url_safe: bool) -> Result<Vec<u8>, &'static str> {
    let mut plain: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    plain.truncate(plain.trim_end_matches('=').len());
    if plain.contains(['-', '_']) && !url_safe {
        return Err("b64Sig.value is in the URL-safe alphabet of base64, which \
                    tolerance.url_safe_values allows");
    }
    Base64UrlUnpadded::decode_vec(&plain.replace('+', "-").replace('/', "_"))
        .map_err(|_| "b64Sig.value is not base64")
}

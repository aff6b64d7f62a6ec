//! Writes requests as JSON.

use ades_core::signer::Language;
use base64ct::{Base64, Base64Url, Encoding};
use serde_json::{Value, json};

use crate::config::Config;
use crate::session::{IdentificationId, Item, SignatureId};

const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";

/// The body of `POST /user_identification`.
#[allow(clippy::indexing_slicing, reason = "indexing a JSON object inserts a missing key")]
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

/// The body of `POST /user_identification/status`.
pub(crate) fn identification_status_request(config: &Config, id: &IdentificationId) -> Value {
    json!({
        "partnerCode": config.settings().partner_code,
        "serviceCode": config.settings().service_code,
        "asyncRespID": id.as_str(),
    })
}

/// The data that itsme® shows to the user with a batch.
pub(crate) struct Shown {
    pub(crate) language: Language,
    pub(crate) description: Vec<(Language, String)>,
    pub(crate) policy: Option<String>,
    pub(crate) commitment: Option<String>,
    pub(crate) role: Vec<(Language, String)>,
}

/// The body of the `POST /sign_document` that opens a session.
#[allow(clippy::indexing_slicing, reason = "indexing a JSON object inserts a missing key")]
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
            let digest = item.digest.0.value();
            let value = match config.settings().request.url_safe_digests {
                true => Base64Url::encode_string(digest),
                false => Base64::encode_string(digest),
            };
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
    json!({
        "inDocs": { "docHash": hashes },
        "reqID": request_id,
        "asyncRespID": null,
        "optInp": { "lang": shown.language.code(), "itsme": itsme },
    })
}

/// The body of the `POST /sign_document` that asks for a result. Without an id
/// the service would open a new session, so the type requires one.
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

//! The requests and answers on the wire.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The prefix of the DSS result codes.
const DSS: &str = "urn:oasis:names:tc:dss:1.0";

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct IdentificationRequest {
    pub(crate) partner_code: Option<String>,
    pub(crate) service_code: Option<String>,
    pub(crate) lang: Option<String>,
    pub(crate) redirect_url: Option<String>,
    pub(crate) user_code: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct StatusRequest {
    pub(crate) partner_code: Option<String>,
    pub(crate) service_code: Option<String>,
    /// With a capital D, which the documentation calls the real name.
    #[serde(rename = "asyncRespID")]
    pub(crate) async_resp_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SignRequest {
    pub(crate) in_docs: Option<InDocs>,
    #[serde(rename = "reqID")]
    pub(crate) req_id: Option<String>,
    #[serde(rename = "asyncRespID")]
    pub(crate) async_resp_id: Option<String>,
    pub(crate) opt_inp: Option<OptInp>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct InDocs {
    pub(crate) doc_hash: Option<Vec<DocHash>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct DocHash {
    pub(crate) id: Option<String>,
    pub(crate) di: Option<Vec<DigestInfo>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct DigestInfo {
    pub(crate) alg: Option<String>,
    pub(crate) value: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OptInp {
    pub(crate) lang: Option<String>,
    pub(crate) itsme: Option<Itsme>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Itsme {
    pub(crate) signer: Option<Signer>,
    pub(crate) partner_code: Option<String>,
    pub(crate) service_code: Option<String>,
    pub(crate) redirect_url: Option<String>,
    pub(crate) description: Option<Vec<Label>>,
    pub(crate) sign_policy: Option<SignPolicy>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Signer {
    pub(crate) user_code: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SignPolicy {
    pub(crate) sign_policy_ref: Option<String>,
    pub(crate) commitment_type_ref: Option<String>,
    pub(crate) signer_role: Option<Vec<Label>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Label {
    pub(crate) lang: Option<String>,
    pub(crate) value: Option<String>,
}

/// The text, if it is present and not empty.
pub(crate) fn present(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

/// The error body of an identification.
pub(crate) fn nok(code: &str) -> Value {
    json!({ "status": "NOK", "statusReason": code })
}

/// The answer that opens an identification.
pub(crate) fn identification_opened(id: &str, url: &str) -> Value {
    json!({ "status": "OK", "asyncRespID": id, "identificationUrl": url })
}

/// The answer to a finished identification.
pub(crate) fn identified(user_code: &str, leaf: &str, chain: &str) -> Value {
    json!({
        "status": "OK",
        "userCode": user_code,
        "certificate": leaf,
        "fullCertificateChain": chain,
    })
}

/// A `DssSignResponse`.
#[derive(Debug, Serialize)]
pub(crate) struct SignResponse {
    result: DssResult,
    #[serde(rename = "reqID", skip_serializing_if = "Option::is_none")]
    req_id: Option<String>,
    #[serde(rename = "respID", skip_serializing_if = "Option::is_none")]
    resp_id: Option<String>,
    #[serde(rename = "optOutp", skip_serializing_if = "Option::is_none")]
    opt_outp: Option<Value>,
    #[serde(rename = "sigObj", skip_serializing_if = "Option::is_none")]
    sig_obj: Option<Vec<Value>>,
}

#[derive(Debug, Serialize)]
struct DssResult {
    maj: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<Value>,
}

impl SignResponse {
    fn new(maj: &str, req_id: Option<String>) -> Self {
        let result = DssResult { maj: format!("{DSS}:{maj}"), min: None, msg: None };
        Self { result, req_id, resp_id: None, opt_outp: None, sig_obj: None }
    }

    pub(crate) fn pending(req_id: Option<String>, resp_id: &str) -> Self {
        let maj = "profiles:asynchronousprocessing:resultmajor:Pending";
        Self { resp_id: Some(resp_id.to_owned()), ..Self::new(maj, req_id) }
    }

    pub(crate) fn opened(
        req_id: Option<String>,
        resp_id: &str,
        url: &str,
        user_code: &str,
    ) -> Self {
        let outputs = json!({ "itsme": { "signingUrl": url, "userCode": user_code } });
        Self { opt_outp: Some(outputs), ..Self::pending(req_id, resp_id) }
    }

    pub(crate) fn success(req_id: Option<String>, resp_id: &str, values: Vec<Value>) -> Self {
        let resp_id = Some(resp_id.to_owned());
        Self { resp_id, sig_obj: Some(values), ..Self::new("resultmajor:Success", req_id) }
    }

    /// An error of the requester, with its code and an explanation.
    pub(crate) fn requester_error(req_id: Option<String>, code: &str, about: &str) -> Self {
        Self::error("resultmajor:RequesterError", req_id, code, about)
    }

    /// An error of the service, with its code and an explanation.
    pub(crate) fn responder_error(req_id: Option<String>, code: &str, about: &str) -> Self {
        Self::error("resultmajor:ResponderError", req_id, code, about)
    }

    fn error(maj: &str, req_id: Option<String>, code: &str, about: &str) -> Self {
        let mut response = Self::new(maj, req_id);
        response.result.min = Some(code.to_owned());
        response.result.msg = Some(json!({ "lang": "EN", "value": format!("SANDBOX: {about}") }));
        response
    }

    pub(crate) fn into_value(self) -> Value {
        // This cannot fail: the fields are strings, lists and JSON values.
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// An element of `sigObj`.
pub(crate) fn signature_object(id: &str, value: &str) -> Value {
    json!({ "b64Sig": { "value": value }, "whichDoc": id })
}

/// An undocumented `result.maj`.
pub(crate) fn unknown_major() -> String {
    format!("{DSS}:resultmajor:Whatever")
}

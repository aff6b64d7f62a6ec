//! A partner's application and a browser for the tests.

use itsme_sandbox::{Config, Sandbox, User};
use reqwest::{Certificate, Client, Identity, StatusCode, redirect};
use serde_json::{Value, json};

/// An arbitrary SHA-256 digest.
pub(crate) const DIGEST: [u8; 32] = [0x5C; 32];
pub(crate) const DIGEST_BASE64: &str = "XFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFw=";
pub(crate) const SUCCESS: &str = "urn:oasis:names:tc:dss:1.0:resultmajor:Success";
pub(crate) const REQUESTER_ERROR: &str = "urn:oasis:names:tc:dss:1.0:resultmajor:RequesterError";
pub(crate) const PENDING: &str =
    "urn:oasis:names:tc:dss:1.0:profiles:asynchronousprocessing:resultmajor:Pending";

/// A sandbox and its partner.
pub(crate) struct Partner {
    pub(crate) sandbox: Sandbox,
    pub(crate) client: Client,
    /// A client without a certificate that follows no redirects.
    pub(crate) browser: Client,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }
}

impl Partner {
    pub(crate) async fn start() -> Self {
        Self::with(Config::default()).await
    }

    /// A user answers every session immediately.
    pub(crate) async fn auto(user: User) -> Self {
        Self::with(Config::default().auto_approve(true).auto_user(user)).await
    }

    /// The PKI is stored in a directory.
    pub(crate) async fn in_dir(dir: &std::path::Path) -> Self {
        Self::with(Config::default().dir(dir.to_owned())).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let sandbox = Sandbox::start(config).await.unwrap();
        let client = builder(&sandbox).identity(identity(&sandbox)).build().unwrap();
        let browser = Client::builder().redirect(redirect::Policy::none()).no_proxy();
        Self { sandbox, client, browser: browser.build().unwrap() }
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.try_post(path, body).await.unwrap()
    }

    pub(crate) async fn try_post(&self, path: &str, body: &Value) -> reqwest::Result<Answer> {
        self.post_text(path, "application/json", body.to_string()).await
    }

    pub(crate) async fn post_text(
        &self,
        path: &str,
        content_type: &str,
        body: String,
    ) -> reqwest::Result<Answer> {
        let url = format!("{}{path}", self.sandbox.base_url());
        let request = self.client.post(url).header("content-type", content_type).body(body);
        let response = request.send().await?;
        Ok(Answer { status: response.status(), text: response.text().await? })
    }

    /// Opens an identification (A1). Returns its id and the URL of its page.
    pub(crate) async fn identify(&self) -> (String, String) {
        let answer = self.post("/user_identification", &identification()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let body = answer.json();
        assert_eq!(body["status"], "OK");
        (text(&body["asyncRespID"]), text(&body["identificationUrl"]))
    }

    /// Queries the status of an identification (A3).
    pub(crate) async fn identification_status(&self, id: &str) -> Answer {
        self.post("/user_identification/status", &identification_status(id)).await
    }

    /// Identifies the automatic user (A1, A3). Returns user code, leaf and chain.
    pub(crate) async fn identified(&self) -> (String, String, String) {
        let (id, _) = self.identify().await;
        let answer = self.identification_status(&id).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let body = answer.json();
        (text(&body["userCode"]), text(&body["certificate"]), text(&body["fullCertificateChain"]))
    }

    /// Opens a signature session (A4). Returns its id and the URL of its page.
    pub(crate) async fn sign(&self, body: &Value) -> (String, String) {
        let answer = self.post("/sign_document", body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let body = answer.json();
        assert_eq!(body["result"]["maj"], PENDING);
        (text(&body["respID"]), text(&body["optOutp"]["itsme"]["signingUrl"]))
    }

    /// Asks for the result of a signature session (A6).
    pub(crate) async fn result(&self, id: &str) -> Answer {
        self.post("/sign_document", &result(id)).await
    }

    pub(crate) async fn get(&self, url: &str) -> (Answer, Option<String>) {
        browse(self.browser.get(url)).await
    }

    pub(crate) async fn submit(&self, url: &str, form: &'static str) -> (Answer, Option<String>) {
        let form_type = "application/x-www-form-urlencoded";
        browse(self.browser.post(url).header("content-type", form_type).body(form)).await
    }

    /// A request of the control API.
    pub(crate) async fn control(&self, path: &str, body: &Value) -> Answer {
        let url = format!("{}/sandbox/{path}", self.sandbox.front_url());
        let request = self.browser.post(url).header("content-type", "application/json");
        browse(request.body(body.to_string())).await.0
    }
}

async fn browse(request: reqwest::RequestBuilder) -> (Answer, Option<String>) {
    let response = request.send().await.unwrap();
    let location = response.headers().get("location").map(|l| l.to_str().unwrap().to_owned());
    (Answer { status: response.status(), text: response.text().await.unwrap() }, location)
}

/// A client that trusts the back end and has no certificate.
pub(crate) fn builder(sandbox: &Sandbox) -> reqwest::ClientBuilder {
    let ca = Certificate::from_pem(sandbox.server_ca_pem().as_bytes()).unwrap();
    Client::builder().tls_certs_only([ca]).redirect(redirect::Policy::none()).no_proxy()
}

pub(crate) fn identity(sandbox: &Sandbox) -> Identity {
    Identity::from_pem(sandbox.client_identity_pem().as_bytes()).unwrap()
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a string: {value}")).to_owned()
}

pub(crate) fn identification() -> Value {
    json!({
        "partnerCode": "SANDBOX",
        "serviceCode": "SANDBOX_SIGN",
        "redirectUrl": "http://127.0.0.1:8080/itsme/return",
        "lang": "NL",
    })
}

pub(crate) fn identification_status(id: &str) -> Value {
    json!({ "partnerCode": "SANDBOX", "serviceCode": "SANDBOX_SIGN", "asyncRespID": id })
}

pub(crate) fn labels(text: &str) -> Value {
    let label = |lang: &str| json!({ "lang": lang, "value": format!("{text} {lang}") });
    ["EN", "FR", "NL", "DE"].into_iter().map(label).collect()
}

pub(crate) fn document(id: &str) -> Value {
    let alg = "http://www.w3.org/2001/04/xmlenc#sha256";
    json!({ "id": id, "di": [{ "alg": alg, "value": DIGEST_BASE64 }] })
}

pub(crate) fn documents(count: usize) -> Value {
    (0..count).map(|n| document(&format!("s-{n:03}"))).collect()
}

/// The request (A4) for a user's signature of one document.
pub(crate) fn signature(user_code: &str) -> Value {
    json!({
        "inDocs": { "docHash": documents(1) },
        "reqID": "r-1",
        "asyncRespID": null,
        "optInp": { "lang": "NL", "itsme": {
            "signer": { "userCode": user_code },
            "partnerCode": "SANDBOX",
            "serviceCode": "SANDBOX_SIGN",
            "redirectUrl": "http://127.0.0.1:8080/itsme/return",
            "description": labels("Lease 12"),
            "signPolicy": {
                "signPolicyRef": "1.3.6.1.4.1.49274.1.1.7.2.0",
                "commitmentTypeRef": "1.2.840.113549.1.9.16.6.5",
                "signerRole": labels("Tenant"),
            },
        } },
    })
}

pub(crate) fn result(id: &str) -> Value {
    json!({
        "inDocs": null,
        "reqID": "r-2",
        "asyncRespID": id,
        "optInp": { "itsme": { "partnerCode": "SANDBOX", "serviceCode": "SANDBOX_SIGN" } },
    })
}

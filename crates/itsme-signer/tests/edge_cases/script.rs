//! A service that answers from a script and records its requests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use ades_core::signer::{
    BoxFuture, Event, IdentificationRequest, IdentificationSession, Identity, SignatureValue,
    SignerError, SigningItem, SigningRequest, SigningSession, Step,
};
use ades_core::{DigestAlgorithm, RemoteSigner, SignatureAlgorithm, ToBeSigned};
use ades_tests::pki::{Key, Pki, TestSigner, pem};
use base64ct::{Base64, Encoding};
use chrono::{DateTime, Utc};
use http::{HeaderMap, Request, Response};
use itsme_signer::transport::{ServerProblem, Transport, TransportError};
use itsme_signer::{Config, Error, ItsmeSigner};
use serde_json::{Value, json};

pub(crate) const USER_CODE: &str = "u0u1u2u3u4u5u6u7u8u9v0v1v2v3v4v5v6v7";
pub(crate) const RSA: SignatureAlgorithm = SignatureAlgorithm::RsaPkcs1v15(DigestAlgorithm::Sha256);
pub(crate) const PENDING: &str =
    "urn:oasis:names:tc:dss:1.0:profiles:asynchronousprocessing:resultmajor:Pending";
pub(crate) const SUCCESS: &str = "urn:oasis:names:tc:dss:1.0:resultmajor:Success";
pub(crate) const REQUESTER: &str = "urn:oasis:names:tc:dss:1.0:resultmajor:RequesterError";

pub(crate) const TOML: &str = r#"
base_url = "https://back.example"
partner_code = "DEMOPARTNR"
service_code = "DEMO_SIGN"
redirect_url = "https://sign.example.org/itsme/return"
[front]
allowed_hosts = ["front.example"]
"#;

/// A scripted reply.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Json(u16, Value),
    Text(u16, &'static str),
    /// As `Json`, with a header
    Headed(u16, &'static str, &'static str, Value),
    Lost,
    NotSent,
    NotAuthorised,
    Untrusted(ServerProblem),
    ProxyRefused,
    Huge,
    /// No reply: the future stays pending.
    Never,
}

/// A placeholder that the script replaces with the id of the request.
pub(crate) const ECHO: &str = "the request's id";

/// A service that answers from a list and records its requests.
#[derive(Clone, Default)]
pub(crate) struct Script(Arc<Mutex<Played>>);

#[derive(Default)]
struct Played {
    replies: VecDeque<Reply>,
    asked: Vec<(String, Value)>,
    headers: Vec<HeaderMap>,
    pauses: Vec<u64>,
}

impl Script {
    pub(crate) fn asked(&self) -> Vec<(String, Value)> {
        self.0.lock().unwrap().asked.clone()
    }

    /// The value of a header in each request.
    pub(crate) fn headers(&self, name: &str) -> Vec<Option<String>> {
        let text = |headers: &HeaderMap| Some(headers.get(name)?.to_str().unwrap().to_owned());
        self.0.lock().unwrap().headers.iter().map(text).collect()
    }

    /// The pauses in seconds.
    pub(crate) fn pauses(&self) -> Vec<u64> {
        self.0.lock().unwrap().pauses.clone()
    }

    pub(crate) fn add(&self, reply: Reply) {
        self.0.lock().unwrap().replies.push_back(reply);
    }
}

impl Transport for Script {
    fn send(
        &self,
        request: Request<Vec<u8>>,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
        let mut script = self.0.lock().unwrap();
        let body = serde_json::from_slice(request.body()).unwrap_or(Value::Null);
        script.headers.push(request.headers().clone());
        script.asked.push((request.uri().path().to_owned(), body));
        let lost = || Box::<dyn std::error::Error + Send + Sync>::from("scripted");
        let request_id = script.asked.last().unwrap().1["reqID"].clone();
        let mut header = None;
        let mut reply =
            script.replies.pop_front().expect("the script has no reply for this request");
        if let Reply::Headed(status, name, value, body) = reply {
            header = Some((name, value));
            reply = Reply::Json(status, body);
        }
        let host = || "back.example".to_owned();
        let answer = match reply {
            Reply::Json(status, mut body) => {
                // The service repeats the id of the request.
                if body["reqID"] == ECHO {
                    body["reqID"] = request_id;
                }
                Ok((status, body.to_string().into_bytes()))
            }
            Reply::Headed(..) => unreachable!("it became `Json`"),
            Reply::Untrusted(problem) => {
                Err(TransportError::UntrustedServer { host: host(), problem, source: lost() })
            }
            Reply::ProxyRefused => {
                let proxy = "http://proxy.example:3128".to_owned();
                Err(TransportError::ProxyRefused { proxy, host: host(), source: lost() })
            }
            Reply::Never => return Box::pin(std::future::pending()),
            Reply::Huge => Err(TransportError::TooLong),
            Reply::Text(status, body) => Ok((status, body.as_bytes().to_vec())),
            Reply::Lost => Err(TransportError::Unknown(lost())),
            Reply::NotSent => Err(TransportError::NotSent(lost())),
            Reply::NotAuthorised => Err(TransportError::NotAuthorised(lost())),
        };
        Box::pin(async move {
            let (status, body) = answer?;
            let mut response = Response::builder().status(status);
            if let Some((name, value)) = header {
                response = response.header(name, value);
            }
            Ok(response.body(body).unwrap())
        })
    }

    fn pause(&self, duration: std::time::Duration) -> BoxFuture<'_, ()> {
        self.0.lock().unwrap().pauses.push(duration.as_secs());
        Box::pin(async {})
    }
}

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

pub(crate) fn config(more: &str) -> Result<Config, Error> {
    Config::from_toml(&format!("{TOML}{more}"), std::path::Path::new("."))
}

pub(crate) fn signer_with(
    more: &str,
    replies: impl IntoIterator<Item = Reply>,
) -> (ItsmeSigner, Script) {
    let script = Script::default();
    replies.into_iter().for_each(|reply| script.add(reply));
    (ItsmeSigner::with_transport(config(more).unwrap(), script.clone(), now), script)
}

pub(crate) fn signer(replies: impl IntoIterator<Item = Reply>) -> (ItsmeSigner, Script) {
    signer_with("", replies)
}

/// Drops a future while it waits for an answer.
pub(crate) fn drop_waiting<T>(mut future: BoxFuture<'_, T>) {
    let waker = std::task::Waker::noop();
    assert!(future.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
}

/// Runs a future that never waits.
pub(crate) fn run<T>(mut future: BoxFuture<'_, T>) -> T {
    let waker = std::task::Waker::noop();
    match future.as_mut().poll(&mut std::task::Context::from_waker(waker)) {
        std::task::Poll::Ready(answer) => answer,
        std::task::Poll::Pending => panic!("the future must not wait: the script answers at once"),
    }
}

pub(crate) fn opened() -> Reply {
    Reply::Json(
        200,
        json!({
            "status": "OK", "asyncRespID": "ident-1",
            "identificationUrl": "https://front.example/qes/identify?language=NL&q=0a1b2c",
        }),
    )
}

pub(crate) fn sign_opened() -> Reply {
    Reply::Json(
        200,
        json!({
            "result": { "maj": PENDING }, "reqID": ECHO, "respID": "sign-1",
            "optOutp": { "itsme": { "signingUrl": "https://front.example/qes/sign?q=9z" } },
        }),
    )
}

pub(crate) fn test_signer() -> &'static TestSigner {
    Pki::shared().signer(Key::Rsa2048)
}

pub(crate) fn identified(leaf: &TestSigner) -> Value {
    json!({
        "status": "OK", "userCode": USER_CODE,
        "certificate": pem(leaf.leaf()), "fullCertificateChain": leaf.chain_pem(),
    })
}

pub(crate) fn identity() -> Identity {
    Identity::new(test_signer().chain.clone(), Some(USER_CODE.to_owned()))
}

pub(crate) fn item(id: &str, data: &str) -> SigningItem {
    SigningItem::new(id, ToBeSigned::new(data.as_bytes().to_vec(), RSA))
}

pub(crate) fn request(ids: &[&str]) -> SigningRequest {
    SigningRequest::new(identity(), ids.iter().map(|id| item(id, id)).collect())
}

pub(crate) fn value(data: &str) -> String {
    Base64::encode_string(&test_signer().sign(&ToBeSigned::new(data.into(), RSA)))
}

pub(crate) fn success(values: &Value) -> Reply {
    Reply::Json(
        200,
        json!({
            "result": { "maj": SUCCESS }, "reqID": ECHO, "respID": "sign-1", "sigObj": values,
        }),
    )
}

pub(crate) fn object(id: &str, value: &str) -> Value {
    json!({ "b64Sig": { "value": value }, "whichDoc": id })
}

pub(crate) fn identify(signer: &ItsmeSigner) -> (String, IdentificationSession) {
    match run(signer.identify(IdentificationRequest::default())).unwrap() {
        Step::Redirect { url, session, .. } => (url, session),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn sign(signer: &ItsmeSigner, ids: &[&str]) -> (String, SigningSession) {
    match run(signer.sign(request(ids))).unwrap() {
        Step::Redirect { url, session, .. } => (url, session),
        other => panic!("{other:?}"),
    }
}

/// The values of a finished session over `ids`, which always gives the same.
pub(crate) fn collect(
    more: &str,
    ids: &[&str],
    values: &Value,
) -> Result<Vec<SignatureValue>, SignerError> {
    let (signer, script) = signer_with(more, [sign_opened()]);
    let (_, mut session) = sign(&signer, ids);
    for _ in 0..2 {
        script.add(success(values));
        match run(signer.continue_signing(session, Event::Poll))? {
            Step::Done(values) => return Ok(values),
            Step::Wait { session: next, .. } => session = next,
            other => panic!("{other:?}"),
        }
    }
    panic!("the same values are neither accepted nor an error")
}

/// The result of status queries that always get the same reply, with a client that
/// stops after three unclear answers.
pub(crate) fn status_of(
    reply: &Reply,
) -> Result<Step<Vec<SignatureValue>, SigningSession>, SignerError> {
    let (signer, script) = signer_with("[limits]\nstatus_failures = 2", [sign_opened()]);
    let (_, mut session) = sign(&signer, &["s-001"]);
    loop {
        script.add(reply.clone());
        match run(signer.continue_signing(session, Event::Poll))? {
            Step::Wait { session: next, .. } if script.asked().len() < 10 => session = next,
            step => return Ok(step),
        }
    }
}

/// A signer with a clock that the test sets.
pub(crate) fn signer_with_clock(more: &str) -> (ItsmeSigner, Script, Arc<Mutex<DateTime<Utc>>>) {
    let script = Script::default();
    let time = Arc::new(Mutex::new(now()));
    let clock = Arc::clone(&time);
    let signer = ItsmeSigner::with_transport(config(more).unwrap(), script.clone(), move || {
        *clock.lock().unwrap()
    });
    (signer, script, time)
}

/// The wait and the next session of a step that waits.
pub(crate) fn waits<T: std::fmt::Debug, S: std::fmt::Debug>(
    step: Result<Step<T, S>, SignerError>,
) -> (u64, S) {
    match step {
        Ok(Step::Wait { after, session, .. }) => (after.as_secs(), session),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn own(error: &SignerError) -> &Error {
    std::error::Error::source(error).unwrap().downcast_ref().unwrap()
}

pub(crate) fn sign_error(change: impl FnOnce(&mut SigningRequest)) -> SignerError {
    // The script has no reply, so that a request fails the test.
    let (signer, script) = signer([]);
    let mut request = request(&["s-001"]);
    change(&mut request);
    let error = run(signer.sign(request)).unwrap_err();
    assert!(script.asked().is_empty());
    error
}

pub(crate) fn state_of(url: &str) -> String {
    url.split("st=").nth(1).unwrap().to_owned()
}

pub(crate) fn returned(query: String, browser: Option<&str>) -> Event {
    Event::Returned { query, browser: browser.map(ToOwned::to_owned) }
}

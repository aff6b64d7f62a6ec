//! Edge case 61: logs, `Debug` and `Display` contain no personal data or secrets.

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};

use ades_core::signer::{
    Event, IdentificationRequest, Identity, Language, SigningItem, SigningRequest, Step,
};
use ades_core::{DtbsDigest, RemoteSigner, ToBeSigned};
use base64ct::{Base64, Encoding};
use itsme_sandbox::{Sandbox, User};
use itsme_signer::config::{ClientIdentity, Settings};
use itsme_signer::discovery::PolicyDigest;
use itsme_signer::{Config, ItsmeSigner};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::script::{
    REQUESTER, RSA, Reply, USER_CODE, identified, object, opened, request, returned, run,
    sign_opened, signer, state_of, success, test_signer, value,
};

/// All logs of this thread.
#[derive(Clone, Default)]
struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// Captures every event and span of every crate until the guard is dropped.
    fn capture(&self) -> tracing::subscriber::DefaultGuard {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(self.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }
}

impl io::Write for Logs {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Logs {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn contains_none(text: &str, markers: &[String]) {
    for marker in markers {
        assert!(marker.len() > 3, "{marker:?} is too short to be specific");
        assert!(!text.contains(marker.as_str()), "{text} contains {marker}");
    }
}

/// The URL of the page, and the session.
fn redirect<T: std::fmt::Debug, S: std::fmt::Debug>(step: Step<T, S>) -> (String, S) {
    match step {
        Step::Redirect { url, session, .. } => (url, session),
        other => panic!("{other:?}"),
    }
}

fn all_languages(text: &str) -> Vec<(Language, String)> {
    Language::ALL.into_iter().map(|language| (language, text.to_owned())).collect()
}

/// A whole flow with the sandbox over HTTPS, logged by every crate at TRACE.
#[tokio::test]
async fn case_61_the_logs_of_a_whole_flow_contain_no_personal_data() {
    let logs = Logs::default();
    let _guard = logs.capture();
    let sandbox =
        Sandbox::start(itsme_sandbox::Config::default().auto_approve(true)).await.unwrap();
    let return_to = "http://127.0.0.1/itsme/return";
    let mut settings = Settings::new(sandbox.base_url(), "SANDBOX", "SANDBOX_SIGN", return_to);
    settings.allow_loopback_http = true;
    settings.client = Some(ClientIdentity::from_pem(sandbox.client_identity_pem()).unwrap());
    settings.server_ca_pem = Some(sandbox.server_ca_pem().to_owned());
    let signer = ItsmeSigner::new(Config::new(settings).unwrap()).unwrap();

    let user_code = User::Ready.user_code("SANDBOX");
    let mut markers = vec![user_code.clone(), "my-cookie".to_owned(), "00000000097".to_owned()];
    let mut first = IdentificationRequest::default();
    first.account = Some(user_code);
    first.browser = Some("my-cookie".to_owned());
    let (url, session) = redirect(signer.identify(first).await.unwrap());
    markers
        .extend(url.split(['?', '&', '=']).skip(1).filter(|part| part.len() > 8).map(Into::into));
    let event = returned(format!("st={}", state_of(&url)), Some("my-cookie"));
    let identity: Identity = match signer.continue_identification(session, event).await.unwrap() {
        Step::Done(identity) => identity,
        other => panic!("{other:?}"),
    };
    let leaf = identity.chain.leaf();
    markers.push(leaf.common_name().unwrap().to_owned());
    markers.push(Base64::encode_string(leaf.der())[..40].to_owned());

    let policy = "1.3.6.1.4.1.49274.1.1.7.1.0";
    let digest = Some(PolicyDigest::FromDiscovery);
    let terms = signer.resolve(Some(policy), Some("approval"), digest).await.unwrap();
    let to_be_signed = ToBeSigned::new(b"data to be signed".to_vec(), RSA);
    let DtbsDigest(hash) = to_be_signed.digest().clone();
    markers.extend([hash.to_hex(), Base64::encode_string(hash.value())]);
    let items = vec![SigningItem::new("item-of-mine", to_be_signed)];
    let mut batch = SigningRequest::new(identity, items);
    batch.browser = Some("my-cookie".to_owned());
    terms.show(&mut batch.display);
    batch.display.description = all_languages("A lease of mine");
    batch.display.role = all_languages("Landlady");
    markers.extend(["item-of-mine", "A lease", "Landlady"].map(ToOwned::to_owned));
    let (url, session) = redirect(signer.sign(batch).await.unwrap());
    markers
        .extend(url.split(['?', '&', '=']).skip(1).filter(|part| part.len() > 8).map(Into::into));
    let values = match signer.continue_signing(session, Event::Poll).await.unwrap() {
        Step::Done(values) => values,
        other => panic!("{other:?}"),
    };
    markers.push(Base64::encode_string(&values[0].value)[..40].to_owned());
    markers.extend(sandbox.control().sessions().into_iter().map(|session| session.session));
    sandbox.shutdown().await;

    let text = logs.text();
    contains_none(&text, &markers);
    // The logs name the steps, their durations and their sessions.
    for span in ["identify", "continue_identification", "discovery", "sign", "continue_signing"] {
        assert!(
            text.contains(&format!("{span}{{")) || text.contains(&format!("{span}:")),
            "{span}"
        );
    }
    for part in ["items=1", "session=\"", "request=\"", "millis=", "outcome=\"done\""] {
        assert!(text.contains(part), "{text} does not contain {part}");
    }
}

/// An unexpected answer may contain anything, so errors must not quote it.
#[test]
fn case_61_errors_contain_nothing_of_an_answer() {
    let logs = Logs::default();
    let _guard = logs.capture();
    let mut shown = String::new();
    let pem = test_signer().chain_pem();
    let no =
        |min| json!({ "result": { "maj": REQUESTER, "min": min, "msg": "Ms Marker refused" } });
    for reply in [
        Reply::Text(200, "Ms Marker"),
        Reply::Text(500, "Ms Marker"),
        Reply::Text(302, "Ms Marker"),
        Reply::Text(403, "Ms Marker"),
        Reply::Json(200, json!({ "Ms Marker": "Ms Marker" })),
        Reply::Json(400, no(json!("INVALID_POLICY"))),
        Reply::Json(400, no(json!("REJECTED"))),
        Reply::Json(400, no(json!(null))),
        Reply::Json(
            409,
            json!({ "status": "NOK", "statusReason": "EXPIRED", "more": "Ms Marker" }),
        ),
        Reply::Json(
            200,
            json!({ "status": "OK", "asyncRespID": "Ms Marker", "identificationUrl": "https://evil.example/Marker" }),
        ),
        Reply::Json(200, json!({ "status": "OK", "userCode": "Ms Marker", "certificate": pem })),
        success(&json!([object("Ms Marker", "Ms Marker")])),
        success(&json!([object("Ms Marker", &value("s-001"))])),
        Reply::Lost,
        Reply::Huge,
    ] {
        // The reply answers each kind of request.
        let (asked, _) = signer([reply.clone()]);
        show(&mut shown, run(asked.identify(IdentificationRequest::default())));
        let (asked, script) = signer([opened()]);
        let (_, session) = redirect(run(asked.identify(IdentificationRequest::default())).unwrap());
        script.add(reply.clone());
        show(&mut shown, run(asked.continue_identification(session, Event::Poll)));
        let (asked, _) = signer([reply.clone()]);
        show(&mut shown, run(asked.sign(request(&["s-001"]))));
        let (asked, script) = signer([sign_opened()]);
        let (_, session) = redirect(run(asked.sign(request(&["s-001"]))).unwrap());
        script.add(reply.clone());
        show(&mut shown, run(asked.continue_signing(session, Event::Poll)));
        let (asked, _) = signer(std::iter::repeat_n(reply, 3));
        let discovery = run(Box::pin(asked.discovery())).map(|_| Step::<(), ()>::Done(()));
        show(&mut shown, discovery);
    }
    assert!(shown.contains("INVALID_POLICY"));
    let markers = ["Marker", USER_CODE, "ident-1", "sign-1", "Test Signer", &pem[28..80]];
    let markers = markers.map(ToOwned::to_owned);
    contains_none(&shown, &markers);
    contains_none(&logs.text(), &markers);
    assert!(logs.text().contains("step failed"));
}

/// Writes the step, or the error with all its sources.
fn show<T: std::fmt::Debug, S: std::fmt::Debug>(
    shown: &mut String,
    step: Result<Step<T, S>, ades_core::signer::SignerError>,
) {
    let error = match step {
        Ok(step) => return write!(shown, "{step:?}").unwrap(),
        Err(error) => error,
    };
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(error) = source {
        writeln!(shown, "{error} {error:?}").unwrap();
        source = error.source();
    }
}

/// The values that applications keep.
#[test]
fn case_61_debug_output_contains_no_personal_data_or_secrets() {
    let (signer, _) = signer([opened(), Reply::Json(200, identified(test_signer()))]);
    let mut first = IdentificationRequest::default();
    first.account = Some(USER_CODE.to_owned());
    first.browser = Some("my-cookie".to_owned());
    let mut shown = format!("{signer:?} {first:?}");
    let step = run(signer.identify(first)).unwrap();
    write!(shown, "{step:?}").unwrap();
    let (url, session) = redirect(step);
    let event = returned(format!("st={}", state_of(&url)), Some("my-cookie"));
    write!(shown, "{session:?} {event:?}").unwrap();
    let identity = match run(signer.continue_identification(session, event)).unwrap() {
        Step::Done(identity) => identity,
        other => panic!("{other:?}"),
    };
    write!(shown, "{identity:?} {:?}", request(&["s-001"])).unwrap();
    let markers = [USER_CODE, "Test Signer", &state_of(&url), "ident-1", "my-cookie"];
    contains_none(&shown, &markers.map(ToOwned::to_owned));
}

//! The back end: the partner's protocol over HTTP.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::SandboxError;
use crate::app_state::AppState;
use crate::apply_faults;
use crate::checks::{self, Charset, Checked, Complaint};
use crate::faults::{Endpoint, Fault};
use crate::pki::Holder;
use crate::sessions::{NewSession, Purpose, SessionState, SignOrder};
use crate::texts::Lang;
use crate::tls::Cut;
use crate::users::User;
use crate::wire::{
    IdentificationRequest, SignRequest, SignResponse, StatusRequest, identification_opened, nok,
    present,
};

/// Maximum length of a request, in octets.
const MAX_REQUEST: usize = 1024 * 1024;
/// Length of the answer of [`Fault::Huge`], in octets.
const HUGE: usize = 2 * 1024 * 1024;

pub(crate) fn router(app: Arc<AppState>) -> Router {
    Router::new()
        .route("/.well-known/configuration", get(configuration))
        .route("/user_identification", post(user_identification))
        .route("/user_identification/status", post(identification_status))
        .route("/sign_document", post(sign_document))
        .layer(DefaultBodyLimit::max(MAX_REQUEST))
        .with_state(app)
}

type Connection = ConnectInfo<Cut>;

/// The answer without a fault. The body `Null` means an empty body.
#[derive(Debug)]
struct Answer {
    endpoint: Endpoint,
    status: StatusCode,
    body: Value,
}

async fn configuration(State(app): State<Arc<AppState>>, cut: Connection) -> Response<Body> {
    let endpoint = Endpoint::Configuration;
    let body = app.mutable().discovery.document().clone();
    let fault = app.mutable().faults.take(endpoint, true);
    send(Answer { endpoint, status: StatusCode::OK, body }, fault, &cut).await
}

async fn user_identification(
    State(app): State<Arc<AppState>>,
    cut: Connection,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let endpoint = Endpoint::UserIdentification;
    let answer = match open_identification(&app, &headers, &body) {
        Ok(body) => Answer { endpoint, status: StatusCode::OK, body },
        Err(complaint) => bad_request(endpoint, &complaint),
    };
    let fault = app.mutable().faults.take(endpoint, answer.status == StatusCode::OK);
    send(answer, fault, &cut).await
}

fn open_identification(app: &AppState, headers: &HeaderMap, body: &[u8]) -> Checked<Value> {
    let request: IdentificationRequest = parse(headers, body)?;
    let config = &app.config;
    checks::partner(config, request.partner_code.as_ref(), request.service_code.as_ref())?;
    let redirect_url =
        checks::redirect(&app.registered, request.redirect_url.as_ref(), "INVALID_URL")?;
    let lang = checks::lang(request.lang.as_ref())?;
    let user = match present(request.user_code.as_ref()) {
        Some(code) => Some(checks::user(config, code)?),
        None => None,
    };
    let (id, url) = open(app, Purpose::Identification, redirect_url, lang, user)?;
    Ok(identification_opened(&id, &url))
}

async fn identification_status(
    State(app): State<Arc<AppState>>,
    cut: Connection,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let endpoint = Endpoint::IdentificationStatus;
    let (answer, fault) = match identification(&app, &headers, &body) {
        Ok(holder) => {
            let fault = app.mutable().faults.take(endpoint, true);
            let (shared, fault_copy) = (Arc::clone(&app), fault.clone());
            let identified = off_thread(move || {
                let partner = &shared.config.partner_code;
                apply_faults::identified(&shared.pki, holder, partner, fault_copy.as_ref())
            });
            let answer = match identified.await {
                Ok(body) => Answer { endpoint, status: StatusCode::OK, body },
                Err(_) => Answer {
                    endpoint,
                    status: StatusCode::INTERNAL_SERVER_ERROR,
                    body: nok("TECHNICAL_ERROR"),
                },
            };
            (answer, fault)
        }
        Err(answer) => (answer, app.mutable().faults.take(endpoint, false)),
    };
    send(answer, fault, &cut).await
}

fn identification(app: &AppState, headers: &HeaderMap, body: &[u8]) -> Result<Holder, Answer> {
    let endpoint = Endpoint::IdentificationStatus;
    let complain = |complaint| bad_request(endpoint, &complaint);
    let request: StatusRequest = parse(headers, body).map_err(complain)?;
    checks::partner(&app.config, request.partner_code.as_ref(), request.service_code.as_ref())
        .map_err(complain)?;
    let id = present(request.async_resp_id.as_ref()).ok_or_else(|| {
        complain(Complaint::new("MISSING_ASYNC_RESP_ID", "asyncRespID is missing"))
    })?;
    let mutable = app.mutable();
    let session = mutable.sessions.get(id);
    let Some(session) = session.filter(|s| s.purpose == Purpose::Identification) else {
        return Err(no_session(endpoint));
    };
    let conflict = |code| Answer { endpoint, status: StatusCode::CONFLICT, body: nok(code) };
    match (session.state(mutable.now()), session.user) {
        (SessionState::Confirmed, Some(user)) => Ok(Holder { user, edition: session.edition }),
        (SessionState::NotAllowed, _) => {
            Err(complain(Complaint::new("NOT_ALLOWED_TO_SIGN", "the user may not sign")))
        }
        (SessionState::Rejected, _) => Err(conflict("REJECTED")),
        (SessionState::Expired, _) => Err(conflict("EXPIRED")),
        _ => Err(conflict("PENDING")),
    }
}

async fn sign_document(
    State(app): State<Arc<AppState>>,
    cut: Connection,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let request: SignRequest = match parse(&headers, &body) {
        Ok(request) => request,
        Err(complaint) => {
            let fault = app.mutable().faults.take(Endpoint::SignDocument, false);
            return send(bad_request(Endpoint::SignDocument, &complaint), fault, &cut).await;
        }
    };
    // The documented trap: a status query without an id opens a new session.
    let Some(id) = present(request.async_resp_id.as_ref()) else {
        let endpoint = Endpoint::SignDocument;
        let answer = match open_signature(&app, &request) {
            Ok(opened) => Answer { endpoint, status: StatusCode::OK, body: opened.into_value() },
            Err(complaint) => sign_error(endpoint, request.req_id, &complaint),
        };
        let fault = app.mutable().faults.take(endpoint, answer.status == StatusCode::OK);
        return send(answer, fault, &cut).await;
    };
    let endpoint = Endpoint::SignStatus;
    match result(&app, &request, id) {
        Ok((holder, order)) => {
            let fault = app.mutable().faults.take(endpoint, true);
            let (shared, fault_copy) = (Arc::clone(&app), fault.clone());
            let values = off_thread(move || {
                let documents = &order.documents;
                apply_faults::signature_objects(&shared.pki, holder, documents, fault_copy.as_ref())
            });
            let (status, response) = match values.await {
                Ok(values) => {
                    (StatusCode::OK, SignResponse::success(request.req_id.clone(), id, values))
                }
                Err(_) => (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    SignResponse::responder_error(
                        request.req_id.clone(),
                        "TECHNICAL_ERROR",
                        "the PKI",
                    ),
                ),
            };
            send(Answer { endpoint, status, body: response.into_value() }, fault, &cut).await
        }
        Err(answer) => {
            let fault = app.mutable().faults.take(endpoint, false);
            send(answer, fault, &cut).await
        }
    }
}

fn open_signature(app: &AppState, request: &SignRequest) -> Checked<SignResponse> {
    let incomplete =
        |what: &str| Complaint::new("INCOMPLETE_REQUEST", format!("{what} is missing"));
    let options = request.opt_inp.as_ref().ok_or_else(|| incomplete("optInp"))?;
    let itsme = options.itsme.as_ref().ok_or_else(|| incomplete("optInp.itsme"))?;
    let config = &app.config;
    checks::partner(config, itsme.partner_code.as_ref(), itsme.service_code.as_ref())?;
    present(request.req_id.as_ref()).ok_or_else(|| incomplete("reqID"))?;
    let documents = checks::documents(config, request.in_docs.as_ref())?;
    let redirect_url =
        checks::redirect(&app.registered, itsme.redirect_url.as_ref(), "INCOMPLETE_REQUEST")?;
    let lang = match present(options.lang.as_ref()) {
        Some(_) => checks::lang(options.lang.as_ref())?,
        None => Lang::En,
    };
    let code = itsme.signer.as_ref().and_then(|signer| present(signer.user_code.as_ref()));
    let user = checks::user(config, code.ok_or_else(|| incomplete("signer.userCode"))?)?;
    let sign_policy = itsme.sign_policy.as_ref();
    let (policy, commitment) = checks::policy(&app.mutable().discovery, sign_policy)?;
    let role = sign_policy.and_then(|policy| policy.signer_role.as_deref());
    let order = SignOrder {
        documents,
        description: checks::labels(
            "description",
            itsme.description.as_deref(),
            checks::MAX_DESCRIPTION,
            Charset::Latin9,
        )?,
        policy,
        commitment,
        role: checks::labels("signerRole", role, checks::MAX_ROLE, Charset::Latin1)?,
    };
    let (id, url) = open(app, Purpose::Signature(order), redirect_url, lang, Some(user))?;
    let user_code = user.user_code(&config.partner_code);
    Ok(SignResponse::opened(request.req_id.clone(), &id, &url, &user_code))
}

fn result(app: &AppState, request: &SignRequest, id: &str) -> Result<(Holder, SignOrder), Answer> {
    let endpoint = Endpoint::SignStatus;
    let req_id = || request.req_id.clone();
    let itsme = request.opt_inp.as_ref().and_then(|options| options.itsme.as_ref());
    let itsme = itsme.ok_or_else(|| {
        let complaint = Complaint::new("INCOMPLETE_REQUEST", "optInp.itsme is missing");
        sign_error(endpoint, req_id(), &complaint)
    })?;
    checks::partner(&app.config, itsme.partner_code.as_ref(), itsme.service_code.as_ref())
        .map_err(|complaint| sign_error(endpoint, req_id(), &complaint))?;
    let mutable = app.mutable();
    let session = mutable.sessions.get(id).ok_or_else(|| no_session(endpoint))?;
    let Purpose::Signature(order) = &session.purpose else { return Err(no_session(endpoint)) };
    let (status, response) = match (session.state(mutable.now()), session.user) {
        (SessionState::Confirmed, Some(user)) => {
            return Ok((Holder { user, edition: session.edition }, order.clone()));
        }
        // No document says how the service reports these three states, so the
        // answers are assumptions.
        (SessionState::Rejected, _) => (
            StatusCode::CONFLICT,
            SignResponse::requester_error(req_id(), "REJECTED", "the user refused"),
        ),
        (SessionState::Expired, _) => (
            StatusCode::CONFLICT,
            SignResponse::requester_error(req_id(), "EXPIRED", "the user did not answer in time"),
        ),
        (SessionState::NotAllowed, _) => (
            StatusCode::BAD_REQUEST,
            SignResponse::requester_error(req_id(), "NOT_ALLOWED_TO_SIGN", "the user may not sign"),
        ),
        _ => (StatusCode::OK, SignResponse::pending(req_id(), id)),
    };
    Err(Answer { endpoint, status, body: response.into_value() })
}

/// Opens a session and returns its id and the URL of its page. With an
/// automatic user, that user answers it immediately.
fn open(
    app: &AppState,
    purpose: Purpose,
    redirect_url: String,
    lang: Lang,
    user: Option<User>,
) -> Checked<(String, String)> {
    let page_name = match purpose {
        Purpose::Identification => "identify",
        Purpose::Signature(_) => "sign",
    };
    let failed = |_| Complaint::new("UNEXPECTED_ERROR", "no random numbers");
    let id = random(18).map_err(failed)?;
    let page = random(16).map_err(failed)?;
    let mut dice = [0; 3];
    getrandom::fill(&mut dice).map_err(failed)?;
    let url = format!("{}/qes/{page_name}?language={}&q={page}", app.front_url, lang.code());
    let mut mutable = app.mutable();
    let now = mutable.now();
    let new = NewSession { id: id.clone(), page, purpose, redirect_url, lang, user, dice };
    mutable.sessions.open(new, now);
    if let Some(auto) = mutable.auto_user {
        // A new session has either no user or `user`, so this cannot fail.
        let _ = mutable.sessions.answer(&id, user.or(Some(auto)), true, now);
    }
    Ok((id, url))
}

/// Random octets as lower-case hexadecimal digits.
fn random(octets: usize) -> Result<String, getrandom::Error> {
    let mut buffer = vec![0; octets];
    getrandom::fill(&mut buffer)?;
    Ok(buffer.iter().map(|octet| format!("{octet:02x}")).collect())
}

/// Runs work on a blocking thread, because making RSA keys and values takes
/// milliseconds to seconds.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SandboxError> + Send + 'static,
) -> Result<T, SandboxError> {
    let done = tokio::task::spawn_blocking(work).await;
    let result = done.map_err(SandboxError::making("an answer")).and_then(|result| result);
    if let Err(error) = &result {
        tracing::error!(%error, "the sandbox's PKI failed");
    }
    result
}

fn parse<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Checked<T> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|text| text.split(';').next()).unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case("application/json") {
        return Err(Complaint::new("NO_REQUEST", "the content type is not application/json"));
    }
    let value: Value = serde_json::from_slice(body)
        .map_err(|_| Complaint::new("NO_REQUEST", "the body is not JSON"))?;
    if !value.is_object() {
        return Err(Complaint::new("NO_REQUEST", "the body is not a JSON object"));
    }
    serde_json::from_value(value).map_err(|error| {
        // The message may quote a value of the request. It goes into the answer
        // and not into the logs.
        Complaint::new("INCOMPLETE_REQUEST", format!("a field has the wrong type: {error}"))
    })
}

fn bad_request(endpoint: Endpoint, complaint: &Complaint) -> Answer {
    if endpoint == Endpoint::SignDocument {
        return sign_error(endpoint, None, complaint);
    }
    let status = StatusCode::BAD_REQUEST;
    Answer { endpoint, status, body: nok(complaint.code) }
}

fn sign_error(endpoint: Endpoint, req_id: Option<String>, complaint: &Complaint) -> Answer {
    let response = SignResponse::requester_error(req_id, complaint.code, &complaint.about);
    Answer { endpoint, status: StatusCode::BAD_REQUEST, body: response.into_value() }
}

/// The answer about a session that does not exist or is of the other kind: it
/// has no body.
const fn no_session(endpoint: Endpoint) -> Answer {
    Answer { endpoint, status: StatusCode::CONFLICT, body: Value::Null }
}

/// Sends an answer with a fault applied.
async fn send(mut answer: Answer, fault: Option<Fault>, cut: &Cut) -> Response<Body> {
    tracing::debug!(
        endpoint = ?answer.endpoint,
        status = answer.status.as_u16(),
        fault = fault.is_some(),
        "the sandbox answers"
    );
    let mut cookie = false;
    match fault {
        None => {}
        Some(Fault::Answer { status, content_type, body, headers }) => {
            let mut response = (http_status(status), body).into_response();
            response.headers_mut().remove(CONTENT_TYPE);
            if let Ok(value) = HeaderValue::try_from(content_type)
                && !value.is_empty()
            {
                response.headers_mut().insert(CONTENT_TYPE, value);
            }
            for (name, value) in headers {
                if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), value.try_into()) {
                    response.headers_mut().insert(name, value);
                }
            }
            return response;
        }
        Some(Fault::Code { status, code }) => {
            answer.status = http_status(status);
            answer.body = match answer.endpoint {
                Endpoint::SignDocument | Endpoint::SignStatus => {
                    SignResponse::requester_error(None, &code, &code).into_value()
                }
                _ => nok(&code),
            };
        }
        Some(Fault::Delay { millis }) => tokio::time::sleep(Duration::from_millis(millis)).await,
        Some(Fault::Huge) => return (answer.status, "x".repeat(HUGE)).into_response(),
        Some(Fault::Redirect) => {
            let headers = [(LOCATION, "https://elsewhere.example/"), (SET_COOKIE, "elsewhere=1")];
            return (StatusCode::FOUND, headers).into_response();
        }
        Some(Fault::Reset) => cut.cut(),
        Some(Fault::SetCookie) => cookie = true,
        Some(other) => apply_faults::change_body(&mut answer.body, &other),
    }
    let mut response = if answer.body.is_null() {
        answer.status.into_response()
    } else {
        let json = [(CONTENT_TYPE, "application/json")];
        (answer.status, json, answer.body.to_string()).into_response()
    };
    response.headers_mut().insert("x-sandbox", HeaderValue::from_static("no legal value"));
    if cookie {
        let cookie = HeaderValue::from_static("sandbox=not-to-be-kept; Secure; HttpOnly");
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

fn http_status(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

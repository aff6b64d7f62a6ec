//! The evidence services at the front end: time-stamps (RFC 3161), OCSP (RFC 6960), CRLs and the
//! certificates of issuers (RFC 5280). Certificates state their addresses.

mod crl;
mod faults;
mod ocsp;
mod time_stamp;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{Response, StatusCode, Uri};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use base64ct::{Base64, Encoding};

use crate::SandboxError;
use crate::app_state::AppState;
use crate::pki::{Addresses, Ca, TIME_STAMPING_PATH};

pub use faults::{EvidenceFault, EvidenceService};

/// Maximum length of a request, in octets.
const MAX_REQUEST: usize = 64 * 1024;
/// The answer of [`EvidenceFault::Garbage`]: a page with status 200, as proxies send it.
const GARBAGE: &str = "<!DOCTYPE html><title>Maintenance</title><p>We are back soon.";

type App = Arc<AppState>;

/// An answer of a service, and the fault that is to be applied to it.
struct Question<'a> {
    app: &'a AppState,
    fault: Option<&'a EvidenceFault>,
    /// Seconds since 1970, on the sandbox's clock
    now: u64,
}

pub(crate) fn router(app: App) -> Router {
    let mut router = Router::new().route(TIME_STAMPING_PATH, post(time_stamp));
    for ca in Ca::ALL {
        let crl = move |State(app): State<App>, uri: Uri| async move {
            answer(app, crl_service(ca), uri, move |question| crl::answer(question, ca)).await
        };
        let certificate = move |State(app): State<App>, uri: Uri| async move {
            let answer_certificate = move |question: &Question<'_>| {
                let der = question.app.pki.authority(ca).certificate.der.clone();
                Ok(whole("application/pkix-cert", der))
            };
            answer(app, EvidenceService::Issuer, uri, answer_certificate).await
        };
        router = router.route(&ca.crl_path(), get(crl));
        router = router.route(&ca.certificate_path(), get(certificate));
        if let (Some(path), Some(service)) = (ca.ocsp_path(), ocsp_service(ca)) {
            let posted = move |State(app): State<App>, uri: Uri, body: Bytes| async move {
                answer(app, service, uri, move |question| ocsp::answer(question, ca, &body)).await
            };
            // RFC 6960, A.1: the base64 of the request is in the path.
            let in_path = move |State(app): State<App>, uri: Uri, Path(text): Path<String>| async move {
                let request = Base64::decode_vec(&text).unwrap_or_default();
                answer(app, service, uri, move |question| ocsp::answer(question, ca, &request))
                    .await
            };
            router = router.route(&path, post(posted));
            router = router.route(&format!("{path}/{{*request}}"), get(in_path));
        }
    }
    router.layer(DefaultBodyLimit::max(MAX_REQUEST)).with_state(app)
}

/// The URLs of the services.
pub(crate) fn urls(addresses: &Addresses) -> Vec<(EvidenceService, String)> {
    let mut urls = vec![(EvidenceService::TimeStamp, addresses.time_stamping())];
    for ca in Ca::ALL {
        let responder = ocsp_service(ca).zip(addresses.ocsp(ca));
        urls.extend(responder);
        urls.push((crl_service(ca), addresses.crl(ca)));
        urls.push((EvidenceService::Issuer, addresses.certificate(ca)));
    }
    urls
}

const fn crl_service(ca: Ca) -> EvidenceService {
    match ca {
        Ca::Root => EvidenceService::RootCrl,
        Ca::Signers => EvidenceService::Crl,
        Ca::TimeStamping => EvidenceService::TimeStampCrl,
    }
}

const fn ocsp_service(ca: Ca) -> Option<EvidenceService> {
    match ca {
        Ca::Root => None,
        Ca::Signers => Some(EvidenceService::Ocsp),
        Ca::TimeStamping => Some(EvidenceService::TimeStampOcsp),
    }
}

async fn time_stamp(State(app): State<App>, uri: Uri, body: Bytes) -> Response<Body> {
    let service = EvidenceService::TimeStamp;
    answer(app, service, uri, move |question| time_stamp::answer(question, &body)).await
}

/// Makes the answer of a service, with the next fault applied.
async fn answer<F>(app: App, service: EvidenceService, uri: Uri, make: F) -> Response<Body>
where
    F: FnOnce(&Question<'_>) -> Result<Response<Body>, SandboxError> + Send + 'static,
{
    let (fault, now) = {
        let mut mutable = app.mutable();
        *mutable.evidence_requests.entry(service).or_default() += 1;
        let queued = mutable.evidence_faults.take_if(service, |_| true);
        (queued.or_else(|| app.config.evidence_fault(service)), mutable.now())
    };
    tracing::debug!(?service, fault = fault.is_some(), "an evidence service answers");
    match &fault {
        Some(EvidenceFault::Status { status, retry_after }) => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = status.into_response();
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(RETRY_AFTER, (*seconds).into());
            }
            return response;
        }
        Some(EvidenceFault::Delay { millis }) => {
            tokio::time::sleep(Duration::from_millis(*millis)).await;
        }
        Some(EvidenceFault::Garbage) => return whole(service.media_type(), GARBAGE.into()),
        Some(EvidenceFault::RedirectLoop) => {
            // 307 keeps the method (RFC 9110, 15.4.8).
            let to = [(LOCATION, uri.path().to_owned())];
            return (StatusCode::TEMPORARY_REDIRECT, to).into_response();
        }
        _ => {}
    }
    // Signatures, and above all a long CRL, take time.
    let made = tokio::task::spawn_blocking(move || {
        make(&Question { app: &app, fault: fault.as_ref(), now })
    });
    match made.await {
        Ok(Ok(response)) => response,
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// An answer that is held as a whole.
fn whole(media_type: &'static str, octets: Vec<u8>) -> Response<Body> {
    ([(CONTENT_TYPE, media_type), (CACHE_CONTROL, "no-store")], octets).into_response()
}

impl Question<'_> {
    fn has(&self, fault: &EvidenceFault) -> bool {
        self.fault == Some(fault)
    }

    /// Spoils a signature value if the fault says so.
    fn spoiled(&self, mut value: Vec<u8>) -> Vec<u8> {
        if self.has(&EvidenceFault::WrongSignature)
            && let Some(last) = value.last_mut()
        {
            *last ^= 0x5A;
        }
        value
    }

    /// When an answer about the status of certificates was issued, and until when it holds.
    fn period(&self) -> (u64, u64) {
        if self.has(&EvidenceFault::Stale) {
            return (self.now.saturating_sub(2 * DAY), self.now.saturating_sub(DAY));
        }
        if let Some(EvidenceFault::Periodic { seconds }) = self.fault {
            let period = u64::from(*seconds).max(1);
            let issued = self.now - self.now % period;
            return (issued, issued.saturating_add(period));
        }
        (self.now, self.now.saturating_add(DAY))
    }
}

/// In seconds.
const DAY: u64 = 86_400;

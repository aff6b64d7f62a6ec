//! Who may use the control API. It has no password, so a web page that the user of this machine
//! visits must not reach it through the user's browser.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app_state::AppState;

/// What a browser says about the relation of a request to the page that made it.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// The media types that a form of any site can send without asking (Fetch, 2.2.2).
const FORMS: [&str; 3] = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];

/// Refuses a request to the control API that a page of another site may have made.
pub(crate) async fn check(
    State(app): State<Arc<AppState>>,
    request: Request,
    next: Next,
) -> Response {
    let public_host = app.config.public_host.as_deref();
    match complaint(request.headers(), public_host) {
        None => next.run(request).await,
        Some((status, why)) => (status, format!("the control API: {why}\n")).into_response(),
    }
}

fn complaint(headers: &HeaderMap, public_host: Option<&str>) -> Option<(StatusCode, String)> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(HOST).unwrap_or_default();
    // DNS rebinding: a page of another site has that site's name, at this machine's address.
    if !is_own(host, public_host) {
        let why =
            format!("the host {host:?} is not an address, localhost or the sandbox's public host");
        return Some((StatusCode::MISDIRECTED_REQUEST, why));
    }
    if let Some(origin) = headers.get(ORIGIN) {
        let origin = origin.to_str().unwrap_or_default();
        if origin.strip_prefix("http://") != Some(host) {
            let why = format!("a request from a page of {origin:?} is refused");
            return Some((StatusCode::FORBIDDEN, why));
        }
    }
    if text(SEC_FETCH_SITE).is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        let why = "a request from a page of another site is refused".to_owned();
        return Some((StatusCode::FORBIDDEN, why));
    }
    let kind = text(CONTENT_TYPE).and_then(|kind| kind.split(';').next()).unwrap_or_default();
    if FORMS.iter().any(|form| kind.trim().eq_ignore_ascii_case(form)) {
        let why = format!("the content type is {kind}; it must be application/json");
        return Some((StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    None
}

/// Whether a request with this Host header is for the sandbox. An address needs no DNS, so it
/// cannot be rebound.
fn is_own(host: &str, public_host: Option<&str>) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => return address.parse::<Ipv6Addr>().is_ok(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.parse::<Ipv4Addr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || public_host.is_some_and(|own| name.eq_ignore_ascii_case(own))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn status(headers: &[(HeaderName, &str)]) -> Option<u16> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(name, HeaderValue::from_str(value).unwrap());
        }
        complaint(&map, Some("sandbox.test")).map(|(status, _)| status.as_u16())
    }

    #[test]
    fn only_addresses_and_own_names_are_hosts() {
        for own in [
            "127.0.0.1:8080",
            "127.0.0.1",
            "192.0.2.7:1",
            "[::1]:8080",
            "[::1]",
            "localhost",
            "LOCALHOST:8080",
            "sandbox.test:8080",
            "Sandbox.Test",
        ] {
            assert_eq!(status(&[(HOST, own)]), None, "{own}");
        }
        for other in [
            "",
            "evil.example",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "localhost.evil",
            "evil.localhost:80",
            "[evil]:80",
            "::1",
            "sandbox.test.evil",
            "127.0.0.1:80:evil",
        ] {
            assert_eq!(status(&[(HOST, other)]), Some(421), "{other}");
        }
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let from = |origin| status(&[(HOST, "127.0.0.1:80"), (ORIGIN, origin)]);
        assert_eq!(from("http://127.0.0.1:80"), None);
        for other in [
            "https://evil.example",
            "null",
            "http://127.0.0.1:81",
            "http://localhost:80",
            "https://127.0.0.1:80",
            "",
        ] {
            assert_eq!(from(other), Some(403), "{other}");
        }
        let site = |site| status(&[(HOST, "localhost"), (SEC_FETCH_SITE, site)]);
        assert_eq!((site("none"), site("same-origin")), (None, None));
        assert_eq!((site("cross-site"), site("same-site")), (Some(403), Some(403)));
    }

    #[test]
    fn forms_are_refused() {
        let of = |kind| status(&[(HOST, "localhost"), (CONTENT_TYPE, kind)]);
        assert_eq!((of("application/json"), of("application/json; charset=utf-8")), (None, None));
        for form in
            ["text/plain", "TEXT/PLAIN; charset=utf-8", "multipart/form-data; boundary=x", FORMS[0]]
        {
            assert_eq!(of(form), Some(415), "{form}");
        }
    }
}

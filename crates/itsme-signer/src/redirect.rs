//! Checks the pages that the user is sent to, and the browser that returns.

use ades_core::signer::{SignerError, SignerErrorKind};
use ades_core::{Digest, DigestAlgorithm};
use subtle::ConstantTimeEq;
use url::Url;

use crate::error::Error;

/// The query parameter of our state.
const STATE: &str = "st";

/// Checks the redirect URL of the application: https, without fragment and user
/// information, at most 255 characters.
pub(crate) fn check_own(url: &str, allow_loopback: bool) -> Result<(), &'static str> {
    if url.chars().count() > 255 {
        return Err("is longer than 255 characters");
    }
    let parsed = Url::parse(url).map_err(|_| "is not a URL")?;
    if parsed.fragment().is_some() {
        return Err("has a fragment");
    }
    if has_user_info(&parsed) {
        return Err("has a user name or password");
    }
    let loopback = allow_loopback && parsed.scheme() == "http" && is_loopback(&parsed);
    if parsed.scheme() == "https" || loopback { Ok(()) } else { Err("is not an https URL") }
}

/// Checks a URL that the service redirects the user to, and adds our state to
/// it: after its query, which stays unchanged, and before a fragment.
pub(crate) fn with_state(
    url: &str,
    state: &str,
    allowed_hosts: &[String],
    allow_loopback: bool,
) -> Result<String, Error> {
    let untrusted = |why| Error::UntrustedRedirectTarget { why };
    // The URL reaches the browser unchanged. URL parsers differ in how they
    // treat these characters, so that ours and the browser's could find
    // different hosts.
    if url.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(untrusted("it has control characters, spaces or backslashes"));
    }
    let parsed = Url::parse(url).map_err(|_| untrusted("it is not a URL"))?;
    if has_user_info(&parsed) {
        return Err(untrusted("it has a user name or password"));
    }
    let loopback = allow_loopback && is_loopback(&parsed);
    if parsed.scheme() != "https" && !(loopback && parsed.scheme() == "http") {
        return Err(untrusted("it is not an https URL"));
    }
    let host = parsed.host_str().unwrap_or_default();
    if !loopback && !allowed_hosts.iter().any(|allowed| allowed == host) {
        return Err(untrusted("its host is not listed in front.allowed_hosts"));
    }
    if parsed.query_pairs().any(|(name, _)| name == STATE) {
        return Err(untrusted("it already has the parameter \"st\""));
    }
    let (address, fragment) = match url.split_once('#') {
        Some((address, fragment)) => (address, format!("#{fragment}")),
        None => (url, String::new()),
    };
    let separator = match address.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    Ok(format!("{address}{separator}{STATE}={state}{fragment}"))
}

/// The digest of the application's cookie value. It binds a session to the
/// browser that started it, and the stored session does not reveal the cookie.
pub(crate) fn binding(browser: &str) -> String {
    Digest::of(DigestAlgorithm::Sha256, browser.as_bytes()).to_hex()
}

/// Checks that this session redirected the browser that returned.
pub(crate) fn check_return(
    query: &str,
    browser: Option<&str>,
    expected_state: &str,
    expected_binding: Option<&str>,
) -> Result<(), SignerError> {
    let found = state_in(query.strip_prefix('?').unwrap_or(query)).ok_or(SignerErrorKind::State)?;
    let same_state: bool = found.as_bytes().ct_eq(expected_state.as_bytes()).into();
    let same_browser = match expected_binding {
        None => true,
        Some(expected) => {
            browser.is_some_and(|b| binding(b).as_bytes().ct_eq(expected.as_bytes()).into())
        }
    };
    if same_state && same_browser { Ok(()) } else { Err(SignerErrorKind::State.into()) }
}

/// Whether a browser that returned with this query comes from `page`, the URL
/// of an earlier [`Step::Redirect`](ades_core::signer::Step::Redirect). An
/// application uses it to distinguish a late return of its own user from the
/// return of a stranger, without a request to itsme®.
#[must_use]
pub fn is_return_from(page: &str, query: &str) -> bool {
    let (page, _) = page.split_once('#').unwrap_or((page, ""));
    let sent = page.split_once('?').and_then(|(_, sent)| state_in(sent));
    match (sent, state_in(query.strip_prefix('?').unwrap_or(query))) {
        (Some(sent), Some(found)) => found.as_bytes().ct_eq(sent.as_bytes()).into(),
        _ => false,
    }
}

/// The state in a query, if the query has exactly one.
fn state_in(query: &str) -> Option<&str> {
    let mut states =
        query.split('&').filter_map(|part| part.split_once('=')).filter(|p| p.0 == STATE);
    match (states.next(), states.next()) {
        (Some((_, state)), None) => Some(state),
        _ => None,
    }
}

/// A host in the form that URLs have: lower case, IDNA. `None` if the text is not
/// exactly one host name or address.
pub(crate) fn host(name: &str) -> Option<String> {
    let host = url::Host::parse(name).ok()?.to_string();
    (!host.contains('*')).then_some(host)
}

pub(crate) fn has_user_info(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

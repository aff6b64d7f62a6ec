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
    let untrusted = |host: Option<&str>, why| Error::UntrustedRedirectTarget {
        host: host.map(Into::into),
        why,
    };
    // The URL reaches the browser unchanged. URL parsers differ in how they
    // treat these characters, so that ours and the browser's could find
    // different hosts.
    if url.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(untrusted(None, "it has control characters, spaces or backslashes"));
    }
    let parsed = Url::parse(url).map_err(|_| untrusted(None, "it is not a URL"))?;
    let named = parsed.host_str();
    if has_user_info(&parsed) {
        return Err(untrusted(named, "it has a user name or password"));
    }
    let loopback = allow_loopback && is_loopback(&parsed);
    if parsed.scheme() != "https" && !(loopback && parsed.scheme() == "http") {
        return Err(untrusted(named, "it is not an https URL"));
    }
    if !loopback && !allowed_hosts.iter().any(|allowed| Some(allowed.as_str()) == named) {
        let why = "front.allowed_hosts does not list this host; add it if it belongs to itsme";
        return Err(untrusted(named, why));
    }
    if parsed.query_pairs().any(|(name, _)| name == STATE) {
        return Err(untrusted(named, "it already has the parameter \"st\""));
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

/// Checks that this session redirected the browser that returned. A wrong key is reported before a
/// wrong browser, so that only those who know the key learn that the browser is another one.
pub(crate) fn check_return(
    query: &str,
    browser: Option<&str>,
    expected_state: &str,
    expected_binding: Option<&str>,
) -> Result<(), SignerError> {
    let found = key_of_return(query).ok_or(SignerErrorKind::State)?;
    if !bool::from(found.as_bytes().ct_eq(expected_state.as_bytes())) {
        return Err(SignerErrorKind::State.into());
    }
    let same_browser = match expected_binding {
        None => true,
        Some(expected) => {
            browser.is_some_and(|b| binding(b).as_bytes().ct_eq(expected.as_bytes()).into())
        }
    };
    if same_browser { Ok(()) } else { Err(SignerErrorKind::OtherBrowser.into()) }
}

/// Whether a browser that returned with this query comes from `page`, the URL
/// of an earlier [`Step::Redirect`](ades_core::signer::Step::Redirect). An
/// application uses it to distinguish a late return of its own user from the
/// return of a stranger, without a request to itsme®.
#[must_use]
pub fn is_return_from(page: &str, query: &str) -> bool {
    match (return_key(page), key_of_return(query)) {
        (Some(sent), Some(found)) => found.as_bytes().ct_eq(sent.as_bytes()).into(),
        _ => false,
    }
}

/// The key by which an application finds the session that a return belongs to: the same in the
/// URL of a [`Step::Redirect`](ades_core::signer::Step::Redirect) and in the URL by which the
/// browser returns. `None` if the URL has no query with exactly one key. Compare keys by their
/// digests, because a comparison of the keys themselves can reveal them by its time.
#[must_use]
pub fn return_key(url: &str) -> Option<&str> {
    let (url, _) = url.split_once('#').unwrap_or((url, ""));
    url.split_once('?').and_then(|(_, query)| state_in(query))
}

/// The key in the query of a return, which may have its question mark.
pub(crate) fn key_of_return(query: &str) -> Option<&str> {
    state_in(query.strip_prefix('?').unwrap_or(query))
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

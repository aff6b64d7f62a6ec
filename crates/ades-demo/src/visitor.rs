//! Who visits: the browser, its language, and the frame of every answer.

use ades::signer::Language;
use ades::{Digest, DigestAlgorithm};
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, REFERRER_POLICY,
    SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};

use crate::config::{Config, hex};
use crate::error::Problem;
use crate::pages;
use crate::server::Demo;
use crate::texts::Texts;

/// How long a browser keeps its cookies: as long as its documents are kept.
const COOKIE_SECONDS: u64 = crate::cases::KEPT.as_secs();

/// The visitor of a page.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// The value that only this browser has. [`ades_session`] binds jobs to it
    pub(crate) browser: String,
    pub(crate) language: Language,
    /// The path of the page, for the links to its other languages
    pub(crate) path: String,
    pub(crate) sandbox: bool,
}

pub(crate) type Visit = Extension<Visitor>;

impl Visitor {
    pub(crate) const fn texts(&self) -> &'static Texts {
        Texts::of(self.language)
    }

    /// The name of the folder of this browser's documents. It does not tell the cookie.
    pub(crate) fn folder(&self) -> String {
        self.derived("folder")
    }

    /// The token in each form of this browser (CSRF). A page of another site cannot know it.
    pub(crate) fn token(&self) -> String {
        self.derived("form")
    }

    fn derived(&self, purpose: &str) -> String {
        let text = format!("ades-demo {purpose}\n{}", self.browser);
        let mut name = Digest::of(DigestAlgorithm::Sha256, text.as_bytes()).to_hex();
        name.truncate(32);
        name
    }

    /// Checks the token of a form.
    pub(crate) fn check(&self, token: &str) -> Result<(), Problem> {
        // Both are digests of a random value: the time that a comparison takes tells nothing.
        if token == self.token() { Ok(()) } else { Err(Problem::Form) }
    }
}

/// Finds out who visits, answers, and puts headers and cookies on the answer.
pub(crate) async fn dress(State(demo): State<Demo>, mut request: Request, next: Next) -> Response {
    let config = demo.config();
    let headers = request.headers();
    let name = cookie_name(config);
    let known = cookie(headers, name).filter(|value| is_name(value)).map(str::to_owned);
    let Some(browser) = known.or_else(random_name) else {
        return Problem::Internal.into_response();
    };
    let chosen = request.uri().query().and_then(|query| query.strip_prefix("lang="));
    let chosen = chosen.and_then(Language::from_tag);
    let language = chosen.or_else(|| cookie(headers, "lang").and_then(Language::from_tag));
    let language = language.unwrap_or_else(|| accepted(headers));
    let path = request.uri().path().to_owned();
    let visitor = Visitor { browser, language, path, sandbox: config.sandbox };
    let mut response = if is_foreign(request.method(), headers) {
        Problem::Form.into_response()
    } else {
        request.extensions_mut().insert(visitor.clone());
        next.run(request).await
    };
    let problem = response.extensions_mut().remove().or_else(|| refusal(response.status()));
    if let Some(problem) = problem {
        let page = Html(pages::problem(&visitor, &problem));
        response = (problem.status(), page).into_response();
    }
    let headers = response.headers_mut();
    // Pages renew the cookie. Answers to requests that run beside a page's must not set another one.
    let is_page =
        headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page {
        headers.append(SET_COOKIE, set_cookie(config, name, &visitor.browser));
    }
    if chosen.is_some() {
        headers.append(SET_COOKIE, set_cookie(config, "lang", language.code()));
    }
    protect(headers, config);
    response
}

/// What axum refuses before a handler runs.
fn refusal(status: StatusCode) -> Option<Problem> {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => Some(Problem::TooLarge),
        StatusCode::BAD_REQUEST | StatusCode::METHOD_NOT_ALLOWED => Some(Problem::NotFound),
        status if status.is_client_error() => Some(Problem::Form),
        _ => None,
    }
}

/// Headers that every answer has.
fn protect(headers: &mut HeaderMap, config: &Config) {
    // `form-action`: the redirect after "Sign" leads to the signer's pages, and Chromium checks
    // the redirects of a form too.
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
         connect-src 'self'; form-action 'self' {}; base-uri 'none'; frame-ancestors 'none'",
        config.signer_pages
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // With `no-referrer`, forms would be sent with the origin "null".
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if config.public_url.starts_with("https:") {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(HeaderName::from_static("strict-transport-security"), year);
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// Whether a page of another site sends this form.
fn is_foreign(method: &Method, headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    method == Method::POST && site.is_some_and(|site| !matches!(site, "same-origin" | "none"))
}

/// With the prefix, no other site of the same domain can set the cookie (RFC 6265bis, 4.1.3).
fn cookie_name(config: &Config) -> &'static str {
    if config.public_url.starts_with("https:") { "__Host-browser" } else { "browser" }
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

fn set_cookie(config: &Config, name: &str, value: &str) -> HeaderValue {
    let secure = if config.public_url.starts_with("https:") { "; Secure" } else { "" };
    // Not `Strict`: the browser comes back from another site.
    let text =
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={COOKIE_SECONDS}{secure}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// The first of our languages in `Accept-Language`, which browsers sort by preference.
fn accepted(headers: &HeaderMap) -> Language {
    let value = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let mut tags = value.unwrap_or_default().split(',');
    let tag = |tag: &str| Language::from_tag(tag.split(';').next().unwrap_or_default().trim());
    tags.find_map(tag).unwrap_or(Language::En)
}

/// Whether a text is a random name of ours.
pub(crate) fn is_name(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
}

/// 128 random bits.
pub(crate) fn random_name() -> Option<String> {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets).ok().map(|()| hex(&octets))
}

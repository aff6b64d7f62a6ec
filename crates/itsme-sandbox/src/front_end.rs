//! The pages of the user: plain HTML without scripts, usable with a keyboard and
//! a screen reader.

use std::fmt::Write;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Form, RawQuery, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{StatusCode, Uri};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;

use crate::app_state::AppState;
use crate::discovery::Discovery;
use crate::evidence;
use crate::html::{escape, icon, page};
use crate::redirect::PageQuery;
use crate::sessions::{ICONS, Purpose, Session, SessionState, SignOrder};
use crate::texts::{Lang, Texts};
use crate::users::User;

/// Maximum length of a form, in octets.
const MAX_FORM: usize = 16 * 1024;
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

pub(crate) fn router(app: Arc<AppState>) -> Router {
    Router::new()
        .route("/", get(start))
        .route("/qes/identify", get(show).post(act))
        .route("/qes/sign", get(show).post(act))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .with_state(app)
}

async fn start(State(app): State<Arc<AppState>>) -> Response {
    let texts = Lang::En.texts();
    let mut rows = String::new();
    for user in User::ALL {
        let (name, habit) = (user.name(), texts.habit(user));
        let _ = write!(rows, "<tr><th scope=\"row\"><code>{name}</code></th><td>{habit}</td></tr>");
    }
    let mut services = String::new();
    for (service, url) in evidence::urls(app.pki.addresses()) {
        let (name, url) = (service.name(), escape(&url));
        let _ = write!(
            services,
            "<tr><th scope=\"row\"><code>{name}</code></th><td><code>{url}</code></td></tr>"
        );
    }
    let config = &app.config;
    let redirect_urls: String = config
        .redirect_urls
        .iter()
        .map(|url| format!("<dd><code>{}</code></dd>", escape(url)))
        .collect();
    let body = format!(
        "<dl><dt>partnerCode</dt><dd><code>{}</code></dd><dt>serviceCode</dt><dd><code>{}</code>\
         </dd><dt>redirectUrl</dt>{redirect_urls}</dl>\
         <table><caption>Test users</caption><thead><tr><th scope=\"col\">User</th>\
         <th scope=\"col\">Habit</th></tr></thead><tbody>{rows}</tbody></table>\
         <table><caption>Evidence services</caption><thead><tr><th scope=\"col\">Service</th>\
         <th scope=\"col\">Address</th></tr></thead><tbody>{services}</tbody></table>",
        escape(&config.partner_code),
        escape(&config.service_code),
    );
    html(StatusCode::OK, page(Lang::En, "A stand-in for itsme® Sign", None, &body))
}

async fn show(State(app): State<Arc<AppState>>, RawQuery(raw): RawQuery) -> Response {
    let query = PageQuery::read(raw.as_deref().unwrap_or_default());
    let session = app.mutable().sessions.by_page(&query.page).cloned();
    match session {
        Some(session) => current(&app, &session, &query),
        None => gone(&query),
    }
}

/// The page for the state of a session, or the redirect to the application.
fn current(app: &AppState, session: &Session, query: &PageQuery) -> Response {
    let mutable = app.mutable();
    let lang = language(session, query);
    let texts = lang.texts();
    let (title, body) = match (&session.purpose, session.user) {
        _ if session.state(mutable.now()) != SessionState::Pending => return back(session, query),
        _ if session.ignored => {
            let body = notice(texts.ignored_more, texts, session, query);
            (texts.ignored, body)
        }
        _ if session.is_answered() => return back(session, query),
        (Purpose::Identification, None) => (texts.identify, choose(texts)),
        (Purpose::Identification, Some(user)) => {
            let question = if app.pki.has_certificate(user) { texts.share } else { texts.create };
            let details = format!("<p>{question}</p><dl>{}</dl>", party_rows(app, texts, user));
            (texts.identify, confirm(texts, &details, session))
        }
        (Purpose::Signature(order), user) => {
            let parties = user.map(|user| party_rows(app, texts, user)).unwrap_or_default();
            let details = details(&mutable.discovery, lang, order, &parties);
            (texts.sign, confirm(texts, &details, session))
        }
    };
    html(StatusCode::OK, page(lang, title, Some(query), &body))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PageForm {
    /// The name of the user who identifies.
    user: Option<String>,
    /// The icon that the user chose.
    icon: String,
    /// `confirm` or `refuse`.
    answer: String,
}

async fn act(
    State(app): State<Arc<AppState>>,
    RawQuery(raw): RawQuery,
    uri: Uri,
    Form(form): Form<PageForm>,
) -> Response {
    let query = PageQuery::read(raw.as_deref().unwrap_or_default());
    let mut mutable = app.mutable();
    let now = mutable.now();
    let Some(session) = mutable.sessions.by_page(&query.page).cloned() else {
        return gone(&query);
    };
    let lang = language(&session, &query);
    let texts = lang.texts();
    if session.user.is_none() {
        let Some(user) = form.user.as_deref().and_then(User::from_name) else {
            let body = format!("<p class=\"notice\">{}</p>{}", texts.choose_first, choose(texts));
            let page = page(lang, texts.identify, Some(&query), &body);
            return html(StatusCode::UNPROCESSABLE_ENTITY, page);
        };
        // This cannot fail: the session was found under the same lock.
        let _ = mutable.sessions.choose(&session.id, user, now);
        return Redirect::to(&uri.to_string()).into_response();
    }
    if session.state(now) == SessionState::Pending && !session.is_answered() {
        // A wrong icon means that the user may be confirming another page.
        let right_icon = ICONS.get(session.icon) == Some(&form.icon.as_str());
        let confirms = form.answer == "confirm";
        let _ = mutable.sessions.answer(&session.id, None, confirms && right_icon, now);
        if confirms && !right_icon {
            let body = notice(texts.wrong_icon_more, texts, &session, &query);
            return html(StatusCode::OK, page(lang, texts.wrong_icon, Some(&query), &body));
        }
    }
    let session = mutable.sessions.get(&session.id).cloned().unwrap_or(session);
    drop(mutable);
    current(&app, &session, &query)
}

/// The language chosen on the page, or else the one that the application
/// requested.
fn language(session: &Session, query: &PageQuery) -> Lang {
    query.language.as_deref().and_then(Lang::from_code).unwrap_or(session.lang)
}

/// Redirects to the application. The URL does not contain the outcome.
fn back(session: &Session, query: &PageQuery) -> Response {
    Redirect::to(&query.return_url(&session.redirect_url)).into_response()
}

fn gone(query: &PageQuery) -> Response {
    let lang = query.language.as_deref().and_then(Lang::from_code).unwrap_or(Lang::En);
    html(StatusCode::NOT_FOUND, page(lang, lang.texts().gone, Some(query), ""))
}

fn html(status: StatusCode, page: String) -> Response {
    let headers = [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, Html(page)).into_response()
}

fn notice(more: &str, texts: &Texts, session: &Session, query: &PageQuery) -> String {
    let href = escape(&query.return_url(&session.redirect_url));
    format!(
        "<p class=\"notice\" role=\"status\">{more}</p><p><a href=\"{href}\">{}</a></p>",
        texts.back
    )
}

fn choose(texts: &Texts) -> String {
    let mut choices = String::new();
    for (at, user) in User::ALL.into_iter().enumerate() {
        let checked = if at == 0 { " checked" } else { "" };
        let (name, habit) = (user.name(), texts.habit(user));
        let _ = writeln!(
            choices,
            "<label><input type=\"radio\" name=\"user\" value=\"{name}\"{checked}>\
             <span><code>{name}</code>: {habit}</span></label>",
        );
    }
    format!(
        "<form method=\"post\" class=\"panel\"><fieldset><legend>{}</legend>\n{choices}</fieldset>\
         <p class=\"actions\"><button class=\"main\">{}</button></p></form>",
        texts.who, texts.go_on,
    )
}

fn row(name: &str, value: &str) -> String {
    format!("<dt>{name}</dt><dd>{}</dd>", escape(value))
}

/// The rows that name the organisation and the user.
fn party_rows(app: &AppState, texts: &Texts, user: User) -> String {
    let (surname, given, _) = user.person();
    let who = format!("{surname} {given} ({})", user.name());
    row(texts.partner, &app.config.partner_code) + &row(texts.signs, &who)
}

/// The details of the signing request, in the language of the page.
fn details(discovery: &Discovery, lang: Lang, order: &SignOrder, parties: &str) -> String {
    let texts = lang.texts();
    let find = |list: &[(Lang, String)]| {
        list.iter().find(|(other, _)| *other == lang).map(|(_, text)| text.clone())
    };
    let named = |reference: &String| {
        let label = discovery.label(reference, lang.code()).unwrap_or_default();
        format!("{label} ({reference})")
    };
    let description = match find(&order.description) {
        Some(text) => format!("<p class=\"description\">{}</p>", escape(&text)),
        None => format!("<p>{}</p>", texts.no_description),
    };
    let mut rows = parties.to_owned();
    rows += &row(texts.documents, &order.documents.len().to_string());
    for (name, value) in [
        (texts.policy, order.policy.as_ref().map(named)),
        (texts.commitment, order.commitment.as_ref().map(named)),
        (texts.role, find(&order.role)),
    ] {
        if let Some(value) = value {
            rows += &row(name, &value);
        }
    }
    format!("{description}<dl>{rows}</dl>")
}

/// The page with the marked icon, and next to it the stand-in for the app, in
/// which the user chooses the same icon and answers.
fn confirm(texts: &Texts, details: &str, session: &Session) -> String {
    let (mut shown, mut choices) = (String::new(), String::new());
    for at in session.shown {
        // The mark is a colour, a frame and a text, because not everybody sees colours.
        let (class, mark) = if at == session.icon {
            (" class=\"marked\"", format!("<br>↑ {}", texts.icon_this))
        } else {
            ("", String::new())
        };
        let name = texts.icons.get(at).copied().unwrap_or_default();
        let _ = write!(shown, "<li{class}>{}<br>{name}{mark}</li>", icon(at));
    }
    for at in session.offered {
        let value = ICONS.get(at).copied().unwrap_or_default();
        let name = texts.icons.get(at).copied().unwrap_or_default();
        let _ = writeln!(
            choices,
            "<label><input type=\"radio\" name=\"icon\" value=\"{value}\" required>{}\
             <span>{name}</span></label>",
            icon(at),
        );
    }
    format!(
        "<div class=\"panels\">\n\
         <section class=\"panel\" aria-labelledby=\"here\"><h2 id=\"here\">{}</h2>\
         <ul class=\"icons\">{shown}</ul><p>{}</p></section>\n\
         <section class=\"panel app\" aria-labelledby=\"app\"><h2 id=\"app\">{}</h2>\n{details}\n\
         <form method=\"post\"><fieldset><legend>{}</legend>\n{choices}</fieldset>\
         <p class=\"actions\">\
         <button class=\"main\" name=\"answer\" value=\"confirm\">{}</button>\
         <button name=\"answer\" value=\"refuse\" formnovalidate>{}</button></p></form></section>\n\
         </div>",
        texts.icon_here,
        texts.icon_remember,
        texts.app,
        texts.icon_question,
        texts.confirm,
        texts.refuse,
    )
}

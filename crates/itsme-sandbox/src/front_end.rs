//! The pages: plain HTML without scripts, for people, keyboards and screen
//! readers.

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

use crate::discovery::Discovery;
use crate::html::{escape, icon, page};
use crate::redirect::PageQuery;
use crate::sessions::{ICONS, Purpose, Session, SignOrder, State as SessionState};
use crate::texts::{Lang, Texts};
use crate::users::User;
use crate::world::World;

/// No form is longer, in octets.
const MAX_FORM: usize = 16 * 1024;
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

pub(crate) fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/", get(start))
        .route("/qes/identify", get(show).post(act))
        .route("/qes/sign", get(show).post(act))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .with_state(world)
}

async fn start(State(world): State<Arc<World>>) -> Response {
    let texts = Lang::En.texts();
    let mut rows = String::new();
    for user in User::ALL {
        let (name, habit) = (user.name(), texts.habit(user));
        let _ = write!(rows, "<tr><th scope=\"row\"><code>{name}</code></th><td>{habit}</td></tr>");
    }
    let config = &world.config;
    let redirect_urls: String = config
        .redirect_urls
        .iter()
        .map(|url| format!("<dd><code>{}</code></dd>", escape(url)))
        .collect();
    let body = format!(
        "<dl><dt>partnerCode</dt><dd><code>{}</code></dd><dt>serviceCode</dt><dd><code>{}</code>\
         </dd><dt>redirectUrl</dt>{redirect_urls}</dl>\
         <table><caption>Test users</caption><thead><tr><th scope=\"col\">User</th>\
         <th scope=\"col\">Habit</th></tr></thead><tbody>{rows}</tbody></table>",
        escape(&config.partner_code),
        escape(&config.service_code),
    );
    html(StatusCode::OK, page(Lang::En, "A stand-in for itsme® Sign", None, &body))
}

async fn show(State(world): State<Arc<World>>, RawQuery(raw): RawQuery) -> Response {
    let query = PageQuery::read(raw.as_deref().unwrap_or_default());
    let session = world.changing().sessions.by_page(&query.page).cloned();
    match session {
        Some(session) => current(&world, &session, &query),
        None => gone(&query),
    }
}

/// The page of a session as it stands, or the way back.
fn current(world: &World, session: &Session, query: &PageQuery) -> Response {
    let changing = world.changing();
    let lang = language(session, query);
    let texts = lang.texts();
    let (title, body) = match (&session.purpose, session.user) {
        _ if session.state(changing.now()) != SessionState::Pending => return back(session, query),
        _ if session.ignored => {
            let body = notice(texts.ignored_more, texts, session, query);
            (texts.ignored, body)
        }
        _ if session.is_answered() => return back(session, query),
        (Purpose::Identification, None) => (texts.identify, choose(texts)),
        (Purpose::Identification, Some(user)) => {
            let question = if world.pki.has_certificate(user) { texts.share } else { texts.create };
            let details = format!("<p>{question}</p><dl>{}</dl>", people(world, texts, user));
            (texts.identify, confirm(texts, &details, session))
        }
        (Purpose::Signature(order), user) => {
            let people = user.map(|user| people(world, texts, user)).unwrap_or_default();
            let details = details(&changing.discovery, lang, order, &people);
            (texts.sign, confirm(texts, &details, session))
        }
    };
    html(StatusCode::OK, page(lang, title, Some(query), &body))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Act {
    /// Who identifies, by name.
    user: Option<String>,
    /// Which icon was chosen.
    icon: String,
    /// `confirm` or `refuse`.
    answer: String,
}

async fn act(
    State(world): State<Arc<World>>,
    RawQuery(raw): RawQuery,
    uri: Uri,
    Form(act): Form<Act>,
) -> Response {
    let query = PageQuery::read(raw.as_deref().unwrap_or_default());
    let mut changing = world.changing();
    let now = changing.now();
    let Some(session) = changing.sessions.by_page(&query.page).cloned() else {
        return gone(&query);
    };
    let lang = language(&session, &query);
    let texts = lang.texts();
    if session.user.is_none() {
        let Some(user) = act.user.as_deref().and_then(User::from_name) else {
            let body = format!("<p class=\"notice\">{}</p>{}", texts.choose_first, choose(texts));
            let page = page(lang, texts.identify, Some(&query), &body);
            return html(StatusCode::UNPROCESSABLE_ENTITY, page);
        };
        // The session was there a moment ago, under the same lock.
        let _ = changing.sessions.choose(&session.id, user, now);
        return Redirect::to(&uri.to_string()).into_response();
    }
    if session.state(now) == SessionState::Pending && !session.is_answered() {
        // A wrong icon means that somebody else's page is being confirmed.
        let right_icon = ICONS.get(session.icon) == Some(&act.icon.as_str());
        let confirms = act.answer == "confirm";
        let _ = changing.sessions.answer(&session.id, None, confirms && right_icon, now);
        if confirms && !right_icon {
            let body = notice(texts.wrong_icon_more, texts, &session, &query);
            return html(StatusCode::OK, page(lang, texts.wrong_icon, Some(&query), &body));
        }
    }
    let session = changing.sessions.get(&session.id).cloned().unwrap_or(session);
    drop(changing);
    current(&world, &session, &query)
}

/// The page's own language first, then the one the application asked for.
fn language(session: &Session, query: &PageQuery) -> Lang {
    query.language.as_deref().and_then(Lang::from_code).unwrap_or(session.lang)
}

/// Back to the application: the outcome is never in the address.
fn back(session: &Session, query: &PageQuery) -> Response {
    Redirect::to(&query.way_back(&session.redirect_url)).into_response()
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
    let href = escape(&query.way_back(&session.redirect_url));
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

fn people(world: &World, texts: &Texts, user: User) -> String {
    let (surname, given, _) = user.person();
    let who = format!("{surname} {given} ({})", user.name());
    row(texts.partner, &world.config.partner_code) + &row(texts.signs, &who)
}

/// What is to be signed, in the page's language.
fn details(discovery: &Discovery, lang: Lang, order: &SignOrder, people: &str) -> String {
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
    let mut rows = people.to_owned();
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

/// The page with its icons, and beside it what the app shows.
fn confirm(texts: &Texts, details: &str, session: &Session) -> String {
    let (mut shown, mut choices) = (String::new(), String::new());
    for (at, (value, name)) in ICONS.iter().zip(texts.icons).enumerate() {
        let (class, mark) = if at == session.icon {
            (" class=\"marked\"", format!("<br>← {}", texts.icon_this))
        } else {
            ("", String::new())
        };
        let _ = write!(shown, "<li{class}>{}<br>{name}{mark}</li>", icon(at));
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

//! The pages: plain HTML without scripts, for people and for keyboards and
//! screen readers.

use std::fmt::Write;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;

use crate::back_end::label;
use crate::server::World;
use crate::sessions::{ICONS, Purpose, Session, SignRequest, State as SessionState};
use crate::texts::{Texts, texts};
use crate::users::User;

pub(crate) fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/", get(start))
        .route("/qes/identify", get(show).post(act))
        .route("/qes/sign", get(show).post(act))
        .with_state(world)
}

async fn start() -> Html<String> {
    let mut body = String::from("<h1>itsme-sandbox</h1><table><caption>Users</caption>");
    for user in User::ALL {
        let _ = write!(
            body,
            "<tr><th scope=\"row\">{}</th><td>{}</td></tr>",
            user.name(),
            texts("EN").habit(user)
        );
    }
    Html(page(texts("EN"), &format!("{body}</table>")))
}

/// The query of a page: which session, and what else came with it.
struct Query {
    page: String,
    /// What the application added; it goes back to it, octet by octet.
    extra: String,
}

fn query(raw: Option<&str>) -> Query {
    let mut page = None;
    let mut extra = Vec::new();
    for part in raw.unwrap_or_default().split('&').filter(|part| !part.is_empty()) {
        match part.split_once('=') {
            // Only the first is ours: the application may use the name too.
            Some(("q", value)) if page.is_none() => page = Some(value.to_owned()),
            Some(("language", _)) => {}
            _ => extra.push(part),
        }
    }
    Query { page: page.unwrap_or_default(), extra: extra.join("&") }
}

async fn show(State(world): State<Arc<World>>, RawQuery(raw): RawQuery) -> Response {
    let query = query(raw.as_deref());
    let changing = world.changing();
    let Some(session) = changing.sessions.by_page(&query.page) else {
        return gone(texts("EN"));
    };
    if session.state(changing.now()) != SessionState::Pending {
        return back(session, &query.extra);
    }
    let texts = texts(&session.lang);
    let body = match (&session.purpose, session.user) {
        (Purpose::Identification, None) => choose(texts),
        (Purpose::Identification, Some(_)) => confirm(texts, texts.identify, "", session),
        (Purpose::Signature(sign), _) => {
            confirm(texts, texts.sign, &details(texts, sign, &session.lang), session)
        }
    };
    html(StatusCode::OK, page(texts, &body))
}

#[derive(Deserialize)]
struct Act {
    #[serde(default)]
    user: String,
    #[serde(default)]
    icon: String,
    #[serde(default)]
    answer: String,
}

async fn act(
    State(world): State<Arc<World>>,
    RawQuery(raw): RawQuery,
    Form(act): Form<Act>,
) -> Response {
    let query = query(raw.as_deref());
    let mut changing = world.changing();
    let now = changing.now();
    let Some(session) = changing.sessions.by_page(&query.page).cloned() else {
        return gone(texts("EN"));
    };
    if session.state(now) != SessionState::Pending {
        return back(&session, &query.extra);
    }
    let Some(user) = session.user.or_else(|| User::from_name(&act.user)) else {
        return gone(texts(&session.lang));
    };
    let confirms = act.answer == "confirm";
    if !confirms && act.answer != "refuse" {
        // The user was chosen: now the icon is asked for.
        let texts = texts(&session.lang);
        let mut chosen = session;
        chosen.user = Some(user);
        let body = confirm(texts, texts.identify, "", &chosen);
        return html(StatusCode::OK, page(texts, &body));
    }
    // A wrong icon means that somebody else's page is being confirmed.
    let right_icon = ICONS.get(session.icon) == Some(&act.icon.as_str());
    changing.sessions.answer(&session.id, user, confirms && right_icon, now);
    if confirms && !right_icon {
        let texts = texts(&session.lang);
        let url = escape(&way_back(&session, &query.extra));
        let body = format!(
            "<h1>{}</h1><p role=\"status\"><a href=\"{url}\">{}</a></p>",
            texts.wrong_icon, texts.back
        );
        return html(StatusCode::OK, page(texts, &body));
    }
    back(&session, &query.extra)
}

/// Back to the application: the answer itself is never in the address.
fn back(session: &Session, extra: &str) -> Response {
    Redirect::to(&way_back(session, extra)).into_response()
}

fn way_back(session: &Session, extra: &str) -> String {
    let separator = if session.redirect_url.contains('?') { '&' } else { '?' };
    if extra.is_empty() {
        session.redirect_url.clone()
    } else {
        format!("{}{separator}{extra}", session.redirect_url)
    }
}

/// A page, with the headers that keep it to itself.
fn html(status: StatusCode, page: String) -> Response {
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, Html(page)).into_response()
}

fn gone(texts: &Texts) -> Response {
    let body = format!("<h1>{}</h1>", texts.gone);
    html(StatusCode::NOT_FOUND, page(texts, &body))
}

fn choose(texts: &Texts) -> String {
    let mut choices = String::new();
    for (at, user) in User::ALL.into_iter().enumerate() {
        let checked = if at == 0 { " checked" } else { "" };
        let _ = write!(
            choices,
            "<p><label><input type=\"radio\" name=\"user\" value=\"{0}\"{checked}> {0}: {1}</label></p>",
            user.name(),
            texts.habit(user),
        );
    }
    format!(
        "<h1>{}</h1><form method=\"post\"><fieldset><legend>{}</legend>{choices}</fieldset>\
         <p><button>{}</button></p></form>",
        texts.identify, texts.who, texts.go_on,
    )
}

/// The page with its icon, and beside it what the app would show.
fn confirm(texts: &Texts, title: &str, details: &str, session: &Session) -> String {
    let (mut shown, mut choices) = (String::new(), String::new());
    for (at, (value, name)) in ICONS.iter().zip(texts.icons).enumerate() {
        let (class, mark) = if at == session.icon {
            (" class=\"marked\"", format!("<br>← {}", texts.icon_this))
        } else {
            ("", String::new())
        };
        let _ = write!(shown, "<li{class}>{} {name}{mark}</li>", shape(at));
        let _ = write!(
            choices,
            "<p><label><input type=\"radio\" name=\"icon\" value=\"{value}\" required> {} {name}</label></p>",
            shape(at),
        );
    }
    let user = session.user.map_or("", User::name);
    format!(
        "<h1>{title}</h1>{details}\
         <section><h2>{}</h2><ul class=\"icons\">{shown}</ul></section>\
         <section class=\"app\"><h2>{}</h2><form method=\"post\">\
         <input type=\"hidden\" name=\"user\" value=\"{user}\">\
         <fieldset><legend>{}</legend>{choices}</fieldset>\
         <p><button name=\"answer\" value=\"confirm\">{}</button> \
         <button name=\"answer\" value=\"refuse\" formnovalidate>{}</button></p></form></section>",
        texts.icon_here, texts.app, texts.icon_question, texts.confirm, texts.refuse,
    )
}

fn details(texts: &Texts, sign: &SignRequest, lang: &str) -> String {
    let in_language = |list: &[(String, String)]| {
        list.iter().find(|(l, _)| l == lang).map(|(_, text)| text.clone())
    };
    let named = |reference: &String| match label(reference, lang) {
        Some(label) => format!("{label} ({reference})"),
        None => reference.clone(),
    };
    let mut rows = String::new();
    let mut row = |name: &str, value: &str| {
        let value = escape(value);
        let _ = write!(rows, "<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>");
    };
    row(texts.documents, &sign.documents.len().to_string());
    for (name, value) in [
        (texts.policy, sign.policy.as_ref().map(named)),
        (texts.commitment, sign.commitment.as_ref().map(named)),
        (texts.role, in_language(&sign.role)),
    ] {
        if let Some(value) = value {
            row(name, &value);
        }
    }
    let description = in_language(&sign.description).map_or(String::new(), |description| {
        format!("<p class=\"description\">{}</p>", escape(&description))
    });
    format!("{description}<table>{rows}</table>")
}

const fn shape(icon: usize) -> &'static str {
    match icon {
        0 => "<span aria-hidden=\"true\">●</span>",
        1 => "<span aria-hidden=\"true\">▲</span>",
        _ => "<span aria-hidden=\"true\">■</span>",
    }
}

fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
        out
    })
}

fn page(texts: &Texts, body: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"{}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>itsme-sandbox</title>\
         <style>{STYLE}</style></head><body><p role=\"alert\" class=\"banner\">{}</p>\
         <main>{body}</main></body></html>",
        texts.code, texts.banner,
    )
}

const STYLE: &str = "body{font:1.1rem/1.5 sans-serif;margin:0;color:#1a1a1a;background:#fff}\
main{max-width:40rem;margin:auto;padding:1rem}\
.banner{margin:0;padding:.7rem;background:#8a1c00;color:#fff;font-weight:bold;text-align:center}\
.app{border:3px solid #444;border-radius:1rem;padding:0 1rem}\
.icons{display:flex;gap:1rem;padding:0;list-style:none;text-align:center}\
.icons li{flex:1;padding:.7rem;border:4px solid transparent;color:#595959}\
.icons .marked{border-color:#0047ab;background:#e5eef8;color:#1a1a1a;font-weight:bold}\
.icons span{display:block;font-size:2.2rem}\
.description{font-size:1.3rem}th{text-align:left;padding-right:1rem;vertical-align:top}\
button{font:inherit;padding:.5rem 1.2rem}:focus-visible{outline:3px solid #0047ab}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_application_added_comes_back_untouched() {
        let query = query(Some("language=NL&q=0a1b&st=Zk%2B1&x"));
        assert_eq!((query.page.as_str(), query.extra.as_str()), ("0a1b", "st=Zk%2B1&x"));
    }

    #[test]
    fn texts_of_the_application_are_escaped() {
        assert_eq!(escape("<b>&\"'"), "&lt;b&gt;&amp;&quot;&#39;");
    }
}

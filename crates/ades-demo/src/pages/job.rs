//! The page of a case that is being signed, or was.

use ades::signer::RefusalReason;
use ades_session::{EndReason, Next, Stop};

use super::case::badge;
use super::{Page, button, escape, form};
use crate::cases::{Case, Item};
use crate::texts::Texts;
use crate::visitor::Visitor;

/// What the script of a page that waits compares: the page loads itself again when this changes.
pub(crate) const fn state(next: &Next) -> &'static str {
    match next {
        Next::Incomplete { .. } => "writing",
        Next::Stopped(_) => "stopped",
        Next::Done { .. } => "done",
        Next::Ended(_) => "ended",
        _ => "wait",
    }
}

/// The page for what is to be done next.
pub(crate) fn job(visitor: &Visitor, case: &Case, items: &[Item], next: &Next) -> String {
    let texts = visitor.texts();
    let waits = matches!(state(next), "wait" | "writing").then(|| state(next)).unwrap_or_default();
    let (title, body) = match next {
        Next::Done { .. } => return done(visitor, case, items),
        Next::Stopped(stop) => stopped(visitor, case, stop),
        Next::Ended(reason) => ended(visitor, case, *reason),
        Next::Incomplete { .. } => {
            (texts.writing, format!("<p>{}</p>{}", texts.writing_text, progress(texts, items)))
        }
        next => (texts.wait, wait(visitor, case, items, next)),
    };
    Page { visitor, title, step: Some(1), state: waits, body }.to_html()
}

fn wait(visitor: &Visitor, case: &Case, items: &[Item], next: &Next) -> String {
    let texts = visitor.texts();
    let mut text = format!("<p role=\"status\">{}</p>", texts.wait_text);
    let mut links = String::new();
    if let Next::Wait { page, expires_at, .. } = next {
        if let Some(until) = expires_at {
            let (exact, shown) = (until.format("%Y-%m-%dT%H:%M:%SZ"), until.format("%H:%M UTC"));
            text +=
                &format!("<p>{} <time datetime=\"{exact}\">{shown}</time>.</p>", texts.wait_until);
        }
        if let Some(page) = page {
            let page = escape(page);
            links = format!("<a class=\"button main\" href=\"{page}\">{}</a>", texts.wait_page);
        }
    }
    links += &format!("<a class=\"button\" href=\"/cases/{}\">{}</a>", case.name, texts.reload);
    let cancel = button("cancel", "quiet", texts.cancel);
    format!(
        "<div class=\"card waiting\"><span class=\"phone\" aria-hidden=\"true\"><span></span></span>\
         <div>{text}{}<p class=\"actions\">{links}</p></div></div>{}",
        progress(texts, items),
        form(visitor, &format!("/cases/{}", case.name), "actions", &cancel),
    )
}

/// How many documents are signed, for cases of several batches.
fn progress(texts: &Texts, items: &[Item]) -> String {
    let (signed, all) = (items.iter().filter(|item| item.is_signed()).count(), items.len());
    if all < 2 {
        return String::new();
    }
    format!(
        "<p><label>{}: {signed} / {all} <progress max=\"{all}\" value=\"{signed}\"></progress>\
         </label></p>",
        texts.progress
    )
}

fn stopped(visitor: &Visitor, case: &Case, stop: &Stop) -> (&'static str, String) {
    let texts = visitor.texts();
    let (title, text) = match stop {
        Stop::Refused { reason: RefusalReason::ByUser, .. } => {
            (texts.refused, texts.nothing_signed)
        }
        Stop::Refused { reason: RefusalReason::NotAllowed, .. } => {
            (texts.not_allowed, texts.not_allowed_text)
        }
        Stop::Refused { .. } | Stop::Expired => (texts.expired, texts.nothing_signed),
        Stop::SessionLost => (texts.lost, texts.lost_text),
        Stop::OtherCertificate => (texts.renewed, texts.renewed_text),
        Stop::Unknown => (texts.unknown, texts.unknown_text),
        _ => (texts.failed, texts.failed_text),
    };
    let again = match stop {
        Stop::Refused { reason: RefusalReason::NotAllowed, .. } => String::new(),
        Stop::OtherCertificate => button("identify", "main", texts.identify),
        _ => button("again", "main", texts.again) + &button("identify", "", texts.identify),
    };
    let buttons = again + &button("cancel", "quiet", texts.cancel);
    let form = form(visitor, &format!("/cases/{}", case.name), "actions", &buttons);
    (title, format!("<p class=\"notice\" role=\"status\">{text}</p>{form}"))
}

fn ended(visitor: &Visitor, case: &Case, reason: EndReason) -> (&'static str, String) {
    let texts = visitor.texts();
    let title = match reason {
        EndReason::Refused => texts.refused,
        EndReason::Expired => texts.expired,
        EndReason::Cancelled => texts.cancelled,
        _ => texts.failed,
    };
    let buttons = button("edit", "main", texts.edit) + &button("delete", "quiet", texts.delete);
    let form = form(visitor, &format!("/cases/{}", case.name), "actions", &buttons);
    let text = texts.nothing_signed;
    (title, format!("<p class=\"notice\" role=\"status\">{text}</p>{form}"))
}

/// The page of a case that is signed.
pub(crate) fn done(visitor: &Visitor, case: &Case, items: &[Item]) -> String {
    let texts = visitor.texts();
    let mut rows = String::new();
    for item in items.iter().filter(|item| item.is_signed()) {
        let here = format!("/cases/{}/{}", case.name, item.no);
        let name = escape(&item.about.signed_name());
        rows += &format!(
            "<li class=\"card\">{}<strong>{name}</strong>\
             <a class=\"button\" href=\"{here}/contents\" aria-label=\"{1}: {name}\">{1}</a>\
             <a class=\"button\" href=\"{here}/signed\" aria-label=\"{2}: {name}\">{2}</a></li>",
            badge(item),
            texts.contents,
            texts.download,
        );
    }
    let all = format!(
        "<p class=\"actions\"><a class=\"button main\" href=\"/cases/{}/all.zip\">{}</a></p>",
        case.name, texts.download_all
    );
    let delete = button("delete", "quiet", texts.delete);
    let delete = form(visitor, &format!("/cases/{}", case.name), "actions", &delete);
    let body = format!(
        "<p role=\"status\">{}</p><ul class=\"documents\">{rows}</ul>{all}{delete}",
        texts.done_text
    );
    Page { visitor, title: texts.done, step: Some(2), state: "", body }.to_html()
}

//! The page of a case that is not being signed.

use super::{Page, button, escape, form, size, upload_form};
use crate::cases::{Case, Item, MAX_DOCUMENTS};
use crate::options::Kind;
use crate::texts::Texts;
use crate::visitor::Visitor;

pub(crate) fn edit(visitor: &Visitor, case: &Case, items: &[Item]) -> String {
    let texts = visitor.texts();
    let rows: String = items.iter().map(|item| row(texts, case, item)).collect();
    let mut body = format!("<ul class=\"documents\">{rows}</ul>");
    if items.len() < MAX_DOCUMENTS {
        let upload = upload_form(visitor, &format!("/cases/{}/documents", case.name));
        let is_open = if items.is_empty() { " open" } else { "" };
        body += &format!("<details{is_open}><summary>{}</summary>{upload}</details>", texts.more);
    }
    let mut buttons = String::new();
    if items.iter().any(|item| item.about.problem.is_some()) {
        buttons += &format!("<p class=\"notice\" role=\"status\">{}</p>", texts.fix_first);
    } else if !items.is_empty() {
        let label = format!("{}: {}", texts.sign, texts.count(items.len()));
        buttons += &format!("<p>{}</p>", texts.sign_text);
        buttons += &button("sign", "main", &label);
    }
    buttons += &button("delete", "quiet", texts.delete);
    body += &form(visitor, &format!("/cases/{}", case.name), "actions", &buttons);
    Page { visitor, title: texts.documents, step: Some(0), state: "", body }.to_html()
}

/// The badge of a document's kind. Its name says the same, so screen readers need not read it.
pub(super) fn badge(item: &Item) -> String {
    let (class, text) = match item.about.kind {
        Kind::Pdf => ("pdf", "PDF"),
        Kind::Xml => ("xml", "XML"),
        Kind::Other => ("other", "DOC"),
    };
    format!("<span class=\"badge {class}\" aria-hidden=\"true\">{text}</span>")
}

fn row(texts: &Texts, case: &Case, item: &Item) -> String {
    let about = &item.about;
    let href = format!("/cases/{}/{}", case.name, item.no);
    let stamp = about.stamp.map(|place| format!(", {} {}", texts.stamp_on, place.page));
    let choice = texts.choices.get(about.choice as usize).copied().unwrap_or_default();
    let (short, _) = choice.split_once([':', ' ']).unwrap_or((choice, ""));
    let problem = about
        .problem
        .as_deref()
        .map(|problem| format!("<span class=\"problem\" lang=\"en\">{}</span>", escape(problem)));
    format!(
        "<li class=\"card\">{}<a href=\"{href}\"><strong>{}</strong></a>\
         <span class=\"meta\">{} · {short}{}</span>{}\
         <a class=\"button\" href=\"{href}\" aria-label=\"{}: {}\">{}</a></li>",
        badge(item),
        escape(&about.name),
        size(about.length),
        stamp.unwrap_or_default(),
        problem.unwrap_or_default(),
        texts.look,
        escape(&about.name),
        texts.look,
    )
}

//! The first page.

use super::{Page, escape, upload_form};
use crate::cases::{Attempt, Case, Item};
use crate::visitor::Visitor;

pub(crate) fn start(visitor: &Visitor, cases: &[(Case, Vec<Item>, Attempt)]) -> String {
    let texts = visitor.texts();
    let mut body = format!("<p class=\"lead\">{}</p>", texts.lead);
    body += &upload_form(visitor, "/cases");
    if !cases.is_empty() {
        let rows: String = cases.iter().map(|case| row(visitor, case)).collect();
        body += &format!(
            "<section aria-labelledby=\"cases\"><h2 id=\"cases\">{}</h2>\
             <ul class=\"documents\">{rows}</ul></section>",
            texts.cases
        );
    }
    Page { visitor, title: texts.start, step: Some(0), state: "", body }.to_html()
}

fn row(visitor: &Visitor, (case, items, attempt): &(Case, Vec<Item>, Attempt)) -> String {
    let texts = visitor.texts();
    let is_signed = !items.is_empty() && items.iter().all(Item::is_signed);
    let [draft, open, signed] = texts.states;
    let (class, state) = match (is_signed, attempt.is_open) {
        (true, _) => ("signed", signed),
        (false, true) => ("draft", draft),
        (false, false) => ("open", open),
    };
    let names: Vec<String> = items.iter().take(3).map(|item| escape(&item.about.name)).collect();
    format!(
        "<li class=\"card\"><a href=\"/cases/{}\"><strong>{}</strong></a>\
         <span class=\"meta\">{}</span><span class=\"chip {class}\">{state}</span></li>",
        case.name,
        texts.count(items.len()),
        names.join(", "),
    )
}

//! The page of a document, and that of what its container holds.

use super::{Page, escape, form};
use crate::cases::{Case, Item};
use crate::contents::{Contents, View};
use crate::options::{A4, Choice, Place, STAMP};
use crate::preview::MAX_PAGES;
use crate::visitor::Visitor;

/// The names of the places of a stamp, in the order of the texts.
const PLACES: [&str; 6] = ["none", "top-left", "top-right", "bottom-left", "bottom-right", "here"];

pub(crate) fn document(
    visitor: &Visitor,
    case: &Case,
    item: &Item,
    view: &View,
    is_open: bool,
) -> String {
    let texts = visitor.texts();
    let can_stamp = is_open && item.about.choice == Choice::Pades;
    let shown = match view {
        View::Pages(sizes) if !sizes.is_empty() => pages(visitor, case, item, sizes, can_stamp),
        View::Text(text) => format!(
            "<pre class=\"text\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">{}</pre>",
            texts.text,
            escape(text)
        ),
        _ => format!("<p class=\"notice\">{}</p>", texts.no_view),
    };
    let here = format!("/cases/{}/{}", case.name, item.no);
    let links = format!(
        "<p><a href=\"{here}/document\">{}</a></p><p><a href=\"/cases/{}\">{}</a></p>",
        texts.original, case.name, texts.back
    );
    let aside = match is_open {
        true => choice_form(visitor, &here, item, view) + &links,
        false => links,
    };
    let body = format!(
        "<div class=\"columns\"><div class=\"view\">{shown}</div><div class=\"side\">{aside}</div></div>"
    );
    Page { visitor, title: &item.about.name, step: Some(0), state: "", body }.to_html()
}

/// The pages of a PDF. The script lets the visitor click on them.
fn pages(
    visitor: &Visitor,
    case: &Case,
    item: &Item,
    sizes: &[(f64, f64)],
    can_stamp: bool,
) -> String {
    let texts = visitor.texts();
    let mut list = String::new();
    for (at, (width, height)) in sizes.iter().enumerate() {
        let page = at + 1;
        list += &format!(
            "<li><figure data-page=\"{page}\" data-width=\"{width}\" data-height=\"{height}\">\
             <img src=\"/cases/{}/{}/page/{page}\" width=\"{width:.0}\" height=\"{height:.0}\" \
             loading=\"lazy\" alt=\"{} {page}\"></figure></li>",
            case.name, item.no, texts.page,
        );
    }
    let stampable = match can_stamp {
        true => {
            format!(" data-stamp=\"{} {}\" data-label=\"{}\"", STAMP.0, STAMP.1, texts.stamp_move)
        }
        false => String::new(),
    };
    format!("<ol class=\"pages\"{stampable}>{list}</ol>")
}

fn choice_form(visitor: &Visitor, here: &str, item: &Item, view: &View) -> String {
    let texts = visitor.texts();
    let mut fields = String::new();
    if let Some(problem) = &item.about.problem {
        fields +=
            &format!("<p class=\"notice\" lang=\"en\" role=\"alert\">{}</p>", escape(problem));
    }
    let mut choices = String::new();
    for choice in item.about.kind.choices() {
        let text = texts.choices.get(*choice as usize).copied().unwrap_or_default();
        let checked = if *choice == item.about.choice { " checked" } else { "" };
        choices += &format!(
            "<label><input type=\"radio\" name=\"choice\" value=\"{}\"{checked}> {text}</label>",
            choice.name()
        );
    }
    fields += &format!("<fieldset><legend>{}</legend>{choices}</fieldset>", texts.format);
    if let View::Pages(sizes) = view
        && item.about.kind.choices().contains(&Choice::Pades)
    {
        fields += &stamp_fields(visitor, item.about.stamp, sizes.len());
    }
    fields += &format!("<p class=\"actions\"><button class=\"main\">{}</button>", texts.save);
    fields += &format!(
        "<button name=\"remove\" value=\"yes\" class=\"quiet\">{}</button></p>",
        texts.remove
    );
    let form = form(visitor, here, "card choice", &fields);
    format!("<h2>{}</h2>{form}", texts.how)
}

fn stamp_fields(visitor: &Visitor, stamp: Option<Place>, pages: usize) -> String {
    let texts = visitor.texts();
    let chosen = if stamp.is_some() { "here" } else { "none" };
    let mut options = String::new();
    for (name, text) in PLACES.iter().zip(texts.places) {
        let selected = if *name == chosen { " selected" } else { "" };
        options += &format!("<option value=\"{name}\"{selected}>{text}</option>");
    }
    let Place { page, left, bottom } =
        stamp.unwrap_or(Place { page: 1, left: 36.0, bottom: A4.1 / 2.0 });
    let last = if pages == 0 { MAX_PAGES } else { pages };
    format!(
        "<fieldset class=\"stamp\"><legend>{}</legend><p class=\"hint\">{}</p>\
         <p><select name=\"stamp\" aria-label=\"{0}\">{options}</select></p>\
         <p><label>{} <input type=\"number\" name=\"page\" min=\"1\" max=\"{last}\" value=\"{page}\">\
         </label></p><input type=\"hidden\" name=\"left\" value=\"{left}\">\
         <input type=\"hidden\" name=\"bottom\" value=\"{bottom}\"></fieldset>",
        texts.stamp, texts.stamp_hint, texts.page,
    )
}

pub(crate) fn contents(visitor: &Visitor, case: &Case, item: &Item, contents: &Contents) -> String {
    let texts = visitor.texts();
    let [yes, no, unknown] = texts.answers;
    let (class, intact) = match contents.intact {
        Some(true) => ("signed", yes),
        Some(false) => ("broken", no),
        None => ("draft", unknown),
    };
    let signer = contents.signer.as_deref().unwrap_or("–");
    let here = format!("/cases/{}/{}", case.name, item.no);
    let facts = format!(
        "<dl class=\"card facts\"><dt>{}</dt><dd>{}</dd><dt>{}</dt><dd>{}</dd><dt>{}</dt>\
         <dd><span class=\"chip {class}\">{intact}</span></dd></dl>",
        texts.signer,
        escape(signer),
        texts.format,
        escape(&contents.format),
        texts.intact,
    );
    let links = format!(
        "<p class=\"actions\"><a class=\"button main\" href=\"{here}/signed\">{}</a>\
         <a class=\"button\" href=\"/cases/{}\">{}</a></p>",
        texts.download, case.name, texts.back,
    );
    let list = format!(
        "<h2>{0}</h2><pre class=\"text\" lang=\"en\" tabindex=\"0\" role=\"region\" \
         aria-label=\"{0}\">{1}</pre>",
        texts.list,
        escape(&contents.list),
    );
    let body = facts + &links + &list;
    Page { visitor, title: &item.about.signed_name(), step: Some(2), state: "", body }.to_html()
}

//! The pages: plain HTML, usable with a keyboard and a screen reader, and without the script.

mod case;
mod document;
mod job;
mod start;

use ades::signer::Language;

pub(crate) use case::edit;
pub(crate) use document::{contents, document};
pub(crate) use job::{done, job, state};
pub(crate) use start::start;

use crate::error::Problem;
use crate::texts::Texts;
use crate::upload::MAX_DOCUMENT;
use crate::visitor::Visitor;

/// Escapes text for HTML.
fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
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

/// A page, and where it is in the visitor's way.
struct Page<'a> {
    visitor: &'a Visitor,
    title: &'a str,
    /// The step: 0 to 2, or none
    step: Option<usize>,
    /// What the script of the page waits for: see [`job::state`]
    state: &'a str,
    body: String,
}

impl Page<'_> {
    fn to_html(&self) -> String {
        let Self { visitor, title, step, state, body } = self;
        let texts = visitor.texts();
        let title = escape(title);
        let banner = match visitor.sandbox {
            true => format!("<p class=\"banner\">{}</p>", texts.sandbox),
            false => String::new(),
        };
        // Without the script, the page loads itself again.
        let refresh = match state.is_empty() {
            true => "",
            false => "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>\n",
        };
        let waits = match state.is_empty() {
            true => String::new(),
            false => format!(" data-state=\"{state}\""),
        };
        format!(
            "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title} – ades demo</title>\n\
             <link rel=\"stylesheet\" href=\"/style.css\">\n\
             <link rel=\"icon\" href=\"/icon.svg\" type=\"image/svg+xml\">\n\
             <script src=\"/demo.js\" defer></script>\n{refresh}</head>\n<body>\n\
             <a class=\"skip\" href=\"#content\">{}</a>\n\
             <header>{banner}<div class=\"bar\">\
             <a class=\"brand\" href=\"/\"><span class=\"mark\" aria-hidden=\"true\"></span>ades demo</a>\
             {}</div></header>\n<main id=\"content\"{waits}>\n{}<h1>{title}</h1>\n{body}\n</main>\n\
             </body>\n</html>\n",
            texts.code,
            texts.skip,
            languages(visitor),
            step.map(|step| steps(texts, step)).unwrap_or_default(),
        )
    }
}

fn languages(visitor: &Visitor) -> String {
    let texts = visitor.texts();
    let mut links = String::new();
    for language in Language::ALL {
        let other = Texts::of(language);
        let current = if other.code == texts.code { " aria-current=\"true\"" } else { "" };
        links += &format!(
            "<li><a href=\"?lang={0}\" lang=\"{0}\" hreflang=\"{0}\"{current} \
             aria-label=\"{2} {1}\">{2}</a></li>",
            other.code,
            other.language,
            language.code(),
        );
    }
    format!("<nav aria-label=\"{}\"><ul>{links}</ul></nav>", texts.languages)
}

fn steps(texts: &Texts, current: usize) -> String {
    let mut list = String::new();
    for (at, step) in texts.steps.iter().enumerate() {
        let state = match at.cmp(&current) {
            std::cmp::Ordering::Less => " class=\"past\"",
            std::cmp::Ordering::Equal => " aria-current=\"step\"",
            std::cmp::Ordering::Greater => "",
        };
        list += &format!("<li{state}><span>{step}</span></li>");
    }
    format!("<ol class=\"steps\" aria-label=\"{}\">{list}</ol>\n", texts.step)
}

/// A form with its token.
fn form(visitor: &Visitor, action: &str, class: &str, content: &str) -> String {
    format!(
        "<form method=\"post\" action=\"{action}\" class=\"{class}\">\
         <input type=\"hidden\" name=\"token\" value=\"{}\">{content}</form>",
        visitor.token()
    )
}

/// A button that sends a wish about a case.
fn button(wish: &str, class: &str, text: &str) -> String {
    format!("<button name=\"wish\" value=\"{wish}\" class=\"{class}\">{text}</button>")
}

/// A form for documents. The token is the first field: see [`crate::upload`].
fn upload_form(visitor: &Visitor, action: &str) -> String {
    let texts = visitor.texts();
    let limits = texts.limits.replace("{count}", &crate::cases::MAX_DOCUMENTS.to_string());
    let limits = limits.replace("{size}", &(MAX_DOCUMENT / 1024 / 1024).to_string());
    format!(
        "<form method=\"post\" action=\"{action}\" enctype=\"multipart/form-data\" \
         class=\"card upload\" data-uploading=\"{}\">\
         <input type=\"hidden\" name=\"token\" value=\"{}\">\
         <label class=\"drop\" for=\"documents\"><strong>{}</strong> <span>{}</span></label>\
         <input type=\"file\" id=\"documents\" name=\"document\" multiple required \
         aria-describedby=\"limits\">\
         <p id=\"limits\" class=\"hint\">{limits}</p>\
         <p class=\"actions\"><button class=\"main\">{}</button></p></form>",
        texts.uploading,
        visitor.token(),
        texts.choose_files,
        texts.drop_files,
        texts.upload,
    )
}

/// A length in octets, for people.
fn size(octets: u64) -> String {
    match octets {
        0..1_000 => format!("{octets} B"),
        1_000..1_000_000 => format!("{} kB", octets / 1_000),
        _ => format!("{}.{} MB", octets / 1_000_000, octets / 100_000 % 10),
    }
}

/// The page of a refused request.
pub(crate) fn problem(visitor: &Visitor, problem: &Problem) -> String {
    let texts = visitor.texts();
    let title = match problem {
        Problem::NotFound => texts.not_found,
        Problem::Form => texts.bad_form,
        Problem::TooLarge => texts.too_large,
        Problem::NoDocument => texts.no_document,
        Problem::Locked => texts.locked,
        Problem::Documents(_) => texts.not_signable,
        Problem::Signer => texts.no_signer,
        Problem::Internal => texts.internal,
    };
    let mut body = String::new();
    if let Problem::Documents(failures) = problem {
        let failures = failures.iter().map(|text| format!("<li lang=\"en\">{}</li>", escape(text)));
        body += &format!("<ul class=\"notice\">{}</ul>", failures.collect::<String>());
    }
    // The address of a form's answer has no page: lead to the page of the case.
    let case = visitor.path.strip_prefix("/cases/").and_then(|rest| rest.split('/').next());
    if let Some(case) = case.filter(|name| crate::visitor::is_name(name)) {
        body += &format!("<p><a class=\"button\" href=\"/cases/{case}\">{}</a></p>", texts.back);
    }
    body += &format!("<p><a href=\"/\">{}</a></p>", texts.home);
    Page { visitor, title, step: None, state: "", body }.to_html()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped() {
        assert_eq!(escape("<b>&\"'é"), "&lt;b&gt;&amp;&quot;&#39;é");
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!(
            [0, 999, 1_000, 999_999, 1_250_000].map(size),
            ["0 B", "999 B", "1 kB", "999 kB", "1.2 MB"]
        );
    }
}

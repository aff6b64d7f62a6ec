//! The frame of every page, and escaping.

use crate::redirect::PageQuery;
use crate::texts::{Lang, Texts};

/// Escapes text for HTML.
pub(crate) fn escape(text: &str) -> String {
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

/// A whole page. `query` is the query of the page's own URL, for the links to
/// the other languages.
pub(crate) fn page(lang: Lang, title: &str, query: Option<&PageQuery>, body: &str) -> String {
    let texts = lang.texts();
    let languages = query.map(|query| languages(texts, query)).unwrap_or_default();
    format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>SANDBOX: {title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <header><p class=\"banner\"><strong>{}</strong></p>{languages}</header>\n\
         <main>\n<h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n",
        texts.code, texts.banner,
    )
}

fn languages(texts: &Texts, query: &PageQuery) -> String {
    let links: Vec<String> = Lang::ALL
        .into_iter()
        .map(|lang| {
            let other = lang.texts();
            let href = escape(&query.in_language(lang.code()));
            let current = if other.code == texts.code { " aria-current=\"true\"" } else { "" };
            format!(
                "<li><a href=\"?{href}\" lang=\"{0}\" hreflang=\"{0}\"{current}>{1}</a></li>",
                other.code, other.language,
            )
        })
        .collect();
    format!("<nav aria-label=\"{}\"><ul>{}</ul></nav>", texts.languages, links.concat())
}

/// The drawing of an icon. It is hidden from screen readers, because the page
/// shows the icon's name next to it.
pub(crate) const fn icon(at: usize) -> &'static str {
    match at {
        0 => {
            "<svg aria-hidden=\"true\" viewBox=\"0 0 24 24\"><circle cx=\"12\" cy=\"12\" r=\"10\"/></svg>"
        }
        1 => "<svg aria-hidden=\"true\" viewBox=\"0 0 24 24\"><path d=\"M12 2 22 21H2z\"/></svg>",
        _ => "<svg aria-hidden=\"true\" viewBox=\"0 0 24 24\"><path d=\"M3 3h18v18H3z\"/></svg>",
    }
}

const STYLE: &str = "
*{box-sizing:border-box}
body{margin:0;font:1.05rem/1.5 system-ui,sans-serif;color:#1b1b1b;background:#f3f3f1}
.banner{margin:0;padding:.75rem 1rem;background:#8a1c00;color:#fff;text-align:center;
border-bottom:6px double #fff}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;justify-content:center;margin:0;
padding:.5rem 1rem;list-style:none}
a{color:#0b4a8f}
nav a[aria-current]{color:#1b1b1b;font-weight:bold;text-decoration:none}
main{max-width:62rem;margin:0 auto;padding:0 1rem 2rem}
h1{font-size:1.7rem;line-height:1.25;margin:1rem 0}
h2{font-size:1.15rem;margin:0 0 .5rem}
.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,20rem),1fr));gap:1.5rem}
.panel{background:#fff;border:1px solid #8a8a86;border-radius:.5rem;padding:1rem 1.25rem}
.app{border:3px solid #2b2b2b;border-radius:1.75rem;padding:1.25rem 1.5rem}
.description{font-size:1.25rem;font-weight:bold;overflow-wrap:anywhere}
dl{margin:0 0 1rem}dt{color:#4a4a4a;font-size:.95rem}dd{margin:0 0 .5rem;overflow-wrap:anywhere}
ul.icons{display:flex;gap:.75rem;margin:0;padding:0;list-style:none;text-align:center}
ul.icons li{flex:1;min-width:0;padding:.75rem .25rem;border-radius:.5rem;color:#595959;overflow-wrap:anywhere}
ul.icons li.marked{border:4px solid #f28500;background:#1b1b1b;color:#fff;font-weight:bold}
ul.icons li.marked svg{color:#f28500}
svg{width:2.5rem;height:2.5rem;fill:currentColor;vertical-align:middle}
fieldset{border:0;margin:0 0 1rem;padding:0}legend{padding:0;margin-bottom:.5rem;font-weight:bold}
label{display:flex;gap:.75rem;align-items:center;padding:.4rem .5rem;border-radius:.35rem}
label:hover{background:#eceae5}
input[type=radio]{width:1.25rem;height:1.25rem;flex:none}
label svg{width:1.75rem;height:1.75rem}
code{font-size:.95em}
button{font:inherit;padding:.6rem 1.5rem;border-radius:.35rem;border:2px solid #0b4a8f;
background:#fff;color:#0b4a8f;cursor:pointer}
button.main{background:#0b4a8f;color:#fff}
.actions{display:flex;flex-wrap:wrap;gap:.75rem;margin:0}
.notice{border-left:.5rem solid #8a1c00;background:#fff;padding:.75rem 1rem}
table{border-collapse:collapse;background:#fff}
caption{text-align:left;font-weight:bold;padding:.5rem 0}
th,td{border:1px solid #8a8a86;padding:.35rem .75rem;text-align:left}
:focus-visible{outline:3px solid #b35900;outline-offset:2px}
@media (max-width:26rem){
ul.icons{flex-direction:column;gap:.25rem}
ul.icons li{padding:.5rem}
}
@media (forced-colors:active){
ul.icons li.marked{border:6px double Highlight}
svg,ul.icons li.marked svg{fill:CanvasText}
.app{border-style:double}
}
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped() {
        assert_eq!(escape("<b>&\"'é"), "&lt;b&gt;&amp;&quot;&#39;é");
    }

    #[test]
    fn the_query_that_the_application_added_is_escaped() {
        let query = PageQuery::read("q=1&x=\"><script>");
        let page = page(Lang::En, "t", Some(&query), "");
        assert!(!page.contains("<script>"));
        assert!(page.contains("x=&quot;&gt;&lt;script&gt;"));
    }
}

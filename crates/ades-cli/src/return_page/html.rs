//! The pages that the browser gets at the return address: plain HTML without scripts, in the
//! user's language, for phones and screen readers too.

use ades::signer::Language;

use super::ending::{Ending, LastPage};

/// What a browser waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// The user's confirmation at the signer
    Confirmation,
    /// The next page
    Program,
}

/// The page of a browser that has to wait. It loads `again` by itself.
pub(super) fn waiting_page(language: Language, waiting: Waiting, again: &str) -> String {
    let texts = texts(language);
    let again = escape(again);
    let (title, text) = match waiting {
        Waiting::Confirmation => (texts.confirmation, texts.confirmation_more),
        Waiting::Program => (texts.moment, texts.moment_more),
    };
    let refresh = format!("<meta http-equiv=\"refresh\" content=\"1; url={again}\">\n");
    let body =
        format!("<p role=\"status\">{text}</p>\n<p><a href=\"{again}\">{}</a></p>", texts.go_on);
    page(texts, "waiting", title, &refresh, &body)
}

/// The last page.
pub(super) fn last_page(language: Language, outcome: LastPage) -> String {
    let texts = texts(language);
    let LastPage { ending, signed, files } = outcome;
    let (class, title, more) = match ending {
        Ending::Signed => ("good", texts.signed, ""),
        Ending::Refused => ("bad", texts.refused, texts.again),
        Ending::Expired => ("bad", texts.expired, texts.again),
        Ending::NotAllowed => ("bad", texts.not_allowed, texts.not_allowed_more),
        Ending::Failed => ("bad", texts.failed, texts.terminal),
    };
    let count = match (signed, files) {
        (1, 1) => texts.one.to_owned(),
        (signed, files) if signed == files => with_numbers(texts.all, signed, files),
        (0, _) => texts.none.to_owned(),
        (signed, files) => with_numbers(texts.some, signed, files),
    };
    let more = if more.is_empty() { String::new() } else { format!("<p>{more}</p>\n") };
    let body = format!("<p role=\"status\">{count}</p>\n{more}<p>{}</p>", texts.close);
    page(texts, class, title, "", &body)
}

/// The page of a browser whose process has ended.
pub(super) fn gone_page(language: Language) -> String {
    let texts = texts(language);
    page(texts, "bad", texts.gone, "", &format!("<p role=\"status\">{}</p>", texts.terminal))
}

/// The page of a browser that nobody expects.
pub(super) fn nothing_page(language: Language) -> String {
    let texts = texts(language);
    page(texts, "bad", texts.nothing, "", &format!("<p>{}</p>", texts.close))
}

fn with_numbers(text: &str, signed: usize, files: usize) -> String {
    text.replace("{signed}", &signed.to_string()).replace("{files}", &files.to_string())
}

fn page(texts: &Texts, class: &str, title: &str, head: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         {head}<link rel=\"icon\" href=\"data:,\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main class=\"{class}\">\n<h1>{title}</h1>\n\
         {body}\n</main>\n</body>\n</html>\n",
        texts.code,
    )
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// The contrast of all texts is at least 7 to 1. The frame shows the outcome by its form, too.
const STYLE: &str = "
*{box-sizing:border-box}
body{margin:0;padding:1rem;font:1.125rem/1.5 system-ui,sans-serif;color:#1b1b1b;background:#f3f3f1}
main{max-width:34rem;margin:1rem auto;padding:1rem 1.25rem;background:#fff;border:1px solid #6b6b68;
border-left-width:.5rem;border-radius:.5rem;overflow-wrap:anywhere}
main.good{border-color:#1b6b2f}
main.bad{border-color:#8a1c00;border-left-style:double;border-left-width:.75rem}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .75rem}
p{margin:0 0 .75rem}
a{display:inline-block;padding:.5rem 0;color:#0b4a8f}
:focus-visible{outline:3px solid #b35900;outline-offset:2px}
";

/// The texts of one language.
struct Texts {
    /// For the `lang` attribute
    code: &'static str,
    signed: &'static str,
    refused: &'static str,
    expired: &'static str,
    not_allowed: &'static str,
    not_allowed_more: &'static str,
    failed: &'static str,
    one: &'static str,
    all: &'static str,
    some: &'static str,
    none: &'static str,
    again: &'static str,
    terminal: &'static str,
    close: &'static str,
    moment: &'static str,
    moment_more: &'static str,
    confirmation: &'static str,
    confirmation_more: &'static str,
    go_on: &'static str,
    gone: &'static str,
    nothing: &'static str,
}

const fn texts(language: Language) -> &'static Texts {
    match language {
        Language::Fr => &FR,
        Language::Nl => &NL,
        Language::De => &DE,
        _ => &EN,
    }
}

const EN: Texts = Texts {
    code: "en",
    signed: "Signed",
    refused: "You refused",
    expired: "Not confirmed in time",
    not_allowed: "Your account is not allowed to sign",
    not_allowed_more: "The support of the signing service can tell you why.",
    failed: "The signing has stopped",
    one: "The file is signed.",
    all: "All {files} files are signed.",
    some: "Signed files: {signed} of {files}.",
    none: "No file is signed.",
    again: "To sign after all, start the signing again. The terminal shows how.",
    terminal: "The terminal shows why, and how to continue.",
    close: "You can close this page.",
    moment: "One moment",
    moment_more: "The next step is being prepared. This page continues by itself.",
    confirmation: "Waiting for your confirmation",
    confirmation_more: "The signing service has no answer from you yet. Confirm in its app; this page continues by itself.",
    go_on: "Continue",
    gone: "The signing is not running any more",
    nothing: "There is nothing to do here",
};

const FR: Texts = Texts {
    code: "fr",
    signed: "Signé",
    refused: "Vous avez refusé",
    expired: "Pas confirmé à temps",
    not_allowed: "Votre compte n’est pas autorisé à signer",
    not_allowed_more: "L’assistance du service de signature peut vous dire pourquoi.",
    failed: "La signature s’est arrêtée",
    one: "Le fichier est signé.",
    all: "Les {files} fichiers sont signés.",
    some: "Fichiers signés : {signed} sur {files}.",
    none: "Aucun fichier n’est signé.",
    again: "Pour signer malgré tout, recommencez la signature. Le terminal montre comment.",
    terminal: "Le terminal montre pourquoi, et comment continuer.",
    close: "Vous pouvez fermer cette page.",
    moment: "Un instant",
    moment_more: "L’étape suivante se prépare. Cette page continue d’elle-même.",
    confirmation: "En attente de votre confirmation",
    confirmation_more: "Le service de signature n’a pas encore votre réponse. Confirmez dans son application ; cette page continue d’elle-même.",
    go_on: "Continuer",
    gone: "La signature n’est plus en cours",
    nothing: "Il n’y a rien à faire ici",
};

const NL: Texts = Texts {
    code: "nl",
    signed: "Ondertekend",
    refused: "U hebt geweigerd",
    expired: "Niet op tijd bevestigd",
    not_allowed: "Uw account mag niet ondertekenen",
    not_allowed_more: "De helpdesk van de ondertekeningsdienst kan u zeggen waarom.",
    failed: "Het ondertekenen is gestopt",
    one: "Het bestand is ondertekend.",
    all: "Alle {files} bestanden zijn ondertekend.",
    some: "Ondertekende bestanden: {signed} van {files}.",
    none: "Geen enkel bestand is ondertekend.",
    again: "Om toch te ondertekenen, begint u opnieuw. De terminal toont hoe.",
    terminal: "De terminal toont waarom, en hoe u verdergaat.",
    close: "U kunt deze pagina sluiten.",
    moment: "Een ogenblik",
    moment_more: "De volgende stap wordt voorbereid. Deze pagina gaat vanzelf verder.",
    confirmation: "Wachten op uw bevestiging",
    confirmation_more: "De ondertekeningsdienst heeft nog geen antwoord van u. Bevestig in de app; deze pagina gaat vanzelf verder.",
    go_on: "Verder",
    gone: "Het ondertekenen loopt niet meer",
    nothing: "Hier is niets te doen",
};

const DE: Texts = Texts {
    code: "de",
    signed: "Signiert",
    refused: "Sie haben abgelehnt",
    expired: "Nicht rechtzeitig bestätigt",
    not_allowed: "Ihr Konto darf nicht signieren",
    not_allowed_more: "Der Support des Signaturdienstes kann Ihnen sagen, warum.",
    failed: "Das Signieren wurde angehalten",
    one: "Die Datei ist signiert.",
    all: "Alle {files} Dateien sind signiert.",
    some: "Signierte Dateien: {signed} von {files}.",
    none: "Keine Datei ist signiert.",
    again: "Um doch zu signieren, beginnen Sie noch einmal. Das Terminal zeigt, wie.",
    terminal: "Das Terminal zeigt, warum, und wie es weitergeht.",
    close: "Sie können diese Seite schließen.",
    moment: "Einen Augenblick",
    moment_more: "Der nächste Schritt wird vorbereitet. Diese Seite geht von selbst weiter.",
    confirmation: "Warten auf Ihre Bestätigung",
    confirmation_more: "Der Signaturdienst hat noch keine Antwort von Ihnen. Bestätigen Sie in seiner App; diese Seite geht von selbst weiter.",
    go_on: "Weiter",
    gone: "Das Signieren läuft nicht mehr",
    nothing: "Hier gibt es nichts zu tun",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_page_says_what_happened_in_each_language() {
        let last = |language, ending, signed, files| {
            last_page(language, LastPage { ending, signed, files })
        };
        for (language, signed, refused) in [
            (Language::En, "All 3 files are signed.", "Signed files: 2 of 3."),
            (Language::Fr, "Les 3 fichiers sont signés.", "Fichiers signés : 2 sur 3."),
            (
                Language::Nl,
                "Alle 3 bestanden zijn ondertekend.",
                "Ondertekende bestanden: 2 van 3.",
            ),
            (Language::De, "Alle 3 Dateien sind signiert.", "Signierte Dateien: 2 von 3."),
        ] {
            let texts = texts(language);
            assert!(last(language, Ending::Signed, 3, 3).contains(signed));
            let endings = [
                (Ending::Refused, texts.refused),
                (Ending::Expired, texts.expired),
                (Ending::NotAllowed, texts.not_allowed),
                (Ending::Failed, texts.failed),
            ];
            for (ending, title) in endings {
                let page = last(language, ending, 2, 3);
                assert!(page.contains(refused) && page.contains(&format!("<h1>{title}</h1>")));
                assert!(page.contains(&format!("<html lang=\"{}\">", texts.code)));
                assert!(page.contains(&format!("<title>{title}</title>")));
                assert!(last(language, ending, 0, 1).contains(texts.none));
            }
            assert!(last(language, Ending::Signed, 1, 1).contains(texts.one));
        }
    }

    #[test]
    fn the_query_of_a_browser_is_escaped() {
        let page = waiting_page(Language::En, Waiting::Program, "/return?st=1&x=\"><script>'");
        assert!(!page.contains("<script"));
        assert_eq!(page.matches("/return?st=1&amp;x=&quot;&gt;&lt;script&gt;&#39;").count(), 2);
    }
}

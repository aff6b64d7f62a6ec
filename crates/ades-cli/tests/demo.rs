//! `ades demo` in Chromium: the whole way of a person, a phone, a keyboard, four languages, and what
//! goes wrong. axe-core judges every kind of page.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]
#![cfg(unix)]

mod common;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Stdio};

use ades_tests::pdf::by_hand::{ONE_PAGE, of_objects, stream};
use common::Bench;
use common::chromium::{ARROW_LEFT, Chromium, ENTER, SPACE};
use common::pages::{answer, choose, choose_icon};
use common::service::{Sandbox, kill, until};
use serde_json::json;

const PHONE: (u32, u32) = (320, 640);
const DESKTOP: (u32, u32) = (1280, 900);

/// `ades demo` in a process of its own, with a sandbox in another one.
struct Demo {
    bench: Bench,
    sandbox: Sandbox,
    address: String,
    child: Option<Child>,
}

impl Demo {
    fn start() -> Self {
        let bench = Bench::new();
        bench.write("contract.pdf", contract());
        bench.write("order.xml", b"<order><item>one</item></order>");
        bench.write("notes.txt", b"I agree.\nSo do you.");
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let back = format!("http://{address}/return");
        let sandbox = Sandbox::start(&bench, &["--redirect-url", &back]);
        let mut demo = Self { bench, sandbox, address, child: None };
        demo.restart();
        demo
    }

    /// Kills the server, if it runs, and starts it again.
    fn restart(&mut self) {
        if let Some(child) = self.child.take() {
            kill(child);
        }
        let listen = ["demo", "--dir", "demo", "--listen", &self.address];
        let mut command =
            self.bench.command(&[&listen[..], &["--signer", "itsme:sb/itsme.toml"]].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains(&self.address), "{line}");
        self.child = Some(child);
    }

    fn open(&self, browser: &Chromium, language: &str) {
        browser.open(&format!("http://{}/?lang={language}", self.address));
    }

    fn upload(&self, browser: &Chromium, names: &[&str]) {
        let paths: Vec<String> =
            names.iter().map(|name| self.bench.path(name).to_str().unwrap().to_owned()).collect();
        browser.enter("#documents", &paths.join("\n"));
        browser.click("form.upload button");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if let Some(child) = self.child.take() {
            kill(child);
        }
    }
}

/// Fails the test unless everybody can use the page.
#[track_caller]
fn is_for_everybody(browser: &Chromium, language: &str, name: &str) {
    let pictures = "[...document.images].every(i => i.complete && i.naturalWidth > 0)";
    until("pictures", || browser.value(pictures) == true);
    browser.screenshot(name);
    browser.is_readable(language);
    browser.is_accessible();
}

#[test]
fn person_signs_three_documents_whenever_the_server_is_killed() {
    let mut demo = Demo::start();
    let browser = Chromium::start(DESKTOP.0, DESKTOP.1);
    demo.open(&browser, "en");
    is_for_everybody(&browser, "en", "demo-start");
    demo.restart();
    demo.upload(&browser, &["contract.pdf", "order.xml", "notes.txt"]);
    browser.until_shown("Your documents");
    is_for_everybody(&browser, "en", "demo-documents");
    demo.restart();
    browser.click("a.button[href$='/2']");
    browser.until_shown("<order>");
    is_for_everybody(&browser, "en", "demo-xml");
    browser.back();
    browser.until_shown("Your documents");
    browser.click("a.button[href$='/1']");
    browser.until_shown("Visible signature");
    // A click on the page puts the stamp there.
    browser.click_at(".pages figure", 0.7, 0.85);
    let (left, bottom) = (field(&browser, "left"), field(&browser, "bottom"));
    assert!((300.0..330.0).contains(&left) && (90.0..110.0).contains(&bottom), "{left} {bottom}");
    browser.press(ARROW_LEFT);
    assert_eq!(field(&browser, "left"), left - 6.0);
    is_for_everybody(&browser, "en", "demo-stamp");
    demo.restart();
    browser.click("form.choice button.main");
    browser.until_shown("visible on page 1");
    demo.restart();

    browser.click("button[value=sign]");
    choose(&browser, "ready");
    demo.restart();
    answer(&browser, "confirm");
    browser.until_shown("Confirm your signature");
    assert!(browser.text().contains("3 documents of the demo"), "{}", browser.text());
    demo.restart();
    answer(&browser, "confirm");
    browser.until_shown("Your documents are signed");
    is_for_everybody(&browser, "en", "demo-signed");
    demo.restart();
    browser.click("a[href$='/1/contents']");
    browser.until_shown("PAdES B-B");
    assert!(browser.text().contains("Unchanged since it was signed\nYes"), "{}", browser.text());
    is_for_everybody(&browser, "en", "demo-contents");
    // The page shows the stamp of the signed document to whoever opens it; the first page shows the
    // case.
    demo.open(&browser, "en");
    browser.until_shown("Your documents in this browser");
    browser.emulate("prefers-color-scheme", "dark");
    is_for_everybody(&browser, "en", "demo-start-dark");
    assert_eq!(demo.sandbox.sessions("signature").len(), 1);
}

fn field(browser: &Chromium, name: &str) -> f64 {
    let value = browser.value(&format!("document.querySelector('[name={name}]').value"));
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn phone_in_four_languages_and_in_the_dark() {
    let demo = Demo::start();
    for (at, (language, documents, waiting, signed)) in [
        ("en", "Your documents", "Waiting for your confirmation", "Signed"),
        ("fr", "Vos documents", "En attente de votre confirmation", "Signé"),
        ("nl", "Uw documenten", "Wachten op uw bevestiging", "Ondertekend"),
        ("de", "Ihre Dokumente", "Warten auf Ihre Bestätigung", "Signiert"),
    ]
    .into_iter()
    .enumerate()
    {
        let browser = Chromium::start(PHONE.0, PHONE.1);
        if at % 2 == 1 {
            browser.emulate("prefers-color-scheme", "dark");
        }
        let shot = |name: &str| {
            is_for_everybody(&browser, language, &format!("demo-phone-{language}-{name}"));
        };
        demo.open(&browser, language);
        shot("start");
        demo.upload(&browser, &["contract.pdf", "notes.txt"]);
        browser.until_shown(documents);
        shot("documents");
        browser.click("a.button[href$='/1']");
        shot("document");
        browser.back();
        browser.until_shown(documents);
        let case = browser.url();
        browser.click("button[value=sign]");
        choose(&browser, "ready");
        until("the icons", || browser.value("document.querySelector('li.marked') != null") == true);
        // The person looks at the application in between.
        browser.open(&case);
        browser.until_shown(waiting);
        shot("waiting");
        browser.click(".waiting a.button.main");
        answer(&browser, "confirm");
        until("the second page", || browser.url().contains("/qes/sign"));
        answer(&browser, "confirm");
        browser.until_shown(signed);
        shot("signed");
    }
}

#[test]
fn keyboard_alone_signs() {
    let demo = Demo::start();
    let browser = Chromium::start(DESKTOP.0, DESKTOP.1);
    demo.open(&browser, "en");
    // The dialog of files is the browser's own.
    browser.enter("#documents", demo.bench.path("contract.pdf").to_str().unwrap());
    browser.tab_to("form.upload button");
    browser.press(ENTER);
    browser.until_shown("Your documents");
    browser.tab_to("a.button[href$='/1']");
    browser.press(ENTER);
    browser.until_shown("Visible signature");
    browser.tab_to("select[name=stamp]");
    for letter in "Bottom right".chars() {
        browser.press(letter);
    }
    browser.tab_to("form.choice button.main");
    browser.press(ENTER);
    browser.until_shown("visible on page 1");
    browser.tab_to("button[value=sign]");
    browser.press(ENTER);
    browser.until_shown("Choose a test user");
    browser.tab_to("button.main");
    browser.press(ENTER);
    for page in ["/qes/identify", "/qes/sign"] {
        until("the signer's page", || browser.url().contains(page));
        choose_icon(&browser);
        browser.tab_to("button[value=confirm]");
        browser.press(SPACE);
    }
    browser.until_shown("Your documents are signed");
}

#[test]
fn refusal_expiry_and_the_way_back() {
    let demo = Demo::start();
    let browser = Chromium::start(DESKTOP.0, DESKTOP.1);
    demo.open(&browser, "en");
    demo.upload(&browser, &["notes.txt"]);
    browser.until_shown("Your documents");
    browser.click("button[value=sign]");
    browser.until_shown("Choose a test user");
    // Back from the signer's page: the application shows where the job stands, and leads there.
    browser.back();
    browser.until_shown("Waiting for your confirmation");
    is_for_everybody(&browser, "en", "demo-waiting");
    browser.click(".waiting a.button.main");
    choose(&browser, "ready");
    answer(&browser, "confirm");
    browser.until_shown("Confirm your signature");
    browser.click("button[value=refuse]");
    browser.until_shown("You refused");
    is_for_everybody(&browser, "en", "demo-refused");
    browser.click("button[value=again]");
    browser.until_shown("Confirm your signature");
    // The time is over while the user looks at the page.
    demo.sandbox.control("/sandbox/clock", &json!({"advance_seconds": 601}));
    answer(&browser, "confirm");
    browser.until_shown("Not confirmed in time");
    browser.click("button[value=cancel]");
    browser.until_shown("Cancelled");
    is_for_everybody(&browser, "en", "demo-cancelled");
    browser.click("button[value=edit]");
    browser.until_shown("Add documents");
    browser.click("button[value=delete]");
    browser.until_shown("Sign your documents");
    assert!(!browser.text().contains("in this browser"), "{}", browser.text());
}

#[test]
fn two_tabs_show_one_job() {
    let demo = Demo::start();
    let browser = Chromium::start(DESKTOP.0, DESKTOP.1);
    demo.open(&browser, "en");
    demo.upload(&browser, &["notes.txt", "contract.pdf"]);
    browser.until_shown("Your documents");
    let case = browser.url();
    let [one, other] = browser.open_tab();
    browser.open(&case);
    browser.click("button[value=sign]");
    browser.until_shown("Choose a test user");
    // The first tab still has the button, which leads to the same page.
    browser.go_to_tab(&one);
    browser.click("button[value=sign]");
    choose(&browser, "ready");
    browser.go_to_tab(&other);
    browser.open(&case);
    browser.until_shown("Waiting for your confirmation");
    browser.go_to_tab(&one);
    answer(&browser, "confirm");
    browser.until_shown("Confirm your signature");
    answer(&browser, "confirm");
    browser.until_shown("Your documents are signed");
    // The other tab has continued by itself.
    browser.go_to_tab(&other);
    until("the other tab", || {
        let text = browser.text();
        text.contains("Your documents are signed") || text.contains("Download all")
    });
    assert_eq!(demo.sandbox.sessions("identification").len(), 1);
    assert_eq!(demo.sandbox.sessions("signature").len(), 1);
}

/// A contract of one page.
fn contract() -> Vec<u8> {
    let mut lines =
        "BT /F1 26 Tf 72 740 Td (Lease agreement) Tj /F2 12 Tf 0 -40 Td 18 TL".to_owned();
    for line in [
        "between the lessor, Example Estates, and the lessee, who signs below.",
        "",
        "1. The lessor lets the office on the second floor of Example Street 12.",
        "2. The lease begins on 1 January and lasts for three years.",
        "3. The rent is due on the first working day of each month.",
        "4. Either side may end the lease with a notice of six months.",
    ] {
        lines += &format!(" ({line}) Tj T*");
    }
    lines += " ET 0.6 w 330 130 m 520 130 l S BT /F2 10 Tf 330 115 Td (The lessee) Tj ET";
    let fonts = "<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold>>\
                 /F2<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>";
    let page = format!(
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font{fonts}>>>>"
    );
    let content = stream("", &lines);
    let objects = ["<</Type/Catalog/Pages 2 0 R>>", ONE_PAGE, &page, &content];
    of_objects(&objects, "")
}

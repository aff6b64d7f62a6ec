//! `ades demo` in Chromium: the whole way of a person, a phone, a keyboard, four languages, and what
//! goes wrong. axe-core judges every kind of page.
//!
//! On the way of a person, the server is killed after each click. In full, it is also killed after
//! one click alone, for each of them, on either database:
//!
//! ```sh
//! ADES_DEMO_KILLS=each cargo test -p ades-cli --features judges --test demo whenever
//! ```
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]
#![cfg(unix)]

mod common;
#[path = "../../ades-session-postgres/tests/postgres/server.rs"]
mod server;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Stdio};

use ades_tests::pdf::by_hand::{ONE_PAGE, of_objects, stream};
use common::Bench;
use common::chromium::{ARROW_DOWN, ARROW_LEFT, Chromium, ENTER, SPACE};
use common::pages::{answer, choose, choose_icon, marked_icon};
use common::service::{Sandbox, kill, until};
use serde_json::json;
use server::Postgres;

const PHONE: (u32, u32) = (320, 640);
const DESKTOP: (u32, u32) = (1280, 900);

/// `ades demo` in a process of its own, with a sandbox in another one.
struct Demo {
    bench: Bench,
    sandbox: Sandbox,
    address: String,
    /// The connection string of a PostgreSQL database, or none for SQLite
    database: Option<String>,
    child: Option<Child>,
}

impl Demo {
    fn start() -> Self {
        Self::start_with(None)
    }

    fn start_with(database: Option<String>) -> Self {
        let bench = Bench::new();
        bench.write("contract.pdf", contract());
        bench.write("order.xml", b"<order><item>one</item></order>");
        bench.write("notes.txt", b"I agree.\nSo do you.");
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let back = format!("http://{address}/return");
        let sandbox = Sandbox::start(&bench, &["--redirect-url", &back]);
        let mut demo = Self { bench, sandbox, address, database, child: None };
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
        command.env("ADES_DEMO_DATABASE", self.database.as_deref().unwrap_or_default());
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

    fn until_downloaded(&self, name: &str) {
        until(name, || self.bench.has(&format!("downloads/{name}")));
    }

    /// The archive of all containers, once it is downloaded.
    fn archive(&self) -> Option<String> {
        let mut names = self.bench.names("downloads").into_iter();
        names.find(|name| name.ends_with(".zip")).map(|name| format!("downloads/{name}"))
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
    browser.until_pictures();
    browser.looks_right(name);
    browser.is_readable(language);
    browser.is_accessible();
}

/// A click of the person, and what they do until the page that it leads to is there.
type Click = fn(&Demo, &Chromium);

/// The way of a person from the first page to the downloads. Each click is a point at which the
/// server may be killed.
const WAY: &[(&str, Click)] = &[
    ("open", |demo, browser| demo.open(browser, "en")),
    ("upload", |demo, browser| {
        demo.upload(browser, &["contract.pdf", "order.xml", "notes.txt"]);
        browser.until_shown("Your documents");
    }),
    ("look at the XML document", |_, browser| {
        browser.click("a.button[href$='/2']");
        browser.until_shown("<order>");
    }),
    ("look at the contract", |_, browser| {
        browser.back();
        browser.until_shown("Your documents");
        browser.click("a.button[href$='/1']");
        browser.until_shown("Visible signature");
        browser.until_pictures();
    }),
    ("place the stamp", |_, browser| {
        // A click on the page puts the stamp there.
        browser.click_at(".pages figure", 0.7, 0.85);
        let (left, bottom) = (field(browser, "left"), field(browser, "bottom"));
        assert!((300.0..330.0).contains(&left) && (90.0..110.0).contains(&bottom));
        browser.press(ARROW_LEFT);
        assert_eq!(field(browser, "left"), left - 6.0);
    }),
    ("choose", |_, browser| {
        browser.click("form.choice button.main");
        browser.until_shown("visible on page 1");
    }),
    ("sign", |_, browser| {
        browser.click("button[value=sign]");
        browser.until_shown("Choose a test user");
    }),
    ("identify", |_, browser| {
        choose(browser, "ready");
        choose_icon(browser);
    }),
    ("confirm the identification", |_, browser| {
        browser.click("button[value=confirm]");
        browser.until_shown("Confirm your signature");
        assert!(browser.text().contains("3 documents of the demo"), "{}", browser.text());
    }),
    ("confirm the signature", |_, browser| {
        answer(browser, "confirm");
        browser.until_shown("Your documents are signed");
    }),
    ("download one", |demo, browser| {
        browser.download_to(&demo.bench.path("downloads"));
        browser.click("a[href$='/1/signed']");
        demo.until_downloaded("contract-signed.pdf");
    }),
    ("look at the contents", |_, browser| {
        browser.click("a[href$='/1/contents']");
        browser.until_shown("PAdES B-B");
        assert!(browser.text().contains("Unchanged since it was signed\nYes"));
    }),
    ("download the others", |demo, browser| {
        browser.back();
        browser.until_shown("Your documents are signed");
        for (no, name) in [(2, "order-signed.xml"), (3, "notes.txt.p7m")] {
            browser.click(&format!("a[href$='/{no}/signed']"));
            demo.until_downloaded(name);
        }
    }),
    ("download all", |demo, browser| {
        browser.click("a[href$='/all.zip']");
        until("the archive", || demo.archive().is_some());
    }),
];

/// Goes the whole way, and kills the server and starts it again after some of the clicks.
fn go_the_way(database: Option<String>, kills: &[usize]) {
    let mut demo = Demo::start_with(database);
    let browser = Chromium::start(DESKTOP.0, DESKTOP.1);
    for (at, (click, act)) in WAY.iter().enumerate() {
        let is_killed = kills.contains(&at);
        println!("{click}{}", if is_killed { ", then the server is killed" } else { "" });
        act(&demo, &browser);
        if is_killed {
            demo.restart();
        }
    }
    // Nobody was asked twice, and everything that was downloaded is signed.
    assert_eq!(demo.sandbox.sessions("identification").len(), 1);
    assert_eq!(demo.sandbox.sessions("signature").len(), 1);
    for name in ["contract-signed.pdf", "order-signed.xml", "notes.txt.p7m"] {
        let path = format!("downloads/{name}");
        let trusted = ["--trust", "sb/root.pem", "--revocation", "none"];
        demo.bench.ades(&[&["verify", &path], &trusted[..]].concat()).ends(0, "");
        let signed = demo.bench.read(&path);
        let archive = demo.archive().unwrap();
        let list = [
            "-c",
            "import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))",
        ];
        let mut python = demo.bench.command_by("python3");
        let output = python.args(list).args([&archive, name]).output().unwrap();
        assert!(output.stdout == signed, "{name}: {output:?}");
    }
    assert_eq!(demo.bench.has("demo/jobs.sqlite"), demo.database.is_none());
}

/// Each selection of points at which the server is killed.
fn selections() -> Vec<Vec<usize>> {
    let all: Vec<usize> = (0..WAY.len()).collect();
    let each = all.clone().into_iter().map(|at| vec![at]);
    match std::env::var("ADES_DEMO_KILLS").as_deref() {
        Ok("each") => each.chain([all]).collect(),
        _ => vec![all],
    }
}

#[test]
fn three_documents_are_signed_whenever_the_server_is_killed() {
    for kills in selections() {
        go_the_way(None, &kills);
    }
}

#[test]
fn three_documents_are_signed_over_postgresql_whenever_the_server_is_killed() {
    let postgres = Postgres::start();
    for kills in selections() {
        go_the_way(Some(postgres.url("postgres")), &kills);
    }
}

fn field(browser: &Chromium, name: &str) -> f64 {
    let value = browser.value(&format!("document.querySelector('[name={name}]').value"));
    value.as_str().unwrap().parse().unwrap()
}

/// Every kind of page on a desk, and the first one in other colours.
#[test]
fn pages_look_right() {
    let demo = Demo::start();
    let browser = Chromium::start(DESKTOP.0, DESKTOP.1);
    let pages = ["open", "upload", "look at the XML document", "place the stamp"];
    let pages = [&pages[..], &["confirm the signature", "look at the contents"]].concat();
    for (click, act) in WAY {
        act(&demo, &browser);
        if pages.contains(click) {
            is_for_everybody(&browser, "en", &format!("demo-{}", click.replace(' ', "-")));
        }
    }
    // The first page shows the case.
    demo.open(&browser, "en");
    browser.until_shown("Your documents in this browser");
    is_for_everybody(&browser, "en", "demo-start");
    let (light, places) = (browser.picture("demo-start"), browser.places());
    assert_eq!(light.difference(&browser.picture("demo-start")), 0.0, "the page moves");

    browser.emulate("prefers-color-scheme", "dark");
    is_for_everybody(&browser, "en", "demo-start-dark");
    let dark = browser.picture("demo-start-dark");
    assert!(light.ground() > 220 && dark.ground() < 40, "{} {}", light.ground(), dark.ground());
    assert_eq!(browser.places(), places, "only the colours differ");

    browser.emulate("forced-colors", "active");
    let forced = browser.picture("demo-start-forced");
    assert!(forced.colour() < light.colour() / 2.0, "{} {}", forced.colour(), light.colour());
    assert!(forced.difference(&light) > 0.05, "{}", forced.difference(&light));
    let lines = "['a[aria-current]', 'a:not([aria-current])'].map(link => \
                 getComputedStyle(document.querySelector('nav ' + link)).outlineStyle)";
    assert_eq!(browser.value(lines), json!(["solid", "none"]), "the present language is marked");
    assert_eq!(browser.faults(), [] as [&str; 0]);
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
        browser.until_there("form.choice");
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
        browser.until_there("a[href$='/all.zip']");
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
    for _ in ["Top left", "Top right", "Bottom left", "Bottom right"] {
        browser.press(ARROW_DOWN);
    }
    let chosen = browser.value("document.querySelector('select').selectedOptions[0].text");
    assert_eq!(chosen, "Bottom right");
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
        let icon = marked_icon(&browser);
        browser.tab_to("input[type=radio]");
        while browser.value("document.activeElement.value") != icon.as_str() {
            browser.press(ARROW_DOWN);
        }
        browser.press(SPACE);
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

//! The whole way of a person, with the eyes and the mouse of a person: the sandbox's pages and the
//! program's return page in Chromium.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]
#![cfg(unix)]

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr};

use common::chromium::Chromium;
use common::pages::{answer, choose, choose_icon, marked_icon};
use common::service::{ITSME, Sandbox, bench, spawn, until};
use serde_json::json;

/// The width of a small phone in CSS pixels (WCAG 2.2, 1.4.10).
const PHONE: (u32, u32) = (320, 640);
const DESKTOP: (u32, u32) = (1280, 900);

/// The messages of a program.
struct Said(std::io::Lines<BufReader<ChildStderr>>);

impl Said {
    fn of(child: &mut Child) -> Self {
        Self(BufReader::new(child.stderr.take().unwrap()).lines())
    }

    /// The next page that the program names.
    fn page(&mut self) -> String {
        let mut lines = self.0.by_ref().map(Result::unwrap);
        lines
            .find_map(|line| line.strip_prefix("  http://").map(|l| format!("http://{l}")))
            .unwrap()
    }

    fn rest(self) -> String {
        self.0.map_while(Result::ok).collect::<Vec<_>>().join("\n")
    }
}

#[test]
fn one_address_leads_through_all_batches_on_a_phone() {
    let bench = bench();
    let _sandbox = Sandbox::start(&bench, &["--no-batch"]);
    let files = ["sign", "one.txt", "two.txt", "--out-dir", "out", "--lang", "NL"];
    let mut child = spawn(&bench, &[&files[..], ITSME].concat());
    let mut said = Said::of(&mut child);
    let browser = Chromium::start(PHONE.0, PHONE.1);
    browser.open(&said.page());
    browser.is_readable("nl");
    browser.looks_right("phone-users");
    choose(&browser, "ready");
    browser.until_shown("Kies hetzelfde icoon");
    browser.is_readable("nl");
    browser.looks_right("phone-identify");
    let mut last = browser.url();
    answer(&browser, "confirm");
    // From here on, the pages lead on by themselves: once for each batch.
    for batch in 0..2 {
        until("the next page", || browser.url() != last);
        browser.until_shown("Bevestig uw handtekening");
        last = browser.url();
        browser.is_readable("nl");
        browser.looks_right(&format!("phone-sign-{batch}"));
        answer(&browser, "confirm");
    }
    browser.until_shown("Alle 2 bestanden zijn ondertekend.");
    browser.is_readable("nl");
    browser.looks_right("phone-signed");
    let said = said.rest();
    assert!(child.wait().unwrap().success(), "{said}");
    assert!(said.contains("the browser goes on to the next page"), "{said}");
    for name in ["one.txt", "two.txt"] {
        bench.openssl_accepts(&format!("out/{name}.p7s"), Some(name), "sb/root.pem");
    }
}

#[test]
fn last_page_says_that_nothing_was_signed() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &[]);
    let browser = Chromium::start(DESKTOP.0, DESKTOP.1);
    for (lang, code, refused, none) in [
        ("EN", "en", "You refused", "No file is signed."),
        ("FR", "fr", "Vous avez refusé", "Aucun fichier n’est signé."),
        ("DE", "de", "Sie haben abgelehnt", "Keine Datei ist signiert."),
    ] {
        // The first one refuses to identify, the others refuse to sign.
        let at_signing = lang != "EN";
        let files = ["sign", "one.txt", "-o", "one.p7s", "--lang", lang];
        let mut child = spawn(&bench, &[&files[..], ITSME].concat());
        let mut said = Said::of(&mut child);
        browser.open(&said.page());
        choose(&browser, "ready");
        if at_signing {
            answer(&browser, "confirm");
            until("the second page", || browser.url().contains("/qes/sign"));
        }
        browser.click("button[value=refuse]");
        browser.until_shown(refused);
        browser.is_readable(code);
        browser.looks_right(&format!("refused-{code}"));
        assert!(browser.text().contains(none), "{}", browser.text());
        assert!(browser.url().contains("/itsme/return"));
        assert_eq!(child.wait().unwrap().code(), Some(4), "{}", said.rest());
        assert!(!bench.has("one.p7s") && !bench.has("one.p7s.pending"));
    }
    assert_eq!(sandbox.sessions("signature").len(), 2);
}

/// The user of the sandbox answers after some seconds, or never: the browser waits for them.
#[test]
fn browser_waits_for_a_slow_user_and_for_one_who_does_not_answer() {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &[]);
    let browser = Chromium::start(DESKTOP.0, DESKTOP.1);
    let sign = [&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat();
    let mut child = spawn(&bench, &sign);
    let mut said = Said::of(&mut child);
    browser.open(&said.page());
    choose(&browser, "slow");
    choose_icon(&browser);
    // The page that waits is there for long enough to be looked at.
    sandbox.fault("identification_status", &json!({"kind": "delay", "millis": 25_000}), 1);
    browser.click("button[value=confirm]");
    browser.until_shown("Waiting for your confirmation");
    browser.is_readable("en");
    browser.looks_right("waiting");
    browser.until_shown("Confirm your signature");
    // Back in the browser's history is the first page, from the browser's memory. It leads to the
    // present page again.
    browser.back();
    browser.until_shown("Share your certificate");
    answer(&browser, "confirm");
    browser.until_shown("Confirm your signature");
    assert_eq!(sandbox.sessions("signature").len(), 1);
    // The user comes too late.
    sandbox.control("/sandbox/clock", &json!({"advance_seconds": 601}));
    answer(&browser, "confirm");
    browser.until_shown("Not confirmed in time");
    browser.looks_right("expired");
    assert_eq!(child.wait().unwrap().code(), Some(4), "{}", said.rest());
}

/// Without colours, the marked icon is still the marked one.
#[test]
fn marked_icon_can_be_told_without_its_colour() {
    let bench = bench();
    let _sandbox = Sandbox::start(&bench, &[]);
    for (size, name) in [(PHONE, "phone"), (DESKTOP, "desktop")] {
        let mut child = spawn(&bench, &[&["sign", "one.txt", "-o", "one.p7s"], ITSME].concat());
        let mut said = Said::of(&mut child);
        let browser = Chromium::start(size.0, size.1);
        browser.open(&said.page());
        choose(&browser, "ready");
        marked_icon(&browser);
        browser.looks_right(&format!("icons-{name}"));
        let plain = browser.picture(&format!("icons-{name}"));
        assert_eq!(plain.difference(&browser.picture(&format!("icons-{name}"))), 0.0);
        // These pages have one scheme.
        browser.emulate("prefers-color-scheme", "dark");
        assert_eq!(plain.difference(&browser.picture(&format!("icons-{name}"))), 0.0);
        // Tangerine, and no other icon has its colour.
        let colours = "[...document.querySelectorAll('ul.icons li')].map(li => \
                       [li.className, getComputedStyle(li.querySelector('svg')).color])";
        let found = browser.value(colours);
        for icon in found.as_array().unwrap() {
            let tangerine = icon[1] == "rgb(242, 133, 0)";
            assert_eq!(tangerine, icon[0] == "marked", "{found}");
        }
        browser.emulate("forced-colors", "active");
        let forced = browser.picture(&format!("icons-forced-{name}"));
        assert!(forced.colour() < plain.colour() / 2.0, "{} {}", forced.colour(), plain.colour());
        assert!(plain.difference(&forced) > 0.02, "{}", plain.difference(&forced));
        let forced = browser.value(
            "({ active: matchMedia('(forced-colors: active)').matches, \
                icons: [...document.querySelectorAll('ul.icons li')].map(li => ({ \
                  marked: li.className == 'marked', \
                  frame: parseFloat(getComputedStyle(li).borderTopWidth), \
                  text: li.innerText })) })",
        );
        assert_eq!(forced["active"], true);
        for icon in forced["icons"].as_array().unwrap() {
            let marked = icon["marked"] == true;
            assert_eq!(icon["frame"].as_f64().unwrap() > 0.0, marked, "{forced}");
            assert_eq!(icon["text"].as_str().unwrap().contains("this icon"), marked, "{forced}");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        std::fs::remove_file(bench.path("one.p7s.pending")).unwrap();
    }
}

/// The checks of every page's looks can fail.
#[test]
fn faults_of_a_page_are_found() {
    let browser = Chromium::start(PHONE.0, PHONE.1);
    let faults = |body: &str| {
        let frame = "<!DOCTYPE html><meta name=viewport content='width=device-width'>\
                     <style>body{margin:0}</style>";
        browser.open(&format!("data:text/html,{frame}{body}"));
        browser.faults()
    };
    assert_eq!(faults("<p>good <button>one</button> <button>two</button>"), [] as [&str; 0]);
    let long = "long_name_".repeat(10);
    for (body, expected) in [
        ("<div style='width:999px'>wide</div>", "the page scrolls sideways"),
        (&format!("<p style='width:9rem'>{long}"), "a text leaves its box"),
        ("<p style='overflow:hidden;height:1rem;width:5rem'>one two three", "a text is cut off"),
        (
            "<button style='position:absolute;left:-20px'>one</button>",
            "a control is outside the window",
        ),
        (
            "<button>one</button><button style='margin-left:-1rem'>two</button>",
            "two controls are on each other",
        ),
    ] {
        let found = faults(body);
        assert!(found.iter().any(|fault| fault.starts_with(expected)), "{expected}: {found:?}");
    }
}

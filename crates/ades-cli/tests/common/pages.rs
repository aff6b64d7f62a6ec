//! A person at the sandbox's pages.

use super::chromium::Chromium;
use super::service::until;

/// Chooses a test user.
pub(crate) fn choose(browser: &Chromium, user: &str) {
    browser.click(&format!("input[value={user}]"));
    browser.click("button.main");
}

/// Chooses the icon that the page marks, and presses this button.
pub(crate) fn answer(browser: &Chromium, answer: &str) {
    choose_icon(browser);
    browser.click(&format!("button[value={answer}]"));
}

/// Chooses the icon that the page marks.
pub(crate) fn choose_icon(browser: &Chromium) {
    browser.click(&format!("input[value={}]", marked_icon(browser)));
}

/// The name of the icon that the page marks.
pub(crate) fn marked_icon(browser: &Chromium) -> String {
    until("an icon", || browser.value("document.querySelector('li.marked svg') != null") == true);
    let icon = browser.value(
        "['circle', 'triangle', 'square'].find(icon => { \
           const mark = document.querySelector('li.marked svg').innerHTML; \
           return document.querySelector(`input[value=${icon}]`).parentElement.innerHTML.includes(mark); })",
    );
    icon.as_str().unwrap().to_owned()
}

//! What a person sees: Chromium without a window, driven by its WebDriver.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding};
use serde_json::{Value, json};

use super::service::{PATIENCE, until};

/// Maximum number of browsers at the same time. More of them are slower together.
const AT_ONCE: u32 = 2;
/// The number of browsers, and who waits for one to end.
static BROWSERS: (Mutex<u32>, Condvar) = (Mutex::new(0), Condvar::new());

/// Keys as WebDriver names them (17.4.2).
pub(crate) const TAB: char = '\u{E004}';
pub(crate) const ENTER: char = '\u{E007}';
pub(crate) const SPACE: char = ' ';
pub(crate) const ARROW_LEFT: char = '\u{E012}';
pub(crate) const ARROW_DOWN: char = '\u{E015}';

/// A driver with one browser.
pub(crate) struct Chromium {
    driver: Child,
    host: String,
    session: String,
    _place: Place,
}

/// A place for one browser.
struct Place;

impl Place {
    fn take() -> Self {
        let lock = BROWSERS.0.lock().unwrap_or_else(PoisonError::into_inner);
        let running = BROWSERS.1.wait_while(lock, |running| *running >= AT_ONCE);
        *running.unwrap_or_else(PoisonError::into_inner) += 1;
        Self
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *BROWSERS.0.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        BROWSERS.1.notify_one();
    }
}

impl Chromium {
    /// Starts a browser with a window of this size in CSS pixels, as a phone if it is narrow. A
    /// test that has two at the same time may wait for ever.
    pub(crate) fn start(width: u32, height: u32) -> Self {
        let place = Place::take();
        let mut driver = Command::new("chromedriver");
        driver.args(["--port=0"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = driver.spawn().expect("the Debian package chromium-driver");
        let output = BufReader::new(driver.stdout.take().unwrap());
        let port = output.lines().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let host = format!("127.0.0.1:{}", port.expect("chromedriver names its port"));
        let mut chromium = Self { driver, host, session: String::new(), _place: place };
        let phone = json!({"deviceMetrics": {"width": width, "height": height, "pixelRatio": 2}});
        let mut options = json!({"args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--disable-extensions", "--hide-scrollbars",
            format!("--window-size={width},{height}"),
        ]});
        if width < 600 {
            options["mobileEmulation"] = phone;
        }
        let wanted = json!({
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "timeouts": {"script": PATIENCE.as_millis() as u64},
        });
        let body = json!({"capabilities": {"alwaysMatch": wanted}});
        let answer = chromium.request("POST", "/session", &body);
        answer["sessionId"].as_str().expect("a session").clone_into(&mut chromium.session);
        chromium
    }

    #[track_caller]
    fn request(&self, method: &str, path: &str, body: &Value) -> Value {
        self.try_request(method, path, body).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Sends a command. Returns the driver's value, or its error.
    fn try_request(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let host = &self.host;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        // The driver does not close the connection.
        let mut answer = BufReader::new(stream);
        let (mut head, mut length) = (String::new(), 0);
        while !head.ends_with("\r\n\r\n") {
            let begun = head.len();
            assert_ne!(answer.read_line(&mut head).unwrap(), 0, "{path}: {head}");
            let line = head[begun..].to_ascii_lowercase();
            if let Some(found) = line.strip_prefix("content-length:") {
                length = found.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        answer.read_exact(&mut body).unwrap();
        let answer: Value = serde_json::from_slice(&body).unwrap();
        let value = answer["value"].clone();
        if head.starts_with("HTTP/1.1 200") { Ok(value) } else { Err(value) }
    }

    #[track_caller]
    fn ask(&self, command: &str, body: &Value) -> Value {
        self.try_ask(command, body).unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    fn try_ask(&self, command: &str, body: &Value) -> Result<Value, Value> {
        let method = if body.is_null() { "GET" } else { "POST" };
        self.try_request(method, &format!("/session/{}/{command}", self.session), body)
    }

    /// As [`ask`](Self::ask), for a command that changes nothing. It is sent again if the page has
    /// just made way for the next one.
    #[track_caller]
    fn ask_page(&self, command: &str, body: &Value) -> Value {
        let begun = Instant::now();
        loop {
            match self.try_ask(command, body) {
                Ok(value) => return value,
                Err(error) if is_leaving(&error) && begun.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(error) => panic!("{command}: {error}"),
            }
        }
    }

    pub(crate) fn open(&self, url: &str) {
        self.ask("url", &json!({ "url": url }));
    }

    /// Goes back as the browser's button does. A script that leaves its page may run twice.
    pub(crate) fn back(&self) {
        self.ask("back", &json!({}));
    }

    pub(crate) fn url(&self) -> String {
        self.ask_page("url", &Value::Null).as_str().unwrap().to_owned()
    }

    /// The value of a script in the page, which changes nothing.
    #[track_caller]
    pub(crate) fn value(&self, script: &str) -> Value {
        self.ask_page("execute/sync", &json!({"script": format!("return {script}"), "args": []}))
    }

    pub(crate) fn text(&self) -> String {
        // A page that is loading may have no body yet.
        self.value("document.body?.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page has an element with this text.
    #[track_caller]
    pub(crate) fn until_shown(&self, text: &str) {
        let begun = Instant::now();
        while !self.text().contains(text) {
            let (url, shown) = (self.url(), self.text());
            assert!(begun.elapsed() < PATIENCE, "{text:?} is not at {url}: {shown}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until the page has an element, as after a click that leads to another page.
    #[track_caller]
    fn find(&self, selector: &str) -> String {
        let begun = Instant::now();
        loop {
            let wanted = json!({"using": "css selector", "value": selector});
            let found = self.ask_page("elements", &wanted);
            if let Some(first) = found[0].as_object().and_then(|one| one.values().next()) {
                return first.as_str().unwrap().to_owned();
            }
            let (url, shown) = (self.url(), self.text());
            assert!(begun.elapsed() < PATIENCE, "{selector} is not at {url}: {shown}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until the page has an element.
    #[track_caller]
    pub(crate) fn until_there(&self, selector: &str) {
        self.find(selector);
    }

    /// Clicks as a person does: only what is visible and not covered can be clicked.
    #[track_caller]
    pub(crate) fn click(&self, selector: &str) {
        self.act(selector, "click", &json!({}));
    }

    /// Types into an element. A file input takes the paths of files, one in each line.
    #[track_caller]
    pub(crate) fn enter(&self, selector: &str, text: &str) {
        self.act(selector, "value", &json!({ "text": text }));
    }

    /// Acts on an element, which is found again if its page has just loaded itself again.
    #[track_caller]
    fn act(&self, selector: &str, command: &str, body: &Value) {
        let begun = Instant::now();
        loop {
            let id = self.find(selector);
            match self.try_ask(&format!("element/{id}/{command}"), body) {
                Ok(_) => return,
                Err(error) => {
                    let is_gone = error["error"] == "stale element reference";
                    assert!(is_gone && begun.elapsed() < PATIENCE, "{selector}: {error}");
                }
            }
        }
    }

    /// Presses a key on the keyboard, wherever the focus is.
    pub(crate) fn press(&self, key: char) {
        let events = json!([{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]);
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": events});
        self.ask("actions", &json!({ "actions": [keyboard] }));
    }

    /// Presses the tabulator key until this element has the focus.
    #[track_caller]
    pub(crate) fn tab_to(&self, selector: &str) {
        let focus = format!("document.activeElement.matches({selector:?})");
        for _ in 0..60 {
            if self.value(&focus) == true {
                return;
            }
            self.press(TAB);
        }
        panic!("the tabulator key does not lead to {selector} at {}", self.url());
    }

    /// Lets the browser store what it downloads in a folder, without a question.
    pub(crate) fn download_to(&self, folder: &Path) {
        let params = json!({"behavior": "allow", "downloadPath": folder});
        self.devtools("Browser.setDownloadBehavior", &params);
    }

    /// Opens another tab and goes there. Returns both, the old one first.
    pub(crate) fn open_tab(&self) -> [String; 2] {
        let old = self.ask("window", &Value::Null).as_str().unwrap().to_owned();
        let new = self.ask("window/new", &json!({"type": "tab"}));
        let new = new["handle"].as_str().unwrap().to_owned();
        self.go_to_tab(&new);
        [old, new]
    }

    pub(crate) fn go_to_tab(&self, tab: &str) {
        self.ask("window", &json!({ "handle": tab }));
    }

    /// Clicks into an element, at a share of its width and height.
    #[track_caller]
    pub(crate) fn click_at(&self, selector: &str, x: f64, y: f64) {
        let place = self.value(&format!(
            "(() => {{ const e = document.querySelector({selector:?}); e.scrollIntoView(); \
               const b = e.getBoundingClientRect(); \
               return [b.left + b.width * {x}, b.top + b.height * {y}].map(Math.round); }})()"
        ));
        let events = json!([
            {"type": "pointerMove", "x": place[0], "y": place[1], "origin": "viewport"},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]);
        let mouse = json!({"type": "pointer", "id": "mouse", "actions": events});
        self.ask("actions", &json!({ "actions": [mouse] }));
    }

    /// Waits until all pictures of the page are there.
    #[track_caller]
    pub(crate) fn until_pictures(&self) {
        let pictures = "[...document.images].every(i => i.complete && i.naturalWidth > 0)";
        until("pictures", || self.value(pictures) == true);
    }

    /// Fails the test if axe-core finds anything about the page (tests/oracles/install.sh).
    #[track_caller]
    pub(crate) fn is_accessible(&self) {
        let axe = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/oracles/axe/node_modules/axe-core/axe.min.js"
        );
        let axe = std::fs::read_to_string(axe).expect("tests/oracles/install.sh");
        self.ask("execute/sync", &json!({ "script": axe, "args": [] }));
        let run = "const done = arguments[0]; axe.run().then(found => done(found.violations.map(v => \
                   [v.id, v.help, ...v.nodes.map(n => n.html + ' ' + n.failureSummary)])), done)";
        let found = self.ask("execute/async", &json!({"script": run, "args": []}));
        assert_eq!(found, json!([]), "{}", self.url());
    }

    /// Emulates a medium's feature, such as forced colours.
    pub(crate) fn emulate(&self, feature: &str, value: &str) {
        let features = json!({"features": [{"name": feature, "value": value}]});
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// Sends a command of the DevTools protocol.
    #[track_caller]
    pub(crate) fn devtools(&self, command: &str, params: &Value) {
        self.ask("goog/cdp/execute", &json!({"cmd": command, "params": params}));
    }

    /// A picture of the page. Kept in the folder that `ADES_SCREENSHOTS` names.
    pub(crate) fn screenshot(&self, name: &str) -> Vec<u8> {
        // What was changed last is drawn.
        let drawn = "const done = arguments[0]; \
                     requestAnimationFrame(() => requestAnimationFrame(() => done()))";
        self.ask_page("execute/async", &json!({"script": drawn, "args": []}));
        let picture = self.ask_page("screenshot", &Value::Null);
        let picture = Base64::decode_vec(picture.as_str().unwrap()).unwrap();
        if let Some(folder) = std::env::var_os("ADES_SCREENSHOTS") {
            let path = Path::new(&folder).join(format!("{name}.png"));
            std::fs::write(path, &picture).unwrap();
        }
        picture
    }

    /// Fails the test unless the page can be read on this screen and by a screen reader.
    #[track_caller]
    pub(crate) fn is_readable(&self, language: &str) {
        let found = self.value(
            "({ \
               lang: document.documentElement.lang, \
               title: document.title.length > 0, \
               headings: document.querySelectorAll('h1').length, \
               mains: document.querySelectorAll('main').length, \
               overflow: document.documentElement.scrollWidth - window.innerWidth, \
               small: [...document.querySelectorAll('body *')].filter(e => \
                 [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim()) && \
                 parseFloat(getComputedStyle(e).fontSize) < 15).map(e => e.outerHTML), \
               unnamed: [...document.querySelectorAll('input:not([type=hidden]),button,a')].filter(e => \
                 !(e.labels && e.labels.length) && !e.ariaLabel && !e.textContent.trim()).length, \
             })",
        );
        assert_eq!(found["lang"], language, "{found}");
        assert_eq!((&found["headings"], &found["mains"]), (&json!(1), &json!(1)), "{found}");
        assert!(found["title"] == true && found["unnamed"] == 0, "{found}");
        assert!(found["overflow"].as_f64().unwrap() <= 0.0, "it scrolls sideways: {found}");
        assert_eq!(found["small"], json!([]), "too small");
        let contrasts = self.value(CONTRASTS);
        for contrast in contrasts.as_array().unwrap() {
            assert!(contrast["ratio"].as_f64().unwrap() >= 4.5, "{contrast}");
        }
        assert!(!contrasts.as_array().unwrap().is_empty());
    }
}

/// Whether an error says that the page makes way for the next one.
fn is_leaving(error: &Value) -> bool {
    let message = error["message"].as_str().unwrap_or_default();
    // A script that waits says so when its page is gone.
    ["navigat", "loader has changed", "script timeout"].iter().any(|part| message.contains(part))
}

/// The contrast of each text with its background (WCAG 2.2, 1.4.3).
const CONTRASTS: &str = "(() => { \
    const rgba = c => { const p = c.match(/[\\d.]+/g).map(Number); return p.length < 4 ? [...p, 1] : p; }; \
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255) \
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4) \
        .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0); \
    const ground = e => { for (; e; e = e.parentElement) { \
        const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] == 1) return c; } \
        return [255, 255, 255, 1]; }; \
    return [...document.querySelectorAll('body *')].filter(e => e.offsetParent && \
        [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim())).map(e => { \
        const [a, b] = [rgba(getComputedStyle(e).color), ground(e)].map(light); \
        return { text: e.textContent.trim().slice(0, 40), \
                 ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) }; }); })()";

impl Drop for Chromium {
    fn drop(&mut self) {
        // Closes the browser; a session that is gone does no harm.
        if !self.session.is_empty() && !std::thread::panicking() {
            self.request("DELETE", &format!("/session/{}", self.session), &Value::Null);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

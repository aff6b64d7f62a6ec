//! How a page looks.
//!
//! A picture of a page differs with each version of Chromium and each set of fonts, so no picture
//! is committed. What is checked instead fails for a reason that a person would see, too:
//!
//! - *faults* that are faults in any font: the page scrolls sideways, a text leaves its box or is
//!   cut off, a control is outside the window or on another one,
//! - the *places* of the parts of the page, against `tests/figures/places.json`. Left edges and
//!   widths come from the style sheet, so they have a small tolerance. Heights and top edges come
//!   from the fonts, so they may be half or double. A style sheet that is missing, a part that is
//!   missing, too many or in another column does not pass.
//! - *pictures of one run* against each other: see [`Picture`].
//!
//! `ADES_FIGURES=renew` writes the places that it finds. Look at the pictures then: the folder that
//! `ADES_SCREENSHOTS` names gets them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde_json::json;

use super::chromium::Chromium;

/// How far an edge may be from its place, in CSS pixels.
const TOLERANCE: i64 = 12;
/// By how much a height or a top edge may differ, if half or double of it is less.
const SMALL: i64 = 48;
/// The width of a common phone in CSS pixels.
const PHONE: u32 = 360;

/// The name, the left and the top edge, the width and the height of a part, in CSS pixels.
type Part = (String, [i64; 4]);
/// The parts of pages, by the names of the pages.
type Places = BTreeMap<String, Vec<Part>>;

impl Chromium {
    /// Keeps a picture of the page, and fails the test if the page does not look as it should.
    #[track_caller]
    pub(crate) fn looks_right(&self, name: &str) {
        self.screenshot(name);
        self.has_no_faults(name);
        compare(name, self.places());
        // A phone has its own window. Otherwise, the page has to fit a phone as well.
        if self.value("innerWidth").as_u64().unwrap() > u64::from(PHONE) {
            let phone =
                json!({"width": PHONE, "height": 740, "deviceScaleFactor": 1, "mobile": false});
            self.devtools("Emulation.setDeviceMetricsOverride", &phone);
            self.has_no_faults(&format!("{name}, as wide as a phone"));
            self.devtools("Emulation.clearDeviceMetricsOverride", &json!({}));
        }
    }

    #[track_caller]
    fn has_no_faults(&self, name: &str) {
        assert_eq!(self.faults(), [] as [&str; 0], "{name}");
    }

    /// The faults of the page.
    pub(crate) fn faults(&self) -> Vec<String> {
        serde_json::from_value(self.value(FAULTS)).unwrap()
    }

    /// The parts of the page, in the order of the document.
    pub(crate) fn places(&self) -> Vec<Part> {
        serde_json::from_value(self.value(PLACES)).unwrap()
    }

    pub(crate) fn picture(&self, name: &str) -> Picture {
        Picture::read(&self.screenshot(name))
    }
}

/// Compares the parts of a page with the committed figures, or renews these.
#[track_caller]
fn compare(name: &str, found: Vec<Part>) {
    static FILE: Mutex<()> = Mutex::new(());
    let _lock = FILE.lock().unwrap_or_else(PoisonError::into_inner);
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/figures/places.json"));
    let text = std::fs::read_to_string(&path).unwrap_or("{}".to_owned());
    let mut places: Places = serde_json::from_str(&text).unwrap();
    if std::env::var("ADES_FIGURES").is_ok_and(|value| value == "renew") {
        places.insert(name.to_owned(), found);
        return std::fs::write(path, to_text(&places)).unwrap();
    }
    let expected = places.get(name).unwrap_or_else(|| panic!("{name} is not in {path:?}"));
    let names = |parts: &[Part]| parts.iter().map(|part| part.0.clone()).collect::<Vec<_>>();
    assert_eq!(names(&found), names(expected), "{name}: the parts");
    for ((part, found), (_, expected)) in found.iter().zip(expected) {
        let is_near = |at: usize| (found[at] - expected[at]).abs() <= TOLERANCE;
        let is_similar = |at: usize| {
            let (least, most) = (expected[at] / 2 - SMALL, expected[at] * 2 + SMALL);
            (least..=most).contains(&found[at])
        };
        let fits = is_near(0) && is_similar(1) && is_near(2) && is_similar(3);
        assert!(fits, "{name}: {part} is at {found:?}, expected near {expected:?}");
    }
}

/// One part in each line, so that a change can be read.
fn to_text(places: &Places) -> String {
    let mut text = "{".to_owned();
    for (at, (name, parts)) in places.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        write!(text, "{comma}\n  {}: [", json!(name)).unwrap();
        for (at, part) in parts.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(text, "{comma}\n    {}", json!(part)).unwrap();
        }
        text += "\n  ]";
    }
    text + "\n}\n"
}

/// The parts of the page.
const PLACES: &str = "(() => { \
    const parts = 'header, main, h1, h2, .steps, .card, .panel, .columns > *, form, fieldset, dl, \
                   figure, pre, table, .notice, .icons, .icons li'; \
    return [...document.querySelectorAll(parts)].filter(e => e.checkVisibility()).map(e => { \
        const b = e.getBoundingClientRect(); \
        /* The marked icon is any of them. */ \
        const classes = [...e.classList].filter(name => name != 'marked'); \
        const name = [e.localName, ...classes].join('.'); \
        return [name, [b.left + scrollX, b.top + scrollY, b.width, b.height].map(Math.round)]; \
    }); })()";

/// Lists the faults of the page, in any font.
const FAULTS: &str = "(() => { \
    const found = [], width = document.documentElement.clientWidth; \
    const style = e => getComputedStyle(e); \
    const is_shown = e => e.checkVisibility({ visibilityProperty: true }) && \
        !e.closest('.skip, script, style, noscript, select') && style(e).clipPath == 'none'; \
    const name = e => `${e.localName} ${(e.innerText || e.value || '').slice(0, 50)}`; \
    if (document.documentElement.scrollWidth > width) found.push('the page scrolls sideways'); \
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); \
    for (let text; text = texts.nextNode();) { \
        if (!text.data.trim() || !is_shown(text.parentElement)) continue; \
        let box = text.parentElement; \
        while (style(box).display == 'inline') box = box.parentElement; \
        const { left, right } = box.getBoundingClientRect(); \
        const range = document.createRange(); \
        range.selectNodeContents(text); \
        if ([...range.getClientRects()].some(r => r.left < left - 1 || r.right > right + 1)) \
            found.push(`a text leaves its box: ${name(box)}`); \
    } \
    for (const e of document.querySelectorAll('body *')) { \
        const cuts = at => /hidden|clip/.test(style(e)[at]); \
        const is_cut = cuts('overflowX') && e.scrollWidth > e.clientWidth + 1 || \
                       cuts('overflowY') && e.scrollHeight > e.clientHeight + 1; \
        if (is_cut && is_shown(e) && e.innerText?.trim()) found.push(`a text is cut off: ${name(e)}`); \
    } \
    const all = 'a[href], button, input:not([type=hidden]), select, textarea, summary'; \
    const controls = [...document.querySelectorAll(all)] \
        .filter(e => is_shown(e) || e.localName == 'select') \
        .map(e => ({ e, boxes: [...e.getClientRects()] })); \
    for (const { e, boxes } of controls) { \
        if (boxes.some(b => b.left < -1 || b.right > width + 1)) \
            found.push(`a control is outside the window: ${name(e)}`); \
    } \
    const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && \
                           Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1; \
    controls.forEach((one, at) => controls.slice(at + 1).forEach(other => { \
        if (!one.e.contains(other.e) && one.boxes.some(a => other.boxes.some(b => meet(a, b)))) \
            found.push(`two controls are on each other: ${name(one.e)}, ${name(other.e)}`); \
    })); \
    return found; })()";

/// A picture of a page, for comparisons with other pictures of the same run. They share the fonts
/// and the version of Chromium, so that a difference is the page's own.
pub(crate) struct Picture {
    /// Red, green and blue of each pixel, 0 to 255
    pixels: Vec<[u8; 3]>,
    width: usize,
}

impl Picture {
    fn read(png: &[u8]) -> Self {
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut octets = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut octets).unwrap();
        let length = frame.color_type.samples();
        let pixels = octets[..frame.buffer_size()].chunks(length).map(|p| [p[0], p[1], p[2]]);
        Self { pixels: pixels.collect(), width: frame.width as usize }
    }

    /// The share of pixels that are not the same in another picture of the same size.
    pub(crate) fn difference(&self, other: &Self) -> f64 {
        assert_eq!((self.width, self.pixels.len()), (other.width, other.pixels.len()));
        let pairs = self.pixels.iter().zip(&other.pixels);
        let differ =
            |(a, b): &(&[u8; 3], &[u8; 3])| a.iter().zip(b.iter()).any(|(a, b)| a.abs_diff(*b) > 8);
        pairs.filter(differ).count() as f64 / self.pixels.len() as f64
    }

    /// How light the ground is, from 0 to 255: half of the pixels are darker.
    pub(crate) fn ground(&self) -> u8 {
        let mut light: Vec<u8> = self
            .pixels
            .iter()
            .map(|p| (p.iter().map(|v| u16::from(*v)).sum::<u16>() / 3) as u8)
            .collect();
        light.sort_unstable();
        light[light.len() / 2]
    }

    /// The share of pixels that are neither black, grey nor white.
    pub(crate) fn colour(&self) -> f64 {
        let is_coloured = |p: &&[u8; 3]| p.iter().max().unwrap() - p.iter().min().unwrap() > 60;
        self.pixels.iter().filter(is_coloured).count() as f64 / self.pixels.len() as f64
    }
}

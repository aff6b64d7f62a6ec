//! Reports as text for people.

pub(crate) mod cades;
pub(crate) mod pades;
pub(crate) mod xades;

use serde::Serialize;
use serde_json::Value;

/// Escapes characters that end a line, control a terminal or change the direction of writing.
///
/// Reports quote text from documents and certificates, which anybody may have written.
#[must_use]
pub fn for_terminal(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_line_end_or_direction(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Separators of lines and paragraphs, and Bidi_Control (UAX 9, 2).
fn is_line_end_or_direction(c: char) -> bool {
    matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Adds exactly one line, even if the text contains line ends.
fn add_line(text: &mut String, line: impl std::fmt::Display) {
    text.push_str(&for_terminal(&line.to_string()));
    text.push('\n');
}

/// A value's code in JSON.
fn code(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).ok();
    value.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The verdict on one signature, as a word.
const fn intact(intact: bool) -> &'static str {
    if intact { "intact" } else { "NOT INTACT" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_direction_characters_are_escaped() {
        for (text, expected) in [
            ("Zoë Ζωή 😀 \\u{1b}", "Zoë Ζωή 😀 \\u{1b}"),
            ("a\u{1B}[2J\n\r\tb\0", "a\\u{1b}[2J\\u{a}\\u{d}\\u{9}b\\u{0}"),
            ("\u{7F}\u{9B}31m", "\\u{7f}\\u{9b}31m"),
            ("\u{202E}fdp\u{202C}", "\\u{202e}fdp\\u{202c}"),
            ("\u{200E}\u{200F}\u{61C}", "\\u{200e}\\u{200f}\\u{61c}"),
            ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"),
            ("\u{2066}\u{2067}\u{2068}\u{2069}", "\\u{2066}\\u{2067}\\u{2068}\\u{2069}"),
        ] {
            assert_eq!(for_terminal(text), expected);
        }
    }
}

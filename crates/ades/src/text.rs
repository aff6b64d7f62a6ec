//! Reports as text for people.

pub(crate) mod cades;
pub(crate) mod pades;
pub(crate) mod xades;

use ades_core::SignerLocation;
use ades_core::facts::{SignatureFacts, TimeStampFacts};
use ades_validation::Conclusion;
use serde::Serialize;
use serde_json::Value;

use crate::report::{FormatReport, Report};
use crate::verdict::Verdict;

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

/// A claimed place in one line.
fn location(location: &SignerLocation) -> String {
    let parts = [&location.country, &location.locality].into_iter().flatten();
    let parts: Vec<&str> = parts.chain(&location.postal_address).map(String::as_str).collect();
    parts.join(", ")
}

/// The time-stamps on a signature. Their signatures are not verified.
fn add_time_stamps(facts: &SignatureFacts, text: &mut String) {
    for stamp in facts.time_stamps() {
        add_line(text, format_args!("  time-stamp ({}): {}", code(&stamp.kind), described(stamp)));
    }
}

/// The time-stamps on a signature, each with its answer.
fn add_judged_time_stamps(verdict: &Verdict, text: &mut String) {
    let qualified = verdict.qualified_time_stamps.iter().copied();
    let qualified = qualified.chain(std::iter::repeat(None));
    let judged = verdict.time_stamps().zip(&verdict.judgement.time_stamps);
    for ((stamp, judgement), qualified) in judged.zip(qualified) {
        let qualified = match qualified {
            Some(true) => ", qualified",
            Some(false) => ", not qualified",
            None => "",
        };
        let answer = match judgement.conclusion.sub_indication() {
            None if judgement.by_younger => "passed, by a younger time-stamp".to_owned(),
            None => "passed".to_owned(),
            Some(sub) => format!("not passed ({sub})"),
        };
        let (kind, described) = (code(&stamp.kind), described(stamp));
        add_line(text, format_args!("  time-stamp ({kind}): {described}: {answer}{qualified}"));
    }
}

/// The time in a time-stamp, who made it, and what it covers.
fn described(stamp: &TimeStampFacts) -> String {
    let time = stamp.time.map_or_else(|| "cannot be read".to_owned(), crate::verdict::time);
    let tsa = stamp.tsa.as_ref().map(|name| format!(", by {name}")).unwrap_or_default();
    let until = stamp.tsa_until.map(crate::verdict::time);
    let until = until.map(|until| format!(", renewable until {until}")).unwrap_or_default();
    let covers = &stamp.covers;
    let parts = [
        (covers.signed_data, "the data"),
        (covers.signature, "the signature"),
        (covers.references, "references"),
    ];
    let parts = parts.iter().filter(|(is_covered, _)| *is_covered);
    let mut covered: Vec<String> = parts.map(|(_, name)| (*name).to_owned()).collect();
    let counts = [
        (covers.objects.certificates.len(), "certificates"),
        (covers.objects.revocation_values.len(), "revocation values"),
        (covers.objects.time_stamps.len(), "time-stamps"),
    ];
    covered.extend(
        counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, name)| format!("{count} {name}")),
    );
    let covered = match covered.as_slice() {
        [] => String::new(),
        covered => format!(", covers {}", covered.join(", ")),
    };
    format!("{time}{tsa}{until}{covered}")
}

/// Whether something is intact, as a word.
const fn intact(intact: Option<bool>) -> &'static str {
    match intact {
        Some(true) => "intact",
        Some(false) => "NOT INTACT",
        None => "not decided whether intact",
    }
}

/// The answer for each signature, why, and what was found.
pub(crate) fn verdicts(report: &Report) -> String {
    let mut text = String::new();
    for (at, verdict) in report.signatures.iter().enumerate() {
        let name = match &report.format_report {
            FormatReport::Pades(pades) => {
                pades.signatures.get(at).map_or_else(String::new, |one| one.field.clone())
            }
            _ => format!("signature {at}"),
        };
        add_verdict(verdict, &name, &mut text);
        match &report.format_report {
            FormatReport::Cades(_) => {}
            FormatReport::Pades(pades) => {
                pades.signatures.get(at).into_iter().for_each(|s| pades::details(s, &mut text));
            }
            FormatReport::Xades(xades) => {
                xades.signatures.get(at).into_iter().for_each(|s| xades::details(s, &mut text));
            }
        }
        add_countersignatures(verdict, &name, &mut text);
    }
    if let FormatReport::Pades(pades) = &report.format_report {
        pades.time_stamps.iter().for_each(|stamp| pades::stamp_verdict(stamp, &mut text));
    }
    text
}

fn add_countersignatures(verdict: &Verdict, name: &str, text: &mut String) {
    for (at, inner) in verdict.countersignatures.iter().enumerate() {
        let name = format!("{name}, countersignature {at}");
        add_verdict(inner, &name, text);
        add_countersignatures(inner, &name, text);
    }
}

fn add_verdict(verdict: &Verdict, name: &str, text: &mut String) {
    let judgement = &verdict.judgement;
    let sub = judgement.conclusion.sub_indication();
    let sub = sub.map(|sub| format!(" ({sub})")).unwrap_or_default();
    add_line(text, format_args!("{name}: {}{sub}", verdict.indication()));
    let trusted = match judgement.trusted {
        Some(true) => "trusted",
        Some(false) => "not trusted",
        None => "trust not judged",
    };
    add_line(
        text,
        format_args!(
            "  {} {}, {}, covers {}, by {}, {trusted}",
            verdict.format,
            verdict.level,
            intact(verdict.intact),
            verdict.covers,
            verdict.signer.as_deref().unwrap_or("an unknown signer"),
        ),
    );
    if let Some(time) = verdict.claimed_time {
        add_line(text, format_args!("  claimed time: {}", crate::verdict::time(time)));
    }
    if judgement.time_stamps.iter().any(|stamp| stamp.conclusion == Conclusion::PASSED) {
        let time = crate::verdict::time(judgement.best_time);
        add_line(text, format_args!("  proven time: {time}, by a time-stamp"));
    }
    add_line(text, format_args!("  revocation: {}", code(&judgement.revocation)));
    if let Some(qualification) = &verdict.qualification {
        add_line(text, format_args!("  qualification: {qualification}, by the trusted list"));
    }
    add_judged_time_stamps(verdict, text);
    for why in &judgement.problems {
        add_line(text, format_args!("  problem: {}", why.text));
    }
    for remark in &judgement.remarks {
        add_line(text, format_args!("  remark: {}", remark.text));
    }
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

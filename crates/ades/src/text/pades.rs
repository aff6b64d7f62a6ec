//! PAdES reports as text.

use ::pades::report::{Report, SignatureReport, TimeStampReport};

use super::{add_line, add_time_stamps, code};

/// The later changes of a signature.
pub(super) fn details(signature: &SignatureReport, text: &mut String) {
    for change in &signature.changes {
        add_line(text, format_args!("  changed after it: {}", code(change)));
    }
}

/// A document time-stamp, whose token's signature is not verified.
pub(super) fn stamp_verdict(stamp: &TimeStampReport, text: &mut String) {
    let (field, covers) = (&stamp.field, code(&stamp.covers));
    add_line(text, format_args!("{field}: time-stamp, covers {covers}"));
    for problem in &stamp.problems {
        add_line(text, format_args!("  {problem}"));
    }
}

/// The list of a document's signatures.
pub(crate) fn contents(report: &Report) -> String {
    let mut text = format!(
        "PDF, {} octets, {} cross-reference sections, {} signatures, {} document time-stamps\n",
        report.length,
        report.sections.len(),
        report.signatures.len(),
        report.time_stamps.len(),
    );
    for section in &report.sections {
        let kind = if section.is_stream { "stream" } else { "table" };
        let (offset, objects) = (section.offset, section.objects);
        add_line(&mut text, format_args!("section at {offset}: a {kind}, {objects} objects"));
    }
    for field in &report.fields {
        let kind = if field.is_signature { "signature field" } else { "field" };
        let state = match (field.is_signature, field.has_value) {
            (_, false) => "empty",
            (true, true) => "signed",
            (false, true) => "filled",
        };
        add_line(&mut text, format_args!("{kind} {}: {state}", field.name));
    }
    report.signatures.iter().for_each(|signature| list(signature, &mut text));
    for stamp in &report.time_stamps {
        let (field, covers) = (&stamp.field, code(&stamp.covers));
        add_line(&mut text, format_args!("{field}: time-stamp, covers {covers}"));
    }
    text
}

fn list(signature: &SignatureReport, text: &mut String) {
    let name = &signature.field;
    add_line(text, format_args!("{name}: {} {}", signature.format, code(&signature.level)));
    let mut row = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            add_line(text, format_args!("  {key}: {value}"));
        }
    };
    row("signer", signature.signer.clone());
    row("signing time (claimed)", signature.claimed_time.map(|t| t.to_rfc3339()));
    row("format", Some(signature.sub_filter.clone()));
    row("covers", Some(code(&signature.covers)));
    let ranges = signature.byte_range.map(|range| range.map(|n| n.to_string()).join(" "));
    row("byte range", ranges);
    row("certifies the document, level", signature.certification.map(|n| n.to_string()));
    row("name", signature.name.clone());
    row("reason", signature.reason.clone());
    row("location", signature.location.clone());
    row("contact", signature.contact.clone());
    for change in &signature.changes {
        row("changed after it", Some(code(change)));
    }
    if let Some(cms) = &signature.cms {
        row("digest", Some(cms.digest_algorithm.clone()));
        row("algorithm", Some(cms.signature_algorithm.clone()));
        // The signing time in `/M` is shown above.
        for time in &cms.further.signing_times {
            row("signing time (claimed)", Some(time.to_rfc3339()));
        }
        for (key, value) in super::cades::claims(cms) {
            row(key, Some(value));
        }
    }
    add_time_stamps(&signature.facts, text);
}

//! XAdES reports as text.

use ::xades::report::{Part, Place, ReferenceReport, Report, SignatureReport};

use super::{add_line, code, intact};

/// The outcomes of the references of a signature.
pub(super) fn details(signature: &SignatureReport, text: &mut String) {
    for reference in &signature.references {
        reference_verdict(reference, "  ", text);
    }
}

fn reference_verdict(reference: &ReferenceReport, indent: &str, text: &mut String) {
    let intact = intact(reference.intact);
    let mut line = format!("{indent}{}: {intact}", subject(reference));
    let problem = reference.problem.map(|problem| problem.to_string());
    if let Some(why) = reference.detail.as_ref().or(problem.as_ref()) {
        line.push_str(&format!(", {why}"));
    }
    line.push_str(&not_covered(reference));
    add_line(text, line);
    for inner in &reference.manifest {
        reference_verdict(inner, &format!("{indent}  "), text);
    }
}

/// The parts of its elements that a reference does not cover.
fn not_covered(reference: &ReferenceReport) -> String {
    let mut text = String::new();
    for hole in &reference.left_out {
        text.push_str(&format!(", less {}", range(hole)));
    }
    if reference.text_only {
        text.push_str(", text only");
    }
    if reference.comments_left_out {
        text.push_str(", comments not covered");
    }
    text
}

/// The elements or the URI that a reference names.
fn subject(reference: &ReferenceReport) -> String {
    let kind = code(&reference.kind);
    match reference.covers.as_slice() {
        [] => match &reference.uri {
            Some(uri) => format!("{kind} {uri:?}"),
            None => format!("{kind} without a name"),
        },
        parts => {
            let parts: Vec<String> = parts.iter().map(element).collect();
            format!("{kind} {}", parts.join(", "))
        }
    }
}

fn element(part: &Part) -> String {
    let id = part.id.as_ref().map(|id| format!(" {id:?}")).unwrap_or_default();
    format!("{}{id} at {}", part.element, range(&part.place))
}

fn range(place: &Place) -> String {
    format!("{}..{}", place.from, place.to)
}

/// The list of a document's signatures.
pub(crate) fn contents(report: &Report) -> String {
    let mut text = String::new();
    let (length, root, signatures) = (report.length, &report.root.element, report.signatures.len());
    add_line(
        &mut text,
        format_args!("XML, {length} octets, root element {root}, {signatures} signatures"),
    );
    for (at, signature) in report.signatures.iter().enumerate() {
        list(signature, &format!("signature {at}"), &mut text);
    }
    text
}

fn list(signature: &SignatureReport, name: &str, text: &mut String) {
    add_line(text, format_args!("{name}: {} {}", signature.format, code(&signature.level)));
    let mut row = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            add_line(text, format_args!("  {key}: {value}"));
        }
    };
    row("signer", signature.signer.clone());
    row("Id", signature.id.clone());
    row("stands at", Some(range(&signature.place)));
    let further = &signature.further;
    for time in signature.claimed_time.iter().chain(&further.signing_times) {
        row("signing time (claimed)", Some(time.to_rfc3339()));
    }
    row("algorithm", Some(signature.signature_algorithm.clone()));
    row("canonicalisation", Some(signature.canonicalization.clone()));
    row("covers", Some(code(&signature.covers)));
    for policy in signature.policy.iter().chain(&further.policies) {
        row("policy", Some(policy.id.clone().unwrap_or_else(|| "implied".to_owned())));
    }
    for commitment in &signature.commitments {
        row("commitment", Some(commitment.clone()));
    }
    for role in &signature.signer_roles {
        row("role (claimed)", Some(role.clone()));
    }
    for location in signature.location.iter().chain(&further.locations) {
        row("location (claimed)", Some(super::location(location)));
    }
    for property in &signature.unsigned_properties {
        row("unsigned property", Some(property.clone()));
    }
    super::add_time_stamps(&signature.facts, text);
    for reference in &signature.references {
        add_line(text, format_args!("  signs: {}", described(reference)));
        for inner in &reference.manifest {
            add_line(text, format_args!("  signs, by manifest: {}", described(inner)));
        }
    }
    for (at, inner) in signature.countersignatures.iter().enumerate() {
        list(inner, &format!("{name}, countersignature {at}"), text);
    }
}

fn described(reference: &ReferenceReport) -> String {
    let mut text = format!("{}, {}", subject(reference), reference.digest_algorithm);
    if let Some(mime_type) = &reference.mime_type {
        text.push_str(&format!(", {mime_type}"));
    }
    if let Some(description) = &reference.description {
        text.push_str(&format!(", {description:?}"));
    }
    text.push_str(&not_covered(reference));
    text
}

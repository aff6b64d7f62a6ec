//! XML: what is read and what is said of it.

use ades_core::Document;
use xades::VerifyOptions;
use xades::report::{Part, Place, Problem, ReferenceReport, Report, SignatureReport};

use crate::exit::Failure;
use crate::input;
use crate::xml::{Reading, target};

use super::{Wanted, add_line, unsound, word};

pub(super) fn read(source: &mut Document<'_>, wanted: &Wanted<'_>) -> Result<Report, Failure> {
    let mut options = options(&wanted.reading)?.trust(wanted.trust);
    for path in wanted.originals {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        options = options.original_named(name.unwrap_or_default(), input::document(path)?);
    }
    // The only one may be called anything.
    if let [path] = wanted.originals
        && !input::is_standard(path)
    {
        options = options.original(input::document(path)?);
    }
    for element in wanted.elements {
        options = options.expect(target(element, None)?);
    }
    Ok(xades::verify(source, options)?)
}

fn options<'a>(reading: &Reading) -> Result<VerifyOptions<'a>, Failure> {
    let options = VerifyOptions::new().ids(reading.ids()?);
    Ok(if reading.ignore_external_subset { options.ignoring_external_subset() } else { options })
}

/// The new signature is without fault, and there is one more of those that
/// are. What a detached one is about is `source`.
pub(super) fn check(
    made: &mut Document<'_>,
    source: &mut Document<'_>,
    reading: &Reading,
) -> Result<(), Failure> {
    fn all<'r>(signatures: &'r [SignatureReport], into: &mut Vec<&'r SignatureReport>) {
        for signature in signatures {
            into.push(signature);
            all(&signature.countersignatures, into);
        }
    }
    // That it covers a part only may be what was asked for.
    let sound = |signature: &&SignatureReport| {
        signature.intact && signature.problems.iter().all(|p| *p == Problem::NotCovered)
    };
    let count = |report: &Report| {
        let mut found = Vec::new();
        all(&report.signatures, &mut found);
        (found.len(), found.into_iter().filter(sound).count())
    };
    let alone = xades::verify(made, options(reading)?)?;
    let good = match count(&alone) {
        (1, 1) => true,
        (1, _) if is_detached(&alone) => {
            let document = Document::seekable(source.random_access()?);
            let options = options(reading)?.original(document);
            count(&xades::verify(made, options)?).1 == 1
        }
        (1, _) => false,
        found => {
            let (signatures, sound) = count(&xades::verify(source, options(reading)?)?);
            found == (signatures + 1, sound + 1)
        }
    };
    if good {
        return Ok(());
    }
    let problems = alone.signatures.iter().flat_map(|s| &s.problems).map(ToString::to_string);
    Err(unsound(problems.collect()))
}

/// Whether something outside was not given.
pub(super) fn is_detached(report: &Report) -> bool {
    fn missing(reference: &ReferenceReport) -> bool {
        reference.problem == Some(Problem::ContentMissing) || reference.manifest.iter().any(missing)
    }
    let mut references = report.signatures.iter().flat_map(|signature| &signature.references);
    references.any(missing)
}

pub(super) fn judged(report: &Report, text: &mut String) {
    for (at, signature) in report.signatures.iter().enumerate() {
        judged_signature(signature, &format!("signature {at}"), text);
    }
}

fn judged_signature(signature: &SignatureReport, name: &str, text: &mut String) {
    let intact = if signature.intact { "intact" } else { "NOT INTACT" };
    add_line(
        text,
        format_args!(
            "{name}: {} {}, {intact}, covers {}, by {}",
            signature.format,
            word(&signature.level),
            word(&signature.covers),
            signature.signer.as_deref().unwrap_or("an unknown signer"),
        ),
    );
    for problem in &signature.problems {
        add_line(text, format_args!("  {problem}"));
    }
    for reference in &signature.references {
        judged_reference(reference, "  ", text);
    }
    for (at, inner) in signature.countersignatures.iter().enumerate() {
        judged_signature(inner, &format!("{name}, countersignature {at}"), text);
    }
}

fn judged_reference(reference: &ReferenceReport, indent: &str, text: &mut String) {
    let intact = match reference.intact {
        Some(true) => "intact",
        Some(false) => "NOT INTACT",
        None => "not decided",
    };
    let mut line = format!("{indent}{}: {intact}", subject(reference));
    let problem = reference.problem.map(|problem| problem.to_string());
    if let Some(why) = reference.detail.as_ref().or(problem.as_ref()) {
        line.push_str(&format!(", {why}"));
    }
    line.push_str(&uncovered(reference));
    add_line(text, line);
    for inner in &reference.manifest {
        judged_reference(inner, &format!("{indent}  "), text);
    }
}

/// What in that it does not cover.
fn uncovered(reference: &ReferenceReport) -> String {
    let mut text = String::new();
    for hole in &reference.left_out {
        text.push_str(&format!(", less {}", place(hole)));
    }
    if reference.text_only {
        text.push_str(", text only");
    }
    if reference.comments_left_out {
        text.push_str(", comments not covered");
    }
    text
}

/// What a reference is about, in the words of the document.
fn subject(reference: &ReferenceReport) -> String {
    let kind = word(&reference.kind);
    match reference.covers.as_slice() {
        [] => match &reference.uri {
            Some(uri) => format!("{kind} {uri:?}"),
            None => format!("{kind} without a name"),
        },
        parts => {
            let parts: Vec<String> = parts.iter().map(part).collect();
            format!("{kind} {}", parts.join(", "))
        }
    }
}

fn part(part: &Part) -> String {
    let id = part.id.as_ref().map(|id| format!(" {id:?}")).unwrap_or_default();
    format!("{}{id} at {}", part.element, place(&part.place))
}

fn place(place: &Place) -> String {
    format!("{}..{}", place.from, place.to)
}

pub(super) fn contents(report: &Report) -> String {
    let mut text = String::new();
    let (length, root, signatures) = (report.length, &report.root.element, report.signatures.len());
    add_line(
        &mut text,
        format_args!("XML, {length} octets, root element {root}, {signatures} signatures"),
    );
    for (at, signature) in report.signatures.iter().enumerate() {
        listed(signature, &format!("signature {at}"), &mut text);
    }
    text
}

fn listed(signature: &SignatureReport, name: &str, text: &mut String) {
    add_line(text, format_args!("{name}: {} {}", signature.format, word(&signature.level)));
    let mut row = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            add_line(text, format_args!("  {key}: {value}"));
        }
    };
    row("signer", signature.signer.clone());
    row("Id", signature.id.clone());
    row("stands at", Some(place(&signature.place)));
    row("signing time (claimed)", signature.signing_time.map(|t| t.to_rfc3339()));
    row("algorithm", Some(signature.signature_algorithm.clone()));
    row("canonicalisation", Some(signature.canonicalization.clone()));
    row("covers", Some(word(&signature.covers)));
    let policy = signature.policy.as_ref();
    row("policy", policy.map(|policy| policy.id.clone().unwrap_or_else(|| "implied".to_owned())));
    for commitment in &signature.commitments {
        row("commitment", Some(commitment.clone()));
    }
    for role in &signature.signer_roles {
        row("role (claimed)", Some(role.clone()));
    }
    if let Some(location) = &signature.location {
        let parts = [&location.country, &location.locality].into_iter().flatten();
        let parts: Vec<&str> = parts.chain(&location.postal_address).map(String::as_str).collect();
        row("location (claimed)", Some(parts.join(", ")));
    }
    for property in &signature.unsigned_properties {
        row("unsigned property", Some(property.clone()));
    }
    for reference in &signature.references {
        row("signs", Some(described(reference)));
        for inner in &reference.manifest {
            row("signs, by manifest", Some(described(inner)));
        }
    }
    for (at, inner) in signature.countersignatures.iter().enumerate() {
        listed(inner, &format!("{name}, countersignature {at}"), text);
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
    text.push_str(&uncovered(reference));
    text
}

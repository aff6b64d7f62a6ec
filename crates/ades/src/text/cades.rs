//! CAdES reports as text.

use ::cades::report::{Report, SignatureReport};

use super::{add_line, code, intact};

/// The verdict on each signature.
pub(crate) fn verdicts(report: &Report) -> String {
    let mut text = String::new();
    for (at, signature) in report.signatures.iter().enumerate() {
        verdict(signature, &format!("signature {at}"), &mut text);
    }
    text
}

fn verdict(signature: &SignatureReport, name: &str, text: &mut String) {
    add_line(
        text,
        format_args!(
            "{name}: {} {}, {}, by {}",
            signature.format,
            code(&signature.level),
            intact(signature.intact),
            signature.signer.as_deref().unwrap_or("an unknown signer"),
        ),
    );
    for problem in &signature.problems {
        add_line(text, format_args!("  {problem}"));
    }
    for (at, inner) in signature.countersignatures.iter().enumerate() {
        verdict(inner, &format!("{name}, countersignature {at}"), text);
    }
}

/// The list of a container's signatures.
pub(crate) fn contents(report: &Report) -> String {
    let length = report.content_length.map(|l| format!(", {l} octets of content"));
    let mut text = format!(
        "CAdES, {}{}, {} certificates, {} revocation values\n",
        report.packaging,
        length.unwrap_or_default(),
        report.certificates,
        report.revocation_values,
    );
    if let Some(at) = report.first_not_der {
        add_line(&mut text, format_args!("BER, not DER, from octet {at} on"));
    }
    for (at, signature) in report.signatures.iter().enumerate() {
        list(signature, &format!("signature {at}"), &mut text);
    }
    text
}

fn list(signature: &SignatureReport, name: &str, text: &mut String) {
    add_line(text, format_args!("{name}: {}", code(&signature.level)));
    let mut row = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            add_line(text, format_args!("  {key}: {value}"));
        }
    };
    row("signer", signature.signer.clone());
    row("signing time (claimed)", signature.signing_time.map(|t| t.to_rfc3339()));
    row("digest", Some(signature.digest_algorithm.clone()));
    row("algorithm", Some(signature.signature_algorithm.clone()));
    row("policy", signature.policy.as_ref().map(|p| p.id.to_string()));
    row("commitment", signature.commitment.map(|c| c.0.to_string()));
    for role in &signature.signer_roles {
        row("role (claimed)", Some(role.clone()));
    }
    if let Some(location) = &signature.location {
        let parts = [&location.country, &location.locality].into_iter().flatten();
        let parts: Vec<&str> = parts.chain(&location.postal_address).map(String::as_str).collect();
        row("location (claimed)", Some(parts.join(", ")));
    }
    row("media type", signature.mime_type.clone());
    row("description", signature.description.clone());
    for attribute in &signature.unsigned_attributes {
        row("unsigned attribute", Some(attribute.to_string()));
    }
    for (at, inner) in signature.countersignatures.iter().enumerate() {
        list(inner, &format!("{name}, countersignature {at}"), text);
    }
}

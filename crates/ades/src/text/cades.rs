//! CAdES reports as text.

use ::cades::report::{Report, SignatureReport};

use super::{add_line, add_time_stamps, code};

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
    let times = signature.claimed_time.iter().chain(&signature.further.signing_times);
    for time in times {
        row("signing time (claimed)", Some(time.to_rfc3339()));
    }
    row("digest", Some(signature.digest_algorithm.clone()));
    row("algorithm", Some(signature.signature_algorithm.clone()));
    for (key, value) in claims(signature) {
        row(key, Some(value));
    }
    for attribute in &signature.unsigned_attributes {
        row("unsigned attribute", Some(attribute.to_string()));
    }
    add_time_stamps(&signature.facts, text);
    for (at, inner) in signature.countersignatures.iter().enumerate() {
        list(inner, &format!("{name}, countersignature {at}"), text);
    }
}

/// What the signed attributes claim, all values of each kind.
pub(super) fn claims(signature: &SignatureReport) -> Vec<(&'static str, String)> {
    let SignatureReport { policy, commitment, location, mime_type, description, further, .. } =
        signature;
    let mut rows = Vec::new();
    for policy in policy.iter().chain(&further.policies) {
        rows.push(("policy", policy.id.to_string()));
    }
    for commitment in commitment.iter().chain(&further.commitments) {
        rows.push(("commitment", commitment.0.to_string()));
    }
    for role in &signature.signer_roles {
        rows.push(("role (claimed)", role.clone()));
    }
    for location in location.iter().chain(&further.locations) {
        rows.push(("location (claimed)", super::location(location)));
    }
    for mime_type in mime_type.iter().chain(&further.mime_types) {
        rows.push(("media type", mime_type.clone()));
    }
    for description in description.iter().chain(&further.descriptions) {
        rows.push(("description", description.clone()));
    }
    rows
}

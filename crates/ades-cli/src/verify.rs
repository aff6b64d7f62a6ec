//! `ades inspect` and `ades verify`.

use std::path::{Path, PathBuf};

use ades_core::{Certificate, Document};
use cades::report::{Report, SignatureReport};
use cades::{Container, Given};
use serde_json::{Value, json};

use crate::args::{InspectOptions, VerifyOptions};
use crate::exit::{DONE, Failure, NO};
use crate::output::{self, Say};
use crate::prepare::{open, read_text};

pub(crate) fn run(options: &VerifyOptions, say: &Say) -> Result<u8, Failure> {
    let trust = trust(&options.trust)?;
    let original = match options.original.as_slice() {
        [] => None,
        [original] => Some(original.as_path()),
        _ => return Err(Failure::usage("a CAdES container has one document")),
    };
    let report = report(&options.container, original, &trust)?;
    let valid = report.is_valid();
    if options.json {
        let mut line = to_json(&report)?;
        if let Some(line) = line.as_object_mut() {
            line.insert("file".to_owned(), json!(options.container));
            line.insert("valid".to_owned(), json!(valid));
        }
        output::print(&line)?;
    } else {
        print!("{}", people(&report));
        if trust.is_empty() {
            say.line("trust was not judged: --trust names the trust anchors");
        }
        println!("{}", if valid { "valid" } else { "NOT VALID" });
    }
    Ok(if valid { DONE } else { NO })
}

pub(crate) fn inspect(options: &InspectOptions) -> Result<u8, Failure> {
    let report = report(&options.container, None, &[])?;
    if options.json {
        let mut line = to_json(&report)?;
        // Inspecting judges nothing.
        let signatures = line.get_mut("signatures").and_then(Value::as_array_mut);
        for signature in signatures.into_iter().flatten().filter_map(Value::as_object_mut) {
            for key in ["intact", "problems", "trusted", "covers"] {
                signature.remove(key);
            }
        }
        output::print(&line)?;
    } else {
        print!("{}", contents(&report));
    }
    Ok(DONE)
}

fn report(path: &Path, original: Option<&Path>, trust: &[Certificate]) -> Result<Report, Failure> {
    let about = |e| Failure::from(e).about(path.display());
    let mut source = open(path)?;
    let container = Container::read(&mut source).map_err(about)?;
    let mut original = original.map(open).transpose()?;
    let given = Given { original: original.as_mut(), trust };
    container.verify(&mut source, given).map_err(about)
}

/// Whether a container that was just made holds, judged from its octets.
pub(crate) fn check(made: &mut Document<'_>, original: Option<&Path>) -> Result<(), Failure> {
    let container = Container::read(made)?;
    let mut original = original.map(open).transpose()?;
    let given = Given { original: original.as_mut(), trust: &[] };
    let report = container.verify(made, given)?;
    if report.is_valid() {
        return Ok(());
    }
    let problems: Vec<String> =
        report.signatures.iter().flat_map(|s| &s.problems).map(ToString::to_string).collect();
    Err(Failure::new(
        70,
        format!("the finished container does not verify: {}", problems.join("; ")),
    ))
}

pub(crate) fn trust(paths: &[PathBuf]) -> Result<Vec<Certificate>, Failure> {
    let mut trust = Vec::new();
    for path in paths {
        let certificates = ades_core::chain::certificates_from_pem(&read_text(path)?)
            .map_err(|e| Failure::from(e).about(path.display()))?;
        if certificates.is_empty() {
            return Err(Failure::input(format!("{}: no certificate in it", path.display())));
        }
        trust.extend(certificates);
    }
    Ok(trust)
}

fn to_json(report: &Report) -> Result<Value, Failure> {
    serde_json::to_value(report).map_err(|e| Failure::new(70, e.to_string()))
}

fn people(report: &Report) -> String {
    let mut text = String::new();
    for (at, signature) in report.signatures.iter().enumerate() {
        judged(signature, &format!("signature {at}"), &mut text);
    }
    text
}

fn judged(signature: &SignatureReport, name: &str, text: &mut String) {
    let intact = if signature.intact { "intact" } else { "NOT INTACT" };
    text.push_str(&format!(
        "{name}: {} {}, {intact}, by {}\n",
        signature.format,
        level(signature),
        signature.signer.as_deref().unwrap_or("an unknown signer"),
    ));
    for problem in &signature.problems {
        text.push_str(&format!("  {problem}\n"));
    }
    for (at, inner) in signature.countersignatures.iter().enumerate() {
        judged(inner, &format!("{name}, countersignature {at}"), text);
    }
}

fn contents(report: &Report) -> String {
    let length = report.content_length.map(|l| format!(", {l} octets of content"));
    let mut text = format!(
        "CAdES, {}{}, {} certificates, {} revocation values\n",
        report.packaging,
        length.unwrap_or_default(),
        report.certificates,
        report.revocation_values,
    );
    for (at, signature) in report.signatures.iter().enumerate() {
        listed(signature, &format!("signature {at}"), &mut text);
    }
    text
}

fn listed(signature: &SignatureReport, name: &str, text: &mut String) {
    text.push_str(&format!("{name}: {}\n", level(signature)));
    let mut row = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            text.push_str(&format!("  {key}: {value}\n"));
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
        listed(inner, &format!("{name}, countersignature {at}"), text);
    }
}

fn level(signature: &SignatureReport) -> String {
    let level = serde_json::to_value(signature.level).ok();
    level.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
}

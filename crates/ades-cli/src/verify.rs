//! `ades inspect` and `ades verify`.

use std::path::{Path, PathBuf};

use ades_core::{Certificate, Document};
use cades::report::{Problem, Report, SignatureReport};
use cades::{Container, Given};
use serde_json::{Value, json};

use crate::args::{InspectOptions, VerifyOptions};
use crate::exit::{BUG, DONE, Failure, NO};
use crate::input;
use crate::output::{self, Say};

pub(crate) fn run(options: &VerifyOptions, say: &Say) -> Result<u8, Failure> {
    let trust = trust(&options.trust)?;
    let original = match options.original.as_slice() {
        [] => None,
        [original] => Some(original.as_path()),
        _ => return Err(Failure::usage("--original: a CAdES container has one document")),
    };
    let report = report(&options.container, original, &trust)?;
    let valid = report.is_valid();
    if options.json {
        let mut line = to_json(&report, &options.container)?;
        if let Some(line) = line.as_object_mut() {
            line.insert("valid".to_owned(), json!(valid));
        }
        output::print(format_args!("{line}\n"))?;
    } else {
        let verdict = if valid { "valid" } else { "NOT VALID" };
        output::print(format_args!("{}{verdict}\n", people(&report)))?;
    }
    if trust.is_empty() {
        say.line("trust was not judged: --trust names the trust anchors");
    }
    if original.is_none() && report.packaging == "detached" {
        say.line("the container is detached: --original names its document");
    }
    Ok(if valid { DONE } else { NO })
}

pub(crate) fn inspect(options: &InspectOptions) -> Result<u8, Failure> {
    let report = report(&options.container, None, &[])?;
    if options.json {
        let mut line = to_json(&report, &options.container)?;
        if let Some(signatures) = line.get_mut("signatures") {
            without_judgement(signatures);
        }
        output::print(format_args!("{line}\n"))?;
    } else {
        output::print(contents(&report))?;
    }
    Ok(DONE)
}

fn without_judgement(signatures: &mut Value) {
    for signature in signatures.as_array_mut().into_iter().flatten() {
        if let Some(signature) = signature.as_object_mut() {
            for key in ["intact", "problems", "trusted"] {
                signature.remove(key);
            }
            if let Some(inner) = signature.get_mut("countersignatures") {
                without_judgement(inner);
            }
        }
    }
}

fn report(path: &Path, original: Option<&Path>, trust: &[Certificate]) -> Result<Report, Failure> {
    let about = |e| Failure::from(e).about(input::name(path));
    let mut file = input::open(path)?;
    match input::kind(&mut file).map_err(|e| Failure::file(path, &e))? {
        input::Kind::Pdf => return Err(not_yet(path, "a PDF")),
        input::Kind::Xml => return Err(not_yet(path, "XML")),
        input::Kind::Other => {}
    }
    let mut source = Document::seekable(file);
    let container = Container::read(&mut source).map_err(about)?;
    let mut original = original.map(input::document).transpose()?;
    let given = Given { original: original.as_mut(), trust };
    container.verify(&mut source, given).map_err(about)
}

fn not_yet(path: &Path, what: &str) -> Failure {
    let message = format!("is {what}; this version reads CAdES containers only, not yet more");
    Failure::input(message).about(input::name(path))
}

/// Whether a document is that of the container it is to be signed in once more.
pub(crate) fn check_original(
    container: &mut Document<'_>,
    document: &mut Document<'_>,
) -> Result<(), Failure> {
    let parsed = Container::read(container)?;
    let report = parsed.verify(container, Given { original: Some(document), trust: &[] })?;
    let other = |s: &SignatureReport| s.problems.contains(&Problem::DigestMismatch);
    if !report.signatures.is_empty() && report.signatures.iter().all(other) {
        return Err(Failure::input("its signatures are over another document than the one given"));
    }
    Ok(())
}

/// Whether a container that was just made from `source` holds, judged from its
/// octets.
pub(crate) fn check(
    made: &mut Document<'_>,
    source: &Path,
    original: &Path,
) -> Result<(), Failure> {
    let mut given = input::document(original)?;
    check_made(made, &mut input::document(source)?, Some(&mut given))
}

/// As [`check`]; for a new container, `source` is the original too.
pub(crate) fn check_made(
    made: &mut Document<'_>,
    source: &mut Document<'_>,
    original: Option<&mut Document<'_>>,
) -> Result<(), Failure> {
    let after = Container::read(made)?;
    if after.verify(made, Given::default())?.signatures.iter().map(count).sum::<usize>() == 1 {
        let report = after.verify(made, Given { original: Some(source), trust: &[] })?;
        return if report.is_valid() { Ok(()) } else { Err(unsound(&report)) };
    }
    // One more signature in a container that was there before: the others are
    // not ours to judge, but none may be worse off.
    let before = Container::read(source)?;
    let (before, after) = match original {
        None => (before.verify(source, Given::default())?, after.verify(made, Given::default())?),
        Some(original) => {
            let was = Given { original: Some(&mut *original), trust: &[] };
            let before = before.verify(source, was)?;
            (before, after.verify(made, Given { original: Some(original), trust: &[] })?)
        }
    };
    let all = |report: &Report| report.signatures.iter().map(count).sum::<usize>();
    let good = |report: &Report| report.signatures.iter().map(sound).sum::<usize>();
    if all(&after) == all(&before) + 1 && good(&after) == good(&before) + 1 {
        Ok(())
    } else {
        Err(unsound(&after))
    }
}

fn count(signature: &SignatureReport) -> usize {
    1 + signature.countersignatures.iter().map(count).sum::<usize>()
}

/// How many have nothing wrong, as far as can be told without the document.
fn sound(signature: &SignatureReport) -> usize {
    let own = signature.problems.iter().all(|problem| *problem == Problem::ContentMissing);
    usize::from(own) + signature.countersignatures.iter().map(sound).sum::<usize>()
}

fn unsound(report: &Report) -> Failure {
    let problems: Vec<String> =
        report.signatures.iter().flat_map(|s| &s.problems).map(ToString::to_string).collect();
    let problems = problems.join("; ");
    Failure::new(BUG, format!("the finished container does not verify: {problems}"))
}

fn trust(paths: &[PathBuf]) -> Result<Vec<Certificate>, Failure> {
    let mut trust = Vec::new();
    for path in paths {
        let certificates = ades_core::chain::certificates_from_pem(&input::read_text(path)?)
            .map_err(|e| Failure::from(e).about(path.display()))?;
        if certificates.is_empty() {
            return Err(Failure::input(format!("{}: no certificate in it", path.display())));
        }
        trust.extend(certificates);
    }
    Ok(trust)
}

fn to_json(report: &Report, file: &Path) -> Result<Value, Failure> {
    let mut line = serde_json::to_value(report).map_err(|e| Failure::new(BUG, e.to_string()))?;
    if let Some(line) = line.as_object_mut() {
        line.insert("file".to_owned(), json!(file.display().to_string()));
    }
    Ok(line)
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
    if let Some(at) = report.first_not_der {
        text.push_str(&format!("BER, not DER, from octet {at} on\n"));
    }
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

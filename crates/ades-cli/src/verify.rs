//! `ades inspect` and `ades verify`.

mod xml;

use std::path::{Path, PathBuf};

use ades_core::{Certificate, Document};
use cades::Container;
use cades::report::{Level, Problem, Report, SignatureReport};
use pades::report as pdf;
use serde_json::{Value, json};

use crate::args::{InspectOptions, VerifyOptions};
use crate::exit::{BUG, DONE, Failure, NO};
use crate::format::Format;
use crate::input;
use crate::options::pdf_password;
use crate::output::{self, Say};
use crate::xml::Reading;

pub(crate) fn run(options: &VerifyOptions, say: &Say) -> Result<u8, Failure> {
    let trust = trust(&options.trust)?;
    let password = pdf_password(options.pdf_password_env.as_deref())?;
    let reading = Reading::new(&options.reading)?;
    let wanted = Wanted {
        reading,
        originals: &options.original,
        elements: &options.element,
        trust: &trust,
        password: password.as_deref(),
    };
    let found = Found::read(&options.container, &wanted)?;
    let valid = found.is_valid();
    if options.json {
        let mut line = found.to_json(&options.container)?;
        if let Some(line) = line.as_object_mut() {
            line.insert("valid".to_owned(), json!(valid));
        }
        output::print(format_args!("{line}\n"))?;
    } else {
        let verdict = if valid { "valid" } else { "NOT VALID" };
        output::print(format_args!("{}{verdict}\n", found.people()))?;
    }
    if trust.is_empty() {
        say.line("trust was not judged: --trust names the trust anchors");
    }
    if options.original.is_empty() && found.is_detached() {
        say.line("the container is detached: --original names its document");
    }
    Ok(if valid { DONE } else { NO })
}

pub(crate) fn inspect(options: &InspectOptions) -> Result<u8, Failure> {
    let password = pdf_password(options.pdf_password_env.as_deref())?;
    let reading = Reading::new(&options.reading)?;
    let wanted = Wanted { password: password.as_deref(), reading, ..Wanted::default() };
    let found = Found::read(&options.container, &wanted)?;
    if options.json {
        let mut line = found.to_json(&options.container)?;
        for key in ["signatures", "time_stamps"] {
            if let Some(found) = line.get_mut(key) {
                without_judgement(found);
            }
        }
        output::print(format_args!("{line}\n"))?;
    } else {
        output::print(found.contents())?;
    }
    Ok(DONE)
}

/// What a file is judged with.
#[derive(Default)]
struct Wanted<'w> {
    reading: Reading,
    originals: &'w [PathBuf],
    elements: &'w [String],
    trust: &'w [Certificate],
    password: Option<&'w str>,
}

/// What was found in a file.
enum Found {
    Cades(Report),
    Pades(pdf::Report),
    Xades(xades::report::Report),
}

impl Found {
    fn read(path: &Path, wanted: &Wanted<'_>) -> Result<Self, Failure> {
        let about = |e: Failure| e.about(input::name(path));
        let mut file = input::open(path)?;
        let kind = input::kind(&mut file).map_err(|e| Failure::file(path, &e))?;
        let mut source = Document::seekable(input::watched(file, path));
        let Wanted { originals, trust, password, elements, .. } = *wanted;
        let is_xml = matches!(kind, input::Kind::Xml | input::Kind::Html);
        if !elements.is_empty() && !is_xml {
            return Err(Failure::usage("--element: only XML has elements"));
        }
        if !wanted.reading.is_usual() && !is_xml {
            let why = "--ignore-external-subset and --id-attribute are for XML";
            return Err(Failure::usage(why));
        }
        match kind {
            input::Kind::Pdf if !originals.is_empty() => {
                Err(Failure::usage("--original: a PDF has its signatures in itself"))
            }
            input::Kind::Pdf => pades::verify(&mut source, pdf_options(trust, password))
                .map(Self::Pades)
                .map_err(|e| about(e.into())),
            input::Kind::Xml | input::Kind::Html => {
                xml::read(&mut source, wanted).map(Self::Xades).map_err(about)
            }
            input::Kind::Other => {
                if originals.len() > 1 {
                    let why = "--original: a CAdES container has one document";
                    return Err(Failure::usage(why));
                }
                let container = Container::read(&mut source)
                    .map_err(|e| about(Failure::from(e).and("it is no PDF and no XML either")))?;
                let original = originals.first();
                let mut original = original.map(|path| input::document(path)).transpose()?;
                let mut given = cades::VerifyOptions::new().trust(trust);
                if let Some(original) = &mut original {
                    given = given.original(original);
                }
                let report = container.verify(&mut source, given).map_err(|e| about(e.into()))?;
                Ok(Self::Cades(report))
            }
        }
    }

    fn is_valid(&self) -> bool {
        match self {
            Self::Cades(report) => report.is_valid(),
            Self::Pades(report) => report.is_valid(),
            Self::Xades(report) => report.is_valid(),
        }
    }

    fn is_detached(&self) -> bool {
        match self {
            Self::Cades(report) => report.packaging == "detached",
            Self::Pades(_) => false,
            Self::Xades(report) => xml::is_detached(report),
        }
    }

    fn to_json(&self, file: &Path) -> Result<Value, Failure> {
        let report = match self {
            Self::Cades(report) => serde_json::to_value(report),
            Self::Pades(report) => serde_json::to_value(report),
            Self::Xades(report) => serde_json::to_value(report),
        };
        let mut line = report.map_err(|e| Failure::new(BUG, e.to_string()))?;
        if let Some(line) = line.as_object_mut() {
            line.insert("file".to_owned(), json!(file.display().to_string()));
        }
        Ok(line)
    }

    fn people(&self) -> String {
        let mut text = String::new();
        match self {
            Self::Cades(report) => {
                for (at, signature) in report.signatures.iter().enumerate() {
                    judged(signature, &format!("signature {at}"), &mut text);
                }
            }
            Self::Pades(report) => {
                report.signatures.iter().for_each(|signature| judged_pdf(signature, &mut text));
                report.time_stamps.iter().for_each(|stamp| judged_stamp(stamp, &mut text));
            }
            Self::Xades(report) => xml::judged(report, &mut text),
        }
        text
    }

    fn contents(&self) -> String {
        match self {
            Self::Cades(report) => contents(report),
            Self::Pades(report) => pdf_contents(report),
            Self::Xades(report) => xml::contents(report),
        }
    }
}

fn without_judgement(signatures: &mut Value) {
    for signature in signatures.as_array_mut().into_iter().flatten() {
        if let Some(signature) = signature.as_object_mut() {
            for key in ["intact", "problems", "problem", "detail", "trusted", "cms"] {
                signature.remove(key);
            }
            for key in ["countersignatures", "references", "manifest"] {
                if let Some(inner) = signature.get_mut(key) {
                    without_judgement(inner);
                }
            }
        }
    }
}

/// How what was made is read.
#[derive(Clone, Copy)]
pub(crate) struct How<'h> {
    /// PDF
    pub(crate) password: Option<&'h str>,
    /// XML
    pub(crate) reading: &'h Reading,
}

/// Whether a container that was just made from `source` holds, judged from its
/// octets.
pub(crate) fn check(
    format: Format,
    made: &mut Document<'_>,
    source: &Path,
    original: &Path,
    how: How<'_>,
) -> Result<(), Failure> {
    let mut given = input::document(original)?;
    check_made(format, made, &mut input::document(source)?, Some(&mut given), how)
}

/// As [`check`]; for a new container, `source` is the original too.
pub(crate) fn check_made(
    format: Format,
    made: &mut Document<'_>,
    source: &mut Document<'_>,
    original: Option<&mut Document<'_>>,
    how: How<'_>,
) -> Result<(), Failure> {
    match format {
        Format::Cades => {}
        Format::Pades => return check_pdf(made, source, how.password),
        Format::Xades => return xml::check(made, source, how.reading),
    }
    let after = Container::read(made)?;
    let alone = after.verify(made, cades::VerifyOptions::new())?;
    if alone.signatures.iter().map(count).sum::<usize>() == 1 {
        let original = cades::VerifyOptions::new().original(source);
        let report = if alone.is_valid() { alone } else { after.verify(made, original)? };
        return if report.is_valid() { Ok(()) } else { Err(unsound(problems(&report))) };
    }
    // One more signature in a container that was there before: the others are
    // not ours to judge, but none may be worse off.
    let before = Container::read(source)?;
    let (before, after) = match original {
        None => (
            before.verify(source, cades::VerifyOptions::new())?,
            after.verify(made, cades::VerifyOptions::new())?,
        ),
        Some(original) => {
            let before =
                before.verify(source, cades::VerifyOptions::new().original(&mut *original))?;
            (before, after.verify(made, cades::VerifyOptions::new().original(original))?)
        }
    };
    let all = |report: &Report| report.signatures.iter().map(count).sum::<usize>();
    let good = |report: &Report| report.signatures.iter().map(sound).sum::<usize>();
    if all(&after) == all(&before) + 1 && good(&after) == good(&before) + 1 {
        Ok(())
    } else {
        Err(unsound(problems(&after)))
    }
}

fn pdf_options<'a>(
    trust: &'a [Certificate],
    password: Option<&'a str>,
) -> pades::VerifyOptions<'a> {
    let options = pades::VerifyOptions::new().trust(trust);
    password.map_or(options, |password| options.password(password))
}

/// The new signature is without fault, and no earlier one is worse off. Those of
/// a document that was repaired could not be read before. A document with more
/// in it than can be verified is no fault of the signature, the value of which
/// was verified before it was written.
fn check_pdf(
    made: &mut Document<'_>,
    source: &mut Document<'_>,
    password: Option<&str>,
) -> Result<(), Failure> {
    let given = pdf_options(&[], password);
    let after = match pades::verify(made, given) {
        Err(pades::Error::Limit { .. }) => return Ok(()),
        after => after?,
    };
    let sound =
        |signature: &pdf::SignatureReport| signature.intact && signature.problems.is_empty();
    let good = match pades::verify(source, given) {
        Ok(before) => {
            let earlier = |after: &pdf::SignatureReport| {
                before.signatures.iter().find(|before| before.field == after.field)
            };
            after.signatures.len() == before.signatures.len() + 1
                && after.signatures.iter().all(|signature| match earlier(signature) {
                    None => sound(signature),
                    Some(before) => {
                        let known = |problem: &pdf::Problem| {
                            *problem == pdf::Problem::NotCompared
                                || before.problems.contains(problem)
                        };
                        signature.intact == before.intact && signature.problems.iter().all(known)
                    }
                })
        }
        Err(pades::Error::BrokenCrossReference { .. } | pades::Error::Limit { .. }) => {
            let whole = |s: &&pdf::SignatureReport| s.covers == pdf::Coverage::Whole;
            after.signatures.iter().find(whole).is_some_and(sound)
        }
        Err(error) => return Err(error.into()),
    };
    if good {
        return Ok(());
    }
    let problems = after.signatures.iter().flat_map(|s| &s.problems).map(ToString::to_string);
    Err(unsound(problems.collect()))
}

fn count(signature: &SignatureReport) -> usize {
    1 + signature.countersignatures.iter().map(count).sum::<usize>()
}

/// How many have nothing wrong, as far as can be told without the document.
fn sound(signature: &SignatureReport) -> usize {
    let own = signature.problems.iter().all(|problem| *problem == Problem::ContentMissing);
    usize::from(own) + signature.countersignatures.iter().map(sound).sum::<usize>()
}

fn problems(report: &Report) -> Vec<String> {
    report.signatures.iter().flat_map(|s| &s.problems).map(ToString::to_string).collect()
}

fn unsound(problems: Vec<String>) -> Failure {
    let problems = problems.join("; ");
    Failure::new(BUG, format!("the finished container does not verify: {problems}"))
}

fn trust(paths: &[PathBuf]) -> Result<Vec<Certificate>, Failure> {
    let mut trust = Vec::new();
    for path in paths {
        let certificates = ades_core::chain::anchors_from_pem(&input::read_pem(path)?)
            .map_err(|e| Failure::from(e).about(path.display()))?;
        if certificates.is_empty() {
            return Err(Failure::input(format!("{}: no certificate in it", path.display())));
        }
        trust.extend(certificates);
    }
    Ok(trust)
}

/// A line for people, and not more than one, whatever stands in it.
fn add_line(text: &mut String, line: impl std::fmt::Display) {
    text.push_str(&output::shown(&line.to_string()));
    text.push('\n');
}

fn judged(signature: &SignatureReport, name: &str, text: &mut String) {
    let intact = if signature.intact { "intact" } else { "NOT INTACT" };
    add_line(
        text,
        format_args!(
            "{name}: {} {}, {intact}, by {}",
            signature.format,
            level(signature.level),
            signature.signer.as_deref().unwrap_or("an unknown signer"),
        ),
    );
    for problem in &signature.problems {
        add_line(text, format_args!("  {problem}"));
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
        add_line(&mut text, format_args!("BER, not DER, from octet {at} on"));
    }
    for (at, signature) in report.signatures.iter().enumerate() {
        listed(signature, &format!("signature {at}"), &mut text);
    }
    text
}

fn listed(signature: &SignatureReport, name: &str, text: &mut String) {
    add_line(text, format_args!("{name}: {}", level(signature.level)));
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
        listed(inner, &format!("{name}, countersignature {at}"), text);
    }
}

fn judged_pdf(signature: &pdf::SignatureReport, text: &mut String) {
    let intact = if signature.intact { "intact" } else { "NOT INTACT" };
    add_line(
        text,
        format_args!(
            "{}: {} {}, {intact}, covers {}, by {}",
            signature.field,
            signature.format,
            level(signature.level),
            word(&signature.covers),
            signature.signer.as_deref().unwrap_or("an unknown signer"),
        ),
    );
    for problem in &signature.problems {
        add_line(text, format_args!("  {problem}"));
    }
    for change in &signature.changes {
        add_line(text, format_args!("  changed after it: {}", word(change)));
    }
}

/// A time-stamp of the whole document: its token is not verified.
fn judged_stamp(stamp: &pdf::TimeStampReport, text: &mut String) {
    let (field, covers) = (&stamp.field, word(&stamp.covers));
    add_line(text, format_args!("{field}: time-stamp, covers {covers}"));
    for problem in &stamp.problems {
        add_line(text, format_args!("  {problem}"));
    }
}

fn pdf_contents(report: &pdf::Report) -> String {
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
    for signature in &report.signatures {
        let name = &signature.field;
        add_line(
            &mut text,
            format_args!("{name}: {} {}", signature.format, level(signature.level)),
        );
        let mut row = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                add_line(&mut text, format_args!("  {key}: {value}"));
            }
        };
        row("signer", signature.signer.clone());
        row("signing time (claimed)", signature.signing_time.map(|t| t.to_rfc3339()));
        row("format", Some(signature.sub_filter.clone()));
        row("covers", Some(word(&signature.covers)));
        let ranges = signature.byte_range.map(|range| range.map(|n| n.to_string()).join(" "));
        row("byte range", ranges);
        row("certifies the document, level", signature.certification.map(|n| n.to_string()));
        row("name", signature.name.clone());
        row("reason", signature.reason.clone());
        row("location", signature.location.clone());
        row("contact", signature.contact.clone());
        for change in &signature.changes {
            row("changed after it", Some(word(change)));
        }
        if let Some(cms) = &signature.cms {
            row("digest", Some(cms.digest_algorithm.clone()));
            row("algorithm", Some(cms.signature_algorithm.clone()));
            row("policy", cms.policy.as_ref().map(|p| p.id.to_string()));
            row("commitment", cms.commitment.map(|c| c.0.to_string()));
        }
    }
    for stamp in &report.time_stamps {
        add_line(
            &mut text,
            format_args!("{}: time-stamp, covers {}", stamp.field, word(&stamp.covers)),
        );
    }
    text
}

fn level(level: Level) -> String {
    word(&level)
}

/// As it stands in JSON.
fn word(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).ok();
    value.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
}

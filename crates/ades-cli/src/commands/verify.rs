//! `ades verify`: prints the verdict on each signature.

use std::path::{Path, PathBuf};

use ades::{Certificate, VerifyOptions};
use serde_json::{Value, json};

use crate::args::VerifyArgs;
use crate::exit::{BUG, DONE, Failure, NO};
use crate::input;
use crate::output::{self, Messages};
use crate::path_name;
use crate::request::pdf_password;

pub(crate) fn run(args: VerifyArgs, messages: &Messages) -> Result<u8, Failure> {
    let trust = trust_anchors(&args.trust)?;
    let password = pdf_password(args.pdf_password_env.as_deref())?;
    let mut options = VerifyOptions::new().trust(&trust).reading(args.reading.into_options());
    if let Some(password) = &password {
        options = options.password(password);
    }
    for element in args.element {
        options = options.element(element);
    }
    for path in &args.original {
        let name = path.file_name().filter(|_| !path_name::is_standard(path));
        let name = name.map(|name| name.to_string_lossy().into_owned());
        options = options.original(name, input::document(path)?);
    }
    let mut container = input::document(&args.container)?;
    let report = ades::verify(&mut container, options)
        .map_err(|e| Failure::from(e).about(path_name::of_input(&args.container)))?;
    let valid = report.is_valid();
    if args.json {
        let mut line = to_json(&report, &args.container)?;
        if let Some(line) = line.as_object_mut() {
            line.insert("valid".to_owned(), json!(valid));
        }
        output::print(format_args!("{line}\n"))?;
    } else {
        let verdict = if valid { "valid" } else { "NOT VALID" };
        output::print(format_args!("{report}{verdict}\n"))?;
    }
    if trust.is_empty() {
        messages.print("trust was not judged: name the trust anchors with --trust");
    }
    if args.original.is_empty() && report.is_detached() {
        messages.print("the container is detached: name its document with --original");
    }
    Ok(if valid { DONE } else { NO })
}

/// A report with the file's name.
pub(super) fn to_json(report: &impl serde::Serialize, file: &Path) -> Result<Value, Failure> {
    let mut line = serde_json::to_value(report).map_err(|e| Failure::new(BUG, e.to_string()))?;
    if let Some(line) = line.as_object_mut() {
        line.insert("file".to_owned(), json!(file.display().to_string()));
    }
    Ok(line)
}

fn trust_anchors(paths: &[PathBuf]) -> Result<Vec<Certificate>, Failure> {
    let mut anchors = Vec::new();
    for path in paths {
        let certificates = ades::chain::anchors_from_pem(&input::read_pem(path)?)
            .map_err(|e| Failure::from(e).about(path.display()))?;
        if certificates.is_empty() {
            return Err(Failure::input(format!("{}: has no certificate", path.display())));
        }
        anchors.extend(certificates);
    }
    Ok(anchors)
}

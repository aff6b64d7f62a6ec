//! `--report-xml`: the validation report of ETSI TS 119 102-2.

use std::path::Path;

use ades::Report;

use crate::args::VerifyArgs;
use crate::exit::Failure;
use crate::output::{self, Existing, Readers};
use crate::path_name;

/// Finds what would make the report impossible, before anything is read.
pub(super) fn check(args: &VerifyArgs) -> Result<(), Failure> {
    let Some(path) = &args.report_xml else { return Ok(()) };
    if args.containers.len() > 1 {
        return Err(Failure::usage("--report-xml: takes one container, whose report it writes"));
    }
    if path_name::is_standard(path) && args.json {
        return Err(Failure::usage("--report-xml -: --json writes to standard output, too"));
    }
    output::check_apart(path, args.containers.iter().chain(&args.original))?;
    output::check_place(path, args.force)
}

/// Whether it is standard output, where no other report is written then.
pub(super) fn replaces_output(args: &VerifyArgs) -> bool {
    args.report_xml.as_deref().is_some_and(path_name::is_standard)
}

pub(super) fn write(args: &VerifyArgs, container: &Path, report: &Report) -> Result<(), Failure> {
    let Some(path) = &args.report_xml else { return Ok(()) };
    let Some(xml) = report.to_xml() else {
        let name = path_name::of_input(container);
        return Err(Failure::input(format!("{name}: has no signature")));
    };
    if path_name::is_standard(path) {
        return output::print_whole(xml);
    }
    output::write_file(path, xml.as_bytes(), Readers::Usual, Existing::forced(args.force))
}

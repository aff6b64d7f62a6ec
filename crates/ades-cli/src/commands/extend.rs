//! `ades extend`: raises the signatures of a document or container, and renews them.

use ades::{Format, Selection, TargetLevel};
use serde_json::json;

use crate::args::ExtendArgs;
use crate::exit::Failure;
use crate::output::{self, Existing, Messages};
use crate::raise::Task;
use crate::{path_name, temporary};

pub(crate) fn run(args: ExtendArgs, messages: &Messages) -> Result<u8, Failure> {
    // The input may be replaced by itself at a higher level.
    output::check_apart(&args.output, args.original.iter().chain(args.evidence.revocation()))?;
    output::check_place(&args.output, args.force)?;
    output::check_terminal(&args.output, Format::Cades)?;
    let standard = [&args.input].into_iter().chain(&args.original);
    let standard = standard.chain(args.evidence.revocation());
    if standard.filter(|path| path_name::is_standard(path)).count() > 1 {
        return Err(Failure::usage("standard input (-) can be read only once"));
    }
    if args.stamps.is_fresh() && args.level.target() < TargetLevel::Lt {
        return Err(Failure::usage(
            "--fresh-revocation, --wait: revocation data belong to the levels lt and lta",
        ));
    }
    if args.json && path_name::is_standard(&args.output) {
        return Err(Failure::usage("--json: standard output is the raised container (-o -)"));
    }
    temporary::sweep([args.output.as_path()].into_iter());
    let (json, task) = (args.json, task(args));
    let runtime = super::runtime()?;
    let raised = task.run(runtime.handle().clone(), messages)?;
    if json {
        let output = raised.is_written().then(|| path_name::of_output(&task.output));
        let line = json!({
            "version": 1,
            "file": task.input.display().to_string(),
            "output": output,
            "level": raised.reached.level,
            "missing": raised.reached.missing,
            "remarks": raised.reached.remarks,
        });
        output::print(format_args!("{line}\n"))?;
    }
    raised.report(&task, messages);
    Ok(raised.status())
}

fn task(args: ExtendArgs) -> Task {
    let (is_fresh, wait_until) = (args.stamps.is_fresh(), args.stamps.wait_until());
    Task {
        input: args.input,
        output: args.output,
        existing: Existing::forced(args.force),
        level: args.level.target(),
        selection: args.signature.map_or(Selection::All, |signature| Selection::At(signature.0)),
        digest: args.digest,
        authorities: args.stamps.tsa,
        policy: args.stamps.tsa_policy,
        token_len: None,
        is_fresh,
        wait_until,
        keeps_record: false,
        originals: args.original,
        trust: args.trust,
        evidence: args.evidence,
        fetch: args.fetch.to_rules(),
        unlock: args.unlock,
        reading: args.reading.into_options(),
    }
}

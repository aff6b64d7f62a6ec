//! Counts the instructions of each piece of work with callgrind, and compares them
//! with the committed figures. Run it with `tests/counts.sh`.
//!
//! Unlike a time, a count hardly depends on what else the machine does. It belongs
//! to one compiler, and to x86-64 with AVX2. Callgrind's processor has no SHA
//! extensions, so digests count more than they cost.

mod callgrind;
mod figures;
mod raising;
mod services;
mod work;

use std::path::Path;
use std::process::ExitCode;

use figures::Figures;
use work::Case;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        // For a profile of one case: makes the folder that the next two take.
        ["input", name, folder] => {
            Case::named(name).make_input(Path::new(folder));
            ExitCode::SUCCESS
        }
        // A run under callgrind.
        ["work", name, folder] => {
            Case::named(name).run(Path::new(folder));
            ExitCode::SUCCESS
        }
        ["baseline", name, folder] => {
            Case::named(name).baseline(Path::new(folder));
            ExitCode::SUCCESS
        }
        ["--renew", file] => {
            let counted = count_all();
            std::fs::write(file, counted.to_string()).unwrap();
            println!("renewed {file}: commit it together with the change that needs it");
            ExitCode::SUCCESS
        }
        ["--only", beginning] => {
            print!("{}", count(|case| case.to_string().starts_with(beginning)));
            ExitCode::SUCCESS
        }
        [file] => compare(Path::new(file)),
        _ => panic!("usage: instruction-counts [--renew] FIGURES, or --only BEGINNING"),
    }
}

fn compare(file: &Path) -> ExitCode {
    let text = std::fs::read_to_string(file).unwrap();
    let committed: Figures = text.parse().unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let compiler = figures::COMPILER;
    if committed.compiler != compiler {
        eprintln!(
            "{}: the figures belong to rustc {}, and this program was made by rustc {compiler}: \
             use that compiler, or renew the figures",
            file.display(),
            committed.compiler
        );
        return ExitCode::FAILURE;
    }
    let faults = committed.faults(&count_all());
    if faults.is_empty() {
        return ExitCode::SUCCESS;
    }
    for fault in &faults {
        eprintln!("{fault}");
    }
    eprintln!(
        "If this is intended, run `bash tests/counts.sh --renew` and commit {} with the change.\n\
         Otherwise `callgrind_annotate {}/NAME.work` shows where the instructions are.",
        file.display(),
        callgrind::folder().display()
    );
    ExitCode::FAILURE
}

fn count_all() -> Figures {
    count(|_| true)
}

/// Counts these cases, as many at a time as there are processors.
fn count(is_wanted: impl Fn(&Case) -> bool) -> Figures {
    let inputs = tempfile::TempDir::new().unwrap();
    let cases: Vec<Case> = Case::all().into_iter().filter(is_wanted).collect();
    let counts = callgrind::count(&cases, inputs.path());
    let names = cases.iter().map(Case::to_string);
    Figures { compiler: figures::COMPILER.to_owned(), counts: names.zip(counts).collect() }
}

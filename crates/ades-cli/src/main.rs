//! `ades`: signs documents with remote signers and key files, and verifies them.

mod args;
mod commands;
mod conversation;
mod documents;
mod exit;
mod input;
mod interrupt;
mod job;
mod lock;
mod output;
mod path_name;
mod preview;
mod progress;
mod request;
mod return_page;
mod sandbox;
mod signers;
mod signing;
mod stamp;
mod stored_job;
mod temporary;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // clap prints help to standard output and a usage error to standard error.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { exit::USAGE } else { 0 });
        }
    };
    let level = match (args.quiet, args.verbose) {
        (true, _) => "off",
        (false, 0) => "error",
        (false, 1) => "info",
        (false, 2) => "debug",
        _ => "trace",
    };
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(level))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    // A panic is a bug. Catching it runs the destructors that remove temporary files.
    let result = std::panic::catch_unwind(|| run(args))
        .unwrap_or_else(|_| Err(exit::Failure::new(exit::BUG, "this is a bug in ades")));
    match result {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            output::print_always(format_args!("ades: {failure}"));
            ExitCode::from(failure.status)
        }
    }
}

fn run(args: Args) -> Result<u8, exit::Failure> {
    let messages = output::Messages::new(args.quiet);
    if !args.quiet {
        progress::show();
    }
    // The sandbox handles Ctrl-C itself, to shut down in order.
    if !matches!(args.command, Command::Sandbox(_)) {
        interrupt::watch();
    }
    match args.command {
        Command::Sign(args) => commands::sign::run(*args, &messages),
        Command::Resume(args) => commands::resume::run(&args, &messages),
        Command::Prepare(args) => commands::prepare::run(*args, &messages),
        Command::Complete(args) => commands::complete::run(&args, &messages),
        Command::Inspect(args) => commands::inspect::run(args),
        Command::Verify(args) => commands::verify::run(args, &messages),
        Command::C14n(args) => commands::c14n::run(args),
        Command::Sandbox(args) => commands::sandbox::run(&args),
        Command::Extend(_) | Command::Demo(_) => Err(exit::Failure::usage(
            "this version does not have this command, not yet: it has sign, resume, prepare, \
             complete, inspect, verify, c14n and sandbox, all at level b",
        )),
    }
}

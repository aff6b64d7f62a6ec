//! `ades`: sign documents with a key that is somewhere else.

mod args;
mod c14n;
mod complete;
mod drive;
mod exit;
mod format;
mod input;
mod interrupt;
mod job;
mod lock;
mod options;
mod output;
mod prepare;
mod preview;
mod progress;
mod sandbox;
mod sign;
mod signers;
mod stamp;
mod temporary;
mod verify;
mod work;
mod xml;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help goes to standard output, a usage error to standard error.
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
    // A panic is a bug; it unwinds, so that temporary files are removed.
    let result = std::panic::catch_unwind(|| run(args))
        .unwrap_or_else(|_| Err(exit::Failure::new(exit::BUG, "this is a bug in ades")));
    match result {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            output::loud(format_args!("ades: {failure}"));
            ExitCode::from(failure.status)
        }
    }
}

fn run(args: Args) -> Result<u8, exit::Failure> {
    let say = output::Say::new(args.quiet);
    if !args.quiet {
        progress::show();
    }
    // The sandbox ends by Ctrl-C, in order.
    if !matches!(args.command, Command::Sandbox(_)) {
        interrupt::watch();
    }
    match args.command {
        Command::Sign(options) => sign::run(*options, &say),
        Command::Resume(options) => sign::resume(&options, &say),
        Command::Prepare(options) => prepare::run(*options, &say),
        Command::Complete(options) => complete::run(&options, &say),
        Command::Inspect(options) => verify::inspect(&options),
        Command::Verify(options) => verify::run(&options, &say),
        Command::C14n(options) => c14n::run(&options),
        Command::Sandbox(options) => sandbox::run(&options),
        Command::Extend(_) | Command::Demo(_) => Err(exit::Failure::usage(
            "this version cannot do that, not yet: it has sign, resume, prepare, complete, \
             inspect, verify, c14n and sandbox, all at level b",
        )),
    }
}

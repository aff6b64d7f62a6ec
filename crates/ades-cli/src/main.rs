//! `ades`: signs documents with remote signers and key files, and verifies them.

mod args;
mod browser;
mod commands;
mod conversation;
mod destination;
mod documents;
mod evidence;
mod exit;
mod input;
mod interrupt;
mod job;
mod lock;
mod nearest;
mod network;
mod outcome;
mod output;
mod password;
mod path_name;
mod preview;
mod progress;
mod raise;
mod remote;
mod request;
mod return_page;
mod sandbox;
mod services;
mod signers;
mod signing;
mod stamp;
mod stored_job;
mod storing;
mod temporary;
mod time_zone;
mod unlock;

use std::process::ExitCode;

use crate::args::{Args, Command, Given};

fn main() -> ExitCode {
    interrupt::survive_file_size_limit();
    let (args, given) = match args::parse() {
        Ok(parsed) => parsed,
        // clap prints help to standard output and a usage error to standard error.
        Err(error) if error.use_stderr() => {
            let _ = error.print();
            return ExitCode::from(exit::USAGE);
        }
        Err(help) => return ended(output::printed(help.print()).map(|()| exit::DONE)),
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
    let result = std::panic::catch_unwind(|| run(args, &given))
        .unwrap_or_else(|_| Err(exit::Failure::new(exit::BUG, "this is a bug in ades")));
    ended(result)
}

fn ended(result: Result<u8, exit::Failure>) -> ExitCode {
    match result {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            output::print_always(format_args!("ades: {failure}"));
            ExitCode::from(failure.status)
        }
    }
}

fn run(args: Args, given: &Given) -> Result<u8, exit::Failure> {
    let messages = output::Messages::new(args.quiet);
    if !args.quiet {
        progress::show();
    }
    // The sandbox handles Ctrl-C itself, to shut down in order.
    if !matches!(args.command, Command::Sandbox(_)) {
        interrupt::watch();
    }
    match args.command {
        Command::Sign(args) => commands::sign::run(*args, given, &messages),
        Command::Resume(args) => commands::resume::run(&args, &messages),
        Command::Status(args) => commands::status::run(&args),
        Command::Prepare(args) => commands::prepare::run(*args, given, &messages),
        Command::Complete(args) => commands::complete::run(&args, &messages),
        Command::Inspect(args) => commands::inspect::run(args),
        Command::Verify(args) => commands::verify::run(args, &messages),
        Command::C14n(args) => commands::c14n::run(args),
        Command::Sandbox(args) => commands::sandbox::run(&args),
        Command::Completions(args) => commands::documentation::completions(&args),
        Command::Man(args) => commands::documentation::man(args),
        Command::Demo(args) => commands::demo::run(&args),
        Command::Extend(args) => commands::extend::run(*args, &messages),
    }
}

//! Asks for a password on the terminal.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
#[cfg(unix)]
use std::time::Duration;

use ades::pkcs12::{Error, Pkcs12Signer};
use zeroize::Zeroizing;

use crate::exit::{Failure, REFUSED};
use crate::output;
use crate::signers::key_file_failure;

/// Maximum number of questions for one file.
const MAX_QUESTIONS: usize = 3;

/// Whether a question is open, so that the terminal shows no input.
static OPEN: AtomicBool = AtomicBool::new(false);

/// Gives a question that Ctrl-C has ended the time to restore the terminal: up to a second, on a
/// machine that is busy. Other signals end the program during the question; shells restore the
/// terminal then.
#[cfg(unix)]
pub(crate) fn wait_for_terminal() {
    for _ in 0..200 {
        if !OPEN.load(Ordering::Acquire) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a person can answer: a program that reads from a pipe never waits for one.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal()
}

/// Asks for the password of a key file until it opens the file. The terminal does not show it.
pub(crate) fn ask(
    path: &Path,
    open: impl Fn(&str) -> Result<Pkcs12Signer, Error>,
) -> Result<Pkcs12Signer, Failure> {
    let prompt = format!("password of {}: ", ades::text::for_terminal(&path.display().to_string()));
    let mut question = 1;
    loop {
        OPEN.store(true, Ordering::Release);
        let password = rpassword::prompt_password(&prompt).map(Zeroizing::new);
        OPEN.store(false, Ordering::Release);
        let password = password.map_err(|e| match e.kind() {
            // Ctrl-C, whose signal is on its way, or Ctrl-D.
            io::ErrorKind::Interrupted | io::ErrorKind::UnexpectedEof => {
                Failure::new(REFUSED, "no password was given")
            }
            _ => Failure::usage(format!("the terminal cannot be asked for the password: {e}"))
                .and("--password-env names an environment variable that holds it"),
        })?;
        match open(&password) {
            Err(error) if error.may_be_password() && question < MAX_QUESTIONS => {
                output::print_always(format_args!("{}: {error}", path.display()));
                question += 1;
            }
            result => return result.map_err(|error| key_file_failure(error, path)),
        }
    }
}

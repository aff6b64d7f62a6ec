//! Ctrl-C and similar signals: unfinished files are removed, the user learns how to continue, and
//! then the signal ends the program as it does by default.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// The job that is stored and can be resumed.
static RESUMABLE: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Sets the job to name after a signal.
pub(crate) fn set_resumable(job: Option<&Path>) {
    *RESUMABLE.lock().unwrap_or_else(PoisonError::into_inner) = job.map(ToOwned::to_owned);
}

/// Whether the same command continues what a signal ends.
static CONTINUED: AtomicBool = AtomicBool::new(false);

/// Sets whether the same command continues what a signal ends.
pub(crate) fn set_continued(is_continued: bool) {
    CONTINUED.store(is_continued, Ordering::Relaxed);
}

/// Handles signals from now on, in a thread of its own.
#[cfg(unix)]
pub(crate) fn watch() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    // nohup, and shells for background jobs, start a process with some signals ignored.
    let ignored = ignored();
    let handled = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| !is_in(ignored, *signal));
    // If there is no handler, the next run removes the files.
    let Ok(mut signals) = Signals::new(handled) else { return };
    std::thread::spawn(move || {
        for signal in signals.forever() {
            crate::password::wait_for_terminal();
            let _list = crate::temporary::remove_all();
            print_how_to_continue();
            // The parent process sees that a signal ended this one.
            let _ = emulate_default_handler(signal);
        }
    });
}

#[cfg(not(unix))]
pub(crate) fn watch() {}

/// Prints the command that continues the job, if one is stored.
#[cfg(unix)]
fn print_how_to_continue() {
    use std::sync::mpsc;
    use std::time::Duration;

    /// Maximum time for the message. Another thread may hold standard error for ever, because
    /// nobody reads it.
    const PRINTING: Duration = Duration::from_secs(2);

    let job = RESUMABLE.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let how = match job {
        Some(job) => format!("Continue with: ades resume {}", crate::path_name::quoted(&job)),
        None if CONTINUED.load(Ordering::Relaxed) => "The same command continues".to_owned(),
        None => return,
    };
    let (done, printed) = mpsc::channel();
    std::thread::spawn(move || {
        crate::output::print_always(format_args!("interrupted; nothing is lost. {how}"));
        let _ = done.send(());
    });
    let _ = printed.recv_timeout(PRINTING);
}

/// Makes a file that grows past the limit of the process (`ulimit -f`) an error of writing, from
/// which the program recovers, instead of the signal that ends it.
#[cfg(unix)]
pub(crate) fn survive_file_size_limit() {
    let exceeded = std::sync::Arc::default();
    // Without the handler the signal ends the program, as it does by default.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, exceeded);
}

#[cfg(not(unix))]
pub(crate) fn survive_file_size_limit() {}

/// The signals that this process was started to ignore, as bits; known only on Linux.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    bits.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or(0)
}

/// Whether the bit of a signal is set; signal 1 is the lowest bit.
#[cfg(unix)]
fn is_in(bits: u64, signal: i32) -> bool {
    u32::try_from(signal - 1).is_ok_and(|at| bits.checked_shr(at).is_some_and(|bits| bits & 1 == 1))
}

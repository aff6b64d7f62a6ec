//! Ctrl-C and similar signals: unfinished files are removed, then the signal ends the program as
//! it does by default.

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
            let _list = crate::temporary::remove_all();
            // The parent process sees that a signal ended this one.
            let _ = emulate_default_handler(signal);
        }
    });
}

#[cfg(not(unix))]
pub(crate) fn watch() {}

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

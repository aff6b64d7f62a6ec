//! Ctrl-C and its kin: what is not finished goes, then the program ends as if
//! nobody had looked at the signal.

/// From here on, in a thread of its own.
#[cfg(unix)]
pub(crate) fn watch() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    // Under nohup, or in the background of a script, some shall be ignored.
    let ignored = ignored();
    let heeded = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| !is_in(ignored, *signal));
    // Without it a leftover waits for the next run.
    let Ok(mut signals) = Signals::new(heeded) else { return };
    std::thread::spawn(move || {
        for signal in signals.forever() {
            let _list = crate::temporary::remove_all();
            // Whoever called us learns that it was the signal.
            let _ = emulate_default_handler(signal);
        }
    });
}

#[cfg(not(unix))]
pub(crate) fn watch() {}

/// The signals this process was started to ignore, as bits; only Linux tells.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    bits.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or(0)
}

/// Signals are counted from 1.
#[cfg(unix)]
fn is_in(bits: u64, signal: i32) -> bool {
    u32::try_from(signal - 1).is_ok_and(|at| bits.checked_shr(at).is_some_and(|bits| bits & 1 == 1))
}

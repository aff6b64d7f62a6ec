//! Runs this program under callgrind.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::work::Case;

/// Where the profiles stay.
pub(crate) fn folder() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.with_file_name("callgrind")
}

/// The instructions of each case: those of a process that does the work, without
/// those of one that only does what the case is not about. This counts all threads
/// and needs no names of functions.
pub(crate) fn count(cases: &[Case], inputs: &Path) -> Vec<u64> {
    std::fs::create_dir_all(folder()).unwrap();
    let counts = Mutex::new(vec![0; cases.len()]);
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((at, case)) = at(cases, next.fetch_add(1, Ordering::Relaxed)) {
            let input = inputs.join(at.to_string());
            case.make_input(&input);
            let [with, without] = ["work", "baseline"].map(|which| total(case, which, &input));
            counts.lock().unwrap()[at] = with - without;
            std::fs::remove_dir_all(input).unwrap();
        }
    };
    let processors = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..processors).for_each(|_| drop(scope.spawn(work))));
    counts.into_inner().unwrap()
}

fn at(cases: &[Case], at: usize) -> Option<(usize, &Case)> {
    Some((at, cases.get(at)?))
}

/// The instructions of one process.
fn total(case: &Case, which: &str, input: &Path) -> u64 {
    let profile = folder().join(format!("{case}.{which}"));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(std::env::current_exe().unwrap())
        .args([which, &case.to_string()])
        .arg(input)
        // The dynamic loader reads the environment.
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .output()
        .expect("valgrind is needed: tests/needs.sh installs it");
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{case}, {which}: {messages}");
    let text = std::fs::read_to_string(&profile).unwrap();
    let totals = text.lines().find_map(|line| line.strip_prefix("totals: "));
    totals.expect("a profile has totals").trim().parse().unwrap()
}

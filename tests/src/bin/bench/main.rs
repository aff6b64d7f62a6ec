//! Compares our speed with limits and peers, and prints the tables of
//! `docs/benchmarks.md`. With the argument `cades`, `pades` or `xades`, only the
//! tables of that format; with `judge` or `raise`, those of judging or raising signatures
//! of all formats; with `processes`, only that of whole processes. With a second argument,
//! only the rows whose names contain it.
//!
//! `cargo run --release -p ades-tests --bin bench`

mod cades;
mod levels;
mod pades;
mod processes;
mod xades;

use std::cmp::Ordering;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ades_core::{DigestAlgorithm, Digester};
use ades_tests::pki::{Key, PemFiles, Pki, TestSigner};
use tempfile::TempDir;

const RUNS: usize = 9;
/// Number of passes per measurement, of which the best counts, so that the state
/// of the caches does not matter.
const PASSES: usize = 3;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (only, row) = (arguments.next(), arguments.next());
    let wanted = |name| only.as_deref().is_none_or(|only| only == name);
    if wanted("xades") && row.is_none() {
        xades::long();
    }
    let bench = Bench::new(row);
    if wanted("cades") {
        cades::run(&bench);
    }
    if wanted("pades") {
        pades::run(&bench);
    }
    if wanted("xades") {
        xades::run(&bench);
    }
    if wanted("judge") {
        levels::judge(&bench);
    }
    if wanted("raise") {
        levels::raise(&bench);
    }
    if wanted("processes") {
        processes::run(&bench);
    }
}

/// The files of a signer, and a folder for the documents.
struct Bench {
    dir: TempDir,
    pem: PemFiles,
    pkcs12: PathBuf,
    /// The output. It is removed before each pass, because truncating a file costs
    /// a flush, which is not to be measured.
    out: PathBuf,
    /// What the names of the rows contain
    row: Option<String>,
}

impl Bench {
    fn new(row: Option<String>) -> Self {
        let dir = TempDir::new().unwrap();
        let pem = signer().write_pem_files(dir.path());
        let pkcs12 = dir.path().join("signer.p12");
        std::fs::write(&pkcs12, signer().pkcs12("secret")).unwrap();
        let out = dir.path().join("out");
        Self { dir, pem, pkcs12, out, row }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Prints a row: the median times of `ours`, `limit` and `others`, and the
    /// median ratio of the first two. They take turns, so that a change in the
    /// machine's speed affects all. `None` means that one does not support the task
    /// or is not measured.
    fn compare(
        &self,
        name: &str,
        runs: usize,
        [ours, limit]: [&dyn Fn() -> Duration; 2],
        others: &[&dyn Fn() -> Option<Duration>],
    ) {
        if self.row.as_ref().is_some_and(|row| !name.contains(row)) {
            return;
        }
        let best = |work: &dyn Fn() -> Option<Duration>| {
            let pass = |_| {
                drop(std::fs::remove_file(&self.out));
                work()
            };
            (0..PASSES).map_while(pass).min()
        };
        let (mut first, mut second) = (Vec::new(), Vec::new());
        let mut rest = vec![Vec::new(); others.len()];
        for _ in 0..runs {
            first.extend(best(&|| Some(ours())));
            second.extend(best(&|| Some(limit())));
            for (times, other) in rest.iter_mut().zip(others) {
                times.extend(best(other));
            }
        }
        let ratios = first.iter().zip(&second).map(|(a, b)| a.as_secs_f64() / b.as_secs_f64());
        let ratio = median(ratios.map(Ratio).collect()).map_or(f64::NAN, |ratio| ratio.0);
        let shown = |times: Vec<Duration>| {
            let time = median(times);
            time.map_or("–".to_owned(), |t| format!("{:.2} ms", t.as_secs_f64() * 1000.0))
        };
        let rest: Vec<String> = rest.into_iter().map(shown).collect();
        let (first, second) = (shown(first), shown(second));
        println!("| {name} | {first} | {second} | {ratio:.2} | {} |", rest.join(" | "));
    }
}

fn signer() -> &'static TestSigner {
    Pki::shared().signer(Key::Rsa2048)
}

/// SHA-256 over a file and, with `out`, a copy of it: read once.
fn limit(path: &Path, out: Option<&Path>) -> Duration {
    timed(|| {
        let mut file = File::open(path).unwrap();
        let mut out = out.map(|out| File::create_new(out).unwrap());
        let mut digester = Digester::new(DigestAlgorithm::Sha256);
        let mut piece = vec![0; 128 * 1024];
        loop {
            let read = file.read(&mut piece).unwrap();
            if read == 0 {
                break;
            }
            digester.update(&piece[..read]);
            if let Some(out) = &mut out {
                out.write_all(&piece[..read]).unwrap();
            }
        }
        std::hint::black_box(digester.finish());
    })
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// `None` if it fails.
fn timed_if<T, E>(work: impl FnOnce() -> Result<T, E>) -> Option<Duration> {
    let start = Instant::now();
    work().ok().map(|_| start.elapsed())
}

/// Ordered as numbers are.
#[derive(Clone, Copy, PartialEq)]
struct Ratio(f64);

impl Eq for Ratio {}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

fn median<T: Ord + Copy>(mut values: Vec<T>) -> Option<T> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

//! Whole processes of the command line, file to file, compared with the processes
//! that set the limit. `ADES_RELEASE` names the program.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use ades_tests::invoice::Invoice;
use ades_tests::oracle::libxml2::Libxml2;
use ades_tests::pdf::write_image_pages;

use crate::pades::written;
use crate::xades::by_libxml2;
use crate::{Bench, timed};

const RUNS: usize = 5;

pub(crate) fn run(bench: &Bench) {
    let Some(program) = std::env::var_os("ADES_RELEASE").map(PathBuf::from) else {
        println!("\nADES_RELEASE does not name the program: no whole processes");
        return;
    };
    let ades = |arguments: &[&str], files: &[&Path]| {
        let mut command = Command::new(&program);
        command.args(arguments).args(files).env("PASSWORD", "secret");
        finished(&mut command)
    };
    let key = format!("pkcs12:{}", bench.pkcs12.display());
    let sign = |document: &Path, out: &Path| {
        let arguments = ["sign", "--quiet", "--signer", &key, "--password-env", "PASSWORD", "-o"];
        ades(&arguments, &[out, document])
    };
    println!("\n| process | ours | limit | ours / limit |");
    println!("|---|---|---|---|");

    let pdf = bench.path("images.pdf");
    let pdf = written(pdf, |out| write_image_pages(out, 200, 1000).unwrap());
    let copied = || openssl(&pdf) + finished(Command::new("cp").arg(&pdf).arg(&bench.out));
    bench.compare("sign PDF, 100 MB", RUNS, [&|| sign(&pdf, &bench.out), &copied], &[]);
    let signed = bench.path("signed.pdf");
    sign(&pdf, &signed);
    let verify =
        || ades(&["verify", "--revocation", "none", "--trust"], &[&bench.pem.root, &signed]);
    bench.compare("verify PDF, 100 MB", RUNS, [&verify, &|| openssl(&signed)], &[]);

    let xml = bench.path("invoice.xml");
    std::fs::write(&xml, Invoice::in_memory(10_000_000)).unwrap();
    let judge = RefCell::new(Libxml2::start());
    let limit = || by_libxml2(&judge, 1, &xml);
    bench.compare("sign XML, enveloped, 10 MB", RUNS, [&|| sign(&xml, &bench.out), &limit], &[]);

    let long = bench.path("long.bin");
    std::fs::File::create(&long).unwrap().set_len(1 << 30).unwrap();
    let ours = || sign(&long, &bench.out);
    bench.compare("sign CAdES, detached, 1 GiB", 3, [&ours, &|| openssl(&long)], &[]);
}

/// The time of SHA-256 over a file with OpenSSL.
fn openssl(path: &Path) -> Duration {
    finished(Command::new("openssl").args(["dgst", "-sha256"]).arg(path))
}

/// The time of a process.
fn finished(command: &mut Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    timed(|| {
        let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
        let messages = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {messages}");
    })
}

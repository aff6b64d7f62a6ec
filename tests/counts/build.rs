//! Tells the program which compiler made it, because the figures belong to one.

use std::process::Command;

fn main() {
    let rustc = std::env::var("RUSTC").expect("cargo sets RUSTC");
    let output = Command::new(rustc).arg("--version").output().expect("the compiler answers");
    let version = String::from_utf8(output.stdout).expect("a version is text");
    // "rustc 1.95.0 (59807616e 2026-04-14)"
    let version = version.split(' ').nth(1).expect("a version follows the name");
    println!("cargo::rustc-env=COMPILER={version}");
    println!("cargo::rerun-if-changed=build.rs");
}

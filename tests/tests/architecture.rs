//! `docs/architecture.md` shows the crates as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The modules that every format crate has at its top.
const MODULES: [&str; 8] =
    ["options", "prepare", "pending", "complete", "extend", "verify", "report", "error"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The block of lines `crate -> dependency, optional dependency?`.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let (_, block) = text.split_once("```crates\n").expect("a block of the crates");
    let (block, _) = block.split_once("```").expect("an end of the block");
    let line = |line: &str| {
        let (name, dependencies) = line.split_once("->").expect("crate -> dependencies");
        let dependencies = dependencies.split(',').map(str::trim).filter(|name| !name.is_empty());
        (name.trim().to_owned(), dependencies.map(str::to_owned).collect())
    };
    block.lines().map(line).collect()
}

/// The normal dependencies among the packages in `crates/`.
fn actual() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let crates = root().join("crates");
    let packages: BTreeMap<&str, &Value> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|package| {
            Path::new(package["manifest_path"].as_str().unwrap()).starts_with(&crates)
        })
        .map(|package| (package["name"].as_str().unwrap(), package))
        .collect();
    let dependencies = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap().iter();
        all.filter(|dependency| dependency["kind"].is_null())
            .map(|dependency| (dependency["name"].as_str().unwrap(), &dependency["optional"]))
            .filter(|(name, _)| packages.contains_key(name))
            .map(|(name, optional)| format!("{name}{}", if *optional == true { "?" } else { "" }))
            .collect()
    };
    packages.iter().map(|(name, package)| ((*name).to_owned(), dependencies(package))).collect()
}

#[test]
fn the_documented_dependencies_are_those_of_cargo() {
    assert_eq!(documented(), actual(), "documented (left) and actual (right) dependencies differ");
}

#[test]
fn the_documented_source_files_exist() {
    let text = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let (_, table) = text.split_once("## Where things are").expect("a table of source files");
    let paths = table.split('`').filter(|path| path.contains("/src"));
    let missing: Vec<&str> =
        paths.filter(|path| !root().join("crates").join(path).exists()).collect();
    assert!(missing.is_empty(), "docs/architecture.md names {missing:?}, which do not exist");
}

#[test]
fn every_format_crate_has_the_same_modules() {
    for name in ["cades", "pades", "xades"] {
        let lib =
            std::fs::read_to_string(root().join(format!("crates/{name}/src/lib.rs"))).unwrap();
        let modules: BTreeSet<&str> =
            lib.lines().filter_map(|line| line.rsplit_once("mod ")?.1.strip_suffix(';')).collect();
        let missing: Vec<&str> =
            MODULES.into_iter().filter(|module| !modules.contains(module)).collect();
        assert!(missing.is_empty(), "crates/{name}/src/lib.rs has no module {missing:?}");
    }
}

//! Files that others made, where they are at hand: in the folder that `ADES_CORPORA`
//! names, or beside the repository.

use std::path::{Path, PathBuf};

/// The files below these folders with these endings, by path. Empty if the folders
/// are missing, which is an error with `CI` set.
pub fn files(folders: &[&str], endings: &[&str]) -> Vec<(String, Vec<u8>)> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora");
    let root = std::env::var_os("ADES_CORPORA").map_or_else(beside, PathBuf::from);
    let mut files = Vec::new();
    for folder in folders {
        walk(&root.join(folder), &mut |path| {
            if endings.iter().any(|ending| path.to_string_lossy().ends_with(ending)) {
                files.push((path.display().to_string(), std::fs::read(path).unwrap()));
            }
        });
    }
    if files.is_empty() {
        let root = root.display();
        assert!(std::env::var_os("CI").is_none(), "no corpora in {root}: set ADES_CORPORA");
        eprintln!("no corpora in {root}: only generated documents are compared");
    }
    files.sort();
    files
}

fn walk(folder: &Path, found: &mut dyn FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else {
            found(&path);
        }
    }
}

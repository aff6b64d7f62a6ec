//! Files that others made. The repository holds none of them: `corpora.tsv` lists
//! what tests read, with the path of each file below a folder. That folder is
//! `ADES_CORPORA` if set, else `../shared/corpora` beside the repository.
//!
//! A test whose files are missing passes, and says so on standard error and in
//! `target/test-notes/corpora.txt`. If `CI` is set, it fails. A test whose files are
//! there says in the same place how many it read.

use std::collections::HashSet;
use std::env;
use std::fs;
use std::io::Write as _;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The columns are: set, name, path below the folder, SHA-256 in hexadecimal.
const LIST: &str = include_str!("corpora.tsv");

/// A file that somebody else made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct File {
    /// Its name in tests; unique in a set.
    pub name: &'static str,
    /// Where it is.
    pub path: PathBuf,
    /// SHA-256 of its octets, in hexadecimal.
    pub sha256: &'static str,
}

impl File {
    /// Its octets.
    ///
    /// # Panics
    /// If the file cannot be read.
    #[must_use]
    pub fn read(&self) -> Vec<u8> {
        fs::read(&self.path).unwrap_or_else(|e| panic!("{}: {e}", self.path.display()))
    }
}

/// The names of all sets.
#[must_use]
pub fn sets() -> Vec<&'static str> {
    let mut sets: Vec<_> = rows().map(|[set, ..]| set).collect();
    sets.dedup();
    sets
}

/// The files of a set, ordered by name; `None` if one of them is missing.
///
/// # Panics
/// If there is no such set, or if a file is missing and `CI` is set.
#[must_use]
#[track_caller]
pub fn files(set: &str) -> Option<Vec<File>> {
    choose(set, |_| true)
}

/// One file of a set; `None` if it is missing.
///
/// # Panics
/// If the set has no such file, or if the file is missing and `CI` is set.
#[must_use]
#[track_caller]
pub fn file(set: &str, name: &str) -> Option<File> {
    choose(set, |one| one == name)?.pop()
}

/// Every file below these folders of the corpora with one of these endings, with its
/// path below the corpora, ordered by it; `None` if there are none.
///
/// # Panics
/// If there are none and `CI` is set, or if a file cannot be read.
#[must_use]
#[track_caller]
pub fn everything(folders: &[&str], endings: &[&str]) -> Option<Vec<(String, Vec<u8>)>> {
    let root = folder();
    let mut paths = Vec::new();
    folders.iter().for_each(|folder| walk(&root.join(folder), &mut paths));
    let name = |path: &Path| path.strip_prefix(&root).unwrap_or(path).display().to_string();
    let mut files: Vec<_> = paths.iter().map(|path| (name(path), path)).collect();
    files.retain(|(name, _)| endings.iter().any(|ending| name.ends_with(ending)));
    files.sort();
    let (kind, folders) = (endings.join(", "), folders.join(", "));
    if files.is_empty() {
        did_not_run(&format!(
            "no {kind} in the folders {folders} of {}; set ADES_CORPORA to the folder that has them",
            root.display()
        ));
        return None;
    }
    note_ran(&format!("{} {kind} of the folders {folders} in {}", files.len(), root.display()));
    let read = |path: &Path| fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    Some(files.into_iter().map(|(name, path)| (name, read(path))).collect())
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, paths);
        } else {
            paths.push(path);
        }
    }
}

#[track_caller]
fn choose(set: &str, wanted: impl Fn(&str) -> bool) -> Option<Vec<File>> {
    let folder = folder();
    let mut files = Vec::new();
    for [of, name, path, sha256] in rows() {
        if of == set && wanted(name) {
            files.push(File { name, path: folder.join(path), sha256 });
        }
    }
    assert!(!files.is_empty(), "corpora.tsv lists no such file in the set {set}");
    let (what, count) = (format!("the corpus set \"{set}\""), files.len());
    let missing = files.iter().filter(|file| !file.path.is_file()).count();
    if missing == 0 {
        note_ran(&format!("{count} of {what} in {}", folder.display()));
        return Some(files);
    }
    did_not_run(&format!(
        "{missing} of {count} files of {what} are not in {}; set ADES_CORPORA to the folder that \
         has them",
        folder.display()
    ));
    None
}

/// Notes that a test read files: `what` says how many, and of which kind.
#[track_caller]
pub fn note_ran(what: &str) {
    note(&format!("ran          {}: files read: {what}", test()));
}

/// Notes that a test, or a part of it, did not run, and says so on standard error.
///
/// # Panics
/// If `CI` is set.
#[track_caller]
pub fn did_not_run(why: &str) {
    let line = format!("did not run  {}: {why}", test());
    assert!(env::var_os("CI").is_none_or(|ci| ci.is_empty()), "CI is set, and a test {line}");
    if note(&line) {
        // Unlike `eprintln`, this is shown for tests that pass, too.
        let _ = writeln!(std::io::stderr(), "\n!!! {line}");
    }
}

/// The folder that the paths in the list begin in.
#[must_use]
pub fn folder() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join("../shared/corpora");
    let folder = env::var_os("ADES_CORPORA").map_or_else(default, PathBuf::from);
    folder.canonicalize().unwrap_or(folder)
}

fn rows() -> impl Iterator<Item = [&'static str; 4]> {
    LIST.lines().skip(1).map(|line| {
        let cells: Vec<_> = line.split('\t').collect();
        cells.try_into().unwrap_or_else(|_| panic!("corpora.tsv: {line}"))
    })
}

/// The test that runs. The harness gives its name to the thread.
#[track_caller]
fn test() -> String {
    let file = Location::caller().file();
    let thread = std::thread::current();
    match thread.name() {
        Some(name) if name != "main" => format!("{file}, {name}"),
        _ => file.to_owned(),
    }
}

/// Adds a line to the notes, once for each process; `false` if it was there already.
fn note(line: &str) -> bool {
    static NOTED: Mutex<Option<HashSet<String>>> = Mutex::new(None);

    let mut noted = NOTED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if !noted.get_or_insert_default().insert(line.to_owned()) {
        return false;
    }
    // Tests are in target/debug/deps.
    let target = env::current_exe().ok();
    if let Some(target) = target.as_deref().and_then(|path| path.ancestors().nth(3)) {
        let notes = target.join("test-notes");
        let _ = fs::create_dir_all(&notes);
        let file = fs::OpenOptions::new().create(true).append(true).open(notes.join("corpora.txt"));
        // In one write: other test processes append to the same file.
        let _ = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_four_cells_and_names_are_unique_in_their_set() {
        assert_eq!(sets(), ["c14n", "cades", "itsme-ca", "pdf", "xades", "xml"]);
        let names: HashSet<_> = rows().map(|[set, name, ..]| (set, name)).collect();
        assert_eq!(names.len(), rows().count());
        assert!(rows().all(|[.., sha256]| sha256.len() == 64));
    }
}

//! Inputs: files, and standard input for the path `-`.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use ades::Document;

use crate::exit::Failure;
use crate::path_name::{self, is_standard};
use crate::progress::Watched;
use crate::temporary::{self, Temporary};

/// Maximum size of a text that is read whole (certificates, states, jobs), in octets.
const MAX_TEXT: u64 = 8 * 1024 * 1024;

/// Whether a path can be read only once, or only by this process: standard input, a pipe or a
/// file descriptor.
pub(crate) fn is_stream(path: &Path) -> bool {
    let own = ["/dev/stdin", "/dev/fd", "/proc/self", "/proc/thread-self"];
    is_standard(path)
        || own.iter().any(|own| path.starts_with(own))
        || path.metadata().is_ok_and(|data| !data.is_file() && !data.is_dir())
}

/// Opens a file. Anything else is copied to an unnamed temporary file, which can be rewound.
pub(crate) fn open(path: &Path) -> Result<File, Failure> {
    let failed = |e: &io::Error| Failure::file(path, e);
    if is_standard(path) {
        return copied(io::stdin().lock(), path).map_err(|e| failed(&e));
    }
    let file = File::open(path).map_err(|e| failed(&e))?;
    let metadata = file.metadata().map_err(|e| failed(&e))?;
    if metadata.is_dir() {
        return Err(Failure::input(format!("{}: is a folder", path.display())));
    }
    if metadata.is_file() { Ok(file) } else { copied(file, path).map_err(|e| failed(&e)) }
}

pub(crate) fn document(path: &Path) -> Result<Document<'static>, Failure> {
    open(path).map(|file| watched(file, path)).map(Document::seekable)
}

/// Wraps an opened file so that a long read shows its progress.
pub(crate) fn watched(file: File, path: &Path) -> Watched<File> {
    let length = file.metadata().map(|metadata| metadata.len()).ok();
    Watched::new(file, &path_name::of_input(path), length)
}

fn copied(from: impl Read, path: &Path) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut Watched::new(from, &path_name::of_input(path), None), &mut file)?;
    file.rewind()?;
    Ok(file)
}

/// Copies an input that can be read only once to a temporary file beside `place`.
pub(crate) fn spool(path: &Path, place: Option<&Path>) -> Result<Temporary, Failure> {
    let failed = |e: io::Error| Failure::file(path, &e);
    let place = place.map_or_else(|| std::env::temp_dir().join("stdin"), Path::to_owned);
    temporary::sweep([place.as_path()].into_iter());
    let mut file = Temporary::beside(&place).map_err(failed)?;
    let from: Box<dyn Read> = if is_standard(path) {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(failed)?)
    };
    io::copy(&mut Watched::new(from, &path_name::of_input(path), None), file.file())
        .map_err(failed)?;
    Ok(file)
}

pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    let octets = read_at_most(path, MAX_TEXT)?;
    String::from_utf8(octets)
        .map_err(|_| Failure::input(format!("{}: is not a text file", path_name::of_input(path))))
}

/// Reads certificates as PEM. Text around them may have any encoding.
pub(crate) fn read_pem(path: &Path) -> Result<String, Failure> {
    let octets = read_at_most(path, MAX_TEXT)?;
    if octets.starts_with(b"\x30") && !contains(&octets, b"-----BEGIN ") {
        let name = path_name::of_input(path);
        return Err(Failure::input(format!(
            "{name}: this is DER; PEM is needed: openssl x509 -inform DER converts it"
        )));
    }
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

pub(crate) fn read_at_most(path: &Path, max: u64) -> Result<Vec<u8>, Failure> {
    let mut octets = Vec::new();
    open(path)?.take(max + 1).read_to_end(&mut octets).map_err(|e| Failure::file(path, &e))?;
    if octets.len() as u64 > max {
        return Err(Failure::input(format!(
            "{}: has more than {max} octets",
            path_name::of_input(path)
        )));
    }
    Ok(octets)
}

fn contains(text: &[u8], what: &[u8]) -> bool {
    text.windows(what.len()).any(|window| window == what)
}

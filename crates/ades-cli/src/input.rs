//! Inputs: files, and standard input for the path `-`.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use ades::formats::ades_core::base64;
use ades::{Certificate, Document};

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
        return copied(io::stdin().lock(), path);
    }
    let file = File::open(path).map_err(|e| failed(&e))?;
    let metadata = file.metadata().map_err(|e| failed(&e))?;
    if metadata.is_dir() {
        return Err(Failure::input(format!("{}: is a folder, not a file", path.display())));
    }
    if metadata.is_file() { Ok(file) } else { copied(file, path) }
}

pub(crate) fn document(path: &Path) -> Result<Document<'static>, Failure> {
    open(path).map(|file| watched(file, path)).map(Document::seekable)
}

/// Wraps an opened file so that a long read shows its progress.
pub(crate) fn watched(file: File, path: &Path) -> Watched<File> {
    let length = file.metadata().map(|metadata| metadata.len()).ok();
    Watched::new(file, &path_name::of_input(path), length)
}

fn copied(from: impl Read, path: &Path) -> Result<File, Failure> {
    let temporary = |e: io::Error| no_copy(path, &std::env::temp_dir(), &e);
    let mut file = tempfile::tempfile().map_err(temporary)?;
    copy(from, path, &mut file, &std::env::temp_dir())?;
    file.rewind().map_err(temporary)?;
    Ok(file)
}

/// Copies an input to a file in `folder`. Only a failure to write is a failure of the output.
fn copy(from: impl Read, path: &Path, to: &mut File, folder: &Path) -> Result<(), Failure> {
    let mut from = Watched::new(from, &path_name::of_input(path), None);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(Failure::file(path, &e)),
        };
        let piece = buffer.get(..read).unwrap_or_default();
        to.write_all(piece).map_err(|e| no_copy(path, folder, &e))?;
    }
}

fn no_copy(path: &Path, folder: &Path, error: &io::Error) -> Failure {
    let name = path_name::of_input(path);
    Failure::output(folder, format_args!("the copy of {name} needs more space: {error}"))
}

/// Copies an input that can be read only once to a temporary file beside `place`.
pub(crate) fn spool(path: &Path, place: Option<&Path>) -> Result<Temporary, Failure> {
    let place = place.map_or_else(|| std::env::temp_dir().join("stdin"), Path::to_owned);
    let folder = path_name::folder_of(&place).to_owned();
    temporary::sweep([place.as_path()].into_iter());
    let mut file = Temporary::beside(&place).map_err(|e| Failure::output(&folder, &e))?;
    if is_standard(path) {
        copy(io::stdin().lock(), path, file.file(), &folder)?;
    } else {
        let from = File::open(path).map_err(|e| Failure::file(path, &e))?;
        copy(from, path, file.file(), &folder)?;
    }
    Ok(file)
}

/// Reads a stored state or job. `kind` is its name for people, and `made_by` the command that
/// stores it.
pub(crate) fn read_state(path: &Path, kind: &str, made_by: &str) -> Result<String, Failure> {
    let text = read_text(path)?;
    if text.starts_with('{') || text.contains("\"format\"") {
        return Ok(text);
    }
    let name = path_name::of_input(path);
    let problem = if text.trim().is_empty() {
        format!("the {kind} is empty")
    } else {
        format!("is not a {kind}")
    };
    Err(Failure::input(format!("{name}: {problem}; {made_by} stores one")))
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
        return Err(Failure::input(format!("{name}: {}", in_der(octets))));
    }
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

/// What a file in DER is, and how to get the certificates in PEM.
fn in_der(octets: Vec<u8>) -> &'static str {
    /// id-data with its tag: the content of a PKCS#12 file.
    const DATA: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01";
    /// id-signedData with its tag: CMS, in which authorities deliver certificates (.p7b).
    const SIGNED_DATA: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02";
    let head = octets.get(..64).unwrap_or(&octets);
    if contains(head, SIGNED_DATA) {
        return "this is CMS (PKCS#7); PEM is needed: openssl pkcs7 -inform DER -print_certs \
                extracts its certificates";
    }
    if contains(head, DATA) {
        return "this is a PKCS#12 file; PEM is needed: openssl pkcs12 -nokeys extracts it";
    }
    match Certificate::from_der(octets) {
        Ok(_) => "this is DER; PEM is needed: openssl x509 -inform DER converts it",
        Err(_) => "this is DER, but not a certificate; certificates in PEM are needed",
    }
}

/// Reads a file in DER, or in PEM with any label.
pub(crate) fn read_der(path: &Path, max: u64, kind: &str) -> Result<Vec<u8>, Failure> {
    der_of(path, open(path)?, max, kind)
}

/// The same of an opened file.
pub(crate) fn der_of(path: &Path, file: File, max: u64, kind: &str) -> Result<Vec<u8>, Failure> {
    let octets = take_at_most(path, file, max)?;
    if octets.starts_with(b"\x30") {
        return Ok(octets);
    }
    let body = base64::of_pem(&String::from_utf8_lossy(&octets));
    let der = body.and_then(|body| base64::decode(&body)).filter(|der| der.starts_with(b"\x30"));
    der.ok_or_else(|| {
        Failure::input(format!("{}: is not a {kind} in DER or PEM", path_name::of_input(path)))
    })
}

pub(crate) fn read_at_most(path: &Path, max: u64) -> Result<Vec<u8>, Failure> {
    take_at_most(path, open(path)?, max)
}

fn take_at_most(path: &Path, file: File, max: u64) -> Result<Vec<u8>, Failure> {
    let mut octets = Vec::new();
    file.take(max + 1).read_to_end(&mut octets).map_err(|e| Failure::file(path, &e))?;
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

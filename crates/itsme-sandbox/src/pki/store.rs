//! Stores certificates and keys in files, or only in memory.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::KeyPair;
use time::OffsetDateTime;

use crate::SandboxError;

/// PEM of a certificate and its key.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) certificate: String,
    pub(super) key: String,
}

/// The store of the entries: a directory, or none.
pub(super) struct Store {
    dir: Option<PathBuf>,
}

/// A store that no other process reads or writes at the same time.
pub(super) struct Locked<'s> {
    store: &'s Store,
    /// Closing the file releases the lock.
    _lock: Option<File>,
}

// An entry's file starts with these facts about the certificate, before its PEM
// (RFC 7468, 2 allows explanatory text), so that nothing here parses certificates.
const NOT_AFTER: &str = "not-after: ";
/// SHA-256 of the issuer's PEM.
const ISSUER: &str = "issuer: ";
/// The front end whose addresses the certificate states.
const FRONT_URL: &str = "front-url: ";
/// An entry is made again if the rest of its validity is shorter than this.
const MARGIN_SECONDS: i64 = 86_400;

/// What a stored certificate has to fit, so that it is not made again.
#[derive(Clone, Copy)]
pub(super) struct Fit<'a> {
    /// PEM of its issuer, unless it is self-signed
    pub(super) issuer: Option<&'a str>,
    /// The front end, if it states addresses
    pub(super) front_url: Option<&'a str>,
}

impl Store {
    pub(super) fn open(dir: Option<&Path>) -> Result<Self, SandboxError> {
        if let Some(dir) = dir {
            let private = dir.join("private");
            fs::create_dir_all(&private).map_err(SandboxError::of_file(&private))?;
            restrict(&private)?;
        }
        Ok(Self { dir: dir.map(Path::to_owned) })
    }

    /// Waits until no other process uses the store.
    pub(super) fn lock(&self) -> Result<Locked<'_>, SandboxError> {
        let Some(dir) = &self.dir else { return Ok(Locked { store: self, _lock: None }) };
        let path = dir.join("private").join("lock");
        let lock = create(&path, 0o600).map_err(SandboxError::of_file(&path))?;
        match lock.lock() {
            // On a file system without locks, only one process may use the
            // directory at a time.
            Err(error) if error.kind() != io::ErrorKind::Unsupported => {
                Err(SandboxError::File { path, source: error })
            }
            _ => Ok(Locked { store: self, _lock: Some(lock) }),
        }
    }

    /// Whether an entry with this name is stored.
    pub(super) fn has(&self, name: &str) -> bool {
        self.dir.as_deref().is_some_and(|dir| entry_file(dir, name).exists())
    }
}

impl Locked<'_> {
    /// The stored entry with this name, if it is still valid and fits. Otherwise
    /// makes and stores a new one that is valid for `days`, for the stored key if
    /// there is one.
    pub(super) fn entry(
        &self,
        name: &str,
        days: i64,
        fit: Fit<'_>,
        make: impl FnOnce(Option<KeyPair>) -> Result<Entry, SandboxError>,
    ) -> Result<Entry, SandboxError> {
        let Some(dir) = &self.store.dir else { return make(None) };
        let file = entry_file(dir, name);
        let issuer = fit.issuer.map(fingerprint);
        let front_url = fit.front_url.map(ToOwned::to_owned);
        let mut key = None;
        let now = OffsetDateTime::now_utc().unix_timestamp();
        match fs::read_to_string(&file) {
            Ok(text) => {
                let stored =
                    read(&text).ok_or_else(|| SandboxError::PkiFile { path: file.clone() })?;
                let valid = stored.not_after > now.saturating_add(MARGIN_SECONDS);
                if valid && stored.issuer == issuer && stored.front_url == front_url {
                    return Ok(stored.entry);
                }
                key = KeyPair::from_pem(&stored.entry.key).ok();
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(SandboxError::File { path: file, source: error }),
        }
        let entry = make(key)?;
        let not_after = now.saturating_add(days.saturating_mul(86_400));
        let line = |name, value: Option<String>| {
            value.map(|value| format!("{name}{value}\n")).unwrap_or_default()
        };
        let facts = line(ISSUER, issuer) + &line(FRONT_URL, front_url);
        let text = format!("{NOT_AFTER}{not_after}\n{facts}{}{}", entry.certificate, entry.key);
        replace(&file, text.as_bytes(), 0o600)?;
        Ok(entry)
    }

    /// Writes a file for applications. Other users of the system can read it
    /// unless it holds a key.
    pub(super) fn publish(&self, name: &str, text: &str) -> Result<(), SandboxError> {
        let Some(dir) = &self.store.dir else { return Ok(()) };
        let mode = if text.contains("PRIVATE KEY") { 0o600 } else { 0o644 };
        replace(&dir.join(name), text.as_bytes(), mode)
    }

    /// The file of an entry, for errors.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        entry_file(self.store.dir.as_deref().unwrap_or(Path::new("")), name)
    }
}

fn entry_file(dir: &Path, name: &str) -> PathBuf {
    dir.join("private").join(format!("{name}.pem"))
}

fn fingerprint(pem: &str) -> String {
    let digest = digest(&SHA256, pem.as_bytes());
    digest.as_ref().iter().map(|octet| format!("{octet:02x}")).collect()
}

struct Stored {
    not_after: i64,
    issuer: Option<String>,
    front_url: Option<String>,
    entry: Entry,
}

fn read(text: &str) -> Option<Stored> {
    let (first, rest) = text.split_once('\n')?;
    let not_after = first.strip_prefix(NOT_AFTER)?.trim().parse().ok()?;
    let (issuer, rest) = fact(ISSUER, rest);
    let (front_url, rest) = fact(FRONT_URL, rest);
    let (certificate, key) = rest.split_at(rest.find("-----BEGIN PRIVATE KEY-----")?);
    let entry = Entry { certificate: certificate.to_owned(), key: key.to_owned() };
    Some(Stored { not_after, issuer, front_url, entry })
}

/// A fact that may be missing, and the text after it.
fn fact<'t>(name: &str, text: &'t str) -> (Option<String>, &'t str) {
    match text.strip_prefix(name).and_then(|rest| rest.split_once('\n')) {
        Some((value, rest)) => (Some(value.trim().to_owned()), rest),
        None => (None, text),
    }
}

/// Writes a temporary file and renames it, so that the file is never incomplete,
/// even after a power cut. The temporary name is always the same, so that killed
/// processes leave at most one such file. The lock allows only one writer, which
/// first removes the temporary file of an earlier one.
fn replace(file: &Path, octets: &[u8], mode: u32) -> Result<(), SandboxError> {
    let temporary = file.with_extension("new");
    let write = || {
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut out = create(&temporary, mode)?;
        out.write_all(octets)?;
        out.sync_all()?;
        fs::rename(&temporary, file)?;
        #[cfg(unix)]
        File::open(file.parent().unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(())
    };
    write().map_err(SandboxError::of_file(file))
}

fn create(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path)
}

#[cfg(unix)]
fn restrict(path: &Path) -> Result<(), SandboxError> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
        .map_err(SandboxError::of_file(path))
}

#[cfg(not(unix))]
fn restrict(_path: &Path) -> Result<(), SandboxError> {
    Ok(())
}

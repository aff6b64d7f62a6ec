//! Certificates and keys in files, or only in memory.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use crate::SandboxError;

/// A certificate and its key, as PEM.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) certificate: String,
    pub(super) key: String,
}

/// Where entries are kept.
pub(super) struct Store {
    dir: Option<PathBuf>,
}

const NOT_AFTER: &str = "not-after: ";
/// An entry that ends this soon is made anew.
const MARGIN_SECONDS: i64 = 86_400;

impl Store {
    pub(super) fn open(dir: Option<&Path>) -> Result<Self, SandboxError> {
        if let Some(dir) = dir {
            fs::create_dir_all(dir.join("private")).map_err(SandboxError::Io)?;
            restrict(&dir.join("private"))?;
        }
        Ok(Self { dir: dir.map(Path::to_owned) })
    }

    /// The stored entry of a name if it is still valid; else a new one, valid
    /// for `days`, which is kept.
    pub(super) fn entry(
        &self,
        name: &str,
        days: i64,
        make: impl FnOnce() -> Result<Entry, SandboxError>,
    ) -> Result<Entry, SandboxError> {
        let Some(dir) = &self.dir else { return make() };
        let file = dir.join("private").join(format!("{name}.pem"));
        let now = OffsetDateTime::now_utc().unix_timestamp();
        match fs::read_to_string(&file) {
            Ok(text) => {
                let (not_after, entry) =
                    read(&text).ok_or_else(|| SandboxError::PkiFile(file.clone()))?;
                if not_after > now.saturating_add(MARGIN_SECONDS) {
                    return Ok(entry);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(SandboxError::Io(error)),
        }
        let entry = make()?;
        // The end is written before the PEM (RFC 7468 allows that) so that
        // nothing has to read certificates here.
        let not_after = now.saturating_add(days.saturating_mul(86_400));
        let text = format!("{NOT_AFTER}{not_after}\n{}{}", entry.certificate, entry.key);
        replace(&file, text.as_bytes(), 0o600)?;
        Ok(entry)
    }

    /// Whether there is a file of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        let file = |dir: &PathBuf| dir.join("private").join(format!("{name}.pem"));
        self.dir.as_ref().is_some_and(|dir| file(dir).exists())
    }

    /// Something an application is to use: readable unless it holds a key.
    pub(super) fn publish(&self, name: &str, text: &str) -> Result<(), SandboxError> {
        let Some(dir) = &self.dir else { return Ok(()) };
        let mode = if text.contains("PRIVATE KEY") { 0o600 } else { 0o644 };
        replace(&dir.join(name), text.as_bytes(), mode)
    }
}

fn read(text: &str) -> Option<(i64, Entry)> {
    let (first, rest) = text.split_once('\n')?;
    let not_after = first.strip_prefix(NOT_AFTER)?.trim().parse().ok()?;
    let (certificate, key) = rest.split_at(rest.find("-----BEGIN PRIVATE KEY-----")?);
    Some((not_after, Entry { certificate: certificate.to_owned(), key: key.to_owned() }))
}

/// Writes beside and renames: a file is there as a whole or not at all.
fn replace(file: &Path, octets: &[u8], mode: u32) -> Result<(), SandboxError> {
    let beside = file.with_extension(format!("new-{}", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let mut out = options.open(&beside).map_err(SandboxError::Io)?;
    out.write_all(octets).map_err(SandboxError::Io)?;
    drop(out);
    fs::rename(&beside, file).map_err(SandboxError::Io)
}

#[cfg(unix)]
fn restrict(path: &Path) -> Result<(), SandboxError> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(SandboxError::Io)
}

#[cfg(not(unix))]
fn restrict(_path: &Path) -> Result<(), SandboxError> {
    Ok(())
}

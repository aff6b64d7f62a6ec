//! The configuration, and what it opens: the key, the database, the folders.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ades_session::sealing::{KeyRing, RootKey};
use ades_session::store::{KeyId, Store};
use ades_session_postgres::PostgresStore;
use ades_session_sqlite::SqliteStore;
use zeroize::Zeroizing;

use crate::error::Error;

/// The configuration of the application. Start with [`Config::new`]; each field has a setter of
/// the same name.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The folder of documents and containers, and of the key and the database unless they are
    /// elsewhere. Several nodes share it.
    pub dir: PathBuf,
    /// The address at which browsers see the application, without a slash at its end. If it is
    /// https, cookies are only sent over TLS.
    pub public_url: String,
    /// The connection string of a PostgreSQL database. Without one, the application has an SQLite
    /// database in its folder.
    pub database: Option<String>,
    /// Where the signer's pages are, as sources of a Content-Security-Policy. Browsers check the
    /// redirects that follow a form against them.
    pub signer_pages: String,
    /// Whether the signatures are not real, which every page then says
    pub sandbox: bool,
}

impl Config {
    /// The application at this address, with a signer whose pages are on https.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>, public_url: impl Into<String>) -> Self {
        Self {
            dir: dir.into(),
            public_url: public_url.into(),
            database: None,
            signer_pages: "https:".to_owned(),
            sandbox: false,
        }
    }

    /// Sets the PostgreSQL database.
    #[must_use]
    pub fn database(mut self, database: Option<String>) -> Self {
        self.database = database;
        self
    }

    /// Sets where the signer's pages are.
    #[must_use]
    pub fn signer_pages(mut self, sources: impl Into<String>) -> Self {
        self.signer_pages = sources.into();
        self
    }

    /// Sets whether the signatures are not real.
    #[must_use]
    pub const fn sandbox(mut self, sandbox: bool) -> Self {
        self.sandbox = sandbox;
        self
    }

    /// The folder of documents and containers.
    pub(crate) fn documents(&self) -> PathBuf {
        self.dir.join("documents")
    }

    pub(crate) async fn open_store(&self) -> Result<Arc<dyn Store>, Error> {
        Ok(match &self.database {
            Some(url) => {
                ades_session_postgres::migrate(url).await?;
                Arc::new(PostgresStore::open(url).await?)
            }
            None => Arc::new(SqliteStore::open(self.dir.join("jobs.sqlite"))?),
        })
    }

    /// The key that seals what the database must not read. In production, a key management service
    /// or a secret of the platform has it; here it is a file that only its owner can read.
    pub(crate) fn open_key(&self) -> Result<KeyRing, Error> {
        let path = self.dir.join("key");
        let failed = |source| Error::Folder { path: path.clone(), source };
        if !path.exists() {
            make_key(&self.dir, &path).map_err(failed)?;
        }
        let text = Zeroizing::new(fs::read_to_string(&path).map_err(failed)?);
        let key = RootKey::from_hex(&text).ok_or_else(|| Error::Key { path: path.clone() })?;
        Ok(KeyRing::new(KeyId(1), key))
    }
}

/// Makes a key. Another process may do that at the same time: the first one counts.
fn make_key(dir: &Path, path: &Path) -> io::Result<()> {
    let mut octets = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *octets)?;
    // Only the owner can read temporary files.
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(Zeroizing::new(hex(&*octets)).as_bytes())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(refused) if refused.error.kind() != io::ErrorKind::AlreadyExists => Err(refused.error),
        _ => Ok(()),
    }
}

/// Octets as hexadecimal digits.
pub(crate) fn hex(octets: &[u8]) -> String {
    use std::fmt::Write as _;
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

//! The test PKI as PEM and PKCS#12 files, for other programs.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{TestSigner, pem};
use crate::oracle::openssl;

/// The paths of a signer's PEM files.
#[derive(Clone, Debug)]
pub struct PemFiles {
    /// The signer's certificate.
    pub leaf: PathBuf,
    /// The private key as PKCS#8.
    pub key: PathBuf,
    /// The issuing CA and the root.
    pub issuers: PathBuf,
    /// All certificates. The signer's is the first.
    pub chain: PathBuf,
    /// The trust anchor.
    pub root: PathBuf,
}

impl TestSigner {
    /// Writes `leaf.pem`, `key.pem`, `issuers.pem`, `chain.pem` and `root.pem`.
    #[must_use]
    pub fn write_pem_files(&self, dir: &Path) -> PemFiles {
        let write = |name: &str, text: String| {
            let path = dir.join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let certificates = self.chain.certificates();
        PemFiles {
            leaf: write("leaf.pem", pem(self.leaf())),
            key: write("key.pem", self.key_pem.clone()),
            issuers: write("issuers.pem", certificates[1..].iter().map(pem).collect()),
            chain: write("chain.pem", self.chain_pem()),
            root: write("root.pem", certificates.last().map(pem).unwrap()),
        }
    }

    /// A PKCS#12 file with the key and the certificates, made by `openssl`.
    #[must_use]
    pub fn pkcs12(&self, password: &str) -> Vec<u8> {
        let dir = TempDir::new().unwrap();
        let files = self.write_pem_files(dir.path());
        let password = format!("pass:{password}");
        let [key, chain] = [&files.key, &files.chain].map(|path| path.to_str().unwrap());
        let args = ["pkcs12", "-export", "-passout", &password, "-inkey", key, "-in", chain];
        openssl::run(&args).unwrap()
    }
}

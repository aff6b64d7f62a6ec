//! What opens an encrypted PDF: a password, or the key of a recipient.

use std::path::{Path, PathBuf};

use ades::{Document, pkcs12};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::exit::Failure;
use crate::input;
use crate::path_name;
use crate::request::environment;

/// The arguments about an encrypted PDF, and their stored form. Neither has a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RecipientArgs {
    /// The PKCS#12 file with the key of a recipient, for a document that is encrypted for the
    /// holders of certificates
    #[arg(long, value_name = "FILE")]
    pub(crate) pdf_key: Option<PathBuf>,
    /// The environment variable with the password of that file; by default the password is empty
    #[arg(long, value_name = "VAR", requires = "pdf_key")]
    pub(crate) pdf_key_password_env: Option<String>,
}

impl RecipientArgs {
    pub(crate) const fn is_absent(&self) -> bool {
        self.pdf_key.is_none()
    }
}

/// The password, or the key of a recipient.
#[derive(Default)]
pub(crate) struct Unlock {
    password: Option<Zeroizing<String>>,
    recipient: Option<Recipient>,
}

/// The PKCS#12 file of a recipient, with its own password.
struct Recipient {
    path: PathBuf,
    file: Zeroizing<Vec<u8>>,
    password: Zeroizing<String>,
}

impl Unlock {
    /// Reads the environment variables and the recipient's file.
    pub(crate) fn read(
        password_env: Option<&str>,
        recipient: &RecipientArgs,
    ) -> Result<Self, Failure> {
        let password = password_env.map(|name| environment("--pdf-password-env", name));
        let mut unlock = Self { password: password.transpose()?, recipient: None };
        if let Some(path) = &recipient.pdf_key {
            let name = recipient.pdf_key_password_env.as_deref();
            let password = name.map(|name| environment("--pdf-key-password-env", name));
            let file = Zeroizing::new(input::read_at_most(path, pkcs12::MAX_FILE_LEN as u64)?);
            let password = password.transpose()?.unwrap_or_default();
            unlock.recipient = Some(Recipient { path: path.clone(), file, password });
        }
        Ok(unlock)
    }

    pub(crate) fn password(&self) -> Option<&str> {
        self.password.as_deref().map(String::as_str)
    }

    /// The content of the envelope that the recipient's key opens; `None` without a key, and for
    /// a document that is not encrypted for recipients.
    pub(crate) fn envelope_content(
        &self,
        document: &mut Document<'_>,
        path: &Path,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        let Some(recipient) = &self.recipient else { return Ok(None) };
        let envelopes = ades::envelopes(document)
            .map_err(|error| Failure::from(error).about(path_name::of_input(path)))?;
        if envelopes.is_empty() {
            return Ok(None);
        }
        pkcs12::open_envelope(&recipient.file, &recipient.password, &envelopes)
            .map(Some)
            .map_err(|error| Failure::from(error).about(path_name::of_input(&recipient.path)))
    }
}

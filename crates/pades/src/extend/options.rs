//! The options of raising a signature's level.

use std::fmt;

use ades_core::{Digest, DigestAlgorithm, Digester, Document};

use crate::error::Error;
use crate::options::SignatureOptions;
use crate::security::Credential;
use crate::verify::DigestedBeginning;

/// Length in octets that is assumed for a token whose length was not measured. With the margin,
/// the placeholder of a document time-stamp is as long as that of EU DSS, 9,472 octets: tokens
/// have 3 to 7 KiB with the certificates of their service.
const TOKEN_LEN: usize = 9 * 1024;

/// The options of [`prepare_time_stamp`](crate::prepare_time_stamp) and
/// [`add_validation_data`](crate::add_validation_data).
#[derive(Clone, Copy, Default)]
pub struct ExtendOptions<'a> {
    pub(super) credential: Credential<'a>,
    token_len: Option<usize>,
    ignore_permissions: bool,
    pub(super) lists_by_signature: bool,
    beginning: Option<&'a DigestedBeginning>,
}

impl<'a> ExtendOptions<'a> {
    /// The empty password, a token of unknown length, and no `/VRI`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The length in octets of a token of the time-stamping service, as measured. It
    /// decides how large the Contents placeholder of a document time-stamp is, and
    /// whether the token has room in an existing signature. Without it, 9 KiB are
    /// assumed.
    #[must_use]
    pub const fn token_len(mut self, octets: usize) -> Self {
        self.token_len = Some(octets);
        self
    }

    /// Lists the validation data of the signature in `/VRI`, too. Some older readers
    /// look for them there. EN 319 142-1 (table 1) advises against it.
    #[must_use]
    pub const fn list_by_signature(mut self) -> Self {
        self.lists_by_signature = true;
        self
    }

    /// The user's or the owner's password of an encrypted document. Without one, the
    /// empty password is used.
    #[must_use]
    pub const fn password(mut self, password: &'a str) -> Self {
        self.credential.password = Some(password);
        self
    }

    /// The content of one of the [`envelopes`](crate::envelopes) of a document that is
    /// encrypted for recipients.
    #[must_use]
    pub const fn envelope_content(mut self, content: &'a [u8]) -> Self {
        self.credential.envelope = Some(content);
        self
    }

    /// Extends an encrypted document even if its permissions allow that only with the
    /// owner's password.
    #[must_use]
    pub const fn ignore_permissions(mut self) -> Self {
        self.ignore_permissions = true;
        self
    }

    /// Does not digest the octets again that verifying this document has digested. See there.
    #[must_use]
    pub const fn digested(mut self, beginning: &'a DigestedBeginning) -> Self {
        self.beginning = Some(beginning);
        self
    }

    /// The state after the whole document.
    pub(super) fn digester(
        &self,
        document: &mut Document<'_>,
        length: u64,
        algorithm: DigestAlgorithm,
    ) -> Result<Digester, Error> {
        if let Some(beginning) = self.beginning {
            return Ok(beginning.whole(document, length, algorithm)?);
        }
        let mut digester = Digester::new(algorithm);
        let read = document.read_through(&mut |piece| {
            digester.update(piece);
            Ok(())
        })?;
        match read == length {
            true => Ok(digester),
            false => Err(Error::DocumentChanged),
        }
    }

    /// Whether this is the digest of the whole document, as far as that is known.
    pub(super) fn is_digest(
        &self,
        document: &mut Document<'_>,
        length: u64,
        digest: &Digest,
    ) -> Result<bool, Error> {
        let Some(beginning) = self.beginning else { return Ok(true) };
        Ok(beginning.whole(document, length, digest.algorithm())?.finish() == *digest)
    }

    /// The length of a token.
    pub(super) fn token_len_or_usual(&self) -> usize {
        self.token_len.unwrap_or(TOKEN_LEN)
    }

    /// The same as options of a signature in a new field.
    pub(super) fn as_signature(&self) -> SignatureOptions {
        let mut options = SignatureOptions::new();
        if let Some(password) = self.credential.password {
            options = options.password(password);
        }
        if let Some(content) = self.credential.envelope {
            options = options.envelope_content(content);
        }
        if self.ignore_permissions { options.ignore_permissions() } else { options }
    }
}

// The password is not for logs.
impl fmt::Debug for ExtendOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtendOptions")
            .field("token_len", &self.token_len)
            .field("ignore_permissions", &self.ignore_permissions)
            .field("lists_by_signature", &self.lists_by_signature)
            .finish_non_exhaustive()
    }
}

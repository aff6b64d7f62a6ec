//! The options of raising a signature's level.

use std::fmt;

use crate::options::SignatureOptions;
use crate::security::Credential;

/// Length in octets that is assumed for a token whose length was not measured.
const TOKEN_LEN: usize = 12 * 1024;

/// The options of [`prepare_time_stamp`](crate::prepare_time_stamp) and
/// [`add_validation_data`](crate::add_validation_data).
#[derive(Clone, Copy, Default)]
pub struct ExtendOptions<'a> {
    pub(super) credential: Credential<'a>,
    token_len: Option<usize>,
    ignore_permissions: bool,
    pub(super) lists_by_signature: bool,
}

impl<'a> ExtendOptions<'a> {
    /// The empty password, a token of unknown length, and no `/VRI`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The length in octets of a token of the time-stamping service, as measured. It
    /// decides how large the Contents placeholder of a document time-stamp is, and
    /// whether the token has room in an existing signature. Without it, 12 KiB are
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

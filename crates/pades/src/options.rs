//! The options of signing and of verifying PDF documents.

use std::fmt;

use ades_core::SignatureParameters;
use ades_core::error::Parameter;
use ades_evidence::VerifiedValues;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::appearance::{Appearance, StampPosition};
use crate::error::Error;
use crate::lock::FieldLock;
use crate::security::{Credential, EnvelopeContent, Password};
use crate::verify::DigestedBeginning;

/// The form field that holds the signature.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum SignatureField {
    /// A new field, named `Signature` and the first free number.
    #[default]
    New,
    /// A new field with this full name, which no field may have already. Periods
    /// separate its levels; missing levels are created.
    NewNamed(String),
    /// The empty signature field with this full name. Periods separate its levels.
    Existing(String),
}

/// The changes that a certification allows (ISO 32000-2, table 257).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Certification {
    /// No changes.
    NoChanges = 1,
    /// Forms may be filled in and signed.
    FormFilling = 2,
    /// As above, and annotations may be added and changed.
    Annotations = 3,
}

/// Options of one PAdES signature.
///
/// Texts may be in any language. Without [`location`](Self::location), `/Location`
/// has the location of the [`SignatureParameters`]. `Debug` shows none of the texts.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SignatureOptions {
    pub(crate) field: SignatureField,
    pub(crate) page: Option<usize>,
    pub(crate) name: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) contact: Option<String>,
    pub(crate) application: Option<(String, String)>,
    pub(crate) certification: Option<Certification>,
    pub(crate) lock: Option<FieldLock>,
    pub(crate) reserve: usize,
    pub(crate) token_len: Option<usize>,
    pub(crate) visible: Option<Appearance>,
    pub(crate) ignore_permissions: bool,
    pub(crate) repair: bool,
    password: Option<Password>,
    envelope: Option<EnvelopeContent>,
}

impl SignatureOptions {
    /// A new invisible field on the first page, without texts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The field that holds the signature.
    #[must_use]
    pub fn field(mut self, field: SignatureField) -> Self {
        self.field = field;
        self
    }

    /// The page of a new field, counted from 1.
    #[must_use]
    pub const fn page(mut self, page: usize) -> Self {
        self.page = Some(page);
        self
    }

    /// The signer's name (`/Name`).
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The reason (`/Reason`). It cannot be combined with a commitment or a policy
    /// (EN 319 142-1, 6.3).
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Where the document is signed (`/Location`).
    #[must_use]
    pub fn location(mut self, location: impl Into<String>) -> Self {
        self.location = Some(location.into());
        self
    }

    /// How to reach the signer (`/ContactInfo`).
    #[must_use]
    pub fn contact(mut self, contact: impl Into<String>) -> Self {
        self.contact = Some(contact.into());
        self
    }

    /// The name and version of the program that signs (`/Prop_Build`).
    #[must_use]
    pub fn application(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        self.application = Some((name.into(), version.into()));
        self
    }

    /// Makes the signature visible, on the page of the appearance. If an earlier
    /// signature certifies or locks the document, the field must be visible already.
    #[must_use]
    pub fn visible(mut self, appearance: Appearance) -> Self {
        self.visible = Some(appearance);
        self
    }

    /// Certifies the document. Only the first signature of a document can do that.
    #[must_use]
    pub const fn certify(mut self, certification: Certification) -> Self {
        self.certification = Some(certification);
        self
    }

    /// Locks fields: verifiers report a later change of their values. An existing
    /// field that has a lock of its own cannot get another one.
    #[must_use]
    pub fn lock(mut self, lock: FieldLock) -> Self {
        self.lock = Some(lock);
        self
    }

    /// Reserves this many octets in addition to the length of the CMS, for a
    /// time-stamp that is added later. Maximum: 16 MiB.
    #[must_use]
    pub const fn reserve(mut self, octets: usize) -> Self {
        self.reserve = octets;
        self
    }

    /// Reserves room for a signature-time-stamp, which
    /// [`prepare_time_stamp`](crate::prepare_time_stamp) and
    /// [`add_time_stamp`](crate::add_time_stamp) put into the CMS later. `token_len`: the
    /// length in octets of a token of the time-stamping service, as measured. Tokens of one
    /// service differ by a few octets, which are reserved, too.
    #[must_use]
    pub const fn room_for_time_stamp(mut self, token_len: usize) -> Self {
        self.token_len = Some(token_len);
        self
    }

    /// The user's or the owner's password of an encrypted document. Without one,
    /// the empty password is used.
    #[must_use]
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(Password(Zeroizing::new(password.into())));
        self
    }

    /// The content of one of the [`envelopes`](crate::envelopes) of a document that is
    /// encrypted for recipients.
    #[must_use]
    pub fn envelope_content(mut self, content: impl Into<Vec<u8>>) -> Self {
        self.envelope = Some(EnvelopeContent(Zeroizing::new(content.into())));
        self
    }

    /// Signs an encrypted document even if its permissions allow that only with the
    /// owner's password.
    #[must_use]
    pub const fn ignore_permissions(mut self) -> Self {
        self.ignore_permissions = true;
        self
    }

    /// Signs a document whose cross-reference is broken. The document is searched
    /// for its objects, and the update has a cross-reference of all of them. The
    /// document's octets do not change. A file that is cut off, or that lacks an object
    /// that a page needs, is [`Error::Incomplete`].
    /// [`PendingSignature::is_repaired`](crate::PendingSignature::is_repaired)
    /// reports whether a repair was needed. Viewers repair such files silently, but
    /// not all in the same way: look at the result.
    #[must_use]
    pub const fn repair(mut self) -> Self {
        self.repair = true;
        self
    }

    /// Number of octets that are reserved in addition to the length of the CMS.
    pub(crate) const fn room(&self) -> usize {
        match self.token_len {
            Some(len) => self.reserve.saturating_add(time_stamp_room(with_margin(len))),
            None => self.reserve,
        }
    }

    pub(crate) fn credential(&self) -> Credential<'_> {
        let password = self.password.as_ref().map(|password| password.0.as_str());
        let envelope = self.envelope.as_ref().map(|content| content.0.as_slice());
        Credential { password, envelope }
    }

    /// Rejects options that EN 319 142-1 (table 1), PDF or this crate's limits do not
    /// allow.
    pub(crate) fn check(&self, parameters: &SignatureParameters) -> Result<(), Error> {
        const MAX_TEXT: usize = 4096;
        const MAX_RESERVE: usize = 16 * 1024 * 1024;
        const MAX_LEVELS: usize = 32;

        let fail = |parameter, problem| {
            Err(Error::Core(ades_core::Error::Parameter { parameter, problem }))
        };
        if self.reason.is_some() && !parameters.commitments().is_empty() {
            return fail(Parameter::Reason, "not together with a commitment");
        }
        if self.reason.is_some() && parameters.signature_policy().is_some() {
            return fail(Parameter::Reason, "not together with a signature policy");
        }
        let year = chrono::Datelike::year(&parameters.signing_time().time());
        if !(0..=9999).contains(&year) {
            return fail(Parameter::SigningTime, "its year is not between 0 and 9999");
        }
        if self.room() > MAX_RESERVE {
            return fail(Parameter::Reserve, "more than 16 MiB");
        }
        let application = self.application.iter().flat_map(|(name, version)| [name, version]);
        let texts = [
            (Parameter::Name, &self.name),
            (Parameter::Reason, &self.reason),
            (Parameter::Location, &self.location),
            (Parameter::Contact, &self.contact),
        ];
        let texts = texts.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?)));
        let mut texts = texts.chain(application.map(|text| (Parameter::Application, text)));
        let unfit = |text: &str| text.trim().is_empty() || text.len() > MAX_TEXT;
        if let Some((parameter, _)) = texts.find(|(_, text)| unfit(text)) {
            return fail(parameter, "empty or longer than 4,096 octets");
        }
        if let SignatureField::NewNamed(name) = &self.field
            && (name.split('.').any(str::is_empty)
                || name.split('.').count() > MAX_LEVELS
                || name.len() > MAX_TEXT)
        {
            return fail(
                Parameter::FieldName,
                "one of its parts is empty, or it has more than 32 parts or 4,096 octets",
            );
        }
        if let Some(FieldLock::Include(fields) | FieldLock::Exclude(fields)) = &self.lock
            && (fields.is_empty() || fields.iter().any(|f| f.is_empty() || f.len() > MAX_TEXT))
        {
            return fail(
                Parameter::Lock,
                "it names no field, or a name is empty or longer than 4,096 octets",
            );
        }
        if let Some(appearance) = &self.visible {
            appearance.check(&self.field)?;
        }
        if self.page == Some(0) {
            return fail(Parameter::Page, "pages are counted from 1");
        }
        Ok(())
    }

    /// The page of a new field, counted from 1.
    pub(crate) fn page_of_new_field(&self) -> usize {
        match self.visible.as_ref().map(|appearance| appearance.position) {
            Some(StampPosition::Page { page, .. }) => page,
            _ => self.page.unwrap_or(1),
        }
    }

    pub(crate) fn location_text(&self, parameters: &SignatureParameters) -> Option<String> {
        self.location.clone().or_else(|| {
            let location = parameters.signer_location()?;
            let lines = location.postal_address.iter();
            let parts: Vec<&str> = lines
                .chain(&location.locality)
                .chain(&location.country)
                .map(String::as_str)
                .collect();
            Some(parts.join(", "))
        })
    }
}

impl fmt::Debug for SignatureOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureOptions")
            .field("field", &self.field)
            .field("page", &self.page)
            .field("certification", &self.certification)
            .field("lock", &self.lock)
            .field("reserve", &self.reserve)
            .field("visible", &self.visible)
            .field("ignore_permissions", &self.ignore_permissions)
            .field("repair", &self.repair)
            .field("password", &self.password)
            .finish_non_exhaustive()
    }
}

/// The room for a token of a time-stamping service whose tokens have this length: tokens
/// differ by their serial numbers, nonces, fractions of seconds and ECDSA values.
pub(crate) const fn with_margin(token_len: usize) -> usize {
    /// In octets.
    const MARGIN: usize = 256;

    token_len.saturating_add(MARGIN)
}

/// By how much CMS grows at most when a token becomes an attribute of its signer.
pub(crate) const fn time_stamp_room(token_len: usize) -> usize {
    /// The headers of the attribute, and the lengths in the headers around it.
    const HEADERS: usize = 64;

    token_len.saturating_add(HEADERS)
}

/// The options of [`verify`](crate::verify).
#[derive(Clone, Copy, Default)]
pub struct VerifyOptions<'a> {
    pub(crate) credential: Credential<'a>,
    pub(crate) beginning: Option<&'a DigestedBeginning>,
    pub(crate) verified: Option<&'a VerifiedValues>,
}

impl<'a> VerifyOptions<'a> {
    /// The empty password.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The password of an encrypted document. Without one, the empty password is
    /// used.
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

    /// Remembers with others which signature values verify.
    #[must_use]
    pub const fn sharing(mut self, verified: &'a VerifiedValues) -> Self {
        self.verified = Some(verified);
        self
    }

    /// Does not digest the beginning again that an earlier verification digested. See there.
    #[must_use]
    pub const fn digested(mut self, beginning: &'a DigestedBeginning) -> Self {
        self.beginning = Some(beginning);
        self
    }
}

// The password is not for logs.
impl fmt::Debug for VerifyOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyOptions").finish_non_exhaustive()
    }
}

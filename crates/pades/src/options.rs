//! What a signature in a PDF says and where it goes, beyond what all formats
//! share.

use std::fmt;

use ades_core::SignatureParameters;
use ades_core::error::Parameter;
use zeroize::Zeroizing;

use crate::appearance::{Appearance, Spot};
use crate::error::Error;
use crate::lock::FieldLock;
use crate::security::Password;

/// Which form field holds the signature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SignatureField {
    /// A new field named `Signature` and the first number that is free.
    #[default]
    New,
    /// A new field with this full name, which no field has; levels are separated
    /// by periods, and those that are not there yet are made.
    NewNamed(String),
    /// The empty signature field with this full name; levels are separated by
    /// periods.
    Existing(String),
}

/// What may change after a certification (ISO 32000-2, table 257).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certification {
    /// Nothing.
    NoChanges = 1,
    /// Forms may be filled and signed.
    FormFilling = 2,
    /// Annotations may be made, too.
    Annotations = 3,
}

/// Options of one PAdES signature.
///
/// Text may be in any language. ISO 32000 calls the signer's location
/// `/Location`; without [`location`](Self::location), that of
/// [`SignatureParameters`] is written there. `Debug` shows none of the texts.
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
    pub(crate) visible: Option<Appearance>,
    pub(crate) overrule_permissions: bool,
    pub(crate) repair: bool,
    password: Option<Password>,
}

impl SignatureOptions {
    /// A new invisible field on the first page; no text.
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

    /// The page a new field belongs to, counted from 1.
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

    /// The reason (`/Reason`). Not together with a commitment or a policy
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

    /// Makes the signature visible. The page is the appearance's, then. Where an
    /// earlier signature certifies or locks the document, only a field that is seen
    /// already may show it.
    #[must_use]
    pub fn visible(mut self, appearance: Appearance) -> Self {
        self.visible = Some(appearance);
        self
    }

    /// Certifies the document: only as its first signature.
    #[must_use]
    pub const fn certify(mut self, certification: Certification) -> Self {
        self.certification = Some(certification);
        self
    }

    /// Locks fields with the signature: verifiers report a later change of their
    /// values. A field that has a lock of its own takes no other.
    #[must_use]
    pub fn lock(mut self, lock: FieldLock) -> Self {
        self.lock = Some(lock);
        self
    }

    /// Reserves room for this many more octets of CMS than the signature
    /// needs, for a time-stamp to be added later. At most 16 MiB.
    #[must_use]
    pub const fn reserve(mut self, octets: usize) -> Self {
        self.reserve = octets;
        self
    }

    /// The password of an encrypted document, the user's or the owner's.
    /// Without it, the empty password is tried.
    #[must_use]
    pub fn with_password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(Password(Zeroizing::new(password.into())));
        self
    }

    /// Signs an encrypted document, even if its permissions do not allow it to
    /// those who have not the owner's password.
    #[must_use]
    pub const fn overrule_permissions(mut self) -> Self {
        self.overrule_permissions = true;
        self
    }

    /// Signs a document whose cross-reference is broken: it is searched for its
    /// objects, and the update has a cross-reference of all of them. The
    /// document's octets stay as they are. Whether it came to that, the
    /// prepared signature tells. What is found is what viewers find that repair
    /// silently, but no two of them find the same in every file: look at the
    /// result.
    #[must_use]
    pub const fn repair(mut self) -> Self {
        self.repair = true;
        self
    }

    pub(crate) fn password(&self) -> Option<&str> {
        self.password.as_ref().map(|password| password.0.as_str())
    }

    /// What EN 319 142-1, table 1 and what PDF itself do not allow.
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
            return fail(Parameter::SigningTime, "not in the years 0 to 9999");
        }
        if self.reserve > MAX_RESERVE {
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
                "a part is empty, or more than 32 of them or 4,096 octets",
            );
        }
        if let Some(FieldLock::Include(fields) | FieldLock::Exclude(fields)) = &self.lock
            && (fields.is_empty() || fields.iter().any(|f| f.is_empty() || f.len() > MAX_TEXT))
        {
            return fail(
                Parameter::Lock,
                "names no field, or a name is empty or longer than 4,096 octets",
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

    /// Counted from 1.
    pub(crate) fn page_of_new_field(&self) -> usize {
        match self.visible.as_ref().map(|appearance| appearance.spot) {
            Some(Spot::Page(number, _)) => number,
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
            .field("overrule_permissions", &self.overrule_permissions)
            .field("repair", &self.repair)
            .field("password", &self.password)
            .finish_non_exhaustive()
    }
}

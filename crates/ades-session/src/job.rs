//! What an application asks for: the signatures of a job.

use std::fmt;

use ades::SigningOptions;
use ades::signer::Display;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Maximum number of signatures in a job. Each batch of the signer's size needs a confirmation.
pub const MAX_ITEMS: usize = crate::store::MAX_ITEMS as usize;
/// Maximum number of documents that one signature signs.
pub const MAX_TOGETHER: usize = 100;
/// Maximum length of a reference or a document's name, in octets.
pub const MAX_REFERENCE: usize = 1024;

/// A signing job: signatures of one user by one signer. `Debug` shows no text.
#[derive(Clone)]
#[non_exhaustive]
pub struct SigningJob {
    /// Whose job it is, among the customers of the application
    pub tenant: String,
    /// The application's own name of the job, unique for the tenant: beginning the same job again
    /// finds the first one
    pub key: String,
    /// The signatures. Formats may differ
    pub items: Vec<SigningJobItem>,
    /// The texts that the signer shows to the user
    pub display: Display,
    /// The user's account with the signer, if the user is known: see
    /// [`Identity::account`](ades::signer::Identity::account)
    pub account: Option<String>,
    /// The claimed signing time; `None` for the time at which the signatures are prepared
    pub signing_time: Option<DateTime<Utc>>,
}

impl SigningJob {
    /// A job of this tenant, with the application's own name of it.
    #[must_use]
    pub fn new(
        tenant: impl Into<String>,
        key: impl Into<String>,
        items: Vec<SigningJobItem>,
    ) -> Self {
        Self {
            tenant: tenant.into(),
            key: key.into(),
            items,
            display: Display::default(),
            account: None,
            signing_time: None,
        }
    }

    /// Sets the texts that the signer shows to the user.
    #[must_use]
    pub fn display(mut self, display: Display) -> Self {
        self.display = display;
        self
    }

    /// Sets the user's account with the signer.
    #[must_use]
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = Some(account.into());
        self
    }

    /// Sets the claimed signing time.
    #[must_use]
    pub const fn signing_time(mut self, time: DateTime<Utc>) -> Self {
        self.signing_time = Some(time);
        self
    }
}

impl fmt::Debug for SigningJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningJob").field("items", &self.items).finish_non_exhaustive()
    }
}

/// One signature of a job. References are those of the application's
/// [`Documents`](crate::Documents). `Debug` shows none.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct SigningJobItem {
    /// The document to be signed; for another signer in a container, the container
    pub document: String,
    /// The place of the signed document or the container
    pub container: String,
    /// How it is signed. The job sets the signing time, and the octets of the stamp's image and
    /// font
    pub options: SigningOptions,
    /// The document's file name. A detached XAdES signature refers to it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The document of a detached CAdES container that gets another signature
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<String>,
    /// More documents that the same signature signs, each with its name
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub together: Vec<NamedReference>,
    /// The image of a visible signature
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp_image: Option<String>,
    /// The font of a visible signature, if it is not the driver's
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp_font: Option<String>,
}

impl SigningJobItem {
    /// The signature of a document, and the place of the result.
    #[must_use]
    pub fn new(
        document: impl Into<String>,
        container: impl Into<String>,
        options: SigningOptions,
    ) -> Self {
        Self {
            document: document.into(),
            container: container.into(),
            options,
            name: None,
            original: None,
            together: Vec::new(),
            stamp_image: None,
            stamp_font: None,
        }
    }

    /// Sets the document's file name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the document of a detached CAdES container that gets another signature.
    #[must_use]
    pub fn original(mut self, reference: impl Into<String>) -> Self {
        self.original = Some(reference.into());
        self
    }

    /// Adds a document that the same signature signs.
    #[must_use]
    pub fn and(mut self, name: impl Into<String>, reference: impl Into<String>) -> Self {
        self.together.push(NamedReference { name: name.into(), document: reference.into() });
        self
    }

    /// Sets the image of a visible signature.
    #[must_use]
    pub fn stamp_image(mut self, reference: impl Into<String>) -> Self {
        self.stamp_image = Some(reference.into());
        self
    }

    /// Sets the font of a visible signature.
    #[must_use]
    pub fn stamp_font(mut self, reference: impl Into<String>) -> Self {
        self.stamp_font = Some(reference.into());
        self
    }

    /// All references and names.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let together = self.together.iter().flat_map(|more| [&more.name, &more.document]);
        let optional = [&self.name, &self.original, &self.stamp_image, &self.stamp_font];
        [&self.document, &self.container]
            .into_iter()
            .chain(optional.into_iter().flatten())
            .chain(together)
            .map(String::as_str)
    }
}

impl fmt::Debug for SigningJobItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningJobItem").field("options", &self.options).finish_non_exhaustive()
    }
}

/// A document and its file name. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct NamedReference {
    /// The document's file name
    pub name: String,
    /// The reference of the document
    pub document: String,
}

impl fmt::Debug for NamedReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NamedReference").finish_non_exhaustive()
    }
}

//! What is stored between the steps. The two kinds of session hold ids of two
//! types: neither can be used for the other, and a status query without an id
//! cannot be written.

use std::time::Duration;

use ades_core::{Certificate, DtbsDigest};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The layout's version.
pub(crate) const VERSION: u32 = 1;

/// `asyncRespID` of an identification. Never empty.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct IdentificationId(String);

/// `respID` of a signature session. Never empty.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct SignatureId(String);

macro_rules! id {
    ($name:ident) => {
        impl $name {
            /// `None` for an empty text or one longer than 255 characters.
            pub(crate) fn new(text: &str) -> Option<Self> {
                (1..=255).contains(&text.chars().count()).then(|| Self(text.to_owned()))
            }

            pub(crate) fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = &'static str;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(&text).ok_or("an empty or over-long session id")
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

id!(IdentificationId);
id!(SignatureId);

/// What both kinds have.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Common {
    /// Our state parameter on the redirect.
    pub(crate) state: String,
    /// The digest of the browser's cookie value, if the application gave one.
    pub(crate) browser: Option<String>,
    /// After this, a session that is still pending is given up.
    pub(crate) deadline: DateTime<Utc>,
    /// Answers *not yet* so far.
    pub(crate) polls: u32,
    /// Failures in a row.
    pub(crate) failures: u32,
}

impl Common {
    /// When to ask again: 1, 2, 3, 5 and then every 10 seconds.
    pub(crate) const fn next_poll(&self) -> Duration {
        Duration::from_secs(match self.polls {
            0 => 1,
            1 => 2,
            2 => 3,
            3 => 5,
            _ => 10,
        })
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Identification {
    pub(crate) id: IdentificationId,
    pub(crate) common: Common,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signing {
    pub(crate) id: SignatureId,
    pub(crate) common: Common,
    /// What was sent: values are accepted for exactly these.
    pub(crate) items: Vec<Item>,
    /// The certificate of the identification.
    pub(crate) leaf: Certificate,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) digest: DtbsDigest,
}

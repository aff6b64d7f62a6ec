//! The sessions that applications store between the steps. Each kind of session
//! has its own type of id, so that the two ids cannot be confused and a status
//! query always has one.

use std::time::Duration;

use ades_core::{Certificate, DtbsDigest};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The version of the stored layout.
pub(crate) const VERSION: u32 = 1;

/// The `asyncRespID` of an identification session. Never empty.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct IdentificationId(String);

/// The `respID` of a signature session. Never empty.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct SignatureId(String);

macro_rules! id {
    ($name:ident) => {
        impl $name {
            /// `None` if the text is empty or longer than 255 characters.
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
                Self::new(&text).ok_or("a session id is empty or longer than 255 characters")
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

/// The fields that both kinds of session have.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Common {
    /// The state parameter that this crate adds to the redirect.
    pub(crate) state: String,
    /// The digest of the browser's cookie value, if the application gave one.
    pub(crate) browser: Option<String>,
    /// A session that is still pending after this time counts as expired.
    pub(crate) deadline: DateTime<Utc>,
    /// Number of status queries so far, all without a result.
    pub(crate) polls: u32,
    /// Number of failed status queries in a row.
    pub(crate) failures: u32,
}

impl Common {
    /// The wait before the next status query: 1, 2, 3, 5, then always 10 seconds.
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
    /// The items of the request. Values are accepted for exactly these.
    pub(crate) items: Vec<Item>,
    /// The user's certificate from the identification.
    pub(crate) leaf: Certificate,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) digest: DtbsDigest,
}

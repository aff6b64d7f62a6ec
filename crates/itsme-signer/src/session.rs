//! The sessions that applications store between the steps. Each kind of session
//! has its own type of id, so that the two ids cannot be confused and a status
//! query always has one.

use std::time::Duration;

use ades_core::signer::{IdentificationSession, SigningSession};
use ades_core::{Certificate, DtbsDigest};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::signer::NAME;

/// The version of the stored layout. Version 1 had no [`Common::unusable`], version 2 no
/// [`Identification::returned`].
pub(crate) const VERSION: u32 = 3;

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
    /// Number of unclear answers in a row.
    pub(crate) failures: u32,
    /// The digest of the last result, if it cannot be used.
    #[serde(default)]
    pub(crate) unusable: Option<String>,
}

impl Common {
    /// The wait before the next status query: 1, 2, 3, 5, then always 10 seconds;
    /// 20 and then 30 seconds while the service is in trouble for long.
    pub(crate) const fn next_poll(&self) -> Duration {
        Duration::from_secs(match (self.failures, self.polls) {
            (10.., _) => 30,
            (6.., _) => 20,
            (_, 0) => 1,
            (_, 1) => 2,
            (_, 2) => 3,
            (_, 3) => 5,
            _ => 10,
        })
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Identification {
    pub(crate) id: IdentificationId,
    pub(crate) common: Common,
    /// Whether the browser that the session belongs to has come back.
    #[serde(default)]
    pub(crate) returned: bool,
}

impl Identification {
    /// Whether a result counts. If the application named the user's browser, somebody else may
    /// have got the address of the page and identified there: the result counts only once that
    /// browser has come back.
    pub(crate) const fn counts(&self) -> bool {
        self.common.browser.is_none() || self.returned
    }
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

/// The end of a stored session: until then, the signer asks the service for its result. `None` if
/// another signer stored the session. For the users of an application, who want to know how long
/// they can confirm.
#[must_use]
pub fn identification_deadline(session: &IdentificationSession) -> Option<DateTime<Utc>> {
    session.unpack(NAME, VERSION).ok().map(|Dated { common }| common.deadline)
}

/// As [`identification_deadline`], for the session of a batch.
#[must_use]
pub fn signing_deadline(session: &SigningSession) -> Option<DateTime<Utc>> {
    session.unpack(NAME, VERSION).ok().map(|Dated { common }| common.deadline)
}

/// The part of each session that has the deadline.
#[derive(Deserialize)]
struct Dated {
    common: Deadline,
}

#[derive(Deserialize)]
struct Deadline {
    deadline: DateTime<Utc>,
}

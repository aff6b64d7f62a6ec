//! The test users, each with one habit.

use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// A test user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum User {
    /// Has a certificate, and confirms.
    Ready,
    /// Has no certificate yet. The first identification creates it.
    New,
    /// Is not allowed to sign.
    Blocked,
    /// Refuses every identification.
    RefusesIdentification,
    /// Never answers an identification, so that it expires.
    ExpiresIdentification,
    /// Refuses every signature.
    RefusesSigning,
    /// Never answers a signature, so that it expires.
    ExpiresSigning,
    /// Takes [`crate::sessions::SLOW_SECONDS`] for every answer.
    Slow,
    /// Gets a new certificate between identification and signature, so that
    /// the value does not verify under the first certificate.
    Renews,
}

impl User {
    /// All users.
    pub const ALL: [Self; 9] = [
        Self::Ready,
        Self::New,
        Self::Blocked,
        Self::RefusesIdentification,
        Self::ExpiresIdentification,
        Self::RefusesSigning,
        Self::ExpiresSigning,
        Self::Slow,
        Self::Renews,
    ];

    /// The name in forms, files and the control API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::New => "new",
            Self::Blocked => "blocked",
            Self::RefusesIdentification => "refuses-identification",
            Self::ExpiresIdentification => "expires-identification",
            Self::RefusesSigning => "refuses-signing",
            Self::ExpiresSigning => "expires-signing",
            Self::Slow => "slow",
            Self::Renews => "renews",
        }
    }

    /// The user with a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|user| user.name() == name)
    }

    /// The user code, 36 characters by which the service names this user to a
    /// partner. It never changes, and each partner gets another one.
    #[must_use]
    pub fn user_code(self, partner_code: &str) -> String {
        let text = format!("itsme-sandbox/{partner_code}/{}", self.name());
        let hash = digest(&SHA256, text.as_bytes());
        let mut code = String::with_capacity(36);
        for (at, octet) in hash.as_ref().iter().take(16).enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                code.push('-');
            }
            let _ = write!(code, "{octet:02x}");
        }
        code
    }

    pub(crate) fn from_user_code(code: &str, partner_code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|user| user.user_code(partner_code) == code)
    }

    /// The surname, the given name and a number in place of the national register
    /// number. No real person has a number that low.
    pub(crate) const fn person(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Ready => ("SANDBOX", "Ready", "00000000097"),
            Self::New => ("SANDBOX", "New", "00000000196"),
            Self::Blocked => ("SANDBOX", "Blocked", "00000000295"),
            Self::RefusesIdentification => ("SANDBOX", "Refuses", "00000000394"),
            Self::ExpiresIdentification => ("SANDBOX", "Expires", "00000000493"),
            Self::RefusesSigning => ("SANDBOX", "Declines", "00000000592"),
            Self::ExpiresSigning => ("SANDBOX", "Dawdles", "00000000691"),
            Self::Slow => ("SANDBOX", "Slow", "00000000790"),
            Self::Renews => ("SANDBOX", "Renews", "00000000889"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_codes_have_36_characters_and_identify_the_user() {
        for user in User::ALL {
            let code = user.user_code("SANDBOX");
            assert_eq!(code.len(), 36);
            assert_eq!(User::from_user_code(&code, "SANDBOX"), Some(user));
            assert_eq!(User::from_name(user.name()), Some(user));
        }
    }

    #[test]
    fn another_partner_gets_another_user_code() {
        assert_ne!(User::Ready.user_code("A"), User::Ready.user_code("B"));
        assert_eq!(User::from_user_code(&User::Ready.user_code("A"), "B"), None);
    }

    #[test]
    fn names_in_forms_and_in_json_are_equal() {
        for user in User::ALL {
            assert_eq!(serde_json::to_value(user).unwrap(), user.name());
        }
    }
}

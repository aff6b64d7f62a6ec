//! The people of the sandbox, each with one habit.

use serde::{Deserialize, Serialize};

/// A test user. Whoever signs with the sandbox chooses one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum User {
    /// Has a certificate; confirms what is shown.
    Ready,
    /// Has no certificate yet: it is created on the first identification.
    New,
    /// Is not allowed to sign.
    Blocked,
    /// Refuses to have a certificate created.
    RefusesIdentification,
    /// Never answers the identification: it expires.
    ExpiresIdentification,
    /// Refuses every signature.
    RefusesSigning,
    /// Never answers a signature: it expires.
    ExpiresSigning,
    /// Takes [`crate::sessions::SLOW_SECONDS`] over every answer.
    Slow,
    /// Gets a new certificate between identification and signature.
    Renews,
}

impl User {
    /// Everyone.
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

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|user| user.name() == name)
    }

    pub(crate) const fn habit(self) -> &'static str {
        match self {
            Self::Ready => "has a certificate and confirms",
            Self::New => "has no certificate yet",
            Self::Blocked => "is not allowed to sign",
            Self::RefusesIdentification => "refuses the certificate",
            Self::ExpiresIdentification => "never answers the identification",
            Self::RefusesSigning => "refuses to sign",
            Self::ExpiresSigning => "never answers a signature",
            Self::Slow => "takes some seconds",
            Self::Renews => "renews the certificate in between",
        }
    }

    /// The 36 characters by which the service calls this user.
    #[must_use]
    pub fn user_code(self) -> String {
        format!("sandbox-user-{:-<23}", self.name())
    }

    pub(crate) fn from_user_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|user| user.user_code() == code)
    }

    /// Given name and surname; the number stands where a national one would.
    pub(crate) const fn person(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Ready => ("Sandbox", "Ready", "00000000097"),
            Self::New => ("Sandbox", "New", "00000000196"),
            Self::Blocked => ("Sandbox", "Blocked", "00000000295"),
            Self::RefusesIdentification => ("Sandbox", "Refuses", "00000000394"),
            Self::ExpiresIdentification => ("Sandbox", "Expires", "00000000493"),
            Self::RefusesSigning => ("Sandbox", "Declines", "00000000592"),
            Self::ExpiresSigning => ("Sandbox", "Dawdles", "00000000691"),
            Self::Slow => ("Sandbox", "Slow", "00000000790"),
            Self::Renews => ("Sandbox", "Renews", "00000000889"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::User;

    #[test]
    fn user_codes_have_36_characters_and_lead_back() {
        for user in User::ALL {
            assert_eq!(user.user_code().len(), 36);
            assert_eq!(User::from_user_code(&user.user_code()), Some(user));
            assert_eq!(User::from_name(user.name()), Some(user));
        }
    }
}

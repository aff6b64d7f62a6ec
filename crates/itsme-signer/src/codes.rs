//! itsme®'s status and error codes (`statusReason`, `result.min`), typed.

use std::fmt;

use ades_core::signer::{Refusal, RefusalReason, SignerErrorKind};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal;)*) => {
        /// A code as the service gave it.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $variant,)*
            /// A code nobody documented; at most 64 characters are kept.
            Other(String),
        }

        impl Code {
            /// Reads a code.
            #[must_use]
            pub fn new(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)*
                    other => Self::Other(other.chars().take(64).collect()),
                }
            }

            /// The code as the service spells it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(other) => other,
                }
            }
        }
    };
}

codes! {
    /// More than 70 digests
    BatchTooLarge = "BATCH_TOO_LARGE";
    /// A failure without more
    Error = "ERROR";
    /// The user did not confirm in time
    Expired = "EXPIRED";
    /// A part of the request is missing
    IncompleteRequest = "INCOMPLETE_REQUEST";
    /// A digest of the wrong algorithm or length
    InvalidDigestInfo = "INVALID_DIGEST_INFO";
    /// A language that is not offered
    InvalidLang = "INVALID_LANG";
    /// The same, as the interface description spells it
    InvalidLanguage = "INVALID_LANGUAGE";
    /// A policy that is not known
    InvalidPolicy = "INVALID_POLICY";
    /// A policy that is switched off
    InvalidPolicyStatus = "INVALID_POLICY_STATUS";
    /// The partner or service code is not known
    InvalidRequestor = "INVALID_REQUESTOR";
    /// The redirect URL is malformed
    InvalidUrl = "INVALID_URL";
    /// No session id
    MissingAsyncRespId = "MISSING_ASYNC_RESP_ID";
    /// No partner code
    MissingPartnerCode = "MISSING_PARTNER_CODE";
    /// No service code
    MissingServiceCode = "MISSING_SERVICE_CODE";
    /// No digest in an entry
    NoDigestInfoProvided = "NO_DIGEST_INFO_PROVIDED";
    /// No digest at all
    NoHashProvided = "NO_HASH_PROVIDED";
    /// Not a request
    NoRequest = "NO_REQUEST";
    /// The user's account may not sign
    NotAllowedToSign = "NOT_ALLOWED_TO_SIGN";
    /// Two digests in one entry
    OnlySingleDigestInfoSupported = "ONLY_SINGLE_DIGEST_INFO_SUPPORTED";
    /// The contract has no batch option
    OnlySingleHashSupported = "ONLY_SINGLE_HASH_SUPPORTED";
    /// Not yet
    Pending = "PENDING";
    /// The user refused
    Rejected = "REJECTED";
    /// NOT_ALLOWED_TO_SIGN, as the interface description spells it
    SignatureNotAllowed = "SIGNATURE_NOT_ALLOWED";
    /// A failure of the service
    TechnicalError = "TECHNICAL_ERROR";
    /// The redirect URL is not registered
    UnauthorizedUrl = "UNAUTHORIZED_URL";
    /// A failure; later may work
    UnexpectedError = "UNEXPECTED_ERROR";
    /// A failure without more
    Unknown = "UNKNOWN";
}

impl Code {
    /// The final no that this code is, if it is one.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        let reason = match self {
            Self::Rejected => RefusalReason::ByUser,
            Self::Expired => RefusalReason::Expired,
            Self::NotAllowedToSign | Self::SignatureNotAllowed => RefusalReason::NotAllowed,
            _ => return None,
        };
        Some(Refusal::new(reason, Some(self.to_string())))
    }

    /// What kind of error this code is, where it is one.
    pub(crate) fn error_kind(&self) -> SignerErrorKind {
        match self {
            Self::InvalidUrl
            | Self::UnauthorizedUrl
            | Self::InvalidRequestor
            | Self::InvalidLang
            | Self::InvalidLanguage
            | Self::OnlySingleHashSupported
            | Self::InvalidPolicy
            | Self::InvalidPolicyStatus => SignerErrorKind::Configuration,
            Self::BatchTooLarge => SignerErrorKind::BatchTooLarge { max: crate::config::MAX_BATCH },
            Self::UnexpectedError | Self::Error | Self::TechnicalError | Self::Unknown => {
                SignerErrorKind::Unavailable
            }
            Self::Other(_) | Self::Pending => {
                SignerErrorKind::Protocol { what: format!("unexpected code {self}") }
            }
            // Only a mistake of ours is answered with these.
            _ => SignerErrorKind::InvalidRequest { what: format!("itsme answered {self}") },
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

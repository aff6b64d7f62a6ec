//! itsme®'s status and error codes (`statusReason`, `result.min`), typed, and
//! the answers that carry them.

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
                Self::documented(text)
                    .unwrap_or_else(|| {
                        let shown = text.chars().filter(|c| !c.is_control());
                        Self::Other(shown.take(64).collect())
                    })
            }

            /// A documented code, also one at the end of a URN.
            #[must_use]
            pub fn documented(text: &str) -> Option<Self> {
                match text.rsplit(':').next()? {
                    $($text => Some(Self::$variant),)*
                    _ => None,
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
    /// Why there will be no signature, if this code says so for good.
    #[must_use]
    pub const fn refusal(&self) -> Option<RefusalReason> {
        match self {
            Self::Rejected => Some(RefusalReason::ByUser),
            Self::Expired => Some(RefusalReason::Expired),
            Self::NotAllowedToSign | Self::SignatureNotAllowed => Some(RefusalReason::NotAllowed),
            _ => None,
        }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::UnexpectedError | Self::Error | Self::TechnicalError | Self::Unknown)
    }

    /// Whether it is about the request that was answered with it, and says
    /// nothing about a session.
    pub(crate) const fn is_about_the_request(&self) -> bool {
        matches!(
            self,
            Self::IncompleteRequest
                | Self::InvalidRequestor
                | Self::MissingAsyncRespId
                | Self::MissingPartnerCode
                | Self::MissingServiceCode
                | Self::NoRequest
        )
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
            code if code.may_pass() => SignerErrorKind::Unavailable,
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

/// How the service said no: in its own words, none of them more than
/// [`Self::MAX`] characters long, and as a code where they hold one.
///
/// `Display` and `Debug` show the code only: nobody knows what a message says
/// about the user.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reason {
    /// The code
    pub code: Option<Code>,
    /// `status` or `result.maj`
    pub major: Option<String>,
    /// `statusReason` or `result.min`
    pub minor: Option<String>,
    /// `result.msg`
    pub message: Option<String>,
}

impl Reason {
    /// The longest text that is kept, in characters.
    pub const MAX: usize = 1024;

    /// From the service's words.
    #[must_use]
    pub fn new(major: Option<&str>, minor: Option<&str>, message: Option<&str>) -> Self {
        let kept = |text: Option<&str>| text.map(|text| text.chars().take(Self::MAX).collect());
        Self {
            code: code_in(minor, message),
            major: kept(major),
            minor: kept(minor),
            message: kept(message),
        }
    }

    /// Whether the service gave a code that its documents have.
    pub(crate) fn is_documented(&self) -> bool {
        self.minor.as_deref().and_then(Code::documented).is_some()
    }

    pub(crate) fn may_pass(&self) -> bool {
        self.code.as_ref().is_some_and(Code::may_pass)
    }

    pub(crate) fn refusal(&self) -> Option<Refusal> {
        let reason = self.code.as_ref().and_then(Code::refusal)?;
        let refusal = Refusal::new(reason, Some(self.to_string()));
        Some(match &self.message {
            None => refusal,
            Some(message) => refusal.with_message(message.as_str()),
        })
    }

    pub(crate) fn error_kind(&self) -> SignerErrorKind {
        match &self.code {
            Some(code) => code.error_kind(),
            None => SignerErrorKind::Protocol { what: format!("{self} without a code") },
        }
    }
}

/// The code in the service's words. How a signature that was refused or not
/// confirmed in time is told is documented nowhere: these two count wherever
/// they stand, unless the code beside them says more.
fn code_in(minor: Option<&str>, message: Option<&str>) -> Option<Code> {
    let documented = minor.and_then(Code::documented);
    if documented.as_ref().is_some_and(|code| !code.may_pass()) {
        return documented;
    }
    let says = |word| [minor, message].into_iter().flatten().any(|text| text.contains(word));
    if says("REJECTED") {
        Some(Code::Rejected)
    } else if says("EXPIRED") {
        Some(Code::Expired)
    } else {
        documented.or_else(|| minor.map(Code::new))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = |text: &str| Code::new(text.rsplit(':').next().unwrap_or_default());
        let shown = self.minor.as_deref().map(Code::new).or_else(|| self.code.clone());
        match shown.or_else(|| self.major.as_deref().map(last)) {
            Some(code) => code.fmt(f),
            None => f.write_str("no"),
        }
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reason({self})")
    }
}

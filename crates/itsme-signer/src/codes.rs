//! The status and error codes of itsme® (`statusReason`, `result.min`) as
//! types, and the reason for which it denies a request.

use std::fmt;

use ades_core::signer::{Refusal, RefusalReason, SignerErrorKind};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal;)*) => {
        /// A code of an answer.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $variant,)*
            /// An undocumented code, cut to 64 characters
            Other(String),
        }

        impl Code {
            /// The code in a text, documented or not.
            #[must_use]
            pub fn new(text: &str) -> Self {
                Self::documented(text)
                    .unwrap_or_else(|| {
                        let shown = text.chars().filter(|c| !c.is_control());
                        Self::Other(shown.take(64).collect())
                    })
            }

            /// The documented code in a text: the whole text, or the last part
            /// of a URN.
            #[must_use]
            pub fn documented(text: &str) -> Option<Self> {
                match text.rsplit(':').next()? {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The code in the service's spelling.
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
    /// A failure without details
    Error = "ERROR";
    /// The user did not confirm in time
    Expired = "EXPIRED";
    /// A part of the request is missing
    IncompleteRequest = "INCOMPLETE_REQUEST";
    /// A digest has the wrong algorithm or length
    InvalidDigestInfo = "INVALID_DIGEST_INFO";
    /// The language is not offered
    InvalidLang = "INVALID_LANG";
    /// INVALID_LANG in the spelling of the interface description
    InvalidLanguage = "INVALID_LANGUAGE";
    /// The policy is unknown
    InvalidPolicy = "INVALID_POLICY";
    /// The policy is disabled
    InvalidPolicyStatus = "INVALID_POLICY_STATUS";
    /// The partner or service code is unknown
    InvalidRequestor = "INVALID_REQUESTOR";
    /// The redirect URL is malformed
    InvalidUrl = "INVALID_URL";
    /// The session id is missing
    MissingAsyncRespId = "MISSING_ASYNC_RESP_ID";
    /// The partner code is missing
    MissingPartnerCode = "MISSING_PARTNER_CODE";
    /// The service code is missing
    MissingServiceCode = "MISSING_SERVICE_CODE";
    /// An entry has no digest
    NoDigestInfoProvided = "NO_DIGEST_INFO_PROVIDED";
    /// The request has no digest
    NoHashProvided = "NO_HASH_PROVIDED";
    /// The body is not a request
    NoRequest = "NO_REQUEST";
    /// The user's account may not sign
    NotAllowedToSign = "NOT_ALLOWED_TO_SIGN";
    /// An entry has two digests
    OnlySingleDigestInfoSupported = "ONLY_SINGLE_DIGEST_INFO_SUPPORTED";
    /// The contract has no batch option
    OnlySingleHashSupported = "ONLY_SINGLE_HASH_SUPPORTED";
    /// The user has not answered yet
    Pending = "PENDING";
    /// The user refused
    Rejected = "REJECTED";
    /// NOT_ALLOWED_TO_SIGN in the spelling of the interface description
    SignatureNotAllowed = "SIGNATURE_NOT_ALLOWED";
    /// A failure of the service
    TechnicalError = "TECHNICAL_ERROR";
    /// The redirect URL is not registered
    UnauthorizedUrl = "UNAUTHORIZED_URL";
    /// A failure; the same request may succeed later
    UnexpectedError = "UNEXPECTED_ERROR";
    /// A failure without details
    Unknown = "UNKNOWN";
}

impl Code {
    /// The reason of a refusal, if this code ends a session with one.
    #[must_use]
    pub const fn refusal(&self) -> Option<RefusalReason> {
        match self {
            Self::Rejected => Some(RefusalReason::ByUser),
            Self::Expired => Some(RefusalReason::Expired),
            Self::NotAllowedToSign | Self::SignatureNotAllowed => Some(RefusalReason::NotAllowed),
            Self::BatchTooLarge
            | Self::Error
            | Self::IncompleteRequest
            | Self::InvalidDigestInfo
            | Self::InvalidLang
            | Self::InvalidLanguage
            | Self::InvalidPolicy
            | Self::InvalidPolicyStatus
            | Self::InvalidRequestor
            | Self::InvalidUrl
            | Self::MissingAsyncRespId
            | Self::MissingPartnerCode
            | Self::MissingServiceCode
            | Self::NoDigestInfoProvided
            | Self::NoHashProvided
            | Self::NoRequest
            | Self::OnlySingleDigestInfoSupported
            | Self::OnlySingleHashSupported
            | Self::Other(_)
            | Self::Pending
            | Self::TechnicalError
            | Self::UnauthorizedUrl
            | Self::UnexpectedError
            | Self::Unknown => None,
        }
    }

    /// Whether the failure may pass, so that the same request may succeed later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::UnexpectedError | Self::Error | Self::TechnicalError | Self::Unknown)
    }

    /// Whether this code is about the request that it answers, and not about
    /// a session.
    pub(crate) const fn is_about_request(&self) -> bool {
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

    /// The kind of error that this code means.
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
            // itsme® answers with these only if this crate wrote a wrong
            // request. The exceptions are the refusals, which normally end a
            // session without an error: see `Reason::refusal`.
            Self::Expired
            | Self::IncompleteRequest
            | Self::InvalidDigestInfo
            | Self::MissingAsyncRespId
            | Self::MissingPartnerCode
            | Self::MissingServiceCode
            | Self::NoDigestInfoProvided
            | Self::NoHashProvided
            | Self::NoRequest
            | Self::NotAllowedToSign
            | Self::OnlySingleDigestInfoSupported
            | Self::Rejected
            | Self::SignatureNotAllowed => {
                SignerErrorKind::InvalidRequest { what: format!("itsme answered {self}") }
            }
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why the service denied a request: its own texts, each cut to [`Self::MAX`]
/// characters, and the code that they contain.
///
/// `Display` and `Debug` show only the code, because a message may contain
/// personal data.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reason {
    /// The code, if the texts contain one
    pub code: Option<Code>,
    /// `status` or `result.maj`
    pub major: Option<String>,
    /// `statusReason` or `result.min`
    pub minor: Option<String>,
    /// `result.msg`
    pub message: Option<String>,
}

impl Reason {
    /// Maximum length of each text, in characters.
    pub const MAX: usize = 1024;

    /// Keeps the texts of an answer, and finds the code in them.
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

    /// Whether `minor` is a code that the documents of the service list.
    pub(crate) fn is_documented(&self) -> bool {
        self.minor.as_deref().and_then(Code::documented).is_some()
    }

    pub(crate) fn is_transient(&self) -> bool {
        self.code.as_ref().is_some_and(Code::is_transient)
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

/// The code in the texts of an answer.
///
/// No document says how the service reports a signature that the user refused
/// or did not confirm in time. So REJECTED and EXPIRED count anywhere in the
/// texts, unless `minor` is another documented code that does not stand for a
/// transient failure.
fn code_in(minor: Option<&str>, message: Option<&str>) -> Option<Code> {
    let documented = minor.and_then(Code::documented);
    if documented.as_ref().is_some_and(|code| !code.is_transient()) {
        return documented;
    }
    let contains = |word| [minor, message].into_iter().flatten().any(|text| text.contains(word));
    if contains("REJECTED") {
        Some(Code::Rejected)
    } else if contains("EXPIRED") {
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
            None => f.write_str("an error without a code"),
        }
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reason({self})")
    }
}

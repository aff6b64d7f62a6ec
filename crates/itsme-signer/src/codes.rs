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
            /// The code that a field has, documented or not.
            #[must_use]
            pub fn new(text: &str) -> Self {
                Self::documented(text)
                    .unwrap_or_else(|| {
                        let shown = text.chars().filter(|c| !c.is_control());
                        Self::Other(shown.take(64).collect())
                    })
            }

            /// The documented code that a field has: the whole text, or the last
            /// part of a URN. A code within other text does not count.
            #[must_use]
            pub fn documented(text: &str) -> Option<Self> {
                match whole_code(text)? {
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

/// The text that is to be a code: all of it, or the last part of a URN (RFC 8141),
/// which has no spaces.
fn whole_code(text: &str) -> Option<&str> {
    let text = text.trim();
    let is_urn = text.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("urn:"))
        && !text.contains(char::is_whitespace);
    if is_urn { text.rsplit(':').next() } else { Some(text) }
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
            Self::Error
            | Self::Other(_)
            | Self::Pending
            | Self::TechnicalError
            | Self::UnexpectedError
            | Self::Unknown => SignerErrorKind::Unclear,
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
    /// The code in `minor`, documented or not
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

    /// Keeps the texts of an answer. Its code is `minor`; `message` is free text,
    /// in which a word such as REJECTED can mean anything.
    #[must_use]
    pub fn new(major: Option<&str>, minor: Option<&str>, message: Option<&str>) -> Self {
        let kept = |text: Option<&str>| text.map(|text| text.chars().take(Self::MAX).collect());
        Self {
            code: minor.map(Code::new),
            major: kept(major),
            minor: kept(minor),
            message: kept(message),
        }
    }

    /// Whether the code is one that the documents of the service list.
    pub(crate) const fn is_documented(&self) -> bool {
        matches!(&self.code, Some(code) if !matches!(code, Code::Other(_)))
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
            None => SignerErrorKind::Unclear,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let major =
            || self.major.as_deref().map(|text| Code::new(whole_code(text).unwrap_or(text)));
        match self.code.clone().or_else(major) {
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

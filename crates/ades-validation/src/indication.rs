//! Indications and sub-indications (EN 319 102-1, 5.1.3).

use std::fmt;

use serde::Serialize;

/// The answer about a signature. Worse answers are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Indication {
    /// It is proven good.
    TotalPassed,
    /// More evidence could change the answer.
    Indeterminate,
    /// It is proven bad, and no further evidence can help.
    TotalFailed,
}

impl fmt::Display for Indication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TotalPassed => "total-passed",
            Self::Indeterminate => "indeterminate",
            Self::TotalFailed => "total-failed",
        })
    }
}

/// Why a signature is not passed. Serialises as the standard's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum SubIndication {
    /// The signature is not in its format, or contradicts itself
    FormatFailure,
    /// A signed object's digest differs
    HashFailure,
    /// The signature value does not verify
    SigCryptoFailure,
    /// The certificate was revoked, and a content time-stamp proves that the signature was
    /// made later
    Revoked,
    /// The certificate had expired, and a content time-stamp proves that the signature was
    /// made later
    Expired,
    /// The signature was made before the certificate was valid
    NotYetValid,
    /// The signing certificate is not there or not the one that is named
    NoSigningCertificateFound,
    /// No certification path leads to a trust anchor
    NoCertificateChainFound,
    /// The trust in the anchor has ended, and nothing proves that the signature is older
    NoCertificateChainFoundNoPoe,
    /// A certification path is not valid, or revocation data are missing
    CertificateChainGeneralFailure,
    /// The certificate is not for this use
    ChainConstraintsFailure,
    /// The certificate is revoked, and nothing proves that the signature is older
    RevokedNoPoe,
    /// A CA's certificate is revoked, and nothing proves that the signature is older
    RevokedCaNoPoe,
    /// The certificate is on hold, or the revocation data are not recent enough
    TryLater,
    /// The certificate is outside its validity and not revoked, and nothing proves that
    /// the signature is older
    OutOfBoundsNotRevoked,
    /// The certificate is outside its validity, its revocation is not known, and nothing
    /// proves that the signature is older
    OutOfBoundsNoPoe,
    /// The issuer of the revocation data is outside its validity, and nothing proves that
    /// they are older
    RevocationOutOfBoundsNoPoe,
    /// An algorithm or key is too weak, and a content time-stamp proves that the signature
    /// was made too late
    CryptoConstraintsFailure,
    /// An algorithm or key is too weak or not known, and nothing proves that the
    /// signature is older
    CryptoConstraintsFailureNoPoe,
    /// A signed object was not given or cannot be read
    SignedDataNotFound,
    /// An attribute, or the coverage, does not meet the rules
    SigConstraintsFailure,
    /// Time-stamps contradict each other
    TimestampOrderFailure,
    /// No proof of existence is old enough
    NoPoe,
}

impl SubIndication {
    /// The indication that it belongs to.
    #[must_use]
    pub const fn indication(self) -> Indication {
        match self {
            Self::FormatFailure
            | Self::HashFailure
            | Self::SigCryptoFailure
            | Self::Revoked
            | Self::Expired
            | Self::NotYetValid => Indication::TotalFailed,
            _ => Indication::Indeterminate,
        }
    }

    /// The standard's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FormatFailure => "FORMAT_FAILURE",
            Self::HashFailure => "HASH_FAILURE",
            Self::SigCryptoFailure => "SIG_CRYPTO_FAILURE",
            Self::Revoked => "REVOKED",
            Self::Expired => "EXPIRED",
            Self::NotYetValid => "NOT_YET_VALID",
            Self::NoSigningCertificateFound => "NO_SIGNING_CERTIFICATE_FOUND",
            Self::NoCertificateChainFound => "NO_CERTIFICATE_CHAIN_FOUND",
            Self::NoCertificateChainFoundNoPoe => "NO_CERTIFICATE_CHAIN_FOUND_NO_POE",
            Self::CertificateChainGeneralFailure => "CERTIFICATE_CHAIN_GENERAL_FAILURE",
            Self::ChainConstraintsFailure => "CHAIN_CONSTRAINTS_FAILURE",
            Self::RevokedNoPoe => "REVOKED_NO_POE",
            Self::RevokedCaNoPoe => "REVOKED_CA_NO_POE",
            Self::TryLater => "TRY_LATER",
            Self::OutOfBoundsNotRevoked => "OUT_OF_BOUNDS_NOT_REVOKED",
            Self::OutOfBoundsNoPoe => "OUT_OF_BOUNDS_NO_POE",
            Self::RevocationOutOfBoundsNoPoe => "REVOCATION_OUT_OF_BOUNDS_NO_POE",
            Self::CryptoConstraintsFailure => "CRYPTO_CONSTRAINTS_FAILURE",
            Self::CryptoConstraintsFailureNoPoe => "CRYPTO_CONSTRAINTS_FAILURE_NO_POE",
            Self::SignedDataNotFound => "SIGNED_DATA_NOT_FOUND",
            Self::SigConstraintsFailure => "SIG_CONSTRAINTS_FAILURE",
            Self::TimestampOrderFailure => "TIMESTAMP_ORDER_FAILURE",
            Self::NoPoe => "NO_POE",
        }
    }
}

impl fmt::Display for SubIndication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An indication with its sub-indication, which every answer but *passed* has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conclusion(Option<SubIndication>);

impl Conclusion {
    /// The signature is proven good.
    pub const PASSED: Self = Self(None);

    /// An answer with this sub-indication.
    #[must_use]
    pub const fn of(sub_indication: SubIndication) -> Self {
        Self(Some(sub_indication))
    }

    /// The indication.
    #[must_use]
    pub fn indication(self) -> Indication {
        self.0.map_or(Indication::TotalPassed, SubIndication::indication)
    }

    /// The sub-indication; `None` if passed.
    #[must_use]
    pub const fn sub_indication(self) -> Option<SubIndication> {
        self.0
    }
}

//! The faults of evidence services that tests inject.

use serde::{Deserialize, Serialize};

/// An evidence service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EvidenceService {
    /// The time-stamping service
    TimeStamp,
    /// The OCSP responder about signers
    Ocsp,
    /// The CRL about signers
    Crl,
    /// The OCSP responder about the time-stamping unit
    TimeStampOcsp,
    /// The CRL about the time-stamping unit
    TimeStampCrl,
    /// The CRL of the root, about the CAs below it
    RootCrl,
    /// The certificates of CAs
    Issuer,
}

impl EvidenceService {
    /// All services.
    pub const ALL: [Self; 7] = [
        Self::TimeStamp,
        Self::Ocsp,
        Self::Crl,
        Self::TimeStampOcsp,
        Self::TimeStampCrl,
        Self::RootCrl,
        Self::Issuer,
    ];

    /// The name in the control API and in configurations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TimeStamp => "time_stamp",
            Self::Ocsp => "ocsp",
            Self::Crl => "crl",
            Self::TimeStampOcsp => "time_stamp_ocsp",
            Self::TimeStampCrl => "time_stamp_crl",
            Self::RootCrl => "root_crl",
            Self::Issuer => "issuer",
        }
    }

    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::TimeStamp => "application/timestamp-reply",
            Self::Ocsp | Self::TimeStampOcsp => "application/ocsp-response",
            Self::Crl | Self::TimeStampCrl | Self::RootCrl => "application/pkix-crl",
            Self::Issuer => "application/pkix-cert",
        }
    }

    const fn is_crl(self) -> bool {
        matches!(self, Self::Crl | Self::TimeStampCrl | Self::RootCrl)
    }

    const fn is_ocsp(self) -> bool {
        matches!(self, Self::Ocsp | Self::TimeStampOcsp)
    }
}

/// A fault of an evidence service. Each variant describes the changed answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EvidenceFault {
    /// An empty answer with this HTTP status
    Status {
        /// the HTTP status
        status: u16,
        /// `Retry-After`, in seconds
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// The answer is delayed
    Delay {
        /// the delay in milliseconds
        millis: u64,
    },
    /// A page in place of the answer, with status 200
    Garbage,
    /// A redirect to the same address
    RedirectLoop,
    /// A signature that does not verify
    WrongSignature,
    /// Time-stamps: the request is refused (RFC 3161, 2.4.2)
    Rejection {
        /// the bit of `PKIFailureInfo`: 25 is systemFailure
        #[serde(default = "system_failure")]
        failure: u8,
        /// the text for people
        #[serde(default)]
        text: String,
    },
    /// Time-stamps, OCSP: another nonce than that of the request
    WrongNonce,
    /// Time-stamps: over other data
    WrongImprint,
    /// Time-stamps: under another policy than the one asked for
    WrongPolicy,
    /// Time-stamps: two `SignerInfo`s
    TwoSigners,
    /// Time-stamps: no certificates, although the request asks for them
    NoCertificates,
    /// Time-stamps, OCSP: signed under a certificate that has expired
    ExpiredCertificate,
    /// OCSP, CRLs: the certificate is revoked; a CRL has all certificates of its kind
    Revoked {
        /// the age of the revocation
        #[serde(default = "a_minute")]
        seconds_ago: u64,
        /// `CRLReason`; 1 is keyCompromise
        #[serde(default)]
        reason: Option<u8>,
    },
    /// OCSP: the responder does not know the certificate
    Unknown,
    /// OCSP: `tryLater`
    TryLater,
    /// OCSP, CRLs: an answer that has run out a day ago. Time-stamps: a time of two days ago
    Stale,
    /// OCSP, CRLs: issued in advance, at each multiple of this time since 1970, and good until the
    /// next one. An answer is older than a new time-stamp, and becomes newer with time
    Periodic {
        /// the time from one issue to the next
        seconds: u32,
    },
    /// CRLs: this long, with entries that nobody asks about
    Long {
        /// the length in millions of octets, at most 1,000
        megabytes: u32,
    },
}

const fn system_failure() -> u8 {
    25
}

const fn a_minute() -> u64 {
    60
}

/// Maximum length of a CRL, in millions of octets.
pub(crate) const MAX_MEGABYTES: u32 = 1000;

impl EvidenceFault {
    /// Whether answers of this service can have the fault.
    #[must_use]
    pub const fn fits(&self, service: EvidenceService) -> bool {
        let stamps = matches!(service, EvidenceService::TimeStamp);
        match self {
            Self::Status { .. } | Self::Delay { .. } | Self::Garbage | Self::RedirectLoop => true,
            Self::WrongSignature | Self::Stale => !matches!(service, EvidenceService::Issuer),
            Self::Rejection { .. }
            | Self::WrongImprint
            | Self::WrongPolicy
            | Self::TwoSigners
            | Self::NoCertificates => stamps,
            Self::WrongNonce | Self::ExpiredCertificate => stamps || service.is_ocsp(),
            Self::Revoked { .. } => service.is_crl() || service.is_ocsp(),
            Self::Periodic { seconds } => *seconds > 0 && (service.is_crl() || service.is_ocsp()),
            Self::Unknown | Self::TryLater => service.is_ocsp(),
            Self::Long { megabytes } => service.is_crl() && *megabytes <= MAX_MEGABYTES,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_parse_from_the_documented_json() {
        for (json, fault) in [
            (r#"{"kind":"delay","millis":20}"#, EvidenceFault::Delay { millis: 20 }),
            (r#"{"kind":"revoked"}"#, EvidenceFault::Revoked { seconds_ago: 60, reason: None }),
            (
                r#"{"kind":"rejection","failure":15}"#,
                EvidenceFault::Rejection { failure: 15, text: String::new() },
            ),
            (r#"{"kind":"long","megabytes":100}"#, EvidenceFault::Long { megabytes: 100 }),
            (r#"{"kind":"periodic","seconds":9}"#, EvidenceFault::Periodic { seconds: 9 }),
        ] {
            assert_eq!(serde_json::from_str::<EvidenceFault>(json).unwrap(), fault);
        }
    }

    #[test]
    fn names_are_those_of_the_json() {
        for service in EvidenceService::ALL {
            let name = serde_json::to_value(service).unwrap();
            assert_eq!(name, service.name());
        }
    }

    #[test]
    fn a_service_takes_only_faults_that_it_can_have() {
        assert!(EvidenceFault::TwoSigners.fits(EvidenceService::TimeStamp));
        assert!(!EvidenceFault::TwoSigners.fits(EvidenceService::Ocsp));
        assert!(!EvidenceFault::Unknown.fits(EvidenceService::Crl));
        assert!(!EvidenceFault::Stale.fits(EvidenceService::Issuer));
        assert!(EvidenceFault::Periodic { seconds: 5 }.fits(EvidenceService::Crl));
        assert!(!EvidenceFault::Periodic { seconds: 0 }.fits(EvidenceService::Crl));
        assert!(!EvidenceFault::Long { megabytes: 1001 }.fits(EvidenceService::Crl));
    }
}

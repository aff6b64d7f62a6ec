//! Revocation: what an OCSP response or a CRL says about one certificate, in terms that
//! both share. The reader states facts; whether they count at a time is for a judge.

use std::fmt;

use ades_core::{Certificate, Oid, SignatureAlgorithm};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// What one OCSP response or CRL says about one certificate. Its signature is verified,
/// and its signer may speak for the certificate's issuer. The signer's own certificate
/// is not: the judge finds its path and asks for its revocation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RevocationFacts {
    /// The kind of data.
    pub kind: RevocationKind,
    /// Whether the certificate is revoked.
    pub status: CertificateStatus,
    /// The time from which the status is known to be right.
    pub this_update: DateTime<Utc>,
    /// The time at or before which newer data are issued.
    pub next_update: Option<DateTime<Utc>>,
    /// When it was signed: producedAt of a response, thisUpdate of a CRL.
    pub produced_at: DateTime<Utc>,
    /// The time back to which the issuer keeps expired certificates: archiveCutoff (RFC
    /// 6960, 4.4.4) or expiredCertsOnCRL (X.509, 9.5.2.8).
    pub keeps_expired_since: Option<DateTime<Utc>>,
    /// Whether certHash (Common PKI, 3.1.2) is the digest of the certificate: the
    /// positive statement that the certificate was issued. `None` without the extension,
    /// and if its digest algorithm is not supported.
    pub certificate_hash: Option<bool>,
    /// The reasons for revocation that it covers. A certificate is known to be good only
    /// if all are covered (RFC 5280, 6.3.3).
    pub reasons: ReasonSet,
    /// The certificate with which the signature verifies.
    pub signer: Certificate,
    /// Why the signer may speak for the issuer.
    pub role: SignerRole,
    /// The algorithm of the signature.
    pub algorithm: SignatureAlgorithm,
}

impl RevocationFacts {
    /// Whether `time` is between thisUpdate and nextUpdate. Data without nextUpdate are
    /// never too old here: policies decide how fresh they must be.
    ///
    /// # Errors
    /// [`TimeFault::NotYet`], [`TimeFault::Stale`]
    pub fn check_current(&self, time: DateTime<Utc>) -> Result<(), TimeFault> {
        if time < self.this_update {
            return Err(TimeFault::NotYet { this_update: self.this_update });
        }
        match self.next_update {
            Some(next_update) if time > next_update => Err(TimeFault::Stale { next_update }),
            _ => Ok(()),
        }
    }

    /// Whether its issuer knew the certificate: it was issued before, and had not expired
    /// without the issuer keeping expired certificates.
    ///
    /// # Errors
    /// [`TimeFault::BeforeCertificate`], [`TimeFault::AfterCertificate`]
    pub fn check_known(&self, certificate: &Certificate) -> Result<(), TimeFault> {
        let (not_before, not_after) = certificate.validity();
        if self.this_update < not_before {
            return Err(TimeFault::BeforeCertificate { not_before });
        }
        let kept = self.keeps_expired_since.map_or(self.this_update, |s| s.min(self.this_update));
        if not_after < kept && self.certificate_hash != Some(true) {
            return Err(TimeFault::AfterCertificate { not_after });
        }
        Ok(())
    }

    /// Whether the certificate is revoked at `time`. `None` if the status is unknown.
    #[must_use]
    pub fn is_revoked_at(&self, time: DateTime<Utc>) -> Option<bool> {
        match self.status {
            CertificateStatus::Good => Some(false),
            CertificateStatus::Revoked(revocation) => Some(revocation.time <= time),
            CertificateStatus::Unknown => None,
        }
    }
}

/// The kind of revocation data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RevocationKind {
    /// An OCSP response
    Ocsp,
    /// A CRL, alone or with a delta CRL
    Crl,
}

/// The status of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CertificateStatus {
    /// It is not revoked.
    Good,
    /// It is revoked or on hold.
    Revoked(Revocation),
    /// The responder does not know it.
    Unknown,
}

/// When and why a certificate was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Revocation {
    /// revocationTime or revocationDate
    pub time: DateTime<Utc>,
    /// The reason, if it is given.
    pub reason: Option<Reason>,
    /// invalidityDate: when the key was lost, or the certificate became wrong (RFC 5280,
    /// 5.3.2).
    pub invalidity_date: Option<DateTime<Utc>>,
}

impl Revocation {
    pub(crate) const fn new(time: DateTime<Utc>, reason: Option<Reason>) -> Self {
        Self { time, reason, invalidity_date: None }
    }
}

/// The reason for a revocation (RFC 5280, 5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reason {
    /// unspecified, 0
    Unspecified,
    /// keyCompromise, 1
    KeyCompromise,
    /// cACompromise, 2
    CaCompromise,
    /// affiliationChanged, 3
    AffiliationChanged,
    /// superseded, 4
    Superseded,
    /// cessationOfOperation, 5
    CessationOfOperation,
    /// certificateHold, 6
    CertificateHold,
    /// removeFromCRL, 8: the hold has ended, or the certificate has expired
    RemoveFromCrl,
    /// privilegeWithdrawn, 9
    PrivilegeWithdrawn,
    /// aACompromise, 10
    AaCompromise,
}

impl Reason {
    /// The reason with this number; `None` if there is none.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Unspecified,
            1 => Self::KeyCompromise,
            2 => Self::CaCompromise,
            3 => Self::AffiliationChanged,
            4 => Self::Superseded,
            5 => Self::CessationOfOperation,
            6 => Self::CertificateHold,
            8 => Self::RemoveFromCrl,
            9 => Self::PrivilegeWithdrawn,
            10 => Self::AaCompromise,
            _ => return None,
        })
    }
}

/// The reasons that a CRL covers (`ReasonFlags`, RFC 5280, 4.2.1.13).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReasonSet(u16);

impl ReasonSet {
    /// No reason.
    pub const EMPTY: Self = Self(0);
    /// Bits 1 to 8 of `ReasonFlags`.
    pub const ALL: Self = Self(0b1_1111_1110);

    /// The content octets of `ReasonFlags`. Bit 0 is unused.
    pub(crate) fn from_flags(content: &[u8]) -> Self {
        let set = (1..9).filter(|number| crate::fields::bit(content, *number));
        Self(set.fold(0, |all, number| all | 1 << number))
    }

    /// The reasons in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The reasons in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for ReasonSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReasonSet({:#b})", self.0)
    }
}

/// Why the signer of revocation data may speak for the issuer of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SignerRole {
    /// It has the issuer's name and key.
    Issuer,
    /// An OCSP responder whose certificate the issuer has issued for that (RFC 6960,
    /// 4.2.2.2).
    Delegated {
        /// The certificate has id-pkix-ocsp-nocheck: its own revocation is not asked for
        /// (RFC 6960, 4.2.2.2.1).
        no_check: bool,
    },
    /// It has the issuer's name and another key. Its path must end at the same anchor
    /// (RFC 5280, 6.3.3 (f)).
    IssuerName,
    /// It has the name of the cRLIssuer that the certificate names. Its path must end at
    /// the same anchor (RFC 5280, 6.3.3 (f)).
    CrlIssuer,
}

/// Why revocation data say nothing about a certificate that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unusable {
    /// An OCSP response about other certificates
    #[error("it is not about this certificate")]
    OtherCertificate,
    /// A CRL of another issuer
    #[error("another authority issued it")]
    OtherIssuer,
    /// A CRL of other distribution points (RFC 5280, 6.3.3 (b) (2) (i))
    #[error("its distribution point is not one of the certificate")]
    OtherDistributionPoint,
    /// A CRL for other kinds of certificates (RFC 5280, 5.2.5)
    #[error("it covers other kinds of certificates")]
    OtherKind,
    /// A delta CRL without the complete CRL that it changes (RFC 5280, 5.2.4)
    #[error("it is a delta CRL, and the complete CRL that it changes is missing")]
    DeltaAlone,
    /// The serial number was not looked up when the CRL was read
    #[error("the certificate was not looked up when the CRL was read")]
    NotLookedUp,
    /// More entries have a serial number than [`MAX_FOUND`](crate::crl::MAX_FOUND)
    #[error("too many of its entries have the serial numbers that were looked up")]
    TooManyEntries,
    /// The CertID uses a digest algorithm that this version does not support
    #[error("the digest algorithm by which it identifies certificates is not supported")]
    IdentifierAlgorithm,
    /// A critical extension that this version does not process
    #[error("its critical extension {0} is not supported")]
    CriticalExtension(Oid),
    /// certHash is the digest of another certificate
    #[error("its certHash is that of another certificate")]
    CertificateHash,
    /// The certificate of the signer is missing
    #[error("the certificate of its signer was not found")]
    NoSigner,
    /// The signature does not verify
    #[error("its signature does not verify")]
    Signature,
    /// The algorithm or the key of the signature is not supported
    #[error("its signature uses an algorithm or a key that is not supported")]
    SignatureAlgorithm,
    /// The two algorithm fields of a CRL differ (RFC 5280, 5.1.1.2)
    #[error("its two signature algorithm fields differ")]
    AlgorithmsDiffer,
    /// The signer may not speak for the issuer: an OCSP responder that the issuer has not
    /// certified for that, a keyUsage without cRLSign
    #[error("its signer is not authorised by the issuer of the certificate")]
    NotAuthorized,
}

impl Unusable {
    /// Whether nothing is wrong with the data: this version does not support them, or the
    /// caller gave too little.
    #[must_use]
    pub const fn is_undecided(self) -> bool {
        matches!(
            self,
            Self::NotLookedUp
                | Self::TooManyEntries
                | Self::IdentifierAlgorithm
                | Self::CriticalExtension(_)
                | Self::DeltaAlone
                | Self::NoSigner
                | Self::SignatureAlgorithm
        )
    }
}

/// The fault of the candidate that passed more checks.
pub(crate) fn furthest(one: Unusable, other: Unusable) -> Unusable {
    let rank = |fault| match fault {
        Unusable::NoSigner => 0,
        Unusable::Signature => 1,
        Unusable::SignatureAlgorithm => 2,
        _ => 3,
    };
    if rank(other) > rank(one) { other } else { one }
}

/// Why revocation data do not count at a time, or for a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeFault {
    /// They were issued later.
    #[error("it was issued later: thisUpdate is {this_update}")]
    NotYet {
        /// thisUpdate
        this_update: DateTime<Utc>,
    },
    /// Newer ones were issued since.
    #[error("it is not recent enough: nextUpdate is {next_update}")]
    Stale {
        /// nextUpdate
        next_update: DateTime<Utc>,
    },
    /// They are older than the certificate.
    #[error("it is older than the certificate, which begins at {not_before}")]
    BeforeCertificate {
        /// When the validity of the certificate begins.
        not_before: DateTime<Utc>,
    },
    /// The certificate had expired, and its issuer does not say that it keeps the status
    /// of expired certificates.
    #[error("the certificate had expired at {not_after}: its issuer may have dropped its status")]
    AfterCertificate {
        /// When the validity of the certificate ends.
        not_after: DateTime<Utc>,
    },
}

/// What several data say together about one certificate, all of them usable and current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Combined {
    /// It is not revoked, for any reason.
    Good,
    /// It is revoked or on hold.
    Revoked(Revocation),
    /// Nothing says that it is revoked, and not all reasons are covered. If nothing is
    /// covered, there are no data or the status is unknown.
    Undecided {
        /// The reasons that are covered.
        covered: ReasonSet,
    },
}

/// Combines data that each cover some reasons (RFC 5280, 6.3.3): the newest datum for a
/// set of reasons counts, and one revocation is enough. Of two from the same second, the
/// one that says revoked counts.
#[must_use]
pub fn combine<'f>(facts: impl IntoIterator<Item = &'f RevocationFacts>) -> Combined {
    let mut newest: Vec<&RevocationFacts> = facts.into_iter().collect();
    let is_revoked =
        |facts: &RevocationFacts| matches!(facts.status, CertificateStatus::Revoked(_));
    newest.sort_by_key(|facts| std::cmp::Reverse((facts.produced_at, is_revoked(facts))));
    let mut covered = ReasonSet::EMPTY;
    for facts in newest {
        if covered.union(facts.reasons) == covered {
            continue;
        }
        match facts.status {
            CertificateStatus::Revoked(revocation) => return Combined::Revoked(revocation),
            CertificateStatus::Good => covered = covered.union(facts.reasons),
            CertificateStatus::Unknown => {}
        }
    }
    if covered == ReasonSet::ALL { Combined::Good } else { Combined::Undecided { covered } }
}

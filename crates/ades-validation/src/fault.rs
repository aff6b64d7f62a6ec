//! Faults of a certificate of a path, and what excuses them.

use ades_core::facts::ObjectId;
use ades_evidence::revocation::RevocationKind;
use chrono::{DateTime, Utc};

use crate::algorithms::Weakness;
use crate::indication::SubIndication;
use crate::judgement::{Failure, Reason};
use crate::policy::Freshness;
use crate::revocation::Link;
use crate::session::Usage;

/// A fault of a certification path at the validation time. `link` is a position in the
/// path: 0 is its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The trust in the anchor has ended.
    AnchorEnded {
        until: DateTime<Utc>,
    },
    /// The validity of the certificate begins later.
    NotYetValid {
        from: DateTime<Utc>,
    },
    /// No data about the certificate count. `issuer` is the name of its issuer.
    NoRevocationData {
        link: usize,
        issuer: Option<String>,
        rejected: Vec<String>,
    },
    Revoked {
        link: usize,
        time: DateTime<Utc>,
    },
    OnHold {
        link: usize,
        since: DateTime<Utc>,
    },
    /// The data about the certificate are not recent enough.
    Stale {
        this_update: DateTime<Utc>,
        next_update: Option<DateTime<Utc>>,
    },
    WeakCertificate {
        link: usize,
        id: ObjectId,
        why: Weakness,
    },
    WeakRevocationData {
        link: usize,
        id: ObjectId,
        why: Weakness,
    },
    /// The certificate has expired. `is_known`: data that count, and whose signer does,
    /// say whether it was revoked.
    Expired {
        to: DateTime<Utc>,
        is_known: bool,
        is_left_out: bool,
    },
    /// The certificate that signed the data about the certificate is not valid.
    RevocationSignerNotValid,
    /// An issuer's certificate is not valid.
    IssuerNotValid {
        link: usize,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    },
}

/// The certificate at this position of a path, for people.
pub(crate) fn who(usage: Usage, link: usize) -> String {
    match link {
        0 => format!("the certificate of {}", usage.holder()),
        at => format!("certificate {at} above that of {}", usage.holder()),
    }
}

impl Fault {
    pub(crate) fn no_revocation_data(at: usize, link: &Link) -> Self {
        let kind = |kind| match kind {
            RevocationKind::Ocsp => "an OCSP response",
            _ => "a CRL",
        };
        let rejected = link.rejected.iter();
        let rejected = rejected.map(|one| format!("{}: {}", kind(one.kind), one.why)).collect();
        let issuer = link.issuer.common_name().map(ToOwned::to_owned);
        Self::NoRevocationData { link: at, issuer, rejected }
    }

    pub(crate) const fn sub_indication(&self) -> SubIndication {
        use SubIndication as Sub;

        match self {
            Self::AnchorEnded { .. } => Sub::NoCertificateChainFoundNoPoe,
            Self::NotYetValid { .. } => Sub::NotYetValid,
            Self::NoRevocationData { .. } | Self::IssuerNotValid { .. } => {
                Sub::CertificateChainGeneralFailure
            }
            Self::Revoked { link: 0, .. } => Sub::RevokedNoPoe,
            Self::Revoked { .. } => Sub::RevokedCaNoPoe,
            Self::OnHold { .. } | Self::Stale { .. } => Sub::TryLater,
            Self::WeakCertificate { .. } | Self::WeakRevocationData { .. } => {
                Sub::CryptoConstraintsFailureNoPoe
            }
            Self::Expired { is_known: true, .. } => Sub::OutOfBoundsNotRevoked,
            Self::Expired { .. } => Sub::OutOfBoundsNoPoe,
            Self::RevocationSignerNotValid => Sub::RevocationOutOfBoundsNoPoe,
        }
    }

    /// Whether the fault came later than `best`, the earliest time at which the signature
    /// is proven to exist, so that it does not count (5.5.4).
    pub(crate) fn is_excused_at(&self, best: DateTime<Utc>, freshness: Freshness) -> bool {
        match self {
            Self::Revoked { time, .. } => *time > best,
            Self::OnHold { since, .. } => best < *since,
            Self::Stale { this_update, next_update } => {
                freshness.accepts(*this_update, *next_update, best)
            }
            // Whoever leaves revocation out does not miss data from after the expiry.
            Self::Expired { to, is_known, is_left_out } => {
                (*is_known || *is_left_out) && best <= *to
            }
            Self::IssuerNotValid { from, to, .. } => *from <= best && best <= *to,
            Self::AnchorEnded { .. }
            | Self::NotYetValid { .. }
            | Self::NoRevocationData { .. }
            | Self::WeakCertificate { .. }
            | Self::WeakRevocationData { .. }
            | Self::RevocationSignerNotValid => false,
        }
    }

    pub(crate) fn failure(&self, usage: Usage) -> Failure {
        Failure::new(self.sub_indication(), Reason::new(self.code(), self.text(usage)))
    }

    const fn code(&self) -> &'static str {
        match self {
            Self::AnchorEnded { .. } => "anchor-ended",
            Self::NotYetValid { .. } => "certificate-not-yet-valid",
            Self::NoRevocationData { .. } => "revocation-missing",
            Self::Revoked { .. } => "certificate-revoked",
            Self::OnHold { .. } => "certificate-on-hold",
            Self::Stale { .. } => "revocation-not-recent",
            Self::WeakCertificate { .. } => "weak-algorithm-in-path",
            Self::WeakRevocationData { .. } => "weak-algorithm-in-revocation",
            Self::Expired { .. } => "certificate-expired",
            Self::RevocationSignerNotValid => "revocation-signer-not-valid",
            Self::IssuerNotValid { .. } => "issuer-not-valid",
        }
    }

    fn text(&self, usage: Usage) -> String {
        match self {
            Self::AnchorEnded { until } => {
                format!("the trust in the anchor ended at {until}")
            }
            Self::NotYetValid { from } => {
                format!("{} is valid from {from} only", who(usage, 0))
            }
            Self::NoRevocationData { link, issuer, rejected } => {
                let issuer = match issuer {
                    Some(issuer) => format!("\"{issuer}\""),
                    None => "its issuer".to_owned(),
                };
                let text = format!(
                    "the OCSP response or CRL of {issuer} about {} is missing",
                    who(usage, *link)
                );
                match rejected.is_empty() {
                    true => text,
                    false => format!("{text} ({} does not count)", rejected.join("; ")),
                }
            }
            Self::Revoked { link, time } => {
                format!("{} was revoked at {time}", who(usage, *link))
            }
            Self::OnHold { link, since } => {
                format!("{} is on hold since {since}", who(usage, *link))
            }
            Self::Stale { this_update, next_update } => {
                let newer = match next_update {
                    Some(next) => format!("newer ones were announced for {next}"),
                    None => "they do not say when newer ones are issued".to_owned(),
                };
                format!(
                    "the revocation data about {} are of {this_update}, which is not recent \
                     enough; {newer}",
                    who(usage, 0)
                )
            }
            Self::WeakCertificate { link, why, .. } => {
                format!("the signature on {}: {why}", who(usage, *link))
            }
            Self::WeakRevocationData { link, why, .. } => {
                format!("the revocation data about {}: {why}", who(usage, *link))
            }
            Self::Expired { to, .. } => format!("{} has expired at {to}", who(usage, 0)),
            Self::RevocationSignerNotValid => format!(
                "the certificate that signed the revocation data about {} is not valid now, and \
                 nothing proves that they are older",
                who(usage, 0)
            ),
            Self::IssuerNotValid { link, from, to } => {
                format!("{} is valid from {from} to {to} only", who(usage, *link))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    /// EN 319 102-1, 5.5.4, at the bounds.
    #[test]
    fn a_fault_is_excused_only_by_a_time_before_it() {
        let expired = |is_known, is_left_out| Fault::Expired { to: at(0), is_known, is_left_out };
        let issuer = Fault::IssuerNotValid { link: 1, from: at(-9), to: at(0) };
        let stale = Fault::Stale { this_update: at(0), next_update: Some(at(5)) };
        for (fault, excused, not_excused) in [
            (Fault::Revoked { link: 0, time: at(0) }, Some(-1), 0),
            (Fault::Revoked { link: 2, time: at(0) }, Some(-1), 0),
            (Fault::OnHold { link: 0, since: at(0) }, Some(-1), 0),
            (expired(true, false), Some(0), 1),
            (expired(false, true), Some(0), 1),
            (expired(false, false), None, 0),
            (issuer.clone(), Some(0), 1),
            (issuer, Some(-9), -10),
            (stale, Some(4), 5),
            (Fault::AnchorEnded { until: at(0) }, None, -1),
            (Fault::NotYetValid { from: at(0) }, None, 1),
            (Fault::RevocationSignerNotValid, None, 0),
        ] {
            let is_excused = |best| fault.is_excused_at(at(best), Freshness::NextUpdate);
            assert!(excused.is_none_or(is_excused), "{fault:?}");
            assert!(!is_excused(not_excused), "{fault:?}");
        }
    }
}

//! A trusted list and its services.

use ades_core::Certificate;
use chrono::{DateTime, Utc};

use crate::authenticity::Authenticity;
use crate::criteria::QualifierRule;

/// The start of the eIDAS regulation: 2016-06-30T22:00:00Z. The status of an earlier period is
/// one of Directive 1999/93/EC.
pub(crate) const EIDAS_START: i64 = 1_467_324_000;

/// A trusted list (TS 119 612): the services of the trust service providers of one scheme.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TrustedList {
    pub(crate) authenticity: Authenticity,
    /// The country or scheme: `BE`, `EU`.
    pub territory: String,
    /// `TSLType`, a URI.
    pub list_type: String,
    /// The number of the list; the next one is greater.
    pub sequence_number: u64,
    /// When it was issued.
    pub issued: DateTime<Utc>,
    /// Until when there will be another one; `None` if the list is closed.
    pub next_update: Option<DateTime<Utc>>,
    /// The services, in the order of the list.
    pub services: Vec<Service>,
    /// Number of certificates, history entries and services that cannot be read.
    pub unreadable: usize,
}

impl TrustedList {
    /// Whether its signer is one that the caller names.
    #[must_use]
    pub const fn authenticity(&self) -> Authenticity {
        self.authenticity
    }

    /// Until when the list says something about its services: the next one may say something
    /// else.
    #[must_use]
    pub fn known_until(&self) -> DateTime<Utc> {
        self.next_update.unwrap_or(self.issued)
    }

    /// The services of a certificate: those with a certificate of the same key and subject. A CA
    /// may have several certificates for one key.
    pub fn services_of(&self, certificate: &Certificate) -> impl Iterator<Item = &Service> {
        let is_same = |one: &Certificate| {
            one.public_key_info() == certificate.public_key_info()
                && one.subject() == certificate.subject()
        };
        self.services.iter().filter(move |service| service.certificates.iter().any(is_same))
    }
}

/// A service of a trust service provider.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Service {
    /// The name of the provider: the English one, if there is one.
    pub provider: String,
    /// The certificates that identify the service.
    pub certificates: Vec<Certificate>,
    /// What it was and is, the oldest first. Only the last one may have no end.
    pub periods: Vec<Period>,
}

impl Service {
    /// The periods at a time. Both ends count.
    pub fn at(&self, time: DateTime<Utc>) -> impl Iterator<Item = &Period> {
        self.periods
            .iter()
            .filter(move |one| one.from <= time && one.to.is_none_or(|to| time <= to))
    }
}

/// A time in which nothing about a service changed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Period {
    /// Its start.
    pub from: DateTime<Utc>,
    /// Its end, which is the start of the next period.
    pub to: Option<DateTime<Utc>>,
    /// What the service does.
    pub kind: ServiceKind,
    /// Its status.
    pub status: Status,
    /// The name of the service: the English one, if there is one.
    pub name: String,
    /// `AdditionalServiceInformation`: the last part of each URI, such as `ForeSignatures`.
    pub additional: Vec<String>,
    /// Since when the revocation data of the service keep expired certificates.
    pub expired_certificates_since: Option<DateTime<Utc>>,
    pub(crate) rules: Vec<QualifierRule>,
    /// Whether the period has a critical extension that is not understood, so that nothing can
    /// be concluded from it.
    pub is_understood: bool,
}

impl Period {
    /// Whether the period began before the eIDAS regulation.
    pub(crate) const fn is_before_eidas(&self) -> bool {
        self.from.timestamp() < EIDAS_START
    }

    /// Whether the service could be trusted. A status of the directive counts before the eIDAS
    /// regulation only, and the other way round.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let status = match self.status {
            Status::Granted => !self.is_before_eidas(),
            Status::UnderSupervision | Status::SupervisionInCessation | Status::Accredited => {
                self.is_before_eidas()
            }
            // National schemes use them for services that are not qualified.
            Status::RecognisedNationally => true,
            _ => false,
        };
        status && self.is_understood
    }
}

/// What a service does. Other URIs than those of qualified and common services are not told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServiceKind {
    /// `CA/QC`: issues qualified certificates
    QualifiedCa,
    /// `CA/PKC`: issues other certificates
    Ca,
    /// `TSA/QTST`: qualified time-stamps
    QualifiedTimeStamping,
    /// `TSA`, `TSA/TSS-QC`, `TSA/TSS-AdESQCandQES`: other time-stamps
    TimeStamping,
    /// Any other
    Other,
}

impl ServiceKind {
    /// The kind with this `ServiceTypeIdentifier`.
    pub(crate) fn of(uri: &str) -> Self {
        match uri.strip_prefix("http://uri.etsi.org/TrstSvc/Svctype/") {
            Some("CA/QC") => Self::QualifiedCa,
            Some("CA/PKC") => Self::Ca,
            Some("TSA/QTST") => Self::QualifiedTimeStamping,
            Some("TSA" | "TSA/TSS-QC" | "TSA/TSS-AdESQCandQES") => Self::TimeStamping,
            _ => Self::Other,
        }
    }

    /// Whether certificates of the service sign documents.
    #[must_use]
    pub const fn issues_to_signers(self) -> bool {
        matches!(self, Self::QualifiedCa | Self::Ca)
    }

    /// Whether the service makes time-stamps.
    #[must_use]
    pub const fn makes_time_stamps(self) -> bool {
        matches!(self, Self::QualifiedTimeStamping | Self::TimeStamping)
    }
}

/// The status of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// `granted`
    Granted,
    /// `withdrawn`
    Withdrawn,
    /// `undersupervision`, before eIDAS
    UnderSupervision,
    /// `supervisionincessation`, before eIDAS
    SupervisionInCessation,
    /// `accredited`, before eIDAS
    Accredited,
    /// `recognisedatnationallevel` or `setbynationallaw`
    RecognisedNationally,
    /// Any other: the service is not to be trusted
    Other,
}

impl Status {
    pub(crate) fn of(uri: &str) -> Self {
        match uri.strip_prefix("http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/") {
            Some("granted") => Self::Granted,
            Some("withdrawn") => Self::Withdrawn,
            Some("undersupervision") => Self::UnderSupervision,
            Some("supervisionincessation") => Self::SupervisionInCessation,
            Some("accredited") => Self::Accredited,
            Some("recognisedatnationallevel" | "setbynationallaw") => Self::RecognisedNationally,
            _ => Self::Other,
        }
    }
}

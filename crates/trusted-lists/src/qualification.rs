//! Whether a signature is qualified: an outline of ETSI TS 119 615, 4.4 to 4.6. It is a remark
//! beside the answer of EN 319 102-1, and never changes that.

use std::fmt;

use ades_core::Certificate;
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use crate::authenticity::Authenticity;
use crate::certificate::Statements;
use crate::list::{EIDAS_START, Period, ServiceKind, TrustedList};

/// What a signature is, for the eIDAS regulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Qualification {
    /// The answer of EN 319 102-1: true for passed, false for failed, `None` for indeterminate.
    pub passed: Option<bool>,
    /// What the signer's certificate is. `None` if the list does not decide that.
    pub certificate: Option<CertificateQualification>,
}

/// What a certificate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateQualification {
    /// Whether it is qualified.
    pub is_qualified: bool,
    /// What it is for.
    pub signature_type: SignatureType,
    /// Whether its key is in a qualified signature creation device.
    pub has_device: bool,
}

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureType {
    /// Signatures of natural persons
    Signature,
    /// Seals of legal persons
    Seal,
    /// Web sites
    WebSite,
    /// Neither the list nor the certificate says it
    Unknown,
}

impl Qualification {
    /// The name in TS 119 615, such as `QESig` and `AdESig-QC`; `N/A` if nothing can be said.
    #[must_use]
    pub fn name(&self) -> String {
        match (self.passed, self.certificate) {
            (Some(false), found) => match found.map(|one| (one.is_qualified, one.has_device)) {
                Some((true, true)) if !self.is_for_web_site() => "Not AdES but QC with QSCD".into(),
                Some((true, _)) if !self.is_for_web_site() => "Not AdES but QC".into(),
                _ => "Not AdES".into(),
            },
            (_, None) => "N/A".into(),
            (_, Some(_)) if self.is_for_web_site() => "Not AdES".into(),
            (Some(true), Some(found)) => found.name().into(),
            (None, Some(found)) => format!("Indeterminate {}", found.name()),
        }
    }

    /// The same if nothing is known about the certificate.
    #[must_use]
    pub const fn undecided(self) -> Self {
        Self { passed: self.passed, certificate: None }
    }

    fn is_for_web_site(&self) -> bool {
        self.certificate.is_some_and(|one| one.signature_type == SignatureType::WebSite)
    }
}

impl fmt::Display for Qualification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl Serialize for Qualification {
    /// Serialises as its name.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

impl CertificateQualification {
    const fn name(self) -> &'static str {
        use SignatureType as Type;

        match (self.is_qualified, self.signature_type, self.has_device) {
            (true, Type::Signature, true) => "QESig",
            (true, Type::Seal, true) => "QESeal",
            (true, Type::Signature, false) => "AdESig-QC",
            (true, Type::Seal, false) => "AdESeal-QC",
            (true, _, true) => "Unknown-QC-QSCD",
            (true, _, false) => "Unknown-QC",
            (false, Type::Signature, _) => "AdESig",
            (false, Type::Seal, _) => "AdESeal",
            (false, ..) => "Unknown",
        }
    }
}

/// The qualification of a signature. `anchor` is the end of the signer's certification path,
/// `best_time` the time at which the signature is proven to exist. `None`: the list has no
/// service for this anchor.
#[must_use]
pub fn qualification(
    list: &TrustedList,
    passed: Option<bool>,
    certificate: &Certificate,
    anchor: &Certificate,
    best_time: DateTime<Utc>,
) -> Option<Qualification> {
    list.services_of(anchor).next()?;
    let mut found = None;
    // A list that anybody could have made says nothing about the law, and an old one nothing
    // about later times.
    if list.authenticity() == Authenticity::Authenticated && best_time <= list.known_until() {
        let (issued, _) = certificate.validity();
        let at = |time| certificate_at(list, certificate, anchor, time);
        found = at(issued).zip(at(best_time)).map(|(issuance, signing)| {
            let is_qualified = issuance.is_qualified && signing.is_qualified;
            let has_device = is_qualified && signing.has_device;
            CertificateQualification { is_qualified, has_device, ..signing }
        });
    }
    Some(Qualification { passed, certificate: found })
}

/// What a certificate was at a time (TS 119 615, 4.4). `None` if services contradict one another.
fn certificate_at(
    list: &TrustedList,
    certificate: &Certificate,
    anchor: &Certificate,
    time: DateTime<Utc>,
) -> Option<CertificateQualification> {
    let statements = Statements::of(certificate);
    let of_certificate = type_of_certificate(&statements);
    let not_qualified = CertificateQualification {
        is_qualified: false,
        signature_type: of_certificate,
        has_device: false,
    };
    let periods = list.services_of(anchor).flat_map(|service| service.at(time));
    let periods: Vec<&Period> =
        periods.filter(|one| one.kind == ServiceKind::QualifiedCa && one.is_good()).collect();
    let mut results = Vec::new();
    for period in periods {
        // `None`: whom a rule of the list concerns, is not known.
        let qualifiers = qualifiers(period, certificate)?;
        let subject = Subject { certificate, statements: &statements, qualifiers: &qualifiers };
        results.extend(subject.judge(period));
    }
    match results.as_slice() {
        [] => Some(not_qualified),
        [first, rest @ ..] => rest.iter().all(|one| one == first).then_some(*first),
    }
}

/// The qualifiers that a period adds to a certificate.
fn qualifiers<'p>(period: &'p Period, certificate: &Certificate) -> Option<Vec<&'p str>> {
    let mut all = Vec::new();
    for rule in &period.rules {
        all.extend(rule.of(certificate)?.iter().map(String::as_str));
    }
    Some(all)
}

/// Only from what the certificate says.
fn type_of_certificate(statements: &Statements) -> SignatureType {
    match statements.types.as_slice() {
        [1] => SignatureType::Signature,
        [2] => SignatureType::Seal,
        [3] => SignatureType::WebSite,
        [] if statements.is_compliant => SignatureType::Signature,
        _ => SignatureType::Unknown,
    }
}

/// A certificate with what one period of a service says about it.
struct Subject<'a> {
    certificate: &'a Certificate,
    statements: &'a Statements,
    qualifiers: &'a [&'a str],
}

impl Subject<'_> {
    fn has(&self, qualifier: &str) -> bool {
        self.qualifiers.contains(&qualifier)
    }

    fn is_issued_before_eidas(&self) -> bool {
        self.certificate.validity().0.timestamp() < EIDAS_START
    }

    /// `None`: the period is not about such certificates, or contradicts itself.
    fn judge(&self, period: &Period) -> Option<CertificateQualification> {
        let contradicts = |one, other| self.has(one) && self.has(other);
        if contradicts("NotQualified", "QCStatement")
            || contradicts("QCForLegalPerson", "QCForESig")
            || contradicts("QCWithQSCD", "QCNoQSCD")
            || contradicts("QCWithSSCD", "QCNoSSCD")
        {
            return None;
        }
        if !self.is_issued_before_eidas() && !self.is_of_type(period) {
            return None;
        }
        let is_qualified = self.is_qualified();
        Some(CertificateQualification {
            is_qualified,
            signature_type: self.signature_type(period, is_qualified),
            has_device: is_qualified && self.has_device(period),
        })
    }

    fn is_qualified(&self) -> bool {
        let own = self.statements;
        let old = self.is_issued_before_eidas() && (own.is_qcp || own.is_qcp_plus);
        !self.has("NotQualified") && (self.has("QCStatement") || own.is_compliant || old)
    }

    /// The types that the list states instead of the certificate.
    fn overruling(&self) -> Vec<SignatureType> {
        let all = [
            ("QCForESig", SignatureType::Signature),
            ("QCForESeal", SignatureType::Seal),
            ("QCForWSA", SignatureType::WebSite),
        ];
        all.into_iter().filter_map(|(name, kind)| self.has(name).then_some(kind)).collect()
    }

    /// Whether the service issues certificates of this type.
    fn is_of_type(&self, period: &Period) -> bool {
        let has = |kind| {
            let name = match kind {
                SignatureType::Signature => "ForeSignatures",
                SignatureType::Seal => "ForeSeals",
                SignatureType::WebSite => "ForWebSiteAuthentication",
                SignatureType::Unknown => return true,
            };
            period.additional.iter().any(|one| one == name)
        };
        if let [only] = self.overruling().as_slice() {
            return has(*only);
        }
        let own = type_of_certificate(self.statements);
        has(own) && !(own == SignatureType::Signature && self.has("QCForLegalPerson"))
    }

    fn signature_type(&self, period: &Period, is_qualified: bool) -> SignatureType {
        if !is_qualified {
            return type_of_certificate(self.statements);
        }
        // The directive knew signatures only.
        if period.is_before_eidas() || self.is_issued_before_eidas() {
            return SignatureType::Signature;
        }
        match self.overruling().as_slice() {
            [] => type_of_certificate(self.statements),
            [only] => *only,
            _ => SignatureType::Unknown,
        }
    }

    fn has_device(&self, period: &Period) -> bool {
        let [with, without] = match period.is_before_eidas() {
            true => ["QCWithSSCD", "QCNoSSCD"],
            false => ["QCWithQSCD", "QCNoQSCD"],
        };
        let on_behalf = !period.is_before_eidas() && self.has("QCQSCDManagedOnBehalf");
        if self.has(with) || on_behalf {
            return true;
        }
        let own = self.statements;
        let old = self.is_issued_before_eidas() && own.is_qcp_plus;
        !self.has(without) && (own.has_device || old)
    }
}

impl TrustedList {
    /// Whether the authority at the end of a time-stamp's path made qualified time-stamps at a
    /// time. `None` if the list does not say that.
    #[must_use]
    pub fn is_qualified_time_stamping(
        &self,
        anchor: &Certificate,
        time: DateTime<Utc>,
    ) -> Option<bool> {
        let is_known =
            self.authenticity() == Authenticity::Authenticated && time <= self.known_until();
        let mut periods = self.services_of(anchor).flat_map(|service| service.at(time)).peekable();
        periods.peek().filter(|_| is_known)?;
        Some(periods.any(|one| one.kind == ServiceKind::QualifiedTimeStamping && one.is_good()))
    }
}

//! The evidence in a container: certificates, revocation values and time-stamps, as
//! octets that others made.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::positions::Positions;
use super::time_stamp::TimeStampFacts;
use crate::algorithm::DigestAlgorithm;
use crate::certificate::Certificate;
use crate::digest::{Digest, Digester};

/// Maximum number of certificates in the evidence of one container.
pub const MAX_CERTIFICATES: usize = 8192;
/// Maximum number of revocation values in the evidence of one container.
pub const MAX_REVOCATION_VALUES: usize = 4096;
/// Maximum number of time-stamps in the evidence of one container.
pub const MAX_TIME_STAMPS: usize = 4096;
/// Maximum number of octets in the evidence of one container.
pub const MAX_EVIDENCE_LEN: usize = 32 * 1024 * 1024;

/// The evidence in one container or document, in the order in which it was found. Its
/// signatures share it. `Debug` shows numbers only.
///
/// An object that occurs twice is listed twice, because a time-stamp may cover only one
/// of them. [`ObjectId`] tells that they are the same.
#[derive(Clone, Default)]
pub struct Evidence {
    certificates: Vec<EmbeddedCertificate>,
    revocation_values: Vec<RevocationValue>,
    time_stamps: Vec<TimeStampFacts>,
    /// Number of octets in it.
    len: usize,
    unreadable: usize,
    left_out: usize,
    /// The first occurrence of each certificate.
    first: HashMap<ObjectId, usize>,
}

/// The SHA-256 digest of an object's octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId([u8; 32]);

impl ObjectId {
    /// The id of the object with these octets.
    #[must_use]
    pub fn of(octets: &[u8]) -> Self {
        let digest = Digest::of(DigestAlgorithm::Sha256, octets);
        Self(<[u8; 32]>::try_from(digest.value()).unwrap_or_default())
    }

    /// The digest.
    pub(crate) fn digest(&self) -> Digest {
        Digest::sha256(self.0)
    }
}

/// Computes an [`ObjectId`] of octets that are not held together.
#[derive(Debug)]
pub struct ObjectIdDigester(Digester);

impl Default for ObjectIdDigester {
    fn default() -> Self {
        Self::new()
    }
}

impl ObjectIdDigester {
    /// Before the first octet.
    #[must_use]
    pub fn new() -> Self {
        Self(Digester::new(DigestAlgorithm::Sha256))
    }

    /// Adds the next octets.
    pub fn update(&mut self, octets: &[u8]) {
        self.0.update(octets);
    }

    /// The id of all octets.
    #[must_use]
    pub fn finish(self) -> ObjectId {
        ObjectId(<[u8; 32]>::try_from(self.0.finish().value()).unwrap_or_default())
    }
}

/// A certificate, and where it is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EmbeddedCertificate {
    /// The certificate.
    pub certificate: Certificate,
    /// Where it is.
    pub place: EvidencePlace,
    /// The digest of its octets.
    pub id: ObjectId,
}

/// A revocation value of a known form, and where it is. Only its outermost structure was
/// read. `Debug` does not show its octets.
#[derive(Clone)]
#[non_exhaustive]
pub struct RevocationValue {
    /// What it is.
    pub form: RevocationForm,
    /// The value, as it is stored.
    pub octets: Arc<[u8]>,
    /// Where it is.
    pub place: EvidencePlace,
    /// The digest of its octets.
    pub id: ObjectId,
}

impl fmt::Debug for RevocationValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationValue")
            .field("form", &self.form)
            .field("octets", &self.octets.len())
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

/// The form of a revocation value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RevocationForm {
    /// `CertificateList` (RFC 5280, 5.1)
    Crl,
    /// `OCSPResponse` (RFC 6960, 4.2.1)
    OcspResponse,
    /// `BasicOCSPResponse` (RFC 6960, 4.2.1)
    BasicOcspResponse,
}

/// Where evidence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EvidencePlace {
    /// `certificates` or `crls` of SignedData (RFC 5652, 5.1)
    SignedData,
    /// `ds:KeyInfo`
    KeyInfo,
    /// certificate-values and revocation-values (EN 319 122-1, annex A.1),
    /// `xades:CertificateValues` and `xades:RevocationValues` (EN 319 132-1, 5.4)
    Values,
    /// `xades:AttrAuthoritiesCertValues` and `xades:AttributeRevocationValues`
    AttributeAuthorityValues,
    /// `xades141:TimeStampValidationData`
    TimeStampValidationData,
    /// `xades141:AnyValidationData`
    AnyValidationData,
    /// adbe-revocationInfoArchival (ISO 32000-2, 12.8.3.3.2)
    RevocationInfoArchival,
    /// `/DSS` (ISO 32000-2, 12.8.4.3)
    DocumentSecurityStore,
    /// The time-stamp token at this position
    TimeStamp(usize),
}

/// Objects of an [`Evidence`], by their positions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Objects {
    /// Positions in [`Evidence::certificates`].
    pub certificates: Positions,
    /// Positions in [`Evidence::revocation_values`].
    pub revocation_values: Positions,
    /// Positions in [`Evidence::time_stamps`].
    pub time_stamps: Positions,
}

impl Objects {
    /// Adds other objects.
    pub fn add(&mut self, other: &Self) {
        let add = |own: &mut Positions, other: &Positions| {
            other.ranges().iter().cloned().for_each(|range| own.add(range));
        };
        add(&mut self.certificates, &other.certificates);
        add(&mut self.revocation_values, &other.revocation_values);
        add(&mut self.time_stamps, &other.time_stamps);
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.certificates.is_empty()
            && self.revocation_values.is_empty()
            && self.time_stamps.is_empty()
    }
}

/// The length of an [`Evidence`] at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    certificates: usize,
    revocation_values: usize,
    time_stamps: usize,
}

impl Evidence {
    /// No evidence.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The certificates that can be read.
    #[must_use]
    pub fn certificates(&self) -> &[EmbeddedCertificate] {
        &self.certificates
    }

    /// The revocation values of known forms.
    #[must_use]
    pub fn revocation_values(&self) -> &[RevocationValue] {
        &self.revocation_values
    }

    /// The time-stamps of all signatures, and those of the document.
    #[must_use]
    pub fn time_stamps(&self) -> &[TimeStampFacts] {
        &self.time_stamps
    }

    /// Number of values that are not certificates or revocation values of a known form.
    #[must_use]
    pub const fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// Number of objects beyond the limits of this module. Without them, a judge cannot
    /// know that something is missing.
    #[must_use]
    pub const fn left_out(&self) -> usize {
        self.left_out
    }

    /// The certificates, each once.
    pub fn distinct_certificates(&self) -> impl Iterator<Item = &Certificate> {
        let all = self.certificates.iter().enumerate();
        let first = all.filter(|(at, one)| self.first.get(&one.id) == Some(at));
        first.map(|(_, one)| &one.certificate)
    }

    /// The present length.
    #[must_use]
    pub const fn mark(&self) -> Mark {
        Mark {
            certificates: self.certificates.len(),
            revocation_values: self.revocation_values.len(),
            time_stamps: self.time_stamps.len(),
        }
    }

    /// Everything that was added after `mark`.
    #[must_use]
    pub fn since(&self, mark: Mark) -> Objects {
        self.between(mark, self.mark())
    }

    /// Everything that was added after `from` and before `to`.
    #[must_use]
    pub fn between(&self, from: Mark, to: Mark) -> Objects {
        Objects {
            certificates: (from.certificates..to.certificates).into(),
            revocation_values: (from.revocation_values..to.revocation_values).into(),
            time_stamps: (from.time_stamps..to.time_stamps).into(),
        }
    }

    /// Adds a certificate.
    pub fn add_certificate(&mut self, der: &[u8], place: EvidencePlace) {
        let id = ObjectId::of(der);
        let known = self.first.get(&id).and_then(|at| self.certificates.get(*at));
        let certificate = match known {
            Some(known) => Ok(known.certificate.clone()),
            // Parsing costs more than counting.
            None if self.certificates.len() == MAX_CERTIFICATES => return self.left_out += 1,
            None => Certificate::from_der(der).map(|read| read.keep_id(id)),
        };
        match certificate {
            Ok(certificate) => self.push_certificate(certificate, place, id),
            Err(_) => self.unreadable += 1,
        }
    }

    /// Adds a certificate that was read before.
    pub fn add_read_certificate(&mut self, certificate: &Certificate, place: EvidencePlace) {
        self.push_certificate(certificate.clone(), place, certificate.id());
    }

    fn push_certificate(&mut self, certificate: Certificate, place: EvidencePlace, id: ObjectId) {
        let is_new = !self.first.contains_key(&id);
        let octets = if is_new { certificate.der().len() } else { 0 };
        if self.certificates.len() == MAX_CERTIFICATES || !self.take(octets) {
            self.left_out += 1;
            return;
        }
        self.first.entry(id).or_insert(self.certificates.len());
        self.certificates.push(EmbeddedCertificate { certificate, place, id });
    }

    /// Adds a revocation value. `None`: it has no known form.
    pub fn add_revocation_value(
        &mut self,
        form: Option<RevocationForm>,
        octets: &[u8],
        place: EvidencePlace,
    ) {
        let Some(form) = form else {
            self.unreadable += 1;
            return;
        };
        if self.revocation_values.len() == MAX_REVOCATION_VALUES || !self.take(octets.len()) {
            self.left_out += 1;
            return;
        }
        let id = ObjectId::of(octets);
        self.revocation_values.push(RevocationValue { form, octets: octets.into(), place, id });
    }

    /// Adds a time-stamp. Returns its position, or `None` if it is beyond the limits.
    pub fn add_time_stamp(&mut self, stamp: TimeStampFacts) -> Option<usize> {
        if self.time_stamps.len() == MAX_TIME_STAMPS || !self.take(stamp.octets.len()) {
            self.left_out += 1;
            return None;
        }
        self.time_stamps.push(stamp);
        self.time_stamps.len().checked_sub(1)
    }

    /// A time-stamp, for facts that are known later.
    pub fn time_stamp_mut(&mut self, position: usize) -> Option<&mut TimeStampFacts> {
        self.time_stamps.get_mut(position)
    }

    /// Counts values that cannot be read.
    pub const fn add_unreadable(&mut self, number: usize) {
        self.unreadable = self.unreadable.saturating_add(number);
    }

    /// Counts objects that are beyond the limits of a format.
    pub const fn add_left_out(&mut self, number: usize) {
        self.left_out = self.left_out.saturating_add(number);
    }

    /// Takes the space of octets, if it is there.
    const fn take(&mut self, octets: usize) -> bool {
        let len = self.len.saturating_add(octets);
        let is_there = len <= MAX_EVIDENCE_LEN;
        if is_there {
            self.len = len;
        }
        is_there
    }
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence")
            .field("certificates", &self.certificates.len())
            .field("revocation_values", &self.revocation_values.len())
            .field("time_stamps", &self.time_stamps)
            .field("unreadable", &self.unreadable)
            .field("left_out", &self.left_out)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::TimeStampKind;
    use super::*;

    #[test]
    fn limits_are_counted_and_are_no_errors() {
        let mut evidence = Evidence::new();
        let place = EvidencePlace::SignedData;
        for _ in 0..100_000 {
            evidence.add_revocation_value(Some(RevocationForm::Crl), &[0; 8], place);
            evidence.add_time_stamp(TimeStampFacts::new(TimeStampKind::Archive, [0; 8]));
            evidence.add_certificate(&[0x30, 0], place);
        }
        assert_eq!(evidence.revocation_values().len(), MAX_REVOCATION_VALUES);
        assert_eq!(evidence.time_stamps().len(), MAX_TIME_STAMPS);
        assert_eq!(evidence.unreadable(), 100_000);
        let left_out = 200_000 - MAX_REVOCATION_VALUES - MAX_TIME_STAMPS;
        assert_eq!(evidence.left_out(), left_out);
        let large = vec![0; MAX_EVIDENCE_LEN];
        let mut evidence = Evidence::new();
        for _ in 0..2 {
            evidence.add_revocation_value(Some(RevocationForm::Crl), &large, place);
        }
        assert_eq!((evidence.revocation_values().len(), evidence.left_out()), (1, 1));
    }

    #[test]
    fn marks_delimit_objects() {
        let mut evidence = Evidence::new();
        let place = EvidencePlace::DocumentSecurityStore;
        evidence.add_revocation_value(Some(RevocationForm::Crl), b"a", place);
        let mark = evidence.mark();
        assert!(evidence.since(mark).is_empty());
        evidence.add_revocation_value(Some(RevocationForm::Crl), b"b", place);
        evidence.add_revocation_value(None, b"c", place);
        let since = evidence.since(mark);
        assert_eq!(since.revocation_values.iter().collect::<Vec<_>>(), [1]);
        let mut all = evidence.between(Mark::default(), mark);
        all.add(&since);
        assert_eq!(all.revocation_values.ranges(), std::slice::from_ref(&(0..2)));
    }
}

//! Verifying one signature or document time-stamp.

use std::collections::BTreeSet;

use ades_core::facts::{Evidence, SignatureFacts, TimeStampFacts, TimeStampKind};
use ades_evidence::embedded::{AddedTimeStamp, add_time_stamp};
use chrono::{DateTime, Utc};

use super::Reading;
use super::covered::{CoveredDigests, CoveredOctets};
use super::history::History;
use crate::document::coverage::{FoundSignature, SignedRanges};
use crate::document::signature::{Permissions, level_of_lock, permissions};
use crate::error::Error;
use crate::file::Pdf;
use crate::report::{
    Change, CmsProblem, CmsReport, Level, Problem, SignatureReport, TimeStampReport,
};
use crate::syntax::{Value, decode_text, parse_date};

/// The changes of the whole document.
#[derive(Clone, Copy)]
pub(super) struct ChangeContext<'a> {
    pub(super) history: &'a History,
    /// The end of the signature that certifies the document and allows annotations.
    pub(super) annotations_from: Option<u64>,
}

/// The claims in the signature dictionary, which the signer wrote.
struct Claims {
    signing_time: Option<DateTime<Utc>>,
    name: Option<String>,
    reason: Option<String>,
    location: Option<String>,
    contact: Option<String>,
    sub_filter: Vec<u8>,
}

impl Claims {
    fn read(pdf: &mut Pdf<'_>, dictionary: &Value) -> Result<Self, Error> {
        let mut text = |key: &[u8]| -> Result<Option<String>, Error> {
            Ok(pdf.get(dictionary, key)?.as_ref().and_then(Value::string).map(decode_text))
        };
        let signing_time = text(b"M")?.as_deref().and_then(parse_date);
        let (name, reason) = (text(b"Name")?, text(b"Reason")?);
        let (location, contact) = (text(b"Location")?, text(b"ContactInfo")?);
        let sub_filter = pdf.get(dictionary, b"SubFilter")?;
        let sub_filter = sub_filter.as_ref().and_then(Value::name).unwrap_or_default().to_vec();
        Ok(Self { signing_time, name, reason, location, contact, sub_filter })
    }

    fn is_pades(&self) -> bool {
        self.sub_filter == b"ETSI.CAdES.detached"
    }

    fn is_supported(&self) -> bool {
        self.is_pades() || self.sub_filter == b"adbe.pkcs7.detached"
    }
}

impl FoundSignature {
    /// The number of the field.
    pub(super) const fn number(&self) -> u32 {
        self.reference.number
    }

    /// Whether it is a document time-stamp over a revision of the document. Its
    /// token is not verified.
    pub(super) fn is_sound_time_stamp(&self) -> bool {
        self.is_time_stamp() && self.revision.is_some() && self.problems.is_empty()
    }

    /// The level of its certification, if it certifies the document.
    pub(super) fn certification(&self, pdf: &mut Pdf<'_>) -> Result<Option<u64>, Error> {
        Ok(permissions(pdf, &self.dictionary.value)?.certification)
    }

    /// Checks a document time-stamp without its token (EN 319 142-1, 5.4.3).
    pub(super) fn check_time_stamp(&mut self) {
        if !self.dictionary.value.is(b"Type", b"DocTimeStamp") {
            self.problem(Problem::NotADocTimeStamp);
        }
        self.token();
    }

    /// The covered octets, if they are known.
    pub(super) const fn signed_ranges(&self) -> Option<SignedRanges> {
        self.ranges
    }

    /// Adds the token of a document time-stamp, and compares its imprint with the covered
    /// octets.
    pub(super) fn add_time_stamp(
        &mut self,
        pdf: &mut Pdf<'_>,
        ranges: SignedRanges,
        (evidence, digests): (&mut Evidence, &mut CoveredDigests),
    ) -> Result<AddedTimeStamp, Error> {
        let token = self.token().unwrap_or_default();
        let added = add_time_stamp(evidence, TimeStampKind::Document, &token);
        let digest = match added.imprint() {
            Ok(imprint) => {
                Ok(digests.digest(pdf.source().reader(), ranges, imprint.algorithm())?)
            }
            Err(why) => Err(why),
        };
        added.compare(evidence, |_| digest);
        Ok(added)
    }

    /// `token` is `None` if it was not read, because the time-stamp has problems.
    pub(super) fn into_time_stamp(self, token: Option<TimeStampFacts>) -> TimeStampReport {
        let Self { field, byte_range, covers, problems, .. } = self;
        let unread = || TimeStampFacts::new(TimeStampKind::Document, []);
        let token = token.unwrap_or_else(unread);
        TimeStampReport { field, byte_range, covers, problems, token }
    }

    pub(super) fn verify(
        mut self,
        pdf: &mut Pdf<'_>,
        reading: &mut Reading,
        context: ChangeContext<'_>,
    ) -> Result<SignatureReport, Error> {
        let dictionary = self.dictionary.value.clone();
        let claims = Claims::read(pdf, &dictionary)?;
        let (own, allowed) = self.permissions(pdf)?;
        self.check_claims(&claims);
        let cms = match claims.is_supported() {
            true => self.cms(pdf, claims.signing_time, reading)?,
            false => None,
        };
        if let Some(cms) = &cms {
            self.check_cms(cms, &claims);
        }
        let intact = match (&cms, self.ranges) {
            // A format that is not supported is not read.
            (None, _) if !claims.is_supported() => None,
            (Some(cms), Some(_)) => cms.intact,
            _ => Some(false),
        };
        let facts = cms.as_ref().map_or_else(SignatureFacts::new, |cms| cms.facts.clone());
        let changes = self.check_changes(&allowed, context);
        let pades = claims.is_pades();
        let below = !pades || self.problems.iter().any(|problem| is_below(*problem));
        let level = cms.as_ref().map_or(Level::Below, |cms| cms.level);
        Ok(SignatureReport {
            format: if pades { "PAdES" } else { "PDF" },
            field: self.field,
            level: if below { Level::Below } else { level },
            intact,
            signer: cms.as_ref().and_then(|cms| cms.signer.clone()),
            covers: self.covers,
            problems: self.problems,
            changes: changes.into_iter().collect(),
            claimed_time: claims.signing_time,
            sub_filter: String::from_utf8_lossy(&claims.sub_filter).into_owned(),
            byte_range: self.byte_range,
            certification: own.certification,
            name: claims.name,
            reason: claims.reason,
            location: claims.location,
            contact: claims.contact,
            cms,
            facts,
        })
    }

    /// What the signature certifies and locks, and with what its field's lock restricts.
    fn permissions(&self, pdf: &mut Pdf<'_>) -> Result<(Permissions, Permissions), Error> {
        let own = permissions(pdf, &self.dictionary.value)?;
        let mut allowed = own.clone();
        allowed.restrict(level_of_lock(pdf, self.reference)?);
        Ok((own, allowed))
    }

    /// The problems that later changes are for the signature.
    pub(super) fn problems_of_changes(
        mut self,
        pdf: &mut Pdf<'_>,
        context: ChangeContext<'_>,
    ) -> Result<Vec<Problem>, Error> {
        let (_, allowed) = self.permissions(pdf)?;
        self.problems.clear();
        self.check_changes(&allowed, context);
        self.problems.retain(|problem| *problem != Problem::NotCompared);
        Ok(self.problems)
    }

    fn check_claims(&mut self, claims: &Claims) {
        if !claims.is_supported() {
            self.problem(Problem::UnsupportedFormat);
        } else if !claims.is_pades() {
            self.problem(Problem::NotPades);
        }
        if claims.signing_time.is_none() {
            self.problem(Problem::SigningTimeMissing);
        }
        if self.dictionary.value.get(b"Filter").is_none() {
            self.problem(Problem::FilterMissing);
        }
        let other = |kind: &Value| kind.name() != Some(b"Sig");
        if self.dictionary.value.get(b"Type").is_some_and(other) {
            self.problem(Problem::NotASignature);
        }
        if self.dictionary.value.get(b"Cert").is_some() {
            self.problem(Problem::CertKey);
        }
    }

    fn check_cms(&mut self, cms: &CmsReport, claims: &Claims) {
        // ISO 32000 allows the signing time in the CMS; PAdES does not.
        let counts =
            |problem: &CmsProblem| claims.is_pades() || *problem != CmsProblem::SigningTimePresent;
        for problem in cms.problems.iter().copied().filter(counts) {
            self.problem(Problem::Cms(problem));
        }
        if claims.reason.is_some() && (cms.commitment.is_some() || cms.policy.is_some()) {
            self.problem(Problem::ReasonNotAllowed);
        }
    }

    /// Compares what was changed later with what this signature allows; returns
    /// the kinds of change.
    fn check_changes(
        &mut self,
        allowed: &Permissions,
        context: ChangeContext<'_>,
    ) -> BTreeSet<Change> {
        let later = self.revision.map_or(0, |revision| revision.later);
        let changes = context.history.since(later);
        if changes.is_none() {
            self.problem(Problem::NotCompared);
        }
        let changes = changes.unwrap_or_default();
        if changes.iter().any(|change| !change.allowed(allowed)) {
            self.problem(Problem::ForbiddenChange);
        }
        let changes: BTreeSet<Change> = changes.into_iter().map(|change| change.kind).collect();
        if changes.contains(&Change::Other) {
            self.problem(Problem::ChangedLater);
        }
        let may_be_annotated = context.annotations_from.is_some_and(|from| from <= self.end());
        if changes.contains(&Change::Annotation) && allowed.level().is_none() && !may_be_annotated {
            self.problem(Problem::AnnotatedLater);
        }
        changes
    }

    /// The CMS in `/Contents`, without the zeros after it.
    fn token(&mut self) -> Option<Vec<u8>> {
        let contents = self.dictionary.value.get(b"Contents").and_then(Value::string);
        let contents = contents.unwrap_or_default().to_vec();
        let Ok(cms) = cades::embedded::first_element(&contents) else {
            self.problem(Problem::ContentsMalformed);
            return None;
        };
        if contents.iter().skip(cms.len()).any(|octet| *octet != 0) {
            self.problem(Problem::ContentsPadding);
        }
        Some(cms.to_vec())
    }

    /// Verifies the CMS over the covered ranges.
    fn cms(
        &mut self,
        pdf: &mut Pdf<'_>,
        signing_time: Option<DateTime<Utc>>,
        reading: &mut Reading,
    ) -> Result<Option<CmsReport>, Error> {
        let Some(cms) = self.token() else {
            return Ok(None);
        };
        let Reading { listing, evidence, digests, verified } = reading;
        let reader = pdf.source().reader();
        let mut covered = CoveredOctets { reader, ranges: self.ranges, digests };
        let report =
            cades::embedded::verify(&cms, &mut covered, signing_time, listing, evidence, verified);
        let report = match report {
            Ok(report) => report,
            Err(cades::Error::Core(error @ ades_core::Error::Read(_))) => return Err(error.into()),
            Err(_) => {
                self.problem(Problem::ContentsMalformed);
                return Ok(None);
            }
        };
        if report.content_length.is_some() {
            self.problem(Problem::ContentInCms);
        }
        if report.signatures.len() != 1 {
            self.problem(Problem::NotOneSigner);
        }
        Ok(report.signatures.into_iter().next())
    }
}

/// Whether a signature with this problem does not reach level B.
fn is_below(problem: Problem) -> bool {
    !matches!(
        problem,
        Problem::ChangedLater
            | Problem::ForbiddenChange
            | Problem::AnnotatedLater
            | Problem::NotCompared
            | Problem::TrailingData
            | Problem::Cms(
                CmsProblem::DigestMismatch
                    | CmsProblem::SignatureInvalid
                    | CmsProblem::ContentMissing
                    | CmsProblem::UnsupportedAlgorithm
                    | CmsProblem::IssuerSerialMismatch
                    | CmsProblem::LegacySigningCertificate
            )
    )
}

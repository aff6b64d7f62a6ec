//! Inspects and verifies containers (RFC 5652, 5.6; EN 319 122-1, 6.3).

mod archive;
mod evidence;
mod hash_index;
mod signature;
mod signed_attributes;
mod values;

use std::sync::Arc;

use ades_core::facts::Evidence;
use ades_core::{Certificate, Digest, Digester, Document};
use ades_evidence::VerifiedValues;
use chrono::{DateTime, Utc};

use crate::certificate_index::CertificateIndex;
use crate::container::{Container, MAX_COUNTERSIGNATURE_DEPTH, MAX_COUNTERSIGNATURES};
use crate::content::{ContentDigests, digest_algorithms};
use crate::error::{Error, Limit};
use crate::listing::Listing;
use crate::oids;
use crate::options::{Original, VerifyOptions};
use crate::report::{Level, Problem, Report, SignatureReport};
use crate::signer_info::{Attribute, SignerInfo, countersignatures, read_all};
use archive::{Archived, imprint_algorithms};
use evidence::{ContainerEvidence, SignatureEvidence};
use hash_index::HashedElements;
use signature::Findings;

/// Reads a container and verifies every signature in it.
///
/// # Errors
/// As [`Container::read`] and [`Container::verify`].
pub fn verify(document: &mut Document<'_>, options: VerifyOptions<'_>) -> Result<Report, Error> {
    Container::read(document)?.verify(document, options)
}

impl Container {
    /// Verifies every signature, countersignatures included. `source` is the
    /// source from which the container was read; the content is read once.
    ///
    /// # Errors
    /// [`Error::Malformed`] if a SignerInfo is malformed, [`Error::Limit`] for
    /// too many or too deep countersignatures, [`Error::Core`] if a source
    /// fails. An invalid signature is not an error: the report lists its problems.
    pub fn verify(
        &self,
        source: &mut Document<'_>,
        options: VerifyOptions<'_>,
    ) -> Result<Report, Error> {
        let (mut listing, mut evidence) = (Listing::new(), Evidence::new());
        let VerifyOptions { original, verified } = options;
        let into = (&mut listing, &mut evidence);
        let report = self.verify_as(source, original, Profile::Cades, into, &verified);
        report.map(|report| report.with_evidence(&Arc::new(evidence)))
    }

    /// Verifies by the rules of CAdES or of a format that embeds CMS. The facts of the
    /// report are about `evidence`, which they do not have yet.
    pub(crate) fn verify_as(
        &self,
        source: &mut Document<'_>,
        original: Option<&mut dyn Original>,
        profile: Profile,
        (listing, evidence): (&mut Listing, &mut Evidence),
        verified: &VerifiedValues,
    ) -> Result<Report, Error> {
        let signers = read_all(self.signer_elements()?)?;
        let mut algorithms = digest_algorithms(&signers);
        let of_imprints = imprint_algorithms(&signers)?;
        algorithms.extend(of_imprints.of_content);
        algorithms.sort_unstable();
        algorithms.dedup();
        let with_digester = |algorithm| (algorithm, Digester::new(algorithm));
        let mut archived: Vec<_> =
            of_imprints.of_version_2.into_iter().map(with_digester).collect();
        let hold = signers.iter().any(SignerInfo::is_over_content);
        let digests =
            ContentDigests::read(self, &algorithms, hold, &mut archived, source, original)?;
        let covered = Covered {
            digests: digests.as_slice(),
            octets: digests.octets.as_deref().filter(|_| digests.agree()),
        };
        let mut builder = ReportBuilder {
            container: self,
            certificates: CertificateIndex::new(self.certificates()),
            listing,
            verified,
            in_container: ContainerEvidence::add(self, evidence)?,
            evidence,
            archived: Archived::new(archived),
            hashed: HashedElements::default(),
            countersignatures: 0,
        };
        let subject = Subject::Document(profile);
        let signatures = signers
            .iter()
            .map(|signer| builder.signature(signer, covered, subject, 0))
            .collect::<Result<_, _>>()?;
        Ok(Report {
            packaging: if self.is_enveloping() { "enveloping" } else { "detached" },
            version: self.version(),
            first_not_der: self.first_not_der(),
            content_length: self.content_len(),
            certificates: self.certificates().len(),
            revocation_values: self.crl_elements()?.len(),
            signatures,
        })
    }
}

/// What is known of the data that a signature covers.
#[derive(Clone, Copy)]
struct Covered<'d> {
    /// Its digests, by all algorithms in use. Empty if the data is missing.
    digests: &'d [Digest],
    /// The data itself, if it is held.
    octets: Option<&'d [u8]>,
}

/// The first problem of a signature that is about to be written, apart from its
/// value and from trust. `digest` is that of the data that it covers.
pub(crate) fn first_problem(
    signer: &SignerInfo<'_>,
    certificate: &Certificate,
    digest: &Digest,
    subject: Subject,
) -> Result<Option<Problem>, Error> {
    let mut certificates = CertificateIndex::new(std::slice::from_ref(certificate));
    let mut findings = Findings::new(signer, subject, &mut certificates, &mut Listing::new())?;
    findings.check_algorithms();
    findings.check_digest(std::slice::from_ref(digest));
    findings.check_attributes(oids::DATA);
    findings.check_algorithm_protection();
    Ok(findings.problems.first().copied())
}

/// The kind of data that a signature covers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Document(Profile),
    /// Another signature, whose countersignature this is.
    Signature,
}

/// Where the claimed signing time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// The signed attributes have signing-time.
    Cades,
    /// The embedding format stores the time, and there is no signing-time.
    Embedded { claimed_time: Option<DateTime<Utc>> },
}

/// Builds the reports of one container's signatures.
///
/// The index of certificates is built once, because a container may have many
/// signers and many certificates.
struct ReportBuilder<'c, 's> {
    container: &'c Container,
    certificates: CertificateIndex<'c>,
    listing: &'s mut Listing,
    verified: &'s VerifiedValues,
    evidence: &'s mut Evidence,
    /// The evidence in the container's own fields.
    in_container: ContainerEvidence<'c>,
    archived: Archived,
    hashed: HashedElements,
    /// Number of countersignatures found so far.
    countersignatures: usize,
}

impl ReportBuilder<'_, '_> {
    /// The report of one signer.
    fn signature(
        &mut self,
        signer: &SignerInfo<'_>,
        covered: Covered<'_>,
        subject: Subject,
        depth: usize,
    ) -> Result<SignatureReport, Error> {
        let mut findings = Findings::new(signer, subject, &mut self.certificates, self.listing)?;
        findings.check_algorithms();
        findings.check_digest(covered.digests);
        findings.check_value(covered, self.verified);
        findings.check_attributes(&self.container.encap.content_type);
        findings.check_algorithm_protection();

        let unsigned = signer.unsigned()?;
        let mut found = SignatureEvidence::of_signed(signer, covered, self.evidence)?;
        let inner = self.countersignatures_of(signer, &unsigned, depth, &mut found)?;
        found.add_unsigned(signer, &unsigned, self.evidence, &mut self.archived)?;
        self.compare_archive_time_stamps(signer, covered, subject, &unsigned, &found);
        let level = self.level(&findings.problems, &unsigned, &found);
        findings.time_stamps = found.positions();
        findings.into_report(level, &unsigned, inner, self.listing)
    }

    /// The reports of the countersignatures. Adds the evidence in each of them to `found`.
    fn countersignatures_of(
        &mut self,
        signer: &SignerInfo<'_>,
        unsigned: &[Attribute<'_>],
        depth: usize,
        found: &mut SignatureEvidence<'_>,
    ) -> Result<Vec<SignatureReport>, Error> {
        let left = MAX_COUNTERSIGNATURES.saturating_sub(self.countersignatures);
        let inner = countersignatures(unsigned, left)?;
        self.countersignatures += inner.len();
        if depth == MAX_COUNTERSIGNATURE_DEPTH && !inner.is_empty() {
            return Err(Limit::CountersignatureDepth.into());
        }
        let digests: Vec<Digest> = digest_algorithms(&inner)
            .into_iter()
            .map(|algorithm| Digest::of(algorithm, signer.signature))
            .collect();
        let covered = Covered { digests: &digests, octets: Some(signer.signature) };
        let mut reports = Vec::new();
        for inner in &inner {
            let mark = self.evidence.mark();
            reports.push(self.signature(inner, covered, Subject::Signature, depth + 1)?);
            found.add_countersignature(self.evidence.since(mark));
        }
        Ok(reports)
    }

    /// The highest level of EN 319 122-1, table 1, for which there is evidence.
    fn level(
        &self,
        problems: &[Problem],
        unsigned: &[Attribute<'_>],
        found: &SignatureEvidence<'_>,
    ) -> Level {
        const BELOW: [Problem; 12] = [
            Problem::AttributeMalformed,
            Problem::AttributeRepeated,
            Problem::ContentTypeMismatch,
            Problem::ContentTypeNotData,
            Problem::MessageDigestMissing,
            Problem::SignedAttributesMissing,
            Problem::SignerCertificateMissing,
            Problem::SigningCertificateMissing,
            Problem::SigningCertificateMismatch,
            Problem::SigningCertificateTwice,
            Problem::SigningTimeMissing,
            Problem::SigningTimePresent,
        ];
        let earlier =
            unsigned.iter().any(|attribute| oids::BEFORE_BASELINE.contains(&attribute.kind));
        if problems.iter().any(|p| BELOW.contains(p)) {
            Level::Below
        } else if !found.is_fitting(oids::SIGNATURE_TIME_STAMP, self.evidence) {
            Level::B
        } else if earlier || self.in_container.objects.revocation_values.is_empty() {
            Level::T
        } else if found.is_fitting(oids::ARCHIVE_TIME_STAMP_V3, self.evidence) {
            Level::Lta
        } else {
            Level::Lt
        }
    }
}

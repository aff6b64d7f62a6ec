//! Inspects and verifies containers (RFC 5652, 5.6; EN 319 122-1, 6.3).

mod signature;
mod signed_attributes;

use ades_core::trust::{IssuerPool, PathBuilder};
use ades_core::{Digest, Document};
use chrono::{DateTime, Utc};

use crate::certificate_index::CertificateIndex;
use crate::container::{Container, MAX_COUNTERSIGNATURE_DEPTH, MAX_COUNTERSIGNATURES};
use crate::content::{ContentDigests, digest_algorithms};
use crate::error::{Error, Limit};
use crate::oids;
use crate::options::{Original, VerifyOptions};
use crate::report::{Level, Problem, Report, SignatureReport};
use crate::signer_info::{Attribute, SignerInfo, countersignatures, read_all};
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
        let mut trust = PathBuilder::new(options.trust);
        self.verify_as(source, options.original, &mut trust, Profile::Cades)
    }

    /// Verifies by the rules of CAdES or of a format that embeds CMS.
    pub(crate) fn verify_as(
        &self,
        source: &mut Document<'_>,
        original: Option<&mut dyn Original>,
        trust: &mut PathBuilder<'_>,
        profile: Profile,
    ) -> Result<Report, Error> {
        let signers = read_all(self.signer_elements()?)?;
        let digests = ContentDigests::read(self, &digest_algorithms(&signers), source, original)?;
        let revocation_values = self.crl_elements()?.len();
        let mut builder = ReportBuilder {
            container: self,
            certificates: CertificateIndex::new(self.certificates()),
            issuers: IssuerPool::of(self.certificates()),
            trust,
            has_revocation_values: revocation_values > 0,
            countersignatures: 0,
        };
        let subject = Subject::Document(profile);
        let signatures = signers
            .iter()
            .map(|signer| builder.signature(signer, digests.as_slice(), subject, 0))
            .collect::<Result<_, _>>()?;
        Ok(Report {
            packaging: if self.is_enveloping() { "enveloping" } else { "detached" },
            version: self.version(),
            first_not_der: self.first_not_der(),
            content_length: self.content_len(),
            certificates: self.certificates().len(),
            revocation_values,
            signatures,
        })
    }
}

/// The data that a signature covers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
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
/// The indexes of certificates and issuers are built once, because a container
/// may have many signers and many certificates.
struct ReportBuilder<'c, 's, 't> {
    container: &'c Container,
    certificates: CertificateIndex<'c>,
    issuers: IssuerPool<'c>,
    trust: &'s mut PathBuilder<'t>,
    has_revocation_values: bool,
    /// Number of countersignatures found so far.
    countersignatures: usize,
}

impl ReportBuilder<'_, '_, '_> {
    /// The report of one signer. `digests` are the digests of the data that it
    /// covers, by all algorithms in use. They are empty if that data is missing.
    fn signature(
        &mut self,
        signer: &SignerInfo<'_>,
        digests: &[Digest],
        subject: Subject,
        depth: usize,
    ) -> Result<SignatureReport, Error> {
        let mut findings = Findings::new(signer, subject, &mut self.certificates)?;
        findings.check_algorithms();
        findings.check_digest_and_value(digests);
        findings.check_attributes(&self.container.encap.content_type);
        findings.check_algorithm_protection();
        findings.check_certificate(self.trust, &self.issuers);

        let unsigned = signer.unsigned()?;
        let level = level(&findings.problems, &unsigned, self.has_revocation_values);
        let inner = self.countersignatures_of(signer, &unsigned, depth)?;
        Ok(findings.into_report(level, &unsigned, inner))
    }

    fn countersignatures_of(
        &mut self,
        signer: &SignerInfo<'_>,
        unsigned: &[Attribute<'_>],
        depth: usize,
    ) -> Result<Vec<SignatureReport>, Error> {
        let left = MAX_COUNTERSIGNATURES.saturating_sub(self.countersignatures);
        let found = countersignatures(unsigned, left)?;
        self.countersignatures += found.len();
        if depth == MAX_COUNTERSIGNATURE_DEPTH && !found.is_empty() {
            return Err(Limit::CountersignatureDepth.into());
        }
        let digests: Vec<Digest> = digest_algorithms(&found)
            .into_iter()
            .map(|algorithm| Digest::of(algorithm, signer.signature))
            .collect();
        found
            .iter()
            .map(|inner| self.signature(inner, &digests, Subject::Signature, depth + 1))
            .collect()
    }
}

/// The highest level whose attributes are present (EN 319 122-1, table 1),
/// whether or not they verify.
fn level(problems: &[Problem], unsigned: &[Attribute<'_>], has_revocation_values: bool) -> Level {
    const BELOW: [Problem; 11] = [
        Problem::AttributeMalformed,
        Problem::AttributeRepeated,
        Problem::ContentTypeMismatch,
        Problem::ContentTypeNotData,
        Problem::MessageDigestMissing,
        Problem::SignedAttributesMissing,
        Problem::SignerCertificateMissing,
        Problem::SigningCertificateMissing,
        Problem::SigningCertificateMismatch,
        Problem::SigningTimeMissing,
        Problem::SigningTimePresent,
    ];
    let has = |kind: &[u8]| unsigned.iter().any(|a| a.kind == kind);
    if problems.iter().any(|p| BELOW.contains(p)) {
        Level::Below
    } else if !has(oids::SIGNATURE_TIME_STAMP) {
        Level::B
    } else if !has_revocation_values {
        Level::T
    } else if !has(oids::ARCHIVE_TIME_STAMP_V3) {
        Level::Lt
    } else {
        Level::Lta
    }
}

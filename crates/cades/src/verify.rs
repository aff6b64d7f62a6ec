//! Inspecting and verifying containers (RFC 5652, 5.6; EN 319 122-1, 6.3).

mod signed;

use ades_core::certificate::UsageCheck;
use ades_core::trust::{IssuerPool, PathBuilder};
use ades_core::verify::{verify, verify_digest};
use ades_core::{Certificate, Digest, DigestAlgorithm, Digester, Document, Oid};
use chrono::{DateTime, Utc};

use crate::attributes::issuer_serial;
use crate::container::{Container, MAX_COUNTERSIGNATURES};
use crate::error::Error;
use crate::lookup::Lookup;
use crate::oids;
use crate::report::{Coverage, Level, Problem, Report, SignatureReport};
use crate::signer_info::{Attribute, SignerInfo};
use ades_core::asn1::ber::Element;
use signed::Signed;

/// Countersignatures of countersignatures are followed this deep.
const MAX_COUNTERSIGNATURE_DEPTH: usize = 8;

/// What signatures are verified against.
#[derive(Debug, Default)]
pub struct Given<'a, 'd> {
    /// The document of a detached signature; of an enveloping one, what its
    /// content has to be.
    pub original: Option<&'a mut Document<'d>>,
    /// Trust anchors. Without any, trust is not judged.
    pub trust: &'a [Certificate],
}

impl Container {
    /// Verifies every signature, countersignatures included. `source` is what
    /// the container was read from; its content is read once.
    ///
    /// # Errors
    /// [`Error::Malformed`] if a SignerInfo does not read, [`Error::Limit`] for
    /// too many or too deep countersignatures, [`Error::Core`] if a source
    /// fails. A signature that is wrong is no error: the report says what is.
    pub fn verify(&self, source: &mut Document<'_>, given: Given<'_, '_>) -> Result<Report, Error> {
        let mut trust = PathBuilder::new(given.trust);
        self.verify_as(source, given.original, &mut trust, Profile::Cades)
    }

    /// Verifies by the rules of CAdES or of a format that embeds CMS.
    pub(crate) fn verify_as(
        &self,
        source: &mut Document<'_>,
        original: Option<&mut Document<'_>>,
        trust: &mut PathBuilder<'_>,
        profile: Profile,
    ) -> Result<Report, Error> {
        let signers = read_all(self.signer_elements()?)?;
        let contents = self.content_digests(&signers, source, original)?;
        let revocation_values = self.crl_elements()?.len();
        let mut judge = Judge {
            container: self,
            certificates: Lookup::new(self.certificates()),
            authorities: IssuerPool::of(self.certificates()),
            trust,
            revocation_values: revocation_values > 0,
            countersignatures: 0,
        };
        let signatures = signers
            .iter()
            .map(|signer| judge.judge(signer, &contents, Subject::Document(profile), 0))
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

    /// The digests of what is signed under every algorithm the signers use, in one
    /// pass over each: the content in the container and the document beside it,
    /// where both are there, and both have to be what was signed.
    fn content_digests(
        &self,
        signers: &[SignerInfo<'_>],
        source: &mut Document<'_>,
        original: Option<&mut Document<'_>>,
    ) -> Result<Vec<Digest>, Error> {
        let digesters = || digest_algorithms(signers).into_iter().map(Digester::new);
        let update = |digesters: &mut [Digester], piece: &[u8]| {
            digesters.iter_mut().for_each(|digester| digester.update(piece));
        };
        let mut all = Vec::new();
        if self.is_enveloping() {
            let mut content: Vec<Digester> = digesters().collect();
            self.read_content(source, &mut |piece| {
                update(&mut content, piece);
                Ok(())
            })?;
            all.append(&mut content);
        }
        if let Some(original) = original {
            let mut beside: Vec<Digester> = digesters().collect();
            original.read_through(&mut |piece| {
                update(&mut beside, piece);
                Ok(())
            })?;
            all.append(&mut beside);
        }
        Ok(all.into_iter().map(Digester::finish).collect())
    }
}

fn read_all(elements: Vec<Element<'_>>) -> Result<Vec<SignerInfo<'_>>, Error> {
    elements.into_iter().map(SignerInfo::read).collect()
}

/// Those of all signers, each once.
fn digest_algorithms(signers: &[SignerInfo<'_>]) -> Vec<DigestAlgorithm> {
    let mut algorithms: Vec<DigestAlgorithm> =
        signers.iter().filter_map(|s| s.digest_algorithm().ok()).collect();
    algorithms.sort_unstable();
    algorithms.dedup();
    algorithms
}

/// Judges the signatures of one container. What they share is made once: a
/// container may have many signers and many certificates.
struct Judge<'c, 's, 't> {
    container: &'c Container,
    certificates: Lookup<'c>,
    authorities: IssuerPool<'c>,
    trust: &'s mut PathBuilder<'t>,
    revocation_values: bool,
    /// So many were found until now.
    countersignatures: usize,
}

impl Judge<'_, '_, '_> {
    /// Judges a signer. `digests` are those of what has to be signed, for each
    /// algorithm; none of what is not here.
    fn judge(
        &mut self,
        signer: &SignerInfo<'_>,
        digests: &[Digest],
        subject: Subject,
        depth: usize,
    ) -> Result<SignatureReport, Error> {
        let signed = Signed::read(&signer.signed()?);
        let unsigned = signer.unsigned()?;
        let mut problems = signed.problems.clone();
        let mut problem = |condition: bool, problem| {
            if condition && !problems.contains(&problem) {
                problems.push(problem);
            }
            condition
        };

        let by_hash = signed.signing_certificate.as_ref();
        let certificate = match by_hash {
            Some(hash) => self.certificates.with_digest(hash),
            None => self.certificates.named(&signer.sid),
        };
        problem(certificate.is_none(), Problem::SignerCertificateMissing);
        let other = |c: &Certificate| {
            let named = signed.issuer_serial.as_ref();
            !signer.sid.names(c) || named.is_some_and(|named| *named != issuer_serial(c))
        };
        problem(certificate.is_some_and(other), Problem::SigningCertificateMismatch);

        let algorithm = signer.algorithm().ok();
        let digest_algorithm = signer.digest_algorithm().ok();
        problem(algorithm.is_none(), Problem::UnsupportedAlgorithm);
        if let (Some(algorithm), Some(digest)) = (algorithm, digest_algorithm) {
            problem(algorithm.digest_algorithm() != digest, Problem::DigestAlgorithmMismatch);
        }

        // The document's digest.
        let of_algorithm = |digest: &&Digest| Some(digest.algorithm()) == digest_algorithm;
        let found: Vec<&Digest> = digests.iter().filter(of_algorithm).collect();
        let is_here = !found.is_empty();
        problem(!is_here && digest_algorithm.is_some(), Problem::ContentMissing);
        let digest_matches = match &signed.message_digest {
            Some(signed) if is_here => {
                let other = found.iter().any(|digest| signed != digest.value());
                !problem(other, Problem::DigestMismatch)
            }
            _ => false,
        };

        // The value: over the signed attributes, or (plain CMS) the content.
        let verifies = |data: &[u8]| {
            certificate.zip(algorithm).is_some_and(|(certificate, algorithm)| {
                verify(certificate, algorithm, data, signer.signature).is_ok()
            })
        };
        let plain = signer.signed_attributes.is_none();
        let (digest_matches, value_verifies) = match signer.to_be_signed() {
            Some((received, _)) if verifies(&received) => (digest_matches, true),
            Some((_, Some(reordered))) if verifies(&reordered) => {
                (digest_matches, problem(true, Problem::SignedAttributesNotDer))
            }
            None if is_here => {
                let verifies = certificate.zip(algorithm).is_some_and(|(c, a)| {
                    found.iter().all(|digest| verify_digest(c, a, digest, signer.signature).is_ok())
                });
                (verifies, verifies)
            }
            _ => (digest_matches, false),
        };
        problem(
            certificate.is_some() && algorithm.is_some() && (!plain || is_here) && !value_verifies,
            Problem::SignatureInvalid,
        );

        let of_document = matches!(subject, Subject::Document(_));
        let is_data = self.container.encap.content_type == oids::DATA;
        problem(of_document && !is_data, Problem::ContentTypeNotData);
        if !problem(plain, Problem::SignedAttributesMissing) {
            problem(signed.message_digest.is_none(), Problem::MessageDigestMissing);
            let embedded = matches!(subject, Subject::Document(Profile::Embedded { .. }));
            let has_time = signed.signing_time.is_some();
            problem(!embedded && !has_time, Problem::SigningTimeMissing);
            problem(embedded && has_time, Problem::SigningTimePresent);
            problem(by_hash.is_none(), Problem::SigningCertificateMissing);
            let content_type = match subject {
                Subject::Document(_) => Some(self.container.encap.content_type.as_slice()),
                Subject::Signature => None,
            };
            problem(signed.content_type.as_deref() != content_type, Problem::ContentTypeMismatch);
        }
        if let (Some(protected), Some(algorithm)) = (&signed.protected, algorithm) {
            let (digest, signature) = signer.algorithm_oids();
            problem(
                (protected.0, protected.1) != (digest, signature),
                Problem::AlgorithmProtectionMismatch,
            );
            problem(
                protected.2.is_some_and(|p| p != algorithm),
                Problem::AlgorithmProtectionMismatch,
            );
        }
        let claimed_time = match subject {
            Subject::Document(Profile::Embedded { claimed_time }) => claimed_time,
            _ => signed.signing_time,
        };
        if let (Some(certificate), Some(time)) = (certificate, claimed_time) {
            let (from, to) = certificate.validity();
            problem(time < from || time > to, Problem::CertificateNotValidAtSigningTime);
        }
        let other_use = |c: &Certificate| !c.allows(UsageCheck::Signature);
        problem(certificate.is_some_and(other_use), Problem::KeyUsage);
        let trusted =
            certificate.and_then(|c| self.trust.reaches_anchor(c, &self.authorities, claimed_time));
        problem(trusted == Some(false), Problem::Untrusted);

        let level = level(&problems, &unsigned, self.revocation_values);
        let countersignatures = self.countersignatures(signer, &unsigned, depth)?;
        let (digest_oid, signature_oid) = signer.algorithm_oids();
        let name = |known: Option<String>, oid: Option<Oid>| {
            known.or_else(|| oid.map(|o| o.to_string())).unwrap_or_default()
        };
        Ok(SignatureReport {
            format: "CAdES",
            level,
            intact: digest_matches && value_verifies,
            signer: certificate.and_then(|c| c.common_name().map(ToOwned::to_owned)),
            covers: if is_here { Coverage::Whole } else { Coverage::Unknown },
            problems,
            trusted,
            signing_time: claimed_time,
            digest_algorithm: name(digest_algorithm.map(|a| a.to_string()), digest_oid),
            signature_algorithm: name(algorithm.map(|a| a.to_string()), signature_oid),
            policy: signed.policy,
            commitment: signed.commitment,
            signer_roles: signed.signer_roles,
            location: signed.location,
            mime_type: signed.mime_type,
            description: signed.description,
            unsigned_attributes: unsigned
                .iter()
                .filter_map(|a| Oid::from_bytes(a.kind).ok())
                .collect(),
            countersignatures,
        })
    }

    /// Judges the signatures on a signature.
    fn countersignatures(
        &mut self,
        signer: &SignerInfo<'_>,
        unsigned: &[Attribute<'_>],
        depth: usize,
    ) -> Result<Vec<SignatureReport>, Error> {
        let mut found = Vec::new();
        for attribute in unsigned.iter().filter(|a| a.kind == oids::COUNTERSIGNATURE) {
            let elements = attribute.values()?;
            self.countersignatures += elements.len();
            if self.countersignatures > MAX_COUNTERSIGNATURES {
                return Err(Error::Limit { limit: "1,024 countersignatures" });
            }
            found.extend(read_all(elements)?);
        }
        if depth == MAX_COUNTERSIGNATURE_DEPTH && !found.is_empty() {
            return Err(Error::Limit { limit: "8 levels of countersignatures" });
        }
        let digests: Vec<Digest> = digest_algorithms(&found)
            .into_iter()
            .map(|algorithm| Digest::of(algorithm, signer.signature))
            .collect();
        found
            .iter()
            .map(|inner| self.judge(inner, &digests, Subject::Signature, depth + 1))
            .collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    Document(Profile),
    Signature,
}

/// Whose rules hold for the time that a signature claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// signing-time is in the signed attributes.
    Cades,
    /// The embedding format has the time, and signing-time is not there.
    Embedded { claimed_time: Option<DateTime<Utc>> },
}

/// The highest level whose attributes are there (EN 319 122-1, table 1). It
/// says nothing about whether they verify.
fn level(problems: &[Problem], unsigned: &[Attribute<'_>], revocation_values: bool) -> Level {
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
    } else if !revocation_values {
        Level::T
    } else if !has(oids::ARCHIVE_TIME_STAMP_V3) {
        Level::Lt
    } else {
        Level::Lta
    }
}

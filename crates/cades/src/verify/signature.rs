//! The checks of one signature.

use ades_core::certificate::UsageCheck;
use ades_core::trust::{IssuerPool, PathBuilder};
use ades_core::verify::{verify, verify_digest};
use ades_core::{Certificate, Digest, DigestAlgorithm, Oid, SignatureAlgorithm};
use chrono::{DateTime, Utc};

use super::signed_attributes::SignedAttributes;
use super::{Profile, Subject};
use crate::attributes::issuer_serial;
use crate::certificate_index::CertificateIndex;
use crate::error::Error;
use crate::oids;
use crate::report::{Coverage, Level, Problem, SignatureReport};
use crate::signer_info::{Attribute, SignerInfo};

/// The results of the checks of one signature. Problems are in the order of the
/// checks.
pub(super) struct Findings<'a> {
    signer: &'a SignerInfo<'a>,
    subject: Subject,
    signed: SignedAttributes,
    certificate: Option<&'a Certificate>,
    algorithm: Option<SignatureAlgorithm>,
    digest_algorithm: Option<DigestAlgorithm>,
    /// Whether the data that the signature covers was available.
    is_covered: bool,
    digest_matches: bool,
    value_verifies: bool,
    trusted: Option<bool>,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Findings<'a> {
    /// Reads the signed attributes and finds the signer's certificate.
    pub(super) fn new<'c: 'a>(
        signer: &'a SignerInfo<'a>,
        subject: Subject,
        certificates: &mut CertificateIndex<'c>,
    ) -> Result<Self, Error> {
        let signed = SignedAttributes::read(&signer.signed()?);
        let certificate = match &signed.signing_certificate {
            Some(digest) => certificates.with_digest(digest),
            None => certificates.with_sid(&signer.sid),
        };
        let mut findings = Self {
            signer,
            subject,
            problems: signed.problems.clone(),
            signed,
            certificate,
            algorithm: signer.algorithm().ok(),
            digest_algorithm: signer.digest_algorithm().ok(),
            is_covered: false,
            digest_matches: false,
            value_verifies: false,
            trusted: None,
        };
        findings.check_identity();
        Ok(findings)
    }

    fn add_if(&mut self, condition: bool, problem: Problem) {
        if condition && !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// signing-certificate-v2 and the signer identifier must name the same
    /// certificate.
    fn check_identity(&mut self) {
        self.add_if(self.certificate.is_none(), Problem::SignerCertificateMissing);
        let differs = self.certificate.is_some_and(|certificate| {
            let named = self.signed.issuer_serial.as_ref();
            !self.signer.sid.names(certificate)
                || named.is_some_and(|named| *named != issuer_serial(certificate))
        });
        self.add_if(differs, Problem::SigningCertificateMismatch);
    }

    pub(super) fn check_algorithms(&mut self) {
        self.add_if(self.algorithm.is_none(), Problem::UnsupportedAlgorithm);
        if let (Some(algorithm), Some(digest)) = (self.algorithm, self.digest_algorithm) {
            let differ = algorithm.digest_algorithm() != digest;
            self.add_if(differ, Problem::DigestAlgorithmMismatch);
        }
    }

    /// Compares the digest of the signed data, and verifies the value over the
    /// signed attributes or, in plain CMS, over the signed data.
    pub(super) fn check_digest_and_value(&mut self, digests: &[Digest]) {
        let of_algorithm = |digest: &&Digest| Some(digest.algorithm()) == self.digest_algorithm;
        let found: Vec<&Digest> = digests.iter().filter(of_algorithm).collect();
        self.is_covered = !found.is_empty();
        let is_missing = !self.is_covered && self.digest_algorithm.is_some();
        self.add_if(is_missing, Problem::ContentMissing);
        if let Some(signed) = &self.signed.message_digest
            && self.is_covered
        {
            self.digest_matches = found.iter().all(|digest| signed == digest.value());
            self.add_if(!self.digest_matches, Problem::DigestMismatch);
        }

        match self.signer.to_be_signed() {
            Some((received, _)) if self.verifies(&received) => self.value_verifies = true,
            Some((_, Some(sorted))) if self.verifies(&sorted) => {
                self.value_verifies = true;
                self.add_if(true, Problem::SignedAttributesNotDer);
            }
            None if self.is_covered => {
                self.value_verifies = self.verifies_digests(&found);
                self.digest_matches = self.value_verifies;
            }
            _ => {}
        }
        let has_key = self.certificate.is_some() && self.algorithm.is_some();
        let has_data = self.signer.signed_attributes.is_some() || self.is_covered;
        let is_invalid = has_key && has_data && !self.value_verifies;
        self.add_if(is_invalid, Problem::SignatureInvalid);
    }

    fn verifies(&self, data: &[u8]) -> bool {
        self.certificate.zip(self.algorithm).is_some_and(|(certificate, algorithm)| {
            verify(certificate, algorithm, data, self.signer.signature).is_ok()
        })
    }

    fn verifies_digests(&self, digests: &[&Digest]) -> bool {
        self.certificate.zip(self.algorithm).is_some_and(|(certificate, algorithm)| {
            let value = self.signer.signature;
            digests
                .iter()
                .all(|digest| verify_digest(certificate, algorithm, digest, value).is_ok())
        })
    }

    /// Checks that the signature has the attributes of a baseline signature
    /// (EN 319 122-1, table 1), and that content-type equals eContentType.
    pub(super) fn check_attributes(&mut self, e_content_type: &[u8]) {
        let is_of_document = matches!(self.subject, Subject::Document(_));
        let is_data = e_content_type == oids::DATA;
        self.add_if(is_of_document && !is_data, Problem::ContentTypeNotData);
        if self.signer.signed_attributes.is_none() {
            self.add_if(true, Problem::SignedAttributesMissing);
            return;
        }
        self.add_if(self.signed.message_digest.is_none(), Problem::MessageDigestMissing);
        let is_embedded = matches!(self.subject, Subject::Document(Profile::Embedded { .. }));
        let has_time = self.signed.signing_time.is_some();
        self.add_if(!is_embedded && !has_time, Problem::SigningTimeMissing);
        self.add_if(is_embedded && has_time, Problem::SigningTimePresent);
        let no_certificate = self.signed.signing_certificate.is_none();
        self.add_if(no_certificate, Problem::SigningCertificateMissing);
        let expected = is_of_document.then_some(e_content_type);
        let differs = self.signed.content_type.as_deref() != expected;
        self.add_if(differs, Problem::ContentTypeMismatch);
    }

    /// Compares cms-algorithm-protection, if it is there, with SignerInfo
    /// (RFC 6211).
    pub(super) fn check_algorithm_protection(&mut self) {
        let (Some(protected), Some(algorithm)) = (&self.signed.protected, self.algorithm) else {
            return;
        };
        let (digest, signature) = self.signer.algorithm_oids();
        let differs = (protected.digest, protected.signature) != (digest, signature)
            || protected.algorithm.is_some_and(|protected| protected != algorithm);
        self.add_if(differs, Problem::AlgorithmProtectionMismatch);
    }

    /// Checks the certificate at the claimed time, and whether a path leads from
    /// it to a trust anchor.
    pub(super) fn check_certificate(
        &mut self,
        trust: &mut PathBuilder<'_>,
        issuers: &IssuerPool<'_>,
    ) {
        let Some(certificate) = self.certificate else {
            return;
        };
        let claimed_time = self.claimed_time();
        if let Some(time) = claimed_time {
            let (from, to) = certificate.validity();
            self.add_if(time < from || time > to, Problem::CertificateNotValidAtSigningTime);
        }
        self.add_if(!certificate.allows(UsageCheck::Signature), Problem::KeyUsage);
        self.trusted = trust.reaches_anchor(certificate, issuers, claimed_time);
        self.add_if(self.trusted == Some(false), Problem::Untrusted);
    }

    fn claimed_time(&self) -> Option<DateTime<Utc>> {
        match self.subject {
            Subject::Document(Profile::Embedded { claimed_time }) => claimed_time,
            Subject::Document(Profile::Cades) | Subject::Signature => self.signed.signing_time,
        }
    }

    pub(super) fn into_report(
        self,
        level: Level,
        unsigned: &[Attribute<'_>],
        countersignatures: Vec<SignatureReport>,
    ) -> SignatureReport {
        let (digest_oid, signature_oid) = self.signer.algorithm_oids();
        let name = |known: Option<String>, oid: Option<Oid>| {
            known.or_else(|| oid.map(|o| o.to_string())).unwrap_or_default()
        };
        SignatureReport {
            format: "CAdES",
            level,
            intact: self.digest_matches && self.value_verifies,
            signer: self.certificate.and_then(|c| c.common_name().map(ToOwned::to_owned)),
            covers: if self.is_covered { Coverage::Whole } else { Coverage::Unknown },
            trusted: self.trusted,
            signing_time: self.claimed_time(),
            digest_algorithm: name(self.digest_algorithm.map(|a| a.to_string()), digest_oid),
            signature_algorithm: name(self.algorithm.map(|a| a.to_string()), signature_oid),
            problems: self.problems,
            policy: self.signed.policy,
            commitment: self.signed.commitment,
            signer_roles: self.signed.signer_roles,
            location: self.signed.location,
            mime_type: self.signed.mime_type,
            description: self.signed.description,
            unsigned_attributes: unsigned
                .iter()
                .filter_map(|a| Oid::from_bytes(a.kind).ok())
                .collect(),
            countersignatures,
        }
    }
}

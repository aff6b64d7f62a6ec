//! The checks of one signature.

use ades_core::asn1::ber::{self, Reader};
use ades_core::facts::SignatureFacts;
use ades_core::name::is_issuer_and_serial;
use ades_core::verify::verify_digest;
use ades_core::{Certificate, Digest, DigestAlgorithm, Oid, SignatureAlgorithm};
use ades_evidence::VerifiedValues;
use chrono::{DateTime, Utc};

use super::signed_attributes::SignedAttributes;
use super::{Covered, Profile, Subject};
use crate::certificate_index::CertificateIndex;
use crate::error::Error;
use crate::listing::Listing;
use crate::oids;
use crate::report::{Coverage, Level, Problem, SignatureReport};
use crate::signer_info::{Attribute, SignerInfo, ToBeSigned, attributes};

/// The results of the checks of one signature. Problems are in the order of the
/// checks.
pub(super) struct Findings<'a> {
    signer: &'a SignerInfo<'a>,
    subject: Subject,
    /// The data to be signed, until the value was verified.
    to_be_signed: Option<Result<ToBeSigned, ber::Error>>,
    signed: SignedAttributes,
    certificate: Option<&'a Certificate>,
    algorithm: Option<SignatureAlgorithm>,
    digest_algorithm: Option<DigestAlgorithm>,
    /// Whether the data that the signature covers was available.
    is_covered: bool,
    /// `None` if it could not be found out.
    digest_matches: Option<bool>,
    /// `None` if it could not be found out.
    value_verifies: Option<bool>,
    /// The positions of the time-stamps in the evidence.
    pub(super) time_stamps: Vec<usize>,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Findings<'a> {
    /// Reads the signed attributes and finds the signer's certificate.
    pub(super) fn new<'c: 'a>(
        signer: &'a SignerInfo<'a>,
        subject: Subject,
        certificates: &mut CertificateIndex<'c>,
        listing: &mut Listing,
    ) -> Result<Self, Error> {
        let received = signer.signed()?;
        let to_be_signed = signer.to_be_signed();
        // In DER, strings are not in segments.
        let signed = match &to_be_signed {
            Some(Ok(ToBeSigned { der, .. })) => {
                let set = Reader::new(der, 0).next("expected signed attributes")?;
                SignedAttributes::read(&attributes(set)?, listing)?
            }
            _ => SignedAttributes::read(&received, listing)?,
        };
        let certificate = match &signed.signing_certificate {
            Some(digest) => certificates.with_digest(digest),
            None => certificates.with_sid(&signer.sid),
        };
        let mut findings = Self {
            signer,
            subject,
            to_be_signed,
            problems: signed.problems.clone(),
            signed,
            certificate,
            algorithm: signer.algorithm().ok(),
            digest_algorithm: signer.digest_algorithm().ok(),
            is_covered: false,
            digest_matches: None,
            value_verifies: None,
            time_stamps: Vec::new(),
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
        let Some(certificate) = self.certificate else { return };
        self.add_if(!self.signer.sid.names(certificate), Problem::SigningCertificateMismatch);
        // The digest names the certificate, and issuerSerial beside it is a hint.
        let named = self.signed.issuer_serial.as_deref();
        let differs = named.is_some_and(|named| !is_issuer_and_serial(named, certificate));
        self.add_if(differs, Problem::IssuerSerialMismatch);
    }

    pub(super) fn check_algorithms(&mut self) {
        self.add_if(self.algorithm.is_none(), Problem::UnsupportedAlgorithm);
        if let (Some(algorithm), Some(digest)) = (self.algorithm, self.digest_algorithm) {
            let differ = algorithm.digest_algorithm() != digest;
            self.add_if(differ, Problem::DigestAlgorithmMismatch);
        }
    }

    /// Compares the digest of the signed data with message-digest.
    pub(super) fn check_digest(&mut self, digests: &[Digest]) {
        let of_algorithm = |digest: &&Digest| Some(digest.algorithm()) == self.digest_algorithm;
        let found: Vec<&Digest> = digests.iter().filter(of_algorithm).collect();
        self.is_covered = !found.is_empty();
        let is_missing = !self.is_covered && self.digest_algorithm.is_some();
        self.add_if(is_missing, Problem::ContentMissing);
        if self.signer.signed_attributes.is_some() && self.is_covered {
            // Without message-digest, nothing binds the content.
            let signed = self.signed.message_digest.as_deref();
            let matches = found.iter().all(|digest| signed == Some(digest.value()));
            self.add_if(signed.is_some() && !matches, Problem::DigestMismatch);
            self.digest_matches = Some(matches);
        }
    }

    /// Verifies the value over the DER of the signed attributes or, in plain CMS,
    /// over the signed data.
    pub(super) fn check_value(&mut self, covered: Covered<'_>, verified: &VerifiedValues) {
        match self.to_be_signed.take() {
            Some(Ok(attributes)) => {
                self.add_if(!attributes.is_der, Problem::SignedAttributesNotDer);
                self.value_verifies = self.verifies(&attributes.der, verified);
            }
            // Without their DER, nobody can know what was signed.
            Some(Err(_)) => self.add_if(true, Problem::AttributeMalformed),
            None if self.signer.is_over_content() => {
                let octets = covered.octets;
                self.add_if(octets.is_none() && self.is_covered, Problem::UnsupportedAlgorithm);
                self.value_verifies = octets.and_then(|octets| self.verifies(octets, verified));
                self.digest_matches = self.value_verifies;
            }
            None if self.is_covered => {
                self.value_verifies = self.verifies_digests(covered.digests);
                self.digest_matches = self.value_verifies;
            }
            None => {}
        }
        self.add_if(self.value_verifies == Some(false), Problem::SignatureInvalid);
    }

    /// Whether the value verifies over `data`. `None` if this version does not support
    /// the algorithm or the key.
    fn verifies(&mut self, data: &[u8], verified: &VerifiedValues) -> Option<bool> {
        let (certificate, algorithm) = self.certificate.zip(self.algorithm)?;
        let result = verified.verify(certificate, algorithm, data, self.signer.signature);
        self.add_if(result.is_none(), Problem::UnsupportedAlgorithm);
        result
    }

    /// As [`verifies`](Self::verifies), over data with these digests.
    fn verifies_digests(&mut self, digests: &[Digest]) -> Option<bool> {
        let (certificate, algorithm) = self.certificate.zip(self.algorithm)?;
        let value = self.signer.signature;
        let mut all = Some(true);
        let of = self.digest_algorithm;
        for digest in digests.iter().filter(|digest| Some(digest.algorithm()) == of) {
            let result = verify_digest(certificate, algorithm, digest, value);
            let one = self.decided(result);
            all = if one == Some(true) { all } else { one };
        }
        all
    }

    fn decided(&mut self, result: Result<(), ades_core::Error>) -> Option<bool> {
        match result {
            Ok(()) => Some(true),
            Err(ades_core::Error::CertificateNotFit(_) | ades_core::Error::Parameter { .. }) => {
                self.add_if(true, Problem::UnsupportedAlgorithm);
                None
            }
            Err(_) => Some(false),
        }
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
        listing: &mut Listing,
    ) -> Result<SignatureReport, Error> {
        let intact = match (self.digest_matches, self.value_verifies) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        };
        let mut facts = SignatureFacts::new();
        facts.certificate = self.certificate.cloned();
        // A container in DER orders its signers by their octets, which grow.
        facts.value_digest = Some(Digest::of(DigestAlgorithm::Sha256, self.signer.signature));
        facts.signature_algorithm = self.algorithm;
        facts.digest_algorithms = self.digest_algorithm.into_iter().collect();
        facts.time_stamps.clone_from(&self.time_stamps);
        let (digest_oid, signature_oid) = self.signer.algorithm_oids();
        let name = |known: Option<String>, oid: Option<Oid>| {
            known.or_else(|| oid.map(|o| o.to_string())).unwrap_or_default()
        };
        let signing_time = self.claimed_time();
        let mut further = self.signed.further;
        let in_cms = self.signed.signing_time.filter(|time| Some(*time) != signing_time);
        further.signing_times.splice(..0, in_cms);
        let signer = self.certificate.and_then(Certificate::common_name);
        listing.take(signer.map_or(0, str::len))?;
        let mut unsigned_attributes = Vec::new();
        for attribute in unsigned {
            listing.take(0)?;
            unsigned_attributes.extend(Oid::from_bytes(attribute.kind).ok());
        }
        Ok(SignatureReport {
            format: "CAdES",
            level,
            intact,
            signer: signer.map(ToOwned::to_owned),
            covers: if self.is_covered { Coverage::Whole } else { Coverage::Unknown },
            claimed_time: signing_time,
            digest_algorithm: name(self.digest_algorithm.map(|a| a.to_string()), digest_oid),
            signature_algorithm: name(self.algorithm.map(|a| a.to_string()), signature_oid),
            problems: self.problems,
            policy: self.signed.policy,
            commitment: self.signed.commitment,
            signer_roles: self.signed.signer_roles,
            location: self.signed.location,
            mime_type: self.signed.mime_type,
            description: self.signed.description,
            further,
            unsigned_attributes,
            countersignatures,
            facts,
        })
    }
}

//! Inspecting and verifying containers (RFC 5652, 5.6; EN 319 122-1, 6.3).

use ades_core::verify::{leads_to, verify, verify_digest};
use ades_core::{
    Certificate, CommitmentType, Digest, DigestAlgorithm, Digester, Document, Oid, SignerLocation,
};
use chrono::{DateTime, NaiveDateTime, Utc};
use rasn::types::{OctetString, Utf8String};
use rasn_pkix::DirectoryString;

use crate::attributes::{
    CommitmentTypeIndication, ContentHints, DisplayText, SignaturePolicyId, SignerAttributeV2,
    SignerLocationValue, SigningCertificateV2, SpUserNotice,
};
use crate::ber::Element;
use crate::container::Container;
use crate::der;
use crate::error::Error;
use crate::oids;
use crate::report::{Coverage, Level, PolicyReport, Problem, Report, SignatureReport};
use crate::signer_info::{Attribute, SignerInfo};

/// Countersignatures of countersignatures are followed this deep.
const MAX_COUNTERSIGNATURE_DEPTH: usize = 8;

/// What signatures are verified against.
#[derive(Debug, Default)]
pub struct Given<'a, 'd> {
    /// The document of a detached signature.
    pub original: Option<&'a mut Document<'d>>,
    /// Trust anchors. Without any, trust is not judged.
    pub trust: &'a [Certificate],
}

impl Container {
    /// Verifies every signature, countersignatures included. `source` is what
    /// the container was read from; its content is read once.
    ///
    /// # Errors
    /// [`Error::Malformed`] if a SignerInfo does not read, [`Error::Core`] if
    /// a source fails. A signature that is wrong is no error: the report says
    /// what is.
    pub fn verify(&self, source: &mut Document<'_>, given: Given<'_, '_>) -> Result<Report, Error> {
        self.verify_as(source, given, Profile::Cades)
    }

    /// Verifies by the rules of CAdES or of a format that embeds CMS.
    pub(crate) fn verify_as(
        &self,
        source: &mut Document<'_>,
        given: Given<'_, '_>,
        profile: Profile,
    ) -> Result<Report, Error> {
        let elements = self.signer_elements()?;
        let signers = elements.into_iter().map(SignerInfo::read).collect::<Result<Vec<_>, _>>()?;
        let contents = self.content_digests(&signers, source, given.original)?;
        let signatures = signers
            .iter()
            .map(|signer| {
                let digest =
                    |algorithm| contents.iter().find(|d| d.algorithm() == algorithm).cloned();
                self.judge(signer, &digest, Subject::Document(profile), given.trust, 0)
            })
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

    /// The content's digests under every algorithm the signers use, in one pass.
    fn content_digests(
        &self,
        signers: &[SignerInfo<'_>],
        source: &mut Document<'_>,
        original: Option<&mut Document<'_>>,
    ) -> Result<Vec<Digest>, Error> {
        let mut algorithms: Vec<DigestAlgorithm> =
            signers.iter().filter_map(|s| s.digest_algorithm().ok()).collect();
        algorithms.sort_unstable();
        algorithms.dedup();
        let mut digesters: Vec<Digester> = algorithms.into_iter().map(Digester::new).collect();
        let mut update = |piece: &[u8]| digesters.iter_mut().for_each(|d| d.update(piece));
        if self.is_enveloping() {
            self.read_content(source, &mut |piece| {
                update(piece);
                Ok(())
            })?;
        } else if let Some(original) = original {
            original.read_through(&mut |piece| {
                update(piece);
                Ok(())
            })?;
        } else {
            return Ok(Vec::new());
        }
        Ok(digesters.into_iter().map(Digester::finish).collect())
    }

    fn judge(
        &self,
        signer: &SignerInfo<'_>,
        content_digest: &dyn Fn(DigestAlgorithm) -> Option<Digest>,
        subject: Subject,
        trust: &[Certificate],
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
        let certificate = self.certificates().iter().find(|c| {
            by_hash.map_or_else(|| signer.names(c), |hash| c.digest(hash.algorithm()) == *hash)
        });
        problem(certificate.is_none(), Problem::SignerCertificateMissing);
        problem(certificate.is_some_and(|c| !signer.names(c)), Problem::SigningCertificateMismatch);

        let algorithm = signer.algorithm().ok();
        let digest_algorithm = signer.digest_algorithm().ok();
        problem(algorithm.is_none(), Problem::UnsupportedAlgorithm);
        if let (Some(algorithm), Some(digest)) = (algorithm, digest_algorithm) {
            problem(algorithm.digest_algorithm() != digest, Problem::DigestAlgorithmMismatch);
        }

        // The document's digest.
        let found = digest_algorithm.and_then(content_digest);
        problem(found.is_none() && digest_algorithm.is_some(), Problem::ContentMissing);
        let digest_matches = match (&signed.message_digest, &found) {
            (Some(signed), Some(found)) => {
                !problem(signed != found.value(), Problem::DigestMismatch)
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
        let (digest_matches, value_verifies) = match (signer.to_be_signed(), &found) {
            (Some((received, _)), _) if verifies(&received) => (digest_matches, true),
            (Some((_, Some(reordered))), _) if verifies(&reordered) => {
                (digest_matches, problem(true, Problem::SignedAttributesNotDer))
            }
            (None, Some(digest)) => {
                let verifies = certificate
                    .zip(algorithm)
                    .is_some_and(|(c, a)| verify_digest(c, a, digest, signer.signature).is_ok());
                (verifies, verifies)
            }
            _ => (digest_matches, false),
        };
        problem(
            certificate.is_some()
                && algorithm.is_some()
                && (!plain || found.is_some())
                && !value_verifies,
            Problem::SignatureInvalid,
        );

        if !problem(plain, Problem::SignedAttributesMissing) {
            problem(signed.message_digest.is_none(), Problem::MessageDigestMissing);
            let embedded = matches!(subject, Subject::Document(Profile::Embedded { .. }));
            let has_time = signed.signing_time.is_some();
            problem(!embedded && !has_time, Problem::SigningTimeMissing);
            problem(embedded && has_time, Problem::SigningTimePresent);
            problem(by_hash.is_none(), Problem::SigningCertificateMissing);
            let content_type = match subject {
                Subject::Document(_) => Some(self.encap.content_type.as_slice()),
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
        let trusted = certificate
            .filter(|_| !trust.is_empty())
            .map(|c| leads_to(c, self.certificates(), trust, claimed_time));
        problem(trusted == Some(false), Problem::Untrusted);

        let level = level(&problems, &unsigned, !self.crl_elements()?.is_empty());
        let countersignatures = if depth == MAX_COUNTERSIGNATURE_DEPTH {
            return Err(Error::Limit { limit: "8 levels of countersignatures" });
        } else {
            let over = |algorithm| Some(Digest::of(algorithm, signer.signature));
            signer
                .countersignatures()?
                .into_iter()
                .map(|element| {
                    let inner = SignerInfo::read(element)?;
                    self.judge(&inner, &over, Subject::Signature, trust, depth + 1)
                })
                .collect::<Result<_, _>>()?
        };
        let (digest_oid, signature_oid) = signer.algorithm_oids();
        let name = |known: Option<String>, oid: Option<Oid>| {
            known.or_else(|| oid.map(|o| o.to_string())).unwrap_or_default()
        };
        Ok(SignatureReport {
            format: "CAdES",
            level,
            intact: digest_matches && value_verifies,
            signer: certificate.and_then(|c| c.common_name().map(ToOwned::to_owned)),
            covers: if found.is_some() { Coverage::Whole } else { Coverage::Unknown },
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
    const BELOW: [Problem; 10] = [
        Problem::AttributeMalformed,
        Problem::AttributeRepeated,
        Problem::ContentTypeMismatch,
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

/// What the signed attributes say.
#[derive(Debug, Default)]
struct Signed {
    content_type: Option<Vec<u8>>,
    message_digest: Option<Vec<u8>>,
    signing_time: Option<DateTime<Utc>>,
    signing_certificate: Option<Digest>,
    protected: Option<(Option<Oid>, Option<Oid>, Option<ades_core::SignatureAlgorithm>)>,
    policy: Option<PolicyReport>,
    commitment: Option<CommitmentType>,
    signer_roles: Vec<String>,
    location: Option<SignerLocation>,
    mime_type: Option<String>,
    description: Option<String>,
    problems: Vec<Problem>,
}

impl Signed {
    fn read(attributes: &[Attribute<'_>]) -> Self {
        let mut signed = Self::default();
        let mut seen: Vec<&[u8]> = Vec::new();
        for attribute in attributes {
            let known_once = [
                oids::CONTENT_TYPE,
                oids::MESSAGE_DIGEST,
                oids::SIGNING_TIME,
                oids::SIGNING_CERTIFICATE_V2,
                oids::SIGNATURE_POLICY,
                oids::COMMITMENT_TYPE,
                oids::SIGNER_LOCATION,
                oids::SIGNER_ATTRIBUTES_V2,
                oids::MIME_TYPE,
                oids::CONTENT_HINTS,
                oids::ALGORITHM_PROTECTION,
            ];
            let once = known_once.contains(&attribute.kind);
            if once && (seen.contains(&attribute.kind) || attribute.values.len() != 1) {
                signed.add(Problem::AttributeRepeated);
                continue;
            }
            seen.push(attribute.kind);
            if let Some(value) = attribute.values.first()
                && signed.take(attribute.kind, value).is_none()
            {
                signed.add(Problem::AttributeMalformed);
            }
        }
        signed
    }

    fn add(&mut self, problem: Problem) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Reads one value; `None` if it is malformed.
    fn take(&mut self, kind: &[u8], value: &Element<'_>) -> Option<()> {
        let raw = value.raw;
        match kind {
            oids::CONTENT_TYPE => {
                self.content_type = (value.tag == der::OID).then(|| value.content.to_vec());
                self.content_type.as_ref().map(|_| ())
            }
            oids::MESSAGE_DIGEST => {
                let digest: OctetString = rasn::ber::decode(raw).ok()?;
                self.message_digest = Some(digest.to_vec());
                Some(())
            }
            oids::SIGNING_TIME => {
                self.signing_time = Some(time(value)?);
                Some(())
            }
            oids::SIGNING_CERTIFICATE_V2 => {
                let named: SigningCertificateV2 = rasn::ber::decode(raw).ok()?;
                let first = named.certs.first()?;
                let algorithm = rasn::der::encode(&first.hash_algorithm.algorithm).ok()?;
                let algorithm = Oid::from_bytes(algorithm.get(2..)?).ok()?;
                match DigestAlgorithm::from_oid(algorithm) {
                    Ok(algorithm) => {
                        self.signing_certificate =
                            Some(Digest::new(algorithm, first.cert_hash.to_vec()).ok()?);
                    }
                    Err(_) => self.add(Problem::UnsupportedAlgorithm),
                }
                Some(())
            }
            oids::ALGORITHM_PROTECTION => self.take_protection(value),
            oids::SIGNATURE_POLICY => {
                self.policy = Some(policy(raw)?);
                Some(())
            }
            oids::COMMITMENT_TYPE => {
                let commitment: CommitmentTypeIndication = rasn::ber::decode(raw).ok()?;
                self.commitment = Some(CommitmentType(commitment.commitment_type_id.read()?));
                Some(())
            }
            oids::SIGNER_LOCATION => {
                let location: SignerLocationValue = rasn::ber::decode(raw).ok()?;
                self.location = Some(SignerLocation {
                    country: location.country_name.as_ref().and_then(text),
                    locality: location.locality_name.as_ref().and_then(text),
                    postal_address: location
                        .postal_address
                        .unwrap_or_default()
                        .iter()
                        .filter_map(text)
                        .collect(),
                });
                Some(())
            }
            oids::SIGNER_ATTRIBUTES_V2 => {
                let attributes: SignerAttributeV2 = rasn::ber::decode(raw).ok()?;
                let claimed = attributes.claimed_attributes.unwrap_or_default();
                for value in claimed.iter().flat_map(|a| a.values.to_vec().into_iter().cloned()) {
                    let role = rasn::ber::decode::<DirectoryString>(value.as_bytes());
                    self.signer_roles.extend(role.ok().as_ref().and_then(text));
                }
                Some(())
            }
            oids::MIME_TYPE => {
                self.mime_type = Some(rasn::ber::decode::<Utf8String>(raw).ok()?);
                Some(())
            }
            oids::CONTENT_HINTS => {
                let hints: ContentHints = rasn::ber::decode(raw).ok()?;
                self.description = hints.content_description;
                Some(())
            }
            _ => Some(()),
        }
    }

    /// `CMSAlgorithmProtection`: compared by OID, and as a whole where we know
    /// the algorithm, so that NULL and absent parameters are the same.
    fn take_protection(&mut self, value: &Element<'_>) -> Option<()> {
        let mut fields = value.children();
        let digest = fields.next("").ok()?;
        let signature = fields.next_if(der::context(1)).ok()?;
        let first_oid = |e: &Element<'_>| {
            let first = e.children().try_next().ok()??;
            Oid::from_bytes(first.content).ok()
        };
        let digest_algorithm = DigestAlgorithm::from_algorithm_identifier(digest.raw).ok();
        let algorithm = signature.zip(digest_algorithm).and_then(|(signature, digest)| {
            let identifier = der::element(der::SEQUENCE, &[signature.content]);
            ades_core::SignatureAlgorithm::from_algorithm_identifier(&identifier, digest).ok()
        });
        self.protected =
            Some((first_oid(&digest), signature.as_ref().and_then(first_oid), algorithm));
        Some(())
    }
}

fn policy(raw: &[u8]) -> Option<PolicyReport> {
    let policy: SignaturePolicyId = rasn::ber::decode(raw).ok()?;
    let value = policy.sig_policy_hash.hash_value;
    let algorithm = oid(&policy.sig_policy_hash.hash_algorithm.algorithm)?;
    let digest = DigestAlgorithm::from_oid(algorithm)
        .ok()
        .filter(|_| value.iter().any(|&b| b != 0))
        .and_then(|algorithm| Digest::new(algorithm, value.to_vec()).ok());
    let (mut uri, mut user_notice) = (None, None);
    for qualifier in policy.sig_policy_qualifiers.unwrap_or_default() {
        let Some(value) = &qualifier.qualifier else {
            continue;
        };
        match qualifier.id.read()?.as_bytes() {
            oids::SP_URI => {
                let text: rasn::types::Ia5String = rasn::ber::decode(value.as_bytes()).ok()?;
                uri = Some(text.to_string());
            }
            oids::SP_USER_NOTICE => {
                let notice: SpUserNotice = rasn::ber::decode(value.as_bytes()).ok()?;
                user_notice = notice.explicit_text.map(|text| match text {
                    DisplayText::Visible(text) => text.to_string(),
                    DisplayText::Bmp(text) => utf16(&text),
                    DisplayText::Utf8(text) => text,
                });
            }
            _ => {}
        }
    }
    Some(PolicyReport { id: policy.sig_policy_id.read()?, digest, uri, user_notice })
}

/// `UTCTime` (two-digit years: 1950 to 2049) or `GeneralizedTime`, in the one
/// form RFC 5652 allows.
fn time(value: &Element<'_>) -> Option<DateTime<Utc>> {
    let text = std::str::from_utf8(value.content).ok()?;
    let digits = text.strip_suffix('Z')?;
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let full = match (value.tag, digits.len()) {
        (0x17, 12) => format!("{}{digits}", if digits < "50" { "20" } else { "19" }),
        (0x18, 14) => digits.to_owned(),
        _ => return None,
    };
    NaiveDateTime::parse_from_str(&full, "%Y%m%d%H%M%S").ok().map(|t| t.and_utc())
}

fn oid(oid: &rasn::types::ObjectIdentifier) -> Option<Oid> {
    let der = rasn::der::encode(oid).ok()?;
    Oid::from_bytes(der.get(2..)?).ok()
}

fn text(value: &DirectoryString) -> Option<String> {
    match value {
        DirectoryString::Utf8(text) => Some(text.clone()),
        DirectoryString::Printable(text) => String::from_utf8(text.as_bytes().to_vec()).ok(),
        DirectoryString::Bmp(text) => Some(utf16(text)),
        DirectoryString::Teletex(_) | DirectoryString::Universal(_) => None,
    }
}

fn utf16(text: &rasn::types::BmpString) -> String {
    String::from_utf16_lossy(&text.clone().into_vec())
}

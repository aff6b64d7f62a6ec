//! Reads the signed attributes of a signature.

use ades_core::asn1::ber::Element;
use ades_core::asn1::der;
use ades_core::{CommitmentType, Digest, DigestAlgorithm, Oid, SignatureAlgorithm, SignerLocation};
use chrono::{DateTime, Utc};
use rasn::types::{OctetString, Utf8String};
use rasn_pkix::DirectoryString;

use crate::attributes::{
    CommitmentTypeIndication, ContentHints, DisplayText, SignaturePolicyId, SignerAttributeV2,
    SignerLocationValue, SigningCertificateV2, SpUserNotice, read_signing_time,
};
use crate::oids;
use crate::report::{PolicyReport, Problem};
use crate::signer_info::Attribute;

/// The attributes that are read. Each may occur once, with one value.
const KNOWN: [&[u8]; 11] = [
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

/// The values of the signed attributes, and the problems with them.
#[derive(Debug, Default)]
pub(super) struct SignedAttributes {
    pub(super) content_type: Option<Vec<u8>>,
    pub(super) message_digest: Option<Vec<u8>>,
    pub(super) signing_time: Option<DateTime<Utc>>,
    pub(super) signing_certificate: Option<Digest>,
    /// The DER of the issuerSerial next to the digest, if there is one.
    pub(super) issuer_serial: Option<Vec<u8>>,
    pub(super) protected: Option<ProtectedAlgorithms>,
    pub(super) policy: Option<PolicyReport>,
    pub(super) commitment: Option<CommitmentType>,
    pub(super) signer_roles: Vec<String>,
    pub(super) location: Option<SignerLocation>,
    pub(super) mime_type: Option<String>,
    pub(super) description: Option<String>,
    pub(super) problems: Vec<Problem>,
}

/// The algorithms in cms-algorithm-protection.
#[derive(Debug)]
pub(super) struct ProtectedAlgorithms {
    pub(super) digest: Option<Oid>,
    pub(super) signature: Option<Oid>,
    /// The signature algorithm with its parameters, if it is supported.
    pub(super) algorithm: Option<SignatureAlgorithm>,
}

impl SignedAttributes {
    pub(super) fn read(attributes: &[Attribute<'_>]) -> Self {
        let mut signed = Self::default();
        let mut seen: Vec<&[u8]> = Vec::new();
        for attribute in attributes {
            if !KNOWN.contains(&attribute.kind) {
                continue;
            }
            let Some(value) = attribute.only_value().filter(|_| !seen.contains(&attribute.kind))
            else {
                signed.add(Problem::AttributeRepeated);
                continue;
            };
            seen.push(attribute.kind);
            if signed.read_value(attribute.kind, &value).is_none() {
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
    fn read_value(&mut self, kind: &[u8], value: &Element<'_>) -> Option<()> {
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
                self.signing_time = Some(read_signing_time(value)?);
                Some(())
            }
            oids::SIGNING_CERTIFICATE_V2 => self.read_signing_certificate(raw),
            oids::ALGORITHM_PROTECTION => {
                self.protected = Some(protected_algorithms(value)?);
                Some(())
            }
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
                self.location = Some(location(raw)?);
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

    fn read_signing_certificate(&mut self, raw: &[u8]) -> Option<()> {
        let named: SigningCertificateV2 = rasn::ber::decode(raw).ok()?;
        let first = named.certs.first()?;
        self.issuer_serial = first.issuer_serial.as_ref().map(|s| s.as_bytes().to_vec());
        match DigestAlgorithm::from_oid(oid(&first.hash_algorithm.algorithm)?) {
            Ok(algorithm) => {
                self.signing_certificate =
                    Some(Digest::new(algorithm, first.cert_hash.to_vec()).ok()?);
            }
            Err(_) => self.add(Problem::UnsupportedAlgorithm),
        }
        Some(())
    }
}

/// `CMSAlgorithmProtection` (RFC 6211). Its OIDs are compared with those of
/// SignerInfo, and so is the algorithm as a whole if it is supported. NULL and
/// absent parameters are the same algorithm.
fn protected_algorithms(value: &Element<'_>) -> Option<ProtectedAlgorithms> {
    let mut fields = value.children();
    let digest = fields.next("expected digestAlgorithm").ok()?;
    let signature = fields.next_if(der::context(1)).ok()?;
    let first_oid = |e: &Element<'_>| {
        let first = e.children().try_next().ok()??;
        Oid::from_bytes(first.content).ok()
    };
    let digest_algorithm = DigestAlgorithm::from_algorithm_identifier(digest.raw).ok();
    let algorithm = signature.zip(digest_algorithm).and_then(|(signature, digest)| {
        let identifier = der::element(der::SEQUENCE, &[signature.content]);
        SignatureAlgorithm::from_algorithm_identifier(&identifier, digest).ok()
    });
    let signature = signature.as_ref().and_then(first_oid);
    Some(ProtectedAlgorithms { digest: first_oid(&digest), signature, algorithm })
}

fn location(raw: &[u8]) -> Option<SignerLocation> {
    let location: SignerLocationValue = rasn::ber::decode(raw).ok()?;
    let lines = location.postal_address.unwrap_or_default();
    let mut found = SignerLocation::default();
    found.country = location.country_name.as_ref().and_then(text);
    found.locality = location.locality_name.as_ref().and_then(text);
    found.postal_address = lines.iter().filter_map(text).collect();
    Some(found)
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

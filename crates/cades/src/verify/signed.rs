//! What a signature's signed attributes say.

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
use ades_core::asn1::ber::Element;
use ades_core::asn1::der;

/// What the signed attributes say.
#[derive(Debug, Default)]
pub(super) struct Signed {
    pub(super) content_type: Option<Vec<u8>>,
    pub(super) message_digest: Option<Vec<u8>>,
    pub(super) signing_time: Option<DateTime<Utc>>,
    pub(super) signing_certificate: Option<Digest>,
    /// The DER of IssuerSerial beside it, if there is one.
    pub(super) issuer_serial: Option<Vec<u8>>,
    pub(super) protected: Option<(Option<Oid>, Option<Oid>, Option<SignatureAlgorithm>)>,
    pub(super) policy: Option<PolicyReport>,
    pub(super) commitment: Option<CommitmentType>,
    pub(super) signer_roles: Vec<String>,
    pub(super) location: Option<SignerLocation>,
    pub(super) mime_type: Option<String>,
    pub(super) description: Option<String>,
    pub(super) problems: Vec<Problem>,
}

impl Signed {
    pub(super) fn read(attributes: &[Attribute<'_>]) -> Self {
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
            if !known_once.contains(&attribute.kind) {
                continue;
            }
            let Some(value) = attribute.only_value().filter(|_| !seen.contains(&attribute.kind))
            else {
                signed.add(Problem::AttributeRepeated);
                continue;
            };
            seen.push(attribute.kind);
            if signed.take(attribute.kind, &value).is_none() {
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
                self.signing_time = Some(read_signing_time(value)?);
                Some(())
            }
            oids::SIGNING_CERTIFICATE_V2 => {
                let named: SigningCertificateV2 = rasn::ber::decode(raw).ok()?;
                let first = named.certs.first()?;
                self.issuer_serial = first.issuer_serial.as_ref().map(|s| s.as_bytes().to_vec());
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
                let lines = location.postal_address.unwrap_or_default();
                let found = self.location.insert(SignerLocation::default());
                found.country = location.country_name.as_ref().and_then(text);
                found.locality = location.locality_name.as_ref().and_then(text);
                found.postal_address = lines.iter().filter_map(text).collect();
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
            SignatureAlgorithm::from_algorithm_identifier(&identifier, digest).ok()
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

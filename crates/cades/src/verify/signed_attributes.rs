//! Collects the signed attributes of a signature.

use ades_core::asn1::ber::Element;
use ades_core::asn1::der;
use ades_core::{CommitmentType, Digest, SignerLocation};
use ades_evidence::cms::{signing_certificate, signing_certificate_v1};
use chrono::{DateTime, Utc};

use super::values::{self, ProtectedAlgorithms, listed_text};
use crate::attributes::read_signing_time;
use crate::error::Error;
use crate::listing::Listing;
use crate::oids;
use crate::report::{Further, PolicyReport, Problem};
use crate::signer_info::Attribute;

/// The attributes that decide what was signed. Another one, or another value, is
/// not read.
const DECIDING: [&[u8]; 5] = [
    oids::CONTENT_TYPE,
    oids::MESSAGE_DIGEST,
    oids::SIGNING_CERTIFICATE,
    oids::SIGNING_CERTIFICATE_V2,
    oids::ALGORITHM_PROTECTION,
];
/// The attributes that say something to people. All of them and all their values
/// are reported, because all are signed.
const CLAIMING: [&[u8]; 7] = [
    oids::SIGNING_TIME,
    oids::SIGNATURE_POLICY,
    oids::COMMITMENT_TYPE,
    oids::SIGNER_LOCATION,
    oids::SIGNER_ATTRIBUTES_V2,
    oids::MIME_TYPE,
    oids::CONTENT_HINTS,
];

/// The values of the signed attributes, and the problems with them. Each
/// attribute may occur once, with one value.
#[derive(Debug, Default)]
pub(super) struct SignedAttributes {
    pub(super) content_type: Option<Vec<u8>>,
    pub(super) message_digest: Option<Vec<u8>>,
    pub(super) signing_certificate: Option<Digest>,
    /// The DER of the issuerSerial next to the digest, if there is one.
    pub(super) issuer_serial: Option<Vec<u8>>,
    pub(super) protected: Option<ProtectedAlgorithms>,
    pub(super) signing_time: Option<DateTime<Utc>>,
    pub(super) policy: Option<PolicyReport>,
    pub(super) commitment: Option<CommitmentType>,
    pub(super) signer_roles: Vec<String>,
    pub(super) location: Option<SignerLocation>,
    pub(super) mime_type: Option<String>,
    pub(super) description: Option<String>,
    pub(super) further: Further,
    pub(super) problems: Vec<Problem>,
}

impl SignedAttributes {
    /// Reads attributes in DER.
    pub(super) fn read(attributes: &[Attribute<'_>], listing: &mut Listing) -> Result<Self, Error> {
        let mut signed = Self::default();
        let mut seen: Vec<&[u8]> = Vec::new();
        for attribute in attributes {
            let is_claim = CLAIMING.contains(&attribute.kind);
            if !is_claim && !DECIDING.contains(&attribute.kind) {
                continue;
            }
            let only = attribute.only_value().filter(|_| !seen.contains(&attribute.kind));
            if only.is_none() {
                signed.add(Problem::AttributeRepeated);
            } else {
                seen.push(attribute.kind);
            }
            if is_claim {
                for value in attribute.values()? {
                    let read = signed.read_claim(attribute.kind, &value, listing)?;
                    signed.add_malformed(read);
                }
            } else if let Some(value) = only {
                let read = signed.read_deciding(attribute.kind, &value);
                signed.add_malformed(read);
            }
        }
        Ok(signed)
    }

    fn add(&mut self, problem: Problem) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn add_malformed(&mut self, read: Option<()>) {
        if read.is_none() {
            self.add(Problem::AttributeMalformed);
        }
    }

    /// Reads the value of an attribute of [`DECIDING`]; `None` if it is malformed.
    fn read_deciding(&mut self, kind: &[u8], value: &Element<'_>) -> Option<()> {
        match kind {
            oids::CONTENT_TYPE => {
                self.content_type = (value.tag == der::OID).then(|| value.content.to_vec());
                self.content_type.as_ref().map(|_| ())
            }
            oids::MESSAGE_DIGEST => {
                let is_octets = value.tag == der::OCTET_STRING;
                self.message_digest = is_octets.then(|| value.content.to_vec());
                self.message_digest.as_ref().map(|_| ())
            }
            // The baseline has one of the two forms (EN 319 122-1, 6.3). Where both are,
            // version 2 counts.
            oids::SIGNING_CERTIFICATE => {
                let named = signing_certificate_v1(value)?;
                self.add(Problem::LegacySigningCertificate);
                if self.signing_certificate.is_some() {
                    self.add(Problem::SigningCertificateTwice);
                    return Some(());
                }
                self.issuer_serial = named.issuer_serial.map(<[u8]>::to_vec);
                self.signing_certificate = named.digest;
                Some(())
            }
            oids::SIGNING_CERTIFICATE_V2 => {
                let named = signing_certificate(value)?;
                if self.signing_certificate.is_some() {
                    self.add(Problem::SigningCertificateTwice);
                }
                self.issuer_serial = named.issuer_serial.map(<[u8]>::to_vec);
                self.signing_certificate = named.digest;
                if self.signing_certificate.is_none() {
                    self.add(Problem::UnsupportedAlgorithm);
                }
                Some(())
            }
            oids::ALGORITHM_PROTECTION => {
                self.protected = Some(values::protected_algorithms(value)?);
                Some(())
            }
            _ => Some(()),
        }
    }

    /// Reads one value of an attribute of [`CLAIMING`]; `None` if it is malformed.
    fn read_claim(
        &mut self,
        kind: &[u8],
        value: &Element<'_>,
        listing: &mut Listing,
    ) -> Result<Option<()>, Error> {
        let further = &mut self.further;
        Ok(match kind {
            oids::SIGNING_TIME => {
                listing.take(0)?;
                keep(&mut self.signing_time, &mut further.signing_times, read_signing_time(value))
            }
            oids::SIGNATURE_POLICY => {
                listing.take(0)?;
                keep(&mut self.policy, &mut further.policies, values::policy(value, listing)?)
            }
            oids::COMMITMENT_TYPE => {
                listing.take(0)?;
                keep(&mut self.commitment, &mut further.commitments, values::commitment(value))
            }
            oids::SIGNER_LOCATION => {
                listing.take(0)?;
                keep(&mut self.location, &mut further.locations, values::location(value, listing)?)
            }
            oids::SIGNER_ATTRIBUTES_V2 => values::claimed_values(value, &mut |value| {
                self.signer_roles.extend(listed_text(value, listing)?);
                Ok(())
            })?,
            oids::MIME_TYPE => {
                let text = values::mime_type(value).map(|text| listed_text(&text, listing));
                keep(&mut self.mime_type, &mut further.mime_types, text.transpose()?.flatten())
            }
            oids::CONTENT_HINTS => match values::description(value) {
                None => None,
                Some(None) => Some(()),
                Some(Some(text)) => {
                    let text = listed_text(&text, listing)?;
                    keep(&mut self.description, &mut further.descriptions, text)
                }
            },
            _ => Some(()),
        })
    }
}

/// Keeps the first value apart from those after it.
fn keep<T>(first: &mut Option<T>, further: &mut Vec<T>, value: Option<T>) -> Option<()> {
    let value = value?;
    if first.is_none() {
        *first = Some(value);
    } else {
        further.push(value);
    }
    Some(())
}

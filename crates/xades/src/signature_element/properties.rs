//! Writing the signed properties of baseline B-B (EN 319 132-1, clauses 5.2 and
//! 6.3).

use ades_core::{CommitmentType, Digest, SignatureParameters, SignaturePolicy};
use chrono::{DateTime, SecondsFormat, Utc};

use crate::markup::Markup;
use crate::options::{ProductionPlace, SigningCertificate};

use super::SigningContext;
use super::ids::Ids;
use super::issuer_name::{decimal, rfc4514};
use super::reference::write_digest;

/// The media type of XML documents (RFC 7303).
const XML_MEDIA_TYPE: &str = "application/xml";

/// `xades:DataObjectFormat` (clause 5.2.4) of one reference.
#[derive(Clone, Debug)]
pub(crate) struct NewFormat {
    /// The Id of the reference.
    pub(crate) reference: String,
    /// The media type; by default that of an XML document.
    pub(crate) mime_type: Option<String>,
    pub(crate) description: Option<String>,
}

/// `xades:SignedProperties`. The parameters have been checked.
pub(crate) fn signed_properties(
    ids: &Ids,
    signing: &SigningContext<'_>,
    formats: &[NewFormat],
) -> String {
    let SigningContext { parameters, .. } = signing;
    let mut markup = Markup::default();
    markup.element("xades:SignedProperties", &[("Id", &ids.of("properties"))], |markup| {
        markup.element("xades:SignedSignatureProperties", &[], |markup| {
            let time = parameters.signing_time().time();
            let time = time.to_rfc3339_opts(SecondsFormat::Secs, true);
            markup.leaf("xades:SigningTime", &[], &time);
            signing_certificate(markup, signing);
            if let Some(policy) = parameters.signature_policy()
                && let Some(digest) = &policy.digest
            {
                signature_policy(markup, policy, digest);
            }
            if let Some(place) = signing.production_place() {
                production_place(markup, &place);
            }
            signer_role(markup, parameters);
        });
        if formats.is_empty() && parameters.commitments().is_empty() {
            return;
        }
        markup.element("xades:SignedDataObjectProperties", &[], |markup| {
            for format in formats {
                let object = format!("#{}", format.reference);
                let attributes = [("ObjectReference", object.as_str())];
                markup.element("xades:DataObjectFormat", &attributes, |markup| {
                    if let Some(description) = &format.description {
                        markup.leaf("xades:Description", &[], description);
                    }
                    let mime_type = format.mime_type.as_deref().unwrap_or(XML_MEDIA_TYPE);
                    markup.leaf("xades:MimeType", &[], mime_type);
                });
            }
            for commitment in parameters.commitments() {
                markup.element("xades:CommitmentTypeIndication", &[], |markup| {
                    markup.element("xades:CommitmentTypeId", &[], |m| {
                        commitment_identifier(m, *commitment)
                    });
                    markup.leaf("xades:AllSignedDataObjects", &[], "");
                });
            }
        });
    });
    markup.take()
}

/// Reads the signing time from the canonical form of properties that this module
/// wrote.
pub(crate) fn claimed_time(properties: &[u8]) -> Option<DateTime<Utc>> {
    let text = std::str::from_utf8(properties).ok()?;
    let (_, rest) = text.split_once("<xades:SigningTime>")?;
    let (time, _) = rest.split_once('<')?;
    DateTime::parse_from_rfc3339(time).ok().map(|time| time.with_timezone(&Utc))
}

/// Clause 5.2.2. Of the two properties, the older one comes first in the schema.
fn signing_certificate(markup: &mut Markup, signing: &SigningContext<'_>) {
    let leaf = signing.chain.leaf();
    let digest = |markup: &mut Markup| {
        let value = leaf.digest(signing.digest_algorithm());
        markup.element("xades:CertDigest", &[], |markup| write_digest(markup, &value));
    };
    let which = signing.options.signing_certificate;
    if matches!(which, SigningCertificate::V1 | SigningCertificate::Both) {
        markup.element("xades:SigningCertificate", &[], |markup| {
            markup.element("xades:Cert", &[], |markup| {
                digest(markup);
                markup.element("xades:IssuerSerial", &[], |markup| {
                    // A certificate that has been read has both.
                    let issuer = rfc4514(leaf.issuer()).unwrap_or_default();
                    let number = decimal(leaf.serial_number()).unwrap_or_default();
                    markup.leaf("ds:X509IssuerName", &[], &issuer);
                    markup.leaf("ds:X509SerialNumber", &[], &number);
                });
            });
        });
    }
    if matches!(which, SigningCertificate::V2 | SigningCertificate::Both) {
        markup.element("xades:SigningCertificateV2", &[], |markup| {
            markup.element("xades:Cert", &[], digest);
        });
    }
}

/// Clause 5.2.9.
fn signature_policy(markup: &mut Markup, policy: &SignaturePolicy, digest: &Digest) {
    markup.element("xades:SignaturePolicyIdentifier", &[], |markup| {
        markup.element("xades:SignaturePolicyId", &[], |markup| {
            markup.element("xades:SigPolicyId", &[], |markup| {
                // Clause 5.1.2: a URI that is not an OID has no qualifier.
                let (qualifier, uri) = match policy.id.oid() {
                    Some(oid) => (Some(("Qualifier", "OIDAsURN")), format!("urn:oid:{oid}")),
                    None => (None, policy.id.to_string()),
                };
                markup.leaf("xades:Identifier", qualifier.as_slice(), &uri);
            });
            markup.element("xades:SigPolicyHash", &[], |markup| write_digest(markup, digest));
            if policy.uri.is_none() && policy.user_notice.is_none() {
                return;
            }
            markup.element("xades:SigPolicyQualifiers", &[], |markup| {
                if let Some(uri) = &policy.uri {
                    markup.element("xades:SigPolicyQualifier", &[], |markup| {
                        markup.leaf("xades:SPURI", &[], uri);
                    });
                }
                if let Some(notice) = &policy.user_notice {
                    markup.element("xades:SigPolicyQualifier", &[], |markup| {
                        markup.element("xades:SPUserNotice", &[], |markup| {
                            markup.leaf("xades:ExplicitText", &[], notice);
                        });
                    });
                }
            });
        });
    });
}

/// Clause 5.2.5.
fn production_place(markup: &mut Markup, place: &ProductionPlace) {
    markup.element("xades:SignatureProductionPlaceV2", &[], |markup| {
        place.elements().for_each(|(name, text)| markup.leaf(name, &[], text));
    });
}

/// Clause 5.2.6.
fn signer_role(markup: &mut Markup, parameters: &SignatureParameters) {
    if parameters.signer_roles().is_empty() {
        return;
    }
    markup.element("xades:SignerRoleV2", &[], |markup| {
        markup.element("xades:ClaimedRoles", &[], |markup| {
            for role in parameters.signer_roles() {
                markup.leaf("xades:ClaimedRole", &[], role);
            }
        });
    });
}

/// Writes the URI of clause 5.2.3 for a commitment that CAdES identifies by an OID.
/// A `CommitmentTypeId` has no `Qualifier`, whatever kind of URI it contains.
fn commitment_identifier(markup: &mut Markup, commitment: CommitmentType) {
    let known = [
        (CommitmentType::ORIGIN, "ProofOfOrigin"),
        (CommitmentType::RECEIPT, "ProofOfReceipt"),
        (CommitmentType::DELIVERY, "ProofOfDelivery"),
        (CommitmentType::SENDER, "ProofOfSender"),
        (CommitmentType::APPROVAL, "ProofOfApproval"),
        (CommitmentType::CREATION, "ProofOfCreation"),
    ];
    match known.iter().find(|(known, _)| *known == commitment) {
        Some((_, name)) => {
            let uri = format!("http://uri.etsi.org/01903/v1.2.2#{name}");
            markup.leaf("xades:Identifier", &[], &uri);
        }
        None => {
            markup.leaf("xades:Identifier", &[], &format!("urn:oid:{}", commitment.0));
        }
    }
}

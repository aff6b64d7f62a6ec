//! The qualifying properties of baseline B-B (EN 319 132-1, clauses 5.2 and
//! 6.3).

use ades_core::error::Parameter;
use ades_core::parameters::{NO_TEXT, is_text};
use ades_core::{CommitmentType, Digest, SignatureParameters, SignaturePolicy};
use chrono::{DateTime, SecondsFormat, Utc};

use crate::draft::{Ids, Signer};
use crate::error::Error;
use crate::markup::Markup;
use crate::options::ProductionPlace;
use crate::reference::digest;

pub(crate) const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
pub(crate) const XADES: &str = "http://uri.etsi.org/01903/v1.3.2#";
pub(crate) const SIGNED_PROPERTIES: &str = "http://uri.etsi.org/01903#SignedProperties";
/// What an XML document is that nobody says more about (RFC 7303).
const MIME_TYPE: &str = "application/xml";

/// `xades:DataObjectFormat` (clause 5.2.4) of one reference.
#[derive(Clone, Debug)]
pub(crate) struct Format {
    /// The Id of the reference.
    pub(crate) reference: String,
    /// Its media type; without one, that of an XML document.
    pub(crate) mime_type: Option<String>,
    pub(crate) description: Option<String>,
}

/// `xades:SignedProperties`, as it stands in the signature.
pub(crate) fn signed_properties(
    ids: &Ids,
    signer: &Signer<'_>,
    formats: &[Format],
) -> Result<String, Error> {
    let Signer { chain, parameters, .. } = signer;
    let policy_hash = match parameters.signature_policy() {
        Some(SignaturePolicy { digest: None, .. }) => {
            return Err(Error::Core(ades_core::Error::Parameter {
                parameter: Parameter::Policy,
                problem: "XAdES needs the digest of the policy document",
            }));
        }
        Some(SignaturePolicy { digest: Some(digest), .. }) => Some(digest),
        None => None,
    };
    let place = checked_place(signer)?;
    let mut markup = Markup::default();
    markup.element("xades:SignedProperties", &[("Id", &ids.of("properties"))], |markup| {
        markup.element("xades:SignedSignatureProperties", &[], |markup| {
            let time = parameters.signing_time().time();
            let time = time.to_rfc3339_opts(SecondsFormat::Secs, true);
            markup.leaf("xades:SigningTime", &[], &time);
            markup.element("xades:SigningCertificateV2", &[], |markup| {
                markup.element("xades:Cert", &[], |markup| {
                    let value = chain.leaf().digest(signer.digest_algorithm());
                    markup.element("xades:CertDigest", &[], |m| digest(m, &value));
                });
            });
            if let (Some(policy), Some(value)) = (parameters.signature_policy(), policy_hash) {
                signature_policy(markup, policy, value);
            }
            if let Some(place) = &place {
                production_place(markup, place);
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
                    let mime_type = format.mime_type.as_deref().unwrap_or(MIME_TYPE);
                    markup.leaf("xades:MimeType", &[], mime_type);
                });
            }
            for commitment in parameters.commitments() {
                markup.element("xades:CommitmentTypeIndication", &[], |markup| {
                    markup.element("xades:CommitmentTypeId", &[], |m| identify(m, *commitment));
                    markup.leaf("xades:AllSignedDataObjects", &[], "");
                });
            }
        });
    });
    Ok(markup.finish())
}

/// The time that the canonical form of properties as written above claims.
pub(crate) fn claimed_time(properties: &[u8]) -> Option<DateTime<Utc>> {
    let text = std::str::from_utf8(properties).ok()?;
    let (_, behind) = text.split_once("<xades:SigningTime>")?;
    let (time, _) = behind.split_once('<')?;
    DateTime::parse_from_rfc3339(time).ok().map(|time| time.with_timezone(&Utc))
}

/// Clause 5.2.9.
fn signature_policy(markup: &mut Markup, policy: &SignaturePolicy, value: &Digest) {
    markup.element("xades:SignaturePolicyIdentifier", &[], |markup| {
        markup.element("xades:SignaturePolicyId", &[], |markup| {
            markup.element("xades:SigPolicyId", &[], |markup| {
                let urn = format!("urn:oid:{}", policy.id);
                markup.leaf("xades:Identifier", &[("Qualifier", "OIDAsURN")], &urn);
            });
            markup.element("xades:SigPolicyHash", &[], |markup| digest(markup, value));
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

/// The place that is to be written: `SignatureParameters` has checked its own.
fn checked_place(signer: &Signer<'_>) -> Result<Option<ProductionPlace>, Error> {
    let Some(place) = &signer.options.production_place else {
        return Ok(signer.parameters.signer_location().map(ProductionPlace::from));
    };
    let wrong = |problem| {
        let parameter = Parameter::ProductionPlace;
        Err(Error::Core(ades_core::Error::Parameter { parameter, problem }))
    };
    if place.elements().next().is_none() {
        return wrong("nothing in it");
    }
    if !place.elements().all(|(_, text)| is_text(text)) {
        return wrong(NO_TEXT);
    }
    Ok(Some(place.clone()))
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

/// The URIs of clause 5.2.3 for what CAdES names by OIDs. There is no
/// `Qualifier` in a `CommitmentTypeId`, whatever kind of URI it is.
fn identify(markup: &mut Markup, commitment: CommitmentType) {
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

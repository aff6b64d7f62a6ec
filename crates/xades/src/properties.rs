//! The qualifying properties of baseline B-B (EN 319 132-1, clauses 5.2 and
//! 6.3) and the signature around them (XML Signature, clause 4).

use ades_core::{
    CertificateChain, CommitmentType, Digest, SignatureAlgorithm, SignatureParameters,
    SignaturePolicy, base64,
};
use chrono::SecondsFormat;

use crate::c14n::Canonicalization;
use crate::error::Error;
use crate::markup::Markup;

pub(crate) const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
pub(crate) const XADES: &str = "http://uri.etsi.org/01903/v1.3.2#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
pub(crate) const SIGNED_PROPERTIES: &str = "http://uri.etsi.org/01903#SignedProperties";
/// What a document is that nobody says more about (RFC 7303).
const MIME_TYPE: &str = "application/xml";

/// The Ids in one signature.
#[derive(Debug)]
pub(crate) struct Ids {
    pub(crate) signature: String,
    pub(crate) reference: String,
    pub(crate) properties: String,
    pub(crate) value: String,
}

impl Ids {
    /// Ids that the target document does not have: they are made of its
    /// digest, which nobody can write into it.
    pub(crate) fn new(seed: &Digest) -> Self {
        let hex = seed.to_hex();
        let signature = format!("ades-{}", hex.get(..32).unwrap_or(&hex));
        Self {
            reference: format!("{signature}-document"),
            properties: format!("{signature}-properties"),
            value: format!("{signature}-value"),
            signature,
        }
    }
}

/// A `ds:Reference`, its digest known.
fn reference(
    markup: &mut Markup,
    attributes: &[(&str, &str)],
    transforms: &[&str],
    digest: &Digest,
) {
    markup.element("ds:Reference", attributes, |markup| {
        markup.element("ds:Transforms", &[], |markup| {
            for algorithm in transforms {
                markup.leaf("ds:Transform", &[("Algorithm", algorithm)], "");
            }
        });
        digest_of(markup, digest);
    });
}

/// `ds:DigestMethod` and `ds:DigestValue`.
fn digest_of(markup: &mut Markup, digest: &Digest) {
    markup.leaf("ds:DigestMethod", &[("Algorithm", digest.algorithm().xml_uri())], "");
    markup.leaf("ds:DigestValue", &[], &base64::encode(digest.value()));
}

/// The whole signature but its value, in two pieces: the value comes between.
pub(crate) fn signature(
    ids: &Ids,
    algorithm: SignatureAlgorithm,
    document: &Digest,
    properties: &str,
    properties_digest: &Digest,
    chain: &CertificateChain,
) -> (String, String) {
    const BETWEEN: &str = "<?value?>";

    let exclusive = Canonicalization::EXCLUSIVE.uri();
    let mut markup = Markup::default();
    let attributes = [("xmlns:ds", DS), ("Id", ids.signature.as_str())];
    markup.element("ds:Signature", &attributes, |markup| {
        markup.element("ds:SignedInfo", &[], |markup| {
            markup.leaf("ds:CanonicalizationMethod", &[("Algorithm", exclusive)], "");
            markup.leaf("ds:SignatureMethod", &[("Algorithm", algorithm.xml_uri())], "");
            let attributes = [("Id", ids.reference.as_str()), ("URI", "")];
            reference(markup, &attributes, &[ENVELOPED, exclusive], document);
            let uri = format!("#{}", ids.properties);
            let attributes = [("Type", SIGNED_PROPERTIES), ("URI", uri.as_str())];
            reference(markup, &attributes, &[exclusive], properties_digest);
        });
        markup.element("ds:SignatureValue", &[("Id", &ids.value)], |markup| markup.raw(BETWEEN));
        markup.element("ds:KeyInfo", &[], |markup| {
            markup.element("ds:X509Data", &[], |markup| {
                for certificate in chain.certificates() {
                    markup.leaf("ds:X509Certificate", &[], &base64::encode(certificate.der()));
                }
            });
        });
        markup.element("ds:Object", &[], |markup| {
            let target = format!("#{}", ids.signature);
            let attributes = [("xmlns:xades", XADES), ("Target", target.as_str())];
            markup.element("xades:QualifyingProperties", &attributes, |m| m.raw(properties));
        });
    });
    let whole = markup.finish();
    let (head, tail) = whole.split_once(BETWEEN).unwrap_or((&whole, ""));
    (head.to_owned(), tail.to_owned())
}

/// `xades:SignedProperties`, as it stands in the signature.
pub(crate) fn signed_properties(
    ids: &Ids,
    algorithm: SignatureAlgorithm,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
) -> Result<String, Error> {
    let policy_hash = match parameters.signature_policy() {
        Some(SignaturePolicy { digest: None, .. }) => {
            return Err(Error::Core(ades_core::Error::Parameter {
                parameter: "policy",
                problem: "XAdES needs the digest of the policy document",
            }));
        }
        Some(SignaturePolicy { digest: Some(digest), .. }) => Some(digest),
        None => None,
    };
    let mut markup = Markup::default();
    markup.element("xades:SignedProperties", &[("Id", &ids.properties)], |markup| {
        markup.element("xades:SignedSignatureProperties", &[], |markup| {
            let time = parameters.signing_time().time();
            let time = time.to_rfc3339_opts(SecondsFormat::Secs, true);
            markup.leaf("xades:SigningTime", &[], &time);
            markup.element("xades:SigningCertificateV2", &[], |markup| {
                markup.element("xades:Cert", &[], |markup| {
                    let digest = chain.leaf().digest(algorithm.digest_algorithm());
                    markup.element("xades:CertDigest", &[], |m| digest_of(m, &digest));
                });
            });
            if let (Some(policy), Some(digest)) = (parameters.signature_policy(), policy_hash) {
                signature_policy(markup, policy, digest);
            }
            production_place(markup, parameters);
            signer_role(markup, parameters);
        });
        markup.element("xades:SignedDataObjectProperties", &[], |markup| {
            let object = format!("#{}", ids.reference);
            let attributes = [("ObjectReference", object.as_str())];
            markup.element("xades:DataObjectFormat", &attributes, |markup| {
                if let Some(description) = parameters.document_description() {
                    markup.leaf("xades:Description", &[], description);
                }
                let mime_type = parameters.document_mime_type().unwrap_or(MIME_TYPE);
                markup.leaf("xades:MimeType", &[], mime_type);
            });
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

/// Clause 5.2.9.
fn signature_policy(markup: &mut Markup, policy: &SignaturePolicy, digest: &Digest) {
    markup.element("xades:SignaturePolicyIdentifier", &[], |markup| {
        markup.element("xades:SignaturePolicyId", &[], |markup| {
            markup.element("xades:SigPolicyId", &[], |markup| {
                let urn = format!("urn:oid:{}", policy.id);
                markup.leaf("xades:Identifier", &[("Qualifier", "OIDAsURN")], &urn);
            });
            markup.element("xades:SigPolicyHash", &[], |markup| digest_of(markup, digest));
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
fn production_place(markup: &mut Markup, parameters: &SignatureParameters) {
    let Some(location) = parameters.signer_location() else { return };
    markup.element("xades:SignatureProductionPlaceV2", &[], |markup| {
        if let Some(locality) = &location.locality {
            markup.leaf("xades:City", &[], locality);
        }
        if !location.postal_address.is_empty() {
            markup.leaf("xades:StreetAddress", &[], &location.postal_address.join(", "));
        }
        if let Some(country) = &location.country {
            markup.leaf("xades:CountryName", &[], country);
        }
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

/// The URIs of clause 5.2.3 for what CAdES names by OIDs.
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
            let urn = format!("urn:oid:{}", commitment.0);
            markup.leaf("xades:Identifier", &[("Qualifier", "OIDAsURN")], &urn);
        }
    }
}

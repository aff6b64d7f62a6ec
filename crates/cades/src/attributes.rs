//! The values of signed attributes as rasn types, for writing (EN 319 122-1
//! clauses 5.1 and 5.2, RFC 5652 clause 11, RFC 5035, RFC 6211). The modules of
//! EN 319 122-1 use explicit tags throughout.

use ades_core::asn1::ber::Element;
use ades_core::asn1::der;
use ades_core::asn1::time::time;
use ades_core::error::Parameter;
use ades_core::{
    Certificate, CommitmentType, Digest, DigestAlgorithm, SignatureAlgorithm, SignatureParameters,
    SignaturePolicy, SignerLocation, SigningTime,
};
use chrono::{DateTime, Utc};
use rasn::prelude::*;
use rasn_pkix::{AlgorithmIdentifier, DirectoryString};

use crate::error::Error;
use crate::oids;

/// One attribute: its type (the content octets of the OID) and the DER of its
/// only value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignedAttribute {
    pub(crate) kind: &'static [u8],
    pub(crate) value: Vec<u8>,
}

impl SignedAttribute {
    /// `SEQUENCE { attrType, attrValues SET OF }`
    pub(crate) fn encode(&self) -> Vec<u8> {
        let kind = der::element(der::OID, &[self.kind]);
        let values = der::element(der::SET, &[&self.value]);
        der::element(der::SEQUENCE, &[&kind, &values])
    }
}

/// The data to be signed: the attributes as a DER `SET OF` with its universal
/// tag (RFC 5652, 5.4).
pub(crate) fn signed_attributes(attributes: &[SignedAttribute]) -> Vec<u8> {
    let mut encoded: Vec<Vec<u8>> = attributes.iter().map(SignedAttribute::encode).collect();
    der::element(der::SET, &[&der::set_of(&mut encoded)])
}

/// The kind of signature that the attributes belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A signature over the document.
    Document,
    /// A signature in a format that embeds the CMS and has its own entries for the
    /// time and for the description of the document.
    Embedding,
    /// A countersignature, in which content-type and the attributes that
    /// describe the data are not allowed (EN 319 122-1, 5.2.7).
    Signature,
}

/// All signed attributes of a baseline B-B signature, in no particular order.
pub(crate) fn baseline(
    subject: Subject,
    message_digest: &Digest,
    algorithm: SignatureAlgorithm,
    certificate: &Certificate,
    parameters: &SignatureParameters,
) -> Result<Vec<SignedAttribute>, Error> {
    let digest_algorithm = algorithm.digest_algorithm();
    let mut attributes = from_parameters(subject, digest_algorithm, parameters)?;
    attributes.push(message_digest_attribute(message_digest));
    attributes.push(signing_certificate_v2(digest_algorithm, certificate)?);
    if subject != Subject::Embedding {
        attributes.push(algorithm_protection(algorithm));
    }
    Ok(attributes)
}

/// The attributes that do not depend on the document or the certificate. A
/// policy without a digest gets a zero hash of `digest_algorithm`.
pub(crate) fn from_parameters(
    subject: Subject,
    digest_algorithm: DigestAlgorithm,
    parameters: &SignatureParameters,
) -> Result<Vec<SignedAttribute>, Error> {
    let mut attributes = Vec::new();
    if subject != Subject::Embedding {
        attributes.push(signing_time(parameters.signing_time())?);
    }
    if subject != Subject::Signature {
        let value = der::element(der::OID, &[oids::DATA]);
        attributes.push(SignedAttribute { kind: oids::CONTENT_TYPE, value });
    }
    if subject == Subject::Document {
        let mime_type = parameters.document_mime_type().unwrap_or("application/octet-stream");
        attributes.push(attribute(oids::MIME_TYPE, &mime_type.to_owned())?);
        if let Some(description) = parameters.document_description() {
            attributes.push(content_hints(description)?);
        }
    }
    if let Some(policy) = parameters.signature_policy() {
        attributes.push(signature_policy(policy, digest_algorithm)?);
    }
    if let Some(commitment) = parameters.commitments().first() {
        attributes.push(commitment_type(*commitment)?);
    }
    if let Some(location) = parameters.signer_location()
        && subject != Subject::Embedding
    {
        attributes.push(signer_location(location)?);
    }
    if !parameters.signer_roles().is_empty() {
        attributes.push(signer_attributes_v2(parameters.signer_roles())?);
    }
    Ok(attributes)
}

fn message_digest_attribute(digest: &Digest) -> SignedAttribute {
    let value = der::element(der::OCTET_STRING, &[digest.value()]);
    SignedAttribute { kind: oids::MESSAGE_DIGEST, value }
}

/// `UTCTime` up to 2049, `GeneralizedTime` from 2050 on, with seconds and `Z`
/// and without fractions (RFC 5652, 11.3).
fn signing_time(time: SigningTime) -> Result<SignedAttribute, Error> {
    let (tag, format) =
        if time.is_utc_time() { (0x17, "%y%m%d%H%M%SZ") } else { (0x18, "%Y%m%d%H%M%SZ") };
    if !(0..=9999).contains(&chrono::Datelike::year(&time.time())) {
        return Err(parameter(Parameter::SigningTime, "not in the years 0 to 9999"));
    }
    let text = time.time().format(format).to_string();
    let value = der::element(tag, &[text.as_bytes()]);
    Ok(SignedAttribute { kind: oids::SIGNING_TIME, value })
}

/// `UTCTime` or `GeneralizedTime`, in the only form that RFC 5652 allows.
pub(crate) fn read_signing_time(value: &Element<'_>) -> Option<DateTime<Utc>> {
    time(value.tag, value.content)
}

/// `SigningCertificateV2` (RFC 5035, 3). This crate writes `hashAlgorithm` unless
/// it is the default, and never `issuerSerial` (EN 319 122-1, 6.3 g).
#[derive(AsnType, Clone, Debug, Encode, PartialEq, Eq)]
pub(crate) struct SigningCertificateV2 {
    pub(crate) certs: SequenceOf<EssCertIdV2>,
    pub(crate) policies: Option<SequenceOf<Any>>,
}

#[derive(AsnType, Clone, Debug, Encode, PartialEq, Eq)]
pub(crate) struct EssCertIdV2 {
    #[rasn(default = "sha256")]
    pub(crate) hash_algorithm: AlgorithmIdentifier,
    pub(crate) cert_hash: OctetString,
    pub(crate) issuer_serial: Option<Any>,
}

/// The DEFAULT of `hashAlgorithm`.
fn sha256() -> AlgorithmIdentifier {
    AlgorithmIdentifier {
        algorithm: ObjectIdentifier::new_unchecked((&[2, 16, 840, 1, 101, 3, 4, 2, 1]).into()),
        parameters: None,
    }
}

fn signing_certificate_v2(
    digest: DigestAlgorithm,
    certificate: &Certificate,
) -> Result<SignedAttribute, Error> {
    attribute(
        oids::SIGNING_CERTIFICATE_V2,
        &SigningCertificateV2 {
            certs: vec![EssCertIdV2 {
                hash_algorithm: digest_identifier(digest)?,
                cert_hash: octets(certificate.digest(digest).value()),
                issuer_serial: None,
            }],
            policies: None,
        },
    )
}

/// `CMSAlgorithmProtection` (RFC 6211, 2), with exactly the octets that
/// `SignerInfo` has, so that every reader finds them equal.
fn algorithm_protection(algorithm: SignatureAlgorithm) -> SignedAttribute {
    let digest = algorithm.digest_algorithm().algorithm_identifier();
    let signature = algorithm.algorithm_identifier();
    // [1] IMPLICIT: the SEQUENCE's own tag is replaced.
    let value = der::element(
        der::SEQUENCE,
        &[&digest, &der::context(1).to_be_bytes(), signature.get(1..).unwrap_or_default()],
    );
    SignedAttribute { kind: oids::ALGORITHM_PROTECTION, value }
}

/// `SignaturePolicyId` (EN 319 122-1, 5.2.9).
#[derive(AsnType, Clone, Debug, Encode, PartialEq, Eq)]
pub(crate) struct SignaturePolicyId {
    pub(crate) sig_policy_id: AnyOid,
    pub(crate) sig_policy_hash: OtherHashAlgAndValue,
    pub(crate) sig_policy_qualifiers: Option<SequenceOf<Qualifier>>,
}

#[derive(AsnType, Clone, Debug, Encode, PartialEq, Eq)]
pub(crate) struct OtherHashAlgAndValue {
    pub(crate) hash_algorithm: AlgorithmIdentifier,
    pub(crate) hash_value: OctetString,
}

/// `SigPolicyQualifierInfo` and `CommitmentTypeQualifier`, which have the same
/// syntax.
#[derive(AsnType, Clone, Debug, Encode, PartialEq, Eq)]
pub(crate) struct Qualifier {
    pub(crate) id: AnyOid,
    pub(crate) qualifier: Option<Any>,
}

/// `SPUserNotice`, whose text this crate writes as a `UTF8String`, without
/// `noticeRef`.
#[derive(AsnType, Clone, Debug, Encode, PartialEq, Eq)]
pub(crate) struct SpUserNotice {
    pub(crate) explicit_text: Option<Utf8String>,
}

fn signature_policy(
    policy: &SignaturePolicy,
    default_digest: DigestAlgorithm,
) -> Result<SignedAttribute, Error> {
    let (algorithm, value) = policy.digest.as_ref().map_or_else(
        || (default_digest, vec![0; default_digest.output_len()]),
        |digest| (digest.algorithm(), digest.value().to_vec()),
    );
    let problem = "it is a URI; CAdES and PAdES signatures name their policy by an OID";
    let id = policy.id.oid().ok_or_else(|| parameter(Parameter::Policy, problem))?;
    let mut qualifiers = Vec::new();
    if let Some(uri) = &policy.uri {
        let uri = Ia5String::try_from(uri.clone())
            .map_err(|_| parameter(Parameter::PolicyUri, "not an IA5String"))?;
        let qualifier = Some(Any::new(encode(&uri)?));
        qualifiers.push(Qualifier { id: AnyOid::new(oids::SP_URI), qualifier });
    }
    if let Some(notice) = &policy.user_notice {
        let notice = SpUserNotice { explicit_text: Some(notice.clone()) };
        let qualifier = Some(Any::new(encode(&notice)?));
        qualifiers.push(Qualifier { id: AnyOid::new(oids::SP_USER_NOTICE), qualifier });
    }
    attribute(
        oids::SIGNATURE_POLICY,
        &SignaturePolicyId {
            sig_policy_id: AnyOid::new(id.as_bytes()),
            sig_policy_hash: OtherHashAlgAndValue {
                hash_algorithm: digest_identifier(algorithm)?,
                hash_value: octets(&value),
            },
            sig_policy_qualifiers: (!qualifiers.is_empty()).then_some(qualifiers),
        },
    )
}

/// `CommitmentTypeIndication` (EN 319 122-1, 5.2.3).
#[derive(AsnType, Clone, Debug, Encode, PartialEq, Eq)]
pub(crate) struct CommitmentTypeIndication {
    pub(crate) commitment_type_id: AnyOid,
    pub(crate) commitment_type_qualifier: Option<SequenceOf<Qualifier>>,
}

fn commitment_type(commitment: CommitmentType) -> Result<SignedAttribute, Error> {
    attribute(
        oids::COMMITMENT_TYPE,
        &CommitmentTypeIndication {
            commitment_type_id: AnyOid::new(commitment.0.as_bytes()),
            commitment_type_qualifier: None,
        },
    )
}

/// `SignerLocation` (EN 319 122-1, 5.2.5).
#[derive(AsnType, Clone, Debug, Encode, PartialEq, Eq)]
pub(crate) struct SignerLocationValue {
    #[rasn(tag(explicit(0)))]
    pub(crate) country_name: Option<DirectoryString>,
    #[rasn(tag(explicit(1)))]
    pub(crate) locality_name: Option<DirectoryString>,
    #[rasn(tag(explicit(2)))]
    pub(crate) postal_address: Option<SequenceOf<DirectoryString>>,
}

fn signer_location(location: &SignerLocation) -> Result<SignedAttribute, Error> {
    let text = |t: &String| DirectoryString::Utf8(t.clone());
    let lines: Vec<_> = location.postal_address.iter().map(text).collect();
    attribute(
        oids::SIGNER_LOCATION,
        &SignerLocationValue {
            country_name: location.country.as_ref().map(text),
            locality_name: location.locality.as_ref().map(text),
            postal_address: (!lines.is_empty()).then_some(lines),
        },
    )
}

/// `SignerAttributeV2` (EN 319 122-1, 5.2.6.1).
#[derive(AsnType, Clone, Debug, Encode, PartialEq, Eq)]
pub(crate) struct SignerAttributeV2 {
    #[rasn(tag(explicit(0)))]
    pub(crate) claimed_attributes: Option<SequenceOf<ClaimedAttribute>>,
    #[rasn(tag(explicit(1)))]
    pub(crate) certified_attributes: Option<SequenceOf<Any>>,
    #[rasn(tag(explicit(2)))]
    pub(crate) signed_assertions: Option<SequenceOf<Any>>,
}

#[derive(AsnType, Clone, Debug, Encode, PartialEq, Eq)]
pub(crate) struct ClaimedAttribute {
    pub(crate) kind: AnyOid,
    pub(crate) values: SetOf<Any>,
}

/// Each role is a `title` (X.520, 6.4.3: position or function within an
/// organisation) with a `UTF8String`. The `role` attribute of X.509 holds a
/// `GeneralName`, which validators do not show.
fn signer_attributes_v2(roles: &[String]) -> Result<SignedAttribute, Error> {
    let claimed = roles
        .iter()
        .map(|role| {
            let value = Any::new(encode(&DirectoryString::Utf8(role.clone()))?);
            Ok(ClaimedAttribute { kind: AnyOid::new(oids::TITLE), values: vec![value].into() })
        })
        .collect::<Result<_, Error>>()?;
    attribute(
        oids::SIGNER_ATTRIBUTES_V2,
        &SignerAttributeV2 {
            claimed_attributes: Some(claimed),
            certified_attributes: None,
            signed_assertions: None,
        },
    )
}

/// `ContentHints` (RFC 2634, 2.9)
#[derive(AsnType, Clone, Debug, Encode, PartialEq, Eq)]
pub(crate) struct ContentHints {
    pub(crate) content_description: Option<Utf8String>,
    pub(crate) content_type: AnyOid,
}

fn content_hints(description: &str) -> Result<SignedAttribute, Error> {
    attribute(
        oids::CONTENT_HINTS,
        &ContentHints {
            content_description: Some(description.to_owned()),
            content_type: AnyOid::new(oids::DATA),
        },
    )
}

fn attribute<T: Encode>(kind: &'static [u8], value: &T) -> Result<SignedAttribute, Error> {
    Ok(SignedAttribute { kind, value: encode(value)? })
}

fn encode<T: Encode>(value: &T) -> Result<Vec<u8>, Error> {
    rasn::der::encode(value).map_err(|_| parameter(Parameter::SignedAttribute, "cannot be encoded"))
}

fn octets(value: &[u8]) -> OctetString {
    OctetString::from(value.to_vec())
}

fn digest_identifier(algorithm: DigestAlgorithm) -> Result<AlgorithmIdentifier, Error> {
    rasn::der::decode(&algorithm.algorithm_identifier())
        .map_err(|_| parameter(Parameter::DigestAlgorithm, "malformed"))
}

/// An OBJECT IDENTIFIER with arcs of any size. The arcs of rasn's own type have
/// 32 bits, but an OID of 2.25 and a UUID (X.667) has an arc of 128 bits.
#[derive(AsnType, Clone, Debug, Encode, PartialEq, Eq, Hash)]
#[rasn(delegate)]
pub(crate) struct AnyOid(Any);

impl AnyOid {
    fn new(content: &[u8]) -> Self {
        Self(Any::new(der::element(der::OID, &[content])))
    }
}

fn parameter(parameter: Parameter, problem: &'static str) -> Error {
    Error::Core(ades_core::Error::Parameter { parameter, problem })
}

//! Reads the qualifying properties (EN 319 132-1, clauses 4 and 5).

use std::collections::HashSet;

use ades_core::{Certificate, Digest, SignerLocation};
use chrono::{DateTime, Utc};

use crate::namespaces::{ANY_XADES, DS, XADES, XADES_141};
use crate::report::{Further, PolicyReport, Problem};
use crate::signature_element::issuer_name::decimal;

use super::date_time::date_time;
use super::signature::SignedDigest;
use super::tree::Element;

/// The unsigned properties of a signature (EN 319 132-1, 5.2.7, 5.3 to 5.5 and annex A),
/// with their older forms.
const KNOWN_UNSIGNED: [&str; 23] = [
    "CounterSignature",
    "SignatureTimeStamp",
    "CompleteCertificateRefs",
    "CompleteCertificateRefsV2",
    "CompleteRevocationRefs",
    "AttributeCertificateRefs",
    "AttributeCertificateRefsV2",
    "AttributeRevocationRefs",
    "SigAndRefsTimeStamp",
    "SigAndRefsTimeStampV2",
    "RefsOnlyTimeStamp",
    "RefsOnlyTimeStampV2",
    "CertificateValues",
    "RevocationValues",
    "AttrAuthoritiesCertValues",
    "AttributeRevocationValues",
    "ArchiveTimeStamp",
    "TimeStampValidationData",
    "AnyValidationData",
    "SignaturePolicyStore",
    "RenewedDigests",
    "RenewedDigestsV2",
    "SealingEvidenceRecords",
];

/// The unsigned properties with validation data in the forms before the baseline, which the
/// levels B-LT and B-LTA do not allow (EN 319 132-1, 6.3, table 2).
pub(crate) const BEFORE_BASELINE: [&str; 10] = [
    "CompleteCertificateRefs",
    "CompleteCertificateRefsV2",
    "CompleteRevocationRefs",
    "AttributeCertificateRefs",
    "AttributeCertificateRefsV2",
    "AttributeRevocationRefs",
    "SigAndRefsTimeStamp",
    "SigAndRefsTimeStampV2",
    "RefsOnlyTimeStamp",
    "RefsOnlyTimeStampV2",
];

/// The qualifying properties that a signature has.
#[derive(Debug, Default)]
pub(crate) struct QualifyingProperties<'e> {
    /// `xades:QualifyingProperties`, if there is exactly one and its version is
    /// supported.
    pub(crate) element: Option<&'e Element>,
    /// `xades:SignedProperties`, if there is exactly one.
    pub(crate) signed: Option<&'e Element>,
    /// `xades:SigningTime`
    pub(crate) signing_time: Option<DateTime<Utc>>,
    /// The digest in `xades:SigningCertificateV2`, or in the older form.
    pub(crate) signing_certificate: Option<SignedDigest>,
    /// The DER of `xades:IssuerSerialV2` beside it.
    pub(crate) issuer_serial: Option<Vec<u8>>,
    /// The older form of the property.
    pub(crate) legacy_certificate: Option<LegacyCertificate>,
    /// `xades:SignaturePolicyIdentifier`
    pub(crate) policy: Option<PolicyReport>,
    /// The identifiers of commitments.
    pub(crate) commitments: Vec<String>,
    /// The claimed roles.
    pub(crate) signer_roles: Vec<String>,
    /// The claimed place.
    pub(crate) location: Option<SignerLocation>,
    /// The values after the first.
    pub(crate) further: Further,
    /// `xades:DataObjectFormat`
    pub(crate) formats: Vec<DataObjectFormat<'e>>,
    /// The unsigned properties of the signature.
    pub(crate) unsigned: Vec<&'e Element>,
    pub(crate) problems: Vec<Problem>,
}

/// The signer's certificate in `xades:SigningCertificate` (EN 319 132-1, 5.2.2).
#[derive(Debug)]
pub(crate) struct LegacyCertificate {
    digest: SignedDigest,
    /// The decimal digits of the serial number.
    serial_number: Option<String>,
}

impl LegacyCertificate {
    /// Whether it names another certificate. The issuer's name is not compared: programs write
    /// the same name in many ways.
    pub(crate) fn differs(&self, certificate: &Certificate) -> bool {
        let other = |digest: &Digest| certificate.digest(digest.algorithm()) != *digest;
        let number = decimal(certificate.serial_number());
        self.digest.known().is_some_and(other)
            || self.serial_number.is_some() && self.serial_number != number
    }
}

/// `xades:DataObjectFormat`.
#[derive(Debug)]
pub(crate) struct DataObjectFormat<'e> {
    /// The Id of the `ds:Reference` that it describes.
    pub(crate) target: Option<&'e str>,
    pub(crate) mime_type: Option<String>,
    encoding: Option<String>,
    pub(crate) description: Option<String>,
}

impl<'e> QualifyingProperties<'e> {
    pub(crate) fn read(objects: &[&'e Element]) -> Self {
        let mut read = Self::default();
        let children = objects.iter().flat_map(|object| &object.children);
        let found: Vec<&Element> = children
            .filter(|child| {
                child.local_name == "QualifyingProperties" && child.namespace.starts_with(ANY_XADES)
            })
            .collect();
        let properties = match found.as_slice() {
            [] => {
                read.problems.push(Problem::QualifyingPropertiesMissing);
                return read;
            }
            [one] => *one,
            _ => {
                read.problems.push(Problem::QualifyingPropertiesRepeated);
                return read;
            }
        };
        if properties.namespace != XADES {
            read.problems.push(Problem::UnknownVersion);
            return read;
        }
        read.element = Some(properties);
        let unsigned = properties.child(XADES, "UnsignedProperties");
        let unsigned = unsigned.and_then(|u| u.child(XADES, "UnsignedSignatureProperties"));
        read.unsigned = unsigned.map(|u| u.children.iter().collect()).unwrap_or_default();
        read.signed = properties.only(XADES, "SignedProperties");
        if let Some(signed) = read.signed {
            read.read_signed(signed);
        }
        read
    }

    fn problem(&mut self, problem: Problem) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn read_signed(&mut self, signed: &'e Element) {
        if let Some(properties) = signed.child(XADES, "SignedSignatureProperties") {
            let mut seen: HashSet<&str> = HashSet::new();
            for property in properties.children.iter().filter(|p| p.namespace == XADES) {
                // The legacy and the V2 form of a property are the same property. Both forms of
                // the certificate are compared.
                let name = match property.local_name.as_str() {
                    "SigningCertificateV2" => "SigningCertificateV2",
                    name => name.trim_end_matches("V2"),
                };
                if !seen.insert(name) {
                    self.problem(Problem::PropertyRepeated);
                    // The certificate decides what was signed: the first one counts. What
                    // is said to people is reported, because it is signed.
                    if name == "SigningCertificate" {
                        continue;
                    }
                }
                if self.read_property(property).is_none() {
                    self.problem(Problem::PropertyMalformed);
                }
            }
        }
        if let Some(properties) = signed.child(XADES, "SignedDataObjectProperties") {
            self.formats =
                properties.all(XADES, "DataObjectFormat").map(DataObjectFormat::read).collect();
            for commitment in properties.all(XADES, "CommitmentTypeIndication") {
                match commitment.child(XADES, "CommitmentTypeId").and_then(identifier) {
                    Some(id) => self.commitments.push(id),
                    None => self.problem(Problem::PropertyMalformed),
                }
            }
        }
    }

    /// `None` if the property is malformed.
    fn read_property(&mut self, property: &Element) -> Option<()> {
        match property.local_name.as_str() {
            "SigningTime" => {
                let time = date_time(property.token())?;
                keep(&mut self.signing_time, &mut self.further.signing_times, time);
            }
            "SigningCertificate" | "SigningCertificateV2" => {
                // The first certificate is the signer's (clause 5.2.2).
                let first = property.child(XADES, "Cert")?;
                if let Some(named) = first.child(XADES, "IssuerSerialV2") {
                    self.issuer_serial = Some(named.octets()?);
                }
                let (_, digest) = SignedDigest::read(first.only(XADES, "CertDigest")?)?;
                match digest {
                    SignedDigest::Malformed => return None,
                    SignedDigest::Unsupported => self.problem(Problem::UnsupportedAlgorithm),
                    SignedDigest::Known(_) => {}
                }
                if property.local_name == "SigningCertificate" {
                    let number = first.child(XADES, "IssuerSerial");
                    let number = number.and_then(|serial| serial.child(DS, "X509SerialNumber"));
                    let serial_number = number.map(|number| number.token().to_owned());
                    let digest = digest.clone();
                    self.legacy_certificate = Some(LegacyCertificate { digest, serial_number });
                }
                self.signing_certificate = Some(digest);
            }
            "SignaturePolicyIdentifier" => {
                keep(&mut self.policy, &mut self.further.policies, policy(property)?);
            }
            "SignatureProductionPlace" | "SignatureProductionPlaceV2" => {
                keep(&mut self.location, &mut self.further.locations, location(property));
            }
            "SignerRole" | "SignerRoleV2" => {
                let claimed = property.child(XADES, "ClaimedRoles");
                let roles = claimed.iter().flat_map(|roles| roles.all(XADES, "ClaimedRole"));
                self.signer_roles.extend(roles.map(|role| role.token().to_owned()));
            }
            _ => return Some(()),
        }
        if matches!(
            property.local_name.as_str(),
            "SigningCertificate" | "SignatureProductionPlace" | "SignerRole"
        ) {
            self.problem(Problem::LegacyProperty);
        }
        Some(())
    }

    /// The signed properties of the data objects.
    pub(crate) fn signed_data_properties(&self) -> &'e [Element] {
        let signed = self.signed.and_then(|s| s.child(XADES, "SignedDataObjectProperties"));
        signed.map(|properties| properties.children.as_slice()).unwrap_or_default()
    }

    /// The certificates in `xades:CertificateValues`.
    pub(crate) fn certificate_values(&self) -> Vec<Certificate> {
        let values =
            self.unsigned.iter().filter(|property| property.is(XADES, "CertificateValues"));
        let texts = values.flat_map(|values| values.all(XADES, "EncapsulatedX509Certificate"));
        texts
            .filter_map(Element::octets)
            .filter_map(|der| Certificate::from_der(der).ok())
            .collect()
    }

    /// Whether it has an unsigned property that is not one of EN 319 132-1, or more
    /// countersignatures than signatures in them.
    pub(crate) fn has_unknown(&self, countersignatures: usize) -> bool {
        let known = |property: &Element| KNOWN_UNSIGNED.contains(&property.local_name.as_str());
        let counter = self.unsigned.iter().filter(|p| p.local_name == "CounterSignature").count();
        !self.unsigned.iter().all(|property| known(property)) || counter > countersignatures
    }

    /// Whether it has one of these unsigned properties, in any version.
    pub(crate) fn has(&self, names: &[&str]) -> bool {
        self.unsigned.iter().any(|property| {
            (property.namespace == XADES || property.namespace == XADES_141)
                && names.contains(&property.local_name.as_str())
        })
    }
}

impl<'e> DataObjectFormat<'e> {
    fn read(element: &'e Element) -> Self {
        let text = |name| element.child(XADES, name).map(|child| child.token().to_owned());
        Self {
            target: element.attribute("ObjectReference").and_then(|uri| uri.strip_prefix('#')),
            mime_type: text("MimeType"),
            encoding: text("Encoding"),
            description: text("Description"),
        }
    }

    /// Whether the attributes of a `ds:Object` state another format (clause 5.2.4).
    pub(crate) fn differs_from(&self, object: &Element) -> bool {
        let differ = |stated: &Option<String>, name| {
            let of_object = object.attribute(name);
            // Media types have no case (RFC 2045, 5.1), and encodings are URIs that nobody
            // writes in another case.
            stated.as_deref().zip(of_object).is_some_and(|(a, b)| !a.eq_ignore_ascii_case(b))
        };
        differ(&self.mime_type, "MimeType") || differ(&self.encoding, "Encoding")
    }
}

/// Keeps the first value apart from those after it.
fn keep<T>(first: &mut Option<T>, further: &mut Vec<T>, value: T) {
    if first.is_none() {
        *first = Some(value);
    } else {
        further.push(value);
    }
}

/// The `xades:Identifier` of an ObjectIdentifierType (clause 5.1.2).
fn identifier(parent: &Element) -> Option<String> {
    let identifier = parent.only(XADES, "Identifier")?.token();
    (!identifier.is_empty()).then(|| identifier.to_owned())
}

/// Clause 5.2.9.
fn policy(property: &Element) -> Option<PolicyReport> {
    let Some(policy) = property.child(XADES, "SignaturePolicyId") else {
        property.child(XADES, "SignaturePolicyImplied")?;
        return Some(PolicyReport { id: None, digest: None, uri: None, user_notice: None });
    };
    let (_, digest) = SignedDigest::read(policy.only(XADES, "SigPolicyHash")?)?;
    let qualifiers = policy.child(XADES, "SigPolicyQualifiers");
    let qualifiers = qualifiers.map(|q| q.children.as_slice()).unwrap_or_default();
    let uri = qualifiers.iter().find_map(|qualifier| qualifier.child(XADES, "SPURI"));
    let notice = qualifiers
        .iter()
        .find_map(|qualifier| qualifier.child(XADES, "SPUserNotice")?.child(XADES, "ExplicitText"));
    let text = |element: Option<&Element>| element.map(|element| element.token().to_owned());
    Some(PolicyReport {
        id: Some(identifier(policy.only(XADES, "SigPolicyId")?)?),
        digest: digest.known().cloned(),
        uri: text(uri),
        user_notice: text(notice),
    })
}

/// Clause 5.2.5.
fn location(property: &Element) -> SignerLocation {
    let text = |name| property.child(XADES, name).map(|child| child.token().to_owned());
    let address = ["StreetAddress", "StateOrProvince", "PostalCode"].into_iter().filter_map(text);
    let mut location = SignerLocation::default().postal_address(address);
    location.country = text("CountryName");
    location.locality = text("City");
    location
}

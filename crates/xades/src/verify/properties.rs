//! Reads the qualifying properties (EN 319 132-1, clauses 4 and 5).

use std::collections::HashSet;

use ades_core::SignerLocation;
use chrono::{DateTime, Utc};

use crate::namespaces::{ANY_XADES, XADES, XADES_141};
use crate::report::{PolicyReport, Problem};

use super::date_time::date_time;
use super::signature::SignedDigest;
use super::tree::Element;

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
    /// `xades:SignaturePolicyIdentifier`
    pub(crate) policy: Option<PolicyReport>,
    /// The identifiers of commitments.
    pub(crate) commitments: Vec<String>,
    /// The claimed roles.
    pub(crate) signer_roles: Vec<String>,
    /// The claimed place.
    pub(crate) location: Option<SignerLocation>,
    /// `xades:DataObjectFormat`
    pub(crate) formats: Vec<DataObjectFormat<'e>>,
    /// The unsigned properties of the signature.
    pub(crate) unsigned: Vec<&'e Element>,
    pub(crate) problems: Vec<Problem>,
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
                // The legacy and the V2 form of a property are the same property.
                let name = property.local_name.trim_end_matches("V2");
                if !seen.insert(name) {
                    self.problem(Problem::PropertyRepeated);
                    continue;
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
            "SigningTime" => self.signing_time = Some(date_time(property.token())?),
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
                self.signing_certificate = Some(digest);
            }
            "SignaturePolicyIdentifier" => self.policy = Some(policy(property)?),
            "SignatureProductionPlace" | "SignatureProductionPlaceV2" => {
                self.location = Some(location(property));
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
            stated.as_deref().zip(of_object).is_some_and(|(stated, object)| stated != object)
        };
        differ(&self.mime_type, "MimeType") || differ(&self.encoding, "Encoding")
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

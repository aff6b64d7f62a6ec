//! Reads the parts of a `ds:Signature` (XML Signature, clause 4).

use std::collections::HashSet;
use std::ops::Range;

use ades_core::algorithm::PssParameters;
use ades_core::{Certificate, Digest, DigestAlgorithm, SignatureAlgorithm};

use crate::c14n::Canonicalization;
use crate::namespaces::{DS, DS_MORE, MGF1, RSA_PSS};

use super::properties::QualifyingProperties;
use super::time_stamp::TimeStamp;
use super::transform::with_prefix_list;
use super::tree::Element;

/// A signature.
#[derive(Debug)]
pub(crate) struct Signature<'e> {
    pub(crate) element: &'e Element,
    pub(crate) signed_info: SignedInfo<'e>,
    /// Where `ds:SignatureValue` is.
    pub(crate) value_place: Range<u64>,
    pub(crate) value: Option<Vec<u8>>,
    /// The certificates of `ds:KeyInfo` that can be read.
    pub(crate) certificates: Vec<Certificate>,
    /// The certificates in the unsigned properties.
    pub(crate) other_certificates: Vec<Certificate>,
    /// The `ds:Object` elements.
    pub(crate) objects: Vec<&'e Element>,
    pub(crate) manifests: Vec<Manifest<'e>>,
    pub(crate) qualifying: QualifyingProperties<'e>,
    pub(crate) time_stamps: Vec<TimeStamp>,
}

/// `ds:SignedInfo`.
#[derive(Debug)]
pub(crate) struct SignedInfo<'e> {
    pub(crate) element: &'e Element,
    /// The canonicalisation. `None` if it is unknown.
    pub(crate) method: Option<Canonicalization>,
    /// The signature algorithm. `None` if it is not supported.
    pub(crate) algorithm: Option<SignatureAlgorithm>,
    /// The URI of the signature algorithm.
    pub(crate) algorithm_uri: &'e str,
    pub(crate) references: Vec<Reference<'e>>,
}

/// A `ds:Manifest` in a `ds:Object`.
#[derive(Debug)]
pub(crate) struct Manifest<'e> {
    pub(crate) element: &'e Element,
    pub(crate) references: Vec<Reference<'e>>,
}

/// `ds:Reference`.
#[derive(Debug)]
pub(crate) struct Reference<'e> {
    pub(crate) id: Option<&'e str>,
    pub(crate) uri: Option<&'e str>,
    pub(crate) kind: Option<&'e str>,
    pub(crate) transforms: Option<&'e Element>,
    /// The URI of the digest algorithm.
    pub(crate) algorithm_uri: &'e str,
    pub(crate) digest: SignedDigest,
}

/// A digest in a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SignedDigest {
    Known(Digest),
    /// Its algorithm is not supported.
    Unsupported,
    /// It is not base64, or its length is not that of the algorithm's digests.
    Malformed,
}

impl SignedDigest {
    /// Reads `ds:DigestMethod` and `ds:DigestValue` in an element. `None` if it does
    /// not contain exactly one of each.
    pub(crate) fn read(parent: &Element) -> Option<(&str, Self)> {
        let uri = parent.only(DS, "DigestMethod")?.attribute("Algorithm")?;
        let value = parent.only(DS, "DigestValue")?;
        let Some(algorithm) = digest_algorithm(uri) else {
            return Some((uri, Self::Unsupported));
        };
        let digest = value.octets().and_then(|octets| Digest::new(algorithm, octets).ok());
        Some((uri, digest.map_or(Self::Malformed, Self::Known)))
    }

    pub(crate) const fn known(&self) -> Option<&Digest> {
        match self {
            Self::Known(digest) => Some(digest),
            _ => None,
        }
    }
}

pub(crate) fn digest_algorithm(uri: &str) -> Option<DigestAlgorithm> {
    DigestAlgorithm::from_xml_uri(uri)
}

impl<'e> Signature<'e> {
    /// `None` if a mandatory element is missing or repeated.
    pub(crate) fn read(element: &'e Element) -> Option<Self> {
        let signed_info = SignedInfo::read(element.only(DS, "SignedInfo")?)?;
        let value = element.only(DS, "SignatureValue")?;
        if element.all(DS, "KeyInfo").count() > 1 {
            return None;
        }
        let objects: Vec<&Element> = element.all(DS, "Object").collect();
        let manifests = objects.iter().flat_map(|object| object.all(DS, "Manifest"));
        let manifests = manifests.map(|element| {
            let references = element.all(DS, "Reference").map(Reference::read);
            Some(Manifest { element, references: references.collect::<Option<_>>()? })
        });
        let qualifying = QualifyingProperties::read(&objects);
        let content = qualifying.signed_data_properties();
        let stamps = content.iter().chain(qualifying.unsigned.iter().copied());
        Some(Self {
            element,
            signed_info,
            time_stamps: stamps.filter_map(TimeStamp::read).collect(),
            other_certificates: qualifying.certificate_values(),
            value_place: value.place.clone(),
            value: value.octets(),
            certificates: element.child(DS, "KeyInfo").map(certificates).unwrap_or_default(),
            manifests: manifests.collect::<Option<_>>()?,
            qualifying,
            objects,
        })
    }
}

impl Signature<'_> {
    /// Whether a `ds:Object` has the qualifying properties.
    pub(crate) fn holds_properties(&self, object: &Element) -> bool {
        let properties = self.qualifying.element.map(|element| element.place.start);
        properties.is_some_and(|start| object.place.contains(&start))
    }

    /// Whether a reference names this element by its Id.
    pub(crate) fn refers_to(&self, element: &Element) -> bool {
        let uris = self.signed_info.references.iter().filter_map(|reference| reference.uri);
        let mut ids = uris.filter_map(|uri| uri.strip_prefix('#'));
        element.id().is_some_and(|own| ids.any(|id| id == own))
    }
}

/// The certificates of all `ds:X509Data`, in order, without duplicates.
fn certificates(key_info: &Element) -> Vec<Certificate> {
    let texts = key_info.all(DS, "X509Data").flat_map(|data| data.all(DS, "X509Certificate"));
    let mut seen = HashSet::new();
    texts
        .filter_map(Element::octets)
        .filter(|der| seen.insert(der.clone()))
        .filter_map(|der| Certificate::from_der(der).ok())
        .collect()
}

impl<'e> SignedInfo<'e> {
    pub(crate) fn read(element: &'e Element) -> Option<Self> {
        let canonicalization = element.only(DS, "CanonicalizationMethod")?;
        let method = Canonicalization::from_uri(canonicalization.attribute("Algorithm")?);
        let signature_method = element.only(DS, "SignatureMethod")?;
        let references: Vec<_> =
            element.all(DS, "Reference").map(Reference::read).collect::<Option<_>>()?;
        if references.is_empty() || element.children.len() != references.len() + 2 {
            return None;
        }
        Some(Self {
            element,
            method: method.ok().map(|method| with_prefix_list(method, canonicalization)),
            algorithm: algorithm(signature_method),
            algorithm_uri: signature_method.attribute("Algorithm")?,
            references,
        })
    }
}

/// The algorithm that `ds:SignatureMethod` names.
fn algorithm(method: &Element) -> Option<SignatureAlgorithm> {
    let uri = method.attribute("Algorithm")?;
    if uri == RSA_PSS {
        return pss(method);
    }
    // A parameter would change the algorithm.
    if !method.children.is_empty() {
        return None;
    }
    SignatureAlgorithm::from_xml_uri(uri)
}

/// RSASSA-PSS with explicit parameters (RFC 9231, 2.3.9).
fn pss(method: &Element) -> Option<SignatureAlgorithm> {
    let parameters = method.only(DS_MORE, "RSAPSSParams")?;
    let digest = |parent: &Element| match parent.child(DS, "DigestMethod") {
        Some(digest) => digest_algorithm(digest.attribute("Algorithm")?),
        None => Some(DigestAlgorithm::Sha256),
    };
    let hash = digest(parameters)?;
    let mask_hash = match parameters.child(DS_MORE, "MaskGenerationFunction") {
        Some(mask) if mask.attribute("Algorithm") == Some(MGF1) => digest(mask)?,
        Some(_) => return None,
        None => hash,
    };
    let number = |name| match parameters.child(DS_MORE, name) {
        Some(number) => number.token().parse::<usize>().ok().map(Some),
        None => Some(None),
    };
    let salt = number("SaltLength")?.unwrap_or(hash.output_len());
    let trailer = number("TrailerField")?.unwrap_or(1);
    (trailer == 1).then(|| PssParameters::new(hash, mask_hash, salt).algorithm())
}

impl<'e> Reference<'e> {
    pub(crate) fn read(element: &'e Element) -> Option<Self> {
        let (algorithm_uri, digest) = SignedDigest::read(element)?;
        if element.all(DS, "Transforms").count() > 1 {
            return None;
        }
        let transforms = element.child(DS, "Transforms");
        let other = |transform: &Element| !transform.is(DS, "Transform");
        if transforms.is_some_and(|transforms| transforms.children.iter().any(other)) {
            return None;
        }
        Some(Self {
            id: element.id(),
            uri: element.attribute("URI"),
            kind: element.attribute("Type"),
            transforms,
            algorithm_uri,
            digest,
        })
    }

    /// The URIs of its transforms.
    pub(crate) fn transforms(&self) -> Vec<String> {
        let all = self.transforms.map(|all| all.children.as_slice()).unwrap_or_default();
        let names = all.iter().map(|transform| transform.attribute("Algorithm"));
        names.map(|name| name.unwrap_or_default().to_owned()).collect()
    }
}

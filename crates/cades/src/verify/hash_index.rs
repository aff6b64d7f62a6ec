//! The hash index in archive time-stamps: what they cover (EN 319 122-1, 5.5.2).

use std::collections::HashMap;

use ades_core::asn1::ber::Element;
use ades_core::asn1::der::{OCTET_STRING, SEQUENCE};
use ades_core::facts::Objects;
use ades_core::{Digest, DigestAlgorithm};
use ades_evidence::embedded::unsigned_attribute;

use super::evidence::{ContainerEvidence, Holding, SignatureEvidence};
use crate::archive_input::value_digest;
use crate::oids;

/// ats-hash-index in the unsigned attributes of a token.
pub(super) struct HashIndex<'t> {
    /// The whole value.
    pub(super) octets: &'t [u8],
    pub(super) algorithm: DigestAlgorithm,
    certificates: Vec<&'t [u8]>,
    crls: Vec<&'t [u8]>,
    unsigned: Vec<&'t [u8]>,
    /// Whether `unsigned` is about attributes as a whole, as in its versions 1 and 2.
    of_attributes: bool,
}

/// Maximum number of digests in one list of an index.
const MAX_DIGESTS: usize = 64 * 1024;

impl<'t> HashIndex<'t> {
    /// `None` if there is not exactly one index, or if it cannot be read.
    pub(super) fn read(token: &'t [u8]) -> Option<Self> {
        let versions = [
            (oids::ATS_HASH_INDEX_V3, false),
            (oids::ATS_HASH_INDEX_V2, true),
            (oids::ATS_HASH_INDEX_V1, true),
        ];
        let mut found = versions.into_iter().flat_map(|(kind, of_attributes)| {
            unsigned_attribute(token, kind).into_iter().map(move |value| (value, of_attributes))
        });
        let (value, of_attributes) = found.next()?;
        if found.next().is_some() || value.tag != SEQUENCE {
            return None;
        }
        let fields = value.children().all(4).ok()?;
        let lists = |[certificates, crls, unsigned]: [&Element<'t>; 3], algorithm| {
            Some(Self {
                octets: value.raw,
                algorithm,
                certificates: digests(certificates)?,
                crls: digests(crls)?,
                unsigned: digests(unsigned)?,
                of_attributes,
            })
        };
        match fields.as_slice() {
            // Version 1 leaves out its default.
            [certificates, crls, unsigned] if of_attributes => {
                lists([certificates, crls, unsigned], DigestAlgorithm::Sha256)
            }
            [algorithm, certificates, crls, unsigned] => {
                let algorithm = DigestAlgorithm::from_algorithm_identifier(algorithm.raw).ok()?;
                lists([certificates, crls, unsigned], algorithm)
            }
            _ => None,
        }
    }
}

fn digests<'t>(list: &Element<'t>) -> Option<Vec<&'t [u8]>> {
    if list.tag != SEQUENCE {
        return None;
    }
    let all = list.children().all(MAX_DIGESTS).ok()?;
    all.iter().map(|one| (one.tag == OCTET_STRING).then_some(one.content)).collect()
}

/// The objects in elements, by the digests of the elements.
type ByDigest = HashMap<Vec<u8>, Objects>;

/// The digests of a container's elements, each computed once for an algorithm.
#[derive(Default)]
pub(super) struct HashedElements {
    certificates: HashMap<DigestAlgorithm, ByDigest>,
    crls: HashMap<DigestAlgorithm, ByDigest>,
}

/// The digests of one signature's unsigned attributes.
#[derive(Default)]
pub(super) struct HashedAttributes(HashMap<(DigestAlgorithm, bool), ByDigest>);

fn by_digest(elements: &[Holding<'_>], algorithm: DigestAlgorithm) -> ByDigest {
    let digest = |element: &Holding<'_>| Digest::of(algorithm, element.octets).value().to_vec();
    elements.iter().map(|element| (digest(element), element.objects.clone())).collect()
}

fn attributes(
    found: &SignatureEvidence<'_>,
    algorithm: DigestAlgorithm,
    of_attributes: bool,
) -> ByDigest {
    let mut all = ByDigest::new();
    for value in &found.unsigned {
        let digest = match of_attributes {
            true => Digest::of(algorithm, value.attribute.raw),
            false => value_digest(algorithm, value.attribute.kind_raw, value.octets),
        };
        all.entry(digest.value().to_vec()).or_default().add(&value.objects);
    }
    all
}

impl HashedElements {
    /// The objects that an index lists, and the number of elements that it lists and
    /// that are not there.
    pub(super) fn listed(
        &mut self,
        index: &HashIndex<'_>,
        container: &ContainerEvidence<'_>,
        found: &SignatureEvidence<'_>,
        hashed: &mut HashedAttributes,
    ) -> (Objects, usize) {
        let algorithm = index.algorithm;
        let certificates = self.certificates.entry(algorithm);
        let certificates =
            certificates.or_insert_with(|| by_digest(&container.certificates, algorithm));
        let crls = self.crls.entry(algorithm);
        let crls = crls.or_insert_with(|| by_digest(&container.crls, algorithm));
        let unsigned = hashed.0.entry((algorithm, index.of_attributes));
        let unsigned =
            unsigned.or_insert_with(|| attributes(found, algorithm, index.of_attributes));
        let (mut objects, mut missing) = (Objects::default(), 0);
        let lists = [
            (&index.certificates, &*certificates),
            (&index.crls, &*crls),
            (&index.unsigned, &*unsigned),
        ];
        for (listed, there) in lists {
            for digest in listed {
                match there.get(*digest) {
                    Some(found) => objects.add(found),
                    None => missing += 1,
                }
            }
        }
        (objects, missing)
    }
}

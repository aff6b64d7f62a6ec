//! Makes ats-hash-index-v3 (EN 319 122-1, 5.5.2): the list of what an archive time-stamp
//! covers.

use ades_core::asn1::der;
use ades_core::{Digest, DigestAlgorithm};

use crate::archive_input::value_digest;
use crate::attributes::SignedAttribute;
use crate::container::Container;
use crate::error::Error;
use crate::extend::grown::Grown;
use crate::oids;
use crate::signer_info::SignerInfo;

/// The index of everything in the container and in the unsigned attributes of one signature.
/// Empty lists are there, too.
pub(super) fn hash_index(
    container: &Container,
    signer: &SignerInfo<'_>,
    algorithm: DigestAlgorithm,
) -> Result<Vec<u8>, Error> {
    let of_elements = |elements: Vec<ades_core::asn1::ber::Element<'_>>| {
        list(elements.iter().map(|element| Digest::of(algorithm, element.raw)))
    };
    let mut unsigned = Vec::new();
    for attribute in signer.unsigned()? {
        for value in attribute.values()? {
            unsigned.push(value_digest(algorithm, attribute.kind_raw, value.raw));
        }
    }
    let parts = [
        algorithm.algorithm_identifier(),
        of_elements(container.certificate_elements()?),
        of_elements(container.crl_elements()?),
        list(unsigned.into_iter()),
    ];
    Ok(der::element(der::SEQUENCE, &[&parts.concat()]))
}

/// `SEQUENCE OF OCTET STRING`
fn list(digests: impl Iterator<Item = Digest>) -> Vec<u8> {
    let all: Vec<u8> =
        digests.flat_map(|digest| der::element(der::OCTET_STRING, &[digest.value()])).collect();
    der::element(der::SEQUENCE, &[&all])
}

/// The token of an archive time-stamp with its index, as an unsigned attribute of its signer
/// (EN 319 122-1, 5.5.2). The other octets of the token stay as they are.
pub(super) fn with_index(token: &[u8], index: &[u8]) -> Result<Vec<u8>, Error> {
    let mut source = ades_core::Document::from_bytes(token);
    let malformed = |_: Error| Error::TimeStampMalformed;
    let container = Container::read(&mut source).map_err(malformed)?;
    let signers = container.signer_elements().map_err(malformed)?;
    // Only the service signs (RFC 3161, 2.4.2), and a second index is not allowed.
    let [signer] = signers.as_slice() else { return Err(Error::TimeStampMalformed) };
    let signer = SignerInfo::read(*signer).map_err(|error| malformed(error.into()))?;
    let indexes = [oids::ATS_HASH_INDEX_V1, oids::ATS_HASH_INDEX_V2, oids::ATS_HASH_INDEX_V3];
    if super::has_any(&signer, &indexes).map_err(malformed)? {
        return Err(Error::TimeStampMalformed);
    }
    let attribute = SignedAttribute { kind: oids::ATS_HASH_INDEX_V3, value: index.to_vec() };
    let mut grown = Grown::new(&container);
    grown.add_unsigned(&[0], &attribute.encode())?;
    let mut out = Vec::new();
    grown.write(&mut source, &mut out)?;
    Ok(out)
}

//! One more signature in a container that exists: a parallel one beside the
//! others, or a countersignature on one of them.
//!
//! Octets of others are copied. What is written anew are the headers of the
//! sets and sequences that grow; an indefinite length stays indefinite. A set
//! that was in DER order stays in DER order, any other gets the new element at
//! its end.

use std::io::{SeekFrom, Write};

use ades_core::{CertificateChain, Digest, DigestAlgorithm, Document, SignatureParameters};

use crate::attributes::{SignedAttribute, Subject};
use crate::complete::write;
use crate::container::Container;
use crate::error::Error;
use crate::oids;
use crate::pending::{PendingSignature, Target};
use crate::prepare;
use crate::signer_info::SignerInfo;
use ades_core::asn1::ber::Element;
use ades_core::asn1::der;

/// Prepares one more signer, in parallel to those a container has.
///
/// `original` is the document if the container is detached. The container is
/// read twice, and needed again to complete.
///
/// # Errors
/// As [`crate::prepare`] and [`Container::read`]; [`Error::DocumentNeeded`];
/// [`Error::CannotAdd`].
pub fn prepare_parallel(
    container: &mut Document<'_>,
    original: Option<&mut Document<'_>>,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
) -> Result<PendingSignature, Error> {
    let algorithm = parameters.algorithm_for(chain.leaf())?.digest_algorithm();
    prepare::check(chain, parameters)?;
    let parsed = Container::read(container)?;
    check_open(&parsed)?;
    if parsed.encap.content_type != oids::DATA {
        return Err(Error::CannotAdd { why: "its content is not id-data" });
    }
    let document = if parsed.is_enveloping() {
        let mut digester = ades_core::Digester::new(algorithm);
        parsed.read_content(container, &mut |piece| {
            digester.update(piece);
            Ok(())
        })?;
        ades_core::DocumentDigest(digester.finish())
    } else {
        original.ok_or(Error::DocumentNeeded)?.digest(algorithm)?.0
    };
    let (container, _) = container.digest(DigestAlgorithm::Sha256)?;
    prepare::pending(
        Subject::Document,
        Target::Parallel { document, container: container.0 },
        chain,
        parameters,
    )
}

/// Prepares a countersignature on the signature of signer number `signer`
/// (counted from 0) of a container.
///
/// # Errors
/// As [`crate::prepare`] and [`Container::read`]; [`Error::NoSuchSigner`];
/// [`Error::CannotAdd`].
pub fn prepare_countersignature(
    container: &mut Document<'_>,
    signer: usize,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
) -> Result<PendingSignature, Error> {
    let algorithm = parameters.algorithm_for(chain.leaf())?.digest_algorithm();
    prepare::check(chain, parameters)?;
    let parsed = Container::read(container)?;
    check_open(&parsed)?;
    let elements = parsed.signer_elements()?;
    let element = elements.get(signer).ok_or(Error::NoSuchSigner { index: signer })?;
    let signature = Digest::of(algorithm, SignerInfo::read(*element)?.signature);
    let (container, _) = container.digest(DigestAlgorithm::Sha256)?;
    let target = Target::Countersignature { signature, signer, container: container.0 };
    prepare::pending(Subject::Signature, target, chain, parameters)
}

/// Archive time-stamps of the older kind cover the container's certificates
/// as a whole (EN 319 122-1, A.2.4): adding ours would break them.
fn check_open(container: &Container) -> Result<(), Error> {
    for element in container.signer_elements()? {
        let signer = SignerInfo::read(element)?;
        if signer.unsigned()?.iter().any(|a| oids::CLOSING.contains(&a.kind)) {
            return Err(Error::CannotAdd {
                why: "an archive time-stamp of an older kind covers its certificates",
            });
        }
    }
    Ok(())
}

impl PendingSignature {
    /// Copies `source` to `out` with the new signature in it.
    pub(crate) fn add_to(
        &self,
        source: &mut Document<'_>,
        signer_info: &[u8],
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        let expected = match &self.target {
            Target::Parallel { container, .. } | Target::Countersignature { container, .. } => {
                container
            }
            Target::Detached { .. } | Target::Enveloping { .. } | Target::Copied { .. } => {
                return Err(Error::CannotAdd { why: "it was not prepared for a container" });
            }
        };
        if source.digest(expected.algorithm())?.0.0 != *expected {
            return Err(Error::ContainerChanged);
        }
        let container = Container::read(source)?;

        let digest_algorithms = self.grown_digest_algorithms(&container)?;
        let tail = self.grown_tail(&container, signer_info)?;
        let encap = &container.encap;
        let encap_len = encap.end - encap.offset;

        // From the inside out, as the container's own headers are.
        let [outer_definite, explicit_definite, inner_definite] = container.head_spans.definite;
        let mut head = [container.head_spans.version.clone(), digest_algorithms].concat();
        let mut behind = tail.len() as u64;
        let signed_data_oid = der::element(der::OID, &[oids::SIGNED_DATA]);
        for (tag, definite, front) in [
            (der::SEQUENCE, inner_definite, [].as_slice()),
            (der::context(0), explicit_definite, &signed_data_oid),
            (der::SEQUENCE, outer_definite, &[]),
        ] {
            let header = if definite {
                der::header(tag, head.len() as u64 + encap_len + behind)
            } else {
                behind += 2;
                vec![tag, 0x80]
            };
            head = [front, &header, &head].concat();
        }
        write(out, &head)?;
        copy_range(source, encap.offset, encap.end, out)?;
        write(out, &tail)
    }

    fn grown_digest_algorithms(&self, container: &Container) -> Result<Vec<u8>, Error> {
        let elements = container.digest_algorithm_elements()?;
        let ours = self.algorithm.digest_algorithm();
        let known = elements
            .iter()
            .any(|e| DigestAlgorithm::from_algorithm_identifier(e.raw).is_ok_and(|a| a == ours));
        let needed = !known && matches!(self.target, Target::Parallel { .. });
        let new = needed.then(|| ours.algorithm_identifier());
        Ok(grown_set(der::SET, &elements, new, |e| e.raw.to_vec()))
    }

    /// Certificates, revocation values, signers and end-of-contents octets.
    fn grown_tail(&self, container: &Container, signer_info: &[u8]) -> Result<Vec<u8>, Error> {
        let present = container.certificate_elements()?;
        let missing = self
            .chain
            .certificates()
            .iter()
            .map(|c| c.der().to_vec())
            .filter(|der| !present.iter().any(|e| e.raw == der));
        let mut tail = grown_set(der::context(0), &present, missing, |e| e.raw.to_vec());
        if let Some(crls) = container.tail_spans.crls {
            tail.extend_from_slice(container.tail_slice(crls));
        }
        let signers = container.signer_elements()?;
        tail.extend(match &self.target {
            Target::Countersignature { signer, .. } => {
                let target = signers.get(*signer).ok_or(Error::NoSuchSigner { index: *signer })?;
                let countersigned = countersigned(target, signer_info)?;
                grown_set(der::SET, &signers, None, |e| {
                    if e.offset == target.offset { countersigned.clone() } else { e.raw.to_vec() }
                })
            }
            _ => grown_set(der::SET, &signers, Some(signer_info.to_vec()), |e| e.raw.to_vec()),
        });
        for definite in container.head_spans.definite {
            if !definite {
                tail.extend_from_slice(&[0, 0]);
            }
        }
        Ok(tail)
    }
}

/// The `SignerInfo` with one more unsigned attribute.
fn countersigned(signer: &Element<'_>, countersignature: &[u8]) -> Result<Vec<u8>, Error> {
    let parsed = SignerInfo::read(*signer)?;
    let attribute =
        SignedAttribute { kind: oids::COUNTERSIGNATURE, value: countersignature.to_vec() };
    let present = parsed
        .unsigned_attributes
        .map_or(Ok(Vec::new()), |set| set.children().all(crate::container::MAX_ELEMENTS))?;
    let unsigned =
        grown_set(der::context(1), &present, Some(attribute.encode()), |e| e.raw.to_vec());
    let kept = signer.content.len() - parsed.unsigned_attributes.map_or(0, |set| set.raw.len());
    let front = signer.content.get(..kept).unwrap_or_default();
    Ok(der::element(der::SEQUENCE, &[front, &unsigned]))
}

/// A set with its old elements and new ones, in DER order if it was in it.
fn grown_set(
    tag: u8,
    elements: &[Element<'_>],
    new: impl IntoIterator<Item = Vec<u8>>,
    octets: impl Fn(&Element<'_>) -> Vec<u8>,
) -> Vec<u8> {
    let in_order = elements.is_sorted_by(|a, b| a.raw <= b.raw);
    let mut all: Vec<Vec<u8>> = elements.iter().map(octets).collect();
    all.extend(new);
    let content = if in_order { der::set_of(&mut all) } else { all.concat() };
    der::element(tag, &[&content])
}

fn copy_range(
    source: &mut Document<'_>,
    start: u64,
    end: u64,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let reader = source.random_access()?;
    reader.seek(SeekFrom::Start(start)).map_err(ades_core::Error::Read)?;
    let mut left = end - start;
    let mut piece = vec![0; usize::try_from(left.min(128 * 1024)).unwrap_or(0)];
    while left > 0 {
        let count = usize::try_from(left.min(piece.len() as u64)).unwrap_or(0);
        let piece = piece.get_mut(..count).unwrap_or_default();
        reader.read_exact(piece).map_err(ades_core::Error::Read)?;
        write(out, piece)?;
        left -= count as u64;
    }
    Ok(())
}

//! Adding a signature to an existing container: a parallel signer, or a
//! countersignature on one of its signers.
//!
//! Existing elements are copied octet by octet. Only the headers of the sets and
//! sequences that grow are written again, and SignedData and the elements around
//! it keep an indefinite length. A set in DER order stays in DER order; any
//! other set gets the new element at its end.

use std::io::{SeekFrom, Write};

use ades_core::asn1::ber::Element;
use ades_core::asn1::der;
use ades_core::{Certificate, DigestAlgorithm, Document};

use crate::attributes::SignedAttribute;
use crate::container::{Container, MAX_ELEMENTS};
use crate::error::Error;
use crate::oids;
use crate::signed_data::write;
use crate::signer_info::SignerInfo;

/// The end of an element of indefinite length (X.690, 8.1.5).
const END_OF_CONTENTS: &[u8] = &[0, 0];
/// Length of the pieces in which octets are copied.
const PIECE: u64 = 128 * 1024;

/// A signature to be added to a container.
pub(crate) struct Addition<'a> {
    pub(crate) added_as: AddedAs,
    /// The DER of its SignerInfo.
    pub(crate) signer_info: Vec<u8>,
    /// The signer's chain. Certificates that the container lacks are added to it.
    pub(crate) certificates: &'a [Certificate],
    pub(crate) digest_algorithm: DigestAlgorithm,
}

/// The place of a new signature in a container.
#[derive(Clone, Copy)]
pub(crate) enum AddedAs {
    /// One more signer.
    Signer,
    /// An unsigned attribute of the signer with this number.
    CountersignatureOf(usize),
}

impl Addition<'_> {
    /// Copies `source`, from which `container` was read, to `out` with the new
    /// signature in it.
    pub(crate) fn write(
        &self,
        source: &mut Document<'_>,
        container: &Container,
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        let tail = self.grown_tail(container)?;
        let head = self.grown_head(container, tail.len() as u64)?;
        write(out, &head)?;
        copy_range(source, container.encap.offset, container.encap.end, out)?;
        write(out, &tail)?;
        for _ in container.head_spans.definite.iter().filter(|definite| !**definite) {
            write(out, END_OF_CONTENTS)?;
        }
        Ok(())
    }

    /// The octets before encapContentInfo.
    fn grown_head(&self, container: &Container, tail_len: u64) -> Result<Vec<u8>, Error> {
        let encap_len = container.encap.end - container.encap.offset;
        let [outer_definite, explicit_definite, inner_definite] = container.head_spans.definite;
        let mut head =
            [container.head_spans.version.clone(), self.grown_digest_algorithms(container)?]
                .concat();
        let mut after = tail_len;
        let signed_data_oid = der::element(der::OID, &[oids::SIGNED_DATA]);
        // From the inside out: each header needs the length of all it encloses,
        // the end-of-contents octets of inner elements included.
        for (tag, definite, before) in [
            (der::SEQUENCE, inner_definite, [].as_slice()),
            (der::context(0), explicit_definite, &signed_data_oid),
            (der::SEQUENCE, outer_definite, &[]),
        ] {
            let header = if definite {
                der::header(tag, head.len() as u64 + encap_len + after)
            } else {
                after += END_OF_CONTENTS.len() as u64;
                vec![tag, 0x80]
            };
            head = [before, &header, &head].concat();
        }
        Ok(head)
    }

    fn grown_digest_algorithms(&self, container: &Container) -> Result<Vec<u8>, Error> {
        let elements = container.digest_algorithm_elements()?;
        let is_listed = elements.iter().any(|e| {
            DigestAlgorithm::from_algorithm_identifier(e.raw)
                .is_ok_and(|a| a == self.digest_algorithm)
        });
        let needed = !is_listed && matches!(self.added_as, AddedAs::Signer);
        let new = needed.then(|| self.digest_algorithm.algorithm_identifier());
        Ok(grown_set(der::SET, &elements, new, |e| e.raw.to_vec()))
    }

    /// Certificates, revocation values and signers.
    fn grown_tail(&self, container: &Container) -> Result<Vec<u8>, Error> {
        let present = container.certificate_elements()?;
        let missing = self
            .certificates
            .iter()
            .map(|c| c.der().to_vec())
            .filter(|der| !present.iter().any(|e| e.raw == der));
        let mut tail = grown_set(der::context(0), &present, missing, |e| e.raw.to_vec());
        if let Some(crls) = container.tail_spans.crls {
            tail.extend_from_slice(container.tail_slice(crls));
        }
        tail.extend(self.grown_signers(container)?);
        Ok(tail)
    }

    fn grown_signers(&self, container: &Container) -> Result<Vec<u8>, Error> {
        let signers = container.signer_elements()?;
        match self.added_as {
            AddedAs::Signer => {
                let new = Some(self.signer_info.clone());
                Ok(grown_set(der::SET, &signers, new, |e| e.raw.to_vec()))
            }
            AddedAs::CountersignatureOf(index) => {
                let no_such = || Error::NoSuchSignature { which: vec![index] };
                let signed = signers.get(index).ok_or_else(no_such)?;
                let grown = countersigned(signed, &self.signer_info)?;
                Ok(grown_set(der::SET, &signers, None, |e| {
                    if e.offset == signed.offset { grown.clone() } else { e.raw.to_vec() }
                }))
            }
        }
    }
}

/// The `SignerInfo` with one more unsigned attribute.
fn countersigned(signer: &Element<'_>, countersignature: &[u8]) -> Result<Vec<u8>, Error> {
    let parsed = SignerInfo::read(*signer)?;
    let attribute =
        SignedAttribute { kind: oids::COUNTERSIGNATURE, value: countersignature.to_vec() };
    let present = parsed
        .unsigned_attributes
        .map_or(Ok(Vec::new()), |set| set.children().all(MAX_ELEMENTS))?;
    let unsigned =
        grown_set(der::context(1), &present, Some(attribute.encode()), |e| e.raw.to_vec());
    let kept = signer.content.len() - parsed.unsigned_attributes.map_or(0, |set| set.raw.len());
    let fields = signer.content.get(..kept).unwrap_or_default();
    Ok(der::element(der::SEQUENCE, &[fields, &unsigned]))
}

/// Encodes a set of `elements`, each as `octets` returns it, and of `new`. The
/// result is in DER order if `elements` are.
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
    let mut piece = vec![0; usize::try_from(left.min(PIECE)).unwrap_or(0)];
    while left > 0 {
        let count = usize::try_from(left.min(piece.len() as u64)).unwrap_or(0);
        let piece = piece.get_mut(..count).unwrap_or_default();
        reader.read_exact(piece).map_err(ades_core::Error::Read)?;
        write(out, piece)?;
        left -= count as u64;
    }
    Ok(())
}

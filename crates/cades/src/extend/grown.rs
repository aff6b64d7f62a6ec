//! A container that grows: signers, attributes, certificates and revocation values are
//! added.
//!
//! Existing elements are copied octet by octet. Only the headers of the sets and
//! sequences that grow are written again, and SignedData and the elements around
//! it keep an indefinite length. A set in DER order stays in DER order; any
//! other set gets the new element at its end. A set that does not grow keeps its
//! octets.

use std::collections::HashSet;
use std::io::{SeekFrom, Write};

use ades_core::asn1::ber::Element;
use ades_core::asn1::der;
use ades_core::{Certificate, DigestAlgorithm, Document};

use crate::container::{Container, MAX_CERTIFICATES_LEN, MAX_ELEMENTS, MAX_HELD, MAX_SIGNERS};
use crate::error::{Error, Limit};
use crate::oids;
use crate::signed_data::write;
use crate::signer_info;

/// The end of an element of indefinite length (X.690, 8.1.5).
const END_OF_CONTENTS: &[u8] = &[0, 0];
/// Length of the pieces in which octets are copied.
const PIECE: u64 = 128 * 1024;
/// The version of a SignedData with revocation values that are not CRLs (RFC 5652, 5.1).
const VERSION_WITH_OTHER_REVOCATION_INFO: u8 = 5;
/// `other` of RevocationInfoChoice (RFC 5652, 10.2.1)
const OTHER_REVOCATION_INFO: u8 = der::context(1);

/// A container with additions: its fields as they will be written.
pub(crate) struct Grown<'c> {
    container: &'c Container,
    version: Vec<u8>,
    digest_algorithms: Vec<u8>,
    certificates: Vec<u8>,
    crls: Vec<u8>,
    signers: Vec<u8>,
}

impl<'c> Grown<'c> {
    /// The container as it is.
    pub(crate) fn new(container: &'c Container) -> Self {
        let [certificates, crls] = container.evidence_fields().map(<[u8]>::to_vec);
        Self {
            container,
            version: container.head_spans.version.clone(),
            digest_algorithms: container.digest_algorithms_field().to_vec(),
            certificates,
            crls,
            signers: container.tail_slice(container.tail_spans.signer_infos).to_vec(),
        }
    }

    /// Adds a digest algorithm, unless the container lists it already.
    pub(crate) fn add_digest_algorithm(&mut self, algorithm: DigestAlgorithm) -> Result<(), Error> {
        let present = self.container.digest_algorithm_elements()?;
        let is_listed = present.iter().any(|e| {
            DigestAlgorithm::from_algorithm_identifier(e.raw).is_ok_and(|a| a == algorithm)
        });
        if !is_listed {
            let new = vec![algorithm.algorithm_identifier()];
            self.digest_algorithms = grown_set(der::SET, &present, new)?;
        }
        Ok(())
    }

    /// Adds the certificates that the container lacks.
    pub(crate) fn add_certificates(&mut self, certificates: &[Certificate]) -> Result<(), Error> {
        let present = self.container.certificate_elements()?;
        let all = certificates.iter().map(|certificate| certificate.der().to_vec());
        let missing = without_present(all, &present);
        let len = |octets: usize, more: usize| octets.saturating_add(more);
        let present_len = present.iter().map(|e| e.raw.len()).fold(0, len);
        if missing.iter().map(Vec::len).fold(present_len, len) > MAX_CERTIFICATES_LEN {
            return Err(Limit::CertificatesLen.into());
        }
        if !missing.is_empty() {
            self.certificates = grown_set(der::context(0), &present, missing)?;
        }
        Ok(())
    }

    /// Adds the `RevocationInfoChoice`s that the container lacks. An OCSP response raises
    /// the version of SignedData (RFC 5652, 5.1), which no time-stamp covers.
    pub(crate) fn add_revocation_infos(&mut self, infos: Vec<Vec<u8>>) -> Result<(), Error> {
        let present = self.container.crl_elements()?;
        let missing = without_present(infos.into_iter(), &present);
        if missing.is_empty() {
            return Ok(());
        }
        let other = |octets: &[u8]| octets.first() == Some(&OTHER_REVOCATION_INFO);
        let is_older = self.container.version() < Some(VERSION_WITH_OTHER_REVOCATION_INFO);
        if is_older && missing.iter().any(|info| other(info)) {
            self.version = vec![der::INTEGER, 1, VERSION_WITH_OTHER_REVOCATION_INFO];
        }
        self.crls = grown_set(der::context(1), &present, missing)?;
        Ok(())
    }

    /// Adds a signer.
    pub(crate) fn add_signer(&mut self, signer_info: Vec<u8>) -> Result<(), Error> {
        let present = self.container.signer_elements()?;
        if present.len() >= MAX_SIGNERS {
            return Err(Limit::Signers.into());
        }
        self.signers = grown_set(der::SET, &present, vec![signer_info])?;
        Ok(())
    }

    /// Adds an unsigned attribute to the signature at a place in the report.
    pub(crate) fn add_unsigned(&mut self, which: &[usize], attribute: &[u8]) -> Result<(), Error> {
        let no_such = || Error::NoSuchSignature { which: which.to_vec() };
        let signers = self.container.signer_elements()?;
        let (&index, deeper) = which.split_first().ok_or_else(no_such)?;
        let signed = signers.get(index).ok_or_else(no_such)?;
        let grown = with_unsigned(signed, deeper, attribute)?.ok_or_else(no_such)?;
        self.signers = with_replaced(der::SET, &signers, signed, &grown);
        Ok(())
    }

    /// Copies `source`, from which the container was read, to `out` with the additions.
    pub(crate) fn write(
        &self,
        source: &mut Document<'_>,
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        let tail = [&self.certificates[..], &self.crls, &self.signers].concat();
        let head = self.head(tail.len() as u64);
        if tail.len() as u64 > MAX_HELD || head.len() as u64 > MAX_HELD {
            return Err(Limit::Held.into());
        }
        write(out, &head)?;
        copy_range(source, self.container.encap.offset, self.container.encap.end, out)?;
        write(out, &tail)?;
        for _ in self.container.head_spans.definite.iter().filter(|definite| !**definite) {
            write(out, END_OF_CONTENTS)?;
        }
        Ok(())
    }

    /// The octets before encapContentInfo.
    fn head(&self, tail_len: u64) -> Vec<u8> {
        let encap = &self.container.encap;
        let encap_len = encap.end.saturating_sub(encap.offset);
        let [outer_definite, explicit_definite, inner_definite] =
            self.container.head_spans.definite;
        let mut head = [&self.version[..], &self.digest_algorithms].concat();
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
        head
    }
}

/// Those that are not in a set yet, each once.
fn without_present(all: impl Iterator<Item = Vec<u8>>, present: &[Element<'_>]) -> Vec<Vec<u8>> {
    let present: HashSet<&[u8]> = present.iter().map(|element| element.raw).collect();
    let mut seen = HashSet::new();
    all.filter(|new| !present.contains(new.as_slice()) && seen.insert(new.clone())).collect()
}

/// Adds an unsigned attribute to the `SignerInfo`, or to the countersignature in it that `which`
/// names. Returns the new `SignerInfo`, or `None` if it does not have that countersignature.
fn with_unsigned(
    signer: &Element<'_>,
    which: &[usize],
    attribute: &[u8],
) -> Result<Option<Vec<u8>>, Error> {
    let parsed = signer_info::read(*signer)?;
    let present = parsed
        .unsigned_attributes
        .map_or(Ok(Vec::new()), |set| set.children().all(MAX_ELEMENTS))?;
    let unsigned = if let Some((&index, deeper)) = which.split_first() {
        let Some((around, values, signed)) = countersignature_at(&present, index)? else {
            return Ok(None);
        };
        let Some(grown) = with_unsigned(&signed, deeper, attribute)? else {
            return Ok(None);
        };
        let values = with_replaced(der::SET, &values, &signed, &grown);
        let kind = der::element(der::OID, &[oids::COUNTERSIGNATURE]);
        let grown = der::element(der::SEQUENCE, &[&kind, &values]);
        with_replaced(der::context(1), &present, &around, &grown)
    } else {
        grown_set(der::context(1), &present, vec![attribute.to_vec()])?
    };
    let kept = signer.content.len() - parsed.unsigned_attributes.map_or(0, |set| set.raw.len());
    let fields = signer.content.get(..kept).unwrap_or_default();
    Ok(Some(der::element(der::SEQUENCE, &[fields, &unsigned])))
}

/// A countersignature among unsigned attributes: its attribute, all values of that, and the
/// value itself.
fn countersignature_at<'a>(
    unsigned: &[Element<'a>],
    index: usize,
) -> Result<Option<(Element<'a>, Vec<Element<'a>>, Element<'a>)>, Error> {
    let mut left = index;
    for attribute in unsigned {
        let mut fields = attribute.children();
        if fields.next("expected attribute type")?.content != oids::COUNTERSIGNATURE {
            continue;
        }
        let values = fields.next("expected attribute values")?.children().all(MAX_ELEMENTS)?;
        match values.get(left) {
            Some(value) => return Ok(Some((*attribute, values.clone(), *value))),
            None => left -= values.len(),
        }
    }
    Ok(None)
}

/// Encodes a set of `elements` with `new` in the place of one of them.
fn with_replaced(tag: u8, elements: &[Element<'_>], old: &Element<'_>, new: &[u8]) -> Vec<u8> {
    let octets = |e: &Element<'_>| if e.offset == old.offset { new } else { e.raw }.to_vec();
    encoded_set(tag, elements, elements.iter().map(octets).collect())
}

/// Encodes a set of `elements` and of `new`.
fn grown_set(tag: u8, elements: &[Element<'_>], new: Vec<Vec<u8>>) -> Result<Vec<u8>, Error> {
    if elements.len().saturating_add(new.len()) > MAX_ELEMENTS {
        return Err(Limit::Elements.into());
    }
    let all = elements.iter().map(|e| e.raw.to_vec()).chain(new).collect();
    Ok(encoded_set(tag, elements, all))
}

/// Encodes a set that was `elements` before. The result is in DER order if they are.
fn encoded_set(tag: u8, elements: &[Element<'_>], mut all: Vec<Vec<u8>>) -> Vec<u8> {
    let in_order = elements.is_sorted_by(|a, b| a.raw <= b.raw);
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
    let mut left = end.saturating_sub(start);
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

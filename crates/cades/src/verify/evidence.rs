//! Adds the certificates, revocation values and time-stamps of a container to the
//! evidence.

use ades_core::asn1::der;
use ades_core::facts::{Covers, Evidence, EvidencePlace, ImprintUndecided, Objects, TimeStampKind};
use ades_core::{Digest, DigestAlgorithm, Digester};
use ades_evidence::embedded::{
    AddedTimeStamp, add_certificate_values, add_revocation_info, add_revocation_values,
    add_time_stamp,
};

use super::Covered;
use super::archive::Archived;
use crate::container::Container;
use crate::error::Error;
use crate::oids;
use crate::signer_info::{Attribute, SignerInfo};

/// Maximum number of values of unsigned attributes that are looked at in one signature.
/// More are left out, which is not an error: no archive time-stamp is then compared.
const MAX_UNSIGNED_VALUES: usize = 16 * 1024;

/// An element of a container, and the evidence in it.
pub(super) struct Holding<'c> {
    pub(super) octets: &'c [u8],
    pub(super) objects: Objects,
}

/// The evidence in the fields certificates and crls of a SignedData.
pub(super) struct ContainerEvidence<'c> {
    pub(super) certificates: Vec<Holding<'c>>,
    pub(super) crls: Vec<Holding<'c>>,
    /// All of it.
    pub(super) objects: Objects,
}

impl<'c> ContainerEvidence<'c> {
    pub(super) fn add(container: &'c Container, evidence: &mut Evidence) -> Result<Self, Error> {
        let begin = evidence.mark();
        let place = EvidencePlace::SignedData;
        let mut read = container.certificates().iter().peekable();
        let (mut certificates, mut crls) = (Vec::new(), Vec::new());
        for element in container.certificate_elements()? {
            let mark = evidence.mark();
            // Elements of other kinds have other tags. The malformed ones were not read.
            match read.next_if(|certificate| certificate.der() == element.raw) {
                Some(certificate) => evidence.add_read_certificate(certificate, place),
                None if element.tag == der::SEQUENCE => evidence.add_unreadable(1),
                None => {}
            }
            let objects = evidence.since(mark);
            certificates.push(Holding { octets: element.raw, objects });
        }
        for element in container.crl_elements()? {
            let mark = evidence.mark();
            add_revocation_info(evidence, &element, place);
            crls.push(Holding { octets: element.raw, objects: evidence.since(mark) });
        }
        Ok(Self { certificates, crls, objects: evidence.since(begin) })
    }
}

/// The value of an unsigned attribute.
pub(super) struct UnsignedValue<'a> {
    pub(super) attribute: Attribute<'a>,
    pub(super) octets: &'a [u8],
    /// The evidence in it.
    pub(super) objects: Objects,
    /// If it is a time-stamp.
    pub(super) stamp: Option<AddedTimeStamp>,
}

/// The evidence in the attributes of one signature.
pub(super) struct SignatureEvidence<'a> {
    /// The content time-stamps.
    content: Vec<AddedTimeStamp>,
    /// The evidence in the signed attributes.
    pub(super) signed: Objects,
    /// The evidence in each countersignature, in their order.
    countersignatures: Vec<Objects>,
    /// In their order.
    pub(super) unsigned: Vec<UnsignedValue<'a>>,
    /// Whether some are left out.
    pub(super) is_cut: bool,
}

/// The kind of a time-stamp in an unsigned attribute.
const fn kind_of(attribute: &[u8]) -> Option<TimeStampKind> {
    match attribute {
        oids::SIGNATURE_TIME_STAMP => Some(TimeStampKind::Signature),
        oids::CADES_C_TIME_STAMP => Some(TimeStampKind::SignatureAndReferences),
        oids::REFERENCES_TIME_STAMP => Some(TimeStampKind::References),
        oids::ARCHIVE_TIME_STAMP_V1 | oids::ARCHIVE_TIME_STAMP_V2 | oids::ARCHIVE_TIME_STAMP_V3 => {
            Some(TimeStampKind::Archive)
        }
        _ => None,
    }
}

/// Whether an unsigned attribute has references to certificates or revocation values.
pub(super) const fn has_references(attribute: &[u8]) -> bool {
    matches!(
        attribute,
        oids::CERTIFICATE_REFERENCES
            | oids::REVOCATION_REFERENCES
            | oids::ATTRIBUTE_CERTIFICATE_REFERENCES
            | oids::ATTRIBUTE_REVOCATION_REFERENCES
    )
}

impl<'a> SignatureEvidence<'a> {
    /// Adds the evidence in the signed attributes.
    pub(super) fn of_signed(
        signer: &SignerInfo<'_>,
        covered: Covered<'_>,
        evidence: &mut Evidence,
    ) -> Result<Self, Error> {
        let begin = evidence.mark();
        let mut content = Vec::new();
        for attribute in signer.signed()? {
            match attribute.kind {
                oids::CONTENT_TIME_STAMP => {
                    for value in attribute.values()? {
                        let added = add_time_stamp(evidence, TimeStampKind::Content, value.raw);
                        added.compare(evidence, |algorithm| covered.digest(algorithm));
                        let mut covers = Covers::default();
                        covers.signed_data = true;
                        set_covers(evidence, &added, covers);
                        content.push(added);
                    }
                }
                oids::REVOCATION_INFO_ARCHIVAL => {
                    for value in attribute.values()? {
                        let place = EvidencePlace::RevocationInfoArchival;
                        add_revocation_values(evidence, value.raw, place);
                    }
                }
                _ => {}
            }
        }
        let signed = evidence.since(begin);
        let (countersignatures, unsigned) = (Vec::new(), Vec::new());
        Ok(Self { content, signed, countersignatures, unsigned, is_cut: false })
    }

    pub(super) fn add_countersignature(&mut self, objects: Objects) {
        self.countersignatures.push(objects);
    }

    /// Adds the evidence in the unsigned attributes, and compares the imprints of the
    /// time-stamps, except those of archive time-stamps.
    pub(super) fn add_unsigned(
        &mut self,
        signer: &SignerInfo<'_>,
        unsigned: &[Attribute<'a>],
        evidence: &mut Evidence,
        archived: &mut Archived,
    ) -> Result<(), Error> {
        let mut countersignatures = std::mem::take(&mut self.countersignatures).into_iter();
        for attribute in unsigned {
            let values = attribute.values()?;
            if self.unsigned.len() + values.len() > MAX_UNSIGNED_VALUES {
                evidence.add_left_out(1);
                self.is_cut = true;
                break;
            }
            for value in values {
                let mark = evidence.mark();
                let mut stamp = None;
                match attribute.kind {
                    oids::CERTIFICATE_VALUES => {
                        add_certificate_values(evidence, value.raw, EvidencePlace::Values);
                    }
                    oids::REVOCATION_VALUES => {
                        add_revocation_values(evidence, value.raw, EvidencePlace::Values);
                    }
                    kind => {
                        let kind = kind_of(kind);
                        stamp = kind.map(|kind| add_time_stamp(evidence, kind, value.raw));
                    }
                }
                let objects = match attribute.kind {
                    oids::COUNTERSIGNATURE => countersignatures.next().unwrap_or_default(),
                    _ => evidence.since(mark),
                };
                let (attribute, octets) = (*attribute, value.raw);
                self.unsigned.push(UnsignedValue { attribute, octets, objects, stamp });
            }
        }
        let references = References::new(unsigned);
        for value in &self.unsigned {
            if let Some(stamp) = &value.stamp {
                self.compare(signer, value.attribute.kind, stamp, &references, evidence, archived);
            }
        }
        Ok(())
    }

    fn compare(
        &self,
        signer: &SignerInfo<'_>,
        kind: &[u8],
        stamp: &AddedTimeStamp,
        references: &References<'_>,
        evidence: &mut Evidence,
        archived: &mut Archived,
    ) {
        let mut covers = Covers::default();
        let parts: Vec<&[u8]> = match kind {
            oids::SIGNATURE_TIME_STAMP => vec![signer.signature],
            oids::CADES_C_TIME_STAMP => [&[signer.signature][..], &references.stamped].concat(),
            oids::REFERENCES_TIME_STAMP => references.alone.clone(),
            _ => return,
        };
        covers.references = kind != oids::SIGNATURE_TIME_STAMP;
        stamp.compare(evidence, |algorithm| {
            if kind != oids::SIGNATURE_TIME_STAMP {
                archived.take_stamp()?;
            }
            archived.digest(Digester::new(algorithm), &parts)
        });
        if kind != oids::REFERENCES_TIME_STAMP {
            self.cover_signature(&mut covers);
        }
        if kind == oids::CADES_C_TIME_STAMP {
            for other in &self.unsigned {
                if other.attribute.kind == oids::SIGNATURE_TIME_STAMP {
                    covers.objects.add(&other.objects);
                }
            }
        }
        set_covers(evidence, stamp, covers);
    }

    /// A time-stamp over the signature value covers everything that is signed.
    pub(super) fn cover_signature(&self, covers: &mut Covers) {
        (covers.signed_data, covers.signature) = (true, true);
        covers.objects.add(&self.signed);
    }

    /// The time-stamps on the signature.
    fn stamps(&self) -> impl Iterator<Item = (&[u8], &AddedTimeStamp)> {
        let content = self.content.iter().map(|stamp| (oids::CONTENT_TIME_STAMP, stamp));
        let unsigned = self.unsigned.iter();
        content
            .chain(unsigned.filter_map(|value| Some((value.attribute.kind, value.stamp.as_ref()?))))
    }

    pub(super) fn positions(&self) -> Vec<usize> {
        self.stamps().filter_map(|(_, stamp)| stamp.position).collect()
    }

    /// Whether a time-stamp in such an attribute can be evidence.
    pub(super) fn is_fitting(&self, kind: &[u8], evidence: &Evidence) -> bool {
        let mut stamps = self.stamps().filter(|(of, _)| *of == kind);
        stamps.any(|(_, stamp)| {
            let facts = stamp.position.and_then(|at| evidence.time_stamps().get(at));
            facts.is_some_and(|facts| facts.fits())
        })
    }
}

/// Parts of the inputs of the time-stamps over references (EN 319 122-1, A.1.5): OID and
/// values of each attribute.
struct References<'a> {
    /// With the signature time-stamps before them.
    stamped: Vec<&'a [u8]>,
    alone: Vec<&'a [u8]>,
}

impl<'a> References<'a> {
    fn new(unsigned: &[Attribute<'a>]) -> Self {
        let parts = |kinds: &[&[u8]]| {
            let mut parts = Vec::new();
            for kind in kinds {
                for attribute in unsigned.iter().filter(|attribute| attribute.kind == *kind) {
                    parts.extend([attribute.kind_raw, attribute.values_raw()]);
                }
            }
            parts
        };
        let (certificates, values) = (oids::CERTIFICATE_REFERENCES, oids::REVOCATION_REFERENCES);
        Self {
            stamped: parts(&[oids::SIGNATURE_TIME_STAMP, certificates, values]),
            alone: parts(&[certificates, values]),
        }
    }
}

pub(super) fn set_covers(evidence: &mut Evidence, stamp: &AddedTimeStamp, covers: Covers) {
    if let Some(facts) = stamp.position.and_then(|at| evidence.time_stamp_mut(at)) {
        facts.covers = covers;
    }
}

impl Covered<'_> {
    /// The digest of the data by this algorithm.
    pub(super) fn digest(&self, algorithm: DigestAlgorithm) -> Result<Digest, ImprintUndecided> {
        let known = self.digests.iter().find(|digest| digest.algorithm() == algorithm);
        let computed = || self.octets.map(|octets| Digest::of(algorithm, octets));
        known.cloned().or_else(computed).ok_or(ImprintUndecided::DataMissing)
    }
}

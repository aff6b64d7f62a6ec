//! The imprints of archive time-stamps (EN 319 122-1, 5.5.2; TS 101 733, 6.4.1).

use ades_core::asn1::der::{context, header};
use ades_core::facts::{Covers, ImprintUndecided};
use ades_core::{Digest, DigestAlgorithm, Digester};
use ades_evidence::embedded::AddedTimeStamp;
use ades_evidence::token::Token;
use chrono::{DateTime, Utc};

use super::evidence::{SignatureEvidence, UnsignedValue, has_references};
use super::hash_index::{HashIndex, HashedAttributes};
use super::{Covered, ReportBuilder, Subject};
use crate::archive_input::ArchiveInput;
use crate::error::Error;
use crate::oids;
use crate::signer_info::{Attribute, SignerInfo};

/// Maximum number of octets that the imprints of one container digest together, not
/// counting the content.
const MAX_IMPRINT_LEN: u64 = 256 * 1024 * 1024;
/// Maximum number of time-stamps over other time-stamps that are compared in one
/// container.
const MAX_COMPARED: usize = 256;

/// The digest algorithms that the time-stamps of a container need.
#[derive(Default)]
pub(super) struct ImprintAlgorithms {
    /// For the digest of the content.
    pub(super) of_content: Vec<DigestAlgorithm>,
    /// For archive time-stamps of version 2, which are over the content itself.
    pub(super) of_version_2: Vec<DigestAlgorithm>,
}

/// The algorithms that the time-stamps on the outermost signatures need.
pub(super) fn imprint_algorithms(signers: &[SignerInfo<'_>]) -> Result<ImprintAlgorithms, Error> {
    let mut all = ImprintAlgorithms::default();
    for signer in signers {
        for attribute in signer.signed()?.into_iter().chain(signer.unsigned()?) {
            let list = match attribute.kind {
                oids::CONTENT_TIME_STAMP | oids::ARCHIVE_TIME_STAMP_V3 => &mut all.of_content,
                oids::ARCHIVE_TIME_STAMP_V2 => &mut all.of_version_2,
                _ => continue,
            };
            for value in attribute.values()? {
                let imprint = Token::read(value.raw).and_then(|token| token.imprint);
                let algorithm = imprint.map(|imprint| imprint.algorithm());
                list.extend(algorithm.filter(|algorithm| !list.contains(algorithm)));
            }
        }
    }
    Ok(all)
}

/// What is left for the imprints of one container.
pub(super) struct Archived {
    /// The octets of encapContentInfo and of the document outside it.
    content: Vec<(DigestAlgorithm, Digester)>,
    octets: u64,
    stamps: usize,
}

impl Archived {
    pub(super) const fn new(content: Vec<(DigestAlgorithm, Digester)>) -> Self {
        Self { content, octets: MAX_IMPRINT_LEN, stamps: MAX_COMPARED }
    }

    /// Takes the space of one time-stamp over other time-stamps.
    pub(super) fn take_stamp(&mut self) -> Result<(), ImprintUndecided> {
        self.stamps = self.stamps.checked_sub(1).ok_or(ImprintUndecided::Limit)?;
        Ok(())
    }

    /// The digest of these octets after those that `digester` has.
    pub(super) fn digest(
        &mut self,
        mut digester: Digester,
        parts: &[&[u8]],
    ) -> Result<Digest, ImprintUndecided> {
        let len: u64 = parts.iter().map(|part| part.len() as u64).sum();
        self.octets = self.octets.checked_sub(len).ok_or(ImprintUndecided::Limit)?;
        parts.iter().for_each(|part| digester.update(part));
        Ok(digester.finish())
    }
}

impl ReportBuilder<'_, '_> {
    /// Compares the imprints of the archive time-stamps of one signature, and states what
    /// they cover.
    pub(super) fn compare_archive_time_stamps(
        &mut self,
        signer: &SignerInfo<'_>,
        covered: Covered<'_>,
        subject: Subject,
        unsigned: &[Attribute<'_>],
        found: &SignatureEvidence<'_>,
    ) {
        let mut hashed = HashedAttributes::default();
        for value in &found.unsigned {
            let Some(stamp) = &value.stamp else { continue };
            let compared = match value.attribute.kind {
                oids::ARCHIVE_TIME_STAMP_V1 => Err(ImprintUndecided::UnsupportedForm),
                oids::ARCHIVE_TIME_STAMP_V2 | oids::ARCHIVE_TIME_STAMP_V3
                    if subject == Subject::Signature =>
                {
                    // A countersignature has no eContentType.
                    Err(ImprintUndecided::UnsupportedForm)
                }
                oids::ARCHIVE_TIME_STAMP_V2 | oids::ARCHIVE_TIME_STAMP_V3 if found.is_cut => {
                    Err(ImprintUndecided::Limit)
                }
                oids::ARCHIVE_TIME_STAMP_V2 => self.version_2(signer, stamp, found),
                oids::ARCHIVE_TIME_STAMP_V3 => {
                    self.version_3(signer, covered, value, stamp, found, &mut hashed)
                }
                _ => continue,
            };
            self.set(stamp, compared, unsigned);
        }
    }

    fn set(
        &mut self,
        stamp: &AddedTimeStamp,
        compared: Result<Compared, ImprintUndecided>,
        unsigned: &[Attribute<'_>],
    ) {
        let Some(facts) = stamp.position.and_then(|at| self.evidence.time_stamp_mut(at)) else {
            return;
        };
        match compared {
            Ok(compared) => {
                facts.set_imprint(Ok(compared.fits));
                facts.objects_missing = compared.missing;
                facts.covers = compared.covers;
                facts.covers.references = unsigned.iter().any(|one| has_references(one.kind));
            }
            Err(why) => facts.set_imprint(Err(why)),
        }
    }

    fn version_3(
        &mut self,
        signer: &SignerInfo<'_>,
        covered: Covered<'_>,
        value: &UnsignedValue<'_>,
        stamp: &AddedTimeStamp,
        found: &SignatureEvidence<'_>,
        hashed: &mut HashedAttributes,
    ) -> Result<Compared, ImprintUndecided> {
        let imprint = stamp.imprint()?;
        let index = HashIndex::read(value.octets).ok_or(ImprintUndecided::UnsupportedForm)?;
        self.archived.take_stamp()?;
        let content = covered.digest(imprint.algorithm())?;
        let input = ArchiveInput::new(self.container, signer, &content, index.octets);
        let digest = self.archived.digest(Digester::new(imprint.algorithm()), &input.parts())?;
        let (objects, missing) = self.hashed.listed(&index, &self.in_container, found, hashed);
        let mut covers = Covers::default();
        covers.objects = objects;
        found.cover_signature(&mut covers);
        Ok(Compared { fits: digest == *imprint, missing, covers })
    }

    /// TS 101 733 does not say whether tag and length of the unsigned attributes are
    /// digested, and both is usual. Nor can anybody see which attributes were there: those
    /// before it in a set that is not sorted, or those that are not younger.
    fn version_2(
        &mut self,
        signer: &SignerInfo<'_>,
        stamp: &AddedTimeStamp,
        found: &SignatureEvidence<'_>,
    ) -> Result<Compared, ImprintUndecided> {
        let imprint = stamp.imprint()?;
        self.archived.take_stamp()?;
        let time = stamp.token.as_ref().map(|token| token.time);
        let of_algorithm =
            |(algorithm, _): &&(DigestAlgorithm, Digester)| *algorithm == imprint.algorithm();
        let content = self.archived.content.iter().find(of_algorithm);
        let (_, content) = content.ok_or(ImprintUndecided::DataMissing)?.clone();
        let [certificates, crls] = self.container.evidence_fields();
        let of_stamp = |value: &&UnsignedValue<'_>| {
            value.stamp.as_ref().is_some_and(|other| other.position == stamp.position)
        };
        let at = found.unsigned.iter().position(|value| of_stamp(&value));
        let before = found.unsigned.iter().take(at.unwrap_or(0)).collect::<Vec<_>>();
        let not_younger: Vec<_> =
            found.unsigned.iter().filter(|v| !of_stamp(v) && !is_younger(v, time)).collect();
        let mut covers = Covers::default();
        covers.objects = self.in_container.objects.clone();
        found.cover_signature(&mut covers);
        for included in [not_younger, before] {
            let attributes = attributes_of(&included);
            let len: u64 = attributes.iter().map(|attribute| attribute.len() as u64).sum();
            let header = header(context(1), len);
            for header in [header.as_slice(), &[]] {
                let mut parts = vec![certificates, crls, signer.before_unsigned, header];
                parts.extend(&attributes);
                if self.archived.digest(content.clone(), &parts)? == *imprint {
                    included.iter().for_each(|value| covers.objects.add(&value.objects));
                    return Ok(Compared { fits: true, missing: 0, covers });
                }
            }
        }
        Ok(Compared { fits: false, missing: 0, covers })
    }
}

/// The result of comparing the imprint of an archive time-stamp.
struct Compared {
    fits: bool,
    missing: usize,
    covers: Covers,
}

/// Whether it is an archive time-stamp that was made at this time or later.
fn is_younger(value: &UnsignedValue<'_>, time: Option<DateTime<Utc>>) -> bool {
    let is_archive = matches!(
        value.attribute.kind,
        oids::ARCHIVE_TIME_STAMP_V1 | oids::ARCHIVE_TIME_STAMP_V2 | oids::ARCHIVE_TIME_STAMP_V3
    );
    let own = value.stamp.as_ref().and_then(|stamp| stamp.token.as_ref()).map(|token| token.time);
    is_archive && own >= time
}

/// The attributes with these values, each once.
fn attributes_of<'a>(values: &[&UnsignedValue<'a>]) -> Vec<&'a [u8]> {
    let mut all: Vec<&[u8]> = values.iter().map(|value| value.attribute.raw).collect();
    all.dedup_by(|a, b| std::ptr::eq(*a, *b));
    all
}

//! Time-stamps on signatures, and the evidence beside them. The tokens are made by hand
//! and have no signatures of their own: only their imprints count here.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use ades_core::facts::{
    EvidencePlace, ImprintUndecided, MAX_EVIDENCE_LEN, MAX_TIME_STAMPS, RevocationForm,
    SignatureFacts, TimeStampKind,
};
use ades_core::{Digest, DigestAlgorithm, Document};
use cades::VerifyOptions;

const SIGNED_DATA: &[u8] = &[6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2];
const DATA: &[u8] = &[6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 1];
const TST_INFO: &[u8] = &[6, 11, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 1, 4];
const SHA256: &[u8] = &[0x30, 0x0B, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
const RSA: &[u8] = &[0x30, 0x0D, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1, 5, 0];
const HASH_INDEX_V3: &[u8] = &[6, 7, 4, 0, 0x81, 0x95, 0x32, 1, 5];
const HASH_INDEX_V1: &[u8] = &[6, 6, 4, 0, 0x8D, 0x45, 2, 5];
const ARCHIVE_V3: &[u8] = &[6, 6, 4, 0, 0x8D, 0x45, 2, 4];
const CONTENT: &[u8] = b"the content";
const VALUE: &[u8] = b"the value";

/// id-aa-… of S/MIME
fn smime(last: u8) -> Vec<u8> {
    vec![6, 11, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 2, last]
}

/// An element in DER.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let len = u32::try_from(content.len()).unwrap().to_be_bytes();
    let header = match len {
        [0, 0, 0, len] if len < 0x80 => vec![tag, len],
        [0, 0, 0, len] => vec![tag, 0x81, len],
        [0, 0, high, low] => vec![tag, 0x82, high, low],
        [top, a, b, c] => vec![tag, 0x84, top, a, b, c],
    };
    [header, content].concat()
}

fn attribute(kind: &[u8], value: &[u8]) -> Vec<u8> {
    der(0x30, &[kind, &der(0x31, &[value])])
}

fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    Digest::of(DigestAlgorithm::Sha256, &parts.concat()).value().to_vec()
}

/// A token over data with this digest, with these unsigned attributes.
fn token(digest: &[u8], year: u8, unsigned: &[u8]) -> Vec<u8> {
    let imprint = der(0x30, &[SHA256, &der(4, &[digest])]);
    let time = format!("20{year:02}0101000000Z");
    let time = der(0x18, &[time.as_bytes()]);
    let info = der(0x30, &[&[2, 1, 1], &[6, 1, 42], &imprint, &[2, 1, 1], &time]);
    let encap = der(0x30, &[TST_INFO, &der(0xA0, &[&der(4, &[&info])])]);
    let signer = signer(&[], b"tsa", unsigned);
    let parts = [&[2, 1, 3], &der(0x31, &[])[..], &encap, &der(0x31, &[&signer])];
    der(0x30, &[SIGNED_DATA, &der(0xA0, &[&der(0x30, &parts)])])
}

fn fixed_fields(signed: &[u8], value: &[u8]) -> Vec<u8> {
    let sid = der(0x30, &[&der(0x30, &[]), &[2, 1, 1]]);
    let signed = der(0xA0, &[signed]);
    [&[2, 1, 1], &sid[..], SHA256, &signed, RSA, &der(4, &[value])].concat()
}

fn signer(signed: &[u8], value: &[u8], unsigned: &[u8]) -> Vec<u8> {
    der(0x30, &[&fixed_fields(signed, value), &der(0xA1, &[unsigned])])
}

/// A revocation value that looks like a CRL. `n` tells it from others.
fn crl(n: u8) -> Vec<u8> {
    let time = der(0x17, &[b"200101000000Z"]);
    let list = der(0x30, &[&[2, 1, 1], RSA, &der(0x30, &[]), &time, &[2, 1, n]]);
    der(0x30, &[&list, RSA, &[3, 2, 0, n]])
}

fn basic_ocsp() -> Vec<u8> {
    let time = der(0x18, &[b"20200101000000Z"]);
    let data = der(0x30, &[&der(0xA2, &[&der(4, &[b"key"])]), &time, &der(0x30, &[])]);
    der(0x30, &[&data, RSA, &[3, 2, 0, 1]])
}

fn ocsp_response() -> Vec<u8> {
    let basic = [6, 9, 0x2B, 6, 1, 5, 5, 7, 0x30, 1, 1];
    let bytes = der(0x30, &[&basic, &der(4, &[&basic_ocsp()])]);
    der(0x30, &[&[0x0A, 1, 0], &der(0xA0, &[&bytes])])
}

/// `OtherRevocationInfoFormat` with an OCSP response (RFC 5940).
fn other_ocsp() -> Vec<u8> {
    let kind = [6, 8, 0x2B, 6, 1, 5, 5, 7, 16, 2];
    der(0xA1, &[&kind, &ocsp_response()])
}

struct Made {
    crls: Vec<Vec<u8>>,
    signed: Vec<u8>,
    unsigned: Vec<u8>,
    content: Option<&'static [u8]>,
}

impl Made {
    fn new(unsigned: &[u8]) -> Self {
        let (crls, signed) = (vec![crl(1), crl(2), other_ocsp()], Vec::new());
        Self { crls, signed, unsigned: unsigned.to_vec(), content: Some(CONTENT) }
    }

    fn encap(&self) -> Vec<u8> {
        let content = self.content.map(|content| der(0xA0, &[&der(4, &[content])]));
        der(0x30, &[DATA, &content.unwrap_or_default()])
    }

    fn crls(&self) -> Vec<u8> {
        der(0xA1, &[&self.crls.concat()])
    }

    fn container(&self) -> Vec<u8> {
        let signer = signer(&self.signed, VALUE, &self.unsigned);
        let digests = der(0x31, &[SHA256]);
        let signers = der(0x31, &[&signer]);
        let parts = [&[2, 1, 1], &digests[..], &self.encap(), &self.crls(), &signers];
        der(0x30, &[SIGNED_DATA, &der(0xA0, &[&der(0x30, &parts)])])
    }

    fn facts_with(&self, original: Option<&[u8]>) -> SignatureFacts {
        let mut original = original.map(Document::from_bytes);
        let options = match &mut original {
            Some(original) => VerifyOptions::new().original(original),
            None => VerifyOptions::new(),
        };
        let report = cades::verify(&mut Document::from_bytes(&self.container()), options);
        report.unwrap().signatures.remove(0).facts
    }

    fn facts(&self) -> SignatureFacts {
        self.facts_with(None)
    }

    /// The input of archive-time-stamp-v3 (EN 319 122-1, 5.5.3).
    fn archive_input(&self, index: &[u8]) -> Vec<u8> {
        let fixed = fixed_fields(&self.signed, VALUE);
        [DATA, &sha256(&[CONTENT]), &fixed, index].concat()
    }

    /// An archive time-stamp over what an index lists.
    fn archive(&self, kind: &[u8], index: &[u8]) -> Vec<u8> {
        let digest = sha256(&[&self.archive_input(index)]);
        token(&digest, 30, &attribute(kind, index))
    }
}

fn list(digests: &[Vec<u8>]) -> Vec<u8> {
    let digests: Vec<_> = digests.iter().map(|digest| der(4, &[digest])).collect();
    der(0x30, &[&digests.concat()])
}

fn index(crls: &[Vec<u8>], unsigned: &[Vec<u8>]) -> Vec<u8> {
    der(0x30, &[SHA256, &list(&[]), &list(crls), &list(unsigned)])
}

fn imprints(facts: &SignatureFacts) -> Vec<Option<bool>> {
    facts.time_stamps().map(|stamp| stamp.imprint).collect()
}

/// Trap 3: what is not listed is not covered.
#[test]
fn an_archive_time_stamp_covers_what_its_index_lists() {
    let stamp = token(&sha256(&[VALUE]), 25, &[]);
    let mut made = Made::new(&attribute(&smime(14), &stamp));
    let listed = sha256(&[&smime(14), &stamp]);
    let index = index(&[sha256(&[&made.crls[1]]), sha256(&[&made.crls[2]])], &[listed]);
    let archive = attribute(ARCHIVE_V3, &made.archive(HASH_INDEX_V3, &index));
    made.unsigned.extend(&archive);
    let facts = made.facts();
    assert_eq!(imprints(&facts), [Some(true), Some(true)]);
    let stamps: Vec<_> = facts.time_stamps().collect();
    assert_eq!(stamps[1].kind, TimeStampKind::Archive);
    assert!(stamps[1].fits());
    let covers = &stamps[1].covers;
    assert!(covers.signed_data && covers.signature && !covers.references);
    assert_eq!(covers.objects.revocation_values.iter().collect::<Vec<_>>(), [1, 2]);
    assert_eq!(covers.objects.time_stamps.iter().collect::<Vec<_>>(), [0]);
    assert!(stamps[0].covers.objects.is_empty());
    let forms: Vec<_> = facts.evidence.revocation_values().iter().map(|v| v.form).collect();
    let (crl, ocsp) = (RevocationForm::Crl, RevocationForm::OcspResponse);
    assert_eq!(forms, [crl, crl, ocsp]);

    // An object that is listed and missing makes it useless; another one does not.
    let mut fewer = Made { crls: made.crls.clone(), signed: Vec::new(), ..made };
    fewer.crls.remove(0);
    assert!(fewer.facts().time_stamps().nth(1).unwrap().fits());
    fewer.crls.remove(0);
    let facts = fewer.facts();
    let archive = facts.time_stamps().nth(1).unwrap();
    assert_eq!((archive.imprint, archive.objects_missing), (Some(true), 1));
    assert!(!archive.fits());
}

/// Trap 3: the first version of the index lists attributes, the third each of their values.
#[test]
fn the_older_index_lists_whole_attributes() {
    let values = attribute(&smime(24), &der(0x30, &[&der(0xA1, &[&der(0x30, &[&basic_ocsp()])])]));
    let mut made = Made::new(&values);
    let of = |digest: Vec<u8>| der(0x30, &[&list(&[]), &list(&[]), &list(&[digest])]);
    for (digest, missing) in [(sha256(&[&values]), 0), (sha256(&[b"other"]), 1)] {
        made.unsigned.truncate(values.len());
        let archive = attribute(ARCHIVE_V3, &made.archive(HASH_INDEX_V1, &of(digest)));
        made.unsigned.extend(&archive);
        let facts = made.facts();
        let stamp = facts.time_stamps().next().unwrap();
        assert_eq!((stamp.imprint, stamp.objects_missing), (Some(true), missing));
        let found = &facts.evidence.revocation_values()[3];
        assert_eq!(found.form, RevocationForm::BasicOcspResponse);
        assert_eq!(found.place, EvidencePlace::Values);
        assert_eq!(stamp.covers.objects.revocation_values.contains(3), missing == 0);
    }
    // Without an index, nobody knows what it covers.
    made.unsigned = attribute(ARCHIVE_V3, &token(&sha256(&[b"x"]), 30, &[]));
    let facts = made.facts();
    let stamp = facts.time_stamps().next().unwrap();
    assert_eq!(stamp.imprint_undecided, Some(ImprintUndecided::UnsupportedForm));
}

/// Trap 2: with and without tag and length of the unsigned attributes.
#[test]
fn an_archive_time_stamp_of_version_2_has_two_computations() {
    let first = attribute(&smime(14), &token(&sha256(&[VALUE]), 25, &[]));
    for content in [Some(CONTENT), None] {
        for with_header in [true, false] {
            let mut made = Made { content, ..Made::new(&first) };
            let unsigned = if with_header { der(0xA1, &[&first]) } else { first.clone() };
            let outside = if content.is_some() { &[][..] } else { CONTENT };
            let fixed = fixed_fields(&[], VALUE);
            let digest = sha256(&[&made.encap(), outside, &made.crls(), &fixed, &unsigned]);
            made.unsigned.extend(attribute(&smime(48), &token(&digest, 26, &[])));
            // A later one is not in the imprint of the earlier one.
            made.unsigned.extend(attribute(&smime(48), &token(&digest, 27, &[])));
            let facts = made.facts_with(content.is_none().then_some(CONTENT));
            assert_eq!(imprints(&facts), [Some(true), Some(true), Some(false)]);
            let covers = &facts.time_stamps().nth(1).unwrap().covers.objects;
            assert_eq!(covers.revocation_values.len(), 3);
            assert_eq!(covers.time_stamps.iter().collect::<Vec<_>>(), [0]);
            if content.is_none() {
                let facts = made.facts();
                let stamp = facts.time_stamps().nth(1).unwrap();
                assert_eq!(stamp.imprint_undecided, Some(ImprintUndecided::DataMissing));
            }
        }
    }
}

#[test]
fn a_content_time_stamp_is_over_the_content() {
    let signed = attribute(&smime(20), &token(&sha256(&[CONTENT]), 24, &[]));
    let unsigned = attribute(&smime(14), &token(&sha256(&[VALUE]), 25, &[]));
    let mut made = Made { signed, ..Made::new(&unsigned) };
    let facts = made.facts();
    assert_eq!(imprints(&facts), [Some(true), Some(true)]);
    let stamps: Vec<_> = facts.time_stamps().collect();
    assert_eq!(stamps[0].kind, TimeStampKind::Content);
    assert!(stamps[0].covers.signed_data && !stamps[0].covers.signature);
    assert!(stamps[1].covers.objects.time_stamps.contains(0));
    made.content = None;
    assert_eq!(imprints(&made.facts_with(Some(CONTENT))), [Some(true), Some(true)]);
    assert_eq!(imprints(&made.facts_with(Some(b"other"))), [Some(false), Some(true)]);
    let facts = made.facts();
    let stamp = facts.time_stamps().next().unwrap();
    assert_eq!(stamp.imprint_undecided, Some(ImprintUndecided::DataMissing));
}

#[test]
fn time_stamps_over_references() {
    let references = [attribute(&smime(21), b"\x30\0"), attribute(&smime(22), b"\x30\0")].concat();
    let stamp = attribute(&smime(14), &token(&sha256(&[VALUE]), 25, &[]));
    let part = |kind: u8, value: &[u8]| [smime(kind), der(0x31, &[value])].concat();
    let both = [part(21, b"\x30\0"), part(22, b"\x30\0")].concat();
    let stamped = part(14, &token(&sha256(&[VALUE]), 25, &[]));
    let over_all = token(&sha256(&[VALUE, &stamped, &both]), 26, &[]);
    let over_both = token(&sha256(&[&both]), 27, &[]);
    let (over_all, over_both) =
        (attribute(&smime(25), &over_all), attribute(&smime(26), &over_both));
    let facts = Made::new(&[references, stamp, over_all, over_both].concat()).facts();
    assert_eq!(imprints(&facts), [Some(true); 3]);
    let stamps: Vec<_> = facts.time_stamps().collect();
    assert_eq!(stamps[1].kind, TimeStampKind::SignatureAndReferences);
    assert!(stamps[1].covers.signature && stamps[1].covers.references);
    assert!(stamps[1].covers.objects.time_stamps.contains(0));
    assert_eq!(stamps[2].kind, TimeStampKind::References);
    assert!(!stamps[2].covers.signature && stamps[2].covers.references);
}

#[test]
fn revocation_information_of_adobe_is_evidence() {
    let kind = [6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x2F, 1, 1, 8];
    let crls = der(0xA0, &[&der(0x30, &[&crl(9)])]);
    let responses = der(0xA1, &[&der(0x30, &[&ocsp_response(), b"\x30\0"])]);
    let signed = attribute(&kind, &der(0x30, &[&crls, &responses]));
    let stamp = attribute(&smime(14), &token(&sha256(&[VALUE]), 25, &[]));
    let facts = Made { signed, crls: Vec::new(), ..Made::new(&stamp) }.facts();
    let places: Vec<_> = facts.evidence.revocation_values().iter().map(|v| v.place).collect();
    assert_eq!(places, [EvidencePlace::RevocationInfoArchival; 2]);
    assert_eq!(facts.evidence.unreadable(), 1);
    let covers = &facts.time_stamps().next().unwrap().covers.objects;
    assert_eq!(covers.revocation_values.len(), 2, "it is signed");
}

/// Each comparison with each other takes minutes.
#[test]
fn a_hundred_thousand_values_take_linear_time() {
    let started = Instant::now();
    let values = der(0x31, &[&token(&[0; 32], 25, &[]).repeat(4000)]);
    let many = |kind: &[u8]| der(0x30, &[kind, &values]);
    let archives = [many(ARCHIVE_V3), many(&smime(48)), many(&smime(14)), many(&smime(14))];
    let facts = Made::new(&archives.concat()).facts();
    assert_eq!(facts.evidence.time_stamps().len(), MAX_TIME_STAMPS);
    let stamp = facts.time_stamps().nth(4003).unwrap();
    assert_eq!(stamp.imprint_undecided, None, "the first of version 2 are compared");

    // More attributes than are looked at.
    let facts = Made::new(&archives.concat().repeat(7)).facts();
    assert!(facts.evidence.left_out() > 0);
    assert!(facts.time_stamps().all(|stamp| !stamp.fits()));

    // 10⁵ values in one token, and in one attribute.
    let inside = attribute(&smime(23), &der(0x30, &[&b"\x30\0".repeat(100_000)]));
    let facts = Made::new(&attribute(&smime(14), &token(&[0; 32], 25, &inside))).facts();
    assert!(facts.evidence.unreadable() >= 16_000 && facts.evidence.left_out() == 1);
    let crls = der(0xA0, &[&der(0x30, &[&crl(1).repeat(100_000)])]);
    let facts = Made::new(&attribute(&smime(24), &der(0x30, &[&crls]))).facts();
    let held: usize = facts.evidence.revocation_values().iter().map(|v| v.octets.len()).sum();
    assert!(facts.evidence.left_out() > 0 && held < MAX_EVIDENCE_LEN);
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}

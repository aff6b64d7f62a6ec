//! Readers of embedded evidence on octets that are almost evidence.
#![allow(clippy::unwrap_used)]

use ades_core::asn1::der::{self, OCTET_STRING, OID, SEQUENCE, SET, context, element};
use ades_core::facts::{Evidence, EvidencePlace, RevocationForm, TimeStampKind};
use ades_evidence::embedded::{
    add_certificate_values, add_revocation_value, add_revocation_values, add_time_stamp,
    revocation_form,
};
use proptest::prelude::*;

const BIT_STRING: u8 = 3;
const ALGORITHM: &[u8] = &[0x30, 3, 6, 1, 42];
const BASIC: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 0x30, 1, 1];

fn crl(time_tag: u8) -> Vec<u8> {
    let time = element(time_tag, &[b"20200101000000Z"]);
    let list = element(SEQUENCE, &[&der::unsigned_integer(&[1]), ALGORITHM, ALGORITHM, &time]);
    element(SEQUENCE, &[&list, ALGORITHM, &element(BIT_STRING, &[&[0]])])
}

fn basic() -> Vec<u8> {
    let time = element(0x18, &[b"20200101000000Z"]);
    let responder = element(context(2), &[&element(OCTET_STRING, &[b"key"])]);
    let data = element(SEQUENCE, &[&responder, &time, &element(SEQUENCE, &[])]);
    element(SEQUENCE, &[&data, ALGORITHM, &element(BIT_STRING, &[&[0]])])
}

fn response(status: u8, inside: &[u8]) -> Vec<u8> {
    let octets = element(OCTET_STRING, &[inside]);
    let bytes = element(SEQUENCE, &[&element(OID, &[BASIC]), &octets]);
    element(SEQUENCE, &[&element(0x0A, &[&[status]]), &element(context(0), &[&bytes])])
}

fn values(lists: [&[u8]; 2]) -> Vec<u8> {
    let [crls, responses] = lists.map(|list| element(SEQUENCE, &[list]));
    let [crls, responses] = [element(context(0), &[&crls]), element(context(1), &[&responses])];
    element(SEQUENCE, &[&crls, &responses])
}

fn token(inside: &[u8]) -> Vec<u8> {
    let encap = element(SEQUENCE, &[&element(OID, &[&[42]])]);
    let certificates = element(context(0), &[ALGORITHM]);
    let crls = element(context(1), &[inside]);
    let version = der::unsigned_integer(&[3]);
    let set = element(SET, &[]);
    let parts = [&version, &set, &encap, &certificates, &crls, &set].map(Vec::as_slice);
    let signed_data = element(context(0), &[&element(SEQUENCE, &parts)]);
    element(SEQUENCE, &[&element(OID, &[&[42]]), &signed_data])
}

#[test]
fn forms_are_told_apart_by_their_structure() {
    assert_eq!(revocation_form(&crl(0x17)), Some(RevocationForm::Crl));
    assert_eq!(revocation_form(&crl(0x18)), Some(RevocationForm::Crl));
    assert_eq!(revocation_form(&basic()), Some(RevocationForm::BasicOcspResponse));
    let good = response(0, &basic());
    assert_eq!(revocation_form(&good), Some(RevocationForm::OcspResponse));
    let trailing = [&good[..], &[0]].concat();
    // Another status has no response; neither a CRL nor another response is one.
    for other in [response(6, &basic()), response(0, &crl(0x17)), response(0, &good), trailing] {
        assert_eq!(revocation_form(&other), None);
    }
    assert_eq!(revocation_form(&crl(4)), None);
}

#[test]
fn evidence_in_tokens_is_found() {
    let mut evidence = Evidence::new();
    let crls = [crl(0x17), crl(0x18)].concat();
    let added = add_time_stamp(&mut evidence, TimeStampKind::Signature, &token(&crls));
    assert_eq!(added.position, Some(0));
    assert_eq!(added.objects.revocation_values.len(), 2);
    assert_eq!(evidence.revocation_values()[1].place, EvidencePlace::TimeStamp(0));
    // The certificate cannot be read, and the token has no TSTInfo.
    assert_eq!((evidence.unreadable(), evidence.time_stamps()[0].time), (1, None));
}

/// A response in a response in a response … must not exhaust the stack.
#[test]
fn responses_in_responses_are_not_entered() {
    let nested = (0..20_000).fold(basic(), |inside, _| response(0, &inside));
    assert_eq!(revocation_form(&nested), None);
}

fn add_all(octets: &[u8]) -> Evidence {
    let mut evidence = Evidence::new();
    let place = EvidencePlace::Values;
    add_revocation_value(&mut evidence, octets, place);
    add_revocation_values(&mut evidence, octets, place);
    add_certificate_values(&mut evidence, octets, place);
    add_time_stamp(&mut evidence, TimeStampKind::Archive, octets);
    evidence
}

proptest! {
    #[test]
    fn any_octets_are_read_or_counted(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let evidence = add_all(&octets);
        let found = evidence.certificates().len() + evidence.revocation_values().len();
        prop_assert!(found + evidence.unreadable() > 0);
    }

    #[test]
    fn changed_values_are_read_or_counted(
        which in 0usize..3, at in any::<prop::sample::Index>(), octet in any::<u8>(), cut in any::<bool>()
    ) {
        let both = [crl(0x17), crl(0x18)].concat();
        let good = [values([&both, &response(0, &basic())]), token(&both), response(0, &basic())];
        let mut octets = good.get(which).cloned().unwrap();
        let at = at.index(octets.len());
        if cut {
            octets.truncate(at);
        } else {
            octets[at] = octet;
        }
        let evidence = add_all(&octets);
        let len: usize = evidence.revocation_values().iter().map(|value| value.octets.len()).sum();
        // Nothing is listed more often than the readers look at it.
        prop_assert!(len <= 4 * octets.len());
    }
}

//! CRLs of our own PKI, each wrong in one way, and one that is longer than the memory
//! that reading may take. NIST PKITS (`pkits.rs`) has the rest.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};

use ades_core::Certificate;
use ades_core::asn1::der::{self, INTEGER, SEQUENCE, context};
use ades_evidence::crl::{self, Crl, CrlError};
use ades_evidence::revocation::{
    CertificateStatus, Combined, Reason, ReasonSet, RevocationFacts, SignerRole, TimeFault,
    Unusable, combine,
};
use ades_tests::corpora::everything;
use ades_tests::evidence::{By, List, entry, extension, reason, time};
use ades_tests::pki::{Key, Pki, Profile};
use peak_alloc::PeakAlloc;
use rcgen::KeyUsagePurpose;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const ISSUING_DISTRIBUTION_POINT: &str = "2.5.29.28";
const BASE_CRL_NUMBER: &str = "2.5.29.27";

fn subject() -> &'static Certificate {
    Pki::shared().signer(Key::P256).leaf()
}

fn by_issuer() -> By<'static> {
    By::Issuing(Pki::shared())
}

fn about(octets: &[u8]) -> Result<RevocationFacts, Unusable> {
    Crl::read(octets, [subject()]).unwrap().about(subject(), Pki::shared().issuing(), &[])
}

fn revoked_entry() -> Vec<u8> {
    let invalid = extension("2.5.29.24", false, &time("20251201000000Z"));
    entry(subject().serial_number(), "20251224000000Z", &[reason(1), invalid])
}

fn other_entries(count: u32) -> Vec<Vec<u8>> {
    let serial = |at: u32| der::unsigned_integer(&[&[0x7A, 0x55], &at.to_be_bytes()[..]].concat());
    (0..count).map(|at| entry(&serial(at), "20250101000000Z", &[reason(4)])).collect()
}

#[test]
fn listed_certificates_are_revoked_and_others_are_good() {
    let mut entries = other_entries(10_000);
    let good = about(&List::new(1, entries.clone()).signed(by_issuer())).unwrap();
    assert_eq!((good.status, good.role), (CertificateStatus::Good, SignerRole::Issuer));
    assert_eq!(good.reasons, ReasonSet::ALL);
    assert_eq!(combine(&[good]), Combined::Good);

    entries.insert(7_000, revoked_entry());
    let list = List::new(1, entries).signed(by_issuer());
    let CertificateStatus::Revoked(revocation) = about(&list).unwrap().status else { panic!() };
    assert_eq!(revocation.reason, Some(Reason::KeyCompromise));
    assert_eq!(revocation.time.to_rfc3339(), "2025-12-24T00:00:00+00:00");
    assert_eq!(revocation.invalidity_date.unwrap().to_rfc3339(), "2025-12-01T00:00:00+00:00");
    // What was not looked up is not good.
    let read = Crl::read(&list[..], []).unwrap();
    assert_eq!(read.entry_count(), 10_001);
    let unknown = read.about(subject(), Pki::shared().issuing(), &[]).unwrap_err();
    assert!(unknown == Unusable::NotLookedUp && unknown.is_undecided());
}

/// Returns its octets one, two, three … at a time, and is interrupted in between.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.1 += 1;
        if self.1.is_multiple_of(5) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let len = (self.1 % 700).min(out.len()).min(self.0.len());
        let (now, later) = self.0.split_at(len);
        out[..len].copy_from_slice(now);
        self.0 = later;
        Ok(len)
    }
}

#[test]
fn how_the_source_is_split_does_not_count() {
    let mut entries = other_entries(6_000);
    entries.push(revoked_entry());
    let list = List::new(1, entries).signed(by_issuer());
    let read = Crl::read(Slow(&list, 0), [subject()]).unwrap();
    let facts = read.about(subject(), Pki::shared().issuing(), &[]).unwrap();
    assert!(matches!(facts.status, CertificateStatus::Revoked(_)));
}

#[test]
fn a_changed_octet_is_never_good() {
    let list = List::new(1, other_entries(3)).signed(by_issuer());
    let (mut unusable, mut unreadable) = (0, 0);
    for at in 0..list.len() {
        let mut changed = list.clone();
        changed[at] ^= 0x04;
        match Crl::read(&changed[..], [subject()]) {
            Err(CrlError::Read(e)) => panic!("{e}"),
            Err(_) => unreadable += 1,
            Ok(read) => match read.about(subject(), Pki::shared().issuing(), &[]) {
                Err(_) => unusable += 1,
                Ok(facts) => panic!("octet {at}: {facts:?}"),
            },
        }
        assert!(Crl::read(&list[..at], [subject()]).is_err(), "the first {at} octets");
    }
    let longer = [&list[..], &[0]].concat();
    assert!(Crl::read(&longer[..], [subject()]).is_err());
    assert!(unusable > 100 && unreadable > 20, "{unusable}, {unreadable}");
}

#[test]
fn extensions_are_processed_or_refused() {
    let with = |extensions: Vec<Vec<u8>>| {
        let mut list = List::new(1, other_entries(2));
        list.extensions.extend(extensions);
        about(&list.signed(by_issuer()))
    };
    let scope = |content: &[u8]| {
        extension(ISSUING_DISTRIBUTION_POINT, true, &der::element(SEQUENCE, &[content]))
    };
    assert!(with(vec![scope(&[0x81, 1, 0xFF])]).is_ok());
    assert_eq!(with(vec![scope(&[0x82, 1, 0xFF])]).unwrap_err(), Unusable::OtherKind);
    assert_eq!(with(vec![scope(&[0x85, 1, 0xFF])]).unwrap_err(), Unusable::OtherKind);
    let some = with(vec![scope(&[0x83, 2, 0, 0x60])]).unwrap();
    assert!(matches!(combine(&[some]), Combined::Undecided { .. }));
    // Indirect, and without an entry of another issuer.
    assert!(with(vec![scope(&[0x84, 1, 0xFF])]).is_ok());
    // A distribution point that the certificate does not have.
    let uri = der::element(0x86, &[b"http://crl.example/1.crl"]);
    let point = der::element(context(0), &[&der::element(context(0), &[&uri])]);
    assert_eq!(with(vec![scope(&point)]).unwrap_err(), Unusable::OtherDistributionPoint);

    assert!(with(vec![extension("1.2.3.4", false, &[5, 0])]).is_ok());
    let refused = with(vec![extension("1.2.3.4", true, &[5, 0])]).unwrap_err();
    assert!(matches!(refused, Unusable::CriticalExtension(_)));
    let base = extension(BASE_CRL_NUMBER, true, &[INTEGER, 1, 0]);
    assert_eq!(with(vec![base]).unwrap_err(), Unusable::DeltaAlone);
    let kept = extension("2.5.29.60", false, &time("20200101000000Z"));
    let facts = with(vec![kept]).unwrap();
    assert_eq!(facts.keeps_expired_since.unwrap().to_rfc3339(), "2020-01-01T00:00:00+00:00");

    // A critical extension in any entry counts for all (RFC 5280, 5.3).
    let odd = extension("1.2.3.4", true, &[5, 0]);
    let odd = entry(&[INTEGER, 1, 5], "20250101000000Z", &[odd]);
    let list = List::new(1, vec![odd]).signed(by_issuer());
    assert_eq!(about(&list).unwrap_err(), refused);
}

/// Trap 19: a hold that has ended is not a revocation.
#[test]
fn delta_crls_change_complete_ones() {
    let pki = Pki::shared();
    let hold = |code| entry(subject().serial_number(), "20251224000000Z", &[reason(code)]);
    let delta = |number, from, entries| {
        let mut list = List::new(number, entries);
        list.this_update = "20260110000000Z";
        list.extensions.push(extension(BASE_CRL_NUMBER, true, &[INTEGER, 1, from]));
        list.signed(by_issuer())
    };
    let answers = |lists: &[Vec<u8>]| {
        let crls: Vec<Crl> =
            lists.iter().map(|list| Crl::read(&list[..], [subject()]).unwrap()).collect();
        let found = crl::about(subject(), pki.issuing(), &crls, &[]);
        found.into_iter().map(|answer| answer.map(|facts| facts.status)).collect::<Vec<_>>()
    };
    let is_revoked = |answer: &Result<CertificateStatus, Unusable>| {
        matches!(answer, Ok(CertificateStatus::Revoked(_)))
    };
    let base = List::new(5, other_entries(1)).signed(by_issuer());
    let on_hold = List::new(5, vec![hold(6)]).signed(by_issuer());
    assert!(is_revoked(&answers(&[base.clone(), delta(6, 5, vec![revoked_entry()])])[0]));
    assert_eq!(
        answers(&[on_hold.clone(), delta(6, 4, vec![hold(8)])]),
        [Ok(CertificateStatus::Good)]
    );
    assert!(is_revoked(&answers(&[on_hold, delta(6, 5, Vec::new())])[0]));
    // One that begins after the complete CRL says nothing, and neither does an older one.
    for wrong in [delta(8, 6, vec![revoked_entry()]), delta(5, 4, vec![revoked_entry()])] {
        let found = answers(&[base.clone(), wrong]);
        assert_eq!(found, [Ok(CertificateStatus::Good), Err(Unusable::DeltaAlone)]);
    }
}

/// Trap 21: the name of a CRL's issuer is not enough, and its key may be another one.
#[test]
fn signers_have_the_name_the_key_and_the_usage() {
    let pki = Pki::shared();
    let other = Pki::new();
    let list = |by| List::new(1, Vec::new()).signed(by);
    let read = |octets: &[u8]| Crl::read(octets, [subject()]).unwrap();
    // The same name and another key.
    let foreign = read(&list(By::Issuing(&other)));
    assert_eq!(foreign.about(subject(), pki.issuing(), &[]).unwrap_err(), Unusable::Signature);
    let others = [other.issuing().clone()];
    let facts = foreign.about(subject(), pki.issuing(), &others).unwrap();
    assert_eq!(facts.role, SignerRole::IssuerName, "its path is for the judge");
    // A key without cRLSign, and another name.
    let signer = pki.signer(Key::P256);
    let own = read(&list(By::Signer(signer)));
    assert_eq!(own.about(subject(), pki.issuing(), &[]).unwrap_err(), Unusable::OtherIssuer);
    let usages = vec![KeyUsagePurpose::DigitalSignature];
    let name = "Test Issuing CA".to_owned();
    let unfit =
        pki.issue(&Profile { key_usages: usages, common_name: name, ..Profile::new(Key::P256) });
    let unfit_list = read(&list(By::Signer(&unfit)));
    let why = unfit_list.about(subject(), pki.issuing(), &[unfit.leaf().clone()]).unwrap_err();
    assert_eq!(why, Unusable::NotAuthorized);
}

/// Trap 19: a list from after the end of a certificate need not have it any more.
#[test]
fn times_are_compared_by_the_judge() {
    let facts = about(&List::new(1, Vec::new()).signed(by_issuer())).unwrap();
    let second = chrono::TimeDelta::seconds(1);
    let next = facts.next_update.unwrap();
    assert_eq!(facts.check_current(facts.this_update), Ok(()));
    assert_eq!(facts.check_current(next), Ok(()));
    let (early, late) = (facts.this_update - second, next + second);
    assert!(matches!(facts.check_current(early), Err(TimeFault::NotYet { .. })));
    assert!(matches!(facts.check_current(late), Err(TimeFault::Stale { .. })));

    let pki = Pki::shared();
    let known = |validity| {
        let certificate = pki.issue(&Profile { validity, ..Profile::new(Key::P256) });
        facts.check_known(certificate.leaf())
    };
    assert_eq!(known(((2026, 1, 1), (2027, 1, 1))), Ok(()));
    assert_eq!(known(((2025, 1, 1), (2026, 1, 1))), Ok(()));
    let before = known(((2026, 1, 2), (2027, 1, 1)));
    assert!(matches!(before, Err(TimeFault::BeforeCertificate { .. })));
    let after = known(((2024, 1, 1), (2025, 12, 31)));
    assert!(matches!(after, Err(TimeFault::AfterCertificate { .. })));
}

/// A list of 100 MB within 16 MiB.
#[test]
fn memory_does_not_grow_with_the_list() {
    const COUNT: u32 = 2_800_000;

    // One entry with other serial numbers: making each would take longer than reading all.
    let mut one = other_entries(1).remove(0);
    let place = one.windows(6).position(|window| window == b"\x7A\x55\0\0\0\0").unwrap() + 2;
    let mut entries = Vec::with_capacity(one.len() * COUNT as usize);
    for at in 0..COUNT {
        one[place..place + 4].copy_from_slice(&at.to_be_bytes());
        entries.extend_from_slice(&one);
    }
    let list = List::new(1, vec![entries, revoked_entry()]).signed(by_issuer());
    let mut file = tempfile::tempfile().unwrap();
    BufWriter::new(&mut file).write_all(&list).unwrap();
    let len = list.len();
    drop(list);
    io::Seek::rewind(&mut file).unwrap();
    // The allocator counts what the other tests of this process hold, too: a few MB.
    let before = ALLOCATOR.current_usage_as_mb();
    let mut most = 0.0f32;
    let watched = Watched { file, most: &mut most, before };
    let read = Crl::read(watched, [subject()]).unwrap();
    assert_eq!(read.entry_count(), u64::from(COUNT) + 1);
    let facts = read.about(subject(), Pki::shared().issuing(), &[]).unwrap();
    assert!(matches!(facts.status, CertificateStatus::Revoked(_)));
    assert!(len > 100_000_000 && most < 16.0, "{len} octets, {most} MB");
}

struct Watched<'m> {
    file: File,
    most: &'m mut f32,
    before: f32,
}

impl Read for Watched<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        *self.most = self.most.max(ALLOCATOR.current_usage_as_mb() - self.before);
        self.file.read(out)
    }
}

#[test]
fn rasn_pkix_reads_the_same() {
    use rasn_pkix::{CertificateList, Time};

    let Some(files) = everything(&["pkits/crls"], &[".crl"]) else { return };
    let seconds = |time: &Time| match time {
        Time::Utc(time) => time.timestamp(),
        Time::General(time) => time.timestamp(),
    };
    for (path, octets) in &files {
        let theirs: CertificateList = rasn::der::decode(octets).unwrap();
        let theirs = theirs.tbs_cert_list;
        let Ok(ours) = Crl::read(&octets[..], []) else {
            // Its changed signature has an unused bit.
            assert!(path.ends_with("BadCRLSignatureCACRL.crl"), "{path}");
            continue;
        };
        assert_eq!(ours.entry_count(), theirs.revoked_certificates.len() as u64, "{path}");
        assert_eq!(ours.this_update().timestamp(), seconds(&theirs.this_update), "{path}");
        let next = ours.next_update().map(|time| time.timestamp());
        assert_eq!(next, theirs.next_update.as_ref().map(seconds), "{path}");
        assert_eq!(ours.issuer(), rasn::der::encode(&theirs.issuer).unwrap(), "{path}");
    }
    assert_eq!(files.len(), 173);
}

//! Damaged documents: what is added to one is not reported as a change of what was signed, or it is
//! refused before a time-stamp is spent.

use std::path::Path;

use ades_core::Document;
use ades_evidence::TimeStampPurpose::{Archive, Signature};
use pades::error::NotExtendable;
use pades::report::{Level, Problem, Report};
use pades::{Error, ExtendOptions, VerifyOptions};

use crate::ladder::{document, signed};
use crate::services::{STAMPED, embed, stamp, token_len, validation_data};

/// Pieces that damage puts into a document.
const PIECES: [&[u8]; 12] = [
    b"/Annots 3 0 R",
    b"/V 1 0 R",
    b"/Length 99",
    b"/Kids[1 0 R]",
    b"1 0 R",
    b"<<",
    b">>",
    b"endobj",
    b"/AcroForm<<>>",
    b"/Fields[3 0 R]",
    b"null",
    b"/Type/Catalog",
];

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }

    /// The document with one to three damages. Its length stays, so that offsets still lead
    /// somewhere.
    fn damaged(&mut self, octets: &[u8]) -> Vec<u8> {
        let mut damaged = octets.to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(damaged.len());
            match self.below(4) {
                0 => damaged[at] = b"0123456789 /<>[]()Rxn"[self.below(21)],
                1 => {
                    let piece = PIECES[self.below(PIECES.len())];
                    let end = damaged.len().min(at + piece.len());
                    damaged[at..end].copy_from_slice(&piece[..end - at]);
                }
                2 => {
                    let (from, len) = (self.below(damaged.len()), self.below(24));
                    let len = len.min(damaged.len() - at).min(damaged.len() - from);
                    damaged.copy_within(from..from + len, at);
                }
                _ => {
                    let digits: Vec<usize> =
                        (0..damaged.len()).filter(|at| damaged[*at].is_ascii_digit()).collect();
                    let at = digits[self.below(digits.len())];
                    damaged[at] = b'0' + self.below(10) as u8;
                }
            }
        }
        damaged
    }
}

fn verify(octets: &[u8]) -> Option<Report> {
    pades::verify(&mut Document::from_bytes(octets), VerifyOptions::new()).ok()
}

/// What is new in the second report; empty if the signatures are as they were.
fn news(before: &Report, after: &Report) -> Vec<Problem> {
    assert_eq!(before.signatures.len(), after.signatures.len());
    // The ranges of such a signature mean something else in a longer file.
    let ranges = [Problem::ByteRangeMalformed, Problem::ByteRangeGap, Problem::NotARevision];
    let pairs = before.signatures.iter().zip(&after.signatures);
    let same = pairs.filter(|(was, _)| !was.problems.iter().any(|one| ranges.contains(one)));
    same.flat_map(|(was, is)| {
        let is_new = |problem: &&Problem| !was.problems.contains(problem);
        is.problems.iter().filter(is_new).copied().collect::<Vec<_>>()
    })
    .collect()
}

/// Replaces the last occurrence of `old`.
fn replaced(octets: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let at = octets.windows(old.len()).rposition(|window| window == old).unwrap();
    [&octets[..at], new, &octets[at + old.len()..]].concat()
}

/// The signed document with one damage each, after which an update would be a change.
fn damages() -> [(&'static str, Vec<u8>); 2] {
    let signed = signed(&document());
    [
        // Its data would end in the update.
        ("a stream without an end", replaced(&signed, b"endstream", b"endstreax")),
        // The trailer of the update has one.
        ("a trailer without a catalog", replaced(&signed, b"/Root ", b"/Roof ")),
    ]
}

/// Each of them is refused with the true reason, by every call that comes before a time-stamp.
#[test]
fn an_update_that_would_be_reported_as_a_change_is_refused_before_a_time_stamp() {
    let options = ExtendOptions::new().token_len(token_len());
    for (damage, octets) in damages() {
        let before = verify(&octets).expect(damage);
        assert!(!before.signatures[0].problems.contains(&Problem::ChangedLater), "{damage}");
        let is_refused = |result: Result<(), Error>| match result {
            Err(Error::CannotAdd { why }) => why == NotExtendable::NotComparable,
            other => panic!("{damage}: {other:?}"),
        };
        // Level B-T is in the CMS of the signature, without an update.
        for level in [Level::Lt, Level::Lta] {
            let mut document = Document::from_bytes(&octets);
            let checked = pades::check_level(&mut document, 0, level, &options);
            assert!(is_refused(checked.map(drop)), "{damage}");
        }
        assert!(is_refused(stamp(&octets, 0, Archive, STAMPED, &options).map(drop)), "{damage}");
        assert!(is_refused(embed(&octets, &validation_data(), &options).map(drop)), "{damage}");
        // An update that is written nevertheless is a change.
        let longer = [&octets[..], &update_of(&signed(&document()))].concat();
        let after = verify(&longer);
        let is_changed =
            |report: Report| report.signatures[0].problems.contains(&Problem::ChangedLater);
        assert!(after.is_none_or(is_changed), "{damage}");
    }
}

/// The octets that an archive time-stamp adds to a document.
fn update_of(signed: &[u8]) -> Vec<u8> {
    let options = ExtendOptions::new().token_len(token_len());
    stamp(signed, 0, Archive, STAMPED, &options).unwrap().split_off(signed.len())
}

/// With any damage: what is added keeps the signatures as they are, or it is refused.
#[test]
fn damaged_documents_are_extended_without_a_change_or_refused() {
    const DAMAGED: usize = 150;

    let twice = signed(&signed(&document()));
    let mut documents = vec![signed(&document()), twice];
    documents.extend(damages().map(|(_, octets)| octets));
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/pdf");
    for entry in std::fs::read_dir(seeds).unwrap() {
        let octets = std::fs::read(entry.unwrap().path()).unwrap();
        if verify(&octets).is_some_and(|report| !report.signatures.is_empty()) {
            documents.push(octets);
        }
    }
    let mut random = Random(0x1234_5678_9ABC_DEF1);
    let options = ExtendOptions::new().token_len(token_len());
    let (mut extended, mut refused) = (0, 0);
    for turn in 0..DAMAGED {
        let octets = random.damaged(&documents[turn % documents.len()]);
        let before = verify(&octets).filter(|report| !report.signatures.is_empty());
        let Some(before) = before else { continue };
        for result in [
            stamp(&octets, 0, Archive, STAMPED, &options),
            stamp(&octets, 0, Signature, STAMPED, &options),
            embed(&octets, &validation_data(), &options),
        ] {
            match result {
                Ok(out) => {
                    let after = verify(&out).expect("an extended document is read");
                    assert_eq!(news(&before, &after), [], "turn {turn}");
                    extended += 1;
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(extended > 50 && refused > 20, "{extended} extended, {refused} refused");
}

//! Enveloping containers written while preparing, and completed in place.

use std::io::Cursor;

use ades_core::{Document, PendingState};
use ades_tests::full::Full;
use ades_tests::pki::{Key, Pki, TestSigner};
use ades_tests::signing::parameters;
use cades::{
    Check, Container, Error, Packaging, PendingSignature, SignatureOptions, VerifyOptions,
};

/// The prepared signature, restored from its stored state, and the file so far.
fn prepare(document: &[u8], signer: &TestSigner) -> Result<(PendingSignature, Vec<u8>), Error> {
    let mut file = Vec::new();
    let mut source = Document::from_bytes(document);
    let chain = &signer.chain;
    let pending =
        cades::prepare_copying(&mut source, chain, &parameters(), &enveloping(), &mut file)?;
    let stored = pending.to_json(None)?;
    Ok((PendingSignature::from_json(&stored, None)?, file))
}

fn enveloping() -> SignatureOptions {
    SignatureOptions::new().packaging(Packaging::Enveloping)
}

/// A document of this length, no two pieces of which are the same.
fn octets(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * at / 7 + at) as u8).collect()
}

#[test]
fn completing_in_place_gives_the_same_container_as_two_passes() {
    for key in Key::ALL {
        let signer = Pki::shared().signer(key);
        for len in [0, 1, 200, 5000, 70_000, 1 << 20] {
            let document = octets(len);
            let (pending, begun) = prepare(&document, signer).unwrap();
            let in_two = cades::prepare(
                &mut Document::from_bytes(&document),
                &signer.chain,
                &parameters(),
                &enveloping(),
            );
            assert_eq!(pending.to_be_signed(), in_two.unwrap().to_be_signed());
            let value = signer.sign(&pending.to_be_signed());
            let mut expected = Vec::new();
            let mut source = Document::from_bytes(&document);
            pending.complete(Some(&mut source), &value, &mut expected).unwrap();
            for check in [Check::Whole, Check::LengthAndTail] {
                let mut file = Cursor::new(begun.clone());
                pending.complete_in_place(&mut file, &value, check).unwrap();
                assert!(file.into_inner() == expected, "{key:?}, {len}");
            }
            let mut source = Document::from_bytes(&expected);
            let report = cades::verify(&mut source, VerifyOptions::new()).unwrap();
            assert!(report.is_valid() && report.first_not_der.is_none(), "{report:?}");
            assert!(Container::read(&mut Document::from_bytes(&begun)).is_err());
        }
    }
}

/// An ECDSA value may be a few octets shorter than the longest. The container is
/// DER for every length, or the document is refused before anybody signs.
#[test]
fn containers_of_short_values_are_der_or_refused_early() {
    let signer = Pki::shared().signer(Key::P256);
    let empty = prepare(&[], signer).unwrap();
    let around = {
        let value = signer.sign(&empty.0.to_be_signed());
        let mut file = Cursor::new(empty.1);
        empty.0.complete_in_place(&mut file, &value, Check::Whole).unwrap();
        file.into_inner().len()
    };
    // Lengths around the one where a length field takes one more octet.
    let mut refused = 0;
    for total in (0xFF80..0x1_0080usize).step_by(4) {
        let document = octets(total - around);
        match prepare(&document, signer) {
            Ok((pending, begun)) => {
                let value = signer.sign(&pending.to_be_signed());
                let mut file = Cursor::new(begun);
                pending.complete_in_place(&mut file, &value, Check::LengthAndTail).unwrap();
                let made = file.into_inner();
                let mut source = Document::from_bytes(&made);
                let report = cades::verify(&mut source, VerifyOptions::new()).unwrap();
                assert!(report.is_valid() && report.first_not_der.is_none(), "{total}: {report:?}");
            }
            Err(Error::CannotCopy) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!((10..40).contains(&refused), "{refused}");
}

#[test]
fn another_file_is_not_completed() {
    let signer = Pki::shared().signer(Key::P384);
    let (pending, begun) = prepare(&octets(10_000), signer).unwrap();
    let value = signer.sign(&pending.to_be_signed());
    let changed = |at: usize| {
        let mut changed = begun.clone();
        changed[at] ^= 1;
        changed
    };
    let (early, last) = (begun.len() - 9000, begun.len() - 1);
    let shorter = begun[..last].to_vec();
    let longer = [begun.as_slice(), &[0]].concat();
    for other in [changed(0), changed(4), changed(last), shorter, longer, Vec::new()] {
        for check in [Check::Whole, Check::LengthAndTail] {
            let mut file = Cursor::new(other.clone());
            let refused = pending.complete_in_place(&mut file, &value, check);
            assert!(matches!(refused, Err(Error::DocumentChanged)), "{refused:?}");
            assert_eq!(file.into_inner(), other);
        }
    }
    // A change that `Check::LengthAndTail` does not notice.
    let mut file = Cursor::new(changed(early));
    let refused = pending.complete_in_place(&mut file, &value, Check::Whole);
    assert!(matches!(refused, Err(Error::DocumentChanged)));
    // A wrong value, and a signature that was not prepared by copying.
    let mut file = Cursor::new(begun.clone());
    let wrong = signer
        .sign(&ades_core::ToBeSigned::new(b"other".to_vec(), pending.to_be_signed().algorithm()));
    assert!(pending.complete_in_place(&mut file, &wrong, Check::Whole).is_err());
    assert_eq!(file.get_ref(), &begun);
    let mut source = Document::from_bytes(b"");
    let chain = &signer.chain;
    let not_copied = cades::prepare(&mut source, chain, &parameters(), &enveloping()).unwrap();
    let value = signer.sign(&not_copied.to_be_signed());
    let refused = not_copied.complete_in_place(&mut file, &value, Check::Whole);
    assert!(matches!(refused, Err(Error::Core(ades_core::Error::Parameter { .. }))));
    let mut stream = Document::stream(&b"once"[..]);
    let refused =
        cades::prepare_copying(&mut stream, chain, &parameters(), &enveloping(), &mut Vec::new());
    assert!(matches!(refused, Err(Error::Core(ades_core::Error::NotSeekable))));
}

/// Wherever writing stops, the file has its old length and is not a container:
/// at most the lengths in its head are those of the finished container.
#[test]
fn a_full_disk_leaves_no_container() {
    for key in [Key::Rsa2048, Key::P256] {
        let signer = Pki::shared().signer(key);
        let (pending, begun) = prepare(&octets(10_000), signer).unwrap();
        let value = signer.sign(&pending.to_be_signed());
        for room in (0..4000).step_by(61) {
            let mut file = Full::new(begun.clone(), room);
            let result = pending.complete_in_place(&mut file, &value, Check::LengthAndTail);
            let left = file.into_inner();
            if result.is_err() {
                assert_eq!(left.len(), begun.len());
                assert!(Container::read(&mut Document::from_bytes(&left)).is_err());
            } else {
                assert!(Container::read(&mut Document::from_bytes(&left)).is_ok());
            }
        }
    }
}

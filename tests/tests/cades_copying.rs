//! Enveloping containers written while preparing, and completed where they are.

use std::io::Cursor;

use ades_core::{Document, PendingState};
use ades_tests::full::Full;
use ades_tests::pki::{Key, Pki, TestSigner};
use ades_tests::signing::parameters;
use cades::{
    Check, Container, Error, Packaging, PendingSignature, SignatureOptions, VerifyOptions,
};

/// What is prepared, and the file so far.
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
fn in_place_is_the_same_as_in_two_passes() {
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

/// A value of ECDSA may be some octets shorter than another one: whatever it
/// is, the lengths are those of DER.
#[test]
fn short_values_are_completed_or_refused_before_anybody_signs() {
    let signer = Pki::shared().signer(Key::P256);
    let empty = prepare(&[], signer).unwrap();
    let around = {
        let value = signer.sign(&empty.0.to_be_signed());
        let mut file = Cursor::new(empty.1);
        empty.0.complete_in_place(&mut file, &value, Check::Whole).unwrap();
        file.into_inner().len()
    };
    // Around the length from which on lengths have one octet more.
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
    // What the quick check does not look at.
    let mut file = Cursor::new(changed(early));
    let refused = pending.complete_in_place(&mut file, &value, Check::Whole);
    assert!(matches!(refused, Err(Error::DocumentChanged)));
    // A wrong value, or a signature that was prepared otherwise.
    let mut file = Cursor::new(begun.clone());
    let wrong = signer
        .sign(&ades_core::ToBeSigned::new(b"other".to_vec(), pending.to_be_signed().algorithm()));
    assert!(pending.complete_in_place(&mut file, &wrong, Check::Whole).is_err());
    assert_eq!(file.get_ref(), &begun);
    let mut source = Document::from_bytes(b"");
    let chain = &signer.chain;
    let otherwise = cades::prepare(&mut source, chain, &parameters(), &enveloping()).unwrap();
    let value = signer.sign(&otherwise.to_be_signed());
    let refused = otherwise.complete_in_place(&mut file, &value, Check::Whole);
    assert!(matches!(refused, Err(Error::Core(ades_core::Error::Parameter { .. }))));
    let mut stream = Document::stream(&b"once"[..]);
    let refused =
        cades::prepare_copying(&mut stream, chain, &parameters(), &enveloping(), &mut Vec::new());
    assert!(matches!(refused, Err(Error::Core(ades_core::Error::NotSeekable))));
}

/// Wherever writing stops, the file is what it was, or its lengths alone are
/// those of a container that is not there.
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

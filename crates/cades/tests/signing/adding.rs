//! Signatures added to a container: what is refused, and the warnings.

use ades_core::asn1::der::{SEQUENCE, context, element};
use ades_core::{Digest, DigestAlgorithm, Document, Fault, PendingState};
use cades::container::MAX_COUNTERSIGNATURE_DEPTH;
use cades::{Error, Limit, Packaging, PendingSignature, SignatureOptions, Warning};

use crate::signer::{Signer, parameters, verify};

const CONTENT: &[u8] = b"signed content";
const OTHER: &[u8] = b"another document";

fn parallel(
    container: &[u8],
    original: Option<&[u8]>,
    signer: &Signer,
) -> Result<PendingSignature, Error> {
    cades::prepare_parallel(
        &mut Document::from_bytes(container),
        original.map(Document::from_bytes).as_mut(),
        &signer.chain,
        &parameters(),
        &SignatureOptions::new(),
    )
}

fn check_parallel(container: &[u8], original: Option<&[u8]>) -> Result<Vec<Warning>, Error> {
    let mut container = Document::from_bytes(container);
    let mut original = original.map(Document::from_bytes);
    let options = SignatureOptions::new();
    cades::check_parallel(&mut container, original.as_mut(), &parameters(), &options)
        .map(|checked| checked.warnings().to_vec())
}

fn countersignature(
    container: &[u8],
    which: &[usize],
    signer: &Signer,
) -> Result<PendingSignature, Error> {
    let mut container = Document::from_bytes(container);
    let options = SignatureOptions::new();
    cades::prepare_countersignature(&mut container, which, &signer.chain, &parameters(), &options)
}

fn check_countersignature(container: &[u8], which: &[usize]) -> Result<Vec<Warning>, Error> {
    let mut container = Document::from_bytes(container);
    let options = SignatureOptions::new();
    cades::check_countersignature(&mut container, which, &parameters(), &options)
        .map(|checked| checked.warnings().to_vec())
}

/// The container with definite or indefinite lengths in its three outer headers:
/// ContentInfo, `[0]` and SignedData.
fn with_lengths(container: &[u8], definite: [bool; 3]) -> Vec<u8> {
    let wrap = |tag: u8, content: &[u8], definite: bool| match definite {
        true => element(tag, &[content]),
        false => [&[tag, 0x80], content, &[0, 0]].concat(),
    };
    let (content_type, explicit) = content(container).split_at(11);
    let signed_data = content(content(explicit));
    let inner = wrap(SEQUENCE, signed_data, definite[2]);
    let middle = wrap(context(0), &inner, definite[1]);
    wrap(SEQUENCE, &[content_type, &middle].concat(), definite[0])
}

/// The content of a DER element.
fn content(element: &[u8]) -> &[u8] {
    let header = 2 + if element[1] < 0x80 { 0 } else { usize::from(element[1] & 0x7F) };
    &element[header..]
}

#[test]
fn a_countersignature_goes_to_the_place_that_was_named() {
    let (first, second, third) = (Signer::new(1), Signer::new(2), Signer::new(3));
    let one = first.container(CONTENT, Packaging::Enveloping);
    let two = second.finish(&parallel(&one, None, &second).unwrap(), Some(&one));
    for which in [0, 1] {
        assert_eq!(check_countersignature(&two, &[which]).unwrap(), []);
        let pending = countersignature(&two, &[which], &third).unwrap();
        let report = verify(&third.finish(&pending, Some(&two)), None);
        assert!(report.is_valid(), "{report:?}");
        // The signers are a sorted set: the longer one may have moved.
        let names: Vec<_> = report.signatures.iter().map(|s| s.signer.clone()).collect();
        let named = verify(&two, None).signatures[which].signer.clone();
        let at = names.iter().position(|name| *name == named).unwrap();
        for (index, signature) in report.signatures.iter().enumerate() {
            assert_eq!(signature.countersignatures.len(), usize::from(index == at));
        }
    }
}

#[test]
fn a_place_without_a_signature_and_a_place_too_deep_are_refused() {
    let (first, second) = (Signer::new(1), Signer::new(2));
    let one = first.container(CONTENT, Packaging::Detached);
    let pending = countersignature(&one, &[0], &second).unwrap();
    let two = second.finish(&pending, Some(&one));
    for place in [&[][..], &[1], &[0, 1], &[0, 0, 0], &[7, 0], &[0, 7, 0]] {
        let checked = check_countersignature(&two, place).unwrap_err();
        assert!(matches!(checked, Error::NoSuchSignature { which } if which == place));
        let prepared = countersignature(&two, place, &second).unwrap_err();
        assert_eq!(prepared.fault(), Fault::Caller);
        assert!(matches!(prepared, Error::NoSuchSignature { which } if which == place));
    }
}

/// The octets of every signature stay: only the sets around the new one grow.
#[test]
fn countersignatures_are_countersigned() {
    let signers = [1, 2, 3].map(Signer::new);
    let mut container = signers[0].container(CONTENT, Packaging::Enveloping);
    let mut which = vec![0];
    for depth in 1..=MAX_COUNTERSIGNATURE_DEPTH {
        let signer = &signers[depth % 3];
        let pending = countersignature(&container, &which, signer).unwrap();
        container = signer.finish(&pending, Some(&container));
        let report = verify(&container, None);
        assert!(report.is_valid(), "{depth} {report:?}");
        let mut innermost = &report.signatures[0];
        for _ in 0..depth {
            assert_eq!(innermost.countersignatures.len(), 1);
            innermost = &innermost.countersignatures[0];
        }
        assert!(innermost.countersignatures.is_empty());
        which.push(0);
    }
    for refused in [
        check_countersignature(&container, &which).unwrap_err(),
        countersignature(&container, &which, &signers[0]).unwrap_err(),
    ] {
        assert!(matches!(refused, Error::Limit { limit: Limit::CountersignatureDepth }));
    }
}

/// Two countersignatures of one signature, and one on each of them.
#[test]
fn a_countersignature_among_several_is_countersigned() {
    let signers = [1, 2, 3].map(Signer::new);
    let mut container = signers[0].container(CONTENT, Packaging::Detached);
    for signer in &signers[1..] {
        let pending = countersignature(&container, &[0], signer).unwrap();
        container = signer.finish(&pending, Some(&container));
    }
    for index in [0, 1] {
        let before = verify(&container, Some(CONTENT));
        let named = &before.signatures[0].countersignatures[index].signer;
        let pending = countersignature(&container, &[0, index], &signers[0]).unwrap();
        let report = verify(&signers[0].finish(&pending, Some(&container)), Some(CONTENT));
        assert!(report.is_valid(), "{report:?}");
        let both = &report.signatures[0].countersignatures;
        assert_eq!(both.len(), 2);
        for one in both {
            assert_eq!(one.countersignatures.len(), usize::from(one.signer == *named));
        }
    }
}

/// A state with another place, and with its checksum computed again.
#[test]
fn a_changed_place_is_detected() {
    let signers = [1, 2, 3].map(Signer::new);
    let mut container = signers[0].container(CONTENT, Packaging::Detached);
    for signer in &signers[1..] {
        let pending = countersignature(&container, &[0], signer).unwrap();
        container = signer.finish(&pending, Some(&container));
    }
    let pending = countersignature(&container, &[0, 1], &signers[0]).unwrap();
    let mut changed = serde_json::to_value(&pending).unwrap();
    let deeper = &mut changed["target"]["countersignature"]["deeper"];
    assert_eq!(*deeper, serde_json::json!([1]));
    *deeper = serde_json::json!([0]);
    let changed: PendingSignature = serde_json::from_value(changed).unwrap();
    let value = signers[0].sign(&changed.to_be_signed());
    let mut source = Document::from_bytes(&container);
    let refused = changed.complete(Some(&mut source), &value, &mut Vec::new()).unwrap_err();
    assert!(matches!(refused, Error::Core(ades_core::Error::StateDamaged { .. })), "{refused:?}");
}

#[test]
fn a_certificate_that_signed_before_is_a_warning() {
    let (first, second) = (Signer::new(1), Signer::new(2));
    let one = first.container(CONTENT, Packaging::Detached);
    assert_eq!(check_parallel(&one, Some(CONTENT)).unwrap(), []);
    let again = parallel(&one, Some(CONTENT), &first).unwrap();
    assert_eq!(again.warnings(), [Warning::AlreadySigned]);
    assert_eq!(parallel(&one, Some(CONTENT), &second).unwrap().warnings(), []);
    // A warning does not prevent the signature, and the stored state has no warnings.
    assert!(verify(&first.finish(&again, Some(&one)), Some(CONTENT)).is_valid());
    let stored = again.to_json(None).unwrap();
    assert_eq!(PendingSignature::from_json(&stored, None).unwrap().warnings(), []);

    let own = countersignature(&one, &[0], &first).unwrap();
    assert_eq!(own.warnings(), [Warning::AlreadySigned]);
    let pending = countersignature(&one, &[0], &second).unwrap();
    assert_eq!(pending.warnings(), []);
    let two = second.finish(&pending, Some(&one));
    let again = countersignature(&two, &[0], &second).unwrap();
    assert_eq!(again.warnings(), [Warning::AlreadySigned]);
    // A parallel signature by a countersigner is something else.
    assert_eq!(parallel(&two, Some(CONTENT), &second).unwrap().warnings(), []);
}

#[test]
fn a_container_that_is_not_der_is_a_warning_and_stays_so() {
    let (first, second) = (Signer::new(1), Signer::new(2));
    let der = first.container(CONTENT, Packaging::Enveloping);
    let expected = [Warning::ContainerNotDer];
    for lengths in 0..7 {
        let definite = [lengths & 1 != 0, lengths & 2 != 0, lengths & 4 != 0];
        let ber = with_lengths(&der, definite);
        let first_not_der = verify(&ber, None).first_not_der;
        assert!(first_not_der.is_some(), "{definite:?}");
        assert_eq!(check_parallel(&ber, None).unwrap(), expected);
        assert_eq!(check_countersignature(&ber, &[0]).unwrap(), expected);
        for pending in [parallel(&ber, None, &second), countersignature(&ber, &[0], &second)] {
            let pending = pending.unwrap();
            assert_eq!(pending.warnings(), expected);
            let report = verify(&second.finish(&pending, Some(&ber)), None);
            assert!(report.is_valid(), "{definite:?}: {report:?}");
            assert!(report.first_not_der.is_some(), "{definite:?}");
        }
    }
    let ber = with_lengths(&der, [false; 3]);
    let both = parallel(&ber, None, &first).unwrap();
    assert_eq!(both.warnings(), [Warning::ContainerNotDer, Warning::AlreadySigned]);
}

#[test]
fn another_document_than_the_signed_one_is_refused() {
    let (first, second) = (Signer::new(1), Signer::new(2));
    for packaging in [Packaging::Detached, Packaging::Enveloping] {
        let one = first.container(CONTENT, packaging);
        let checked = check_parallel(&one, Some(OTHER));
        assert!(matches!(checked, Err(Error::OriginalMismatch)), "{checked:?}");
        let prepared = parallel(&one, Some(OTHER), &second);
        assert!(matches!(prepared, Err(Error::OriginalMismatch)), "{prepared:?}");
        assert_eq!(prepared.unwrap_err().fault(), Fault::Input);
        assert!(check_parallel(&one, Some(CONTENT)).is_ok());
        let pending = parallel(&one, Some(CONTENT), &second).unwrap();
        let two = second.finish(&pending, Some(&one));
        assert!(verify(&two, Some(CONTENT)).is_valid());
    }
    let detached = first.container(CONTENT, Packaging::Detached);
    assert!(matches!(check_parallel(&detached, None), Err(Error::DocumentNeeded)));
    assert!(matches!(parallel(&detached, None, &second), Err(Error::DocumentNeeded)));
}

/// A broken signature next to a good one is for verification to report.
#[test]
fn one_signature_over_the_document_is_enough_to_add_another() {
    let (first, second, third) = (Signer::new(1), Signer::new(2), Signer::new(3));
    let one = first.container(CONTENT, Packaging::Detached);
    let pending = parallel(&one, Some(CONTENT), &second).unwrap();
    let mut container = second.finish(&pending, Some(&one));
    let digest = Digest::of(DigestAlgorithm::Sha256, CONTENT);
    for is_refused in [false, true] {
        let at = container.windows(32).position(|window| window == digest.value()).unwrap();
        container[at] ^= 1;
        let checked = check_parallel(&container, Some(CONTENT));
        assert_eq!(matches!(checked, Err(Error::OriginalMismatch)), is_refused, "{checked:?}");
        let prepared = parallel(&container, Some(CONTENT), &third);
        assert_eq!(matches!(prepared, Err(Error::OriginalMismatch)), is_refused, "{prepared:?}");
    }
}

/// Digest algorithms that are not supported leave the content to compare with.
#[test]
fn another_document_than_the_content_is_refused_under_any_algorithm() {
    let sha256 = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
    let (first, second) = (Signer::new(1), Signer::new(2));
    let mut container = first.container(CONTENT, Packaging::Enveloping);
    for at in 0..container.len() - sha256.len() {
        if container[at..].starts_with(&sha256) {
            container[at + 8] = 0x7F;
        }
    }
    for (original, is_refused) in [(CONTENT, false), (OTHER, true)] {
        let checked = check_parallel(&container, Some(original));
        assert_eq!(matches!(checked, Err(Error::OriginalMismatch)), is_refused, "{checked:?}");
        let prepared = parallel(&container, Some(original), &second);
        assert_eq!(matches!(prepared, Err(Error::OriginalMismatch)), is_refused, "{prepared:?}");
    }
}

#[test]
fn codes_are_those_in_json() {
    for warning in [Warning::AlreadySigned, Warning::ContainerNotDer] {
        assert_eq!(serde_json::to_value(warning).unwrap(), warning.code());
    }
}

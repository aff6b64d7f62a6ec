//! States of CAdES and PAdES that somebody changed with their checksum: they are
//! refused before anything is written, or the result means the same.

use std::io::Cursor;

use ades_core::{CertificateChain, Document, Fault, PendingState};
use ades_tests::pki::{Key, Pki, TestSigner};
use ades_tests::signing::{finish, leads_to, parameters, sign};
use ades_tests::tampered::{Outcome, changes, survey};
use cades::{Check, Packaging, PendingSignature, SignatureOptions, VerifyOptions};

const CONTENT: &[u8] = b"a document";

fn signer(key: Key) -> &'static TestSigner {
    Pki::shared().signer(key)
}

/// With the root: nothing in a state is signed by the issuer of its last certificate.
fn chain(key: Key) -> CertificateChain {
    let (leaf, pki) = (signer(key).leaf().clone(), Pki::shared());
    CertificateChain::from_leaf(leaf, [pki.issuing().clone(), pki.root().clone()]).unwrap()
}

/// The signatures in a container, with trust, as JSON.
fn signatures(container: &[u8], original: Option<&[u8]>) -> Option<serde_json::Value> {
    let mut container = Document::from_bytes(container);
    let mut original = original.map(Document::from_bytes);
    let mut options = VerifyOptions::new();
    if let Some(original) = &mut original {
        options = options.original(original);
    }
    let report = cades::verify(&mut container, options).ok()?;
    assert!(report.is_valid(), "{report:?}");
    let roots = [Pki::shared().root().clone()];
    let trusted: Vec<bool> =
        report.signatures.iter().map(|one| leads_to(&one.facts, &roots)).collect();
    serde_json::to_value((&report.signatures, trusted)).ok()
}

fn outcome(done: Result<(), cades::Error>, out: Vec<u8>) -> Outcome {
    match done {
        Ok(()) => Outcome::Written(out),
        Err(error) => {
            assert!(out.is_empty(), "something was written before {error}");
            let is_value = matches!(&error, cades::Error::Core(error) if is_about_value(error));
            Outcome::Refused(if is_value { Fault::Input } else { error.fault() })
        }
    }
}

/// A value that does not verify is an input of `ades complete`.
const fn is_about_value(error: &ades_core::Error) -> bool {
    use ades_core::Error as E;

    matches!(
        error,
        E::ValueOverOther(_) | E::ValueDoesNotVerify | E::ValueLength { .. } | E::WrongKey
    )
}

/// Completes each change of a state. `original` is the document of a detached
/// container.
fn check(pending: &PendingSignature, key: Key, input: &[u8], original: Option<&[u8]>) {
    let value = signer(key).sign(&pending.to_be_signed());
    let mut complete = |state: &str| {
        let mut out = Vec::new();
        let done =
            PendingSignature::from_json(state, None).map_err(Into::into).and_then(|pending| {
                pending.complete(Some(&mut Document::from_bytes(input)), &value, &mut out)
            });
        outcome(done, out)
    };
    let stored = pending.to_json(None).unwrap();
    let Outcome::Written(container) = complete(&stored) else { panic!("not completed") };
    let expected = signatures(&container, original);
    let mut is_same = |container: &[u8]| signatures(container, original) == expected;
    let wrong = survey(&stored, &mut complete, &mut is_same);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn new_containers() {
    for (packaging, key) in
        [(Packaging::Detached, Key::P256), (Packaging::Enveloping, Key::Rsa2048)]
    {
        let mut document = Document::from_bytes(CONTENT);
        let parameters = parameters().signer_role("Director").description("huur");
        let options = SignatureOptions::new().packaging(packaging);
        let chain = &chain(key);
        let pending = cades::prepare(&mut document, chain, &parameters, &options).unwrap();
        let original = (packaging == Packaging::Detached).then_some(CONTENT);
        check(&pending, key, CONTENT, original);
    }
}

#[test]
fn containers_completed_in_place() {
    let mut begun = Vec::new();
    let mut document = Document::from_bytes(CONTENT);
    let options = SignatureOptions::new().packaging(Packaging::Enveloping);
    let chain = &chain(Key::P256);
    let pending =
        cades::prepare_copying(&mut document, chain, &parameters(), &options, &mut begun).unwrap();
    let value = signer(Key::P256).sign(&pending.to_be_signed());
    for how in [Check::Whole, Check::LengthAndTail] {
        let mut complete = |state: &str| {
            let mut file = Cursor::new(begun.clone());
            let done = PendingSignature::from_json(state, None)
                .map_err(Into::into)
                .and_then(|pending| pending.complete_in_place(&mut file, &value, how));
            let file = file.into_inner();
            let out = if done.is_err() && file == begun { Vec::new() } else { file };
            outcome(done, out)
        };
        let stored = pending.to_json(None).unwrap();
        let Outcome::Written(container) = complete(&stored) else { panic!("not completed") };
        let expected = signatures(&container, None);
        let mut is_same = |container: &[u8]| signatures(container, None) == expected;
        let wrong = survey(&stored, &mut complete, &mut is_same);
        assert!(wrong.is_empty(), "{how:?}: {}", wrong.join("\n"));
    }
}

#[test]
fn parallel_signatures_and_countersignatures() {
    let options = SignatureOptions::new();
    for packaging in [Packaging::Detached, Packaging::Enveloping] {
        let original = (packaging == Packaging::Detached).then_some(CONTENT);
        let one = sign(CONTENT, packaging, signer(Key::Rsa2048), &parameters()).unwrap();
        let second = |container: &[u8], key: Key| {
            cades::prepare_parallel(
                &mut Document::from_bytes(container),
                original.map(Document::from_bytes).as_mut(),
                &chain(key),
                &parameters(),
                &options,
            )
            .unwrap()
        };
        check(&second(&one, Key::P256), Key::P256, &one, original);

        let two = finish(&second(&one, Key::P256), signer(Key::P256), Some(&one)).unwrap();
        let mut container = Document::from_bytes(&two);
        let chain = &chain(Key::P384);
        let pending =
            cades::prepare_countersignature(&mut container, &[1], chain, &parameters(), &options);
        check(&pending.unwrap(), Key::P384, &two, original);
    }
}

/// Both the data to be signed and the rest of the state are changed before the signer
/// signs, so that the value verifies.
#[test]
fn a_changed_state_that_was_signed_is_refused() {
    let options = SignatureOptions::new();
    let one = sign(CONTENT, Packaging::Enveloping, signer(Key::Rsa2048), &parameters()).unwrap();
    let mut container = Document::from_bytes(&one);
    let chain = &chain(Key::P256);
    let pending =
        cades::prepare_parallel(&mut container, None, chain, &parameters(), &options).unwrap();
    let algorithm = pending.to_be_signed().algorithm();
    let mut refused = 0;
    for (what, state) in changes(&pending.to_json(None).unwrap()) {
        let Ok(pending) = PendingSignature::from_json(&state, None) else { continue };
        if pending.to_be_signed().algorithm() != algorithm {
            continue;
        }
        let value = signer(Key::P256).sign(&pending.to_be_signed());
        let mut out = Vec::new();
        match pending.complete(Some(&mut container), &value, &mut out) {
            Ok(()) => assert!(signatures(&out, None).is_some(), "{what}"),
            Err(error) => {
                assert!(out.is_empty(), "{what}");
                assert_eq!(error.fault(), Fault::Input, "{what}: {error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 100, "{refused}");
}

/// The digest in the state and that in the signed attributes are changed together.
#[test]
fn another_document_for_a_parallel_signature_is_refused() {
    for (packaging, original) in
        [(Packaging::Detached, Some(CONTENT)), (Packaging::Enveloping, None)]
    {
        let one = sign(CONTENT, packaging, signer(Key::P256), &parameters()).unwrap();
        let other = sign(b"another", packaging, signer(Key::P256), &parameters()).unwrap();
        let pending = |container: &[u8], original: Option<&[u8]>| {
            cades::prepare_parallel(
                &mut Document::from_bytes(container),
                original.map(Document::from_bytes).as_mut(),
                &chain(Key::P256),
                &parameters(),
                &SignatureOptions::new(),
            )
            .unwrap()
        };
        let real = serde_json::to_value(pending(&one, original)).unwrap();
        let mut state =
            serde_json::to_value(pending(&other, original.map(|_| &b"another"[..]))).unwrap();
        state["target"]["parallel"]["container"] = real["target"]["parallel"]["container"].clone();
        let pending: PendingSignature = serde_json::from_value(state).unwrap();
        let error = finish(&pending, signer(Key::P256), Some(&one)).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("another document than the container's"), "{text}");
    }
}

/// A signature that has the attributes of another kind.
#[test]
fn attributes_of_another_kind_are_refused() {
    let one = sign(CONTENT, Packaging::Enveloping, signer(Key::P256), &parameters()).unwrap();
    let mut container = Document::from_bytes(&one);
    let chain = &chain(Key::P256);
    let counter = cades::prepare_countersignature(
        &mut container,
        &[0],
        chain,
        &parameters(),
        &SignatureOptions::new(),
    );
    let mut state = serde_json::to_value(counter.unwrap()).unwrap();
    let signature = state["target"]["countersignature"]["signature"].clone();
    state["target"] = serde_json::json!({ "detached": { "document": signature } });
    let pending: PendingSignature = serde_json::from_value(state).unwrap();
    let error = finish(&pending, signer(Key::P256), None).unwrap_err();
    assert!(error.to_string().contains("baseline signature"), "{error}");
}

/// A copy of the document may have been written when its digest turns out to be another
/// one, but not the update.
#[test]
fn signed_pdfs() {
    let pdf = ades_tests::pdf::Document::default().write();
    let mut source = Document::from_bytes(&pdf);
    let options = pades::SignatureOptions::new();
    let pending = pades::prepare(&mut source, &chain(Key::P256), &parameters(), &options).unwrap();
    let value = signer(Key::P256).sign(&pending.to_be_signed());
    let mut complete = |state: &str| {
        let mut out = Vec::new();
        let done = pades::PendingSignature::from_json(state, None).map_err(Into::into).and_then(
            |pending| pending.complete(Some(&mut Document::from_bytes(&pdf)), &value, &mut out),
        );
        match done {
            Ok(()) => Outcome::Written(out),
            Err(pades::Error::Core(error)) if is_about_value(&error) => {
                Outcome::Refused(Fault::Input)
            }
            Err(error) => {
                assert!(out.len() <= pdf.len(), "the update was written before {error}");
                Outcome::Refused(error.fault())
            }
        }
    };
    let trust = [Pki::shared().root().clone()];
    let mut is_same = |signed: &[u8]| {
        let options = pades::VerifyOptions::new();
        let report = pades::verify(&mut Document::from_bytes(signed), options);
        report.is_ok_and(|report| {
            let trusted = report.signatures.iter().all(|one| leads_to(&one.facts, &trust));
            report.is_valid() && trusted
        })
    };
    let wrong = survey(&pending.to_json(None).unwrap(), &mut complete, &mut is_same);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

//! Stored states of XAdES that somebody changed, and whose checksum they computed again: *complete*
//! returns an error before it writes anything, or writes what it would have written.

use ades_core::{Document, Fault, PendingState};
use ades_tests::pki::{Key, Pki, TestSigner};
use ades_tests::signing::parameters;
use ades_tests::tampered::{Outcome, survey};
use serde_json::Value;
use xades::c14n::Target;
use xades::{
    DetachedDocument, DetachedReferences, Error, Packaging, PendingSignature, Position,
    SignatureOptions, SigningCertificate, prepare, prepare_countersignature, prepare_detached,
};

const DOCUMENT: &[u8] = b"<r>\n<e Id=\"e\"/>text<f/></r>\n";

fn signer() -> &'static TestSigner {
    Pki::shared().signer(Key::P256)
}

/// A state of each destination and form, with its document.
fn states() -> Vec<(&'static str, PendingSignature, Vec<u8>)> {
    let chain = &signer().chain;
    let new = SignatureOptions::new;
    let target = Target::Id("e".to_owned());
    let over_e = Packaging::InternallyDetached(vec!["e".to_owned()]);
    let all = new().signing_certificate(SigningCertificate::Both).sign_key_info().key_value();
    let mut states: Vec<_> = [
        ("enveloped", new()),
        ("everything", all),
        ("in an empty element", new().position(Position::LastIn(target.clone()))),
        ("before", new().position(Position::Before(target.clone()))),
        ("in its element", new().packaging(over_e).position(Position::LastIn(target))),
        ("XML", new().packaging(Packaging::EnvelopingXml)),
        ("base64", new().packaging(Packaging::EnvelopingBase64)),
    ]
    .into_iter()
    .map(|(name, options)| {
        let mut source = Document::from_bytes(DOCUMENT);
        let pending = prepare(&mut source, chain, &parameters(), &options).unwrap();
        (name, pending, DOCUMENT.to_vec())
    })
    .collect();
    for references in [DetachedReferences::SignedInfo, DetachedReferences::Manifest] {
        let document = Document::from_bytes(DOCUMENT);
        let mut documents = [DetachedDocument::new("a.xml", "text/xml", document)];
        let options = new().detached_references(references);
        let pending = prepare_detached(&mut documents, chain, &parameters(), &options).unwrap();
        states.push(("detached", pending, DOCUMENT.to_vec()));
    }
    let signed = complete(&states[0].1, DOCUMENT).unwrap();
    let mut source = Document::from_bytes(&signed);
    let pending =
        prepare_countersignature(&mut source, &[0], chain, &parameters(), &new()).unwrap();
    states.push(("countersignature", pending, signed.clone()));
    states
}

fn complete(pending: &PendingSignature, document: &[u8]) -> Result<Vec<u8>, Error> {
    let value = signer().sign(&pending.to_be_signed());
    complete_with(pending, document, &value)
}

/// Completes with this value. An error has not written anything.
fn complete_with(
    pending: &PendingSignature,
    document: &[u8],
    value: &[u8],
) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    match pending.complete(Some(&mut Document::from_bytes(document)), value, &mut out) {
        Ok(()) => Ok(out),
        // Without a salt, the digest of the document is compared while it is copied.
        Err(Error::DocumentChanged) => Err(Error::DocumentChanged),
        Err(error) => {
            assert!(out.is_empty(), "{error} after {} octets", out.len());
            Err(error)
        }
    }
}

/// The value is that over the state as it was: the signer signed before the change.
#[test]
fn every_changed_value_is_refused_or_has_no_effect() {
    for (name, pending, document) in states() {
        let value = signer().sign(&pending.to_be_signed());
        let stored = pending.to_json(None).unwrap();
        let mut complete = |state: &str| match PendingSignature::from_json(state, None) {
            Err(error) => Outcome::Refused(error.fault()),
            Ok(changed) => match complete_with(&changed, &document, &value) {
                Ok(out) => Outcome::Written(out),
                Err(Error::Core(
                    ades_core::Error::ValueOverOther(_)
                    | ades_core::Error::ValueDoesNotVerify
                    | ades_core::Error::ValueLength { .. }
                    | ades_core::Error::WrongKey,
                )) => Outcome::Refused(Fault::Input),
                Err(error) => Outcome::Refused(error.fault()),
            },
        };
        let wrong = survey(&stored, &mut complete, &mut |_| false);
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
    }
}

/// A state with this change, as a program of this version or of version 2 wrote it.
fn changed(pending: &PendingSignature, change: impl Fn(&mut Value)) -> [PendingSignature; 2] {
    let mut state = serde_json::to_value(pending).unwrap();
    change(&mut state);
    let current = serde_json::from_value(state.clone()).unwrap();
    // What is stored without a salt is what version 2 stored.
    state["salt"] = Value::Null;
    let older: PendingSignature = serde_json::from_value(state).unwrap();
    [current, PendingSignature::from_json(&older.to_json(None).unwrap(), None).unwrap()]
}

/// Text that no digest covers: around, before and inside the signature element.
#[test]
fn added_markup_is_refused() {
    for (name, pending, document) in states() {
        let value = signer().sign(&pending.to_be_signed());
        let insert = |field: &'static str, before: &'static str, markup: &'static str| {
            changed(&pending, move |state| {
                let text = state[field].as_str().unwrap();
                let at = if before.is_empty() { text.len() } else { text.find(before).unwrap() };
                state[field] = [&text[..at], markup, &text[at..]].concat().into();
            })
        };
        for (field, before, markup) in [
            ("head", "<ds:Signature ", "<evil/>"),
            ("head", "<ds:SignedInfo>", "<evil/>"),
            ("head", "<ds:SignedInfo>", "<!-- evil -->"),
            ("head", "</ds:SignedInfo>", "<!-- evil -->"),
            ("head", "<ds:SignatureValue ", "<?evil?>"),
            ("head", "", "evil"),
            ("tail", "</ds:SignatureValue>", "AA=="),
            ("tail", "<ds:KeyInfo", "<ds:Object/>"),
            ("tail", "<ds:X509Data>", "<ds:KeyName>evil</ds:KeyName>"),
            ("tail", "<xades:SignedProperties ", "evil"),
            ("tail", "<xades:SigningTime>", "<!-- evil -->"),
            ("tail", "</xades:QualifyingProperties>", "<xades:UnsignedProperties/>"),
            ("tail", "</ds:Object>", "<evil/>"),
            ("tail", "", "<evil/>"),
        ] {
            for state in insert(field, before, markup) {
                let refused = complete_with(&state, &document, &value);
                let damaged = |error: &Error| {
                    matches!(error, Error::Core(ades_core::Error::StateDamaged { .. }))
                };
                assert!(refused.as_ref().is_err_and(damaged), "{name}: {markup} {refused:?}");
            }
        }
    }
}

/// Each place in the document, with and without replaced octets, in both layouts.
#[test]
fn another_place_is_refused() {
    for (name, pending, document) in states() {
        let value = signer().sign(&pending.to_be_signed());
        let state = serde_json::to_value(&pending).unwrap();
        let Some(insertion) = state["target"]["inserted"].get("insertion").cloned() else {
            continue;
        };
        let replaced = insertion["replaced"].as_u64().unwrap();
        let own = insertion["offset"].as_u64().unwrap();
        let step = document.len() / 40 + 1;
        for offset in (0..=document.len() as u64 + 3).filter(|offset| *offset != own).step_by(step)
        {
            for replaced in [replaced, 0, 2, 9] {
                let [current, older] = changed(&pending, |state| {
                    let insertion = &mut state["target"]["inserted"]["insertion"];
                    insertion["offset"] = offset.into();
                    insertion["replaced"] = replaced.into();
                });
                assert!(complete_with(&current, &document, &value).is_err(), "{name}: {offset}");
                // The older layout does not bind the place: the result must verify.
                if let Ok(out) = complete_with(&older, &document, &value) {
                    let mut signed = Document::from_bytes(&out);
                    let report = xades::verify(&mut signed, xades::VerifyOptions::new()).unwrap();
                    assert!(
                        report.signatures.iter().any(|it| it.intact == Some(true)),
                        "{name}: {offset}"
                    );
                    assert_eq!(replaced, insertion["replaced"].as_u64().unwrap());
                }
            }
        }
    }
}

/// The range of the root element in an enveloping signature.
#[test]
fn another_root_element_is_refused() {
    let states = states();
    let (_, pending, document) = states.iter().find(|(name, ..)| *name == "XML").unwrap();
    let value = signer().sign(&pending.to_be_signed());
    for (from, to) in [(0, 1), (4, 15), (0, document.len() as u64 + 5), (5, 5), (1, 9)] {
        for state in changed(pending, |state| {
            state["target"]["xml"]["from"] = from.into();
            state["target"]["xml"]["to"] = to.into();
        }) {
            assert!(complete_with(&state, document, &value).is_err(), "{from}..{to}");
        }
    }
    // Unchanged, in both layouts.
    for (name, pending, document) in &states {
        let expected = complete(pending, document).map(|out| out.len()).unwrap();
        for state in changed(pending, |_| ()) {
            let out = complete(&state, document);
            assert!(
                out.as_ref().is_ok_and(|out| out.len().abs_diff(expected) < 9),
                "{name} {out:?}"
            );
        }
    }
}

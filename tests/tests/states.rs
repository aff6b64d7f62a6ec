//! Pending states: they survive, and what is wrong with them is named.

use ades_core::{Document, Error, PendingState, StateKey};
use ades_tests::pki::{Key, Pki, Profile};
use ades_tests::signing::parameters;
use cades::{Packaging, PendingSignature};

const DOCUMENT: &[u8] = b"a document";

fn pending(packaging: Packaging) -> PendingSignature {
    let chain = &Pki::shared().signer(Key::P256).chain;
    cades::prepare(&mut Document::from_bytes(DOCUMENT), packaging, chain, &parameters()).unwrap()
}

fn key(octet: u8) -> StateKey {
    StateKey::new([octet; 32])
}

#[test]
fn a_stored_state_is_small_and_holds_no_document() {
    let pending = pending(Packaging::Enveloping);
    let json = pending.to_json(None).unwrap();
    let chain: usize = pending.chain().certificates().iter().map(|c| c.der().len()).sum();
    assert!(json.len() < 4096 + chain * 4 / 3, "{} octets", json.len());
    assert!(!json.contains("a document"));
    assert_eq!(PendingSignature::from_json(&json, None).unwrap(), pending);
}

/// Demand 2: a database may space and order the JSON anew.
#[test]
fn another_rendering_of_the_same_json_is_the_same_state() {
    let pending = pending(Packaging::Detached);
    let json = pending.to_json(Some(&key(1))).unwrap();
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let pretty = serde_json::to_string_pretty(&value).unwrap();
    assert_eq!(PendingSignature::from_json(&pretty, Some(&key(1))).unwrap(), pending);
}

/// Demand 2: the first layout stays readable for ever.
#[test]
fn the_state_of_version_1_is_read() {
    let json = include_str!("../fixtures/states/cades-1.json");
    let pending = PendingSignature::from_json(json.trim_end(), None).unwrap();
    assert_eq!(
        pending.to_be_signed().digest().0.to_hex(),
        include_str!("../fixtures/states/cades-1.digest").trim_end()
    );
}

/// EDGECASES 60: every octet matters.
#[test]
fn case_60_every_changed_octet_is_noticed() {
    let signer = Pki::shared().signer(Key::P256);
    for key in [None, Some(key(7))] {
        let pending = pending(Packaging::Detached);
        let json = pending.to_json(key.as_ref()).unwrap();
        for at in 0..json.len() {
            for change in [0x01, 0x20] {
                let mut octets = json.clone().into_bytes();
                octets[at] ^= change;
                let Ok(changed) = String::from_utf8(octets) else { continue };
                let read = PendingSignature::from_json(&changed, key.as_ref());
                assert!(
                    read.is_err(),
                    "octet {at}: {}",
                    &changed[at.saturating_sub(20)..]
                        [..40.min(changed.len() - at.saturating_sub(20))]
                );
            }
        }
        let value = signer.sign(&pending.to_be_signed());
        pending.complete(None, &value, &mut Vec::new()).unwrap();
    }
}

#[test]
fn case_60_each_kind_of_damage_has_its_name() {
    let json = pending(Packaging::Detached).to_json(None).unwrap();
    let read =
        |json: &str, key: Option<&StateKey>| PendingSignature::from_json(json, key).unwrap_err();
    assert!(matches!(read("", None), Error::StateDamaged { .. }));
    assert!(matches!(read(&json[..json.len() - 1], None), Error::StateDamaged { .. }));
    let newer = json.replace("\"version\":1", "\"version\":2");
    assert!(matches!(read(&newer, None), Error::StateFromNewerVersion { found: 2, known: 1 }));
    let other = json.replace("\"format\":\"cades\"", "\"format\":\"pades\"");
    assert!(matches!(read(&other, None), Error::StateOfAnotherFormat { .. }));
    assert!(matches!(read(&json, Some(&key(1))), Error::StateNotAuthentic));
    let authentic = pending(Packaging::Detached).to_json(Some(&key(1))).unwrap();
    assert!(matches!(read(&authentic, Some(&key(2))), Error::StateNotAuthentic));
    assert!(matches!(read(&authentic, None), Error::StateKeyNeeded));
    let long = " ".repeat(ades_core::pending::MAX_STATE_LEN + 1);
    assert!(matches!(read(&long, None), Error::StateTooLarge { .. }));
}

#[test]
fn case_60_a_changed_document_or_a_wrong_value_writes_no_container() {
    let signer = Pki::shared().signer(Key::P256);
    let other = Pki::shared().issue(&Profile::new(Key::P256));
    for packaging in [Packaging::Detached, Packaging::Enveloping] {
        let pending = pending(packaging);
        let value = signer.sign(&pending.to_be_signed());
        for document in [&b"a documenT"[..], b"a document ", b"a documen", b""] {
            let mut out = Vec::new();
            let result =
                pending.complete(Some(&mut Document::from_bytes(document)), &value, &mut out);
            assert!(matches!(result, Err(cades::Error::DocumentChanged)), "{document:?}");
            let source = &mut Document::from_bytes(&out);
            assert!(cades::Container::read(source).is_err(), "what was written is no container");
        }
        let mut out = Vec::new();
        let wrong = other.sign(&pending.to_be_signed());
        let mut document = Document::from_bytes(DOCUMENT);
        let result = pending.complete(Some(&mut document), &wrong, &mut out);
        assert!(matches!(result, Err(cades::Error::Core(Error::ValueDoesNotVerify))));
        assert!(out.is_empty());
    }
    let needs_it = pending(Packaging::Enveloping);
    let value = signer.sign(&needs_it.to_be_signed());
    let result = needs_it.complete(None, &value, &mut Vec::new());
    assert!(matches!(result, Err(cades::Error::DocumentNeeded)));
}

#[test]
fn nothing_personal_or_secret_is_shown() {
    let pending = pending(Packaging::Detached);
    let shown = format!("{pending:?} {:?}", key(0x41));
    assert!(!shown.contains("Test Signer") && !shown.contains("65, 65"), "{shown}");
}

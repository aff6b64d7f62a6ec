//! Pending states of all versions are read, and the fault of a damaged one is
//! reported.

use ades_core::{Document, Error, PendingState, StateKey, StoredState};
use ades_tests::pki::{Key, Pki, Profile};
use ades_tests::signing::{parameters, sign};
use cades::{Packaging, PendingSignature, SignatureOptions};
use serde::{Deserialize, Serialize};

const DOCUMENT: &[u8] = b"a document";

fn pending(packaging: Packaging) -> PendingSignature {
    let chain = &Pki::shared().signer(Key::P256).chain;
    let options = SignatureOptions::new().packaging(packaging);
    cades::prepare(&mut Document::from_bytes(DOCUMENT), chain, &parameters(), &options).unwrap()
}

fn key(octet: u8) -> StateKey {
    StateKey::new([octet; 32])
}

#[test]
fn a_stored_state_is_small_and_does_not_contain_the_document() {
    let pending = pending(Packaging::Enveloping);
    let json = pending.to_json(None).unwrap();
    let chain: usize = pending.chain().certificates().iter().map(|c| c.der().len()).sum();
    assert!(json.len() < 4096 + chain * 4 / 3, "{} octets", json.len());
    assert!(!json.contains("a document"));
    assert_eq!(PendingSignature::from_json(&json, None).unwrap(), pending);
}

/// The checksum covers the canonical form. What serialises in this form is not written twice.
#[test]
fn a_state_serialises_in_its_canonical_form() {
    fn check(state: &impl PendingState) {
        let json = serde_json::to_string(state).unwrap();
        // The keys of a `Value` are in ascending order.
        assert_eq!(serde_json::to_value(state).unwrap().to_string(), json);
        assert!(state.to_json(None).unwrap().contains(&json));
    }

    let signer = Pki::shared().signer(Key::P256);
    let container = sign(DOCUMENT, Packaging::Enveloping, signer, &parameters()).unwrap();
    let mut container = Document::from_bytes(&container);
    let (chain, parameters, options) = (&signer.chain, parameters(), SignatureOptions::new());
    let parallel =
        cades::prepare_parallel(&mut container, None, chain, &parameters, &options).unwrap();
    let countersignature =
        cades::prepare_countersignature(&mut container, &[0], chain, &parameters, &options);
    let pades = include_str!("../fixtures/states/pades-2.json");
    check(&pending(Packaging::Detached));
    check(&pending(Packaging::Enveloping));
    check(&parallel);
    check(&countersignature.unwrap());
    check(&pades::PendingSignature::from_json(pades, None).unwrap());
}

/// Demand 2: a database may change white space and order in the JSON.
#[test]
fn another_rendering_of_the_same_json_is_the_same_state() {
    let pending = pending(Packaging::Enveloping);
    let json = pending.to_json(Some(&key(1))).unwrap();
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let pretty = serde_json::to_string_pretty(&value).unwrap();
    let reversed = reversed(&value);
    assert_ne!(reversed, json);
    for rendering in [pretty, reversed, json.replace('/', "\\u002f")] {
        assert_eq!(PendingSignature::from_json(&rendering, Some(&key(1))).unwrap(), pending);
    }
}

/// The JSON with the keys of all objects in descending order.
fn reversed(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(members) => {
            let mut members: Vec<_> = members
                .iter()
                .map(|(key, value)| format!("{key:?} : {}", reversed(value)))
                .collect();
            members.sort();
            members.reverse();
            format!("{{ {} }}", members.join(" , "))
        }
        other => other.to_string(),
    }
}

/// Otherwise one reader could use the first of them and another the last.
#[test]
fn a_repeated_key_is_damage() {
    let json = pending(Packaging::Detached).to_json(None).unwrap();
    let algorithm = "\"algorithm\":\"ecdsa-sha256\",";
    assert!(json.contains(algorithm));
    for twice in [
        json.replacen(algorithm, &algorithm.repeat(2), 1),
        json.replacen("\"version\":1", "\"version\":1,\"version\":1", 1),
    ] {
        let read = PendingSignature::from_json(&twice, None);
        assert!(matches!(read, Err(Error::StateDamaged { .. })), "{twice}");
    }
}

/// Demand 2: all layouts of all formats stay readable.
#[test]
fn the_states_of_older_versions_are_read() {
    fn read<S: PendingState>(json: &str) -> S {
        S::from_json(json, None).unwrap()
    }
    let cades: PendingSignature = read(include_str!("../fixtures/states/cades-1.json"));
    let pades: pades::PendingSignature = read(include_str!("../fixtures/states/pades-1.json"));
    let xades: xades::PendingSignature = read(include_str!("../fixtures/states/xades-1.json"));
    let second: xades::PendingSignature = read(include_str!("../fixtures/states/xades-2.json"));
    assert!(second.ignores_external_subset() && !xades.ignores_external_subset());
    assert!(second.ids().names().any(|name| name == ("urn:a", "Id")));
    let third: xades::PendingSignature = read(include_str!("../fixtures/states/xades-3.json"));
    let stored: serde_json::Value =
        serde_json::from_str(include_str!("../fixtures/states/xades-3.json")).unwrap();
    assert_eq!(serde_json::to_value(&third).unwrap(), stored["state"]);
    let fourth: xades::PendingSignature = read(include_str!("../fixtures/states/xades-4.json"));
    let stored: serde_json::Value =
        serde_json::from_str(include_str!("../fixtures/states/xades-4.json")).unwrap();
    assert_eq!(serde_json::to_value(&fourth).unwrap(), stored["state"]);
    assert!(stored["state"]["target"]["inserted"]["copied"].is_object());
    let current = xades::PendingSignature::VERSION;
    assert_eq!(current, 4, "a new layout: keep this fixture, and add one of the new layout");
    let lower: pades::PreparedDocument = read(include_str!("../fixtures/states/pades-cms-1.json"));
    let pades_2: pades::PendingSignature = read(include_str!("../fixtures/states/pades-2.json"));
    let lower_2: pades::PreparedDocument =
        read(include_str!("../fixtures/states/pades-cms-2.json"));
    for (digest, expected) in [
        (&cades.to_be_signed().digest().0, include_str!("../fixtures/states/cades-1.digest")),
        (&pades.to_be_signed().digest().0, include_str!("../fixtures/states/pades-1.digest")),
        (&xades.to_be_signed().digest().0, include_str!("../fixtures/states/xades-1.digest")),
        (&second.to_be_signed().digest().0, include_str!("../fixtures/states/xades-2.digest")),
        (&third.to_be_signed().digest().0, include_str!("../fixtures/states/xades-3.digest")),
        (&fourth.to_be_signed().digest().0, include_str!("../fixtures/states/xades-4.digest")),
        (&lower.digest().0, include_str!("../fixtures/states/pades-cms-1.digest")),
        (&pades_2.to_be_signed().digest().0, include_str!("../fixtures/states/pades-2.digest")),
        (&lower_2.digest().0, include_str!("../fixtures/states/pades-cms-2.digest")),
    ] {
        assert_eq!(digest.to_hex(), expected.trim_end());
    }

    // The digest's state in the second layout of a PDF's state is read, too.
    let pdf = ades_tests::pdf::Document::default().write();
    let mut out = Vec::new();
    lower_2.embed(&mut Document::from_bytes(&pdf), &[0x30, 0], &mut out).unwrap();
    assert_eq!(out.len() as u64, lower_2.signed_len());
}

/// The second layout of a format: one field has a new name, and one is new.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Second {
    size: u64,
    document: String,
    retries: u32,
}

/// The first layout.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct First {
    document: String,
    length: u64,
}

impl PendingState for First {
    const FORMAT: &'static str = "test";
    const VERSION: u32 = 1;
}

impl PendingState for Second {
    const FORMAT: &'static str = "test";
    const VERSION: u32 = 2;

    fn from_older(version: u32, stored: &StoredState) -> Option<Self> {
        let First { document, length } = (version == 1).then(|| stored.read())??;
        Some(Self { size: length, document, retries: 0 })
    }
}

/// Demand 2: a newer version, with other fields in another order, reads what an
/// older one stored.
#[test]
fn an_older_layout_is_taken_up() {
    let first = First { document: "a".into(), length: 7 };
    for key in [None, Some(key(3))] {
        let stored = first.to_json(key.as_ref()).unwrap();
        let second = Second { size: 7, document: "a".into(), retries: 0 };
        assert_eq!(Second::from_json(&stored, key.as_ref()).unwrap(), second);
        let again = second.to_json(key.as_ref()).unwrap();
        assert_eq!(Second::from_json(&again, key.as_ref()).unwrap(), second);
        let newer = First::from_json(&again, key.as_ref());
        assert!(matches!(newer, Err(Error::StateFromNewerVersion { found: 2, known: 1 })));
        // `from_older` gets neither a changed state nor an unknown version.
        for changed in [
            stored.replace(":7", ":8"),
            stored.replace("\"version\":1", "\"version\":0"),
            stored.replace("length", "size"),
        ] {
            assert_ne!(changed, stored);
            let read = Second::from_json(&changed, key.as_ref());
            assert!(matches!(read, Err(Error::StateDamaged { .. })));
        }
    }
}

/// Edge case 60: every octet counts.
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
fn case_60_each_kind_of_damage_is_reported() {
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

/// Demand 4: *complete* only completes what was prepared.
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
            assert!(cades::Container::read(source).is_err(), "the output must not be a container");
        }
        let mut out = Vec::new();
        let wrong = other.sign(&pending.to_be_signed());
        let mut document = Document::from_bytes(DOCUMENT);
        let result = pending.complete(Some(&mut document), &wrong, &mut out);
        assert!(matches!(result, Err(cades::Error::Core(Error::ValueDoesNotVerify))));
        assert!(out.is_empty());
    }
    let enveloping = pending(Packaging::Enveloping);
    let value = signer.sign(&enveloping.to_be_signed());
    let result = enveloping.complete(None, &value, &mut Vec::new());
    assert!(matches!(result, Err(cades::Error::DocumentNeeded)));
}

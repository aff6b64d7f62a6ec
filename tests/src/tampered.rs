//! Stored states with one change each, whose checksum fits again: what a person or a
//! bug that knows the layout can write.
//!
//! [`survey`] completes each of them. A state that was changed is either refused
//! because of the input, with nothing written, or its result means the same.

use ades_core::{Digest, DigestAlgorithm, Fault, base64};
use serde_json::{Map, Value, json};

/// What completing a changed state did.
#[derive(Debug)]
pub enum Outcome {
    /// An error, with the party that has to act.
    Refused(Fault),
    /// This result.
    Written(Vec<u8>),
}

/// Completes each change of a stored state with `complete`, which gets the state and
/// returns what was written, and describes the changes whose outcome is wrong.
///
/// `is_same` tells whether a result means the same as that of the original state.
///
/// # Panics
/// If `stored` is not a stored state without a MAC.
pub fn survey(
    stored: &str,
    complete: &mut dyn FnMut(&str) -> Outcome,
    is_same: &mut dyn FnMut(&[u8]) -> bool,
) -> Vec<String> {
    let Outcome::Written(original) = complete(stored) else {
        panic!("the original state is not completed");
    };
    let mut wrong = Vec::new();
    for (what, state) in changes(stored) {
        match complete(&state) {
            Outcome::Refused(Fault::Input | Fault::Limit | Fault::Unsupported) => {}
            Outcome::Refused(fault) => wrong.push(format!("{what}: the fault is {fault:?}")),
            Outcome::Written(result) if result == original || is_same(&result) => {}
            Outcome::Written(_) => wrong.push(format!("{what}: another result was written")),
        }
    }
    wrong
}

/// Each change with its description.
///
/// # Panics
/// If `stored` is not a stored state without a MAC.
#[must_use]
pub fn changes(stored: &str) -> Vec<(String, String)> {
    let envelope: Value = serde_json::from_str(stored).expect("a stored state is JSON");
    assert_eq!(sealed(&envelope), stored, "the checksum's input has another form");
    let state = &envelope["state"];
    let mut paths = Vec::new();
    collect(state, String::new(), &mut paths);
    let leaves: Vec<&Value> = paths.iter().filter_map(|path| state.pointer(path)).collect();
    let mut changes = Vec::new();
    for path in &paths {
        let now = state.pointer(path).expect("a path of this state");
        for (what, new) in others(now, &leaves) {
            let mut envelope = envelope.clone();
            *envelope["state"].pointer_mut(path).expect("a path of this state") = new;
            changes.push((format!("{path}: {what}"), sealed(&envelope)));
        }
    }
    changes
}

/// The stored form with the checksum of its state.
fn sealed(envelope: &Value) -> String {
    let (format, version) = (envelope["format"].as_str().unwrap_or_default(), &envelope["version"]);
    let state = &envelope["state"];
    let protected = format!("ades pending state\n{format}\n{version}\n{state}");
    let checksum = Digest::of(DigestAlgorithm::Sha256, protected.as_bytes()).to_hex();
    format!(
        "{{\"format\":{},\"version\":{version},\"state\":{state},\"checksum\":\"{checksum}\"}}",
        envelope["format"]
    )
}

/// The paths of all values, containers included.
fn collect(value: &Value, path: String, paths: &mut Vec<String>) {
    match value {
        Value::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                collect(value, format!("{path}/{at}"), paths);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                collect(value, format!("{path}/{name}"), paths);
            }
        }
        _ => {}
    }
    paths.push(path);
}

/// Other values for one place.
fn others(now: &Value, all: &[&Value]) -> Vec<(String, Value)> {
    let mut others: Vec<(String, Value)> = match now {
        Value::Null => vec![("0".into(), json!(0)), ("text".into(), json!("a"))],
        Value::Bool(now) => vec![("the other".into(), json!(!now))],
        Value::Number(now) => numbers(now.as_u64().unwrap_or_default()),
        Value::String(now) => texts(now),
        Value::Array(values) => arrays(values),
        Value::Object(members) => objects(members),
    };
    let same_kind = |other: &Value| {
        std::mem::discriminant(other) == std::mem::discriminant(now)
            && !(other.is_array() || other.is_object())
    };
    let elsewhere = all.iter().filter(|other| same_kind(other) && **other != now).take(40);
    others.extend(elsewhere.map(|other| ("the value of another place".into(), (*other).clone())));
    others.push(("null".into(), Value::Null));
    others.retain(|(_, new)| new != now);
    others
}

fn numbers(now: u64) -> Vec<(String, Value)> {
    let numbers = [0, 1, now.wrapping_add(1), now.wrapping_sub(1), now / 2, u64::MAX, 1 << 32];
    numbers.into_iter().map(|number| (number.to_string(), json!(number))).collect()
}

/// Texts with another character, octet or length, and other names of algorithms.
fn texts(now: &str) -> Vec<(String, Value)> {
    let mut texts: Vec<(String, Value)> = Vec::new();
    let names = ["sha256", "sha384", "sha512", "rsa-sha256", "rsa-sha512", "ecdsa-sha256"];
    let more = ["rsa-pss-sha256", "ecdsa-sha384", "ed25519"];
    if names.iter().chain(&more).any(|name| *name == now) {
        texts.extend(names.iter().chain(&more).map(|name| ((*name).into(), json!(name))));
    }
    for at in places(now.len()) {
        for new in [b'A', b'0', b'f', b'<', b' '] {
            let mut changed = now.as_bytes().to_vec();
            changed[at] = new;
            if let Ok(changed) = String::from_utf8(changed) {
                texts.push((format!("character {at}"), json!(changed)));
            }
        }
    }
    if let Some(octets) = base64::decode(now).filter(|octets| octets.len() > 8) {
        for at in places(octets.len()) {
            for flip in [0x01, 0x20, 0x80] {
                let mut changed = octets.clone();
                changed[at] ^= flip;
                texts.push((format!("octet {at} of base64"), json!(base64::encode(&changed))));
            }
        }
    }
    texts.push(("empty".into(), json!("")));
    texts.push(("longer".into(), json!(format!("{now}{now}"))));
    texts.push(("shorter".into(), json!(now.chars().skip(1).collect::<String>())));
    texts
}

/// Some places in a text or in octets: all of a short one.
fn places(len: usize) -> impl Iterator<Item = usize> {
    (0..len).step_by((len / 24).max(1)).chain(len.checked_sub(1))
}

fn arrays(values: &[Value]) -> Vec<(String, Value)> {
    let mut arrays = vec![("empty".into(), json!([]))];
    for at in 0..values.len().min(16) {
        let (mut fewer, mut twice, mut turned) =
            (values.to_vec(), values.to_vec(), values.to_vec());
        fewer.remove(at);
        twice.insert(at, values[at].clone());
        turned.rotate_left(at);
        arrays.push((format!("without {at}"), Value::Array(fewer)));
        arrays.push((format!("{at} twice"), Value::Array(twice)));
        arrays.push((format!("from {at} on"), Value::Array(turned)));
    }
    arrays
}

fn objects(members: &Map<String, Value>) -> Vec<(String, Value)> {
    let mut objects = Vec::new();
    for name in members.keys() {
        let mut fewer = members.clone();
        fewer.remove(name);
        objects.push((format!("without {name}"), Value::Object(fewer)));
    }
    let mut more = members.clone();
    more.insert("more".into(), json!(1));
    objects.push(("with one more".into(), Value::Object(more)));
    objects
}

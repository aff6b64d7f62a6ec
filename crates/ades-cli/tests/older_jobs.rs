//! Jobs that an earlier version of the program stored are continued.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use ades::PendingState;
use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use common::service::{ITSME, Sandbox, bench, kill, spawn, stage, until};
use common::{Bench, Run, json as parsed};

/// The layout of an older version, with a checksum of its own.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Older<const VERSION: u32>(Value);

impl<const V: u32> PendingState for Older<V> {
    const FORMAT: &'static str = "ades-job";
    const VERSION: u32 = V;
}

/// A job of today in the layout of version 3, which had all in one place.
fn version_3(job: &Value) -> Value {
    let (state, session) = (&job["state"], &job["state"]["session"]);
    let body = &session["body"]["unsealed"]["job"];
    let items = state["items"].as_array().unwrap().iter().zip(body["items"].as_array().unwrap());
    let items = items.map(|(item, body)| {
        let mut item = item.clone();
        item["digest"] = body["digest"].clone();
        item["pending"] = body["pending"].clone();
        item
    });
    let [(stage, position)] = &body["position"].as_object().unwrap().iter().collect::<Vec<_>>()[..]
    else {
        panic!("{body}")
    };
    let identity = &position["identity"];
    let stage = match stage.as_str() {
        "identifying" => json!({"identifying": {
            "session": position["session"],
            "page": position["page"],
        }}),
        "signing" => json!({"signing": {
            "identity": identity,
            "count": position["batch"]["items"].as_array().unwrap().len(),
            "session": position["trip"]["session"],
            "page": position["trip"]["page"],
        }}),
        "values" => {
            let items = session["items"].as_array().unwrap().iter();
            // Not sealed: a header of 29 octets, and the value.
            let value = |item: &Value| {
                let octets = item["value"]["octets"].as_str().unwrap();
                Base64::encode_string(&Base64::decode_vec(octets).unwrap()[29..])
            };
            let values = items.enumerate();
            let values =
                values.map(|(no, item)| json!({"id": format!("d{no:04}"), "value": value(item)}));
            json!({"completing": {
                "identity": identity,
                "values": values.collect::<Vec<_>>(),
            }})
        }
        other => panic!("{other}"),
    };
    json!({
        "signer": state["signer"],
        "request": state["request"],
        "terms": {"policy": null, "commitment": null},
        "force": state["force"],
        "items": items.collect::<Vec<_>>(),
        "done": 0,
        "stage": stage,
        "since": state["since"],
    })
}

/// A job of version 3 in the layout of version 2: without pages and times, and with absolute paths.
fn version_2(bench: &Bench, job: &Value) -> Value {
    let mut state = job.clone();
    state.as_object_mut().unwrap().remove("since").unwrap();
    for item in state["items"].as_array_mut().unwrap() {
        for key in ["input", "output"] {
            let path = bench.path(item[key].as_str().unwrap());
            item[key] = json!(path);
        }
    }
    let config = bench.path(state["signer"]["kind"]["itsme"].as_str().unwrap());
    state["signer"]["kind"]["itsme"] = json!(config);
    if let Some(identifying) = state["stage"].get_mut("identifying") {
        *identifying = identifying["session"].clone();
    }
    if let Some(signing) = state["stage"].get_mut("signing") {
        signing.as_object_mut().unwrap().remove("page").unwrap();
    }
    state
}

/// A job of version 2 in the layout of version 1.
fn version_1(job: &Value) -> Value {
    let wishes = json!({
        "shape": {"new": "enveloping"},
        "digest": null,
        "algorithm": null,
        "signing_time": null,
        "policy": null,
        "policy_digest": null,
        "commitment": null,
        "roles": ["Director"],
        "location": null,
        "mime_type": null,
        "pdf": {
            "reason": null,
            "location": null,
            "contact": null,
            "field": null,
            "certify": null,
            "lock": null,
            "stamp": null,
            "repair": false,
            "password_env": null,
        },
        "xml": {
            "packaging": "enveloping",
            "elements": [],
            "into": null,
            "allow_parallel": false,
            "method": "exclusive",
        },
        "language": null,
        "description": [],
    });
    let mut state = json!({"wishes": wishes, "policy": null});
    for key in ["signer", "force", "items", "done", "stage"] {
        state[key] = job[key].clone();
    }
    state
}

#[test]
fn job_of_version_1_is_resumed_in_each_stage() {
    job_is_resumed_in_each_stage(|bench, state| {
        Older::<1>(version_1(&version_2(bench, &state))).to_json(None).unwrap()
    });
}

#[test]
fn job_of_version_2_is_resumed_in_each_stage() {
    job_is_resumed_in_each_stage(|bench, state| {
        Older::<2>(version_2(bench, &state)).to_json(None).unwrap()
    });
}

#[test]
fn job_of_version_3_is_resumed_in_each_stage() {
    job_is_resumed_in_each_stage(|_, state| Older::<3>(state).to_json(None).unwrap());
}

/// `older` makes the stored form of an older version from the state of version 3.
fn job_is_resumed_in_each_stage(older: impl Fn(&Bench, Value) -> String) {
    let bench = bench();
    let sandbox = Sandbox::start(&bench, &[]);
    let pending = "one.txt.p7m.pending";
    let sign = ["sign", "one.txt", "-o", "one.txt.p7m", "--packaging", "enveloping"];
    let replace_by_older = || {
        let job = parsed(&String::from_utf8(bench.read(pending)).unwrap());
        assert_eq!(job["version"], 4);
        bench.write(pending, older(&bench, version_3(&job)));
    };
    let child = spawn(&bench, &[&sign[..], &["--role", "Director"], ITSME].concat());
    until("identifying", || stage(&bench, pending) == "identifying");
    kill(child);
    replace_by_older();

    sandbox.answer("identification", true);
    let child = spawn(&bench, &["resume", pending]);
    until("signing", || stage(&bench, pending) == "signing");
    kill(child);
    replace_by_older();

    // A document that has changed keeps the job with its values.
    bench.write("one.txt", b"another document");
    sandbox.answer("signature", true);
    bench.ades(&["resume", pending]).ends(3, "the document has changed");
    assert_eq!(stage(&bench, pending), "completing");
    replace_by_older();

    bench.write("one.txt", b"the first document");
    let run: Run = bench.ades(&["resume", pending]);
    run.ends(0, "signed: ");
    assert!(!bench.has(pending));
    bench.openssl_accepts("one.txt.p7m", None, "sb/root.pem");
    let inspected = bench.ades(&["inspect", "one.txt.p7m"]);
    assert!(inspected.out.contains("role (claimed): Director"), "{inspected:?}");
}

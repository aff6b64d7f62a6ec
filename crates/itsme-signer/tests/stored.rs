//! Sessions that earlier versions stored. They must stay readable.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

#[allow(dead_code)]
#[path = "edge_cases/script.rs"]
mod script;

use ades_core::signer::{Event, IdentificationSession, SigningSession, Step};
use ades_core::{RemoteSigner, Retry};
use base64ct::{Base64, Encoding};
use serde_json::json;

use crate::script::{Reply, SUCCESS, USER_CODE, identified, object, run, signer, test_signer};

#[test]
fn stored_identifications_of_each_version_continue() {
    for (stored, id) in [
        (include_str!("fixtures/identification-1.json"), "859e1e2caef6da907b0224fe71068d7a5095"),
        (include_str!("fixtures/identification-2.json"), "37ebe30293ad19176239c3d1f49158db5ea2"),
        // Its browser has come back.
        (include_str!("fixtures/identification-3.json"), "5a1e6f0c93d24b7e8a65f1b0c7d2e934ab18"),
    ] {
        let session: IdentificationSession = serde_json::from_str(stored).unwrap();
        let (signer, script) = signer([Reply::Json(200, identified(test_signer()))]);
        match run(signer.continue_identification(session, Event::Poll)).unwrap() {
            Step::Done(identity) => assert_eq!(identity.account.as_deref(), Some(USER_CODE)),
            other => panic!("{other:?}"),
        }
        assert_eq!(script.asked()[0].1["asyncRespID"], id);
    }
}

/// Each value is the one that the sandbox gave, and verifies for the stored digest.
#[test]
fn stored_signatures_of_each_version_continue() {
    for (stored, value, id) in [
        (
            include_str!("fixtures/signing-1.json"),
            include_str!("fixtures/signing-1.value"),
            "cb60346d41e8ecbdbf37ca7aba1055734479",
        ),
        (
            include_str!("fixtures/signing-2.json"),
            include_str!("fixtures/signing-2.value"),
            "bd4f544771e05758f8293744e10f40aab2c7",
        ),
    ] {
        let session: SigningSession = serde_json::from_str(stored).unwrap();
        let values = json!([object("d0000", value.trim_end())]);
        let answer = json!({ "result": { "maj": SUCCESS }, "sigObj": values });
        let (signer, script) = signer([Reply::Json(200, answer)]);
        match run(signer.continue_signing(session, Event::Poll)).unwrap() {
            Step::Done(values) => assert_eq!(values.len(), 1),
            other => panic!("{other:?}"),
        }
        assert_eq!(script.asked()[0].1["asyncRespID"], id);
    }
}

/// What the sessions of version 2 are stored for: the result that they had once.
#[test]
fn a_stored_session_remembers_the_result_that_could_not_be_used() {
    // The sandbox flipped bits in each octet of the value.
    let value = include_str!("fixtures/signing-2.value").trim_end();
    let mut octets = Base64::decode_vec(value).unwrap();
    octets.iter_mut().for_each(|octet| *octet ^= 0x5A);
    let values = json!([{
        "b64Sig": { "value": Base64::encode_string(&octets) },
        "whichDoc": "d0000",
    }]);
    let stored = include_str!("fixtures/signing-2.json");
    let session: SigningSession = serde_json::from_str(stored).unwrap();
    let answer = json!({ "result": { "maj": SUCCESS }, "sigObj": values });
    let (signer, _) = signer([Reply::Json(200, answer)]);
    let error = run(signer.continue_signing(session, Event::Poll)).unwrap_err();
    assert_eq!(error.retry(), Retry::NewIdentification);
}

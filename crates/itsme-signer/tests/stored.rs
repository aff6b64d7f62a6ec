//! Sessions that earlier versions stored. They must stay readable.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

#[allow(dead_code)]
#[path = "edge_cases/script.rs"]
mod script;

use ades_core::RemoteSigner;
use ades_core::signer::{Event, IdentificationSession, SigningSession, Step};
use serde_json::json;

use crate::script::{Reply, SUCCESS, USER_CODE, identified, object, run, signer, test_signer};

#[test]
fn a_stored_identification_of_version_1_continues() {
    let stored = include_str!("fixtures/identification-1.json");
    let session: IdentificationSession = serde_json::from_str(stored).unwrap();
    let (signer, script) = signer([Reply::Json(200, identified(test_signer()))]);
    match run(signer.continue_identification(session, Event::Poll)).unwrap() {
        Step::Done(identity) => assert_eq!(identity.account.as_deref(), Some(USER_CODE)),
        other => panic!("{other:?}"),
    }
    assert_eq!(script.asked()[0].1["asyncRespID"], "859e1e2caef6da907b0224fe71068d7a5095");
}

/// The value is the one that the sandbox gave, and verifies for the stored digest.
#[test]
fn a_stored_signature_of_version_1_continues() {
    let stored = include_str!("fixtures/signing-1.json");
    let value = include_str!("fixtures/signing-1.value").trim_end();
    let session: SigningSession = serde_json::from_str(stored).unwrap();
    let answer = json!({ "result": { "maj": SUCCESS }, "sigObj": [object("d0000", value)] });
    let (signer, script) = signer([Reply::Json(200, answer)]);
    match run(signer.continue_signing(session, Event::Poll)).unwrap() {
        Step::Done(values) => assert_eq!(values.len(), 1),
        other => panic!("{other:?}"),
    }
    assert_eq!(script.asked()[0].1["asyncRespID"], "cb60346d41e8ecbdbf37ca7aba1055734479");
}

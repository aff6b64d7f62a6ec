//! Any octets are opened with the key of a recipient, or refused: as an envelope, and as a
//! document that is encrypted for recipients.
#![no_main]

use std::sync::LazyLock;

use ades_core::Document;
use libfuzzer_sys::fuzz_target;
use pades::VerifyOptions;
use pkcs12_signer::open_envelope;
use pkcs12_writer::{Encryption, Mac, Writer};
use test_key::TestKey;

/// The length of an envelope's content: a seed and permissions.
const CONTENT: usize = 24;

/// The recipient's file, without encryption: a password is slow on purpose.
static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let key = TestKey::new("Recipient");
    let mut writer = Writer::new("");
    (writer.encryption, writer.mac) = (Encryption::None, Mac::None);
    writer.key(&key.private_key(), None, None);
    writer.certificate(key.certificate(), None, None);
    writer.write()
});

fuzz_target!(|octets: &[u8]| {
    let _ = open_envelope(&FILE, "", &[octets.to_vec()]);
    let document = || Document::from_bytes(octets);
    let Ok(envelopes) = pades::envelopes(&mut document()) else { return };
    let opened = open_envelope(&FILE, "", &envelopes);
    let content = opened.map_or_else(|_| vec![0x55; CONTENT], |content| content.to_vec());
    let verify = || {
        let options = VerifyOptions::new().envelope_content(&content);
        pades::verify(&mut document(), options).map_err(|error| error.to_string())
    };
    assert_eq!(format!("{:?}", verify()), format!("{:?}", verify()));
});

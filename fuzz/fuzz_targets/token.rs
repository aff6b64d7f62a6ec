//! A time-stamp token of any origin, or the response around it, is read or refused. A
//! token that is verified says what it says without its signature.
#![no_main]

use ades_evidence::token::{Token, read_response, verify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let octets = read_response(octets).unwrap_or(octets);
    let token = Token::read(octets);
    let facts = verify(octets, &[]);
    assert_eq!(facts.as_ref().map(|facts| &facts.token), token.as_ref());
    if let Some(facts) = facts {
        let sound = facts.is_sound();
        assert!(sound != Some(true) || facts.is_intact() == Some(true));
        assert!(sound != Some(true) || facts.signer.is_some());
    }
});

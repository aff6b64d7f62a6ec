//! Any answer of the service is read or refused. The first octet chooses the HTTP
//! status.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Some((first, body)) = octets.split_first() else { return };
    let status = [200, 400, 401, 409, 500, 302][usize::from(*first) % 6];
    itsme_signer::fuzzing::answers(status, body);
});

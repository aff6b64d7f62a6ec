//! A CRL of any origin is read or refused, and the result does not depend on how the
//! source is split.
#![no_main]

use std::io::{self, Read};
use std::sync::LazyLock;

use ades_core::Certificate;
use ades_evidence::crl::{self, Crl};
use libfuzzer_sys::fuzz_target;

static SUBJECT: LazyLock<Certificate> =
    LazyLock::new(|| certificate(include_bytes!("../seeds/evidence/subject.der")));
static ISSUER: LazyLock<Certificate> =
    LazyLock::new(|| certificate(include_bytes!("../seeds/evidence/issuer.der")));

fn certificate(der: &[u8]) -> Certificate {
    Certificate::from_der(der).expect("a certificate")
}

/// Returns seven octets at a time.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let len = out.len().min(7);
        self.0.read(&mut out[..len])
    }
}

fuzz_target!(|octets: &[u8]| {
    let read = Crl::read(octets, [&*SUBJECT]);
    let slowly = Crl::read(Slow(octets), [&*SUBJECT]);
    assert_eq!(format!("{read:?}"), format!("{slowly:?}"));
    let Ok(list) = read else { return };
    let delta = list.clone();
    let _ = (list.cache_key(), crl::about(&SUBJECT, &ISSUER, &[list, delta], &[]));
});

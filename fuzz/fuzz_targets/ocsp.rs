//! An OCSP response of any origin is read or refused. What it says about a certificate
//! does not depend on whether it is wrapped, and a good answer is one about its octets.
#![no_main]

use std::sync::LazyLock;

use ades_core::Certificate;
use ades_evidence::ocsp::OcspResponse;
use ades_evidence::revocation::combine;
use libfuzzer_sys::fuzz_target;

static SUBJECT: LazyLock<Certificate> =
    LazyLock::new(|| certificate(include_bytes!("../seeds/evidence/subject.der")));
static ISSUER: LazyLock<Certificate> =
    LazyLock::new(|| certificate(include_bytes!("../seeds/evidence/issuer.der")));

fn certificate(der: &[u8]) -> Certificate {
    Certificate::from_der(der).expect("a certificate")
}

fuzz_target!(|octets: &[u8]| {
    let Ok(response) = OcspResponse::read(octets) else { return };
    let basic = OcspResponse::read(response.basic()).expect("read once");
    assert_eq!(basic.responses(), response.responses());
    let certificates = response.certificates();
    for (subject, issuer) in certificates.iter().zip(certificates.iter().skip(1)) {
        let _ = response.about(subject, issuer, &[]);
    }
    let [whole, basic] = [response, basic].map(|read| read.about(&SUBJECT, &ISSUER, &[]));
    assert_eq!(whole.as_ref().err(), basic.as_ref().err());
    if let Ok(facts) = whole {
        let _ = (facts.check_known(&SUBJECT), facts.check_current(facts.produced_at));
        let _ = combine(&[facts]);
    }
});

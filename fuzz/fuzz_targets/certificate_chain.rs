//! Certificates as PEM or DER are read or refused. The order in which they come does
//! not change the chain.
#![no_main]

use ades_core::certificate::UsageCheck;
use ades_core::chain::certificates_from_pem;
use ades_core::{Certificate, CertificateChain};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let certificates = match std::str::from_utf8(octets) {
        Ok(text) => certificates_from_pem(text).unwrap_or_default(),
        Err(_) => Certificate::from_der(octets).into_iter().collect(),
    };
    for certificate in &certificates {
        let _ = certificate.check_fit(certificate.validity().0, UsageCheck::NonRepudiation);
        let again = Certificate::from_der(certificate.der().to_vec()).expect("read once");
        assert_eq!(again, *certificate);
    }
    let Ok(chain) = CertificateChain::from_unordered(certificates) else { return };
    let again = CertificateChain::from_unordered(chain.certificates().iter().rev().cloned());
    if let Ok(again) = again {
        assert_eq!(again.leaf(), chain.leaf());
    }
});

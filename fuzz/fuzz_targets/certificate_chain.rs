//! Certificates as PEM or DER are read or refused. The order in which they come does
//! not change the chain. Searches for paths among them end, and a path that is found is one of them.
#![no_main]

use ades_core::certificate::UsageCheck;
use ades_core::chain::certificates_from_pem;
use ades_core::{Certificate, CertificateChain};
use ades_evidence::path::{IssuerPool, Outcome, PathBuilder, Purpose, Request};
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
    paths(&certificates);
    let Ok(chain) = CertificateChain::from_unordered(certificates) else { return };
    let again = CertificateChain::from_unordered(chain.certificates().iter().rev().cloned());
    if let Ok(again) = again {
        assert_eq!(again.leaf(), chain.leaf());
    }
});

/// Searches paths from each certificate to the last one, at its own time, for each purpose.
fn paths(certificates: &[Certificate]) {
    let Some(anchor) = certificates.last() else { return };
    let pool = IssuerPool::new(certificates);
    let mut search = PathBuilder::new(std::slice::from_ref(anchor));
    for certificate in certificates.iter().take(4) {
        for purpose in [Purpose::Any, Purpose::DocumentSigning, Purpose::TimeStamping] {
            let mut before = None;
            for skip in 0..3 {
                let request = Request::document_signing(certificate.validity().0);
                let request = request.purpose(purpose).skip(skip);
                let Outcome::Valid(path) = search.find(certificate, &pool, &request) else { break };
                let found = path.certificates;
                assert!(found.first() == Some(certificate) && found.last() == Some(anchor));
                assert!(found.iter().all(|one| certificates.contains(one)));
                assert_ne!(before.as_ref(), Some(&found), "each path is found once");
                before = Some(found);
            }
        }
    }
}

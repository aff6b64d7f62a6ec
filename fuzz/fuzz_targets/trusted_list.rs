//! A trusted list of any origin is read or refused. Its anchors end no later than the list says
//! something, and its rules can be asked about any certificate.
#![no_main]

use std::sync::LazyLock;

use ades_core::Certificate;
use libfuzzer_sys::fuzz_target;
use trusted_lists::{TrustedList, qualification};

static SUBJECT: LazyLock<Certificate> = LazyLock::new(|| {
    let der = include_bytes!("../seeds/evidence/subject.der");
    Certificate::from_der(der.as_slice()).expect("a certificate")
});

fuzz_target!(|octets: &[u8]| {
    let Ok(list) = TrustedList::read_unverified(octets) else { return };
    let until = list.known_until();
    let Some(later) = until.checked_add_signed(chrono::TimeDelta::days(1)) else { return };
    for anchor in list.signer_anchors(later).iter().chain(&list.time_stamping_anchors(later)) {
        assert!(anchor.until.is_some_and(|end| end <= until));
        let _ = qualification(&list, Some(true), &SUBJECT, &anchor.certificate, until);
    }
});

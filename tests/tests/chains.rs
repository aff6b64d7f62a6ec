//! Certificate chains are ordered, unfit certificates are rejected, and `Debug`
//! shows no personal data.

use ades_core::certificate::UsageCheck;
use ades_core::chain::certificates_from_pem;
use ades_core::error::NotFit;
use ades_core::verify::verify_issued_by;
use ades_core::{Certificate, CertificateChain, DigestAlgorithm, Error};
use ades_evidence::path::{IssuerPool, Outcome, PathBuilder, Request};
use ades_tests::corpora;
use ades_tests::pki::{Key, Pki, Profile, pem};
use chrono::DateTime;
use proptest::prelude::*;
use rcgen::KeyUsagePurpose;

proptest! {
    #[test]
    fn certificates_in_any_order_make_the_same_chain(
        order in Just((0..5usize).collect::<Vec<_>>()).prop_shuffle(),
        again in 0..3usize,
    ) {
        let chain = &Pki::shared().signer(Key::P256).chain;
        let all = chain.certificates();
        let pool: Vec<Certificate> = vec![
            all[0].clone(), all[1].clone(), all[2].clone(), all[again].clone(), all[1].clone(),
        ];
        let shuffled = order.iter().map(|&at| pool[at].clone());
        let ordered = CertificateChain::from_unordered(shuffled).unwrap();
        prop_assert_eq!(ordered.certificates(), all);
        prop_assert!(ordered.is_complete());
    }
}

/// Edge case 51: any order, duplicates, CRLF, no last line break, surrounding text.
#[test]
fn case_51_pem_in_any_order_and_line_ends_is_read() {
    let chain = &Pki::shared().signer(Key::P256).chain;
    let mut text: String = chain.certificates().iter().rev().map(pem).collect();
    text.push_str(&pem(chain.leaf()));
    let text = format!("surrounding text\n{}", text.trim_end()).replace('\n', "\r\n");
    assert_eq!(CertificateChain::from_pem(&text).unwrap(), *chain);

    let cut = text.trim_end_matches("-----END CERTIFICATE-----").to_owned();
    assert!(matches!(CertificateChain::from_pem(&cut), Err(Error::MalformedPem { .. })));
    assert!(matches!(CertificateChain::from_pem("nothing"), Err(Error::NoCertificate)));

    // A byte order mark does not hide the first certificate.
    let alone = format!("\u{FEFF}{}", chain.certificates().iter().map(pem).collect::<String>());
    assert_eq!(CertificateChain::from_pem(&alone).unwrap(), *chain);
    let text = text.replace("\r\n", "\n");
    for (begin, line) in [
        ("\n\u{FEFF}-----BEGIN CERTIFICATE-----", 2),
        ("\n# signer: -----BEGIN CERTIFICATE-----", 2),
        ("\n-----BEGIN CERTIFICATE-----MII", 2),
    ] {
        let within = text.replacen("\n-----BEGIN CERTIFICATE-----", begin, 1);
        match CertificateChain::from_pem(&within) {
            Err(Error::MalformedPem { line: at }) => assert_eq!(at, line, "{begin}"),
            other => panic!("{begin}: {other:?}"),
        }
    }
}

#[test]
fn two_signers_are_ambiguous_and_an_unrelated_certificate_is_left_out() {
    let (one, two) = (Pki::shared().signer(Key::P256), Pki::shared().signer(Key::P384));
    let both = [one.leaf().clone(), two.leaf().clone()];
    assert!(matches!(
        CertificateChain::from_unordered(both),
        Err(Error::AmbiguousLeaf { candidates: 2 })
    ));
    let unrelated = Pki::new().root().clone();
    let certificates = [two.chain.certificates(), std::slice::from_ref(&unrelated)].concat();
    let chain = CertificateChain::from_unordered(certificates).unwrap();
    assert!(!chain.certificates().contains(&unrelated));
}

/// Edge case 50: the leaf alone is a chain, but an incomplete one.
#[test]
fn case_50_a_chain_of_only_the_leaf_is_incomplete() {
    let leaf = Pki::shared().signer(Key::P256).leaf().clone();
    assert!(!CertificateChain::from_unordered([leaf]).unwrap().is_complete());
}

/// Edge case 58: a CA has two certificates for the same name and key. Both are in
/// the chain, because a verifier may need either.
#[test]
fn case_58_both_certificates_of_one_issuer_are_in_the_chain() {
    let (pki, other) = (Pki::shared(), Pki::new());
    let leaf = pki.signer(Key::P256).leaf();
    let (first, again) = (pki.issuing(), &pki.reissued());
    for pool in [
        [leaf, first, again, pki.root()],
        [leaf, again, first, pki.root()],
        [pki.root(), again, leaf, first],
    ] {
        let chain = CertificateChain::from_unordered(pool.into_iter().cloned()).unwrap();
        // If both chains continue, the newer certificate comes first.
        let expected = [leaf, again, first, pki.root()].map(Clone::clone);
        assert_eq!(chain.certificates(), expected);
        assert!(chain.is_complete());
        // A stored chain keeps both.
        let stored = serde_json::to_string(&chain).unwrap();
        assert_eq!(serde_json::from_str::<CertificateChain>(&stored).unwrap(), chain);
    }
    // If the chain of one does not continue, it comes second, even if it is newer.
    let dead_end = &pki.cross_signed_by(&other);
    for pool in [[leaf, dead_end, first, pki.root()], [leaf, first, dead_end, pki.root()]] {
        let chain = CertificateChain::from_unordered(pool.into_iter().cloned()).unwrap();
        assert_eq!(chain.certificates(), [leaf, first, dead_end, pki.root()].map(Clone::clone));
    }
    // With both, a path to either root is found.
    let time = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    let both = CertificateChain::from_unordered(
        [leaf, first, dead_end, pki.root(), other.root()].into_iter().cloned(),
    )
    .unwrap();
    for root in [pki.root(), other.root()] {
        let mut trust = PathBuilder::new(std::slice::from_ref(root));
        let among = IssuerPool::new(both.certificates());
        let outcome = trust.find(leaf, &among, &Request::document_signing(time));
        assert!(matches!(outcome, Outcome::Valid(_)), "{outcome:?}");
    }
}

/// Edge case 58 with the real CA certificates of itsme®.
#[test]
fn case_58_both_itsme_certificates_of_one_ca_have_the_same_issuer() {
    let Some(files) = corpora::files("itsme-ca") else { return };
    let read = |name: &str| {
        let file = files.iter().find(|file| file.name == name).unwrap();
        certificates_from_pem(&String::from_utf8(file.read()).unwrap()).unwrap().remove(0)
    };
    let (g1, reissued) =
        (read("itsme-sign-issuing-ca-g1.pem"), read("itsme-sign-issuing-ca-g1-reissue-2020.pem"));
    assert_eq!(g1.subject(), reissued.subject());
    assert_eq!(g1.public_key_info(), reissued.public_key_info());
    assert_ne!(g1, reissued);
    let issuer = read("quovadis-enterprise-trust-ca-1-g3.pem");
    for ca in [&g1, &reissued] {
        assert!(ca.is_ca() && ca.names_as_issuer(&issuer));
        assert_eq!(verify_issued_by(ca, &issuer), Some(true));
    }
}

/// Edge case 55: unfit certificates are rejected with the reason.
#[test]
fn case_55_unsuitable_certificates_are_refused_with_the_reason() {
    let time = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    let reason = |change: fn(&mut Profile)| {
        let mut profile = Profile::new(Key::P256);
        change(&mut profile);
        let signer = Pki::shared().issue(&profile);
        match signer.leaf().check_fit(time, UsageCheck::NonRepudiation) {
            Err(Error::CertificateNotFit(reason)) => reason,
            other => panic!("{other:?}"),
        }
    };
    let needed = NotFit::KeyUsage { needed: "nonRepudiation" };
    assert_eq!(reason(|p| p.key_usages = vec![KeyUsagePurpose::DigitalSignature]), needed);
    assert_eq!(reason(|p| p.key_usages.clear()), needed);
    assert!(matches!(
        reason(|p| p.validity = ((2020, 1, 1), (2021, 1, 1))),
        NotFit::Expired { .. }
    ));
    assert!(matches!(
        reason(|p| p.validity = ((2040, 1, 1), (2041, 1, 1))),
        NotFit::NotYetValid { .. }
    ));
    assert!(matches!(
        Pki::shared().root().check_fit(time, UsageCheck::Signature),
        Err(Error::CertificateNotFit(NotFit::CertificationAuthority))
    ));
}

/// Edge case 61: names can contain national register numbers.
#[test]
fn case_61_debug_output_shows_no_name() {
    let signer = Pki::shared().signer(Key::P256);
    let shown = format!("{:?} {:?}", signer.leaf(), signer.chain);
    assert!(!shown.contains("Test Signer"), "{shown}");
    assert!(shown.contains(&signer.leaf().digest(DigestAlgorithm::Sha256).to_hex()));
    assert_eq!(signer.leaf().common_name(), Some("Test Signer P256"));
}

proptest! {
    #[test]
    fn arbitrary_octets_are_not_a_certificate_and_do_not_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Certificate::from_der(octets).is_err());
    }

    #[test]
    fn a_changed_octet_does_not_panic(at in 0..600usize, octet in any::<u8>()) {
        let mut der = Pki::shared().signer(Key::P256).leaf().der().to_vec();
        let at = at % der.len();
        der[at] = octet;
        let _ = Certificate::from_der(der);
    }
}

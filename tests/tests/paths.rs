//! Certification paths to trust anchors are found, and a search without a result
//! ends soon.

use std::slice::from_ref;

use ades_core::{Certificate, CertificateChain, Document};
use ades_evidence::path::{IssuerPool, MAX_PATH, Outcome, PathBuilder, Purpose, Request};
use ades_tests::oracle::openssl;
use ades_tests::pki::{Key, Pki, pem};
use ades_tests::signing::parameters;
use cades::{Packaging, SignatureOptions, VerifyOptions};
use chrono::{DateTime, Utc};
use der::asn1::{Any, AnyRef};
use der::{Decode, Encode, Tag};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType,
    date_time_ymd,
};

fn key() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap()
}

fn params(name: &str, serial: u64) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.serial_number = Some(serial.into());
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2060, 1, 1);
    params
}

/// Issues a certificate with `params` for the key `subject`, by an issuer with
/// this name and key.
fn issue(
    params: CertificateParams,
    subject: &KeyPair,
    (name, key): (&str, &KeyPair),
) -> Certificate {
    let issuer = Issuer::new(self::params(name, 0), key);
    let certificate = params.signed_by(subject, &issuer).unwrap();
    Certificate::from_der(certificate.der().to_vec()).unwrap()
}

fn now() -> DateTime<Utc> {
    parameters().signing_time().time()
}

/// For paths that start with a CA certificate, too.
fn request() -> Request {
    Request::document_signing(now()).purpose(Purpose::Any)
}

/// Whether a path leads from a certificate through `among` to one of `anchors`.
fn leads(certificate: &Certificate, among: &[Certificate], anchors: &[Certificate]) -> bool {
    let mut search = PathBuilder::new(anchors);
    let outcome = search.find(certificate, &IssuerPool::new(among), &request());
    matches!(outcome, Outcome::Valid(_))
}

/// Every certificate of the mesh can be the issuer of every other one. There are
/// too many paths of eight certificates to try them all.
#[test]
fn a_mesh_of_one_name_and_key_ends() {
    let signer = Pki::shared().signer(Key::P256);
    let one = key();
    let mesh: Vec<_> = (1..=20).map(|at| issue(params("Mesh", at), &one, ("Mesh", &one))).collect();
    let mut leaf = params("Leaf", 99);
    leaf.is_ca = IsCa::ExplicitNoCa;
    // The signer's own key, so that only the chain is unusual.
    let own = KeyPair::from_pem(&signer.key_pem).unwrap();
    let leaf = issue(leaf, &own, ("Mesh", &one));
    let chain = CertificateChain::from_leaf(leaf.clone(), mesh.clone()).unwrap();
    assert_eq!(chain.certificates().len(), 21);

    let mut source = Document::from_bytes(b"content");
    let options = SignatureOptions::new().packaging(Packaging::Enveloping);
    let pending = cades::prepare(&mut source, &chain, &parameters(), &options).unwrap();
    let value = signer.sign(&pending.to_be_signed());
    let mut container = Vec::new();
    pending.complete(Some(&mut source), &value, &mut container).unwrap();
    let mut source = Document::from_bytes(&container);
    let report = cades::verify(&mut source, VerifyOptions::new()).unwrap();
    assert!(report.signatures[0].intact == Some(true));
    assert_eq!(report.signatures[0].problems, []);
    assert!(!leads(&leaf, &mesh, &[Pki::new().root().clone()]));

    // A certificate of the mesh as anchor, or another one with its name and key.
    assert!(leads(&leaf, &mesh, &mesh[7..8]));
    assert!(leads(&mesh[3], &mesh, &mesh[7..8]));
    let root = issue(params("Mesh", 77), &one, ("Mesh", &one));
    assert!(leads(&leaf, &mesh, &[root]));
}

/// A mesh in which each of eight keys certifies all eight.
#[test]
fn a_mesh_of_many_keys_ends() {
    let keys: Vec<_> = (0..8).map(|_| key()).collect();
    let mut mesh = Vec::new();
    for (at, subject) in keys.iter().enumerate() {
        for (by, issuer) in keys.iter().enumerate() {
            let serial = 1 + (at * 8 + by) as u64;
            mesh.push(issue(params("Mesh", serial), subject, ("Mesh", issuer)));
        }
    }
    let other = key();
    let foreign = issue(params("Mesh", 99), &other, ("Mesh", &other));
    let mut search = PathBuilder::new(from_ref(&foreign));
    let among = IssuerPool::new(&mesh);
    for certificate in mesh.iter().cycle().take(1000) {
        let outcome = search.find(certificate, &among, &request());
        assert!(matches!(outcome, Outcome::NoPath), "{outcome:?}");
    }
}

/// 64 issuers of one name, each with its own key: the search finds the one that has signed.
#[test]
fn the_right_one_of_64_issuers_of_one_name_is_found() {
    let root = key();
    let anchor = issue(params("Root", 1), &root, ("Root", &root));
    let keys: Vec<_> = (0..64).map(|_| key()).collect();
    let issuer = |(at, own): (usize, &KeyPair)| {
        let mut params = params("Many", 100 + at as u64);
        // Nothing but the signature tells which it is.
        params.use_authority_key_identifier_extension = false;
        params.key_identifier_method = rcgen::KeyIdMethod::PreSpecified(vec![7; 8]);
        issue(params, own, ("Root", &root))
    };
    let issuers: Vec<_> = keys.iter().enumerate().map(issuer).collect();
    for at in [0, 31, 63] {
        let mut leaf = params("Leaf", 999);
        leaf.is_ca = IsCa::ExplicitNoCa;
        leaf.use_authority_key_identifier_extension = false;
        let leaf = issue(leaf, &key(), ("Many", &keys[at]));
        assert!(leads(&leaf, &issuers, from_ref(&anchor)), "{at}");
        let others: Vec<_> = issuers.iter().filter(|one| **one != issuers[at]).cloned().collect();
        assert!(!leads(&leaf, &others, from_ref(&anchor)), "{at}");
    }
}

/// Two CAs that certify each other, in front of an anchor and of none.
#[test]
fn a_loop_of_issuers_ends() {
    let (one, two, root) = (key(), key(), key());
    let anchor = issue(params("Root", 1), &root, ("Root", &root));
    let round = [
        issue(params("One", 2), &one, ("Two", &two)),
        issue(params("Two", 3), &two, ("One", &one)),
    ];
    let mut leaf = params("Leaf", 4);
    leaf.is_ca = IsCa::ExplicitNoCa;
    let leaf = issue(leaf, &key(), ("One", &one));
    assert!(!leads(&leaf, &round, from_ref(&anchor)));
    let out = issue(params("Two", 5), &two, ("Root", &root));
    assert!(leads(&leaf, &[&round[..], &[out]].concat(), from_ref(&anchor)));
}

/// 100,000 certificates of one name, none of which has signed: the search ends at its limits, in a
/// time that does not depend on their number beyond reading them once.
#[test]
fn a_hundred_thousand_certificates_end_at_the_limits() {
    let (root, other) = (key(), key());
    let anchor = issue(params("Root", 1), &root, ("Root", &root));
    let one = issue(params("Many", 0x7766_5544_3322_1100), &other, ("Root", &root));
    let serial = [0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0x00];
    let place = one.der().windows(8).position(|window| window == serial).unwrap();
    let many: Vec<Certificate> = (0..100_000u32)
        .map(|at| {
            let mut der = one.der().to_vec();
            der[place + 4..place + 8].copy_from_slice(&at.to_be_bytes());
            Certificate::from_der(der).unwrap()
        })
        .collect();
    let mut leaf = params("Leaf", 4);
    leaf.is_ca = IsCa::ExplicitNoCa;
    let leaf = issue(leaf, &key(), ("Many", &key()));
    let begun = std::time::Instant::now();
    let pool = IssuerPool::new(&many);
    let mut search = PathBuilder::new(from_ref(&anchor));
    for _ in 0..10 {
        let outcome = search.find(&leaf, &pool, &request());
        assert!(matches!(outcome, Outcome::NoPath | Outcome::Undecided(_)), "{outcome:?}");
    }
    // Much less with optimisation, on a machine with nothing else to do.
    let seconds = begun.elapsed().as_secs();
    assert!(seconds < 120, "{seconds} seconds");
}

#[test]
fn paths_are_found_through_reissued_and_cross_signed_issuers() {
    let (pki, other) = (Pki::shared(), Pki::new());
    let leaf = pki.signer(Key::P256).leaf();
    let cross = pki.cross_signed_by(&other);
    let (root, other_root) = (pki.root().clone(), other.root().clone());
    let all = [pki.reissued(), cross.clone(), pki.issuing().clone()];
    assert!(leads(leaf, &all, from_ref(&root)));
    assert!(leads(leaf, &all, from_ref(&other_root)));
    assert!(!leads(leaf, &all[..1], &[other_root]));
    assert!(!leads(leaf, &[], &[root]));
    // An anchor needs no issuer, and the signer's certificate can be an anchor.
    assert!(leads(leaf, &[], &[cross]));
    assert!(leads(leaf, &[], from_ref(leaf)));
    let outcome = PathBuilder::new(&[]).find(leaf, &IssuerPool::new(&all), &request());
    assert!(matches!(outcome, Outcome::Undecided(_)), "{outcome:?}");
}

/// RFC 4210, 4.4: the certificate of the new key that the old key signed is
/// self-issued, and part of the path to the old key.
/// Trap 21: key rollover.
#[test]
fn a_rolled_over_key_leads_to_the_old_one() {
    let (old, new) = (key(), key());
    let anchor = issue(params("CA", 1), &old, ("CA", &old));
    let new_with_old = issue(params("CA", 2), &new, ("CA", &old));
    let new_with_new = issue(params("CA", 3), &new, ("CA", &new));
    let leaf = issue(params("Leaf", 4), &key(), ("CA", &new));
    assert!(leads(&leaf, &[new_with_new.clone(), new_with_old], from_ref(&anchor)));
    assert!(!leads(&leaf, &[new_with_new], &[anchor]));
}

/// As [`leads`], and asserts that OpenSSL agrees.
fn both_lead(certificate: &Certificate, among: &[Certificate], anchor: &Certificate) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str, certificates: &[Certificate]| {
        let path = dir.path().join(name);
        std::fs::write(&path, certificates.iter().map(pem).collect::<String>()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let ours = leads(certificate, among, from_ref(anchor));
    let (leaf, anchor) = (path("leaf", from_ref(certificate)), path("anchor", from_ref(anchor)));
    let mut args = vec!["verify", "-CAfile", &anchor];
    let others = path("others", among);
    if !among.is_empty() {
        args.extend(["-untrusted", &others]);
    }
    args.push(&leaf);
    let theirs = openssl::run(&args);
    assert_eq!(ours, theirs.is_ok(), "{theirs:?}");
    ours
}

fn with_path_len(mut params: CertificateParams, most: u8) -> CertificateParams {
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(most));
    params
}

fn leaf_params(serial: u64) -> CertificateParams {
    let mut params = params("Leaf", serial);
    params.is_ca = IsCa::ExplicitNoCa;
    params
}

/// RFC 5280, 6.1.4 (l) and (m).
#[test]
fn path_len_constraints_are_enforced() {
    let keys: Vec<_> = (0..4).map(|_| key()).collect();
    let root = issue(params("Root", 1), &keys[0], ("Root", &keys[0]));
    let last = issue(with_path_len(params("A", 2), 0), &keys[1], ("Root", &keys[0]));
    let below = issue(params("B", 3), &keys[2], ("A", &keys[1]));
    let by_last = issue(leaf_params(4), &keys[3], ("A", &keys[1]));
    let by_below = issue(leaf_params(5), &keys[3], ("B", &keys[2]));
    let all = [last.clone(), below.clone()];
    assert!(both_lead(&by_last, &all, &root));
    assert!(both_lead(&below, &all, &root), "the last certificate of a path does not count");
    assert!(!both_lead(&by_below, &all, &root));

    let one = issue(with_path_len(params("A", 6), 1), &keys[1], ("Root", &keys[0]));
    assert!(both_lead(&by_below, &[one, below.clone()], &root));

    // The pathLenConstraint of an anchor counts as well.
    let free = issue(params("A", 7), &keys[1], ("Root", &keys[0]));
    let strict = issue(with_path_len(params("Root", 8), 0), &keys[0], ("Root", &keys[0]));
    assert!(!both_lead(&by_last, from_ref(&free), &strict));
    assert!(both_lead(&free, &[], &strict));
}

/// RFC 5280, 6.1.4 (l): a shorter path can have a greater path length.
#[test]
fn self_issued_certificates_do_not_count_for_the_path_length() {
    let [root_key, top_key, both_key, other_key, first_key, next_key, ca_key] =
        std::array::from_fn(|_| key());
    // Without a key identifier, OpenSSL takes a self-issued certificate for a
    // self-signed one.
    let self_issued = |serial| {
        let mut params = params("CA", serial);
        params.use_authority_key_identifier_extension = true;
        params
    };
    let root = issue(params("Root", 1), &root_key, ("Root", &root_key));
    let top = issue(with_path_len(params("Top", 2), 2), &top_key, ("Root", &root_key));
    let both = issue(params("Both", 3), &both_key, ("Top", &top_key));
    let leaf = issue(leaf_params(4), &key(), ("CA", &ca_key));

    let other = issue(params("Other", 5), &other_key, ("Both", &both_key));
    let by_other = issue(params("CA", 6), &ca_key, ("Other", &other_key));
    let shorter = [by_other, other, both.clone(), top.clone()];
    assert!(!both_lead(&leaf, &shorter, &root), "three CA certificates below one that allows two");

    let first = issue(params("CA", 7), &first_key, ("Both", &both_key));
    let next = issue(self_issued(8), &next_key, ("CA", &first_key));
    let last = issue(self_issued(9), &ca_key, ("CA", &next_key));
    let longer = [last, next, first, both, top];
    assert!(both_lead(&leaf, &longer, &root), "four CA certificates, of which two are self-issued");
    // OpenSSL tries only one path.
    let all = [&shorter[..2], &longer].concat();
    assert!(leads(&leaf, &all, from_ref(&root)));
}

/// RFC 5280, 6.1.4 (n).
#[test]
fn issuers_need_the_key_usage_for_certificates() {
    let (root_key, ca, leaf_key) = (key(), key(), key());
    let root = issue(params("Root", 1), &root_key, ("Root", &root_key));
    let leaf = issue(leaf_params(2), &leaf_key, ("CA", &ca));
    for (usages, leads) in [
        (&[KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign][..], true),
        (&[KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature], false),
        (&[], true),
    ] {
        let mut used = params("CA", 3);
        used.key_usages = usages.to_vec();
        let by_root = issue(used.clone(), &ca, ("Root", &root_key));
        assert_eq!(both_lead(&leaf, &[by_root], &root), leads);
        assert_eq!(both_lead(&leaf, &[], &issue(used, &ca, ("CA", &ca))), leads);
    }
}

/// RFC 5280, 6.1.1 (d): an anchor is a name and a key.
#[test]
fn an_anchor_needs_no_extensions() {
    let (ca, leaf_key) = (key(), key());
    let leaf = issue(leaf_params(1), &leaf_key, ("CA", &ca));
    let with = |is_ca| {
        let mut params = params("CA", 2);
        params.is_ca = is_ca;
        issue(params, &ca, ("CA", &ca))
    };
    let without = with(IsCa::NoCa);
    assert!(leads(&leaf, &[], from_ref(&without)));
    assert!(both_lead(&leaf, &[], &of_version_1(&without)));
    assert!(!both_lead(&leaf, &[], &with(IsCa::ExplicitNoCa)));
    // An intermediate certificate needs them.
    let root_key = key();
    let root = issue(params("Root", 3), &root_key, ("Root", &root_key));
    let mut params = params("CA", 4);
    params.is_ca = IsCa::NoCa;
    let between = issue(params, &ca, ("Root", &root_key));
    assert!(!both_lead(&leaf, from_ref(&between), &root));
}

/// Converts a certificate without extensions to version 1. The signature becomes
/// invalid, but an anchor's signature is not verified.
fn of_version_1(certificate: &Certificate) -> Certificate {
    let sequence = |content: &[u8]| Any::new(Tag::Sequence, content).unwrap().to_der().unwrap();
    let all = AnyRef::from_der(certificate.der()).unwrap();
    let (signed, signature) = AnyRef::from_der_partial(all.value()).unwrap();
    let without_version = signed.value().strip_prefix(b"\xA0\x03\x02\x01\x02").unwrap();
    let of_version_1 = [&sequence(without_version), signature].concat();
    Certificate::from_der(sequence(&of_version_1)).unwrap()
}

#[test]
fn expired_certificates_and_too_long_paths_are_rejected() {
    let keys: Vec<_> = (0..MAX_PATH + 2).map(|_| key()).collect();
    let names: Vec<_> = (0..keys.len()).map(|at| format!("CA {at}")).collect();
    let chain: Vec<_> = (0..=MAX_PATH)
        .map(|at| issue(params(&names[at], 1), &keys[at], (&names[at + 1], &keys[at + 1])))
        .collect();
    let (leaf, issuers) = chain.split_first().unwrap();
    assert!(leads(leaf, issuers, &chain[MAX_PATH..]));
    let top = issue(
        params(&names[MAX_PATH + 1], 1),
        &keys[MAX_PATH + 1],
        (&names[MAX_PATH + 1], &keys[MAX_PATH + 1]),
    );
    assert!(!leads(leaf, issuers, from_ref(&top)), "one certificate too many");
    assert!(leads(&chain[1], issuers, &[top]));

    let mut expired = params(&names[1], 2);
    expired.not_after = date_time_ymd(2021, 1, 1);
    let expired = issue(expired, &keys[1], (&names[2], &keys[2]));
    assert!(!leads(leaf, &[expired], &chain[2..3]));
    assert!(leads(leaf, &chain[1..2], &chain[2..3]));
}

fn extension(arcs: &[u64], critical: bool, value: &[u8]) -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(arcs, value.to_vec());
    extension.set_criticality(critical);
    extension
}

/// RFC 5280, 4.2: a critical extension that is not processed, in the certificate itself and in
/// an issuer.
#[test]
fn unknown_critical_extensions_are_refused() {
    let (root_key, ca, leaf_key) = (key(), key(), key());
    let root = issue(params("Root", 1), &root_key, ("Root", &root_key));
    let own = &[1, 3, 6, 1, 4, 1, 99999, 1];
    for (critical, allowed) in [(false, true), (true, false)] {
        let with = |mut params: CertificateParams| {
            params.custom_extensions = vec![extension(own, critical, &[5, 0])];
            params
        };
        let plain = issue(params("CA", 2), &ca, ("Root", &root_key));
        let odd = issue(with(params("CA", 3)), &ca, ("Root", &root_key));
        let leaf = issue(leaf_params(4), &leaf_key, ("CA", &ca));
        let odd_leaf = issue(with(leaf_params(5)), &leaf_key, ("CA", &ca));
        assert_eq!(both_lead(&odd_leaf, from_ref(&plain), &root), allowed);
        assert_eq!(both_lead(&leaf, from_ref(&odd), &root), allowed);
        // Another path may do without it.
        assert!(leads(&leaf, &[odd, plain], from_ref(&root)));
    }
}

/// RFC 5280, 4.2: an extension must not occur twice.
#[test]
fn repeated_extensions_are_refused() {
    let (root_key, leaf_key) = (key(), key());
    let root = issue(params("Root", 1), &root_key, ("Root", &root_key));
    let mut twice = leaf_params(2);
    let own = &[1, 3, 6, 1, 4, 1, 99999, 1];
    twice.custom_extensions = vec![extension(own, false, &[5, 0]), extension(own, false, &[5, 0])];
    assert!(!leads(&issue(twice, &leaf_key, ("Root", &root_key)), &[], &[root]));
}

/// RFC 5280, 4.2.1.10: names of four forms, permitted and excluded.
#[test]
fn name_constraints_are_enforced() {
    let (root_key, ca, leaf_key) = (key(), key(), key());
    let root = issue(params("Root", 1), &root_key, ("Root", &root_key));
    let name = |text: &str| SanType::DnsName(text.try_into().unwrap());
    let mail = |text: &str| SanType::Rfc822Name(text.try_into().unwrap());
    let leaf = |names: Vec<SanType>| {
        let mut params = leaf_params(9);
        params.subject_alt_names = names;
        issue(params, &leaf_key, ("CA", &ca))
    };
    let constrained = |permitted: Vec<GeneralSubtree>, excluded: Vec<GeneralSubtree>| {
        let mut params = params("CA", 2);
        params.name_constraints =
            Some(NameConstraints { permitted_subtrees: permitted, excluded_subtrees: excluded });
        issue(params, &ca, ("Root", &root_key))
    };
    let dns = |text: &str| GeneralSubtree::DnsName(text.to_owned());
    let mails = |text: &str| GeneralSubtree::Rfc822Name(text.to_owned());
    for (names, permitted, excluded, allowed) in [
        (vec![name("a.example")], vec![dns("example")], vec![], true),
        (vec![name("a.example"), name("b.test")], vec![dns("example")], vec![], false),
        (vec![name("a.example")], vec![], vec![dns("a.example")], false),
        (vec![name("ba.example")], vec![], vec![dns("a.example")], true),
        (vec![mail("x@a.example")], vec![mails("a.example")], vec![], true),
        (vec![mail("x@b.a.example")], vec![mails("a.example")], vec![], false),
        (vec![mail("x@b.a.example")], vec![mails(".a.example")], vec![], true),
        (vec![mail("x@b.test")], vec![dns("example")], vec![], true),
    ] {
        let issuer = constrained(permitted, excluded);
        assert_eq!(both_lead(&leaf(names.clone()), &[issuer], &root), allowed, "{names:?}");
    }
}

/// RFC 5280, 4.2.1.12 and RFC 9336.
#[test]
fn the_extended_key_usage_must_cover_documents() {
    let (root_key, leaf_key) = (key(), key());
    let root = issue(params("Root", 1), &root_key, ("Root", &root_key));
    let usage = |last: u8| [&[0x30, 10, 6, 8, 0x2B, 6, 1, 5, 5, 7, 3][..], &[last]].concat();
    for (purpose, critical, allowed) in [
        (1, true, false),
        (1, false, false),
        (3, true, false),
        (8, true, false),
        (4, true, true),
        (36, true, true),
        (2, false, true),
        (2, true, false),
    ] {
        let mut params = leaf_params(2);
        params.custom_extensions = vec![extension(&[2, 5, 29, 37], critical, &usage(purpose))];
        let leaf = issue(params, &leaf_key, ("Root", &root_key));
        let request = Request::document_signing(now());
        let outcome =
            PathBuilder::new(from_ref(&root)).find(&leaf, &IssuerPool::new(&[]), &request);
        let valid = matches!(outcome, Outcome::Valid(_));
        assert_eq!(valid, allowed, "{purpose}, critical: {critical}: {outcome:?}");
    }
}

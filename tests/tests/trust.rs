//! Paths to trust anchors: those there are found, and a search for those there
//! are not ends soon.

use std::slice::from_ref;

use ades_core::trust::{Authorities, MAX_PATH, TrustSearch};
use ades_core::{Certificate, CertificateChain, Document};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::parameters;
use cades::report::Problem;
use cades::{Container, Given, Packaging};
use chrono::{DateTime, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
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

/// A certificate of `params` with the key of `subject`, by a name and a key.
fn issue(
    params: CertificateParams,
    subject: &KeyPair,
    (name, key): (&str, &KeyPair),
) -> Certificate {
    let issuer = Issuer::new(self::params(name, 0), key);
    let certificate = params.signed_by(subject, &issuer).unwrap();
    Certificate::from_der(certificate.der().to_vec()).unwrap()
}

fn now() -> Option<DateTime<Utc>> {
    Some(parameters().signing_time().time())
}

fn leads(certificate: &Certificate, among: &[Certificate], anchors: &[Certificate]) -> bool {
    let mut search = TrustSearch::new(anchors);
    search.leads_to_anchor(certificate, &Authorities::of(among), now()).unwrap()
}

/// Every certificate of the mesh could be every other one's issuer: all paths of
/// eight links would be more than anybody can wait for.
#[test]
fn a_mesh_of_one_name_and_key_ends() {
    let signer = Pki::shared().signer(Key::P256);
    let foreign = [Pki::new().root().clone()];
    let one = key();
    let mesh: Vec<_> = (1..=20).map(|at| issue(params("Mesh", at), &one, ("Mesh", &one))).collect();
    let mut leaf = params("Leaf", 99);
    leaf.is_ca = IsCa::ExplicitNoCa;
    // The signer's own key, so that the container is right but for the mesh.
    let own = KeyPair::from_pem(&signer.key_pem).unwrap();
    let leaf = issue(leaf, &own, ("Mesh", &one));
    let chain = CertificateChain::from_leaf(leaf.clone(), mesh.clone()).unwrap();
    assert_eq!(chain.certificates().len(), 21);

    let mut source = Document::from_bytes(b"content");
    let pending =
        cades::prepare(&mut source, Packaging::Enveloping, &chain, &parameters()).unwrap();
    let value = signer.sign(&pending.to_be_signed());
    let mut container = Vec::new();
    pending.complete(Some(&mut source), &value, &mut container).unwrap();
    let mut source = Document::from_bytes(&container);
    let parsed = Container::read(&mut source).unwrap();
    let report = parsed.verify(&mut source, Given { original: None, trust: &foreign }).unwrap();
    assert!(report.signatures[0].intact);
    assert_eq!(report.signatures[0].problems, [Problem::Untrusted]);

    // One of them as anchor, or another one of its name and key.
    assert!(leads(&leaf, &mesh, &mesh[7..8]));
    assert!(leads(&mesh[3], &mesh, &mesh[7..8]));
    let root = issue(params("Mesh", 77), &one, ("Mesh", &one));
    assert!(leads(&leaf, &mesh, &[root]));
}

/// The same with a key for each, all certified by all.
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
    let stranger = key();
    let foreign = issue(params("Mesh", 99), &stranger, ("Mesh", &stranger));
    let mut search = TrustSearch::new(from_ref(&foreign));
    let among = Authorities::of(&mesh);
    for certificate in mesh.iter().cycle().take(1000) {
        assert_eq!(search.leads_to_anchor(certificate, &among, now()), Some(false));
    }
}

#[test]
fn paths_are_found_over_reissued_and_cross_signed_authorities() {
    let (pki, other) = (Pki::shared(), Pki::new());
    let leaf = pki.signer(Key::P256).leaf();
    let cross = pki.cross_signed_by(&other);
    let (root, theirs) = (pki.root().clone(), other.root().clone());
    let all = [pki.reissued(), cross.clone(), pki.issuing().clone()];
    assert!(leads(leaf, &all, from_ref(&root)));
    assert!(leads(leaf, &all, from_ref(&theirs)));
    assert!(!leads(leaf, &all[..1], &[theirs]));
    assert!(!leads(leaf, &[], &[root]));
    // An anchor needs nothing above it, and may be the signer's own.
    assert!(leads(leaf, &[], &[cross]));
    assert!(leads(leaf, &[], from_ref(leaf)));
    let search = &mut TrustSearch::new(&[]);
    assert_eq!(search.leads_to_anchor(leaf, &Authorities::of(&all), now()), None);
}

/// RFC 4210, 4.4: the new key certified with the old one is self-issued, and a
/// step on the way to the old one.
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

#[test]
fn what_was_not_valid_or_is_too_far_leads_nowhere() {
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
    assert!(!leads(leaf, issuers, from_ref(&top)), "one link too many");
    assert!(leads(&chain[1], issuers, &[top]));

    let mut expired = params(&names[1], 2);
    expired.not_after = date_time_ymd(2021, 1, 1);
    let expired = issue(expired, &keys[1], (&names[2], &keys[2]));
    assert!(!leads(leaf, &[expired], &chain[2..3]));
    assert!(leads(leaf, &chain[1..2], &chain[2..3]));
}

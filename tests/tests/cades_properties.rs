//! Properties of every document, all parameters and every way of reading.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use ades_core::{
    CommitmentType, DigestAlgorithm, Document, PendingState, SignatureParameters, SignaturePolicy,
    SignerLocation, StateKey,
};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{finish, parameters, sign};
use cades::report::Report;
use cades::{Container, Packaging, PendingSignature, SignatureOptions, VerifyOptions};
use proptest::prelude::*;

/// A source that returns pieces of the given sizes in turn, and is interrupted
/// at every seventh read.
struct Chunked<'a> {
    octets: Cursor<&'a [u8]>,
    sizes: Vec<usize>,
    turn: usize,
}

impl<'a> Chunked<'a> {
    fn new(octets: &'a [u8], sizes: &[usize]) -> Self {
        Self { octets: Cursor::new(octets), sizes: sizes.to_vec(), turn: 0 }
    }
}

impl Read for Chunked<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.turn += 1;
        if self.turn.is_multiple_of(7) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let size = self.sizes[self.turn % self.sizes.len()].min(out.len());
        self.octets.read(&mut out[..size])
    }
}

impl Seek for Chunked<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.octets.seek(to)
    }
}

fn any_parameters() -> impl Strategy<Value = SignatureParameters> {
    let text = "[ -~à-öα-ω]{1,40}";
    let location = proptest::option::of((text, text, proptest::collection::vec(text, 0..4)));
    let roles = proptest::collection::vec(text, 0..3);
    // 2.25: OIDs made from UUIDs (X.667).
    let policy = proptest::option::of(any::<u128>().prop_map(|uuid| format!("2.25.{uuid}")));
    (roles, location, proptest::option::of(text), any::<bool>(), policy).prop_map(
        |(roles, location, description, commitment, policy)| {
            let mut given = roles.into_iter().fold(parameters(), SignatureParameters::signer_role);
            if let Some((country, locality, postal_address)) = location {
                let location = SignerLocation::default().country(country).locality(locality);
                given = given.location(location.postal_address(postal_address));
            }
            if let Some(description) = description {
                given = given.description(description);
            }
            if let Some(id) = policy {
                let id = id.parse().unwrap();
                let policy = SignaturePolicy::of_document(id, DigestAlgorithm::Sha512, b"policy");
                given = given.policy(policy);
            }
            if commitment {
                given = given.commitment(CommitmentType::APPROVAL);
            }
            given
        },
    )
}

fn packaging() -> impl Strategy<Value = Packaging> {
    prop_oneof![Just(Packaging::Detached), Just(Packaging::Enveloping)]
}

fn report(container: &[u8], original: &[u8]) -> Report {
    let mut source = Document::from_bytes(container);
    let mut original = Document::from_bytes(original);
    cades::verify(&mut source, VerifyOptions::new().original(&mut original)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn parameters_are_read_back(
        document in proptest::collection::vec(any::<u8>(), 0..300),
        given in any_parameters(),
        packaging in packaging(),
        key in proptest::option::of(any::<[u8; 32]>()),
    ) {
        let signer = Pki::shared().signer(Key::P256);
        // The state is stored in between, with a MAC or without one.
        let key = key.map(StateKey::new);
        let mut source = Document::from_bytes(&document);
        let options = SignatureOptions::new().packaging(packaging);
        let pending = cades::prepare(&mut source, &signer.chain, &given, &options).unwrap();
        let stored = pending.to_json(key.as_ref()).unwrap();
        let restored = PendingSignature::from_json(&stored, key.as_ref()).unwrap();
        prop_assert_eq!(restored.to_json(key.as_ref()).unwrap(), stored);
        let made = finish(&restored, signer, Some(&document)).unwrap();
        let report = report(&made, &document);
        prop_assert!(report.is_valid(), "{:?}", report);
        prop_assert_eq!(report.first_not_der, None);
        let signature = &report.signatures[0];
        prop_assert_eq!(&signature.signer_roles, given.signer_roles());
        prop_assert_eq!(signature.location.as_ref(), given.signer_location());
        prop_assert_eq!(signature.description.as_deref(), given.document_description());
        let policy = signature.policy.as_ref().map(|p| (Some(p.id), p.digest.clone()));
        let expected = given.signature_policy().map(|p| (p.id.oid(), p.digest.clone()));
        prop_assert_eq!(policy, expected);
        prop_assert_eq!(signature.commitment.as_ref(), given.commitments().first());
    }

    #[test]
    fn the_result_does_not_depend_on_how_the_data_is_split(
        document in proptest::collection::vec(any::<u8>(), 0..5000),
        sizes in proptest::collection::vec(1usize..700, 1..5),
        packaging in packaging(),
    ) {
        let signer = Pki::shared().signer(Key::Rsa2048);
        let whole = sign(&document, packaging, signer, &parameters()).unwrap();
        let mut source = Document::seekable(Chunked::new(&document, &sizes));
        let options = SignatureOptions::new().packaging(packaging);
        let pending =
            cades::prepare(&mut source, &signer.chain, &parameters(), &options).unwrap();
        let value = signer.sign(&pending.to_be_signed());
        let mut out = Vec::new();
        pending.complete(Some(&mut source), &value, &mut out).unwrap();
        // RSA with PKCS#1 v1.5 padding is deterministic.
        prop_assert_eq!(&out, &whole);

        let mut source = Document::seekable(Chunked::new(&whole, &sizes));
        let mut original = Document::stream(Chunked::new(&document, &sizes));
        let options = VerifyOptions::new().original(&mut original);
        prop_assert!(cades::verify(&mut source, options).unwrap().is_valid());
    }

    #[test]
    fn a_truncated_container_is_an_error(at in any::<prop::sample::Index>(), packaging in packaging()) {
        let signer = Pki::shared().signer(Key::Ed25519);
        let made = sign(b"a document", packaging, signer, &parameters()).unwrap();
        let cut = &made[..at.index(made.len())];
        prop_assert!(Container::read(&mut Document::from_bytes(cut)).is_err());
    }

    /// X.690, 11.6: the order in which signers were added does not matter.
    #[test]
    fn added_signers_are_a_sorted_set(keys in proptest::collection::vec(0usize..4, 1..5)) {
        let keys = keys.into_iter().map(|at| [Key::P256, Key::P384, Key::Ed25519, Key::Rsa2048][at]);
        let document = b"for all of us";
        let mut made: Option<Vec<u8>> = None;
        for (count, key) in (1..).zip(keys) {
            let signer = Pki::shared().signer(key);
            made = Some(match made {
                None => sign(document, Packaging::Enveloping, signer, &parameters()).unwrap(),
                Some(before) => {
                    let mut source = Document::from_bytes(&before);
                    let pending = cades::prepare_parallel(
                        &mut source,
                        None,
                        &signer.chain,
                        &parameters(),
                        &SignatureOptions::new(),
                    )
                    .unwrap();
                    finish(&pending, signer, Some(&before)).unwrap()
                }
            });
            let report = report(made.as_ref().unwrap(), document);
            prop_assert!(report.is_valid());
            prop_assert_eq!(report.signatures.len(), count);
            prop_assert_eq!(report.first_not_der, None);
        }
    }
}

/// A changed bit is an error or a problem, except in what no signature covers:
/// the issuers' certificates, the list of digest algorithms and the versions
/// (RFC 5652, 5.1 and 5.3). The name in the SignerIdentifier may differ in the case
/// of its letters (RFC 5280, 7.1).
#[test]
fn a_changed_bit_is_noticed_in_everything_that_is_signed() {
    let document = b"a document of some length";
    let signer = Pki::shared().signer(Key::P256);
    for packaging in [Packaging::Detached, Packaging::Enveloping] {
        let made = sign(document, packaging, signer, &parameters()).unwrap();
        let digest_algorithm = b"\x31\x0D\x30\x0B\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01";
        let version = b"\x02\x01\x01";
        let issuers = signer.chain.certificates()[1..].iter().map(|c| c.der());
        let unsigned: Vec<std::ops::Range<usize>> = issuers
            .chain([&digest_algorithm[..], &version[..]])
            .flat_map(|part| {
                let starts = made.windows(part.len()).enumerate().filter(|(_, w)| *w == part);
                starts.map(|(start, _)| start..start + part.len()).collect::<Vec<_>>()
            })
            .collect();
        let name = signer.leaf().issuer();
        let names = made.windows(name.len()).enumerate().filter(|(_, w)| *w == name);
        // The first one is in the certificate.
        let identifier = names.map(|(start, _)| start..start + name.len()).next_back().unwrap();
        let mut unnoticed = 0;
        for at in 0..made.len() {
            let mut changed = made.clone();
            changed[at] ^= 1 << (at % 8);
            let mut source = Document::from_bytes(&changed);
            let mut original = Document::from_bytes(document);
            let options = VerifyOptions::new().original(&mut original);
            if cades::verify(&mut source, options).is_ok_and(|report| report.is_valid()) {
                let is_case =
                    identifier.contains(&at) && changed[at].eq_ignore_ascii_case(&made[at]);
                assert!(
                    is_case || unsigned.iter().any(|part| part.contains(&at)),
                    "{packaging:?}, octet {at}"
                );
                unnoticed += 1;
            }
        }
        assert!(unnoticed > 0, "the unsigned ranges were found");
    }
}

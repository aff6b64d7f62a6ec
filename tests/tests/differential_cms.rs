//! rasn-cms as a second reader of CMS containers.

use ades_core::{CommitmentType, Document};
use ades_tests::corpora;
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{algorithms, finish, parameters, sign};
use cades::{Packaging, SignatureOptions};
use proptest::prelude::*;
use second_readers::cms::{Agreement, compare, reads};

#[track_caller]
fn agrees(name: &str, octets: &[u8]) {
    let agreed = compare(octets).unwrap_or_else(|difference| panic!("{name}: {difference}"));
    assert_eq!(agreed, Some(Agreement::Whole), "{name}: {:?}", reads(octets));
}

#[test]
fn our_containers_are_read_alike() {
    for key in Key::ALL {
        let signer = Pki::shared().signer(key);
        for algorithm in algorithms(signer) {
            for packaging in [Packaging::Detached, Packaging::Enveloping] {
                let parameters = parameters()
                    .algorithm(algorithm)
                    .commitment(CommitmentType::APPROVAL)
                    .signer_role("Director");
                let container = sign(b"content", packaging, signer, &parameters).unwrap();
                agrees(&format!("{algorithm}"), &container);
            }
        }
    }
}

#[test]
fn what_is_added_to_a_container_is_read_alike() {
    let (first, second) = (Pki::shared().signer(Key::P256), Pki::shared().signer(Key::Rsa2048));
    let one = sign(b"content", Packaging::Enveloping, first, &parameters()).unwrap();
    let options = SignatureOptions::new();
    let mut container = Document::from_bytes(&one);
    let parallel =
        cades::prepare_parallel(&mut container, None, &second.chain, &parameters(), &options)
            .unwrap();
    let two = finish(&parallel, second, Some(&one)).unwrap();
    agrees("a parallel signature", &two);
    let mut container = Document::from_bytes(&two);
    let counter = cades::prepare_countersignature(
        &mut container,
        &[1],
        &first.chain,
        &parameters(),
        &options,
    )
    .unwrap();
    let three = finish(&counter, first, Some(&two)).unwrap();
    agrees("a countersignature", &three);
}

/// The attributes are a SET: which of them comes first means nothing.
#[test]
fn a_signing_time_beside_one_that_cannot_be_read_is_read_alike() {
    const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
    let signer = Pki::shared().signer(Key::P256);
    let mut container = sign(b"content", Packaging::Detached, signer, &parameters()).unwrap();
    let at = container.windows(CONTENT_TYPE.len()).position(|window| window == CONTENT_TYPE);
    // Two signing-time attributes: the first has the value of content-type.
    container[at.unwrap() + CONTENT_TYPE.len() - 1] = 0x05;
    agrees("two signing times", &container);
}

/// A digest algorithm whose parameters are neither absent nor NULL is one that we do not know.
#[test]
fn a_digest_algorithm_with_parameters_is_read_alike() {
    const SHA256: &[u8] =
        &[0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
    const SHA1_WITH_OCTETS: &[u8] =
        &[0x30, 0x0b, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x04, 0x02, 0x00, 0x00];
    let signer = Pki::shared().signer(Key::P256);
    let mut container = sign(b"content", Packaging::Detached, signer, &parameters()).unwrap();
    let at = container.windows(SHA256.len()).rposition(|window| window == SHA256).unwrap();
    container[at..at + SHA256.len()].copy_from_slice(SHA1_WITH_OCTETS);
    agrees("parameters that are an OCTET STRING", &container);
}

/// Files that only one of the two readers takes.
const READ_BY_ONE: [&str; 1] = [
    // Octets follow the container: rasn-cms ignores them, ours refuses them.
    "cades-double-signing-certificate.p7m",
];

#[test]
fn containers_of_the_corpus_are_read_alike() {
    let Some(files) = corpora::everything(&["signed", "more"], &[".p7m", ".p7s", ".pkcs7"]) else {
        return;
    };
    let (mut agreed, mut unexpected) = (0, Vec::new());
    for (name, octets) in &files {
        match compare(octets) {
            Ok(Some(Agreement::Whole)) => agreed += 1,
            Ok(Some(Agreement::FewerCertificates)) => {
                unexpected.push(format!("{name}: ours reads fewer certificates"));
            }
            Ok(None) => {
                let (ours, theirs) = reads(octets);
                let known = READ_BY_ONE.iter().any(|known| name.ends_with(known));
                if ours.is_err() != theirs.is_err() && !known {
                    unexpected.push(format!("{name}: {ours:?} {theirs:?}"));
                }
            }
            Err(difference) => unexpected.push(format!("{name}: {difference}")),
        }
    }
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
    println!("{agreed} of {} containers are read by both", files.len());
    assert!(agreed * 2 > files.len(), "{agreed} of {}", files.len());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    /// What both readers take of a changed container they read alike.
    #[test]
    fn changed_containers_are_read_alike(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..3),
    ) {
        let signer = Pki::shared().signer(Key::P256);
        let mut container =
            sign(b"content", Packaging::Enveloping, signer, &parameters()).unwrap();
        for (at, octet) in changes {
            let at = at.index(container.len());
            container[at] = octet;
        }
        let compared = compare(&container);
        prop_assert!(compared.is_ok(), "{container:02X?}: {compared:?}");
    }
}

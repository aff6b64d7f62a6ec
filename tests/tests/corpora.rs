//! The files of others are those that the tests were written for.

use ades_core::{Digest, DigestAlgorithm};
use ades_tests::corpora::{files, sets};

#[test]
fn every_file_of_the_corpora_has_the_digest_that_is_listed() {
    for set in sets() {
        for file in files(set).unwrap_or_default() {
            let digest = Digest::of(DigestAlgorithm::Sha256, &file.read()).to_hex();
            assert_eq!(digest, file.sha256, "{}", file.path.display());
        }
    }
}

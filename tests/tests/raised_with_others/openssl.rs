//! Containers of OpenSSL in BER: indefinite lengths, and the content in pieces.

use ades::{DigestAlgorithm, Document, ExtendOptions, Level, TargetLevel};
use ades_tests::cms::contains;
use ades_tests::levels::{Raising, signer};
use ades_tests::oracle::openssl;
use ades_tests::pki::{Key, PemFiles, Pki};
use chrono::TimeDelta;

use crate::{Court, assert_level};

/// Trap 1: the imprint of an archive time-stamp is over octets as they are stored.
#[test]
fn trap_1_dss_passes_a_raised_container_of_openssl_in_ber() {
    for key in [Key::Rsa2048, Key::P256] {
        let signer = signer(Pki::shared(), key);
        let court = Court::new(&[Pki::shared().issuing()]);
        let PemFiles { leaf, key: private, issuers, .. } = signer.write_pem_files(court.dir.path());
        // More than one piece.
        let content: Vec<u8> = (0..20_000_u32).flat_map(u32::to_le_bytes).collect();
        let content = court.write("content", &content);
        let more = ["-cades", "-nodetach", "-stream"];
        let signed = openssl::cms_sign(&more, &content, &leaf, &private, &issuers).unwrap();
        // A constructed OCTET STRING of indefinite length with segments of 4 KiB.
        let start = [0xA0, 0x80, 0x24, 0x80, 0x04, 0x82, 0x10, 0x00];
        assert!(contains(&signed, &start), "OpenSSL writes another encoding");

        let mut raising = Raising::new(&signer);
        // OpenSSL signs at the present time.
        let report = raising.verify(&signed);
        raising.services.now = report.signatures[0].claimed_time.unwrap() + TimeDelta::hours(1);
        let mut current = signed;
        for (wish, name) in [
            (TargetLevel::T, "T"),
            (TargetLevel::Lt, "LT"),
            (TargetLevel::Lta, "LTA"),
            (TargetLevel::Lta, "LTA"),
        ] {
            let what = format!("{key:?} {wish:?}");
            let options = ExtendOptions::new(wish).digest(DigestAlgorithm::Sha512);
            let (raised, reached) = raising.raise(&current, options);
            assert_eq!((reached.level, reached.missing), (wish.level(), vec![]), "{what}");
            assert!(raised.starts_with(&[0x30, 0x80]) && contains(&raised, &start), "{what}");
            let time = raising.services.now + TimeDelta::seconds(30);
            assert_level(&court.verdicts(&raised, None, time)[0], name, &what);
            let report = raising.verify_at(&raised, time);
            assert_eq!(report.is_passed(), wish.level() > Level::T, "{what}\n{report}");
            current = raised;
        }
        let report =
            cades::verify(&mut Document::from_bytes(&current), cades::VerifyOptions::new());
        let facts = &report.unwrap().signatures[0].facts;
        assert!(facts.time_stamps().all(|stamp| stamp.fits()));
    }
}

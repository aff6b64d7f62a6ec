//! Attacks with objects that the signed revision refers to but that are added later:
//! numbers without objects, offsets after the end.

use ades_core::{Digest, DigestAlgorithm, Digester, DocumentDigest};
use ades_tests::pdf::by_hand::{last_between, stream, updated};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::parameters;
use pades::Certification;
use pades::report::Problem;

use super::{
    BOTH, MORE, ONLY_DSS, RESOURCES, assert_changed, assert_noticed, certified, contract_of, says,
    signed, text, verify,
};

/// A page with two content streams.
fn with_second(number: u32, more: &[&str]) -> Vec<u8> {
    contract_of(&format!("{RESOURCES}/Contents[4 0 R {number} 0 R]"), more, "")
}

fn cover() -> String {
    stream("", &format!("1 g 0 0 300 200 re f 0 g {}", text("999999")))
}

#[test]
fn an_object_that_is_defined_later_was_not_signed() {
    let document = with_second(99, &[]);
    for signed in [signed(&document), certified(&document, Certification::NoChanges)] {
        let forged = updated(&signed, &[(99, &cover())]);
        assert_changed(&forged, "99 0 R");
        // The signature's objects have higher numbers, so pyHanko notices it.
        assert_noticed(&forged, BOTH, "99 0 R");
    }
    // A number with a free entry.
    let document = with_second(MORE, &["null"]);
    let free = String::from_utf8_lossy(&document).into_owned();
    let lines: Vec<&str> = free.lines().collect();
    let listed = lines.iter().rposition(|line| line.ends_with(" 00000 n ")).unwrap();
    let document = free.replace(lines[listed], "0000000000 00000 f ");
    assert_changed(&updated(&signed(document.as_bytes()), &[(MORE, &cover())]), "free");
}

/// The cross-reference has an object at an offset after the end of the file.
#[test]
fn an_offset_after_the_end_was_not_signed() {
    const PLACE: usize = 40_000;

    let document = with_second(MORE, &[&stream("", "q Q")]);
    let at = document.windows(7).position(|w| w == b"6 0 obj").unwrap();
    let document = String::from_utf8_lossy(&document)
        .replace(&format!("{at:010} 00000 n"), &format!("{PLACE:010} 00000 n"));
    let signed = signed(document.as_bytes());
    assert!(verify(&signed).is_valid());
    // No object is there.
    let harmless = updated(&signed, &[(70, "null")]);
    assert!(verify(&harmless).is_valid(), "{:?}", verify(&harmless));

    let head = format!("70 0 obj\n{}", stream("", ""));
    let room = PLACE - signed.len() - head.len() - 20;
    let padding = stream("", &"x".repeat(room));
    let mut out = signed.clone();
    out.extend_from_slice(format!("70 0 obj\n{padding}\nendobj\n").as_bytes());
    out.resize(PLACE, b' ');
    out.extend_from_slice(format!("6 0 obj\n{}\nendobj\n", cover()).as_bytes());
    let start = out.len();
    let previous = last_between(&signed, "startxref\n", "\n");
    out.extend_from_slice(
        format!(
            "xref\n70 1\n{:010} 00000 n \ntrailer\n<</Size 71/Root 1 0 R/Prev {previous}>>\n\
             startxref\n{start}\n%%EOF\n",
            signed.len()
        )
        .as_bytes(),
    );
    assert_changed(&out, "an offset");
    assert_noticed(&out, ONLY_DSS, "an offset");
}

/// A stream's stated length exceeds the file. Readers use the next `endstream` until
/// there is one at the stated end.
#[test]
fn a_stream_that_ends_after_the_end_of_the_file_was_not_signed() {
    const LENGTH: usize = 60_000;

    let contents = says("100").replace("/Length 42", &format!("/Length {LENGTH}"));
    assert!(contents.contains("60000"), "{contents}");
    let document = contract_of(&format!("{RESOURCES}/Contents 6 0 R"), &[&contents], "");
    let signed = signed(&document);
    let mark = b"/Length 60000>>\nstream\n";
    let start = signed.windows(mark.len()).position(|w| w == mark).unwrap() + mark.len();
    let harmless = updated(&signed, &[(70, "null")]);
    assert!(verify(&harmless).is_valid(), "{:?}", verify(&harmless));
    let end = start + LENGTH;
    let mut out = signed.clone();
    out.resize(end - 300, b'\n');
    out.extend_from_slice(text("999999").as_bytes());
    out.resize(end, b'\n');
    out.extend_from_slice(b"endstream\nendobj\n");
    let forged = ades_tests::pdf::by_hand::redirected(
        &out,
        &[(70, start)],
        last_between(&signed, "startxref\n", "\n"),
    );
    assert_changed(&forged, "a length");
}

/// The signed revision's table has an `/XRefStm` that is added later. Only an attacker
/// would sign this.
#[test]
fn a_cross_reference_stream_that_is_added_later_was_not_signed() {
    let document = with_second(MORE, &[&stream("", "q Q")]);
    let with_key =
        String::from_utf8_lossy(&document).replace("/Root 1 0 R>>", "/Root 1 0 R/XRefStx 40000>>");
    let mut signed = signed(with_key.as_bytes());
    for at in 0..signed.len() - 7 {
        if &signed[at..at + 8] == b"/XRefStx" {
            signed[at + 7] = b'm';
        }
    }
    let signed = sign_again(&signed);
    let mut out = signed.clone();
    let cover_at = u32::try_from(out.len()).unwrap();
    out.extend_from_slice(format!("6 0 obj\n{}\nendobj\n", cover()).as_bytes());
    out.resize(40_000, b'\n');
    let entry = [&[1][..], &cover_at.to_be_bytes(), &[0, 0]].concat();
    out.extend_from_slice(
        b"90 0 obj\n<</Type/XRef/W[1 4 2]/Index[6 1]/Size 91/Root 1 0 R/Length 7>>\nstream\n",
    );
    out.extend_from_slice(&entry);
    out.extend_from_slice(b"\nendstream\nendobj\n");
    let forged =
        ades_tests::pdf::by_hand::redirected(&out, &[], last_between(&signed, "startxref\n", "\n"));
    let report = verify(&forged);
    let found = &report.signatures[0];
    assert!(
        found.intact == Some(true) && found.problems.contains(&Problem::NotARevision),
        "{found:?}"
    );
    assert!(!report.is_valid());
}

/// Makes the last signature again over the present octets of its ranges.
pub(super) fn sign_again(document: &[u8]) -> Vec<u8> {
    let ranges: Vec<usize> = last_between(document, "/ByteRange[", "]")
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    let [_, first, second, length] = ranges[..] else { panic!("{ranges:?}") };
    let mut digester = Digester::new(DigestAlgorithm::Sha256);
    digester.update(&document[..first]);
    digester.update(&document[second..second + length]);
    let digest: Digest = digester.finish();
    let signer = Pki::shared().signer(Key::P256);
    let pending =
        cades::embedded::prepare_digest(DocumentDigest(digest), &signer.chain, &parameters());
    let pending = pending.unwrap();
    let value = signer.sign(&pending.to_be_signed());
    let cms = cades::embedded::complete(&pending, &value).unwrap();
    let digits: String = cms.iter().map(|octet| format!("{octet:02x}")).collect();
    let mut out = document.to_vec();
    out[first + 1..second - 1].fill(b'0');
    out[first + 1..first + 1 + digits.len()].copy_from_slice(digits.as_bytes());
    out
}

#[test]
fn a_signature_that_is_made_again_is_valid() {
    let signed = signed(&with_second(MORE, &[&stream("", "q Q")]));
    let again = sign_again(&signed);
    assert!(verify(&again).is_valid(), "{:?}", verify(&again));
}

/// Octets after the last `%%EOF`, with or without an update after the signature:
/// readers that search a file find objects there.
#[test]
fn octets_after_the_end_are_reported() {
    let once = signed(&with_second(MORE, &[&stream("", "q Q")]));
    let later = updated(&once, &[(70, "null")]);
    for document in [&once, &later] {
        for tail in ["4 0 obj\n<<>>\nendobj\n", "%%EOF\n", "x", "        "] {
            let found = super::first(&[document, tail.as_bytes()].concat(), tail);
            assert_eq!(found.problems, [Problem::TrailingData], "{tail}");
        }
        for tail in ["", "\n", "\r\n"] {
            let report = verify(&[document, tail.as_bytes()].concat());
            assert!(report.is_valid(), "{tail:?}: {report:?}");
        }
    }
    // Octets that a later signature covers are not after the end.
    assert!(verify(&signed(&[&later, "x".as_bytes()].concat())).is_valid());
}

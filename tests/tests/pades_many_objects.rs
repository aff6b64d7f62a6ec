//! A document of half a million objects, whole and broken.

use ades_core::Document;
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::parameters;
use pades::{Given, SignatureOptions};

#[test]
fn half_a_million_objects() {
    let count = 500_000;
    let mut document = b"%PDF-1.4\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", count + 4);
    for number in 1..count + 4 {
        let object = match number {
            1 => "<</Pages 2 0 R>>",
            2 => "<</Type/Pages/Count 1/Kids[3 0 R]>>",
            3 => "<</Type/Page/Parent 2 0 R>>",
            _ => "null",
        };
        table.push_str(&format!("{:010} 00000 n \n", document.len()));
        document.extend_from_slice(format!("{number} 0 obj {object} endobj\n").as_bytes());
    }
    let section = document.len();
    document.extend_from_slice(table.as_bytes());
    document.extend_from_slice(
        format!("trailer\n<</Size {}/Root 1 0 R>>\nstartxref\n{section}\n%%EOF\n", count + 4)
            .as_bytes(),
    );
    let signer = Pki::shared().signer(Key::P256);
    for options in [SignatureOptions::new(), SignatureOptions::new().repair()] {
        // Without the end of its last lines, the table is found by nobody.
        let broken = options != SignatureOptions::new();
        let cut = if broken { document.len() - 20 } else { document.len() };
        let mut source = Document::from_bytes(&document[..cut]);
        let pending = pades::prepare(&mut source, &signer.chain, &parameters(), &options).unwrap();
        assert_eq!(pending.is_repaired(), broken);
        let value = signer.sign(&pending.to_be_signed());
        let mut out = Vec::new();
        pending.complete(&mut source, &value, &mut out).unwrap();
        let report = pades::verify(&mut Document::from_bytes(&out), Given::default()).unwrap();
        assert!(report.is_valid(), "{report:?}");
    }
}

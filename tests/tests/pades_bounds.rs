//! The memory that a hostile document can make us use. This file has one test, because
//! the allocator counts for the whole process.

use std::io::{self, Write};

use ades_core::{DigestAlgorithm, Document};
use ades_tests::pdf::by_hand::{ONE_PAGE, of_objects, updated};
use ades_tests::pdf::packed::{Pack, packed};
use ades_tests::signing::{parameters, sign_pades_by_stub};
use pades::report::{Coverage, Problem};
use pades::{PreparedDocument, SignatureOptions, SubFilter, VerifyOptions};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The bound in docs/architecture.md, in MiB.
const BOUND: f32 = 128.0;

const PAGE: &str = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>";

/// The memory used besides the document while it is signed and verified, in MiB.
fn held(document: &[u8]) -> f32 {
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage_as_mb();
    for options in [SignatureOptions::new(), SignatureOptions::new().repair()] {
        let mut source = Document::from_bytes(document);
        let prepared = PreparedDocument::new(
            &mut source,
            DigestAlgorithm::Sha256,
            SubFilter::Cades,
            64,
            &parameters(),
            &options,
        );
        if let Ok(prepared) = prepared {
            prepared.embed(&mut source, b"\x30\x00", &mut Nowhere).unwrap();
        }
    }
    let _ = pades::verify(&mut Document::from_bytes(document), VerifyOptions::new());
    ALLOCATOR.peak_usage_as_mb() - before
}

struct Nowhere;

impl Write for Nowhere {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `count` fields, each in its own object stream with `padding` octets more.
fn bombs(count: u32, padding: usize) -> Vec<u8> {
    let fields: String = (0..count).map(|at| format!("{} 0 R ", 100 + at)).collect();
    let plain = [
        (1, format!("<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[{fields}]>>>>")),
        (2, ONE_PAGE.to_owned()),
        (3, PAGE.to_owned()),
    ];
    let packs: Vec<Pack> = (0..count)
        .map(|at| Pack {
            number: 1000 + at,
            objects: vec![(100 + at, format!("<</FT/Tx/T(f{at})>>"))],
            padding,
        })
        .collect();
    packed(&plain, &packs)
}

/// The document signed and then updated, so that revisions are compared.
fn updated_later(document: &[u8]) -> Vec<u8> {
    let signed = sign_pades_by_stub(document);
    let updated = updated(&signed, &[(2, ONE_PAGE)]);
    let report = pades::verify(&mut Document::from_bytes(&updated), VerifyOptions::new()).unwrap();
    let signature = &report.signatures[0];
    assert_eq!(signature.covers, Coverage::Part);
    assert!(signature.problems.contains(&Problem::NotCompared), "{signature:?}");
    updated
}

/// Arrays of references to missing objects: `step` 1 has a new number each time, 0 the
/// same number.
fn of_references(step: usize) -> Vec<u8> {
    const ARRAYS: usize = 4;
    const ELEMENTS: usize = 500_000;

    let array = |at: usize| {
        let elements: String = (0..ELEMENTS)
            .map(|i| format!("{} 0 R ", 10_000 + (at * ELEMENTS + i) * step))
            .collect();
        format!("[{elements}]")
    };
    let arrays: Vec<String> = (0..ARRAYS).map(array).collect();
    let arrays: Vec<&str> = arrays.iter().map(String::as_str).collect();
    let named: String = (0..ARRAYS).map(|at| format!("{} 0 R ", 4 + at)).collect();
    updated_later(&with_catalog(&format!("/PieceInfo[{named}]"), &arrays))
}

fn with_catalog(entries: &str, more: &[&str]) -> Vec<u8> {
    let catalog = format!("<</Type/Catalog/Pages 2 0 R{entries}>>");
    let mut objects = vec![catalog.as_str(), ONE_PAGE, PAGE];
    objects.extend(more);
    of_objects(&objects, "")
}

#[test]
fn no_document_makes_us_use_more_memory_than_documented() {
    let many = 520_000;
    let long = "x".repeat(1 << 20);
    let names: String = (0..many / 2).map(|at| format!("/{at:06} 0")).collect();
    let nested = "[0]".repeat(many / 2);
    let fields: Vec<String> =
        (0..40).map(|at| format!("<</FT/Sig/T({at}{long})/V<</Contents<00>>>>>>")).collect();
    let mut more: Vec<&str> = fields.iter().map(String::as_str).collect();
    let kids: String = (4..44).map(|at| format!("{at} 0 R ")).collect();
    let trailer = format!("/X[{}]", "[]".repeat(many));
    for (name, document) in [
        ("references later", of_references(1)),
        ("the same reference later", of_references(0)),
        ("object streams", bombs(10, 31 << 20)),
        ("beyond the limit", bombs(10, 63 << 20)),
        ("numbers", with_catalog(&format!("/AcroForm<</Fields[{}]>>", "0 ".repeat(many)), &[])),
        ("arrays", with_catalog(&format!("/X[{nested}]"), &[])),
        ("too many", with_catalog(&format!("/X[{}]", "0 ".repeat(1 << 20)), &[])),
        ("a dictionary", with_catalog(&format!("/X<<{names}>>"), &[])),
        ("an array of annotations", {
            let page = format!("<</Type/Page/Parent 2 0 R/Annots[{}]>>", "0 ".repeat(many));
            of_objects(&["<</Pages 2 0 R>>", ONE_PAGE, &page], "")
        }),
        ("the trailer", of_objects(&["<</Pages 2 0 R>>", ONE_PAGE, PAGE], &trailer)),
        ("names of fields", with_catalog(&format!("/AcroForm<</Fields[{kids}]>>"), &more)),
        ("a long string", {
            let string = "x".repeat(15 << 20);
            with_catalog(&format!("/AcroForm 4 0 R/X({string})"), &["<</Fields[]>>"])
        }),
        ("a lock", {
            more = vec!["<</FT/Sig/T(a)/V 5 0 R>>"];
            let names = format!("({long})").repeat(14);
            let signature = format!(
                "<</Contents<00>/ByteRange[0 1 2 3]/Reference[<</TransformMethod/FieldMDP\
                 /TransformParams<</Action/Include/Fields[{names}]>>>>]>>"
            );
            more.push(&signature);
            with_catalog("/AcroForm<</Fields[4 0 R]>>", &more)
        }),
    ] {
        let held = held(&document);
        println!("{name}: {held:.0} MiB for {} octets", document.len());
        assert!(held < BOUND, "{name}: {held} MiB used for {} octets", document.len());
    }
}

//! Damaged and hostile PDFs: the result is an error or a readable signature, never a
//! panic, and never unbounded work.

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use ades_core::{DigestAlgorithm, Document};
use ades_tests::corpora;
use ades_tests::pdf::by_hand::{ONE_PAGE, of_objects};
use ades_tests::pdf::kinds;
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{parameters, sign};
use pades::report::{Coverage, Problem};
use pades::{
    Appearance, Error, PreparedDocument, Rectangle, SignatureOptions, SubFilter, VerifyOptions,
};
use proptest::prelude::*;

const IMAGE: &[u8] = include_bytes!("../fixtures/stamps/boxes.png");

/// Our own documents of every kind, and those of others.
fn documents() -> &'static [Vec<u8>] {
    static DOCUMENTS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();

    DOCUMENTS.get_or_init(|| {
        let mut documents: Vec<_> = kinds().into_iter().map(|kind| kind.octets).collect();
        documents.extend(corpora::files("pdf").unwrap_or_default().iter().map(|file| file.read()));
        documents.retain(|pdf| pdf.len() < 30_000 && pdf.iter().any(u8::is_ascii_digit));
        documents
    })
}

/// Verifies and signs with and without repair; returns the result without repair.
fn try_all(document: &[u8]) -> Result<(), Error> {
    let _ = pades::verify(&mut Document::from_bytes(document), VerifyOptions::new());
    let options = SignatureOptions::new().ignore_permissions();
    let _ = try_to_sign(document, &options.clone().repair());
    try_to_sign(document, &options)
}

/// Prepares, embeds octets, and verifies the result.
fn try_to_sign(document: &[u8], options: &SignatureOptions) -> Result<(), Error> {
    let mut source = Document::from_bytes(document);
    let prepared = PreparedDocument::new(
        &mut source,
        DigestAlgorithm::Sha256,
        SubFilter::Cades,
        64,
        &parameters(),
        options,
    )?;
    let mut out = Vec::new();
    prepared.embed(&mut source, b"\x30\x00", &mut out)?;
    assert!(out.starts_with(document));
    let report = pades::verify(&mut Document::from_bytes(&out), VerifyOptions::new())
        .unwrap_or_else(|e| panic!("what was written does not read: {e}"));
    let whole = |s: &&pades::report::SignatureReport| s.covers == Coverage::Whole;
    assert_eq!(report.signatures.iter().filter(whole).count(), 1, "{report:?}");
    Ok(())
}

/// A CMS that is valid alone, with encapsulated content.
#[test]
fn a_cms_with_its_own_content_does_not_sign_the_document() {
    let signer = Pki::shared().signer(Key::P256);
    let cms = sign(b"another", cades::Packaging::Enveloping, signer, &parameters()).unwrap();
    let document = ades_tests::pdf::Document::default().write();
    let mut source = Document::from_bytes(&document);
    let prepared = PreparedDocument::new(
        &mut source,
        DigestAlgorithm::Sha256,
        SubFilter::Pkcs7,
        cms.len(),
        &parameters(),
        &SignatureOptions::new(),
    );
    let mut out = Vec::new();
    prepared.unwrap().embed(&mut source, &cms, &mut out).unwrap();
    let report = pades::verify(&mut Document::from_bytes(&out), VerifyOptions::new()).unwrap();
    let signature = &report.signatures[0];
    assert!(signature.intact != Some(true));
    for problem in [Problem::ContentInCms, Problem::Cms(cades::report::Problem::DigestMismatch)] {
        assert!(signature.problems.contains(&problem), "{signature:?}");
    }
}

const PAGES: [&str; 2] = [ONE_PAGE, "<</Type/Page/Parent 2 0 R>>"];

fn with_catalog(catalog: &str, more: &[&str]) -> Vec<u8> {
    let mut objects = vec![catalog];
    objects.extend(PAGES);
    objects.extend(more);
    of_objects(&objects, "")
}

#[test]
fn the_generated_documents_can_be_signed() {
    try_all(&with_catalog("<</Type/Catalog/Pages 2 0 R>>", &[])).unwrap();
}

#[test]
fn circles_end() {
    let pages = of_objects(
        &["<</Pages 2 0 R>>", "<</Type/Pages/Kids[2 0 R 3 0 R]>>", "<</Type/Pages/Kids[2 0 R]>>"],
        "",
    );
    assert!(matches!(try_all(&pages), Err(Error::Structure { .. })));
    let above = of_objects(
        &["<</Pages 2 0 R>>", "<</Kids[3 0 R]/Parent 2 0 R>>", "<</Type/Page/Parent 2 0 R>>"],
        "",
    );
    let box_of_it = Appearance::at(1, Rectangle::new(9.0, 9.0, 99.0, 30.0));
    let options = SignatureOptions::new().visible(box_of_it.image(IMAGE));
    assert!(matches!(try_to_sign(&above, &options), Err(Error::Structure { .. })));
    let fields = with_catalog(
        "<</Pages 2 0 R/AcroForm<</Fields[4 0 R]>>>>",
        &["<</T(a)/Kids[5 0 R]>>", "<</T(b)/Kids[4 0 R 5 0 R]>>"],
    );
    try_all(&fields).unwrap();
    let references = with_catalog("<</Pages 2 0 R/AcroForm 4 0 R>>", &["5 0 R", "4 0 R"]);
    assert!(matches!(try_all(&references), Err(Error::Structure { .. })));
    let length =
        with_catalog("<</Pages 2 0 R/AcroForm 4 0 R>>", &["<</Length 4 0 R>>stream\nx\nendstream"]);
    let _ = try_all(&length);
}

#[test]
fn nesting_and_numbers_are_limited() {
    let deep = format!("<</Pages 2 0 R/X{}{}>>", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(try_all(&with_catalog(&deep, &[])), Err(Error::Limit { .. })));
    let size = of_objects(&["<</Pages 2 0 R>>", PAGES[0], PAGES[1]], "/Size 99999999999");
    assert!(matches!(try_all(&size), Err(Error::BrokenCrossReference { .. })));
}

/// All objects of all fields overlap.
#[test]
fn overlapping_objects_take_linear_time() {
    // Each field extends to the end of the file.
    let count = 30_000;
    let mut objects = String::new();
    let mut offsets = Vec::new();
    let head = b"%PDF-1.7\n".len();
    for number in 0..count {
        offsets.push(head + objects.len());
        objects.push_str(&format!("{} 0 obj[", number + 4));
    }
    objects.push_str(&"]".repeat(count));
    let mut out = format!("%PDF-1.7\n{objects}\n").into_bytes();
    let kids: String = (0..count).map(|n| format!("{} 0 R ", n + 4)).collect();
    let mut roots = Vec::new();
    for object in
        [format!("<</Pages 2 0 R/AcroForm<</Fields[{kids}]>>>>"), PAGES[0].into(), PAGES[1].into()]
    {
        roots.push(out.len());
        out.extend_from_slice(format!("{} 0 obj\n{object}\nendobj\n", roots.len()).as_bytes());
    }
    let section = out.len();
    out.extend_from_slice(format!("xref\n1 {}\n", count + 3).as_bytes());
    for offset in roots.iter().chain(&offsets) {
        out.extend_from_slice(format!("{offset:010} 00000 n \n").as_bytes());
    }
    let size = count + 4;
    out.extend_from_slice(
        format!("trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{section}\n%%EOF\n").as_bytes(),
    );
    assert!(try_all(&out).is_err());
    let read = AtomicU64::new(0);
    let _ = pades::verify(
        &mut Document::seekable(Counting { octets: Cursor::new(&out), read: &read }),
        VerifyOptions::new(),
    );
    let times = read.into_inner() / out.len() as u64;
    assert!(times < 64, "the file was read {times} times");
}

/// Counts the octets that are read.
struct Counting<'a> {
    octets: Cursor<&'a [u8]>,
    read: &'a AtomicU64,
}

impl Read for Counting<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.octets.read(out)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for Counting<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.octets.seek(to)
    }
}

/// Streams without `endstream`, which is searched for in each.
#[test]
fn streams_without_an_end_take_linear_time() {
    for object in ["<</Length 1>>stream\n", "<</Type/ObjStm/N 1/First 5>>stream\n"] {
        let mut document = b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n".to_vec();
        for number in 4..60_000 {
            document.extend_from_slice(format!("{number} 0 obj{object}").as_bytes());
        }
        let read = AtomicU64::new(0);
        let mut source =
            Document::seekable(Counting { octets: Cursor::new(&document), read: &read });
        let signed = PreparedDocument::new(
            &mut source,
            DigestAlgorithm::Sha256,
            SubFilter::Cades,
            64,
            &parameters(),
            &SignatureOptions::new().repair(),
        );
        assert!(signed.is_err());
        let times = read.load(Ordering::Relaxed) / document.len() as u64;
        assert!(times < 64, "the file was read {times} times");
    }
}

#[test]
fn a_section_that_refers_back_to_itself_is_an_error() {
    let document = with_catalog("<</Pages 2 0 R>>", &[]);
    let text = String::from_utf8(document).unwrap();
    let section = text.rsplit_once("startxref\n").unwrap().1.split('\n').next().unwrap().to_owned();
    let looped = text.replace("/Root 1 0 R", &format!("/Root 1 0 R/Prev {section}"));
    assert!(matches!(try_all(looped.as_bytes()), Err(Error::BrokenCrossReference { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damaged_documents(
        which in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut document = which.get(documents()).clone();
        for (at, octet) in damage {
            let at = at.index(document.len());
            document[at] = octet;
        }
        if let Some(cut) = cut {
            document.truncate(cut.index(document.len()));
        }
        let _ = try_all(&document);
    }

    #[test]
    fn damaged_digits(
        which in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0u8..10), 1..6),
    ) {
        let mut document = which.get(documents()).clone();
        let digits: Vec<usize> = (0..document.len()).filter(|at| document[*at].is_ascii_digit()).collect();
        for (at, digit) in damage {
            document[*at.get(&digits)] = b'0' + digit;
        }
        let _ = try_all(&document);
    }

    #[test]
    fn any_octets(octets: Vec<u8>) {
        let _ = try_all(&octets);
        let _ = try_all(&[b"%PDF-1.4\n".as_slice(), &octets, b"startxref\n9\n%%EOF"].concat());
    }
}

/// Number 0 is the head of the free list, even if an object has it.
#[test]
fn object_0_is_no_catalog() {
    let document = b"%PDF-1.3\n0 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n\
        2 0 obj\n<</Type/Pages/Count 1/Kids[3 0 R]>>\nendobj\n\
        3 0 obj\n<</Type/Page/Parent 2 0 R>>\nendobj\nstartxref\n9\n%%EOF\n";
    let repair = SignatureOptions::new().repair();
    let chain = &Pki::shared().signer(Key::P256).chain;
    let mut source = Document::from_bytes(document);
    let error = pades::prepare(&mut source, chain, &parameters(), &repair).unwrap_err();
    assert!(matches!(error, Error::Structure { .. }), "{error}");
}

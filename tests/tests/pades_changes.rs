//! Changes after a signature. Changes that honest programs make are reported by kind
//! and are not problems, however many there are.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use ades_core::Document;
use ades_tests::corpora;
use ades_tests::oracle::dss::Dss;
use ades_tests::oracle::pyhanko::PyHanko;
use ades_tests::pdf::by_hand::{ONE_PAGE, last_between, object, of_objects, updated};
use ades_tests::pdf::samples;
use ades_tests::pki::{Key, PemFiles, Pki};
use ades_tests::signing::{parameters, sign_pades, sign_pades_by_stub};
use pades::report::{Change, Coverage, Problem, Report, SignatureReport};
use pades::{
    Appearance, Certification, Error, Rectangle, SignatureField, SignatureOptions, VerifyOptions,
};
use serde_json::{Value, json};
use tempfile::TempDir;

fn sign(document: &[u8], options: &SignatureOptions) -> Result<Vec<u8>, Error> {
    sign_pades(document, Pki::shared().signer(Key::P256), &parameters(), options)
}

fn report(document: &[u8]) -> Report {
    pades::verify(&mut Document::from_bytes(document), VerifyOptions::new()).unwrap()
}

fn reports(document: &[u8]) -> Vec<SignatureReport> {
    report(document).signatures
}

fn looks() -> Vec<u8> {
    include_bytes!("../fixtures/stamps/boxes.png").to_vec()
}

fn visible() -> SignatureOptions {
    let rectangle = Rectangle::new(10.0, 10.0, 80.0, 30.0);
    SignatureOptions::new().visible(Appearance::at(1, rectangle).image(looks()))
}

fn into_field(name: &str) -> SignatureOptions {
    SignatureOptions::new().field(SignatureField::Existing(name.into()))
}

/// Other programs that change documents and verify them.
struct Others {
    dir: TempDir,
    pem: PemFiles,
}

impl Others {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        // pyHanko's time-stamps need an RSA key.
        let pem = Pki::shared().signer(Key::Rsa2048).write_pem_files(dir.path());
        Self { dir, pem }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn by_pyhanko(&self, document: &[u8], command: &str, more: Value) -> Result<Vec<u8>, String> {
        let (file, out) = (self.path("before.pdf"), self.path("after.pdf"));
        std::fs::write(&file, document).unwrap();
        let PemFiles { leaf, key, issuers, .. } = &self.pem;
        let mut request = json!({
            "file": file, "out": out, "key": key, "certificate": leaf, "chain": issuers,
        });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        PyHanko::shared().ask(command, &request)?;
        Ok(std::fs::read(out).unwrap())
    }

    /// Asserts that pyHanko, DSS and `pades::verify` report no forbidden change after
    /// any signature.
    fn assert_accepted(&self, document: &[u8], what: &str) {
        let file = self.path("judged.pdf");
        std::fs::write(&file, document).unwrap();
        for signature in PyHanko::shared().validate(&file, &self.pem.root) {
            assert!(signature["suspicious"].is_null(), "{what}: {signature:#}");
            assert_ne!(signature["docmdp_ok"], json!(false), "{what}: {signature:#}");
        }
        self.assert_not_tampered(document, what);
        assert!(report(document).is_valid(), "{what}: {:?}", report(document));
    }

    /// Asserts that DSS reports no undefined change.
    fn assert_not_tampered(&self, document: &[u8], what: &str) {
        let file = self.path("judged.pdf");
        std::fs::write(&file, document).unwrap();
        for signature in Dss::shared().validate_pdf(&file, &self.pem.root) {
            let undefined = &signature["pdf"]["after"]["undefined"];
            assert_eq!(undefined, &json!([]), "{what}: {signature:#}");
        }
    }
}

/// A page with a text field and two signature fields, one of them visible.
fn with_form() -> Vec<u8> {
    of_objects(
        &[
            "<</Type/Catalog/Pages 2 0 R/AcroForm 8 0 R>>",
            ONE_PAGE,
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Resources<<>>/Contents 4 0 R\
             /Annots[5 0 R 6 0 R 7 0 R]>>",
            "<</Length 1>>\nstream\nq\nendstream",
            "<</FT/Tx/T(text)/Type/Annot/Subtype/Widget/Rect[9 9 99 29]/F 4/P 3 0 R>>",
            "<</FT/Sig/T(seen)/Type/Annot/Subtype/Widget/Rect[9 50 99 80]/F 4/P 3 0 R>>",
            "<</FT/Sig/T(hidden)/Type/Annot/Subtype/Widget/Rect[0 0 0 0]/F 132/P 3 0 R>>",
            "<</Fields[5 0 R 6 0 R 7 0 R]/DA(/Helv 0 Tf 0 g)>>",
        ],
        "",
    )
}

/// A certification allows filling in, signing fields and adding validation data.
#[test]
fn forms_are_filled_signed_and_archived_after_a_certification() {
    let others = Others::new();
    let level = Certification::FormFilling;
    let certified = sign(&with_form(), &SignatureOptions::new().certify(level)).unwrap();
    let fill = json!({ "field": "text", "value": "filled" });
    let filled = others.by_pyhanko(&certified, "fill", fill).unwrap();
    others.assert_accepted(&filled, "filled");
    assert_eq!(reports(&filled)[0].changes, [Change::FormFilling]);
    let once = sign(&filled, &into_field("hidden")).unwrap();
    others.assert_accepted(&once, "signed");
    let seen = into_field("seen").visible(Appearance::in_field().image(looks()));
    let twice = sign(&once, &seen).unwrap();
    others.assert_accepted(&twice, "signed visibly");
    let archived = others.by_pyhanko(&twice, "archive", json!({})).unwrap();
    let archived = others.by_pyhanko(&archived, "archive", json!({})).unwrap();
    others.assert_accepted(&archived, "archived");
    let last = sign(&archived, &SignatureOptions::new()).unwrap();
    others.assert_accepted(&last, "signed again");
    let found = report(&last);
    let kinds =
        |field: &str| found.signatures.iter().find(|s| s.field == field).unwrap().changes.clone();
    use Change::{FormFilling, Signature, TimeStamp, ValidationData};
    assert_eq!(kinds("Signature1"), [ValidationData, TimeStamp, Signature, FormFilling]);
    assert_eq!(kinds("hidden"), [ValidationData, TimeStamp, Signature]);
    assert_eq!(kinds("seen"), [ValidationData, TimeStamp, Signature]);
    assert_eq!(kinds("Signature2"), []);
    assert_eq!(found.time_stamps.len(), 2);
}

/// A certification without changes still allows validation data and time-stamps.
#[test]
fn a_document_without_allowed_changes_can_be_archived() {
    let others = Others::new();
    let level = Certification::NoChanges;
    let certified = sign(&with_form(), &SignatureOptions::new().certify(level)).unwrap();
    let archived = others.by_pyhanko(&certified, "archive", json!({})).unwrap();
    others.assert_accepted(&archived, "archived");
    assert_eq!(reports(&archived)[0].changes, [Change::ValidationData, Change::TimeStamp]);
    let fill = json!({ "field": "text", "value": "filled" });
    let filled = others.by_pyhanko(&archived, "fill", fill).unwrap();
    assert_eq!(reports(&filled)[0].problems, [Problem::ForbiddenChange]);
}

/// A new visible field is allowed after a signature, but not after a certification.
#[test]
fn new_visible_fields_are_forbidden_after_a_certification() {
    let others = Others::new();
    let signed = sign(&with_form(), &SignatureOptions::new()).unwrap();
    let again = sign(&sign(&signed, &visible()).unwrap(), &visible()).unwrap();
    others.assert_accepted(&again, "signed visibly twice");
    assert_eq!(reports(&again)[0].changes, [Change::VisibleSignature]);
    let level = Certification::FormFilling;
    let certified = sign(&with_form(), &SignatureOptions::new().certify(level)).unwrap();
    let more = json!({ "field": "new", "box": [10, 10, 90, 40] });
    let seen = others.by_pyhanko(&certified, "sign", more).unwrap();
    let found = &reports(&seen)[0];
    assert_eq!(found.changes, [Change::VisibleSignature], "{found:?}");
    assert_eq!(found.problems, [Problem::ForbiddenChange]);
}

/// A hidden field that becomes visible when it is signed counts as a new one.
#[test]
fn hidden_fields_cannot_be_shown_after_a_certification() {
    let certify = SignatureOptions::new().certify(Certification::FormFilling);
    let into = |name: &str| into_field(name).visible(Appearance::in_field().image(looks()));
    for (hidden, shown) in [(2, 132), (32, 132), (4 + 16 + 2, 132 + 16)] {
        // Field and widget as one object, and as two.
        let document = of_objects(
            &[
                "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R 5 0 R]>>>>",
                ONE_PAGE,
                "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Annots[4 0 R 6 0 R]>>",
                &format!("<</FT/Sig/T(a)/Type/Annot/Subtype/Widget/Rect[9 9 99 29]/F {hidden}>>"),
                "<</FT/Sig/T(b)/Kids[6 0 R]>>",
                &format!("<</Parent 5 0 R/Type/Annot/Subtype/Widget/Rect[9 50 99 80]/F {hidden}>>"),
            ],
            "",
        );
        let certified = sign(&document, &certify).unwrap();
        for (field, widget) in [("a", 4), ("b", 6)] {
            let refused = sign(&certified, &into(field));
            assert!(matches!(refused, Err(Error::Forbidden { .. })), "{field}: {refused:?}");
            let unseen = sign(&certified, &into_field(field)).unwrap();
            assert!(report(&unseen).is_valid(), "{field} {hidden}");
            let seen = sign(&document, &into(field)).unwrap();
            let widget = object(&seen, widget);
            assert!(widget.contains(&format!(" {shown} ")), "{widget}");
        }
    }
}

/// Documents of every structure are signed by us and by pyHanko, then archived.
#[test]
fn every_structure_is_signed_and_archived_without_a_problem() {
    let others = Others::new();
    for sample in samples().into_iter().filter(|sample| sample.password.is_none()) {
        let Ok(first) = sign(&sample.octets, &SignatureOptions::new()) else { continue };
        let mut document = sign(&first, &visible()).unwrap_or(first);
        // pyHanko cannot sign all of these.
        if let Ok(archived) = others.by_pyhanko(&document, "archive", json!({})) {
            document = archived;
        }
        if let Ok(signed) = others.by_pyhanko(&document, "sign", json!({ "field": "pyHanko" })) {
            document = signed;
        }
        let last = sign(&document, &SignatureOptions::new()).unwrap();
        let found = report(&last);
        for signature in &found.signatures {
            let problems = [Problem::ChangedLater, Problem::ForbiddenChange, Problem::NotARevision];
            let some = signature.problems.iter().any(|problem| problems.contains(problem));
            assert!(signature.intact == Some(true) && !some, "{}: {signature:?}", sample.name);
        }
    }
}

/// An object in the page tree is a page, even without a type.
#[test]
fn a_page_is_recognised_by_its_place_in_the_page_tree() {
    let catalog = "<</Type/Catalog/Pages 2 0 R>>";
    let mut document = of_objects(&[catalog, ONE_PAGE, "<</Parent 2 0 R>>"], "");
    for _ in 0..3 {
        document = sign(&document, &SignatureOptions::new()).unwrap();
    }
    let found = report(&document);
    assert!(found.is_valid() && found.signatures.len() == 3, "{found:?}");
}

#[test]
fn later_changes_are_reported_by_kind_and_forbidden_by_certifications() {
    let document = of_objects(
        &[
            "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[5 0 R]>>>>",
            ONE_PAGE,
            "<</Type/Page/Parent 2 0 R/Annots[4 0 R]/Contents 6 0 R>>",
            "<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/Contents(note)>>",
            "<</FT/Tx/T(text)/V(old)>>",
            "<</Length 1>>\nstream\nq\nendstream",
        ],
        "",
    );
    let filled = (5, "<</FT/Tx/T(text)/V(new)>>");
    let noted = (4, "<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/Contents(other)>>");
    let painted = (6, "<</Length 1>>\nstream\nQ\nendstream");
    let same = (4, "<< /Type /Annot /Subtype /Text /Rect [ 0 0 9 9 ] /Contents <6E6F7465> >>");
    for (change, kinds, forbidden_from) in [
        (filled, vec![Change::FormFilling], Some(Certification::NoChanges)),
        (noted, vec![Change::Annotation], Some(Certification::FormFilling)),
        (painted, vec![Change::Other], Some(Certification::Annotations)),
        (same, vec![], None),
    ] {
        for level in
            [Certification::NoChanges, Certification::FormFilling, Certification::Annotations]
        {
            let certified = sign(&document, &SignatureOptions::new().certify(level)).unwrap();
            let found = &reports(&updated(&certified, &[change]))[0];
            assert!(found.intact == Some(true) && found.covers == Coverage::Part, "{found:?}");
            assert_eq!(found.changes, kinds);
            let forbidden = forbidden_from.is_some_and(|from| level as u8 <= from as u8);
            assert_eq!(found.problems.contains(&Problem::ForbiddenChange), forbidden, "{found:?}");
            let other = kinds.contains(&Change::Other);
            assert_eq!(found.problems.contains(&Problem::ChangedLater), other);
        }
    }
}

/// Counts the octets that are read.
struct Counting<'a> {
    octets: Cursor<&'a [u8]>,
    read: &'a AtomicU64,
}

impl Read for Counting<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let read = self.octets.read(out)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Seek for Counting<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.octets.seek(to)
    }
}

/// A form with many fields and signatures: each object is compared once, not once for
/// each signature.
#[test]
fn the_work_does_not_grow_with_the_number_of_signatures() {
    const FIELDS: usize = 2_000;
    const SIGNATURES: usize = 20;

    let references: String = (0..FIELDS).map(|at| format!("{} 0 R ", at + 4)).collect();
    let catalog = format!("<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[{references}]>>>>");
    let mut objects = vec![catalog, ONE_PAGE.into(), "<</Type/Page/Parent 2 0 R>>".into()];
    objects.extend((0..FIELDS).map(|at| format!("<</FT/Tx/T(f{at})/V({})>>", "x".repeat(200))));
    let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
    let mut document = of_objects(&objects, "");
    for _ in 0..SIGNATURES {
        document = sign(&document, &SignatureOptions::new()).unwrap();
    }
    let read = AtomicU64::new(0);
    let counting = Counting { octets: Cursor::new(&document), read: &read };
    let found = pades::verify(&mut Document::seekable(counting), VerifyOptions::new()).unwrap();
    assert!(found.is_valid() && found.signatures.len() == SIGNATURES, "{found:?}");
    // What all signatures cover is digested once, too.
    let times = read.into_inner() / document.len() as u64;
    assert!(times < 24, "the file was read {times} times");
}

/// A short document with many signatures stays within the limits on reading.
#[test]
fn a_short_document_can_be_signed_many_times() {
    let mut document = with_form();
    for _ in 0..60 {
        document = sign(&document, &SignatureOptions::new()).unwrap();
    }
    let found = report(&document);
    assert!(found.is_valid() && found.signatures.len() == 60);
    assert_eq!(found.signatures[0].changes, [Change::Signature]);
}

/// Hundreds of signatures, each in its own revision, are compared with all later
/// revisions. They have no CMS, because making it would take long.
#[test]
fn hundreds_of_signatures_are_compared() {
    const SIGNATURES: usize = 300;

    let mut document = with_form();
    for _ in 0..SIGNATURES {
        document = sign_pades_by_stub(&document);
    }
    let found = reports(&document);
    assert_eq!(found.len(), SIGNATURES);
    let last = found.iter().filter(|signature| signature.changes.is_empty()).count();
    assert_eq!(last, 1, "only the last signature has no later changes");
    for signature in found {
        assert!(!signature.problems.contains(&Problem::NotCompared), "{signature:?}");
        assert!(matches!(signature.changes[..], [] | [Change::Signature]), "{signature:?}");
    }
}

/// Thousands of updates, each of which fills in a field.
#[test]
fn thousands_of_revisions_are_compared() {
    const FIELDS: usize = 3_000;

    let references: String = (0..FIELDS).map(|at| format!("{} 0 R ", at + 4)).collect();
    let catalog = format!("<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[{references}]>>>>");
    let mut objects = vec![catalog, ONE_PAGE.into(), "<</Type/Page/Parent 2 0 R>>".into()];
    objects.extend((0..FIELDS).map(|at| format!("<</FT/Tx/T(f{at})>>")));
    let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
    let mut document = sign(&of_objects(&objects, ""), &SignatureOptions::new()).unwrap();
    let mut previous: usize = last_between(&document, "startxref\n", "\n").parse().unwrap();
    for at in 0..FIELDS {
        let (number, place) = (at + 4, document.len());
        let filled = format!("{number} 0 obj\n<</FT/Tx/T(f{at})/V(x)>>\nendobj\n");
        let start = place + filled.len();
        let section = format!(
            "xref\n{number} 1\n{place:010} 00000 n \ntrailer\n<</Size 9999/Root 1 0 R/Prev \
             {previous}>>\nstartxref\n{start}\n%%EOF\n"
        );
        previous = start;
        document.extend_from_slice(filled.as_bytes());
        document.extend_from_slice(section.as_bytes());
    }
    let found = report(&document);
    assert!(found.is_valid(), "{:?}", found.signatures);
    assert_eq!(found.signatures[0].changes, [Change::FormFilling]);
    assert_eq!(found.sections.len(), FIELDS + 2);
}

/// For documents of the corpus that Acrobat, DSS and others signed, filled in and
/// archived, our verdicts are those of pyHanko.
#[test]
fn our_verdicts_on_the_corpus_are_those_of_pyhanko() {
    // pyHanko reports more about these: entries of /VRI were written again; an
    // appearance was replaced that the trailer refers to as well.
    const STRICTER: [(&str, &str); 2] = [
        ("dss__41500438__Signature-P-HU_POL-7.pdf", "Signature-20191101-155926"),
        ("pyHanko__ed0f7f58__form-update-ap-indirect-sneaky-trailer.pdf", "Sig1"),
    ];

    let expected: BTreeMap<String, Value> =
        serde_json::from_str(include_str!("../fixtures/pdf/expected.json")).unwrap();
    let Some(corpus) = corpora::files("pdf") else { return };
    let mut compared = 0;
    for file in &corpus {
        let (name, judges) = (file.name, &expected[file.name]);
        let Some(judged) = judges["pyhanko"]["signatures"].as_array() else { continue };
        let octets = file.read();
        let source = &mut Document::from_bytes(octets.as_slice());
        let Ok(report) = pades::verify(source, VerifyOptions::new()) else { continue };
        for signature in &report.signatures {
            let Some(judged) = judged.iter().find(|j| j["field"] == *signature.field) else {
                continue;
            };
            let (Value::String(level), allowed) =
                (&judged["modification_level"], &judged["docmdp_ok"])
            else {
                continue;
            };
            let changed = [
                Problem::ChangedLater,
                Problem::ForbiddenChange,
                Problem::AnnotatedLater,
                Problem::NotARevision,
            ];
            let unknown = signature.covers == Coverage::Unknown;
            let found =
                unknown || signature.problems.iter().any(|problem| changed.contains(problem));
            let expected = level == "OTHER" || *allowed == json!(false);
            let stricter = STRICTER.contains(&(name, signature.field.as_str()));
            assert_eq!(found, expected && !stricter, "{name}: {signature:?}");
            compared += 1;
        }
    }
    assert!(compared > 20, "{compared}");
}

/// The same content after another reference, as products write it that renew archives.
#[test]
fn equal_content_after_another_reference_is_not_a_change() {
    let others = Others::new();
    const PAGE: &str = "/Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]";
    const CONTENT: &str = "<</Length 28>>\nstream\nBT /F 24 Tf 9 9 Td(1)Tj ET q\nendstream";
    let document = of_objects(
        &[
            "<</Type/Catalog/Pages 2 0 R/ViewerPreferences<</FitWindow true>>>>",
            ONE_PAGE,
            &format!("<<{PAGE}/Resources<</Font<</F 5 0 R>>>>/Contents 4 0 R>>"),
            CONTENT,
            "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Next 6 0 R>>",
            "<</Back 5 0 R>>",
        ],
        "",
    );
    let signed = sign(&document, &SignatureOptions::new()).unwrap();
    let annotations = last_between(&signed, "/Annots [", "]");
    let page = |more: &str| format!("<<{PAGE}{more}/Annots[{annotations}]>>");
    let font = |number: u32| {
        [
            (
                number,
                format!("<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Next {} 0 R>>", number + 1),
            ),
            (number + 1, format!("<</Back {number} 0 R>>")),
        ]
    };
    let resources = "/Resources<</Font<</F 5 0 R>>>>";
    let other_content = CONTENT.replace("(1)", "(9)");
    let shown = page(&format!("{resources}/Contents 60 0 R"));
    let by_font = page("/Resources<</Font<</F 62 0 R>>>>/Contents 4 0 R");
    let [first, second] = font(62);
    let other_font = (62, first.1.replace("Helvetica", "Courier"));
    let with = |objects: &[(u32, &str)]| updated(&signed, objects);
    for (what, changed, honest) in [
        (
            "resources",
            with(&[
                (3, &page("/Resources 60 0 R/Contents 4 0 R")),
                (60, "<</Font 61 0 R>>"),
                (61, "<</F 5 0 R>>"),
            ]),
            true,
        ),
        (
            "other resources",
            with(&[
                (3, &page("/Resources 60 0 R/Contents 4 0 R")),
                (60, "<</Font 61 0 R>>"),
                (61, "<</F 5 0 R/G 5 0 R>>"),
            ]),
            false,
        ),
        ("a stream", with(&[(3, &shown), (60, CONTENT)]), true),
        ("another stream", with(&[(3, &shown), (60, &other_content)]), false),
        ("no stream", with(&[(3, &shown)]), false),
        ("a stream again", with(&[(4, CONTENT)]), true),
        ("another stream again", with(&[(4, &other_content)]), false),
        ("a circle", with(&[(3, &by_font), (first.0, &first.1), (second.0, &second.1)]), true),
        (
            "another circle",
            with(&[(3, &by_font), (other_font.0, &other_font.1), (second.0, &second.1)]),
            false,
        ),
        (
            "a copy that a second update changes",
            updated(&with(&[(3, &shown), (60, CONTENT)]), &[(60, &other_content)]),
            false,
        ),
    ] {
        let report = report(&changed);
        assert_eq!(report.is_valid(), honest, "{what}: {report:?}");
        if honest {
            others.assert_not_tampered(&changed, what);
        } else {
            assert_eq!(report.signatures[0].problems, [Problem::ChangedLater], "{what}");
        }
    }
}

//! What `check` reports before anybody is asked to sign.

use ades_core::Document;
use ades_tests::fonts;
use ades_tests::oracle::dss::Dss;
use ades_tests::oracle::pades::all_accept;
use ades_tests::oracle::pdf::pdfsig;
use ades_tests::oracle::pyhanko::PyHanko;
use ades_tests::pdf::by_hand::{ONE_PAGE, of_objects};
use ades_tests::pdf::{self, wrong_startxref};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{parameters, sign_pades};
use pades::{
    Appearance, Certification, Checked, Error, Rectangle, SignatureField, SignatureOptions, Warning,
};
use serde_json::json;
use tempfile::TempDir;

const PAGE: &str = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>";

fn check(document: &[u8], options: &SignatureOptions) -> Result<Checked, Error> {
    pades::check(&mut Document::from_bytes(document), &parameters(), options)
}

fn sign(document: &[u8], options: &SignatureOptions) -> Result<Vec<u8>, Error> {
    sign_pades(document, Pki::shared().signer(Key::P256), &parameters(), options)
}

fn document(catalog: &str, more: &[&str]) -> Vec<u8> {
    let catalog = format!("<</Type/Catalog/Pages 2 0 R{catalog}>>");
    let mut objects = vec![catalog.as_str(), ONE_PAGE, PAGE];
    objects.extend(more);
    of_objects(&objects, "")
}

fn stream(data: &str) -> String {
    format!("<</Length {}>>\nstream\n{data}\nendstream", data.len())
}

#[test]
fn check_refuses_what_prepare_refuses() {
    let plain = pdf::Document { signature_fields: &["Here"], ..Default::default() }.write();
    let options = SignatureOptions::new;
    let closed = sign(&plain, &options().certify(Certification::NoChanges)).unwrap();
    for (document, options, why) in [
        (&closed, options(), "DocMDP 1"),
        (&plain, options().page(3), "no page number 3"),
        (&plain, options().field(SignatureField::Existing("There".into())), "no field"),
        (&plain, options().field(SignatureField::NewNamed("Here".into())), "already"),
        (&plain, options().reason(" "), "empty"),
        (&wrong_startxref(&plain), options(), "cross-reference"),
        (
            &plain,
            options().visible(
                Appearance::at(1, Rectangle::new(0.0, 0.0, 9.0, 9.0)).image(b"x".as_slice()),
            ),
            "neither PNG nor JPEG",
        ),
    ] {
        let error = check(document, &options).unwrap_err();
        assert!(error.to_string().contains(why), "{error} does not contain {why}");
        assert_eq!(error.to_string(), sign(document, &options).unwrap_err().to_string());
    }
    let fits = check(&plain, &options()).unwrap();
    assert_eq!((fits.warnings(), fits.page()), (&[][..], None));
    assert!(fits.state_len() < 4096, "{fits:?}");
    let image = {
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, 600, 600);
        encoder.set_color(png::ColorType::Grayscale);
        let mut random = 1u32;
        let noise = std::iter::repeat_with(|| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            random.to_be_bytes()[0]
        });
        let pixels: Vec<u8> = noise.take(600 * 600).collect();
        encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
        out
    };
    let seen = Appearance::at(1, Rectangle::new(9.0, 9.0, 99.0, 99.0)).image(image.clone());
    let large = check(&plain, &options().visible(seen)).unwrap();
    assert!(large.state_len() > image.len(), "{} octets", large.state_len());
}

#[test]
fn check_returns_the_page_of_a_visible_signature() {
    let document = pdf::Document { signature_fields: &["Here"], ..Default::default() }.write();
    let page = |options: SignatureOptions| check(&document, &options).unwrap().page();
    let looks = Appearance::at(2, Rectangle::new(9.0, 9.0, 99.0, 30.0)).text("x", fonts::sans());
    assert_eq!(page(SignatureOptions::new().visible(looks)), Some(2));
    let field = SignatureField::Existing("Here".into());
    let looks = Appearance::in_field().text("x", fonts::sans());
    assert_eq!(page(SignatureOptions::new().field(field.clone()).visible(looks)), Some(1));
    assert_eq!(page(SignatureOptions::new().field(field)), None);
}

/// `check` and `prepare` return the same warnings, and the signature is valid.
#[test]
fn documents_with_peculiarities_get_warnings() {
    let dir = TempDir::new().unwrap();
    let rights = "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/adbe.pkcs7.detached\
         /ByteRange[0 10 20 10]/Contents<00>/Reference[<</Type/SigRef/TransformMethod/UR3\
         /TransformParams<</Type/TransformParams/V/2.2/Document[/FullSave]/Form[/FillIn]>>>>]>>";
    let settings = stream("<config><dynamicRender>forbidden</dynamicRender></config>");
    for (document, expected) in [
        (
            document("/Perms<</UR3 4 0 R>>/AcroForm<</Fields[]>>", &[rights]),
            vec![Warning::UsageRights],
        ),
        (document("/Perms 4 0 R", &["<</UR 5 0 R>>", rights]), vec![Warning::UsageRights]),
        (document("/AcroForm<</Fields[]/XFA[(config)4 0 R]>>", &[&settings]), vec![Warning::Xfa]),
        (
            document("/AcroForm<</Fields[]/XFA 4 0 R>>", &[&stream("<template/>")]),
            vec![Warning::Xfa],
        ),
        (
            document("/AcroForm<</Fields[]/NeedAppearances true>>", &[]),
            vec![Warning::NeedAppearances],
        ),
        (document("/AcroForm<</Fields[]/NeedAppearances false>>", &[]), vec![]),
        (document("", &[]), vec![]),
    ] {
        let options = SignatureOptions::new();
        assert_eq!(check(&document, &options).unwrap().warnings(), expected);
        let chain = &Pki::shared().signer(Key::P256).chain;
        let mut source = Document::from_bytes(&document);
        let pending = pades::prepare(&mut source, chain, &parameters(), &options).unwrap();
        assert_eq!(pending.warnings(), expected);
        let signed = sign(&document, &options).unwrap();
        let path = dir.path().join("signed.pdf");
        std::fs::write(&path, &signed).unwrap();
        all_accept(&path, 1);
        // The signed document gets the same warnings.
        assert_eq!(check(&signed, &options).unwrap().warnings(), expected);
    }
    fields_that_others_do_not_find(&dir);
    // pdfsig alone reads a signed document with octets before its header.
    let late = pdf::junk_before(&document("", &[]));
    for octets in [late, [b"\n", &*document("", &[])].concat()] {
        let options = SignatureOptions::new();
        assert_eq!(check(&octets, &options).unwrap().warnings(), [Warning::HeaderNotFirst]);
        let path = dir.path().join("late.pdf");
        std::fs::write(&path, sign(&octets, &options).unwrap()).unwrap();
        assert!(pdfsig(&path, None).unwrap()[0].valid);
        let request = json!({ "file": path });
        assert!(Dss::shared().try_validate_pdf(&request).is_err());
        assert!(PyHanko::shared().try_validate(&request).is_err());
    }
    let broken = wrong_startxref(&document("", &[]));
    let repaired = check(&broken, &SignatureOptions::new().repair()).unwrap();
    assert_eq!(repaired.warnings(), [Warning::Repaired]);
}

fn fields_that_others_do_not_find(dir: &TempDir) {
    const WIDGET: &str = "/Type/Annot/Subtype/Widget/Rect[0 0 0 0]/F 132/P 3 0 R";
    let existing =
        |name: &str| SignatureOptions::new().field(SignatureField::Existing(name.into()));
    let path = dir.path().join("field.pdf");
    let write = |octets: &[u8]| std::fs::write(&path, octets).unwrap();

    let apart = document(
        "/AcroForm<</Fields[4 0 R]>>",
        &["<</FT/Sig/T(S)/Kids[5 0 R]>>", &format!("<<{WIDGET}/Parent 4 0 R>>")],
    );
    let warnings = check(&apart, &existing("S")).unwrap().warnings().to_vec();
    assert_eq!(warnings, [Warning::FieldApartFromWidget]);
    write(&sign(&apart, &existing("S")).unwrap());
    assert!(pdfsig(&path, None).unwrap().is_empty());

    let field = |parent: u32| format!("<<{WIDGET}/FT/Sig/T(S)/Parent {parent} 0 R>>");
    let alike = document(
        "/AcroForm<</Fields[4 0 R 6 0 R]>>",
        &["<</T(a)/Kids[5 0 R]>>", &field(4), "<</T(b)/Kids[7 0 R]>>", &field(6)],
    );
    let warnings = check(&alike, &existing("a.S")).unwrap().warnings().to_vec();
    assert_eq!(warnings, [Warning::FieldNamesAlike]);
    let once = sign(&alike, &existing("a.S")).unwrap();
    write(&sign(&once, &existing("b.S")).unwrap());
    let verdicts = Dss::shared().try_validate_pdf(&json!({ "file": path })).unwrap();
    let verdicts = verdicts["signatures"].as_array().unwrap();
    assert!(verdicts.iter().any(|it| it["indication"] == "TOTAL_FAILED"), "{verdicts:?}");
}

#[test]
fn dynamic_forms_are_refused_however_they_are_written() {
    let required = "<dynamicRender>required</dynamicRender>";
    let whole =
        stream(&format!("<xdp:xdp><config><acrobat7>{required}</acrobat7></config></xdp:xdp>"));
    let settings = stream(&format!("<config>{required}</config>"));
    for (catalog, more) in [
        ("/AcroForm<</Fields[]/XFA 4 0 R>>", vec![whole.as_str()]),
        ("/AcroForm<</Fields[]/XFA[(template)5 0 R(config)4 0 R]>>", vec![&settings, "null"]),
        ("/AcroForm<</Fields[]/XFA 5 0 R>>", vec![&settings, "[(config)4 0 R]"]),
        ("/NeedsRendering true", vec![]),
    ] {
        let refused = check(&document(catalog, &more), &SignatureOptions::new());
        assert!(matches!(refused, Err(Error::Forbidden { .. })), "{catalog}: {refused:?}");
    }
}

//! Forms, pages and catalogs in every spelling: where the signature goes, and which
//! octets must not change.

use ades_core::Document;
use ades_tests::pdf::by_hand::{ONE_PAGE, number_of, object, of_objects, updated};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::parameters;
use pades::report::{Problem, SignatureReport};
use pades::{
    Appearance, Certification, Error, FieldLock, Rectangle, SignatureField, SignatureOptions,
    VerifyOptions,
};

const IMAGE: &[u8] = include_bytes!("../fixtures/stamps/boxes.png");

/// Objects 1 (the catalog), 2 (the pages), 3 (the page) and more.
fn pdf(objects: &[&str]) -> Vec<u8> {
    of_objects(objects, "")
}

fn sign(document: &[u8], options: &SignatureOptions) -> Result<Vec<u8>, Error> {
    let signer = Pki::shared().signer(Key::P256);
    let mut source = Document::from_bytes(document);
    let pending = pades::prepare(&mut source, &signer.chain, &parameters(), options)?;
    let value = signer.sign(&pending.to_be_signed());
    let mut out = Vec::new();
    pending.complete(Some(&mut source), &value, &mut out)?;
    Ok(out)
}

fn reports(document: &[u8]) -> Vec<SignatureReport> {
    pades::verify(&mut Document::from_bytes(document), VerifyOptions::new()).unwrap().signatures
}

#[test]
fn annotations_and_fields_are_extended_in_every_spelling() {
    let annotation = "<</Type/Annot/Subtype/Link/Rect[0 0 9 9]>>";
    let text = "<</FT/Tx/T(text)>>";
    for (annots, expected) in [
        ("", "/Annots [6 0 R"),
        ("/Annots null", "/Annots [6 0 R"),
        ("/Annots[4 0 R]", "/Annots[4 0 R 6 0 R"),
        ("/Annots[]", "/Annots[ 6 0 R"),
        ("/Annots[4 0 R%]\n]", "/Annots[4 0 R%]\n 6 0 R"),
    ] {
        for form in [
            "",
            "/AcroForm<</Fields[5 0 R]/DA(/F 1 Tf)/DR<</Font<</F 4 0 R>>>>/NeedAppearances true>>",
            "/AcroForm<</Fields[]/SigFlags 1>>",
            "/AcroForm null",
        ] {
            let kept = "/ViewerPreferences<</HideMenubar true>>/PageLabels<</Nums[0<</S/D>>]>>";
            let document = pdf(&[
                &format!("<</Type/Catalog/Pages 2 0 R{form}{kept}>>"),
                ONE_PAGE,
                &format!("<</Type/Page/Parent 2 0 R{annots}/Resources<</Font<<>>>>/Rotate 90>>"),
                annotation,
                text,
            ]);
            let signed = sign(&document, &SignatureOptions::new()).unwrap();
            let new = number_of(&signed, "<</Type/Annot/Subtype/Widget");
            let page = object(&signed, 3).replace(&format!("{new} 0 R"), "6 0 R");
            let shape = |text: &str| text.replace("  ", " ");
            assert!(shape(&page).contains(expected), "{page}");
            assert!(page.contains("/Resources<</Font<<>>>>/Rotate 90"), "{page}");
            let catalog = object(&signed, 1);
            assert!(catalog.contains(kept), "{catalog}");
            if form.contains("/DA") {
                for key in ["/DA(/F 1 Tf)", "/DR<</Font<</F 4 0 R>>>>", "/NeedAppearances true"] {
                    assert!(catalog.contains(key), "{catalog}");
                }
                assert!(catalog.contains("/Fields[5 0 R "), "{catalog}");
            }
            let found = reports(&signed);
            assert!(found[0].intact == Some(true) && found[0].problems.is_empty(), "{found:?}");
            assert_eq!(reports(&sign(&signed, &SignatureOptions::new()).unwrap()).len(), 2);
        }
    }
}

#[test]
fn an_array_that_pages_share_does_not_change() {
    let document = pdf(&[
        "<</Type/Catalog/Pages 2 0 R/AcroForm 5 0 R>>",
        "<</Type/Pages/Count 2/Kids[3 0 R 7 0 R]>>",
        "<</Type/Page/Parent 2 0 R/Annots 4 0 R>>",
        "[8 0 R]",
        "<</Fields 6 0 R/Custom(kept)>>",
        "[]",
        "<</Type/Page/Parent 2 0 R/Annots 4 0 R>>",
        "<</Type/Annot/Subtype/Link/Rect[0 0 9 9]>>",
    ]);
    let signed = sign(&document, &SignatureOptions::new().page(2)).unwrap();
    // The other page shares the array: it must not get the widget.
    assert_eq!(object(&signed, 4), "[8 0 R]");
    assert_eq!(object(&signed, 3), "<</Type/Page/Parent 2 0 R/Annots 4 0 R>>");
    assert!(object(&signed, 7).contains("[8 0 R "));
    assert!(object(&signed, 5).contains("/Custom(kept)"));
    assert!(object(&signed, 6).contains(" 0 R"));
    assert!(reports(&signed)[0].problems.is_empty());
    let three = SignatureOptions::new().page(3);
    assert!(matches!(sign(&document, &three), Err(Error::NoSuchPage { page: 3, .. })));
}

#[test]
fn a_new_field_gets_the_first_free_name() {
    let document = pdf(&[
        "<</Pages 2 0 R/AcroForm<</Fields[4 0 R 7 0 R]>>>>",
        ONE_PAGE,
        "<</Type/Page/Parent 2 0 R>>",
        "<</T(group)/FT/Sig/Kids[5 0 R 6 0 R]>>",
        "<</T(one)/Parent 4 0 R/Type/Annot/Subtype/Widget/Rect[0 0 0 0]>>",
        "<</T<FEFF017D006C>/Parent 4 0 R>>",
        "<</T(Signature1)/FT/Tx>>",
    ]);
    let existing =
        |name: &str| SignatureOptions::new().field(SignatureField::Existing(name.into()));
    for name in ["group.one", "group.Žl"] {
        let signed = sign(&document, &existing(name)).unwrap();
        assert_eq!(reports(&signed)[0].field, name);
    }
    assert!(matches!(sign(&document, &existing("Signature1")), Err(Error::FieldNotFit { .. })));
    let new = sign(&document, &SignatureOptions::new()).unwrap();
    assert_eq!(reports(&new)[0].field, "Signature2");
}

#[test]
fn seed_values_and_locks_are_honoured_or_refused() {
    let sign_seeded = |seed: &str, options: SignatureOptions| {
        let field = format!("<</T(s)/FT/Sig{seed}>>");
        let document = pdf(&[
            "<</Pages 2 0 R/AcroForm<</Fields[4 0 R 5 0 R]>>>>",
            ONE_PAGE,
            "<</Type/Page/Parent 2 0 R>>",
            &field,
            "<</T(other)/FT/Sig>>",
        ]);
        sign(&document, &options.field(SignatureField::Existing("s".into())))
    };
    let plain = SignatureOptions::new;
    for fits in [
        "/SV<</Filter/Adobe.PPKLite/SubFilter[/adbe.pkcs7.detached/ETSI.CAdES.detached]/Ff 3>>",
        "/SV<</SubFilter[/adbe.pkcs7.detached]>>",
        "/SV<</DigestMethod[(SHA512)(SHA256)]/Ff 64>>",
        "/SV<</Reasons[(.)]/Ff 8>>",
        "/SV<</MDP<</P 0>>>>",
        "/SV<</TimeStamp<</URL(x)/Ff 0>>>>",
    ] {
        sign_seeded(fits, plain()).unwrap_or_else(|e| panic!("{fits}: {e}"));
    }
    for refused in [
        "/SV<</Filter/Other/Ff 1>>",
        "/SV<</SubFilter[/adbe.pkcs7.detached]/Ff 2>>",
        "/SV<</DigestMethod[(SHA1)]/Ff 64>>",
        "/SV<</Reasons[(Agreed)]/Ff 8>>",
        "/SV<</MDP<</P 2>>>>",
        "/SV<</TimeStamp<</URL(x)/Ff 1>>>>",
        "/SV<</Cert<</Issuer[(x)]/Ff 2>>>>",
        "/SV<</AddRevInfo true/Ff 32>>",
        "/Lock<</Action/All/P 0>>",
        "/Lock<</Action/All/P(1)>>",
    ] {
        let refusal = sign_seeded(refused, plain());
        assert!(matches!(refusal, Err(Error::FieldNotFit { .. })), "{refused}: {refusal:?}");
    }
    sign_seeded("/SV<</Reasons[(Agreed)]/Ff 8>>", plain().reason("Agreed")).unwrap();

    let locked = sign_seeded("/Lock<</Action/Include/Fields[(other)]>>", plain()).unwrap();
    let other = plain().field(SignatureField::Existing("other".into()));
    assert!(matches!(sign(&locked, &other), Err(Error::Forbidden { .. })));
    let third = sign(&locked, &plain()).unwrap();
    assert!(reports(&third).iter().all(|s| s.problems.is_empty()), "{:?}", reports(&third));
}

#[test]
fn a_signature_locks_the_requested_fields() {
    let document = pdf(&[
        "<</Pages 2 0 R/AcroForm<</Fields[4 0 R 5 0 R 6 0 R 7 0 R]>>>>",
        ONE_PAGE,
        "<</Type/Page/Parent 2 0 R>>",
        "<</T(a)/FT/Sig>>",
        "<</T(b)/FT/Sig>>",
        "<</T(locks)/FT/Sig/Lock<</Action/All>>>>",
        "<</T(text)/FT/Tx>>",
    ]);
    let into = |name: &str| SignatureOptions::new().field(SignatureField::Existing(name.into()));
    let lock = FieldLock::Include(vec!["a".into(), "text".into()]);
    for options in [SignatureOptions::new(), into("b")] {
        let signed = sign(&document, &options.lock(lock.clone())).unwrap();
        assert!(reports(&signed)[0].problems.is_empty(), "{:?}", reports(&signed));
        let refused = sign(&signed, &into("a"));
        assert!(matches!(refused, Err(Error::Forbidden { .. })), "{refused:?}");
        let filled = updated(&signed, &[(7, "<</T(text)/FT/Tx/V(filled)>>")]);
        assert!(reports(&filled)[0].problems.contains(&Problem::ForbiddenChange));
    }
    let refused = sign(&document, &into("locks").lock(lock));
    assert!(matches!(refused, Err(Error::FieldNotFit { .. })), "{refused:?}");
    for nonsense in [vec![], vec![String::new()]] {
        let refused = sign(&document, &SignatureOptions::new().lock(FieldLock::Exclude(nonsense)));
        assert!(matches!(refused, Err(Error::Core(_))), "{refused:?}");
    }
}

#[test]
fn the_lock_of_a_signed_field_restricts_the_whole_document() {
    let document = pdf(&[
        "<</Pages 2 0 R/AcroForm<</Fields[4 0 R]>>>>",
        ONE_PAGE,
        "<</Type/Page/Parent 2 0 R>>",
        "<</T(s)/FT/Sig>>",
    ]);
    let options = SignatureOptions::new().field(SignatureField::Existing("s".into()));
    let signed = sign(&document, &options).unwrap();
    sign(&signed, &SignatureOptions::new()).unwrap();
    let field = object(&signed, 4);
    let locked = |level: u8| {
        let entries = &field[..field.len() - 2];
        let field = format!("{entries}/Lock<</Action/Exclude/Fields[]/P {level}>>>>");
        updated(&signed, &[(4, &field)])
    };
    let refused = sign(&locked(1), &SignatureOptions::new());
    assert!(matches!(refused, Err(Error::Forbidden { .. })), "{refused:?}");
    assert!(reports(&locked(1))[0].problems.contains(&Problem::ForbiddenChange));
    let looks = Appearance::at(1, Rectangle::new(9.0, 9.0, 99.0, 30.0)).image(IMAGE);
    let seen = SignatureOptions::new().visible(looks);
    sign(&signed, &seen).unwrap();
    for level in [2, 3] {
        sign(&locked(level), &SignatureOptions::new()).unwrap();
        let refused = sign(&locked(level), &seen);
        assert!(matches!(refused, Err(Error::Forbidden { .. })), "{level}: {refused:?}");
    }
}

/// As Acrobat and pyHanko do, the signature repeats the lock's level in FieldMDP.
#[test]
fn a_lock_with_a_level_takes_an_approval_signature() {
    for level in 1..=3 {
        let field = format!("<</T(s)/FT/Sig/Lock<</Action/Include/Fields[(a)]/P {level}>>>>");
        let document = pdf(&[
            "<</Pages 2 0 R/AcroForm<</Fields[4 0 R 5 0 R 6 0 R]>>>>",
            ONE_PAGE,
            "<</Type/Page/Parent 2 0 R>>",
            &field,
            "<</T(a)/FT/Tx>>",
            "<</T(b)/FT/Tx>>",
        ]);
        let into = SignatureOptions::new().field(SignatureField::Existing("s".into()));
        let signed = sign(&document, &into).unwrap();
        let dictionary = object(&signed, number_of(&signed, "<</Type/Sig"));
        assert!(dictionary.contains(&format!("/Fields[(a)]/P {level}>>")), "{dictionary}");
        let report = &reports(&signed)[0];
        assert!(report.intact == Some(true) && report.problems.is_empty(), "{report:?}");
        assert_eq!(report.certification, None);

        // The level counts although another program leaves out the field's lock.
        let without = updated(&signed, &[(4, &object(&signed, 4).replace("/Lock", "/Kcol"))]);
        let filled = updated(&without, &[(6, "<</T(b)/FT/Tx/V(x)>>")]);
        let forbidden = reports(&filled)[0].problems.contains(&Problem::ForbiddenChange);
        let again = sign(&signed, &SignatureOptions::new());
        match level {
            1 => assert!(forbidden && matches!(again, Err(Error::Forbidden { .. })), "{again:?}"),
            _ => {
                let report = &reports(&again.unwrap())[0];
                assert!(report.problems.is_empty(), "{report:?}");
            }
        }

        let certify = |level| sign(&document, &into.clone().certify(level));
        let laxer = certify(Certification::Annotations);
        assert_eq!(laxer.is_ok(), level == 3, "{laxer:?}");
        let certified = certify(Certification::NoChanges).unwrap();
        let dictionary = object(&certified, number_of(&certified, "<</Type/Sig"));
        assert!(dictionary.contains("/Fields[(a)]/P 1>>"), "{dictionary}");
        assert!(reports(&certified)[0].problems.is_empty());
    }
}

#[test]
fn a_lone_annotation_stays_when_it_becomes_an_array() {
    const NOTE: &str = "<</Type/Annot/Subtype/Text/Rect[9 9 30 30]/Contents(Note)>>";
    const FIELD: &str = "<</T(s)/FT/Sig/Type/Annot/Subtype/Widget/Rect[0 0 0 0]/F 132/P 3 0 R>>";
    for (annotations, fields, more, expected) in [
        (NOTE, "4 0 R", FIELD, NOTE),
        ("5 0 R", "4 0 R", FIELD, "5 0 R"),
        // The lone annotation is the widget that is signed first.
        ("4 0 R", "4 0 R", FIELD, "4 0 R"),
    ] {
        let document = pdf(&[
            &format!("<</Pages 2 0 R/AcroForm<</Fields[{fields}]>>>>"),
            ONE_PAGE,
            &format!("<</Type/Page/Parent 2 0 R/Annots {annotations}>>"),
            more,
            NOTE,
        ]);
        let into = SignatureOptions::new().field(SignatureField::Existing("s".into()));
        let first = sign(&document, &into).unwrap();
        let second = sign(&first, &SignatureOptions::new()).unwrap();
        let page = object(&second, 3);
        assert!(page.contains(&format!("[{expected} ")), "{page}");
        for report in reports(&second) {
            assert!(report.intact == Some(true) && report.problems.is_empty(), "{report:?}");
        }
        let moved = NOTE.replace("[9 9 30 30]", "[0 0 99 99]");
        let changed = updated(&first, &[(5, &moved)]);
        let problems = &reports(&changed)[0].problems;
        assert_eq!(problems.is_empty(), annotations != "5 0 R", "{annotations}: {problems:?}");
    }
}

#[test]
fn a_dynamic_form_is_refused() {
    let document = pdf(&[
        "<</Pages 2 0 R/NeedsRendering true/AcroForm<</Fields[]/XFA(x)>>>>",
        ONE_PAGE,
        "<</Type/Page/Parent 2 0 R>>",
    ]);
    assert!(matches!(sign(&document, &SignatureOptions::new()), Err(Error::Forbidden { .. })));
}

#[test]
fn a_signature_cannot_be_moved_to_other_octets() {
    let document = pdf(&["<</Pages 2 0 R>>", ONE_PAGE, "<</Type/Page/Parent 2 0 R>>"]);
    let signed = sign(&document, &SignatureOptions::new()).unwrap();
    let number = number_of(&signed, "<</Type/Sig/");
    // A copy of the dictionary at the end, with the old ranges.
    let copy = object(&signed, number);
    let wrapped = updated(&signed, &[(number, &copy)]);
    let found = &reports(&wrapped)[0];
    assert!(found.intact != Some(true), "{found:?}");
    assert!(found.problems.contains(&Problem::ByteRangeGap));
    // Without contents, without ranges, or with null in their place.
    for (from, to) in
        [("/Contents<", "/Contentz<"), ("/ByteRange[", "/ByteRangf["), ("/Contents<", "/V/X/Cont<")]
    {
        let forged = updated(&signed, &[(number, &copy.replace(from, to))]);
        assert!(reports(&forged).iter().all(|s| s.intact != Some(true)), "{to}");
    }
}

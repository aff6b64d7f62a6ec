//! Options and their stored form.

use ades::signer::{Capabilities, Language};
use ades::{
    Canonicalization, Certification, CommitmentType, DigestAlgorithm, Document, Error, FieldLock,
    Format, IdAttributes, Operation, Packaging, PdfOptions, Position, ProductionPlace,
    ReadingOptions, Rectangle, SignatureAlgorithm, SigningOptions, Stamp, StampPosition,
    TimeFormat, XmlOptions, parse,
};

use crate::pki::{Signer, options, pdf};

fn full() -> SigningOptions {
    let place = ProductionPlace { city: Some("Gent".to_owned()), ..ProductionPlace::default() };
    let rectangle = Rectangle::new(20.0, 20.5, 100.0, 40.0);
    let stamp = Stamp::new(StampPosition::Page { page: 1, rectangle })
        .text("{name}")
        .time(
            TimeFormat::new()
                .language(Language::Fr)
                .utc_offset(parse::utc_offset("+02:00").unwrap()),
        )
        .qr_code("urn:example:{time}")
        .alignment(parse::alignment("right,top").unwrap())
        .border(parse::border("0.5,003399").unwrap())
        .background(parse::colour("FFEECC").unwrap());
    let pdf = PdfOptions::new()
        .name("Name")
        .reason("Reason")
        .location("Location")
        .contact("Contact")
        .field("Field")
        .certify(Certification::FormFilling)
        .lock(FieldLock::Exclude(vec!["a".to_owned()]))
        .stamp(stamp)
        .repair()
        .ignore_permissions()
        .application("program", "1.0");
    let reading = ReadingOptions::new()
        .ids(IdAttributes::default().and("urn:a", "Ref"))
        .ignore_external_subset();
    let xml = XmlOptions::new()
        .element("e")
        .position(Position::After(parse::first_element("{urn:a}b").unwrap()))
        .canonicalization(Canonicalization::C14N_1_1)
        .allow_parallel()
        .production_place(place)
        .reading(reading);
    let mut options = options()
        .operation(Operation::Countersign { which: vec![1, 0] })
        .format(Format::Xades)
        .packaging(Packaging::EnvelopingBase64)
        .digest(DigestAlgorithm::Sha512)
        .pdf(pdf)
        .xml(xml);
    options.parameters = options.parameters.commitment(CommitmentType::APPROVAL);
    options
}

#[test]
fn stored_options_are_restored() {
    for options in [options(), full()] {
        let stored = serde_json::to_string(&options).unwrap();
        let restored: SigningOptions = serde_json::from_str(&stored).unwrap();
        assert_eq!(restored, options, "{stored}");
        assert_eq!(serde_json::to_string(&restored).unwrap(), stored);
    }
    assert_eq!(
        serde_json::to_string(&options()).unwrap(),
        r#"{"operation":"sign","parameters":{"signing-time":"2026-09-21T14:13:20Z"}}"#
    );
    let unknown =
        r#"{"operation":"sign","parameters":{"signing-time":"2026-09-21T14:13:20Z"},"x":1}"#;
    assert!(serde_json::from_str::<SigningOptions>(unknown).is_err());
}

/// A stamp that an earlier version stored has the defaults of the options that are new since.
#[test]
fn older_stamps_are_restored() {
    let rectangle = r#"{"left":20000,"bottom":20000,"width":100000,"height":40000}"#;
    let stored =
        format!(r#"{{"position":{{"page":{{"page":1,"rectangle":{rectangle}}}}},"text":"x"}}"#);
    let restored: Stamp = serde_json::from_str(&stored).unwrap();
    let rectangle = Rectangle::new(20.0, 20.0, 100.0, 40.0);
    assert_eq!(restored, Stamp::new(StampPosition::Page { page: 1, rectangle }).text("x"));
    assert_eq!(serde_json::to_string(&restored).unwrap(), stored);
}

#[test]
fn debug_shows_no_personal_data() {
    let shown = format!("{:?}", full());
    for text in ["Name", "Reason", "Location", "Contact", "Gent"] {
        assert!(!shown.contains(&format!("{text:?}")), "{text} in {shown}");
    }
}

#[test]
fn restored_stamp_needs_its_octets_again() {
    let signer = Signer::new();
    let rectangle = Rectangle::new(20.0, 20.0, 100.0, 40.0);
    let stamp = Stamp::new(StampPosition::Page { page: 1, rectangle });
    let pdf = pdf("");
    let prepare = |options: &SigningOptions| {
        ades::prepare(&mut Document::from_bytes(&pdf), signer.chain(), options)
    };
    let without_font = options().pdf(PdfOptions::new().stamp(stamp.clone()));
    assert!(matches!(prepare(&without_font), Err(Error::FontNeeded)));

    let image = include_bytes!("pixel.png").to_vec();
    let with_image = options().pdf(PdfOptions::new().stamp(stamp.image(image.clone())));
    assert!(prepare(&with_image).is_ok());
    let stored = serde_json::to_string(&with_image).unwrap();
    let mut restored: SigningOptions = serde_json::from_str(&stored).unwrap();
    assert!(matches!(prepare(&restored), Err(Error::StampIncomplete { .. })));
    restored.pdf.stamp = restored.pdf.stamp.map(|stamp| stamp.image(image));
    assert!(prepare(&restored).is_ok());
    assert_eq!(restored, with_image);
}

#[test]
fn signer_must_have_the_algorithm() {
    let ed25519 = Capabilities::immediate("device", vec![SignatureAlgorithm::Ed25519]);
    assert!(options().check_signer(&ed25519).is_ok());
    assert!(options().digest(DigestAlgorithm::Sha512).check_signer(&ed25519).is_ok());
    let error = options().digest(DigestAlgorithm::Sha256).check_signer(&ed25519).unwrap_err();
    assert!(matches!(error, Error::SignerDigest { .. }), "{error:?}");
    let mut chosen = options();
    let ecdsa = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256);
    chosen.parameters = chosen.parameters.algorithm(ecdsa);
    let error = chosen.check_signer(&ed25519).unwrap_err();
    assert!(matches!(error, Error::SignerAlgorithm { .. }), "{error:?}");
}

//! Where properties go: beside and inside other signatures, in any encoding, with the
//! prefixes and containers that the document has.

use super::*;

#[test]
fn signatures_beside_and_inside_one_another() {
    // Each leaves out the other.
    let options = SignatureOptions::new().parallel();
    let one = sign_with(DOCUMENT.as_bytes(), &options);
    let both = sign_with(&one, &options.clone().id_seed("two"));
    let raised = stamp(&stamp(&both, &[1], Signature).unwrap(), &[0], Archive).unwrap();
    let report = verify(&raised);
    assert!(report.signatures.iter().all(|signature| {
        signature.intact == Some(true)
            && signature.facts.time_stamps().all(|stamp| stamp.imprint == Some(true))
            && signature.facts.time_stamps().count() == 1
    }));

    // One signs the element that the other is in.
    let document = "<outer><in Id='in'><data Id='a'/></in></outer>";
    let within = Position::LastIn(Target::Id("in".to_owned()));
    let options =
        SignatureOptions::new().packaging(Packaging::InternallyDetached(vec!["a".into()]));
    let inner = sign_with(document.as_bytes(), &options.position(within));
    let outer = sign(&inner, Packaging::InternallyDetached(vec!["in".to_owned()]));
    for purpose in [Signature, Archive] {
        let inner = prepare(&outer, &[0], purpose);
        assert!(matches!(inner, Err(Error::BreaksExistingSignature)), "{inner:?}");
    }
    let inner = add(&outer, &[0], &data(0..1));
    assert!(matches!(inner, Err(Error::BreaksExistingSignature)), "{inner:?}");
    assert!(prepare(&outer, &[1], Signature).is_ok());
}

#[test]
fn a_countersignature_is_raised_until_an_archive_time_stamp_is_over_it() {
    let signed = sign(DOCUMENT.as_bytes(), Packaging::Enveloped);
    let signed = countersign(&signed, &[0]);
    let raised = stamp(&signed, &[0, 0], Signature).unwrap();
    let counter = |signed: &[u8]| verify(signed).signatures.remove(0).countersignatures.remove(0);
    let imprints = |signed: &[u8]| {
        let counter = counter(signed);
        counter.facts.time_stamps().map(|stamp| stamp.imprint).collect::<Vec<_>>()
    };
    assert_eq!(imprints(&raised), [Some(true)]);
    let archived = stamp(&raised, &[0], Archive).unwrap();
    for purpose in [Signature, Archive] {
        let refused = prepare(&archived, &[0, 0], purpose);
        assert!(matches!(refused, Err(Error::BreaksTimeStamp)), "{refused:?}");
    }
    let refused = add(&archived, &[0, 0], &data(0..1));
    assert!(matches!(refused, Err(Error::BreaksTimeStamp)), "{refused:?}");
    // One after the archive time-stamp.
    let both = countersign(&archived, &[0]);
    let raised = stamp(&both, &[0, 1], Signature).unwrap();
    assert_eq!(kinds(&raised), [TimeStampKind::Archive]);
}

#[test]
fn detached_documents_are_needed_for_archive_time_stamps_only() {
    let file = b"the document outside";
    let prepare_detached = || {
        let document = Document::from_bytes(file);
        let detached = xades::DetachedDocument::new("file.txt", "text/plain", document);
        let options = SignatureOptions::new();
        xades::prepare_detached(&mut [detached], &chain(), &parameters(), &options).unwrap()
    };
    let pending = prepare_detached();
    let value = key().sign_digest(pending.to_be_signed().digest().0.value());
    let mut signed = Vec::new();
    pending.complete(None, &value, &mut signed).unwrap();
    let stamped = stamp(&signed, &[0], Signature).unwrap();
    let why = prepare(&stamped, &[0], Archive).unwrap_err();
    assert!(matches!(why, Error::ImprintUnknown { why: ImprintUndecided::DataMissing }), "{why}");
    let given = |octets: &'static [u8]| {
        let options = ExtendOptions::new().original(Document::from_bytes(octets));
        let document = &mut Document::from_bytes(&stamped);
        prepare_time_stamp(document, &[0], Archive, DigestAlgorithm::Sha512, options)
    };
    assert!(matches!(given(b"another"), Err(Error::NotIntact { .. })));
    let pending = given(file).unwrap();
    let mut out = Vec::new();
    let document = &mut Document::from_bytes(&stamped);
    add_time_stamp(document, &pending, &token(pending.imprint()), &mut out).unwrap();
    let options = VerifyOptions::new().original(Document::from_bytes(file));
    let report = xades::verify(&mut Document::from_bytes(&out), options).unwrap();
    let imprints: Vec<_> =
        report.signatures[0].facts.time_stamps().map(|stamp| stamp.imprint).collect();
    assert_eq!(imprints, [Some(true); 2]);
}

#[test]
fn documents_in_every_encoding_are_raised() {
    let text = "<r a='é'>\r\n <b/><!-- c -->\r\n</r>";
    let utf16 = |octets: fn(u16) -> [u8; 2]| -> Vec<u8> {
        std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(octets).collect()
    };
    let latin = "<?xml version='1.0' encoding='ISO-8859-1'?>".chars().chain(text.chars());
    for document in [
        utf16(u16::to_le_bytes),
        utf16(u16::to_be_bytes),
        latin.map(|c| c as u8).collect(),
        [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        [b"<!DOCTYPE r [<!ATTLIST r b CDATA 'c'>]>", text.as_bytes()].concat(),
    ] {
        let signed = sign(&document, Packaging::Enveloped);
        let raised = stamp(&signed, &[0], Signature).unwrap();
        let raised = add(&raised, &[0], &data(0..1)).unwrap();
        let raised = stamp(&raised, &[0], Archive).unwrap();
        assert_eq!(kinds(&raised), [TimeStampKind::Signature, TimeStampKind::Archive]);
    }
}

/// The names that other programs write, and the containers that they have already.
#[test]
fn prefixes_and_containers_are_those_of_the_document() {
    let signed = String::from_utf8(sign(DOCUMENT.as_bytes(), Packaging::Enveloped)).unwrap();
    let end = signed.find("</xades:QualifyingProperties>").unwrap();
    let etsi = "<etsi:UnsignedProperties xmlns:etsi='http://uri.etsi.org/01903/v1.3.2#'>";
    let plain = etsi.replace("etsi:", "").replace(":etsi", "");
    let ds = etsi.replace("etsi:", "ds:").replace(":etsi", ":ds");
    let later = etsi.replace("etsi:", "xades141:").replace(":etsi", ":xades141");
    for (containers, prefix) in [
        (format!("{etsi}</etsi:UnsignedProperties>"), "etsi:"),
        (format!("{etsi}<etsi:UnsignedSignatureProperties/></etsi:UnsignedProperties>"), "etsi:"),
        (etsi.replace("'>", "'/>"), "etsi:"),
        (
            format!("{etsi}\n<etsi:UnsignedDataObjectProperties/>\n</etsi:UnsignedProperties>"),
            "etsi:",
        ),
        (format!("{plain}<UnsignedSignatureProperties/></UnsignedProperties>"), ""),
        (format!("{ds}\r\n</ds:UnsignedProperties>"), "ds:"),
        (format!("{later}</xades141:UnsignedProperties>"), "xades:"),
    ] {
        let document = [&signed[..end], &containers, &signed[end..]].concat();
        let raised = stamp(document.as_bytes(), &[0], Signature).unwrap();
        let raised = add(&raised, &[0], &data(0..1)).unwrap();
        let raised = stamp(&raised, &[0], Archive).unwrap();
        assert_eq!(kinds(&raised), [TimeStampKind::Signature, TimeStampKind::Archive]);
        let text = String::from_utf8(raised).unwrap();
        assert!(text.contains(&format!("<{prefix}SignatureTimeStamp")), "{text}");
        let properties = text.find("SignatureTimeStamp").unwrap();
        assert!(text.find("UnsignedDataObjectProperties").is_none_or(|at| properties < at));
    }
}

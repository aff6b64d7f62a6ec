//! Check, prepare, store, restore, complete and verify, in every format.

use std::io::Cursor;

use ades::{
    Certificate, Check, Document, Error, Format, Inputs, Operation, Packaging, PdfOptions,
    PendingSignature, SigningOptions, StateKey, VerifyOptions, XmlOptions,
};

use crate::pki::{BINARY, Signer, XML, now, options, pdf};

/// Everything between a document and its signed form, as two processes do it.
fn sign(
    signer: &Signer,
    document: &[u8],
    original: Option<&[u8]>,
    options: &SigningOptions,
) -> Result<Vec<u8>, Error> {
    let mut document = Document::from_bytes(document);
    let mut original = original.map(Document::from_bytes);
    let mut inputs = Inputs::new(&mut document).name("a b.bin");
    if let Some(original) = &mut original {
        inputs = inputs.original(original);
    }
    let checked = ades::check(inputs.reborrow(), options)?;
    let pending = ades::prepare(inputs.reborrow(), signer.chain(), options)?;
    assert_eq!(pending.format(), checked.format());
    assert_eq!(pending.chain(), signer.chain());

    let key = StateKey::new([7; 32]);
    let stored = pending.to_json(Some(&key))?;
    assert!(PendingSignature::from_json(&stored, None).is_err());
    let restored = PendingSignature::from_json(&stored, Some(&key))?;
    assert_eq!(restored.to_be_signed(), pending.to_be_signed());
    assert_eq!(restored.document_digest(), pending.document_digest());
    assert_eq!(restored.warnings(), []);

    let value = signer.sign(&restored.to_be_signed());
    let mut signed = Vec::new();
    let mut wrong = value.clone();
    wrong.reverse();
    let document = inputs.document_mut();
    assert!(restored.complete(Some(&mut *document), &wrong, &mut Vec::new()).is_err());
    restored.complete(Some(document), &value, &mut signed)?;
    restored.verify_completed(&mut Document::from_bytes(&signed), inputs.reborrow())?;
    assert_eq!(copied(signer, inputs, options, &pending, &value).unwrap_or(signed.clone()), signed);
    Ok(signed)
}

/// The signed form of a document that is copied while it is prepared. `None` if that is not
/// possible: nothing may have been written then.
fn copied(
    signer: &Signer,
    inputs: Inputs<'_, '_>,
    options: &SigningOptions,
    pending: &PendingSignature,
    value: &[u8],
) -> Option<Vec<u8>> {
    let mut copy = Cursor::new(Vec::new());
    let prepared = ades::prepare_copying(inputs, signer.chain(), options, &mut copy);
    if !options.can_copy(pending.format()) {
        assert!(prepared.is_err() && copy.into_inner().is_empty());
        assert!(
            pending.complete_in_place(&mut Cursor::new(Vec::new()), value, Check::Whole).is_err()
        );
        return None;
    }
    let prepared = prepared.unwrap();
    assert_eq!(prepared.to_be_signed(), pending.to_be_signed());
    let mut wrong = value.to_vec();
    wrong.reverse();
    let before = copy.clone();
    assert!(prepared.complete_in_place(&mut copy, &wrong, Check::LengthAndTail).is_err());
    assert_eq!(copy.get_ref(), before.get_ref());
    prepared.complete_in_place(&mut copy, value, Check::LengthAndTail).unwrap();
    Some(copy.into_inner())
}

fn verify<'a>(signed: &'a [u8], original: Option<&'a [u8]>, trust: &'a [Certificate]) -> String {
    let mut options = VerifyOptions::new().trust(trust).without_revocation();
    if let Some(original) = original {
        options = options.original(None, Document::from_bytes(original));
    }
    let report = ades::verify(&mut Document::from_bytes(signed), options, now()).unwrap();
    // Without anchors, nobody is judged.
    assert!(report.is_passed() != trust.is_empty(), "{report}");
    assert_eq!(report.integrity(), Some(true), "{report}");
    report.to_string()
}

#[test]
fn each_packaging_of_each_format_is_signed_and_verified() {
    let signer = Signer::new();
    let anchors = [signer.root.clone()];
    let pdf = pdf("");
    let xades = |packaging| options().format(Format::Xades).packaging(packaging);
    for (document, options, format, detached) in [
        (&pdf[..], options(), Format::Pades, false),
        (&pdf, options().format(Format::Cades), Format::Cades, true),
        (XML, options(), Format::Xades, false),
        (BINARY, options(), Format::Cades, true),
        (BINARY, options().packaging(Packaging::Enveloping), Format::Cades, false),
        (XML, xades(Packaging::Enveloping), Format::Xades, false),
        (XML, xades(Packaging::EnvelopingBase64), Format::Xades, false),
        (BINARY, xades(Packaging::Enveloping), Format::Xades, false),
        (BINARY, xades(Packaging::Detached), Format::Xades, true),
    ] {
        let signed = sign(&signer, document, None, &options).unwrap();
        let text = verify(&signed, detached.then_some(document), &anchors);
        assert!(text.contains(&format!("{format} B-B, intact")), "{text}");
        assert_eq!(options.is_detached(format), detached, "{options:?}");
        let kept = options.packaging.is_none() && !detached;
        assert_eq!(options.suffix(format).is_none(), kept, "{options:?}");
        let contents =
            ades::inspect(&mut Document::from_bytes(&signed), VerifyOptions::new()).unwrap();
        let json = serde_json::to_value(&contents).unwrap();
        assert!(json["signatures"][0].get("intact").is_none(), "{json}");
        assert!(!contents.to_string().contains("intact"), "{contents}");
    }
}

#[test]
fn elements_are_signed_by_their_ids() {
    let signer = Signer::new();
    let options =
        options().packaging(Packaging::InternallyDetached).xml(XmlOptions::new().element("b"));
    let signed = sign(&signer, XML, None, &options).unwrap();
    let verify = VerifyOptions::new().element(ades::parse::elements("b").unwrap());
    let verify = verify.integrity_only();
    let report = ades::verify(&mut Document::from_bytes(&signed), verify, now()).unwrap();
    assert_eq!(report.integrity(), Some(true), "{report}");
    assert!(!report.is_passed(), "nobody was judged");
}

#[test]
fn containers_get_more_signatures() {
    let (signer, other) = (Signer::new(), Signer::new());
    let one = sign(&signer, BINARY, None, &options()).unwrap();
    let add = options().operation(Operation::AddParallel);
    let two = sign(&other, &one, Some(BINARY), &add).unwrap();
    let error = sign(&other, &one, Some(XML), &add).unwrap_err();
    assert!(matches!(error, Error::Cades(_)), "{error:?}");
    let counter = options().operation(Operation::Countersign { which: vec![1] });
    let three = sign(&signer, &two, None, &counter).unwrap();
    let text = verify(&three, Some(BINARY), &[]);
    assert!(text.contains("signature 1, countersignature 0: indeterminate"), "{text}");

    let parallel = options().xml(XmlOptions::new().allow_parallel());
    let one = sign(&signer, XML, None, &parallel).unwrap();
    let two = sign(&other, &one, None, &parallel).unwrap();
    let three = sign(&signer, &two, None, &counter).unwrap();
    let text = verify(&three, None, &[]);
    assert!(text.contains("signature 1, countersignature 0: indeterminate"), "{text}");
}

#[test]
fn warnings_have_stable_codes() {
    let signer = Signer::new();
    let form = pdf("/AcroForm<</Fields[]/NeedAppearances true>>");
    let doctype = b"<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>";
    let enveloping = options().packaging(Packaging::Enveloping);
    for (document, options, expected) in [
        (&form[..], options(), ["need-appearances"]),
        (doctype, enveloping, ["doctype-kept-as-base64"]),
    ] {
        let mut document = Document::from_bytes(document);
        let pending = ades::prepare(&mut document, signer.chain(), &options).unwrap();
        let codes: Vec<&str> = pending.warnings().iter().map(|warning| warning.code()).collect();
        assert_eq!(codes, expected);
        let json = serde_json::to_value(pending.warnings()).unwrap();
        assert_eq!(json, serde_json::json!(expected));
    }
}

#[test]
fn options_that_do_not_fit_are_typed_errors() {
    let check = |document: &[u8], options: SigningOptions| {
        ades::check(&mut Document::from_bytes(document), &options).unwrap_err()
    };
    let pdf = pdf("");
    let error = check(BINARY, options().format(Format::Pades));
    assert!(matches!(error, Error::NotPdf), "{error:?}");
    let error = check(BINARY, options().format(Format::Xades));
    assert!(matches!(error, Error::NotXml(_)), "{error:?}");
    let error = check(&pdf, options().packaging(Packaging::Detached));
    assert!(matches!(error, Error::OptionNotForFormat { .. }), "{error:?}");
    let error = check(BINARY, options().packaging(Packaging::Enveloped));
    assert!(matches!(error, Error::PackagingNotForFormat { .. }), "{error:?}");
    let error = check(XML, options().packaging(Packaging::Detached));
    assert!(matches!(error, Error::NameNeeded), "{error:?}");
    let error = check(b"<a SYSTEM='", options());
    assert_eq!(error.fault(), ades::Fault::Input, "{error:?}");
    let external = b"<!DOCTYPE a SYSTEM 'a.dtd'><a/>";
    assert!(check(external, options()).is_external_subset());

    let verify = |options: VerifyOptions<'_>| {
        ades::verify(&mut Document::from_bytes(&pdf), options, now()).unwrap_err()
    };
    let error = verify(VerifyOptions::new().original(None, Document::from_bytes(BINARY)));
    assert!(matches!(error, Error::OptionNotForFormat { .. }), "{error:?}");
    let error = verify(VerifyOptions::new().element(ades::parse::elements("b").unwrap()));
    assert!(matches!(error, Error::OptionNotForFormat { .. }), "{error:?}");
    let options = VerifyOptions::new();
    let error = ades::verify(&mut Document::from_bytes(BINARY), options, now()).unwrap_err();
    assert!(matches!(error, Error::NotContainer { .. }), "{error:?}");
}

#[test]
fn changed_document_is_not_completed() {
    let signer = Signer::new();
    let document = pdf("");
    for (document, changed) in [(&document[..], &document[1..]), (XML, &XML[1..]), (BINARY, XML)] {
        let pending =
            ades::prepare(&mut Document::from_bytes(document), signer.chain(), &options()).unwrap();
        let value = signer.sign(&pending.to_be_signed());
        let mut changed = Document::from_bytes(changed);
        let error = pending.complete(Some(&mut changed), &value, &mut Vec::new()).unwrap_err();
        assert_eq!(error.fault(), ades::Fault::Input, "{error:?}");
    }
}

#[test]
fn field_name_chooses_the_existing_field_or_a_new_one() {
    let signer = Signer::new();
    let named = |name: &str| options().pdf(PdfOptions::new().field(name).reason("Agreed"));
    let one = sign(&signer, &pdf(""), None, &named("Seller")).unwrap();
    let two = sign(&signer, &one, None, &named("Buyer")).unwrap();
    let text = verify(&two, None, &[]);
    assert!(
        text.contains("Seller: indeterminate") && text.contains("Buyer: indeterminate"),
        "{text}"
    );
    assert!(sign(&signer, &two, None, &named("Buyer")).is_err());
}

/// Only a detached XAdES signature can refer to several documents.
#[test]
fn several_documents_are_signed_together() {
    let signer = Signer::new();
    let detached = options().format(Format::Xades).packaging(Packaging::Detached);
    let sign_all = |options: &SigningOptions, names: [&str; 2]| {
        let mut first = Document::from_bytes(XML);
        let mut more = [ades::NamedDocument::new(names[1], Document::from_bytes(BINARY))];
        let mut inputs = Inputs::new(&mut first).name(names[0]).together(&mut more);
        ades::check(inputs.reborrow(), options)?;
        let pending = ades::prepare(inputs.reborrow(), signer.chain(), options)?;
        let value = signer.sign(&pending.to_be_signed());
        let mut signed = Vec::new();
        pending.complete(None, &value, &mut signed)?;
        pending.verify_completed(&mut Document::from_bytes(&signed), inputs)?;
        Ok::<_, Error>(String::from_utf8(signed).unwrap())
    };
    let signed = sign_all(&detached, ["a.xml", "b c.bin"]).unwrap();
    assert!(signed.contains("URI=\"a.xml\"") && signed.contains("URI=\"b%20c.bin\""), "{signed}");
    assert!(matches!(sign_all(&detached, ["a", "a"]), Err(Error::Core(_))));
    for other in [options(), options().packaging(Packaging::Detached).format(Format::Cades)] {
        assert!(matches!(sign_all(&other, ["a", "b"]), Err(Error::OneDocument)));
    }
}

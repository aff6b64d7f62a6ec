//! What is refused, before a time-stamp is spent or anything is written.

use super::*;

/// Trap 27: properties that somebody else has put into the signature.
#[test]
fn trap_27_qualifying_properties_that_nobody_signed_are_refused() {
    let signed = String::from_utf8(sign(DOCUMENT.as_bytes(), Packaging::Enveloped)).unwrap();
    let start = signed.find("<ds:Object>").unwrap();
    let end = signed.find("</ds:Object>").unwrap() + "</ds:Object>".len();
    let object = &signed[start..end];
    let refused = |document: String, why| {
        let all = [
            prepare(document.as_bytes(), &[0], Signature).map(|_| ()),
            prepare(document.as_bytes(), &[0], Archive).map(|_| ()),
            add(document.as_bytes(), &[0], &data(0..1)).map(|_| ()),
        ];
        for result in all {
            let Err(Error::CannotInsert { why: found }) = result else { panic!("{result:?}") };
            assert_eq!(found, why);
        }
    };
    let twice = [&signed[..start], &object.replace("Id=", "id="), &signed[start..]].concat();
    refused(twice, NotInsertable::QualifyingPropertiesRepeated);
    let version =
        signed.replace("http://uri.etsi.org/01903/v1.3.2#", "http://uri.etsi.org/01903/v1.1.1#");
    refused(version, NotInsertable::UnknownVersion);
    let without = [&signed[..start], &signed[end..]].concat();
    refused(without, NotInsertable::NoQualifyingProperties);
    // The signed ones are elsewhere, and others are where they belong.
    let moved = object
        .replace("ds:Object>", "ds:Holder>")
        .replace("<ds:Holder>", &format!("<h:holder xmlns:h='urn:h' xmlns:ds='{DS}'>"))
        .replace("</ds:Holder>", "</h:holder>");
    let other = object.replace("Id=\"", "Id=\"x");
    let spoofed = [&signed[..start], &other, &moved, &signed[end..]].concat();
    refused(spoofed, NotInsertable::PropertiesNotSigned);
}

#[test]
fn what_would_be_useless_is_refused_before_a_time_stamp_is_spent() {
    let signed = sign(DOCUMENT.as_bytes(), Packaging::Enveloped);
    for which in [&[][..], &[1], &[0, 0]] {
        let refused = prepare(&signed, which, Signature);
        assert!(matches!(refused, Err(Error::NoSuchSignature { .. })), "{refused:?}");
    }
    let changed = String::from_utf8(signed.clone()).unwrap().replace("ten", "two");
    for purpose in [Signature, Archive] {
        let refused = prepare(changed.as_bytes(), &[0], purpose);
        assert!(matches!(refused, Err(Error::NotIntact { .. })), "{refused:?}");
    }
    let refused = prepare(b"<a><b></a>", &[0], Signature);
    assert!(matches!(refused, Err(Error::NotWellFormed { .. })), "{refused:?}");
}

#[test]
fn a_level_is_checked_before_anything_is_fetched() {
    let signed = sign(DOCUMENT.as_bytes(), Packaging::Enveloped);
    let check = |document: &[u8], level| {
        let document = &mut Document::from_bytes(document);
        xades::check_level(document, &[0], level, ExtendOptions::new())
    };
    for level in [Level::T, Level::Lt, Level::Lta] {
        check(&signed, level).unwrap();
    }
    let end = "</xades:QualifyingProperties>";
    let earlier = "<xades:UnsignedProperties><xades:UnsignedSignatureProperties>\
        <xades:CompleteRevocationRefs/></xades:UnsignedSignatureProperties>\
        </xades:UnsignedProperties>";
    let signed = String::from_utf8(signed).unwrap().replace(end, &format!("{earlier}{end}"));
    check(signed.as_bytes(), Level::T).unwrap();
    for level in [Level::Lt, Level::Lta] {
        let Err(Error::CannotInsert { why }) = check(signed.as_bytes(), level) else { panic!() };
        assert_eq!(why, NotInsertable::EarlierValidationData);
    }
    let sha1 = DigestAlgorithm::Sha1;
    let document = &mut Document::from_bytes(signed.as_bytes());
    let weak = prepare_time_stamp(document, &[0], Signature, sha1, ExtendOptions::new());
    assert!(weak.unwrap_err().to_string().contains("SHA-1"));
    let mut wrong = data(0..0);
    wrong.ocsp_responses = vec![crl(1)];
    let refused = add(signed.as_bytes(), &[0], &wrong);
    assert!(matches!(refused, Err(Error::RevocationValueMalformed)), "{refused:?}");
}

#[test]
fn a_token_over_other_data_or_for_another_document_is_refused() {
    let signed = sign(DOCUMENT.as_bytes(), Packaging::Enveloped);
    let pending = prepare(&signed, &[0], Signature).unwrap();
    let refused = |document: &[u8], token: &[u8]| {
        let mut out = Vec::new();
        let error = add_time_stamp(&mut Document::from_bytes(document), &pending, token, &mut out);
        assert!(out.is_empty());
        error.unwrap_err()
    };
    let good = token(pending.imprint());
    let other = token(&Digest::of(DigestAlgorithm::Sha256, b"other"));
    assert!(matches!(refused(&signed, &other), Error::TimeStampMismatch));
    assert!(matches!(refused(&signed, &good[1..]), Error::TimeStampMalformed));
    let mut longer = signed.clone();
    longer.push(b'\n');
    assert!(matches!(refused(&longer, &good), Error::DocumentChanged));
    let text = String::from_utf8(signed).unwrap();
    let same_length = text.replace("ten", "two");
    assert!(matches!(refused(same_length.as_bytes(), &good), Error::DocumentChanged));
    let without = text.replace("ds:SignatureValue", "ds:SignatureVaLue");
    assert!(matches!(refused(without.as_bytes(), &good), Error::DocumentChanged));
}

#[test]
fn a_declaration_of_attributes_for_the_new_elements_is_refused() {
    let document = "<!DOCTYPE r [<!ATTLIST xades141:ArchiveTimeStamp Id CDATA 'x'>]><r/>";
    let mut source = Document::from_bytes(document.as_bytes());
    let refused = xades::prepare(&mut source, &chain(), &parameters(), &SignatureOptions::new());
    let Err(Error::CannotInsert { why }) = refused else { panic!("{refused:?}") };
    assert_eq!(why, NotInsertable::DtdDeclaresAttributes);
}

#[test]
fn nothing_is_written_for_another_document_than_the_known_one() {
    let signed = sign(DOCUMENT.as_bytes(), Packaging::Enveloped);
    let known = KnownDocument::new();
    let options = VerifyOptions::new().known(&known);
    xades::verify(&mut Document::from_bytes(&signed), options).unwrap();
    let other = String::from_utf8(signed).unwrap().replace("an order", "no order");
    let (document, mut out) = (&mut Document::from_bytes(other.as_bytes()), Vec::new());
    let options = || ExtendOptions::new().known(&known);
    let digest = DigestAlgorithm::Sha256;
    let pending = prepare_time_stamp(document, &[0], Signature, digest, options()).unwrap();
    let token = token(pending.imprint());
    let refused = add_time_stamp(document, &pending, &token, &mut out);
    assert!(matches!(refused, Err(Error::DocumentChanged)) && out.is_empty(), "{refused:?}");
    let refused = known.add_time_stamp(document, &pending, &token, &mut out);
    assert!(matches!(refused, Err(Error::DocumentChanged)) && out.is_empty(), "{refused:?}");
    let refused = add_validation_data(document, &[0], &data(0..1), options(), &mut out);
    assert!(matches!(refused, Err(Error::DocumentChanged)) && out.is_empty(), "{refused:?}");
}

//! Checks before there is a certificate, warnings, and the stored form of options.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::fmt::Debug;

use ades_core::{
    Certificate, CertificateChain, Document, PendingState, SignatureParameters, SignaturePolicy,
};
use chrono::DateTime;
use serde::Serialize;
use serde::de::DeserializeOwned;
use test_key::TestKey;
use xades::c14n::{Canonicalization, IdAttributes, Target};
use xades::error::NotInsertable;
use xades::{
    DetachedDocument, DetachedReferences, Error, Packaging, PendingSignature, Position,
    ProductionPlace, SignatureOptions, SigningCertificate, Warning, check, check_countersignature,
    check_detached, prepare,
};

fn parameters() -> SignatureParameters {
    SignatureParameters::new(DateTime::from_timestamp(1_790_000_000, 0).unwrap())
}

fn chain(key: &TestKey) -> CertificateChain {
    let certificate = Certificate::from_der(key.certificate()).unwrap();
    CertificateChain::from_leaf(certificate, []).unwrap()
}

fn signed(document: &[u8]) -> Vec<u8> {
    let key = TestKey::new("Signer");
    let mut source = Document::from_bytes(document);
    let options = SignatureOptions::new();
    let pending = prepare(&mut source, &chain(&key), &parameters(), &options).unwrap();
    let value = key.sign_digest(pending.to_be_signed().digest().0.value());
    let mut out = Vec::new();
    pending.complete(Some(&mut source), &value, &mut out).unwrap();
    out
}

#[test]
fn xml_that_is_kept_as_base64_has_a_warning() {
    let key = TestKey::new("Signer");
    let options = SignatureOptions::new().packaging(Packaging::Enveloping);
    for (document, expected) in [
        (b"<r/>".to_vec(), None),
        (b"%PDF-1.7".to_vec(), None),
        (b"<r>".to_vec(), None),
        (b"<!DOCTYPE r [<!ENTITY e 'x'>]><r>&e;</r>".to_vec(), Some("doctype-kept-as-base64")),
        (b"<!DOCTYPE r SYSTEM 'r.dtd'><r/>".to_vec(), Some("external-kept-as-base64")),
        (signed(b"<r/>"), Some("signed-kept-as-base64")),
    ] {
        let mut document = Document::from_bytes(&document);
        let checked = check(&mut document, &parameters(), &options).unwrap();
        let pending = prepare(&mut document, &chain(&key), &parameters(), &options).unwrap();
        let codes = |warnings: &[Warning]| -> Vec<&str> {
            warnings
                .iter()
                .inspect(|warning| {
                    assert_eq!(serde_json::to_value(warning).unwrap(), warning.code());
                    assert!(warning.to_string().contains("kept as base64"));
                })
                .map(|warning| warning.code())
                .collect()
        };
        let expected: Vec<&str> = expected.into_iter().collect();
        assert_eq!(codes(checked.warnings()), expected);
        assert_eq!(codes(pending.warnings()), expected);
        let stored = pending.to_json(None).unwrap();
        let restored = PendingSignature::from_json(&stored, None).unwrap();
        assert!(restored.warnings().is_empty());
    }
}

#[test]
fn checks_refuse_what_preparing_would_refuse() {
    let document = || Document::from_bytes(b"<!DOCTYPE r [<!ENTITY e '<a/>'>]><r>&e;</r>");
    let options = SignatureOptions::new;
    let checked = |parameters: &SignatureParameters, options: &SignatureOptions| {
        check(&mut document(), parameters, options)
    };
    let expected = [Warning::DoctypeNotOpened];
    assert_eq!(checked(&parameters(), &options()).unwrap().warnings(), expected);

    // What the parameters do not allow.
    let policy = SignaturePolicy::new("1.2.3".parse().unwrap());
    let no_digest = parameters().policy(policy);
    let refused = |result: Result<_, Error>| {
        matches!(result, Err(Error::Core(ades_core::Error::Parameter { .. })))
    };
    assert!(refused(checked(&no_digest, &options())));
    assert!(refused(checked(&parameters().mime_type("text"), &options())));
    let nowhere = options().production_place(ProductionPlace::default());
    assert!(refused(checked(&parameters(), &nowhere)));
    let detached = [DetachedDocument::new("#a", "text/plain", Document::from_bytes(b""))];
    assert!(refused(check_detached(&detached, &parameters(), &options())));
    let detached = [DetachedDocument::new("a", "text/plain", Document::from_bytes(b""))];
    assert!(refused(check_detached(&detached, &no_digest, &options())));
    assert!(check_detached(&detached, &parameters(), &options()).is_ok());

    // What the document does not allow.
    let name = |local_name: &str| Target::Named {
        namespace: String::new(),
        local_name: local_name.into(),
        nth: Some(0),
    };
    let at = |position| checked(&parameters(), &options().position(position));
    let why = |result| match result {
        Err(Error::CannotInsert { why }) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(why(at(Position::After(name("r")))), NotInsertable::OutsideRoot);
    assert_eq!(why(at(Position::Before(name("r")))), NotInsertable::OutsideRoot);
    assert_eq!(why(at(Position::After(name("a")))), NotInsertable::InEntity);
    let refused = at(Position::LastIn(name("b")));
    assert!(matches!(refused, Err(Error::NoSuchElement { target }) if target == name("b")));
    let xml = options().packaging(Packaging::EnvelopingXml);
    assert_eq!(why(checked(&parameters(), &xml)), NotInsertable::Doctype);

    // Countersignatures.
    let container = signed(b"<r/>");
    let which = |which: &[usize]| {
        let mut container = Document::from_bytes(&container);
        check_countersignature(&mut container, which, &parameters(), &options())
    };
    assert!(which(&[0]).is_ok());
    assert!(matches!(which(&[0, 0]), Err(Error::NoSuchSignature { which }) if which == [0, 0]));
}

#[test]
fn options_can_be_stored() {
    #[track_caller]
    fn stored<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, expected: &str) {
        let text = serde_json::to_string(value).unwrap();
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<T>(&text).unwrap(), *value);
    }
    stored(&Packaging::Enveloped, r#""enveloped""#);
    let elements = Packaging::InternallyDetached(vec!["a".into()]);
    stored(&elements, r#"{"internally-detached":["a"]}"#);
    stored(&Position::LastInRoot, r#""last-in-root""#);
    stored(&Position::After(Target::Id("a".into())), r#"{"after":{"id":"a"}}"#);
    stored(&Position::Before(Target::Id("a".into())), r#"{"before":{"id":"a"}}"#);
    stored(&Position::FirstIn(Target::Id("a".into())), r#"{"first-in":{"id":"a"}}"#);
    stored(&SigningCertificate::Both, r#""both""#);
    let named = |nth| Target::Named { namespace: "urn:a".into(), local_name: "b".into(), nth };
    stored(&named(None), r#"{"named":{"namespace":"urn:a","local-name":"b"}}"#);
    stored(&named(Some(1)), r#"{"named":{"namespace":"urn:a","local-name":"b","nth":1}}"#);
    stored(&DetachedReferences::Manifest, r#""manifest""#);
    let place = ProductionPlace { city: Some("Gent".into()), ..ProductionPlace::default() };
    stored(&place, r#"{"city":"Gent"}"#);
    let uri = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments";
    let method = Canonicalization::EXCLUSIVE.with_comments().with_prefix_list("a #default");
    stored(&method, &format!(r#"{{"uri":"{uri}","prefix-list":"a #default"}}"#));
    stored(&Canonicalization::C14N_1_1, r#"{"uri":"http://www.w3.org/2006/12/xml-c14n11"}"#);
    stored(&IdAttributes::none().and("", "Id"), r#"{"names":[["","Id"]],"dtd":false}"#);
    assert!(serde_json::from_str::<Canonicalization>(r#"{"uri":"urn:unknown"}"#).is_err());
    assert!(serde_json::from_str::<ProductionPlace>(r#"{"planet":"Mars"}"#).is_err());
}

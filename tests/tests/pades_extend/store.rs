//! The document security store.

use ades_core::{Digest, DigestAlgorithm};
use ades_evidence::TimeStampPurpose::Signature;
use ades_evidence::ValidationData;
use ades_tests::pdf::by_hand::{number_of, object, updated};
use lopdf::{Dictionary, Object};

use crate::ladder::{document, level, signed};
use crate::services::{
    ARCHIVED, REVOCATION, STAMPED, archive, authority, crl, embed, ocsp, options, report, stamp,
    validation_data,
};

/// The store, as lopdf reads it.
fn store(pdf: &[u8]) -> (lopdf::Document, Dictionary) {
    let read = lopdf::Document::load_mem(pdf).unwrap();
    let store = read.catalog().unwrap().get(b"DSS").unwrap();
    let store = read.dereference(store).unwrap().1.as_dict().unwrap().clone();
    (read, store)
}

/// The values of a list.
fn values(pdf: &[u8], key: &[u8]) -> Vec<Vec<u8>> {
    let (read, store) = store(pdf);
    list(&read, &store, key)
}

fn list(read: &lopdf::Document, dictionary: &Dictionary, key: &[u8]) -> Vec<Vec<u8>> {
    let Ok(list) = dictionary.get(key) else { return Vec::new() };
    let list = read.dereference(list).unwrap().1.as_array().unwrap().clone();
    let value = |reference: &Object| {
        let stream = read.dereference(reference).unwrap().1.as_stream().unwrap();
        stream.decompressed_content().unwrap_or_else(|_| stream.content.clone())
    };
    list.iter().map(value).collect()
}

fn der(data: &ValidationData) -> Vec<Vec<u8>> {
    data.certificates.iter().map(|one| one.der().to_vec()).collect()
}

#[test]
fn values_are_embedded_once_and_as_they_are() {
    let signed = signed(&document());
    let mut data = validation_data();
    data.crls.push(data.crls[0].clone());
    let first = embed(&signed, &data, &options()).unwrap();
    assert_eq!(values(&first, b"Certs"), der(&data));
    assert_eq!(values(&first, b"OCSPs"), data.ocsp_responses);
    assert_eq!(values(&first, b"CRLs"), data.crls[..1]);
    // The same again changes nothing.
    assert_eq!(embed(&first, &data, &options()).unwrap(), first);
    assert_eq!(embed(&first, &ValidationData::new(), &options()).unwrap(), first);
    // More of it comes after what is there.
    data.crls.push(crl(2, REVOCATION));
    data.ocsp_responses.push(ocsp(authority().leaf(), REVOCATION));
    let second = embed(&first, &data, &options()).unwrap();
    assert!(second.starts_with(&first));
    assert_eq!(values(&second, b"Certs"), der(&data));
    assert_eq!(values(&second, b"OCSPs"), data.ocsp_responses);
    assert_eq!(values(&second, b"CRLs"), [&data.crls[..1], &data.crls[2..]].concat());
    assert!(report(&second, None).is_valid());
}

#[test]
fn without_data_there_is_no_update() {
    let signed = signed(&document());
    assert_eq!(embed(&signed, &ValidationData::new(), &options()).unwrap(), signed);
}

#[test]
fn trap_07_the_key_in_vri_is_of_the_whole_contents() {
    let t = stamp(&signed(&document()), 0, Signature, STAMPED, &options()).unwrap();
    let [_, start, end, _] = report(&t, None).signatures[0].byte_range.unwrap();
    let digits = &t[start as usize + 1..end as usize - 1];
    let contents: Vec<u8> = digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    assert_eq!(contents.last(), Some(&0));
    let key = Digest::of(DigestAlgorithm::Sha1, &contents).to_hex().to_uppercase();
    let listed = options().list_by_signature();
    let data = validation_data();
    let lt = embed(&t, &data, &listed).unwrap();
    let entry = |pdf: &[u8]| {
        let (read, store) = store(pdf);
        let vri = read.dereference(store.get(b"VRI").unwrap()).unwrap().1.as_dict().unwrap();
        assert_eq!(vri.len(), 1);
        let entry = vri.get(key.as_bytes()).unwrap().as_dict().unwrap();
        [b"Cert".as_slice(), b"OCSP", b"CRL"].map(|key| list(&read, entry, key))
    };
    assert_eq!(entry(&lt), [der(&data), data.ocsp_responses.clone(), data.crls.clone()]);
    // It grows as the store does, and not without a reason.
    assert_eq!(embed(&lt, &data, &listed).unwrap(), lt);
    let mut more = ValidationData::new();
    more.crls = vec![crl(2, REVOCATION), data.crls[0].clone()];
    let grown = embed(&lt, &more, &listed).unwrap();
    let crls = vec![data.crls[0].clone(), more.crls[0].clone()];
    assert_eq!(entry(&grown), [der(&data), data.ocsp_responses, crls]);
    let report = report(&grown, None);
    assert!(report.is_valid(), "{report:?}");
    assert_eq!(level(&report), pades::report::Level::Lt);
    // By default there is none (EN 319 142-1, table 1).
    let without = embed(&t, &validation_data(), &options()).unwrap();
    assert!(store(&without).1.get(b"VRI").is_err());
}

/// A store as others write it: lists and `/VRI` as indirect objects or not.
#[test]
fn the_store_of_another_keeps_what_it_has() {
    let data = validation_data();
    let signed = signed(&document());
    let catalog = number_of(&signed, "<</Type/Catalog");
    let body = object(&signed, catalog);
    for (what, entry, objects) in [
        ("direct", "<</Certs[900 0 R]/Mine(x)>>", vec![]),
        ("indirect", "901 0 R", vec![(901, "<</Certs[900 0 R]/Mine(x)>>")]),
        (
            "indirect lists",
            "901 0 R",
            vec![
                (901, "<</Certs 902 0 R/CRLs 903 0 R/VRI 904 0 R/Mine(x)>>"),
                (902, "[900 0 R]"),
                (903, "[]"),
                (904, "<</0123456789ABCDEF0123456789ABCDEF01234567 905 0 R>>"),
                (905, "<</Cert 902 0 R/TU(D:20260921141400Z)>>"),
            ],
        ),
    ] {
        let hex: String = data.certificates[0].der().iter().map(|o| format!("{o:02x}")).collect();
        let certificate = format!(
            "<</Filter/ASCIIHexDecode/Length {}>>\nstream\n{hex}>\nendstream",
            hex.len() + 1
        );
        let changed = format!("{}/DSS {entry}>>", body.trim_end().strip_suffix(">>").unwrap());
        let mut all = vec![(catalog, changed.as_str()), (900, &certificate)];
        all.extend(objects);
        let theirs = updated(&signed, &all);
        let before = report(&theirs, None);
        assert!(before.is_valid(), "{what}: {before:?}");
        let grown = embed(&theirs, &data, &options().list_by_signature()).unwrap();
        assert!(grown.starts_with(&theirs), "{what}");
        let report = report(&grown, None);
        assert!(report.is_valid(), "{what}: {report:?}");
        assert_eq!(level(&report), pades::report::Level::B, "{what}");
        let (_, store) = store(&grown);
        assert!(store.get(b"Mine").is_ok(), "{what}");
        // Its certificate has a filter that is not read, so it is there a second time.
        let certificates = values(&grown, b"Certs");
        assert_eq!(certificates.len(), 1 + data.certificates.len(), "{what}");
        let lta = archive(&grown, ARCHIVED, &options()).unwrap();
        assert_eq!(level(&crate::services::report(&lta, None)), pades::report::Level::Lta);
    }
}

#[test]
fn the_extension_of_pdf_is_declared_before_version_2() {
    for (version, signed_as, expected) in
        [("1.7", "/ESIC<</BaseVersion/1.7/ExtensionLevel 2>>", 1), ("2.0", "/ESIC", 0)]
    {
        let pdf = ades_tests::pdf::Document { version, ..Default::default() }.write();
        let lta = archive(
            &embed(&signed(&pdf), &validation_data(), &options()).unwrap(),
            ARCHIVED,
            &options(),
        )
        .unwrap();
        let (read, _) = store(&lta);
        let catalog = read.catalog().unwrap();
        assert_eq!(catalog.get(b"Extensions").is_ok(), expected == 1, "{version}");
        let text = String::from_utf8_lossy(&lta).into_owned();
        assert_eq!(text.contains(signed_as), expected == 1, "{version}");
    }
}

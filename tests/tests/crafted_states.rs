//! States that *prepare* never makes, and how *complete* handles them.

use ades_core::asn1::ber::Reader;
use ades_core::asn1::der::{self, element};
use ades_core::error::NotFit;
use ades_core::{Digest, DigestAlgorithm, Document, Error, PendingState, base64};
use ades_tests::cms;
use ades_tests::pki::{Key, Pki, TestSigner};
use ades_tests::signing::parameters;
use cades::report::Problem;
use cades::{Packaging, SignatureOptions, VerifyOptions};
use serde_json::Value;

/// The state after a change to its JSON.
fn crafted<S: PendingState>(pending: &S, change: impl FnOnce(&mut Value)) -> S {
    let mut state = serde_json::to_value(pending).unwrap();
    change(&mut state);
    serde_json::from_value(state).unwrap()
}

fn signer() -> &'static TestSigner {
    Pki::shared().signer(Key::P256)
}

/// A state of CAdES after a change to its signed attributes, which stay in DER
/// order.
fn with_attributes(change: impl FnOnce(&mut Vec<Vec<u8>>)) -> cades::PendingSignature {
    let mut source = Document::from_bytes(b"content");
    let chain = &signer().chain;
    let options = SignatureOptions::new().packaging(Packaging::Enveloping);
    let pending = cades::prepare(&mut source, chain, &parameters(), &options).unwrap();
    crafted(&pending, |state| {
        let set = base64::decode(state["signed_attributes"].as_str().unwrap()).unwrap();
        let mut attributes = children(&set);
        change(&mut attributes);
        attributes.sort();
        state["signed_attributes"] =
            base64::encode(&element(der::SET, &[&attributes.concat()])).into();
    })
}

/// The elements in the content of an element.
fn children(der: &[u8]) -> Vec<Vec<u8>> {
    let element = Reader::new(der, 0).next("an element").unwrap();
    let children = element.children().all(usize::MAX).unwrap();
    children.iter().map(|child| child.raw.to_vec()).collect()
}

fn complete(pending: &cades::PendingSignature) -> Result<Vec<u8>, cades::Error> {
    let value = signer().sign(&pending.to_be_signed());
    let mut out = Vec::new();
    pending.complete(Some(&mut Document::from_bytes(b"content")), &value, &mut out)?;
    Ok(out)
}

fn replace(octets: &mut [u8], from: &[u8], to: &[u8]) {
    let at = octets.windows(from.len()).position(|window| window == from).unwrap();
    octets[at..at + from.len()].copy_from_slice(to);
}

/// The certificate is valid from 2020 to 2050.
#[test]
fn a_certificate_that_was_unfit_at_the_stored_time_is_rejected() {
    let not_yet =
        |error: &Error| matches!(error, Error::CertificateNotFit(NotFit::NotYetValid { .. }));
    let pending = with_attributes(|attributes| {
        let time = attributes.iter_mut().find(|a| a.ends_with(b"Z")).unwrap();
        replace(time, b"260921141320Z", b"190921141320Z");
    });
    let error = complete(&pending).unwrap_err();
    assert!(matches!(&error, cades::Error::Core(core) if not_yet(core)), "{error:?}");

    let pdf = ades_tests::pdf::Document::default().write();
    let mut source = Document::from_bytes(&pdf);
    let options = pades::SignatureOptions::new();
    let pending = pades::prepare(&mut source, &signer().chain, &parameters(), &options).unwrap();
    let value = signer().sign(&pending.to_be_signed());
    let pending = crafted(&pending, |state| {
        assert_eq!(state["signing_time"], "2026-09-21T14:13:20Z");
        state["signing_time"] = "2019-09-21T14:13:20Z".into();
    });
    let mut out = Vec::new();
    let error = pending.complete(Some(&mut source), &value, &mut out).unwrap_err();
    assert!(matches!(&error, pades::Error::Core(core) if not_yet(core)), "{error:?}");
    assert!(out.is_empty());

    let mut source = Document::from_bytes(b"<a/>");
    let options = xades::SignatureOptions::new();
    let pending = xades::prepare(&mut source, &signer().chain, &parameters(), &options).unwrap();
    let pending = crafted(&pending, earlier);
    let value = signer().sign(&pending.to_be_signed());
    let mut out = Vec::new();
    let error = pending.complete(Some(&mut source), &value, &mut out).unwrap_err();
    assert!(matches!(&error, xades::Error::Core(core) if not_yet(core)), "{error:?}");
    assert!(out.is_empty());
}

/// The state of a PDF after a change to one of its facts, whose checksum fits.
#[test]
fn a_state_of_a_pdf_is_consistent_before_anything_is_written() {
    let pdf = ades_tests::pdf::Document::default().write();
    let mut source = Document::from_bytes(&pdf);
    let options = pades::SignatureOptions::new().reason("A reason");
    let pending = pades::prepare(&mut source, &signer().chain, &parameters(), &options).unwrap();
    let value = signer().sign(&pending.to_be_signed());
    let mut written = Vec::new();
    pending.complete(Some(&mut source), &value, &mut written).unwrap();

    let octets = |state: &mut Value, key: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut octets = base64::decode(state["document"][key].as_str().unwrap()).unwrap();
        change(&mut octets);
        state["document"][key] = base64::encode(&octets).into();
    };
    let flip = |octets: &mut Vec<u8>| *octets.last_mut().unwrap() ^= 1;
    let longer = |octets: &mut Vec<u8>| octets.push(b' ');
    let number = |state: &mut Value, key: &str, change: &dyn Fn(u64) -> u64| {
        state["document"][key] = change(state["document"][key].as_u64().unwrap()).into();
    };
    let changes: [&dyn Fn(&mut Value); 9] = [
        &|state| octets(state, "head", &flip),
        &|state| octets(state, "head", &longer),
        &|state| octets(state, "after", &|after| after[9] ^= 1),
        &|state| octets(state, "after", &longer),
        &|state| octets(state, "digest-state", &flip),
        &|state| octets(state, "digest-state", &|digest| digest[0] ^= 1),
        &|state| number(state, "capacity", &|capacity| capacity - 1),
        &|state| number(state, "length", &|length| length + 1),
        &|state| state["document"]["signed"] = state["document"]["document"].clone(),
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let pending = crafted(&pending, change);
        let mut out = Vec::new();
        let error = pending.complete(Some(&mut source), &value, &mut out).unwrap_err();
        let damaged = matches!(error, pades::Error::Core(Error::StateDamaged { .. }));
        assert!(damaged && out.is_empty(), "{at}: {error:?}");
        assert_eq!(error.fault(), ades_core::Fault::Input);
        let mut file = std::io::Cursor::new(pdf.clone());
        let error = pending.complete_in_place(&mut file, &value, pades::Check::LengthAndTail);
        assert!(error.is_err() && *file.get_ref() == pdf, "{at}: {error:?}");
    }

    // A state of version 1 does not have the state of the digest.
    let older = |state: &mut Value| state["document"]["digest-state"] = "".into();
    let mut out = Vec::new();
    crafted(&pending, older).complete(Some(&mut source), &value, &mut out).unwrap();
    assert!(out == written);
    let tampered = crafted(&pending, |state| {
        older(state);
        octets(state, "after", &|after| after[9] ^= 1);
    });
    let mut out = Vec::new();
    let error = tampered.complete(Some(&mut source), &value, &mut out).unwrap_err();
    assert!(matches!(error, pades::Error::Core(Error::StateDamaged { .. })), "{error:?}");
    assert_eq!(out, pdf, "the update is not written");
}

/// Sets an earlier time in a state of XAdES, and the new digest of its properties.
fn earlier(state: &mut Value) {
    use xades::c14n::{Canonicalization, Selection, Target, canonicalize};

    let properties = |state: &Value| {
        let [head, tail] = ["head", "tail"].map(|part| state[part].as_str().unwrap());
        let signature = [head, tail].concat();
        let target = Target::Named {
            namespace: "http://uri.etsi.org/01903/v1.3.2#".into(),
            local_name: "SignedProperties".into(),
            nth: None,
        };
        let mut form = Vec::new();
        canonicalize(
            xades::xml::Reader::from_slice(signature.as_bytes()).unwrap(),
            Canonicalization::EXCLUSIVE,
            Selection::element(target),
            &mut |piece| {
                form.extend_from_slice(piece);
                Ok(())
            },
        )
        .unwrap();
        base64::encode(Digest::of(DigestAlgorithm::Sha256, &form).value())
    };
    let before = properties(state);
    let tail = state["tail"].as_str().unwrap().replace("2026-09-21T", "2019-09-21T");
    state["tail"] = tail.into();
    let after = properties(state);
    let signed_info = base64::decode(state["signed_info"].as_str().unwrap()).unwrap();
    let signed_info = String::from_utf8(signed_info).unwrap();
    assert!(signed_info.contains(&before));
    state["signed_info"] = base64::encode(signed_info.replace(&before, &after).as_bytes()).into();
    state["head"] = state["head"].as_str().unwrap().replace(&before, &after).into();
}

/// RFC 5035, 5: issuerSerial must belong to the certificate that certHash names.
#[test]
fn issuer_serial_is_compared_with_the_certificate() {
    let leaf = signer().leaf();
    let issuing = Pki::shared().issuing();
    let named =
        |issuer, serial| with_attributes(|attributes| name_issuer(attributes, issuer, serial));
    complete(&named(leaf.issuer(), leaf.serial_number())).unwrap();
    let container = complete(&with_attributes(|_| {})).unwrap();
    for (issuer, serial) in
        [(leaf.issuer(), &[2, 1, 7][..]), (issuing.issuer(), leaf.serial_number())]
    {
        let refused = complete(&named(issuer, serial)).unwrap_err();
        let damaged = matches!(refused, cades::Error::Core(Error::StateDamaged { .. }));
        assert!(damaged, "{refused:?}");
        let signed = cms::with_signed_attributes(&container, signer(), |attributes| {
            name_issuer(attributes, issuer, serial);
        });
        let report = cades::verify(&mut Document::from_bytes(&signed), VerifyOptions::new());
        let [signature] = report.unwrap().signatures.try_into().unwrap();
        assert!(signature.intact == Some(true));
        assert_eq!(signature.problems, [Problem::IssuerSerialMismatch]);
    }
}

/// Adds issuerSerial after the hash in signing-certificate-v2.
fn name_issuer(attributes: &mut [Vec<u8>], issuer: &[u8], serial: &[u8]) {
    let hash = signer().leaf().digest(DigestAlgorithm::Sha256);
    let hash = [&[4, 32][..], hash.value()].concat();
    let attribute = attributes.iter_mut().find(|a| a.ends_with(&hash)).unwrap();
    let names = element(der::SEQUENCE, &[&element(der::context(4), &[issuer])]);
    let issuer_serial = element(der::SEQUENCE, &[&names, serial]);
    let id = element(der::SEQUENCE, &[&hash, &issuer_serial]);
    let value = element(der::SEQUENCE, &[&element(der::SEQUENCE, &[&id])]);
    let kind = children(attribute).remove(0);
    *attribute = element(der::SEQUENCE, &[&kind, &element(der::SET, &[&value])]);
}

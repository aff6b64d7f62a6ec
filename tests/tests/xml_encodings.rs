//! Documents in the encodings of single countries: our canonical octets are those of libxml2 and
//! of Apache Santuario, character by character, and the judges accept signatures in them.

use std::collections::BTreeSet;

use ades_core::Document;
use ades_tests::encodings::{MULTIPLE, SINGLE};
use ades_tests::oracle::dss::Dss;
use ades_tests::oracle::libxml2::{Libxml2, Question};
use ades_tests::oracle::xades::{Asked, Court};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{complete_xades, parameters};
use xades::c14n::{Canonicalization, Selection, canonicalize};
use xades::xml::Reader;
use xades::{Packaging, SignatureOptions, VerifyOptions, Warning, check, verify};

fn document(name: &str, content: &[u8]) -> Vec<u8> {
    let declaration = format!("<?xml version=\"1.0\" encoding=\"{name}\"?>\n<r>");
    [declaration.as_bytes(), content, b"</r>\n"].concat()
}

/// Our canonical form. `None` if we reject the document.
fn ours(document: &[u8]) -> Option<Vec<u8>> {
    let mut form = Vec::new();
    let reader = Reader::from_slice(document).ok()?;
    canonicalize(reader, Canonicalization::EXCLUSIVE, Selection::document(), &mut |piece| {
        form.extend_from_slice(piece);
        Ok(())
    })
    .ok()?;
    Some(form)
}

/// Whether Java has the encoding, as we tell the user.
fn is_known_to_java(document: &[u8]) -> bool {
    let mut source = Document::from_bytes(document);
    let checked = check(&mut source, &parameters(), &SignatureOptions::new()).unwrap();
    !checked.warnings().contains(&Warning::EncodingNotOpened)
}

/// Every sequence of octets that we accept as content, of the lengths that a character can have.
fn accepted(name: &str, multiple: bool) -> Vec<Vec<u8>> {
    let markup = |octet: u8| matches!(octet, b'<' | b'&' | b'>' | b'\r' | b'\n');
    let is_text = |octets: &[u8]| ours(&document(name, octets)).is_some();
    let alone: BTreeSet<u8> =
        (0..=0xFF).filter(|octet| !markup(*octet) && is_text(&[*octet])).collect();
    let mut all: Vec<Vec<u8>> = alone.iter().map(|octet| vec![*octet]).collect();
    if !multiple {
        return all;
    }
    let leads = || (0x80..=0xFF).filter(|octet| !alone.contains(octet));
    for lead in leads() {
        all.extend((0x30..=0xFF).map(|trail| vec![lead, trail]).filter(|pair| is_text(pair)));
    }
    // One row of the longer sequences each.
    let longer = |second: u8| (0x30..=0xFE).map(move |third| [0x8F, second, third].to_vec());
    all.extend((0xA1..=0xFE).step_by(9).flat_map(longer).filter(|octets| is_text(octets)));
    for lead in [0x81, 0x84, 0x90, 0xE3] {
        let longest = (0x81..=0xFE).map(|third| vec![lead, 0x31, third, 0x36]);
        all.extend(longest.filter(|octets| is_text(octets)));
    }
    all
}

/// The judges' forms of a document are ours.
#[track_caller]
fn agree(name: &str, document: &[u8], libxml2: &mut Libxml2) {
    let question = Question { mode: 1, ..Question::default() };
    let form = ours(document).unwrap();
    let of_libxml2 = libxml2.canonicalise(&question, document);
    assert!(of_libxml2.as_ref() == Some(&form), "{name}: libxml2 {}", differs(&of_libxml2, &form));
    let of_java = Dss::shared().canonicalise(&question, document).ok();
    assert_eq!(of_java.is_some(), is_known_to_java(document), "{name}: whether Java reads it");
    assert!(
        of_java.is_none() || of_java.as_ref() == Some(&form),
        "{name}: Santuario {}",
        differs(&of_java, &form)
    );
}

/// The lines that differ.
fn differs(theirs: &Option<Vec<u8>>, ours: &[u8]) -> String {
    let Some(theirs) = theirs else { return "rejects it".to_owned() };
    let lines = |octets: &[u8]| -> Vec<String> {
        String::from_utf8_lossy(octets).lines().map(str::to_owned).collect()
    };
    let (theirs, ours) = (lines(theirs), lines(ours));
    let pairs = theirs.iter().zip(&ours).filter(|(a, b)| a != b).take(20);
    format!("{:?}", pairs.collect::<Vec<_>>())
}

#[test]
fn every_character_is_that_of_libxml2_and_java() {
    let mut libxml2 = Libxml2::start();
    let all = SINGLE.map(|(name, _)| (name, false)).into_iter();
    for (name, multiple) in all.chain(MULTIPLE.map(|(name, _)| (name, true))) {
        let characters = accepted(name, multiple);
        assert!(characters.len() > if multiple { 4000 } else { 150 }, "{name}: {characters:?}");
        agree(name, &document(name, &characters.join(&b'\n')), &mut libxml2);
        if multiple {
            continue;
        }
        // Each character after each other one: iconv composes some letters with marks.
        let letters: Vec<&Vec<u8>> = characters.iter().filter(|c| c[0] >= 0x41).collect();
        let pairs = letters.iter().flat_map(|a| letters.iter().map(|b| [a[0], b[0]].to_vec()));
        agree(name, &document(name, &pairs.collect::<Vec<_>>().join(&b'\n')), &mut libxml2);
    }
}

/// Octets of the original stay, spans are exact, and the judges accept the signature.
#[test]
fn judges_accept_signatures_in_every_encoding() {
    let (court, signer) = (Court::new(), Pki::shared().signer(Key::Rsa2048));
    for (name, word) in SINGLE.into_iter().chain(MULTIPLE) {
        let inner = [b"\n<e Id=\"one\">".as_slice(), word, b"</e><!--", word, b"-->"].concat();
        let original = document(name, &inner);
        let element = [b"<e Id=\"one\">".as_slice(), word, b"</e>"].concat();
        for packaging in [
            Packaging::Enveloped,
            Packaging::EnvelopingXml,
            Packaging::InternallyDetached(vec!["one".to_owned()]),
        ] {
            let options = SignatureOptions::new().packaging(packaging.clone());
            let parameters = parameters().signer_role("~\\ é 表 €");
            let mut source = Document::from_bytes(&original);
            let pending =
                xades::prepare(&mut source, &signer.chain, &parameters, &options).unwrap();
            let signed = complete_xades(&pending, Some(&original), signer).unwrap();
            if packaging != Packaging::EnvelopingXml {
                let start = signed.windows(13).position(|w| w == b"<ds:Signature").unwrap();
                let end = b"</ds:Signature>";
                let stop = signed.windows(end.len()).position(|w| w == end).unwrap() + end.len();
                assert_eq!([&signed[..start], &signed[stop..]].concat(), original, "{name}");
            }
            let report = verify(&mut Document::from_bytes(&signed), VerifyOptions::new()).unwrap();
            let signature = &report.signatures[0];
            assert!(signature.intact == Some(true), "{name}: {report:#?}");
            if let Packaging::InternallyDetached(_) = packaging {
                let place = signature.references[0].covers[0].place;
                let range = place.from as usize..place.to as usize;
                assert_eq!(&signed[range], element, "{name}");
            }
            let opens = pending.warnings().is_empty();
            let verdict = court.judge(&signed, 1, Asked { xmlsec1: true, signxml: false });
            assert_eq!(verdict.xmlsec1, Some(Ok(())), "{name} {packaging:?}");
            assert_eq!(verdict.dss.is_ok(), opens, "{name} {packaging:?}: {verdict:#?}");
        }
    }
}

/// The names of elements are encoded, too: here that of an end tag which the signature needs.
#[test]
fn an_empty_root_element_gets_an_end_tag_in_its_encoding() {
    let signer = Pki::shared().signer(Key::P256);
    for (name, root) in [
        ("Shift_JIS", b"\x90\xBF\x8B\x81\x8F\x91".as_slice()),
        ("windows-1251", b"\xD1\xF7\xE5\xF2"),
        ("GB18030", b"\xB7\xA2\xC6\xB1"),
    ] {
        let declaration = format!("<?xml version='1.0' encoding='{name}'?>");
        let original = [declaration.as_bytes(), b"<", root, b"/>"].concat();
        let mut source = Document::from_bytes(&original);
        let pending =
            xades::prepare(&mut source, &signer.chain, &parameters(), &SignatureOptions::new())
                .unwrap();
        let signed = complete_xades(&pending, Some(&original), signer).unwrap();
        assert!(signed.ends_with(&[b"</", root, b">"].concat()), "{name}");
        let report = verify(&mut Document::from_bytes(&signed), VerifyOptions::new()).unwrap();
        assert!(report.is_valid(), "{name}: {report:#?}");
    }
}

/// With shift sequences, or without a table of ours: the encoding and the way out are named.
#[test]
fn other_encodings_are_named_with_the_way_out() {
    for name in ["ISO-2022-JP", "ISO-2022-KR", "HZ-GB-2312", "UTF-7", "IBM037", "IBM850", "x"] {
        let document = document(name, b"x");
        let mut source = Document::from_bytes(&document);
        let refused = check(&mut source, &parameters(), &SignatureOptions::new()).unwrap_err();
        let message = refused.to_string();
        for part in [name, "detached", "enveloping", "UTF-8"] {
            assert!(message.contains(part), "{message}");
        }
        // The way out: base64.
        let options = SignatureOptions::new().packaging(Packaging::Enveloping);
        assert!(check(&mut source, &parameters(), &options).is_ok(), "{name}");
    }
}

/// What is warned about is what EU DSS does.
#[test]
fn warnings_agree_with_eu_dss() {
    let (court, signer) = (Court::new(), Pki::shared().signer(Key::P256));
    let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        "\u{FEFF}<r>x</r>".encode_utf16().flat_map(bytes).collect()
    };
    let inside = SignatureOptions::new;
    let around = || SignatureOptions::new().packaging(Packaging::Enveloping);
    for (document, options, expected) in [
        (b"<r>x</r>".to_vec(), inside(), None),
        (b"\xEF\xBB\xBF<r>x</r>".to_vec(), inside(), None),
        (b"<!DOCTYPE r><r>x</r>".to_vec(), inside(), Some(Warning::DoctypeNotOpened)),
        (b"<!DOCTYPE r><r>x</r>".to_vec(), around(), Some(Warning::DoctypeKeptAsBase64)),
        (utf16(u16::to_le_bytes), inside(), Some(Warning::Utf16NotOpened)),
        (utf16(u16::to_be_bytes), inside(), Some(Warning::Utf16NotOpened)),
        (utf16(u16::to_le_bytes), around(), Some(Warning::Utf16NotOpened)),
        (document("CP1250", b"\x9A"), inside(), None),
        (document("CP1250", b"\x9A"), around(), None),
        (document("UTF8", b"x"), inside(), None),
        (document("KOI8-U", b"\xA4"), inside(), None),
        (document("ISO-8859-10", b"\xC1"), inside(), Some(Warning::EncodingNotOpened)),
        (document("ISO-8859-14", b"\xA1"), around(), Some(Warning::EncodingNotOpened)),
        (document("latin1", b"\xA4"), inside(), None),
        (document("us-ascii", b"x"), inside(), None),
    ] {
        let mut source = Document::from_bytes(&document);
        let warnings = check(&mut source, &parameters(), &options).unwrap().warnings().to_vec();
        assert_eq!(warnings, expected.into_iter().collect::<Vec<_>>(), "{document:?}");
        let pending = xades::prepare(&mut source, &signer.chain, &parameters(), &options).unwrap();
        assert_eq!(pending.warnings(), warnings);
        let signed = complete_xades(&pending, Some(&document), signer).unwrap();
        let verdict = court.judge(&signed, 1, Asked { xmlsec1: false, signxml: false });
        let opens = expected.is_none() || expected == Some(Warning::DoctypeKeptAsBase64);
        assert_eq!(verdict.dss.is_ok(), opens, "{document:?}: {verdict:#?}");
    }
}

//! Faults of other engines with XML, one test each. xmlsec1, libxml2 and this project's
//! verification must accept the signatures.

use std::collections::BTreeSet;

use ades_core::{DigestAlgorithm, Document, SignatureAlgorithm, SignatureParameters};
use ades_tests::invoice::Invoice;
use ades_tests::oracle::xmlsec1;
use ades_tests::pki::{self, Key, Pki, TestSigner};
use ades_tests::signing::{algorithms, parameters};
use xades::report::{Coverage, ReferenceKind, Report};
use xades::{Error, Packaging, SignatureOptions, VerifyOptions};

fn sign_with(
    document: &[u8],
    signer: &TestSigner,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
) -> Result<Vec<u8>, Error> {
    let mut source = Document::from_bytes(document);
    let pending = xades::prepare(&mut source, &signer.chain, parameters, options)?;
    let value = signer.sign(&pending.to_be_signed());
    let mut out = Vec::new();
    pending.complete(Some(&mut Document::from_bytes(document)), &value, &mut out)?;
    Ok(out)
}

fn sign(document: &[u8]) -> Result<Vec<u8>, Error> {
    let signer = Pki::shared().signer(Key::P256);
    sign_with(document, signer, &parameters(), &SignatureOptions::new())
}

fn report(signed: &[u8]) -> Report {
    xades::verify(&mut Document::from_bytes(signed), VerifyOptions::default()).unwrap()
}

/// Signs a document enveloped. xmlsec1 accepts it, and it covers the whole document.
#[track_caller]
fn accepted(document: &[u8]) -> Vec<u8> {
    let signed = sign(document).unwrap();
    xmlsec1_accepts(&signed);
    let found = report(&signed);
    assert!(found.is_valid() && found.signatures[0].covers == Coverage::Whole, "{found:#?}");
    signed
}

#[track_caller]
fn xmlsec1_accepts(signed: &[u8]) {
    let dir = tempfile::TempDir::new().unwrap();
    let (document, root) = (dir.path().join("signed.xml"), dir.path().join("root.pem"));
    std::fs::write(&document, signed).unwrap();
    std::fs::write(&root, pki::pem(Pki::shared().root())).unwrap();
    for nth in 0..report(signed).signatures.len() {
        if let Err(error) = xmlsec1::verify_nth(&document, &root, nth) {
            panic!("signature {nth}: {error}\n{}", String::from_utf8_lossy(signed));
        }
    }
}

/// The signed document without its one signature.
fn without_signature(signed: &[u8]) -> Vec<u8> {
    let place = report(signed).signatures[0].place;
    let (from, to) = (usize::try_from(place.from).unwrap(), usize::try_from(place.to).unwrap());
    [&signed[..from], &signed[to..]].concat()
}

/// Other engines rewrite the whole file: the declaration and the comments and instructions
/// around the root are lost, and the root gets an `Id`. signxml#30, xades4j#30: broken by
/// re-formatting.
#[test]
fn the_file_is_not_rewritten_or_re_formatted() {
    let document = b"<?xml version='1.0' standalone=\"yes\"   ?>\n<!-- before -->\n<?style x?>\n\
        <r   b='2'\n\ta=\"1\" >\n\n  <e\t></e ><e2/>&#x41;<![CDATA[<]]>\n</r  >\n\
        <!-- after --><?end?>\n\n";
    let signed = accepted(document);
    assert_eq!(without_signature(&signed), document);
    // The insertion is one line, so it has no line breaks that could differ from the
    // document's.
    let place = report(&signed).signatures[0].place;
    let inserted = &signed[place.from as usize..place.to as usize];
    assert!(inserted.iter().all(|octet| octet.is_ascii_graphic() || *octet == b' '));
}

/// Other engines insert the signature as the first child of the root.
#[test]
fn the_signature_is_the_last_child_of_the_root() {
    let signed = accepted(b"<r>\n  <first/>\n</r>");
    assert!(signed.starts_with(b"<r>\n  <first/>\n<ds:Signature "));
    assert!(signed.ends_with(b"</ds:Signature></r>"));
}

/// A superfluous `xmlns=""` in the exclusive form; "namespace URI cannot be empty".
/// xades4j#220, pyFF#239: broken by namespaces.
#[test]
fn a_default_namespace_can_be_undeclared() {
    accepted(b"<r xmlns='urn:a'><e xmlns=''><f/></e></r>");
    accepted(b"<p:r xmlns:p='urn:p'><e xmlns=''/><e xmlns='urn:b'><f xmlns=''/></e></p:r>");
}

/// The namespaces of the inserted element neither depend on nor conflict with those around
/// it.
#[test]
fn a_document_can_use_the_prefixes_of_the_signature() {
    const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
    accepted(b"<ds:r xmlns:ds='urn:not' xmlns:xades='urn:nor'><xades:e/></ds:r>");
    for declared in [format!("xmlns='{DS}'"), format!("xmlns:ds='{DS}'"), format!("xmlns:d='{DS}'")]
    {
        accepted(format!("<r {declared}><Object/></r>").as_bytes());
    }
    accepted(b"<r xmlns:xades='http://uri.etsi.org/01903/v1.3.2#'/>");
}

/// Other engines ignore default attributes and types of a DTD, drop content, or refuse
/// every DTD.
#[test]
fn a_dtd_changes_the_content_that_is_signed() {
    let document = b"<!DOCTYPE r [<!ELEMENT r ANY><!ATTLIST r d CDATA 'v' n NMTOKENS #IMPLIED>\
        <!ENTITY e 'text'>]>\n<r n='  a   b '>&e;</r>";
    let signed = sign(document).unwrap();
    assert_eq!(without_signature(&signed), document);
    assert!(report(&signed).is_valid());
    // The same document after a parser has applied the DTD.
    let plain = sign(b"<r d='v' n='a b'>text</r>").unwrap();
    let digest = |signed: &[u8]| {
        let text = String::from_utf8(signed.to_vec()).unwrap();
        let (_, rest) = text.split_once("<ds:DigestValue>").unwrap();
        rest.split('<').next().unwrap().to_owned()
    };
    assert_eq!(digest(&signed), digest(&plain));
    // Nothing is fetched, and content that is not known is not signed.
    let refused = sign(b"<!DOCTYPE r [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><r>&e;</r>");
    assert!(matches!(refused, Err(Error::External { .. })), "{refused:?}");
}

/// Other engines write raw CR, LF and TAB instead of references, or turn CR LF in an
/// attribute into `&#xD;&#xA;` instead of a space.
#[test]
fn line_ends_and_references_to_them() {
    let plain = b"<r a='1&#10;2&#9;3'>x&#13;y<![CDATA[a\r\nb]]>\tz</r>";
    assert_eq!(without_signature(&accepted(plain)), plain);
    let lines = b"<r a='1\r\n2\n3\t4'>\r\n<e>x\ry</e>\r\n</r>\r\n";
    assert_eq!(without_signature(&accepted(lines)), lines);
}

/// Other engines read only UTF-8 without a byte order mark.
#[test]
fn other_encodings_and_byte_order_marks() {
    let utf16: Vec<u8> = std::iter::once(0xFEFF)
        .chain("<r>é €</r>".encode_utf16())
        .flat_map(u16::to_be_bytes)
        .collect();
    let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><r a='\xE9'>\xE8</r>".to_vec();
    for document in [utf16, latin, "\u{FEFF}<r>é</r>".as_bytes().to_vec()] {
        assert_eq!(without_signature(&accepted(&document)), document);
    }
}

/// Other engines accept it and write a file that no parser reads. XML 1.1 has no canonical
/// form.
#[test]
fn xml_1_1_is_refused() {
    let refused = sign(b"<?xml version='1.1'?><r>&#1;</r>");
    assert!(matches!(refused, Err(Error::Unsupported { .. })), "{refused:?}");
}

/// "Duplicate ID".
#[test]
fn an_element_with_two_kinds_of_id() {
    // Without xmlsec1: it reports a duplicate, too.
    accepted(b"<r><f xml:id='a' Id='a'/><f xml:id='b' Id='c'/></r>");
}

/// Other engines refuse more than 100,000 nodes or 10 MiB.
#[test]
fn an_invoice_of_10_mb() {
    accepted(&Invoice::in_memory(11_000_000));
}

/// Other engines write no `DataObjectFormat` or no media type: that is not a baseline
/// signature (EN 319 132-1, 6.3).
#[test]
fn the_signature_states_the_format_of_the_data() {
    let document = b"<r><e Id='x'/><e Id='y'/></r>";
    let ids = vec!["x".to_owned(), "y".to_owned()];
    for packaging in [
        Packaging::Enveloped,
        Packaging::EnvelopingXml,
        Packaging::EnvelopingBase64,
        Packaging::InternallyDetached(ids),
    ] {
        let options = SignatureOptions::new().packaging(packaging.clone());
        let signer = Pki::shared().signer(Key::P256);
        let signed = sign_with(document, signer, &parameters(), &options).unwrap();
        let references = &report(&signed).signatures[0].references;
        let data = references.iter().filter(|r| r.kind == ReferenceKind::Data);
        let types: Vec<_> = data.map(|r| r.mime_type.as_deref()).collect();
        let (many, kind) = match packaging {
            Packaging::InternallyDetached(_) => (2, "application/xml"),
            Packaging::EnvelopingBase64 => (1, "application/octet-stream"),
            _ => (1, "application/xml"),
        };
        assert_eq!(types, vec![Some(kind); many]);
    }
}

/// Other engines use fixed Ids (`id-sig`), so two signatures of one document collide.
#[test]
fn two_signatures_have_different_ids() {
    let signer = Pki::shared().signer(Key::P256);
    let options = SignatureOptions::new().parallel();
    let once = sign_with(b"<r/>", signer, &parameters(), &options).unwrap();
    // Both by the same signer with the same parameters.
    let twice = sign_with(&once, signer, &parameters(), &options).unwrap();
    xmlsec1_accepts(&twice);
    assert!(report(&twice).is_valid());
    let text = String::from_utf8(twice).unwrap();
    let ids: Vec<&str> =
        text.split(" Id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    assert_eq!(ids.len(), 8);
}

/// Other engines write SHA-256 as `SignatureMethod` with every algorithm.
#[test]
fn the_signature_method_is_the_algorithm_that_was_used() {
    for key in Key::ALL {
        let signer = Pki::shared().signer(key);
        for algorithm in algorithms(signer) {
            let parameters = parameters().algorithm(algorithm);
            let signed = sign_with(b"<r/>", signer, &parameters, &SignatureOptions::new());
            let found = report(&signed.unwrap());
            assert!(found.is_valid(), "{key:?} {algorithm}: {found:#?}");
            assert_eq!(found.signatures[0].signature_algorithm, algorithm.to_string());
        }
    }
    let text = |algorithm| {
        let signer = Pki::shared().signer(Key::Rsa2048);
        let parameters = parameters().algorithm(algorithm);
        let signed = sign_with(b"<r/>", signer, &parameters, &SignatureOptions::new());
        String::from_utf8(signed.unwrap()).unwrap()
    };
    let text = text(SignatureAlgorithm::RsaPkcs1v15(DigestAlgorithm::Sha384));
    assert!(text.contains("\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha384\""));
    assert!(!text.contains("sha256"), "{text}");
}

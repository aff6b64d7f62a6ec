//! All forms of XAdES B-B except the enveloped one: xmlsec1 verifies them, and this
//! project's verification reports what they cover.

use std::path::PathBuf;

use ades_core::{DigestAlgorithm, Document};
use ades_tests::oracle::xmlsec1;
use ades_tests::pki::{self, Key, Pki, TestSigner};
use ades_tests::signing::{complete_xades, parameters};
use tempfile::TempDir;
use xades::c14n::{Canonicalization, Target};
use xades::report::{Coverage, ReferenceKind, Report};
use xades::{
    DetachedDocument, DetachedReferences, Error, Packaging, Position, SignatureOptions,
    VerifyOptions, check_detached, prepare_countersignature, prepare_detached, verify,
};

fn signer() -> &'static TestSigner {
    Pki::shared().signer(Key::P256)
}

fn sign(document: &[u8], options: &SignatureOptions) -> Result<Vec<u8>, Error> {
    let mut source = Document::from_bytes(document);
    let pending = xades::prepare(&mut source, &signer().chain, &parameters(), options)?;
    complete_xades(&pending, Some(document), signer())
}

fn countersign(document: &[u8], which: &[usize]) -> Result<Vec<u8>, Error> {
    let second = Pki::shared().signer(Key::Rsa2048);
    let mut source = Document::from_bytes(document);
    let pending = prepare_countersignature(
        &mut source,
        which,
        &second.chain,
        &parameters(),
        &SignatureOptions::new(),
    )?;
    complete_xades(&pending, Some(document), second)
}

fn packaging(packaging: Packaging) -> SignatureOptions {
    SignatureOptions::new().packaging(packaging)
}

fn elements(ids: &[&str]) -> SignatureOptions {
    packaging(Packaging::InternallyDetached(ids.iter().map(|id| (*id).to_owned()).collect()))
}

fn report(signed: &[u8]) -> Report {
    verify(&mut Document::from_bytes(signed), VerifyOptions::default()).unwrap()
}

/// A folder with the signer's root.
struct Court {
    dir: TempDir,
    root: PathBuf,
}

impl Court {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let root = dir.path().join("root.pem");
        std::fs::write(&root, pki::pem(Pki::shared().root())).unwrap();
        Self { dir, root }
    }

    #[track_caller]
    fn accepts(&self, signed: &[u8], signatures: usize) {
        let path = self.dir.path().join("signed.xml");
        std::fs::write(&path, signed).unwrap();
        for nth in 0..signatures {
            if let Err(error) = xmlsec1::verify_nth(&path, &self.root, nth) {
                panic!("signature {nth}: {error}\n{}", String::from_utf8_lossy(signed));
            }
        }
    }
}

const METHODS: [Canonicalization; 3] =
    [Canonicalization::C14N_1_0, Canonicalization::C14N_1_1, Canonicalization::EXCLUSIVE];

const DOCUMENT: &str = "<?xml version=\"1.0\"?>\n<!-- before -->\n\
    <r xmlns=\"urn:d\" xmlns:p=\"urn:p\" xml:lang=\"nl\" a=\"1\">\n  \
    <e Id=\"one\" p:b=\"é\">un<!-- c --> &amp; <![CDATA[<deux>]]></e>\r\n  \
    <e Id=\"two\" xmlns=\"\"><f/></e>\n</r>\n<?after?>\n";

#[test]
fn every_form_is_accepted_with_every_canonical_form() {
    let court = Court::new();
    // xmlsec1 does not find Ids of elements in a default namespace.
    let document = DOCUMENT.replace("xmlns=\"urn:d\" ", "");
    for method in METHODS {
        for options in [
            SignatureOptions::new(),
            SignatureOptions::new().parallel(),
            elements(&["one"]),
            elements(&["two", "one"]),
            packaging(Packaging::EnvelopingXml),
            packaging(Packaging::EnvelopingBase64),
        ] {
            let signed =
                sign(document.as_bytes(), &options.clone().canonicalization(method.clone()));
            let signed = signed.unwrap();
            court.accepts(&signed, 1);
            let report = report(&signed);
            assert!(
                report.signatures[0].intact == Some(true)
                    && report.signatures[0].covers != Coverage::Unknown,
                "{options:?}: {report:#?}"
            );
            let covers_all = ![elements(&["one"]), elements(&["two", "one"])].contains(&options);
            if covers_all {
                assert!(report.is_valid(), "{options:?}: {report:#?}");
            }
        }
    }
}

#[test]
fn the_octets_in_an_enveloping_signature_do_not_change() {
    let start = DOCUMENT.find("<r").unwrap();
    let root = &DOCUMENT.as_bytes()[start..DOCUMENT.find("</r>").unwrap() + 4];
    let signed = sign(DOCUMENT.as_bytes(), &packaging(Packaging::EnvelopingXml)).unwrap();
    assert!(signed.windows(root.len()).any(|window| window == root));
    // Also in the document's encoding.
    let latin: Vec<u8> = "<?xml version='1.0' encoding='ISO-8859-15'?><r>é €</r>"
        .chars()
        .map(|c| if c == '€' { 0xA4 } else { c as u8 })
        .collect();
    let utf16: Vec<u8> = std::iter::once(0xFEFF)
        .chain("<?xml version='1.0' encoding='UTF-16'?><r>é €</r>".encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let court = Court::new();
    for document in [latin, utf16, "\u{FEFF}<r>é</r>".as_bytes().to_vec()] {
        let signed = sign(&document, &packaging(Packaging::EnvelopingXml)).unwrap();
        court.accepts(&signed, 1);
        assert!(report(&signed).is_valid());
    }
    let doctype = sign(b"<!DOCTYPE r><r/>", &packaging(Packaging::EnvelopingXml));
    assert!(matches!(doctype, Err(Error::CannotInsert { .. })), "{doctype:?}");
    // A signature inside would then be in another document than the one it covers.
    let signed = sign(b"<r/>", &SignatureOptions::new()).unwrap();
    let around = sign(&signed, &packaging(Packaging::EnvelopingXml));
    assert!(matches!(around, Err(Error::CannotInsert { .. })), "{around:?}");
    let around = sign(&signed, &packaging(Packaging::EnvelopingBase64)).unwrap();
    assert!(report(&around).is_valid());
}

#[test]
fn any_octets_are_enveloped_as_base64() {
    let court = Court::new();
    for length in [0, 1, 2, 3, 100, 300_000, 1_000_001] {
        let document: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        let signed = sign(&document, &packaging(Packaging::EnvelopingBase64)).unwrap();
        court.accepts(&signed, 1);
        assert!(report(&signed).is_valid(), "{length}");
    }
}

/// As XML if that is possible, otherwise as base64 with a warning.
#[test]
fn the_document_decides_how_it_is_enveloped() {
    let court = Court::new();
    for (document, kind) in [
        (DOCUMENT.as_bytes(), None),
        (b"<!DOCTYPE r><r/>", Some("application/xml")),
        (b"<!DOCTYPE r SYSTEM 'r.dtd'><r/>", Some("application/xml")),
        (
            b"<r><s:Signature xmlns:s='http://www.w3.org/2000/09/xmldsig#'/></r>",
            Some("application/xml"),
        ),
        (b"<r>", Some("application/octet-stream")),
        (b"", Some("application/octet-stream")),
    ] {
        let signed = sign(document, &packaging(Packaging::Enveloping)).unwrap();
        court.accepts(&signed, 1);
        assert!(report(&signed).is_valid());
        let text = String::from_utf8(signed).unwrap();
        let object = kind.map(|kind| format!(" MimeType=\"{kind}\" Encoding="));
        assert_eq!(object.is_none(), !text.contains(" Encoding="));
        assert!(object.is_none_or(|object| text.contains(&object)), "{text}");
    }
    // Base64 of XML must be asked for.
    let signed = sign(DOCUMENT.as_bytes(), &packaging(Packaging::EnvelopingBase64)).unwrap();
    assert!(String::from_utf8(signed).unwrap().contains(" Encoding="));
}

fn detached<'d>(name: &str, octets: &'d [u8]) -> DetachedDocument<'d> {
    DetachedDocument::new(name, "application/octet-stream", Document::from_bytes(octets))
}

#[test]
fn detached_documents_are_named_and_never_fetched() {
    let court = Court::new();
    let files = [("a.bin", vec![0u8, 255, 1]), ("b%20c.xml", b"<x/>".to_vec())];
    for (name, octets) in &files {
        std::fs::write(court.dir.path().join(name.replace("%20", " ")), octets).unwrap();
    }
    for references in [DetachedReferences::SignedInfo, DetachedReferences::Manifest] {
        let mut documents: Vec<DetachedDocument<'_>> =
            files.iter().map(|(name, octets)| detached(name, octets)).collect();
        let options = SignatureOptions::new().detached_references(references);
        let pending =
            prepare_detached(&mut documents, &signer().chain, &parameters(), &options).unwrap();
        let signed = complete_xades(&pending, None, signer()).unwrap();
        // xmlsec1 does not percent-decode the name.
        if references == DetachedReferences::Manifest {
            court.accepts(&signed, 1);
        }
        let verified = |octets: &[Vec<u8>; 2]| {
            let mut options = VerifyOptions::new();
            for ((name, _), octets) in files.iter().zip(octets) {
                options = options.original_named(*name, Document::from_bytes(octets));
            }
            verify(&mut Document::from_bytes(&signed), options).unwrap()
        };
        let octets = files.clone().map(|(_, octets)| octets);
        assert!(verified(&octets).is_valid(), "{:#?}", verified(&octets));
        let [one, mut two] = octets;
        two[1] ^= 1;
        assert!(!verified(&[one, two]).is_valid());
        assert!(!report(&signed).is_valid());
    }
    let options = SignatureOptions::new();
    let empty = prepare_detached(&mut [], &signer().chain, &parameters(), &options);
    assert!(matches!(empty, Err(Error::Core(_))), "{empty:?}");
    for uri in ["", "#a", "a b", "é"] {
        let mut documents = [detached(uri, b"")];
        let refused = prepare_detached(&mut documents, &signer().chain, &parameters(), &options);
        assert!(matches!(refused, Err(Error::Core(_))), "{uri}: {refused:?}");
        let refused = check_detached(&documents, &parameters(), &options);
        assert!(matches!(refused, Err(Error::Core(_))), "{uri}: {refused:?}");
    }
}

#[test]
fn one_plain_file_is_found_by_xmlsec1() {
    let court = Court::new();
    std::fs::write(court.dir.path().join("a.bin"), b"octets").unwrap();
    let mut documents = [detached("a.bin", b"octets")];
    let options = SignatureOptions::new();
    check_detached(&documents, &parameters(), &options).unwrap();
    let pending = prepare_detached(&mut documents, &signer().chain, &parameters(), &options);
    let signed = complete_xades(&pending.unwrap(), None, signer()).unwrap();
    court.accepts(&signed, 1);
}

/// A complaint about other libraries: "a second signature invalidates the first".
#[test]
fn parallel_signatures_leave_each_other_intact() {
    let court = Court::new();
    let first = sign(DOCUMENT.as_bytes(), &SignatureOptions::new().parallel()).unwrap();
    let second = sign(&first, &SignatureOptions::new()).unwrap();
    let third = sign(&second, &SignatureOptions::new()).unwrap();
    court.accepts(&third, 3);
    let found = report(&third);
    assert!(found.is_valid() && found.signatures.len() == 3, "{found:#?}");
    assert!(found.signatures.iter().all(|s| s.covers == Coverage::Whole), "{found:#?}");
    let mut ids: Vec<_> = found.signatures.iter().map(|s| s.id.clone()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 3);

    // The enveloped-signature transform covers everything that is added.
    let alone = sign(DOCUMENT.as_bytes(), &SignatureOptions::new()).unwrap();
    let refused = sign(&alone, &SignatureOptions::new());
    assert!(matches!(refused, Err(Error::BreaksExistingSignature)), "{refused:?}");
    // A signature over another element does not.
    let element = sign(DOCUMENT.as_bytes(), &elements(&["two"])).unwrap();
    let more = sign(&element, &SignatureOptions::new()).unwrap();
    assert!(report(&more).signatures.iter().all(|s| s.intact == Some(true)));
    let inside = SignatureOptions::new().position(Position::LastIn(Target::Id("two".into())));
    let refused = sign(&element, &inside);
    assert!(matches!(refused, Err(Error::BreaksExistingSignature)), "{refused:?}");
}

/// Other programs may verify algorithms that this one does not. A new signature must not
/// break those either.
#[test]
fn signatures_with_unknown_algorithms_are_not_broken() {
    let changed = |options: &SignatureOptions, from: &str, to: &str| {
        let signed = String::from_utf8(sign(DOCUMENT.as_bytes(), options).unwrap()).unwrap();
        assert!(signed.contains(from));
        sign(signed.replacen(from, to, 1).as_bytes(), &SignatureOptions::new())
    };
    let (sha256, unknown) =
        (DigestAlgorithm::Sha256.xml_uri(), "http://www.w3.org/2001/04/xmlenc#ripemd160");
    let refused = changed(&SignatureOptions::new(), sha256, unknown);
    assert!(matches!(refused, Err(Error::BreaksExistingSignature)), "{refused:?}");
    for options in [elements(&["two"]), SignatureOptions::new().parallel()] {
        let signed = changed(&options, sha256, unknown).unwrap();
        assert_eq!(report(&signed).signatures.len(), 2);
    }
    for (from, to) in [
        ("http://www.w3.org/2000/09/xmldsig#enveloped-signature", "urn:a"),
        ("URI=\"\"", "URI=\"#other\""),
        ("URI=\"\"", "URI=\"#xpointer(//e)\""),
    ] {
        let refused = changed(&SignatureOptions::new(), from, to);
        assert!(matches!(refused, Err(Error::ExistingSignatureUndecided { .. })), "{refused:?}");
    }
    // A signature over another document cannot break.
    changed(&SignatureOptions::new(), "URI=\"\"", "URI=\"a.bin\"").unwrap();
}

#[test]
fn countersignatures_are_inside_the_signature_that_they_sign() {
    let court = Court::new();
    let first = sign(DOCUMENT.as_bytes(), &SignatureOptions::new()).unwrap();
    let once = countersign(&first, &[0]).unwrap();
    let twice = countersign(&once, &[0]).unwrap();
    let nested = countersign(&twice, &[0, 0]).unwrap();
    court.accepts(&nested, 4);
    let found = report(&nested);
    assert!(found.is_valid(), "{found:#?}");
    let outer = &found.signatures[0];
    assert_eq!((found.signatures.len(), outer.countersignatures.len()), (1, 2));
    assert_eq!(outer.countersignatures[0].countersignatures.len(), 1);
    let reference = &outer.countersignatures[0].references[0];
    assert_eq!(reference.kind, ReferenceKind::CountersignedSignature);
    assert!(matches!(countersign(&first, &[1]), Err(Error::NoSuchSignature { .. })));
    let plain = b"<r><s:Signature xmlns:s='http://www.w3.org/2000/09/xmldsig#'/></r>";
    assert!(matches!(countersign(plain, &[0]), Err(Error::CannotInsert { .. })));
    // The place in the report does not change when another one is countersigned.
    let one = sign(DOCUMENT.as_bytes(), &SignatureOptions::new().parallel()).unwrap();
    let two = sign(&one, &SignatureOptions::new()).unwrap();
    let both = countersign(&countersign(&two, &[0]).unwrap(), &[1]).unwrap();
    let counts = report(&both).signatures.into_iter().map(|it| it.countersignatures.len());
    assert_eq!(counts.collect::<Vec<_>>(), [1, 1]);
    // Also of an enveloping signature.
    let enveloping = sign(b"octets", &packaging(Packaging::EnvelopingBase64)).unwrap();
    let countersigned = countersign(&enveloping, &[0]).unwrap();
    court.accepts(&countersigned, 2);
    assert!(report(&countersigned).is_valid());
}

#[test]
fn a_signature_goes_to_the_position_in_the_options() {
    let court = Court::new();
    let document =
        "<a:Assertion xmlns:a='urn:a'><a:Issuer>i</a:Issuer><a:Subject/><e Id='x'/></a:Assertion>";
    let issuer =
        Target::Named { namespace: "urn:a".into(), local_name: "Issuer".into(), nth: Some(0) };
    for (position, before) in [
        (Position::LastInRoot, "<e Id='x'/>"),
        (Position::After(issuer.clone()), "</a:Issuer>"),
        (Position::LastIn(issuer), "<a:Issuer>i"),
        (Position::LastIn(Target::Id("x".into())), "<e Id='x'>"),
        (Position::After(Target::Id("x".into())), "<e Id='x'/>"),
    ] {
        let signed = sign(document.as_bytes(), &SignatureOptions::new().position(position.clone()));
        let signed = signed.unwrap();
        court.accepts(&signed, 1);
        assert!(report(&signed).is_valid(), "{position:?}");
        let text = String::from_utf8(signed).unwrap();
        assert!(text.contains(&format!("{before}<ds:Signature ")), "{position:?}: {text:.300}");
    }
    for position in [
        Position::After(Target::Named {
            namespace: "urn:a".into(),
            local_name: "Assertion".into(),
            nth: None,
        }),
        Position::LastIn(Target::Id("nowhere".into())),
    ] {
        assert!(sign(document.as_bytes(), &SignatureOptions::new().position(position)).is_err());
    }
    let inside = elements(&["x"]).position(Position::LastIn(Target::Id("x".into())));
    assert!(sign(document.as_bytes(), &inside).is_ok());
    assert!(sign(document.as_bytes(), &elements(&[])).is_err());
    let twice = b"<r><e Id='x'/><e Id='x'/></r>";
    assert!(matches!(sign(twice, &elements(&["x"])), Err(Error::DuplicateId { .. })));

    // Not into another signature: a reference that leaves out all signatures would leave
    // out the new one with it.
    let enveloping = sign(b"octets", &packaging(Packaging::EnvelopingBase64)).unwrap();
    let refused = sign(&enveloping, &SignatureOptions::new());
    assert!(matches!(refused, Err(Error::CannotInsert { .. })), "{refused:?}");
    let first = sign(document.as_bytes(), &SignatureOptions::new().parallel()).unwrap();
    let name = |local_name: &str| Target::Named {
        namespace: "http://www.w3.org/2000/09/xmldsig#".into(),
        local_name: local_name.into(),
        nth: Some(0),
    };
    let at = |position| sign(&first, &SignatureOptions::new().position(position));
    for position in [
        Position::LastIn(name("Signature")),
        Position::LastIn(name("Object")),
        Position::After(name("KeyInfo")),
    ] {
        let refused = at(position);
        assert!(matches!(refused, Err(Error::CannotInsert { .. })), "{refused:?}");
    }
    let after = at(Position::After(name("Signature"))).unwrap();
    court.accepts(&after, 2);
    assert!(report(&after).is_valid());
}

#[test]
fn a_changed_document_is_refused_in_every_form() {
    let document = DOCUMENT.as_bytes();
    for options in [
        packaging(Packaging::EnvelopingXml),
        packaging(Packaging::EnvelopingBase64),
        elements(&["one"]),
    ] {
        let mut source = Document::from_bytes(document);
        let pending =
            xades::prepare(&mut source, &signer().chain, &parameters(), &options).unwrap();
        for at in [0, 60, document.len() - 1] {
            let mut other = document.to_vec();
            other[at] ^= 1;
            let refused = complete_xades(&pending, Some(&other), signer());
            assert!(matches!(refused, Err(Error::DocumentChanged)), "{options:?}: {refused:?}");
        }
        let refused = complete_xades(&pending, None, signer());
        assert!(matches!(refused, Err(Error::DocumentNeeded)), "{refused:?}");
        let value = signer().sign(&pending.to_be_signed());
        let mut out = Vec::new();
        let mut shorter = Document::from_bytes(&document[1..]);
        pending.complete(Some(&mut shorter), &value, &mut out).unwrap_err();
        assert!(out.is_empty());
    }
}

//! Enveloped XAdES B-B: xmlsec1 as judge, and the original octets untouched.

use ades_core::{
    CommitmentType, Digest, DigestAlgorithm, Document, PendingState, SignatureAlgorithm,
    SignatureParameters, SignaturePolicy, SignerLocation, base64,
};
use ades_tests::corpora;
use ades_tests::invoice::Invoice;
use ades_tests::oracle::xmlsec1;
use ades_tests::pki::{self, Key, Pki, TestSigner};
use ades_tests::signing::{algorithms, parameters};
use ades_tests::xml;
use proptest::prelude::*;
use xades::c14n::{Canonicalization, IdAttributes, Selection, Target, canonicalize};
use xades::xml::Reader;
use xades::{
    Error, MAX_AFTER_ROOT, Packaging, PendingSignature, Position, ProductionPlace,
    SignatureOptions, VerifyOptions, prepare_countersignature, verify,
};

/// Prepares, stores, restores, signs, completes.
fn sign(
    document: &[u8],
    signer: &TestSigner,
    parameters: &SignatureParameters,
) -> Result<Vec<u8>, Error> {
    sign_with(document, signer, parameters, &SignatureOptions::new())
}

fn sign_with(
    document: &[u8],
    signer: &TestSigner,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
) -> Result<Vec<u8>, Error> {
    let mut source = Document::from_bytes(document);
    let pending = xades::prepare(&mut source, &signer.chain, parameters, options)?;
    let pending = PendingSignature::from_json(&pending.to_json(None)?, None)?;
    let value = signer.sign(&pending.to_be_signed());
    let mut out = Vec::new();
    pending.complete(Some(&mut Document::from_bytes(document)), &value, &mut out)?;
    Ok(out)
}

#[track_caller]
fn judged(signed: &[u8]) -> Result<(), String> {
    let dir = tempfile::TempDir::new().unwrap();
    let (document, root) = (dir.path().join("signed.xml"), dir.path().join("root.pem"));
    std::fs::write(&document, signed).unwrap();
    std::fs::write(&root, pki::pem(Pki::shared().root())).unwrap();
    xmlsec1::verify(&document, &root)
}

/// The documents in all encodings, and the shapes that are easily spoiled.
fn shapes() -> Vec<Vec<u8>> {
    let text = "<r xmlns='urn:d' a='é'>\r\n <b xmlns=''>€ &amp; &#13;</b><!-- c -->\r\n</r>\r\n<!-- end -->";
    let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(bytes).collect()
    };
    let latin = |name: &str, euro: u8| -> Vec<u8> {
        let body = text.chars().map(|c| if c == '€' { euro } else { c as u8 });
        format!("<?xml version='1.0' encoding='{name}'?>").bytes().chain(body).collect()
    };
    vec![
        text.into(),
        [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        utf16(u16::to_le_bytes),
        utf16(u16::to_be_bytes),
        latin("ISO-8859-15", 0xA4),
        latin("windows-1252", 0x80),
        b"<r/>".to_vec(),
        b"<p:r xmlns:p='urn:p' \n />\n<?p?>".to_vec(),
        b"<?xml version='1.0' encoding='ISO-8859-1'?><\xE9/>".to_vec(),
        b"<!DOCTYPE r [<!ENTITY e 'x'>]>\n<r e='&e;'/>".to_vec(),
        b"<!DOCTYPE r [<!ENTITY e '<b>x</b>'>]>\n<r>&e;</r>".to_vec(),
        b"<!DOCTYPE r [<!ATTLIST r d CDATA 'v'>]>\n<r/>".to_vec(),
        b"<ds:r xmlns:ds='urn:not-ds' xmlns:xades='urn:not-xades'>x</ds:r>".to_vec(),
    ]
}

#[test]
fn xmlsec1_verifies_every_document() {
    let signer = Pki::shared().signer(Key::Rsa2048);
    let mut documents: Vec<Vec<u8>> = xml::documents().into_iter().map(|xml| xml.octets).collect();
    // xmlsec1 neither expands entities in content nor adds default attributes.
    let beyond = |octets: &&Vec<u8>| {
        let text = String::from_utf8_lossy(octets);
        text.contains(">&e;") || text.contains("<!ATTLIST")
    };
    documents.extend(shapes().iter().filter(|octets| !beyond(octets)).cloned());
    documents.push(Invoice::in_memory(1_000_000));
    documents.iter().for_each(|document| assert_signed(document, signer));
}

#[test]
fn xmlsec1_verifies_every_document_of_others() {
    let signer = Pki::shared().signer(Key::Rsa2048);
    for file in corpora::files("xml").unwrap_or_default() {
        assert_signed(&file.read(), signer);
    }
}

/// xmlsec1 verifies our signature of this document.
#[track_caller]
fn assert_signed(document: &[u8], signer: &TestSigner) {
    let signed = sign(document, signer, &parameters()).unwrap();
    let shown = || String::from_utf8_lossy(&signed[..signed.len().min(4000)]).into_owned();
    judged(&signed).unwrap_or_else(|error| panic!("{error}\n{}", shown()));
}

#[test]
fn xmlsec1_verifies_what_it_can_of_every_algorithm() {
    let document = shapes().remove(0);
    let mut judged_algorithms = 0;
    for key in Key::ALL {
        let signer = Pki::shared().signer(key);
        for algorithm in algorithms(signer) {
            let signed = sign(&document, signer, &parameters().algorithm(algorithm)).unwrap();
            // xmlsec1 1.2 knows neither RSASSA-PSS nor Ed25519.
            if matches!(
                algorithm,
                SignatureAlgorithm::RsaPkcs1v15(_) | SignatureAlgorithm::Ecdsa(_)
            ) {
                judged(&signed).unwrap_or_else(|error| panic!("{key:?} {algorithm}: {error}"));
                judged_algorithms += 1;
            }
        }
    }
    assert!(judged_algorithms >= 6, "{judged_algorithms}");
}

#[test]
fn every_property_is_signed() {
    let id = "1.2.3.4".parse().unwrap();
    let policy = SignaturePolicy::of_document(id, DigestAlgorithm::Sha256, b"p")
        .uri("https://example.org/policy?a&b")
        .user_notice("Lisez <ceci> é");
    let location =
        SignerLocation::default().country("BE").locality("Liège").postal_address(["Rue 1", "4000"]);
    let parameters = parameters()
        .policy(policy)
        .location(location)
        .signer_role("Directrice générale")
        .commitment(CommitmentType::APPROVAL)
        .commitment(CommitmentType("1.2.3".parse().unwrap()))
        .description("A \"test\"")
        .mime_type("text/xml");
    let signer = Pki::shared().signer(Key::P256);
    let signed = sign(b"<r/>", signer, &parameters).unwrap();
    judged(&signed).unwrap();
    let text = String::from_utf8(signed).unwrap();
    assert!(text.is_ascii());
    for expected in [
        "<xades:SigningTime>2026-09-21T14:13:20Z</xades:SigningTime>",
        "<xades:Identifier Qualifier=\"OIDAsURN\">urn:oid:1.2.3.4</xades:Identifier>",
        "<xades:SPURI>https://example.org/policy?a&#x26;b</xades:SPURI>",
        "<xades:City>Li&#xE8;ge</xades:City><xades:StreetAddress>Rue 1, 4000</xades:StreetAddress>",
        "<xades:ClaimedRole>Directrice g&#xE9;n&#xE9;rale</xades:ClaimedRole>",
        "<xades:Identifier>http://uri.etsi.org/01903/v1.2.2#ProofOfApproval</xades:Identifier>",
        "<xades:Identifier>urn:oid:1.2.3</xades:Identifier>",
        "<xades:MimeType>text/xml</xades:MimeType>",
    ] {
        assert!(text.contains(expected), "{expected}");
    }
}

/// EN 319 132-1, 5.2.5: what CAdES has no words for.
#[test]
fn a_place_has_a_state_and_a_postal_code() {
    let signer = Pki::shared().signer(Key::P256);
    let place = ProductionPlace {
        city: Some("Gent".into()),
        street_address: Some("Veldstraat 1".into()),
        state_or_province: Some("Oost-Vlaanderen".into()),
        postal_code: Some("9000".into()),
        country: Some("BE".into()),
    };
    let options = SignatureOptions::new().production_place(place);
    let location = SignerLocation::default().country("FR");
    let signed = sign_with(b"<r/>", signer, &parameters().location(location), &options).unwrap();
    judged(&signed).unwrap();
    let expected = "<xades:SignatureProductionPlaceV2><xades:City>Gent</xades:City>\
        <xades:StreetAddress>Veldstraat 1</xades:StreetAddress>\
        <xades:StateOrProvince>Oost-Vlaanderen</xades:StateOrProvince>\
        <xades:PostalCode>9000</xades:PostalCode><xades:CountryName>BE</xades:CountryName>\
        </xades:SignatureProductionPlaceV2>";
    assert!(String::from_utf8(signed.clone()).unwrap().contains(expected));
    let report = verify(&mut Document::from_bytes(&signed), VerifyOptions::default()).unwrap();
    assert!(report.is_valid(), "{report:#?}");
    let nothing = SignatureOptions::new().production_place(ProductionPlace::default());
    let refused = sign_with(b"<r/>", signer, &parameters(), &nothing);
    assert!(matches!(refused, Err(Error::Core(ades_core::Error::Parameter { .. }))));
}

/// ades-rs: fixed Ids.
#[test]
fn ids_are_unique_and_differ_from_document_to_document() {
    let signer = Pki::shared().signer(Key::Rsa2048);
    let ids = |document: &[u8]| -> Vec<String> {
        let signed = String::from_utf8(sign(document, signer, &parameters()).unwrap()).unwrap();
        let ids = signed.split(" Id=\"").skip(1).map(|id| id.split('"').next().unwrap());
        ids.map(str::to_owned).collect()
    };
    let mut all = [ids(b"<r/>"), ids(b"<q/>")].concat();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 8);
}

/// Signatures on one document can be put into one: they have other Ids if
/// anything about them is another.
#[test]
fn ids_differ_from_signature_to_signature() {
    let signer = Pki::shared().signer(Key::P256);
    let id = |signer: &TestSigner, parameters: &SignatureParameters, options: &SignatureOptions| {
        let signed = sign_with(b"<r Id='r'><e Id='e'/></r>", signer, parameters, options).unwrap();
        let signed = String::from_utf8(signed).unwrap();
        signed.split("Id=\"ades-").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let plain = SignatureOptions::new();
    let packaging = |packaging| plain.clone().packaging(packaging);
    let later = parameters().signing_time().time() + chrono::Duration::seconds(1);
    let mut all = vec![
        id(signer, &parameters(), &plain),
        id(Pki::shared().signer(Key::P384), &parameters(), &plain),
        id(signer, &SignatureParameters::new(later), &plain),
        id(signer, &parameters(), &packaging(Packaging::InternallyDetached(vec!["e".into()]))),
        id(signer, &parameters(), &packaging(Packaging::EnvelopingXml)),
        id(signer, &parameters(), &packaging(Packaging::EnvelopingBase64)),
        id(signer, &parameters(), &plain.clone().id_seed([1])),
        id(signer, &parameters(), &plain.clone().id_seed([2])),
    ];
    assert_eq!(all[0], id(signer, &parameters(), &plain));
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 8);
}

/// Of what is behind the signature, only the document's end is held.
#[test]
fn a_signature_goes_before_as_much_as_there_is() {
    let signer = Pki::shared().signer(Key::P256);
    let place = Target::Named { namespace: "".into(), local_name: "e".into(), nth: Some(0) };
    for (element, length) in [("<e></e>", 17 << 20), ("<e/>", 2 << 20), ("<e/>", 3 << 20)] {
        let document = format!("<r>{element}{}</r>\n", "x".repeat(length));
        for position in [Position::LastIn(place.clone()), Position::After(place.clone())] {
            let options = SignatureOptions::new().position(position);
            let mut source = Document::from_bytes(document.as_bytes());
            let pending =
                xades::prepare(&mut source, &signer.chain, &parameters(), &options).unwrap();
            let value = signer.sign(&pending.to_be_signed());
            let mut out = Vec::new();
            pending.complete(Some(&mut source), &value, &mut out).unwrap();
            let (start, end) = (out.windows(5).position(|w| w == b"<ds:S"), b"</ds:Signature>");
            let (before, rest) = out.split_at(start.unwrap());
            let len = rest.windows(end.len()).position(|w| w == end).unwrap() + end.len();
            let without = [before, &rest[len..]].concat();
            let as_it_was = without == document.replace("<e/>", "<e></e>").as_bytes()
                || without == document.as_bytes();
            assert!(as_it_was);
            if length > 16 << 20 {
                judged(&out).unwrap();
                break;
            }
            // Of another document the end is not written, whatever is another.
            for at in [0, 3, 9, 1 << 20, length, document.len() - 1] {
                let mut other = document.clone().into_bytes();
                other[at] ^= 1;
                let mut out = Vec::new();
                let mut other = Document::stream(other.as_slice());
                let refused = pending.complete(Some(&mut other), &value, &mut out);
                assert!(matches!(refused, Err(Error::DocumentChanged)), "{refused:?}");
                assert!(!out.ends_with(b"</r>\n") && out.len() < document.len());
            }
        }
    }
    let much = format!("<r/>{}", " ".repeat(MAX_AFTER_ROOT));
    let refused = sign(much.as_bytes(), signer, &parameters());
    assert!(matches!(refused, Err(Error::CannotInsert { .. })), "{refused:?}");
}

/// SVG images name a DTD that nobody reads.
#[test]
fn an_external_subset_is_ignored_if_so_asked() {
    let signer = Pki::shared().signer(Key::P256);
    let svg = b"<?xml version=\"1.0\" standalone=\"no\"?>\n\
        <!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \
        \"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\">\n\
        <svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\"/>\n";
    let refused = sign(svg, signer, &parameters());
    assert!(matches!(refused, Err(Error::External { .. })), "{refused:?}");
    let options = SignatureOptions::new().ignoring_external_subset();
    let signed = sign_with(svg, signer, &parameters(), &options.clone().parallel()).unwrap();
    judged(&signed).unwrap();
    let refused = verify(&mut Document::from_bytes(&signed), VerifyOptions::default());
    assert!(matches!(refused, Err(Error::External { .. })), "{refused:?}");
    let verified = |signed: &[u8]| {
        let options = VerifyOptions::new().ignoring_external_subset();
        verify(&mut Document::from_bytes(signed), options).unwrap()
    };
    assert!(verified(&signed).is_valid());
    // And again, as the earlier signature is looked at, too.
    let twice = sign_with(&signed, signer, &parameters(), &options).unwrap();
    assert!(verified(&twice).is_valid() && verified(&twice).signatures.len() == 2);
    let mut source = Document::from_bytes(&twice);
    let pending =
        prepare_countersignature(&mut source, &[0], &signer.chain, &parameters(), &options)
            .unwrap();
    let value = signer.sign(&pending.to_be_signed());
    let mut out = Vec::new();
    pending.complete(Some(&mut source), &value, &mut out).unwrap();
    assert!(verified(&out).is_valid());
}

/// `wsu:Id` in SOAP, `AssertionID` in SAML 1.1.
#[test]
fn elements_are_signed_by_other_ids_if_so_asked() {
    let signer = Pki::shared().signer(Key::P256);
    let wsu = "http://docs.oasis-open.org/wss/2004/01/\
        oasis-200401-wss-wssecurity-utility-1.0.xsd";
    let soap = format!(
        "<S:Envelope xmlns:S=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:wsu=\"{wsu}\">\
         <S:Header/><S:Body wsu:Id=\"body\">text</S:Body><a AssertionID=\"a\"/></S:Envelope>"
    );
    let beside = Packaging::InternallyDetached(vec!["body".into(), "a".into()]);
    let options =
        SignatureOptions::new().packaging(beside).position(Position::LastIn(Target::Named {
            namespace: "http://www.w3.org/2003/05/soap-envelope".into(),
            local_name: "Header".into(),
            nth: None,
        }));
    let refused = sign_with(soap.as_bytes(), signer, &parameters(), &options);
    assert!(matches!(refused, Err(Error::NoSuchElement { .. })), "{refused:?}");
    let ids = IdAttributes::default().and(wsu, "Id").and("", "AssertionID");
    let options = options.ids(ids.clone());
    let signed = sign_with(soap.as_bytes(), signer, &parameters(), &options).unwrap();
    let verified = |ids: Option<IdAttributes>| {
        let options = VerifyOptions::new()
            .expect(Target::Id("body".into()))
            .expect(Target::Id("a".into()))
            .ids(ids.unwrap_or_default());
        verify(&mut Document::from_bytes(&signed), options)
    };
    assert!(verified(Some(ids)).unwrap().is_valid());
    assert!(verified(None).is_err());
    // The place, too, is one of these.
    let place = Position::LastIn(Target::Id("body".into()));
    let ids = IdAttributes::default().and(wsu, "Id");
    let options = SignatureOptions::new().position(place).ids(ids);
    let signed = sign_with(soap.as_bytes(), signer, &parameters(), &options).unwrap();
    judged(&signed).unwrap();
}

#[test]
fn a_stored_state_is_small_and_of_a_lasting_form() {
    let signer = Pki::shared().signer(Key::P256);
    let document = Invoice::in_memory(1_000_000);
    let parameters = parameters().signer_role("Confidential");
    let mut source = Document::from_bytes(&document);
    let pending =
        xades::prepare(&mut source, &signer.chain, &parameters, &SignatureOptions::new()).unwrap();
    let json = pending.to_json(None).unwrap();
    // The chain is in it twice: as such and in ds:KeyInfo.
    let chain: usize = pending.chain().certificates().iter().map(|c| c.der().len()).sum();
    assert!(json.len() < 8192 + chain * 8 / 3, "{} octets", json.len());
    assert_eq!(PendingSignature::from_json(&json, None).unwrap(), pending);
    assert!(!format!("{pending:?}").contains("Confidential"));
}

#[test]
fn what_has_changed_is_refused() {
    let signer = Pki::shared().signer(Key::P256);
    let document = b"<r>text</r>\n";
    let prepare = || {
        let mut document = Document::from_bytes(document);
        xades::prepare(&mut document, &signer.chain, &parameters(), &SignatureOptions::new())
            .unwrap()
    };
    let pending = prepare();
    let value = signer.sign(&pending.to_be_signed());
    for other in [b"<r>Text</r>\n".as_slice(), b"<r>text</r>", b"<r>text</r>\n\n", b""] {
        let mut out = Vec::new();
        // As a stream, too, of which nobody knows the length.
        for mut other in [Document::from_bytes(other), Document::stream(other)] {
            let refused = pending.complete(Some(&mut other), &value, &mut out);
            assert!(matches!(refused, Err(Error::DocumentChanged)), "{refused:?}");
            assert!(Reader::from_slice(&out).map_or(true, |reader| {
                let method = Canonicalization::EXCLUSIVE;
                canonicalize(reader, method, Selection::document(), &mut |_| Ok(())).is_err()
            }));
        }
    }
    // A value over something else.
    let wrong = signer.sign(
        &xades::prepare(
            &mut Document::from_bytes(b"<r>other</r>"),
            &signer.chain,
            &parameters(),
            &SignatureOptions::new(),
        )
        .unwrap()
        .to_be_signed(),
    );
    let mut out = Vec::new();
    let refused = prepare().complete(Some(&mut Document::from_bytes(document)), &wrong, &mut out);
    assert!(
        matches!(refused, Err(Error::Core(ades_core::Error::ValueDoesNotVerify))),
        "{refused:?}"
    );
    // A state in which other properties were written.
    let json = pending.to_json(None).unwrap();
    let inner: serde_json::Value = serde_json::from_str(&json).unwrap();
    let state = inner["state"].to_string().replace("application/xml", "application/xyz");
    let tampered: PendingSignature = serde_json::from_str(&state).unwrap();
    let refused = tampered.complete(Some(&mut Document::from_bytes(document)), &value, &mut out);
    assert!(
        matches!(refused, Err(Error::Core(ades_core::Error::StateDamaged { .. }))),
        "{refused:?}"
    );
    assert!(out.is_empty());
}

#[test]
fn documents_that_would_change_a_signature_are_refused() {
    let signer = Pki::shared().signer(Key::P256);
    let document = b"<!DOCTYPE r [<!ATTLIST ds:Object Id CDATA 'x'>]><r/>";
    let refused = sign(document, signer, &parameters());
    assert!(matches!(refused, Err(Error::CannotInsert { .. })), "{refused:?}");
    let policy = SignaturePolicy::new("1.2".parse().unwrap());
    assert!(sign(b"<r/>", signer, &parameters().policy(policy)).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Insertion leaves all else identical, and the signed document without
    /// its signature has the digest that was signed.
    #[test]
    fn the_original_octets_stay(
        shape in prop::sample::select(shapes()),
        text in "[a-zé \r\n]{0,40}",
        epilog in "[ \r\n]{0,5}",
    ) {
        let plain = format!("<r>{text}</r>{epilog}").into_bytes();
        let signer = Pki::shared().signer(Key::P256);
        for document in [shape, plain] {
            let signed = sign(&document, signer, &parameters()).unwrap();
            let same = |a: &[u8], b: &[u8]| a.iter().zip(b).take_while(|(a, b)| a == b).count();
            let front = same(&document, &signed);
            let reversed = |octets: &[u8]| octets.iter().rev().copied().collect::<Vec<u8>>();
            let back = same(&reversed(&document), &reversed(&signed));
            // All of it, but for the slash of an empty root element's tag.
            prop_assert!(front + back + 2 >= document.len(), "{front} + {back} of {}", document.len());

            let mut form = Vec::new();
            let rest = Selection::document().without(Target::first_signature());
            canonicalize(Reader::from_slice(&signed).unwrap(), Canonicalization::EXCLUSIVE, rest, &mut |piece| {
                form.extend_from_slice(piece);
                Ok(())
            }).unwrap();
            let digest = Digest::of(DigestAlgorithm::Sha256, &form);
            let digest = base64::encode(digest.value());
            let ascii: String = signed.iter().filter(|o| **o != 0).map(|o| char::from(*o)).collect();
            prop_assert!(ascii.contains(&digest));
        }
    }
}

//! Time-stamps in signatures. The tokens are made by hand and have no signatures of their
//! own: only their imprints count here. Elements are written in their exclusive canonical
//! form, so that the octets in the document are those that a time-stamp is over.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use ades_core::asn1::der::{self, OCTET_STRING, OID, SEQUENCE, SET, context, element};
use ades_core::facts::{
    EvidencePlace, ImprintUndecided, RevocationForm, SignatureFacts, TimeStampKind,
};
use ades_core::{Digest, DigestAlgorithm, Document, base64};
use proptest::prelude::*;
use xades::VerifyOptions;

const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const XADES: &str = "http://uri.etsi.org/01903/v1.3.2#";
const XADES_141: &str = "http://uri.etsi.org/01903/v1.4.1#";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
const SIGNED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2];
const TST_INFO: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 1, 4];

/// A token over these octets, in base64.
fn token(data: &str) -> String {
    let imprint = [
        DigestAlgorithm::Sha256.algorithm_identifier(),
        element(OCTET_STRING, &[Digest::of(DigestAlgorithm::Sha256, data.as_bytes()).value()]),
    ];
    let one = der::unsigned_integer(&[1]);
    let oid = |content: &[u8]| element(OID, &[content]);
    let time = element(0x18, &[b"20260101000000Z"]);
    let imprint = element(SEQUENCE, &[&imprint.concat()]);
    let info = element(SEQUENCE, &[&one, &oid(&[42]), &imprint, &one, &time]);
    let content = element(context(0), &[&element(OCTET_STRING, &[&info])]);
    let content = element(SEQUENCE, &[&oid(TST_INFO), &content]);
    let set = element(SET, &[]);
    let signed_data = element(SEQUENCE, &[&one, &set, &content, &set]);
    let token = element(SEQUENCE, &[&oid(SIGNED_DATA), &element(context(0), &[&signed_data])]);
    base64::encode(&token)
}

/// A CRL by its structure, in base64.
fn crl() -> String {
    let algorithm = element(SEQUENCE, &[&element(OID, &[&[42]])]);
    let time = element(0x17, &[b"200101000000Z"]);
    let list = element(SEQUENCE, &[&algorithm, &element(SEQUENCE, &[]), &time]);
    base64::encode(&element(SEQUENCE, &[&list, &algorithm, &element(3, &[&[0]])]))
}

/// A time-stamp property over these octets.
fn stamp(prefix: &str, name: &str, includes: &str, data: &str) -> String {
    let namespace = if prefix == "xades" { XADES } else { XADES_141 };
    let token = token(data);
    // The namespaces that children use are rendered where they are used first.
    format!(
        "<{prefix}:{name} xmlns:{prefix}=\"{namespace}\">{includes}\
         <ds:CanonicalizationMethod xmlns:ds=\"{DS}\" Algorithm=\"{EXCLUSIVE}\">\
         </ds:CanonicalizationMethod>\
         <xades:EncapsulatedTimeStamp{}>{token}</xades:EncapsulatedTimeStamp></{prefix}:{name}>",
        if prefix == "xades" { String::new() } else { format!(" xmlns:xades=\"{XADES}\"") }
    )
}

fn reference(id: &str, uri: &str, kind: &str) -> String {
    format!(
        "<ds:Reference Id=\"{id}\"{kind} URI=\"{uri}\"><ds:DigestMethod Algorithm=\"{SHA256}\">\
         </ds:DigestMethod><ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>"
    )
}

/// The parts of a signature, each in canonical form.
#[derive(Clone)]
struct Parts {
    data: String,
    signed_info: String,
    value: String,
    key_info: String,
    content_stamps: String,
    unsigned: Vec<String>,
    object: String,
}

impl Parts {
    fn new() -> Self {
        let signed_properties =
            reference("r2", "#sp", " Type=\"http://uri.etsi.org/01903#SignedProperties\"");
        Self {
            data: "<data Id=\"data\">one<!-- two --></data>".to_owned(),
            signed_info: format!(
                "<ds:SignedInfo xmlns:ds=\"{DS}\"><ds:CanonicalizationMethod \
                 Algorithm=\"{EXCLUSIVE}\"></ds:CanonicalizationMethod><ds:SignatureMethod \
                 Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\">\
                 </ds:SignatureMethod>{}{signed_properties}</ds:SignedInfo>",
                reference("r1", "#data", ""),
            ),
            value: format!("<ds:SignatureValue xmlns:ds=\"{DS}\">AAAA</ds:SignatureValue>"),
            key_info: format!(
                "<ds:KeyInfo xmlns:ds=\"{DS}\"><ds:KeyName>k</ds:KeyName></ds:KeyInfo>"
            ),
            content_stamps: String::new(),
            unsigned: Vec::new(),
            object: format!("<ds:Object xmlns:ds=\"{DS}\">object</ds:Object>"),
        }
    }

    fn data(&self) -> String {
        self.data.replace("<!-- two -->", "")
    }

    fn signed_properties(&self) -> String {
        format!(
            "<xades:SignedProperties xmlns:xades=\"{XADES}\" Id=\"sp\">\
             <xades:SignedDataObjectProperties>{}</xades:SignedDataObjectProperties>\
             </xades:SignedProperties>",
            // The element around them declares the prefix.
            self.content_stamps.replace(&format!(" xmlns:xades=\"{XADES}\""), "")
        )
    }

    fn document(&self) -> String {
        format!(
            "<root xmlns:unused=\"urn:u\" xml:lang=\"nl\">{}\n<ds:Signature xmlns:ds=\"{DS}\" \
             Id=\"s\">{}\n{}\n{}<ds:Object><xades:QualifyingProperties xmlns:xades=\"{XADES}\" \
             Target=\"#s\">{}<xades:UnsignedProperties>\
             <xades:UnsignedSignatureProperties>\n{}\n</xades:UnsignedSignatureProperties>\
             </xades:UnsignedProperties></xades:QualifyingProperties></ds:Object>{}</ds:Signature>\
             </root>",
            self.data,
            self.signed_info,
            self.value,
            self.key_info,
            self.signed_properties(),
            self.unsigned.join("\n "),
            self.object,
        )
    }

    /// The input of an archive time-stamp after the unsigned properties that there are
    /// (EN 319 132-1, 5.5.2.2).
    fn archive_input(&self) -> String {
        let references = [self.data(), self.signed_properties()].concat();
        let fixed = [&*references, &self.signed_info, &self.value, &self.key_info].concat();
        [fixed, self.unsigned.concat(), self.object.clone()].concat()
    }

    fn facts(&self) -> SignatureFacts {
        facts(&self.document())
    }
}

fn facts(document: &str) -> SignatureFacts {
    let mut document = Document::from_bytes(document.as_bytes());
    let report = xades::verify(&mut document, VerifyOptions::new()).unwrap();
    report.signatures.into_iter().next().unwrap().facts
}

fn imprints(facts: &SignatureFacts) -> Vec<Option<bool>> {
    facts.time_stamps().map(|stamp| stamp.imprint).collect()
}

/// With each kind of time-stamp, and evidence between them.
fn full() -> Parts {
    let mut parts = Parts::new();
    let include = "<xades:Include URI=\"#r1\" referencedData=\"true\"></xades:Include>";
    parts.content_stamps = [
        stamp("xades", "AllDataObjectsTimeStamp", "", &parts.data()),
        stamp("xades", "IndividualDataObjectsTimeStamp", include, &parts.data()),
    ]
    .concat();
    parts.unsigned.push(stamp("xades", "SignatureTimeStamp", "", &parts.value));
    for name in ["CompleteCertificateRefsV2", "CompleteRevocationRefs"] {
        let (prefix, namespace) =
            if name.ends_with("V2") { ("x141", XADES_141) } else { ("xades", XADES) };
        let text = format!("<{prefix}:{name} xmlns:{prefix}=\"{namespace}\">r</{prefix}:{name}>");
        parts.unsigned.push(text);
    }
    let with_stamp = parts.value.clone() + &parts.unsigned.concat();
    let without = parts.unsigned.iter().skip(1).cloned().collect::<String>();
    parts.unsigned.push(stamp("x141", "SigAndRefsTimeStampV2", "", &with_stamp));
    parts.unsigned.push(stamp("x141", "RefsOnlyTimeStampV2", "", &without));
    parts.unsigned.push(format!(
        "<xades:RevocationValues xmlns:xades=\"{XADES}\"><xades:CRLValues>\
         <xades:EncapsulatedCRLValue>{}</xades:EncapsulatedCRLValue></xades:CRLValues>\
         </xades:RevocationValues>",
        crl()
    ));
    parts.unsigned.push(stamp("x141", "ArchiveTimeStamp", "", &parts.archive_input()));
    parts.unsigned.push(format!(
        "<x141:TimeStampValidationData xmlns:x141=\"{XADES_141}\"><xades:RevocationValues \
         xmlns:xades=\"{XADES}\"><xades:CRLValues><xades:EncapsulatedCRLValue>{}\
         </xades:EncapsulatedCRLValue></xades:CRLValues></xades:RevocationValues>\
         </x141:TimeStampValidationData>",
        crl()
    ));
    parts.unsigned.push(stamp("x141", "ArchiveTimeStamp", "", &parts.archive_input()));
    parts
}

#[test]
fn each_kind_is_over_its_own_octets() {
    let facts = full().facts();
    let kinds: Vec<_> = facts.time_stamps().map(|stamp| stamp.kind).collect();
    use TimeStampKind as Kind;
    let expected = [
        Kind::Content,
        Kind::Content,
        Kind::Signature,
        Kind::SignatureAndReferences,
        Kind::References,
        Kind::Archive,
        Kind::Archive,
    ];
    assert_eq!(kinds, expected);
    assert_eq!(imprints(&facts), [Some(true); 7]);
    let covered: Vec<_> = facts
        .time_stamps()
        .map(|stamp| {
            let objects = &stamp.covers.objects;
            let stamps: Vec<_> = objects.time_stamps.iter().collect();
            (stamp.covers.references, objects.revocation_values.len(), stamps)
        })
        .collect();
    let all = |end| (0..end).collect::<Vec<usize>>();
    let expected = [
        (false, 0, all(0)),
        (false, 0, all(0)),
        (false, 0, all(2)),
        (true, 0, all(3)),
        (true, 0, all(0)),
        (true, 1, all(5)),
        (true, 2, all(6)),
    ];
    assert_eq!(covered, expected);
    let values = facts.evidence.revocation_values();
    let places: Vec<_> = values.iter().map(|value| (value.form, value.place)).collect();
    let crl = RevocationForm::Crl;
    let places_expected =
        [(crl, EvidencePlace::Values), (crl, EvidencePlace::TimeStampValidationData)];
    assert_eq!(places, places_expected);
}

/// A change of one part changes exactly the imprints that are over it.
#[test]
fn a_change_concerns_the_time_stamps_over_it() {
    let (yes, no) = (Some(true), Some(false));
    type Change = fn(&mut Parts);
    let changes: [(Change, [Option<bool>; 7]); 6] = [
        (|p| p.data = p.data.replace("one", "uno"), [no, no, yes, yes, yes, no, no]),
        (|p| p.value = p.value.replace("AAAA", "AAAB"), [yes, yes, no, no, yes, no, no]),
        (|p| p.key_info = p.key_info.replace(">k<", ">q<"), [yes, yes, yes, yes, yes, no, no]),
        (|p| p.object = p.object.replace("obj", "Obj"), [yes, yes, yes, yes, yes, no, no]),
        (
            |p| p.unsigned.iter_mut().for_each(|u| *u = u.replace(">r<", ">s<")),
            [yes, yes, yes, no, no, no, no],
        ),
        (
            |p| {
                let between = p.unsigned.get_mut(7).unwrap();
                *between = between.replace("<xades:CRLValues>", "<xades:CRLValues>\n");
            },
            [yes, yes, yes, yes, yes, yes, no],
        ),
    ];
    for (at, (change, expected)) in changes.into_iter().enumerate() {
        let mut parts = full();
        change(&mut parts);
        assert_eq!(imprints(&parts.facts()), expected, "change {at}");
    }
    // What comes after the last one concerns none.
    let mut parts = full();
    parts.unsigned.push(stamp("xades", "SignatureTimeStamp", "", "other"));
    assert_eq!(imprints(&parts.facts()), [yes, yes, yes, yes, yes, yes, yes, no]);
}

#[test]
fn what_is_not_known_is_undecided() {
    let undecided = |parts: &Parts| parts.facts().time_stamps().next().unwrap().imprint_undecided;
    let mut parts = Parts::new();
    let include = "<xades:Include URI=\"#r1\"></xades:Include>";
    let forms = [
        stamp("xades", "ArchiveTimeStamp", "", "other"),
        stamp("x141", "ArchiveTimeStamp", &include.replace("xades:", "x141:"), "x")
            .replace("x141:Include", "xades:Include")
            .replace("<xades:Include", &format!("<xades:Include xmlns:xades=\"{XADES}\"")),
        stamp("xades", "SignatureTimeStamp", "", "x").replace(EXCLUSIVE, "urn:unknown"),
    ];
    for form in forms {
        parts.unsigned = vec![form.clone()];
        let why = undecided(&parts);
        assert_eq!(why, Some(ImprintUndecided::UnsupportedForm), "{form}");
    }
    // A data object that was not given.
    let mut parts = Parts::new();
    parts.signed_info = parts.signed_info.replace("#data", "elsewhere.txt");
    parts.unsigned.push(stamp("x141", "ArchiveTimeStamp", "", "x"));
    assert_eq!(undecided(&parts), Some(ImprintUndecided::DataMissing));
    parts.unsigned =
        vec![stamp("xades", "SignatureTimeStamp", "", "x").replace(&token("x"), "AAAA")];
    assert_eq!(undecided(&parts), Some(ImprintUndecided::TokenMalformed));
}

/// A document outside, and parts that are too long to be held.
#[test]
fn long_parts_are_made_again() {
    let outside = "the document outside";
    let mut parts = Parts::new();
    parts.object = parts.object.replace("object", &"x".repeat(17 << 20));
    parts.signed_info = parts.signed_info.replace("#data", "elsewhere.txt");
    let input = [outside, parts.archive_input().split_once("</data>").unwrap().1].concat();
    parts.unsigned.push(stamp("x141", "ArchiveTimeStamp", "", &input));
    let text = parts.document();
    let options = VerifyOptions::new().original(Document::from_bytes(outside.as_bytes()));
    let report = xades::verify(&mut Document::from_bytes(text.as_bytes()), options).unwrap();
    let facts = &report.signatures.first().unwrap().facts;
    assert_eq!(imprints(facts), [Some(true)]);
}

/// Each comparison with each other takes minutes.
#[test]
fn a_hundred_thousand_values_take_linear_time() {
    let started = Instant::now();
    let mut parts = Parts::new();
    let value = format!("<xades:EncapsulatedCRLValue>{}</xades:EncapsulatedCRLValue>", crl());
    parts.unsigned.push(format!(
        "<xades:RevocationValues xmlns:xades=\"{XADES}\"><xades:CRLValues>{}</xades:CRLValues>\
         </xades:RevocationValues>",
        value.repeat(100_000)
    ));
    let facts = parts.facts();
    assert!(facts.evidence.left_out() > 0);
    // As many time-stamps as a signature may hold.
    let mut parts = Parts::new();
    let archive = stamp("x141", "ArchiveTimeStamp", "", "x");
    parts.unsigned = vec![archive; 2000];
    let facts = parts.facts();
    let limit = Some(ImprintUndecided::Limit);
    assert_eq!(facts.time_stamps().filter(|one| one.imprint_undecided == limit).count(), 2000 - 64);
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Elements of properties in any order and depth: an error or a report.
    #[test]
    fn properties_in_any_order_are_read(
        names in proptest::collection::vec(0usize..12, 0..8),
        wrong in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        const NAMES: [&str; 12] = [
            "SignatureTimeStamp", "ArchiveTimeStamp", "SigAndRefsTimeStamp", "RefsOnlyTimeStamp",
            "CertificateValues", "RevocationValues", "CRLValues", "EncapsulatedCRLValue",
            "AttributeRevocationValues", "TimeStampValidationData", "AnyValidationData",
            "CompleteCertificateRefs",
        ];
        let mut parts = full();
        for name in names {
            let name = NAMES.get(name).unwrap();
            let inner = parts.unsigned.pop().unwrap_or_default();
            parts.unsigned.push(format!(
                "<xades:{name} xmlns:xades=\"{XADES}\">{inner}</xades:{name}>"
            ));
        }
        let mut octets = parts.document().into_bytes();
        for (at, octet) in wrong {
            let at = at.index(octets.len());
            *octets.get_mut(at).unwrap() = octet;
        }
        let report = xades::verify(&mut Document::from_bytes(&octets), VerifyOptions::new());
        for signature in report.iter().flat_map(|report| &report.signatures) {
            let all = signature.facts.evidence.time_stamps().len();
            for stamp in signature.facts.time_stamps() {
                prop_assert!(stamp.covers.objects.time_stamps.iter().all(|at| at < all));
            }
        }
    }
}

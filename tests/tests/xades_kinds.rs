//! One XAdES signature of each kind, made by us or by xmlsec1 from a template of
//! ours: what we report of it. Nothing here was made by others.

use ades_core::{
    Digest, DigestAlgorithm, Document, Level, SignatureParameters, SignaturePolicy, base64,
};
use ades_tests::corpora::note_ran;
use ades_tests::oracle::xmlsec1;
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{complete_xades, leads_to, parameters};
use tempfile::TempDir;
use xades::report::{Problem, Report};
use xades::{
    DetachedDocument, DetachedReferences, Packaging, SignatureOptions, VerifyOptions,
    prepare_countersignature, prepare_detached, verify,
};

const DOCUMENT: &str = "<?xml version=\"1.0\"?>\n<r><e Id=\"one\">text</e></r>\n";

fn verified(signed: &str, files: &[(&str, &[u8])]) -> Report {
    let options = files.iter().fold(VerifyOptions::new(), |options, (uri, octets)| {
        options.original_named(*uri, Document::from_bytes(octets))
    });
    verify(&mut Document::from_bytes(signed.as_bytes()), options).unwrap()
}

fn ours(parameters: &SignatureParameters, options: &SignatureOptions) -> String {
    ours_of(DOCUMENT, parameters, options)
}

fn ours_of(document: &str, parameters: &SignatureParameters, options: &SignatureOptions) -> String {
    let signer = Pki::shared().signer(Key::P256);
    let mut source = Document::from_bytes(document.as_bytes());
    let pending = xades::prepare(&mut source, &signer.chain, parameters, options).unwrap();
    let signed = complete_xades(&pending, Some(document.as_bytes()), signer).unwrap();
    String::from_utf8(signed).unwrap()
}

/// What is expected of a document; `problems` are those of each signature.
#[derive(Clone)]
struct Kind {
    name: &'static str,
    signed: String,
    problems: &'static [Problem],
    signatures: usize,
    unsigned: Vec<&'static str>,
}

fn kind(name: &'static str, signed: String, problems: &'static [Problem]) -> Kind {
    Kind { name, signed, problems, signatures: 1, unsigned: Vec::new() }
}

fn by_us() -> Vec<Kind> {
    let (plain, new) = (parameters(), SignatureOptions::new);
    let packaged = |packaging| ours(&plain, &new().packaging(packaging));
    let policy =
        SignaturePolicy::of_document("1.2.3".parse().unwrap(), DigestAlgorithm::Sha256, b"policy");
    let parallel = ours(&plain, &new().parallel());
    let twice = ours_of(&parallel, &plain, &new());
    let once = ours(&plain, &new());
    let signer = Pki::shared().signer(Key::P384);
    let mut source = Document::from_bytes(once.as_bytes());
    let counter = prepare_countersignature(&mut source, &[0], &signer.chain, &plain, &new());
    let counter = complete_xades(&counter.unwrap(), Some(once.as_bytes()), signer).unwrap();
    let part = Packaging::InternallyDetached(vec!["one".to_owned()]);
    vec![
        kind("enveloped", once.clone(), &[]),
        kind("enveloping, XML", packaged(Packaging::EnvelopingXml), &[]),
        kind("enveloping, base64", packaged(Packaging::EnvelopingBase64), &[]),
        kind("internally detached", packaged(part), &[Problem::NotCovered]),
        kind("with a policy", ours(&plain.clone().policy(policy), &new()), &[]),
        kind("with a role", ours(&plain.clone().signer_role("Director"), &new()), &[]),
        kind("parallel", parallel, &[]),
        Kind { signatures: 2, ..kind("two signatures", twice, &[]) },
        Kind {
            unsigned: vec!["CounterSignature"],
            ..kind("a countersignature", String::from_utf8(counter).unwrap(), &[])
        },
    ]
}

/// The properties of levels T to LTA and of older XAdES; nothing reads their values.
fn with_unsigned_properties() -> Vec<Kind> {
    const END: &str = "</xades:SignedProperties>";
    const V141: &str = "http://uri.etsi.org/01903/v1.4.1#";

    let signed = ours(&parameters(), &SignatureOptions::new());
    let (mut elements, mut names) = (String::new(), Vec::new());
    let mut kinds = Vec::new();
    for (name, is_v141) in [
        ("SignatureTimeStamp", false),
        ("CompleteCertificateRefs", false),
        ("CompleteRevocationRefs", false),
        ("SigAndRefsTimeStamp", false),
        ("RefsOnlyTimeStamp", false),
        ("CertificateValues", false),
        ("RevocationValues", false),
        ("TimeStampValidationData", true),
        ("ArchiveTimeStamp", true),
    ] {
        names.push(name);
        elements += &match is_v141 {
            true => format!("<x:{name} xmlns:x=\"{V141}\"/>"),
            false => format!("<xades:{name}/>"),
        };
        let unsigned = format!(
            "{END}<xades:UnsignedProperties><xades:UnsignedSignatureProperties>{elements}\
             </xades:UnsignedSignatureProperties></xades:UnsignedProperties>"
        );
        let with = signed.replacen(END, &unsigned, 1);
        kinds.push(Kind { unsigned: names.clone(), ..kind(name, with, &[]) });
    }
    kinds
}

const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const TIME: &str = "<xades:SigningTime>2026-09-21T14:13:20Z</xades:SigningTime>";
const FORMAT: &str = "<xades:DataObjectFormat ObjectReference=\"#d\"><xades:MimeType>text/xml\
    </xades:MimeType></xades:DataObjectFormat>";
const X509: &str = "<ds:KeyInfo><ds:X509Data/></ds:KeyInfo>";

/// An enveloped signature that xmlsec1 fills in.
fn template() -> String {
    let digest =
        Digest::of(DigestAlgorithm::Sha256, Pki::shared().signer(Key::Rsa2048).leaf().der());
    let digest = base64::encode(digest.value());
    let reference = |attributes: &str, transform: &str| {
        format!(
            "<ds:Reference {attributes}><ds:Transforms>{transform}\
             <ds:Transform Algorithm=\"{EXCLUSIVE}\"/></ds:Transforms>\
             <ds:DigestMethod Algorithm=\"{SHA256}\"/><ds:DigestValue/></ds:Reference>"
        )
    };
    let enveloped = format!("<ds:Transform Algorithm=\"{ENVELOPED}\"/>");
    let document = reference("Id=\"d\" URI=\"\"", &enveloped);
    let kind = "http://uri.etsi.org/01903#SignedProperties";
    let properties = reference(&format!("Type=\"{kind}\" URI=\"#p\""), "");
    format!(
        "<r>text<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" Id=\"s\">\
         <ds:SignedInfo><ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"/>\
         <ds:SignatureMethod Algorithm=\"{RSA_SHA256}\"/>{document}{properties}</ds:SignedInfo>\
         <ds:SignatureValue/>{X509}<ds:Object><xades:QualifyingProperties \
         xmlns:xades=\"http://uri.etsi.org/01903/v1.3.2#\" Target=\"#s\">\
         <xades:SignedProperties Id=\"p\"><xades:SignedSignatureProperties>{TIME}\
         <xades:SigningCertificateV2><xades:Cert><xades:CertDigest>\
         <ds:DigestMethod Algorithm=\"{SHA256}\"/><ds:DigestValue>{digest}</ds:DigestValue>\
         </xades:CertDigest></xades:Cert></xades:SigningCertificateV2>\
         </xades:SignedSignatureProperties><xades:SignedDataObjectProperties>{FORMAT}\
         </xades:SignedDataObjectProperties></xades:SignedProperties>\
         </xades:QualifyingProperties></ds:Object></ds:Signature></r>"
    )
}

/// From this tag to that one.
fn element(text: &str, from: &str, to: &str) -> String {
    let start = text.find(from).unwrap();
    let end = start + text[start..].find(to).unwrap() + to.len();
    text[start..end].to_owned()
}

fn by_xmlsec1() -> Vec<Kind> {
    let signer = Pki::shared().signer(Key::Rsa2048);
    let dir = TempDir::new().unwrap();
    let files = signer.write_pem_files(dir.path());
    let whole = template();
    let sign_template = |template: &str| {
        let path = dir.path().join("template.xml");
        std::fs::write(&path, template).unwrap();
        let ids = ["Id:SignedProperties"];
        let signed = xmlsec1::sign(&path, &files.key, &files.leaf, &ids);
        String::from_utf8(signed.unwrap_or_else(|e| panic!("{e}\n{template}"))).unwrap()
    };
    let sign = |old: &str, new: &str| {
        assert!(whole.contains(old), "{old}");
        sign_template(&whole.replacen(old, new, 1))
    };
    let certificate = element(&whole, "<xades:SigningCert", "</xades:SigningCertificateV2>");
    let legacy = certificate.replace("CertificateV2", "Certificate").replace(
        "</xades:Cert>",
        "<xades:IssuerSerial><ds:X509IssuerName>CN=Nobody</ds:X509IssuerName>\
         <ds:X509SerialNumber>1</ds:X509SerialNumber></xades:IssuerSerial></xades:Cert>",
    );
    let unnumbered = element(&legacy, "<xades:IssuerSerial>", "</xades:IssuerSerial>");
    let unnumbered = legacy.replace(&unnumbered, "");
    let formats = element(&whole, "<xades:SignedDataObj", "</xades:SignedDataObjectProperties>");
    let object = element(&whole, "<ds:Object>", "</ds:Object>");
    let reference = element(&whole, "<ds:Reference Type", "</ds:Reference>");
    let bare = whole.replacen(&object, "", 1).replacen(&reference, "", 1);
    let typed = "Type=\"http://uri.etsi.org/01903#SignedProperties\" ";
    let again = format!("{TIME}{TIME}");
    vec![
        kind("everything", sign("", ""), &[]),
        kind("no signing time", sign(TIME, ""), &[Problem::SigningTimeMissing]),
        kind("a time twice", sign(TIME, &again), &[Problem::PropertyRepeated]),
        kind(
            "no signing certificate",
            sign(&certificate, ""),
            &[Problem::SigningCertificateMissing],
        ),
        kind("signing certificate, first version", sign(&certificate, &unnumbered), LEGACY),
        kind("of another serial number", sign(&certificate, &legacy), OTHER_NUMBER),
        kind("no format", sign(&formats, ""), &[Problem::DataObjectFormatMissing]),
        kind("no signed properties", sign_template(&bare), NO_PROPERTIES),
        kind(
            "signed properties not called so",
            sign(typed, ""),
            &[Problem::SignedPropertiesNotReferenced],
        ),
        kind(
            "other target",
            sign("Target=\"#s\"", "Target=\"#d\""),
            &[Problem::QualifyingPropertiesTarget],
        ),
        kind("no certificate", sign(X509, ""), &[Problem::SignerCertificateMissing]),
        kind(
            "an algorithm of the past",
            sign(RSA_SHA256, "http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
            // It verifies; the judge says that it is too weak.
            &[],
        ),
    ]
}

const LEGACY: &[Problem] = &[Problem::LegacyProperty];
const OTHER_NUMBER: &[Problem] = &[Problem::LegacyProperty, Problem::SigningCertificateMismatch];
const NO_PROPERTIES: &[Problem] = &[Problem::QualifyingPropertiesMissing];

#[test]
fn every_kind_is_reported_as_what_it_is() {
    let kinds = [by_us(), with_unsigned_properties(), by_xmlsec1()].concat();
    // All of them, so that one run says everything.
    let fails = |kind: &&Kind| std::panic::catch_unwind(|| assert_kind(kind)).is_err();
    let failed: Vec<_> = kinds.iter().filter(fails).map(|kind| kind.name).collect();
    assert!(failed.is_empty(), "{failed:?}");
    note_ran(&format!("{} XAdES signatures that we make ourselves", kinds.len()));
}

fn assert_kind(Kind { name, signed, problems, signatures, unsigned }: &Kind) {
    let report = verified(signed, &[]);
    assert_eq!(report.signatures.len(), *signatures, "{name}");
    for signature in &report.signatures {
        assert_eq!(signature.problems, *problems, "{name}: {signature:#?}\n{signed}");
        assert_eq!(signature.unsigned_properties, *unsigned, "{name}");
        if problems.is_empty() {
            assert!(
                signature.intact == Some(true) && signature.level >= Level::B,
                "{name}: {signature:#?}"
            );
            // xmlsec1 brings the signer's certificate only.
            let anchors = [Pki::shared().root().clone(), Pki::shared().issuing().clone()];
            assert!(leads_to(&signature.facts, &anchors), "{name}");
        }
    }
    assert_eq!(report.is_valid(), problems.is_empty(), "{name}");
}

/// As in ASiC containers: the signature names files beside it.
#[test]
fn files_beside_a_signature_are_found_by_name() {
    let files = [("a.txt", b"first".as_slice()), ("META-INF/b.bin", b"\0\xFF")];
    let signer = Pki::shared().signer(Key::P256);
    for references in [DetachedReferences::SignedInfo, DetachedReferences::Manifest] {
        let mut documents = files.map(|(uri, octets)| {
            DetachedDocument::new(uri, "application/octet-stream", Document::from_bytes(octets))
        });
        let options = SignatureOptions::new().detached_references(references);
        let pending = prepare_detached(&mut documents, &signer.chain, &parameters(), &options);
        let signed = complete_xades(&pending.unwrap(), None, signer).unwrap();
        let signed = String::from_utf8(signed).unwrap();
        let report = verified(&signed, &files);
        assert!(report.is_valid(), "{references:?}: {report:#?}");
        let other = [files[0], (files[1].0, b"other".as_slice())];
        assert!(!verified(&signed, &other).is_valid(), "{references:?}");
        assert!(!verified(&signed, &files[..1]).is_valid(), "{references:?}");
    }
}

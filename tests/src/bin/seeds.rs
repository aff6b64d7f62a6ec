//! Writes the seeds for fuzzing that our generators make: `cargo run -p ades-tests
//! --bin seeds` replaces `fuzz/seeds/{cms_extend,pdf,c14n,recipients,xml_encodings,xml_verify,ocsp,
//! crl,token,evidence,trusted_list}`. Commit what has changed only if the kinds of documents have:
//! signatures have other values in every run.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ades::{ExtendOptions, TargetLevel};
use ades_core::{Document, base64};
use ades_tests::c14n::{Algorithm, Part, vectors};
use ades_tests::encodings;
use ades_tests::evidence::{
    Answer, By, List, OCSP_SIGNING, Response, Stamp, TIME_STAMPING, entry, extension, reason,
    with_extended_key_usage,
};
use ades_tests::levels::{Raising, signer};
use ades_tests::oracle::openssl;
use ades_tests::pdf::by_hand::{ONE_PAGE, of_objects};
use ades_tests::pdf::kinds;
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{complete_xades, finish, parameters, sign};
use ades_tests::trusted_list;
use ades_tests::xml::documents;
use tempfile::TempDir;
use test_key::TestKey;
use xades::{Packaging, SignatureOptions};

/// Maximum length of a seed: short ones are changed more often.
const MAX: usize = 4096;
/// Maximum length of signed XML and PDF.
const MAX_SIGNED: usize = 12_000;

fn main() {
    let pdf = Folder::new("pdf");
    for kind in kinds() {
        let max = if kind.signatures > 0 { MAX_SIGNED } else { MAX };
        // Nothing opens them: the targets have no password.
        if kind.octets.len() <= max && kind.password.is_none() {
            pdf.write(kind.name, &kind.octets);
        }
    }
    canonical_forms(&Folder::new("c14n"));
    containers(&Folder::new("cms_extend"));
    recipients(&Folder::new("recipients"));
    encodings(&Folder::new("xml_encodings"));
    let signed = Folder::new("xml_verify");
    signed_xml(&signed);
    expressions(&signed);
    evidence();
    trusted_lists(&Folder::new("trusted_list"));
}

/// A list with history and qualifiers, and one that is closed and empty.
fn trusted_lists(folder: &Folder) {
    use trusted_list::{Entry, List, ListedService, SIGNERS, qualifications};

    let rule = qualifications(&["QCWithQSCD", "QCForESig"], SIGNERS);
    let withdrawn = Entry::new("CA/QC", "withdrawn", "2026-01-01T00:00:00Z").with(&rule);
    let granted = Entry::new("CA/QC", "granted", "2017-01-01T00:00:00Z").with(&rule);
    let service = ListedService::new(Pki::shared().issuing(), withdrawn).before(granted);
    folder.write("history", List::new(vec![service]).unsigned().as_bytes());
    let closed = List { next_update: None, ..List::new(Vec::new()) };
    folder.write("closed", closed.unsigned().as_bytes());
}

/// OCSP responses, CRLs and tokens about one certificate.
fn evidence() {
    let pki = Pki::shared();
    let (subject, issuing) = (pki.signer(Key::P256).leaf(), By::Issuing(pki));
    let certificates = Folder::new("evidence");
    certificates.write("subject.der", subject.der());
    certificates.write("issuer.der", pki.issuing().der());

    let ocsp = Folder::new("ocsp");
    let good = Response::new(Answer::good(subject, pki.issuing()));
    ocsp.write("good", &good.whole(issuing));
    ocsp.write("basic by key", &Response { by_key: true, ..good.clone() }.basic(issuing));
    let revoked = good.answers[0].clone().revoked("20251231120000Z", Some(1));
    ocsp.write("revoked", &Response::new(revoked).whole(issuing));
    let responder = with_extended_key_usage(pki, "Responder", &[OCSP_SIGNING], false);
    let certificates = vec![responder.leaf().clone()];
    let delegated = Response { certificates, ..good };
    ocsp.write("delegated", &delegated.whole(By::Signer(&responder)));

    let crl = Folder::new("crl");
    let entries = vec![entry(subject.serial_number(), "20251224000000Z", &[reason(6)])];
    crl.write("empty", &List::new(1, Vec::new()).signed(issuing));
    let mut list = List::new(1, entries);
    crl.write("revoked", &list.signed(issuing));
    // issuingDistributionPoint and deltaCRLIndicator
    list.extensions.push(extension("2.5.29.28", true, &[0x30, 3, 0x84, 1, 0xFF]));
    list.extensions.push(extension("2.5.29.27", true, &[2, 1, 0]));
    crl.write("indirect delta", &list.signed(issuing));

    let token = Folder::new("token");
    let service = with_extended_key_usage(pki, "Service", &[TIME_STAMPING], true);
    let stamp = Stamp::new(b"value", &service).signed(&service);
    token.write("token", &stamp);
    // TimeStampResp: granted
    let granted = [&[0x30, 3, 2, 1, 0], &stamp[..]].concat();
    token.write("response", &ades_core::asn1::der::element(0x30, &[&granted]));
}

/// A folder below `fuzz/seeds`.
struct Folder(PathBuf);

impl Folder {
    /// Empty.
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, octets: &[u8]) {
        let name: String = name
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("-");
        fs::write(self.0.join(name.to_lowercase()), octets).unwrap();
    }
}

/// The target `c14n` takes what is to be done from the first octet.
fn canonical_forms(folder: &Folder) {
    let mut seen = BTreeSet::new();
    for vector in vectors() {
        let mode = match vector.algorithms {
            [Algorithm::Exclusive] => 2,
            [Algorithm::C14n11] => 1,
            _ => 0,
        };
        let part = if vector.part == Part::Whole { 0 } else { 3 };
        let seed = [&[mode + part], vector.input.as_slice()].concat();
        if seen.insert(seed.clone()) {
            folder.write(vector.name, &seed);
        }
    }
    // It also takes the element with the Id `i`, without its first signature.
    let part = "<!DOCTYPE r [<!ENTITY e '<b>x</b>'>]><r xmlns='urn:é' xml:base='a/'><a Id='i'>&e;\
        <Signature xmlns='http://www.w3.org/2000/09/xmldsig#'/><!--c--></a></r>";
    folder.write("part", format!("\x04{part}").as_bytes());
    let wide = format!("\u{FEFF}{part}");
    let wide = wide.encode_utf16().flat_map(u16::to_le_bytes);
    folder.write("part-utf-16", &[0].into_iter().chain(wide).collect::<Vec<u8>>());
    for document in documents() {
        folder.write(document.name, &[b"\x00", document.octets.as_slice()].concat());
    }
}

fn signed_xml(folder: &Folder) {
    const DOCUMENT: &[u8] = b"<r a='1'>text<b Id='x'/></r>";

    let signer = Pki::shared().signer(Key::P256);
    let new = SignatureOptions::new;
    for (name, options) in [
        ("enveloped", new()),
        ("parallel", new().parallel()),
        ("enveloping-xml", new().packaging(Packaging::EnvelopingXml)),
        ("enveloping-base64", new().packaging(Packaging::EnvelopingBase64)),
        ("part", new().packaging(Packaging::InternallyDetached(vec!["x".to_owned()]))),
    ] {
        let mut source = Document::from_bytes(DOCUMENT);
        let pending = xades::prepare(&mut source, &signer.chain, &parameters(), &options).unwrap();
        let signed = complete_xades(&pending, Some(DOCUMENT), signer).unwrap();
        folder.write(name, &signed);
        if name == "enveloped" {
            let end = "</xades:SignedProperties>";
            let unsigned = format!(
                "{end}<xades:UnsignedProperties><xades:UnsignedSignatureProperties>\
                 <xades:SignatureTimeStamp/><xades:RevocationValues/>\
                 </xades:UnsignedSignatureProperties></xades:UnsignedProperties>"
            );
            let signed = String::from_utf8(signed).unwrap().replacen(end, &unsigned, 1);
            folder.write("time-stamped", signed.as_bytes());
        }
    }
}

/// Containers at each level, with signatures beside and on others, and in BER. The target has this
/// content for those that are detached.
fn containers(folder: &Folder) {
    const CONTENT: &[u8] = b"content";

    let (one, two) = (signer(Pki::shared(), Key::P256), Pki::shared().signer(Key::P256));
    let mut raising = Raising::new(&one);
    raising.original = Some(CONTENT);
    let detached = sign(CONTENT, cades::Packaging::Detached, &one, &parameters()).unwrap();
    folder.write("b", &detached);
    for (name, level) in [("t", TargetLevel::T), ("lt", TargetLevel::Lt), ("lta", TargetLevel::Lta)]
    {
        folder.write(name, &raising.raise(&detached, ExtendOptions::new(level)).0);
    }
    let added = |which: Option<&[usize]>| {
        let (mut source, mut original) =
            (Document::from_bytes(&detached), Document::from_bytes(CONTENT));
        let (chain, options) = (&two.chain, cades::SignatureOptions::new());
        let pending = match which {
            Some(which) => {
                cades::prepare_countersignature(&mut source, which, chain, &parameters(), &options)
            }
            None => {
                let original = Some(&mut original);
                cades::prepare_parallel(&mut source, original, chain, &parameters(), &options)
            }
        };
        finish(&pending.unwrap(), two, Some(&detached)).unwrap()
    };
    folder.write("parallel", &added(None));
    folder.write("countersigned", &added(Some(&[0])));
    let dir = TempDir::new().unwrap();
    let files = two.write_pem_files(dir.path());
    let content = dir.path().join("content");
    fs::write(&content, CONTENT).unwrap();
    let more = ["-cades", "-nodetach", "-stream"];
    let ber = openssl::cms_sign(&more, &content, &files.leaf, &files.key, &files.issuers);
    let (ber, mut raising) = (ber.unwrap(), Raising::new(&one));
    // OpenSSL signs at the present time, and nothing is known about this signer.
    raising.services.now = raising.verify(&ber).signatures[0].claimed_time.unwrap();
    folder.write("ber", &raising.raise(&ber, ExtendOptions::new(TargetLevel::T)).0);
}

/// Envelopes for the key of the target `recipients`, which OpenSSL makes, and documents with
/// them.
fn recipients(folder: &Folder) {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let certificate = base64::encode(TestKey::new("Recipient").certificate());
    let pem = format!("-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n");
    fs::write(path("certificate.pem"), pem).unwrap();
    fs::write(path("content"), b"a seed of 20 octets.\xFF\xFF\xFF\xFE").unwrap();
    let (content, certificate) = (path("content"), path("certificate.pem"));
    for (name, cipher, handler) in [
        ("aes-128", "-aes128", "/V 4/Length 128"),
        ("aes-256", "-aes256", "/V 5/Length 256"),
        ("rc4", "-des3", "/V 2/Length 128"),
    ] {
        let encrypt = ["cms", "-encrypt", "-binary", "-outform", "DER", cipher, "-in", &content];
        let envelope = openssl::run(&[&encrypt[..], &["-recip", &certificate]].concat()).unwrap();
        folder.write(&format!("envelope-{name}"), &envelope);
        let digits: String = envelope.iter().map(|octet| format!("{octet:02X}")).collect();
        let filter = match name {
            "aes-128" => "/CFM/AESV2/Length 128",
            _ => "/CFM/AESV3/Length 256",
        };
        let list = format!("/Recipients[<{digits}>]");
        let (filters, list) = match name {
            "rc4" => ("".to_owned(), list),
            _ => (format!("/CF<</F<<{filter}{list}>>>>/StmF/F/StrF/F"), String::new()),
        };
        let encrypt =
            format!("<</Filter/Adobe.PubSec/SubFilter/adbe.pkcs7.s5{handler}{filters}{list}>>");
        let document = of_objects(
            &[
                "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]>>>>",
                ONE_PAGE,
                "<</Type/Page/Parent 2 0 R>>",
                "<</FT/Sig/T(signature)/V<</Filter/A/SubFilter/B/Reason(some)/Contents<00>>>>>",
            ],
            &format!("/Encrypt{encrypt}/ID[<00><00>]"),
        );
        folder.write(&format!("document-{name}"), &document);
    }
}

/// The target `xml_encodings` takes the name of the encoding from the first line.
fn encodings(folder: &Folder) {
    for &(name, word) in encodings::SINGLE.iter().chain(&encodings::MULTIPLE) {
        let content = [name.as_bytes(), b"\n<a b='", word, b"'>", word, b"</a><!--", word, b"-->"];
        folder.write(name, &content.concat());
    }
}

/// Signatures whose references have XPath expressions. Their digests do not match.
fn expressions(folder: &Folder) {
    const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
    const C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
    const FILTER2: &str = "http://www.w3.org/2002/06/xmldsig-filter2";
    const XPATH: &str = "http://www.w3.org/TR/1999/REC-xpath-19991116";

    let condition = |it: &str| {
        format!(
            "<Transform Algorithm=\"{XPATH}\"><XPath xmlns:x=\"urn:x\">{it}</XPath></Transform>"
        )
    };
    let path = |it: &str| {
        let xpath = format!("<XPath xmlns=\"{FILTER2}\" Filter=\"subtract\">{it}</XPath>");
        format!("<Transform Algorithm=\"{FILTER2}\">{xpath}</Transform>")
    };
    let canonical = format!("<Transform Algorithm=\"{C14N}\"/>");
    let named = condition("not(ancestor-or-self::*[local-name()='Signature' and @Id])");
    for (name, transforms) in [
        ("xpath-names", named.clone()),
        ("xpath-kinds", condition("self::text() or parent::x:a[@i != '1'] | self::comment()")),
        (
            "xpath-here",
            condition(
                "count(ancestor-or-self::node() | here()/ancestor::*[3]) = \
                 count(ancestor-or-self::node())",
            ),
        ),
        ("filter2-name", path("/descendant::*[name()='Signature']")),
        ("filter2-positions", path("/*/x:a[2]//node()[starts-with(@i, '1')] | //text()")),
        ("parsed-again", format!("{canonical}{named}{canonical}")),
    ] {
        let document = format!(
            "<r xmlns:x=\"urn:x\"><x:a i='1'>t<!--c--></x:a><x:a/><Signature xmlns=\"{DS}\" Id=\"s\">\
             <SignedInfo><CanonicalizationMethod Algorithm=\"{C14N}\"/><SignatureMethod \
             Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/><Reference URI=\"\">\
             <Transforms>{transforms}</Transforms><DigestMethod \
             Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><DigestValue>AA==</DigestValue>\
             </Reference></SignedInfo><SignatureValue>AA==</SignatureValue></Signature></r>"
        );
        folder.write(name, document.as_bytes());
    }
}

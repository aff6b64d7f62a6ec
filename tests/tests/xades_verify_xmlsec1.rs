//! Verifying signatures of xmlsec1: every canonicalisation, digest and key that both
//! support, and every transform in the supported forms. If xmlsec1 digested other octets,
//! the digests would not match.

use ades_core::Document;
use ades_tests::oracle::xmlsec1;
use ades_tests::pki::{Key, Pki};
use tempfile::TempDir;
use xades::report::{Coverage, Part, Problem, Report, SignatureReport};
use xades::{VerifyOptions, verify};

const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const BASE64: &str = "http://www.w3.org/2000/09/xmldsig#base64";
const C14N: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const METHODS: [&str; 6] = [
    C14N,
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
    "http://www.w3.org/2006/12/xml-c14n11",
    "http://www.w3.org/2006/12/xml-c14n11#WithComments",
    EXCLUSIVE,
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
];
const DIGESTS: [&str; 3] = [
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512",
];

fn transform(algorithm: &str, content: &str) -> String {
    format!("<ds:Transform Algorithm=\"{algorithm}\">{content}</ds:Transform>")
}

fn xpath(expression: &str) -> String {
    let expression = format!("<ds:XPath>{expression}</ds:XPath>");
    transform("http://www.w3.org/TR/1999/REC-xpath-19991116", &expression)
}

fn filter2(steps: &[(&str, &str)]) -> String {
    let uri = "http://www.w3.org/2002/06/xmldsig-filter2";
    let step = |(filter, expression): &(&str, &str)| {
        format!("<f:XPath xmlns:f=\"{uri}\" Filter=\"{filter}\">{expression}</f:XPath>")
    };
    transform(uri, &steps.iter().map(step).collect::<String>())
}

fn reference(uri: &str, transforms: &str, digest: &str) -> String {
    let transforms = match transforms {
        "" => String::new(),
        all => format!("<ds:Transforms>{all}</ds:Transforms>"),
    };
    format!(
        "<ds:Reference URI=\"{uri}\">{transforms}<ds:DigestMethod Algorithm=\"{digest}\"/>\
         <ds:DigestValue/></ds:Reference>"
    )
}

/// A signature template that xmlsec1 fills in.
fn template(method: &str, algorithm: &str, references: &str, objects: &str) -> String {
    format!(
        "<ds:Signature xmlns:ds=\"{DS}\"><ds:SignedInfo>\n  \
         <ds:CanonicalizationMethod Algorithm=\"{method}\"/>\n\
         <ds:SignatureMethod Algorithm=\"{algorithm}\"/>{references}</ds:SignedInfo>\
         <ds:SignatureValue/><ds:KeyInfo><ds:X509Data/></ds:KeyInfo>{objects}</ds:Signature>"
    )
}

fn simple(reference: &str) -> String {
    template(EXCLUSIVE, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", reference, "")
}

/// A document in which everything differs between the canonical forms.
fn document(signature: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<!-- before --><?p before?>\n\
         <n:root xmlns:n=\"urn:n\" xmlns:unused=\"urn:u\" xmlns=\"urn:d\" xml:lang=\"en\" \
         xml:base=\"http://h/a/\">\n<a b='2'  a='1' Id=\"x\" xml:base=\"b/\"><!-- in x -->\
         é &lt; <![CDATA[<&>]]> &#13;\t<n:inner ID=\"y\">deep<!-- in y --></n:inner></a>\r\n\
         <c xmlns=\"\" id=\"z\" q=\"&quot;&#10;\">tail</c>\
         <keep><drop><again>once</again></drop></keep>\n{signature}<e xml:id='w'/>\n</n:root>\n<?q after?>"
    )
}

/// Lets xmlsec1 sign, and tells it which attributes are Ids.
fn signed(document: &str, key: Key) -> Vec<u8> {
    let signer = Pki::shared().signer(key);
    let dir = TempDir::new().unwrap();
    let files = signer.write_pem_files(dir.path());
    let template = dir.path().join("template.xml");
    std::fs::write(&template, document).unwrap();
    let ids = ["Id:a", "ID:inner", "id:c", "Id:Object", "Id:KeyInfo"];
    xmlsec1::sign(&template, &files.key, &files.leaf, &ids)
        .unwrap_or_else(|error| panic!("{error}\n{document}"))
}

fn verified(document: &[u8]) -> Report {
    verify(&mut Document::from_bytes(document), VerifyOptions::default()).unwrap()
}

#[track_caller]
fn intact(document: &[u8]) -> SignatureReport {
    let mut report = verified(document);
    assert_eq!(report.signatures.len(), 1);
    let signature = report.signatures.pop().unwrap();
    assert!(
        signature.intact == Some(true),
        "{signature:#?}\n{}",
        String::from_utf8_lossy(document)
    );
    assert_eq!(signature.problems.first(), Some(&Problem::QualifyingPropertiesMissing));
    assert_eq!(signature.format, "XMLDSig");
    signature
}

/// Whether the signature is still intact after `old` has been replaced by `new`.
fn intact_with(document: &[u8], old: &str, new: &str) -> bool {
    let text = String::from_utf8(document.to_vec()).unwrap();
    let changed = text.replacen(old, new, 1);
    assert_ne!(text, changed, "{old}");
    verified(changed.as_bytes()).signatures[0].intact == Some(true)
}

#[test]
fn every_canonicalisation_digest_and_key() {
    let keys =
        [(Key::Rsa2048, "rsa"), (Key::P256, "ecdsa"), (Key::P384, "ecdsa"), (Key::P521, "ecdsa")];
    for (number, method) in METHODS.into_iter().enumerate() {
        for (digest, bits) in DIGESTS.into_iter().zip(["256", "384", "512"]) {
            let (key, name) = keys[(number + bits.len() + digest.len()) % keys.len()];
            let algorithm = format!("http://www.w3.org/2001/04/xmldsig-more#{name}-sha{bits}");
            let whole = transform(ENVELOPED, "") + &transform(method, "");
            let references = reference("", &whole, digest)
                + &reference("#x", &transform(method, ""), digest)
                + &reference("#xpointer(id('x'))", &transform(method, ""), digest)
                + &reference("#z", "", digest);
            let template = document(&template(method, &algorithm, &references, ""));
            let made = signed(&template, key);
            let report = intact(&made);
            assert_eq!(report.covers, Coverage::Whole);
            assert_eq!(report.references.len(), 4);
            assert_eq!(report.references[2].comments, method.ends_with("WithComments"));
            assert!(!intact_with(&made, "deep", "Deep"));
            // Comments are covered only if the URI keeps them.
            let comments = method.ends_with("WithComments");
            assert_eq!(intact_with(&made, "in x", "IN X"), !comments);
            assert!(intact_with(&made, "<!-- before", "<!-- BEFORE"));
        }
    }
}

/// Every key with every digest, over the same document.
#[test]
fn every_key_with_every_digest() {
    for (key, name) in [
        (Key::Rsa2048, "rsa"),
        (Key::Rsa3072, "rsa"),
        (Key::Rsa4096, "rsa"),
        (Key::P256, "ecdsa"),
        (Key::P384, "ecdsa"),
        (Key::P521, "ecdsa"),
    ] {
        for bits in ["256", "384", "512"] {
            let algorithm = format!("http://www.w3.org/2001/04/xmldsig-more#{name}-sha{bits}");
            let reference = reference("", &transform(ENVELOPED, ""), DIGESTS[0]);
            let made = signed(&document(&template(C14N, &algorithm, &reference, "")), key);
            assert_eq!(intact(&made).signature_algorithm, format!("{name}-sha{bits}"));
        }
    }
}

#[test]
fn comments_are_covered_if_the_uri_keeps_them() {
    let with_comments = transform(METHODS[1], "");
    for (uri, kept) in [("#xpointer(/)", true), ("", false)] {
        let transforms = transform(ENVELOPED, "") + &with_comments;
        let made =
            signed(&document(&simple(&reference(uri, &transforms, DIGESTS[0]))), Key::Rsa2048);
        assert_eq!(intact(&made).references[0].comments, kept);
        assert_eq!(intact_with(&made, "before -->", "BEFORE -->"), !kept);
        assert!(!intact_with(&made, "?p before", "?p BEFORE"));
    }
}

/// The digests of xmlsec1 for each supported expression.
#[test]
fn every_supported_expression() {
    let enveloped = transform(ENVELOPED, "");
    let less_all = xpath("not(ancestor-or-self::ds:Signature)");
    let counted = "count(ancestor-or-self::ds:Signature | here()/ancestor::ds:Signature[1])\n  \
                   &gt; count(ancestor-or-self::ds:Signature)";
    let counted = xpath(counted);
    let filtered = |more: &[(&'static str, &'static str)]| {
        filter2(&[&[("subtract", "/descendant::ds:Signature")], more].concat())
    };
    let own = filter2(&[("subtract", "here()/ancestor::ds:Signature[1]")]);
    let and = "not(ancestor-or-self::ds:Signature) and not(ancestor-or-self::d:keep)";
    let by_name = "not(ancestor-or-self::*[local-name()='Signature' and namespace-uri()=\n\
         'http://www.w3.org/2000/09/xmldsig#'] | ancestor-or-self::*[name() = 'keep'])";
    let around_here = "count(here()/ancestor::ds:Signature[1] | ancestor-or-self::node()) != \
                       count(ancestor-or-self::node())";
    let not_comments = "not(self::comment()) and not(ancestor-or-self::ds:Signature)";
    let cases: [(String, &[&str], &[&str]); 24] = [
        (xpath(and), &["deep", "tail"], &["once"]),
        (xpath(by_name), &["deep", "tail"], &["once"]),
        (xpath("not(ancestor-or-self::ds:*) and true()"), &["deep", "tail", "once"], &[]),
        (xpath(not_comments), &["deep", "tail", "once"], &[]),
        (
            xpath("ancestor-or-self::d:drop or ancestor-or-self::*[@Id = 'x']"),
            &["once", "deep"],
            &["tail"],
        ),
        (xpath(around_here), &["deep", "tail", "once"], &[]),
        (xpath("self::text()[not(ancestor::ds:*)]"), &["deep", "tail", "once"], &["b=\"2\""]),
        (
            filter2(&[("subtract", "/descendant::*[name()='ds:Signature']")]),
            &["deep", "tail", "once"],
            &[],
        ),
        (
            filter2(&[("intersect", "/*/*[2] | /n:root/d:keep//*[local-name()='again']")]),
            &["tail", "once"],
            &["deep"],
        ),
        (
            filter2(&[("subtract", "here()/ancestor-or-self::ds:Signature[1]/.")]),
            &["deep", "tail", "once"],
            &[],
        ),
        (filter2(&[("intersect", "id('x')/n:inner")]), &["deep"], &["tail", "once"]),
        (enveloped.clone(), &["deep", "tail", "once"], &[]),
        (less_all, &["deep", "tail", "once"], &[]),
        (xpath(" not ( ancestor-or-self::ds:Signature )\n"), &["deep", "tail"], &[]),
        (counted, &["deep", "tail", "once"], &[]),
        (enveloped + &xpath("ancestor-or-self::n:inner"), &["deep"], &["tail", "once"]),
        (
            xpath("ancestor-or-self::n:inner[ @Id = 'none']")
                + &xpath("ancestor-or-self::d:a[@Id=\"x\"]"),
            &[],
            &["deep", "tail", "once"],
        ),
        (filter2(&[("intersect", "//d:a[@Id='x']")]), &["deep"], &["tail", "once"]),
        (own, &["deep", "tail", "once"], &[]),
        (filtered(&[]), &["deep", "tail", "once"], &[]),
        (filter2(&[("intersect", "//n:inner")]), &["deep"], &["tail", "once"]),
        (filter2(&[("intersect", "id(\"x\")")]), &["deep"], &["tail", "once"]),
        (filtered(&[("subtract", "id('z')")]), &["deep", "once"], &["tail"]),
        (
            filter2(&[
                ("intersect", "//d:keep"),
                ("subtract", "/descendant::d:drop"),
                ("union", "//d:again"),
                ("subtract", "//ds:Signature"),
            ]),
            &["once"],
            &["deep", "tail"],
        ),
    ];
    for (transforms, covered, uncovered) in cases {
        for canonical in ["", METHODS[2], METHODS[4]] {
            let last = if canonical.is_empty() { String::new() } else { transform(canonical, "") };
            let transforms = transforms.clone() + &last;
            let template = simple(&reference("", &transforms, DIGESTS[0]));
            let document = document(&template).replace("<n:root ", "<n:root xmlns:d=\"urn:d\" ");
            let made = signed(&document, Key::Rsa2048);
            let report = intact(&made);
            let whole = uncovered.is_empty();
            assert_eq!(report.covers == Coverage::Whole, whole, "{transforms}");
            let less = [Problem::NotCovered, Problem::PartlyCovered];
            let found = report.problems.iter().filter(|problem| less.contains(problem));
            assert_eq!(found.count(), usize::from(!whole), "{transforms}");
            for text in covered {
                assert!(!intact_with(&made, text, &text.to_uppercase()), "{transforms} {text}");
            }
            for text in uncovered {
                assert!(intact_with(&made, text, &text.to_uppercase()), "{transforms} {text}");
            }
        }
    }
}

#[test]
fn enveloping_signatures_and_base64() {
    let rsa = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    let object = "<ds:Object Id=\"o\" MimeType=\"text/plain\">aGVs\nbG8g d29ybGQ=</ds:Object>";
    for (transforms, length) in [(transform(BASE64, ""), Some(11)), (transform(C14N, ""), None)] {
        let made = template(C14N, rsa, &reference("#o", &transforms, DIGESTS[0]), object);
        let made = signed(&made, Key::Rsa2048);
        let report = intact(&made);
        assert_eq!(report.covers, Coverage::Whole);
        assert_eq!(report.problems, [Problem::QualifyingPropertiesMissing]);
        if let Some(length) = length {
            assert_eq!(report.references[0].length, length);
            // Base64 ignores white space.
            assert!(intact_with(&made, "aGVs\n", "aGVs"));
        } else {
            assert!(!intact_with(&made, "aGVs\n", "aGVs"));
        }
        assert!(!intact_with(&made, "aGVs", "bGVs"));
        // Another object is not covered.
        let more = String::from_utf8(made).unwrap();
        let more = more.replace("</ds:Object>", "</ds:Object><ds:Object>evil</ds:Object>");
        let report = intact(more.as_bytes());
        assert_eq!(report.covers, Coverage::Part);
        assert!(report.problems.contains(&Problem::NotCovered));
    }
    // Text inside elements, and text of an element outside the signature.
    let inside = "<ds:Object Id=\"o\"><b xmlns=\"\">aGVs<!-- no --><i>bG8=</i></b></ds:Object>";
    let transforms = transform(BASE64, "");
    let made = template(EXCLUSIVE, rsa, &reference("#o", &transforms, DIGESTS[0]), inside);
    assert_eq!(intact(&signed(&made, Key::Rsa2048)).references[0].length, 5);
}

#[test]
fn the_prefix_list_and_the_key_are_covered() {
    let list = format!(
        "<ec:InclusiveNamespaces xmlns:ec=\"{EXCLUSIVE}\" PrefixList=\"unused #default\"/>"
    );
    let transforms = transform(ENVELOPED, "") + &transform(EXCLUSIVE, &list);
    let key = reference("#k", &transform(C14N, ""), DIGESTS[1]);
    let made = simple(&(reference("", &transforms, DIGESTS[0]) + &key))
        .replace("<ds:KeyInfo>", "<ds:KeyInfo Id=\"k\">")
        .replace(
            &format!("Method Algorithm=\"{EXCLUSIVE}\"/>"),
            &format!(
                "Method Algorithm=\"{EXCLUSIVE}\">{}</ds:CanonicalizationMethod>",
                list.replace("unused", "n")
            ),
        );
    // A signed certificate must be in the template.
    let certificate = ades_core::base64::encode(Pki::shared().signer(Key::Rsa2048).leaf().der());
    let data = format!(
        "<ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data>"
    );
    let made = signed(&document(&made.replace("<ds:X509Data/>", &data)), Key::Rsa2048);
    let report = intact(&made);
    assert_eq!(report.references[1].kind, xades::report::ReferenceKind::KeyInfo);
    assert!(!intact_with(&made, "urn:u", "urn:v"));
}

/// A canonical form is parsed where the next transform needs nodes, as FirmaXadesNet writes
/// it. What is covered is said of the document, not of the form.
#[test]
fn canonical_forms_are_parsed_again() {
    let less_all = xpath("not(ancestor-or-self::ds:Signature)");
    let less_keep = xpath("not(ancestor-or-self::*[name() = 'keep'])");
    let part = xpath("ancestor-or-self::*[@Id = 'x']");
    let enveloped = transform(ENVELOPED, "");
    for first in METHODS {
        let first = transform(first, "");
        for (transforms, whole, covered) in [
            (enveloped.clone() + &first + &less_all, true, "once"),
            (first.clone() + &less_all, true, "once"),
            (first.clone() + &less_all + &first, true, "once"),
            (enveloped.clone() + &first + &less_all + &transform(EXCLUSIVE, ""), true, "once"),
            (first.clone() + &less_all + &first + &less_keep, false, "tail"),
            (first.clone() + &part, false, "deep"),
        ] {
            let made = document(&simple(&reference("", &transforms, DIGESTS[0])));
            let made = signed(&made, Key::Rsa2048);
            let report = intact(&made);
            assert_eq!(report.covers == Coverage::Whole, whole, "{transforms}");
            assert!(!intact_with(&made, covered, &covered.to_uppercase()), "{transforms}");
            // The octets of what is covered, and of what is left out in it.
            let text = String::from_utf8(made.clone()).unwrap();
            let is_in = |from: u64, to: u64, text_of: &str| {
                text[from as usize..to as usize].contains(text_of)
            };
            let [part]: [Part; 1] = report.references[0].covers.clone().try_into().unwrap();
            assert!(is_in(part.place.from, part.place.to, covered), "{transforms}");
            let holes = &report.references[0].left_out;
            assert!(!holes.iter().any(|hole| is_in(hole.from, hole.to, covered)), "{transforms}");
            let others = ["<ds:SignedInfo>", "once"];
            let left_out = others.iter().filter(|other| !whole || **other != "once");
            for other in left_out.filter(|_| covered != "deep") {
                assert!(holes.iter().any(|hole| is_in(hole.from, hole.to, other)), "{transforms}");
            }
        }
    }
    // An element in base64 that is a document.
    let object = "<ds:Object Id=\"o\">PGE+dGV4dDwhLS1ubyAtLT48L2E+</ds:Object>";
    let transforms = transform(BASE64, "") + &transform(C14N, "");
    let rsa = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    let made = template(C14N, rsa, &reference("#o", &transforms, DIGESTS[0]), object);
    let made = signed(&made, Key::Rsa2048);
    assert_eq!(intact(&made).references[0].length, 11);
    assert!(!intact_with(&made, "dGV4", "dEV4"));
}

/// Changes every octet: a change of covered octets is found, and a change of others is not.
#[test]
fn exactly_the_covered_octets_cannot_be_changed() {
    let transforms = filter2(&[("subtract", "id('z')"), ("subtract", "//ds:Signature")]);
    let made = simple(&reference("", &(transforms + &transform(C14N, "")), DIGESTS[0]));
    let made = signed(&document(&made), Key::Rsa2048);
    let report = intact(&made);
    let [covered]: [Part; 1] = report.references[0].covers.clone().try_into().unwrap();
    let left_out = &report.references[0].left_out;
    assert_eq!(left_out.len(), 2);
    let tail = made.windows(4).position(|window| window == b"tail").unwrap();
    let letters = made.iter().enumerate().filter(|(_, octet)| octet.is_ascii_lowercase());
    let (mut changed, mut kept) = (0, 0);
    for (at, _) in letters {
        let mut other = made.clone();
        other[at] = if other[at] == b'z' { b'y' } else { other[at] + 1 };
        let place = at as u64;
        let inside = place >= covered.place.from
            && place < covered.place.to
            && !left_out.iter().any(|hole| place >= hole.from && place < hole.to);
        let Ok(report) = verify(&mut Document::from_bytes(&other), VerifyOptions::default()) else {
            continue;
        };
        let intact =
            report.signatures.first().is_some_and(|signature| signature.intact == Some(true));
        let comment = String::from_utf8_lossy(&made[..at])
            .rfind("<!--")
            .is_some_and(|start| !String::from_utf8_lossy(&made[start..at]).contains("-->"));
        if inside && !comment {
            assert!(!intact, "octet {at}");
            changed += 1;
        }
        if (tail..tail + 4).contains(&at) {
            assert!(intact, "octet {at}");
            kept += 1;
        }
    }
    assert!(changed > 60 && kept == 4, "{changed} {kept}");
}

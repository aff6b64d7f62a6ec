//! Documents that are designed to cost more than their size.

use std::io::{self, Read};

use ades_core::Document;
use xades::c14n::{Canonicalization, Pass, Selection, SetOperation, Target, canonicalize};
use xades::report::{Problem, SignatureReport};
use xades::xml::{Limits, Reader};
use xades::{Error, Limit, VerifyOptions, verify};

use crate::{Pieces, by_id, c14n, form, whole};

#[track_caller]
fn limited(document: &str, expected: Limit) {
    match whole(document.as_bytes()) {
        Err(Error::Limit { limit, .. }) => assert_eq!(limit, expected),
        other => panic!("{:?}", other.map(|form| form.len())),
    }
}

/// Whether a result is the limit of work, whose number depends on the octets read.
fn is_work<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Limit { limit: Limit::CanonicalizationWork(_), .. }))
}

#[test]
fn entity_bombs() {
    let mut laughs = String::from("<!DOCTYPE a [<!ENTITY e0 'ha'>");
    for i in 1..20 {
        let before = format!("&e{};", i - 1).repeat(10);
        laughs.push_str(&format!("<!ENTITY e{i} '{before}'>"));
    }
    laughs.push(']');
    let limit = Limit::Expansion(1 << 20);
    limited(&format!("{laughs}><a>&e19;</a>"), limit);
    limited(&format!("{laughs}><a b='&e19;'/>"), limit);
    limited(&format!("{}<!ATTLIST a b CDATA '&e19;'>]><a/>", laughs.trim_end_matches(']')), limit);

    let long = "x".repeat(100_000);
    let quadratic = format!("<!DOCTYPE a [<!ENTITY e '{long}'>]><a>{}</a>", "&e;".repeat(10_000));
    limited(&quadratic, limit);
    let nothing = format!(
        "<!DOCTYPE a [<!ENTITY e0 ''>{}]><a>&e6;</a>",
        (1..7)
            .map(|i| format!("<!ENTITY e{i} '{}'>", format!("&e{};", i - 1).repeat(20)))
            .collect::<String>()
    );
    limited(&nothing, limit);

    limited("<!DOCTYPE a [<!ENTITY e '&e;'>]><a>&e;</a>", Limit::EntityDepth(32));
    limited(
        "<!DOCTYPE a [<!ENTITY e '&f;'><!ENTITY f '&e;'>]><a b='&e;'/>",
        Limit::EntityDepth(32),
    );
}

#[test]
fn default_attribute_bombs() {
    let value = "x".repeat(100_000);
    let document =
        format!("<!DOCTYPE a [<!ATTLIST b c CDATA '{value}'>]><a>{}</a>", "<b/>".repeat(10_000));
    limited(&document, Limit::Expansion(1 << 20));
}

#[test]
fn depth_attribute_and_namespace_bombs() {
    limited(&"<a>".repeat(5000), Limit::ElementDepth(4096));
    let attributes: String = (0..20_000).map(|i| format!(" a{i}=''")).collect();
    limited(&format!("<a{attributes}/>"), Limit::Attributes(16_384));
    let declarations: String = (0..2000).map(|i| format!(" xmlns:a{i}='urn:x'")).collect();
    limited(&format!("<a{declarations}/>"), Limit::Namespaces(512));
    let nested: String = (0..2000).map(|i| format!("<a xmlns:a{i}='urn:x'>")).collect();
    limited(&nested, Limit::Namespaces(512));
    let held: String =
        (0..100).map(|_| format!("<a xml:base='{}'>", "x".repeat(300_000))).collect();
    limited(&held, Limit::OpenElements(16 << 20));
    let long = format!("<a xmlns='urn:{}'/>", "x".repeat(3000));
    limited(&long, Limit::NamespaceNameLength(2048));
    let attributes: String = (0..2000).map(|i| format!(" xml:a{i}=''")).collect();
    limited(&format!("<a{attributes}/>"), Limit::XmlAttributes(1024));
    limited(&"<a xml:lang='' xml:space=''>".repeat(600), Limit::XmlAttributes(1024));
    limited(&format!("<a b='{}'/>", "x".repeat(17_000_000)), Limit::TagLength(16 << 20));
    limited(&format!("<{}/>", "x".repeat(17_000_000)), Limit::TagLength(16 << 20));
    limited(&format!("<a></a{}>", " ".repeat(17_000_000)), Limit::TagLength(16 << 20));
    limited(&format!("<a>&{};</a>", "x".repeat(17_000_000)), Limit::TagLength(16 << 20));
    let dtd = format!("<!DOCTYPE a [{}]><a/>", " ".repeat(2_000_000));
    limited(&dtd, Limit::DoctypeLength(1 << 20));
}

#[test]
fn limits_can_be_set() {
    let mut limits = Limits::default();
    limits.depth = 2;
    let read = |document: &str| {
        let reader = Reader::from_slice(document.as_bytes()).unwrap().with_limits(limits.clone());
        canonicalize(reader, Canonicalization::C14N_1_0, Selection::document(), &mut |_| Ok(()))
    };
    assert!(read("<a><b/></a>").is_ok());
    assert!(matches!(read("<a><b><c/></b></a>"), Err(Error::Limit { offset: Some(6), .. })));
}

/// The exclusive form writes the name of an ancestor's namespace in each child.
#[test]
fn forms_much_longer_than_the_document() {
    let amplified = |name: usize, children: usize| {
        let name = "x".repeat(name);
        format!("<r xmlns:p='urn:{name}'>{}</r>", "<p:e/>".repeat(children))
    };
    let mut limits = Limits::default();
    limits.work = 100_000;
    let length = |document: &str| {
        let reader = Reader::from_slice(document.as_bytes()).unwrap().with_limits(limits.clone());
        let all = Selection::document();
        canonicalize(reader, Canonicalization::EXCLUSIVE, all, &mut |_| Ok(()))
            .map(|covered| covered.length)
    };
    // Names of usual length do not exceed the limit.
    assert!(length(&amplified(100, 100_000)).unwrap() > 12_000_000);
    let refused = length(&amplified(2000, 10_000));
    assert!(is_work(&refused), "{refused:?}");
}

/// A prefix list has a maximum length, and its cost is counted.
#[test]
fn prefix_lists() {
    let read = |prefixes: usize, document: &str, parts: Selection| {
        let list: String = (0..prefixes).map(|i| format!("a{i} ")).collect();
        let mut limits = Limits::default();
        (limits.work, limits.work_ratio) = (1 << 20, 1);
        let reader = Reader::from_slice(document.as_bytes()).unwrap().with_limits(limits);
        // A prefix counts once, even if it is listed twice.
        let method = Canonicalization::EXCLUSIVE.with_prefix_list(&list.repeat(2));
        match canonicalize(reader, method, parts, &mut |_| Ok(())) {
            Err(Error::Limit { limit, .. }) => Some(limit),
            other => other.map(|_| None).unwrap(),
        }
    };
    let all = Selection::document;
    let (few, many) = ("<r/>", format!("<r>{}</r>", "<e xmlns:b='u:b'/>".repeat(2500)));
    assert_eq!(read(512, few, all()), None);
    assert_eq!(read(513, few, all()), Some(Limit::PrefixList));
    assert_eq!(read(1, &many, all()), None);
    assert!(matches!(read(512, &many, all()), Some(Limit::CanonicalizationWork(_))));
    // Each prefix is searched in scope at the start of a part.
    let named = Target::Named { namespace: "".into(), local_name: "e".into(), nth: None };
    let parts = || all().filtered([(SetOperation::Intersect, named.clone())]);
    let bare = format!("<r>{}</r>", "<e/>".repeat(2500));
    assert_eq!(read(1, &bare, parts()), None);
    assert!(matches!(read(512, &bare, parts()), Some(Limit::CanonicalizationWork(_))));
}

/// Parts that inherit much from elements outside of them.
#[test]
fn parts_that_inherit_much() {
    let inherited = |attributes: String, methods: &[Canonicalization]| {
        let document = format!("<r{attributes}>{}</r>", "<x/>".repeat(2000));
        for method in methods {
            let mut limits = Limits::default();
            limits.work = 1 << 20;
            let reader = Reader::from_slice(document.as_bytes()).unwrap().with_limits(limits);
            let all = Target::Named { namespace: "".into(), local_name: "x".into(), nth: None };
            let parts = Selection::document().filtered([(SetOperation::Intersect, all)]);
            let refused = canonicalize(reader, method.clone(), parts, &mut |_| Ok(()));
            assert!(is_work(&refused));
        }
    };
    let both = [Canonicalization::C14N_1_0, Canonicalization::C14N_1_1];
    inherited((0..1000).map(|i| format!(" xml:a{i}=''")).collect(), &both);
    inherited((0..500).map(|i| format!(" xmlns:a{i}='urn:a'")).collect(), &both);
    inherited(format!(" xml:base='{}'", "b".repeat(30_000)), &both);
    let long = format!("<r xml:base='{}/'><a xml:base='b' Id='i'/></r>", "b".repeat(70_000));
    let refused = c14n(long.as_bytes(), Canonicalization::C14N_1_1, by_id("i"));
    let limit = Limit::BaseLength;
    assert!(matches!(refused, Err(Error::Limit { limit: l, .. }) if l == limit), "{refused:?}");
}

/// Many forms, each with many steps that every element is compared with.
#[test]
fn work_without_output() {
    let document = format!("<r>{}</r>", "<a b='' c='' d=''/>".repeat(2000));
    let steps = (0..60).map(|i| (SetOperation::Subtract, Target::Id(format!("none-{i}"))));
    let selection = Selection::document().filtered(steps);
    let mut sinks: Vec<_> = (0..20).map(|_| |_: &[u8]| Ok(())).collect();
    let mut limits = Limits::default();
    limits.work = 1 << 20;
    let reader = Reader::from_slice(document.as_bytes()).unwrap().with_limits(limits);
    let mut pass = Pass::new(reader);
    for sink in &mut sinks {
        pass.add(Canonicalization::EXCLUSIVE, selection.clone(), sink);
    }
    assert!(is_work(&pass.run()));
}

/// The elements listed by all forms together.
#[test]
fn selected_elements_of_many_forms() {
    let document = format!("<r>{}</r>", "<x/>".repeat(60_000));
    let all = Target::Named { namespace: "".into(), local_name: "x".into(), nth: None };
    let selection = Selection::document().filtered([(SetOperation::Intersect, all)]);
    let run = |forms: usize| {
        let mut sinks: Vec<_> = (0..forms).map(|_| |_: &[u8]| Ok(())).collect();
        let mut pass = Pass::new(Reader::from_slice(document.as_bytes()).unwrap());
        for sink in &mut sinks {
            pass.add(Canonicalization::EXCLUSIVE, selection.clone(), sink);
        }
        pass.run()
    };
    assert_eq!(
        run(4).unwrap().iter().map(|covered| covered.selected.len()).sum::<usize>(),
        240_000
    );
    let limit = Limit::SelectedElementsTogether;
    assert!(matches!(run(5), Err(Error::Limit { limit: l, .. }) if l == limit));
}

/// The octets held for an open element include more than its name.
#[test]
fn open_elements_count_with_their_records() {
    let mut limits = Limits::default();
    limits.open = 10_000;
    let read = |document: &str| {
        let reader = Reader::from_slice(document.as_bytes()).unwrap().with_limits(limits.clone());
        canonicalize(reader, Canonicalization::C14N_1_0, Selection::document(), &mut |_| Ok(()))
    };
    let nested = |tag: &str, times: usize| tag.repeat(times) + &"</a>".repeat(times);
    assert!(read(&nested("<a>", 100)).is_ok());
    for (tag, times) in [("<a>", 1000), ("<a xml:b=''>", 150), ("<a xmlns='urn:a'>", 120)] {
        let refused = read(&nested(tag, times));
        let limit = Limit::OpenElements(10_000);
        assert!(matches!(refused, Err(Error::Limit { limit: l, .. }) if l == limit), "{tag}");
    }
}

/// The cost of a tag's entities does not depend on how often the window was extended
/// while the tag was read.
#[test]
fn a_token_that_is_read_again_is_counted_once() {
    let value = "&e;".repeat(50);
    let attributes: String = (0..150).map(|i| format!(" a{i}='{value}'")).collect();
    let entity = format!("<!ENTITY e '{}'>", "x".repeat(100));
    let defaults: String = (0..150).map(|i| format!(" a{i} CDATA '{value}'")).collect();
    for padding in [0, 30_000, 60_000, 64_000, 65_000, 65_500, 100_000, 125_000] {
        let spaces = " ".repeat(padding);
        let tag = format!("<!DOCTYPE r [{entity}]>{spaces}<r{attributes}/>");
        let declared = format!("<!DOCTYPE r [{entity}{spaces}<!ATTLIST s{defaults}>]><r/>");
        for document in [&tag, &declared] {
            assert!(whole(document.as_bytes()).is_ok(), "{padding}");
            let pieces = Pieces::new(document.as_bytes(), &[1000, 7]);
            let reader = Reader::from_read(pieces).unwrap();
            assert!(form(reader, Canonicalization::C14N_1_0, Selection::document()).is_ok());
        }
    }
}

/// The same octets, forever.
struct Endless(&'static [u8]);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(self.0.len());
        buffer[..len].copy_from_slice(&self.0[..len]);
        Ok(len)
    }
}

#[test]
fn tokens_that_never_end_are_refused() {
    for (start, rest) in
        [("<a b='", b"x".as_slice()), ("<a", b" "), ("<a>&", b"x"), ("<a></a", b" ")]
    {
        let reader = Reader::from_read(start.as_bytes().chain(Endless(rest))).unwrap();
        let result = canonicalize(
            reader,
            Canonicalization::C14N_1_0,
            Selection::document(),
            &mut |_| Ok(()),
        );
        assert!(matches!(result, Err(Error::Limit { .. })), "{start}: {result:?}");
    }
}

#[test]
fn long_texts_comments_and_instructions_are_not_limited() {
    let x = "x]-?".repeat(2_000_000);
    for document in [
        format!("<a>{x}</a>"),
        format!("<a><![CDATA[{x}]]></a>"),
        format!("<a><!--{x}--></a>"),
        format!("<a><?p {x}?></a>"),
    ] {
        assert!(whole(document.as_bytes()).is_ok());
    }
}

/// An invalid signature with these references, objects and signed properties.
fn signature(references: &str, objects: &str, properties: &str) -> String {
    let exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
    let rsa = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    format!(
        "<d:Signature xmlns:d=\"http://www.w3.org/2000/09/xmldsig#\" Id=\"s\"><d:SignedInfo>\
         <d:CanonicalizationMethod Algorithm=\"{exclusive}\"/>\
         <d:SignatureMethod Algorithm=\"{rsa}\"/>{references}</d:SignedInfo>\
         <d:SignatureValue>AAAA</d:SignatureValue>{objects}<d:Object>\
         <x:QualifyingProperties xmlns:x=\"http://uri.etsi.org/01903/v1.3.2#\" Target=\"#s\">\
         <x:SignedProperties>{properties}</x:SignedProperties></x:QualifyingProperties></d:Object>\
         </d:Signature>"
    )
}

fn reference(id: &str, uri: &str) -> String {
    format!(
        "<d:Reference Id=\"{id}\" URI=\"{uri}\">\
         <d:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>\
         <d:DigestValue>AAAA</d:DigestValue></d:Reference>"
    )
}

fn verified(document: &str) -> SignatureReport {
    let mut document = Document::from_bytes(document.as_bytes());
    verify(&mut document, VerifyOptions::default()).unwrap().signatures.remove(0)
}

/// References × formats × objects: of several references with one Id only the first has
/// formats, and the signature has a problem.
#[test]
fn references_with_one_id() {
    let format = |mime_type: &str| {
        format!(
            "<x:DataObjectFormat ObjectReference=\"#r\"><x:MimeType>{mime_type}</x:MimeType>\
             </x:DataObjectFormat>"
        )
    };
    let properties = |formats: &str| {
        format!("<x:SignedDataObjectProperties>{formats}</x:SignedDataObjectProperties>")
    };
    let formats = properties(&format("a/b").repeat(2000));
    let objects = "<d:Object/>".repeat(4000);
    let many = verified(&signature(&reference("r", "u").repeat(1000), &objects, &formats));
    assert!(many.problems.contains(&Problem::DuplicateId), "{:?}", many.problems);
    let with_format = many.references.iter().filter(|r| r.mime_type.is_some());
    assert_eq!(with_format.count(), 1);

    // The object of a reference is still compared with the format.
    let object = "<d:Object Id=\"o\" MimeType=\"a/b\"/>";
    for (mime_type, differs) in [("a/b", false), ("a/c", true)] {
        let format = properties(&format(mime_type));
        let one = verified(&signature(
            &reference("r", "#o"),
            &objects.replace("/>", ">x</d:Object>"),
            &format,
        ));
        assert!(!one.problems.contains(&Problem::DataObjectFormatMismatch));
        let one =
            verified(&signature(&reference("r", "#o"), &(object.to_owned() + &objects), &format));
        assert!(!one.problems.contains(&Problem::DuplicateId));
        assert_eq!(one.problems.contains(&Problem::DataObjectFormatMismatch), differs);
    }
}

/// As many properties as a signature may contain, all with different names.
#[test]
fn properties_of_many_names() {
    let names: String = (0..20_000).map(|i| format!("<x:a{i}/>")).collect();
    let wrapped =
        |names: &str| format!("<x:SignedSignatureProperties>{names}</x:SignedSignatureProperties>");
    let many = verified(&signature(&reference("r", "u"), "", &wrapped(&names)));
    assert!(!many.problems.contains(&Problem::PropertyRepeated));
    let twice = verified(&signature(&reference("r", "u"), "", &wrapped(&(names + "<x:a1V2/>"))));
    assert!(twice.problems.contains(&Problem::PropertyRepeated));
}

/// The canonical forms of all `ds:SignedInfo` are held. A long namespace name that the
/// exclusive form writes into each element counts.
#[test]
fn canonical_forms_of_signed_info_are_limited() {
    let name = "x".repeat(2000);
    let references = reference("r", "u")
        .replace("<d:DigestValue>AAAA", &format!("<d:DigestValue>AAAA{}", "<p:e/>".repeat(100)));
    let one = signature(&references, "", "");
    let document =
        |signatures: usize| format!("<r xmlns:p=\"urn:{name}\">{}</r>", one.repeat(signatures));
    let verified = |signatures: usize| {
        let document = document(signatures);
        verify(&mut Document::from_bytes(document.as_bytes()), VerifyOptions::default())
    };
    assert_eq!(verified(10).unwrap().signatures.len(), 10);
    let limit = Limit::SignedInfoLength;
    let refused = verified(90);
    assert!(matches!(refused, Err(Error::Limit { limit: l, .. }) if l == limit), "{refused:?}");
}

//! quick-xml as a second reader of XML: names, attributes, text and positions.

use ades_tests::corpora;
use ades_tests::invoice::Invoice;
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{complete_xades, parameters};
use proptest::prelude::*;
use second_readers::xml::compare;
use xades::{Packaging, SignatureOptions};

#[track_caller]
fn agrees(name: &str, octets: &[u8]) -> Option<usize> {
    compare(octets).unwrap_or_else(|difference| panic!("{name}: {difference}"))
}

const DOCUMENTS: [&str; 9] = [
    "<r/>",
    "<?xml version='1.0' encoding='UTF-8'?>\r\n<!-- before -->\r\n<r>\r\n</r>\r\n<?after now?>\r\n",
    "<p:r xmlns:p='urn:p' \n p:a = 'x\r\ny\tz' b=\"'&quot;&#9;&#xD;\" \n ><p:s\t/>t</p:r  >",
    "<r>&lt;&amp;&gt;&quot;&apos;&#233;&#xE9;é<![CDATA[<&]]>]]&gt;<![CDATA[]]></r>",
    "<r>a\r\nb\rc<!-- d\r\ne -->f<?g h\r\ni?></r>",
    "<r xmlns='urn:a'><s xmlns=''><t xmlns:u='urn:u' u:v='1' v='2'/></s></r>",
    "<r><!----><?p?><?p  q ?>&#13;&#10;</r>",
    "<élan ñ='\u{10000}'>\u{FFFD}</élan>",
    "<r a='&lt;&#38;&#x26;' b='  c  d  '> \n <s> </s> </r>",
];

#[test]
fn documents_are_read_alike() {
    for document in DOCUMENTS {
        assert!(agrees(document, document.as_bytes()).is_some(), "{document}");
    }
    assert!(agrees("an invoice", &Invoice::in_memory(300_000)).is_some());
}

#[test]
fn our_signatures_are_read_alike() {
    let signer = Pki::shared().signer(Key::P256);
    for document in DOCUMENTS {
        for packaging in
            [Packaging::Enveloped, Packaging::EnvelopingXml, Packaging::EnvelopingBase64]
        {
            let options = SignatureOptions::new().packaging(packaging);
            let mut source = ades_core::Document::from_bytes(document.as_bytes());
            let pending = xades::prepare(&mut source, &signer.chain, &parameters(), &options);
            let signed = complete_xades(&pending.unwrap(), Some(document.as_bytes()), signer);
            assert!(agrees(document, &signed.unwrap()).is_some(), "{document}");
        }
    }
}

#[test]
fn documents_of_the_corpus_are_read_alike() {
    let Some(files) =
        corpora::everything(&["c14n", "signed", "xml", "validation", "more"], &[".xml"])
    else {
        return;
    };
    let read = files.iter().filter(|(name, octets)| agrees(name, octets).is_some()).count();
    println!("{read} of {} documents are compared", files.len());
    assert!(read * 2 > files.len(), "{read} of {}", files.len());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    /// Whatever our reader takes, quick-xml reads alike.
    #[test]
    fn changed_documents_are_read_alike(
        which in 0..DOCUMENTS.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), "[<>&;#x'\"=/!?:a\r\n \\[\\]-]{0,3}"), 1..4),
    ) {
        let mut characters: Vec<String> = DOCUMENTS[which].chars().map(String::from).collect();
        for (at, text) in changes {
            let at = at.index(characters.len());
            characters[at] = text;
        }
        let document = characters.concat();
        let compared = compare(document.as_bytes());
        prop_assert!(compared.is_ok(), "{document:?}: {compared:?}");
    }
}

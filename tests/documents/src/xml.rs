//! XML documents to be canonicalised and signed: one of each encoding and habit.

/// An XML document and what to know of it.
#[derive(Clone, Debug)]
pub struct Xml {
    /// What is special.
    pub name: &'static str,
    /// The file.
    pub octets: Vec<u8>,
    /// The values of `Id` attributes in it.
    pub ids: &'static [&'static str],
    /// EU DSS signs and verifies it: not UTF-16, and no document type declaration.
    pub dss_reads: bool,
}

/// One document of each kind.
#[must_use]
pub fn documents() -> Vec<Xml> {
    let plain = |name, octets: Vec<u8>| Xml { name, octets, ids: &[], dss_reads: true };
    let text = |name, text: &str| plain(name, text.into());
    let with_dtd = |name, source: &str| Xml { dss_reads: false, ..text(name, source) };
    let wide = |name, octets| Xml { dss_reads: false, ..plain(name, octets) };
    vec![
        plain("latin-1", single_octets("ISO-8859-1", None, PAGE)),
        plain("latin-9", single_octets("ISO-8859-15", Some(0xA4), PRICE)),
        plain("windows-1252", single_octets("windows-1252", Some(0x80), PRICE)),
        wide("utf-16-little-endian", utf_16(u16::to_le_bytes)),
        wide("utf-16-big-endian", utf_16(u16::to_be_bytes)),
        text("byte-order-mark", "\u{FEFF}<note>één</note>"),
        text("no-declaration", "<t:table xmlns:t='urn:t'>\n\t<t:row>1</t:row>\n</t:table>"),
        text("one-line", "<?xml version=\"1.0\"?><a><b>text</b><c d='e'>f</c></a>"),
        text("comments", "<?xml version='1.0'?><!-- 1 --><a><!-- 2 --><b>x</b></a><!-- 3 -->"),
        text("carriage-returns", "<a>\r\n  <b x='1\r\n2'>one&#13;</b>\r\n</a>\r\n"),
        text("instructions", "<?go now?>\n<p:a xmlns:p='urn:p' \n >\n<?stay?></p:a>\n<?end?>"),
        text("namespaces", NAMESPACES),
        Xml { ids: &["first", "second"], ..text("ids", WITH_IDS) },
        text("manifest", MANIFEST),
        text("evidence-record", EVIDENCE_RECORD),
        text("detached-content", "<?xml version='1.0' encoding='UTF-8'?>\n<content/>\n"),
        with_dtd("dtd-elements", "<!DOCTYPE a [<!ELEMENT a ANY>]>\n<a> <b/> </a>"),
        with_dtd("dtd-entity", "<!DOCTYPE a [<!ENTITY e 'x'>]>\n<a e='&e;'/>"),
    ]
}

const PAGE: &str = "<page>\n <h1>Façade, Übergröße</h1>\n <p class=\"x\">ñ &#x20AC;</p>\n</page>";
const PRICE: &str = "<price currency='€'>12,50 € – café</price>";

const NAMESPACES: &str = "<?xml version=\"1.0\"?>\n<a xmlns=\"urn:1\" xmlns:p=\"urn:p\" \
    xmlns:unused=\"urn:u\">\n <b xmlns=\"urn:2\" p:y=\"2\" p:x=\"1\"><c xmlns=\"\" xml:lang=\"nl\"/></b>\n \
    <p:d xmlns:p=\"urn:q\"><![CDATA[<&>]]></p:d>\n</a>\n";

const WITH_IDS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<all Id=\"all\">\n\t\
    <part Id=\"first\">one<!-- comment --></part>\n\n\t<!-- between -->\n\t\
    <part Id=\"second\">\n\t <e   />\n\t <f   ></f>\n\t <g   b = \"2\"   a='\"1\"'   />\n\t \
    <h p:x=\"3\" q:x=\"4\" xmlns:q=\"urn:a\" xmlns:p=\"urn:b\" xmlns=\"urn:c\"/>\n\t</part>\n</all>";

const MANIFEST: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <ds:Manifest xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\n\t\
    <ds:Reference URI=\"of-ours.bin\">\n\t\t\
    <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\" />\n\t\t\
    <ds:DigestValue>47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=</ds:DigestValue>\n\t\
    </ds:Reference>\n</ds:Manifest>\n";

const EVIDENCE_RECORD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\
    <ers:EvidenceRecord xmlns:ers=\"urn:ietf:params:xml:ns:ers\" Version=\"1.0\">\
    <ers:ArchiveTimeStampSequence><ers:ArchiveTimeStampChain Order=\"1\">\
    <ers:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>\
    <ers:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>\
    <ers:ArchiveTimeStamp Order=\"1\"><ers:TimeStamp>\
    <ers:TimeStampToken Type=\"RFC3161\">MAA=</ers:TimeStampToken></ers:TimeStamp>\
    </ers:ArchiveTimeStamp></ers:ArchiveTimeStampChain></ers:ArchiveTimeStampSequence>\
    </ers:EvidenceRecord>";

/// In an encoding of one octet for each character. `euro` is where that one is; the
/// dash of windows-1252 becomes a hyphen in the others.
fn single_octets(encoding: &str, euro: Option<u8>, text: &str) -> Vec<u8> {
    let octet = |c: char| match c {
        '€' => euro.expect("the encoding has a euro sign"),
        '–' if encoding == "windows-1252" => 0x96,
        '–' => b'-',
        c => u8::try_from(u32::from(c)).expect("a character of Latin-1"),
    };
    let declaration = format!("<?xml version = '1.0' encoding = '{encoding}'?>\n");
    declaration.bytes().chain(text.chars().map(octet)).collect()
}

fn utf_16(bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let text = "\u{FEFF}<?xml version=\"1.0\" encoding=\"UTF-16\"?>\n<score>𝄞 &amp; č</score>\n";
    text.encode_utf16().flat_map(bytes).collect()
}

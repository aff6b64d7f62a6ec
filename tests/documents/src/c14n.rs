//! Canonical forms, written out from the clauses of Canonical XML 1.0 (C14N 1.0),
//! Canonical XML 1.1 (C14N 1.1) and Exclusive XML Canonicalization 1.0 (exclusive).
//! libxml2 gives each of the forms that it can be asked for.

use Algorithm::{C14n10, C14n11, Exclusive};
use Part::{Element, Elements, Whole};

/// An algorithm, without its variant that keeps comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Canonical XML 1.0
    C14n10,
    /// Canonical XML 1.1
    C14n11,
    /// Exclusive XML Canonicalization 1.0
    Exclusive,
}

/// The node-set that is canonicalised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The document.
    Whole,
    /// The first element with this local name, with everything in it.
    Element(&'static str),
    /// The elements with these local names, each with its attributes and namespaces
    /// and without its content.
    Elements(&'static [&'static str]),
}

/// A canonical form.
#[derive(Clone, Debug)]
pub struct Vector {
    /// What is special, for messages.
    pub name: &'static str,
    /// The document.
    pub input: Vec<u8>,
    /// What is canonicalised.
    pub part: Part,
    /// The algorithms that give this form.
    pub algorithms: &'static [Algorithm],
    /// Comments are kept.
    pub comments: bool,
    /// The `PrefixList` of `InclusiveNamespaces`.
    pub prefixes: &'static str,
    /// The form.
    pub form: &'static str,
}

const INCLUSIVE: &[Algorithm] = &[C14n10, C14n11];
const ALL: &[Algorithm] = &[C14n10, C14n11, Exclusive];

/// All of them.
#[must_use]
pub fn vectors() -> Vec<Vector> {
    let mut all = whole_documents();
    all.extend(encodings());
    all.extend(subsets());
    all.extend(exclusive());
    all
}

const fn vector(
    name: &'static str,
    input: Vec<u8>,
    part: Part,
    algorithms: &'static [Algorithm],
    form: &'static str,
) -> Vector {
    Vector { name, input, part, algorithms, comments: false, prefixes: "", form }
}

/// C14N 1.0, clause 2.3: comments and instructions outside of the root element.
pub const OUTSIDE: &str = "<?xml version=\"1.0\"?>\n\n<?style  type=\"a\"   b ?>\n\n\
    <!DOCTYPE order [<!-- in the DTD --><?in the DTD?>]>\n<!-- first -->\n\
    <order>text<?a?><?b  c?><!-- inside --><!----></order>\n\n<?last?>\n\n<!-- last -->\n \n";

/// C14N 1.0, clause 2.3: namespaces, and attributes by namespace and name.
pub const ORDER: &str = "<list xmlns='urn:l' xmlns:z='urn:a' xmlns:a='urn:z'>\
    <item z:n='1'   a:n=\"2\" n='3' m='\"q\"' xmlns:a='urn:z'/>\
    <item xmlns='urn:l' xmlns:b='urn:b'/><plain xmlns=''><inner xmlns=\"\"/></plain></list>";

/// C14N 1.0, clause 2.1: entities, attribute types and default attributes.
pub const ENTITIES: &str = "<!DOCTYPE t [<!ENTITY who \"Ana &#38;amp; Bo\">\n\
    <!ENTITY mark '<em at=\"&who;\">!</em>'>\n\
    <!ATTLIST t kind CDATA \"note\" id ID #IMPLIED list NMTOKENS #IMPLIED>]>\n\
    <t id='  x1 ' list=' b&#9;  a '>&who;<![CDATA[<&>]]>&#x41;&lt;&gt;&amp;&quot;&mark;</t>";

/// C14N 1.0, clause 2.4, and C14N 1.1, clause 2.4: attributes of the `xml` namespace.
pub const INHERITED: &str = "<doc xml:lang='nl' xml:space='preserve' xml:id='top' \
    xml:base='http://h/a/'><part xml:base='b/'><line n='1'>x</line></part></doc>";

/// The exclusive algorithm: namespaces that are used, and not.
pub const WRAPPED: &str = "<w:wrap xmlns:w='urn:w' xmlns='urn:d' xmlns:p='urn:p' xmlns:q='urn:q'>\
    <w:body q:a='p:name'/></w:wrap>";

fn whole_documents() -> Vec<Vector> {
    let whole = |name, input: &str, form| vector(name, input.into(), Whole, ALL, form);
    vec![
        whole(
            "outside of the root element",
            OUTSIDE,
            "<?style type=\"a\"   b ?>\n<order>text<?a?><?b c?></order>\n<?last?>",
        ),
        Vector {
            comments: true,
            ..whole(
                "outside of the root element, with comments",
                OUTSIDE,
                "<?style type=\"a\"   b ?>\n<!-- first -->\n\
                 <order>text<?a?><?b c?><!-- inside --><!----></order>\n<?last?>\n<!-- last -->",
            )
        },
        whole(
            "line ends and white space",
            "<a>\r\n  <b  />\r <c\t>x&#13;&#10;y</c\n>\n</a>\r\n",
            "<a>\n  <b></b>\n <c>x&#xD;\ny</c>\n</a>",
        ),
        whole(
            "characters of attribute values",
            "<v a=\"x&#9;y&#10;z&#13;&lt;&gt;&amp;&quot;'\" b='1\n2\t3\r\n4'/>",
            "<v a=\"x&#x9;y&#xA;z&#xD;&lt;>&amp;&quot;'\" b=\"1 2 3 4\"></v>",
        ),
        whole(
            "entities and declared attributes",
            ENTITIES,
            "<t id=\"x1\" kind=\"note\" list=\"b&#x9; a\">\
             Ana &amp; Bo&lt;&amp;&gt;A&lt;&gt;&amp;\"<em at=\"Ana &amp; Bo\">!</em></t>",
        ),
        vector(
            "order of namespaces and attributes",
            ORDER.into(),
            Whole,
            INCLUSIVE,
            "<list xmlns=\"urn:l\" xmlns:a=\"urn:z\" xmlns:z=\"urn:a\">\
             <item m=\"&quot;q&quot;\" n=\"3\" z:n=\"1\" a:n=\"2\"></item>\
             <item xmlns:b=\"urn:b\"></item><plain xmlns=\"\"><inner></inner></plain></list>",
        ),
        vector(
            "order of namespaces and attributes, exclusive",
            ORDER.into(),
            Whole,
            &[Exclusive],
            "<list xmlns=\"urn:l\">\
             <item xmlns:a=\"urn:z\" xmlns:z=\"urn:a\" m=\"&quot;q&quot;\" n=\"3\" z:n=\"1\" \
             a:n=\"2\"></item><item></item><plain xmlns=\"\"><inner></inner></plain></list>",
        ),
        // UTF-16 has the second of the two before the first.
        whole(
            "names are ordered by code points",
            "<s \u{10000}='2' \u{F900}='1' a='0' B='-1'/>",
            "<s B=\"-1\" a=\"0\" \u{F900}=\"1\" \u{10000}=\"2\"></s>",
        ),
    ]
}

/// C14N 1.0, clause 2.1: the form is UTF-8, whatever the document was.
fn encodings() -> Vec<Vector> {
    const FORM: &str = "<p a=\"ü\">é\u{80}\n</p>";
    const WIDE: &str = "<p>é € 𝄞</p>";
    let body = "<p a='ü'>é&#x80;\r\n</p>";
    let latin = body.chars().map(|c| u8::try_from(u32::from(c)).unwrap());
    let latin: Vec<u8> =
        b"<?xml version='1.0' encoding='ISO-8859-1'?>".iter().copied().chain(latin).collect();
    let wide = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let text = format!("\u{FEFF}<?xml version='1.0' encoding='UTF-16'?>{WIDE}");
        text.encode_utf16().flat_map(bytes).collect()
    };
    vec![
        vector("ISO-8859-1", latin, Whole, ALL, FORM),
        vector("UTF-8 with a byte order mark", format!("\u{FEFF}{body}").into(), Whole, ALL, FORM),
        vector("UTF-16, big-endian", wide(u16::to_be_bytes), Whole, ALL, WIDE),
        vector("UTF-16, little-endian", wide(u16::to_le_bytes), Whole, ALL, WIDE),
    ]
}

fn subsets() -> Vec<Vector> {
    const SPACES: &str = "<a xmlns='urn:a' xmlns:p='urn:p'><b xmlns:q='urn:q'>\
        <c xmlns='' p:x='1'/></b></a>";
    const BASES: &str = "<a xml:base='one/'><b xml:base='two/'><c xml:base='three'/></b></a>";
    const DOTS: &str = "<a xml:base='one/two/'><b xml:base='../three/./'><c/></b></a>";
    let part = |name, input: &str, part, algorithms, form| {
        vector(name, input.into(), part, algorithms, form)
    };
    vec![
        part(
            "an element inherits every xml attribute",
            INHERITED,
            Element("line"),
            &[C14n10],
            "<line n=\"1\" xml:base=\"b/\" xml:id=\"top\" xml:lang=\"nl\" \
             xml:space=\"preserve\">x</line>",
        ),
        part(
            "an element inherits no xml:id, and the joined xml:base",
            INHERITED,
            Element("line"),
            &[C14n11],
            "<line n=\"1\" xml:base=\"http://h/a/b/\" xml:lang=\"nl\" \
             xml:space=\"preserve\">x</line>",
        ),
        part(
            "an element inherits nothing",
            INHERITED,
            Element("line"),
            &[Exclusive],
            "<line n=\"1\">x</line>",
        ),
        part(
            "dot segments of bases are removed",
            DOTS,
            Element("c"),
            &[C14n11],
            "<c xml:base=\"one/three/\"></c>",
        ),
        part(
            "the base of an element that is left out, joined",
            BASES,
            Elements(&["a", "c"]),
            &[C14n11],
            "<a xml:base=\"one/\"><c xml:base=\"two/three\"></c></a>",
        ),
        part(
            "the base of an element that is left out, replaced",
            BASES,
            Elements(&["a", "c"]),
            &[C14n10],
            "<a xml:base=\"one/\"><c xml:base=\"three\"></c></a>",
        ),
        part(
            "namespaces of an element that is left out",
            SPACES,
            Elements(&["a", "c"]),
            INCLUSIVE,
            "<a xmlns=\"urn:a\" xmlns:p=\"urn:p\"><c xmlns=\"\" xmlns:q=\"urn:q\" p:x=\"1\"></c></a>",
        ),
        part(
            "namespaces of an element that is left out, exclusive",
            SPACES,
            Elements(&["a", "c"]),
            &[Exclusive],
            "<a xmlns=\"urn:a\"><c xmlns=\"\" xmlns:p=\"urn:p\" p:x=\"1\"></c></a>",
        ),
        part(
            "nothing of the other elements",
            "<a>1<b>2</b>3<c><d>4</d></c><!--5--></a>",
            Elements(&["d", "b"]),
            ALL,
            "<b></b><d></d>",
        ),
    ]
}

fn exclusive() -> Vec<Vector> {
    const REDEFINED: &str = "<a xmlns='urn:1'><b xmlns='urn:2'><c xmlns='urn:1'/>\
        <p:d xmlns:p='urn:p'><e xmlns=''/></p:d></b></a>";
    const BODY: &str = "<w:body xmlns:q=\"urn:q\" xmlns:w=\"urn:w\" q:a=\"p:name\"></w:body>";
    let part = |name, input: &str, part, algorithms, form| {
        vector(name, input.into(), part, algorithms, form)
    };
    let body = |name, algorithms, form| part(name, WRAPPED, Element("body"), algorithms, form);
    vec![
        body(
            "every namespace in scope",
            INCLUSIVE,
            "<w:body xmlns=\"urn:d\" xmlns:p=\"urn:p\" xmlns:q=\"urn:q\" xmlns:w=\"urn:w\" \
             q:a=\"p:name\"></w:body>",
        ),
        body("the namespaces that are used", &[Exclusive], BODY),
        part(
            "the same element elsewhere",
            "<x xmlns:q='urn:other'><w:body xmlns:q='urn:q' xmlns:w='urn:w' q:a='p:name'/></x>",
            Element("body"),
            &[Exclusive],
            BODY,
        ),
        Vector {
            prefixes: "p",
            ..body(
                "a prefix of the list",
                &[Exclusive],
                "<w:body xmlns:p=\"urn:p\" xmlns:q=\"urn:q\" xmlns:w=\"urn:w\" \
                 q:a=\"p:name\"></w:body>",
            )
        },
        Vector {
            prefixes: "#default p none",
            ..body(
                "the default namespace in the list",
                &[Exclusive],
                "<w:body xmlns=\"urn:d\" xmlns:p=\"urn:p\" xmlns:q=\"urn:q\" xmlns:w=\"urn:w\" \
                 q:a=\"p:name\"></w:body>",
            )
        },
        part(
            "the default namespace redefined",
            REDEFINED,
            Whole,
            ALL,
            "<a xmlns=\"urn:1\"><b xmlns=\"urn:2\"><c xmlns=\"urn:1\"></c>\
             <p:d xmlns:p=\"urn:p\"><e xmlns=\"\"></e></p:d></b></a>",
        ),
        part(
            "no default namespace to undo",
            REDEFINED,
            Element("d"),
            &[Exclusive],
            "<p:d xmlns:p=\"urn:p\"><e></e></p:d>",
        ),
        part(
            "a default namespace to undo",
            REDEFINED,
            Element("d"),
            INCLUSIVE,
            "<p:d xmlns=\"urn:2\" xmlns:p=\"urn:p\"><e xmlns=\"\"></e></p:d>",
        ),
    ]
}

/// Why a document has no canonical form here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A part of it is in another file, which is never read.
    External,
    /// C14N 1.0, clause 1.3: a namespace name is a relative reference.
    RelativeNamespace,
}

/// Documents without a canonical form, each with the reason and with the text that
/// the error's offset leads to.
pub const REFUSED: [(&str, Refusal, &str); 3] = [
    ("<!DOCTYPE a SYSTEM 'a.dtd'><a/>", Refusal::External, "<!DOCTYPE"),
    ("<!DOCTYPE a [<!ENTITY e SYSTEM 'e.txt'>]><a>text &e;</a>", Refusal::External, "&e;"),
    ("<a xmlns:p='p'><p:b/></a>", Refusal::RelativeNamespace, "<a "),
];

//! Random well-formed documents. A list of numbers decides, so a shorter list is a simpler
//! document.

use std::collections::HashSet;

use proptest::prelude::*;

use crate::known::{self, Known};

/// A document, and its text without XML declaration.
#[derive(Clone)]
pub struct Document {
    pub octets: Vec<u8>,
    pub text: String,
    /// Number of elements with Ids: `i0`, `i1`, ...
    pub ids: usize,
    /// Whether its encoding is not UTF-8.
    pub is_encoded: bool,
    /// Whether it refers to entities that it declares.
    pub refers: bool,
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.text)
    }
}

/// The `xml:` attributes of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Xml {
    None,
    /// `xml:lang` and `xml:space`.
    Simple,
    /// Also `xml:base`.
    Base,
    /// Also other ones.
    Any,
}

/// The properties of the documents for a judge: without what `docs/c14n.md` lists as its
/// faults. The numbers are those of the rows there.
#[derive(Debug)]
pub struct Habits {
    /// `xml:base` values, separated by spaces. The judge joins all pairs of them correctly (7,
    /// 10, 15).
    pub bases: &'static str,
    /// Namespace names in addition to plain ones (1, 2).
    pub namespaces: &'static [&'static str],
    /// Whether carriage returns (4, 5), and elements under any default namespace (6), come
    /// out of entities.
    pub entities: bool,
    /// Whether characters beyond U+FFFF are in entities, names of the fifth
    /// edition are used, and CDATA sections are empty (12).
    pub new_characters: bool,
    /// Whether an attribute is declared twice (16).
    pub redeclared: bool,
    /// The other parts that the judge is wrong about.
    pub known: &'static [Known],
}

pub const FOR_LIBXML2: Habits = Habits {
    bases: "b/ http://h/a/ ../c/ d /e/f ../../x/ http://h/a/b /g/ ./k ../m a/../b http://k \
            http://k/ ?q n?q //l/p http://h/a?q x/.. . / http:m x//y",
    namespaces: &[],
    entities: false,
    new_characters: true,
    redeclared: true,
    known: &[known::without_element],
};

pub const FOR_SANTUARIO: Habits = Habits {
    bases: "http://h/a/ ../c/ d /e/f http://h/a/b x/y/z /g/ .. ../ ./k ../m a/../b \
            http://k/ ?q n?q //l/p o#f http://h/a?q /",
    namespaces: &["urn:a?b&c\"", "http://é/ x"],
    entities: true,
    new_characters: false,
    redeclared: false,
    known: &[
        known::without_element,
        known::behind_empty,
        known::twice_above,
        known::own_and_above,
        known::others_above,
        known::bases_above,
    ],
};

pub const FOR_THE_REFERENCE: Habits = Habits {
    bases: " b/ http://h/a/ ../c/ d /e/f ../../x/ http://h/a/b x/y/z /g/ .. ../ ./ ./k ../m \
            a/../b http://k http://k/ ?q n?q ? urn:a:b //l/p // #f o#f http://h/a?q ../.. \
            x/.. . / /.. http:m x//y http://h/.. ///a a:b/c é %20/x ... x?../y",
    namespaces: &["urn:a?b&c\"", "http://é/ x"],
    entities: true,
    new_characters: true,
    redeclared: true,
    known: &[],
};

/// Documents with namespaces, comments, instructions, CDATA sections, entities,
/// default attributes, all kinds of line ends, and in several encodings.
pub fn documents(habits: &'static Habits) -> impl Strategy<Value = Document> {
    prop::collection::vec(any::<u16>(), 20..600).prop_map(move |numbers| {
        let mut writer = Writer {
            numbers: numbers.into_iter(),
            habits,
            text: String::new(),
            ids: 0,
            xml: Xml::None,
            dtd: false,
            refers: false,
            encoding: 0,
            element_entity: false,
        };
        writer.document();
        let octets = writer.encoded();
        let Writer { text, ids, refers, encoding, .. } = writer;
        Document { octets, text, ids, is_encoded: encoding > 3 && encoding < 9, refers }
    })
}

/// Maximum depth of elements.
const DEEPEST: usize = 6;

struct Writer {
    numbers: std::vec::IntoIter<u16>,
    habits: &'static Habits,
    text: String,
    ids: usize,
    xml: Xml,
    dtd: bool,
    refers: bool,
    /// The number of the encoding in [`Self::encoded`]. From 6 on: one octet per character.
    encoding: usize,
    /// Whether the entity that contains elements may still be used. For libxml2 only once,
    /// and only without a default namespace in scope: it resolves the names in the entity
    /// once, and refuses the document otherwise (6).
    element_entity: bool,
}

/// Prefixes in scope with their namespaces.
type Scope = Vec<(&'static str, &'static str)>;

impl Writer {
    /// A number below `n`; 0 when the list has ended.
    fn roll(&mut self, n: usize) -> usize {
        self.numbers.next().map_or(0, |number| usize::from(number) % n)
    }

    /// True once in `n` times.
    fn once_in(&mut self, n: usize) -> bool {
        self.roll(n) == n - 1
    }

    /// Picks a text that the document's encoding can represent.
    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        let fits = |text: &&&str| self.encoding < 6 || text.chars().all(|c| c <= '\u{FF}');
        let from: Vec<&str> = from.iter().filter(fits).copied().collect();
        from[self.roll(from.len())]
    }

    fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn put_one(&mut self, from: &[&str]) {
        let one = self.pick(from);
        self.put(one);
    }

    fn document(&mut self) {
        let xml = [Xml::None, Xml::Simple, Xml::Base, Xml::Base, Xml::Any, Xml::Any];
        self.xml = xml[self.roll(xml.len())];
        self.encoding = self.roll(11);
        self.miscellaneous();
        if self.roll(5) > 2 {
            self.dtd();
            self.miscellaneous();
        }
        self.element(0, &vec![("", "")]);
        self.miscellaneous();
    }

    fn dtd(&mut self) {
        self.dtd = true;
        self.element_entity = true;
        self.put_one(&["<!DOCTYPE a [\r\n", "<!DOCTYPE a[<!-- <x> -->", "<!DOCTYPE\na ["]);
        self.put("<!ENTITY e 'x&#38;#13;&#38;amp;\r\n\"&#38;#60;'>");
        self.put("<!ENTITY f \"&e; ]]&#38;gt; &g;\"><!ENTITY h '&g;\"&#62; &#38;lt;'>");
        let new = self.habits.new_characters && self.encoding < 6;
        let beyond = if new { "\u{10400}" } else { "ç" };
        self.put(&format!("<!ENTITY g 'é{beyond}&#x9;'>"));
        self.put("<!ENTITY m '1<n m=\"&g;\"> <o/>&e;</n><?p q?><!-- c -->'>");
        self.put(
            "<!ENTITY k 'x&#13;\t&#38;#13;&#38;#10;&#10;'><!ENTITY u 'urn:&v;'><!ENTITY v '1'>",
        );
        self.put_one(&["", "<!ATTLIST a d CDATA ' v&#10;&g; '>"]);
        let late = if self.habits.redeclared { "\n t CDATA 'late'" } else { "" };
        let of_b = format!("<!ATTLIST b t NMTOKENS #IMPLIED{late} u NMTOKEN ' w '>");
        self.put_one(&["", &of_b]);
        if self.xml != Xml::None {
            self.put_one(&["", "<!ATTLIST c xml:space (default|preserve) 'preserve'>"]);
        }
        if self.once_in(2) {
            self.put("<!ATTLIST b xmlns:z CDATA 'urn:z' xmlns CDATA #FIXED 'urn:b'>");
            self.element_entity = self.habits.entities;
        }
        self.put_one(&["", "<!ELEMENT a (b|(c,d?)*)+><!NOTATION n SYSTEM 'n'><?p in dtd?>"]);
        self.put_one(&["]>", "] >", "\n]\n>"]);
    }

    /// The document with its XML declaration.
    fn encoded(&self) -> Vec<u8> {
        let body = self.text.as_str();
        let declared =
            |encoding: &str| format!("<?xml version='1.0' encoding='{encoding}'?>{body}");
        let narrow = |encoding| declared(encoding).chars().map(|c| c as u8).collect();
        let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| {
            std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(bytes).collect()
        };
        match self.encoding {
            1 => format!("<?xml version=\"1.0\"?>\r\n{body}").into_bytes(),
            2 => declared("utf-8").into_bytes(),
            3 => [b"\xEF\xBB\xBF", body.as_bytes()].concat(),
            4 => utf16(&declared("UTF-16"), u16::to_le_bytes),
            5 => utf16(body, u16::to_be_bytes),
            6 => narrow("ISO-8859-1"),
            7 => narrow("iso-8859-15"),
            8 => narrow("windows-1252"),
            _ => body.as_bytes().to_vec(),
        }
    }

    /// Comments, instructions and white space around the root element.
    fn miscellaneous(&mut self) {
        for _ in 0..self.roll(3) {
            match self.roll(3) {
                0 => self.put_one(&["\n", "\r\n\t", " "]),
                1 => self.comment(),
                _ => self.instruction(),
            }
        }
    }

    fn comment(&mut self) {
        self.put("<!--");
        self.put_one(&["", " c\r\nd\re ", "- é ", "<a>&e;", "]]>"]);
        self.put("-->");
    }

    fn instruction(&mut self) {
        self.put_one(&["<?p?>", "<?p  \r\n q\r\nr ?>", "<?pé a=\"&amp;\"??>", "<?xmlp ?>"]);
    }

    fn element(&mut self, depth: usize, around: &Scope) {
        let mut scope = around.clone();
        let mut inside = String::new();
        std::mem::swap(&mut inside, &mut self.text);
        self.declarations(&mut scope);
        // A default attribute may declare as well: it depends on the name.
        let prefix = scope[self.roll(scope.len())].0;
        let local_name = self.pick(&["a", "b", "c", "é"]);
        let name =
            if prefix.is_empty() { local_name.into() } else { format!("{prefix}:{local_name}") };
        self.attributes(&scope);
        std::mem::swap(&mut inside, &mut self.text);
        self.put("<");
        self.put(&name);
        self.put(&inside);
        self.put_one(&["", "", " ", "\r\n"]);
        if self.once_in(if depth == 0 { 16 } else { 4 }) {
            self.put("/>");
            return;
        }
        self.put(">");
        self.content(depth, &scope);
        self.put("</");
        self.put(&name);
        self.put_one(&["", "", "\n "]);
        self.put(">");
    }

    fn declarations(&mut self, scope: &mut Scope) {
        let mut seen = HashSet::new();
        for _ in 0..self.roll(3) {
            let prefix = self.pick_static(&["p", "", "q", "prefix-of-some-length", "é"]);
            if !seen.insert(prefix) {
                continue;
            }
            let odd = self.habits.namespaces;
            let name = if !odd.is_empty() && self.once_in(5) {
                self.pick_static(odd)
            } else if prefix.is_empty() {
                self.pick_static(&["", "urn:1", "urn:2"])
            } else {
                self.pick_static(&["urn:1", "urn:2", "http://x/?a#b", "urn:q'"])
            };
            scope.retain(|(known, _)| *known != prefix);
            scope.push((prefix, name));
            let mut escaped = name.replace('&', "&amp;").replace('"', "&quot;");
            if self.dtd && self.habits.entities && name == "urn:1" {
                escaped = self.pick(&["&u;", "urn:&v;", "urn:1"]).to_owned();
            }
            let colon = if prefix.is_empty() { "" } else { ":" };
            self.space();
            self.put(&format!("xmlns{colon}{prefix}=\"{escaped}\""));
        }
        if self.once_in(16) {
            self.put(" xmlns:xml='http://www.w3.org/XML/1998/namespace'");
        }
    }

    fn pick_static(&mut self, from: &[&'static str]) -> &'static str {
        from[self.roll(from.len())]
    }

    fn attributes(&mut self, scope: &Scope) {
        let mut seen = HashSet::new();
        for _ in 0..self.roll(5) {
            let (prefix, namespace) = scope[self.roll(scope.len())];
            let namespace = if prefix.is_empty() { "" } else { namespace };
            let new = if self.habits.new_characters { 7 } else { 5 };
            let local_name = self.pick(&["x", "d", "t", "Z", "é", "\u{F900}", "\u{10400}"][..new]);
            if seen.insert((namespace, local_name)) {
                let colon = if prefix.is_empty() { "" } else { ":" };
                self.space();
                self.put(&format!("{prefix}{colon}{local_name}"));
                self.value();
            }
        }
        if self.roll(5) > 1 {
            let number = self.ids;
            self.ids += 1;
            self.put(&format!(" Id='i{number}'"));
        }
        if self.xml >= Xml::Simple {
            if self.once_in(3) {
                self.put_one(&[" xml:lang='en'", " xml:lang=''", " xml:lang='nl'"]);
            }
            if self.once_in(6) {
                self.put_one(&[" xml:space='preserve'", " xml:space='default'"]);
            }
        }
        if self.xml >= Xml::Base && self.once_in(2) {
            let bases: Vec<&str> = self.habits.bases.split(' ').collect();
            let base = self.pick(&bases);
            self.put(&format!(" xml:base='{base}'"));
        }
        if self.xml >= Xml::Any && self.once_in(4) {
            self.put_one(&[" xml:foo='f'", " xml:foo=\"&#9;'\"", " xml:id='x'"]);
        }
    }

    /// Writes a reference to one of these entities. The last one is not for every judge.
    fn reference(&mut self, entities: &[&str]) {
        self.refers = true;
        self.put_one(&entities[..entities.len() - usize::from(!self.habits.entities)]);
    }

    fn space(&mut self) {
        self.put_one(&[" ", " ", "\r\n", "\t "]);
    }

    fn value(&mut self) {
        self.put_one(&["=", "=", " =\n"]);
        let (quote, other) = if self.once_in(2) { ("'", "\"") } else { ("\"", "'") };
        self.put(quote);
        for _ in 0..self.roll(5) {
            match self.roll(10) {
                0 => self.put("v"),
                1 => self.put_one(&["&amp;", "&lt;", "&gt;", "&quot;", "&apos;"]),
                2 => self.put_one(&["&#9;", "&#10;", "&#xD;", "&#x20;", "&#x1F600;"]),
                3 => self.put_one(&["\r\n", "\r", "\n", "\t", "  "]),
                4 => self.put(other),
                5 => self.put_one(&[">", "]]>", "é", "\u{10400}", "\u{85}\u{2028}"]),
                6 if self.dtd => self.reference(&["&g;", "&h;", "&k;"]),
                7 => {
                    let long = "a long run of text ".repeat(self.roll(10));
                    self.put(&long);
                }
                _ => self.put(" "),
            }
        }
        self.put(quote);
    }

    fn content(&mut self, depth: usize, scope: &Scope) {
        let most = if depth == 0 { 12 } else { 7 };
        for _ in 0..self.roll(most) {
            match self.roll(18) {
                0 => self.put("text"),
                1 => self.put_one(&["&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#13;", "&#x9;"]),
                2 => self.put_one(&["\r\n", "\r", "\n", "\t", "  "]),
                3 => self.put_one(&["]", "]] ", "é", "\u{10400}", "\u{85}\u{2028}", "\"'"]),
                // Not where `]]>` would occur outside a CDATA section.
                4 if !self.text.ends_with("]]") => self.put(">"),
                5 => {
                    let empty = usize::from(!self.habits.new_characters);
                    self.put_one(
                        &["<![CDATA[]]>", "<![CDATA[<&>\r\n]]]]>", "<![CDATA[x]]>"][empty..],
                    );
                }
                6 => self.comment(),
                7 => self.instruction(),
                8 if self.dtd => self.reference(&["&e;", "&f;", "&g;", "&k;"]),
                9 if depth < DEEPEST && self.element_entity => {
                    let anywhere = self.habits.entities;
                    if anywhere || scope.contains(&("", "")) {
                        self.element_entity = anywhere;
                        self.refers = true;
                        self.put("&m;");
                    }
                }
                10 => {
                    let long = "a long run of text ]".repeat(self.roll(10));
                    self.put(&long);
                }
                _ if depth < DEEPEST => self.element(depth + 1, scope),
                _ => self.put("deep"),
            }
        }
    }
}

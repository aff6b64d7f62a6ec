//! Well-formed documents at random: a list of numbers decides, so that a
//! shorter list is a simpler document.

use std::collections::HashSet;

use proptest::prelude::*;

/// A document, also as text without XML declaration, and how many elements have
/// Ids: `i0`, `i1`, ...
#[derive(Clone)]
pub struct Document {
    pub octets: Vec<u8>,
    pub text: String,
    pub ids: usize,
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.text)
    }
}

/// Documents with namespaces, comments, instructions, CDATA sections, entities,
/// default attributes, all kinds of line ends, and in several encodings.
pub fn documents() -> impl Strategy<Value = Document> {
    prop::collection::vec(any::<u16>(), 0..300).prop_map(|numbers| {
        let mut writer = Writer {
            numbers: numbers.into_iter(),
            text: String::new(),
            ids: 0,
            dtd: false,
            element_entity: false,
        };
        writer.document();
        let (text, ids) = (writer.text.clone(), writer.ids);
        Document { octets: writer.encoded(), text, ids }
    })
}

struct Writer {
    numbers: std::vec::IntoIter<u16>,
    text: String,
    ids: usize,
    dtd: bool,
    /// Whether the entity with elements in it may still be used. Only once, and
    /// only where no default namespace is: libxml2 resolves names in it once,
    /// and refuses the document otherwise.
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

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
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
        self.miscellaneous();
        if self.once_in(3) {
            self.dtd = true;
            self.element_entity = true;
            self.put_one(&["<!DOCTYPE a [\r\n", "<!DOCTYPE a[<!-- <x> -->", "<!DOCTYPE\na ["]);
            self.put("<!ENTITY e 'x&#38;#13;&#38;amp;\r\n\"&#38;#60;'><!ENTITY f \"&e; ]]&#38;gt; &g;\"><!ENTITY h '&g;\"&#62; &#38;lt;'>");
            self.put("<!ENTITY g 'é\u{10400}&#x9;'><!ENTITY m '1<n m=\"&g;\"> <o/>&e;</n><?p q?><!-- c -->'>");
            self.put_one(&["", "<!ATTLIST a d CDATA ' v&#10;&g; '>"]);
            self.put_one(&[
                "",
                "<!ATTLIST b t NMTOKENS #IMPLIED\n t CDATA 'late' u NMTOKEN ' w '>",
            ]);
            self.put_one(&["", "<!ATTLIST c xml:space (default|preserve) 'preserve'>"]);
            if self.once_in(2) {
                self.put("<!ATTLIST b xmlns:z CDATA 'urn:z' xmlns CDATA #FIXED 'urn:b'>");
                self.element_entity = false;
            }
            self.put_one(&["", "<!ELEMENT a (b|(c,d?)*)+><!NOTATION n SYSTEM 'n'><?p in dtd?>"]);
            self.put_one(&["]>", "] >", "\n]\n>"]);
            self.miscellaneous();
        }
        self.element(0, &vec![("", "")]);
        self.miscellaneous();
    }

    /// The document with its XML declaration, in an encoding that has all its
    /// characters.
    fn encoded(mut self) -> Vec<u8> {
        let latin = self.text.chars().all(|c| c <= '\u{FF}');
        let choice = self.roll(8);
        let body = std::mem::take(&mut self.text);
        let declared =
            |encoding: &str| format!("<?xml version='1.0' encoding='{encoding}'?>{body}");
        let utf16 = |units: &mut dyn Iterator<Item = u16>, bytes: fn(u16) -> [u8; 2]| {
            std::iter::once(0xFEFF).chain(units).flat_map(bytes).collect()
        };
        match choice {
            1 => format!("<?xml version=\"1.0\"?>\r\n{body}").into_bytes(),
            2 => declared("utf-8").into_bytes(),
            3 => [b"\xEF\xBB\xBF", body.as_bytes()].concat(),
            4 => utf16(&mut declared("UTF-16").encode_utf16(), u16::to_le_bytes),
            5 => utf16(&mut body.encode_utf16(), u16::to_be_bytes),
            6 if latin => declared("ISO-8859-1").chars().map(|c| c as u8).collect(),
            _ => body.into_bytes(),
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
        self.attributes(depth, &scope);
        std::mem::swap(&mut inside, &mut self.text);
        self.put("<");
        self.put(&name);
        self.put(&inside);
        self.put_one(&["", "", " ", "\r\n"]);
        if self.once_in(4) {
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
            let name = if prefix.is_empty() {
                self.pick_static(&["", "urn:1", "urn:2"])
            } else {
                self.pick_static(&["urn:1", "urn:2", "http://x/?a#b", "urn:q'"])
            };
            scope.retain(|(known, _)| *known != prefix);
            scope.push((prefix, name));
            let escaped = name.replace('&', "&amp;").replace('"', "&quot;");
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

    fn attributes(&mut self, depth: usize, scope: &Scope) {
        let mut seen = HashSet::new();
        for _ in 0..self.roll(5) {
            let (prefix, namespace) = scope[self.roll(scope.len())];
            let namespace = if prefix.is_empty() { "" } else { namespace };
            let local_name = self.pick(&["x", "d", "t", "Z", "é", "\u{F900}", "\u{10400}"]);
            if seen.insert((namespace, local_name)) {
                let colon = if prefix.is_empty() { "" } else { ":" };
                self.space();
                self.put(&format!("{prefix}{colon}{local_name}"));
                self.value();
            }
        }
        // Without the root element, libxml2 puts line feeds elsewhere.
        if depth > 0 && self.once_in(3) {
            let number = self.ids;
            self.ids += 1;
            self.put(&format!(" Id='i{number}'"));
        }
        if self.once_in(4) {
            self.put_one(&[" xml:lang='en'", " xml:lang=''"]);
        }
        if self.once_in(6) {
            self.put_one(&[" xml:space='preserve'", " xml:space='default'"]);
        }
        if self.once_in(6) {
            self.put_one(&[" xml:foo='f'", " xml:foo=\"&#9;'\""]);
        }
        if self.once_in(4) {
            self.put_one(&[
                " xml:base='b/'",
                " xml:base='http://h/a/'",
                " xml:base='../c/'",
                " xml:base='d'",
                " xml:base='/e/f'",
            ]);
        }
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
                6 if self.dtd => self.put_one(&["&g;", "&h;"]),
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
        for _ in 0..self.roll(6) {
            match self.roll(12) {
                0 => self.put("text"),
                1 => self.put_one(&["&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#13;", "&#x9;"]),
                2 => self.put_one(&["\r\n", "\r", "\n", "\t", "  "]),
                3 => self.put_one(&["]", "]] ", "é", "\u{10400}", "\u{85}\u{2028}", "\"'"]),
                // Not where it would end a CDATA section that is none.
                4 if !self.text.ends_with("]]") => self.put(">"),
                5 => self.put_one(&["<![CDATA[]]>", "<![CDATA[<&>\r\n]]]]>", "<![CDATA[x]]>"]),
                6 => self.comment(),
                7 => self.instruction(),
                8 if self.dtd => self.put_one(&["&e;", "&f;", "&g;"]),
                9 if self.element_entity && scope.contains(&("", "")) => {
                    self.element_entity = false;
                    self.put("&m;");
                }
                10 => {
                    let long = "a long run of text ]".repeat(self.roll(10));
                    self.put(&long);
                }
                _ if depth < 6 => self.element(depth + 1, scope),
                _ => self.put("deep"),
            }
        }
    }
}

//! Compares XPath expressions with libxml2: random conditions on nodes (XML Signature,
//! clause 6.6.3) and random paths (XPath Filter 2.0), over random documents. `xades::verify`
//! decides whether the digest of libxml2's canonical form is that of the reference.

use std::hash::{BuildHasher, RandomState};

use ades_core::{Digest, DigestAlgorithm, Document, base64};
use ades_tests::oracle::libxml2::{Libxml2, Question};
use xades::report::Problem;
use xades::{VerifyOptions, verify};

use crate::number;

/// Number of comparisons.
const CASES: usize = 1500;
/// Minimum number of them that have to be of supported expressions and of nodes.
const SUPPORTED: usize = 400;

const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const XPATH: &str = "http://www.w3.org/TR/1999/REC-xpath-19991116";
const FILTER2: &str = "http://www.w3.org/2002/06/xmldsig-filter2";

/// Chooses what to write (SplitMix64).
struct Choice(u64);

impl Choice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn of(&mut self, all: &[&'static str]) -> &'static str {
        all[self.below(all.len())]
    }

    /// Elements, text, comments and instructions.
    fn content(&mut self, depth: usize) -> String {
        (0..1 + self.below(4)).map(|_| self.node(depth)).collect()
    }

    fn node(&mut self, depth: usize) -> String {
        match self.below(if depth == 0 { 4 } else { 10 }) {
            0 => self.of(&["one", "two &amp; ", " "]).to_owned(),
            1 => "<!--said-->".to_owned(),
            2 => "<?do it?>".to_owned(),
            _ => {
                let name = self.of(&["a", "b", "c", "p:a", "p:b"]);
                let more = self.of(&["", "", " i='1'", " i='2'", " p:i='1'", " j='x' i='12'"]);
                let content = if depth == 0 { String::new() } else { self.content(depth - 1) };
                format!("<{name}{more}>{content}</{name}>")
            }
        }
    }

    fn condition(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.path_up(0);
        }
        let mut inner = || self.condition(depth - 1);
        let (one, other) = (inner(), inner());
        match self.below(9) {
            0 | 1 => format!("not({one})"),
            2 => format!("({one} and {other})"),
            3 => format!("{one} or {other}"),
            4 => format!("count({}) {}", self.path_up(1), self.of(&["= 0", "> 0", "!= 0", "< 1"])),
            5 => format!("{} | {}", self.path_up(1), self.path_up(0)),
            _ => self.path_up(depth),
        }
    }

    fn path_up(&mut self, depth: usize) -> String {
        let step = |it: &mut Self| {
            let axes = ["ancestor-or-self", "ancestor-or-self", "ancestor", "parent", "self"];
            let axis = it.of(&axes);
            let tests = ["a", "b", "c", "*", "*", "node()", "node()", "text()", "comment()"];
            let test = it.of(&tests);
            format!("{axis}::{test}{}", it.predicates(depth))
        };
        match self.below(4) {
            0 => format!("{}/{}", step(self), step(self)),
            1 => format!("{}/{}", step(self), self.of(&["..", "@i", "@*", "@i[. = '1']"])),
            _ => step(self),
        }
    }

    fn predicates(&mut self, depth: usize) -> String {
        (0..self.below(3)).map(|_| format!("[{}]", self.predicate(depth))).collect()
    }

    fn predicate(&mut self, depth: usize) -> String {
        if depth > 0 && self.below(3) == 0 {
            return self.condition(depth - 1);
        }
        self.of(&[
            "@i",
            "@i = '1'",
            "'1' != @i",
            "@*[local-name() = 'i' and . = '1']",
            "@*[namespace-uri() = 'urn:p']",
            "@* = '1'",
            "name() = 'p:a'",
            "local-name(.) = 'b'",
            "local-name() != \"a\"",
            "namespace-uri() = 'urn:p'",
            "starts-with(@i, '1')",
            "contains(name(), ':')",
            "string(@i) = ''",
            "local-name(..) = 'a'",
            "not(@i) and true()",
            "parent::a",
        ])
        .to_owned()
    }

    /// A path downwards from the root.
    fn path_down(&mut self) -> String {
        let mut path = String::new();
        for _ in 0..1 + self.below(3) {
            let slash = self.of(&["/", "//", "//", "/descendant::", "/descendant-or-self::"]);
            let tests = ["a", "b", "c", "*", "*", "node()", "text()"];
            path += &format!("{slash}{}", self.of(&tests));
            if self.below(4) == 0 {
                path += self.of(&["[1]", "[2]", "[position() = 1]", "[3]"]);
            }
            path += &self.predicates(0);
        }
        match self.below(5) {
            0 => format!("{path} | {}", self.path_down()),
            1 => format!("/*{path}"),
            _ => path,
        }
    }
}

/// The transform, and the condition for libxml2 that selects the same nodes.
fn transform(choice: &mut Choice) -> (String, String) {
    let escape = |text: &str| text.replace('<', "&lt;");
    if choice.below(2) == 0 {
        let condition = choice.condition(2);
        let content = format!("<ds:XPath>{}</ds:XPath>", escape(&condition));
        return (format!("<ds:Transform Algorithm=\"{XPATH}\">{content}"), condition);
    }
    let (path, filter) = (choice.path_down(), choice.of(&["subtract", "intersect"]));
    // Whether the ancestors and the selected nodes have one in common.
    let all = "ancestor-or-self::node()";
    let inside = format!("count({all} | {path}) < count({all}) + count({path})");
    let condition = if filter == "subtract" { format!("not({inside})") } else { inside };
    let content =
        format!("<XPath xmlns=\"{FILTER2}\" Filter=\"{filter}\">{}</XPath>", escape(&path));
    (format!("<ds:Transform Algorithm=\"{FILTER2}\">{content}"), condition)
}

/// A document with a signature that has the digest. Nothing is outside of the root element: where
/// that is not in the node-set, libxml2 does not know what comes after it.
fn signed(content: &str, transform: &str, method: &str, digest: &str) -> String {
    format!(
        "<r xmlns:p=\"urn:p\">{content}<ds:Signature xmlns:ds=\"{DS}\"><ds:SignedInfo>\
         <ds:CanonicalizationMethod Algorithm=\"{method}\"/>\
         <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/>\
         <ds:Reference URI=\"#xpointer(/)\"><ds:Transforms>\
         <ds:Transform Algorithm=\"{XPATH}\"><ds:XPath>not(ancestor-or-self::ds:Signature)\
         </ds:XPath></ds:Transform>{transform}</ds:Transform><ds:Transform Algorithm=\"{method}\"/>\
         </ds:Transforms><ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>\
         <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>\
         <ds:SignatureValue>AA==</ds:SignatureValue></ds:Signature></r>"
    )
}

#[test]
fn libxml2_evaluates_expressions_alike() {
    let mut libxml2 = Libxml2::start();
    let seed = number("C14N_SEED").unwrap_or_else(|| RandomState::new().hash_one("expressions"));
    let mut choice = Choice(seed);
    let mut supported = 0;
    for _ in 0..CASES {
        let content = choice.content(4);
        let (transform, condition) = transform(&mut choice);
        let nodes =
            format!("not(ancestor-or-self::*[local-name() = 'Signature']) and ({condition})");
        let question = Question {
            mode: choice.below(2) as u8,
            comments: true,
            node_set: Some(nodes),
            ..Question::default()
        };
        let document = |digest: &str| signed(&content, &transform, &question.uri(), digest);
        let form = libxml2.canonicalise(&question, document("").as_bytes());
        let form = form.unwrap_or_else(|| panic!("libxml2 refuses {condition}"));
        // Without the root element, libxml2 writes every comment and instruction as if it were
        // before the root element: a line feed follows.
        let form_text = String::from_utf8_lossy(&form);
        if !form_text.starts_with("<r") && form_text.contains(['!', '?']) {
            continue;
        }
        let digest = Digest::of(DigestAlgorithm::Sha256, &form);
        let document = document(&base64::encode(digest.value()));
        let report =
            verify(&mut Document::from_bytes(document.as_bytes()), VerifyOptions::default());
        let report = report.unwrap();
        let reference = &report.signatures[0].references[0];
        if reference.problem == Some(Problem::TransformUnsupported) {
            continue;
        }
        supported += usize::from(!form.is_empty());
        assert_eq!(
            reference.intact,
            Some(true),
            "C14N_SEED={seed}: {condition}\n{document}\n{}",
            String::from_utf8_lossy(&form)
        );
    }
    assert!(supported >= SUPPORTED, "C14N_SEED={seed}: {supported} of {CASES}");
}

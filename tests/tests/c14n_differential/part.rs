//! The part of a document that is canonicalised and its form, for this project, for the
//! reference and for the other judges.

use ades_tests::oracle::libxml2::Question;
use reference_c14n::{Algorithm, Kind, Method, Node, NodeSet, Tree};
use xades::c14n::{Canonicalization, Pass, Select, Selection, SetOperation, Shown, Target};
use xades::xml::{Reader, StartElement};

use crate::write::Document;

/// Number of numbers that choose a part.
pub const NUMBERS: usize = 14;

/// A part of a document, and its form.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub struct Part {
    pub mode: u8,
    pub comments: bool,
    pub prefixes: Vec<&'static str>,
    pub apex: Option<String>,
    pub without: Option<String>,
    /// The element itself is left out, and its direct content except elements.
    pub hole: Option<String>,
    /// Elements of this local name are left out, but not their content.
    pub gaps: Option<&'static str>,
    /// A step of XPath Filter 2.0 with these elements.
    pub filter: Vec<(SetOperation, String)>,
}

impl Part {
    pub fn whole_with_comments() -> Self {
        Self { comments: true, ..Self::default() }
    }

    /// Chooses a part by numbers. Zeros alone choose the whole document.
    pub fn choose(document: &Document, numbers: &[u16]) -> Self {
        let mut numbers = numbers.iter().map(|number| usize::from(*number));
        let mut choose = |n: usize| numbers.next().unwrap_or_default() % n;
        let kind = choose(10);
        let mode = choose(3) as u8;
        let comments = choose(2) == 1;
        let prefixes = match choose(6) {
            1 => vec!["p", "#default"],
            2 => vec!["q", "unknown"],
            3 => vec!["prefix-of-some-length", "é", "p", "q"],
            _ => Vec::new(),
        };
        let mut id = |chance: usize| match choose(chance * document.ids.max(1)) {
            number if number < document.ids => Some(format!("i{number}")),
            _ => None,
        };
        let mut part = Self { mode, comments, ..Self::default() };
        match kind {
            0 | 1 => {}
            2..5 if document.ids > 0 => part.apex = id(1),
            _ => {
                part.apex = id(2);
                part.without = id(2);
                part.hole = id(3);
                let operations =
                    [SetOperation::Intersect, SetOperation::Subtract, SetOperation::Union];
                let step = |operation| Some((operation, id(2)?));
                part.filter = operations.into_iter().filter_map(step).collect();
                part.gaps = [None, None, None, Some("a"), Some("b"), Some("c")][choose(6)];
                if part.hole.is_some() || part.gaps.is_some() {
                    part.filter.clear();
                }
                let turn = choose(part.filter.len().max(1));
                part.filter.rotate_left(turn);
                if !part.is_node_set() {
                    part.gaps = Some(["a", "b", "c"][choose(3)]);
                }
            }
        }
        if part.mode == 1 {
            part.prefixes = prefixes;
        }
        part
    }

    pub fn is_whole(&self) -> bool {
        self.apex.is_none() && !self.is_node_set()
    }

    /// Whether it is something else than a document or an element with its content.
    pub fn is_node_set(&self) -> bool {
        self.is_custom() || self.without.is_some() || !self.filter.is_empty()
    }

    fn is_custom(&self) -> bool {
        self.hole.is_some() || self.gaps.is_some()
    }

    pub fn question(&self) -> Question {
        let node_set = self.is_node_set();
        Question {
            mode: self.mode,
            comments: self.comments,
            prefixes: self.prefixes.iter().map(|prefix| (*prefix).to_owned()).collect(),
            id: if node_set { None } else { self.apex.clone() },
            node_set: node_set.then(|| self.expression()),
        }
    }

    /// An XPath expression that is true for the nodes of this part.
    fn expression(&self) -> String {
        let inside = |id: &String| format!("ancestor-or-self::*[@Id='{id}']");
        let mut all = Vec::new();
        all.extend(self.apex.as_ref().map(inside));
        all.extend(self.without.as_ref().map(|id| format!("not({})", inside(id))));
        all.extend(self.hole.as_ref().map(|id| {
            let content = format!("not(self::*) and parent::*[@Id='{id}']");
            format!("not(self::*[@Id='{id}'] or ({content}))")
        }));
        all.extend(self.gaps.map(|name| {
            let content =
                "self::* or self::text() or self::comment() or self::processing-instruction()";
            let own = format!("parent::*[local-name()='{name}'] and not({content})");
            format!("not(self::*[local-name()='{name}'] or ({own}))")
        }));
        all.push(self.filter.iter().fold("true()".to_owned(), |passes, (operation, id)| {
            let inside = inside(id);
            match operation {
                SetOperation::Intersect => format!("({passes} and {inside})"),
                SetOperation::Subtract => format!("({passes} and not({inside}))"),
                SetOperation::Union => format!("({passes} or {inside})"),
            }
        }));
        all.join(" and ")
    }

    /// The same nodes of the reference's tree.
    pub fn nodes(&self, tree: &Tree) -> NodeSet {
        let has_id = |element: Node, id: &str| tree.attribute(element, "", "Id") == Some(id);
        let inside = |node: Node, id: &str| tree.ancestors_or_self(node).any(|e| has_id(e, id));
        let is_named = |node: Node, wanted: &str| matches!(tree.kind(node), Kind::Element(name) if name.local == wanted);
        NodeSet::of(tree, |node| {
            let of_parent = |test: &dyn Fn(Node) -> bool| tree.parent(node).is_some_and(test);
            let is_axis = matches!(tree.kind(node), Kind::Attribute(..) | Kind::Namespace(..));
            let is_element = tree.is_element(node);
            let in_hole = self.hole.as_ref().is_some_and(|id| {
                let own = |element: Node| tree.is_element(element) && has_id(element, id);
                own(node) || !is_element && of_parent(&own)
            });
            let in_gap = self.gaps.is_some_and(|name| {
                let own = |element: Node| is_named(element, name);
                own(node) || is_axis && of_parent(&own)
            });
            let filtered =
                self.filter.iter().fold(true, |passes, (operation, id)| match operation {
                    SetOperation::Intersect => passes && inside(node, id),
                    SetOperation::Subtract => passes && !inside(node, id),
                    SetOperation::Union => passes || inside(node, id),
                });
            self.apex.as_ref().is_none_or(|id| inside(node, id))
                && !self.without.as_ref().is_some_and(|id| inside(node, id))
                && !in_hole
                && !in_gap
                && filtered
        })
    }

    /// The reference's name for the form.
    pub fn reference(&self) -> Method {
        let prefix = |prefix: &&str| (*prefix).replace("#default", "");
        Method {
            algorithm: match self.mode {
                0 => Algorithm::Inclusive10,
                1 => Algorithm::Exclusive10,
                _ => Algorithm::Inclusive11,
            },
            with_comments: self.comments,
            inclusive_prefixes: self.prefixes.iter().map(prefix).collect(),
        }
    }

    pub fn ours(&self, document: &[u8]) -> Result<Vec<u8>, xades::Error> {
        let method = match self.mode {
            0 => Canonicalization::C14N_1_0,
            1 => Canonicalization::EXCLUSIVE.with_prefix_list(&self.prefixes.join(" ")),
            _ => Canonicalization::C14N_1_1,
        };
        let method = if self.comments { method.with_comments() } else { method };
        let mut out = Vec::new();
        let mut sink = |piece: &[u8]| {
            out.extend_from_slice(piece);
            Ok(())
        };
        let mut pass = Pass::new(Reader::from_slice(document)?);
        if self.is_custom() {
            pass.add_custom(method, Holes { part: self, open: Vec::new() }, &mut sink);
        } else {
            let by_id = |id: &String| Target::Id(id.clone());
            let mut selection = match &self.apex {
                Some(id) => Selection::element(by_id(id)),
                None => Selection::document(),
            };
            if let Some(id) = &self.without {
                selection = selection.without(by_id(id));
            }
            let steps = self.filter.iter().map(|(operation, id)| (*operation, by_id(id)));
            pass.add(method, selection.filtered(steps), &mut sink);
        }
        pass.run()?;
        Ok(out)
    }
}

/// The same parts as an implementation of `Select`.
struct Holes<'p> {
    part: &'p Part,
    /// For each open element: whether it is inside the apex, and inside a left-out element.
    open: Vec<(bool, bool)>,
}

impl Select for Holes<'_> {
    fn element(&mut self, element: &StartElement<'_>, _: Shown) -> Shown {
        self.open.truncate(element.depth());
        let is = |wanted: &Option<String>| {
            let wanted = wanted.as_deref().map(str::as_bytes);
            wanted.is_some_and(|wanted| {
                element.attributes().any(|id| id.qualified_name == b"Id" && id.value == wanted)
            })
        };
        let (inside, left_out) =
            self.open.last().copied().unwrap_or((self.part.apex.is_none(), false));
        let inside = inside || is(&self.part.apex);
        let left_out = left_out || is(&self.part.without);
        self.open.push((inside, left_out));
        let content = inside && !left_out && !is(&self.part.hole);
        let is_gap = self.part.gaps.map(str::as_bytes) == Some(element.local_name());
        Shown { element: content && !is_gap, content }
    }

    fn outside(&self) -> bool {
        self.part.apex.is_none()
    }
}

//! Counts the kinds of comparisons: a large number of comparisons of empty documents proves
//! nothing.

use std::io::Write;

use reference_c14n::{NodeSet, Tree};

use crate::known::{apexes, xml_attributes};
use crate::part::Part;
use crate::write::Document;

/// The number of comparisons of each kind.
#[derive(Debug, Default)]
pub struct Shares {
    all: usize,
    counts: [usize; KINDS.len()],
}

/// A comparison that was made.
struct Case<'c> {
    document: &'c Document,
    part: &'c Part,
    tree: &'c Tree,
    nodes: &'c NodeSet,
}

type Test = fn(&Case<'_>) -> bool;

/// The kinds that are counted, and their minimum percentages.
const KINDS: [(&str, usize, Test); 16] = [
    ("Canonical XML 1.0", 25, |case| case.part.mode == 0),
    ("Canonical XML 1.1", 25, |case| case.part.mode == 2),
    ("Exclusive", 25, |case| case.part.mode == 1),
    ("with comments", 40, |case| case.part.comments),
    ("with a prefix list", 10, |case| !case.part.prefixes.is_empty()),
    ("whole documents", 10, |case| case.part.is_whole()),
    ("elements by Id", 20, |case| case.part.apex.is_some() && !case.part.is_node_set()),
    ("other parts", 35, |case| case.part.is_node_set()),
    ("parts that inherit xml: attributes", 8, |case| case.inherits(|_| true)),
    ("of those in 1.1 xml:base", 2, |case| case.part.mode == 2 && case.inherits(|it| it == "base")),
    ("with a DTD", 25, |case| case.document.text.contains("<!DOCTYPE")),
    ("of those with references to its entities", 10, |case| case.document.refers),
    ("CDATA sections", 20, |case| case.document.text.contains("<![CDATA[")),
    ("not UTF-8", 15, |case| case.document.is_encoded),
    ("beyond U+FFFF", 10, |case| case.document.text.contains(|c| c > '\u{FFFF}')),
    ("of more than 500 characters", 30, |case| case.document.text.len() > 500),
];

impl Case<'_> {
    /// Whether an element inherits such attributes from omitted ancestors.
    fn inherits(&self, is: impl Fn(&str) -> bool) -> bool {
        let mut apexes = apexes(self.tree, self.nodes);
        self.part.mode != 1
            && apexes.any(|apex| {
                let missing = self.tree.ancestors(apex).take_while(|above| !self.nodes.has(*above));
                missing.flat_map(|above| xml_attributes(self.tree, above)).any(&is)
            })
    }
}

impl Shares {
    /// The number of all comparisons.
    pub const fn all(&self) -> usize {
        self.all
    }

    pub fn count(&mut self, document: &Document, part: &Part, tree: &Tree, nodes: &NodeSet) {
        self.all += 1;
        let case = Case { document, part, tree, nodes };
        for ((_, _, is), count) in KINDS.iter().zip(&mut self.counts) {
            *count += usize::from(is(&case));
        }
    }

    pub fn tell(&self, name: &str) {
        let mut text = format!("{name}: {} compared, no two the same", self.all);
        for ((what, ..), count) in KINDS.iter().zip(self.counts) {
            text.push_str(&format!("\n    {count:7}  {what}"));
        }
        say(&text);
    }

    /// Checks that there were enough of each kind.
    pub fn check(&self) {
        for ((what, least, _), count) in KINDS.iter().zip(self.counts) {
            assert!(100 * count >= least * self.all, "{what}: {count} of {}", self.all);
        }
    }
}

/// Prints to standard error directly, because the test harness hides the output of a
/// successful test.
pub fn say(text: &str) {
    std::io::stderr().write_all(format!("{text}\n").as_bytes()).unwrap();
}

//! The processing model (Canonical XML 1.0 and 1.1, clauses 2.3 and 2.4 each;
//! Exclusive XML Canonicalization 1.0, clause 3).

use crate::Refused;
use crate::base::{is_scheme, join};
use crate::node_set::NodeSet;
use crate::tree::{Kind, Name, Node, Tree};

const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// A recommendation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Canonical XML 1.0
    Inclusive10,
    /// Canonical XML 1.1
    Inclusive11,
    /// Exclusive XML Canonicalization 1.0
    Exclusive10,
}

/// An algorithm with its parameters.
#[derive(Clone, Debug)]
pub struct Method {
    /// The recommendation.
    pub algorithm: Algorithm,
    /// Whether comments are kept.
    pub with_comments: bool,
    /// The prefixes of `InclusiveNamespaces`, empty for the default namespace.
    pub inclusive_prefixes: Vec<String>,
}

/// The canonical form of a set of a document's nodes.
///
/// # Errors
/// A namespace name that is a relative reference (Canonical XML 1.0, clause
/// 1.3).
pub fn canonicalize(tree: &Tree, nodes: &NodeSet, method: &Method) -> Result<String, Refused> {
    for node in tree.nodes() {
        if let Kind::Namespace(_, name) = tree.kind(node)
            && !name.split_once(':').is_some_and(|(scheme, _)| is_scheme(scheme))
        {
            return Err(format!("the namespace name {name:?} is relative"));
        }
    }
    let nodes =
        if method.with_comments { nodes.clone() } else { nodes.clone().without_comments(tree) };
    let mut form = Form { tree, nodes, method, out: String::new() };
    form.node(Tree::ROOT);
    Ok(form.out)
}

struct Form<'f> {
    tree: &'f Tree,
    nodes: NodeSet,
    method: &'f Method,
    out: String,
}

impl Form<'_> {
    fn node(&mut self, node: Node) {
        let tree = self.tree;
        let is_in = self.nodes.has(node);
        match tree.kind(node) {
            Kind::Root => tree.children(node).iter().for_each(|child| self.node(*child)),
            Kind::Element(name) => {
                let name = name.qualified();
                if is_in {
                    self.out += &format!("<{name}");
                    self.namespace_axis(node);
                    self.attribute_axis(node);
                    self.out.push('>');
                }
                tree.children(node).iter().for_each(|child| self.node(*child));
                if is_in {
                    self.out += &format!("</{name}>");
                }
            }
            Kind::Text(text) if is_in => self.out += &escaped_text(text),
            Kind::Comment(text) if is_in => self.outside(node, &format!("<!--{text}-->")),
            Kind::Instruction(target, data) if is_in => {
                let space = if data.is_empty() { "" } else { " " };
                self.outside(node, &format!("<?{target}{space}{data}?>"));
            }
            _ => {}
        }
    }

    /// Writes a comment or an instruction. A line feed follows a child of the root node
    /// that precedes the document element, and precedes one that follows it.
    fn outside(&mut self, node: Node, markup: &str) {
        if self.tree.parent(node) != Some(Tree::ROOT) {
            self.out += markup;
            return;
        }
        let siblings = self.tree.children(Tree::ROOT);
        let element = siblings.iter().find(|sibling| self.tree.is_element(**sibling));
        if element.is_some_and(|element| node < *element) {
            self.out += &format!("{markup}\n");
        } else {
            self.out += &format!("\n{markup}");
        }
    }

    /// The nearest ancestor element that is in the node-set and passes.
    fn above(&self, element: Node, passes: impl Fn(Node) -> bool) -> Option<Node> {
        self.tree.ancestors(element).find(|above| self.nodes.has(*above) && passes(*above))
    }

    fn namespace_axis(&mut self, element: Node) {
        let in_set = |node: &&Node| self.nodes.has(**node);
        let axis = self.tree.namespaces(element).iter().filter(in_set);
        let mut list: Vec<(&str, &str)> = axis.map(|node| self.namespace(*node)).collect();
        list.sort_unstable();
        let mut written = String::new();
        if list.first().is_none_or(|(prefix, _)| !prefix.is_empty()) && self.undeclares(element) {
            written += " xmlns=\"\"";
        }
        for (prefix, name) in list {
            if self.renders(element, prefix, name) {
                let colon = if prefix.is_empty() { "" } else { ":" };
                written += &format!(" xmlns{colon}{prefix}=\"{}\"", escaped_value(name));
            }
        }
        self.out += &written;
    }

    /// A namespace node's prefix and name.
    fn namespace(&self, node: Node) -> (&str, &str) {
        match self.tree.kind(node) {
            Kind::Namespace(prefix, name) => (prefix, name),
            _ => ("", ""),
        }
    }

    /// The namespace node of an element for a prefix, if it is in the node-set.
    fn namespace_of(&self, element: Node, prefix: &str) -> Option<&str> {
        let in_set = |node: &&Node| self.nodes.has(**node);
        let mut axis = self.tree.namespaces(element).iter().filter(in_set);
        axis.find_map(|node| Some(self.namespace(*node)).filter(|found| found.0 == prefix))
            .map(|(_, name)| name)
    }

    /// Whether a prefix is treated as Canonical XML does.
    fn is_inclusive(&self, prefix: &str) -> bool {
        self.method.algorithm != Algorithm::Exclusive10
            || self.method.inclusive_prefixes.iter().any(|listed| listed == prefix)
    }

    /// Whether the element or one of its attributes uses the prefix (Exclusive XML
    /// Canonicalization 1.0, clause 1.1). Only the element uses the default namespace.
    fn utilizes(&self, element: Node, prefix: &str) -> bool {
        let has = |name: &Name| name.prefix == prefix;
        let of_attribute = |node: &Node| match self.tree.kind(*node) {
            Kind::Attribute(name, _) => self.nodes.has(*node) && !prefix.is_empty() && has(name),
            _ => false,
        };
        matches!(self.tree.kind(element), Kind::Element(name) if has(name))
            || self.tree.attributes(element).iter().any(of_attribute)
    }

    /// Whether `xmlns=""` is needed on an element without default namespace.
    fn undeclares(&self, element: Node) -> bool {
        let above = if self.is_inclusive("") {
            self.above(element, |_| true)
        } else {
            let above = self.above(element, |above| self.utilizes(above, ""));
            above.filter(|_| self.utilizes(element, ""))
        };
        above.is_some_and(|above| self.namespace_of(above, "").is_some())
    }

    /// Whether a namespace node of an element is written.
    fn renders(&self, element: Node, prefix: &str, name: &str) -> bool {
        if prefix == "xml" && name == XML {
            return false;
        }
        let above = if self.is_inclusive(prefix) {
            self.above(element, |_| true)
        } else if self.utilizes(element, prefix) {
            self.above(element, |above| self.utilizes(above, prefix))
        } else {
            return false;
        };
        above.is_none_or(|above| self.namespace_of(above, prefix) != Some(name))
    }

    fn attribute_axis(&mut self, element: Node) {
        let tree = self.tree;
        let in_set = |node: &&Node| self.nodes.has(**node);
        let mut list: Vec<(Name, String)> = Vec::new();
        for node in tree.attributes(element).iter().filter(in_set) {
            if let Kind::Attribute(name, value) = tree.kind(*node) {
                list.push((name.clone(), value.clone()));
            }
        }
        match self.method.algorithm {
            Algorithm::Inclusive10 => self.inherit(element, |_| true, &mut list),
            Algorithm::Inclusive11 => {
                let is_simple = |local: &str| ["lang", "space"].contains(&local);
                self.inherit(element, is_simple, &mut list);
                self.fix_base(element, &mut list);
            }
            Algorithm::Exclusive10 => {}
        }
        list.sort_by(|(a, _), (b, _)| (&a.namespace, &a.local).cmp(&(&b.namespace, &b.local)));
        for (name, value) in list {
            self.out += &format!(" {}=\"{}\"", name.qualified(), escaped_value(&value));
        }
    }

    /// The uninterrupted row of ancestors that are not in the node-set, from the parent
    /// on.
    fn missing(&self, element: Node) -> Vec<Node> {
        self.tree.ancestors(element).take_while(|above| !self.nodes.has(*above)).collect()
    }

    /// The nearest occurrences of `xml:` attributes above an element whose parent is not in
    /// the node-set, except those that the element has. Canonical XML 1.1 inherits from
    /// omitted ancestors only: an ancestor in the node-set is written with its own
    /// attributes.
    fn inherit(
        &self,
        element: Node,
        passes: impl Fn(&str) -> bool,
        list: &mut Vec<(Name, String)>,
    ) {
        let missing = self.missing(element);
        if missing.is_empty() {
            return;
        }
        let asked: Vec<Node> = match self.method.algorithm {
            Algorithm::Inclusive11 => missing,
            _ => self.tree.ancestors(element).collect(),
        };
        for above in asked {
            for node in self.tree.attributes(above) {
                let Kind::Attribute(name, value) = self.tree.kind(*node) else { continue };
                let is_own = self.tree.attribute(element, XML, &name.local).is_some();
                let is_known = list
                    .iter()
                    .any(|(known, _)| known.namespace == XML && known.local == name.local);
                if name.namespace == XML && passes(&name.local) && !is_own && !is_known {
                    list.push((name.clone(), value.clone()));
                }
            }
        }
    }

    /// The xml:base fixup (Canonical XML 1.1, clause 2.4), if one of the omitted ancestors
    /// has the attribute.
    fn fix_base(&self, element: Node, list: &mut Vec<(Name, String)>) {
        let base = |node: Node| self.tree.attribute(node, XML, "base").map(str::to_owned);
        let missing: Vec<String> = self.missing(element).into_iter().filter_map(base).collect();
        if missing.is_empty() {
            return;
        }
        let mut fixed = base(element);
        for outer in missing {
            fixed = Some(match fixed {
                Some(inner) => join(&outer, &inner),
                None => outer,
            });
        }
        list.retain(|(name, _)| name.namespace != XML || name.local != "base");
        if let Some(value) = fixed.filter(|value| !value.is_empty()) {
            let [prefix, local, namespace] = ["xml", "base", XML].map(str::to_owned);
            list.push((Name { prefix, local, namespace }, value));
        }
    }
}

fn escaped_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\r', "&#xD;")
}

fn escaped_value(value: &str) -> String {
    let value = value.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    value.replace('\t', "&#x9;").replace('\n', "&#xA;").replace('\r', "&#xD;")
}

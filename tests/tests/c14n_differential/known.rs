//! Parts about which a judge is known to be wrong: those in the rows of `docs/c14n.md`, and
//! no others. They are not compared and not counted.

use std::collections::HashSet;

use reference_c14n::{Kind, Node, NodeSet, Tree};

use crate::part::Part;

/// Whether a judge is wrong about this part of a document, with these nodes.
pub type Known = fn(&Part, &Tree, &NodeSet) -> bool;

/// A comment or an instruction without an ancestor element in the node-set, except
/// outside a root element that is in it: line feeds are misplaced (3), or it is lost (9).
pub fn without_element(_: &Part, tree: &Tree, nodes: &NodeSet) -> bool {
    let root = tree.children(Tree::ROOT).iter().find(|child| tree.is_element(**child));
    let has_root = root.is_some_and(|root| nodes.has(*root));
    let is_outside = |node: Node| has_root && tree.parent(node) == Some(Tree::ROOT);
    tree.nodes().any(|node| {
        is_remark(tree, node)
            && nodes.has(node)
            && !is_outside(node)
            && !tree.ancestors(node).any(|above| nodes.has(above))
    })
}

/// Nodes after an empty root element are lost (14).
pub fn behind_empty(_: &Part, tree: &Tree, _: &NodeSet) -> bool {
    let mut before = tree.children(Tree::ROOT).iter().rev();
    let last_is_remark = before.clone().next().is_some_and(|last| is_remark(tree, *last));
    let root = before.find(|child| tree.is_element(**child));
    last_is_remark && root.is_some_and(|root| tree.children(*root).is_empty())
}

/// An element by Id inherits from the outer one of two ancestors with the same `xml:`
/// attribute (13).
pub fn twice_above(part: &Part, tree: &Tree, nodes: &NodeSet) -> bool {
    let inherits = part.mode != 1 && !part.is_node_set();
    inherits
        && apexes(tree, nodes).any(|apex| {
            let mut seen = HashSet::new();
            let above = tree.ancestors(apex).flat_map(|above| xml_attributes(tree, above));
            above.into_iter().any(|name| !seen.insert(name))
        })
}

/// 1.0, other parts: an element with an `xml:` attribute inherits, although its parent is
/// in the node-set (11).
pub fn own_and_above(part: &Part, tree: &Tree, nodes: &NodeSet) -> bool {
    let has = |element: Node| xml_attributes(tree, element).next().is_some();
    let inherits = part.mode == 0 && part.is_node_set();
    let mut elements = tree.nodes().filter(|node| nodes.has(*node) && has(*node));
    inherits
        && elements.any(|element| {
            let parent = tree.ancestors(element).next();
            parent.is_some_and(|parent| nodes.has(parent)) && tree.ancestors(element).any(has)
        })
}

/// 1.1: attributes such as `xml:foo` are inherited (8).
pub fn others_above(part: &Part, tree: &Tree, nodes: &NodeSet) -> bool {
    let known = ["lang", "space", "base"];
    part.mode == 2
        && apexes(tree, nodes).any(|apex| {
            let mut above = tree.ancestors(apex).flat_map(|above| xml_attributes(tree, above));
            above.any(|name| !known.contains(&name))
        })
}

/// 1.1: of several omitted ancestors with `xml:base`, not all are joined (13).
pub fn bases_above(part: &Part, tree: &Tree, nodes: &NodeSet) -> bool {
    part.mode == 2
        && apexes(tree, nodes).any(|apex| {
            let missing = tree.ancestors(apex).take_while(|above| !nodes.has(*above));
            missing.filter(|above| xml_attributes(tree, *above).any(|name| name == "base")).count()
                > 1
        })
}

/// The elements of a node-set whose parents are not in it.
pub fn apexes<'t>(tree: &'t Tree, nodes: &'t NodeSet) -> impl Iterator<Item = Node> + 't {
    let parent_is_missing =
        |node: Node| tree.ancestors(node).next().is_some_and(|above| !nodes.has(above));
    tree.nodes()
        .filter(move |node| tree.is_element(*node) && nodes.has(*node) && parent_is_missing(*node))
}

/// The local names of an element's `xml:` attributes.
pub fn xml_attributes(tree: &Tree, element: Node) -> impl Iterator<Item = &str> {
    tree.attributes(element).iter().filter_map(|node| match tree.kind(*node) {
        Kind::Attribute(name, _) if name.prefix == "xml" => Some(name.local.as_str()),
        _ => None,
    })
}

fn is_remark(tree: &Tree, node: Node) -> bool {
    matches!(tree.kind(node), Kind::Comment(_) | Kind::Instruction(..))
}

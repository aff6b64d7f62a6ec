//! The nodes of a document that are canonicalised.

use crate::{Kind, Node, Tree};

/// A set of nodes. Attributes and namespace nodes are members of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSet(Vec<bool>);

impl NodeSet {
    /// The nodes that pass a test.
    pub fn of(tree: &Tree, passes: impl Fn(Node) -> bool) -> Self {
        Self(tree.nodes().map(passes).collect())
    }

    /// All nodes.
    #[must_use]
    pub fn all(tree: &Tree) -> Self {
        Self::of(tree, |_| true)
    }

    /// An element with its content: the nodes for which `ancestor-or-self::*` contains the
    /// element.
    #[must_use]
    pub fn subtree(tree: &Tree, element: Node) -> Self {
        Self::of(tree, |node| tree.ancestors_or_self(node).any(|above| above == element))
    }

    /// Removes all comments.
    #[must_use]
    pub fn without_comments(mut self, tree: &Tree) -> Self {
        for node in tree.nodes() {
            self.0[node] &= !matches!(tree.kind(node), Kind::Comment(_));
        }
        self
    }

    /// Whether a node is in the set.
    #[must_use]
    pub fn has(&self, node: Node) -> bool {
        self.0[node]
    }
}

//! The XPath 1.0 data model (clause 5): a tree of nodes, including namespace nodes.

/// A node: its index in the document.
pub type Node = usize;

/// A name that belongs to a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The prefix. Empty: no prefix.
    pub prefix: String,
    /// The local part.
    pub local: String,
    /// The namespace name. Empty: no namespace.
    pub namespace: String,
}

impl Name {
    /// The qualified name.
    #[must_use]
    pub fn qualified(&self) -> String {
        if self.prefix.is_empty() {
            self.local.clone()
        } else {
            format!("{}:{}", self.prefix, self.local)
        }
    }
}

/// The kind of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The root node, which is above the document element.
    Root,
    /// An element.
    Element(Name),
    /// An attribute with its normalised value.
    Attribute(Name, String),
    /// A namespace in scope: its prefix, empty for the default namespace, and its name.
    Namespace(String, String),
    /// Text.
    Text(String),
    /// A comment.
    Comment(String),
    /// A processing instruction: its target and data.
    Instruction(String, String),
}

/// A document.
#[derive(Clone, Debug)]
pub struct Tree {
    items: Vec<Item>,
}

#[derive(Clone, Debug)]
struct Item {
    kind: Kind,
    parent: Option<Node>,
    children: Vec<Node>,
    attributes: Vec<Node>,
    namespaces: Vec<Node>,
}

impl Tree {
    /// The root node.
    pub const ROOT: Node = 0;

    pub(crate) fn new() -> Self {
        let mut tree = Self { items: Vec::new() };
        tree.add(Kind::Root, None);
        tree
    }

    pub(crate) fn add(&mut self, kind: Kind, parent: Option<Node>) -> Node {
        let node = self.items.len();
        if let Some(parent) = parent {
            let parent = &mut self.items[parent];
            match kind {
                Kind::Attribute(..) => parent.attributes.push(node),
                Kind::Namespace(..) => parent.namespaces.push(node),
                _ => parent.children.push(node),
            }
        }
        let none = Vec::new;
        let item = Item { kind, parent, children: none(), attributes: none(), namespaces: none() };
        self.items.push(item);
        node
    }

    /// All nodes. Those of an element follow it.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + use<> {
        0..self.items.len()
    }

    /// The kind of a node.
    #[must_use]
    pub fn kind(&self, node: Node) -> &Kind {
        &self.items[node].kind
    }

    /// The parent of a node. Attributes and namespace nodes have one, too.
    #[must_use]
    pub fn parent(&self, node: Node) -> Option<Node> {
        self.items[node].parent
    }

    /// Its children in document order, without attributes and namespace nodes.
    #[must_use]
    pub fn children(&self, node: Node) -> &[Node] {
        &self.items[node].children
    }

    /// An element's attributes.
    #[must_use]
    pub fn attributes(&self, node: Node) -> &[Node] {
        &self.items[node].attributes
    }

    /// The namespace nodes of an element: all that are in scope, including those that
    /// ancestors declare.
    #[must_use]
    pub fn namespaces(&self, node: Node) -> &[Node] {
        &self.items[node].namespaces
    }

    /// Whether it is an element.
    #[must_use]
    pub fn is_element(&self, node: Node) -> bool {
        matches!(self.kind(node), Kind::Element(_))
    }

    /// The ancestor elements of a node, innermost first.
    pub fn ancestors(&self, node: Node) -> impl Iterator<Item = Node> {
        let above = std::iter::successors(self.parent(node), |node| self.parent(*node));
        above.filter(|node| self.is_element(*node))
    }

    /// The node, if it is an element, and its ancestor elements, innermost first.
    pub fn ancestors_or_self(&self, node: Node) -> impl Iterator<Item = Node> {
        self.is_element(node).then_some(node).into_iter().chain(self.ancestors(node))
    }

    /// The value of an element's attribute.
    #[must_use]
    pub fn attribute(&self, element: Node, namespace: &str, local: &str) -> Option<&str> {
        self.attributes(element).iter().find_map(|node| match self.kind(*node) {
            Kind::Attribute(name, value) if name.namespace == namespace && name.local == local => {
                Some(value.as_str())
            }
            _ => None,
        })
    }
}

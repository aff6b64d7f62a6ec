//! Canonical XML the slow and obvious way, to be compared with the fast one: the
//! document becomes a tree of the XPath 1.0 data model, with every namespace
//! node of every element; what is canonicalised is a set of its nodes; and the
//! clauses are followed as they are written.
//!
//! It has no code of the crate `xades`, nor may that ever have any of this: what
//! one of the two gets wrong, the other must not. It knows no limits but one, on
//! what entities may become.
#![deny(missing_docs)]

mod base;
mod canonical;
mod characters;
mod dtd;
mod input;
mod node_set;
mod octets;
mod parse;
mod tree;

pub use base::{join, without_dot_segments};
pub use canonical::{Algorithm, Method, canonicalize};
pub use node_set::NodeSet;
pub use parse::parse;
pub use tree::{Kind, Name, Node, Tree};

/// Why a document has no canonical form, in words.
pub type Refused = String;

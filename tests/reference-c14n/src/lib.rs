//! Canonical XML in the slow and obvious way, for comparison with the fast
//! implementation. The document becomes a tree of the XPath 1.0 data model, with every
//! namespace node of every element. A set of its nodes is canonicalised, and the code
//! follows the clauses as they are written.
//!
//! It contains no code of the crate `xades`, and that crate must never contain code of
//! this one: a fault of one must not be a fault of the other. Its only limit is on the
//! expansion of entities.
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
pub use octets::reads_encoding_of;
pub use parse::parse;
pub use tree::{Kind, Name, Node, Tree};

/// Why a document has no canonical form.
pub type Refused = String;

//! The part of XPath 1.0 that signatures use to select nodes (XML Signature, clause
//! 6.6.3; XPath Filter 2.0), evaluated while the document is read.
//!
//! An expression is compiled into formulas about a node and the elements around it.
//! They are evaluated at each start tag. An expression that depends on anything else,
//! such as an element's content, is not supported: it has no formula, and the signature
//! is undecided.

mod compile;
mod conditions;
mod formula;
mod here;
mod syntax;
mod words;

pub(crate) use conditions::{Around, Conditions};
pub(crate) use formula::{Formula, Kind};
pub(crate) use here::{Here, HereElement};

use compile::Compiler;
use syntax::Parser;
use words::words;

/// Maximum length of an expression in octets.
const MAX_EXPRESSION_LEN: usize = 8192;
/// Maximum number of names, literals and symbols of an expression.
const MAX_WORDS: usize = 512;
/// Maximum depth of expressions inside one another.
const MAX_DEPTH: usize = 24;
/// Maximum number of terms in the formulas of one selection.
const MAX_TERMS: usize = 1024;
/// Maximum number of tests of one selection. Each has one bit.
const MAX_TESTS: usize = 64;
/// Maximum number of predicates of one selection that count elements.
const MAX_COUNTED: usize = 4;

/// An expression, and what its meaning depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expression<'e> {
    pub(crate) text: &'e str,
    /// The prefixes in scope and their namespace names.
    pub(crate) prefixes: &'e [(String, String)],
    /// The place of the expression, if it is in the document that it selects from.
    pub(crate) here: Option<&'e Here>,
}

impl Expression<'_> {
    /// The formula for a condition on each node (XML Signature, clause 6.6.3). `None` if
    /// it is not supported.
    pub(crate) fn condition(&self, conditions: &mut Conditions) -> Option<Formula> {
        let words = words(self.text)?;
        let expression = Parser::new(&words, self.prefixes).expression()?;
        Compiler::new(conditions, self.here).boolean(&expression)
    }

    /// The formula for the nodes inside those that the expression selects (XPath Filter
    /// 2.0, clause 3.2). `None` if it is not supported.
    pub(crate) fn subtrees(&self, conditions: &mut Conditions) -> Option<Formula> {
        let words = words(self.text)?;
        let expression = Parser::new(&words, self.prefixes).expression()?;
        Compiler::new(conditions, self.here).subtrees(&expression)
    }
}

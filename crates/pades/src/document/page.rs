//! Pages in the page tree (ISO 32000-2, 7.7.3).

use std::collections::HashSet;

use crate::error::{Error, Limit, broken, exceeds, structure};
use crate::file::{Indirect, Pdf};
use crate::syntax::{Reference, Value};

/// Maximum number of tree nodes that are read.
pub(crate) const MAX_NODES: usize = 1 << 20;
/// Maximum number of tree nodes above a page.
pub(crate) const MAX_LEVELS: usize = 1 << 16;

/// The page with this number, counted from 1.
pub(crate) fn find(pdf: &mut Pdf<'_>, catalog: &Value, number: usize) -> Result<Indirect, Error> {
    let mut walk = Walk::new(catalog)?;
    let mut left = number.saturating_sub(1);
    while let Some(page) = walk.next(pdf, &mut left)? {
        if left == 0 {
            return page.indirect();
        }
        left -= 1;
    }
    let pages = number.saturating_sub(1).saturating_sub(left);
    let root = pdf.get(catalog, b"Pages")?;
    let stated = root.map_or(Ok(None), |root| pdf.get(&root, b"Count"))?;
    let stated = stated.and_then(|count| count.unsigned()).unwrap_or(0);
    match walk.fault {
        // The tree should have this page.
        Some(fault) if pages == 0 || stated >= number as u64 => Err(fault.error(pdf)?),
        None if pages == 0 => Err(structure("the page tree has no pages")),
        _ => Err(Error::NoSuchPage { page: number, pages }),
    }
}

/// The first page that has this annotation.
pub(crate) fn with_annotation(
    pdf: &mut Pdf<'_>,
    catalog: &Value,
    annotation: Reference,
) -> Result<Option<Indirect>, Error> {
    let mut walk = Walk::new(catalog)?;
    while let Some(page) = walk.next(pdf, &mut 0)? {
        let is_it = |value: &Value| value.reference() == Some(annotation);
        let all = pdf.get(page.value(), b"Annots")?;
        let all = all.as_ref().and_then(Value::elements).unwrap_or_default();
        // Some writers put a lone annotation in place of the array.
        if all.iter().any(is_it) || page.value().get(b"Annots").is_some_and(is_it) {
            return page.indirect().map(Some);
        }
    }
    Ok(None)
}

/// The number of a page, counted from 1.
pub(crate) fn number(
    pdf: &mut Pdf<'_>,
    catalog: &Value,
    page: Reference,
) -> Result<Option<usize>, Error> {
    let mut walk = Walk::new(catalog)?;
    let mut number = 0;
    while let Some(found) = walk.next(pdf, &mut 0)? {
        number += 1;
        if matches!(found, Node::Indirect(found) if found.reference == page) {
            return Ok(Some(number));
        }
    }
    Ok(None)
}

/// A node of the tree. Some writers put a node into `/Kids` itself; viewers show such
/// pages.
pub(crate) enum Node {
    Indirect(Indirect),
    Direct(Value),
}

impl Node {
    pub(crate) const fn value(&self) -> &Value {
        match self {
            Self::Indirect(object) => &object.value,
            Self::Direct(value) => value,
        }
    }

    /// A page that a signature can refer to.
    fn indirect(self) -> Result<Indirect, Error> {
        match self {
            Self::Indirect(object) => Ok(object),
            Self::Direct(_) => Err(structure(
                "a page is a direct object: /Kids must refer to it as an indirect object",
            )),
        }
    }
}

/// Why a part of the tree has no pages.
#[derive(Clone, Copy)]
enum TreeFault {
    Circle,
    KidsNotArray,
    Missing,
    NoKids,
    NotANode,
}

impl TreeFault {
    fn error(self, pdf: &Pdf<'_>) -> Result<Error, Error> {
        Ok(match self {
            Self::Circle => structure("the page tree leads to one of its nodes twice"),
            Self::KidsNotArray => structure("/Kids in the page tree is not an array"),
            Self::Missing => broken(
                pdf.newest()?.offset,
                "the page tree refers to an object that the cross-reference does not have",
            ),
            Self::NoKids => structure("a node of the page tree has no /Kids"),
            Self::NotANode => structure("the page tree leads to an object that is not a page"),
        })
    }
}

/// Walks the tree from page to page.
pub(crate) struct Walk {
    seen: HashSet<Reference>,
    /// References to nodes, and direct nodes.
    stack: Vec<Value>,
    /// The first fault.
    fault: Option<TreeFault>,
    /// The first node that is missing.
    missing: Option<Reference>,
}

impl Walk {
    pub(crate) fn new(catalog: &Value) -> Result<Self, Error> {
        let root = catalog.get(b"Pages").filter(|root| !root.is_null());
        let root = root.ok_or(structure("the catalog has no /Pages"))?;
        Ok(Self { seen: HashSet::new(), stack: vec![root.clone()], fault: None, missing: None })
    }

    /// The next page. Subtrees with up to `skip` pages are skipped, and `skip` is
    /// reduced by their number of pages.
    pub(crate) fn next(
        &mut self,
        pdf: &mut Pdf<'_>,
        skip: &mut usize,
    ) -> Result<Option<Node>, Error> {
        while let Some(value) = self.stack.pop() {
            let Some(node) = self.node(pdf, value)? else { continue };
            let kids = pdf.get(node.value(), b"Kids")?.filter(|kids| !kids.is_null());
            let kind = pdf.get(node.value(), b"Type")?;
            let kind = kind.as_ref().and_then(Value::name);
            // Some trees lead to other objects, such as templates or fonts.
            if kind.map_or(kids.is_none(), |kind| kind == b"Page") {
                return Ok(Some(node));
            }
            let count = pdf.get(node.value(), b"Count")?.and_then(|count| count.unsigned());
            if let Some(count) = count.and_then(|count| usize::try_from(count).ok())
                && (1..=*skip).contains(&count)
            {
                *skip -= count;
                continue;
            }
            match kids.as_ref().map(Value::elements) {
                Some(Some(kids)) => self.stack.extend(kids.iter().rev().cloned()),
                Some(None) => self.note(TreeFault::KidsNotArray),
                None if kind == Some(b"Pages") => self.note(TreeFault::NoKids),
                None => self.note(TreeFault::NotANode),
            }
        }
        Ok(None)
    }

    fn node(&mut self, pdf: &mut Pdf<'_>, value: Value) -> Result<Option<Node>, Error> {
        let Some(reference) = value.reference() else {
            if value.is_dictionary() {
                return Ok(Some(Node::Direct(value)));
            }
            self.note(TreeFault::NotANode);
            return Ok(None);
        };
        if !self.seen.insert(reference) {
            self.note(TreeFault::Circle);
            return Ok(None);
        }
        if self.seen.len() > MAX_NODES {
            return Err(exceeds(Limit::PageTreeNodes));
        }
        let object = pdf.object(reference)?;
        if object.is_none() {
            self.missing = self.missing.or(Some(reference));
            self.note(TreeFault::Missing);
        } else if !object.as_ref().is_some_and(Indirect::is_dictionary) {
            self.note(TreeFault::NotANode);
        }
        Ok(object.filter(Indirect::is_dictionary).map(Node::Indirect))
    }

    /// The first node that the tree refers to without an object.
    pub(crate) const fn missing(&self) -> Option<Reference> {
        self.missing
    }

    const fn note(&mut self, fault: TreeFault) {
        if self.fault.is_none() {
            self.fault = Some(fault);
        }
    }
}

//! Pages in the page tree (ISO 32000-2, 7.7.3).

use std::collections::HashSet;

use crate::error::{Error, Limit, exceeds, structure};
use crate::file::{Indirect, Pdf};
use crate::syntax::{Reference, Value};

/// Maximum number of tree nodes that are read.
const MAX_NODES: usize = 1 << 20;

/// The page with this number, counted from 1.
pub(crate) fn find(pdf: &mut Pdf<'_>, catalog: &Value, number: usize) -> Result<Indirect, Error> {
    let mut walk = Walk::new(catalog)?;
    let mut left = number.saturating_sub(1);
    while let Some(page) = walk.next(pdf, &mut left)? {
        if left == 0 {
            return Ok(page);
        }
        left -= 1;
    }
    let pages = number.saturating_sub(1).saturating_sub(left);
    Err(Error::NoSuchPage { page: number, pages })
}

/// The first page that has this annotation.
pub(crate) fn with_annotation(
    pdf: &mut Pdf<'_>,
    catalog: &Value,
    annotation: Reference,
) -> Result<Option<Indirect>, Error> {
    let mut walk = Walk::new(catalog)?;
    while let Some(page) = walk.next(pdf, &mut 0)? {
        let all = pdf.get(&page.value, b"Annots")?;
        let mut all = all.as_ref().and_then(Value::elements).unwrap_or_default().iter();
        if all.any(|it| it.reference() == Some(annotation)) {
            return Ok(Some(page));
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
        if found.reference == page {
            return Ok(Some(number));
        }
    }
    Ok(None)
}

/// Walks the tree from page to page.
struct Walk {
    seen: HashSet<Reference>,
    stack: Vec<Reference>,
}

impl Walk {
    fn new(catalog: &Value) -> Result<Self, Error> {
        let root = catalog.get(b"Pages").and_then(Value::reference);
        let root = root.ok_or(structure("the catalog has no /Pages"))?;
        Ok(Self { seen: HashSet::new(), stack: vec![root] })
    }

    /// The next page. Subtrees with up to `skip` pages are skipped, and `skip` is
    /// reduced by their number of pages.
    fn next(&mut self, pdf: &mut Pdf<'_>, skip: &mut usize) -> Result<Option<Indirect>, Error> {
        while let Some(reference) = self.stack.pop() {
            if !self.seen.insert(reference) {
                continue;
            }
            if self.seen.len() > MAX_NODES {
                return Err(exceeds(Limit::PageTreeNodes));
            }
            let Some(node) = pdf.object(reference)?.filter(Indirect::is_dictionary) else {
                continue;
            };
            let kids = pdf.get(&node.value, b"Kids")?;
            if is_page(pdf, &node.value, kids.is_some())? {
                return Ok(Some(node));
            }
            let count = pdf.get(&node.value, b"Count")?.and_then(|count| count.unsigned());
            if let Some(count) = count.and_then(|count| usize::try_from(count).ok())
                && (1..=*skip).contains(&count)
            {
                *skip -= count;
                continue;
            }
            let kids = kids.as_ref().and_then(Value::elements).unwrap_or_default();
            self.stack.extend(kids.iter().rev().filter_map(Value::reference));
        }
        Ok(None)
    }
}

/// A page has the type `/Page`, or no type and no kids. Some trees lead to other
/// objects, such as templates or fonts.
fn is_page(pdf: &mut Pdf<'_>, node: &Value, has_kids: bool) -> Result<bool, Error> {
    let kind = pdf.get(node, b"Type")?;
    Ok(kind.map_or(!has_kids, |kind| kind.name() == Some(b"Page")))
}

//! Finding a page in the page tree (ISO 32000-2, 7.7.3).

use std::collections::HashSet;

use crate::error::{Error, structure};
use crate::file::{Indirect, Pdf};
use crate::syntax::{Reference, Value};

/// So many nodes of the tree are looked at.
const MAX_NODES: usize = 1 << 20;

/// The page with this number, counted from 1.
pub(crate) fn find(pdf: &mut Pdf<'_>, catalog: &Value, page: usize) -> Result<Indirect, Error> {
    let root = catalog.get(b"Pages").and_then(Value::reference);
    let root = root.ok_or(structure("the catalog has no /Pages"))?;
    let mut left = page.saturating_sub(1);
    let mut seen = HashSet::new();
    let mut stack: Vec<Reference> = vec![root];
    while let Some(reference) = stack.pop() {
        if !seen.insert(reference) {
            continue;
        }
        if seen.len() > MAX_NODES {
            return Err(Error::Limit { limit: "1,048,576 nodes of the page tree" });
        }
        let Some(node) = pdf.object(reference)? else {
            continue;
        };
        let Some(kids) = pdf.get(&node.value, b"Kids")? else {
            if !node.value.is_dictionary() || node.value.is(b"Type", b"Pages") {
                continue;
            }
            if left == 0 {
                return Ok(node);
            }
            left -= 1;
            continue;
        };
        let count = pdf.get(&node.value, b"Count")?.and_then(|count| count.unsigned());
        if let Some(count) = count.and_then(|count| usize::try_from(count).ok())
            && (1..=left).contains(&count)
        {
            left -= count;
            continue;
        }
        stack.extend(kids.elements().unwrap_or_default().iter().rev().filter_map(Value::reference));
    }
    Err(Error::NoSuchPage { page })
}

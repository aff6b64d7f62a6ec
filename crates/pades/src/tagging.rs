//! Tagged documents: what is visible is part of the logical structure
//! (ISO 32000-2, 14.7.4, 14.7.5; PDF/UA).

use crate::document::place::Place;
use crate::error::Error;
use crate::file::{Indirect, Pdf};
use crate::syntax::{Edit, Reference, Value};
use crate::update::{Edited, Update};

/// Levels of a number tree that are gone down.
const MAX_LEVELS: usize = 64;

/// Makes a new widget a part of the structure: an element `Form` that is the
/// last child of the structure's first element, or of its root. The number that
/// the widget needs as `/StructParent`; `None` for documents without structure,
/// or with one that is broken: it is left as it is.
pub(crate) fn tag(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    catalog: &Value,
    page: Reference,
    widget: Reference,
) -> Result<Option<u64>, Error> {
    let Place::Indirect(root) = Place::of(pdf, catalog, b"StructTreeRoot")? else {
        return Ok(None);
    };
    if !root.is_dictionary() || !takes_parents(pdf, &root.value)? {
        return Ok(None);
    }
    let mut edited = Edited::new(&root);
    let element = update.allocate();
    let parent = top(pdf, &root)?;
    let own = parent.as_ref().unwrap_or(&root);
    let namespace = own.value.get(b"NS").and_then(Value::reference);
    let namespace = namespace.map(|it| format!("/NS {it}")).unwrap_or_default();
    let entries = format!(
        "<</Type/StructElem/S/Form{namespace}/P {}/Pg {page}\
         /K<</Type/OBJR/Obj {widget}/Pg {page}>>>>",
        own.reference
    );
    update.put(element, entries.into_bytes());
    match &parent {
        None => add_child(pdf, update, &mut edited, element)?,
        Some(parent) => {
            let mut parent = Edited::new(parent);
            add_child(pdf, update, &mut parent, element)?;
            parent.put(pdf, update)?;
        }
    }
    let number = add_parent(pdf, update, &mut edited, element)?;
    edited.put(pdf, update)?;
    Ok(Some(number))
}

/// Whether the tree of what belongs to which element is one, or not there yet.
fn takes_parents(pdf: &mut Pdf<'_>, root: &Value) -> Result<bool, Error> {
    let tree = match Place::of(pdf, root, b"ParentTree")? {
        Place::Absent => return Ok(true),
        place => place.into_dictionary(),
    };
    let Some(tree) = tree else { return Ok(false) };
    for key in [b"Nums".as_slice(), b"Kids"] {
        if pdf.get(&tree, key)?.is_some_and(|it| it.elements().is_none()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The first element below the root: in most documents the only one.
fn top(pdf: &mut Pdf<'_>, root: &Indirect) -> Result<Option<Indirect>, Error> {
    let kids = pdf.get(&root.value, b"K")?;
    let first = match kids.as_ref().and_then(Value::elements) {
        Some(kids) => kids.first().and_then(Value::reference),
        None => root.value.get(b"K").and_then(Value::reference),
    };
    let Some(first) = first.filter(|first| *first != root.reference) else {
        return Ok(None);
    };
    let element = pdf.object(first)?;
    Ok(element.filter(|it| it.is_dictionary() && it.value.get(b"S").is_some()))
}

/// Adds the last child: `/K` is absent, one child, or an array of them.
fn add_child(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    parent: &mut Edited<'_>,
    child: Reference,
) -> Result<(), Error> {
    let object = parent.object();
    let child = child.to_string();
    match Place::of(pdf, &object.value, b"K")? {
        Place::Absent => parent.set(&object.value, b"K", format!("[{child}]").as_bytes()),
        Place::Direct(kids) if kids.elements().is_some() => parent.push(&kids, child.as_bytes()),
        Place::Indirect(kids) if kids.value.elements().is_some() => {
            let mut edit = Edit::new(&kids.octets);
            edit.push(&kids.value, child.as_bytes());
            update.change(pdf, &kids, edit)?;
        }
        Place::Direct(only) => {
            let only = object.octets.get(only.span.clone()).unwrap_or_default();
            let both = [b"[", only, b" ", child.as_bytes(), b"]"].concat();
            parent.set(&object.value, b"K", &both);
        }
        Place::Indirect(only) => {
            let both = format!("[{} {child}]", only.reference);
            parent.set(&object.value, b"K", both.as_bytes());
        }
    }
    Ok(())
}

/// Adds the element to the tree of what belongs to which element, with a number
/// beyond all others.
fn add_parent(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    root: &mut Edited<'_>,
    element: Reference,
) -> Result<u64, Error> {
    let object = root.object();
    let next = pdf.get(&object.value, b"ParentTreeNextKey")?;
    let next = next.and_then(|next| next.unsigned()).unwrap_or(0);
    let tree = pdf.get(&object.value, b"ParentTree")?;
    let beyond = tree.as_ref().map_or(Ok(0), |tree| beyond_last(pdf, tree))?;
    let number = next.max(beyond);
    match Place::of(pdf, &object.value, b"ParentTree")? {
        Place::Direct(tree) => {
            add_number(pdf, update, root, &tree, number, element)?;
        }
        Place::Indirect(tree) => {
            let mut edited = Edited::new(&tree);
            add_number(pdf, update, &mut edited, &tree.value, number, element)?;
            edited.put(pdf, update)?;
        }
        Place::Absent => {
            let tree = update.allocate();
            update.put(tree, format!("<</Nums[{number} {element}]>>").into_bytes());
            root.set(&object.value, b"ParentTree", tree.to_string().as_bytes());
        }
    }
    let following = number.saturating_add(1).to_string();
    root.set(&object.value, b"ParentTreeNextKey", following.as_bytes());
    Ok(number)
}

/// The first number beyond those of a number tree (7.9.7).
fn beyond_last(pdf: &mut Pdf<'_>, tree: &Value) -> Result<u64, Error> {
    let mut node = tree.clone();
    for _ in 0..MAX_LEVELS {
        if let Some(numbers) = pdf.get(&node, b"Nums")? {
            let last = numbers.elements().unwrap_or_default().chunks(2).next_back();
            let last = last.and_then(<[Value]>::first).and_then(Value::unsigned);
            return Ok(last.map_or(0, |last| last.saturating_add(1)));
        }
        let kids = pdf.get(&node, b"Kids")?;
        let last = kids.as_ref().and_then(Value::elements).and_then(<[Value]>::last);
        match last.map(|last| pdf.resolve(last)).transpose()? {
            Some(last) if last.is_dictionary() => node = last,
            _ => return Ok(0),
        }
    }
    Err(Error::Limit { limit: "64 levels of the structure's parent tree" })
}

/// Adds a number that is beyond all others: to the leaf, or as one of its own.
fn add_number(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    holder: &mut Edited<'_>,
    tree: &Value,
    number: u64,
    element: Reference,
) -> Result<(), Error> {
    let pair = format!("{number} {element}");
    match (Place::of(pdf, tree, b"Nums")?, Place::of(pdf, tree, b"Kids")?) {
        (Place::Direct(numbers), _) if numbers.elements().is_some() => {
            holder.push(&numbers, pair.as_bytes());
        }
        (Place::Indirect(numbers), _) if numbers.value.elements().is_some() => {
            let mut edit = Edit::new(&numbers.octets);
            edit.push(&numbers.value, pair.as_bytes());
            update.change(pdf, &numbers, edit)?;
        }
        (_, Place::Direct(kids)) if kids.elements().is_some() => {
            holder.push(&kids, add_leaf(update, number, &pair).as_bytes());
        }
        (_, Place::Indirect(kids)) if kids.value.elements().is_some() => {
            let mut edit = Edit::new(&kids.octets);
            edit.push(&kids.value, add_leaf(update, number, &pair).as_bytes());
            update.change(pdf, &kids, edit)?;
        }
        _ => holder.set(tree, b"Nums", format!("[{pair}]").as_bytes()),
    }
    Ok(())
}

fn add_leaf(update: &mut Update, number: u64, pair: &str) -> String {
    let leaf = update.allocate();
    update.put(leaf, format!("<</Limits[{number} {number}]/Nums[{pair}]>>").into_bytes());
    leaf.to_string()
}

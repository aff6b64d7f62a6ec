//! Tagged documents: a visible signature becomes part of the logical structure
//! (ISO 32000-2, 14.7.4, 14.7.5; PDF/UA).

use crate::document::place::Place;
use crate::error::{Error, Limit, exceeds};
use crate::extend::{Edited, Update};
use crate::file::{Indirect, Pdf};
use crate::syntax::{Reference, Value};

/// Maximum depth of a number tree.
pub(crate) const MAX_LEVELS: usize = 64;

/// Makes a new widget part of the structure: adds a structure element `Form` as the
/// last child of the root's first element, or of the root itself. Returns the
/// number for the widget's `/StructParent`. If the document has no structure or a
/// broken one, changes nothing and returns `None`.
pub(super) fn tag(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    catalog: &Value,
    page: Reference,
    widget: Reference,
) -> Result<Option<u64>, Error> {
    let Place::Indirect(root) = Place::of(pdf, catalog, b"StructTreeRoot")? else {
        return Ok(None);
    };
    if !root.is_dictionary() || !has_sound_parent_tree(pdf, &root.value)? {
        return Ok(None);
    }
    let mut edited = Edited::new(&root);
    let element = update.allocate();
    let parent = first_element(pdf, &root)?;
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

/// Whether `/ParentTree` is absent or a number tree.
fn has_sound_parent_tree(pdf: &mut Pdf<'_>, root: &Value) -> Result<bool, Error> {
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
fn first_element(pdf: &mut Pdf<'_>, root: &Indirect) -> Result<Option<Indirect>, Error> {
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

/// Adds the last child. `/K` is absent, one child, or an array of children.
fn add_child(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    parent: &mut Edited<'_>,
    child: Reference,
) -> Result<(), Error> {
    let object = parent.object();
    if parent.append(pdf, update, &object.value, b"K", &child.to_string())? {
        return Ok(());
    }
    let only = match Place::of(pdf, &object.value, b"K")? {
        Place::Direct(only) => object.octets.get(only.span).unwrap_or_default().to_vec(),
        Place::Indirect(only) => only.reference.to_string().into_bytes(),
        Place::Absent => Vec::new(),
    };
    let both = [b"[", only.as_slice(), format!(" {child}]").as_bytes()].concat();
    parent.set(&object.value, b"K", &both);
    Ok(())
}

/// Adds the element to `/ParentTree`, under a number above all others.
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
    let free = tree.as_ref().map_or(Ok(0), |tree| first_free(pdf, tree))?;
    let number = next.max(free);
    let what = "the structure's /ParentTree is not a dictionary";
    let added = root.within(pdf, update, b"ParentTree", what, |pdf, update, holder, tree| {
        add_number(pdf, update, holder, tree, number, element)
    })?;
    if added.is_none() {
        let tree = format!("<</Nums[{number} {element}]>>");
        root.set_new(update, &object.value, b"ParentTree", &tree);
    }
    let following = number.saturating_add(1).to_string();
    root.set(&object.value, b"ParentTreeNextKey", following.as_bytes());
    Ok(number)
}

/// The number after the last one in a number tree (7.9.7).
fn first_free(pdf: &mut Pdf<'_>, tree: &Value) -> Result<u64, Error> {
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
    Err(exceeds(Limit::ParentTreeLevels))
}

/// Adds a number above all others to a number tree: to its root, if that is a
/// leaf, or in a new leaf.
fn add_number(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    holder: &mut Edited<'_>,
    tree: &Value,
    number: u64,
    element: Reference,
) -> Result<(), Error> {
    let pair = format!("{number} {element}");
    let has_numbers = !matches!(Place::of(pdf, tree, b"Nums")?, Place::Absent);
    let has_kids = match Place::of(pdf, tree, b"Kids")? {
        Place::Absent => false,
        Place::Direct(kids) => kids.elements().is_some(),
        Place::Indirect(kids) => kids.value.elements().is_some(),
    };
    if has_numbers && holder.append(pdf, update, tree, b"Nums", &pair)? {
        return Ok(());
    }
    if has_kids {
        let leaf = update.allocate();
        let value = format!("<</Limits[{number} {number}]/Nums[{pair}]>>");
        update.put(leaf, value.into_bytes());
        holder.append(pdf, update, tree, b"Kids", &leaf.to_string())?;
        return Ok(());
    }
    holder.set(tree, b"Nums", format!("[{pair}]").as_bytes());
    Ok(())
}

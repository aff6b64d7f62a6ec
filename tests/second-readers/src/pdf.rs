//! PDFs before and after our update, as lopdf reads them.

use std::collections::BTreeMap;

use lopdf::{Document, Object, ObjectId};

/// What a signature added to a document, as lopdf sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Update {
    /// Number of objects of the document.
    pub objects: usize,
    /// Number of objects that are new.
    pub new: usize,
    /// Number of objects that have another value.
    pub changed: usize,
}

/// Maximum number of objects that a signature changes: catalog, form, field and
/// its ancestors, page, annotations, structure.
const MAX_CHANGED: usize = 12;

/// Maximum number of objects that a signature adds: field, value, appearance with
/// its fonts and images, structure, cross-reference stream.
const MAX_NEW: usize = 24;

/// The entries that a signature sets in objects of the document.
const SET_ENTRIES: [&[u8]; 11] = [
    b"AP",
    b"AcroForm",
    b"Annots",
    b"DocMDP",
    b"Extensions",
    b"F",
    b"K",
    b"Length",
    b"ParentTreeNextKey",
    b"SigFlags",
    b"V",
];

/// Whether the document is there as before in what a signature made of it.
/// `None` if lopdf does not read the document: it then says nothing.
///
/// # Errors
/// The first difference.
pub fn compare(document: &[u8], signed: &[u8]) -> Result<Option<Update>, String> {
    let Ok(before) = Document::load_mem(document) else { return Ok(None) };
    // lopdf reads the objects of an encrypted file only with the password.
    if before.is_encrypted() || before.objects.is_empty() {
        return Ok(None);
    }
    let after = Document::load_mem(signed)
        .map_err(|error| format!("lopdf reads the document, and not the signed one: {error}"))?;
    let mut changed = 0;
    let file = objects(&before);
    let updated = objects(&after);
    for (id, was) in &file {
        let Some(is) = updated.get(id) else { return Err(format!("object {id:?} is gone")) };
        if was != is {
            changed += 1;
            kept(was, is).map_err(|difference| format!("object {id:?}: {difference}"))?;
        }
    }
    let update = Update { objects: file.len(), new: updated.len() - file.len(), changed };
    if update.changed > MAX_CHANGED || update.new > MAX_NEW {
        return Err(format!("a signature is not that large: {update:?}"));
    }
    let pages = before.get_pages();
    if pages != after.get_pages() {
        return Err("the pages are others".to_owned());
    }
    for page in pages.into_values() {
        if before.get_page_content(page) != after.get_page_content(page) {
            return Err(format!("the content of page {page:?} is another"));
        }
    }
    Ok(Some(update))
}

/// The objects, without the streams that are the file's own: lopdf lists those of
/// cross-references and of objects, too.
fn objects(document: &Document) -> BTreeMap<ObjectId, &Object> {
    let of_the_file = |object: &Object| {
        let kind = object.as_stream().ok().and_then(|stream| stream.dict.get_type().ok());
        kind.is_some_and(|kind| kind == b"XRef" || kind == b"ObjStm")
    };
    let objects = document.objects.iter().filter(|(_, object)| !of_the_file(object));
    objects.map(|(id, object)| (*id, object)).collect()
}

/// Whether an object that a signature touches has kept what was in it.
fn kept(was: &Object, is: &Object) -> Result<(), String> {
    match (was, is) {
        (Object::Dictionary(was), Object::Dictionary(is)) => {
            for (key, value) in was {
                let name = || String::from_utf8_lossy(key).into_owned();
                let Ok(now) = is.get(key) else { return Err(format!("/{} is gone", name())) };
                let set = SET_ENTRIES.contains(&key.as_slice()) || *value == Object::Null;
                if !set {
                    kept(value, now).map_err(|inner| format!("/{}: {inner}", name()))?;
                }
            }
            Ok(())
        }
        (Object::Array(was), Object::Array(is)) => {
            if was.len() > is.len() {
                return Err(format!("an array of {} has {} elements", was.len(), is.len()));
            }
            was.iter().zip(is).try_for_each(|(was, is)| kept(was, is))
        }
        _ if was == is => Ok(()),
        _ => Err(format!("was {was:?} and is {is:?}")),
    }
}

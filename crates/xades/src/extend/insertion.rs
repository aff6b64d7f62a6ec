//! The place of what is inserted into the original octets, its encoding, and writing the
//! document with it.

use std::io::Write;

use ades_core::Document;
use serde::{Deserialize, Serialize};

use crate::c14n::InsertionSite;
use crate::error::{Error, NotInsertable};
use crate::options::Position;
use crate::prepare::MAX_AFTER_ROOT;
use crate::source_document::SourceDocument;
use crate::xml::Encoding;
use crate::xml::chars::is_name_char;

/// Maximum length of a document that is held until it has been compared. A longer one is read
/// twice.
const MAX_HELD: u64 = 1 << 20;

/// A place between the octets of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Insertion {
    /// Number of octets of the document before it.
    pub(crate) offset: u64,
    /// Number of octets of the document that the insertion replaces: 2 for the `/>` of
    /// an empty-element tag, else 0.
    pub(crate) replaced: u64,
    encoding: Encoding,
    /// The name of the element around the insertion, if that was an empty-element tag
    /// and now needs an end tag.
    end_tag: Option<String>,
}

impl Insertion {
    pub(crate) fn new(site: &InsertionSite, position: &Position) -> Result<Self, Error> {
        let InsertionSite { name, span, root, encoding, .. } = site;
        let encoding = *encoding;
        let cannot = |why| Err(Error::CannotInsert { why });
        if span.in_entity {
            return cannot(NotInsertable::InEntity);
        }
        let between = |offset| Ok(Self { offset, replaced: 0, encoding, end_tag: None });
        if position.is_beside() {
            if span == root {
                return cannot(NotInsertable::OutsideRoot);
            }
            let whole = span.whole();
            let before = matches!(position, Position::Before(_));
            return between(if before { whole.start } else { whole.end });
        }
        if span.is_empty_tag() {
            let replaced = 2 * encoding.width_of_ascii();
            let offset = span.start_tag.end - replaced;
            return Ok(Self { offset, replaced, encoding, end_tag: Some(name.clone()) });
        }
        let first = matches!(position, Position::FirstIn(_));
        between(if first { span.start_tag.end } else { span.end_tag.start })
    }

    /// Passes each field to `take`, as octets.
    pub(crate) fn each_part(&self, take: &mut dyn FnMut(&[u8])) {
        take(&self.offset.to_be_bytes());
        take(&self.replaced.to_be_bytes());
        take(self.encoding.label().as_bytes());
        take(self.end_tag.as_deref().unwrap_or_default().as_bytes());
    }

    /// Checks that it replaces nothing but the end of an empty-element tag, and adds no markup
    /// but an end tag. A stored insertion may have been changed.
    pub(crate) fn is_plausible(&self) -> bool {
        match &self.end_tag {
            None => self.replaced == 0,
            Some(name) => {
                self.replaced == 2 * self.encoding.width_of_ascii()
                    && name.chars().all(|c| c == ':' || is_name_char(c))
            }
        }
    }

    /// The offset of the fragment in the new document, if that is UTF-8.
    pub(crate) fn offset_of_fragment(&self) -> Option<u64> {
        (self.encoding == Encoding::Utf8)
            .then(|| self.offset.saturating_add(u64::from(self.end_tag.is_some())))
    }

    /// The octets that it replaces.
    pub(crate) fn replaced_octets(&self) -> Vec<u8> {
        let tag_end = if self.end_tag.is_some() { "/>" } else { "" };
        self.encoding.encode(tag_end).unwrap_or_default()
    }

    /// The octets to insert for an ASCII fragment.
    pub(crate) fn octets(&self, fragment: &str) -> Result<Vec<u8>, Error> {
        let text = match &self.end_tag {
            Some(name) => format!(">{fragment}</{name}>"),
            None => fragment.to_owned(),
        };
        let what = "its encoding does not have the characters of an element's name";
        let damaged = ades_core::Error::StateDamaged { what };
        self.encoding.encode(&text).ok_or(Error::Core(damaged))
    }
}

/// Writes the document with the insertion. Its end is withheld until the document
/// has been compared.
pub(crate) fn write_with_insertion(
    document: &mut Document<'_>,
    source: &SourceDocument,
    insertion: &Insertion,
    inserted: &[u8],
    out: &mut dyn Write,
) -> Result<(), Error> {
    source.check_length(document)?;
    let replaced = usize::try_from(insertion.replaced).unwrap_or(usize::MAX);
    let mut inserted = Some(inserted);
    // The octets that are read but not written yet. Until the insertion is written,
    // they begin with the octets that it replaces.
    let mut withheld = Vec::new();
    let mut at = 0u64;
    source.read(document, &mut |piece| {
        let before = usize::try_from(insertion.offset.saturating_sub(at));
        let before = before.unwrap_or(usize::MAX).min(piece.len());
        let (copied, rest) = piece.split_at_checked(before).unwrap_or((piece, &[]));
        out.write_all(copied).map_err(ades_core::Error::Write)?;
        withheld.extend_from_slice(rest);
        at += piece.len() as u64;
        if withheld.len() < 2 * MAX_AFTER_ROOT {
            return Ok(());
        }
        let end = withheld.split_off(withheld.len() - MAX_AFTER_ROOT);
        let written = std::mem::replace(&mut withheld, end);
        let skipped = if inserted.is_some() { replaced } else { 0 };
        out.write_all(inserted.take().unwrap_or_default())
            .and_then(|()| out.write_all(written.get(skipped..).unwrap_or_default()))
            .map_err(ades_core::Error::Write)
    })?;
    let skipped = if inserted.is_some() { replaced } else { 0 };
    let rest = withheld.get(skipped..).ok_or(Error::DocumentChanged)?;
    write(out, inserted.unwrap_or_default())?;
    write(out, rest)
}

/// As [`write_with_insertion`], but if it is not the prepared document, nothing is written.
pub(crate) fn write_if_same(
    document: &mut Document<'_>,
    source: &SourceDocument,
    insertion: &Insertion,
    inserted: &[u8],
    out: &mut dyn Write,
) -> Result<(), Error> {
    if source.length > MAX_HELD {
        source.check_length(document)?;
        source.read(document, &mut |_| Ok(()))?;
        return write_with_insertion(document, source, insertion, inserted, out);
    }
    let mut held = Vec::new();
    write_with_insertion(document, source, insertion, inserted, &mut held)?;
    write(out, &held)
}

pub(crate) fn write(out: &mut dyn Write, octets: &[u8]) -> Result<(), Error> {
    out.write_all(octets).map_err(|error| Error::Core(ades_core::Error::Write(error)))
}

//! Inserts a signature into an existing document, or unsigned properties into a signature,
//! so that no other octet changes and existing signatures stay intact.

mod concern;
mod division;
mod existing;
mod foresight;
pub(crate) mod insertion;
pub(crate) mod known;
pub(crate) mod options;
mod properties_place;
pub(crate) mod time_stamp;
pub(crate) mod validation_data;

use ades_core::Document;

use crate::c14n::InsertionSite;
use crate::error::{Error, NotInsertable};
use crate::namespaces::DS;
use crate::options::{Position, SignatureOptions};
use crate::pending::{Destination, PendingSignature};
use crate::prepare::MAX_AFTER_ROOT;
use crate::source_document::DocumentReading;

use existing::check_existing;
pub(crate) use existing::check_new;
use insertion::Insertion;

/// Checks that a pending signature in the document breaks no existing signature.
pub(crate) fn check_pending(
    document: &mut Document<'_>,
    pending: &PendingSignature,
    site: &InsertionSite,
) -> Result<(), Error> {
    if let Destination::Inserted { insertion, .. } = &pending.destination
        && site.signed
    {
        let inserted = insertion.octets(&pending.fragment(""))?;
        check_existing(document, insertion, &inserted, &pending.reading)?;
    }
    Ok(())
}

/// The place of a signature in the document.
pub(crate) fn destination(
    read: &DocumentReading,
    position: &Position,
) -> Result<Destination, Error> {
    let insertion = insertion(&read.site, read.document.length, position)?;
    let (document, copied) = (read.document.clone(), read.copied.clone());
    Ok(Destination::Inserted { document, insertion, copied })
}

/// As [`check_pending`] for a signature that does not exist yet; an empty `ds:Signature`
/// stands in for it.
pub(crate) fn check_insertion(
    document: &mut Document<'_>,
    read: &DocumentReading,
    options: &SignatureOptions,
    position: &Position,
) -> Result<(), Error> {
    let insertion = insertion(&read.site, read.document.length, position)?;
    if read.site.signed {
        let inserted = insertion.octets(&format!("<ds:Signature xmlns:ds=\"{DS}\"/>"))?;
        check_existing(document, &insertion, &inserted, &options.reading)?;
    }
    Ok(())
}

/// The insertion at this site of a document of this length.
fn insertion(site: &InsertionSite, length: u64, position: &Position) -> Result<Insertion, Error> {
    if site.declares_attributes {
        return Err(Error::CannotInsert { why: NotInsertable::DtdDeclaresAttributes });
    }
    let insertion = Insertion::new(site, position)?;
    let end = site.root.end_tag.start.min(site.root.whole().end.saturating_sub(2));
    if length.saturating_sub(end) > MAX_AFTER_ROOT as u64 {
        return Err(Error::CannotInsert { why: NotInsertable::TooMuchAfterRoot });
    }
    Ok(insertion)
}

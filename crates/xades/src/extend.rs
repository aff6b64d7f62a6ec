//! Inserts a signature into an existing document, so that no other octet changes and
//! existing signatures stay intact.

mod existing;
pub(crate) mod insertion;

use ades_core::Document;

use crate::error::{Error, NotInsertable};
use crate::namespaces::DS;
use crate::options::{Position, SignatureOptions};
use crate::pending::{Destination, PendingSignature};
use crate::prepare::MAX_AFTER_ROOT;
use crate::signature_element::{SigningContext, WrittenSignature};
use crate::source_document::DocumentReading;

use existing::check_existing;
use insertion::Insertion;

/// Makes the pending signature for a signature in the document. Returns an error if it
/// would break an existing signature.
pub(crate) fn insert(
    document: &mut Document<'_>,
    signing: &SigningContext<'_>,
    written: WrittenSignature,
    read: DocumentReading,
    position: &Position,
) -> Result<PendingSignature, Error> {
    let insertion = insertion(&read, position)?;
    let DocumentReading { site, document: source, .. } = read;
    let destination = Destination::Inserted { document: source, insertion: insertion.clone() };
    let pending = PendingSignature::new(signing, written, destination);
    if site.signed {
        let inserted = insertion.octets(&pending.fragment(""))?;
        check_existing(document, &insertion, &inserted, &signing.options.reading)?;
    }
    Ok(pending)
}

/// As [`insert`] for a signature that does not exist yet; an empty `ds:Signature`
/// stands in for it.
pub(crate) fn check_insertion(
    document: &mut Document<'_>,
    read: &DocumentReading,
    options: &SignatureOptions,
    position: &Position,
) -> Result<(), Error> {
    let insertion = insertion(read, position)?;
    if read.site.signed {
        let inserted = insertion.octets(&format!("<ds:Signature xmlns:ds=\"{DS}\"/>"))?;
        check_existing(document, &insertion, &inserted, &options.reading)?;
    }
    Ok(())
}

fn insertion(read: &DocumentReading, position: &Position) -> Result<Insertion, Error> {
    let DocumentReading { site, document, .. } = read;
    if site.declares_attributes {
        return Err(Error::CannotInsert { why: NotInsertable::DtdDeclaresAttributes });
    }
    let insertion = Insertion::new(site, position)?;
    let end = site.root.end_tag.start.min(site.root.whole().end.saturating_sub(2));
    if document.length.saturating_sub(end) > MAX_AFTER_ROOT as u64 {
        return Err(Error::CannotInsert { why: NotInsertable::TooMuchAfterRoot });
    }
    Ok(insertion)
}

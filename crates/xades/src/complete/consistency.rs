//! Checks that a stored state is one that *prepare* can have made.
//!
//! The checksum of a state finds damage. A change by somebody who computes the checksum again is
//! found here: the signed parts by their digests, the text around them by writing it again, and
//! the place of the signature by its Id, which the signed references contain.

use std::ops::Range;

use ades_core::certificate::UsageCheck;
use ades_core::{Digest, Document, base64};

use crate::c14n::Selection;
use crate::error::Error;
use crate::options::{Position, ReadingOptions};
use crate::pending::{Destination, PendingSignature};
use crate::signature_element::ids::signature_id;
use crate::signature_element::properties::claimed_time;
use crate::signature_element::text::SignatureText;
use crate::signature_element::{canonical, key_info, manifest, signed_info, signed_properties};
use crate::source_document::DocumentReading;
use crate::xml::Encoding;

/// Checks the signature element, the certificate at the claimed time, and the place. Returns
/// whether the Id does not contain the place: the state was made by an older version.
pub(super) fn check(pending: &PendingSignature) -> Result<bool, Error> {
    let fragment = pending.fragment("");
    // A canonical form leaves out comments, and writes CDATA sections as text.
    if fragment.contains("<!") {
        return Err(damaged("its signature element has a comment, a CDATA section or a DTD"));
    }
    let found = canonical(&fragment, signed_info())
        .map_err(|_| damaged("its signature element cannot be read"))?;
    if found != pending.signed_info {
        return Err(damaged("its signature element does not contain the signed ds:SignedInfo"));
    }
    let text = check_text(pending)?;
    let properties = check_parts(pending, &text, &fragment)?;
    let leaf = pending.chain.leaf();
    let digest = leaf.digest(pending.algorithm.digest_algorithm());
    if !text.properties.contains(&base64::encode(digest.value())) {
        return Err(damaged("its signature element names another certificate"));
    }
    let time = claimed_time(&properties)
        .ok_or_else(|| damaged("its signed properties have no signing time"))?;
    leaf.check_fit(time, UsageCheck::Signature)?;
    check_destination(pending)?;
    let Some(salt) = &pending.salt else { return Ok(true) };
    let id = signature_id(&pending.chain, time, salt, &pending.reading, &pending.destination);
    if id != text.id {
        return Err(damaged("its signature was prepared for another place or document"));
    }
    Ok(false)
}

fn damaged(what: &'static str) -> Error {
    Error::Core(ades_core::Error::StateDamaged { what })
}

/// Checks the text around the signed parts: it must be as *prepare* writes it.
fn check_text(pending: &PendingSignature) -> Result<SignatureText<'_>, Error> {
    let PendingSignature { head, tail, destination, .. } = pending;
    let text = SignatureText::read(head, tail, destination.content());
    let text = text.ok_or_else(|| damaged("its signature element lacks a part"))?;
    let (expected_head, expected_tail) = text.write(&pending.chain);
    if *head != expected_head || *tail != expected_tail {
        let what = "its signature element has other content than the signed parts and the chain";
        return Err(damaged(what));
    }
    let inside = matches!(destination, Destination::Inserted { .. });
    if !text.around.is_empty() && !inside {
        return Err(damaged("its signature element is a countersignature"));
    }
    let method = format!("<ds:SignatureMethod Algorithm=\"{}\">", pending.algorithm.xml_uri());
    if !text.signed_info.contains(&method) {
        return Err(damaged("its signature element names another algorithm"));
    }
    Ok(text)
}

/// Compares the parts of the signature that it signs itself with their digests. Returns the
/// canonical form of the signed properties.
fn check_parts(
    pending: &PendingSignature,
    text: &SignatureText<'_>,
    fragment: &str,
) -> Result<Vec<u8>, Error> {
    let algorithm = pending.algorithm.digest_algorithm();
    let form = |name: &str, selection: Selection, what: &'static str| {
        let form = canonical(fragment, selection).map_err(|_| damaged(what))?;
        let uri = format!(" URI=\"#{}-{name}\">", text.id);
        let (_, reference) = text.signed_info.split_once(&uri).ok_or_else(|| damaged(what))?;
        let (reference, _) = reference.split_once("</ds:Reference>").ok_or(damaged(what))?;
        let digest = base64::encode(Digest::of(algorithm, &form).value());
        let matches = reference.contains(&format!("<ds:DigestValue>{digest}<"));
        if matches { Ok(form) } else { Err(damaged(what)) }
    };
    if !text.manifest.is_empty() {
        form("manifest", manifest(), "its manifest does not match its signed digest")?;
    }
    if text.key_info.referenced {
        form("key-info", key_info(), "its ds:KeyInfo does not match its signed digest")?;
    }
    let what = "its signed properties do not match their signed digest";
    form("properties", signed_properties(), what)
}

/// Checks the destination as far as that is possible without the document.
fn check_destination(pending: &PendingSignature) -> Result<(), Error> {
    match &pending.destination {
        Destination::Inserted { insertion, .. } if !insertion.is_plausible() => {
            Err(damaged("its insertion replaces more than the end of a tag"))
        }
        Destination::Xml { from, to, .. } if from >= to => {
            Err(damaged("its root element has no content"))
        }
        Destination::Base64 { document } => {
            let digest = base64::encode(document.digest.0.value());
            match pending.head.contains(&format!("<ds:DigestValue>{digest}<")) {
                true => Ok(()),
                false => Err(damaged("its document does not match its signed digest")),
            }
        }
        _ => Ok(()),
    }
}

/// Checks that a range of the document is the root element, for a state whose Id does not
/// contain the range.
pub(super) fn check_root(
    document: &mut Document<'_>,
    range: &Range<u64>,
    encoding: Encoding,
    reading: &ReadingOptions,
) -> Result<(), Error> {
    // The state does not depend on the digest.
    let algorithm = ades_core::DigestAlgorithm::Sha256;
    let position = Position::LastInRoot;
    let read = DocumentReading::new(document, algorithm, reading, Vec::new(), &position, None)?;
    if read.site.root.whole() != *range || read.site.encoding != encoding {
        return Err(damaged("its root element is at another place of the document"));
    }
    Ok(())
}

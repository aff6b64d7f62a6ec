//! Completes a signature: makes the signed document from a pending signature, the
//! document and a signature value.

use std::io::Write;

use ades_core::certificate::UsageCheck;
use ades_core::{Digest, Document, base64, verify};

use crate::error::Error;
use crate::extend::insertion::Insertion;
use crate::pending::{Destination, PendingSignature};
use crate::prepare::MAX_AFTER_ROOT;
use crate::prepare::enveloping::prologue;
use crate::signature_element::properties::claimed_time;
use crate::signature_element::{END_TAGS, canonical, signed_info, signed_properties};
use crate::source_document::SourceDocument;
use crate::value::xml_value;
use crate::xml::Encoding;

impl PendingSignature {
    /// Writes the signed document to `out`: the original octets with the signature
    /// inside or around them. A detached signature is written as a document of its own
    /// and needs no `document`. If it signs a single document and the caller passes
    /// that, the document is compared with the prepared one.
    ///
    /// Before it writes anything, `complete` checks that the state is consistent, that
    /// the certificate was fit at the claimed signing time, and that `value` verifies
    /// with the certificate over the data to be signed. It compares the document while
    /// it copies it. If the document has changed, its end, at least from the root
    /// element's end tag on, is not written, so the output is not a document.
    ///
    /// `value` has the form that
    /// [`SignatureValue`](ades_core::signer::SignatureValue) describes: for RSA as
    /// long as the modulus, for ECDSA the DER `SEQUENCE { r, s }`.
    ///
    /// # Errors
    /// [`Error::Core`] with [`ades_core::Error::StateDamaged`],
    /// [`ades_core::Error::CertificateNotFit`] or an error about the value;
    /// [`Error::DocumentNeeded`]; [`Error::DocumentChanged`].
    pub fn complete(
        &self,
        document: Option<&mut Document<'_>>,
        value: &[u8],
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        let leaf = self.chain.leaf();
        self.check_state()?;
        verify::verify(leaf, self.algorithm, &self.signed_info, value)?;
        let value = xml_value(self.algorithm, leaf.key_type(), value)
            .ok_or(Error::Core(ades_core::Error::ValueDoesNotVerify))?;
        let value = base64::encode(&value);
        let document = document.ok_or(Error::DocumentNeeded);
        match &self.destination {
            Destination::Detached { documents } => {
                if let (Ok(document), [source]) = (document, documents.as_slice()) {
                    source.check_length(document)?;
                    source.read(document, &mut |_| Ok(()))?;
                }
                write(out, self.fragment(&value).as_bytes())
            }
            Destination::Inserted { document: source, insertion } => {
                let inserted = insertion.octets(&self.fragment(&value))?;
                write_with_insertion(document?, source, insertion, &inserted, out)
            }
            Destination::Xml { document: source, from, to, encoding } => {
                let head = [self.head.as_str(), &value, &self.tail].concat();
                write_around_root(document?, source, &(*from..*to), *encoding, &head, out)
            }
            Destination::Base64 { document: source } => {
                let head = [self.head.as_str(), &value, &self.tail].concat();
                write_around_base64(document?, source, &head, out)
            }
        }
    }

    /// Checks that the signature element contains the signed `ds:SignedInfo` and names
    /// the certificate, and that the certificate was fit at the claimed time.
    fn check_state(&self) -> Result<(), Error> {
        let damaged = |what| Error::Core(ades_core::Error::StateDamaged { what });
        let fragment = self.fragment("");
        let found = canonical(&fragment, signed_info())
            .map_err(|_| damaged("its signature element cannot be read"))?;
        if found != self.signed_info {
            return Err(damaged("its signature element does not contain the signed ds:SignedInfo"));
        }
        let properties = canonical(&fragment, signed_properties())
            .map_err(|_| damaged("its signature element has no signed properties"))?;
        let digest = Digest::of(self.algorithm.digest_algorithm(), &properties);
        if !self.head.contains(&base64::encode(digest.value())) {
            return Err(damaged("its signed properties do not match their signed digest"));
        }
        let leaf = self.chain.leaf();
        let digest = leaf.digest(self.algorithm.digest_algorithm());
        let named = [base64::encode(leaf.der()), base64::encode(digest.value())];
        if !named.iter().all(|named| self.tail.contains(named.as_str())) {
            return Err(damaged("its signature element names another certificate"));
        }
        let time = claimed_time(&properties)
            .ok_or_else(|| damaged("its signed properties have no signing time"))?;
        leaf.check_fit(time, UsageCheck::Signature)?;
        Ok(())
    }
}

/// Writes the document with the insertion. Its end is withheld until the document
/// has been compared.
fn write_with_insertion(
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

/// Writes the signature around the octets of the root element.
fn write_around_root(
    document: &mut Document<'_>,
    source: &SourceDocument,
    root: &std::ops::Range<u64>,
    encoding: Encoding,
    head: &str,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let ends = encoding.encode(head).zip(encoding.encode(END_TAGS));
    let what = "its encoding does not have the characters of the signature element";
    let damaged = Error::Core(ades_core::Error::StateDamaged { what });
    let (head, end_tags) = ends.ok_or(damaged)?;
    source.check_length(document)?;
    write(out, &prologue(encoding))?;
    write(out, &head)?;
    let mut at = 0u64;
    source.read(document, &mut |piece| {
        let end = at + piece.len() as u64;
        let within =
            |offset: u64| usize::try_from(offset.clamp(at, end) - at).unwrap_or(usize::MAX);
        let part = piece.get(within(root.start)..within(root.end)).unwrap_or_default();
        at = end;
        out.write_all(part).map_err(ades_core::Error::Write)
    })?;
    write(out, &end_tags)
}

/// Writes the signature around the document in base64.
fn write_around_base64(
    document: &mut Document<'_>,
    source: &SourceDocument,
    head: &str,
    out: &mut dyn Write,
) -> Result<(), Error> {
    source.check_length(document)?;
    write(out, head.as_bytes())?;
    let mut rest = Vec::new();
    source.read(document, &mut |piece| {
        rest.extend_from_slice(piece);
        let left = rest.split_off(rest.len() - rest.len() % 3);
        let text = base64::encode(&rest);
        rest = left;
        out.write_all(text.as_bytes()).map_err(ades_core::Error::Write)
    })?;
    write(out, base64::encode(&rest).as_bytes())?;
    write(out, END_TAGS.as_bytes())
}

fn write(out: &mut dyn Write, octets: &[u8]) -> Result<(), Error> {
    out.write_all(octets).map_err(|error| Error::Core(ades_core::Error::Write(error)))
}

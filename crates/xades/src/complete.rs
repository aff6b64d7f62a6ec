//! Completes a signature: makes the signed document from a pending signature, the
//! document and a signature value.

mod consistency;

use std::io::{Read, SeekFrom, Write};

use ades_core::error::Parameter;
use ades_core::in_place::{Check, InPlace, PreparedFile, append};
use ades_core::{Digest, DigestAlgorithm, Document, base64, verify};

use crate::error::Error;
use crate::extend::check_new;
use crate::extend::insertion::{Insertion, write, write_with_insertion};
use crate::pending::{Destination, PendingSignature};
use crate::prepare::MAX_AFTER_ROOT;
use crate::prepare::enveloping::prologue;
use crate::signature_element::text::END_TAGS;
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
        let older = consistency::check(self)?;
        let value = self.checked(value)?;
        let document = document.ok_or(Error::DocumentNeeded);
        match &self.destination {
            Destination::Detached { documents } => {
                if let (Ok(document), [source]) = (document, documents.as_slice()) {
                    source.check_length(document)?;
                    source.read(document, &mut |_| Ok(()))?;
                }
                write(out, self.fragment(&value).as_bytes())
            }
            Destination::Inserted { document: source, insertion, .. } => {
                let inserted = insertion.octets(&self.fragment(&value))?;
                let document = document?;
                if older {
                    check_new(document, insertion, &inserted, &self.reading)?;
                }
                write_with_insertion(document, source, insertion, &inserted, out)
            }
            Destination::Xml { document: source, from, to, encoding } => {
                let head = [self.head.as_str(), &value, &self.tail].concat();
                let document = document?;
                if older {
                    consistency::check_root(document, &(*from..*to), *encoding, &self.reading)?;
                }
                write_around_root(document, source, &(*from..*to), *encoding, &head, out)
            }
            Destination::Base64 { document: source } => {
                let head = [self.head.as_str(), &value, &self.tail].concat();
                write_around_base64(document?, source, &head, out)
            }
        }
    }
}

impl PendingSignature {
    /// Inserts the signature in the file to which
    /// [`prepare_copying`](crate::prepare_copying) copied the document. If writing fails,
    /// the file's previous content is restored.
    ///
    /// # Errors
    /// As [`complete`](Self::complete), [`Error::DocumentChanged`] included if the file is
    /// not the one that was prepared; [`Error::Core`] with [`Parameter::InPlace`] if the
    /// document was not copied. Nothing is written before all checks pass.
    pub fn complete_in_place(
        &self,
        file: &mut dyn InPlace,
        value: &[u8],
        check: Check,
    ) -> Result<(), Error> {
        let Destination::Inserted { document, insertion, copied: Some(tail) } = &self.destination
        else {
            return Err(Error::Core(ades_core::Error::Parameter {
                parameter: Parameter::InPlace,
                problem: "the document was not copied while preparing",
            }));
        };
        consistency::check(self)?;
        let value = self.checked(value)?;
        let SourceDocument { digest, length } = document;
        let prepared = PreparedFile { from: 0, length: *length, whole: &digest.0, tail };
        if !prepared.is_in(file, check)? {
            return Err(Error::DocumentChanged);
        }
        let end = end_of_document(file, insertion)?;
        let rest = end.strip_prefix(insertion.replaced_octets().as_slice());
        let rest = rest.ok_or(Error::DocumentChanged)?;
        let inserted = insertion.octets(&self.fragment(&value))?;
        append(file, insertion.offset, &[&inserted, rest].concat()).map_err(|error| {
            // The first error is the one to report.
            let _ = append(file, insertion.offset, &end);
            error.into()
        })
    }

    /// The SHA-256 digest of a value in the form that `ds:SignatureValue` has it, as
    /// [`SignatureFacts::value_digest`](ades_core::facts::SignatureFacts::value_digest) of the
    /// finished signature. `None` if the value does not have the form of the algorithm.
    #[must_use]
    pub fn value_digest(&self, value: &[u8]) -> Option<Digest> {
        let value = xml_value(self.algorithm, self.chain.leaf().key_type(), value)?;
        Some(Digest::of(DigestAlgorithm::Sha256, &value))
    }

    /// The value as the signature element has it, if it verifies.
    fn checked(&self, value: &[u8]) -> Result<String, Error> {
        let leaf = self.chain.leaf();
        verify::verify(leaf, self.algorithm, &self.signed_info, value)?;
        let value = xml_value(self.algorithm, leaf.key_type(), value);
        let value = value.ok_or(Error::Core(ades_core::Error::ValueDoesNotVerify))?;
        Ok(base64::encode(&value))
    }
}

/// The document's octets from the insertion on.
fn end_of_document(file: &mut dyn InPlace, insertion: &Insertion) -> Result<Vec<u8>, Error> {
    let mut end = Vec::new();
    file.seek(SeekFrom::Start(insertion.offset)).map_err(ades_core::Error::Read)?;
    // *prepare* has checked that there is not more; somebody may have changed the state.
    let most = MAX_AFTER_ROOT as u64 + insertion.replaced;
    file.take(most + 1).read_to_end(&mut end).map_err(ades_core::Error::Read)?;
    if end.len() as u64 > most { Err(Error::DocumentChanged) } else { Ok(end) }
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

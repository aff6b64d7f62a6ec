//! An enveloping container in one pass over the document: its beginning and the
//! content are written while preparing, its end when the value is there.

use std::io::{Read, SeekFrom, Write};

use ades_core::error::Parameter;
use ades_core::in_place::{Check, InPlace, PreparedFile, append, length_and_tail};
use ades_core::{CertificateChain, Digest, Document, DocumentDigest, SignatureParameters, verify};

use crate::attributes::Subject;
use crate::complete::write;
use crate::error::Error;
use crate::pending::{PendingSignature, Target};
use crate::prepare;

/// The shortest `SEQUENCE { r, s }` there is.
const SHORTEST_ECDSA_VALUE: usize = 8;

/// Prepares an enveloping signature as [`prepare`](crate::prepare()) does, and
/// writes the container to `out` in the same pass, up to the end of the
/// document: that is what
/// [`complete_in_place`](PendingSignature::complete_in_place) makes the
/// container, without reading it again ([`Check::LengthAndTail`]) if nobody else
/// can have written to it.
///
/// # Errors
/// As [`prepare`](crate::prepare()); [`Error::CannotCopy`];
/// [`Error::DocumentChanged`] if the document grows or shrinks meanwhile;
/// [`Error::Core`] if writing fails or the document is a stream. Nothing is
/// written before all but the document's octets themselves is checked.
pub fn prepare_copying(
    document: &mut Document<'_>,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
    out: &mut dyn Write,
) -> Result<PendingSignature, Error> {
    let algorithm = parameters.algorithm_for(chain.leaf())?.digest_algorithm();
    prepare::check(chain, parameters)?;
    let (length, tail) = length_and_tail(document, algorithm)?;
    let pending = |digest| {
        let document = DocumentDigest(digest);
        let target = Target::Copied { document, length, tail: tail.clone() };
        prepare::pending(Subject::Document, target, chain, parameters)
    };
    // No length in the container depends on what the digest is.
    let any = pending(Digest::of(algorithm, &[]))?;
    write(out, &any.written_head(length)?)?;
    let (found, copied) = document.copy(algorithm, out)?;
    if copied != length {
        return Err(Error::DocumentChanged);
    }
    pending(found.0)
}

impl PendingSignature {
    /// Makes what [`prepare_copying`] has written the finished container. If
    /// that fails, the file is cut back to what it was.
    ///
    /// # Errors
    /// As [`complete`](Self::complete), [`Error::DocumentChanged`] if the file
    /// is another one; nothing is written unless all is right.
    pub fn complete_in_place(
        &self,
        file: &mut dyn InPlace,
        value: &[u8],
        check: Check,
    ) -> Result<(), Error> {
        let Target::Copied { document, length, tail } = &self.target else {
            return Err(Error::Core(ades_core::Error::Parameter {
                parameter: Parameter::InPlace,
                problem: "the document was not copied while preparing",
            }));
        };
        self.check()?;
        verify::verify(self.chain.leaf(), self.algorithm, &self.signed_attributes, value)?;
        let written = self.written_head(*length)?;
        let held =
            PreparedFile { from: written.len() as u64, length: *length, whole: &document.0, tail };
        if !begins_with(file, &written)? || !held.is_in(file, check)? {
            return Err(Error::DocumentChanged);
        }
        let (head, tail) = self.envelope(Some(*length), &self.signer_info(value));
        if head.len() != written.len() {
            return Err(Error::CannotCopy);
        }
        let end = held.from + length;
        append(file, end, &tail)?;
        // An ECDSA value may be shorter than the longest: so are the lengths.
        if head == written {
            return Ok(());
        }
        overwrite(file, &head).inspect_err(|_| {
            // The first error is the one to be told.
            let _ = overwrite(file, &written);
            let _ = file.truncate(end);
        })
    }

    /// What stands before the content if the value is as long as can be. What
    /// it is later must take the same room.
    fn written_head(&self, length: u64) -> Result<Vec<u8>, Error> {
        let unsupported = ades_core::error::NotFit::KeyUnsupported;
        let key = self.chain.leaf().key_type();
        let longest =
            key.max_value_len().ok_or(ades_core::Error::CertificateNotFit(unsupported))?;
        let head = |len| self.envelope(Some(length), &self.signer_info(&vec![0; len])).0;
        let (written, least) = (head(longest), head(SHORTEST_ECDSA_VALUE));
        let varies = matches!(self.algorithm, ades_core::SignatureAlgorithm::Ecdsa(_));
        if varies && least.len() != written.len() {
            return Err(Error::CannotCopy);
        }
        Ok(written)
    }
}

fn begins_with(file: &mut dyn InPlace, head: &[u8]) -> Result<bool, Error> {
    file.seek(SeekFrom::Start(0)).map_err(ades_core::Error::Read)?;
    let mut found = Vec::with_capacity(head.len());
    file.take(head.len() as u64).read_to_end(&mut found).map_err(ades_core::Error::Read)?;
    Ok(found == head)
}

fn overwrite(file: &mut dyn InPlace, head: &[u8]) -> Result<(), Error> {
    file.seek(SeekFrom::Start(0)).map_err(ades_core::Error::Write)?;
    write(file, head)?;
    file.flush().map_err(|error| Error::Core(ades_core::Error::Write(error)))
}

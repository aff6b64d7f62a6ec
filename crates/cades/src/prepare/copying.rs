//! Prepares an enveloping container in one pass over the document. Preparing
//! writes the head and the content; completing writes the tail.

use std::io::Write;

use ades_core::error::Parameter;
use ades_core::in_place::length_and_tail;
use ades_core::{CertificateChain, Document, SignatureAlgorithm, SignatureParameters};

use super::{check_signer, pending, placeholder};
use crate::attributes::Subject;
use crate::error::Error;
use crate::options::{Packaging, SignatureOptions};
use crate::pending::{PendingSignature, Target};
use crate::signed_data::write;

/// Length in octets of the shortest DER `SEQUENCE { r, s }`.
const SHORTEST_ECDSA_VALUE: usize = 8;

/// Prepares an enveloping signature as [`prepare`](crate::prepare()) does, and
/// in the same pass writes the container to `out`, up to the document's last
/// octet.
///
/// [`complete_in_place`](PendingSignature::complete_in_place) then completes
/// the container in that file. It need not read the document again
/// ([`Check::LengthAndTail`](crate::Check::LengthAndTail)) if nobody else could
/// write to the file.
///
/// # Errors
/// As [`prepare`](crate::prepare()); [`Error::CannotCopy`];
/// [`Error::DocumentChanged`] if the document's length changes while it is
/// copied; [`Error::Core`] if `options` ask for a detached container, if
/// writing fails or if the document is a stream. All checks come before the
/// first write, except that of the copied length.
pub fn prepare_copying(
    document: &mut Document<'_>,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
    out: &mut dyn Write,
) -> Result<PendingSignature, Error> {
    match options.packaging {
        Packaging::Enveloping => {}
        Packaging::Detached => {
            return Err(Error::Core(ades_core::Error::Parameter {
                parameter: Parameter::InPlace,
                problem: "a detached container does not hold the document",
            }));
        }
    }
    let algorithm = check_signer(chain, parameters)?.digest_algorithm();
    let (length, tail) = length_and_tail(document, algorithm)?;
    let target = Target::Copied { document: placeholder(algorithm)?, length, tail: tail.clone() };
    let mut pending = pending(Subject::Document, target, chain, parameters)?;
    write(out, &pending.begun_head(length)?)?;
    let (document, copied) = document.copy(algorithm, out)?;
    if copied != length {
        return Err(Error::DocumentChanged);
    }
    pending.target = Target::Copied { document, length, tail };
    pending.refresh_message_digest()?;
    Ok(pending)
}

impl PendingSignature {
    /// The container's octets before the content, with the lengths for the longest
    /// possible value. The final head must have the same number of octets.
    pub(crate) fn begun_head(&self, length: u64) -> Result<Vec<u8>, Error> {
        let longest = self.max_value_len()?;
        let head = |len| self.envelope(Some(length), &self.signer_info(&vec![0; len])).0;
        let (begun, shortest) = (head(longest), head(SHORTEST_ECDSA_VALUE));
        let varies = matches!(self.algorithm, SignatureAlgorithm::Ecdsa(_));
        if varies && shortest.len() != begun.len() {
            return Err(Error::CannotCopy);
        }
        Ok(begun)
    }
}

//! A prepared signature of any format.

use std::fmt;
use std::io::Write;

use ades_core::error::Parameter;
use ades_core::in_place::{Check, InPlace};
use ades_core::{
    CertificateChain, Digest, DigestAlgorithm, Document, DocumentDigest, PendingState,
    SignatureParameters, StateKey, ToBeSigned,
};

use crate::check::choose_format;
use crate::detect::Format;
use crate::error::Error;
use crate::format;
use crate::inputs::Inputs;
use crate::options::SigningOptions;
use crate::warning::Warning;

/// A signature that has been prepared and waits for its value.
///
/// Its stored form ([`to_json`](Self::to_json)) is small, and contains neither secrets nor the
/// document. It is the same as that of the format's own crate, so each can read the other's.
#[derive(Clone, PartialEq)]
pub struct PendingSignature {
    pub(crate) state: State,
    warnings: Vec<Warning>,
}

#[derive(Clone, PartialEq)]
pub(crate) enum State {
    Cades(cades::PendingSignature),
    Pades(pades::PendingSignature),
    Xades(xades::PendingSignature),
}

/// Prepares a signature: makes the data to be signed and the state for completing. The document is
/// not changed.
///
/// ```no_run
/// use ades::{CertificateChain, Document, PendingSignature, SignatureParameters, SigningOptions};
///
/// # fn example(chain: CertificateChain, value: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
/// let options = SigningOptions::new(SignatureParameters::new(std::time::SystemTime::now()));
/// let mut document = Document::seekable(std::fs::File::open("contract.pdf")?);
/// let pending = ades::prepare(&mut document, &chain, &options)?;
/// let digest = pending.to_be_signed();
/// std::fs::write("contract.pending", pending.to_json(None)?)?;
///
/// // Later, perhaps in another process:
/// let pending = PendingSignature::from_json(&std::fs::read_to_string("contract.pending")?, None)?;
/// let mut signed = std::fs::File::create("signed.pdf")?;
/// pending.complete(Some(&mut document), value, &mut signed)?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// Those of [`choose_format`], [`Error::DigestNotForKey`], [`Error::FontNeeded`],
/// [`Error::StampIncomplete`]; [`Error::Core`] for an unfit certificate or a parameter that is not
/// allowed; the format's own errors if the document cannot be read or does not allow the
/// signature.
pub fn prepare<'a, 'd: 'a>(
    inputs: impl Into<Inputs<'a, 'd>>,
    chain: &CertificateChain,
    options: &SigningOptions,
) -> Result<PendingSignature, Error> {
    prepare_to(inputs.into(), chain, options, None)
}

/// Prepares a signature as [`prepare`] does, and in the same pass copies the document to `out`.
/// [`PendingSignature::complete_in_place`] then turns the copy into the signed document or the
/// container, without reading the document again. [`SigningOptions::can_copy`] says for which
/// signatures this is possible.
///
/// # Errors
/// As [`prepare`]; [`Error::Core`] with [`Parameter::InPlace`] if it is not possible, or if writing
/// fails; [`cades::Error::CannotCopy`] if the length of the container depends on the value. Everything
/// except the document's digest is checked before the first octet is written.
pub fn prepare_copying<'a, 'd: 'a>(
    inputs: impl Into<Inputs<'a, 'd>>,
    chain: &CertificateChain,
    options: &SigningOptions,
    out: &mut dyn Write,
) -> Result<PendingSignature, Error> {
    prepare_to(inputs.into(), chain, options, Some(out))
}

fn prepare_to(
    mut inputs: Inputs<'_, '_>,
    chain: &CertificateChain,
    options: &SigningOptions,
    copy: Option<&mut dyn Write>,
) -> Result<PendingSignature, Error> {
    let format = choose_format(inputs.reborrow(), options)?;
    options.check_packaging(format)?;
    if copy.is_some() && !options.can_copy(format) {
        return Err(not_in_place());
    }
    let parameters: &SignatureParameters = &options.parameters_for(chain.leaf().key_type())?;
    let mut pending = match format {
        Format::Cades => format::cades::prepare(inputs, chain, parameters, options, copy),
        Format::Pades => format::pades::prepare(inputs, chain, parameters, options, copy),
        Format::Xades => format::xades::prepare(inputs, chain, parameters, options, copy),
    }?;
    pending.warnings.extend(Warning::about(parameters));
    Ok(pending)
}

fn not_in_place() -> Error {
    Error::Core(ades_core::Error::Parameter {
        parameter: Parameter::InPlace,
        problem: "only signatures in PDFs, enveloping ones in CAdES and those at the end of an XML \
                  document's root element are made in a copy",
    })
}

impl PendingSignature {
    pub(crate) const fn new(state: State, warnings: Vec<Warning>) -> Self {
        Self { state, warnings }
    }

    /// The signature's format.
    #[must_use]
    pub const fn format(&self) -> Format {
        match &self.state {
            State::Cades(_) => Format::Cades,
            State::Pades(_) => Format::Pades,
            State::Xades(_) => Format::Xades,
        }
    }

    /// The data to be signed: pass it to the signer.
    #[must_use]
    pub fn to_be_signed(&self) -> ToBeSigned {
        match &self.state {
            State::Cades(pending) => pending.to_be_signed(),
            State::Pades(pending) => pending.to_be_signed(),
            State::Xades(pending) => pending.to_be_signed(),
        }
    }

    /// The signer's certificate and its issuers.
    #[must_use]
    pub const fn chain(&self) -> &CertificateChain {
        match &self.state {
            State::Cades(pending) => pending.chain(),
            State::Pades(pending) => pending.chain(),
            State::Xades(pending) => pending.chain(),
        }
    }

    /// Warnings to show to the user. They are not stored: a restored signature has none.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The digest of the octets of the document or container. `None` if the state does not have
    /// it.
    #[must_use]
    pub fn document_digest(&self) -> Option<&DocumentDigest> {
        match &self.state {
            State::Cades(pending) => pending.document_digest(),
            State::Pades(pending) => pending.document_digest(),
            State::Xades(pending) => pending.document_digest(),
        }
    }

    /// Stores the state as JSON, with a MAC if there is a key.
    ///
    /// # Errors
    /// [`Error::Core`] with [`ades_core::Error::StateTooLarge`].
    pub fn to_json(&self, key: Option<&StateKey>) -> Result<String, Error> {
        Ok(match &self.state {
            State::Cades(pending) => pending.to_json(key)?,
            State::Pades(pending) => pending.to_json(key)?,
            State::Xades(pending) => pending.to_json(key)?,
        })
    }

    /// Restores a stored state of any format, from this version or an older one. Pass the key with
    /// which it was stored.
    ///
    /// # Errors
    /// [`Error::Core`] if the state is malformed or damaged, or the key is another one.
    pub fn from_json(text: &str, key: Option<&StateKey>) -> Result<Self, Error> {
        let state = match ades_core::pending::format_of(text).as_deref() {
            Some(cades::PendingSignature::FORMAT) => {
                cades::PendingSignature::from_json(text, key).map(State::Cades)
            }
            Some(pades::PendingSignature::FORMAT) => {
                pades::PendingSignature::from_json(text, key).map(State::Pades)
            }
            _ => xades::PendingSignature::from_json(text, key).map(State::Xades),
        };
        Ok(Self::new(state?, Vec::new()))
    }

    /// Reads a signature value in any usual form, such as a file that a person brings back:
    /// octets, base64, base64url, hexadecimal digits or PEM; for ECDSA, DER or `r` and `s` side by
    /// side. Returns the value for [`complete`](Self::complete).
    ///
    /// # Errors
    /// [`Error::Core`]: as [`read_value`](ades_core::signer::read_value).
    pub fn read_value(&self, octets: &[u8]) -> Result<Vec<u8>, Error> {
        let leaf = self.chain().leaf();
        Ok(ades_core::signer::read_value(octets, leaf, &self.to_be_signed())?)
    }

    /// The SHA-256 digest of a signature value as the container has it. It names this signature
    /// among those of the finished document: see [`Selection`](crate::Selection). `None` if the
    /// value does not have the form of the algorithm, so that [`complete`](Self::complete) fails.
    #[must_use]
    pub fn value_digest(&self, value: &[u8]) -> Option<Digest> {
        match &self.state {
            // SignerInfo has the value as it is (RFC 5652, 5.3).
            State::Cades(_) | State::Pades(_) => Some(Digest::of(DigestAlgorithm::Sha256, value)),
            State::Xades(pending) => pending.value_digest(value),
        }
    }

    /// Completes the signature: writes the signed document or the container to `out`.
    ///
    /// `document` is the prepared document or, for another signature in a container, the
    /// container. A detached signature needs no document.
    ///
    /// Before it writes anything, `complete` checks that the state is consistent and that `value`
    /// verifies over the data to be signed. After an error, the output is not a valid container.
    ///
    /// # Errors
    /// [`Error::Core`] if the state is damaged, the value does not verify, or reading or writing
    /// fails; the format's own errors if the document has changed or is missing.
    pub fn complete(
        &self,
        document: Option<&mut Document<'_>>,
        value: &[u8],
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        match &self.state {
            State::Cades(pending) => pending.complete(document, value, out)?,
            State::Pades(pending) => pending.complete(document, value, out)?,
            State::Xades(pending) => pending.complete(document, value, out)?,
        }
        Ok(())
    }

    /// Completes the signature in the file to which [`prepare_copying`] copied the document, or, for
    /// a PDF, in the document's own file.
    ///
    /// With [`Check::LengthAndTail`], the document is not read again: choose it for a file that
    /// nobody else can have written to.
    ///
    /// # Errors
    /// As [`complete`](Self::complete). Nothing is written unless every check succeeds, and if
    /// writing fails, the file's previous content is restored.
    pub fn complete_in_place(
        &self,
        file: &mut dyn InPlace,
        value: &[u8],
        check: Check,
    ) -> Result<(), Error> {
        match &self.state {
            State::Cades(pending) => pending.complete_in_place(file, value, check)?,
            State::Pades(pending) => pending.complete_in_place(file, value, check)?,
            State::Xades(pending) => pending.complete_in_place(file, value, check)?,
        }
        Ok(())
    }

    /// Writes a preview of a signed PDF to show to the user. Its signature has no value.
    ///
    /// # Errors
    /// [`Error::NoPreview`] for other formats; [`Error::Pades`] if the document has changed.
    pub fn preview(&self, document: &mut Document<'_>, out: &mut dyn Write) -> Result<(), Error> {
        match &self.state {
            State::Pades(pending) => Ok(pending.preview(document, out)?),
            State::Cades(_) | State::Xades(_) => Err(Error::NoPreview { format: self.format() }),
        }
    }

    /// Verifies a finished container from its octets: the new signature must have no problem, and
    /// earlier signatures must have no new problems. Trust is not judged.
    ///
    /// `inputs` are those of [`prepare`]. For another signature in a detached CAdES container,
    /// [`Inputs::original`] is its document, if the caller has it.
    ///
    /// # Errors
    /// [`Error::CompletedNotValid`]; other errors if the container cannot be read.
    pub fn verify_completed<'a, 'd: 'a>(
        &self,
        completed: &mut Document<'_>,
        inputs: impl Into<Inputs<'a, 'd>>,
    ) -> Result<(), Error> {
        let inputs = inputs.into();
        match &self.state {
            State::Cades(_) => format::cades::verify_completed(completed, inputs),
            State::Pades(_) => format::pades::verify_completed(completed, inputs),
            State::Xades(pending) => format::xades::verify_completed(pending, completed, inputs),
        }
    }
}

impl fmt::Debug for PendingSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::Cades(pending) => pending.fmt(f),
            State::Pades(pending) => pending.fmt(f),
            State::Xades(pending) => pending.fmt(f),
        }
    }
}

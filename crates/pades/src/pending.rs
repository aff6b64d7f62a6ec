//! Preparing and completing PAdES signatures (EN 319 142-1, 6.3: B-B).

use std::io::Write;

use ades_core::certificate::UsageCheck;
use ades_core::in_place::{Check, InPlace};
use ades_core::{
    CertificateChain, Document, DocumentDigest, PendingState, SignatureParameters, SigningTime,
    ToBeSigned,
};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::options::SignatureOptions;
use crate::prepared::{PreparedDocument, SubFilter};
use crate::remark::Remark;
use crate::seed::{Certificates, Signer};

/// A signature that has been prepared and waits for its value.
///
/// Small, free of secrets, and all that completing needs beside the value and
/// the document. Stored with [`PendingState::to_json`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingSignature {
    document: PreparedDocument,
    cms: cades::PendingSignature,
    /// As in `/M`: the CMS has none, and the update may be encrypted.
    signing_time: SigningTime,
}

/// Prepares a baseline B-B signature over a document, which is read once.
///
/// The certificate's fitness at the claimed signing time, the parameters, the
/// document and what earlier signatures allow are checked first. Nothing is
/// written: the document grows when the signature is completed.
///
/// ```no_run
/// use ades_core::{CertificateChain, Document, SignatureParameters};
/// use pades::SignatureOptions;
///
/// # fn example(
/// #     chain: CertificateChain,
/// #     now: chrono::DateTime<chrono::Utc>,
/// #     sign: fn(&[u8]) -> Vec<u8>,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let mut contract = Document::seekable(std::fs::File::open("contract.pdf")?);
/// let parameters = SignatureParameters::new(now);
/// let options = SignatureOptions::new().reason("Agreed");
/// let pending = pades::prepare(&mut contract, &chain, &parameters, &options)?;
/// let value = sign(pending.to_be_signed().digest().0.value());
/// let mut signed = std::fs::File::create("signed.pdf")?;
/// pending.complete(&mut contract, &value, &mut signed)?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::Core`]: an unfit certificate, a parameter that is not allowed;
/// [`Error::Forbidden`], [`Error::FieldNotFit`] and others for what the
/// document does not allow; [`Error::BrokenCrossReference`] and
/// [`Error::Malformed`] for what is no proper PDF.
pub fn prepare(
    document: &mut Document<'_>,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
) -> Result<PendingSignature, Error> {
    prepare_to(document, chain, parameters, options, None)
}

/// Prepares a signature as [`prepare`] does, and copies the document to `out`
/// in the same pass: the copy is what
/// [`complete_in_place`](PendingSignature::complete_in_place) makes the signed
/// document, without reading it again ([`Check::LengthAndTail`]) if nobody else
/// can have written to it.
///
/// # Errors
/// As [`prepare`]; [`Error::Core`] if writing fails. Nothing is written before
/// all but the document's octets themselves is checked.
pub fn prepare_copying(
    document: &mut Document<'_>,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
    out: &mut dyn Write,
) -> Result<PendingSignature, Error> {
    prepare_to(document, chain, parameters, options, Some(out))
}

fn prepare_to(
    document: &mut Document<'_>,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
    out: Option<&mut dyn Write>,
) -> Result<PendingSignature, Error> {
    let algorithm = parameters.algorithm_for(chain.leaf())?.digest_algorithm();
    let len = cades::embedded::max_len(chain, parameters)?;
    let capacity = len.saturating_add(options.reserve);
    let certificates = Certificates::Known(chain);
    let signer = Signer { digest: Some(algorithm), sub_filter: SubFilter::Cades, certificates };
    let document = PreparedDocument::copying(
        document, algorithm, &signer, capacity, parameters, options, out,
    )?;
    let cms = cades::embedded::prepare_digest(document.digest().clone(), chain, parameters)?;
    Ok(PendingSignature { document, cms, signing_time: parameters.signing_time() })
}

impl PendingSignature {
    /// What the signer signs.
    #[must_use]
    pub fn to_be_signed(&self) -> ToBeSigned {
        self.cms.to_be_signed()
    }

    /// The signer's certificate and its issuers.
    #[must_use]
    pub const fn chain(&self) -> &CertificateChain {
        self.cms.chain()
    }

    /// The digest of what the signature covers.
    #[must_use]
    pub const fn message_digest(&self) -> &DocumentDigest {
        self.document.digest()
    }

    /// The digest of the document, as it is without the signature.
    #[must_use]
    pub const fn document_digest(&self) -> &DocumentDigest {
        self.document.document_digest()
    }

    /// Whether the document's cross-reference was broken and rebuilt: see
    /// [`SignatureOptions::repair`].
    #[must_use]
    pub const fn is_repaired(&self) -> bool {
        self.document.is_repaired()
    }

    /// What to know of the document. Not a part of the stored state: known to
    /// whoever prepared it.
    #[must_use]
    pub fn remarks(&self) -> &[Remark] {
        self.document.remarks()
    }

    /// The signed document's length in octets.
    #[must_use]
    pub fn signed_len(&self) -> u64 {
        self.document.signed_len()
    }

    /// Writes the signed document to `out`: a copy of the document, then the
    /// update.
    ///
    /// Before anything is written, the state is checked against itself, the
    /// certificate's fitness at the signing time is checked again, and `value` is
    /// verified with it over exactly what was prepared. The update is written only if what was copied is the document
    /// that was prepared.
    ///
    /// `value` is raw: as long as the modulus for RSA, DER `SEQUENCE { r, s }`
    /// for ECDSA.
    ///
    /// # Errors
    /// [`Error::Cms`] with [`ades_core::Error::StateDamaged`] or what is wrong
    /// with the value; [`Error::DocumentChanged`]; [`Error::Core`] with
    /// [`ades_core::Error::CertificateNotFit`], or if reading or writing fails.
    pub fn complete(
        &self,
        document: &mut Document<'_>,
        value: &[u8],
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        self.document.embed(document, &self.cms(value)?, out)
    }

    /// Writes the document as it will look, with nothing where the signature's
    /// value will be: to be shown to the user, not to be kept.
    ///
    /// # Errors
    /// [`Error::DocumentChanged`]; [`Error::Core`] if reading or writing fails.
    pub fn preview(&self, document: &mut Document<'_>, out: &mut dyn Write) -> Result<(), Error> {
        self.document.embed(document, &[], out)
    }

    /// Appends the update to the document's own file. If that fails, the file
    /// is cut back to what it was.
    ///
    /// # Errors
    /// As [`complete`](Self::complete); nothing is written unless all is right.
    pub fn complete_in_place(
        &self,
        file: &mut dyn InPlace,
        value: &[u8],
        check: Check,
    ) -> Result<(), Error> {
        self.document.embed_in_place(file, &self.cms(value)?, check)
    }

    fn cms(&self, value: &[u8]) -> Result<Vec<u8>, Error> {
        if self.cms.message_digest() != &self.document.digest().0 {
            let what = "its signed attributes are over another digest";
            return Err(Error::Core(ades_core::Error::StateDamaged { what }));
        }
        self.chain().leaf().check_fit(self.signing_time.time(), UsageCheck::Signature)?;
        let mut cms = Vec::new();
        self.cms.complete(None, value, &mut cms)?;
        Ok(cms)
    }
}

impl PendingState for PendingSignature {
    const FORMAT: &'static str = "pades";
    const VERSION: u32 = 1;
}

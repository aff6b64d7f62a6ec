//! Completes a signature: puts the CMS with the signature value into the update.

use std::io::Write;

use ades_core::Document;
use ades_core::certificate::UsageCheck;
use ades_core::in_place::{Check, InPlace, PreparedFile, append};

use crate::error::Error;
use crate::pending::{MAX_CAPACITY, PendingSignature, PreparedDocument};

impl PendingSignature {
    /// Writes the signed document to `out`: a copy of the document, then the
    /// update.
    ///
    /// Before it writes anything, `complete` checks that the state is consistent,
    /// that the certificate is acceptable at the signing time, and that `value`
    /// verifies with the certificate over the data to be signed. It compares the
    /// document while it copies it: if the document has changed, the update is not
    /// written, so the output is not signed.
    ///
    /// `value` has the form that
    /// [`SignatureValue`](ades_core::signer::SignatureValue) describes: for RSA as
    /// long as the modulus, for ECDSA the DER `SEQUENCE { r, s }`.
    ///
    /// # Errors
    /// [`Error::DocumentNeeded`] without a document; [`Error::DocumentChanged`];
    /// [`Error::Core`] with [`ades_core::Error::StateDamaged`],
    /// [`ades_core::Error::CertificateNotFit`] or an error about the value, or if
    /// reading or writing fails.
    pub fn complete(
        &self,
        document: Option<&mut Document<'_>>,
        value: &[u8],
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        let document = document.ok_or(Error::DocumentNeeded)?;
        self.document.embed(document, &self.cms(value)?, out)
    }

    /// Appends the update to the document's own file. If that fails, the file is
    /// truncated to its former length.
    ///
    /// # Errors
    /// As [`complete`](Self::complete); nothing is written unless every check
    /// succeeds.
    pub fn complete_in_place(
        &self,
        file: &mut dyn InPlace,
        value: &[u8],
        check: Check,
    ) -> Result<(), Error> {
        self.document.embed_in_place(file, &self.cms(value)?, check)
    }

    /// Writes a preview to show to the user: the document and its update, with zeros
    /// in place of the CMS. Viewers report the signature in it as invalid.
    ///
    /// # Errors
    /// [`Error::DocumentChanged`]; [`Error::Core`] if reading or writing fails.
    pub fn preview(&self, document: &mut Document<'_>, out: &mut dyn Write) -> Result<(), Error> {
        self.document.embed(document, &[], out)
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

impl PreparedDocument {
    /// Writes the signed document to `out`: a copy of the document, then the update
    /// with this CMS. If the document has changed, the update is not written.
    ///
    /// # Errors
    /// [`Error::DoesNotFit`] before anything is written; [`Error::DocumentChanged`]
    /// after a copy of the document at most; [`Error::Core`] if reading or writing
    /// fails.
    pub fn embed(
        &self,
        document: &mut Document<'_>,
        cms: &[u8],
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        let update = self.filled(cms)?;
        if document.len()?.is_some_and(|length| length != self.length) {
            return Err(Error::DocumentChanged);
        }
        let (found, length) = document.copy(self.document.0.algorithm(), out)?;
        if found != self.document || length != self.length {
            return Err(Error::DocumentChanged);
        }
        out.write_all(&update).map_err(|e| Error::Core(ades_core::Error::Write(e)))
    }

    /// Appends the update with this CMS to the document's own file. If that fails,
    /// the file is truncated to its former length.
    ///
    /// # Errors
    /// As [`embed`](Self::embed); nothing is written unless every check succeeds.
    pub fn embed_in_place(
        &self,
        file: &mut dyn InPlace,
        cms: &[u8],
        check: Check,
    ) -> Result<(), Error> {
        let update = self.filled(cms)?;
        let whole = &self.document.0;
        let prepared = PreparedFile { from: 0, length: self.length, whole, tail: &self.tail };
        if !prepared.is_in(file, check)? {
            return Err(Error::DocumentChanged);
        }
        Ok(append(file, self.length, &update)?)
    }

    /// The update with the CMS in its placeholder, padded with zeros.
    fn filled(&self, cms: &[u8]) -> Result<Vec<u8>, Error> {
        if self.capacity > MAX_CAPACITY {
            let damaged =
                ades_core::Error::StateDamaged { what: "its Contents placeholder is too large" };
            return Err(Error::Core(damaged));
        }
        if cms.len() > self.capacity {
            return Err(Error::DoesNotFit { len: cms.len(), reserved: self.capacity });
        }
        let mut update =
            Vec::with_capacity(self.head.len() + 2 * self.capacity + 2 + self.after.len());
        update.extend_from_slice(&self.head);
        update.push(b'<');
        let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' + half - 10 };
        update.extend(cms.iter().flat_map(|octet| [digit(octet >> 4), digit(octet & 15)]));
        update.resize(self.head.len() + 1 + 2 * self.capacity, b'0');
        update.push(b'>');
        update.extend_from_slice(&self.after);
        Ok(update)
    }
}

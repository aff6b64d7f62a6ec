//! Completes a signature: puts the CMS with the signature value into the update.

use std::io::Write;

use ades_core::certificate::UsageCheck;
use ades_core::in_place::{Check, InPlace, PreparedFile, append};
use ades_core::{Digester, Document};

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
            return damaged("its signed attributes are over another digest");
        }
        self.chain().leaf().check_fit(self.signing_time.time(), UsageCheck::Signature)?;
        Ok(cades::embedded::complete(&self.cms, value)?)
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
        let mut digester = Digester::new(self.document.0.algorithm());
        let length = document.copy_into(&mut digester, out)?;
        if digester.clone().finish() != self.document.0 || length != self.length {
            return Err(Error::DocumentChanged);
        }
        // Otherwise, `filled` has checked it.
        if self.digest_state.is_empty() {
            self.check_update(digester)?;
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

    /// Checks that the state's facts are consistent with one another. A state of
    /// version 1 shows only while the document is copied whether its update is the one
    /// that was signed.
    fn check(&self) -> Result<(), Error> {
        if self.capacity > MAX_CAPACITY {
            return damaged("its Contents placeholder is too large");
        }
        let begin = self.length.saturating_add(self.head.len() as u64);
        let end = begin.saturating_add(2 * self.capacity as u64 + 2);
        let ranges = format!("/ByteRange[0 {begin} {end} {}", self.after.len());
        let states = |at: usize| {
            let rest = self.head.get(at..).and_then(|rest| rest.strip_prefix(ranges.as_bytes()));
            rest.is_some_and(|rest| matches!(rest, [b' ' | b']', ..]))
        };
        let mut names = self.head.iter().enumerate().filter(|(_, octet)| **octet == b'/');
        if !names.any(|(at, _)| states(at)) {
            return damaged("the /ByteRange in its update is another");
        }
        if self.digest_state.is_empty() {
            return Ok(());
        }
        let digester = Digester::resume(self.document.0.algorithm(), &self.digest_state);
        match digester.filter(|digester| digester.clone().finish() == self.document.0) {
            Some(digester) => self.check_update(digester),
            None => damaged("its state of the document's digest is another"),
        }
    }

    /// Checks that the update is the one that was signed. `digester` has digested the
    /// document.
    fn check_update(&self, mut digester: Digester) -> Result<(), Error> {
        digester.update(&self.head);
        digester.update(&self.after);
        if digester.finish() == self.signed.0 {
            Ok(())
        } else {
            damaged("its update is not the one that was digested")
        }
    }

    /// The update with the CMS in its placeholder, padded with zeros.
    pub(crate) fn filled(&self, cms: &[u8]) -> Result<Vec<u8>, Error> {
        self.check()?;
        if cms.len() > self.capacity {
            return Err(Error::DoesNotFit { len: cms.len(), reserved: self.capacity });
        }
        let mut update =
            Vec::with_capacity(self.head.len() + 2 * self.capacity + 2 + self.after.len());
        update.extend_from_slice(&self.head);
        update.push(b'<');
        update.extend(hexadecimal(cms));
        update.resize(self.head.len() + 1 + 2 * self.capacity, b'0');
        update.push(b'>');
        update.extend_from_slice(&self.after);
        Ok(update)
    }
}

/// The digits of these octets.
pub(crate) fn hexadecimal(octets: &[u8]) -> impl Iterator<Item = u8> {
    let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' + half - 10 };
    octets.iter().flat_map(move |octet| [digit(octet >> 4), digit(octet & 15)])
}

const fn damaged<T>(what: &'static str) -> Result<T, Error> {
    Err(Error::Core(ades_core::Error::StateDamaged { what }))
}

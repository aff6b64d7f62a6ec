//! From a pending state, the document and a signature value to the signed
//! document.

use std::io::Write;

use ades_core::{Digest, Digester, Document, DocumentDigest, base64, verify};

use crate::error::Error;
use crate::pending::PendingSignature;
use crate::prepare::{MAX_BEHIND_ROOT, canonical, signed_info, signed_properties};
use crate::value::xml_value;

impl PendingSignature {
    /// Writes the signed document to `out`: the original octets with the
    /// signature in them.
    ///
    /// Everything that can be wrong is checked before: that the state is
    /// consistent and that `value` verifies with the signer's certificate over
    /// exactly what was prepared. The document is compared while it is copied;
    /// if it has changed, its end is not written, so that what was written is
    /// no document.
    ///
    /// `value` is raw: as long as the modulus for RSA, DER `SEQUENCE { r, s }`
    /// for ECDSA.
    ///
    /// # Errors
    /// [`Error::Core`] with [`ades_core::Error::StateDamaged`] or what is
    /// wrong with the value; [`Error::DocumentChanged`].
    pub fn complete(
        &self,
        document: &mut Document<'_>,
        value: &[u8],
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        let leaf = self.chain.leaf();
        self.check_consistency()?;
        verify::verify(leaf, self.algorithm, &self.signed_info, value)?;
        let value = xml_value(self.algorithm, leaf.key_type(), value)
            .ok_or(Error::Core(ades_core::Error::ValueDoesNotVerify))?;
        let inserted = self.insertion.octets(&self.fragment(&base64::encode(&value)))?;
        if document.len()?.is_some_and(|found| found != self.length) {
            return Err(Error::DocumentChanged);
        }
        let DocumentDigest(expected) = &self.document;
        let mut digester = Digester::new(expected.algorithm());
        let mut behind = Vec::new();
        let mut at = 0u64;
        let length = document.read_through(&mut |piece| {
            digester.update(piece);
            let before = usize::try_from(self.insertion.offset.saturating_sub(at));
            let before = before.unwrap_or(usize::MAX).min(piece.len());
            let (copied, held) = piece.split_at_checked(before).unwrap_or((piece, &[]));
            out.write_all(copied).map_err(ades_core::Error::Write)?;
            // A document that has grown is another one: no need to hold it.
            if behind.len() as u64 <= MAX_BEHIND_ROOT {
                behind.extend_from_slice(held);
            }
            at += piece.len() as u64;
            Ok(())
        })?;
        if length != self.length || digester.finish() != *expected {
            return Err(Error::DocumentChanged);
        }
        let replaced = usize::try_from(self.insertion.replaced).unwrap_or(usize::MAX);
        let rest = behind.get(replaced..).ok_or(Error::DocumentChanged)?;
        out.write_all(&inserted).map_err(ades_core::Error::Write)?;
        out.write_all(rest).map_err(ades_core::Error::Write)?;
        Ok(())
    }

    /// Whether what was signed is what the signature element says, and whether
    /// that names the certificate.
    fn check_consistency(&self) -> Result<(), Error> {
        let damaged = |what| Error::Core(ades_core::Error::StateDamaged { what });
        let fragment = self.fragment("");
        let found = canonical(&fragment, signed_info())
            .map_err(|_| damaged("its signature element does not read"))?;
        if found != self.signed_info {
            return Err(damaged("its signature element is not what is signed"));
        }
        let properties = canonical(&fragment, signed_properties())
            .map(|form| Digest::of(self.algorithm.digest_algorithm(), &form))
            .map_err(|_| damaged("its signature element has no signed properties"))?;
        if !self.head.contains(&base64::encode(properties.value())) {
            return Err(damaged("its signed properties are not what is signed"));
        }
        let leaf = self.chain.leaf();
        let digest = leaf.digest(self.algorithm.digest_algorithm());
        let named = [base64::encode(leaf.der()), base64::encode(digest.value())];
        if !named.iter().all(|named| self.tail.contains(named.as_str())) {
            return Err(damaged("its signature element names another certificate"));
        }
        Ok(())
    }
}

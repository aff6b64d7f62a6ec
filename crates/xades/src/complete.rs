//! From a pending state, the document and a signature value to what is signed.

use std::io::Write;

use ades_core::certificate::UsageCheck;
use ades_core::{Digest, Digester, Document, base64, verify};

use crate::draft::{CLOSING, canonical, signed_info, signed_properties};
use crate::envelop::prologue;
use crate::error::Error;
use crate::insertion::Insertion;
use crate::pending::{Original, PendingSignature, Target};
use crate::prepare::MAX_BEHIND_ROOT;
use crate::properties::claimed_time;
use crate::value::xml_value;

impl PendingSignature {
    /// Writes the signed document to `out`: the original octets with the
    /// signature in them or around them; of a detached signature, the signature
    /// alone, for which no document is needed: if it is about one only and that
    /// is given, it is compared.
    ///
    /// Everything that can be wrong is checked before: that the state is
    /// consistent, that the certificate was fit at the claimed signing time, and
    /// that `value` verifies with it over exactly what was prepared. The
    /// document is compared while it is copied; if it has changed, its end, from
    /// the root element's end tag on at the latest, is not written.
    ///
    /// `value` is raw: as long as the modulus for RSA, DER `SEQUENCE { r, s }`
    /// for ECDSA.
    ///
    /// # Errors
    /// [`Error::Core`] with [`ades_core::Error::StateDamaged`],
    /// [`ades_core::Error::CertificateNotFit`] or what is wrong with the value; [`Error::DocumentNeeded`], [`Error::DocumentChanged`].
    pub fn complete(
        &self,
        document: Option<&mut Document<'_>>,
        value: &[u8],
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        let leaf = self.chain.leaf();
        self.check()?;
        verify::verify(leaf, self.algorithm, &self.signed_info, value)?;
        let value = xml_value(self.algorithm, leaf.key_type(), value)
            .ok_or(Error::Core(ades_core::Error::ValueDoesNotVerify))?;
        let value = base64::encode(&value);
        let document = document.ok_or(Error::DocumentNeeded);
        match &self.target {
            Target::Detached { documents } => {
                if let (Ok(document), [original]) = (document, documents.as_slice()) {
                    original.check_length(document)?;
                    original.read(document, &mut |_| Ok(()))?;
                }
                write(out, self.fragment(&value).as_bytes())
            }
            Target::Inserted { document: original, insertion } => {
                let inserted = insertion.octets(&self.fragment(&value))?;
                insert(document?, original, insertion, &inserted, out)
            }
            Target::Xml { document: original, from, to, encoding } => {
                let damaged = ades_core::Error::StateDamaged { what: "it is not of its encoding" };
                let encode = |text: &str| encoding.encode(text);
                let head = [self.head.as_str(), &value, &self.tail].concat();
                let ends = encode(&head).zip(encode(CLOSING));
                let (head, closing) = ends.ok_or(Error::Core(damaged))?;
                let document = document?;
                original.check_length(document)?;
                write(out, &prologue(*encoding))?;
                write(out, &head)?;
                let mut at = 0u64;
                original.read(document, &mut |piece| {
                    let end = at + piece.len() as u64;
                    let within = |place: u64| {
                        usize::try_from(place.clamp(at, end) - at).unwrap_or(usize::MAX)
                    };
                    let part = piece.get(within(*from)..within(*to)).unwrap_or_default();
                    at = end;
                    out.write_all(part).map_err(ades_core::Error::Write)
                })?;
                write(out, &closing)
            }
            Target::Base64 { document: original } => {
                let document = document?;
                original.check_length(document)?;
                write(out, [self.head.as_str(), &value, &self.tail].concat().as_bytes())?;
                let mut rest = Vec::new();
                original.read(document, &mut |piece| {
                    rest.extend_from_slice(piece);
                    let left = rest.split_off(rest.len() - rest.len() % 3);
                    let text = base64::encode(&rest);
                    rest = left;
                    out.write_all(text.as_bytes()).map_err(ades_core::Error::Write)
                })?;
                write(out, base64::encode(&rest).as_bytes())?;
                write(out, CLOSING.as_bytes())
            }
        }
    }

    /// Whether what was signed is what the signature element says, and whether
    /// that names the certificate, which must have been fit at the time claimed.
    fn check(&self) -> Result<(), Error> {
        let damaged = |what| Error::Core(ades_core::Error::StateDamaged { what });
        let fragment = self.fragment("");
        let found = canonical(&fragment, signed_info())
            .map_err(|_| damaged("its signature element does not read"))?;
        if found != self.signed_info {
            return Err(damaged("its signature element is not what is signed"));
        }
        let properties = canonical(&fragment, signed_properties())
            .map_err(|_| damaged("its signature element has no signed properties"))?;
        let digest = Digest::of(self.algorithm.digest_algorithm(), &properties);
        if !self.head.contains(&base64::encode(digest.value())) {
            return Err(damaged("its signed properties are not what is signed"));
        }
        let leaf = self.chain.leaf();
        let digest = leaf.digest(self.algorithm.digest_algorithm());
        let named = [base64::encode(leaf.der()), base64::encode(digest.value())];
        if !named.iter().all(|named| self.tail.contains(named.as_str())) {
            return Err(damaged("its signature element names another certificate"));
        }
        let time = claimed_time(&properties)
            .ok_or_else(|| damaged("its signed properties claim no time"))?;
        leaf.check_fit(time, UsageCheck::Signature)?;
        Ok(())
    }
}

impl Original {
    /// Before anything is written, what is easily seen.
    fn check_length(&self, document: &mut Document<'_>) -> Result<(), Error> {
        if document.len()?.is_some_and(|found| found != self.length) {
            return Err(Error::DocumentChanged);
        }
        Ok(())
    }

    /// Hands out the document's octets; an error at the end if it is another.
    fn read(
        &self,
        document: &mut Document<'_>,
        take: &mut dyn FnMut(&[u8]) -> Result<(), ades_core::Error>,
    ) -> Result<(), Error> {
        let expected = &self.digest.0;
        let mut digester = Digester::new(expected.algorithm());
        let length = document.read_through(&mut |piece| {
            digester.update(piece);
            take(piece)
        })?;
        if length != self.length || digester.finish() != *expected {
            return Err(Error::DocumentChanged);
        }
        Ok(())
    }
}

fn insert(
    document: &mut Document<'_>,
    original: &Original,
    insertion: &Insertion,
    inserted: &[u8],
    out: &mut dyn Write,
) -> Result<(), Error> {
    original.check_length(document)?;
    let replaced = usize::try_from(insertion.replaced).unwrap_or(usize::MAX);
    let mut inserted = Some(inserted);
    let mut behind = Vec::new();
    let mut at = 0u64;
    original.read(document, &mut |piece| {
        let before = usize::try_from(insertion.offset.saturating_sub(at));
        let before = before.unwrap_or(usize::MAX).min(piece.len());
        let (copied, held) = piece.split_at_checked(before).unwrap_or((piece, &[]));
        out.write_all(copied).map_err(ades_core::Error::Write)?;
        behind.extend_from_slice(held);
        at += piece.len() as u64;
        if behind.len() < 2 * MAX_BEHIND_ROOT {
            return Ok(());
        }
        // What is behind is long: all of it but the end, which is withheld.
        let end = behind.split_off(behind.len() - MAX_BEHIND_ROOT);
        let written = std::mem::replace(&mut behind, end);
        let skipped = if inserted.is_some() { replaced } else { 0 };
        out.write_all(inserted.take().unwrap_or_default())
            .and_then(|()| out.write_all(written.get(skipped..).unwrap_or_default()))
            .map_err(ades_core::Error::Write)
    })?;
    let skipped = if inserted.is_some() { replaced } else { 0 };
    let rest = behind.get(skipped..).ok_or(Error::DocumentChanged)?;
    write(out, inserted.unwrap_or_default())?;
    write(out, rest)
}

fn write(out: &mut dyn Write, octets: &[u8]) -> Result<(), Error> {
    out.write_all(octets).map_err(|error| Error::Core(ades_core::Error::Write(error)))
}

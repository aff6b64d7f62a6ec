//! Completes a signature: makes a container from a pending state and a signature
//! value.

use std::io::{Read, SeekFrom, Write};

use ades_core::asn1::der;
use ades_core::certificate::UsageCheck;
use ades_core::error::Parameter;
use ades_core::in_place::{Check, InPlace, PreparedFile, append};
use ades_core::{Document, DocumentDigest, verify};

use crate::attributes::{SigningCertificateV2, read_signing_time};
use crate::container::Container;
use crate::error::Error;
use crate::extend::{AddedAs, Addition};
use crate::oids;
use crate::pending::{PendingSignature, Target};
use crate::signed_data::write;

impl PendingSignature {
    /// Writes the finished container to `out`, as DER.
    ///
    /// Before anything is written, this checks that the state is consistent,
    /// that the certificate was fit at the claimed signing time, and that
    /// `value` verifies with it over the data to be signed.
    ///
    /// - A detached signature needs no document, because the state holds its
    ///   digest. If a document is passed, its digest must be the same.
    /// - An enveloping signature copies the document as a stream. If the
    ///   document has changed, the end of the container is not written, so the
    ///   output is not a container.
    /// - A parallel signature or a countersignature takes the container that it
    ///   was prepared for as its document.
    ///
    /// `value` has the form that
    /// [`SignatureValue`](ades_core::signer::SignatureValue) describes: for RSA as
    /// long as the modulus, for ECDSA the DER `SEQUENCE { r, s }`.
    ///
    /// # Errors
    /// [`Error::Core`] with [`ades_core::Error::StateDamaged`],
    /// [`ades_core::Error::CertificateNotFit`] or the reason why the value is
    /// wrong; [`Error::DocumentNeeded`], [`Error::DocumentChanged`],
    /// [`Error::ContainerChanged`].
    pub fn complete(
        &self,
        document: Option<&mut Document<'_>>,
        value: &[u8],
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        self.check_value(value)?;
        match &self.target {
            Target::Detached { document: expected } => {
                if let Some(document) = document
                    && document.digest(expected.0.algorithm())?.0 != *expected
                {
                    return Err(Error::DocumentChanged);
                }
                write(out, &self.detached(value))
            }
            Target::Enveloping { document: expected, length }
            | Target::Copied { document: expected, length, .. } => {
                let document = document.ok_or(Error::DocumentNeeded)?;
                self.complete_enveloping(document, expected, *length, value, out)
            }
            Target::Parallel { container, .. } => {
                let source = document.ok_or(Error::DocumentNeeded)?;
                self.complete_extending(source, container, AddedAs::Signer, value, out)
            }
            Target::Countersignature { container, signer, .. } => {
                let source = document.ok_or(Error::DocumentNeeded)?;
                let added_as = AddedAs::CountersignatureOf(*signer);
                self.complete_extending(source, container, added_as, value, out)
            }
        }
    }

    /// Completes the container that [`prepare_copying`](crate::prepare_copying)
    /// began, in its own file. If writing fails, the file's previous content is
    /// restored.
    ///
    /// # Errors
    /// As [`complete`](Self::complete); [`Error::DocumentChanged`] if the file
    /// is not the one that was prepared. Nothing is written before all checks
    /// pass.
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
        self.check_value(value)?;
        let begun = self.begun_head(*length)?;
        let prepared =
            PreparedFile { from: begun.len() as u64, length: *length, whole: &document.0, tail };
        if !begins_with(file, &begun)? || !prepared.is_in(file, check)? {
            return Err(Error::DocumentChanged);
        }
        let (head, tail) = self.envelope(Some(*length), &self.signer_info(value));
        if head.len() != begun.len() {
            return Err(Error::CannotCopy);
        }
        let end = prepared.from + length;
        append(file, end, &tail)?;
        // A short ECDSA value makes the lengths in the head smaller.
        if head == begun {
            return Ok(());
        }
        overwrite(file, &head).inspect_err(|_| {
            // The first error is the one to report.
            let _ = overwrite(file, &begun);
            let _ = file.truncate(end);
        })
    }

    fn complete_enveloping(
        &self,
        document: &mut Document<'_>,
        expected: &DocumentDigest,
        length: u64,
        value: &[u8],
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        if document.len()?.is_some_and(|found| found != length) {
            return Err(Error::DocumentChanged);
        }
        let (head, tail) = self.envelope(Some(length), &self.signer_info(value));
        write(out, &head)?;
        let (found, found_length) = document.copy(expected.0.algorithm(), out)?;
        if found != *expected || found_length != length {
            return Err(Error::DocumentChanged);
        }
        write(out, &tail)
    }

    fn complete_extending(
        &self,
        source: &mut Document<'_>,
        expected: &DocumentDigest,
        added_as: AddedAs,
        value: &[u8],
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        if source.digest(expected.0.algorithm())?.0 != *expected {
            return Err(Error::ContainerChanged);
        }
        let container = Container::read(source)?;
        let addition = Addition {
            added_as,
            signer_info: self.signer_info(value),
            certificates: self.chain.certificates(),
            digest_algorithm: self.algorithm.digest_algorithm(),
        };
        addition.write(source, &container, out)
    }

    /// Checks the state, and verifies the value over its signed attributes.
    fn check_value(&self, value: &[u8]) -> Result<(), Error> {
        self.check_state()?;
        verify::verify(self.chain.leaf(), self.algorithm, &self.signed_attributes, value)?;
        Ok(())
    }

    /// Compares the digest and the certificate in the signed attributes with the
    /// rest of the state, and checks that the certificate was fit at the signing
    /// time in them. Embedded CMS has no signing time; the format that embeds it
    /// checks the fitness itself.
    fn check_state(&self) -> Result<(), Error> {
        let damaged = |what| Error::Core(ades_core::Error::StateDamaged { what });
        let attributes = self
            .parsed_attributes()
            .ok_or_else(|| damaged("its signed attributes are not a DER SET of attributes"))?;
        let value = |kind: &[u8]| attributes.iter().find(|a| a.kind == kind)?.only_value();
        let digest = value(oids::MESSAGE_DIGEST)
            .filter(|digest| digest.tag == der::OCTET_STRING)
            .ok_or_else(|| damaged("its signed attributes have no message-digest"))?;
        if digest.content != self.message_digest().value() {
            return Err(damaged("its signed attributes are over another digest"));
        }
        let named = value(oids::SIGNING_CERTIFICATE_V2)
            .and_then(|v| rasn::der::decode::<SigningCertificateV2>(v.raw).ok())
            .and_then(|v| v.certs.into_iter().next())
            .ok_or_else(|| damaged("its signed attributes name no certificate"))?;
        let leaf = self.chain.leaf();
        if *named.cert_hash != *leaf.digest(self.algorithm.digest_algorithm()).value() {
            return Err(damaged("its signed attributes name another certificate"));
        }
        if let Some(time) = value(oids::SIGNING_TIME) {
            let time = read_signing_time(&time)
                .ok_or_else(|| damaged("the signing-time in its signed attributes is malformed"))?;
            leaf.check_fit(time, UsageCheck::Signature)?;
        }
        Ok(())
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

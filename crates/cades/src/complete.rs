//! Completes a signature: makes a container from a pending state and a signature
//! value.

use std::io::{Read, SeekFrom, Write};

use ades_core::asn1::ber::Reader;
use ades_core::asn1::der;
use ades_core::certificate::UsageCheck;
use ades_core::error::Parameter;
use ades_core::in_place::{Check, InPlace, PreparedFile, append};
use ades_core::{Digest, Document, DocumentDigest, verify};

use crate::attributes::read_signing_time;
use crate::container::Container;
use crate::content::{ContentDigests, cover_another};
use crate::error::Error;
use crate::extend::{AddedAs, Addition};
use crate::oids;
use crate::pending::{PendingSignature, Target};
use crate::prepare::signer_at;
use crate::report::Problem;
use crate::signed_data::write;
use crate::signer_info::{self, read_all};
use crate::verify::{Profile, Subject, first_problem};

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
        self.check_value(value, self.subject())?;
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
            Target::Parallel { container, .. } | Target::Countersignature { container, .. } => {
                let source = document.ok_or(Error::DocumentNeeded)?;
                self.complete_extending(source, container, value, out)
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
        self.check_value(value, self.subject())?;
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
        value: &[u8],
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        if source.digest(expected.0.algorithm())?.0 != *expected {
            return Err(Error::ContainerChanged);
        }
        let container = Container::read(source)?;
        let addition = Addition {
            added_as: self.added_as(&container, source)?,
            signer_info: self.signer_info(value),
            certificates: self.chain.certificates(),
            digest_algorithm: self.algorithm.digest_algorithm(),
        };
        addition.write(source, &container, out)
    }

    /// The place of the signature in the container. The container's octets are
    /// those that were prepared, so if the digest in the state is that of
    /// something else in it, the state has changed.
    fn added_as(&self, container: &Container, source: &mut Document<'_>) -> Result<AddedAs, Error> {
        let signers = read_all(container.signer_elements()?)?;
        let digest = self.message_digest();
        if let Target::Countersignature { signer, deeper, .. } = &self.target {
            let which = [std::slice::from_ref(signer), deeper].concat();
            let is_signed = signer_at(&signers, &which)
                .is_ok_and(|signer| Digest::of(digest.algorithm(), signer.signature) == *digest);
            let what = "it countersigns another signature than the one that was prepared";
            return if is_signed { Ok(AddedAs::CountersignatureOf(which)) } else { damaged(what) };
        }
        let covered = ContentDigests::read(
            container,
            &[digest.algorithm()],
            false,
            &mut Vec::new(),
            source,
            None,
        )?;
        let is_content = covered.as_slice().iter().all(|content| content == digest);
        if is_content && !cover_another(&signers, std::slice::from_ref(digest)) {
            Ok(AddedAs::Signer)
        } else {
            damaged("it is over another document than the container's signatures")
        }
    }

    /// Checks the state, and verifies the value over its signed attributes.
    pub(crate) fn check_value(&self, value: &[u8], subject: Subject) -> Result<(), Error> {
        self.check_state(subject)?;
        verify::verify(self.chain.leaf(), self.algorithm, &self.signed_attributes, value)?;
        Ok(())
    }

    const fn subject(&self) -> Subject {
        match &self.target {
            Target::Countersignature { .. } => Subject::Signature,
            _ => Subject::Document(Profile::Cades),
        }
    }

    /// Compares the parts of the state with one another, as verification compares
    /// those of a signature: somebody may have changed it and its checksum.
    ///
    /// The certificate must have been fit at the signing time in the signed
    /// attributes. Embedded CMS has no signing time; the format that embeds it
    /// checks the fitness itself.
    fn check_state(&self, subject: Subject) -> Result<(), Error> {
        let Some(attributes) = self.parsed_attributes() else {
            return damaged("its signed attributes are not a DER SET of attributes");
        };
        let value = |kind: &[u8]| attributes.iter().find(|a| a.kind == kind)?.only_value();
        let digest = self.message_digest();
        let signed = value(oids::MESSAGE_DIGEST).filter(|digest| digest.tag == der::OCTET_STRING);
        let Some(signed) = signed else {
            return damaged("its signed attributes have no message-digest");
        };
        if signed.content != digest.value()
            || digest.algorithm() != self.algorithm.digest_algorithm()
        {
            return damaged("its signed attributes are over another digest");
        }
        let leaf = self.chain.leaf();
        if let Some(time) = value(oids::SIGNING_TIME) {
            let Some(time) = read_signing_time(&time) else {
                return damaged("the signing-time in its signed attributes is malformed");
            };
            leaf.check_fit(time, UsageCheck::Signature)?;
        }
        if !leaf.key_type().fits(self.algorithm) {
            return damaged("its algorithm is not one of its certificate's key");
        }
        if !self.chain.is_linked() {
            return damaged("its certificates are not a chain");
        }
        // The value is verified separately.
        let signer_info = self.signer_info(&[]);
        let signer_info = Reader::new(&signer_info, 0).next("expected SignerInfo")?;
        match first_problem(&signer_info::read(signer_info)?, leaf, digest, subject)? {
            None => Ok(()),
            Some(Problem::SignerCertificateMissing | Problem::SigningCertificateMissing) => {
                damaged("its signed attributes name another certificate")
            }
            Some(_) => damaged("its signed attributes are not those of a baseline signature"),
        }
    }
}

fn damaged<T>(what: &'static str) -> Result<T, Error> {
    Err(Error::Core(ades_core::Error::StateDamaged { what }))
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

//! From a pending state and a signature value to a container.

use std::io::Write;

use ades_core::certificate::UsageCheck;
use ades_core::{Document, verify};

use crate::attributes::{SigningCertificateV2, read_signing_time};
use crate::error::Error;
use crate::oids;
use crate::pending::{PendingSignature, Target};
use crate::signer_info::{Attribute, attributes};
use ades_core::asn1::ber::{self, Reader};
use ades_core::asn1::der;

impl PendingSignature {
    /// Writes the finished container to `out`, as DER.
    ///
    /// Everything that can be wrong is checked before: that the state is
    /// consistent, that the certificate was fit at the claimed signing time,
    /// that `value` verifies with it over exactly what was prepared, and that
    /// the document is the one that was prepared. For a detached signature the document may be left out (its
    /// digest is in the state); an enveloping one needs it, copies it as a
    /// stream, and writes nothing behind it if it has changed, so that what
    /// was written is no container. A parallel signature or a countersignature
    /// needs the container it was prepared for as its document.
    ///
    /// `value` is raw: as long as the modulus for RSA, DER `SEQUENCE { r, s }`
    /// for ECDSA.
    ///
    /// # Errors
    /// [`Error::Core`] with [`ades_core::Error::StateDamaged`],
    /// [`ades_core::Error::CertificateNotFit`] or what is wrong with the value; [`Error::DocumentNeeded`],
    /// [`Error::DocumentChanged`], [`Error::ContainerChanged`].
    pub fn complete(
        &self,
        document: Option<&mut Document<'_>>,
        value: &[u8],
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        self.check()?;
        verify::verify(self.chain.leaf(), self.algorithm, &self.signed_attributes, value)?;
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
                if document.len()?.is_some_and(|found| found != *length) {
                    return Err(Error::DocumentChanged);
                }
                let (head, tail) = self.envelope(Some(*length), &self.signer_info(value));
                write(out, &head)?;
                let (found, found_length) = document.copy(expected.0.algorithm(), out)?;
                if found != *expected || found_length != *length {
                    return Err(Error::DocumentChanged);
                }
                write(out, &tail)
            }
            Target::Parallel { .. } | Target::Countersignature { .. } => {
                let container = document.ok_or(Error::DocumentNeeded)?;
                self.add_to(container, &self.signer_info(value), out)
            }
        }
    }

    /// A detached container, whatever the value is.
    pub(crate) fn detached(&self, value: &[u8]) -> Vec<u8> {
        let (mut head, tail) = self.envelope(None, &self.signer_info(value));
        head.extend_from_slice(&tail);
        head
    }

    /// Recomputes what the signed attributes must say from the rest of the
    /// state: the digest they carry and the certificate they name. That must
    /// have been fit at the time they claim; a format that embeds CMS, whose
    /// attributes claim none, checks that itself.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let damaged = |what| Error::Core(ades_core::Error::StateDamaged { what });
        let attributes = self
            .attributes()
            .ok_or_else(|| damaged("its signed attributes are no DER SET of attributes"))?;
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
                .ok_or_else(|| damaged("its signed attributes claim no time"))?;
            leaf.check_fit(time, UsageCheck::Signature)?;
        }
        Ok(())
    }

    fn attributes(&self) -> Option<Vec<Attribute<'_>>> {
        let mut reader = Reader::new(&self.signed_attributes, 0);
        let set = reader.next_if(der::SET).ok()??;
        let der = reader.is_empty() && ber::first_not_der(set.raw, 0).is_none();
        if der { attributes(set).ok() } else { None }
    }

    /// `SignerInfo` (RFC 5652, 5.3), version 1: issuer and serial number.
    pub(crate) fn signer_info(&self, value: &[u8]) -> Vec<u8> {
        let leaf = self.chain.leaf();
        let sid = der::element(der::SEQUENCE, &[leaf.issuer(), leaf.serial_number()]);
        let digest_algorithm = self.algorithm.digest_algorithm().algorithm_identifier();
        // The signed octets with [0] in place of the universal SET tag.
        let attributes =
            [&[der::context(0)], self.signed_attributes.get(1..).unwrap_or_default()].concat();
        let algorithm = self.algorithm.algorithm_identifier();
        let value = der::element(der::OCTET_STRING, &[value]);
        der::element(
            der::SEQUENCE,
            &[VERSION_1, &sid, &digest_algorithm, &attributes, &algorithm, &value],
        )
    }

    /// The octets of a new container in front of the content and behind it.
    /// All lengths are definite, so the content's must be known.
    pub(crate) fn envelope(&self, content: Option<u64>, signer_info: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut certificates: Vec<Vec<u8>> =
            self.chain.certificates().iter().map(|c| c.der().to_vec()).collect();
        let certificates = der::element(der::context(0), &[&der::set_of(&mut certificates)]);
        let signer_infos = der::element(der::SET, &[signer_info]);
        let tail = [certificates, signer_infos].concat();

        // From the inside out: each header needs the length of all it holds.
        let mut head = Vec::new();
        let mut inside = content.unwrap_or(0);
        let mut enclose = |tag: Option<u8>, front: &[u8], behind: u64| {
            head.splice(..0, front.iter().copied());
            inside += front.len() as u64 + behind;
            if let Some(tag) = tag {
                let header = der::header(tag, inside);
                inside += header.len() as u64;
                head.splice(..0, header);
            }
        };
        if content.is_some() {
            enclose(Some(der::OCTET_STRING), &[], 0);
            enclose(Some(der::context(0)), &[], 0);
        }
        enclose(Some(der::SEQUENCE), &der::element(der::OID, &[oids::DATA]), 0);
        let digest_algorithm = self.algorithm.digest_algorithm().algorithm_identifier();
        let digest_algorithms = der::element(der::SET, &[&digest_algorithm]);
        let front = [VERSION_1, &digest_algorithms].concat();
        enclose(Some(der::SEQUENCE), &front, tail.len() as u64);
        enclose(Some(der::context(0)), &[], 0);
        enclose(Some(der::SEQUENCE), &der::element(der::OID, &[oids::SIGNED_DATA]), 0);
        (head, tail)
    }
}

/// `INTEGER 1`: of SignedData, since its content is id-data and its
/// certificates are plain (RFC 5652, 5.1), and of SignerInfo.
const VERSION_1: &[u8] = &[der::INTEGER, 1, 1];

pub(crate) fn write(out: &mut dyn Write, octets: &[u8]) -> Result<(), Error> {
    out.write_all(octets).map_err(|e| Error::Core(ades_core::Error::Write(e)))
}

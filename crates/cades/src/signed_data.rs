//! Writes a new SignedData container (RFC 5652, 5.1 and 5.3).

use std::io::Write;

use ades_core::asn1::der;
use ades_core::error::NotFit;

use crate::error::Error;
use crate::oids;
use crate::pending::PendingSignature;

/// `INTEGER 1`: the version of SignedData, since its content is id-data and its
/// certificates are X.509 (RFC 5652, 5.1), and of SignerInfo.
const VERSION_1: &[u8] = &[der::INTEGER, 1, 1];

impl PendingSignature {
    /// A detached container with this value.
    pub(crate) fn detached(&self, value: &[u8]) -> Vec<u8> {
        let (mut head, tail) = self.envelope(None, &self.signer_info(value));
        head.extend_from_slice(&tail);
        head
    }

    /// `SignerInfo` (RFC 5652, 5.3) of version 1, which identifies the signer
    /// by issuer and serial number.
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

    /// The octets of a new container before and after the content. `content` is
    /// the content's length, or `None` for a detached container. All lengths are
    /// definite, so the content's length must be known.
    pub(crate) fn envelope(&self, content: Option<u64>, signer_info: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut certificates: Vec<Vec<u8>> =
            self.chain.certificates().iter().map(|c| c.der().to_vec()).collect();
        let certificates = der::element(der::context(0), &[&der::set_of(&mut certificates)]);
        let signer_infos = der::element(der::SET, &[signer_info]);
        let tail = [certificates, signer_infos].concat();

        // From the inside out: each header needs the length of all it encloses.
        let mut head = Vec::new();
        let mut inside = content.unwrap_or(0);
        let mut enclose = |tag: u8, before: &[u8], after: u64| {
            head.splice(..0, before.iter().copied());
            // A length in a changed state can be any number. Completing then finds that
            // the document has another one.
            inside = inside.saturating_add(before.len() as u64 + after);
            let header = der::header(tag, inside);
            inside = inside.saturating_add(header.len() as u64);
            head.splice(..0, header);
        };
        if content.is_some() {
            enclose(der::OCTET_STRING, &[], 0);
            enclose(der::context(0), &[], 0);
        }
        enclose(der::SEQUENCE, &der::element(der::OID, &[oids::DATA]), 0);
        let digest_algorithm = self.algorithm.digest_algorithm().algorithm_identifier();
        let digest_algorithms = der::element(der::SET, &[&digest_algorithm]);
        let before = [VERSION_1, &digest_algorithms].concat();
        enclose(der::SEQUENCE, &before, tail.len() as u64);
        enclose(der::context(0), &[], 0);
        enclose(der::SEQUENCE, &der::element(der::OID, &[oids::SIGNED_DATA]), 0);
        (head, tail)
    }

    /// The length in octets of the longest value that the key makes.
    pub(crate) fn max_value_len(&self) -> Result<usize, Error> {
        let len = self.chain.leaf().key_type().max_value_len();
        Ok(len.ok_or(ades_core::Error::CertificateNotFit(NotFit::KeyUnsupported))?)
    }
}

pub(crate) fn write(out: &mut dyn Write, octets: &[u8]) -> Result<(), Error> {
    out.write_all(octets).map_err(|e| Error::Core(ades_core::Error::Write(e)))
}

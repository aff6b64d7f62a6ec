//! The parameters of RSASSA-PSS.

use ::der::asn1::AnyRef;
use ::der::{Decode, Reader, SliceReader, Tag, Tagged};

use super::{DigestAlgorithm, SignatureAlgorithm, read_algorithm_identifier};
use crate::Oid;
use crate::asn1::der;

const MGF1: Oid = Oid::new_const("1.2.840.113549.1.1.8");

/// The parameters of RSASSA-PSS (RFC 8017, A.2.3). The mask generation function is
/// MGF1, and the trailer field 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PssParameters {
    /// The digest of the data
    pub digest: DigestAlgorithm,
    /// The digest of the mask generation function
    pub mask_digest: DigestAlgorithm,
    /// The length of the salt in octets
    pub salt_len: usize,
}

impl PssParameters {
    /// The algorithm with these parameters.
    #[must_use]
    pub const fn new(
        digest: DigestAlgorithm,
        mask_digest: DigestAlgorithm,
        salt_len: usize,
    ) -> Self {
        Self { digest, mask_digest, salt_len }
    }

    /// The signature algorithm with these parameters.
    #[must_use]
    pub fn algorithm(self) -> SignatureAlgorithm {
        if self.mask_digest == self.digest && self.salt_len == self.digest.output_len() {
            SignatureAlgorithm::RsaPss(self.digest)
        } else {
            SignatureAlgorithm::RsaPssWith(self)
        }
    }

    /// Whether a key with these parameters in its certificate may make a signature
    /// with `other` (RFC 4055, 1.2): the same digests, and no shorter salt.
    pub(crate) fn allow(self, other: Self) -> bool {
        self.digest == other.digest
            && self.mask_digest == other.mask_digest
            && self.salt_len <= other.salt_len
    }

    /// Reads `RSASSA-PSS-params` (RFC 4055, 3.1). The inner digests can have NULL
    /// parameters or none. `None` if it is malformed or not supported.
    pub(crate) fn read(der: &[u8]) -> Option<Self> {
        let mut outer = SliceReader::new(der).ok()?;
        let params = AnyRef::decode(&mut outer).ok()?;
        if params.tag() != Tag::Sequence || !outer.is_finished() {
            return None;
        }
        let mut fields = SliceReader::new(params.value()).ok()?;
        // The defaults of RFC 4055.
        let mut read = Self::new(DigestAlgorithm::Sha1, DigestAlgorithm::Sha1, 20);
        while !fields.is_finished() {
            let tag = fields.peek_byte()?;
            let field = AnyRef::decode(&mut fields).ok()?;
            match tag {
                0xA0 => {
                    read.digest = DigestAlgorithm::from_algorithm_identifier(field.value()).ok()?;
                }
                0xA1 => {
                    let (oid, inner) = read_algorithm_identifier(field.value()).ok()?;
                    if oid != MGF1 {
                        return None;
                    }
                    read.mask_digest = DigestAlgorithm::from_algorithm_identifier(inner?).ok()?;
                }
                0xA2 => read.salt_len = usize::from(u16::from_der(field.value()).ok()?),
                0xA3 if u32::from_der(field.value()).ok()? == 1 => {}
                _ => return None,
            }
        }
        Some(read)
    }

    /// `RSASSA-PSS-params` (RFC 4055, 3.1). All tags are explicit. The trailer field
    /// has its default value, so DER omits it.
    pub(super) fn to_der(self) -> Vec<u8> {
        let hash = self.digest.algorithm_identifier_with_null();
        let mask_hash = self.mask_digest.algorithm_identifier_with_null();
        let mask = der::element(der::SEQUENCE, &[&der::object_identifier(MGF1), &mask_hash]);
        let salt_len = der::unsigned_integer(&self.salt_len.to_be_bytes());
        der::element(
            der::SEQUENCE,
            &[
                &der::element(der::context(0), &[&hash]),
                &der::element(der::context(1), &[&mask]),
                &der::element(der::context(2), &[&salt_len]),
            ],
        )
    }
}

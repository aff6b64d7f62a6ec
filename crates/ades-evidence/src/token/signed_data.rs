//! The SignedData around a `TSTInfo` (RFC 3161, 2.4.2), as spans.

use ades_core::Certificate;
use ades_core::asn1::ber::{Element, Reader};
use ades_core::asn1::der::{INTEGER, OCTET_STRING, OID, SEQUENCE, SET, context};

use crate::fields::next;

/// Maximum length of a token, in octets. Some contain long CRLs.
pub const MAX_LEN: usize = 16 * 1024 * 1024;
/// Maximum number of certificates in a token.
pub const MAX_CERTIFICATES: usize = 256;
/// Maximum number of segments of the content.
const MAX_SEGMENTS: usize = 1024;

/// signedData (RFC 5652, 5.1)
pub(super) const SIGNED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2];
/// id-ct-TSTInfo (RFC 3161, 2.4.2)
pub(super) const TST_INFO: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 1, 4];
/// An `OCTET STRING` in segments.
pub(super) const SEGMENTED: u8 = 0x24;

/// The parts of a token.
pub(super) struct SignedData<'a> {
    /// The octets of the `TSTInfo`.
    pub(super) content: Vec<u8>,
    certificates: Option<Element<'a>>,
    /// The elements of signerInfos; `None` if they are missing.
    pub(super) signers: Option<Reader<'a>>,
}

impl<'a> SignedData<'a> {
    /// `None` if it is not a token.
    pub(super) fn read(octets: &'a [u8]) -> Option<Self> {
        if octets.len() > MAX_LEN {
            return None;
        }
        let mut content_info = next(&mut Reader::new(octets, 0), SEQUENCE)?.children();
        is_oid(&content_info.try_next().ok()??, SIGNED_DATA)?;
        let wrapped = next(&mut content_info, context(0))?;
        let mut fields = next(&mut wrapped.children(), SEQUENCE)?.children();
        next(&mut fields, INTEGER)?; // version
        next(&mut fields, SET)?; // digestAlgorithms
        let mut content = next(&mut fields, SEQUENCE)?.children();
        is_oid(&content.try_next().ok()??, TST_INFO)?;
        let wrapped = next(&mut content, context(0))?;
        let content = octet_string(&wrapped.children().try_next().ok()??)?;
        let certificates = fields.next_if(context(0)).ok()?;
        fields.next_if(context(1)).ok()?; // crls
        let signers = next(&mut fields, SET).map(|set| set.children());
        Some(Self { content, certificates, signers })
    }

    /// The certificates in it, as far as they are X.509 and can be read.
    pub(super) fn certificates(&self) -> Vec<Certificate> {
        let mut found = Vec::new();
        let Some(set) = &self.certificates else { return found };
        let mut all = set.children();
        while let Ok(Some(one)) = all.try_next() {
            if found.len() == MAX_CERTIFICATES {
                break;
            }
            // Other kinds of certificates have other tags (RFC 5652, 10.2.2).
            if one.tag == SEQUENCE {
                found.extend(Certificate::from_der(one.raw));
            }
        }
        found
    }
}

fn is_oid(element: &Element<'_>, oid: &[u8]) -> Option<()> {
    (element.tag == OID && element.content == oid).then_some(())
}

fn octet_string(element: &Element<'_>) -> Option<Vec<u8>> {
    match element.tag {
        OCTET_STRING => Some(element.content.to_vec()),
        SEGMENTED => {
            let segments = element.children().all(MAX_SEGMENTS).ok()?;
            let primitive = segments.iter().all(|segment| segment.tag == OCTET_STRING);
            primitive.then(|| segments.iter().flat_map(|s| s.content).copied().collect())
        }
        _ => None,
    }
}

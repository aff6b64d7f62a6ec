//! Evidence that the targets add to signatures. It has the right structure, and nobody signed it.

use ades_core::Digest;
use ades_core::asn1::der::{self, OCTET_STRING, OID, SEQUENCE, SET, context, element};

/// signedData (RFC 5652, 5.1)
const SIGNED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2];
/// id-ct-TSTInfo (RFC 3161, 2.4.2)
const TST_INFO: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 1, 4];
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// A token over this digest, whose signature is not one.
pub(crate) fn token(imprint: &Digest) -> Vec<u8> {
    let algorithm = imprint.algorithm().algorithm_identifier();
    let imprint = element(SEQUENCE, &[&algorithm, &element(OCTET_STRING, &[imprint.value()])]);
    let one = der::unsigned_integer(&[1]);
    let oid = |content: &[u8]| element(OID, &[content]);
    let time = element(GENERALIZED_TIME, &[b"20260101000000Z"]);
    let info = element(SEQUENCE, &[&one, &oid(&[42]), &imprint, &one, &time]);
    let content = element(context(0), &[&element(OCTET_STRING, &[&info])]);
    let content = element(SEQUENCE, &[&oid(TST_INFO), &content]);
    let name = element(SEQUENCE, &[&element(SEQUENCE, &[]), &one]);
    let other = element(SEQUENCE, &[&oid(&[42])]);
    let value = element(OCTET_STRING, &[b"value"]);
    let signer = element(SEQUENCE, &[&one, &name, &algorithm, &other, &value]);
    let (set, signers) = (element(SET, &[]), element(SET, &[&signer]));
    let signed_data = element(SEQUENCE, &[&one, &set, &content, &signers]);
    element(SEQUENCE, &[&oid(SIGNED_DATA), &element(context(0), &[&signed_data])])
}

/// A CRL without entries.
pub(crate) fn crl() -> Vec<u8> {
    let algorithm = element(SEQUENCE, &[&element(OID, &[&[42]])]);
    let time = element(UTC_TIME, &[b"200101000000Z"]);
    let list = element(SEQUENCE, &[&algorithm, &element(SEQUENCE, &[]), &time]);
    element(SEQUENCE, &[&list, &algorithm, &element(3, &[&[0, 1]])])
}

//! Memory for hostile containers: verifying one of the maximum length needs less
//! than the 128 MiB that the documentation states. There is only one test, because
//! the allocator counts for the whole process.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use ades_core::Document;
use ades_core::asn1::der::{OCTET_STRING, OID, SEQUENCE, SET, context, element};
use cades::container::{MAX_CERTIFICATES_LEN, MAX_HELD, MAX_LISTED, MAX_SIGNED_ATTRIBUTES_LEN};
use cades::{Error, Limit, VerifyOptions};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Maximum of allocated memory in MB, without the container itself. The rest of
/// the 128 MiB is for the program.
const MAX_ALLOCATED: f32 = 112.0;

const UTF8: u8 = 0x0C;
const SMIME: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 2];
const PKCS9: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9];
const SIGNED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2];
const DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 1];
const SIGNER_ATTRIBUTES_V2: &[u8] = &[4, 0, 0x81, 0x95, 0x32, 1, 1];
const TITLE: &[u8] = &[0x55, 4, 0x0C];

fn oid(prefix: &[u8], last: &[u8]) -> Vec<u8> {
    element(OID, &[prefix, last])
}

fn attribute(kind: &[u8], values: &[u8]) -> Vec<u8> {
    element(SEQUENCE, &[kind, &element(SET, &[values])])
}

fn signer(signed: &[u8], unsigned: &[u8]) -> Vec<u8> {
    let sid = element(SEQUENCE, &[&[0x30, 0], &[2, 1, 1]]);
    let sha256 = element(SEQUENCE, &[&element(OID, &[&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1]])]);
    let rsa = element(SEQUENCE, &[&oid(&PKCS9[..6], &[1, 1, 11]), &[5, 0]]);
    let (signed, unsigned) = (element(context(0), &[signed]), element(context(1), &[unsigned]));
    let value = element(OCTET_STRING, &[&[1]]);
    element(SEQUENCE, &[&[2, 1, 1], &sid, &sha256, &signed, &rsa, &value, &unsigned])
}

fn container(certificates: &[u8], signers: &[u8]) -> Vec<u8> {
    let data = [
        &[2, 1, 1][..],
        &element(SET, &[]),
        &element(SEQUENCE, &[&element(OID, &[DATA])]),
        &element(context(0), &[certificates]),
        &element(SET, &[signers]),
    ]
    .concat();
    let data = element(context(0), &[&element(SEQUENCE, &[&data])]);
    element(SEQUENCE, &[&element(OID, &[SIGNED_DATA]), &data])
}

fn roles(count: usize, role: &str) -> Vec<u8> {
    let role = element(UTF8, &[role.as_bytes()]);
    let role = element(SEQUENCE, &[&element(OID, &[TITLE]), &element(SET, &[&role])]);
    let claimed = element(context(0), &[&element(SEQUENCE, &[&role.repeat(count)])]);
    attribute(&element(OID, &[SIGNER_ATTRIBUTES_V2]), &element(SEQUENCE, &[&claimed]))
}

/// As many signers with these signed attributes as fit.
fn many(signed: &[u8]) -> Vec<u8> {
    let one = signer(signed, &[]);
    let most = usize::try_from(MAX_HELD).unwrap() - 4096;
    container(&[], &one.repeat((most / one.len()).min(256)))
}

/// A certificate that is well-formed, with names of this length.
fn certificate(serial: u16, len: usize) -> Vec<u8> {
    let name =
        element(SEQUENCE, &[&element(OID, &[&[0x55, 4, 3]]), &element(UTF8, &[&vec![b'x'; len]])]);
    let name = element(SEQUENCE, &[&element(SET, &[&name])]);
    let rsa = element(SEQUENCE, &[&oid(&PKCS9[..6], &[1, 1, 11]), &[5, 0]]);
    let time = element(0x17, &[b"200101000000Z"]);
    let key = element(SEQUENCE, &[&[2, 3, 0, 0x80, 1], &[2, 3, 1, 0, 1]]);
    let kind = element(SEQUENCE, &[&oid(&PKCS9[..6], &[1, 1, 1]), &[5, 0]]);
    let key = element(SEQUENCE, &[&kind, &element(3, &[&[0], &key])]);
    let validity = element(SEQUENCE, &[&time, &time]);
    let serial = element(2, &[&[1], &serial.to_be_bytes()]);
    let tbs = element(SEQUENCE, &[&serial, &rsa, &name, &validity, &name, &key]);
    element(SEQUENCE, &[&tbs, &rsa, &[3, 2, 0, 1]])
}

/// Verifies the container and measures.
fn verify(what: &str, octets: &[u8]) -> Result<cades::report::Report, Error> {
    assert!(octets.len() as u64 <= MAX_HELD, "{what}: {} octets", octets.len());
    let before = ALLOCATOR.current_usage_as_mb();
    ALLOCATOR.reset_peak_usage();
    let report = cades::verify(&mut Document::from_bytes(octets), VerifyOptions::new());
    let json = report.as_ref().map(|report| serde_json::to_value(report).unwrap());
    let allocated = ALLOCATOR.peak_usage_as_mb() - before;
    assert!(allocated < MAX_ALLOCATED, "{what} allocated {allocated} MB for {json:.100?}");
    report
}

#[test]
fn hostile_containers_need_less_than_is_stated() {
    let listed = |result: Result<_, Error>| {
        assert!(matches!(result, Err(Error::Limit { limit: Limit::Listed })), "{result:?}");
    };
    let report = verify("roles", &container(&[], &signer(&roles(MAX_LISTED - 1, "a"), &[])));
    assert_eq!(report.unwrap().signatures[0].signer_roles.len(), MAX_LISTED - 1);
    listed(verify("a million roles", &container(&[], &signer(&roles(1_000_000, "a"), &[]))));
    listed(verify("roles of all signers", &many(&roles(20_000, "a"))));
    listed(verify(
        "one long role",
        &container(&[], &signer(&roles(1, &"a".repeat(15 << 20)), &[])),
    ));

    // Each of the other attributes, with as many values as one may have.
    let [time, commitment, policy] = [[9, 5].as_slice(), &[16], &[15]].map(|last| match last {
        [9, last] => oid(PKCS9, &[*last]),
        last => oid(SMIME, last),
    });
    let id = element(OID, &[&[42, 3, 4]]);
    let sha256 = element(SEQUENCE, &[&element(OID, &[&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1]])]);
    let hash = element(SEQUENCE, &[&sha256, &element(OCTET_STRING, &[&[7; 32]])]);
    let location = element(SEQUENCE, &[&element(context(0), &[&element(UTF8, &[b"BE"])])]);
    for (name, kind, value) in [
        ("times", time, element(0x17, &[b"260101000000Z"])),
        ("commitments", commitment, element(SEQUENCE, &[&id])),
        ("policies", policy, element(SEQUENCE, &[&id, &hash])),
        ("locations", oid(SMIME, &[17]), location),
        ("media types", element(OID, &[&[4, 0, 0x8D, 0x45, 2, 1]]), element(UTF8, &[b"a/b"])),
        ("hints", oid(SMIME, &[4]), element(SEQUENCE, &[&element(UTF8, &[b"d"]), &id])),
    ] {
        listed(verify(name, &many(&attribute(&kind, &value.repeat(4096)).repeat(4))));
    }
    let ids = element(SEQUENCE, &[&element(OCTET_STRING, &[&[7; 32]])]).repeat(400_000);
    let ids = element(SEQUENCE, &[&element(SEQUENCE, &[&ids])]);
    let ids = container(&[], &signer(&attribute(&oid(SMIME, &[47]), &ids), &[]));
    verify("certificate identifiers", &ids).unwrap();

    let unsigned = attribute(&id, &[]).repeat(4096);
    listed(verify("unsigned attributes", &container(&[], &signer(&[], &unsigned).repeat(256))));
    let long = attribute(&id, &element(OCTET_STRING, &[&vec![7; (16 << 20) - 64]]));
    assert!(long.len() < MAX_SIGNED_ATTRIBUTES_LEN - 16);
    verify("long attributes", &container(&[], &signer(&long, &[]).repeat(3))).unwrap();
    // Not in DER order, so that the attributes are sorted.
    let two = [attribute(&id, &element(OCTET_STRING, &[&vec![7; 8 << 20]])), attribute(&id, &[])];
    verify("attributes that are not DER", &container(&[], &signer(&two.concat(), &[]).repeat(7)))
        .unwrap();
    let certificates: Vec<_> = (0..4000).map(|at| certificate(at, 1900)).collect();
    let certificates = certificates.concat();
    assert!((MAX_CERTIFICATES_LEN / 10 * 9..MAX_CERTIFICATES_LEN).contains(&certificates.len()));
    let unsigned = attribute(&id, &element(OCTET_STRING, &[&vec![7; 40 << 20]]));
    let report = verify("certificates", &container(&certificates, &signer(&[], &unsigned)));
    assert_eq!(report.unwrap().certificates, 4000);
    let most = certificates.repeat(2);
    let most = verify("more certificates", &container(&most, &[]));
    assert!(most.is_err(), "{most:?}");
}

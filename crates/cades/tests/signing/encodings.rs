//! Signed attributes that were sent as BER. The value is over their DER, whatever
//! was sent (RFC 5652, 5.4).

use ades_core::asn1::ber::Reader;
use ades_core::asn1::der::{OCTET_STRING, SEQUENCE, SET, context, element};
use ades_core::{DigestAlgorithm, SignatureAlgorithm, ToBeSigned};
use cades::Packaging;
use cades::report::{Problem, Report};

use crate::signer::{Signer, verify};

const CONTENT: &[u8] = b"signed content";
/// An attribute type of ours, 1.2.3.4.
const OWN: &[u8] = &[6, 3, 42, 3, 4];
const MESSAGE_DIGEST: &[u8] = &[6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 4];

/// The elements in the content of an element.
fn children(octets: &[u8]) -> Vec<Vec<u8>> {
    let element = Reader::new(octets, 0).next("an element").unwrap();
    element.children().all(100).unwrap().iter().map(|child| child.raw.to_vec()).collect()
}

fn indefinite(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, 0x80], content, &[0, 0]].concat()
}

fn long(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84], &length[..], content].concat()
}

/// A container whose signed attributes are sent as `sent`, without a tag, and
/// whose value is over `signed`.
fn container(
    sent: &dyn Fn(&[Vec<u8>]) -> Vec<u8>,
    signed: &dyn Fn(&[Vec<u8>]) -> Vec<u8>,
) -> Report {
    let signer = Signer::new(1);
    let container = signer.container(CONTENT, Packaging::Enveloping);
    let mut info = children(&container);
    let mut data = children(&children(&info[1])[0]);
    let mut fields = children(&children(data.last().unwrap())[0]);
    let attributes = children(&fields[3]);
    let algorithm = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256);
    let mut tbs = signed(&attributes);
    tbs[0] = SET;
    fields[3] = sent(&attributes);
    fields[3][0] = context(0);
    fields[5] = element(OCTET_STRING, &[&signer.sign(&ToBeSigned::new(tbs, algorithm))]);
    *data.last_mut().unwrap() = element(SET, &[&element(SEQUENCE, &[&fields.concat()])]);
    info[1] = element(context(0), &[&element(SEQUENCE, &[&data.concat()])]);
    verify(&element(SEQUENCE, &[&info.concat()]), None)
}

/// One form of the same attributes: how they are sent, and their DER.
struct Form {
    name: &'static str,
    sent: fn(&[Vec<u8>]) -> Vec<u8>,
    der: fn(&[Vec<u8>]) -> Vec<u8>,
}

fn in_order(attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut attributes = attributes.to_vec();
    attributes.sort();
    element(SET, &[&attributes.concat()])
}

/// The attributes with one more, whose value is this.
fn with(attributes: &[Vec<u8>], value: &[u8]) -> Vec<Vec<u8>> {
    let one = element(SEQUENCE, &[OWN, &element(SET, &[value])]);
    // The shortest attribute is the first in DER order.
    [&[one], attributes].concat()
}

/// The attributes with message-digest's value in another form.
fn with_digest(attributes: &[Vec<u8>], form: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut attributes = attributes.to_vec();
    for attribute in &mut attributes {
        let parts = children(attribute);
        if parts[0] == MESSAGE_DIGEST {
            let digest = &children(&parts[1])[0][2..];
            *attribute = element(SEQUENCE, &[MESSAGE_DIGEST, &element(SET, &[&form(digest)])]);
        }
    }
    element(SET, &[&attributes.concat()])
}

const FORMS: &[Form] = &[
    Form {
        name: "in descending order",
        sent: |attributes| {
            let reversed: Vec<_> = attributes.iter().rev().cloned().collect();
            element(SET, &[&reversed.concat()])
        },
        der: in_order,
    },
    Form {
        name: "of indefinite length",
        sent: |attributes| indefinite(SET, &attributes.concat()),
        der: in_order,
    },
    Form {
        name: "with a length in more octets than needed",
        sent: |attributes| long(SET, &attributes.concat()),
        der: in_order,
    },
    Form {
        name: "with an attribute of indefinite length",
        sent: |attributes| {
            let [first, rest @ ..] = attributes else { panic!("no attributes") };
            let first = indefinite(SEQUENCE, &children(first).concat());
            element(SET, &[&first, &rest.concat()])
        },
        der: in_order,
    },
    Form {
        name: "with values of indefinite length",
        sent: |attributes| {
            let [first, rest @ ..] = attributes else { panic!("no attributes") };
            let parts = children(first);
            let values = indefinite(SET, &children(&parts[1]).concat());
            element(SET, &[&element(SEQUENCE, &[&parts[0], &values]), &rest.concat()])
        },
        der: in_order,
    },
    Form {
        name: "with a digest in segments",
        sent: |attributes| {
            with_digest(attributes, |digest| {
                let (one, two) = digest.split_at(7);
                let segments = [element(OCTET_STRING, &[one]), element(OCTET_STRING, &[two])];
                indefinite(0x24, &segments.concat())
            })
        },
        der: in_order,
    },
    Form {
        name: "with a digest whose length has more octets than needed",
        sent: |attributes| with_digest(attributes, |digest| long(OCTET_STRING, digest)),
        der: in_order,
    },
    Form {
        name: "with an unsorted set in a value",
        sent: |attributes| {
            let value = element(SET, &[&[2, 1, 9, 2, 1, 1]]);
            element(SET, &[&with(attributes, &value).concat()])
        },
        der: |attributes| {
            let value = element(SET, &[&[2, 1, 1, 2, 1, 9]]);
            in_order(&with(attributes, &value))
        },
    },
    Form {
        name: "with another octet for TRUE",
        sent: |attributes| element(SET, &[&with(attributes, &[1, 1, 1]).concat()]),
        der: |attributes| in_order(&with(attributes, &[1, 1, 0xFF])),
    },
];

#[test]
fn attributes_in_der_are_no_problem() {
    let report = container(&in_order, &in_order);
    assert!(report.is_valid(), "{report:?}");
}

#[test]
fn a_value_over_the_der_verifies_whatever_was_sent() {
    for Form { name, sent, der } in FORMS {
        let report = container(sent, der);
        let [signature] = report.signatures.as_slice() else { panic!("{report:?}") };
        assert!(signature.intact == Some(true), "{name}: {report:?}");
        assert_eq!(signature.problems, [Problem::SignedAttributesNotDer], "{name}");
    }
}

#[test]
fn a_value_over_the_octets_that_were_sent_does_not_verify() {
    for Form { name, sent, .. } in FORMS {
        let report = container(sent, sent);
        let [signature] = report.signatures.as_slice() else { panic!("{report:?}") };
        assert!(signature.intact != Some(true), "{name}: {report:?}");
        let problems = [Problem::SignedAttributesNotDer, Problem::SignatureInvalid];
        assert_eq!(signature.problems, problems, "{name}");
    }
}

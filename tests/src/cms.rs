//! CMS containers with other attributes than their signer chose. For containers in
//! DER with one signer.

use ades_core::{DigestAlgorithm, SignatureAlgorithm};

use crate::pki::TestSigner;

/// An attribute: its type, the whole OBJECT IDENTIFIER, and its one value.
#[must_use]
pub fn attribute(kind: &[u8], value: &[u8]) -> Vec<u8> {
    element(0x30, &[kind, &element(0x31, &[value])])
}

/// A container with one more unsigned attribute.
#[must_use]
pub fn with_unsigned_attribute(container: &[u8], attribute: &[u8]) -> Vec<u8> {
    edited(container, |parts| {
        let last = parts.last_mut().expect("a SignerInfo has fields");
        if last[0] == 0xA1 {
            *last = element(0xA1, &[content(last), attribute]);
        } else {
            parts.push(element(0xA1, &[attribute]));
        }
    })
}

/// A container whose signed attributes are others, signed again, with ECDSA.
#[must_use]
pub fn with_signed_attributes(
    container: &[u8],
    signer: &TestSigner,
    change: impl FnOnce(&mut Vec<Vec<u8>>),
) -> Vec<u8> {
    let mut attributes = signed_attributes(container);
    change(&mut attributes);
    // DER orders the elements of a SET OF (X.690, 11.6).
    attributes.sort();
    let set = element(0x31, &[&attributes.concat()]);
    with_encoded_attributes(container, signer, |_| set.clone(), |_| set.clone())
}

/// A container whose signed attributes are sent as one function returns them, and
/// signed again, with ECDSA, as the other does. Both return the whole SET.
#[must_use]
pub fn with_encoded_attributes(
    container: &[u8],
    signer: &TestSigner,
    sent: impl Fn(&[Vec<u8>]) -> Vec<u8>,
    signed: impl Fn(&[Vec<u8>]) -> Vec<u8>,
) -> Vec<u8> {
    let attributes = signed_attributes(container);
    edited(container, |parts| {
        let at = parts.iter().position(|part| part[0] == 0xA0).expect("signed attributes");
        // RFC 5652, 5.4: what is signed has the tag of a SET OF.
        let algorithm = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256);
        let value = signer.sign_message(algorithm, &signed(&attributes));
        parts[at] = [&[0xA0], &sent(&attributes)[1..]].concat();
        parts[at + 2] = element(0x04, &[&value]);
    })
}

/// The signed attributes of a container with one signer.
fn signed_attributes(container: &[u8]) -> Vec<Vec<u8>> {
    let mut attributes = Vec::new();
    edited(container, |parts| {
        let set = parts.iter().find(|part| part[0] == 0xA0).expect("signed attributes");
        attributes = children(content(set));
    });
    attributes
}

/// Whether an element contains these octets.
#[must_use]
pub fn contains(element: &[u8], octets: &[u8]) -> bool {
    element.windows(octets.len()).any(|window| window == octets)
}

/// The container with the fields of its `SignerInfo` changed.
fn edited(container: &[u8], change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let mut info = children(content(container));
    let mut data = children(content(content(&info[1])));
    let signers = data.last_mut().expect("SignedData has fields");
    let mut parts = children(content(content(signers)));
    change(&mut parts);
    *signers = element(0x31, &[&element(0x30, &[&parts.concat()])]);
    info[1] = element(0xA0, &[&element(0x30, &[&data.concat()])]);
    element(0x30, &[&info.concat()])
}

/// An element with a definite length.
#[must_use]
pub fn element(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let content = contents.concat();
    let mut out = vec![tag];
    if content.len() < 0x80 {
        out.push(content.len() as u8);
    } else {
        let len = content.len().to_be_bytes();
        let len = &len[len.iter().position(|octet| *octet != 0).unwrap_or(0)..];
        out.push(0x80 | len.len() as u8);
        out.extend_from_slice(len);
    }
    out.extend(content);
    out
}

/// The lengths of an element's head and of its content.
fn lengths(element: &[u8]) -> (usize, usize) {
    match element[1] {
        short @ 0..0x80 => (2, short.into()),
        long => {
            let head = 2 + usize::from(long & 0x7F);
            (head, element[2..head].iter().fold(0, |len, octet| len << 8 | usize::from(*octet)))
        }
    }
}

fn content(element: &[u8]) -> &[u8] {
    let (head, len) = lengths(element);
    &element[head..head + len]
}

fn children(mut content: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while !content.is_empty() {
        let (head, len) = lengths(content);
        let (child, rest) = content.split_at(head + len);
        all.push(child.to_vec());
        content = rest;
    }
    all
}

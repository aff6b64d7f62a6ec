//! Raises a container with the services of the test PKI.

use ades::{
    Advance, Document, ExtendOptions, Extension, Need, PendingState, Reached, Report, VerifyOptions,
};
use ades_core::Certificate;
use ades_core::asn1::ber::{Element, Reader};
use chrono::{DateTime, TimeDelta, Utc};

use super::Services;
use crate::cms;
use crate::oracle::certomancer::{Certomancer, Stamping};
use crate::pki::{Key, Pki, TestSigner};

/// countersignature (RFC 5652, 11.4)
const COUNTERSIGNATURE: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 6];

/// A time at which the test PKI is valid, after the signing time of the tests.
#[must_use]
pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + 3600, 0).unwrap()
}

/// One extension, and the services that it asks.
#[derive(Debug)]
pub struct Raising<'s> {
    /// The services.
    pub services: Services,
    signer: &'s TestSigner,
    trust: Vec<Certificate>,
    /// The service of certomancer that makes the time-stamps, if certomancer answers all needs.
    pub certomancer: Option<Stamping>,
    /// The document of a detached signature.
    pub original: Option<&'static [u8]>,
    /// What cannot be had, by the kind of need.
    pub broken: fn(&Need) -> bool,
    /// Whether the state is stored and restored before each step.
    pub is_stored: bool,
    /// Number of documents that were written.
    pub written: usize,
}

impl<'s> Raising<'s> {
    /// A signer, and the services of the shared PKI at [`now`].
    #[must_use]
    pub fn new(signer: &'s TestSigner) -> Self {
        let pki = Pki::shared();
        Self::with(pki, pki.issuing(), signer)
    }

    /// A signer of a PKI, with its services at [`now`] and a trust anchor.
    #[must_use]
    pub fn with(pki: &'static Pki, anchor: &Certificate, signer: &'s TestSigner) -> Self {
        Self {
            services: Services::new(pki, now()),
            signer,
            trust: vec![anchor.clone()],
            certomancer: None,
            original: None,
            broken: |_| false,
            is_stored: true,
            written: 0,
        }
    }

    /// A signer of certomancer, whose services answer, at [`now`].
    #[must_use]
    pub fn by_certomancer(anchor: &Certificate) -> Self {
        // Only the time of these services counts.
        let pki = Pki::shared();
        let certomancer = Some(Stamping::First);
        Self { certomancer, ..Self::with(pki, anchor, pki.signer(Key::P256)) }
    }

    /// Adds a trust anchor.
    pub fn trust(&mut self, anchor: &Certificate) {
        self.trust.push(anchor.clone());
    }

    /// The options of verifying.
    #[must_use]
    pub fn options(&self) -> VerifyOptions<'static> {
        let options = VerifyOptions::new().trust(&self.trust);
        match self.original {
            Some(original) => options.original(None, Document::from_bytes(original)),
            None => options,
        }
    }

    fn answer(&mut self, extension: &mut Extension, need: &Need) {
        let known = [self.signer.leaf()];
        let answer = match ((self.broken)(need), self.certomancer) {
            (true, _) => None,
            (false, None) => self.services.answer(need, &known),
            (false, Some(stamping)) => {
                Some(Certomancer::shared().answer(need, stamping, self.services.now).unwrap())
            }
        };
        match answer {
            Some(octets) => extension.answer(&need.id(), octets, self.services.now).unwrap(),
            None => extension.fail(&need.id(), "the service is down"),
        }
    }

    /// Raises a container.
    pub fn raise(&mut self, container: &[u8], options: ExtendOptions) -> (Vec<u8>, Reached) {
        self.try_raise(container, options).unwrap()
    }

    /// The same; an error if the extension fails.
    pub fn try_raise(
        &mut self,
        container: &[u8],
        options: ExtendOptions,
    ) -> Result<(Vec<u8>, Reached), ades::Error> {
        let mut current = container.to_vec();
        let mut extension = Extension::new(options.nonce_seed([7; 32]));
        for _ in 0..32 {
            if self.is_stored {
                let stored = extension.to_json(None).unwrap();
                extension = Extension::from_json(&stored, None).unwrap();
            }
            let mut out = Vec::new();
            let now = self.services.now;
            let step = {
                let mut document = Document::from_bytes(&current);
                extension.advance(&mut document, &mut self.options(), now, &mut out)
            };
            match step? {
                Advance::Needs(needs) => {
                    assert!(!needs.is_empty() && out.is_empty());
                    needs.iter().for_each(|need| self.answer(&mut extension, need));
                }
                Advance::Written => {
                    assert_kept(&current, &out);
                    current = out;
                    self.written += 1;
                    self.services.now += TimeDelta::seconds(1);
                }
                Advance::Done(reached) => return Ok((current, reached)),
                other => panic!("{other:?}"),
            }
        }
        panic!("it does not end")
    }

    /// Verifies at the present time.
    #[must_use]
    pub fn verify(&self, container: &[u8]) -> Report {
        self.verify_at(container, self.services.now)
    }

    /// Verifies at another time.
    #[must_use]
    pub fn verify_at(&self, container: &[u8], time: DateTime<Utc>) -> Report {
        ades::verify(&mut Document::from_bytes(container), self.options(), time).unwrap()
    }
}

/// What was there is there with its octets. In a container: each element of its innermost sets. In
/// XML: everything before and after one insertion. In a PDF: everything before an update, or what is
/// not the CMS in its placeholder.
///
/// # Panics
/// If octets were changed.
#[track_caller]
pub fn assert_kept(before: &[u8], after: &[u8]) {
    match before.first() {
        Some(0x30) => {
            for element in elements(before) {
                assert!(cms::contains(after, &element), "an element was changed");
            }
        }
        Some(b'<') => {
            let same = before.iter().zip(after).take_while(|(a, b)| a == b).count();
            let rest = &before[same..];
            assert!(after[same..].ends_with(rest), "more than an insertion");
        }
        _ if before.len() == after.len() => {
            let changed = |(at, (a, b)): (usize, (&u8, &u8))| (a != b).then_some(at);
            let changed: Vec<usize> =
                before.iter().zip(after).enumerate().filter_map(changed).collect();
            let [first, .., last] = changed[..] else { return };
            let placeholder = [&before[first..=last], &after[first..=last]].concat();
            assert!(placeholder.iter().all(u8::is_ascii_hexdigit), "more than one placeholder");
        }
        _ => assert!(after.starts_with(before), "more than an update"),
    }
}

/// The elements of certificates and crls, encapContentInfo, and those of each signer.
fn elements(container: &[u8]) -> Vec<Vec<u8>> {
    let whole = Reader::new(container, 0).next("ContentInfo").unwrap();
    let signed_data = children(&children(&whole)[1])[0];
    let mut kept = Vec::new();
    for field in children(&signed_data) {
        match field.tag {
            0xA0 | 0xA1 => kept.extend(children(&field).iter().map(|one| one.raw.to_vec())),
            // encapContentInfo
            0x30 => kept.push(field.raw.to_vec()),
            // digestAlgorithms as well, of which each part of each element is kept.
            0x31 => children(&field).iter().for_each(|signer| of_signer(signer, &mut kept)),
            _ => {}
        }
    }
    kept
}

/// The fields of a signer, its unsigned attributes, and the same of its countersignatures.
fn of_signer(signer: &Element<'_>, kept: &mut Vec<Vec<u8>>) {
    for field in children(signer) {
        if field.tag != 0xA1 {
            kept.push(field.raw.to_vec());
            continue;
        }
        for attribute in children(&field) {
            match children(&attribute)[..] {
                [kind, values] if kind.content == COUNTERSIGNATURE => {
                    children(&values).iter().for_each(|inner| of_signer(inner, kept));
                }
                _ => kept.push(attribute.raw.to_vec()),
            }
        }
    }
}

fn children<'a>(of: &Element<'a>) -> Vec<Element<'a>> {
    of.children().all(4096).unwrap()
}

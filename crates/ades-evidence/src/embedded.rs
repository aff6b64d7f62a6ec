//! Adds the evidence that formats embed to an [`Evidence`]: certificates, revocation
//! values and time-stamps, and what is inside time-stamps.
//!
//! Only outer structures are read. Values keep the octets that they have in the
//! container. What cannot be read is counted.

use ades_core::Certificate;
use ades_core::Digest;
use ades_core::DigestAlgorithm;
use ades_core::asn1::ber::{Element, Reader};
use ades_core::asn1::der::{INTEGER, OCTET_STRING, OID, SEQUENCE, SET, context};
use ades_core::facts::{
    Evidence, EvidencePlace, ImprintUndecided, Objects, RevocationForm, TimeStampFacts,
    TimeStampKind,
};
use ades_core::name;

use crate::token::Token;

/// id-ri-ocsp-response (RFC 5940, 2)
const OCSP_RESPONSE: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 0x10, 2];
/// id-pkix-ocsp-basic (RFC 6960, 4.2.1)
const OCSP_BASIC: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 0x30, 1, 1];
/// id-aa-ets-certValues (EN 319 122-1, A.1.1.2)
const CERTIFICATE_VALUES: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 0x10, 2, 23];
/// id-aa-ets-revocationValues (EN 319 122-1, A.1.2.2)
const REVOCATION_VALUES: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 0x10, 2, 24];

const BIT_STRING: u8 = 0x03;
const ENUMERATED: u8 = 0x0A;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `[0]`, primitive: a subject key identifier (RFC 5652, 5.3)
const KEY_IDENTIFIER: u8 = 0x80;

/// Maximum number of values in one set or list. Those after them are counted as left out
/// together.
const MAX_VALUES: usize = 16 * 1024;

/// A time-stamp that was added.
#[derive(Debug)]
#[non_exhaustive]
pub struct AddedTimeStamp {
    /// Its position; `None` if it is beyond the limits.
    pub position: Option<usize>,
    /// What the token says; `None` if it cannot be read.
    pub token: Option<Token>,
    /// The time-stamp and the evidence in it.
    pub objects: Objects,
}

impl AddedTimeStamp {
    /// States whether the imprint is the digest of what the time-stamp is over. `digest`
    /// computes that digest.
    pub fn compare(
        &self,
        evidence: &mut Evidence,
        digest: impl FnOnce(DigestAlgorithm) -> Result<Digest, ImprintUndecided>,
    ) {
        let imprint = self.imprint().and_then(|imprint| {
            let digest = digest(imprint.algorithm())?;
            Ok(digest == *imprint)
        });
        if let Some(facts) = self.position.and_then(|at| evidence.time_stamp_mut(at)) {
            facts.set_imprint(imprint);
        }
    }

    /// The imprint in the token.
    ///
    /// # Errors
    /// Why there is none.
    pub fn imprint(&self) -> Result<&Digest, ImprintUndecided> {
        let token = self.token.as_ref().ok_or(ImprintUndecided::TokenMalformed)?;
        token.imprint.as_ref().ok_or(ImprintUndecided::UnsupportedAlgorithm)
    }
}

/// Adds a time-stamp token, and the certificates and revocation values in it.
pub fn add_time_stamp(
    evidence: &mut Evidence,
    kind: TimeStampKind,
    octets: &[u8],
) -> AddedTimeStamp {
    let mark = evidence.mark();
    let token = Token::read(octets);
    let mut facts = TimeStampFacts::new(kind, octets);
    facts.time = token.as_ref().map(|token| token.time);
    let position = evidence.add_time_stamp(facts);
    if let (Some(position), Some(inside)) = (position, SignedData::read(octets)) {
        let mark = evidence.mark();
        inside.add_to(evidence, EvidencePlace::TimeStamp(position));
        let signer = inside.signer_certificate(evidence, &evidence.since(mark));
        let tsa = signer.and_then(Certificate::common_name).map(ToOwned::to_owned);
        let until = signer.map(|signer| signer.validity().1);
        if let Some(facts) = evidence.time_stamp_mut(position) {
            (facts.tsa, facts.tsa_until) = (tsa, until);
        }
    }
    AddedTimeStamp { position, token, objects: evidence.since(mark) }
}

/// Adds a `RevocationInfoChoice` (RFC 5652, 10.2.1).
pub fn add_revocation_info(evidence: &mut Evidence, choice: &Element<'_>, place: EvidencePlace) {
    let value = match choice.tag {
        SEQUENCE => Some(choice.raw),
        tag if tag == context(1) => other_revocation_info(choice),
        _ => None,
    };
    match value {
        Some(value) => add_revocation_value(evidence, value, place),
        None => evidence.add_unreadable(1),
    }
}

/// `OtherRevocationInfoFormat`, if it is an OCSP response.
fn other_revocation_info<'a>(choice: &Element<'a>) -> Option<&'a [u8]> {
    let mut fields = choice.children();
    let kind = next(&mut fields, OID)?;
    let value = fields.try_next().ok()??;
    [OCSP_RESPONSE, OCSP_BASIC].contains(&kind.content).then_some(value.raw)
}

/// Adds the certificates of a `CertificateValues` (EN 319 122-1, A.1.1.2).
pub fn add_certificate_values(evidence: &mut Evidence, value: &[u8], place: EvidencePlace) {
    match whole(value, SEQUENCE) {
        Some(list) => each(evidence, &list, |evidence, one| {
            evidence.add_certificate(one.raw, place);
        }),
        None => evidence.add_unreadable(1),
    }
}

/// Adds the values of a `RevocationValues` (EN 319 122-1, A.1.2.2) or of a
/// `RevocationInfoArchival` (ISO 32000-2, 12.8.3.3.2): both have CRLs in `[0]` and OCSP
/// responses in `[1]`.
pub fn add_revocation_values(evidence: &mut Evidence, value: &[u8], place: EvidencePlace) {
    let Some(values) = whole(value, SEQUENCE) else {
        return evidence.add_unreadable(1);
    };
    each(evidence, &values, |evidence, tagged| {
        let list = tagged.children().try_next().ok().flatten();
        match list.filter(|list| list.tag == SEQUENCE) {
            Some(list) if tagged.tag == context(0) || tagged.tag == context(1) => {
                each(evidence, &list, |evidence, one| {
                    add_revocation_value(evidence, one.raw, place);
                });
            }
            _ => evidence.add_unreadable(1),
        }
    });
}

/// Adds a CRL or an OCSP response.
pub fn add_revocation_value(evidence: &mut Evidence, octets: &[u8], place: EvidencePlace) {
    evidence.add_revocation_value(revocation_form(octets), octets, place);
}

/// The form of a revocation value by its outermost structure. `None` if it is neither a
/// CRL nor a successful OCSP response.
#[must_use]
pub fn revocation_form(octets: &[u8]) -> Option<RevocationForm> {
    let value = whole(octets, SEQUENCE)?;
    let mut fields = value.children();
    let first = fields.try_next().ok()??;
    if first.tag != ENUMERATED {
        return form_of_signed(&value);
    }
    // Without `successful`, there is no response in it.
    let mut bytes = next(&mut fields, context(0)).filter(|_| first.content == [0])?.children();
    let mut bytes = next(&mut bytes, SEQUENCE)?.children();
    next(&mut bytes, OID).filter(|kind| kind.content == OCSP_BASIC)?;
    let basic = next(&mut bytes, OCTET_STRING)?.content;
    let form = form_of_signed(&whole(basic, SEQUENCE)?)?;
    (form == RevocationForm::BasicOcspResponse).then_some(RevocationForm::OcspResponse)
}

/// A CRL or a `BasicOCSPResponse`: data, algorithm and signature.
fn form_of_signed(value: &Element<'_>) -> Option<RevocationForm> {
    let mut fields = value.children();
    let data = next(&mut fields, SEQUENCE)?;
    next(&mut fields, SEQUENCE)?; // signatureAlgorithm
    next(&mut fields, BIT_STRING)?;
    let crl = is_crl(&data).map(|()| RevocationForm::Crl);
    crl.or_else(|| is_response_data(&data).map(|()| RevocationForm::BasicOcspResponse))
}

/// `TBSCertList`
fn is_crl(list: &Element<'_>) -> Option<()> {
    let mut fields = list.children();
    fields.next_if(INTEGER).ok()?; // version
    next(&mut fields, SEQUENCE)?; // signature
    next(&mut fields, SEQUENCE)?; // issuer
    let this_update = fields.try_next().ok()??;
    [UTC_TIME, GENERALIZED_TIME].contains(&this_update.tag).then_some(())
}

/// `ResponseData`
fn is_response_data(data: &Element<'_>) -> Option<()> {
    let mut fields = data.children();
    fields.next_if(context(0)).ok()?; // version
    let responder = fields.try_next().ok()??;
    let by_name_or_key = responder.tag == context(1) || responder.tag == context(2);
    next(&mut fields, GENERALIZED_TIME).filter(|_| by_name_or_key)?; // producedAt
    next(&mut fields, SEQUENCE).map(|_| ())
}

/// The values of an unsigned attribute of the first signer of a SignedData.
#[must_use]
pub fn unsigned_attribute<'a>(signed_data: &'a [u8], kind: &[u8]) -> Vec<Element<'a>> {
    SignedData::read(signed_data).map(|read| read.unsigned(kind)).unwrap_or_default()
}

/// Spans of a SignedData (RFC 5652, 5.1).
struct SignedData<'a> {
    certificates: Option<Element<'a>>,
    crls: Option<Element<'a>>,
    /// The first `SignerInfo`.
    signer: Option<Element<'a>>,
}

impl<'a> SignedData<'a> {
    fn read(content_info: &'a [u8]) -> Option<Self> {
        let mut content_info = whole(content_info, SEQUENCE)?.children();
        next(&mut content_info, OID)?;
        let mut fields = next(&mut content_info, context(0))?.children();
        let mut fields = next(&mut fields, SEQUENCE)?.children();
        next(&mut fields, INTEGER)?; // version
        next(&mut fields, SET)?; // digestAlgorithms
        next(&mut fields, SEQUENCE)?; // encapContentInfo
        let certificates = fields.next_if(context(0)).ok()?;
        let crls = fields.next_if(context(1)).ok()?;
        let signer = next(&mut fields, SET)?.children().try_next().ok()?;
        Some(Self { certificates, crls, signer })
    }

    /// Adds its certificates and revocation values, and those in the unsigned attributes
    /// of its first signer: there, older time-stamps have them (TS 101 733, 6.4.1).
    fn add_to(&self, evidence: &mut Evidence, place: EvidencePlace) {
        if let Some(set) = &self.certificates {
            each(evidence, set, |evidence, one| {
                // Other kinds of certificates have other tags.
                if one.tag == SEQUENCE {
                    evidence.add_certificate(one.raw, place);
                }
            });
        }
        if let Some(set) = &self.crls {
            each(evidence, set, |evidence, one| add_revocation_info(evidence, one, place));
        }
        for value in self.unsigned(CERTIFICATE_VALUES) {
            add_certificate_values(evidence, value.raw, place);
        }
        for value in self.unsigned(REVOCATION_VALUES) {
            add_revocation_values(evidence, value.raw, place);
        }
    }

    /// The certificate of the first signer, which is among `objects`.
    fn signer_certificate<'e>(
        &self,
        evidence: &'e Evidence,
        objects: &Objects,
    ) -> Option<&'e Certificate> {
        let mut fields = self.signer?.children();
        next(&mut fields, INTEGER)?; // version
        let sid = fields.try_next().ok()??;
        let mut parts = sid.children();
        let named = (sid.tag == SEQUENCE).then(|| (parts.try_next(), parts.try_next()));
        let mut inside =
            objects.certificates.iter().filter_map(|at| evidence.certificates().get(at));
        let found = inside.find(|one| match (&named, sid.tag) {
            (Some((Ok(Some(issuer)), Ok(Some(serial)))), _) => {
                serial.raw == one.certificate.serial_number()
                    && name::is_same(issuer.raw, one.certificate.issuer())
            }
            (None, KEY_IDENTIFIER) => one.certificate.subject_key_id() == Some(sid.content),
            _ => false,
        });
        found.map(|found| &found.certificate)
    }

    /// The values of an unsigned attribute of the first signer.
    fn unsigned(&self, kind: &[u8]) -> Vec<Element<'a>> {
        self.unsigned_values(kind).unwrap_or_default()
    }

    fn unsigned_values(&self, kind: &[u8]) -> Option<Vec<Element<'a>>> {
        let mut values = Vec::new();
        let fields = self.signer?.children().all(8).ok()?;
        let attributes = fields.last().filter(|last| last.tag == context(1))?;
        let mut attributes = attributes.children();
        while let Some(attribute) = attributes.try_next().ok()? {
            let mut fields = attribute.children();
            let found = next(&mut fields, OID)?;
            if found.content == kind {
                values.extend(next(&mut fields, SET)?.children().all(MAX_VALUES).ok()?);
            }
        }
        Some(values)
    }
}

/// Passes each element of a set or list to `take`. Elements after a malformed one are
/// lost, and counted as one.
fn each(
    evidence: &mut Evidence,
    list: &Element<'_>,
    mut take: impl FnMut(&mut Evidence, &Element<'_>),
) {
    let mut elements = list.children();
    for _ in 0..MAX_VALUES {
        match elements.try_next() {
            Ok(Some(element)) => take(evidence, &element),
            Ok(None) => return,
            Err(_) => return evidence.add_unreadable(1),
        }
    }
    if !elements.is_empty() {
        evidence.add_left_out(1);
    }
}

/// The element that the octets are, without others after it.
fn whole(octets: &[u8], tag: u8) -> Option<Element<'_>> {
    let mut reader = Reader::new(octets, 0);
    next(&mut reader, tag).filter(|_| reader.is_empty())
}

fn next<'a>(reader: &mut Reader<'a>, tag: u8) -> Option<Element<'a>> {
    reader.try_next().ok()?.filter(|element| element.tag == tag)
}

//! Reads the values of signed attributes (EN 319 122-1 clauses 5.1 and 5.2,
//! RFC 5652 clause 11, RFC 5035, RFC 6211).
//!
//! The values are DER, and are read as spans: decoding a value with a million
//! elements into a tree takes a multiple of its octets.

use ades_core::asn1::ber::{Element, Reader};
use ades_core::asn1::der;
use ades_core::asn1::text::{IA5_STRING, UTF8_STRING, text};
use ades_core::{CommitmentType, Digest, DigestAlgorithm, Oid, SignatureAlgorithm, SignerLocation};

use crate::error::Error;
use crate::listing::Listing;
use crate::oids;
use crate::report::PolicyReport;

/// The algorithms in cms-algorithm-protection.
#[derive(Debug)]
pub(super) struct ProtectedAlgorithms {
    pub(super) digest: Option<Oid>,
    pub(super) signature: Option<Oid>,
    /// The signature algorithm with its parameters, if it is supported.
    pub(super) algorithm: Option<SignatureAlgorithm>,
}

/// The elements of a SEQUENCE.
fn sequence<'a>(element: &Element<'a>) -> Option<Reader<'a>> {
    (element.tag == der::SEQUENCE).then(|| element.children())
}

/// The next element, if there is one and it is well-formed.
fn next<'a>(fields: &mut Reader<'a>) -> Option<Element<'a>> {
    fields.try_next().ok()?
}

/// The content of the next element, if it has the tag `[number]`; `None` inside
/// if it has another one. Tags are explicit (EN 319 122-1, annex D).
fn explicit<'a>(fields: &mut Reader<'a>, number: u8) -> Option<Option<Element<'a>>> {
    let Some(tagged) = fields.next_if(der::context(number)).ok()? else {
        return Some(None);
    };
    let mut inside = tagged.children();
    let element = next(&mut inside)?;
    inside.is_empty().then_some(Some(element))
}

pub(super) fn oid(element: &Element<'_>) -> Option<Oid> {
    (element.tag == der::OID).then(|| Oid::from_bytes(element.content).ok())?
}

/// `CMSAlgorithmProtection` (RFC 6211). Its OIDs are compared with those of
/// SignerInfo, and so is the algorithm as a whole if it is supported. NULL and
/// absent parameters are the same algorithm.
pub(super) fn protected_algorithms(value: &Element<'_>) -> Option<ProtectedAlgorithms> {
    let mut fields = value.children();
    let digest = next(&mut fields)?;
    let signature = fields.next_if(der::context(1)).ok()?;
    let first_oid = |e: &Element<'_>| Oid::from_bytes(next(&mut e.children())?.content).ok();
    let digest_algorithm = DigestAlgorithm::from_algorithm_identifier(digest.raw).ok();
    let algorithm = signature.zip(digest_algorithm).and_then(|(signature, digest)| {
        let identifier = der::element(der::SEQUENCE, &[signature.content]);
        SignatureAlgorithm::from_algorithm_identifier(&identifier, digest).ok()
    });
    let signature = signature.as_ref().and_then(first_oid);
    Some(ProtectedAlgorithms { digest: first_oid(&digest), signature, algorithm })
}

/// `CommitmentTypeIndication` (EN 319 122-1, 5.2.3)
pub(super) fn commitment(value: &Element<'_>) -> Option<CommitmentType> {
    oid(&next(&mut sequence(value)?)?).map(CommitmentType)
}

/// The description in `ContentHints` (RFC 2634, 2.9), which is optional.
pub(super) fn description<'a>(value: &Element<'a>) -> Option<Option<Element<'a>>> {
    let mut fields = sequence(value)?;
    let description = fields.next_if(UTF8_STRING).ok()?;
    oid(&next(&mut fields)?)?;
    fields.is_empty().then_some(description)
}

/// `MimeType` (EN 319 122-1, 5.2.4.3)
pub(super) fn mime_type<'a>(value: &Element<'a>) -> Option<Element<'a>> {
    (value.tag == UTF8_STRING).then_some(*value)
}

/// The values of the claimed attributes in `SignerAttributeV2` (EN 319 122-1,
/// 5.2.6.1), which are roles if they are texts. `None` if they are malformed.
pub(super) fn claimed_values<'a>(
    value: &Element<'a>,
    take: &mut dyn FnMut(&Element<'a>) -> Result<(), Error>,
) -> Result<Option<()>, Error> {
    let claimed = sequence(value).and_then(|mut fields| explicit(&mut fields, 0));
    let Some(claimed) = claimed else {
        return Ok(None);
    };
    let Some(mut attributes) = claimed.map_or(Some(Reader::new(&[], 0)), |c| sequence(&c)) else {
        return Ok(None);
    };
    while let Some(attribute) = attributes.try_next()? {
        let mut fields = attribute.children();
        let (Some(_), Some(values)) = (next(&mut fields), next(&mut fields)) else {
            return Ok(None);
        };
        let mut values = values.children();
        while let Some(value) = values.try_next()? {
            take(&value)?;
        }
    }
    Ok(Some(()))
}

/// `SignerLocation` (EN 319 122-1, 5.2.5)
pub(super) fn location(
    value: &Element<'_>,
    listing: &mut Listing,
) -> Result<Option<SignerLocation>, Error> {
    let fields = sequence(value).and_then(|mut fields| {
        let parts = [0, 1, 2].map(|number| explicit(&mut fields, number));
        fields.is_empty().then_some(parts)
    });
    let Some([Some(country), Some(locality), Some(address)]) = fields else {
        return Ok(None);
    };
    let mut location = SignerLocation::default();
    let mut listed = |element: Option<Element<'_>>| match element {
        Some(element) => listed_text(&element, listing),
        None => Ok(None),
    };
    location.country = listed(country)?;
    location.locality = listed(locality)?;
    let lines = address.map_or(Some(Reader::new(&[], 0)), |lines| sequence(&lines));
    let Some(mut lines) = lines else {
        return Ok(None);
    };
    while let Some(line) = lines.try_next()? {
        location.postal_address.extend(listed(Some(line))?);
    }
    Ok(Some(location))
}

/// `SignaturePolicyId` (EN 319 122-1, 5.2.9)
pub(super) fn policy(
    value: &Element<'_>,
    listing: &mut Listing,
) -> Result<Option<PolicyReport>, Error> {
    let Some((mut policy, qualifiers)) = policy_without_qualifiers(value) else {
        return Ok(None);
    };
    let qualifiers = qualifiers.map_or(Some(Reader::new(&[], 0)), |q| sequence(&q));
    let Some(mut qualifiers) = qualifiers else {
        return Ok(None);
    };
    while let Some(qualifier) = qualifiers.try_next()? {
        let Some(mut fields) = sequence(&qualifier) else {
            return Ok(None);
        };
        let Some(kind) = next(&mut fields).as_ref().and_then(oid) else {
            return Ok(None);
        };
        let Some(value) = next(&mut fields) else {
            continue;
        };
        match kind.as_bytes() {
            oids::SP_URI if value.tag == IA5_STRING => {
                policy.uri = listed_text(&value, listing)?;
            }
            oids::SP_URI => return Ok(None),
            oids::SP_USER_NOTICE => {
                let Some(mut notice) = sequence(&value) else {
                    return Ok(None);
                };
                // NoticeReference, then the text; both are optional.
                notice.next_if(der::SEQUENCE)?;
                if let Some(text) = notice.try_next()? {
                    policy.user_notice = listed_text(&text, listing)?;
                }
            }
            _ => {}
        }
    }
    Ok(Some(policy))
}

fn policy_without_qualifiers<'a>(
    value: &Element<'a>,
) -> Option<(PolicyReport, Option<Element<'a>>)> {
    let mut fields = sequence(value)?;
    let id = oid(&next(&mut fields)?)?;
    let mut hash = sequence(&next(&mut fields)?)?;
    let algorithm = oid(&next(&mut sequence(&next(&mut hash)?)?)?)?;
    let value = next(&mut hash).filter(|value| value.tag == der::OCTET_STRING)?;
    // A hash of zeros means that the policy's digest is not known.
    let digest = DigestAlgorithm::from_oid(algorithm)
        .ok()
        .filter(|_| value.content.iter().any(|&b| b != 0))
        .and_then(|algorithm| Digest::new(algorithm, value.content.to_vec()).ok());
    let qualifiers = fields.next_if(der::SEQUENCE).ok()?;
    let policy = PolicyReport { id, digest, uri: None, user_notice: None };
    fields.is_empty().then_some((policy, qualifiers))
}

/// The text of a string, as a value in the report; `None` if the element is not a
/// string or malformed.
pub(super) fn listed_text(
    element: &Element<'_>,
    listing: &mut Listing,
) -> Result<Option<String>, Error> {
    listing.take(element.content.len())?;
    Ok(text(element))
}

//! The signers of a container, and the countersignatures on them.

use ades_core::asn1::ber::Element;
use ades_evidence::cms;

use crate::container::MAX_SIGNED_ATTRIBUTES_LEN;
use crate::error::{Error, Limit};
use crate::oids;

pub(crate) use cms::{Attribute, Sid, SignerInfo, ToBeSigned, attributes};

/// Reads one signer.
pub(crate) fn read(element: Element<'_>) -> Result<SignerInfo<'_>, Error> {
    let signer = SignerInfo::read(element)?;
    if signer.signed_attributes.is_some_and(|set| set.raw.len() > MAX_SIGNED_ATTRIBUTES_LEN) {
        return Err(Limit::SignedAttributesLen.into());
    }
    Ok(signer)
}

pub(crate) fn read_all(elements: Vec<Element<'_>>) -> Result<Vec<SignerInfo<'_>>, Error> {
    elements.into_iter().map(read).collect()
}

/// The countersignatures among the unsigned attributes of a signer. More than
/// `max` are an error.
pub(crate) fn countersignatures<'a>(
    unsigned: &[Attribute<'a>],
    max: usize,
) -> Result<Vec<SignerInfo<'a>>, Error> {
    let mut elements = Vec::new();
    for attribute in unsigned.iter().filter(|a| a.kind == oids::COUNTERSIGNATURE) {
        elements.extend(attribute.values()?);
        if elements.len() > max {
            return Err(Limit::Countersignatures.into());
        }
    }
    read_all(elements)
}

//! Adds certificates and revocation values to SignedData (EN 319 122-1, 5.4 and 6.3).

use std::io::Write;

use ades_core::Document;
use ades_core::asn1::ber::Reader;
use ades_core::asn1::der;
use ades_evidence::ValidationData;

use super::grown::Grown;
use super::has_any;
use crate::container::Container;
use crate::error::{Error, NotExtendable};
use crate::oids;
use crate::prepare::signer_at;
use crate::signer_info::read_all;

/// Copies a container to `out`, with the certificates and revocation values that it lacks: a
/// part of level B-LT. All signatures of the container share them; `signature` is the place in
/// the report of the one that they are for.
///
/// CRLs and OCSP responses are embedded as they are, the latter as `id-ri-ocsp-response`
/// (RFC 5940).
///
/// # Errors
/// Those of [`Container::read`]; [`Error::NoSuchSignature`]; [`Error::CannotAdd`] if an older
/// archive time-stamp covers the fields that would grow; [`Error::Limit`] if this crate could
/// not read the result; [`Error::RevocationValueMalformed`]; [`Error::Core`] if reading or
/// writing fails.
pub fn add_validation_data(
    container: &mut Document<'_>,
    signature: &[usize],
    data: &ValidationData,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let parsed = Container::read(container)?;
    let signers = read_all(parsed.signer_elements()?)?;
    signer_at(&signers, signature)?;
    for signer in &signers {
        if has_any(signer, &oids::COVERING_CERTIFICATES)? {
            return Err(Error::CannotAdd { why: NotExtendable::OlderArchiveTimeStamp });
        }
    }
    let mut infos = Vec::new();
    for list in &data.crls {
        check_element(list)?;
        infos.push(list.clone());
    }
    for response in &data.ocsp_responses {
        check_element(response)?;
        let kind = der::element(der::OID, &[oids::OCSP_RESPONSE]);
        infos.push(der::element(der::context(1), &[&kind, response]));
    }
    let mut grown = Grown::new(&parsed);
    grown.add_certificates(&data.certificates)?;
    grown.add_revocation_infos(infos)?;
    grown.write(container, out)
}

/// Checks that a value is one SEQUENCE: anything else would break the set that it is put into.
fn check_element(octets: &[u8]) -> Result<(), Error> {
    let mut reader = Reader::new(octets, 0);
    let first = reader.next_if(der::SEQUENCE).ok().flatten();
    first.filter(|_| reader.is_empty()).map(|_| ()).ok_or(Error::RevocationValueMalformed)
}

//! `IssuerSerialV2` (EN 319 132-1, 5.2.2): the DER of `IssuerSerial` (RFC 5035),
//! which names the certificate that the digest beside it identifies.

use ades_core::Certificate;
use ades_core::asn1::ber::{Element, Reader};
use ades_core::asn1::der::{INTEGER, SEQUENCE, context};

/// `directoryName` of `GeneralName` (RFC 5280, 4.2.1.6).
const DIRECTORY_NAME: u8 = context(4);

/// Whether the DER names this certificate: one of its names equals the issuer, octet
/// by octet, and its number equals the certificate's serial number.
pub(crate) fn names(der: &[u8], certificate: &Certificate) -> bool {
    read(der, certificate).unwrap_or(false)
}

fn read(der: &[u8], certificate: &Certificate) -> Option<bool> {
    let mut outer = Reader::new(der, 0);
    let mut content = expect(&mut outer, SEQUENCE)?.children();
    let mut names = expect(&mut content, SEQUENCE)?.children();
    // The issuerUniqueID of RFC 5755 may follow and does not matter here.
    let number = expect(&mut content, INTEGER)?.raw;
    let mut issuer = false;
    while let Some(name) = names.try_next().ok()? {
        if name.indefinite {
            return None;
        }
        issuer |= name.tag == DIRECTORY_NAME && name.content == certificate.issuer();
    }
    Some(outer.is_empty() && issuer && number == certificate.serial_number())
}

fn expect<'d>(reader: &mut Reader<'d>, tag: u8) -> Option<Element<'d>> {
    let element = reader.next("").ok()?;
    (element.tag == tag && !element.indefinite).then_some(element)
}

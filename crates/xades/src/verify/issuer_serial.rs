//! `IssuerSerialV2` (EN 319 132-1, 5.2.2): DER of `IssuerSerial` (RFC 5035),
//! which names the certificate that its digest binds.

use ades_core::Certificate;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
/// `directoryName` of `GeneralName` (RFC 5280, 4.2.1.6).
const DIRECTORY_NAME: u8 = 0xA4;

/// Whether it names this certificate: one of its names is the issuer's, octet
/// by octet, and the number is the certificate's.
pub(crate) fn names(der: &[u8], certificate: &Certificate) -> bool {
    read(der, certificate).unwrap_or(false)
}

fn read(der: &[u8], certificate: &Certificate) -> Option<bool> {
    let (content, rest) = element(der, SEQUENCE)?;
    let (mut names, number) = element(content, SEQUENCE)?;
    let (_, behind) = element(number, INTEGER)?;
    // An issuerUniqueID of RFC 5755 may be there and says nothing here.
    let number = number.get(..number.len() - behind.len())?;
    let mut issuer = false;
    while !names.is_empty() {
        let (name, others) = element(names, *names.first()?)?;
        issuer |= names.first() == Some(&DIRECTORY_NAME) && name == certificate.issuer();
        names = others;
    }
    Some(rest.is_empty() && issuer && number == certificate.serial_number())
}

/// The content of a DER element with this tag, and what comes behind it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = match usize::from(first) {
        short @ ..=0x7F => (short, rest),
        long @ 0x81..=0x84 => {
            let (octets, rest) = rest.split_at_checked(long - 0x80)?;
            (octets.iter().fold(0, |len, &octet| len << 8 | usize::from(octet)), rest)
        }
        _ => return None,
    };
    if *found == tag { rest.split_at_checked(len) } else { None }
}

//! Reads the fields of ASN.1 structures, as spans of the original octets.

use ades_core::asn1::ber::{Element, Reader};
use ades_core::asn1::der::{OCTET_STRING, OID, SEQUENCE, context};
use ades_core::{Certificate, Oid};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const ENUMERATED: u8 = 0x0A;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;

/// Maximum number of extensions in one structure.
const MAX_EXTENSIONS: usize = 256;
/// Maximum number of digits in a fraction of a second.
const MAX_FRACTION: usize = 32;

/// The next element, if it has this tag.
pub(crate) fn next<'a>(reader: &mut Reader<'a>, tag: u8) -> Option<Element<'a>> {
    reader.try_next().ok()?.filter(|element| element.tag == tag)
}

/// The element that fills `octets`, if it has this tag.
pub(crate) fn only(octets: &[u8], tag: u8) -> Option<Element<'_>> {
    let mut reader = Reader::new(octets, 0);
    next(&mut reader, tag).filter(|_| reader.is_empty())
}

/// The element in `[number] EXPLICIT`; the inner value is `None` if the field is absent.
#[allow(clippy::option_option)]
pub(crate) fn explicit<'a>(fields: &mut Reader<'a>, number: u8) -> Option<Option<Element<'a>>> {
    let Some(tagged) = fields.next_if(context(number)).ok()? else {
        return Some(None);
    };
    inside(&tagged).map(Some)
}

/// The only element in another one.
pub(crate) fn inside<'a>(outer: &Element<'a>) -> Option<Element<'a>> {
    let mut inside = outer.children();
    let element = inside.try_next().ok()??;
    inside.is_empty().then_some(element)
}

pub(crate) fn oid(element: &Element<'_>) -> Option<Oid> {
    if element.tag == OID { Oid::from_bytes(element.content).ok() } else { None }
}

/// The octets of a `BIT STRING` without unused bits.
pub(crate) fn bit_string<'a>(element: &Element<'a>) -> Option<&'a [u8]> {
    match element.content {
        [0, octets @ ..] if element.tag == BIT_STRING => Some(octets),
        _ => None,
    }
}

/// Whether the bit with this number is set, in the content octets of a `BIT STRING`.
pub(crate) fn bit(content: &[u8], number: usize) -> bool {
    let octet = content.get(1 + number / 8).copied().unwrap_or(0);
    octet & (0x80 >> (number % 8)) != 0
}

/// A `BOOLEAN` with `[number] IMPLICIT` or its own tag.
pub(crate) fn is_true(element: &Element<'_>) -> bool {
    element.content.iter().any(|octet| *octet != 0)
}

/// `UTCTime` or `GeneralizedTime` in UTC, with seconds. RFC 5280, 4.1.2.5 and RFC 6960,
/// 4.2.2.1 forbid fractions of seconds; certomancer and others write them in OCSP
/// responses, so they are read.
pub(crate) fn time(element: &Element<'_>) -> Option<DateTime<Utc>> {
    let text = std::str::from_utf8(element.content).ok()?.strip_suffix('Z')?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(seconds) || !digits(fraction) || fraction.len() > MAX_FRACTION {
        return None;
    }
    let century = match (element.tag, seconds.len()) {
        (GENERALIZED_TIME, 14) => "",
        // RFC 5280, 4.1.2.5.1
        (UTC_TIME, 12) if !text.contains('.') => {
            if seconds < "50" {
                "20"
            } else {
                "19"
            }
        }
        _ => return None,
    };
    let whole = NaiveDateTime::parse_from_str(&format!("{century}{seconds}"), "%Y%m%d%H%M%S");
    let nanoseconds: i64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    whole.ok()?.and_utc().checked_add_signed(TimeDelta::nanoseconds(nanoseconds))
}

/// One of the `Extensions` of a response or list (RFC 5280, 4.1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extension<'a> {
    /// The content octets of its OID.
    pub(crate) kind: &'a [u8],
    pub(crate) critical: bool,
    /// The octets in its `extnValue`.
    pub(crate) value: &'a [u8],
}

impl Extension<'_> {
    pub(crate) fn oid(&self) -> Option<Oid> {
        Oid::from_bytes(self.kind).ok()
    }
}

/// All `Extensions`. `None` if they are malformed, more than [`MAX_EXTENSIONS`], or if
/// one occurs twice (RFC 5280, 4.2). The sequence may be empty: Estonia's responders
/// write it so.
pub(crate) fn extensions<'a>(sequence: &Element<'a>) -> Option<Vec<Extension<'a>>> {
    let mut all: Vec<Extension<'a>> = Vec::new();
    if sequence.tag != SEQUENCE {
        return None;
    }
    for element in sequence.children().all(MAX_EXTENSIONS).ok()? {
        let extension = extension(&element)?;
        if all.iter().any(|known| known.kind == extension.kind) {
            return None;
        }
        all.push(extension);
    }
    Some(all)
}

/// `Extension`
pub(crate) fn extension<'a>(element: &Element<'a>) -> Option<Extension<'a>> {
    let mut fields = element.children();
    let kind = next(&mut fields, OID)?.content;
    let critical = fields.next_if(BOOLEAN).ok()?.is_some_and(|flag| is_true(&flag));
    let value = next(&mut fields, OCTET_STRING)?.content;
    (element.tag == SEQUENCE && fields.is_empty()).then_some(Extension { kind, critical, value })
}

/// The octets of the public key in a certificate, without unused bits: what the key
/// hashes of OCSP are over (RFC 6960, 4.1.1).
pub(crate) fn key_octets(certificate: &Certificate) -> Option<&[u8]> {
    let mut fields = only(certificate.public_key_info(), SEQUENCE)?.children();
    next(&mut fields, SEQUENCE)?;
    bit_string(&next(&mut fields, BIT_STRING)?)
}

/// The content octets of a certificate's serial number.
pub(crate) fn serial_number(certificate: &Certificate) -> &[u8] {
    let mut reader = Reader::new(certificate.serial_number(), 0);
    reader.try_next().ok().flatten().map(|number| number.content).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use ades_core::asn1::der;

    use super::*;

    #[test]
    fn times_with_seconds_and_fractions_are_read() {
        for (tag, text, read) in [
            (GENERALIZED_TIME, "20260101000000Z", Some("2026-01-01T00:00:00+00:00")),
            (GENERALIZED_TIME, "20260101000000.5Z", Some("2026-01-01T00:00:00.500+00:00")),
            (
                GENERALIZED_TIME,
                "20260101000000.1234567891Z",
                Some("2026-01-01T00:00:00.123456789+00:00"),
            ),
            (UTC_TIME, "491231235959Z", Some("2049-12-31T23:59:59+00:00")),
            (UTC_TIME, "500101000000Z", Some("1950-01-01T00:00:00+00:00")),
            (UTC_TIME, "4912312359Z", None),
            (UTC_TIME, "491231235959.5Z", None),
            (UTC_TIME, "20260101000000Z", None),
            (GENERALIZED_TIME, "20260101000000", None),
            (GENERALIZED_TIME, "20260101000000+0100", None),
            (GENERALIZED_TIME, "202601010000Z", None),
            (GENERALIZED_TIME, "20261301000000Z", None),
            (GENERALIZED_TIME, "20260101000000.Z", None),
            (GENERALIZED_TIME, "20260101000000.é5Z", None),
            (OCTET_STRING, "20260101000000Z", None),
        ] {
            let octets = der::element(tag, &[text.as_bytes()]);
            let element = Reader::new(&octets, 0).next("").unwrap();
            assert_eq!(time(&element).map(|time| time.to_rfc3339()).as_deref(), read, "{text}");
        }
    }
}

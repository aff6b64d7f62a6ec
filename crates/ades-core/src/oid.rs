//! Object identifiers: parsed from dotted decimals or DER content octets, kept
//! as the latter.

use std::fmt;
use std::str::FromStr;

use der::asn1::AnyRef;
use der::{Decode, Reader, Tag, Tagged};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::hex;

/// Maximum length of an OID's content octets.
const MAX_LEN: usize = 63;

/// An object identifier. Serialises as dotted decimals.
///
/// A number can have up to 128 bits, as those derived from UUIDs do (arc 2.25;
/// X.667).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Oid {
    /// The content octets (X.690, 8.19), padded with zeros.
    octets: [u8; MAX_LEN],
    len: u8,
}

impl Oid {
    const EMPTY: Self = Self { octets: [0; MAX_LEN], len: 0 };

    /// Parses dotted decimals, also in constants. Returns `None` if they are not
    /// an OID.
    ///
    /// ```
    /// use ades_core::Oid;
    ///
    /// // An invalid OID does not compile.
    /// const POLICY: Oid = Oid::from_dotted("1.3.6.1.4.1.49274.1.1.7.2.0").unwrap();
    /// # assert_eq!(POLICY.to_string(), "1.3.6.1.4.1.49274.1.1.7.2.0");
    /// ```
    #[must_use]
    pub const fn from_dotted(dotted: &str) -> Option<Self> {
        Self::parse(dotted.as_bytes())
    }

    /// For constants of this crate: an invalid OID does not compile.
    #[allow(clippy::panic)]
    pub(crate) const fn new_const(dotted: &str) -> Self {
        match Self::from_dotted(dotted) {
            Some(oid) => oid,
            None => panic!("not an OID"),
        }
    }

    /// The content octets of the DER encoding, without tag and length.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Reads the content octets of a DER encoding.
    ///
    /// # Errors
    /// [`Error::MalformedOid`], also for more than 63 octets and for numbers of
    /// more than 128 bits.
    pub fn from_bytes(content: &[u8]) -> Result<Self, Error> {
        Self::from_content(content).ok_or_else(|| {
            let shown = content.get(..20).unwrap_or(content);
            Error::MalformedOid { oid: hex::encode(shown) }
        })
    }

    fn from_content(content: &[u8]) -> Option<Self> {
        let mut oid = Self::EMPTY;
        oid.octets.get_mut(..content.len())?.copy_from_slice(content);
        oid.len = u8::try_from(content.len()).ok()?;
        let mut count = 0usize;
        numbers(content, |_| count += 1)?;
        (count > 0).then_some(oid)
    }

    /// Reads the next DER element.
    pub(crate) fn read<'a>(reader: &mut impl Reader<'a>) -> Result<Self, der::Error> {
        let any = AnyRef::decode(reader)?;
        any.tag().assert_eq(Tag::ObjectIdentifier)?;
        Self::from_bytes(any.value()).map_err(|_| Tag::ObjectIdentifier.value_error().into())
    }

    /// Parses two or more numbers without leading zeros.
    #[allow(clippy::indexing_slicing)]
    const fn parse(dotted: &[u8]) -> Option<Self> {
        let mut oid = Self::EMPTY;
        let (mut at, mut count, mut root) = (0, 0, 0);
        while at < dotted.len() {
            let start = at;
            let mut number: u128 = 0;
            while at < dotted.len() && dotted[at] != b'.' {
                let digit = dotted[at].wrapping_sub(b'0');
                if digit > 9 || (at > start && dotted[start] == b'0') {
                    return None;
                }
                let Some(tens) = number.checked_mul(10) else { return None };
                let Some(next) = tens.checked_add(digit as u128) else { return None };
                number = next;
                at += 1;
            }
            if at == start || (at < dotted.len() && at + 1 == dotted.len()) {
                return None;
            }
            at += 1;
            count += 1;
            // X.660, 7.6: arcs 0 and 1 have forty children each. The first two
            // numbers are encoded as one.
            match (count, root) {
                (1, _) if number > 2 => return None,
                (1, _) => root = number,
                (2, 0 | 1) if number > 39 => return None,
                (2, _) => {
                    let Some(first) = number.checked_add(root * 40) else { return None };
                    if !oid.push(first) {
                        return None;
                    }
                }
                _ => {
                    if !oid.push(number) {
                        return None;
                    }
                }
            }
        }
        if count >= 2 { Some(oid) } else { None }
    }

    /// Appends a number: seven bits per octet, the high bit set in all but the
    /// last. Returns `false` if it does not fit.
    #[allow(clippy::indexing_slicing)]
    const fn push(&mut self, number: u128) -> bool {
        let bits = 128 - number.leading_zeros();
        let mut left = if bits == 0 { 1 } else { bits.div_ceil(7) };
        while left > 0 {
            left -= 1;
            if self.len as usize == MAX_LEN {
                return false;
            }
            let seven = ((number >> (7 * left)) & 0x7F) as u8;
            self.octets[self.len as usize] = seven | if left > 0 { 0x80 } else { 0 };
            self.len += 1;
        }
        true
    }
}

/// Passes the encoded numbers to `take`; the first stands for two. Returns `None` if a
/// number is truncated, not in its shortest form, or has more than 128 bits.
fn numbers(content: &[u8], mut take: impl FnMut(u128)) -> Option<()> {
    let mut partial: Option<u128> = None;
    for &octet in content {
        if partial.is_none() && octet == 0x80 {
            return None;
        }
        let number = partial.unwrap_or(0).checked_mul(0x80)? | u128::from(octet & 0x7F);
        partial = (octet & 0x80 != 0).then_some(number);
        if partial.is_none() {
            take(number);
        }
    }
    partial.is_none().then_some(())
}

impl FromStr for Oid {
    type Err = Error;

    /// Parses dotted decimals, with or without the prefix `urn:oid:`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let dotted = text.strip_prefix("urn:oid:").unwrap_or(text);
        Self::parse(dotted.as_bytes())
            .ok_or_else(|| Error::MalformedOid { oid: text.chars().take(40).collect() })
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = Vec::new();
        // An OID is well-formed.
        let _ = numbers(self.as_bytes(), |number| all.push(number));
        let mut numbers = all.into_iter();
        if let Some(first) = numbers.next() {
            let root = (first / 40).min(2);
            write!(f, "{root}.{}", first - root * 40)?;
        }
        numbers.try_for_each(|number| write!(f, ".{number}"))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({self})")
    }
}

impl From<Oid> for String {
    fn from(oid: Oid) -> Self {
        oid.to_string()
    }
}

impl TryFrom<String> for Oid {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of X.690, 8.19.5, and an OID from a UUID (X.667).
    #[test]
    fn text_and_octets_round_trip() {
        for (text, octets) in [
            ("2.999.3", &[0x88, 0x37, 0x03][..]),
            ("0.0", &[0]),
            ("0.39", &[39]),
            ("1.0", &[40]),
            ("2.0", &[80]),
            ("1.2.840.113549.1.1.11", b"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0B"),
            (
                "2.25.329800735698586629295641978511506172918",
                b"\x69\x83\xF0\x9D\xA7\xEB\xCF\xDE\xE0\xC7\xA1\xA7\xB2\xC0\x94\x8C\xC8\xF9\xD7\x76",
            ),
        ] {
            let oid: Oid = text.parse().unwrap();
            assert_eq!(oid.to_string(), text);
            assert_eq!(oid.as_bytes(), octets, "{text}");
            assert_eq!(Oid::from_bytes(oid.as_bytes()).unwrap(), oid);
        }
    }

    #[test]
    fn malformed_oids_are_rejected() {
        let long = format!("2.{}", "1.".repeat(70).trim_end_matches('.'));
        for text in
            ["", "1", "1.", ".1", "1..2", "3.1", "1.40", "0.040", "1.2.x", "1.2.-3", "1.2 ", &long]
        {
            assert!(text.parse::<Oid>().is_err(), "{text}");
        }
        let too_great = format!("1.2.{}0", u128::MAX);
        assert!(too_great.parse::<Oid>().is_err());
        for octets in [&[][..], &[0x80, 1], &[0x2A, 0x86], &[0x2A, 0x80, 1], &[0xFF; 20], &[1; 64]]
        {
            assert!(Oid::from_bytes(octets).is_err(), "{octets:?}");
        }
    }
}

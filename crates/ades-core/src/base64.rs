//! Standard base64 with padding. Each value has exactly one spelling, so that a
//! stored state has only one, too.

/// The characters of the values (RFC 4648, 4).
const CHARACTERS: [u8; 64] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// The values of the characters. Other octets have [`NONE`].
#[allow(clippy::indexing_slicing)]
const VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < CHARACTERS.len() {
        values[CHARACTERS[value] as usize] = value as u8;
        value += 1;
    }
    values
};
/// The highest bit, which no value has.
const NONE: u8 = 0x80;

/// Encodes octets. The octets are not secret: what this does depends on them.
#[must_use]
pub fn encode(octets: &[u8]) -> String {
    let (groups, rest) = octets.as_chunks::<3>();
    let mut text = vec![b'='; octets.len().div_ceil(3) * 4];
    let (quads, _) = text.as_chunks_mut::<4>();
    for (quad, group) in quads.iter_mut().zip(groups) {
        *quad = characters_of(*group);
    }
    if let (Some(quad), Some((group, used))) = (quads.last_mut(), padded(rest)) {
        for (to, from) in quad.iter_mut().zip(characters_of(group)).take(used + 1) {
            *to = from;
        }
    }
    // All of it is ASCII.
    String::from_utf8(text).unwrap_or_default()
}

/// Decodes a text. Returns `None` if [`encode`] returns this text for no octets:
/// other characters, white space, missing padding or unused bits that are not
/// zero. The text is not secret: what this does depends on it.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let (quads, []) = text.as_bytes().as_chunks::<4>() else { return None };
    let Some((last, quads)) = quads.split_last() else { return Some(Vec::new()) };
    let mut found = 0;
    let mut group_of = |quad: [u8; 4]| {
        let [a, b, c, d] = values_of(quad);
        found |= a | b | c | d;
        [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]
    };
    let mut octets = vec![0; (quads.len() + 1) * 3];
    let (groups, _) = octets.as_chunks_mut::<3>();
    for (group, quad) in groups.iter_mut().zip(quads) {
        *group = group_of(*quad);
    }
    // The padding counts as zeros.
    let (mut last, mut padding) = (*last, 0);
    for character in last.iter_mut().rev().take(2).take_while(|it| **it == b'=') {
        *character = b'A';
        padding += 1;
    }
    if let Some(group) = groups.last_mut() {
        *group = group_of(last);
    }
    let len = octets.len() - padding;
    let is_clear = octets.iter().skip(len).all(|octet| *octet == 0);
    octets.truncate(len);
    (is_clear && found & NONE == 0).then_some(octets)
}

/// The octets of an incomplete group, followed by zeros, and their number. `None` without
/// octets.
fn padded(rest: &[u8]) -> Option<([u8; 3], usize)> {
    match *rest {
        [first] => Some(([first, 0, 0], 1)),
        [first, second] => Some(([first, second, 0], 2)),
        _ => None,
    }
}

// A value of six bits and an octet are within the tables.
#[allow(clippy::indexing_slicing)]
fn characters_of([a, b, c]: [u8; 3]) -> [u8; 4] {
    let bits = u32::from_be_bytes([0, a, b, c]);
    [18, 12, 6, 0].map(|shift| CHARACTERS[(bits >> shift & 0x3F) as usize])
}

#[allow(clippy::indexing_slicing)]
fn values_of(quad: [u8; 4]) -> [u8; 4] {
    quad.map(|character| VALUES[usize::from(character)])
}

/// The base64 text of the first PEM block, whatever its label is (RFC 7468, 2), in one line.
/// PEM of older kinds has headers (RFC 1421, 4.6), which are left out. `None` without a block.
#[must_use]
pub fn of_pem(text: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| line.starts_with("-----BEGIN "))?;
    let body = lines.take_while(|line| !line.starts_with("-----"));
    Some(body.filter(|line| !line.contains(": ")).collect())
}

/// Octets as a base64 string, for `#[serde(with = "…")]`.
pub mod octets {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    /// Serialises octets as text.
    ///
    /// # Errors
    /// The serialiser's errors.
    pub fn serialize<S: Serializer>(octets: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&super::encode(octets))
    }

    /// Deserialises octets from text.
    ///
    /// # Errors
    /// The deserialiser's errors, and text that [`decode`](super::decode) rejects.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(d)?;
        super::decode(&text).ok_or_else(|| D::Error::custom("malformed base64 text"))
    }
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64, Encoding as _};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_vectors_of_rfc_4648() {
        for (octets, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(octets.as_bytes()), text);
            assert_eq!(decode(text).unwrap(), octets.as_bytes());
        }
    }

    #[test]
    fn other_spellings_are_rejected() {
        for text in [
            "Zg",
            "Zg=",
            "Zg===",
            "Z===",
            "====",
            "=",
            "Zh==",
            "Zm9=",
            "Zm8=Zm8=",
            "Zg==Zg==",
            "Zm9v\n",
            " Zm9",
            "Zm 9v===",
            "Zm-_",
            "Zm9\u{e9}",
            "Zm=v",
            "Z=9v",
            "=m9v",
            "Zm9v=",
            "Zm9v====",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    proptest! {
        /// base64ct encodes and accepts the same.
        #[test]
        fn nothing_differs_from_base64ct(
            octets: Vec<u8>,
            at in 0..400usize,
            replaced in "[A-Za-z0-9+/= \\n_-]",
        ) {
            let mut text = encode(&octets);
            prop_assert_eq!(&text, &Base64::encode_string(&octets));
            prop_assert_eq!(decode(&text).unwrap(), octets);
            if at < text.len() {
                text.replace_range(at..=at, &replaced);
            }
            prop_assert_eq!(decode(&text), Base64::decode_vec(&text).ok(), "{}", text);
        }
    }
}

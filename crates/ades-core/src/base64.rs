//! Standard base64 with padding. Each value has exactly one spelling, so that a
//! stored state has only one, too.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Encodes octets. The octets are not secret: what this does depends on them.
#[must_use]
pub fn encode(octets: &[u8]) -> String {
    STANDARD.encode(octets)
}

/// Decodes a text. Returns `None` if [`encode`] returns this text for no octets:
/// other characters, white space, missing padding or unused bits that are not
/// zero. The text is not secret: what this does depends on it.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
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

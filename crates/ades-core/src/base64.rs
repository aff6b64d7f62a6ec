//! Standard base64 with padding. Each value has exactly one spelling, so that a
//! stored state has only one, too.

use base64ct::{Base64, Encoding as _};

/// Encodes octets.
#[must_use]
pub fn encode(octets: &[u8]) -> String {
    Base64::encode_string(octets)
}

/// Decodes a text. Returns `None` if [`encode`] returns this text for no octets:
/// other characters, white space, missing padding or unused bits that are not
/// zero.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    Base64::decode_vec(text).ok()
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

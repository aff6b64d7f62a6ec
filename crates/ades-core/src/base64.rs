//! Standard base64 with padding, strict: one text for one value, so that a
//! stored state has exactly one spelling.

use base64ct::{Base64, Encoding as _};

/// The one text for these octets.
#[must_use]
pub fn encode(octets: &[u8]) -> String {
    Base64::encode_string(octets)
}

/// The octets, if the text is their one spelling.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    Base64::decode_vec(text).ok()
}

/// Octets as a base64 string, for serde's `with`.
pub mod octets {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    /// Writes octets as text.
    ///
    /// # Errors
    /// The serialiser's.
    pub fn serialize<S: Serializer>(octets: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&super::encode(octets))
    }

    /// Reads octets from text.
    ///
    /// # Errors
    /// The deserialiser's, and text that is not strict base64.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(d)?;
        super::decode(&text).ok_or_else(|| D::Error::custom("malformed base64 text"))
    }
}

//! Names of keys for people, by the OIDs in their AlgorithmIdentifier.

use super::Certificate;
use crate::Oid;

/// The algorithm of keys, other than RSA and EC, that has this OID.
#[doc(hidden)]
#[must_use]
pub fn algorithm_name(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "1.2.840.113549.1.1.7" => "RSAES-OAEP",
        "1.2.840.113549.1.1.10" => "RSASSA-PSS",
        "1.2.840.113549.1.3.1" | "1.2.840.10046.2.1" => "Diffie-Hellman",
        "1.2.840.10040.4.1" => "DSA",
        "1.2.643.2.2.19" => "GOST R 34.10-2001",
        "1.2.643.7.1.1.1.1" => "GOST R 34.10-2012 with 256 bits",
        "1.2.643.7.1.1.1.2" => "GOST R 34.10-2012 with 512 bits",
        "1.3.101.110" => "X25519",
        "1.3.101.111" => "X448",
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        "2.16.840.1.101.3.4.3.17" => "ML-DSA-44",
        "2.16.840.1.101.3.4.3.18" => "ML-DSA-65",
        "2.16.840.1.101.3.4.3.19" => "ML-DSA-87",
        _ if is_slh_dsa(oid) => "SLH-DSA",
        _ => return None,
    })
}

/// FIPS 205: the OIDs from …20 to …31.
fn is_slh_dsa(oid: &str) -> bool {
    let last = oid.strip_prefix("2.16.840.1.101.3.4.3.").and_then(|last| last.parse().ok());
    last.is_some_and(|last: u8| (20..=31).contains(&last))
}

/// The curve that has this OID (RFC 5480, RFC 5639, SEC 2).
#[doc(hidden)]
#[must_use]
pub fn curve_name(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "1.2.840.10045.3.1.1" => "P-192",
        "1.2.840.10045.3.1.7" => "P-256",
        "1.3.132.0.33" => "P-224",
        "1.3.132.0.34" => "P-384",
        "1.3.132.0.35" => "P-521",
        "1.3.132.0.9" => "secp160k1",
        "1.3.132.0.8" => "secp160r1",
        "1.3.132.0.30" => "secp160r2",
        "1.3.132.0.31" => "secp192k1",
        "1.3.132.0.32" => "secp224k1",
        "1.3.132.0.10" => "secp256k1",
        "1.3.132.0.1" => "sect163k1",
        "1.3.132.0.15" => "sect163r2",
        "1.3.132.0.26" => "sect233k1",
        "1.3.132.0.27" => "sect233r1",
        "1.3.132.0.16" => "sect283k1",
        "1.3.132.0.17" => "sect283r1",
        "1.3.132.0.36" => "sect409k1",
        "1.3.132.0.37" => "sect409r1",
        "1.3.132.0.38" => "sect571k1",
        "1.3.132.0.39" => "sect571r1",
        "1.3.36.3.3.2.8.1.1.1" => "brainpoolP160r1",
        "1.3.36.3.3.2.8.1.1.2" => "brainpoolP160t1",
        "1.3.36.3.3.2.8.1.1.3" => "brainpoolP192r1",
        "1.3.36.3.3.2.8.1.1.4" => "brainpoolP192t1",
        "1.3.36.3.3.2.8.1.1.5" => "brainpoolP224r1",
        "1.3.36.3.3.2.8.1.1.6" => "brainpoolP224t1",
        "1.3.36.3.3.2.8.1.1.7" => "brainpoolP256r1",
        "1.3.36.3.3.2.8.1.1.8" => "brainpoolP256t1",
        "1.3.36.3.3.2.8.1.1.9" => "brainpoolP320r1",
        "1.3.36.3.3.2.8.1.1.10" => "brainpoolP320t1",
        "1.3.36.3.3.2.8.1.1.11" => "brainpoolP384r1",
        "1.3.36.3.3.2.8.1.1.12" => "brainpoolP384t1",
        "1.3.36.3.3.2.8.1.1.13" => "brainpoolP512r1",
        "1.3.36.3.3.2.8.1.1.14" => "brainpoolP512t1",
        "1.2.156.10197.1.301" => "SM2",
        "1.2.250.1.223.101.256.1" => "FRP256v1",
        _ => return None,
    })
}

impl Certificate {
    /// The type of the public key for people, also of one that this version does not support.
    #[must_use]
    pub fn key_name(&self) -> String {
        let (algorithm, curve) = super::key_type::oids(self.public_key_info());
        let named = |oid: Oid, name: fn(&str) -> Option<&'static str>| {
            let oid = oid.to_string();
            name(&oid).map_or(oid, ToOwned::to_owned)
        };
        let is_ec = |oid: &Oid| oid.to_string() == "1.2.840.10045.2.1";
        match (algorithm, curve) {
            (Some(oid), Some(curve)) if is_ec(&oid) => {
                format!("EC on the curve {}", named(curve, curve_name))
            }
            (Some(oid), None) if is_ec(&oid) => "EC with explicit curve parameters".to_owned(),
            (Some(oid), _) => match oid.to_string().as_str() {
                "1.2.840.113549.1.1.1" => "RSA".to_owned(),
                _ => named(oid, algorithm_name),
            },
            (None, _) => "malformed".to_owned(),
        }
    }
}

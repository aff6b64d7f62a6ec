//! Digest algorithms by their OIDs.

use ades_core::Oid;

/// A digest algorithm, also that of an HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DigestKind {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha512_224,
    Sha512_256,
}

/// Evaluates an expression with the type of a digest algorithm.
macro_rules! with_digest {
    ($kind:expr, $digest:ident => $body:expr) => {
        match $kind {
            $crate::digest::DigestKind::Md5 => {
                type $digest = md5::Md5;
                $body
            }
            $crate::digest::DigestKind::Sha1 => {
                type $digest = sha1::Sha1;
                $body
            }
            $crate::digest::DigestKind::Sha224 => {
                type $digest = sha2::Sha224;
                $body
            }
            $crate::digest::DigestKind::Sha256 => {
                type $digest = sha2::Sha256;
                $body
            }
            $crate::digest::DigestKind::Sha384 => {
                type $digest = sha2::Sha384;
                $body
            }
            $crate::digest::DigestKind::Sha512 => {
                type $digest = sha2::Sha512;
                $body
            }
            $crate::digest::DigestKind::Sha512_224 => {
                type $digest = sha2::Sha512_224;
                $body
            }
            $crate::digest::DigestKind::Sha512_256 => {
                type $digest = sha2::Sha512_256;
                $body
            }
        }
    };
}
pub(crate) use with_digest;

impl DigestKind {
    pub(crate) fn of_digest(oid: Oid) -> Option<Self> {
        Some(match oid.to_string().as_str() {
            "1.2.840.113549.2.5" => Self::Md5,
            "1.3.14.3.2.26" => Self::Sha1,
            "2.16.840.1.101.3.4.2.1" => Self::Sha256,
            "2.16.840.1.101.3.4.2.2" => Self::Sha384,
            "2.16.840.1.101.3.4.2.3" => Self::Sha512,
            "2.16.840.1.101.3.4.2.4" => Self::Sha224,
            "2.16.840.1.101.3.4.2.5" => Self::Sha512_224,
            "2.16.840.1.101.3.4.2.6" => Self::Sha512_256,
            _ => return None,
        })
    }

    /// The digest algorithm of an HMAC (RFC 8018, B.1.2).
    pub(crate) fn of_hmac(oid: Oid) -> Option<Self> {
        Some(match oid.to_string().as_str() {
            "1.2.840.113549.2.6" => Self::Md5,
            "1.2.840.113549.2.7" => Self::Sha1,
            "1.2.840.113549.2.8" => Self::Sha224,
            "1.2.840.113549.2.9" => Self::Sha256,
            "1.2.840.113549.2.10" => Self::Sha384,
            "1.2.840.113549.2.11" => Self::Sha512,
            "1.2.840.113549.2.12" => Self::Sha512_224,
            "1.2.840.113549.2.13" => Self::Sha512_256,
            _ => return None,
        })
    }
}

/// The name of an algorithm that is not supported, for errors.
pub(crate) fn name_of(oid: Oid) -> String {
    let dotted = oid.to_string();
    let name = match dotted.as_str() {
        "1.2.156.10197.1.104.2" => "SM4-CBC",
        "1.2.156.10197.1.401" => "SM3",
        "1.2.392.200011.61.1.1.1.2" => "Camellia-128-CBC",
        "1.2.392.200011.61.1.1.1.3" => "Camellia-192-CBC",
        "1.2.392.200011.61.1.1.1.4" => "Camellia-256-CBC",
        "1.2.410.200004.1.4" => "SEED-CBC",
        "1.2.410.200046.1.1.2" => "ARIA-128-CBC",
        "1.2.410.200046.1.1.7" => "ARIA-192-CBC",
        "1.2.410.200046.1.1.12" => "ARIA-256-CBC",
        "1.2.643.2.2.9" => "GOST R 34.11-94",
        "1.2.643.2.2.21" => "GOST 28147-89",
        "1.2.643.7.1.1.2.2" => "GOST R 34.11-2012 with 256 bits",
        "1.2.643.7.1.1.2.3" => "GOST R 34.11-2012 with 512 bits",
        "1.2.840.113533.7.66.10" => "CAST5-CBC",
        "1.2.840.113549.1.5.1" => "pbeWithMD2AndDES-CBC",
        "1.2.840.113549.1.5.4" => "pbeWithMD2AndRC2-CBC",
        "1.2.840.113549.2.2" => "MD2",
        "1.2.840.113549.2.4" => "MD4",
        "1.2.840.113549.3.9" => "RC5-CBC",
        "1.3.6.1.4.1.188.7.1.1.2" => "IDEA-CBC",
        "1.3.6.1.4.1.3029.1.2" => "Blowfish-CBC",
        "1.3.36.3.2.1" => "RIPEMD-160",
        "2.16.840.1.101.3.4.1.6" => "AES-128-GCM",
        "2.16.840.1.101.3.4.1.26" => "AES-192-GCM",
        "2.16.840.1.101.3.4.1.46" => "AES-256-GCM",
        "2.16.840.1.101.3.4.2.7" | "2.16.840.1.101.3.4.2.13" => "SHA3-224",
        "2.16.840.1.101.3.4.2.8" | "2.16.840.1.101.3.4.2.14" => "SHA3-256",
        "2.16.840.1.101.3.4.2.9" | "2.16.840.1.101.3.4.2.15" => "SHA3-384",
        "2.16.840.1.101.3.4.2.10" | "2.16.840.1.101.3.4.2.16" => "SHA3-512",
        _ => return format!("the algorithm {dotted}"),
    };
    name.to_owned()
}

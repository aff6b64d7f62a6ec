//! Files that are often given in place of a PKCS#12 file.

use std::fmt;

use ades_core::asn1::ber::{Element, Reader};
use ades_core::asn1::der;
use base64ct::{Base64, Encoding};

use crate::ber_octets::number;

/// The kind of a file that is not PKCS#12. `Display` has the way to convert it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OtherFile {
    /// PKCS#12 as base64
    Base64,
    /// A certificate in DER
    Certificate,
    /// No octets
    Empty,
    /// A keystore of Java: "JKS" or "JCEKS"
    JavaKeystore {
        /// its type
        name: &'static str,
    },
    /// PEM text
    Pem {
        /// the number of its certificates
        certificates: usize,
        /// the number of its private keys
        keys: usize,
        /// the label of the first other block
        other: Option<String>,
    },
    /// CMS, as in files named `.p7b`
    Pkcs7,
    /// A private key in DER, encrypted or not
    PrivateKey,
    /// Octets of another kind
    Unknown,
}

impl OtherFile {
    /// Returns `None` if the file could be PKCS#12.
    pub(crate) fn recognise(file: &[u8]) -> Option<Self> {
        match file {
            [] => Some(Self::Empty),
            [0xFE, 0xED, 0xFE, 0xED, ..] => Some(Self::JavaKeystore { name: "JKS" }),
            [0xCE, 0xCE, 0xCE, 0xCE, ..] => Some(Self::JavaKeystore { name: "JCEKS" }),
            [der::SEQUENCE, ..] => of_sequence(file),
            _ => Some(of_text(file).unwrap_or(Self::Unknown)),
        }
    }
}

/// Distinguishes structures in DER by the tags of their first elements.
fn of_sequence(file: &[u8]) -> Option<OtherFile> {
    let mut fields = Reader::new(file, 0).next("").ok()?.children();
    let (first, second) = (fields.next("").ok()?, fields.try_next().ok()?);
    let tag = |element: Option<Element<'_>>| element.map(|element| element.tag);
    match (first.tag, tag(second)) {
        // OneAsymmetricKey, RSAPrivateKey and ECPrivateKey have versions 0 and 1.
        (der::INTEGER, _) if matches!(number(first), Ok(0 | 1)) => Some(OtherFile::PrivateKey),
        (der::INTEGER, _) => None,
        (der::OID, _) => Some(OtherFile::Pkcs7),
        // EncryptedPrivateKeyInfo
        (der::SEQUENCE, Some(der::OCTET_STRING)) => Some(OtherFile::PrivateKey),
        (der::SEQUENCE, Some(der::SEQUENCE)) => Some(OtherFile::Certificate),
        _ => Some(OtherFile::Unknown),
    }
}

fn of_text(file: &[u8]) -> Option<OtherFile> {
    // Windows PowerShell writes UTF-16.
    let narrow: Vec<u8> = match file {
        [0xFF, 0xFE, rest @ ..] => rest.iter().copied().step_by(2).collect(),
        [0xFE, 0xFF, rest @ ..] => rest.iter().copied().skip(1).step_by(2).collect(),
        octets => octets.to_vec(),
    };
    let text = String::from_utf8_lossy(&narrow);
    let labels: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().split_once("-----BEGIN ")?.1.strip_suffix("-----"))
        .collect();
    if labels.is_empty() {
        return is_base64(&text).then_some(OtherFile::Base64);
    }
    let is_certificate =
        |label: &str| matches!(label, "CERTIFICATE" | "TRUSTED CERTIFICATE" | "X509 CERTIFICATE");
    let is_key = |label: &str| label.ends_with("PRIVATE KEY");
    let count = |is: &dyn Fn(&str) -> bool| labels.iter().filter(|label| is(label)).count();
    let other = labels.iter().find(|label| !is_certificate(label) && !is_key(label));
    Some(OtherFile::Pem {
        certificates: count(&is_certificate),
        keys: count(&is_key),
        other: other.map(|label| label.chars().filter(char::is_ascii_graphic).take(40).collect()),
    })
}

/// Whether the text is the base64 of a `SEQUENCE`.
fn is_base64(text: &str) -> bool {
    let text: String = text.split_ascii_whitespace().collect();
    Base64::decode_vec(&text).is_ok_and(|octets| octets.first() == Some(&der::SEQUENCE))
}

impl fmt::Display for OtherFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base64 => f.write_str(
                "the file is base64 text; decode it: \"openssl base64 -d -A -in FILE -out FILE.p12\"",
            ),
            Self::Certificate => f.write_str(
                "the file is a certificate in DER, without a private key; join both: \
                 \"openssl pkcs12 -export -inkey KEY -in FILE -out FILE.p12\"",
            ),
            Self::Empty => f.write_str("the file is empty"),
            Self::JavaKeystore { name } => write!(
                f,
                "the file is a Java keystore of type {name}; convert it: \"keytool \
                 -importkeystore -srckeystore FILE -destkeystore FILE.p12 -deststoretype PKCS12\"",
            ),
            Self::Pem { certificates: 0, keys: 0, other } => write!(
                f,
                "the file is PEM text with the block {:?}, which is neither a certificate nor a \
                 private key",
                other.as_deref().unwrap_or_default(),
            ),
            Self::Pem { keys: 0, .. } => f.write_str(
                "the file is PEM text with a certificate, without a private key; join both: \
                 \"openssl pkcs12 -export -inkey KEY -in FILE -out FILE.p12\"",
            ),
            Self::Pem { certificates: 0, .. } => f.write_str(
                "the file is PEM text with a private key, without a certificate; join both: \
                 \"openssl pkcs12 -export -inkey FILE -in CERTIFICATE -out FILE.p12\"",
            ),
            Self::Pem { .. } => f.write_str(
                "the file is PEM text; convert it: \
                 \"openssl pkcs12 -export -in FILE -out FILE.p12\"",
            ),
            Self::Pkcs7 => f.write_str(
                "the file is PKCS#7, which has certificates but no private key; use the file that \
                 has the key",
            ),
            Self::PrivateKey => f.write_str(
                "the file is a private key in DER, without a certificate; join both: \
                 \"openssl pkcs12 -export -inkey FILE -in CERTIFICATE -out FILE.p12\"",
            ),
            Self::Unknown => f.write_str("its first octets are neither those of PKCS#12 nor of PEM text"),
        }
    }
}

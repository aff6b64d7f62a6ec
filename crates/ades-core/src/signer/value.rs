//! Reads a signature value in the forms in which signers, tools and people hand
//! it over: octets, base64, base64url, hexadecimal digits, quoted or as PEM; an
//! ECDSA value as DER or as `r` and `s` side by side.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::ecdsa::{ecdsa_from_integers, ecdsa_from_raw};
use crate::algorithm::SignatureAlgorithm;
use crate::certificate::Certificate;
use crate::error::{Error, NotAValue, ValueForm};
use crate::pending::ToBeSigned;
use crate::verify::{verify, verify_digest};

/// Maximum length of the octets or text of a signature value.
pub const MAX_VALUE_LEN: usize = 16 * 1024;
/// Maximum number of texts inside one another: base64 of hexadecimal digits.
const MAX_TEXTS: usize = 3;
/// id-signedData with its tag and length.
const SIGNED_DATA: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02";

/// Reads a signature value in any usual form. The result verifies, and has the
/// form that [`SignatureValue`](super::SignatureValue) describes.
///
/// The octets may be the value, or text: base64 or base64url with or without
/// padding, or hexadecimal digits; with white space and colons, in quotes, as a
/// JSON string, as PEM, after `NAME= ` as `openssl dgst -hex` prints it, in UTF-8
/// or UTF-16. An ECDSA value may be DER, or `r` and `s` side by side (IEEE
/// P1363). Octets that can be read in several ways are read as the one that
/// verifies.
///
/// # Errors
/// [`Error::NotAValue`] if no reading has the length and structure of a value of
/// this key. [`Error::WrongKey`], [`Error::ValueOverOther`] or
/// [`Error::ValueDoesNotVerify`] if one has, but does not verify. The errors of
/// [`verify`] for the certificate and the algorithm.
pub fn read_value(
    octets: &[u8],
    certificate: &Certificate,
    to_be_signed: &ToBeSigned,
) -> Result<Vec<u8>, Error> {
    let readings = readings(octets);
    let mut failed = None;
    for value in readings.iter().flat_map(|reading| forms(&reading.octets, certificate)) {
        match verifies(&value, certificate, to_be_signed) {
            Ok(()) => return Ok(value),
            // The other readings would fail for the same reason.
            Err(error @ (Error::CertificateNotFit(_) | Error::WrongAlgorithm { .. })) => {
                return Err(error);
            }
            Err(Error::ValueLength { .. }) => {}
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    let key = certificate.key_type();
    let found = || not_a_value(octets, &readings, to_be_signed);
    Err(failed.unwrap_or_else(|| Error::NotAValue { found: found(), key }))
}

fn verifies(
    value: &[u8],
    certificate: &Certificate,
    to_be_signed: &ToBeSigned,
) -> Result<(), Error> {
    let algorithm = to_be_signed.algorithm();
    if algorithm == SignatureAlgorithm::Ed25519 {
        return verify(certificate, algorithm, to_be_signed.data(), value);
    }
    verify_digest(certificate, algorithm, &to_be_signed.digest().0, value)
}

/// The values that octets can be, for this key: those with its structure.
fn forms(octets: &[u8], certificate: &Certificate) -> Vec<Vec<u8>> {
    let key = certificate.key_type();
    match key.default_algorithm() {
        // DER first: it can have the length of `r` and `s` side by side.
        Some(SignatureAlgorithm::Ecdsa(_)) => {
            let der = ecdsa_from_integers(octets);
            der.into_iter().chain(ecdsa_from_raw(key, octets)).collect()
        }
        _ if Some(octets.len()) == key.max_value_len() => {
            // CryptoAPI of Windows returns RSA values with the last octet first.
            vec![octets.to_vec(), octets.iter().rev().copied().collect()]
        }
        _ => Vec::new(),
    }
}

/// One reading of the input.
struct Reading {
    form: ValueForm,
    octets: Vec<u8>,
}

/// All readings of the input, the most special first: digits before octets.
fn readings(input: &[u8]) -> Vec<Reading> {
    let mut readings = Vec::new();
    let mut texts: Vec<String> = text(input).into_iter().collect();
    for _ in 0..MAX_TEXTS {
        let mut inner = Vec::new();
        for reading in texts.iter().flat_map(|text| decoded(text)) {
            inner.extend(text(&reading.octets));
            readings.push(reading);
        }
        texts = inner;
    }
    // A shell or an editor may have added an end of line.
    let line = input.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let octets = [Some(input), line].into_iter().flatten();
    readings.extend(octets.map(|o| Reading { form: ValueForm::Octets, octets: o.to_vec() }));
    readings
}

/// The octets as text, if they are: UTF-8, or UTF-16 with a byte order mark.
fn text(octets: &[u8]) -> Option<String> {
    let utf16 = |octets: &[u8], unit: fn([u8; 2]) -> u16| {
        let (units, []) = octets.as_chunks::<2>() else { return None };
        String::from_utf16(&units.iter().map(|two| unit(*two)).collect::<Vec<u16>>()).ok()
    };
    let text = match octets {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes)?,
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes)?,
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8(rest.to_vec()).ok()?,
        octets => String::from_utf8(octets.to_vec()).ok()?,
    };
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The octets that a text can stand for.
fn decoded(text: &str) -> Vec<Reading> {
    let body = bare(text);
    let hexadecimal = hexadecimal(&body).map(|octets| (ValueForm::Hexadecimal, octets));
    [hexadecimal, base64(&body)]
        .into_iter()
        .flatten()
        .map(|(form, octets)| Reading { form, octets })
        .collect()
}

/// The text without what is around it: PEM's lines, quotes, a name before it,
/// and white space.
fn bare(text: &str) -> String {
    let json: Option<String> = serde_json::from_str(text).ok();
    let mut text = json.as_deref().unwrap_or(text);
    for quote in ['"', '\'', '`'] {
        text = text.strip_prefix(quote).and_then(|t| t.strip_suffix(quote)).unwrap_or(text);
    }
    if let Some(body) = crate::base64::of_pem(text) {
        return body;
    }
    // `openssl dgst -hex` prints "SHA2-256(file)= 30…".
    let text = text.rsplit_once("= ").map_or(text, |(_, digits)| digits);
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let text = text.strip_prefix("0x").unwrap_or(text).replace([':', '-'], "");
    if text.is_empty() { None } else { crate::hex::decode(&text.to_ascii_lowercase()) }
}

fn base64(text: &str) -> Option<(ValueForm, Vec<u8>)> {
    let url = text.contains(['-', '_']);
    let text = text.trim_end_matches('=').replace('-', "+").replace('_', "/");
    let octets = STANDARD_NO_PAD.decode(&text).ok().filter(|octets| !octets.is_empty())?;
    Some((if url { ValueForm::Base64Url } else { ValueForm::Base64 }, octets))
}

/// What the input is, if no reading of it can be a value.
fn not_a_value(input: &[u8], readings: &[Reading], to_be_signed: &ToBeSigned) -> NotAValue {
    let is = |condition: &dyn Fn(&[u8]) -> bool| readings.iter().any(|r| condition(&r.octets));
    let digest = &to_be_signed.digest().0;
    let first = readings.iter().find(|reading| reading.form != ValueForm::Octets);
    match (first, text(input)) {
        _ if input.trim_ascii().is_empty() => NotAValue::Empty,
        _ if is(&|octets| Certificate::from_der(octets).is_ok()) => NotAValue::Certificate,
        _ if is(&|octets| octets.windows(SIGNED_DATA.len()).any(|w| w == SIGNED_DATA)) => {
            NotAValue::Container
        }
        _ if is(&|octets| octets == digest.value()) => NotAValue::Digest,
        (_, Some(text)) if text.contains("PRIVATE KEY-----") => NotAValue::PrivateKey,
        (_, Some(text)) if text.starts_with(['{', '[']) => NotAValue::Json,
        (Some(Reading { form, octets }), _) => {
            NotAValue::Length { form: *form, octets: octets.len() }
        }
        (None, Some(text)) if is_printable(&text) => NotAValue::Text,
        (None, _) => NotAValue::Length { form: ValueForm::Octets, octets: input.len() },
    }
}

fn is_printable(text: &str) -> bool {
    text.chars().all(|c| !c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Vec<Vec<u8>> {
        readings(text).into_iter().map(|reading| reading.octets).collect()
    }

    #[test]
    fn texts_are_read_in_all_their_forms() {
        let octets = b"\xFB\xFF\x00\x10\x83";
        for text in [
            "+/8AEIM=",
            "+/8AEIM",
            "-_8AEIM",
            "-_8AEIM=",
            " +/8A\r\nEIM=\n",
            "\u{FEFF}+/8AEIM=\r\n",
            "\"+/8AEIM=\"",
            "\"+\\/8AEIM=\"\n",
            "'-_8AEIM'",
            "fbff001083",
            "FBFF001083",
            "0xFBff001083",
            "fb:ff:00:10:83",
            "FB FF 00 10 83\n",
            "RSA-SHA2-256(tbs)= fbff001083\n",
            "-----BEGIN SIGNATURE-----\n+/8A\nEIM=\n-----END SIGNATURE-----\n",
            "-----BEGIN SIGNED MESSAGE-----\r\nVersion: 1\r\n\r\n+/8AEIM=\r\n-----END SIGNED MESSAGE-----",
            // base64 of hexadecimal digits
            "ZmJmZjAwMTA4Mwo=",
        ] {
            assert!(read(text.as_bytes()).iter().any(|found| found == octets), "{text:?}");
        }
        let utf16: Vec<u8> =
            "\u{FEFF}+/8AEIM=\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(read(&utf16).iter().any(|found| found == octets));
    }

    #[test]
    fn other_texts_have_no_reading_but_their_octets() {
        for text in ["", "signed!", "fbff 0010 8", "+/8AEIM=x", "{\"value\":\"+/8A\"}"] {
            let found = readings(text.as_bytes());
            assert!(found.iter().all(|reading| reading.form == ValueForm::Octets), "{text:?}");
        }
    }
}

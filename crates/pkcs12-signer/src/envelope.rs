//! Opening an envelope: CMS `EnvelopedData` for the holder of a certificate (RFC 5652, 6).

mod agreement;

use ades_core::asn1::ber::{Element, Error as BerError, Reader};
use ades_core::asn1::der;
use ades_core::{Certificate, Oid};
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepPrivateDecryptingKey, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey,
};
use pkcs12_file::{Contents, decrypt_content};
use zeroize::Zeroizing;

use crate::{Error, PrivateKey};
use agreement::agreed_key;

/// Maximum number of recipients of an envelope.
const MAX_RECIPIENTS: usize = 4096;
/// Tags of BER, besides those of DER.
const CONTEXT_0: u8 = 0x80;
const CONTEXT_0_CONSTRUCTED: u8 = 0xA0;
const SET: u8 = 0x31;
/// The tag of a `KeyAgreeRecipientInfo`.
const KEY_AGREEMENT: u8 = 0xA1;

const RSA: &str = "1.2.840.113549.1.1.1";
const RSA_OAEP: &str = "1.2.840.113549.1.1.7";

/// Opens the first of these envelopes (DER or BER of CMS `EnvelopedData`) that is for a
/// key of a PKCS#12 file, and returns its content. The key may be of RSA, or on the curves P-256,
/// P-384 and P-521.
///
/// A PDF that is encrypted for the holders of certificates has such envelopes.
///
/// # Errors
/// [`Error::NotARecipient`] if none of the envelopes is for a key of the file, or if
/// its encryption is not supported; errors about the file.
pub fn open_envelope(
    pkcs12: &[u8],
    password: &str,
    envelopes: &[Vec<u8>],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let contents = pkcs12_file::open(pkcs12, password)?;
    let opened = envelopes.iter().find_map(|envelope| {
        let envelope = Envelope::read(envelope).ok()?;
        holders(&contents).find_map(|(key, certificate)| envelope.open(key, &certificate))
    });
    opened.ok_or(Error::NotARecipient)
}

/// The keys of a file, each with its certificates.
fn holders(contents: &Contents) -> impl Iterator<Item = (&[u8], Certificate)> {
    contents.keys().iter().flat_map(|bag| {
        let key = PrivateKey::from_pkcs8(bag.pkcs8()).ok();
        let certificates = contents.certificates().iter();
        let certificates = certificates.filter_map(|bag| Certificate::from_der(bag.der()).ok());
        certificates
            .filter(move |certificate| key.as_ref().is_some_and(|k| k.belongs_to(certificate)))
            .map(|certificate| (bag.pkcs8(), certificate))
    })
}

struct Envelope<'a> {
    recipients: Vec<Element<'a>>,
    /// The content-encryption algorithm.
    algorithm: Element<'a>,
    content: Vec<u8>,
}

impl<'a> Envelope<'a> {
    fn read(envelope: &'a [u8]) -> Result<Self, BerError> {
        let info = Reader::new(envelope, 0).next("no CMS")?;
        let mut info = info.expect(der::SEQUENCE, "no CMS")?.children();
        info.next("no content type")?;
        let data = info.next("no content")?.expect(CONTEXT_0_CONSTRUCTED, "no content")?;
        let data = data.children().next("no content")?;
        let mut fields = data.expect(der::SEQUENCE, "no EnvelopedData")?.children();
        fields.next("no version")?;
        fields.next_if(CONTEXT_0_CONSTRUCTED)?;
        let recipients = fields.next("no recipients")?.expect(SET, "no recipients")?;
        let content = fields.next("no content")?.expect(der::SEQUENCE, "no content")?;
        let mut content = content.children();
        content.next("no content type")?;
        let algorithm = content.next("no algorithm")?;
        let content = octets(content.next("no encrypted content")?)?;
        Ok(Self { recipients: recipients.children().all(MAX_RECIPIENTS)?, algorithm, content })
    }

    /// The content, if the envelope is for this certificate.
    fn open(&self, key: &[u8], certificate: &Certificate) -> Option<Zeroizing<Vec<u8>>> {
        self.recipients.iter().find_map(|recipient| {
            let key = match recipient.tag {
                der::SEQUENCE => transported_key(*recipient, key, certificate)?,
                KEY_AGREEMENT => agreed_key(*recipient, key, certificate)?,
                _ => return None,
            };
            decrypt_content(self.algorithm, &key, &self.content)
        })
    }
}

/// Whether a recipient's identifier names the certificate, by its issuer and serial
/// number or by its key identifier.
fn names(id: Element<'_>, certificate: &Certificate) -> Option<bool> {
    let key_id = match id.tag {
        der::SEQUENCE => {
            let mut fields = id.children();
            let issuer = fields.next("no issuer").ok()?;
            let serial = fields.next("no serial number").ok()?;
            return Some(
                issuer.raw == certificate.issuer() && serial.raw == certificate.serial_number(),
            );
        }
        CONTEXT_0 => id.content,
        // RecipientKeyIdentifier, which may also have a date.
        CONTEXT_0_CONSTRUCTED => id.children().next("no key identifier").ok()?.content,
        _ => return None,
    };
    Some(certificate.subject_key_id() == Some(key_id))
}

/// The content-encryption key of a `KeyTransRecipientInfo` (RFC 5652, 6.2.1).
fn transported_key(
    recipient: Element<'_>,
    key: &[u8],
    certificate: &Certificate,
) -> Option<Zeroizing<Vec<u8>>> {
    let mut fields = recipient.children();
    fields.next("no version").ok()?;
    names(fields.next("no identifier").ok()?, certificate)?.then_some(())?;
    let algorithm = fields.next("no algorithm").ok()?;
    let encrypted = fields.next("no key").ok()?.content;
    decrypt_key(key, algorithm, encrypted)
}

/// An `[0] OCTET STRING` in one piece or in segments.
fn octets(element: Element<'_>) -> Result<Vec<u8>, BerError> {
    if element.tag == CONTEXT_0 {
        return Ok(element.content.to_vec());
    }
    let segments = element.expect(CONTEXT_0_CONSTRUCTED, "no octet string")?.children();
    let mut joined = Vec::new();
    segments.each(usize::MAX, |segment| joined.extend_from_slice(segment.content))?;
    Ok(joined)
}

/// Decrypts the content-encryption key with an RSA key in PKCS#8.
fn decrypt_key(key: &[u8], algorithm: Element<'_>, data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut fields = algorithm.expect(der::SEQUENCE, "no algorithm").ok()?.children();
    let name = oid(fields.next("no algorithm").ok()?)?;
    let parameters = fields.try_next().ok()?;
    let key = PrivateDecryptingKey::from_pkcs8(key).ok()?;
    let mut plain = Zeroizing::new(vec![0; key.key_size_bytes()]);
    let len = match name.as_str() {
        RSA => Pkcs1PrivateDecryptingKey::new(key).ok()?.decrypt(data, &mut plain).ok()?.len(),
        RSA_OAEP => {
            let key = OaepPrivateDecryptingKey::new(key).ok()?;
            let scheme = match oaep_digest(parameters)?.as_deref() {
                None | Some("1.3.14.3.2.26") => &OAEP_SHA1_MGF1SHA1,
                Some("2.16.840.1.101.3.4.2.1") => &OAEP_SHA256_MGF1SHA256,
                Some("2.16.840.1.101.3.4.2.2") => &OAEP_SHA384_MGF1SHA384,
                Some("2.16.840.1.101.3.4.2.3") => &OAEP_SHA512_MGF1SHA512,
                Some(_) => return None,
            };
            key.decrypt(scheme, data, &mut plain, None).ok()?.len()
        }
        _ => return None,
    };
    plain.truncate(len);
    Some(plain)
}

/// The digest in RSAES-OAEP parameters, by default SHA-1 (RFC 8017, A.2.1). The mask
/// generation function has the same one.
fn oaep_digest(parameters: Option<Element<'_>>) -> Option<Option<String>> {
    let Some(parameters) = parameters else { return Some(None) };
    let mut fields = parameters.children();
    let Some(digest) = fields.next_if(CONTEXT_0_CONSTRUCTED).ok()? else { return Some(None) };
    let algorithm = digest.children().next("no digest").ok()?;
    oid(algorithm.children().next("no digest").ok()?).map(Some)
}

fn oid(element: Element<'_>) -> Option<String> {
    let element = element.expect(der::OID, "no OID").ok()?;
    Oid::from_bytes(element.content).ok().map(|oid| oid.to_string())
}

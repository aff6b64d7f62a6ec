//! Safes and the bags in them (RFC 7292, 4.1 and 4.2).

use ades_core::asn1::ber::{Element, Reader};
use ades_core::asn1::der;

use crate::ber_octets::{Secret, number, octet_string, oid};
use crate::derivation::Budget;
use crate::encryption::Scheme;
use crate::error::{Error, Limit, Part};
use crate::mac::Integrity;
use crate::password::Passwords;
use crate::pfx::DATA;
use crate::{CertificateBag, Contents, Key, MAX_BAGS, Names};

/// Maximum nesting depth of safes.
const MAX_DEPTH: usize = 8;
/// The tag of `[0] IMPLICIT OCTET STRING`.
const ENCRYPTED_CONTENT: u8 = 0x80;

/// Reads safes. A part that cannot be read does not keep the others from being
/// read.
pub(crate) struct SafeReader<'a> {
    passwords: &'a Passwords,
    budget: &'a mut Budget,
    integrity: Integrity,
    bags: usize,
    has_decrypted: bool,
    contents: Contents,
}

impl<'a> SafeReader<'a> {
    pub(crate) fn new(
        passwords: &'a Passwords,
        budget: &'a mut Budget,
        integrity: Integrity,
    ) -> Self {
        let contents = Contents::default();
        Self { passwords, budget, integrity, bags: 0, has_decrypted: false, contents }
    }

    /// Whether the password decrypted a part.
    pub(crate) const fn has_decrypted(&self) -> bool {
        self.has_decrypted
    }

    pub(crate) fn into_contents(self) -> Contents {
        self.contents
    }

    pub(crate) fn authenticated_safe(&mut self, octets: &[u8]) -> Result<(), Error> {
        let part = Part::AuthenticatedSafe;
        let malformed = |e| part.malformed(e);
        let safe = Reader::new(octets, 0).next("no sequence").map_err(malformed)?;
        let safe = safe.expect(der::SEQUENCE, "no sequence").map_err(malformed)?;
        for content in safe.children().all(MAX_BAGS).map_err(malformed)? {
            let read = self.content_info(content);
            self.note(read)?;
        }
        Ok(())
    }

    /// Keeps the reason for which a part cannot be read. Exceeded limits end the
    /// reading.
    fn note(&mut self, read: Result<(), Error>) -> Result<(), Error> {
        match read {
            Err(error @ Error::Limit { .. }) => Err(error),
            Err(error) => {
                self.contents.unreadable.push(error);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn content_info(&mut self, content: Element<'_>) -> Result<(), Error> {
        let malformed = |e| Part::AuthenticatedSafe.malformed(e);
        let content = content.expect(der::SEQUENCE, "no content").map_err(malformed)?;
        let mut fields = content.children();
        let content_type = fields.next("no content type").and_then(oid).map_err(malformed)?;
        let explicit = fields.next("no content").map_err(malformed)?;
        let explicit = explicit.expect(der::context(0), "no content").map_err(malformed)?;
        let content = explicit.children().next("no content").map_err(malformed)?;
        match content_type.to_string().as_str() {
            DATA => {
                let octets = octet_string(content, der::OCTET_STRING).map_err(malformed)?;
                self.safe_contents(&octets)
            }
            "1.2.840.113549.1.7.6" => {
                let octets = self.encrypted_data(content)?;
                self.safe_contents(&octets)
            }
            "1.2.840.113549.1.7.3" => {
                Err(Error::unsupported("a safe that is encrypted for a public key"))
            }
            other => Err(Error::unsupported(format!("a safe of type {other}"))),
        }
    }

    /// `EncryptedData` (RFC 5652, 8).
    fn encrypted_data(&mut self, data: Element<'_>) -> Result<Secret, Error> {
        let part = Part::AuthenticatedSafe;
        let malformed = |e| part.malformed(e);
        let mut fields =
            data.expect(der::SEQUENCE, "no encrypted data").map_err(malformed)?.children();
        fields.next("no version").and_then(number).map_err(malformed)?;
        let info = fields.next("no encrypted content").map_err(malformed)?;
        let info = info.expect(der::SEQUENCE, "no encrypted content").map_err(malformed)?;
        let mut fields = info.children();
        fields.next("no content type").and_then(oid).map_err(malformed)?;
        let algorithm = fields.next("no algorithm identifier").map_err(malformed)?;
        let content = fields.next("no encrypted content").map_err(malformed)?;
        let content = octet_string(content, ENCRYPTED_CONTENT).map_err(malformed)?;
        self.decrypt(algorithm, &content, part, Part::SafeContents)
    }

    fn decrypt(
        &mut self,
        algorithm: Element<'_>,
        content: &[u8],
        part: Part,
        plain_part: Part,
    ) -> Result<Secret, Error> {
        let scheme = Scheme::read(algorithm, part)?;
        match scheme.decrypt(content, self.passwords, self.budget)? {
            Some(plain) => {
                self.has_decrypted = true;
                Ok(plain)
            }
            None if self.integrity == Integrity::Intact => {
                Err(Error::OtherPassword { part: plain_part })
            }
            None => Err(Error::CannotDecrypt),
        }
    }

    fn safe_contents(&mut self, octets: &[u8]) -> Result<(), Error> {
        let malformed = |e| Part::SafeContents.malformed(e);
        let safe = Reader::new(octets, 0).next("no safe").map_err(malformed)?;
        self.bags(safe, 0)
    }

    fn bags(&mut self, safe: Element<'_>, depth: usize) -> Result<(), Error> {
        if depth == MAX_DEPTH {
            return Err(Error::Limit { limit: Limit::Depth });
        }
        let malformed = |e| Part::SafeContents.malformed(e);
        let safe = safe.expect(der::SEQUENCE, "no safe").map_err(malformed)?;
        let mut bags = safe.children();
        while let Some(bag) = bags.try_next().map_err(malformed)? {
            self.bags += 1;
            if self.bags > MAX_BAGS {
                return Err(Error::Limit { limit: Limit::Bags });
            }
            let read = self.bag(bag, depth);
            self.note(read)?;
        }
        Ok(())
    }

    fn bag(&mut self, bag: Element<'_>, depth: usize) -> Result<(), Error> {
        let malformed = |e| Part::SafeContents.malformed(e);
        let mut fields = bag.expect(der::SEQUENCE, "no bag").map_err(malformed)?.children();
        let bag_type = fields.next("no type of a bag").and_then(oid).map_err(malformed)?;
        let explicit = fields.next("an empty bag").map_err(malformed)?;
        let explicit = explicit.expect(der::context(0), "an empty bag").map_err(malformed)?;
        let value = explicit.children().next("an empty bag").map_err(malformed)?;
        let mut names = || match fields.try_next().map_err(malformed)? {
            None => Ok(Names::default()),
            Some(attributes) => Names::read(attributes).map_err(malformed),
        };
        match bag_type.to_string().as_str() {
            "1.2.840.113549.1.12.10.1.1" => {
                let key = Key::read(value, Part::SafeContents, names()?)?;
                self.contents.keys.push(key);
            }
            "1.2.840.113549.1.12.10.1.2" => {
                let names = names()?;
                let plain = self.shrouded_key(value)?;
                let element = Reader::new(&plain, 0).next("no key");
                let element = element.map_err(|e| Part::Key.malformed(e))?;
                self.contents.keys.push(Key::read(element, Part::Key, names)?);
            }
            "1.2.840.113549.1.12.10.1.3" => {
                let names = names()?;
                let certificate = certificate(value).map_err(malformed)?;
                let bag = certificate.map(|der| CertificateBag { der, names });
                self.contents.certificates.extend(bag);
            }
            "1.2.840.113549.1.12.10.1.6" => self.bags(value, depth + 1)?,
            // CRLs, secrets, and bag types of other programs.
            _ => {}
        }
        Ok(())
    }

    /// `EncryptedPrivateKeyInfo` (RFC 5958, 3).
    fn shrouded_key(&mut self, value: Element<'_>) -> Result<Secret, Error> {
        let part = Part::SafeContents;
        let malformed = |e| part.malformed(e);
        let mut fields = value.expect(der::SEQUENCE, "no key").map_err(malformed)?.children();
        let algorithm = fields.next("no algorithm identifier").map_err(malformed)?;
        let content = fields.next("no encrypted key").map_err(malformed)?;
        let content = octet_string(content, der::OCTET_STRING).map_err(malformed)?;
        self.decrypt(algorithm, &content, part, Part::Key)
    }
}

/// The octets of an X.509 certificate. `None` if the certificate is of another
/// type.
fn certificate(bag: Element<'_>) -> Result<Option<Vec<u8>>, ades_core::asn1::ber::Error> {
    let mut fields = bag.expect(der::SEQUENCE, "no certificate")?.children();
    if oid(fields.next("no type of a certificate")?)?.to_string() != "1.2.840.113549.1.9.22.1" {
        return Ok(None);
    }
    let explicit = fields.next("no certificate")?.expect(der::context(0), "no certificate")?;
    let octets = octet_string(explicit.children().next("no certificate")?, der::OCTET_STRING)?;
    Ok(Some(octets.to_vec()))
}

impl Names {
    /// Reads the attributes of a bag. Malformed attributes are ignored: only names
    /// depend on them.
    fn read(attributes: Element<'_>) -> Result<Self, ades_core::asn1::ber::Error> {
        let mut names = Self::default();
        let attributes = attributes.expect(der::SET, "no attributes")?;
        for attribute in attributes.children().all(MAX_BAGS)? {
            let mut fields = attribute.expect(der::SEQUENCE, "no attribute")?.children();
            let attribute_type = oid(fields.next("no type of an attribute")?)?;
            let Some(values) = fields.next_if(der::SET)? else { continue };
            let Some(value) = values.children().try_next()? else { continue };
            match attribute_type.to_string().as_str() {
                "1.2.840.113549.1.9.20" => names.friendly_name = bmp_string(value),
                "1.2.840.113549.1.9.21" => {
                    let id = octet_string(value, der::OCTET_STRING);
                    names.local_key_id = id.ok().map(|id| id.to_vec());
                }
                _ => {}
            }
        }
        Ok(names)
    }
}

/// A `BMPString`, which may have surrogate pairs.
fn bmp_string(value: Element<'_>) -> Option<String> {
    const BMP_STRING: u8 = 0x1E;

    let whole = crate::ber_octets::to_der(value).ok()?;
    let value = Reader::new(&whole, 0).next("").ok()?.expect(BMP_STRING, "").ok()?;
    let units = value.content.chunks(2).map(|unit| match unit {
        [high, low] => u16::from_be_bytes([*high, *low]),
        _ => 0xFFFD,
    });
    Some(String::from_utf16_lossy(&units.collect::<Vec<u16>>()))
}

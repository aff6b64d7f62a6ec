//! The outermost elements of a file: `PFX` (RFC 7292, 4).

use ades_core::asn1::ber::{Reader, header};
use ades_core::asn1::der;

use crate::ber_octets::{Secret, number, octet_string, oid};
use crate::error::{Error, Part};
use crate::mac::MacData;
use crate::other_file::OtherFile;

pub(crate) const DATA: &str = "1.2.840.113549.1.7.1";
const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";

/// A file whose content was not read yet.
#[derive(Debug)]
pub(crate) struct Pfx {
    /// The octets of the `AuthenticatedSafe`, which the MAC protects.
    pub(crate) authenticated_safe: Secret,
    pub(crate) mac: Option<MacData>,
}

impl Pfx {
    pub(crate) fn read(file: &[u8]) -> Result<Self, Error> {
        if let Some(found) = OtherFile::recognise(file) {
            return Err(Error::OtherFile { found });
        }
        let malformed = |e| Part::File.malformed(e);
        if let Ok(header) = header(file, 0) {
            let expected = header.content_len.unwrap_or(0).saturating_add(header.len as u64);
            if expected > file.len() as u64 {
                return Err(Error::Truncated { expected, found: file.len() });
            }
        }
        let pfx = Reader::new(file, 0).next("no PFX").map_err(malformed)?;
        let pfx = pfx.expect(der::SEQUENCE, "no PFX").map_err(malformed)?;
        let mut fields = pfx.children();
        let version = fields.next("no version").and_then(number).map_err(malformed)?;
        if version != 3 {
            return Err(Error::unsupported(format!("version {version} instead of 3")));
        }
        let content = fields.next("no authenticated safe").map_err(malformed)?;
        let content = content.expect(der::SEQUENCE, "no authenticated safe").map_err(malformed)?;
        let mac = fields.try_next().map_err(malformed)?;
        let mut fields = content.children();
        let content_type = fields.next("no content type").and_then(oid).map_err(malformed)?;
        match content_type.to_string().as_str() {
            DATA => {}
            SIGNED_DATA => {
                return Err(Error::unsupported("a signature in place of a password and a MAC"));
            }
            other => return Err(Error::unsupported(format!("a content of type {other}"))),
        }
        let explicit = fields.next("no content").map_err(malformed)?;
        let explicit = explicit.expect(der::context(0), "no content").map_err(malformed)?;
        let octets = explicit.children().next("no content").map_err(malformed)?;
        let authenticated_safe = octet_string(octets, der::OCTET_STRING).map_err(malformed)?;
        Ok(Self { authenticated_safe, mac: mac.map(MacData::read).transpose()? })
    }
}

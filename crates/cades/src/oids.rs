//! Object identifiers of CMS and CAdES (RFC 5652, RFC 5035, RFC 6211,
//! EN 319 122-1 annex D) as the content octets of their DER.

/// id-data
pub(crate) const DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01];
/// id-signedData
pub(crate) const SIGNED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02];

macro_rules! pkcs9 {
    ($($(#[$doc:meta])* $name:ident = $last:literal;)*) => {
        $($(#[$doc])* pub(crate) const $name: &[u8] =
            &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, $last];)*
    };
}

pkcs9! {
    /// content-type
    CONTENT_TYPE = 3;
    /// message-digest
    MESSAGE_DIGEST = 4;
    /// signing-time
    SIGNING_TIME = 5;
    /// countersignature (unsigned)
    COUNTERSIGNATURE = 6;
    /// CMS algorithm protection
    ALGORITHM_PROTECTION = 52;
}

macro_rules! smime {
    ($($(#[$doc:meta])* $name:ident = ($arc:literal, $last:literal);)*) => {
        $($(#[$doc])* pub(crate) const $name: &[u8] =
            &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, $arc, $last];)*
    };
}

smime! {
    /// content-hints
    CONTENT_HINTS = (2, 4);
    /// signature-time-stamp (unsigned)
    SIGNATURE_TIME_STAMP = (2, 14);
    /// signature-policy-identifier
    SIGNATURE_POLICY = (2, 15);
    /// commitment-type-indication
    COMMITMENT_TYPE = (2, 16);
    /// signer-location
    SIGNER_LOCATION = (2, 17);
    /// signing-certificate-v2
    SIGNING_CERTIFICATE_V2 = (2, 47);
    /// archive-time-stamp, version 1 (unsigned)
    ARCHIVE_TIME_STAMP_V1 = (2, 27);
    /// archive-time-stamp, version 2 (unsigned)
    ARCHIVE_TIME_STAMP_V2 = (2, 48);
    /// spuri, a policy qualifier
    SP_URI = (5, 1);
    /// unotice, a policy qualifier
    SP_USER_NOTICE = (5, 2);
}

/// mime-type, 0.4.0.1733.2.1
pub(crate) const MIME_TYPE: &[u8] = &[0x04, 0x00, 0x8D, 0x45, 0x02, 0x01];
/// archive-time-stamp-v3 (unsigned), 0.4.0.1733.2.4
pub(crate) const ARCHIVE_TIME_STAMP_V3: &[u8] = &[0x04, 0x00, 0x8D, 0x45, 0x02, 0x04];
/// long-term-validation (unsigned), 0.4.0.1733.2.2
const LONG_TERM_VALIDATION: &[u8] = &[0x04, 0x00, 0x8D, 0x45, 0x02, 0x02];
/// Unsigned attributes that cover all certificates of the container.
pub(crate) const COVERING_CERTIFICATES: [&[u8]; 3] =
    [ARCHIVE_TIME_STAMP_V1, ARCHIVE_TIME_STAMP_V2, LONG_TERM_VALIDATION];
/// signer-attributes-v2, 0.4.0.19122.1.1
pub(crate) const SIGNER_ATTRIBUTES_V2: &[u8] = &[0x04, 0x00, 0x81, 0x95, 0x32, 0x01, 0x01];
/// id-at-title, 2.5.4.12: the attribute that holds a claimed role
pub(crate) const TITLE: &[u8] = &[0x55, 0x04, 0x0C];

#[cfg(test)]
mod tests {
    use ades_core::Oid;

    #[test]
    fn octets_are_those_of_the_dotted_identifiers() {
        for (octets, dotted) in [
            (super::DATA, "1.2.840.113549.1.7.1"),
            (super::SIGNED_DATA, "1.2.840.113549.1.7.2"),
            (super::CONTENT_TYPE, "1.2.840.113549.1.9.3"),
            (super::ALGORITHM_PROTECTION, "1.2.840.113549.1.9.52"),
            (super::SIGNING_CERTIFICATE_V2, "1.2.840.113549.1.9.16.2.47"),
            (super::SP_USER_NOTICE, "1.2.840.113549.1.9.16.5.2"),
            (super::MIME_TYPE, "0.4.0.1733.2.1"),
            (super::ARCHIVE_TIME_STAMP_V3, "0.4.0.1733.2.4"),
            (super::SIGNER_ATTRIBUTES_V2, "0.4.0.19122.1.1"),
            (super::TITLE, "2.5.4.12"),
        ] {
            assert_eq!(Oid::from_bytes(octets).unwrap().to_string(), dotted);
        }
    }
}

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
    /// signing-certificate, whose digest is SHA-1
    SIGNING_CERTIFICATE = (2, 12);
    /// signing-certificate-v2
    SIGNING_CERTIFICATE_V2 = (2, 47);
    /// content-time-stamp
    CONTENT_TIME_STAMP = (2, 20);
    /// complete-certificate-references (unsigned)
    CERTIFICATE_REFERENCES = (2, 21);
    /// complete-revocation-references (unsigned)
    REVOCATION_REFERENCES = (2, 22);
    /// certificate-values (unsigned)
    CERTIFICATE_VALUES = (2, 23);
    /// revocation-values (unsigned)
    REVOCATION_VALUES = (2, 24);
    /// CAdES-C-timestamp (unsigned)
    CADES_C_TIME_STAMP = (2, 25);
    /// time-stamped-certs-crls-references (unsigned)
    REFERENCES_TIME_STAMP = (2, 26);
    /// attribute-certificate-references (unsigned)
    ATTRIBUTE_CERTIFICATE_REFERENCES = (2, 44);
    /// attribute-revocation-references (unsigned)
    ATTRIBUTE_REVOCATION_REFERENCES = (2, 45);
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
/// ats-hash-index, version 1, in the token of an archive time-stamp, 0.4.0.1733.2.5
pub(crate) const ATS_HASH_INDEX_V1: &[u8] = &[0x04, 0x00, 0x8D, 0x45, 0x02, 0x05];
/// ats-hash-index, version 2, 0.4.0.19122.1.4
pub(crate) const ATS_HASH_INDEX_V2: &[u8] = &[0x04, 0x00, 0x81, 0x95, 0x32, 0x01, 0x04];
/// ats-hash-index-v3, 0.4.0.19122.1.5
pub(crate) const ATS_HASH_INDEX_V3: &[u8] = &[0x04, 0x00, 0x81, 0x95, 0x32, 0x01, 0x05];
/// adbe-revocationInfoArchival (ISO 32000-2, 12.8.3.3.2), 1.2.840.113583.1.1.8
pub(crate) const REVOCATION_INFO_ARCHIVAL: &[u8] =
    &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x2F, 0x01, 0x01, 0x08];
/// long-term-validation (unsigned), 0.4.0.1733.2.2
const LONG_TERM_VALIDATION: &[u8] = &[0x04, 0x00, 0x8D, 0x45, 0x02, 0x02];
/// Unsigned attributes that cover all certificates of the container.
pub(crate) const COVERING_CERTIFICATES: [&[u8]; 3] =
    [ARCHIVE_TIME_STAMP_V1, ARCHIVE_TIME_STAMP_V2, LONG_TERM_VALIDATION];
/// Unsigned attributes with validation data, or references to them, in the forms before the
/// baseline (EN 319 122-1, table 1).
pub(crate) const BEFORE_BASELINE: [&[u8]; 6] = [
    CERTIFICATE_REFERENCES,
    REVOCATION_REFERENCES,
    CERTIFICATE_VALUES,
    REVOCATION_VALUES,
    CADES_C_TIME_STAMP,
    REFERENCES_TIME_STAMP,
];
/// id-ri-ocsp-response (RFC 5940, 2), 1.3.6.1.5.5.7.16.2
pub(crate) const OCSP_RESPONSE: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 0x10, 2];
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
            (super::CONTENT_TIME_STAMP, "1.2.840.113549.1.9.16.2.20"),
            (super::ATTRIBUTE_REVOCATION_REFERENCES, "1.2.840.113549.1.9.16.2.45"),
            (super::ATS_HASH_INDEX_V1, "0.4.0.1733.2.5"),
            (super::ATS_HASH_INDEX_V3, "0.4.0.19122.1.5"),
            (super::REVOCATION_INFO_ARCHIVAL, "1.2.840.113583.1.1.8"),
            (super::OCSP_RESPONSE, "1.3.6.1.5.5.7.16.2"),
            (super::TITLE, "2.5.4.12"),
        ] {
            assert_eq!(Oid::from_bytes(octets).unwrap().to_string(), dotted);
        }
    }
}

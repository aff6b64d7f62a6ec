//! The use of the certificate at the start of a path (RFC 5280, 4.2.1.3, 4.2.1.12).

use ades_core::certificate::UsageCheck;
use ades_core::{Certificate, Oid};

use super::extensions::Extensions;
use super::{Fault, Purpose};

/// Extended key usages that include signatures on documents: any, e-mail
/// protection, document signing (RFC 9336), and those of Microsoft and Adobe for it.
const DOCUMENTS: [&str; 5] = [
    "2.5.29.37.0",
    "1.3.6.1.5.5.7.3.4",
    "1.3.6.1.5.5.7.3.36",
    "1.3.6.1.4.1.311.10.3.12",
    "1.2.840.113583.1.1.5",
];
/// TLS clients. National identity cards have it, not critical, in certificates that
/// are for signatures by their keyUsage.
const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";
const TIME_STAMPING: &str = "1.3.6.1.5.5.7.3.8";
const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";

pub(super) fn check(
    certificate: &Certificate,
    extensions: &Extensions,
    purpose: Purpose,
) -> Result<(), Fault> {
    if purpose == Purpose::Any {
        return Ok(());
    }
    if !certificate.allows(UsageCheck::Signature) {
        return Err(Fault::KeyUsage);
    }
    let usage = extensions.extended_key_usage.as_ref();
    let has = |name: &str| {
        let wanted = Oid::from_dotted(name);
        usage.is_some_and(|usage| usage.purposes.iter().any(|found| Some(*found) == wanted))
    };
    let fits = match purpose {
        Purpose::TimeStamping => has(TIME_STAMPING),
        Purpose::OcspSigning => has(OCSP_SIGNING),
        Purpose::DocumentSigning | Purpose::Any => usage.is_none_or(|usage| {
            DOCUMENTS.into_iter().any(has) || !usage.critical && has(CLIENT_AUTH)
        }),
    };
    if fits { Ok(()) } else { Err(Fault::ExtendedKeyUsage) }
}

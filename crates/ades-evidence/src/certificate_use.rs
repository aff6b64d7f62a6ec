//! What the certificates of authorities, responders and time-stamping services may be
//! used for.

use ades_core::certificate::UsageCheck;
use ades_core::{Certificate, Oid, name};

use crate::fields::BIT_STRING;
use crate::fields::{bit, only};
use crate::path::Extensions;

/// id-kp-timeStamping
const TIME_STAMPING: &str = "1.3.6.1.5.5.7.3.8";
/// id-kp-OCSPSigning
const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";
/// id-pkix-ocsp-nocheck, 1.3.6.1.5.5.7.48.1.5
const NO_CHECK: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 0x30, 1, 5];
const KEY_USAGE: &[u8] = &[0x55, 0x1D, 15];
/// cRLSign in keyUsage (RFC 5280, 4.2.1.3)
const CRL_SIGN: usize = 6;

/// Whether two certificates have the same subject and key.
pub(crate) fn is_same_authority(one: &Certificate, other: &Certificate) -> bool {
    one.public_key_info() == other.public_key_info()
        && name::is_same(one.subject(), other.subject())
}

/// Whether the certificate is for an OCSP responder (RFC 6960, 4.2.2.2). *Any* extended
/// key usage does not count.
pub(crate) fn may_sign_responses(certificate: &Certificate) -> bool {
    let usage = Extensions::read(certificate).ok().and_then(|found| found.extended_key_usage);
    let wanted = Oid::from_dotted(OCSP_SIGNING);
    certificate.allows(UsageCheck::Signature)
        && usage.is_some_and(|usage| usage.purposes.iter().any(|found| Some(*found) == wanted))
}

/// Whether the revocation of this responder is not asked for (RFC 6960, 4.2.2.2.1).
pub(crate) fn says_no_check(certificate: &Certificate) -> bool {
    certificate.extensions().any(|extension| extension.kind == NO_CHECK)
}

/// Whether keyUsage, if there is one, has cRLSign (RFC 5280, 6.3.3 (f)).
pub(crate) fn may_sign_lists(certificate: &Certificate) -> bool {
    let mut all = certificate.extensions();
    all.find(|extension| extension.kind == KEY_USAGE).is_none_or(|usage| {
        only(usage.value, BIT_STRING).is_some_and(|flags| bit(flags.content, CRL_SIGN))
    })
}

/// Whether extKeyUsage is critical and has timeStamping alone (RFC 3161, 2.3).
pub(crate) fn is_for_time_stamps_alone(certificate: &Certificate) -> bool {
    let usage = Extensions::read(certificate).ok().and_then(|found| found.extended_key_usage);
    usage.is_some_and(|usage| {
        usage.critical
            && matches!(usage.purposes.as_slice(), [only] if Oid::from_dotted(TIME_STAMPING) == Some(*only))
    })
}

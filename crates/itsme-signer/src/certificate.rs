//! Checks whether a user's certificate may sign with itsme®.

use ades_core::Certificate;
use ades_core::certificate::UsageCheck;
use ades_core::signer::{SignerError, SignerErrorKind};
use chrono::{DateTime, Utc};

use crate::config::Profile;
use crate::error::Error;

/// The certificate policy of test certificates, on which nobody may rely.
pub(crate) const TEST_POLICY: &str = "1.3.6.1.4.1.8024.1.400";
/// The certificate policy of qualified certificates. The trusted list requires
/// it of certificates that one of [`QUALIFIED_BY_POLICY`] issued.
pub(crate) const QUALIFIED_POLICY: &str = "1.3.6.1.4.1.8024.1.410";
const QUALIFIED_BY_POLICY: [&str; 2] = ["itsme Sign Issuing CA G1", "itsme Sign Issuing CA G2x"];

/// Checks that the certificate may sign from `now` until `end`, the end of the
/// session. The production profile also refuses test certificates and
/// certificates that are not qualified.
pub(crate) fn check(
    leaf: &Certificate,
    profile: Profile,
    now: DateTime<Utc>,
    end: DateTime<Utc>,
) -> Result<(), SignerError> {
    for time in [now, end] {
        leaf.check_fit(time, UsageCheck::NonRepudiation)
            .map_err(|e| SignerError::new(SignerErrorKind::Certificate).caused_by(e))?;
    }
    if profile != Profile::Production {
        return Ok(());
    }
    let has = |policy: &str| leaf.policies().iter().any(|oid| oid.to_string() == policy);
    if has(TEST_POLICY) {
        return Err(Error::TestCertificate.into());
    }
    let needs_policy = QUALIFIED_BY_POLICY.iter().any(|name| has_value(leaf.issuer(), name));
    if needs_policy && !has(QUALIFIED_POLICY) {
        return Err(Error::NotQualified.into());
    }
    Ok(())
}

/// Whether a value of a DER `Name` is this text. The comparison includes the
/// length octet, so that a longer value with this beginning does not match.
fn has_value(name: &[u8], text: &str) -> bool {
    let Ok(len) = u8::try_from(text.len()) else { return false };
    let value = [&[len], text.as_bytes()].concat();
    name.windows(value.len()).any(|window| window == value)
}

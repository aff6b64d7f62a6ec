//! Whether a certificate is fit to sign with at itsme®.

use ades_core::Certificate;
use ades_core::certificate::UsageCheck;
use ades_core::signer::{SignerError, SignerErrorKind};
use chrono::{DateTime, Utc};

use crate::config::Profile;
use crate::error::Error;

/// Certificates with this policy are test certificates: nobody may rely on them.
const TEST: &str = "1.3.6.1.4.1.8024.1.400";
/// Without this policy the trusted list calls a certificate by one of
/// [`JUDGED_BY_POLICY`] not qualified.
const QUALIFIED: &str = "1.3.6.1.4.1.8024.1.410";
const JUDGED_BY_POLICY: [&str; 2] = ["itsme Sign Issuing CA G1", "itsme Sign Issuing CA G2x"];

/// Checks the user's certificate: fit from now until the session's end, and no
/// test certificate, nor one that is not qualified, in production.
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
    if has(TEST) {
        return Err(Error::TestCertificate.into());
    }
    let judged = JUDGED_BY_POLICY.iter().any(|name| has_value(leaf.issuer(), name));
    if judged && !has(QUALIFIED) {
        return Err(Error::NotQualified.into());
    }
    Ok(())
}

/// Whether one of the values of a DER Name is this text: its length stands
/// before it, so that a longer one is not taken for it.
fn has_value(name: &[u8], text: &str) -> bool {
    let Ok(len) = u8::try_from(text.len()) else { return false };
    let value = [&[len], text.as_bytes()].concat();
    name.windows(value.len()).any(|window| window == value)
}

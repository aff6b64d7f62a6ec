//! The certificates of services as trust anchors.

use ades_core::Certificate;
use chrono::{DateTime, Utc};

use crate::list::{Service, ServiceKind, TrustedList};

/// A certificate of a service that is, or was, to be trusted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServiceAnchor {
    /// The certificate.
    pub certificate: Certificate,
    /// When the trust ends or ended; `None` if the list says nothing about an end.
    pub until: Option<DateTime<Utc>>,
}

impl TrustedList {
    /// The anchors of signers: services that issue certificates. If the list should have had a
    /// successor at `now`, its anchors count until then only.
    #[must_use]
    pub fn signer_anchors(&self, now: DateTime<Utc>) -> Vec<ServiceAnchor> {
        self.anchors(ServiceKind::issues_to_signers, now)
    }

    /// The anchors of time-stamping authorities. See [`signer_anchors`](Self::signer_anchors).
    #[must_use]
    pub fn time_stamping_anchors(&self, now: DateTime<Utc>) -> Vec<ServiceAnchor> {
        self.anchors(ServiceKind::makes_time_stamps, now)
    }

    fn anchors(&self, wanted: fn(ServiceKind) -> bool, now: DateTime<Utc>) -> Vec<ServiceAnchor> {
        let known_until = self.known_until();
        let latest = (known_until < now).then_some(known_until);
        let mut anchors: Vec<ServiceAnchor> = Vec::new();
        for service in &self.services {
            let Some(end) = trusted_until(service, wanted) else { continue };
            let until = match (end, latest) {
                (Some(end), Some(latest)) => Some(end.min(latest)),
                (end, latest) => end.or(latest),
            };
            for certificate in &service.certificates {
                let new = ServiceAnchor { certificate: certificate.clone(), until };
                match anchors.iter_mut().find(|one| one.certificate == new.certificate) {
                    // Two services may have one certificate: the longer trust counts.
                    Some(known) => known.until = later(known.until, new.until),
                    None => anchors.push(new),
                }
            }
        }
        anchors
    }
}

fn later(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    one.zip(other).map(|(one, other)| one.max(other))
}

/// The end of the last period in which a service was to be trusted; `None` if it never was.
fn trusted_until(
    service: &Service,
    wanted: fn(ServiceKind) -> bool,
) -> Option<Option<DateTime<Utc>>> {
    let good = service.periods.iter().filter(|one| wanted(one.kind) && one.is_good());
    good.map(|one| one.to).reduce(later)
}

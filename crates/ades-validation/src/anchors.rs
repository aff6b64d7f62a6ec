//! Trust anchors, some of which are trusted until a date only.

use std::collections::HashMap;

use ades_core::Certificate;
use ades_core::facts::ObjectId;
use ades_evidence::VerifiedValues;
use ades_evidence::path::{IssuerPool, Outcome, PathBuilder, Request};
use chrono::{DateTime, Utc};

/// A certificate that is trusted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TrustAnchor {
    /// The certificate.
    pub certificate: Certificate,
    /// The time at which the trust ends, if it does: the anchor counts before it only.
    pub until: Option<DateTime<Utc>>,
}

impl TrustAnchor {
    /// An anchor that is trusted without an end.
    #[must_use]
    pub const fn new(certificate: Certificate) -> Self {
        Self { certificate, until: None }
    }

    /// Ends the trust at a time.
    #[must_use]
    pub const fn until(mut self, until: DateTime<Utc>) -> Self {
        self.until = Some(until);
        self
    }
}

#[derive(Debug)]
pub(crate) struct Anchors {
    all: Vec<TrustAnchor>,
    ids: HashMap<ObjectId, Option<DateTime<Utc>>>,
    paths: PathBuilder,
    /// The anchors that are trusted at the time that was last asked about: a trusted list can
    /// have thousands, some of which have ended.
    living: Option<Living>,
    verified: VerifiedValues,
}

#[derive(Debug)]
struct Living {
    time: DateTime<Utc>,
    is_empty: bool,
    paths: PathBuilder,
}

impl Anchors {
    pub(crate) fn new(all: Vec<TrustAnchor>) -> Self {
        let certificates: Vec<_> = all.iter().map(|anchor| anchor.certificate.clone()).collect();
        let id = |anchor: &TrustAnchor| (anchor.certificate.id(), anchor.until);
        let ids = all.iter().map(id).collect();
        let (paths, verified) = (PathBuilder::new(&certificates), VerifiedValues::new());
        Self { ids, paths, all, living: None, verified }
    }

    /// Remembers with others which signature values verify.
    pub(crate) fn share(&mut self, verified: &VerifiedValues) {
        self.paths.share(verified);
        self.living = None;
        self.verified = verified.clone();
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(crate) fn contains(&self, certificate: &Certificate) -> bool {
        self.ids.contains_key(&certificate.id())
    }

    /// Searches a path to an anchor that is trusted at `time`, else to one that was
    /// trusted before: then the time at which its trust ended is returned, too.
    pub(crate) fn find(
        &mut self,
        certificate: &Certificate,
        pool: &IssuerPool,
        request: &Request,
        time: DateTime<Utc>,
    ) -> (Outcome, Option<DateTime<Utc>>) {
        let is_living = |anchor: &&TrustAnchor| anchor.until.is_none_or(|until| time < until);
        if self.all.iter().all(|anchor| is_living(&anchor)) {
            return (self.paths.find(certificate, pool, request), None);
        }
        let known = self.living.take().filter(|living| living.time == time);
        let living = self.living.insert(known.unwrap_or_else(|| {
            let living = self.all.iter().filter(is_living);
            let living: Vec<_> = living.map(|anchor| anchor.certificate.clone()).collect();
            let mut paths = PathBuilder::new(&living);
            paths.share(&self.verified);
            Living { time, is_empty: living.is_empty(), paths }
        }));
        let first = living.paths.find(certificate, pool, request);
        if matches!(first, Outcome::Valid(_)) {
            return (first, None);
        }
        let second = self.paths.find(certificate, pool, request);
        let ended = match &second {
            Outcome::Valid(path) => path.certificates.last(),
            _ => None,
        };
        let until = ended.and_then(|anchor| self.ids.get(&anchor.id()));
        match until {
            Some(until) => (second, *until),
            None if living.is_empty => (second, None),
            None => (first, None),
        }
    }
}

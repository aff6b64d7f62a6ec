//! The state of judging one signature.

use std::collections::HashMap;

use ades_core::facts::ObjectId;
use ades_evidence::path::Purpose;
use chrono::{DateTime, Utc};

use crate::anchors::Anchors;
use crate::material::Material;
use crate::policy::Policy;
use crate::revocation::Link;

/// Maximum number of certificates whose revocation data are searched for one signature.
pub(crate) const MAX_LINKS: usize = 1024;

/// Maximum number of further paths that are looked at for one signature, because the first ones fail
/// by the revocation or the algorithms of an issuer.
pub(crate) const MAX_OTHER_PATHS: usize = 32;

/// What a certificate is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Usage {
    /// Signatures on documents
    Signing,
    /// Time-stamps, with anchors of their own if there are any
    TimeStamping,
    /// Revocation data
    RevocationSigning,
}

impl Usage {
    pub(crate) const fn purpose(self) -> Purpose {
        match self {
            Self::Signing => Purpose::DocumentSigning,
            Self::TimeStamping => Purpose::TimeStamping,
            Self::RevocationSigning => Purpose::Any,
        }
    }

    /// Whose certificate it is, for people.
    pub(crate) const fn holder(self) -> &'static str {
        match self {
            Self::Signing => "the signer",
            Self::TimeStamping => "the time-stamping authority",
            Self::RevocationSigning => "the signer of revocation data",
        }
    }
}

pub(crate) struct Session<'a> {
    pub(crate) policy: &'a Policy,
    /// The validation time.
    pub(crate) time: DateTime<Utc>,
    pub(crate) now: DateTime<Utc>,
    /// Evidence that was made later does not count: the validation time or, if the signer
    /// is believed about the time of signing, now.
    pub(crate) evidence_until: DateTime<Utc>,
    pub(crate) material: &'a Material,
    pub(crate) signing_anchors: &'a mut Anchors,
    /// Those of time-stamping authorities, if they have their own.
    pub(crate) time_stamping_anchors: Option<&'a mut Anchors>,
    /// What is known about the revocation of certificates: by certificate, issuer and anchor.
    pub(crate) links: HashMap<(ObjectId, ObjectId, ObjectId, Usage), Link>,
    /// Number of certificates whose revocation data may still be searched.
    pub(crate) budget: usize,
    /// Number of further paths that may still be looked at.
    pub(crate) other_paths: usize,
    /// Whether every certificate needs revocation data, because they are collected.
    pub(crate) collects: bool,
}

impl Session<'_> {
    pub(crate) fn anchors(&mut self, usage: Usage) -> &mut Anchors {
        match (usage, &mut self.time_stamping_anchors) {
            (Usage::TimeStamping, Some(own)) => own,
            _ => self.signing_anchors,
        }
    }
}

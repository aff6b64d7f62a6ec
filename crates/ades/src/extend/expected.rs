//! What an extension waits for: the token of a time-stamp that was prepared, and what the document
//! has to show after a step.

use std::collections::BTreeMap;

use ades_evidence::TimeStampPurpose;
use ades_evidence::needs::{Need, Octets};
use ades_evidence::token::TimeStampRequest;
use serde::{Deserialize, Serialize};

use super::by_format::PreparedStamp;
use super::status::{Look, SignatureKey};
use crate::error::Error;

/// A time-stamp that was prepared.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PendingStamp {
    pub(super) signature: SignatureKey,
    pub(super) purpose: TimeStampPurpose,
    pub(super) prepared: PreparedStamp,
    pub(super) request: TimeStampRequest,
    pub(super) token: Option<Octets>,
    pub(super) expected: Expected,
}

impl PendingStamp {
    pub(super) fn need(&self) -> Need {
        Need::TimeStamp { request: self.request.clone() }
    }

    pub(super) fn is_archive(&self) -> bool {
        self.purpose == TimeStampPurpose::Archive
    }
}

/// What the document has to show after a step.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    /// Whether each signature is intact.
    intact: BTreeMap<SignatureKey, Option<bool>>,
    signature: SignatureKey,
    /// Minimum number of fitting time-stamps on that signature.
    stamps: usize,
}

impl Expected {
    pub(super) fn of(look: &Look, signature: usize, more: usize) -> Self {
        let stamps = look.fitting_stamps(signature).saturating_add(more);
        Self { intact: look.intact(), signature: look.key(signature), stamps }
    }

    pub(super) fn check(&self, look: &Look) -> Result<(), Error> {
        let stamps = look.position(&self.signature).map(|at| look.fitting_stamps(at));
        let what = match look.intact() {
            found if found.len() != self.intact.len() => "the number of signatures has changed",
            found if found != self.intact => "the integrity of a signature has changed",
            _ if stamps.is_none_or(|stamps| stamps < self.stamps) => {
                "the added time-stamp does not fit"
            }
            _ => return Ok(()),
        };
        Err(Error::RaisedNotValid { what })
    }
}

//! Remembers issuers' signatures on certificates that have been verified.
//!
//! A chain is verified when it is ordered, when a signature is completed and when one is
//! judged, and many signers have the same issuers. Whether a key made a signature depends
//! on nothing but the octets, so an answer stays true.
//!
//! The process remembers, because nobody who completes a restored signature has an object
//! that could. `ades-evidence` has one for each judge, `VerifiedValues`: it also remembers
//! other values and what does not verify, and a container cannot displace what another
//! needs.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::certificate::Certificate;
use crate::facts::ObjectId;

/// Maximum number of signatures that the process remembers. The oldest are forgotten.
const MAX_REMEMBERED: usize = 64;

static VERIFIED: Mutex<VecDeque<Issued>> = Mutex::new(VecDeque::new());

/// A certificate, with the signature on it, and its issuer's: the ids of their octets.
#[derive(PartialEq, Eq)]
pub(super) struct Issued([ObjectId; 2]);

impl Issued {
    pub(super) fn new(subject: &Certificate, issuer: &Certificate) -> Self {
        Self([subject.id(), issuer.id()])
    }

    /// Whether the signature is remembered as verified.
    pub(super) fn is_remembered(&self) -> bool {
        VERIFIED.lock().unwrap_or_else(PoisonError::into_inner).contains(self)
    }

    pub(super) fn remember(self) {
        let mut verified = VERIFIED.lock().unwrap_or_else(PoisonError::into_inner);
        if !verified.contains(&self) {
            if verified.len() == MAX_REMEMBERED {
                verified.pop_front();
            }
            verified.push_back(self);
        }
    }
}

//! Remembers issuers' signatures on certificates that have been verified.
//!
//! A chain is verified when it is ordered, when a signature is completed and when one is
//! judged, and many signers have the same issuers. Whether a key made a signature depends
//! on nothing but the octets, so an answer stays true.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::algorithm::DigestAlgorithm;
use crate::certificate::Certificate;
use crate::digest::{Digest, Digester};

/// Maximum number of signatures that the process remembers. The oldest are forgotten.
const MAX_REMEMBERED: usize = 64;

static VERIFIED: Mutex<VecDeque<Digest>> = Mutex::new(VecDeque::new());

/// A certificate, with the signature on it, and the key of an issuer.
pub(super) struct Issued(Digest);

impl Issued {
    pub(super) fn new(subject: &Certificate, issuer: &Certificate) -> Self {
        let mut digester = Digester::new(DigestAlgorithm::Sha256);
        let subject = subject.der();
        // The length, so that no other pair has the same octets.
        digester.update(&(subject.len() as u64).to_be_bytes());
        digester.update(subject);
        digester.update(issuer.public_key_info());
        Self(digester.finish())
    }

    /// Whether the signature is remembered as verified.
    pub(super) fn is_remembered(&self) -> bool {
        VERIFIED.lock().unwrap_or_else(PoisonError::into_inner).contains(&self.0)
    }

    pub(super) fn remember(self) {
        let mut verified = VERIFIED.lock().unwrap_or_else(PoisonError::into_inner);
        if !verified.contains(&self.0) {
            if verified.len() == MAX_REMEMBERED {
                verified.pop_front();
            }
            verified.push_back(self.0);
        }
    }
}

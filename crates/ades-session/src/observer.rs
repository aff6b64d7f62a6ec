//! What a driver tells its application while it works.

use std::fmt;

use ades::signer::{Refusal, SignerError};
use ades::{CertificateChain, Checked, Digest, PendingSignature};

use crate::error::ItemError;
use crate::store::{JobId, Stage};

/// What a driver tells its application while it works: for counters, and for messages that a user
/// sees in the same process. A job keeps what it needs of all this, and the outbox tells what
/// happened while nobody looked.
///
/// The driver calls these methods where it works, so they must not block for long. A job's name and
/// the texts of errors do not belong into the labels of metrics.
pub trait Observer: Send + Sync + fmt::Debug {
    /// A document of a new job was checked. `item` counts from 0. The job has no name yet, because
    /// another document may be an error.
    fn checked(&self, item: usize, checked: &Checked) {
        let _ = (item, checked);
    }

    /// A job was stored in this stage, which may be the same as before.
    fn stored(&self, job: JobId, stage: Stage) {
        let _ = (job, stage);
    }

    /// A call to the signer failed, or its values do not verify. What the job does next is in
    /// [`Next`](crate::Next).
    fn signer_failed(&self, job: JobId, error: &SignerError) {
        let _ = (job, error);
    }

    /// The user refused, or the service ended the session.
    fn refused(&self, job: JobId, refusal: &Refusal) {
        let _ = (job, refusal);
    }

    /// A signature was prepared, and its batch will be asked for. `item` counts from 0. After a
    /// refusal it is prepared again.
    fn prepared(&self, job: JobId, item: usize, pending: &PendingSignature) {
        let _ = (job, item, pending);
    }

    /// The container of a signature is in its place.
    fn written(&self, job: JobId, item: usize, signature: &WrittenSignature<'_>) {
        let _ = (job, item, signature);
    }

    /// A container could not be written. Its value is kept, and it is tried again.
    fn not_written(&self, job: JobId, item: usize, error: &ItemError) {
        let _ = (job, item, error);
    }
}

/// A signature whose container is in its place.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct WrittenSignature<'a> {
    /// The certificate of the signer, and its chain
    pub chain: &'a CertificateChain,
    /// The digest of the signature value, which tells this signature from others in the container:
    /// see [`ades::Selection::Only`]
    pub value_digest: Option<&'a Digest>,
}

/// Observes nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nobody;

impl Observer for Nobody {}

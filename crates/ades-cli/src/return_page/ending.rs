//! How a job ended, for the last page.

use ades::signer::RefusalReason;

use crate::exit::Failure;

/// What the last page says: how the job ended, and how many of its files are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LastPage {
    pub(crate) ending: Ending,
    pub(crate) signed: usize,
    pub(crate) files: usize,
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Signed,
    /// The user refused.
    Refused,
    /// The user did not confirm in time.
    Expired,
    /// The user's account may not sign.
    NotAllowed,
    /// An error, which the terminal shows.
    Failed,
}

impl Ending {
    pub(crate) fn of<T>(result: &Result<T, Failure>) -> Self {
        match result.as_ref().map_err(|failure| failure.refusal) {
            Ok(_) => Self::Signed,
            Err(Some(RefusalReason::ByUser)) => Self::Refused,
            Err(Some(RefusalReason::Expired)) => Self::Expired,
            Err(Some(RefusalReason::NotAllowed)) => Self::NotAllowed,
            Err(_) => Self::Failed,
        }
    }
}

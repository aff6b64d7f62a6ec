//! One module for each command.

pub(crate) mod c14n;
pub(crate) mod complete;
pub(crate) mod demo;
pub(crate) mod documentation;
pub(crate) mod extend;
pub(crate) mod inspect;
pub(crate) mod prepare;
pub(crate) mod resume;
pub(crate) mod sandbox;
pub(crate) mod sign;
pub(crate) mod status;
pub(crate) mod verify;

use crate::exit::{BUG, Failure};

/// The runtime of signers and of the sandbox.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| Failure::new(BUG, e.to_string()))
}

#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod body;
pub mod clock;
#[cfg(feature = "contract")]
pub mod contract;
mod course;
pub mod documents;
mod driver;
mod error;
mod import;
mod job;
mod observer;
mod outcome;
mod runtime;
pub mod sealing;
mod signature;
pub mod store;

pub use ades::signer;
pub use documents::{Documents, Folder};
pub use driver::{Driver, Settings};
pub use error::{Error, ItemError, ItemFailure, JobProblem};
pub use import::{ImportedItem, ImportedJob, ImportedPosition, ImportedTrip};
pub use job::{MAX_ITEMS, MAX_REFERENCE, MAX_TOGETHER, NamedReference, SigningJob, SigningJobItem};
pub use observer::{Observer, WrittenSignature};
pub use outcome::{Begun, ItemState, ItemStatus, Next, Outcome, Status, Stop};
pub use runtime::Runtime;
#[cfg(feature = "tokio")]
pub use runtime::TokioRuntime;
pub use store::{EndReason, JobId, MemoryStore};

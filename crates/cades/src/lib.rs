#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

// The shape that all format crates share.
mod complete;
mod error;
mod extend;
mod options;
mod pending;
mod prepare;
pub mod report;
mod verify;

// Modules of CAdES alone.
mod archive_input;
mod attributes;
mod certificate_index;
pub mod container;
mod content;
#[doc(hidden)]
pub mod embedded;
mod listing;
mod oids;
mod signed_data;
mod signer_info;
mod source;

pub use ades_core::in_place::{Check, InPlace};
pub use container::Container;
pub use error::{Error, Limit, NotExtendable};
pub use extend::{
    ExtendOptions, PendingTimeStamp, add_time_stamp, add_validation_data, check_level,
    prepare_time_stamp,
};
pub use options::{Packaging, SignatureOptions, VerifyOptions};
pub use pending::PendingSignature;
pub use prepare::{
    Checked, check, check_countersignature, check_parallel, prepare, prepare_copying,
    prepare_countersignature, prepare_digest, prepare_parallel,
};
pub use report::Warning;
pub use verify::verify;

#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod complete;
pub mod error;
mod extend;
mod options;
mod pending;
mod prepare;
pub mod report;
mod verify;

mod appearance;
mod decrypted;
mod document;
mod file;
#[cfg(fuzzing)]
pub mod fuzzing;
mod lock;
mod reach;
mod security;
mod signer;
mod syntax;

pub use ades_core::in_place::{Check, InPlace};
pub use appearance::{
    Alignment, Appearance, Border, Colour, HorizontalAlignment, Rectangle, StampPosition,
    StampValues, TimeFormat, VerticalAlignment,
};
pub use decrypted::write_decrypted;
pub use error::{Error, Limit};
pub use extend::{
    ExtendOptions, PendingTimeStamp, add_time_stamp, add_validation_data, check_level,
    prepare_time_stamp, time_stamp_update, validation_data_update, with_update,
};
pub use lock::FieldLock;
pub use options::{Certification, SignatureField, SignatureOptions, VerifyOptions};
pub use pending::{PendingSignature, PreparedDocument};
pub use prepare::{Checked, check, prepare, prepare_copying};
pub use report::Warning;
pub use security::envelopes;
pub use signer::SubFilter;
pub use verify::{DigestedBeginning, verify};

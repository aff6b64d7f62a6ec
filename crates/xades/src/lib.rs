#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

pub mod c14n;
mod checkpoint;
mod complete;
pub mod error;
mod extend;
mod markup;
mod namespaces;
mod options;
mod pending;
mod prepare;
pub mod report;
mod signature_element;
mod source_document;
mod value;
mod verify;
pub mod xml;

pub use ades_core::in_place::{Check, InPlace};
pub use error::{Error, Limit};
pub use extend::known::KnownDocument;
pub use extend::options::ExtendOptions;
pub use extend::time_stamp::{PendingTimeStamp, add_time_stamp, check_level, prepare_time_stamp};
pub use extend::validation_data::add_validation_data;
pub use options::{
    DetachedReferences, Packaging, Position, ProductionPlace, SignatureOptions, SigningCertificate,
    VerifyOptions,
};
pub use pending::PendingSignature;
pub use prepare::countersignature::{check_countersignature, prepare_countersignature};
pub use prepare::detached::{DetachedDocument, check_detached, prepare_detached};
pub use prepare::{Checked, MAX_AFTER_ROOT, check, prepare, prepare_copying};
pub use report::Warning;
pub use verify::verify;

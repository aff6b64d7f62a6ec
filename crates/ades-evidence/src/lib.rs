#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

pub mod answers;
mod certificate_use;
#[doc(hidden)]
pub mod cms;
pub mod crl;
pub mod embedded;
mod fields;
pub mod needs;
pub mod ocsp;
pub mod path;
pub mod revocation;
mod time_stamp_purpose;
pub mod token;
mod validation_data;
mod verified;

pub use time_stamp_purpose::TimeStampPurpose;
pub use validation_data::ValidationData;
pub use verified::VerifiedValues;

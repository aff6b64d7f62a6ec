//! ASN.1 for the crates of this project.
//!
//! [`ber`] reads elements that others encoded, as spans of the original octets.
//! [`der`] writes headers and elements around octets that are encoded already.
//! [`text`] reads the string types, [`time`] those of times.
//! [`reencode`] returns the DER of octets that are BER, for a digest over it.
//! The module is hidden from the documentation and its structs and enums are
//! exhaustive: only the sister crates use it, and all are released together.

pub mod ber;
pub mod der;
pub mod reencode;
pub mod text;
pub mod time;

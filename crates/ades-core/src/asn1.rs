//! ASN.1 for the crates of this project.
//!
//! [`ber`] reads elements that others encoded, as spans of the original octets.
//! [`der`] writes headers and elements around octets that are encoded already.
//! The module is hidden from the documentation and its structs and enums are
//! exhaustive: only the sister crates use it, and all are released together.

pub mod ber;
pub mod der;

//! ASN.1 for the crates of this project: elements that others encoded are read
//! as spans of their octets, and DER is written around octets that are encoded
//! already.

pub mod ber;
pub mod der;

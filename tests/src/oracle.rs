//! Independent judges: programs of others that read, verify or make signatures.

pub mod certomancer;
pub mod dss;
pub mod libxml2;
mod lines;
pub mod openssl;
pub mod pades;
pub mod pdf;
pub mod peers;
pub mod pyhanko;
pub mod python;
pub mod signxml;
pub mod verapdf;
pub mod xades;
pub mod xmlsec1;

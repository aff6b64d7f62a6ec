//! Judges that others made.

pub mod dss;
mod lines;
pub mod libxml2;
pub mod openssl;
pub mod pdf;
pub mod pyhanko;
pub mod python;
pub mod verapdf;

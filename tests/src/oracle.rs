//! Judges that others made.

pub mod dss;
pub mod openssl;
pub mod python;

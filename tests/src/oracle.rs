//! Judges that others made.

pub mod openssl;

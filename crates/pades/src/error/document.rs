//! What a document lacks, or has that this crate does not read.

/// What is missing in an incomplete document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum MissingPart {
    /// The file ends within an object.
    #[error("the file is cut off within object {number}, which begins at octet {offset}")]
    ObjectEnd {
        /// the object's number
        number: u32,
        /// its offset
        offset: u64,
    },
    /// The file ends within the data of a stream.
    #[error("the file is cut off within the stream of object {number}, at octet {offset}")]
    StreamEnd {
        /// the stream's number
        number: u32,
        /// its offset
        offset: u64,
    },
    /// A page needs an object that the file does not have, or that cannot be read.
    #[error("object {number} is missing, which page {page} needs")]
    PageObject {
        /// the object's number
        number: u32,
        /// the page, counted from 1
        page: usize,
    },
    /// The page tree refers to an object that the file does not have, or that cannot be
    /// read.
    #[error("object {number} of the page tree is missing")]
    PageTreeNode {
        /// the object's number
        number: u32,
    },
}

/// A feature of PDF that this version does not support.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum UnsupportedFeature {
    /// An algorithm or version of the standard security handler.
    #[error("its encryption uses an unknown algorithm or version")]
    EncryptionAlgorithm,
    /// An object stream with a filter other than Flate.
    #[error("an object stream has a filter other than FlateDecode")]
    ObjectStreamFilter,
    /// A security handler other than those for passwords and for recipients.
    #[error("it is encrypted, but neither with a password nor for recipients (/Encrypt /Filter)")]
    SecurityHandler,
}

//! What a document is made of, as far as signatures touch it.

pub(crate) mod annotation;
pub(crate) mod form;
pub(crate) mod geometry;
pub(crate) mod page;
pub(crate) mod place;
pub(crate) mod signature;
pub(crate) mod xfa;

//! The parts of a document that a signature changes or depends on.

pub(crate) mod annotation;
pub(crate) mod completeness;
pub(crate) mod coverage;
pub(crate) mod form;
pub(crate) mod geometry;
pub(crate) mod page;
pub(crate) mod pdf_a;
pub(crate) mod place;
pub(crate) mod signature;
pub(crate) mod xfa;

//! A PDF file read lazily: the cross-reference, and then only the objects that
//! are asked for (ISO 32000-2 clause 7.5).

mod filter;
mod index;
mod object;
mod object_stream;
mod rebuild;
mod revision;
mod source;
mod xref;

pub(crate) use object::{Indirect, Pdf};
pub(crate) use revision::Revision;
pub(crate) use xref::{Entry, Section, SectionKind};

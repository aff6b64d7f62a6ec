//! Reading a PDF file lazily: the cross-reference, then only the objects that are
//! requested (ISO 32000-2, 7.5).

pub(crate) mod filter;
mod index;
mod long_objects;
mod object;
pub(crate) mod object_stream;
pub(crate) mod rebuild;
mod revision;
pub(crate) mod source;
pub(crate) mod xref;

pub(crate) use object::{Indirect, Pdf};
pub(crate) use revision::Revision;
pub(crate) use source::Source;
pub(crate) use xref::{Entry, Section, SectionKind};

//! Reading a PDF file lazily: the cross-reference, then only the objects that are
//! requested (ISO 32000-2, 7.5).

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

//! XML 1.0 (fifth edition) with namespaces, read as a stream.
//!
//! A [`Reader`] returns [`Event`]s. It accepts only documents that are well-formed and
//! namespace-well-formed. It expands internal entities, adds default attributes of the
//! internal DTD subset, and normalises line ends and attribute values. In memory it
//! holds only the open elements and one tag. It never fetches anything: if an external
//! resource would change the content, it returns
//! [`Error::External`](crate::Error::External).
//!
//! ```
//! use xades::xml::{Event, Reader};
//!
//! let mut reader = Reader::from_slice("<a b='1 &amp;\n2'><c/></a>".as_bytes())?;
//! while let Some(event) = reader.next_event()? {
//!     if let Event::StartElement(element) = event {
//!         println!("{:?} at {:?}", element.local_name(), element.tag());
//!     }
//! }
//! # Ok::<(), xades::Error>(())
//! ```

pub(crate) mod chars;
mod declaration;
mod dtd;
mod encoding;
mod entities;
mod event;
mod limits;
mod namespaces;
mod national;
mod reader;
mod scan;
mod tag;
mod window;
mod xml_scope;

pub(crate) use declaration::MAX_LEN as MAX_DECLARATION_LEN;
pub(crate) use encoding::Encoding;
pub(crate) use event::Extent;
pub use event::{
    Attribute, Attributes, EndElement, Event, Span, StartElement, Text, XML_NAMESPACE,
};
pub use limits::Limits;
pub(crate) use namespaces::{BindingIndex, NO_NAMESPACE, Namespaces, XML_BINDING};
pub(crate) use reader::PausedReader;
pub use reader::Reader;
pub(crate) use tag::TagAttribute;

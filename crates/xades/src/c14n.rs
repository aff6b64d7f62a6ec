//! Canonical XML 1.0 and 1.1 and Exclusive XML Canonicalization 1.0, each with
//! and without comments, of a document or a part of it.
//!
//! One pass over a document makes any number of canonical forms, so a signature with
//! several references reads its document once. Each form is passed to its sink in
//! pieces while the document is read. It is never held in memory as a whole.
//!
//! ```
//! use xades::c14n::{Canonicalization, Pass, Selection, Target};
//! use xades::xml::Reader;
//!
//! let document = "<a xmlns:n='urn:n' b='2'  a='1'><n:c Id='x'/><!-- no --></a>".as_bytes();
//! let (mut whole, mut part) = (Vec::new(), Vec::new());
//! let mut to_whole = |piece: &[u8]| Ok(whole.extend_from_slice(piece));
//! let mut to_part = |piece: &[u8]| Ok(part.extend_from_slice(piece));
//!
//! let mut pass = Pass::new(Reader::from_slice(document)?);
//! pass.add(Canonicalization::C14N_1_1, Selection::document(), &mut to_whole);
//! pass.add(Canonicalization::EXCLUSIVE, Selection::element(Target::Id("x".into())), &mut to_part);
//! let covered = pass.run()?;
//!
//! assert_eq!(whole, br#"<a xmlns:n="urn:n" a="1" b="2"><n:c Id="x"></n:c></a>"#);
//! assert_eq!(part, br#"<n:c xmlns:n="urn:n" Id="x"></n:c>"#);
//! assert_eq!(covered[1].selected[0].whole(), 32..45);
//! # Ok::<(), xades::Error>(())
//! ```
//!
//! A [`Selection`] says which nodes are in a form: the document or one element with
//! its content, filtered by the steps of XPath Filter 2.0. For any other node-set,
//! implement [`Select`].

mod base;
mod form;
mod inherited;
mod insertion_site;
mod marks;
mod method;
mod output;
mod pass;
mod paused;
mod select;
mod target;
mod work;
mod xpath;

pub(crate) use form::MAX_LISTED;
pub(crate) use inherited::MAX_BASE_LEN;
pub(crate) use insertion_site::{InsertionFacts, InsertionSite};
pub(crate) use method::MAX_PREFIXES;
pub use method::{Algorithm, Canonicalization};
pub(crate) use pass::ElementName;
pub use pass::{Covered, Pass, canonicalize};
pub(crate) use paused::PausedPass;
pub(crate) use select::MAX_STEPS;
pub use select::{Select, Selection, SetOperation, Shown};
pub(crate) use target::TargetSearch;
pub use target::{IdAttributes, Target};
pub(crate) use work::MAX_LISTED_TOGETHER;
pub(crate) use xpath::{Expression, Here, HereElement};

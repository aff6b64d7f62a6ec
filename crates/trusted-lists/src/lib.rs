#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod anchors;
mod authenticity;
mod certificate;
mod criteria;
mod error;
mod list;
mod qualification;
mod read;
mod tree;

pub use anchors::ServiceAnchor;
pub use authenticity::Authenticity;
pub use error::{Error, NotGenuine};
pub use list::{Period, Service, ServiceKind, Status, TrustedList};
pub use qualification::{CertificateQualification, Qualification, SignatureType, qualification};
pub use read::MAX_SERVICES;
pub use tree::{MAX_DEPTH, MAX_ELEMENTS, MAX_LIST_LEN};

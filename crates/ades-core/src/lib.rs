//! The language that CAdES, XAdES, PAdES and remote signers share.
//!
//! No I/O of its own, no clock, no randomness, no async runtime: whatever is
//! needed from outside is an argument. A signature is made in two halves, with
//! minutes and perhaps another process between them:
//!
//! ```text
//!  document, certificates, parameters             signature value
//!              │                                        │
//!              ▼                                        ▼
//!         ┌─────────┐   pending state (JSON)      ┌──────────┐
//!         │ prepare │ ──────────────────────────► │ complete │ ──► container
//!         └─────────┘                             └──────────┘
//!              │ ToBeSigned                             ▲
//!              ▼                                        │
//!         RemoteSigner, or anything that signs a hash ──┘
//! ```
//!
//! - [`algorithm`]: digest and signature algorithms, the only table of OIDs and URIs
//! - [`digest`](mod@digest), [`document`]: hashing as a stream; where octets come from
//! - [`certificate`], [`chain`]: certificates kept as the bytes they came in, in order
//! - [`in_place`]: files that are completed where they are
//! - [`parameters`]: what a signature says about itself
//! - [`pending`]: what is signed, and the state between the two halves
//! - [`signer`]: the [`RemoteSigner`] trait
//! - [`base64`]: octets in stored forms
//! - [`verify`](mod@verify): signature values, and what is wrong with the bad ones
//! - [`trust`]: whether certificates lead to trust anchors
//! - [`error`](mod@error): what can go wrong, whose fault it is, whether a retry helps
#![deny(missing_docs)]

pub mod algorithm;
#[doc(hidden)]
pub mod asn1;
pub mod base64;
pub mod certificate;
pub mod chain;
pub mod digest;
pub mod document;
pub mod error;
mod hex;
pub mod in_place;
mod level;
mod oid;
pub mod parameters;
pub mod pending;
pub mod signer;
pub mod trust;
pub mod verify;

pub use algorithm::{DigestAlgorithm, SignatureAlgorithm};
pub use certificate::Certificate;
pub use chain::CertificateChain;
pub use digest::{Digest, DigestThread, Digester, DocumentDigest, DtbsDigest};
pub use document::Document;
pub use error::{Error, Fault, Retry};
pub use level::Level;
pub use oid::Oid;
pub use parameters::{
    CommitmentType, SignatureParameters, SignaturePolicy, SignerLocation, SigningTime,
};
pub use pending::{PendingState, StateKey, StoredState, ToBeSigned};
pub use signer::RemoteSigner;

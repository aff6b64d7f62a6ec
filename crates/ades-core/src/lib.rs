#![doc = include_str!("../README.md")]
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
pub mod facts;
mod hex;
pub mod in_place;
mod level;
pub mod name;
mod oid;
pub mod parameters;
pub mod pending;
mod piece;
pub mod signer;
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
    CommitmentType, PolicyId, SignatureParameters, SignaturePolicy, SignerLocation, SigningTime,
};
pub use pending::{PendingState, StateKey, StoredState, ToBeSigned};
pub use signer::RemoteSigner;

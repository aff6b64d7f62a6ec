// The front page signs with a key file: its code compiles only with that feature.
#![cfg_attr(any(not(doctest), feature = "pkcs12"), doc = include_str!("../README.md"))]
#![deny(missing_docs)]

mod check;
mod detect;
mod error;
mod format;
mod hint;
mod inputs;
mod options;
pub mod parse;
mod pending;
mod report;
mod sign;
pub mod text;
mod verify;
mod warning;

pub use check::{Checked, check, choose_format};
pub use detect::{DocumentKind, Format};
pub use error::{Error, FormatOption, StampPart};
pub use hint::verification_command;
pub use inputs::Inputs;
pub use options::{
    Operation, Packaging, PdfOptions, ReadingOptions, SigningOptions, Stamp, XmlOptions,
};
pub use pending::{PendingSignature, prepare};
pub use report::{Contents, Report};
pub use sign::{BatchItem, sign, sign_batch};
pub use verify::{VerifyOptions, inspect, verify};
pub use warning::Warning;

// The types that all formats share.
pub use ades_core::{
    Certificate, CertificateChain, CommitmentType, Digest, DigestAlgorithm, Document,
    DocumentDigest, DtbsDigest, Fault, Oid, PendingState, RemoteSigner, Retry, SignatureAlgorithm,
    SignatureParameters, SignaturePolicy, SignerLocation, SigningTime, StateKey, StoredState,
    ToBeSigned, certificate, chain, parameters, pending as states, signer,
};
pub use pades::{Certification, FieldLock, Rectangle, StampPosition};
pub use xades::c14n::{Canonicalization, IdAttributes, Target};
pub use xades::{Position, ProductionPlace};

/// The formats' own crates, for functions that this crate does not have: completing in place,
/// copying while preparing, canonical forms, and the details of one format's reports and errors.
pub mod formats {
    pub use {ades_core, cades, pades, xades};
}

/// itsme® Sign as a signer.
#[cfg(feature = "itsme")]
pub use itsme_signer as itsme;
/// A key file as a signer.
#[cfg(feature = "pkcs12")]
pub use pkcs12_signer as pkcs12;

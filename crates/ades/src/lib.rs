// The front page signs with a key file: its code compiles only with that feature.
#![cfg_attr(any(not(doctest), feature = "pkcs12"), doc = include_str!("../README.md"))]
#![deny(missing_docs)]

mod armour;
mod check;
mod detect;
mod envelopes;
mod error;
mod extend;
mod findings;
mod format;
mod hint;
mod inputs;
mod names;
mod options;
pub mod parse;
mod pending;
mod report;
mod sign;
pub mod text;
mod trusted_lists;
mod verdict;
mod verify;
mod warning;
mod xml_report;

pub use check::{Checked, check, choose_format};
pub use detect::{DocumentKind, Format};
pub use envelopes::envelopes;
pub use error::{Error, StampPart};
pub use extend::{
    Advance, AnswerError, ExtendOptions, Extension, Missing, Reached, Selection, TargetLevel,
};
pub use hint::verification_command;
pub use inputs::{Inputs, NamedDocument};
pub use names::existing_names;
pub use options::{
    FormatOption, Operation, Packaging, PdfOptions, ReadingOptions, SigningOptions, Stamp,
    XmlOptions,
};
pub use pending::{PendingSignature, prepare, prepare_copying};
pub use report::{Contents, FormatReport, Report};
pub use sign::{BatchItem, sign, sign_batch};
pub use verdict::Verdict;
pub use verify::{VerifyOptions, inspect, verify};
pub use warning::Warning;

// The types that all formats share.
pub use ::trusted_lists::{Error as TrustedListError, Qualification, TrustedList};
pub use ades_core::Level;
pub use ades_core::in_place::{Check, InPlace};
pub use ades_core::{
    Certificate, CertificateChain, CommitmentType, Digest, DigestAlgorithm, Document,
    DocumentDigest, DtbsDigest, Fault, Oid, PendingState, PolicyId, RemoteSigner, Retry,
    SignatureAlgorithm, SignatureParameters, SignaturePolicy, SignerLocation, SigningTime,
    StateKey, StoredState, ToBeSigned, certificate, chain, parameters, pending as states, signer,
};
pub use ades_evidence::needs::{Need, NeedId};
pub use ades_validation::{
    Freshness, GivenData, Indication, Judgement, NextStep, Policy, Revocation, StoredCrl,
    SubIndication, TrustAnchor, ValidationTime,
};
pub use pades::{
    Alignment, Border, Certification, Colour, FieldLock, HorizontalAlignment, Rectangle,
    StampPosition, TimeFormat, VerticalAlignment,
};
pub use xades::c14n::{Canonicalization, IdAttributes, Target};
pub use xades::{Position, ProductionPlace, SigningCertificate};

/// The formats' own crates, for functions that this crate does not have, such as canonical forms,
/// and for the details of one format's reports and errors.
pub mod formats {
    pub use {::trusted_lists, ades_core, ades_evidence, ades_validation, cades, pades, xades};
}

/// itsme® Sign as a signer.
#[cfg(feature = "itsme")]
pub use itsme_signer as itsme;
/// A key file as a signer.
#[cfg(feature = "pkcs12")]
pub use pkcs12_signer as pkcs12;

#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod algorithms;
mod anchors;
mod basic;
mod case;
mod chain;
mod collect;
mod details;
mod facts;
mod fault;
mod indication;
mod judge;
mod judgement;
mod long_term;
mod material;
mod missing;
mod policy;
mod proofs;
mod revocation;
mod session;
mod time_stamp;
mod token_signature;
mod with_time;

pub use algorithms::{AfterUpdate, AlgorithmPolicy, Weakness};
pub use anchors::TrustAnchor;
pub use collect::{About, Collected, Gap};
pub use details::{RevokedCertificate, WeakAlgorithm, WeakObject, WeakUse};
pub use facts::{Finding, Meaning, Signature};
pub use indication::{Conclusion, Indication, SubIndication};
pub use judge::{Judge, MAX_TIME_STAMPS, Question, ValidationTime};
pub use judgement::{
    Block, Check, Judgement, NextStep, Reason, RevocationStatus, TimeStampJudgement,
};
pub use material::{GivenData, MAX_DATA_PER_CERTIFICATE, Material, StoredCrl};
pub use policy::{Freshness, Policy, Revocation};

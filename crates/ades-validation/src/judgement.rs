//! The result of judging one signature.

use ades_core::Certificate;
use ades_evidence::needs::Need;
use ades_evidence::path::Path;
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::details::{RevokedCertificate, WeakUse};
use crate::indication::{Conclusion, SubIndication};

/// What is known about a signature, and why.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Judgement {
    /// The answer. It is that of the last process that was run.
    pub conclusion: Conclusion,
    /// The processes that were run, in the order of EN 319 102-1: basic signatures (5.3),
    /// signatures with time (5.5), long-term validation (5.6.3). Each has its building
    /// blocks.
    pub checks: Vec<Check>,
    /// Whether a valid certification path leads to a trust anchor. `None` if that was
    /// not asked or not found out.
    pub trusted: Option<bool>,
    /// What is known about the revocation of the signer's certificate at the best time.
    pub revocation: RevocationStatus,
    /// The time at which certificates and algorithms were judged.
    pub validation_time: DateTime<Utc>,
    /// The earliest time at which the signature is proven to exist. Without a
    /// time-stamp that proves one, the validation time.
    pub best_time: DateTime<Utc>,
    /// The time-stamps on the signature, in the order of its facts.
    pub time_stamps: Vec<TimeStampJudgement>,
    /// The path, if there is one.
    pub path: Option<Path>,
    /// What keeps the signature from passing.
    pub problems: Vec<Reason>,
    /// The revoked certificates that the problems are about.
    pub revoked: Vec<RevokedCertificate>,
    /// The weak algorithms that the problems are about.
    pub weak_uses: Vec<WeakUse>,
    /// What is worth knowing.
    pub remarks: Vec<Reason>,
    /// What would help.
    pub next_steps: Vec<NextStep>,
    /// What would have to be fetched for that.
    pub missing: Vec<Need>,
}

/// What is known about one time-stamp, and why (5.4).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeStampJudgement {
    /// The answer. It is passed if the time-stamp proves its time: by itself, or because
    /// a younger one proves that it is old enough (5.6.2.4).
    pub conclusion: Conclusion,
    /// Why it is not passed.
    pub because: Vec<Reason>,
    /// Whether a valid certification path leads from its authority to a trust anchor.
    pub trusted: Option<bool>,
    /// The anchor at the end of the path of its authority, if there is a path.
    pub anchor: Option<Certificate>,
    /// Whether it is passed only because a younger time-stamp covers it.
    pub by_younger: bool,
}

/// A process or a building block of the validation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// The process or building block.
    pub block: Block,
    /// `None` if it is passed.
    pub sub_indication: Option<SubIndication>,
    /// Why it is not passed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Reason>,
    /// The checks that it consists of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Self>,
}

impl Check {
    /// The first failure decides about a check.
    pub(crate) fn new(block: Block, failures: &[Failure]) -> Self {
        Self {
            block,
            sub_indication: failures.first().map(|failure| failure.sub_indication),
            because: failures.iter().map(|failure| failure.reason.clone()).collect(),
            checks: Vec::new(),
        }
    }

    pub(crate) fn of(mut self, checks: Vec<Self>) -> Self {
        self.checks = checks;
        self
    }

    /// A process that consists of these building blocks alone: they have its reasons.
    pub(crate) fn of_blocks(block: Block, checks: Vec<Self>) -> Self {
        let sub_indication = checks.iter().find_map(|check| check.sub_indication);
        Self { block, sub_indication, because: Vec::new(), checks }
    }
}

/// The processes and building blocks of EN 319 102-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Block {
    /// 5.2.2
    FormatChecking,
    /// 5.2.3
    IdentificationOfTheSigningCertificate,
    /// 5.2.6
    CertificateValidation,
    /// 5.2.7
    CryptographicVerification,
    /// 5.2.8
    SignatureAcceptance,
    /// 5.3
    BasicSignature,
    /// 5.4
    TimeStamp,
    /// 5.5
    SignatureWithTime,
    /// 5.6.2.4
    PastSignatureValidation,
    /// 5.6.3
    LongTerm,
}

/// Why a check is not passed, or what is worth knowing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Reason {
    /// A stable code.
    pub code: String,
    /// Text for people.
    pub text: String,
}

impl Reason {
    /// A reason.
    #[must_use]
    pub fn new(code: impl Into<String>, text: impl Into<String>) -> Self {
        Self { code: code.into(), text: text.into() }
    }
}

/// A reason with the sub-indication that it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) sub_indication: SubIndication,
    pub(crate) reason: Reason,
}

impl Failure {
    pub(crate) const fn new(sub_indication: SubIndication, reason: Reason) -> Self {
        Self { sub_indication, reason }
    }
}

/// What is known about the revocation of the signer's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RevocationStatus {
    /// It was not revoked.
    Good,
    /// It was revoked or on hold.
    Revoked,
    /// No data about it count.
    Unknown,
    /// It was not looked at.
    NotChecked,
}

/// What would help a signature that is not passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NextStep {
    /// Name trust anchors.
    NameTrustAnchors,
    /// Name trust anchors of time-stamping authorities.
    NameTimeStampingAnchors,
    /// Give the signed document.
    GiveDocument,
    /// Give the revocation data that are missing.
    GiveRevocationData,
    /// Validate again when newer revocation data are there.
    TryLater,
    /// Validate at another time, if something proves that the signature is older.
    ChooseTime,
}

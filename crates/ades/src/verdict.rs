//! The judgement of each signature, beside what its format states.

use std::sync::Arc;

use ::trusted_lists::Qualification;
use ades_core::Level;
use ades_core::facts::{Evidence, SignatureFacts, TimeStampFacts, code};
use ades_evidence::VerifiedValues;
use ades_validation::{
    Finding, GivenData, Indication, Judge, Judgement, Material, Reason, Signature,
    TimeStampJudgement,
};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::findings;

/// One signature: what it states, and what is known about it. `Debug` shows no names.
#[derive(Clone)]
#[non_exhaustive]
pub struct Verdict {
    /// The judgement, with its reasons.
    pub judgement: Judgement,
    /// `CAdES`, `PAdES` or `XAdES`; `PDF` or `XMLDSig` for a signature without the
    /// properties of AdES.
    pub format: &'static str,
    /// The level for which there is evidence.
    pub level: Level,
    /// Whether every digest matches and the value verifies. `None` if that could not be
    /// found out.
    pub intact: Option<bool>,
    /// The signer's name. It is personal data.
    pub signer: Option<String>,
    /// The time at which the signer claims to have signed.
    pub claimed_time: Option<DateTime<Utc>>,
    /// The part of the document that it covers: `whole`, `part` or `unknown`.
    pub covers: String,
    /// What its octets say: among others, its time-stamps and the evidence in the document.
    pub facts: SignatureFacts,
    /// What the signature is for the eIDAS regulation, by a trusted list (TS 119 615). `None`
    /// if no list has the trust anchor, or no path leads to one.
    pub qualification: Option<Qualification>,
    /// Whether each of its time-stamps is qualified, in the order of
    /// [`Judgement::time_stamps`]. Empty without trusted lists.
    pub qualified_time_stamps: Vec<Option<bool>>,
    /// Signatures on this signature.
    pub countersignatures: Vec<Self>,
    /// Whether a finding about the document concerns its integrity.
    is_covering: bool,
    /// What the format states, without what the fields above have.
    pub(crate) details: Map<String, Value>,
}

impl std::fmt::Debug for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verdict")
            .field("judgement", &self.judgement)
            .field("format", &self.format)
            .field("level", &self.level)
            .field("intact", &self.intact)
            .field("claimed_time", &self.claimed_time)
            .field("covers", &self.covers)
            .field("qualification", &self.qualification)
            .field("facts", &self.facts)
            .field("countersignatures", &self.countersignatures)
            .finish_non_exhaustive()
    }
}

impl Verdict {
    /// The indication of this signature. Countersignatures have their own.
    #[must_use]
    pub fn indication(&self) -> Indication {
        self.judgement.conclusion.indication()
    }

    /// Its time-stamps, in the order of [`Judgement::time_stamps`].
    pub fn time_stamps(&self) -> impl Iterator<Item = &TimeStampFacts> {
        self.facts.time_stamps()
    }

    /// Its time-stamps for the JSON, each with its own answer.
    fn time_stamp_values(&self) -> Vec<Value> {
        let qualified = self.qualified_time_stamps.iter().copied().chain(std::iter::repeat(None));
        let all = self.time_stamps().zip(&self.judgement.time_stamps).zip(qualified);
        all.map(|((facts, judgement), qualified)| time_stamp(facts, judgement, qualified)).collect()
    }

    /// The worst indication of this signature and its countersignatures.
    #[must_use]
    pub fn worst_indication(&self) -> Indication {
        let inner = self.countersignatures.iter().map(Self::worst_indication);
        inner.chain([self.indication()]).max().unwrap_or(Indication::Indeterminate)
    }

    /// Whether this signature and its countersignatures are intact, and cover the
    /// document as it is now. `None` if one of that could not be found out.
    #[must_use]
    pub fn integrity(&self) -> Option<bool> {
        let own = if self.is_covering { self.intact } else { self.intact.filter(|intact| !intact) };
        self.countersignatures.iter().fold(own, |all, inner| worse(all, inner.integrity()))
    }
}

/// The worse of two answers: false, then not known.
pub(crate) const fn worse(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// What a format states about one signature.
pub(crate) struct Statement<'a> {
    pub(crate) format: &'static str,
    pub(crate) level: Level,
    pub(crate) intact: Option<bool>,
    pub(crate) signer: Option<&'a str>,
    pub(crate) claimed_time: Option<DateTime<Utc>>,
    pub(crate) covers: String,
    pub(crate) facts: &'a SignatureFacts,
    pub(crate) findings: Vec<Finding>,
    pub(crate) report: Value,
    pub(crate) countersignatures: Vec<Self>,
}

/// The material of the last signature. The signatures of a container share their evidence,
/// which is then read only once.
pub(crate) struct LastMaterial<'g> {
    given: &'g GivenData,
    verified: VerifiedValues,
    last: Option<(Arc<Evidence>, Material)>,
}

impl<'g> LastMaterial<'g> {
    /// `judge` remembers which signature values verify.
    pub(crate) fn new(given: &'g GivenData, judge: &Judge) -> Self {
        Self { given, verified: judge.verified().clone(), last: None }
    }

    pub(crate) fn of(&mut self, evidence: &Arc<Evidence>) -> &Material {
        let last = self.last.take().filter(|(last, _)| Arc::ptr_eq(last, evidence));
        let new =
            || (Arc::clone(evidence), Material::sharing(evidence, self.given, &self.verified));
        &self.last.insert(last.unwrap_or_else(new)).1
    }
}

impl Statement<'_> {
    pub(crate) fn judge(self, judge: &mut Judge, last: &mut LastMaterial<'_>) -> Verdict {
        let mut findings = self.findings;
        let unsupported = match self.facts.signature_algorithm {
            None => self.report.get("signature_algorithm").and_then(Value::as_str),
            Some(_) => None,
        };
        let certificate = self.facts.certificate.as_ref();
        findings::name_unsupported(&mut findings, certificate, unsupported);
        let judgement = judge.judge(&Signature {
            facts: self.facts,
            material: last.of(&self.facts.evidence),
            level: self.level,
            intact: self.intact,
            claimed_time: self.claimed_time,
            findings: &findings,
        });
        let is_covering = findings.iter().all(|found| {
            !matches!(
                found.meaning,
                ades_validation::Meaning::Coverage | ades_validation::Meaning::Format
            )
        });
        let mut details = match self.report {
            Value::Object(details) => details,
            _ => Map::new(),
        };
        for key in ["problems", "countersignatures", "cms", "unsupported"] {
            details.remove(key);
        }
        Verdict {
            judgement,
            format: self.format,
            level: self.level,
            intact: self.intact,
            signer: self.signer.map(ToOwned::to_owned),
            claimed_time: self.claimed_time,
            covers: self.covers,
            facts: self.facts.clone(),
            qualification: None,
            qualified_time_stamps: Vec::new(),
            countersignatures: self
                .countersignatures
                .into_iter()
                .map(|inner| inner.judge(judge, last))
                .collect(),
            is_covering,
            details,
        }
    }
}

/// A time-stamp with its own answer. `qualified`: whether it is qualified, by a trusted list.
fn time_stamp(
    facts: &TimeStampFacts,
    judgement: &TimeStampJudgement,
    qualified: Option<bool>,
) -> Value {
    let mut all = serde_json::to_value(facts).unwrap_or_default();
    let indication = match judgement.conclusion.indication() {
        Indication::TotalPassed => "passed",
        Indication::Indeterminate => "indeterminate",
        Indication::TotalFailed => "failed",
    };
    let because: Vec<&str> = judgement.because.iter().map(|why| why.text.as_str()).collect();
    let own = json!({
        "indication": indication,
        "sub_indication": judgement.conclusion.sub_indication(),
        "trusted": judgement.trusted,
        "by_younger": judgement.by_younger,
        "qualified": qualified,
        "because": because,
    });
    if let (Value::Object(all), Value::Object(own)) = (&mut all, own) {
        all.extend(own);
    }
    all
}

pub(crate) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

impl Serialize for Verdict {
    /// The contract of `ades verify --json`, and the details of the format.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let judgement = &self.judgement;
        let codes = |reasons: &[Reason]| -> Vec<String> {
            let mut codes: Vec<String> = Vec::new();
            for reason in reasons {
                if !codes.contains(&reason.code) {
                    codes.push(reason.code.clone());
                }
            }
            codes
        };
        let because: Vec<&str> = judgement.problems.iter().map(|why| why.text.as_str()).collect();
        let own = json!({
            "format": self.format,
            "level": code(&self.level),
            "indication": self.indication(),
            "sub_indication": judgement.conclusion.sub_indication(),
            "intact": self.intact,
            "signer": self.signer,
            "claimed_time": self.claimed_time.map(time),
            "best_time": time(judgement.best_time),
            "covers": self.covers,
            "trusted": judgement.trusted,
            "revocation": judgement.revocation,
            "problems": codes(&judgement.problems),
            "because": because,
            "remarks": codes(&judgement.remarks),
            "qualification": self.qualification,
            "timestamps": self.time_stamp_values(),
            "checks": judgement.checks,
            "missing": judgement.missing,
            "countersignatures": self.countersignatures,
        });
        let mut all = self.details.clone();
        if let Value::Object(own) = own {
            all.extend(own);
        }
        all.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_evidence_is_read_once() {
        let (shared, other): (Arc<Evidence>, Arc<Evidence>) = (Arc::default(), Arc::default());
        let given = GivenData::new();
        let judge = Judge::new(Vec::new(), DateTime::default());
        let mut last = LastMaterial::new(&given, &judge);
        last.of(&shared);
        assert_eq!((Arc::strong_count(&shared), Arc::strong_count(&other)), (2, 1));
        last.of(&shared);
        assert_eq!(Arc::strong_count(&shared), 2);
        last.of(&other);
        assert_eq!((Arc::strong_count(&shared), Arc::strong_count(&other)), (1, 2));
    }
}

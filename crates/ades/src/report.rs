//! The results of [`verify`](crate::verify()) and [`inspect`](crate::inspect).

use std::collections::BTreeSet;
use std::fmt;

use ades_core::facts::{Evidence, SignatureFacts};
use ades_evidence::needs::{Need, NeedId};
use ades_validation::{Indication, Judge, NextStep};
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::armour::Armour;
use crate::detect::Format;
use crate::trusted_lists::TrustedLists;
use crate::verdict::{LastMaterial, Statement, Verdict, time, worse};
use crate::{format, text};

/// The signatures of a document or container, each judged.
///
/// It serialises as the contract of `ades verify --json` says, with the details of its format.
/// `Display` shows people the answer for each signature, and why. Text from the document is
/// [escaped](crate::text::for_terminal), so that it cannot control a terminal.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// What the format's crate states.
    pub format_report: FormatReport,
    /// The signatures. Countersignatures are in the signature that they sign.
    pub signatures: Vec<Verdict>,
    /// The time at which certificates and algorithms were judged. `None` if the signers were
    /// believed: each signature was judged at its claimed time.
    pub validation_time: Option<DateTime<Utc>>,
    /// Whether only the integrity was asked about, so that nobody was judged.
    pub integrity_only: bool,
}

/// The report of a format's crate.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum FormatReport {
    /// The report of a CAdES container
    Cades(cades::report::Report),
    /// The report of a PDF
    Pades(pades::report::Report),
    /// The report of an XML document
    Xades(xades::report::Report),
}

impl FormatReport {
    /// The format of the signatures.
    #[must_use]
    pub const fn format(&self) -> Format {
        match self {
            Self::Cades(_) => Format::Cades,
            Self::Pades(_) => Format::Pades,
            Self::Xades(_) => Format::Xades,
        }
    }

    /// The evidence in the document. `None` if it has no signatures.
    #[must_use]
    pub fn evidence(&self) -> Option<&Evidence> {
        self.facts().first().map(|facts| &*facts.evidence)
    }

    /// The facts of the outermost signatures.
    fn facts(&self) -> Vec<&SignatureFacts> {
        match self {
            Self::Cades(report) => report.signatures.iter().map(|one| &one.facts).collect(),
            Self::Pades(report) => report.signatures.iter().map(|one| &one.facts).collect(),
            Self::Xades(report) => report.signatures.iter().map(|one| &one.facts).collect(),
        }
    }

    fn statements(&self) -> Vec<Statement<'_>> {
        match self {
            Self::Cades(report) => format::cades::statements(&report.signatures),
            Self::Pades(report) => format::pades::statements(report),
            Self::Xades(report) => format::xades::statements(&report.signatures),
        }
    }
}

impl Report {
    pub(crate) fn new(
        format_report: FormatReport,
        armour: Option<Armour>,
        (judge, last): (&mut Judge, &mut LastMaterial<'_>),
        validation_time: Option<DateTime<Utc>>,
        integrity_only: bool,
        (lists, now): (&TrustedLists, DateTime<Utc>),
    ) -> Self {
        let mut statements = format_report.statements();
        for statement in &mut statements {
            statement.findings.extend(armour.map(Armour::remark));
        }
        let judged = statements.into_iter().map(|one| one.judge(judge, last));
        let mut signatures: Vec<Verdict> = judged.collect();
        if !lists.is_empty() {
            signatures.iter_mut().for_each(|verdict| lists.qualify(verdict, now));
        }
        Self { signatures, format_report, validation_time, integrity_only }
    }

    /// The format of the signatures.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format_report.format()
    }

    /// The worst indication of all signatures and countersignatures. Without signatures, nothing
    /// is proven.
    #[must_use]
    pub fn conclusion(&self) -> Indication {
        let all = self.signatures.iter().map(Verdict::worst_indication);
        all.max().unwrap_or(Indication::Indeterminate)
    }

    /// Whether every signature is proven good.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.conclusion() == Indication::TotalPassed
    }

    /// Whether all signatures are intact, and cover the document as it is now. `None` if that
    /// could not be found out, or if there are no signatures.
    #[must_use]
    pub fn integrity(&self) -> Option<bool> {
        let all = self.signatures.iter().map(Verdict::integrity);
        all.reduce(worse).flatten()
    }

    /// Whether a signature signs a document outside the container. Pass that document with
    /// [`VerifyOptions::original`](crate::VerifyOptions::original).
    #[must_use]
    pub fn is_detached(&self) -> bool {
        match &self.format_report {
            FormatReport::Cades(report) => report.packaging == "detached",
            FormatReport::Pades(_) => false,
            FormatReport::Xades(report) => format::xades::needs_original(report),
        }
    }

    /// What would have to be fetched to decide about the signatures that are not passed, each once.
    /// Verify again with what was fetched: [`VerifyOptions::given`](crate::VerifyOptions::given).
    #[must_use]
    pub fn missing(&self) -> Vec<Need> {
        fn collect(verdict: &Verdict, into: &mut Vec<Need>, known: &mut BTreeSet<NeedId>) {
            let missing = &verdict.judgement.missing;
            into.extend(missing.iter().filter(|need| known.insert(need.id())).cloned());
            verdict.countersignatures.iter().for_each(|inner| collect(inner, into, known));
        }
        let (mut needs, mut known) = (Vec::new(), BTreeSet::new());
        self.signatures.iter().for_each(|verdict| collect(verdict, &mut needs, &mut known));
        needs
    }

    /// What would help the signatures that are not passed, each step once.
    #[must_use]
    pub fn next_steps(&self) -> Vec<NextStep> {
        fn collect(verdict: &Verdict, into: &mut Vec<NextStep>) {
            for step in &verdict.judgement.next_steps {
                if !into.contains(step) {
                    into.push(*step);
                }
            }
            verdict.countersignatures.iter().for_each(|inner| collect(inner, into));
        }
        let mut steps = Vec::new();
        self.signatures.iter().for_each(|verdict| collect(verdict, &mut steps));
        steps
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::verdicts(self))
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let details = serde_json::to_value(&self.format_report);
        let mut all = match details.map_err(serde::ser::Error::custom)? {
            Value::Object(details) => details,
            _ => Map::new(),
        };
        let own = json!({
            "version": 2,
            "conclusion": self.conclusion(),
            "asked": if self.integrity_only { "integrity" } else { "validity" },
            "validation_time": self.validation_time.map_or_else(|| "claimed".to_owned(), time),
            "signatures": self.signatures,
            "next_steps": self.next_steps(),
            "evidence": self.format_report.evidence().map(evidence),
        });
        if let Value::Object(own) = own {
            all.extend(own);
        }
        all.serialize(serializer)
    }
}

/// The signatures of a document or container, without verdicts.
///
/// It serialises as the report of its format, without the fields that contain verdicts. `Display`
/// is a list for people.
#[derive(Clone, Debug)]
pub struct Contents(pub(crate) FormatReport);

impl Contents {
    /// The format of the signatures.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.0.format()
    }
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match &self.0 {
            FormatReport::Cades(report) => text::cades::contents(report),
            FormatReport::Pades(report) => text::pades::contents(report),
            FormatReport::Xades(report) => text::xades::contents(report),
        })
    }
}

impl Serialize for Contents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut report = serde_json::to_value(&self.0).map_err(serde::ser::Error::custom)?;
        let signatures = report.get_mut("signatures").and_then(Value::as_array_mut);
        for (signature, facts) in signatures.into_iter().flatten().zip(self.0.facts()) {
            if let Some(signature) = signature.as_object_mut() {
                let mut stamps = json!(facts.time_stamps().collect::<Vec<_>>());
                remove_verdicts(&mut stamps);
                signature.insert("timestamps".to_owned(), stamps);
            }
        }
        for key in ["signatures", "time_stamps"] {
            if let Some(signatures) = report.get_mut(key) {
                remove_verdicts(signatures);
            }
        }
        if let (Some(report), Some(found)) = (report.as_object_mut(), self.0.evidence()) {
            report.insert("evidence".to_owned(), evidence(found));
        }
        report.serialize(serializer)
    }
}

/// The certificates and revocation values in a document.
fn evidence(evidence: &Evidence) -> Value {
    let values = evidence.revocation_values().iter().map(
        |value| json!({ "form": value.form, "place": value.place, "length": value.octets.len() }),
    );
    json!({
        "certificates": evidence.certificates().len(),
        "distinct_certificates": evidence.distinct_certificates().count(),
        "revocation_values": values.collect::<Vec<_>>(),
        "unreadable": evidence.unreadable(),
        "left_out": evidence.left_out(),
    })
}

const VERDICTS: [&str; 7] =
    ["intact", "problems", "problem", "detail", "imprint", "imprint_undecided", "objects_missing"];

fn remove_verdicts(signatures: &mut Value) {
    for signature in signatures.as_array_mut().into_iter().flatten() {
        if let Some(signature) = signature.as_object_mut() {
            for key in VERDICTS {
                signature.remove(key);
            }
            if let Some(cms) = signature.get_mut("cms").filter(|cms| cms.is_object()) {
                let mut alone = Value::Array(vec![cms.take()]);
                remove_verdicts(&mut alone);
                *cms = alone.get_mut(0).map(Value::take).unwrap_or_default();
            }
            for key in ["countersignatures", "references", "manifest"] {
                if let Some(inner) = signature.get_mut(key) {
                    remove_verdicts(inner);
                }
            }
        }
    }
}

//! `QualificationElement`: which qualifiers a list adds to which certificates (TS 119 612,
//! 5.5.9.2).

use ades_core::Certificate;

use crate::certificate::{Statements, key_usage, purposes, subject_attributes};
use crate::read::last_part;
use crate::tree::{Element, Space};

/// The bits of keyUsage (RFC 5280, 4.2.1.3).
const KEY_USAGES: [&str; 9] = [
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "crlSign",
    "encipherOnly",
    "decipherOnly",
];

/// Qualifiers, and the criteria of the certificates that get them.
#[derive(Clone, Debug)]
pub(crate) struct QualifierRule {
    /// The last part of each URI, such as `QCWithQSCD`.
    qualifiers: Vec<String>,
    criteria: Option<Criteria>,
}

#[derive(Clone, Debug)]
struct Criteria {
    assert: Assert,
    all: Vec<Criterion>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Assert {
    All,
    AtLeastOne,
    None,
}

#[derive(Clone, Debug)]
enum Criterion {
    /// Bits of keyUsage, with the value that each must have
    KeyUsage(Vec<(usize, bool)>),
    /// All these policies
    Policies(Vec<String>),
    /// All these purposes
    Purposes(Vec<String>),
    /// All these attributes in the subject
    SubjectAttributes(Vec<String>),
    /// All these qcStatements
    Statements(Vec<String>),
    Nested(Criteria),
}

impl QualifierRule {
    pub(crate) fn read(element: &Element) -> Self {
        let space = Space::Qualifications;
        let qualifiers = element.all_in(space, "Qualifiers");
        let qualifiers = qualifiers.flat_map(|all| all.all_in(space, "Qualifier"));
        let qualifiers = qualifiers.filter_map(|one| one.attribute("uri"));
        Self {
            qualifiers: qualifiers.map(|uri| last_part(uri).to_owned()).collect(),
            criteria: element.all_in(space, "CriteriaList").next().and_then(Criteria::read),
        }
    }

    /// Whether its criteria are known. Otherwise nobody can tell whom it concerns.
    pub(crate) const fn is_understood(&self) -> bool {
        self.criteria.is_some()
    }

    /// The qualifiers that a certificate gets. `None` if that is not known.
    pub(crate) fn of(&self, certificate: &Certificate) -> Option<&[String]> {
        let criteria = self.criteria.as_ref()?;
        Some(if criteria.holds(certificate) { &self.qualifiers } else { &[] })
    }
}

impl Criteria {
    /// `None` if a criterion is not known.
    fn read(element: &Element) -> Option<Self> {
        let assert = match element.attribute("assert") {
            // The default of the schema.
            None | Some("all") => Assert::All,
            Some("atLeastOne") => Assert::AtLeastOne,
            Some("none") => Assert::None,
            Some(_) => return None,
        };
        let mut all = Vec::new();
        for child in &element.children {
            match (child.space, child.name.as_str()) {
                (Space::Qualifications, "KeyUsage") => all.push(key_usage_bits(child)?),
                (Space::Qualifications, "PolicySet") => {
                    let ids = child.all_in(Space::Qualifications, "PolicyIdentifier");
                    all.push(Criterion::Policies(ids.map(identifier).collect::<Option<_>>()?));
                }
                (Space::Qualifications, "CriteriaList") => {
                    all.push(Criterion::Nested(Self::read(child)?));
                }
                (Space::Qualifications, "otherCriteriaList") => {
                    for other in &child.children {
                        all.push(other_criterion(other)?);
                    }
                }
                // A description is for people.
                (Space::Qualifications, "Description") => {}
                _ => return None,
            }
        }
        Some(Self { assert, all })
    }

    fn holds(&self, certificate: &Certificate) -> bool {
        let mut all = self.all.iter().map(|one| one.holds(certificate));
        match self.assert {
            Assert::All => all.all(|holds| holds),
            Assert::AtLeastOne => all.any(|holds| holds),
            Assert::None => !all.any(|holds| holds),
        }
    }
}

impl Criterion {
    fn holds(&self, certificate: &Certificate) -> bool {
        let has_all =
            |wanted: &[String], own: Vec<String>| wanted.iter().all(|one| own.contains(one));
        match self {
            Self::KeyUsage(bits) => bits
                .iter()
                .all(|(bit, wanted)| key_usage(certificate, *bit).unwrap_or(false) == *wanted),
            Self::Policies(wanted) => has_all(wanted, dotted(certificate.policies())),
            Self::Purposes(wanted) => has_all(wanted, dotted(&purposes(certificate))),
            Self::SubjectAttributes(wanted) => {
                has_all(wanted, dotted(&subject_attributes(certificate)))
            }
            Self::Statements(wanted) => {
                let own = Statements::of(certificate);
                wanted.iter().all(|one| own.has(one))
            }
            Self::Nested(criteria) => criteria.holds(certificate),
        }
    }
}

fn dotted(ids: &[ades_core::Oid]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn key_usage_bits(element: &Element) -> Option<Criterion> {
    let bits = element.all_in(Space::Qualifications, "KeyUsageBit").map(|bit| {
        let name = bit.attribute("name")?;
        let at = KEY_USAGES.iter().position(|known| *known == name)?;
        match bit.text() {
            "true" | "1" => Some((at, true)),
            "false" | "0" => Some((at, false)),
            _ => None,
        }
    });
    Some(Criterion::KeyUsage(bits.collect::<Option<_>>()?))
}

fn other_criterion(element: &Element) -> Option<Criterion> {
    let of = |name: &'static str| -> Option<Vec<String>> {
        element.all_in(Space::Additional, name).map(identifier).collect()
    };
    match (element.space, element.name.as_str()) {
        (Space::Additional, "ExtendedKeyUsage") => Some(Criterion::Purposes(of("KeyPurposeId")?)),
        (Space::Additional, "CertSubjectDNAttribute") => {
            Some(Criterion::SubjectAttributes(of("AttributeOID")?))
        }
        (Space::Qualifications, "QcStatementSet") => {
            let all = element.all_in(Space::Qualifications, "QcStatement");
            let ids = all.map(|one| {
                // A statement with a value is not compared.
                let [id] = one.children.as_slice() else { return None };
                identifier_within(id)
            });
            Some(Criterion::Statements(ids.collect::<Option<_>>()?))
        }
        _ => None,
    }
}

/// The OID in an element of XAdES' `ObjectIdentifierType`.
fn identifier(element: &Element) -> Option<String> {
    let inner = element.children.iter().find(|child| child.name == "Identifier")?;
    oid_of(inner.text())
}

fn identifier_within(element: &Element) -> Option<String> {
    identifier(element).or_else(|| oid_of(element.text()))
}

/// An OID, as a URN or in dots.
fn oid_of(text: &str) -> Option<String> {
    let dots = match text.get(..8) {
        Some(prefix) if prefix.eq_ignore_ascii_case("urn:oid:") => text.get(8..)?,
        _ => text,
    };
    dots.parse::<ades_core::Oid>().ok().map(|oid| oid.to_string())
}

//! Reads the extensions that path validation processes (RFC 5280, 4.2.1).

use ades_core::asn1::ber::{Element, Reader};
use ades_core::asn1::der::{OID, SEQUENCE, context};
use ades_core::certificate::Extension;
use ades_core::{Certificate, Oid};

use super::Fault;
use super::constraints::{GeneralName, NameConstraints, Subtree};

/// Maximum number of elements in one extension. A certificate of the maximum length
/// can have more.
const MAX_ELEMENTS: usize = 4096;

const KEY_USAGE: &[u8] = &[0x55, 0x1D, 15];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1D, 17];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 19];
const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 30];
const CRL_DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1D, 31];
const CERTIFICATE_POLICIES: &[u8] = &[0x55, 0x1D, 32];
const POLICY_MAPPINGS: &[u8] = &[0x55, 0x1D, 33];
const POLICY_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 36];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1D, 37];
const INHIBIT_ANY_POLICY: &[u8] = &[0x55, 0x1D, 54];
/// id-pkix-ocsp-nocheck
const NO_CHECK: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 0x30, 1, 5];

/// The extensions that may be critical. CRL distribution points and nocheck are about
/// revocation data, and say nothing about the path.
const PROCESSED: [&[u8]; 11] = [
    KEY_USAGE,
    SUBJECT_ALT_NAME,
    BASIC_CONSTRAINTS,
    NAME_CONSTRAINTS,
    CRL_DISTRIBUTION_POINTS,
    CERTIFICATE_POLICIES,
    POLICY_MAPPINGS,
    POLICY_CONSTRAINTS,
    EXTENDED_KEY_USAGE,
    INHIBIT_ANY_POLICY,
    NO_CHECK,
];

/// The values of the extensions of one certificate, except basicConstraints and
/// keyUsage, which [`Certificate`] reads.
#[derive(Debug, Default)]
pub(crate) struct Extensions {
    /// `None` if there is no certificatePolicies extension.
    pub(super) policies: Option<Vec<Oid>>,
    /// issuerDomainPolicy and subjectDomainPolicy.
    pub(super) mappings: Vec<(Oid, Oid)>,
    pub(super) require_explicit_policy: Option<usize>,
    pub(super) inhibit_policy_mapping: Option<usize>,
    pub(super) inhibit_any_policy: Option<usize>,
    pub(super) name_constraints: Option<NameConstraints>,
    pub(super) alternative_names: Vec<GeneralName>,
    pub(crate) extended_key_usage: Option<ExtendedKeyUsage>,
}

#[derive(Debug)]
pub(crate) struct ExtendedKeyUsage {
    pub(crate) critical: bool,
    pub(crate) purposes: Vec<Oid>,
}

impl Extensions {
    /// Reads the extensions of a certificate. A certificate with an extension twice,
    /// with an unknown critical one or with a malformed one that is processed is
    /// refused (4.2).
    pub(crate) fn read(certificate: &Certificate) -> Result<Self, Fault> {
        let mut extensions = Self::default();
        let mut seen: Vec<&[u8]> = Vec::new();
        for extension in certificate.extensions() {
            let oid = oid_of(&extension);
            if seen.contains(&extension.kind) {
                return Err(Fault::DuplicateExtension(oid));
            }
            seen.push(extension.kind);
            if extension.critical && !PROCESSED.contains(&extension.kind) {
                return Err(Fault::CriticalExtension(oid));
            }
            extensions.store(&extension).ok_or(Fault::MalformedExtension(oid))?;
        }
        Ok(extensions)
    }

    /// The name constraints alone: of an anchor, nothing else counts.
    pub(super) fn read_name_constraints(
        anchor: &Certificate,
    ) -> Result<Option<NameConstraints>, Fault> {
        let mut all = anchor.extensions();
        let Some(found) = all.find(|extension| extension.kind == NAME_CONSTRAINTS) else {
            return Ok(None);
        };
        let mut extensions = Self::default();
        extensions.store(&found).ok_or(Fault::MalformedExtension(oid_of(&found)))?;
        Ok(extensions.name_constraints)
    }

    /// `None` if the extension is malformed.
    fn store(&mut self, extension: &Extension<'_>) -> Option<()> {
        let mut outer = Reader::new(extension.value, 0);
        match extension.kind {
            CERTIFICATE_POLICIES => {
                let all = elements(&only(&mut outer, SEQUENCE)?)?;
                let ids = all.iter().map(first_oid);
                self.policies = Some(ids.collect::<Option<_>>()?);
            }
            POLICY_MAPPINGS => {
                for mapping in elements(&only(&mut outer, SEQUENCE)?)? {
                    let mut pair = mapping.children();
                    let issuer = oid(&pair.try_next().ok()??)?;
                    let subject = oid(&pair.try_next().ok()??)?;
                    self.mappings.push((issuer, subject));
                }
            }
            POLICY_CONSTRAINTS => {
                for field in elements(&only(&mut outer, SEQUENCE)?)? {
                    let count = Some(count(field.content)?);
                    match field.tag {
                        0x80 => self.require_explicit_policy = count,
                        0x81 => self.inhibit_policy_mapping = count,
                        _ => return None,
                    }
                }
            }
            INHIBIT_ANY_POLICY => {
                self.inhibit_any_policy = Some(count(only(&mut outer, 0x02)?.content)?);
            }
            NAME_CONSTRAINTS => {
                self.name_constraints = Some(name_constraints(&only(&mut outer, SEQUENCE)?)?);
            }
            SUBJECT_ALT_NAME => {
                let all = elements(&only(&mut outer, SEQUENCE)?)?;
                self.alternative_names = all.iter().map(GeneralName::read).collect();
            }
            EXTENDED_KEY_USAGE => {
                let all = elements(&only(&mut outer, SEQUENCE)?)?;
                let purposes = all.iter().map(oid).collect::<Option<_>>()?;
                let critical = extension.critical;
                self.extended_key_usage = Some(ExtendedKeyUsage { critical, purposes });
            }
            _ => {}
        }
        Some(())
    }
}

/// 4.2.1.10
fn name_constraints(value: &Element<'_>) -> Option<NameConstraints> {
    let mut constraints = NameConstraints::default();
    for subtrees in elements(value)? {
        let into = if subtrees.tag == context(0) {
            &mut constraints.permitted
        } else if subtrees.tag == context(1) {
            &mut constraints.excluded
        } else {
            return None;
        };
        for subtree in elements(&subtrees)? {
            let mut fields = subtree.children();
            let base = fields.try_next().ok()??;
            // minimum must be zero, which DER leaves out, and maximum absent.
            match fields.try_next().ok()? {
                None => {}
                Some(minimum) if minimum.tag == 0x80 && minimum.content == [0] => {}
                Some(_) => return None,
            }
            into.push(Subtree::read(&base)?);
        }
    }
    Some(constraints)
}

fn only<'a>(reader: &mut Reader<'a>, tag: u8) -> Option<Element<'a>> {
    let element = reader.try_next().ok()??;
    (element.tag == tag && reader.is_empty()).then_some(element)
}

fn elements<'a>(parent: &Element<'a>) -> Option<Vec<Element<'a>>> {
    parent.children().all(MAX_ELEMENTS).ok()
}

fn first_oid(sequence: &Element<'_>) -> Option<Oid> {
    oid(&sequence.children().try_next().ok()??)
}

fn oid(element: &Element<'_>) -> Option<Oid> {
    if element.tag == OID { Oid::from_bytes(element.content).ok() } else { None }
}

fn oid_of(extension: &Extension<'_>) -> Oid {
    // An OID that is too long for `Oid` is shown by its beginning.
    (1..=extension.kind.len())
        .rev()
        .find_map(|len| Oid::from_bytes(extension.kind.get(..len)?).ok())
        .unwrap_or(super::policies::ANY_POLICY)
}

/// `SkipCerts`: a number that is not negative. One that is too large for a path has
/// no effect, so it may saturate.
fn count(content: &[u8]) -> Option<usize> {
    if content.first()? & 0x80 != 0 {
        return None;
    }
    let add = |sum: usize, octet: &u8| sum.checked_mul(256)?.checked_add(usize::from(*octet));
    Some(content.iter().try_fold(0, add).unwrap_or(usize::MAX))
}

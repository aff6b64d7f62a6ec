//! What a certificate says about its own qualification (EN 319 412-5), and the fields that
//! criteria of lists look at.

use ades_core::asn1::ber::{Element, Reader};
use ades_core::asn1::der::{OID, SEQUENCE};
use ades_core::{Certificate, Oid};

/// Maximum number of elements in one field of a certificate.
const MAX_ELEMENTS: usize = 1024;
const KEY_USAGE: &[u8] = &[0x55, 0x1D, 15];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1D, 37];
/// id-pe-qcStatements
const QC_STATEMENTS: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 1, 3];
const BIT_STRING: u8 = 3;

const QC_COMPLIANCE: &str = "0.4.0.1862.1.1";
const QC_SSCD: &str = "0.4.0.1862.1.4";
const QC_TYPE: &str = "0.4.0.1862.1.6";
/// The laws of other countries than those of the European Union.
const QC_LEGISLATION: &str = "0.4.0.1862.1.7";
/// QCP public and QCP public with SSCD (EN 319 411-2, before eIDAS)
const QCP: &str = "0.4.0.1456.1.2";
const QCP_PLUS: &str = "0.4.0.1456.1.1";

/// What a certificate says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Statements {
    /// QcCompliance, and no law of another country
    pub(crate) is_compliant: bool,
    /// QcSSCD
    pub(crate) has_device: bool,
    /// The last arcs of QcType: 1 signature, 2 seal, 3 web site
    pub(crate) types: Vec<u8>,
    pub(crate) is_qcp: bool,
    pub(crate) is_qcp_plus: bool,
    /// The OIDs of all its statements
    pub(crate) ids: Vec<Oid>,
}

impl Statements {
    pub(crate) fn of(certificate: &Certificate) -> Self {
        let mut found = Self::default();
        let policies: Vec<String> =
            certificate.policies().iter().map(ToString::to_string).collect();
        found.is_qcp = policies.iter().any(|policy| policy == QCP);
        found.is_qcp_plus = policies.iter().any(|policy| policy == QCP_PLUS);
        let extension = extension(certificate, QC_STATEMENTS);
        for statement in extension.map(only_elements).unwrap_or_default() {
            let mut fields = statement.children();
            let Ok(Some(id)) = fields.next_if(OID) else { continue };
            let Ok(id) = Oid::from_bytes(id.content) else { continue };
            match id.to_string().as_str() {
                QC_COMPLIANCE => found.is_compliant = true,
                QC_SSCD => found.has_device = true,
                QC_TYPE => found.types.extend(types(fields)),
                _ => {}
            }
            found.ids.push(id);
        }
        found.is_compliant &= !found.has(QC_LEGISLATION);
        found
    }

    pub(crate) fn has(&self, dotted: &str) -> bool {
        self.ids.iter().any(|id| id.to_string() == dotted)
    }
}

/// The last arcs of the types in the value of QcType.
fn types(mut fields: Reader<'_>) -> Vec<u8> {
    let Ok(Some(list)) = fields.next_if(SEQUENCE) else { return Vec::new() };
    let all = list.children().all(MAX_ELEMENTS).unwrap_or_default();
    let ids = all.iter().filter_map(|one| Oid::from_bytes(one.content).ok());
    let last = ids.filter_map(|id| {
        id.to_string().strip_prefix(QC_TYPE)?.strip_prefix('.')?.parse::<u8>().ok()
    });
    last.collect()
}

/// Whether a bit of keyUsage is set; `None` if there is no keyUsage.
pub(crate) fn key_usage(certificate: &Certificate, bit: usize) -> Option<bool> {
    let mut outer = Reader::new(extension(certificate, KEY_USAGE)?, 0);
    let bits = outer.next_if(BIT_STRING).ok()??;
    // The first octet is the number of unused bits, which are zero in DER.
    let octet = bits.content.get(1 + bit / 8).copied().unwrap_or_default();
    Some(octet & (0x80 >> (bit % 8)) != 0)
}

/// The purposes of extendedKeyUsage.
pub(crate) fn purposes(certificate: &Certificate) -> Vec<Oid> {
    let all = extension(certificate, EXTENDED_KEY_USAGE).map(only_elements).unwrap_or_default();
    all.iter().filter_map(|one| Oid::from_bytes(one.content).ok()).collect()
}

/// The types of the attributes of the subject.
pub(crate) fn subject_attributes(certificate: &Certificate) -> Vec<Oid> {
    let mut types = Vec::new();
    for set in only_elements(certificate.subject()) {
        for attribute in set.children().all(MAX_ELEMENTS).unwrap_or_default() {
            if let Ok(Some(kind)) = attribute.children().next_if(OID) {
                types.extend(Oid::from_bytes(kind.content));
            }
        }
    }
    types
}

fn extension<'c>(certificate: &'c Certificate, kind: &[u8]) -> Option<&'c [u8]> {
    certificate.extensions().find(|one| one.kind == kind).map(|one| one.value)
}

/// The elements of the only sequence in these octets; none if that cannot be read.
fn only_elements(octets: &[u8]) -> Vec<Element<'_>> {
    let mut outer = Reader::new(octets, 0);
    match outer.next_if(SEQUENCE) {
        Ok(Some(sequence)) => sequence.children().all(MAX_ELEMENTS).unwrap_or_default(),
        _ => Vec::new(),
    }
}

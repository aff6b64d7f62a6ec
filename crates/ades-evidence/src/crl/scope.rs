//! What a CRL covers (RFC 5280, 5.2.5), and where a certificate says that its status is
//! (4.2.1.13).

use ades_core::asn1::ber::Element;
use ades_core::asn1::der::{self, SEQUENCE, context};
use ades_core::{Certificate, name};

use crate::fields::{inside, is_true, only};
use crate::revocation::ReasonSet;

/// Maximum number of distribution points in one certificate.
pub const MAX_POINTS: usize = 64;
/// Maximum number of names of one distribution point or authority.
pub const MAX_NAMES: usize = 64;

const CRL_DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1D, 31];
/// directoryName in `GeneralName`
const DIRECTORY_NAME: u8 = context(4);

/// `IssuingDistributionPoint`
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// The value of the extension. Empty if there is none.
    pub(super) octets: Vec<u8>,
    name: Option<PointName>,
    only_users: bool,
    only_authorities: bool,
    only_attributes: bool,
    /// `None`: all.
    reasons: Option<ReasonSet>,
    pub(super) is_indirect: bool,
}

impl Scope {
    /// `None` if it is malformed.
    pub(super) fn read(value: &[u8]) -> Option<Self> {
        let mut scope = Self { octets: value.to_vec(), ..Self::default() };
        let mut fields = only(value, SEQUENCE)?.children();
        while let Some(field) = fields.try_next().ok()? {
            match field.tag {
                0xA0 => scope.name = Some(PointName::read(&field)?),
                0x81 => scope.only_users = is_true(&field),
                0x82 => scope.only_authorities = is_true(&field),
                0x83 => scope.reasons = Some(ReasonSet::from_flags(field.content)),
                0x84 => scope.is_indirect = is_true(&field),
                0x85 => scope.only_attributes = is_true(&field),
                _ => return None,
            }
        }
        Some(scope)
    }

    /// Whether it covers certificates of this kind (6.3.3 (b) (2) (ii) to (iv)).
    pub(super) fn covers_kind(&self, certificate: &Certificate) -> bool {
        let ca = certificate.is_ca();
        !(self.only_attributes || self.only_users && ca || self.only_authorities && !ca)
    }

    /// The reasons that it covers at this distribution point (6.3.3 (d)). `None` if it is
    /// a CRL of other points (6.3.3 (b) (2) (i)). `issuer` is the DER of the CRL issuer's
    /// `Name`.
    pub(super) fn reasons_at(&self, point: &Point, issuer: &[u8]) -> Option<ReasonSet> {
        if let Some(own) = &self.name {
            let own = own.full_names(issuer);
            // A relative name continues that of the CRL's issuer in both (4.2.1.13, 5.2.5).
            let theirs = match (&point.name, &point.crl_issuer) {
                (Some(name), _) => name.full_names(issuer),
                (None, Some(crl_issuer)) => crl_issuer.clone(),
                (None, None) => return None,
            };
            if !own.iter().any(|name| theirs.contains(name)) {
                return None;
            }
        }
        let all = ReasonSet::ALL;
        Some(point.reasons.unwrap_or(all).intersection(self.reasons.unwrap_or(all)))
    }
}

/// `DistributionPoint`
#[derive(Clone, Debug)]
pub(super) struct Point {
    name: Option<PointName>,
    reasons: Option<ReasonSet>,
    /// The names of cRLIssuer, in comparable form.
    pub(super) crl_issuer: Option<Vec<Vec<u8>>>,
}

impl Point {
    /// The points of a certificate, and the one that every certificate has without saying
    /// so: the name of its issuer (6.3.3, at the end). Malformed points are left out.
    pub(super) fn all(certificate: &Certificate) -> Vec<Self> {
        let mut all = certificate.extensions();
        let found = all.find(|extension| extension.kind == CRL_DISTRIBUTION_POINTS);
        let mut points = found.and_then(|found| Self::read_all(found.value)).unwrap_or_default();
        let issuer = PointName::Full(vec![directory_name(certificate.issuer())]);
        points.push(Self { name: Some(issuer), reasons: None, crl_issuer: None });
        points
    }

    /// `None` if they are malformed.
    fn read_all(value: &[u8]) -> Option<Vec<Self>> {
        let elements = only(value, SEQUENCE)?.children().all(MAX_POINTS).ok()?;
        elements.iter().map(Self::read).collect()
    }

    fn read(element: &Element<'_>) -> Option<Self> {
        let mut point = Self { name: None, reasons: None, crl_issuer: None };
        let mut fields = element.children();
        while let Some(field) = fields.try_next().ok()? {
            match field.tag {
                0xA0 => point.name = Some(PointName::read(&field)?),
                0x81 => point.reasons = Some(ReasonSet::from_flags(field.content)),
                0xA2 => point.crl_issuer = Some(general_names(&field)?),
                _ => return None,
            }
        }
        (element.tag == SEQUENCE).then_some(point)
    }
}

/// `DistributionPointName`
#[derive(Clone, Debug)]
enum PointName {
    /// In comparable form.
    Full(Vec<Vec<u8>>),
    /// The DER of a relative name.
    Relative(Vec<u8>),
}

impl PointName {
    /// Reads the field around it.
    fn read(field: &Element<'_>) -> Option<Self> {
        let name = inside(field)?;
        match name.tag {
            0xA0 => general_names(&name).map(Self::Full),
            0xA1 => Some(Self::Relative(der::element(der::SET, &[name.content]))),
            _ => None,
        }
    }

    /// The names, in comparable form. `issuer` is the DER of the name that a relative
    /// name continues.
    fn full_names(&self, issuer: &[u8]) -> Vec<Vec<u8>> {
        match self {
            Self::Full(names) => names.clone(),
            Self::Relative(last) => {
                let first = only(issuer, SEQUENCE).map_or(&[][..], |name| name.content);
                vec![directory_name(&der::element(SEQUENCE, &[first, last]))]
            }
        }
    }
}

/// `GeneralNames`, each in a form that is the same for the same name: directory names are
/// compared by RFC 5280, 7.1, and other names octet by octet.
pub(super) fn general_names(names: &Element<'_>) -> Option<Vec<Vec<u8>>> {
    let all = names.children().all(MAX_NAMES).ok()?;
    let comparable = |name: &Element<'_>| match name.tag {
        DIRECTORY_NAME => directory_name(name.content),
        _ => name.raw.to_vec(),
    };
    Some(all.iter().map(comparable).collect())
}

/// The comparable form of a directory name, from the DER of its `Name`.
pub(super) fn directory_name(name: &[u8]) -> Vec<u8> {
    [&[DIRECTORY_NAME], name::canonical(name).as_slice()].concat()
}

//! The signer of a signature that is being prepared, as far as it is known.

use ades_core::{CertificateChain, DigestAlgorithm};

/// The format of the CMS in `/Contents`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubFilter {
    /// CAdES as PAdES profiles it: `ETSI.CAdES.detached`.
    #[default]
    Cades,
    /// CMS as ISO 32000 profiles it: `adbe.pkcs7.detached`.
    Pkcs7,
    /// A document time-stamp (EN 319 142-1, 5.4.3): `ETSI.RFC3161`.
    /// [`prepare_time_stamp`](crate::prepare_time_stamp) makes one.
    TimeStamp,
}

impl SubFilter {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cades => "ETSI.CAdES.detached",
            Self::Pkcs7 => "adbe.pkcs7.detached",
            Self::TimeStamp => "ETSI.RFC3161",
        }
    }

    pub(crate) const fn is_time_stamp(self) -> bool {
        matches!(self, Self::TimeStamp)
    }
}

/// The signer of a signature that is being prepared or checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signer<'a> {
    /// `None` where it depends on a certificate that is not known yet.
    pub(crate) digest: Option<DigestAlgorithm>,
    pub(crate) sub_filter: SubFilter,
    pub(crate) certificates: Certificates<'a>,
}

/// The signer's certificate, if it is known.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Certificates<'a> {
    Known(&'a CertificateChain),
    /// [`check`](crate::check): it will be known when the signature is prepared.
    Later,
    /// [`PreparedDocument::new`](crate::PreparedDocument::new): the caller makes the CMS.
    Never,
}

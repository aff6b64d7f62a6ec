//! The CAs, and the addresses of the evidence about their certificates.

/// A CA of the sandbox's signers and services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Ca {
    /// Issues the two others.
    Root,
    /// Issues the certificates of signers.
    Signers,
    /// Issues the certificate of the time-stamping unit.
    TimeStamping,
}

impl Ca {
    pub(crate) const ALL: [Self; 3] = [Self::Root, Self::Signers, Self::TimeStamping];

    /// The name in addresses.
    const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Signers => "signers",
            Self::TimeStamping => "time-stamping",
        }
    }

    /// The path of its CRL.
    pub(crate) fn crl_path(self) -> String {
        format!("/evidence/{}.crl", self.name())
    }

    /// The path of its certificate.
    pub(crate) fn certificate_path(self) -> String {
        format!("/evidence/{}.crt", self.name())
    }

    /// The path of its OCSP responder. As in practice, the root has a CRL only.
    pub(crate) fn ocsp_path(self) -> Option<String> {
        (self != Self::Root).then(|| format!("/evidence/{}/ocsp", self.name()))
    }
}

/// The path of the time-stamping service.
pub(crate) const TIME_STAMPING_PATH: &str = "/evidence/time-stamps";

/// The addresses of one run of the sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    /// The URL of the front end.
    pub(crate) front_url: String,
}

impl Addresses {
    pub(crate) fn crl(&self, ca: Ca) -> String {
        format!("{}{}", self.front_url, ca.crl_path())
    }

    pub(crate) fn certificate(&self, ca: Ca) -> String {
        format!("{}{}", self.front_url, ca.certificate_path())
    }

    pub(crate) fn ocsp(&self, ca: Ca) -> Option<String> {
        ca.ocsp_path().map(|path| format!("{}{path}", self.front_url))
    }

    pub(crate) fn time_stamping(&self) -> String {
        format!("{}{TIME_STAMPING_PATH}", self.front_url)
    }
}

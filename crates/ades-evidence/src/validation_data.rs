//! What a format embeds so that a signature can be judged without a network.

use ades_core::Certificate;

/// Certificates and revocation data to be embedded beside a signature. The octets are embedded
/// as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ValidationData {
    /// Certificates of signers, of their issuers, of time-stamping services and of responders.
    pub certificates: Vec<Certificate>,
    /// `OCSPResponse`s (RFC 6960, 4.2.1).
    pub ocsp_responses: Vec<Vec<u8>>,
    /// `CertificateList`s (RFC 5280, 5.1).
    pub crls: Vec<Vec<u8>>,
}

impl ValidationData {
    /// Nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is nothing to embed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty() && self.ocsp_responses.is_empty() && self.crls.is_empty()
    }
}

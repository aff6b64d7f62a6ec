//! The arguments of `ades sandbox`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ValueEnum;
use itsme_sandbox::{DigestAlphabet, EvidenceFault, EvidenceService};

use super::address;
use crate::exit::Failure;
use crate::sandbox;

#[derive(Debug, clap::Args)]
pub(crate) struct SandboxArgs {
    /// The listening address of the back end
    #[arg(long, default_value = "127.0.0.1:0", value_parser = address)]
    pub(crate) listen: SocketAddr,
    /// The listening address of the pages and of the control API, which have no password
    #[arg(long, default_value = "127.0.0.1:0", value_parser = address)]
    pub(crate) front_listen: SocketAddr,
    /// The host name or address in the URLs for clients, if it differs from the listening
    /// address: for example in a container, or with --listen 0.0.0.0:8443
    #[arg(long, value_name = "HOST")]
    pub(crate) public_host: Option<String>,
    /// The folder of the PKI and of itsme.toml
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
    /// Do not ask for a client certificate
    #[arg(long)]
    pub(crate) no_mutual_tls: bool,
    /// A registered redirect URL, instead of that of ades; on localhost and 127.0.0.1 any port
    /// matches; may be repeated
    #[arg(long, value_name = "URL")]
    pub(crate) redirect_url: Vec<String>,
    /// The registered partner code; default: SANDBOX
    #[arg(long, value_name = "CODE")]
    pub(crate) partner_code: Option<String>,
    /// The registered service code; default: SANDBOX_SIGN
    #[arg(long, value_name = "CODE")]
    pub(crate) service_code: Option<String>,
    /// Simulate a contract without the batch option: one digest in each session
    #[arg(long)]
    pub(crate) no_batch: bool,
    /// The alphabets of base64 in which digests are accepted
    #[arg(long, value_enum, default_value = "any")]
    pub(crate) digests: Digests,
    /// The test user confirms at once, without a browser
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// The test user who confirms
    #[arg(long, default_value = "ready")]
    pub(crate) user: String,
    /// A fault of every answer of an evidence service; may be repeated
    ///
    /// FAULT is one of revoked, unknown, stale, try_later, garbage, redirect_loop, wrong_signature,
    /// wrong_nonce, wrong_imprint, wrong_policy, two_signers, no_certificates,
    /// expired_certificate, rejection, or a fault of the control API in JSON:
    /// 'crl={"kind":"long","megabytes":100}', 'ocsp={"kind":"periodic","seconds":60}'.
    #[arg(long, value_name = "SERVICE=FAULT", value_parser = sandbox::evidence_fault)]
    pub(crate) fault: Vec<(EvidenceService, EvidenceFault)>,
}

/// The alphabets of base64 in which the sandbox accepts digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Digests {
    /// base64 and base64url
    Any,
    /// Strictly base64
    Base64,
    /// Strictly base64url
    Base64url,
}

impl From<Digests> for DigestAlphabet {
    fn from(digests: Digests) -> Self {
        match digests {
            Digests::Any => Self::Any,
            Digests::Base64 => Self::Base64,
            Digests::Base64url => Self::Base64Url,
        }
    }
}

impl SandboxArgs {
    /// The sandbox's configuration, with this folder.
    pub(crate) fn config(&self, dir: PathBuf) -> Result<itsme_sandbox::Config, Failure> {
        let mut config = itsme_sandbox::Config::default()
            .listen(self.listen)
            .front_listen(self.front_listen)
            .public_host(self.public_host.clone())
            .dir(dir)
            .mutual_tls(!self.no_mutual_tls)
            .auto_approve(self.auto_approve)
            .auto_user(sandbox::user(&self.user)?)
            .batch(!self.no_batch)
            .digests(self.digests)
            .evidence_faults(self.fault.clone());
        if let Some(code) = &self.partner_code {
            config.partner_code.clone_from(code);
        }
        if let Some(code) = &self.service_code {
            config.service_code.clone_from(code);
        }
        if !self.redirect_url.is_empty() {
            config.redirect_urls.clone_from(&self.redirect_url);
        }
        Ok(config)
    }
}

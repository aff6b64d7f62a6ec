//! Arguments that several commands have.

use std::path::PathBuf;

use crate::exit::Failure;
use crate::network::FetchRules;
use crate::unlock::{RecipientArgs, Unlock};

/// How evidence is fetched. The addresses come from certificates, so strangers choose them.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct FetchArgs {
    /// Fetching: a host, or a network such as 10.0.0.0/8, that may be asked although its address
    /// is not public; may be repeated
    ///
    /// The addresses to ask are in certificates, and whoever made a signature has chosen them. So
    /// only public addresses are asked: not this machine, and nothing inside its network.
    #[arg(long, value_name = "HOST|NETWORK")]
    pub(crate) fetch_allow: Vec<String>,
    /// Fetching: the time for one answer, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) fetch_timeout: u64,
}

impl FetchArgs {
    pub(crate) fn to_rules(&self) -> FetchRules {
        FetchRules { allow: self.fetch_allow.clone(), timeout: self.fetch_timeout }
    }
}

/// Evidence beside a container.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct EvidenceArgs {
    /// Trust anchors of time-stamping authorities, PEM; those of --trust then do not count for
    /// time-stamps
    #[arg(long, value_name = "CA.pem")]
    pub(crate) tsa_trust: Vec<PathBuf>,
    /// A CRL beside those in the container, DER or PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) crl: Vec<PathBuf>,
    /// An OCSP response beside those in the container, DER or PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) ocsp: Vec<PathBuf>,
}

impl EvidenceArgs {
    /// The files with revocation data.
    pub(crate) fn revocation(&self) -> impl Iterator<Item = &PathBuf> + Clone {
        self.crl.iter().chain(&self.ocsp)
    }
}

/// What opens an encrypted PDF.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct UnlockArgs {
    /// The environment variable with the password of an encrypted PDF
    #[arg(long, value_name = "VAR")]
    pub(crate) pdf_password_env: Option<String>,
    #[command(flatten)]
    pub(crate) recipient: RecipientArgs,
}

impl UnlockArgs {
    pub(crate) fn read(&self) -> Result<Unlock, Failure> {
        Unlock::read(self.pdf_password_env.as_deref(), &self.recipient)
    }
}

//! Arguments that several commands have.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use ades::Oid;

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
    /// Fetching: the URL of an HTTP proxy for all requests
    ///
    /// The proxy resolves names, so it must itself refuse addresses inside its network. Without
    /// this, no proxy is used, whatever the environment says.
    #[arg(long, value_name = "URL")]
    pub(crate) fetch_proxy: Option<String>,
}

impl FetchArgs {
    pub(crate) fn to_rules(&self) -> FetchRules {
        let (allow, proxy) = (self.fetch_allow.clone(), self.fetch_proxy.clone());
        FetchRules { allow, timeout: self.fetch_timeout, proxy }
    }
}

/// How signatures get time-stamps and revocation data.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct RaiseArgs {
    /// A time-stamping service for levels from t on; the next one is asked if one fails
    ///
    /// Its host may have any address, because you named it. The default with the signer sandbox is
    /// the sandbox's own.
    #[arg(long, value_name = "URL")]
    pub(crate) tsa: Vec<String>,
    /// The policy under which the service shall issue time-stamps
    ///
    /// A time-stamp under another policy does not count.
    #[arg(long, value_name = "OID")]
    pub(crate) tsa_policy: Option<Oid>,
    /// For levels from lt on: embed only revocation data about the signer that were issued after
    /// the time-stamp
    ///
    /// Until there are any, the signature stays at level t. TS 119 172-4 demands such data.
    #[arg(long)]
    pub(crate) fresh_revocation: bool,
    /// As --fresh-revocation, and wait for such data at most this long: 90s, 15m, 24h
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) wait: Option<Duration>,
}

impl RaiseArgs {
    pub(crate) const fn is_absent(&self) -> bool {
        self.tsa.is_empty() && self.tsa_policy.is_none() && !self.is_fresh()
    }

    /// Whether revocation data about the signer have to be newer than the time-stamp.
    pub(crate) const fn is_fresh(&self) -> bool {
        self.fresh_revocation || self.wait.is_some()
    }

    /// Until when such data are waited for.
    pub(crate) fn wait_until(&self) -> Option<SystemTime> {
        SystemTime::now().checked_add(self.wait?)
    }
}

/// A number of seconds, minutes or hours.
fn duration(text: &str) -> Result<Duration, String> {
    /// In hours.
    const MAX: u64 = 24 * 14;

    let wrong = || format!("write it as 90s, 15m or 24h; at most {MAX}h");
    let end = text.char_indices().next_back().ok_or_else(wrong)?;
    let (number, unit) = text.split_at(end.0);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = number.checked_mul(seconds).filter(|seconds| *seconds <= MAX * 3600);
    seconds.map(Duration::from_secs).ok_or_else(wrong)
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

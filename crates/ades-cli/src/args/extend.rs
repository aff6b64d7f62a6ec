//! The arguments of `ades extend`.

use std::path::PathBuf;

use ades::{DigestAlgorithm, TargetLevel};
use clap::ValueEnum;

use super::signature::{SignaturePath, signature_path};
use super::{EvidenceArgs, FetchArgs, RaiseArgs, ReadingArgs, UnlockArgs};

#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "What was reached is written even when a service fails: then the exit status is 5, the message \
names the level, and `ades extend` continues from the written file. A signature that has the level lta already is \
renewed: it gets another archive time-stamp. Nothing in the container is changed; everything is added."
)]
pub(crate) struct ExtendArgs {
    /// The signed document or container; - is standard input
    #[arg(value_name = "SIGNED")]
    pub(crate) input: PathBuf,
    /// The level to raise the signatures to
    #[arg(long, value_enum)]
    pub(crate) level: RaiseTo,
    #[command(flatten)]
    pub(crate) stamps: RaiseArgs,
    /// The digest algorithm of the time-stamps: sha256, sha384, sha512
    #[arg(long, value_name = "DIGEST", default_value = "sha256", value_parser = digest)]
    pub(crate) digest: DigestAlgorithm,
    /// Raise only signature N, or a countersignature
    ///
    /// N counts from 0, as `ades inspect` numbers the signatures. N.M is countersignature M of
    /// signature N, and so on. Without this, all signatures are raised, and no countersignature is:
    /// an archive time-stamp on the signature around it covers it.
    #[arg(long, value_name = "N[.M…]", value_parser = signature_path)]
    pub(crate) signature: Option<SignaturePath>,
    /// The document of a detached signature; archive time-stamps cover it
    #[arg(long)]
    pub(crate) original: Vec<PathBuf>,
    /// Trust anchors, PEM: paths end there; without any, at certificates that issued themselves
    #[arg(long)]
    pub(crate) trust: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) evidence: EvidenceArgs,
    #[command(flatten)]
    pub(crate) fetch: FetchArgs,
    #[command(flatten)]
    pub(crate) unlock: UnlockArgs,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    /// The raised document or container; - is standard output
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: PathBuf,
    /// Overwrite an existing file
    #[arg(long)]
    pub(crate) force: bool,
    /// Print one JSON object with the level that was reached, and what is missing
    #[arg(long)]
    pub(crate) json: bool,
}

/// The level to raise to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RaiseTo {
    /// A time-stamp on the signature
    T,
    /// Certificates and revocation data as well
    Lt,
    /// An archive time-stamp as well
    Lta,
}

impl RaiseTo {
    pub(crate) const fn target(self) -> TargetLevel {
        match self {
            Self::T => TargetLevel::T,
            Self::Lt => TargetLevel::Lt,
            Self::Lta => TargetLevel::Lta,
        }
    }
}

fn digest(text: &str) -> Result<DigestAlgorithm, String> {
    match text {
        "sha256" => Ok(DigestAlgorithm::Sha256),
        "sha384" => Ok(DigestAlgorithm::Sha384),
        "sha512" => Ok(DigestAlgorithm::Sha512),
        _ => Err("sha256, sha384 or sha512".to_owned()),
    }
}

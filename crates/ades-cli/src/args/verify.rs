//! The arguments of `ades verify`.

use std::path::PathBuf;

use ades::{Target, ValidationTime, parse};
use chrono::DateTime;
use clap::ValueEnum;

use super::{EvidenceArgs, FetchArgs, ReadingArgs, UnlockArgs};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Each signature has one of three answers (EN 319 102-1): total-passed, indeterminate (what is missing \
or unknown is named) or total-failed (what is broken is named). The worst one counts. Without --trust, nobody is judged, \
and no signature is passed.\n\nExit status: 0 total-passed, or intact with --integrity; 1 total-failed; \
6 indeterminate; 3 a file is not a container or has no signature."
)]
pub(crate) struct VerifyArgs {
    /// The containers; - is standard input
    #[arg(required = true, value_name = "SIGNED")]
    pub(crate) containers: Vec<PathBuf>,
    /// The document of a detached signature, or the expected content of an enveloping CAdES
    /// container; XML: each document that the signature refers to, by its file name
    #[arg(long)]
    pub(crate) original: Vec<PathBuf>,
    /// XML only: the Id of an element that must be signed, or the name of elements that must all
    /// be signed; default: the root element
    #[arg(long, value_name = "ID|{NAMESPACE}NAME", value_parser = parse::elements)]
    pub(crate) element: Vec<Target>,
    /// Trust anchors, PEM; without any, no signature is passed
    #[arg(long)]
    pub(crate) trust: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) evidence: EvidenceArgs,
    /// A trusted list (ETSI TS 119 612), XML: its services are trust anchors of signers and of
    /// time-stamping authorities, and the answer says whether a signature is qualified
    #[arg(long, value_name = "TSL.xml")]
    pub(crate) trusted_list: Vec<PathBuf>,
    /// The certificates that may sign the trusted lists, PEM; without any, the lists are not
    /// authenticated, which the answer says
    #[arg(long, value_name = "CERT.pem", requires = "trusted_list")]
    pub(crate) trusted_list_signer: Vec<PathBuf>,
    /// Judge certificates and algorithms at this time (RFC 3339), or at the time that each signer
    /// claims: claimed believes the signer; default: now
    #[arg(long, value_name = "TIME|claimed", value_parser = validation_time)]
    pub(crate) at: Option<ValidationTime>,
    /// Ask for the integrity alone: nobody is judged
    #[arg(
        long,
        conflicts_with_all = ["trust", "tsa_trust", "trusted_list", "at", "revocation", "crl", "ocsp"]
    )]
    pub(crate) integrity: bool,
    /// Where revocation data come from; none leaves revocation out
    #[arg(long, value_enum, default_value = "embedded")]
    pub(crate) revocation: RevocationSource,
    #[command(flatten)]
    pub(crate) fetch: FetchArgs,
    #[command(flatten)]
    pub(crate) unlock: UnlockArgs,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the validation report of ETSI TS 119 102-2 to this file, too; - is standard output,
    /// instead of the report for people
    #[arg(long, value_name = "FILE")]
    pub(crate) report_xml: Option<PathBuf>,
    /// Overwrite the file of --report-xml
    #[arg(long, requires = "report_xml")]
    pub(crate) force: bool,
}

/// Where revocation data come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RevocationSource {
    /// The container, and the files of --crl and --ocsp
    Embedded,
    /// The container, those files, and the services that the certificates name, which are asked
    /// over the network
    Fetch,
    /// Revocation is left out
    None,
}

fn validation_time(text: &str) -> Result<ValidationTime, String> {
    if text == "claimed" {
        return Ok(ValidationTime::Claimed);
    }
    let time = DateTime::parse_from_rfc3339(text);
    time.map(|time| ValidationTime::At(time.to_utc()))
        .map_err(|why| format!("{why}: write a time as 2026-10-01T12:00:00Z, or claimed"))
}

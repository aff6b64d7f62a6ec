//! The command line's arguments, and their conversion to typed options.

mod c14n;
mod concern;
mod extend;
mod sandbox;
mod shared;
mod signature;
mod stamp;
mod verify;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::exit::Failure;
use crate::job::{SignerChoice, SignerKind};
use crate::path_name::absolute;

pub(crate) use c14n::C14nArgs;
pub(crate) use concern::{Concerned, Given};
pub(crate) use extend::ExtendArgs;
pub(crate) use sandbox::SandboxArgs;
pub(crate) use shared::{EvidenceArgs, FetchArgs, RaiseArgs, UnlockArgs};
pub(crate) use signature::{ReadingArgs, SignatureArgs};
pub(crate) use verify::{RevocationSource, VerifyArgs};

/// The headings of the help, in addition to those in `signature` and `stamp`.
const OUTPUT: &str = "Output";
const SIGNER: &str = "Signer";
const LEVEL: &str = "Level";
const MESSAGES: &str = "Messages";

#[derive(Debug, Parser)]
#[command(
    name = "ades",
    version,
    about = "Sign documents with remote signers and key files, and verify them: PAdES, XAdES and CAdES"
)]
#[command(
    after_help = "Exit statuses, stored jobs and more: ades --help. The options of a command: ades COMMAND --help."
)]
#[command(
    after_long_help = "A signing that waits for the signer is stored in <OUT>.pending (several files: <DIR>/ades.pending) \
until it is done; `ades resume` continues it after an interruption. Only one process at a time works on it.\n\n\
Results go to standard output: reports, digests, canonical forms, containers to -. Messages go to standard error. \
Progress is shown only on a terminal. An output file appears whole or not at all.\n\n\
Exit status: 0 done; 1 total-failed (verify); 2 usage; 3 an input cannot be used; \
4 the signer or the user refused; 5 the signer or a network service failed, or another process works on the job: \
a later try may succeed; 6 indeterminate (verify); 7 an output cannot be written; 70 a bug. A closed pipe ends a report without an error; \
a container, a canonical form or a digest that nobody reads is status 7."
)]
pub(crate) struct Args {
    /// Print errors only
    #[arg(short, long, global = true, help_heading = MESSAGES)]
    pub(crate) quiet: bool,
    /// Print more messages; may be repeated
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = MESSAGES)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sign files: identify the user, let the user confirm, write the containers
    Sign(Box<SignArgs>),
    /// Continue an interrupted signing
    Resume(ResumeArgs),
    /// Show where an interrupted or waiting signing stands, without touching it
    Status(StatusArgs),
    /// Print the digest to be signed, and store the state for completing
    Prepare(Box<PrepareArgs>),
    /// Write the container, from a stored state and a signature value
    Complete(CompleteArgs),
    /// Raise signatures to the levels B-T, B-LT and B-LTA, and renew them
    Extend(Box<ExtendArgs>),
    /// List the signatures of a container, without verdicts
    Inspect(InspectArgs),
    /// Verify a container
    Verify(VerifyArgs),
    /// Write the canonical form of an XML document
    C14n(C14nArgs),
    /// Run the itsme® sandbox on its own
    Sandbox(SandboxArgs),
    /// A small signing application in the browser: upload, confirm, download
    Demo(DemoArgs),
    /// Print the completions for a shell
    Completions(CompletionsArgs),
    /// Print a manual page, or write all of them
    Man(ManArgs),
}

#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Without -o and --out-dir, each container is written beside its file. A signature of its own adds \
to the name: contract.txt.p7s, contract.txt.p7m, contract.txt.xades. A signed document gets another name: \
contract-signed.pdf, contract-signed.xml. Nothing is overwritten without --force."
)]
pub(crate) struct SignArgs {
    /// The files to sign; - is standard input
    #[arg(required = true, value_name = "IN")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Sign all files with one signature, which refers to them by their names
    ///
    /// Only a detached XAdES signature can do that: --packaging detached. Their names must differ.
    #[arg(long, requires = "packaging", conflicts_with = "out_dir", help_heading = OUTPUT)]
    pub(crate) together: bool,
    /// The container; - is standard output
    ///
    /// Without it and --out-dir, the container is written beside the file, under a name of its own:
    /// contract.txt.p7s, contract-signed.pdf.
    #[arg(short, long, conflicts_with = "out_dir", value_name = "OUT", help_heading = OUTPUT)]
    pub(crate) output: Option<PathBuf>,
    /// The folder for the containers of several files
    #[arg(long, value_name = "DIR", help_heading = OUTPUT)]
    pub(crate) out_dir: Option<PathBuf>,
    /// Overwrite existing files
    #[arg(long, help_heading = OUTPUT)]
    pub(crate) force: bool,
    /// Print one JSON object: the containers, or the error
    #[arg(long, help_heading = OUTPUT)]
    pub(crate) json: bool,
    /// sandbox | itsme:CONFIG.toml | pkcs12:FILE
    ///
    /// The sandbox is a built-in stand-in for itsme®: its signatures have no legal value.
    #[arg(long, default_value = "sandbox", help_heading = SIGNER)]
    pub(crate) signer: String,
    /// Open the signer's pages in the browser: that of the environment variable BROWSER, or that
    /// of the desktop
    #[arg(long, conflicts_with = "auto_approve", help_heading = SIGNER)]
    pub(crate) open: bool,
    /// Sandbox only: the test user confirms at once, without a browser
    #[arg(long, help_heading = SIGNER)]
    pub(crate) auto_approve: bool,
    /// Sandbox only: the test user who confirms
    #[arg(long, value_name = "USER", default_value = "ready", help_heading = SIGNER)]
    pub(crate) sandbox_user: String,
    /// Sandbox only: the folder of the sandbox's PKI
    #[arg(long, value_name = "DIR", help_heading = SIGNER)]
    pub(crate) sandbox_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) key_file: KeyFileArgs,
    /// With --level lt or lta: trust anchors, PEM: paths end there
    #[arg(long, value_name = "CA.pem", help_heading = LEVEL)]
    pub(crate) trust: Vec<PathBuf>,
    #[command(flatten, next_help_heading = LEVEL)]
    pub(crate) fetch: FetchArgs,
    #[command(flatten)]
    pub(crate) signature: SignatureArgs,
}

/// How to open a key file. A job does not store this.
#[derive(Debug, clap::Args)]
pub(crate) struct KeyFileArgs {
    /// The environment variable with the password of the key file
    ///
    /// Without it, the password is asked for on the terminal if the file needs one.
    #[arg(long, value_name = "VAR", help_heading = SIGNER)]
    pub(crate) password_env: Option<String>,
    /// The key of a PKCS#12 file with several keys
    ///
    /// Its friendly name or that of its certificate, or the SHA-256 fingerprint of the certificate.
    #[arg(long, value_name = "NAME", help_heading = SIGNER)]
    pub(crate) key_name: Option<String>,
}

impl KeyFileArgs {
    /// One of the options that the user gave.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let password = self.password_env.as_ref().map(|_| "--password-env");
        password.or(self.key_name.as_ref().map(|_| "--key-name"))
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct ResumeArgs {
    /// The .pending file of the interrupted signing
    #[arg(value_name = "PENDING")]
    pub(crate) pending: PathBuf,
    /// Ask the user again if it is not known whether the signer received the request, or if the
    /// signer's session has no result
    #[arg(long)]
    pub(crate) ask_again: bool,
    /// Open the signer's page in the browser: that of the environment variable BROWSER, or that of
    /// the desktop
    #[arg(long)]
    pub(crate) open: bool,
    /// As --ask-again, and let the user identify first: after the user has renewed the certificate
    #[arg(long)]
    pub(crate) identify_again: bool,
    /// Overwrite existing files
    #[arg(long)]
    pub(crate) force: bool,
    /// Print one JSON object: the containers, or the error
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) key_file: KeyFileArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    /// The .pending file of the signing
    #[arg(value_name = "PENDING")]
    pub(crate) pending: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PrepareArgs {
    /// The file to sign; - is standard input
    pub(crate) input: PathBuf,
    /// The file for the pending state
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub(crate) state: PathBuf,
    /// The environment variable with the key of the state's MAC: 64 hexadecimal digits
    #[arg(long, value_name = "VAR", help_heading = OUTPUT)]
    pub(crate) state_key_env: Option<String>,
    /// Overwrite existing files
    #[arg(long, help_heading = OUTPUT)]
    pub(crate) force: bool,
    /// The signer's certificate and its issuers, PEM, in any order
    #[arg(long, value_name = "FILE", help_heading = SIGNER)]
    pub(crate) certs: PathBuf,
    #[command(flatten)]
    pub(crate) signature: SignatureArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CompleteArgs {
    /// The prepared file; for another signature in a container, the container
    pub(crate) input: PathBuf,
    /// The pending state
    #[arg(long)]
    pub(crate) state: PathBuf,
    /// The environment variable with the key of the state's MAC
    #[arg(long)]
    pub(crate) state_key_env: Option<String>,
    /// The signature value: raw octets, base64, base64url, hexadecimal digits or PEM; for ECDSA, DER
    /// or r and s side by side; - is standard input
    #[arg(long)]
    pub(crate) signature: PathBuf,
    #[command(flatten)]
    pub(crate) unlock: UnlockArgs,
    /// The container; - is standard output
    #[arg(short, long)]
    pub(crate) output: PathBuf,
    /// Overwrite existing files
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// The container; - is standard input
    pub(crate) container: PathBuf,
    #[command(flatten)]
    pub(crate) unlock: UnlockArgs,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "bash: ades completions bash > ~/.local/share/bash-completion/completions/ades\n\
zsh: ades completions zsh > a file named _ades in a folder of $fpath\n\
fish: ades completions fish > ~/.config/fish/completions/ades.fish"
)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// The command, for example sign; default: ades itself
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Option<String>,
    /// Write the pages of ades and of all its commands to this folder: ades.1, ades-sign.1, …
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub(crate) out_dir: Option<PathBuf>,
    /// Overwrite existing files
    #[arg(long, requires = "out_dir")]
    pub(crate) force: bool,
}

#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Documents, the key and the database (SQLite) are in the folder. With the environment variable \
ADES_DEMO_DATABASE, a PostgreSQL connection string, jobs are in that database. The program can be killed at any time; \
started again, it continues. The sandbox forgets its sessions then, unless it is a process of its own: ades sandbox, and \
--signer itsme:CONFIG.toml."
)]
pub(crate) struct DemoArgs {
    /// The listening address
    #[arg(long, default_value = "127.0.0.1:8080", value_parser = address)]
    pub(crate) listen: SocketAddr,
    /// sandbox | itsme:CONFIG.toml
    ///
    /// With a configuration, the application is at its redirect_url, without /return at the end. A
    /// proxy in front of it has the certificate.
    #[arg(long, default_value = "sandbox")]
    pub(crate) signer: String,
    /// The folder of documents, key and database
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
}

impl SignArgs {
    /// The signer, with an absolute path so that any process can resume the job.
    pub(crate) fn signer(&self) -> Result<SignerChoice, Failure> {
        let kind = match self.signer.split_once(':') {
            None if self.signer == "sandbox" => SignerKind::Sandbox,
            Some(("itsme" | "pkcs12", "")) => return Err(unknown_signer(&self.signer)),
            Some(("itsme", path)) => SignerKind::Itsme(absolute(Path::new(path))),
            Some(("pkcs12", path)) => SignerKind::Pkcs12(absolute(Path::new(path))),
            Some((kind @ ("csc" | "pkcs11"), _)) => {
                let message = format!("--signer {kind}: this version does not have it, not yet");
                return Err(Failure::usage(message));
            }
            _ => return Err(unknown_signer(&self.signer)),
        };
        Ok(SignerChoice {
            kind,
            sandbox_dir: self.sandbox_dir.as_deref().map(absolute),
            sandbox_user: self.sandbox_user.clone(),
            auto_approve: self.auto_approve,
        })
    }
}

pub(crate) fn unknown_signer(text: &str) -> Failure {
    let failure = Failure::usage(format!(
        "--signer {text:?}: not one of sandbox, itsme:CONFIG.toml, pkcs12:FILE"
    ));
    match Path::new(text).extension().and_then(|extension| extension.to_str()) {
        Some("p12" | "pfx") => failure.and(&format!("did you mean pkcs12:{text}?")),
        Some("toml") => failure.and(&format!("did you mean itsme:{text}?")),
        _ => failure,
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "not of the form ADDRESS:PORT, such as 127.0.0.1:8443".to_owned())
}

/// Parses the arguments, and notes which of them were given.
///
/// # Errors
/// A usage error, or a request for help, which clap reports as an error too.
pub(crate) fn parse() -> Result<(Args, Given), clap::Error> {
    let matches = Args::command().try_get_matches()?;
    let given = matches.subcommand().map(|(_, matches)| Given::of(matches)).unwrap_or_default();
    Ok((Args::from_arg_matches(&matches)?, given))
}

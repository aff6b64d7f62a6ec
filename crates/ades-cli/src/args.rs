//! The command line's arguments, and their conversion to typed options.

mod signature;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ades::{Canonicalization, Target, parse};
use clap::{ArgAction, Parser, Subcommand, ValueEnum};

use crate::exit::Failure;
use crate::job::{SignerChoice, SignerKind};
use crate::path_name::absolute;
use crate::sandbox;

pub(crate) use signature::{ReadingArgs, SignatureArgs};

#[derive(Debug, Parser)]
#[command(
    name = "ades",
    version,
    about = "Sign documents with remote signers and key files, and verify them: PAdES, XAdES and CAdES"
)]
#[command(
    after_help = "A signing that waits for the signer is stored in <OUT>.pending (several files: <DIR>/ades.pending) \
until it is done; `ades resume` continues it after an interruption. Only one process at a time works on it.\n\n\
Results go to standard output: reports, digests, canonical forms, containers to -. Messages go to standard error. \
Progress is shown only on a terminal.\n\n\
Exit status: 0 done; 1 not valid (verify); 2 usage; 3 an input cannot be used; \
4 the signer or the user refused; 5 the signer or a network service failed, or another process works on the job: \
a later try may succeed; 70 a bug.\n\n\
Not yet: levels t, lt and lta (--tsa, extend), demo."
)]
pub(crate) struct Args {
    /// Print errors only
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Print more messages; may be repeated
    #[arg(short, long, global = true, action = ArgAction::Count)]
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
    /// Print the digest to be signed, and store the state for completing
    Prepare(Box<PrepareArgs>),
    /// Write the container, from a stored state and a signature value
    Complete(CompleteArgs),
    /// List the signatures of a container, without verdicts
    Inspect(InspectArgs),
    /// Verify a container
    Verify(VerifyArgs),
    /// Write the canonical form of an XML document
    C14n(C14nArgs),
    /// Run the itsme® sandbox on its own
    Sandbox(SandboxArgs),
    /// Raise the level of a signature: not yet
    #[command(hide = true)]
    Extend(NotYet),
    /// A small signing application in the browser: not yet
    #[command(hide = true)]
    Demo(NotYet),
}

/// The arguments of a command that this version does not have yet.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct NotYet {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _arguments: Vec<std::ffi::OsString>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SignArgs {
    /// The files to sign; - is standard input
    #[arg(required = true, value_name = "IN")]
    pub(crate) inputs: Vec<PathBuf>,
    /// The container; - is standard output
    #[arg(short, long, conflicts_with = "out_dir", required_unless_present = "out_dir")]
    pub(crate) output: Option<PathBuf>,
    /// The folder for the containers of several files
    #[arg(long)]
    pub(crate) out_dir: Option<PathBuf>,
    /// Overwrite existing files
    #[arg(long)]
    pub(crate) force: bool,
    /// sandbox | itsme:CONFIG.toml | pkcs12:FILE
    #[arg(long, default_value = "sandbox")]
    pub(crate) signer: String,
    /// Sandbox only: the test user confirms at once, without a browser
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// Sandbox only: the test user who confirms
    #[arg(long, default_value = "ready")]
    pub(crate) sandbox_user: String,
    /// Sandbox only: the folder of the sandbox's PKI
    #[arg(long)]
    pub(crate) sandbox_dir: Option<PathBuf>,
    /// The environment variable with the password of the key file
    #[arg(long)]
    pub(crate) password_env: Option<String>,
    #[command(flatten)]
    pub(crate) signature: SignatureArgs,
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
    /// Overwrite existing files
    #[arg(long)]
    pub(crate) force: bool,
    /// The environment variable with the password of the key file
    #[arg(long)]
    pub(crate) password_env: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PrepareArgs {
    /// The file to sign; - is standard input
    pub(crate) input: PathBuf,
    /// The signer's certificate and its issuers, PEM, in any order
    #[arg(long)]
    pub(crate) certs: PathBuf,
    /// The file for the pending state
    #[arg(long)]
    pub(crate) state: PathBuf,
    /// The environment variable with the key of the state's MAC: 64 hexadecimal digits
    #[arg(long)]
    pub(crate) state_key_env: Option<String>,
    /// Overwrite existing files
    #[arg(long)]
    pub(crate) force: bool,
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
    /// The signature value, raw octets or base64; - is standard input
    #[arg(long)]
    pub(crate) signature: PathBuf,
    /// The environment variable with the password of an encrypted PDF
    #[arg(long, value_name = "VAR")]
    pub(crate) pdf_password_env: Option<String>,
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
    /// The environment variable with the password of an encrypted PDF
    #[arg(long, value_name = "VAR")]
    pub(crate) pdf_password_env: Option<String>,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// The container; - is standard input
    pub(crate) container: PathBuf,
    /// The document of a detached signature, or the expected content of an enveloping CAdES
    /// container; XML: each document that the signature refers to, by its file name
    #[arg(long)]
    pub(crate) original: Vec<PathBuf>,
    /// XML only: the Id of an element that must be signed, or the name of elements that must all
    /// be signed; default: the root element
    #[arg(long, value_name = "ID|{NAMESPACE}NAME", value_parser = parse::elements)]
    pub(crate) element: Vec<Target>,
    /// Trust anchors, PEM; without any, trust is not judged
    #[arg(long)]
    pub(crate) trust: Vec<PathBuf>,
    /// The environment variable with the password of an encrypted PDF
    #[arg(long, value_name = "VAR")]
    pub(crate) pdf_password_env: Option<String>,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    C14n10,
    C14n11,
    Exclusive,
}

impl From<Method> for Canonicalization {
    fn from(method: Method) -> Self {
        match method {
            Method::C14n10 => Self::C14N_1_0,
            Method::C14n11 => Self::C14N_1_1,
            Method::Exclusive => Self::EXCLUSIVE,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct C14nArgs {
    /// The document; - is standard input
    pub(crate) document: PathBuf,
    /// The algorithm
    #[arg(long, value_enum, default_value = "c14n10")]
    pub(crate) method: Method,
    /// Keep comments
    #[arg(long)]
    pub(crate) with_comments: bool,
    /// Exclusive only: the prefixes of the InclusiveNamespaces list; #default is the default
    /// namespace
    #[arg(long, value_name = "PREFIXES")]
    pub(crate) inclusive_prefixes: Option<String>,
    /// Only the element with this Id
    #[arg(long)]
    pub(crate) id: Option<String>,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SandboxArgs {
    /// The listening address of the back end
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// The listening address of the pages and of the control API, which have no password
    #[arg(long, default_value = "127.0.0.1:0")]
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
    /// The test user confirms at once, without a browser
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// The test user who confirms
    #[arg(long, default_value = "ready")]
    pub(crate) user: String,
}

impl SignArgs {
    /// The signer, with an absolute path so that any process can resume the job.
    pub(crate) fn signer(&self) -> Result<SignerChoice, Failure> {
        let kind = match self.signer.split_once(':') {
            None if self.signer == "sandbox" => SignerKind::Sandbox,
            Some(("itsme", path)) => SignerKind::Itsme(absolute(Path::new(path))),
            Some(("pkcs12", path)) => SignerKind::Pkcs12(absolute(Path::new(path))),
            Some((kind @ ("csc" | "pkcs11"), _)) => {
                let message = format!("--signer {kind}: this version does not have it, not yet");
                return Err(Failure::usage(message));
            }
            _ => {
                return Err(Failure::usage(
                    "--signer: not one of sandbox, itsme:CONFIG.toml, pkcs12:FILE",
                ));
            }
        };
        if self.auto_approve && kind != SignerKind::Sandbox {
            return Err(Failure::usage("--auto-approve is for the sandbox only"));
        }
        Ok(SignerChoice {
            kind,
            sandbox_dir: self.sandbox_dir.as_deref().map(absolute),
            sandbox_user: self.sandbox_user.clone(),
            auto_approve: self.auto_approve,
        })
    }
}

impl C14nArgs {
    /// The canonicalisation with its parameters.
    pub(crate) fn canonicalization(&self) -> Result<Canonicalization, Failure> {
        let mut method = Canonicalization::from(self.method);
        if self.with_comments {
            method = method.with_comments();
        }
        if let Some(prefixes) = &self.inclusive_prefixes {
            if self.method != Method::Exclusive {
                return Err(Failure::usage("--inclusive-prefixes is for --method exclusive"));
            }
            method = method.with_prefix_list(prefixes);
        }
        Ok(method)
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
            .batch(!self.no_batch);
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

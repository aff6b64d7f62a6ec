//! What can be said on the command line, as it was said. [`crate::options`]
//! makes sense of it.

use std::net::SocketAddr;
use std::path::PathBuf;

use ades_core::signer::Language;
use ades_core::{DigestAlgorithm, SignatureAlgorithm};
use chrono::{DateTime, Utc};
use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::stamp::Spot;

#[derive(Debug, Parser)]
#[command(
    name = "ades",
    version,
    about = "Sign documents with a key that is somewhere else: AdES containers through remote signers"
)]
#[command(
    after_help = "A signing that has to wait is stored in <OUT>.pending (several files: <DIR>/ades.pending) until it \
is done; `ades resume` goes on with it after an interruption. One process at a time works on it.\n\n\
Standard output has what was asked for: reports, digests, canonical forms, containers to -. Everything else that is \
said goes to standard error; how far a long reading is, to a terminal only.\n\n\
Exit status: 0 done, 1 the answer is no (verify: not valid), 2 usage, 3 the input is not what it should be, \
4 the signer or user refused, 5 the signer or a network service failed, or another process is at work, and a later \
try may work, 70 a bug.\n\n\
Not yet: levels t, lt and lta (--tsa, extend), demo."
)]
pub(crate) struct Args {
    /// Say less
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Say more; repeat for still more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sign files: identify, confirm, complete
    Sign(Box<SignOptions>),
    /// Go on with a signing that was interrupted
    Resume(ResumeOptions),
    /// Print the digest to be signed and store what completing needs
    Prepare(Box<PrepareOptions>),
    /// Make the container from a stored state and a signature value
    Complete(CompleteOptions),
    /// Show what is in a container; judges nothing
    Inspect(InspectOptions),
    /// Verify a container
    Verify(VerifyOptions),
    /// Write the canonical form of an XML document
    C14n(C14nOptions),
    /// Run the itsme® sandbox on its own
    Sandbox(SandboxOptions),
    /// Raise the level of a signature: not yet
    #[command(hide = true)]
    Extend(NotYet),
    /// A small signing application in the browser: not yet
    #[command(hide = true)]
    Demo(NotYet),
}

/// What a later version will understand.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct NotYet {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _arguments: Vec<std::ffi::OsString>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Cades,
    Xades,
    Pades,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Packaging {
    Enveloped,
    /// cades: the content is in it; xades: XML as it is where it can be, anything else as base64
    Enveloping,
    /// xades: as base64, whatever it is
    EnvelopingBase64,
    Detached,
    /// xades: elements of the document, by their Ids
    InternallyDetached,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    B,
    T,
    Lt,
    Lta,
}

/// What a signature says, and how it is made.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct SignatureOptions {
    /// Default: by the content, a PDF is pades, XML is xades, anything else is cades
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Where the document is to the signature; default: cades detached, xades enveloped
    #[arg(long, value_enum)]
    pub(crate) packaging: Option<Packaging>,
    /// The baseline level
    #[arg(long, value_enum, default_value = "b")]
    pub(crate) level: Level,
    /// The time-stamping service, for levels from t on: not yet
    #[arg(long, value_name = "URL", hide = true)]
    pub(crate) tsa: Option<String>,
    /// Add a parallel signer to this container; IN is its document (detached) or the container
    #[arg(long, value_name = "CONTAINER", conflicts_with_all = ["counter_sign", "packaging"])]
    pub(crate) parallel: Option<PathBuf>,
    /// Countersign signer N (from 0, as `ades inspect` numbers them) of the container or XML
    /// document IN
    #[arg(long, value_name = "N", conflicts_with_all = ["packaging", "mime_type"])]
    pub(crate) counter_sign: Option<usize>,
    /// The digest to sign with: sha256, sha384, sha512
    #[arg(long)]
    pub(crate) digest: Option<DigestAlgorithm>,
    /// The signature algorithm: rsa-sha256, rsa-pss-sha256, ecdsa-sha384, ed25519, …
    #[arg(long, conflicts_with = "digest")]
    pub(crate) algorithm: Option<SignatureAlgorithm>,
    /// The claimed signing time (RFC 3339); default: now
    #[arg(long, value_name = "TIME")]
    pub(crate) signing_time: Option<DateTime<Utc>>,
    /// Signature policy: an OID, or a reference in itsme®'s discovery document
    #[arg(long, value_name = "OID|REF")]
    pub(crate) policy: Option<String>,
    /// The policy's document, for its digest
    #[arg(long, value_name = "FILE", conflicts_with = "policy_digest_from_discovery")]
    pub(crate) policy_document: Option<PathBuf>,
    /// Take the policy's digest from itsme®'s discovery document
    #[arg(long)]
    pub(crate) policy_digest_from_discovery: bool,
    /// Where the policy's document can be had, for the signature
    #[arg(long, value_name = "URI", requires = "policy")]
    pub(crate) policy_uri: Option<String>,
    /// Commitment: an OID, a reference in itsme®'s discovery document, or origin, receipt,
    /// delivery, sender, approval, creation. itsme® shows it only together with a policy
    #[arg(long, value_name = "OID|REF")]
    pub(crate) commitment: Option<String>,
    /// A role the signer claims; may be repeated
    #[arg(long, value_name = "TEXT")]
    pub(crate) role: Vec<String>,
    /// The country the signer claims to be in
    #[arg(long)]
    pub(crate) country: Option<String>,
    /// The place the signer claims to be in
    #[arg(long)]
    pub(crate) locality: Option<String>,
    /// The document's media type
    #[arg(long)]
    pub(crate) mime_type: Option<String>,
    #[command(flatten)]
    pub(crate) pdf: PdfOptions,
    #[command(flatten)]
    pub(crate) xml: XmlOptions,
    /// The user's language: EN, FR, NL or DE
    #[arg(long, value_parser = language)]
    pub(crate) lang: Option<Language>,
    /// What is signed, in words, as LANG=TEXT; may be repeated. itsme® shows it in all
    /// four languages or not at all; the signature has it in the user's
    #[arg(long, value_name = "LANG=TEXT", value_parser = description)]
    pub(crate) description: Vec<(Language, String)>,
}

/// What only XML has a place for.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct XmlOptions {
    /// XML only: the Id of an element to sign, with --packaging internally-detached; may be
    /// repeated
    #[arg(long, value_name = "ID")]
    pub(crate) element: Vec<String>,
    /// XML only: put the signature at the end of the element with this Id, or of the first of
    /// this name; default: of the root
    #[arg(long, value_name = "ID|{NAMESPACE}NAME")]
    pub(crate) into: Option<String>,
    /// XML only: put the signature behind the element with this Id, or the first of this name
    #[arg(long, value_name = "ID|{NAMESPACE}NAME", conflicts_with = "into")]
    pub(crate) behind: Option<String>,
    /// XML only: leave all signatures out of what is signed, so that others can sign later
    #[arg(long)]
    pub(crate) allow_parallel: bool,
    /// XML only: the canonical form of what is signed
    #[arg(long, value_enum, default_value = "exclusive")]
    pub(crate) c14n: Method,
    /// XML only: the street and house of the place that --locality names
    #[arg(long, value_name = "TEXT")]
    pub(crate) street_address: Option<String>,
    /// XML only: the state or province of that place
    #[arg(long, value_name = "TEXT")]
    pub(crate) state_or_province: Option<String>,
    /// XML only: the postal code of that place
    #[arg(long, value_name = "TEXT")]
    pub(crate) postal_code: Option<String>,
    #[command(flatten)]
    pub(crate) reading: ReadingOptions,
}

/// How XML is read.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct ReadingOptions {
    /// XML only: read a document that names a DTD outside of it as if it did not; nothing is
    /// ever fetched
    #[arg(long)]
    pub(crate) ignore_external_subset: bool,
    /// XML only: one more attribute that is an Id, beside Id, ID, id and xml:id; may be repeated
    #[arg(long, value_name = "{NAMESPACE}NAME")]
    pub(crate) id_attribute: Vec<String>,
}

/// What only a PDF has a place for.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct PdfOptions {
    /// PDF only: the reason for signing; not with --policy or --commitment
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["policy", "commitment"])]
    pub(crate) reason: Option<String>,
    /// PDF only: the signer's name, where it is another than the certificate's
    #[arg(long, value_name = "TEXT")]
    pub(crate) name: Option<String>,
    /// PDF only: where it is signed
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["country", "locality"])]
    pub(crate) location: Option<String>,
    /// PDF only: how to reach the signer
    #[arg(long, value_name = "TEXT")]
    pub(crate) contact: Option<String>,
    /// PDF only: the empty signature field of this name, or else a new one; levels are separated
    /// by periods
    #[arg(long, value_name = "NAME")]
    pub(crate) field: Option<String>,
    /// PDF only: certify, and allow 1 no changes, 2 filling forms, 3 annotations too
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=3), value_name = "1|2|3")]
    pub(crate) certify: Option<u8>,
    /// PDF only: lock fields: all, include:NAME,... or exclude:NAME,...
    #[arg(long, value_name = "FIELDS")]
    pub(crate) lock: Option<String>,
    #[command(flatten)]
    pub(crate) stamp: StampOptions,
    /// PDF only: sign a document with a broken cross-reference by appending a whole new one
    #[arg(long)]
    pub(crate) repair: bool,
    /// PDF only: the environment variable with the password of an encrypted document
    #[arg(long, value_name = "VAR")]
    pub(crate) pdf_password_env: Option<String>,
    /// PDF only: sign an encrypted document, even if its permissions leave that to those who have
    /// the owner's password
    #[arg(long)]
    pub(crate) overrule_permissions: bool,
}

/// What is to be seen of a signature in a PDF.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct StampOptions {
    /// PDF only: a visible signature: PAGE:X,Y,WIDTH,HEIGHT in points from the lower left corner
    /// of the page as it is seen, or field, where the field of --field is
    #[arg(long, value_name = "PAGE:X,Y,W,H|field")]
    pub(crate) visible: Option<Spot>,
    /// Its text, with {name}, {time}, {reason} and {location}; \n begins a line, and one with
    /// nothing to fill in is left out; default: all four
    #[arg(long, value_name = "TEXT", requires = "visible")]
    pub(crate) stamp_text: Option<String>,
    /// Its image: PNG, or JPEG in grey or colour; it may take 2 MiB in the document
    #[arg(long, value_name = "FILE", requires = "visible")]
    pub(crate) stamp_image: Option<PathBuf>,
    /// The font of its text, with TrueType or CFF outlines (.ttf, .otf, .ttc); default: DejaVu Sans
    #[arg(long, value_name = "FILE", requires = "visible")]
    pub(crate) stamp_font: Option<PathBuf>,
    /// PDF only: before anything is signed, draw the page as it will be, as a PNG, by poppler's
    /// pdftoppm, and where there is a password, qpdf
    #[arg(long, value_name = "FILE", requires = "visible")]
    pub(crate) preview: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SignOptions {
    /// The files to sign; - is standard input
    #[arg(required = true, value_name = "IN")]
    pub(crate) inputs: Vec<PathBuf>,
    /// The container; - is standard output
    #[arg(short, long, conflicts_with = "out_dir", required_unless_present = "out_dir")]
    pub(crate) output: Option<PathBuf>,
    /// The folder for the containers of several files
    #[arg(long)]
    pub(crate) out_dir: Option<PathBuf>,
    /// Overwrite what is there
    #[arg(long)]
    pub(crate) force: bool,
    /// sandbox | itsme:CONFIG.toml | pkcs12:FILE
    #[arg(long, default_value = "sandbox")]
    pub(crate) signer: String,
    /// Sandbox only: its own user confirms at once, no browser needed
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// Sandbox only: who confirms
    #[arg(long, default_value = "ready")]
    pub(crate) sandbox_user: String,
    /// Sandbox only: where its PKI is kept
    #[arg(long)]
    pub(crate) sandbox_dir: Option<PathBuf>,
    /// The environment variable with the password of the key file
    #[arg(long)]
    pub(crate) password_env: Option<String>,
    #[command(flatten)]
    pub(crate) signature: SignatureOptions,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ResumeOptions {
    /// The .pending file of the interrupted signing
    #[arg(value_name = "PENDING")]
    pub(crate) pending: PathBuf,
    /// Ask the user once more where it is not known whether the signer got the request, or
    /// where its session yields nothing
    #[arg(long)]
    pub(crate) ask_again: bool,
    /// Overwrite what is there
    #[arg(long)]
    pub(crate) force: bool,
    /// The environment variable with the password of the key file
    #[arg(long)]
    pub(crate) password_env: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PrepareOptions {
    /// The file to sign; - is standard input
    pub(crate) input: PathBuf,
    /// The signer's certificate and its issuers, PEM, in any order
    #[arg(long)]
    pub(crate) certs: PathBuf,
    /// Where the pending state is written
    #[arg(long)]
    pub(crate) state: PathBuf,
    /// The environment variable with the key of the state's MAC: 64 hexadecimal digits
    #[arg(long)]
    pub(crate) state_key_env: Option<String>,
    /// Overwrite what is there
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) signature: SignatureOptions,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CompleteOptions {
    /// The file that was prepared; the container, if one is added to
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
    /// Overwrite what is there
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct InspectOptions {
    /// The container; - is standard input
    pub(crate) container: PathBuf,
    /// The environment variable with the password of an encrypted PDF
    #[arg(long, value_name = "VAR")]
    pub(crate) pdf_password_env: Option<String>,
    #[command(flatten)]
    pub(crate) reading: ReadingOptions,
    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct VerifyOptions {
    /// The container; - is standard input
    pub(crate) container: PathBuf,
    /// The document of a detached signature, or what an enveloping CAdES container has to hold;
    /// XML: each document that the signature names, by the file's name
    #[arg(long)]
    pub(crate) original: Vec<PathBuf>,
    /// XML only: the Id of an element that must be signed, or the name of elements that must all
    /// be signed, if that is not the root element
    #[arg(long, value_name = "ID|{NAMESPACE}NAME")]
    pub(crate) element: Vec<String>,
    /// Trust anchors, PEM; without any, trust is not judged
    #[arg(long)]
    pub(crate) trust: Vec<PathBuf>,
    /// The environment variable with the password of an encrypted PDF
    #[arg(long, value_name = "VAR")]
    pub(crate) pdf_password_env: Option<String>,
    #[command(flatten)]
    pub(crate) reading: ReadingOptions,
    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Method {
    C14n10,
    C14n11,
    Exclusive,
}

#[derive(Debug, clap::Args)]
pub(crate) struct C14nOptions {
    /// The document; - is standard input
    pub(crate) document: PathBuf,
    /// The algorithm
    #[arg(long, value_enum, default_value = "c14n10")]
    pub(crate) method: Method,
    /// Keep comments
    #[arg(long)]
    pub(crate) with_comments: bool,
    /// Exclusive only: the prefixes treated inclusively; #default is the default namespace
    #[arg(long, value_name = "PREFIXES")]
    pub(crate) inclusive_prefixes: Option<String>,
    /// Only the element with this Id
    #[arg(long)]
    pub(crate) id: Option<String>,
    #[command(flatten)]
    pub(crate) reading: ReadingOptions,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SandboxOptions {
    /// Where the back end listens
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Where the pages and the control API listen; they ask for no password
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) front_listen: SocketAddr,
    /// The name or address that both are reached at, if it is not the one they
    /// listen at: in a container, or with --listen 0.0.0.0:8443
    #[arg(long, value_name = "HOST")]
    pub(crate) public_host: Option<String>,
    /// Where PKI and itsme.toml are kept
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
    /// Ask for no client certificate
    #[arg(long)]
    pub(crate) no_mutual_tls: bool,
    /// A redirect URL that is registered, in place of ades's own; on localhost
    /// or 127.0.0.1 any port is as good; may be repeated
    #[arg(long, value_name = "URL")]
    pub(crate) redirect_url: Vec<String>,
    /// The partner code that is registered; default: SANDBOX
    #[arg(long, value_name = "CODE")]
    pub(crate) partner_code: Option<String>,
    /// The service code that is registered; default: SANDBOX_SIGN
    #[arg(long, value_name = "CODE")]
    pub(crate) service_code: Option<String>,
    /// A contract without the batch option: one digest at a time
    #[arg(long)]
    pub(crate) no_batch: bool,
    /// The sandbox's own user confirms at once
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// Who confirms
    #[arg(long, default_value = "ready")]
    pub(crate) user: String,
}

fn language(text: &str) -> Result<Language, String> {
    Language::from_tag(text).ok_or_else(|| "not one of EN, FR, NL, DE".to_owned())
}

fn description(text: &str) -> Result<(Language, String), String> {
    let (tag, text) = text.split_once('=').ok_or("not LANG=TEXT")?;
    Ok((language(tag)?, text.to_owned()))
}

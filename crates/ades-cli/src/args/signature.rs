//! The arguments about signatures, and their conversion to typed options.

use std::path::PathBuf;

use ades::parameters::{NO_TEXT, is_text};
use ades::signer::Language;
use ades::{
    Canonicalization, Certification, Digest, DigestAlgorithm, FieldLock, IdAttributes, Operation,
    PdfOptions, Position, ProductionPlace, SignatureAlgorithm, SignatureParameters, SignerLocation,
    SigningOptions, Target, TargetLevel, XmlOptions, parse,
};
use chrono::{DateTime, Utc};
use clap::ValueEnum;

use super::c14n::Method;
use super::stamp::StampArgs;
use super::{FetchArgs, RaiseArgs};
use crate::exit::Failure;
use crate::path_name::absolute;
use crate::request::{PolicySource, RaiseRequest, Request, Terms, described, stamp_file};
use crate::unlock::RecipientArgs;

/// The headings of the help.
const SIGNATURE: &str = "Signature";
const CLAIMS: &str = "Claims of the signer";
const TEXTS: &str = "Texts for the signer's screen";
const PDF: &str = "PDF only";
const XML: &str = "XML only";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Cades,
    Xades,
    Pades,
}

impl From<Format> for ades::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Cades => Self::Cades,
            Format::Xades => Self::Xades,
            Format::Pades => Self::Pades,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Packaging {
    Enveloped,
    /// The container holds the document; xades: as XML where possible, else as base64
    Enveloping,
    /// xades: the signature holds the document as base64
    EnvelopingBase64,
    Detached,
    /// xades: the signature covers elements of the document, by their Ids
    InternallyDetached,
}

impl From<Packaging> for ades::Packaging {
    fn from(packaging: Packaging) -> Self {
        match packaging {
            Packaging::Enveloped => Self::Enveloped,
            Packaging::Enveloping => Self::Enveloping,
            Packaging::EnvelopingBase64 => Self::EnvelopingBase64,
            Packaging::Detached => Self::Detached,
            Packaging::InternallyDetached => Self::InternallyDetached,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    B,
    T,
    Lt,
    Lta,
}

/// The arguments for signatures of all formats.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = SIGNATURE)]
pub(crate) struct SignatureArgs {
    /// The format; default: pades for a PDF, xades for XML, cades for any other file
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The place of the document in relation to the signature
    ///
    /// The default is detached for cades, and enveloped for xades; pades takes none.
    #[arg(long, value_enum)]
    packaging: Option<Packaging>,
    /// The baseline level; t, lt and lta are reached after signing, as ades extend does
    #[arg(long, value_enum, default_value = "b")]
    level: Level,
    #[command(flatten, next_help_heading = SIGNATURE)]
    stamps: RaiseArgs,
    /// Add a parallel signer to this container
    ///
    /// IN is the document of a detached container, or the container itself.
    #[arg(long, value_name = "CONTAINER", conflicts_with_all = ["counter_sign", "packaging"])]
    parallel: Option<PathBuf>,
    /// Countersign signature N of the container or XML document IN
    ///
    /// N counts from 0, as `ades inspect` numbers the signatures. N.M is countersignature M
    /// of signature N, and so on.
    #[arg(
        long,
        value_name = "N[.M…]",
        value_parser = signature_path,
        conflicts_with_all = ["packaging", "mime_type"]
    )]
    counter_sign: Option<SignaturePath>,
    /// The digest algorithm to sign with: sha256, sha384, sha512
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    digest: Option<DigestAlgorithm>,
    /// The signature algorithm: rsa-sha256, rsa-pss-sha256, ecdsa-sha384, ed25519, …
    #[arg(long, conflicts_with = "digest", value_parser = algorithm)]
    algorithm: Option<SignatureAlgorithm>,
    /// The document's media type
    #[arg(long, value_name = "TYPE", value_parser = media_type)]
    mime_type: Option<String>,
    #[command(flatten)]
    claims: ClaimArgs,
    #[command(flatten)]
    pub(crate) pdf: PdfArgs,
    #[command(flatten)]
    pub(crate) xml: XmlArgs,
    #[command(flatten)]
    texts: TextArgs,
}

/// The arguments about what the signer claims.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = CLAIMS)]
pub(crate) struct ClaimArgs {
    /// The claimed signing time, for example 2026-11-30T09:00:00Z; default: now
    ///
    /// The form is that of RFC 3339, with a time zone: 2026-11-30T10:00:00+01:00.
    #[arg(long, value_name = "TIME", value_parser = parse::time)]
    signing_time: Option<DateTime<Utc>>,
    /// The signature policy: an OID, a reference in itsme®'s discovery document, or a URL
    ///
    /// Only XAdES signatures name a policy by its URL.
    #[arg(long, value_name = "OID|REF|URL")]
    policy: Option<String>,
    /// The policy's document, to compute its digest
    #[arg(long, value_name = "FILE", conflicts_with = "policy_digest_from_discovery")]
    policy_document: Option<PathBuf>,
    /// The digest of the policy's document, as ALGORITHM:VALUE
    ///
    /// The value is base64 or hexadecimal digits. The algorithm is sha256, sha384 or sha512; sha1
    /// if the policy publishes no other digest.
    #[arg(
        long,
        value_name = "ALGORITHM:VALUE",
        value_parser = parse::policy_digest,
        conflicts_with_all = ["policy_document", "policy_digest_from_discovery"]
    )]
    policy_digest: Option<Digest>,
    /// Take the policy's digest from itsme®'s discovery document
    #[arg(long)]
    policy_digest_from_discovery: bool,
    /// The address of the policy's document, which the signature states
    #[arg(long, value_name = "URI", requires = "policy")]
    policy_uri: Option<String>,
    /// The commitment: an OID, a name or a reference
    ///
    /// The names are origin, receipt, delivery, sender, approval and creation. A reference is one
    /// in itsme®'s discovery document; itsme® shows a commitment only together with a policy.
    #[arg(long, value_name = "OID|REF")]
    commitment: Option<String>,
    /// A claimed role of the signer; may be repeated
    #[arg(long, value_name = "TEXT")]
    role: Vec<String>,
    /// The claimed country of signing
    #[arg(long, value_name = "TEXT")]
    country: Option<String>,
    /// The claimed place of signing
    #[arg(long, value_name = "TEXT")]
    locality: Option<String>,
}

/// The arguments about texts that the signer shows to the user.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = TEXTS)]
pub(crate) struct TextArgs {
    /// The user's language: EN, FR, NL or DE; also that of the time in a visible signature
    #[arg(long, value_parser = language)]
    lang: Option<Language>,
    /// A description of the document, as LANG=TEXT; may be repeated
    ///
    /// itsme® shows descriptions only in all four languages. A CAdES or XAdES signature has the
    /// one in the user's language.
    #[arg(long, value_name = "LANG=TEXT", value_parser = description)]
    description: Vec<(Language, String)>,
}

/// The place of a signature in the report.
// A `Vec` would be an argument with several values.
#[derive(Clone, Debug)]
pub(crate) struct SignaturePath(pub(crate) Vec<usize>);

pub(super) fn signature_path(text: &str) -> Result<SignaturePath, parse::ParseError> {
    parse::signature(text).map(SignaturePath)
}

/// The arguments for XML.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = XML)]
pub(crate) struct XmlArgs {
    /// The Id of an element to sign, with --packaging internally-detached; may be repeated
    #[arg(long, value_name = "ID")]
    element: Vec<String>,
    #[command(flatten)]
    place: PlaceArgs,
    /// Sign the document without any signatures in it, so that others can sign later
    #[arg(long)]
    allow_parallel: bool,
    /// The canonicalisation of the signed data
    #[arg(long, value_enum, default_value = "exclusive")]
    c14n: Method,
    /// The street address of the place that --locality names
    #[arg(long, value_name = "TEXT")]
    street_address: Option<String>,
    /// The state or province of that place
    #[arg(long, value_name = "TEXT")]
    state_or_province: Option<String>,
    /// The postal code of that place
    #[arg(long, value_name = "TEXT")]
    postal_code: Option<String>,
    /// The signed property that names the signing certificate
    ///
    /// v1 and both are for national formats that require the older property, such as Facturae. The
    /// signature is then not a baseline signature.
    #[arg(long, value_enum, default_value = "v2")]
    signing_certificate: SigningCertificate,
    /// Sign the signature's ds:KeyInfo, too
    #[arg(long)]
    sign_key_info: bool,
    /// Put the public key into ds:KeyInfo, in addition to the certificates
    #[arg(long)]
    key_value: bool,
    #[command(flatten)]
    reading: ReadingArgs,
}

/// The place of an XML signature.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = XML)]
#[group(multiple = false)]
pub(crate) struct PlaceArgs {
    /// Put the signature at the end of this element; default: of the root element
    ///
    /// The element is the one with this Id, or the n-th one with this name, counted from 1. Without
    /// a number, it is the first one with this name. It may be an element that --element signs.
    #[arg(long, value_name = "ID|{NAMESPACE}NAME[n]", value_parser = parse::first_element)]
    into: Option<Target>,
    /// Put the signature at the beginning of this element, which is named as for --into
    #[arg(long, value_name = "ID|{NAMESPACE}NAME[n]", value_parser = parse::first_element)]
    first_in: Option<Target>,
    /// Put the signature before this element, which is named as for --into
    #[arg(long, value_name = "ID|{NAMESPACE}NAME[n]", value_parser = parse::first_element)]
    before: Option<Target>,
    /// Put the signature after this element, which is named as for --into
    #[arg(long, value_name = "ID|{NAMESPACE}NAME[n]", value_parser = parse::first_element)]
    behind: Option<Target>,
}

impl PlaceArgs {
    fn into_position(self) -> Position {
        let Self { into, first_in, before, behind: after } = self;
        // At most one is given.
        into.map(Position::LastIn)
            .or(first_in.map(Position::FirstIn))
            .or(before.map(Position::Before))
            .or(after.map(Position::After))
            .unwrap_or_default()
    }
}

/// The property that names the signing certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SigningCertificate {
    /// The property of baseline signatures
    V2,
    /// The older property, with the issuer's name and the serial number
    V1,
    /// Both
    Both,
}

impl From<SigningCertificate> for ades::SigningCertificate {
    fn from(property: SigningCertificate) -> Self {
        match property {
            SigningCertificate::V2 => Self::V2,
            SigningCertificate::V1 => Self::V1,
            SigningCertificate::Both => Self::Both,
        }
    }
}

/// The arguments about reading XML.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = XML)]
pub(crate) struct ReadingArgs {
    /// Read a document that refers to an external DTD subset as if it did not
    ///
    /// Nothing is ever fetched.
    #[arg(long)]
    ignore_external_subset: bool,
    /// An attribute that is an Id, in addition to Id, ID, id and xml:id; may be repeated
    #[arg(long, value_name = "{NAMESPACE}NAME", value_parser = attribute)]
    id_attribute: Vec<(String, String)>,
}

/// The arguments for PDFs.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = PDF)]
pub(crate) struct PdfArgs {
    /// The reason for signing; not with --policy or --commitment
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["policy", "commitment"])]
    reason: Option<String>,
    /// The signer's name, if it differs from that in the certificate
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// The place of signing
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["country", "locality"])]
    location: Option<String>,
    /// A way to reach the signer
    #[arg(long, value_name = "TEXT")]
    contact: Option<String>,
    /// Sign the empty signature field with this name, or a new field if there is none
    ///
    /// Periods separate the levels of a name.
    #[arg(long, value_name = "NAME")]
    field: Option<String>,
    /// Certify the document; 1 allows no changes, 2 filling in forms, 3 annotations too
    #[arg(long, value_parser = parse::certification, value_name = "1|2|3")]
    certify: Option<Certification>,
    /// Lock fields: all, include:NAME,... or exclude:NAME,...
    #[arg(long, value_name = "FIELDS", value_parser = parse::lock)]
    lock: Option<FieldLock>,
    /// Sign a document with a broken cross-reference by appending a new one
    ///
    /// A document that is cut off, or lacks an object that a page needs, is rejected.
    #[arg(long)]
    repair: bool,
    /// The environment variable with the password of an encrypted document
    #[arg(long, value_name = "VAR")]
    pdf_password_env: Option<String>,
    #[command(flatten)]
    recipient: RecipientArgs,
    /// Sign an encrypted document even if only the owner's password permits that
    #[arg(long)]
    overrule_permissions: bool,
    #[command(flatten)]
    pub(crate) stamp: StampArgs,
}

impl SignatureArgs {
    /// Converts the arguments to typed options.
    ///
    /// # Errors
    /// A value or a combination that no format allows.
    pub(crate) fn into_request(self) -> Result<Request, Failure> {
        let operation = match (&self.parallel, &self.counter_sign) {
            (Some(_), _) => Operation::AddParallel,
            (None, Some(signature)) => Operation::Countersign { which: signature.0.clone() },
            (None, None) => Operation::Sign,
        };
        let policy_digest = match (&self.claims.policy_document, &self.claims.policy_digest) {
            (Some(document), _) => Some(PolicySource::Document(absolute(document))),
            (None, Some(digest)) => Some(PolicySource::Digest(digest.clone())),
            (None, None) => {
                self.claims.policy_digest_from_discovery.then_some(PolicySource::Discovery)
            }
        };
        let parameters = self.parameters();
        parameters.check()?;
        let stamp = self.pdf.stamp.sources()?;
        let pdf_password_env = self.pdf.pdf_password_env.clone();
        let mut recipient = self.pdf.recipient.clone();
        recipient.pdf_key = stamp_file("--pdf-key", recipient.pdf_key)?;
        let place = self.xml.place(self.claims.country, self.claims.locality)?;
        let mut options = SigningOptions::new(parameters).operation(operation);
        options.format = self.format.map(Into::into);
        options.packaging = self.packaging.map(Into::into);
        options.digest = self.digest;
        options.pdf = self.pdf.into_options(self.texts.lang);
        options.xml = self.xml.into_options(self.packaging, place)?;
        Ok(Request {
            options,
            signing_time: self.claims.signing_time,
            terms: Terms {
                policy: self.claims.policy,
                policy_digest,
                policy_uri: self.claims.policy_uri,
                commitment: self.claims.commitment,
            },
            container: self.parallel.as_deref().map(absolute),
            stamp_image: stamp.image,
            stamp_font: stamp.font,
            stamp_time_zone: stamp.time_zone,
            pdf_password_env,
            recipient,
            language: self.texts.lang,
            description: self.texts.description,
            raise: None,
        })
    }

    /// Whether the signatures are to be raised after signing.
    pub(crate) fn is_above_b(&self) -> bool {
        self.level != Level::B || !self.stamps.is_absent()
    }

    /// How the signatures are raised after signing.
    /// `trust` and `fetch` are arguments of signing alone.
    pub(crate) fn raise(
        &self,
        trust: &[PathBuf],
        fetch: &FetchArgs,
    ) -> Result<Option<RaiseRequest>, Failure> {
        let level = match self.level {
            Level::B if self.stamps.is_absent() && trust.is_empty() => return Ok(None),
            Level::B => {
                return Err(Failure::usage(
                    "--tsa, --tsa-policy, --fresh-revocation, --wait, --trust: for the levels after b: \
                     --level t, lt or lta",
                ));
            }
            Level::T => TargetLevel::T,
            Level::Lt => TargetLevel::Lt,
            Level::Lta => TargetLevel::Lta,
        };
        if self.counter_sign.is_some() {
            return Err(Failure::usage(
                "--level: a countersignature stays at level b; ades extend raises the signature \
                 around it, and with --signature N.M the countersignature itself",
            ));
        }
        let trust = trust.iter().map(|path| absolute(path)).collect();
        let (stamps, fetch) = (&self.stamps, fetch.to_rules());
        if stamps.is_fresh() && level < TargetLevel::Lt {
            return Err(Failure::usage(
                "--fresh-revocation, --wait: revocation data belong to the levels lt and lta",
            ));
        }
        Ok(Some(RaiseRequest {
            level,
            authorities: stamps.tsa.clone(),
            policy: stamps.tsa_policy,
            trust,
            fetch,
            is_fresh: stamps.is_fresh(),
            wait: stamps.wait.map(|wait| wait.as_secs()),
        }))
    }

    /// The parameters without policy and commitment, which the signer resolves.
    fn parameters(&self) -> SignatureParameters {
        let time = self.claims.signing_time.unwrap_or_else(|| std::time::SystemTime::now().into());
        let mut parameters = SignatureParameters::new(time);
        if let Some(algorithm) = self.algorithm {
            parameters = parameters.algorithm(algorithm);
        }
        for role in &self.claims.role {
            parameters = parameters.signer_role(role);
        }
        if self.claims.country.is_some() || self.claims.locality.is_some() {
            let mut location = SignerLocation::default();
            location.country.clone_from(&self.claims.country);
            location.locality.clone_from(&self.claims.locality);
            parameters = parameters.location(location);
        }
        if let Some(mime_type) = &self.mime_type {
            parameters = parameters.mime_type(mime_type);
        }
        described(parameters, &self.texts.description, self.texts.lang)
    }
}

impl PdfArgs {
    fn into_options(self, language: Option<Language>) -> PdfOptions {
        let mut options = PdfOptions::new();
        options.name = self.name;
        options.reason = self.reason;
        options.location = self.location;
        options.contact = self.contact;
        options.field = self.field;
        options.certification = self.certify;
        options.lock = self.lock;
        options.repair = self.repair;
        options.ignore_permissions = self.overrule_permissions;
        options.stamp = self.stamp.into_stamp(language);
        options
    }
}

impl XmlArgs {
    /// The claimed place, if it has a part that only XAdES has.
    fn place(
        &self,
        country: Option<String>,
        city: Option<String>,
    ) -> Result<Option<ProductionPlace>, Failure> {
        let parts = [
            ("--street-address", &self.street_address),
            ("--state-or-province", &self.state_or_province),
            ("--postal-code", &self.postal_code),
        ];
        for (name, text) in parts {
            if text.as_ref().is_some_and(|text| !is_text(text)) {
                return Err(Failure::usage(format!("{name}: {NO_TEXT}")));
            }
        }
        if parts.iter().all(|(_, text)| text.is_none()) {
            return Ok(None);
        }
        Ok(Some(ProductionPlace {
            city,
            street_address: self.street_address.clone(),
            state_or_province: self.state_or_province.clone(),
            postal_code: self.postal_code.clone(),
            country,
        }))
    }

    fn into_options(
        self,
        packaging: Option<Packaging>,
        place: Option<ProductionPlace>,
    ) -> Result<XmlOptions, Failure> {
        if (packaging == Some(Packaging::InternallyDetached)) == self.element.is_empty() {
            return Err(Failure::usage(
                "--element and --packaging internally-detached belong together",
            ));
        }
        let mut options = XmlOptions::new();
        options.reading = self.reading.into_options();
        options.elements = self.element;
        options.position = self.place.into_position();
        options.canonicalization = Canonicalization::from(self.c14n);
        options.allow_parallel = self.allow_parallel;
        options.production_place = place;
        options.signing_certificate = self.signing_certificate.into();
        options.sign_key_info = self.sign_key_info;
        options.key_value = self.key_value;
        Ok(options)
    }
}

impl ReadingArgs {
    pub(crate) fn into_options(self) -> ades::ReadingOptions {
        let ids = self
            .id_attribute
            .iter()
            .fold(IdAttributes::default(), |ids, (namespace, name)| ids.and(namespace, name));
        let options = ades::ReadingOptions::new().ids(ids);
        if self.ignore_external_subset { options.ignore_external_subset() } else { options }
    }
}

fn language(text: &str) -> Result<Language, String> {
    Language::from_tag(text).ok_or_else(|| "not one of EN, FR, NL, DE".to_owned())
}

fn description(text: &str) -> Result<(Language, String), String> {
    let (tag, text) = text.split_once('=').ok_or("not LANG=TEXT")?;
    Ok((language(tag)?, text.to_owned()))
}

fn attribute(text: &str) -> Result<(String, String), parse::ParseError> {
    parse::attribute(text).map(|(namespace, name)| (namespace.to_owned(), name.to_owned()))
}

fn digest(text: &str) -> Result<DigestAlgorithm, String> {
    text.parse().map_err(|_| one_of(&DigestAlgorithm::ALL))
}

fn algorithm(text: &str) -> Result<SignatureAlgorithm, String> {
    text.parse().map_err(|_| one_of(&SignatureAlgorithm::ALL))
}

fn one_of(names: &[impl ToString]) -> String {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    format!("not one of {}", names.join(", "))
}

fn media_type(text: &str) -> Result<String, String> {
    let parameters = SignatureParameters::new(std::time::SystemTime::UNIX_EPOCH).mime_type(text);
    let checked = parameters.check().map(|()| text.to_owned());
    checked.map_err(|error| format!("{error}; text/plain is one"))
}

//! The arguments about signatures, and their conversion to typed options.

use std::path::PathBuf;

use ades::parameters::{NO_TEXT, is_text};
use ades::signer::Language;
use ades::{
    Canonicalization, Certification, DigestAlgorithm, FieldLock, IdAttributes, Operation,
    PdfOptions, Position, ProductionPlace, SignatureAlgorithm, SignatureParameters, SignerLocation,
    SigningOptions, Stamp, StampPosition, Target, XmlOptions, parse,
};
use chrono::{DateTime, Utc};
use clap::ValueEnum;

use super::Method;
use crate::exit::Failure;
use crate::path_name::absolute;
use crate::request::{PolicySource, Request, Terms, described, stamp_file};

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
pub(crate) struct SignatureArgs {
    /// The format; default: pades for a PDF, xades for XML, cades for any other file
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The place of the document in relation to the signature; default: detached for cades,
    /// enveloped for xades
    #[arg(long, value_enum)]
    packaging: Option<Packaging>,
    /// The baseline level
    #[arg(long, value_enum, default_value = "b")]
    level: Level,
    /// The time-stamping service for levels from t on: not yet
    #[arg(long, value_name = "URL", hide = true)]
    tsa: Option<String>,
    /// Add a parallel signer to this container; IN is the document of a detached container, or
    /// the container itself
    #[arg(long, value_name = "CONTAINER", conflicts_with_all = ["counter_sign", "packaging"])]
    parallel: Option<PathBuf>,
    /// Countersign signer N (from 0, as `ades inspect` numbers them) of the container or XML
    /// document IN
    #[arg(long, value_name = "N", conflicts_with_all = ["packaging", "mime_type"])]
    counter_sign: Option<usize>,
    /// The digest algorithm to sign with: sha256, sha384, sha512
    #[arg(long)]
    digest: Option<DigestAlgorithm>,
    /// The signature algorithm: rsa-sha256, rsa-pss-sha256, ecdsa-sha384, ed25519, …
    #[arg(long, conflicts_with = "digest")]
    algorithm: Option<SignatureAlgorithm>,
    /// The claimed signing time (RFC 3339); default: now
    #[arg(long, value_name = "TIME")]
    signing_time: Option<DateTime<Utc>>,
    /// The signature policy: an OID, or a reference in itsme®'s discovery document
    #[arg(long, value_name = "OID|REF")]
    policy: Option<String>,
    /// The policy's document, to compute its digest
    #[arg(long, value_name = "FILE", conflicts_with = "policy_digest_from_discovery")]
    policy_document: Option<PathBuf>,
    /// Take the policy's digest from itsme®'s discovery document
    #[arg(long)]
    policy_digest_from_discovery: bool,
    /// The address of the policy's document, which the signature states
    #[arg(long, value_name = "URI", requires = "policy")]
    policy_uri: Option<String>,
    /// The commitment: an OID, a reference in itsme®'s discovery document, or origin, receipt,
    /// delivery, sender, approval or creation. itsme® shows it only together with a policy
    #[arg(long, value_name = "OID|REF")]
    commitment: Option<String>,
    /// A claimed role of the signer; may be repeated
    #[arg(long, value_name = "TEXT")]
    role: Vec<String>,
    /// The claimed country of signing
    #[arg(long)]
    country: Option<String>,
    /// The claimed place of signing
    #[arg(long)]
    locality: Option<String>,
    /// The document's media type
    #[arg(long)]
    mime_type: Option<String>,
    #[command(flatten)]
    pub(crate) pdf: PdfArgs,
    #[command(flatten)]
    xml: XmlArgs,
    /// The user's language: EN, FR, NL or DE
    #[arg(long, value_parser = language)]
    lang: Option<Language>,
    /// A description of the document, as LANG=TEXT; may be repeated. itsme® shows descriptions
    /// only in all four languages; the signature has the one in the user's language
    #[arg(long, value_name = "LANG=TEXT", value_parser = description)]
    description: Vec<(Language, String)>,
}

/// The arguments for XML.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct XmlArgs {
    /// XML only: the Id of an element to sign, with --packaging internally-detached; may be
    /// repeated
    #[arg(long, value_name = "ID")]
    element: Vec<String>,
    /// XML only: put the signature at the end of the element with this Id, or of the first
    /// element with this name; default: of the root element
    #[arg(long, value_name = "ID|{NAMESPACE}NAME", value_parser = parse::first_element)]
    into: Option<Target>,
    /// XML only: put the signature after the element with this Id, or after the first element
    /// with this name
    #[arg(
        long,
        value_name = "ID|{NAMESPACE}NAME",
        value_parser = parse::first_element,
        conflicts_with = "into"
    )]
    behind: Option<Target>,
    /// XML only: sign the document without any signatures in it, so that others can sign later
    #[arg(long)]
    allow_parallel: bool,
    /// XML only: the canonicalisation of the signed data
    #[arg(long, value_enum, default_value = "exclusive")]
    c14n: Method,
    /// XML only: the street address of the place that --locality names
    #[arg(long, value_name = "TEXT")]
    street_address: Option<String>,
    /// XML only: the state or province of that place
    #[arg(long, value_name = "TEXT")]
    state_or_province: Option<String>,
    /// XML only: the postal code of that place
    #[arg(long, value_name = "TEXT")]
    postal_code: Option<String>,
    #[command(flatten)]
    reading: ReadingArgs,
}

/// The arguments about reading XML.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct ReadingArgs {
    /// XML only: read a document that refers to an external DTD subset as if it did not; nothing
    /// is ever fetched
    #[arg(long)]
    ignore_external_subset: bool,
    /// XML only: an attribute that is an Id, in addition to Id, ID, id and xml:id; may be
    /// repeated
    #[arg(long, value_name = "{NAMESPACE}NAME", value_parser = attribute)]
    id_attribute: Vec<(String, String)>,
}

/// The arguments for PDFs.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct PdfArgs {
    /// PDF only: the reason for signing; not with --policy or --commitment
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["policy", "commitment"])]
    reason: Option<String>,
    /// PDF only: the signer's name, if it differs from that in the certificate
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// PDF only: the place of signing
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["country", "locality"])]
    location: Option<String>,
    /// PDF only: a way to reach the signer
    #[arg(long, value_name = "TEXT")]
    contact: Option<String>,
    /// PDF only: sign the empty signature field with this name, or a new field if there is none;
    /// periods separate the levels of a name
    #[arg(long, value_name = "NAME")]
    field: Option<String>,
    /// PDF only: certify the document; 1 allows no changes, 2 filling in forms, 3 annotations
    /// too
    #[arg(long, value_parser = parse::certification, value_name = "1|2|3")]
    certify: Option<Certification>,
    /// PDF only: lock fields: all, include:NAME,... or exclude:NAME,...
    #[arg(long, value_name = "FIELDS", value_parser = parse::lock)]
    lock: Option<FieldLock>,
    #[command(flatten)]
    pub(crate) stamp: StampArgs,
    /// PDF only: sign a document with a broken cross-reference by appending a new one
    #[arg(long)]
    repair: bool,
    /// PDF only: the environment variable with the password of an encrypted document
    #[arg(long, value_name = "VAR")]
    pdf_password_env: Option<String>,
    /// PDF only: sign an encrypted document even if its permissions allow that only with the
    /// owner's password
    #[arg(long)]
    overrule_permissions: bool,
}

/// The arguments about the appearance of a signature in a PDF.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct StampArgs {
    /// PDF only: make the signature visible: at PAGE:X,Y,WIDTH,HEIGHT in points from the lower
    /// left corner of the displayed page, or field for the rectangle of the field in --field
    #[arg(long, value_name = "PAGE:X,Y,W,H|field", value_parser = parse::stamp_position)]
    visible: Option<StampPosition>,
    /// The text of the visible signature, with {name}, {time}, {reason} and {location}; \n begins
    /// a line; a line with a missing value is left out; default: all four
    #[arg(long, value_name = "TEXT", requires = "visible")]
    stamp_text: Option<String>,
    /// The image of the visible signature: PNG, or JPEG in grey or RGB; at most 2 MiB in the
    /// document
    #[arg(long, value_name = "FILE", requires = "visible")]
    stamp_image: Option<PathBuf>,
    /// The font of that text, with TrueType or CFF outlines (.ttf, .otf, .ttc); default: DejaVu
    /// Sans
    #[arg(long, value_name = "FILE", requires = "visible")]
    stamp_font: Option<PathBuf>,
    /// PDF only: write a PNG of the page as it will look, before anything is signed; needs
    /// poppler's pdftoppm, and qpdf for a document with a password
    #[arg(long, value_name = "FILE", requires = "visible")]
    pub(crate) preview: Option<PathBuf>,
}

impl SignatureArgs {
    /// Converts the arguments to typed options.
    ///
    /// # Errors
    /// A value or a combination that no format allows.
    pub(crate) fn into_request(self) -> Result<Request, Failure> {
        if self.level != Level::B {
            return Err(Failure::usage(
                "--level: this version makes level b only, not yet t, lt or lta",
            ));
        }
        if self.tsa.is_some() {
            return Err(Failure::usage(
                "--tsa: this version does not make levels t, lt and lta, not yet",
            ));
        }
        let operation = match (&self.parallel, self.counter_sign) {
            (Some(_), _) => Operation::AddParallel,
            (None, Some(signer)) => Operation::Countersign { which: vec![signer] },
            (None, None) => Operation::Sign,
        };
        let policy_digest = match &self.policy_document {
            Some(document) => Some(PolicySource::Document(absolute(document))),
            None => self.policy_digest_from_discovery.then_some(PolicySource::Discovery),
        };
        let parameters = self.parameters();
        parameters.check()?;
        let stamp_image = stamp_file("--stamp-image", self.pdf.stamp.stamp_image.clone())?;
        let stamp_font = stamp_file("--stamp-font", self.pdf.stamp.stamp_font.clone())?;
        let pdf_password_env = self.pdf.pdf_password_env.clone();
        let place = self.xml.place(self.country, self.locality)?;
        let mut options = SigningOptions::new(parameters).operation(operation);
        options.format = self.format.map(Into::into);
        options.packaging = self.packaging.map(Into::into);
        options.digest = self.digest;
        options.pdf = self.pdf.into_options();
        options.xml = self.xml.into_options(self.packaging, place)?;
        Ok(Request {
            options,
            signing_time: self.signing_time,
            terms: Terms {
                policy: self.policy,
                policy_digest,
                policy_uri: self.policy_uri,
                commitment: self.commitment,
            },
            container: self.parallel.as_deref().map(absolute),
            stamp_image,
            stamp_font,
            pdf_password_env,
            language: self.lang,
            description: self.description,
        })
    }

    /// The parameters without policy and commitment, which the signer resolves.
    fn parameters(&self) -> SignatureParameters {
        let time = self.signing_time.unwrap_or_else(|| std::time::SystemTime::now().into());
        let mut parameters = SignatureParameters::new(time);
        if let Some(algorithm) = self.algorithm {
            parameters = parameters.algorithm(algorithm);
        }
        for role in &self.role {
            parameters = parameters.signer_role(role);
        }
        if self.country.is_some() || self.locality.is_some() {
            let mut location = SignerLocation::default();
            location.country.clone_from(&self.country);
            location.locality.clone_from(&self.locality);
            parameters = parameters.location(location);
        }
        if let Some(mime_type) = &self.mime_type {
            parameters = parameters.mime_type(mime_type);
        }
        described(parameters, &self.description, self.lang)
    }
}

impl PdfArgs {
    fn into_options(self) -> PdfOptions {
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
        options.stamp = self.stamp.visible.map(|position| {
            let stamp = Stamp::new(position);
            match self.stamp.stamp_text {
                // `\n` is the easiest way to write several lines in a shell's argument.
                Some(text) => stamp.text(text.replace("\\n", "\n")),
                None => stamp,
            }
        });
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
        options.position = match (self.into, self.behind) {
            (Some(element), _) => Position::LastIn(element),
            (None, Some(element)) => Position::After(element),
            (None, None) => Position::LastInRoot,
        };
        options.canonicalization = Canonicalization::from(self.c14n);
        options.allow_parallel = self.allow_parallel;
        options.production_place = place;
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

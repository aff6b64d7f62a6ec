//! The layout of jobs in version 1, which stored the options in the command line's textual
//! forms.

use std::path::PathBuf;

use ades::signer::Language;
use ades::{
    Canonicalization, DigestAlgorithm, IdAttributes, Operation, Packaging, PdfOptions, Position,
    ProductionPlace, ReadingOptions, Rectangle, SignatureAlgorithm, SignatureParameters,
    SignaturePolicy, SignerLocation, SigningOptions, Stamp, StampPosition, XmlOptions, parse,
};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::SignerChoice;
use super::version_2::Stage;
use super::version_3::{self, JobItem};
use crate::request::{PolicySource, Request, ResolvedTerms, Terms, described};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Job {
    signer: SignerChoice,
    wishes: Wishes,
    policy: Option<SignaturePolicy>,
    force: bool,
    items: Vec<JobItem>,
    done: usize,
    stage: Stage,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wishes {
    shape: Shape,
    digest: Option<DigestAlgorithm>,
    algorithm: Option<SignatureAlgorithm>,
    signing_time: Option<DateTime<Utc>>,
    policy: Option<String>,
    policy_digest: Option<PolicySource>,
    #[serde(default)]
    policy_uri: Option<String>,
    /// Resolved by the signer, except in the first stage
    commitment: Option<String>,
    roles: Vec<String>,
    location: Option<SignerLocation>,
    mime_type: Option<String>,
    pdf: Pdf,
    xml: Xml,
    language: Option<Language>,
    description: Vec<(Language, String)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Shape {
    /// A new signature, with the packaging of CAdES, which [`Xml::packaging`] repeats
    New(New),
    Parallel(PathBuf),
    Countersignature(usize),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum New {
    Detached,
    Enveloping,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pdf {
    #[serde(default)]
    name: Option<String>,
    reason: Option<String>,
    location: Option<String>,
    contact: Option<String>,
    field: Option<String>,
    certify: Option<u8>,
    lock: Option<String>,
    stamp: Option<VisibleSignature>,
    repair: bool,
    password_env: Option<String>,
    #[serde(default)]
    overrule_permissions: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VisibleSignature {
    spot: Spot,
    text: Option<String>,
    image: Option<PathBuf>,
    font: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Spot {
    Field,
    /// In thousandths of a point
    Page(usize, [u32; 4]),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Xml {
    packaging: Option<Packaging>,
    elements: Vec<String>,
    into: Option<String>,
    #[serde(default)]
    behind: Option<String>,
    allow_parallel: bool,
    method: Method,
    #[serde(default)]
    address: Address,
    #[serde(default)]
    reading: Reading,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Method {
    C14n10,
    C14n11,
    Exclusive,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Address {
    street_address: Option<String>,
    state_or_province: Option<String>,
    postal_code: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reading {
    ignore_external_subset: bool,
    id_attributes: Vec<String>,
}

impl Job {
    /// The job in the layout of version 3; `None` if a text in it does not parse.
    pub(super) fn into_version_3(self) -> Option<version_3::Job> {
        let commitment = match (&self.stage, &self.wishes.commitment) {
            // Not resolved yet.
            (Stage::Start, _) | (_, None) => None,
            (_, Some(commitment)) => Some(commitment.parse().ok()?),
        };
        Some(version_3::Job {
            signer: self.signer,
            request: self.wishes.into_request()?,
            terms: ResolvedTerms { policy: self.policy, commitment },
            force: self.force,
            items: self.items,
            done: self.done,
            stage: self.stage.into(),
            since: None,
        })
    }
}

impl Wishes {
    fn into_request(self) -> Option<Request> {
        let (operation, container) = match self.shape {
            Shape::New(New::Detached | New::Enveloping) => (Operation::Sign, None),
            Shape::Parallel(container) => (Operation::AddParallel, Some(container)),
            Shape::Countersignature(signer) => {
                (Operation::Countersign { which: vec![signer] }, None)
            }
        };
        let mut parameters = SignatureParameters::new(self.signing_time.unwrap_or_default());
        if let Some(algorithm) = self.algorithm {
            parameters = parameters.algorithm(algorithm);
        }
        for role in self.roles {
            parameters = parameters.signer_role(role);
        }
        let location = self.location.clone().unwrap_or_default();
        if let Some(location) = self.location {
            parameters = parameters.location(location);
        }
        if let Some(mime_type) = self.mime_type {
            parameters = parameters.mime_type(mime_type);
        }
        parameters = described(parameters, &self.description, self.language);
        let mut options = SigningOptions::new(parameters).operation(operation);
        options.packaging = self.xml.packaging;
        options.digest = self.digest;
        let (stamp_image, stamp_font) = match &self.pdf.stamp {
            Some(stamp) => (stamp.image.clone(), stamp.font.clone()),
            None => (None, None),
        };
        let pdf_password_env = self.pdf.password_env.clone();
        options.pdf = self.pdf.into_options()?;
        options.xml = self.xml.into_options(location)?;
        Some(Request {
            options,
            signing_time: self.signing_time,
            terms: Terms {
                policy: self.policy,
                policy_digest: self.policy_digest,
                policy_uri: self.policy_uri,
                commitment: self.commitment,
            },
            container,
            stamp_image,
            stamp_font,
            stamp_time_zone: None,
            pdf_password_env,
            recipient: crate::unlock::RecipientArgs::default(),
            language: self.language,
            description: self.description,
            raise: None,
        })
    }
}

impl Pdf {
    fn into_options(self) -> Option<PdfOptions> {
        let mut options = PdfOptions::new();
        options.name = self.name;
        options.reason = self.reason;
        options.location = self.location;
        options.contact = self.contact;
        options.field = self.field;
        options.repair = self.repair;
        options.ignore_permissions = self.overrule_permissions;
        if let Some(level) = self.certify {
            options = options.certify(parse::certification(&level.to_string()).ok()?);
        }
        if let Some(lock) = self.lock {
            options = options.lock(parse::lock(&lock).ok()?);
        }
        if let Some(VisibleSignature { spot, text, .. }) = self.stamp {
            let mut stamp = Stamp::new(match spot {
                Spot::Field => StampPosition::Field,
                Spot::Page(page, thousandths) => {
                    let [left, bottom, width, height] =
                        thousandths.map(|length| f64::from(length) / 1000.0);
                    let rectangle = Rectangle::new(left, bottom, width, height);
                    StampPosition::Page { page, rectangle }
                }
            });
            stamp.text = text;
            options = options.stamp(stamp);
        }
        Some(options)
    }
}

impl Xml {
    fn into_options(self, location: SignerLocation) -> Option<XmlOptions> {
        let mut options = XmlOptions::new();
        options.elements = self.elements;
        options.position = match (self.into, self.behind) {
            (Some(element), _) => Position::LastIn(parse::first_element(&element).ok()?),
            (None, Some(element)) => Position::After(parse::first_element(&element).ok()?),
            (None, None) => Position::LastInRoot,
        };
        options.canonicalization = match self.method {
            Method::C14n10 => Canonicalization::C14N_1_0,
            Method::C14n11 => Canonicalization::C14N_1_1,
            Method::Exclusive => Canonicalization::EXCLUSIVE,
        };
        options.allow_parallel = self.allow_parallel;
        let Address { street_address, state_or_province, postal_code } = self.address;
        if [&street_address, &state_or_province, &postal_code].iter().any(|it| it.is_some()) {
            options.production_place = Some(ProductionPlace {
                city: location.locality,
                street_address,
                state_or_province,
                postal_code,
                country: location.country,
            });
        }
        let mut ids = IdAttributes::default();
        for attribute in &self.reading.id_attributes {
            let (namespace, name) = parse::attribute(attribute).ok()?;
            ids = ids.and(namespace, name);
        }
        options.reading = ReadingOptions::new().ids(ids);
        options.reading.ignore_external_subset = self.reading.ignore_external_subset;
        Some(options)
    }
}

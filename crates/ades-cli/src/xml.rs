//! What is wanted of signatures in and about XML, and how it is asked of the
//! format.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use ades_core::parameters::{NO_TEXT, is_text};
use ades_core::{CertificateChain, Document, SignatureParameters};
use serde::{Deserialize, Serialize};
use xades::c14n::{Canonicalization, IdAttributes, Target};
use xades::xml::Reader;
use xades::{
    DetachedDocument, PendingSignature, Position, ProductionPlace, SignatureOptions,
    prepare_countersignature, prepare_detached,
};

use crate::args::{Method, Packaging, ReadingOptions, XmlOptions};
use crate::exit::Failure;
use crate::input::{self, Kind};
use crate::options::Shape;

/// What a signature in XML is to be like, beside what all say.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct XmlWishes {
    packaging: Option<Packaging>,
    elements: Vec<String>,
    into: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    behind: Option<String>,
    allow_parallel: bool,
    method: Method,
    #[serde(default, skip_serializing_if = "Address::is_empty")]
    address: Address,
    #[serde(default, skip_serializing_if = "Reading::is_usual")]
    pub(crate) reading: Reading,
}

/// What only XAdES says of the place where it is signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Address {
    street_address: Option<String>,
    state_or_province: Option<String>,
    postal_code: Option<String>,
}

impl Address {
    fn new(options: &XmlOptions) -> Result<Self, Failure> {
        let text = |name: &str, text: &Option<String>| match text {
            Some(text) if !is_text(text) => Err(Failure::usage(format!("{name}: {NO_TEXT}"))),
            text => Ok(text.clone()),
        };
        Ok(Self {
            street_address: text("--street-address", &options.street_address)?,
            state_or_province: text("--state-or-province", &options.state_or_province)?,
            postal_code: text("--postal-code", &options.postal_code)?,
        })
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Options that have it, beside what the parameters say of the place.
    fn add_to(&self, options: SignatureOptions, said: &SignatureParameters) -> SignatureOptions {
        if self.is_empty() {
            return options;
        }
        let place = said.signer_location().map(ProductionPlace::from).unwrap_or_default();
        options.production_place(ProductionPlace {
            street_address: self.street_address.clone(),
            state_or_province: self.state_or_province.clone(),
            postal_code: self.postal_code.clone(),
            ..place
        })
    }
}

/// How XML is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reading {
    pub(crate) ignore_external_subset: bool,
    /// As they were asked for.
    id_attributes: Vec<String>,
}

impl Reading {
    pub(crate) fn new(options: &ReadingOptions) -> Result<Self, Failure> {
        let reading = Self {
            ignore_external_subset: options.ignore_external_subset,
            id_attributes: options.id_attribute.clone(),
        };
        reading.ids().map(|_| reading)
    }

    /// As a document was read whose signature is pending.
    pub(crate) fn of(pending: &PendingSignature) -> Self {
        let name = |(namespace, local_name): (_, _)| format!("{{{namespace}}}{local_name}");
        Self {
            ignore_external_subset: pending.ignores_external_subset(),
            id_attributes: pending.ids().names().map(name).collect(),
        }
    }

    pub(crate) fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// Which attributes are Ids.
    pub(crate) fn ids(&self) -> Result<IdAttributes, Failure> {
        self.id_attributes.iter().try_fold(IdAttributes::default(), |ids, text| {
            let (namespace, local_name) = match text.strip_prefix('{') {
                None => Some(("", text.as_str())),
                Some(rest) => rest.split_once('}'),
            }
            .filter(|(_, local_name)| {
                !local_name.is_empty() && !local_name.contains(['{', '}', ':'])
            })
            .ok_or_else(|| {
                Failure::usage(format!(
                    "--id-attribute {text}: an attribute's name is {{NAMESPACE}}NAME, or NAME"
                ))
            })?;
            Ok(ids.and(namespace, local_name))
        })
    }

    pub(crate) fn reader<'a>(&self, octets: impl Read + 'a) -> Result<Reader<'a>, xades::Error> {
        let reader = Reader::from_read(octets)?;
        Ok(if self.ignore_external_subset { reader.ignoring_external_subset() } else { reader })
    }

    /// How signatures are made in what is read so.
    fn options(&self) -> Result<SignatureOptions, Failure> {
        let options = SignatureOptions::new().ids(self.ids()?);
        Ok(if self.ignore_external_subset { options.ignoring_external_subset() } else { options })
    }
}

impl XmlWishes {
    pub(crate) fn new(packaging: Option<Packaging>, options: XmlOptions) -> Result<Self, Failure> {
        let beside = packaging == Some(Packaging::InternallyDetached);
        if beside == options.element.is_empty() {
            return Err(Failure::usage(
                "--element and --packaging internally-detached belong together",
            ));
        }
        Ok(Self {
            reading: Reading::new(&options.reading)?,
            address: Address::new(&options)?,
            packaging,
            elements: options.element,
            into: options.into,
            behind: options.behind,
            allow_parallel: options.allow_parallel,
            method: options.c14n,
        })
    }

    /// Whether the signature becomes part of the document.
    pub(crate) const fn keeps_the_document(&self) -> bool {
        matches!(self.packaging, None | Some(Packaging::Enveloped | Packaging::InternallyDetached))
    }

    /// Whether a file can be signed so. One that does not look like XML may be so
    /// all the same: that is for the reader to say.
    pub(crate) fn check(&self, input: &Path, found: Kind, file: &mut File) -> Result<(), Failure> {
        let fail =
            |message: &str| Err(Failure::usage(format!("{}: {message}", input::name(input))));
        if self.keeps_the_document()
            && found != Kind::Xml
            && let Err(why) = read_through(file, &self.reading)
        {
            return fail(&format!(
                "is no XML: --packaging enveloping or detached signs any file as xades ({why})"
            ));
        }
        if self.packaging == Some(Packaging::Detached) && input::is_standard(input) {
            return fail("has no name for a detached signature to call it by");
        }
        Ok(())
    }

    /// Whether a document can be signed as is wished, before anybody is asked
    /// about it.
    pub(crate) fn check_document(
        &self,
        shape: &Shape,
        document: &mut Document<'_>,
        parameters: &SignatureParameters,
    ) -> Result<(), Failure> {
        if let Shape::Countersignature(signer) = shape {
            let options = self.reading.options()?;
            xades::check_countersignature(document, &[*signer], parameters, &options)?;
            return Ok(());
        }
        if !self.keeps_the_document() {
            // These take anything.
            return Ok(());
        }
        let options = self.options()?;
        let packaging = match self.packaging {
            Some(Packaging::InternallyDetached) => self.of_elements(),
            _ => xades::Packaging::Enveloped,
        };
        xades::check(document, parameters, &options.packaging(packaging))?;
        Ok(())
    }

    fn of_elements(&self) -> xades::Packaging {
        xades::Packaging::InternallyDetached(self.elements.clone())
    }

    /// What is signed, and what the user should know of it.
    pub(crate) fn prepare(
        &self,
        shape: &Shape,
        input: &Path,
        document: &mut Document<'_>,
        chain: &CertificateChain,
        parameters: &SignatureParameters,
    ) -> Result<(PendingSignature, Option<&'static str>), Failure> {
        let placed = |options| self.address.add_to(options, parameters);
        if let Shape::Countersignature(signer) = shape {
            let options = placed(self.reading.options()?);
            let which = [*signer];
            let pending = prepare_countersignature(document, &which, chain, parameters, &options)?;
            return Ok((pending, None));
        }
        let media_type = media_type(document)?;
        if self.packaging == Some(Packaging::Detached) {
            let mime_type = parameters.document_mime_type().unwrap_or(media_type).to_owned();
            let document = Document::seekable(document.random_access()?);
            let mut documents = [DetachedDocument::new(uri(input), mime_type, document)];
            let pending = prepare_detached(
                &mut documents,
                chain,
                parameters,
                &placed(SignatureOptions::new()),
            )?;
            return Ok((pending, None));
        }
        let options = placed(self.options()?);
        let mut made = |packaging, parameters: &SignatureParameters| {
            let options = options.clone().packaging(packaging);
            xades::prepare(document, chain, parameters, &options)
        };
        let as_base64 = match parameters.document_mime_type() {
            Some(_) => parameters.clone(),
            None => parameters.clone().mime_type(media_type),
        };
        let pending = match self.packaging {
            Some(Packaging::InternallyDetached) => made(self.of_elements(), parameters),
            Some(Packaging::EnvelopingBase64) => {
                made(xades::Packaging::EnvelopingBase64, &as_base64)
            }
            Some(Packaging::Enveloping) => {
                let other = match made(xades::Packaging::EnvelopingXml, parameters) {
                    Err(error) => not_as_xml(&error),
                    made => return Ok((made?, None)),
                };
                let pending = made(xades::Packaging::EnvelopingBase64, &as_base64)?;
                return Ok((pending, other));
            }
            _ => made(xades::Packaging::Enveloped, parameters),
        };
        Ok((pending?, None))
    }

    fn options(&self) -> Result<SignatureOptions, Failure> {
        let position = match (&self.into, &self.behind) {
            (Some(text), _) => Position::LastIn(target(text, Some(0))?),
            (None, Some(text)) => Position::After(target(text, Some(0))?),
            (None, None) => Position::LastInRoot,
        };
        let options = self.reading.options()?;
        let options = options.position(position).canonicalization(method(self.method));
        Ok(if self.allow_parallel { options.parallel() } else { options })
    }
}

/// What a document is that nobody says more about.
fn media_type(document: &mut Document<'_>) -> Result<&'static str, Failure> {
    let kind = input::kind(document.random_access()?).map_err(ades_core::Error::Read)?;
    Ok(match kind {
        Kind::Pdf => "application/pdf",
        Kind::Xml => "application/xml",
        Kind::Html | Kind::Other => "application/octet-stream",
    })
}

/// Why a document that is XML goes into its signature as base64; one that is none
/// needs no reason.
const fn not_as_xml(error: &xades::Error) -> Option<&'static str> {
    match error {
        xades::Error::CannotInsert { .. } => {
            Some("its DTD, or signatures of its own, cannot be in another document: kept as base64")
        }
        xades::Error::External { .. } => {
            Some("it has a DTD that is not in the document: kept as base64")
        }
        _ => None,
    }
}

/// Whether a file is well-formed XML; rewinds it.
fn read_through(file: &mut File, reading: &Reading) -> Result<(), xades::Error> {
    let mut reader = reading.reader(&mut *file)?;
    while reader.next_event()?.is_some() {}
    drop(reader);
    file.rewind().map_err(|e| xades::Error::Core(ades_core::Error::Read(e)))
}

/// An element by its Id, or by its name as `{namespace}name`; of those, the
/// `nth`, or all.
pub(crate) fn target(text: &str, nth: Option<usize>) -> Result<Target, Failure> {
    let Some(rest) = text.strip_prefix('{') else { return Ok(Target::Id(text.to_owned())) };
    let (namespace, local_name) = rest
        .split_once('}')
        .ok_or_else(|| Failure::usage(format!("{text}: an element's name is {{NAMESPACE}}NAME")))?;
    Ok(Target::Named { namespace: namespace.into(), local_name: local_name.into(), nth })
}

pub(crate) const fn method(method: Method) -> Canonicalization {
    match method {
        Method::C14n10 => Canonicalization::C14N_1_0,
        Method::C14n11 => Canonicalization::C14N_1_1,
        Method::Exclusive => Canonicalization::EXCLUSIVE,
    }
}

/// The file's name as a relative reference (RFC 3986, 4.2).
fn uri(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let mut uri = String::new();
    for octet in name.unwrap_or_default().bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            uri.push(char::from(octet));
        } else {
            uri.push_str(&format!("%{octet:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_it_is_read_is_stored_with_the_job() {
        let usual = r#"{"packaging":null,"elements":[],"into":null,"allow_parallel":false,"method":"exclusive"}"#;
        let reading =
            r#","reading":{"ignore_external_subset":true,"id_attributes":["{urn:a}Id"]}}"#;
        for text in [usual.to_owned(), usual.replace('}', reading)] {
            let wishes: XmlWishes = serde_json::from_str(&text).unwrap();
            assert_eq!(wishes.reading.is_usual(), text == usual);
            assert_eq!(serde_json::to_string(&wishes).unwrap(), text);
            assert!(wishes.reading.ids().is_ok());
        }
    }

    #[test]
    fn a_name_becomes_a_reference() {
        assert_eq!(uri(Path::new("dir/a b:é#.xml")), "a%20b%3A%C3%A9%23.xml");
    }
}

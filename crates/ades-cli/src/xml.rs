//! What is wanted of signatures in and about XML, and how it is asked of the
//! format.

use std::path::Path;

use ades_core::{CertificateChain, Document, SignatureParameters};
use serde::{Deserialize, Serialize};
use xades::c14n::{Canonicalization, Target};
use xades::{
    Content, Listing, PendingSignature, Position, SignatureOptions, prepare_countersignature,
    prepare_detached,
};

use crate::args::{Method, Packaging, XmlOptions};
use crate::exit::Failure;
use crate::input::{self, Kind};
use crate::options::Shape;

/// What an octet stream is that nobody says more about.
const OCTETS: &str = "application/octet-stream";

/// What a signature in XML is to be like, beside what all say.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct XmlWishes {
    packaging: Option<Packaging>,
    elements: Vec<String>,
    into: Option<String>,
    allow_parallel: bool,
    method: Method,
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
            packaging,
            elements: options.element,
            into: options.into,
            allow_parallel: options.allow_parallel,
            method: options.c14n,
        })
    }

    /// Whether the signature becomes part of the document.
    pub(crate) fn keeps_the_document(&self) -> bool {
        !matches!(self.packaging, Some(Packaging::Enveloping | Packaging::Detached))
    }

    /// Whether a file of this kind can be signed so.
    pub(crate) fn check(&self, input: &Path, found: Kind) -> Result<(), Failure> {
        let fail = |message| Err(Failure::usage(format!("{}: {message}", input::name(input))));
        if self.keeps_the_document() && found != Kind::Xml {
            return fail("is no XML: --packaging enveloping or detached signs any file as xades");
        }
        if self.packaging == Some(Packaging::Detached) && input::is_standard(input) {
            return fail("has no name for a detached signature to call it by");
        }
        Ok(())
    }

    pub(crate) fn prepare(
        &self,
        shape: &Shape,
        input: &Path,
        document: &mut Document<'_>,
        chain: &CertificateChain,
        parameters: &SignatureParameters,
    ) -> Result<PendingSignature, Failure> {
        if let Shape::Countersignature(signer) = shape {
            return Ok(prepare_countersignature(
                document,
                *signer,
                chain,
                parameters,
                &SignatureOptions::new(),
            )?);
        }
        if self.packaging == Some(Packaging::Detached) {
            let mime_type = parameters.document_mime_type().unwrap_or(OCTETS).to_owned();
            let document = Document::seekable(document.random_access()?);
            let mut contents = [Content { uri: uri(input), mime_type, document }];
            return Ok(prepare_detached(
                &mut contents,
                Listing::References,
                chain,
                parameters,
                &SignatureOptions::new(),
            )?);
        }
        let packaging = match self.packaging {
            Some(Packaging::InternallyDetached) => {
                xades::Packaging::InternallyDetached(self.elements.clone())
            }
            Some(Packaging::Enveloping) => {
                match input::kind(document.random_access()?)
                    .map_err(|e| Failure::file(input, &e))?
                {
                    Kind::Xml => xades::Packaging::EnvelopingXml,
                    _ => xades::Packaging::EnvelopingBase64,
                }
            }
            _ => xades::Packaging::Enveloped,
        };
        let into = |id: &String| Position::LastIn(Target::Id(id.clone()));
        let mut options = SignatureOptions::new()
            .packaging(packaging)
            .position(self.into.as_ref().map_or(Position::LastInRoot, into))
            .canonicalization(method(self.method));
        if self.allow_parallel {
            options = options.parallel();
        }
        Ok(xades::prepare(document, chain, parameters, &options)?)
    }
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
    fn a_name_becomes_a_reference() {
        assert_eq!(uri(Path::new("dir/a b:é#.xml")), "a%20b%3A%C3%A9%23.xml");
    }
}

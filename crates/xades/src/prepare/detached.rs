//! Detached signatures over other documents (XML Signature, clause 4.4.3.1). The
//! caller passes them; nothing is fetched.

use std::fmt;

use ades_core::error::Parameter;
use ades_core::{CertificateChain, Digest, Document, SignatureParameters};

use crate::c14n::{Canonicalization, Selection, Target};
use crate::error::Error;
use crate::markup::Markup;
use crate::namespaces::{DS, MANIFEST};
use crate::options::{DetachedReferences, SignatureOptions};
use crate::pending::{Destination, PendingSignature};
use crate::signature_element::ids::Ids;
use crate::signature_element::properties::NewFormat;
use crate::signature_element::reference::{NewReference, NewTransform};
use crate::signature_element::{SignatureElement, SigningContext, canonical, check_parameters};
use crate::source_document::SourceDocument;

use super::Checked;

/// Maximum number of documents that one detached signature signs.
const MAX_DOCUMENTS: usize = 1024;

/// A document that a detached signature signs.
pub struct DetachedDocument<'d> {
    uri: String,
    mime_type: String,
    document: Document<'d>,
}

impl<'d> DetachedDocument<'d> {
    /// `uri` is the URI reference by which the signature names the document,
    /// percent-encoded. `mime_type` is the document's media type.
    #[must_use]
    pub fn new(
        uri: impl Into<String>,
        mime_type: impl Into<String>,
        document: Document<'d>,
    ) -> Self {
        Self { uri: uri.into(), mime_type: mime_type.into(), document }
    }
}

// URIs name files and people.
impl fmt::Debug for DetachedDocument<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetachedDocument").field("document", &self.document).finish_non_exhaustive()
    }
}

/// Prepares a baseline B-B signature over other documents. The signature becomes an
/// XML document of its own. Each document is read once. Of the options, only the seed
/// of the Ids, the production place and
/// [`detached_references`](SignatureOptions::detached_references) have an effect.
///
/// # Errors
/// [`Error::Core`] for an unfit certificate; a parameter that is not allowed; no
/// documents or more than 1,024; a URI that is empty, begins with `#` or occurs
/// twice; or a failure to read.
pub fn prepare_detached(
    documents: &mut [DetachedDocument<'_>],
    chain: &CertificateChain,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
) -> Result<PendingSignature, Error> {
    let signing = SigningContext::new(chain, parameters, options)?;
    check_names(documents)?;
    let algorithm = signing.digest_algorithm();
    let mut sources = Vec::new();
    for document in &mut *documents {
        let (digest, length) = document.document.digest(algorithm)?;
        sources.push(SourceDocument { digest, length });
    }
    let digests: Vec<Digest> = sources.iter().map(|source| source.digest.0.clone()).collect();
    let destination = Destination::Detached { documents: sources };
    let how = match options.detached_references {
        DetachedReferences::SignedInfo => "detached",
        DetachedReferences::Manifest => "detached, in a manifest",
    };
    let ids = Ids::new(&signing, how, &destination);
    let reference =
        |(at, (document, digest)): (usize, (&DetachedDocument<'_>, &Digest))| NewReference {
            id: Some(ids.of(&format!("document-{}", at + 1))),
            kind: None,
            uri: document.uri.clone(),
            transforms: Vec::new(),
            digest: digest.clone(),
        };
    let references: Vec<_> = documents.iter().zip(&digests).enumerate().map(reference).collect();
    let format = |(reference, document): (&NewReference, &DetachedDocument<'_>)| {
        let mime_type = Some(document.mime_type.clone());
        let description = parameters.document_description().map(str::to_owned);
        Some(NewFormat { reference: reference.id.clone()?, mime_type, description })
    };
    let mut element = SignatureElement {
        signing: &signing,
        ids: &ids,
        around: &[],
        formats: references.iter().zip(&*documents).filter_map(format).collect(),
        references,
        manifest: None,
        content: None,
    };
    if options.detached_references == DetachedReferences::Manifest {
        move_to_manifest(&mut element)?;
    }
    Ok(PendingSignature::new(&signing, &ids, element.write()?, destination))
}

/// Checks whether [`prepare_detached`] accepts documents, parameters and options,
/// before there is a certificate. It does not read the documents: any octets can be
/// signed this way.
///
/// # Errors
/// As [`prepare_detached`], except those about the certificate and about reading.
pub fn check_detached(
    documents: &[DetachedDocument<'_>],
    parameters: &SignatureParameters,
    options: &SignatureOptions,
) -> Result<Checked, Error> {
    check_parameters(parameters, options)?;
    check_names(documents)?;
    Ok(Checked::default())
}

/// Moves the references into a `ds:Manifest`, and puts a reference to that in their
/// place.
fn move_to_manifest(element: &mut SignatureElement<'_>) -> Result<(), Error> {
    let id = element.ids.of("manifest");
    let references = std::mem::take(&mut element.references);
    let mut markup = Markup::default();
    markup.element("ds:Object", &[("xmlns:ds", DS)], |markup| {
        markup.element("ds:Manifest", &[("Id", &id)], |markup| {
            references.iter().for_each(|reference| reference.write(markup));
        });
    });
    let object = markup.take();
    let form = canonical(&object, Selection::element(Target::Id(id.clone())))?;
    element.references = vec![NewReference {
        id: None,
        kind: Some(MANIFEST),
        uri: format!("#{id}"),
        transforms: vec![NewTransform::Canonical(Canonicalization::EXCLUSIVE)],
        digest: Digest::of(element.signing.digest_algorithm(), &form),
    }];
    element.manifest = Some(object);
    Ok(())
}

fn check_names(documents: &[DetachedDocument<'_>]) -> Result<(), Error> {
    let parameter = Parameter::DetachedDocuments;
    let fail = |problem| Err(Error::Core(ades_core::Error::Parameter { parameter, problem }));
    if documents.is_empty() || documents.len() > MAX_DOCUMENTS {
        return fail("between 1 and 1,024 are needed");
    }
    let mut uris: Vec<&str> = documents.iter().map(|document| document.uri.as_str()).collect();
    uris.sort_unstable();
    if uris.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        return fail("two have the same URI");
    }
    let plain = |uri: &str| {
        !uri.is_empty() && uri.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'"')
    };
    if uris.iter().any(|uri| !plain(uri) || uri.starts_with('#')) {
        return fail("a URI is empty, not percent-encoded or inside the signature's document");
    }
    if documents.iter().any(|document| document.mime_type.trim().is_empty()) {
        return fail("a media type is empty");
    }
    Ok(())
}

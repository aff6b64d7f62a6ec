//! Detached signatures over documents elsewhere (XML Signature, clause 4.4.3.1),
//! which are given, never fetched.

use std::fmt;

use ades_core::error::Parameter;
use ades_core::{CertificateChain, Digest, Document, SignatureParameters};

use crate::c14n::{Canonicalization, Selection, Target as Element};
use crate::draft::{Draft, Ids, Signer, canonical};
use crate::error::Error;
use crate::markup::Markup;
use crate::options::SignatureOptions;
use crate::pending::{Original, PendingSignature, Target};
use crate::properties::{DS, Format};
use crate::reference::{Reference, Transform};

const MANIFEST: &str = "http://www.w3.org/2000/09/xmldsig#Manifest";
/// A signature may be about so many documents.
const MAX_CONTENTS: usize = 1024;

/// A document that a detached signature is about.
pub struct Content<'d> {
    /// What the signature calls it: a URI reference, percent-encoded.
    pub uri: String,
    /// Its media type.
    pub mime_type: String,
    /// Its octets.
    pub document: Document<'d>,
}

impl fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content").field("document", &self.document).finish_non_exhaustive()
    }
}

/// How a signature names several documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listing {
    /// One reference each: all must be there to verify the signature.
    #[default]
    References,
    /// In a `ds:Manifest` (XML Signature, clause 5.1), which is what is signed:
    /// whoever verifies decides which of them matter.
    Manifest,
}

/// Prepares a baseline B-B signature over documents that are elsewhere; it
/// becomes an XML document of its own. Each is read once. Of the options, the
/// seed of Ids means something.
///
/// # Errors
/// [`Error::Core`]: an unfit certificate, a parameter that is not allowed, no
/// document or more than 1,024, a URI that is empty, begins with `#` or is
/// there twice, or a failure to read.
pub fn prepare_detached(
    contents: &mut [Content<'_>],
    listing: Listing,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
) -> Result<PendingSignature, Error> {
    let signer = Signer::new(chain, parameters, options)?;
    check(contents)?;
    let algorithm = signer.digest_algorithm();
    let mut documents = Vec::new();
    for content in &mut *contents {
        let (digest, length) = content.document.digest(algorithm)?;
        documents.push(Original { digest, length });
    }
    let digests = documents.iter().map(|document| &document.digest.0);
    let how = match listing {
        Listing::References => "detached",
        Listing::Manifest => "detached, in a manifest",
    };
    let ids = Ids::new(&signer, how, digests.clone());
    let reference = |(at, (content, digest)): (usize, (&Content<'_>, &Digest))| Reference {
        id: Some(ids.of(&format!("document-{}", at + 1))),
        kind: None,
        uri: content.uri.clone(),
        transforms: Vec::new(),
        digest: digest.clone(),
    };
    let references: Vec<_> = contents.iter().zip(digests).enumerate().map(reference).collect();
    let format = |(reference, content): (&Reference, &Content<'_>)| {
        let mime_type = Some(content.mime_type.clone());
        let description = parameters.document_description().map(str::to_owned);
        Some(Format { reference: reference.id.clone()?, mime_type, description })
    };
    let mut draft = Draft {
        signer: &signer,
        ids: &ids,
        formats: references.iter().zip(&*contents).filter_map(format).collect(),
        references,
        object: None,
        content: None,
    };
    if listing == Listing::Manifest {
        list(&mut draft)?;
    }
    Ok(PendingSignature::new(&signer, draft.write()?, Target::Detached { documents }))
}

/// Puts the references into a manifest, and a reference to that in their place.
fn list(draft: &mut Draft<'_>) -> Result<(), Error> {
    let id = draft.ids.of("manifest");
    let references = std::mem::take(&mut draft.references);
    let mut markup = Markup::default();
    markup.element("ds:Object", &[("xmlns:ds", DS)], |markup| {
        markup.element("ds:Manifest", &[("Id", &id)], |markup| {
            references.iter().for_each(|reference| reference.write(markup));
        });
    });
    let object = markup.finish();
    let form = canonical(&object, Selection::element(Element::Id(id.clone())))?;
    draft.references = vec![Reference {
        id: None,
        kind: Some(MANIFEST),
        uri: format!("#{id}"),
        transforms: vec![Transform::Canonical(Canonicalization::EXCLUSIVE)],
        digest: Digest::of(draft.signer.digest_algorithm(), &form),
    }];
    draft.object = Some(object);
    Ok(())
}

fn check(contents: &[Content<'_>]) -> Result<(), Error> {
    let fail = |problem| {
        Err(Error::Core(ades_core::Error::Parameter {
            parameter: Parameter::DetachedDocuments,
            problem,
        }))
    };
    if contents.is_empty() || contents.len() > MAX_CONTENTS {
        return fail("between 1 and 1,024 are needed");
    }
    let mut uris: Vec<&str> = contents.iter().map(|content| content.uri.as_str()).collect();
    uris.sort_unstable();
    if uris.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        return fail("two have the same URI");
    }
    let plain = |uri: &str| {
        !uri.is_empty() && uri.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'"')
    };
    if uris.iter().any(|uri| !plain(uri) || uri.starts_with('#')) {
        return fail("a URI is empty, not percent-encoded or within the signature's document");
    }
    if contents.iter().any(|content| content.mime_type.trim().is_empty()) {
        return fail("a media type is empty");
    }
    Ok(())
}

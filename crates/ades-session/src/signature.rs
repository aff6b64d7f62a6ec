//! The work on documents: it blocks, and asks nobody.

use std::io::{self, Read as _, Write};

use ades::certificate::UsageCheck;
use ades::signer::SignatureValue;
use ades::{
    CertificateChain, Digest, DigestAlgorithm, Document, Inputs, NamedDocument, PendingSignature,
    SigningOptions,
};
use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::body::Item;
use crate::documents::{Documents, Published};
use crate::error::ItemError;
use crate::job::SigningJobItem;

/// Maximum size of the image or font of a visible signature, in octets.
const MAX_STAMP_FILE: u64 = 32 * 1024 * 1024;

/// The documents of one signature, opened.
struct Opened {
    document: Document<'static>,
    original: Option<Document<'static>>,
    together: Vec<NamedDocument<'static>>,
    password: Option<Zeroizing<String>>,
}

impl Opened {
    fn of(request: &SigningJobItem, documents: &dyn Documents) -> Result<Self, ItemError> {
        let open = |reference: &String| documents.open(reference).map_err(ItemError::Read);
        let together = request
            .together
            .iter()
            .map(|more| Ok::<_, ItemError>(NamedDocument::new(&more.name, open(&more.document)?)));
        Ok(Self {
            document: open(&request.document)?,
            original: request.original.as_ref().map(open).transpose()?,
            together: together.collect::<Result<_, _>>()?,
            password: documents.password(&request.document),
        })
    }

    fn inputs<'a>(&'a mut self, request: &'a SigningJobItem) -> Inputs<'a, 'static> {
        let mut inputs = Inputs::new(&mut self.document).together(&mut self.together);
        if let Some(original) = &mut self.original {
            inputs = inputs.original(original);
        }
        if let Some(name) = &request.name {
            inputs = inputs.name(name);
        }
        if let Some(password) = &self.password {
            inputs = inputs.password(password);
        }
        inputs
    }
}

/// Checks an item before anybody is asked.
pub(crate) fn check(
    request: &SigningJobItem,
    documents: &dyn Documents,
    font: Option<&[u8]>,
) -> Result<Item, ItemError> {
    if documents.exists(&request.container).map_err(ItemError::Write)? {
        return Err(ItemError::Taken);
    }
    let options = options(request, documents, font)?;
    let mut opened = Opened::of(request, documents)?;
    let checked = ades::check(opened.inputs(request), &options)?;
    Ok(Item {
        format: checked.format(),
        digest: digest(request, documents)?,
        warnings: checked.warnings().iter().map(|warning| warning.code().to_owned()).collect(),
        request: request.clone(),
        pending: None,
        container_digest: None,
        problem: None,
    })
}

/// The options, with the octets that are not stored with them.
fn options(
    request: &SigningJobItem,
    documents: &dyn Documents,
    font: Option<&[u8]>,
) -> Result<SigningOptions, ItemError> {
    let mut options = request.options.clone();
    if let Some(mut stamp) = options.pdf.stamp.take() {
        if let Some(reference) = &request.stamp_image {
            stamp = stamp.image(octets(documents, reference, "image")?);
        }
        stamp = match (&request.stamp_font, font) {
            (Some(reference), _) => stamp.font(octets(documents, reference, "font")?),
            (None, Some(font)) => stamp.font(font),
            (None, None) => stamp,
        };
        options.pdf.stamp = Some(stamp);
    }
    Ok(options)
}

fn octets(
    documents: &dyn Documents,
    reference: &str,
    what: &'static str,
) -> Result<Vec<u8>, ItemError> {
    let mut document = documents.open(reference).map_err(ItemError::Read)?;
    let mut octets = Vec::new();
    let reader = document.reader().map_err(ades::Error::Core)?;
    let read = reader.take(MAX_STAMP_FILE + 1).read_to_end(&mut octets).map_err(ItemError::Read)?;
    if read as u64 > MAX_STAMP_FILE {
        return Err(ItemError::TooLarge { what, max: MAX_STAMP_FILE });
    }
    Ok(octets)
}

/// The digest of everything that an item reads and the signer's user has seen. For several
/// documents: the digest of their digests.
fn digest(request: &SigningJobItem, documents: &dyn Documents) -> Result<Digest, ItemError> {
    let of = |reference: &str| -> Result<Digest, ItemError> {
        let mut document = documents.open(reference).map_err(ItemError::Read)?;
        let (digest, _) = document.digest(DigestAlgorithm::Sha256).map_err(ades::Error::Core)?;
        Ok(digest.0)
    };
    let mut all = of(&request.document)?;
    let together = request.together.iter().map(|more| &more.document);
    for reference in request.original.iter().chain(together) {
        let both = [all.value(), of(reference)?.value()].concat();
        all = Digest::of(DigestAlgorithm::Sha256, &both);
    }
    Ok(all)
}

/// Prepares an item, whose documents must be those that were checked.
pub(crate) fn prepare(
    item: &Item,
    documents: &dyn Documents,
    font: Option<&[u8]>,
    chain: &CertificateChain,
    time: DateTime<Utc>,
) -> Result<PendingSignature, ItemError> {
    let options = options(&item.request, documents, font)?.signing_time(time);
    let options = options.for_document(item.format);
    let leaf = chain.leaf();
    let parameters = options.parameters_for(leaf.key_type())?;
    parameters.algorithm_for(leaf).map_err(ades::Error::Core)?;
    leaf.check_fit(time, UsageCheck::Signature).map_err(ades::Error::Core)?;
    let mut opened = Opened::of(&item.request, documents)?;
    let pending = ades::prepare(opened.inputs(&item.request), chain, &options)?;
    if digest(&item.request, documents)? != item.digest {
        return Err(ItemError::Changed);
    }
    Ok(pending)
}

/// Writes the container of an item, verifies it from its octets, and puts it in its place. Returns
/// its digest. The same container that an earlier process published is not an error.
pub(crate) fn complete(
    item: &Item,
    documents: &dyn Documents,
    value: &SignatureValue,
) -> Result<Digest, ItemError> {
    let state = item.pending.as_deref().unwrap_or_default();
    let pending = PendingSignature::from_json(state, None)?;
    let mut opened = Opened::of(&item.request, documents)?;
    let mut unfinished = documents.create(&item.request.container).map_err(ItemError::Write)?;
    let mut out = Digesting { writer: unfinished.writer(), digest: Sha256::new() };
    pending.complete(Some(&mut opened.document), &value.value, &mut out)?;
    let digest = out.digest.finalize();
    unfinished.writer().flush().map_err(ItemError::Write)?;
    let mut written = unfinished.read_back().map_err(ItemError::Write)?;
    pending.verify_completed(&mut written, opened.inputs(&item.request))?;
    drop(written);
    match unfinished.publish().map_err(ItemError::Write)? {
        Published::New | Published::Same => {
            let digest = Digest::new(DigestAlgorithm::Sha256, digest.to_vec());
            Ok(digest.map_err(ades::Error::Core)?)
        }
        Published::Other => Err(ItemError::Taken),
    }
}

/// A writer that digests what it writes.
struct Digesting<'a> {
    writer: &'a mut dyn Write,
    digest: Sha256,
}

impl Write for Digesting<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let written = self.writer.write(octets)?;
        self.digest.update(octets.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

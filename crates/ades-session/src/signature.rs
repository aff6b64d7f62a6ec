//! The work on documents: it blocks, and asks nobody.

use std::io::{self, Read as _, Write};

use ades::certificate::UsageCheck;
use ades::signer::SignatureValue;
use ades::{
    CertificateChain, Checked, Digest, DigestAlgorithm, Document, Inputs, NamedDocument,
    PendingSignature, SigningOptions,
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
    envelope_content: Option<Zeroizing<Vec<u8>>>,
}

impl Opened {
    fn of(request: &SigningJobItem, documents: &dyn Documents) -> Result<Self, ItemError> {
        let open = |reference: &String| documents.open(reference).map_err(ItemError::Read);
        let together = request
            .together
            .iter()
            .map(|more| Ok::<_, ItemError>(NamedDocument::new(&more.name, open(&more.document)?)));
        let mut document = open(&request.document)?;
        let envelope_content = documents.envelope_content(&request.document, &mut document);
        Ok(Self {
            envelope_content: envelope_content.map_err(ItemError::Read)?,
            document,
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
        if let Some(content) = &self.envelope_content {
            inputs = inputs.envelope_content(content);
        }
        inputs
    }
}

/// Checks an item before anybody is asked.
pub(crate) fn check(
    request: &SigningJobItem,
    documents: &dyn Documents,
    font: Option<&[u8]>,
) -> Result<(Item, Checked), ItemError> {
    if documents.exists(&request.container).map_err(ItemError::Write)? {
        return Err(ItemError::Taken);
    }
    let options = options(request, documents, font, None)?;
    let mut opened = Opened::of(request, documents)?;
    let checked = ades::check(opened.inputs(request), &options)?;
    let item = Item {
        format: checked.format(),
        id: None,
        digest: Some(digest(request, documents)?),
        warnings: checked.warnings().iter().map(|warning| warning.code().to_owned()).collect(),
        request: request.clone(),
        pending: None,
        container_digest: None,
        problem: None,
    };
    Ok((item, checked))
}

/// The options, with the signing time and what is not stored with them.
fn options(
    request: &SigningJobItem,
    documents: &dyn Documents,
    font: Option<&[u8]>,
    time: Option<DateTime<Utc>>,
) -> Result<SigningOptions, ItemError> {
    let mut options = request.options.clone();
    if let Some(time) = time {
        options = options.signing_time(time);
    }
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
    documents.options(&request.document, options).map_err(ItemError::Read)
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
    let options = options(&item.request, documents, font, Some(time))?;
    let options = options.for_document(item.format);
    check_certificate(&options, chain, time).map_err(ItemError::Certificate)?;
    let mut opened = Opened::of(&item.request, documents)?;
    let pending = ades::prepare(opened.inputs(&item.request), chain, &options)?;
    if let Some(expected) = &item.digest
        && digest_of_prepared(&item.request, documents, &pending, expected)? != *expected
    {
        return Err(ItemError::Changed);
    }
    let prepared = documents.prepared(&item.request.document, &pending, &options);
    prepared.map_err(ItemError::Rejected)?;
    Ok(pending)
}

fn check_certificate(
    options: &SigningOptions,
    chain: &CertificateChain,
    time: DateTime<Utc>,
) -> Result<(), ades::Error> {
    let leaf = chain.leaf();
    options.parameters_for(leaf.key_type())?.algorithm_for(leaf)?;
    Ok(leaf.check_fit(time, UsageCheck::Signature)?)
}

/// As [`digest`], without reading a single document again if its pending signature has the digest.
fn digest_of_prepared(
    request: &SigningJobItem,
    documents: &dyn Documents,
    pending: &PendingSignature,
    expected: &Digest,
) -> Result<Digest, ItemError> {
    let known = pending.document_digest().map(|digest| &digest.0);
    let known = known.filter(|known| known.algorithm() == expected.algorithm());
    match known.filter(|_| request.original.is_none() && request.together.is_empty()) {
        Some(known) => Ok(known.clone()),
        None => digest(request, documents),
    }
}

/// A container that is in its place.
pub(crate) struct Written {
    pub(crate) digest: Digest,
    /// The digest of the signature value in it
    pub(crate) value_digest: Option<Digest>,
}

/// Writes the container of an item, verifies it from its octets, and puts it in its place. The same
/// container that an earlier process published is not an error.
pub(crate) fn complete(
    item: &Item,
    documents: &dyn Documents,
    value: &SignatureValue,
) -> Result<Written, ItemError> {
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
            let digest = digest.map_err(ades::Error::Core)?;
            Ok(Written { digest, value_digest: pending.value_digest(&value.value) })
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

//! The adapter for XAdES.

pub(crate) mod extend;

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};

use ::xades::report::{Problem, ReferenceReport, Report, SignatureReport};
use ::xades::xml::Reader;
use ::xades::{DetachedDocument, SignatureOptions, VerifyOptions};
use ades_core::document::ReadSeek;
use ades_core::facts::code;
use ades_core::{CertificateChain, Document, SignatureParameters};
use ades_validation::Finding;

use super::not_valid;
use crate::check::Checked;
use crate::detect::{DocumentKind, Format};
use crate::error::Error;
use crate::findings;
use crate::inputs::{Inputs, NamedDocument};
use crate::options::{Operation, Packaging, ReadingOptions, SigningOptions};
use crate::pending::{PendingSignature, State};
use crate::verdict::Statement;
use crate::verify as facade;
use crate::warning::Warning;

/// Whether the signature becomes a part of its document.
pub(crate) const fn is_in_document(packaging: Option<Packaging>) -> bool {
    matches!(packaging, None | Some(Packaging::Enveloped | Packaging::InternallyDetached))
}

/// Reads a whole document, which must be well-formed XML.
pub(crate) fn read_through(
    document: &mut Document<'_>,
    reading: &ReadingOptions,
) -> Result<(), Error> {
    let read = |document: &mut Document<'_>| -> Result<(), ::xades::Error> {
        let mut reader = Reader::from_read(document.reader()?)?;
        if reading.ignore_external_subset {
            reader = reader.ignoring_external_subset();
        }
        while reader.next_event()?.is_some() {}
        Ok(())
    };
    read(document).map_err(Error::NotXml)
}

fn options(signing: &SigningOptions, packaging: ::xades::Packaging) -> SignatureOptions {
    let xml = &signing.xml;
    let mut options = SignatureOptions::new()
        .packaging(packaging)
        .position(xml.position.clone())
        .canonicalization(xml.canonicalization.clone())
        .signing_certificate(xml.signing_certificate)
        .ids(xml.reading.ids.clone());
    if xml.allow_parallel {
        options = options.parallel();
    }
    if xml.sign_key_info {
        options = options.sign_key_info();
    }
    if xml.key_value {
        options = options.key_value();
    }
    if xml.reading.ignore_external_subset {
        options = options.ignoring_external_subset();
    }
    if let Some(place) = &xml.production_place {
        options = options.production_place(place.clone());
    }
    options
}

fn packaging(signing: &SigningOptions) -> ::xades::Packaging {
    match signing.packaging {
        Some(Packaging::InternallyDetached) => {
            ::xades::Packaging::InternallyDetached(signing.xml.elements.clone())
        }
        Some(Packaging::Enveloping) => ::xades::Packaging::Enveloping,
        Some(Packaging::EnvelopingBase64) => ::xades::Packaging::EnvelopingBase64,
        Some(Packaging::Enveloped | Packaging::Detached) | None => ::xades::Packaging::Enveloped,
    }
}

/// The parameters with the document's media type, if the signature states a media type and the
/// caller set none.
fn with_media_type(
    document: &mut Document<'_>,
    parameters: &SignatureParameters,
    packaging: Option<Packaging>,
) -> Result<SignatureParameters, Error> {
    let parameters = parameters.clone();
    if parameters.document_mime_type().is_some() || is_in_document(packaging) {
        return Ok(parameters);
    }
    let kind = DocumentKind::of(document)?;
    if packaging != Some(Packaging::Detached)
        && matches!(kind, DocumentKind::Html | DocumentKind::Other)
    {
        // The document may still be well-formed XML: the format's crate decides after reading it.
        return Ok(parameters);
    }
    Ok(parameters.mime_type(kind.media_type()))
}

/// The documents of a detached signature, by their names.
fn detached<'d>(
    inputs: Inputs<'d, '_>,
    parameters: &SignatureParameters,
) -> Result<Vec<DetachedDocument<'d>>, Error> {
    let first = (inputs.name.ok_or(Error::NameNeeded)?, inputs.document);
    let more = inputs.more.iter_mut().map(|more| (more.name.as_str(), &mut more.document));
    std::iter::once(first)
        .chain(more)
        .map(|(name, document)| {
            let packaging = Some(Packaging::Detached);
            let parameters = with_media_type(document, parameters, packaging)?;
            let media_type = parameters.document_mime_type().unwrap_or_default().to_owned();
            let document = Document::seekable(document.random_access()?);
            Ok(DetachedDocument::new(uri(name), media_type, document))
        })
        .collect()
}

pub(crate) fn check(inputs: Inputs<'_, '_>, signing: &SigningOptions) -> Result<Checked, Error> {
    if is_detached(signing) {
        let options = options(signing, packaging(signing));
        ::xades::check_detached(
            &detached(inputs, &signing.parameters)?,
            &signing.parameters,
            &options,
        )?;
        return Ok(Checked { format: Format::Xades, warnings: Vec::new(), page: None });
    }
    let document = inputs.document;
    let options = options(signing, packaging(signing));
    let checked = match &signing.operation {
        Operation::Countersign { which } => {
            ::xades::check_countersignature(document, which, &signing.parameters, &options)?
        }
        _ => {
            let parameters = with_media_type(document, &signing.parameters, signing.packaging)?;
            ::xades::check(document, &parameters, &options)?
        }
    };
    let warnings = checked.warnings().iter().copied().map(Warning::from).collect();
    Ok(Checked { format: Format::Xades, warnings, page: None })
}

pub(crate) fn prepare(
    inputs: Inputs<'_, '_>,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
    signing: &SigningOptions,
    copy: Option<&mut dyn Write>,
) -> Result<PendingSignature, Error> {
    let options = options(signing, packaging(signing));
    if is_detached(signing) {
        let mut documents = detached(inputs, parameters)?;
        let pending = ::xades::prepare_detached(&mut documents, chain, parameters, &options)?;
        return Ok(PendingSignature::new(State::Xades(pending), Vec::new()));
    }
    let document = inputs.document;
    let pending = match &signing.operation {
        Operation::Countersign { which } => {
            ::xades::prepare_countersignature(document, which, chain, parameters, &options)?
        }
        _ => {
            let parameters = &with_media_type(document, parameters, signing.packaging)?;
            match copy {
                Some(out) => ::xades::prepare_copying(document, chain, parameters, &options, out)?,
                None => ::xades::prepare(document, chain, parameters, &options)?,
            }
        }
    };
    let warnings = pending.warnings().iter().copied().map(Warning::from).collect();
    Ok(PendingSignature::new(State::Xades(pending), warnings))
}

fn is_detached(signing: &SigningOptions) -> bool {
    signing.operation == Operation::Sign && signing.packaging == Some(Packaging::Detached)
}

/// A file name as a relative reference (RFC 3986, 4.2).
fn uri(name: &str) -> String {
    let mut uri = String::new();
    for octet in name.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            uri.push(char::from(octet));
        } else {
            uri.push_str(&format!("%{octet:02X}"));
        }
    }
    uri
}

pub(crate) fn verify(
    document: &mut Document<'_>,
    options: facade::VerifyOptions<'_>,
) -> Result<Report, Error> {
    options.check(Format::Xades)?;
    let facade::VerifyOptions { originals, elements, reading, verified, known, .. } = options;
    let mut options = verify_options(&reading).sharing(&verified);
    if let Some(known) = known {
        options = options.known(&known);
    }
    for (name, document) in documents(originals)? {
        options = match name {
            Some(name) => options.original_named(name, document),
            None => options.original(document),
        };
    }
    for element in elements {
        options = options.expect(element);
    }
    Ok(::xades::verify(document, options)?)
}

/// The documents outside the XML, by their names. A single document is also used if the reference
/// has another name.
fn documents(
    originals: Vec<facade::Original<'_>>,
) -> Result<Vec<(Option<String>, Document<'_>)>, Error> {
    let only = originals.len() == 1;
    let mut documents = Vec::new();
    for facade::Original { name, document } in originals {
        if only && name.is_some() {
            let (named, unnamed) = SharedReader::pair(document)?;
            documents.push((name, Document::seekable(named)));
            documents.push((None, Document::seekable(unnamed)));
        } else {
            documents.push((name, document));
        }
    }
    Ok(documents)
}

fn verify_options<'a>(reading: &ReadingOptions) -> VerifyOptions<'a> {
    let options = VerifyOptions::new().ids(reading.ids.clone());
    if reading.ignore_external_subset { options.ignoring_external_subset() } else { options }
}

/// Two readers of one document, each with a position of its own.
struct SharedReader<'d> {
    document: Arc<Mutex<Document<'d>>>,
    at: u64,
}

impl<'d> SharedReader<'d> {
    fn pair(mut document: Document<'d>) -> Result<(Self, Self), Error> {
        document.random_access()?;
        let document = Arc::new(Mutex::new(document));
        Ok((Self { document: Arc::clone(&document), at: 0 }, Self { document, at: 0 }))
    }

    /// Calls `act` with the document at this reader's position, and keeps the new position.
    fn with<T>(&mut self, act: impl FnOnce(&mut dyn ReadSeek) -> io::Result<T>) -> io::Result<T> {
        let mut document = self.document.lock().unwrap_or_else(PoisonError::into_inner);
        let source = document.random_access().map_err(io::Error::other)?;
        source.seek(SeekFrom::Start(self.at))?;
        let result = act(source);
        self.at = source.stream_position()?;
        result
    }
}

impl Read for SharedReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.with(|source| source.read(buffer))
    }
}

impl Seek for SharedReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.with(|source| source.seek(to))
    }
}

/// Whether a signature refers to a document that the caller did not pass.
pub(crate) fn needs_original(report: &Report) -> bool {
    fn is_missing(reference: &ReferenceReport) -> bool {
        reference.problem == Some(Problem::ContentMissing)
            || reference.manifest.iter().any(is_missing)
    }
    let mut references = report.signatures.iter().flat_map(|signature| &signature.references);
    references.any(is_missing)
}

/// What XAdES states about signatures.
pub(crate) fn statements(signatures: &[SignatureReport]) -> Vec<Statement<'_>> {
    let all = signatures.iter().map(|signature| {
        let references = &signature.references;
        let problems = signature.problems.iter().copied();
        let mut found: Vec<Finding> =
            problems.map(|problem| findings::of_xades(problem, references)).collect();
        found.extend(references.iter().filter_map(|r| findings::of_reference(r, references)));
        let policies = signature.policy.iter().chain(&signature.further.policies);
        let digests = policies.filter_map(|policy| policy.digest.as_ref());
        found.extend(findings::of_policy_digests(digests));
        Statement {
            format: signature.format,
            level: signature.level,
            intact: signature.intact,
            signer: signature.signer.as_deref(),
            claimed_time: signature.claimed_time,
            covers: code(&signature.covers),
            facts: &signature.facts,
            findings: found,
            report: serde_json::to_value(signature).unwrap_or_default(),
            countersignatures: statements(&signature.countersignatures),
        }
    });
    all.collect()
}

pub(crate) fn verify_completed(
    pending: &::xades::PendingSignature,
    completed: &mut Document<'_>,
    inputs: Inputs<'_, '_>,
) -> Result<(), Error> {
    let source = inputs.document;
    let alone = ::xades::verify(completed, VerifyOptions::for_completed(pending))?;
    let good = match count(&alone) {
        (1, 1) => true,
        (1, _) if needs_original(&alone) => {
            let original = Document::seekable(source.random_access()?);
            let mut options = VerifyOptions::for_completed(pending);
            options = match (inputs.name, inputs.more.is_empty()) {
                (Some(name), false) => options.original_named(uri(name), original),
                _ => options.original(original),
            };
            for NamedDocument { name, document } in inputs.more {
                let document = Document::seekable(document.random_access()?);
                options = options.original_named(uri(name), document);
            }
            count(&::xades::verify(completed, options)?).1 == 1
        }
        (1, _) => false,
        found => {
            let reading = ReadingOptions {
                ids: pending.ids().clone(),
                ignore_external_subset: pending.ignores_external_subset(),
            };
            let (signatures, good) = count(&::xades::verify(source, verify_options(&reading))?);
            found == (signatures + 1, good + 1)
        }
    };
    if good {
        return Ok(());
    }
    Err(not_valid(alone.signatures.iter().flat_map(|signature| &signature.problems)))
}

/// Number of signatures, including countersignatures, and number of those without a problem.
fn count(report: &Report) -> (usize, usize) {
    fn all<'r>(signatures: &'r [SignatureReport], into: &mut Vec<&'r SignatureReport>) {
        for signature in signatures {
            into.push(signature);
            all(&signature.countersignatures, into);
        }
    }
    // The options may require a signature that covers only a part of the document, or that has
    // the older property of the certificate.
    let wanted = [Problem::NotCovered, Problem::PartlyCovered, Problem::LegacyProperty];
    let is_good = |signature: &&&SignatureReport| {
        signature.intact == Some(true)
            && signature.problems.iter().all(|problem| wanted.contains(problem))
    };
    let mut signatures = Vec::new();
    all(&report.signatures, &mut signatures);
    (signatures.len(), signatures.iter().filter(is_good).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_name_is_percent_encoded() {
        assert_eq!(uri("a b:é#.xml"), "a%20b%3A%C3%A9%23.xml");
    }

    #[test]
    fn two_readers_have_positions_of_their_own() {
        let (mut one, mut other) = SharedReader::pair(Document::from_bytes(b"octets")).unwrap();
        let mut start = [0; 3];
        one.read_exact(&mut start).unwrap();
        let mut all = Vec::new();
        other.read_to_end(&mut all).unwrap();
        let mut rest = Vec::new();
        one.read_to_end(&mut rest).unwrap();
        assert_eq!((&start[..], &all[..], &rest[..]), (&b"oct"[..], &b"octets"[..], &b"ets"[..]));
    }
}

//! Prepares a signature: makes the data to be signed from a document, a certificate
//! and parameters.

pub(crate) mod countersignature;
pub(crate) mod detached;
pub(crate) mod enveloping;

use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use ades_core::error::Parameter;
use ades_core::{CertificateChain, Digest, DigestAlgorithm, Document, SignatureParameters};

use crate::c14n::{InsertionSite, Selection, SetOperation, Target};
use crate::error::{Error, NotInsertable};
use crate::extend::insertion::Insertion;
use crate::extend::{check_insertion, check_pending, destination};
use crate::options::{Packaging, Position, SignatureOptions};
use crate::pending::{Destination, PendingSignature, Unstored};
use crate::report::Warning;
use crate::signature_element::ids::Ids;
use crate::signature_element::properties::NewFormat;
use crate::signature_element::reference::{NewReference, NewTransform};
use crate::signature_element::{SignatureElement, SigningContext, check_parameters};
use crate::source_document::DocumentReading;
use crate::xml::chars::is_name_char;

/// Maximum number of octets from the end tag of the root element on.
///
/// They are held until the whole document has been compared, so that the output for
/// a changed document is never a whole document.
pub const MAX_AFTER_ROOT: usize = 1024 * 1024;
/// Maximum number of elements that an internally detached signature signs.
const MAX_ELEMENTS: usize = 64;
/// The algorithm of checks, which do not know the certificate. Its digests are not
/// used.
const CHECK_ALGORITHM: DigestAlgorithm = DigestAlgorithm::Sha256;

/// The result of a check without errors.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Checked {
    warnings: Vec<Warning>,
}

impl Checked {
    /// Warnings to show to the user before signing.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

/// Prepares a baseline B-B signature over a document.
///
/// The document is read once. An enveloping signature over XML, and a signature in
/// a document that has signatures, need more passes. The certificate must be fit at
/// the claimed signing time (validity, key usage, key). A signature is never put
/// where it would break an existing signature that is intact.
///
/// # Errors
/// [`Error::Core`] for an unfit certificate, an algorithm that the key does not
/// have, a parameter that the standards do not allow, or a failure to read; an
/// error about the document as XML; [`Error::CannotInsert`],
/// [`Error::BreaksExistingSignature`], [`Error::ExistingSignatureUndecided`],
/// [`Error::NoSuchElement`], [`Error::DuplicateId`].
pub fn prepare(
    document: &mut Document<'_>,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
) -> Result<PendingSignature, Error> {
    let signing = SigningContext::new(chain, parameters, options)?;
    match &options.packaging {
        Packaging::Enveloped => prepare_enveloped(document, &signing, None),
        Packaging::InternallyDetached(ids) => prepare_elements(document, &signing, ids, None),
        Packaging::EnvelopingXml => enveloping::prepare_xml(document, &signing),
        Packaging::EnvelopingBase64 => {
            enveloping::prepare_base64(document, &signing, enveloping::OCTETS_MEDIA_TYPE)
        }
        Packaging::Enveloping => enveloping::prepare_either(document, &signing),
    }
}

/// Prepares a signature as [`prepare()`] does, and in the same pass copies the document
/// to `out`.
///
/// [`complete_in_place`](PendingSignature::complete_in_place) then inserts the
/// signature in that file. It reads only the end of the file
/// ([`Check::LengthAndTail`](crate::Check::LengthAndTail)) if nobody else could
/// write to it.
///
/// # Errors
/// As [`prepare()`]; [`Error::Core`] with [`Parameter::InPlace`] for another packaging
/// than [`Enveloped`](Packaging::Enveloped) and
/// [`InternallyDetached`](Packaging::InternallyDetached) and for another position than
/// [`LastInRoot`](Position::LastInRoot), after which there may be most of the document;
/// [`Error::Core`] if writing fails or if the document is a stream.
pub fn prepare_copying(
    document: &mut Document<'_>,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
    out: &mut dyn Write,
) -> Result<PendingSignature, Error> {
    let signing = SigningContext::new(chain, parameters, options)?;
    match (&options.packaging, &options.position) {
        (Packaging::Enveloped, Position::LastInRoot) => {
            prepare_enveloped(document, &signing, Some(out))
        }
        (Packaging::InternallyDetached(ids), Position::LastInRoot) => {
            prepare_elements(document, &signing, ids, Some(out))
        }
        _ => Err(Error::Core(ades_core::Error::Parameter {
            parameter: Parameter::InPlace,
            problem: "the signature is not at the end of the document's root element",
        })),
    }
}

/// Checks whether [`prepare()`] accepts a document, parameters and options, before
/// there is a certificate. It reads the document as [`prepare()`] does.
///
/// # Errors
/// As [`prepare()`], except those about the certificate.
pub fn check(
    document: &mut Document<'_>,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
) -> Result<Checked, Error> {
    check_parameters(parameters, options)?;
    let read = match &options.packaging {
        Packaging::Enveloped => read_enveloped(document, CHECK_ALGORITHM, options, None)?.0,
        Packaging::InternallyDetached(ids) => {
            read_elements(document, CHECK_ALGORITHM, options, ids, None)?.0
        }
        Packaging::EnvelopingXml => {
            let read = enveloping::read_xml(document, CHECK_ALGORITHM, options)?;
            return Ok(Checked { warnings: Warning::about_content(&read.site) });
        }
        // Any octets can be put into a signature as base64.
        Packaging::EnvelopingBase64 => return Ok(Checked::default()),
        Packaging::Enveloping => {
            return match enveloping::read_xml(document, CHECK_ALGORITHM, options) {
                Ok(read) => Ok(Checked { warnings: Warning::about_content(&read.site) }),
                Err(Error::Core(error)) => Err(error.into()),
                Err(error) => {
                    let warnings = enveloping::why_base64(&error).into_iter().collect();
                    Ok(Checked { warnings })
                }
            };
        }
    };
    check_position(&read.site, &options.position)?;
    check_insertion(document, &read, options, &options.position)?;
    Ok(Checked { warnings: Warning::about(&read.site) })
}

fn prepare_enveloped(
    document: &mut Document<'_>,
    signing: &SigningContext<'_>,
    copy: Option<&mut dyn Write>,
) -> Result<PendingSignature, Error> {
    let options = signing.options;
    let (read, parallel) = read_enveloped(document, signing.digest_algorithm(), options, copy)?;
    let place = Place::new(read, options)?;
    let ids = Ids::new(signing, "enveloped", &place.destination);
    let without = if parallel { NewTransform::WithoutSignatures } else { NewTransform::Enveloped };
    let canonical = NewTransform::Canonical(options.canonicalization.clone());
    let reference = NewReference {
        id: Some(ids.of("document")),
        kind: None,
        uri: String::new(),
        transforms: vec![without, canonical],
        digest: place.read.digest()?,
    };
    prepare_inside(document, signing, &ids, vec![reference], place)
}

/// Reads a document for an enveloped signature. Returns whether the signature leaves
/// out all signatures: always in a document that has signatures.
fn read_enveloped(
    document: &mut Document<'_>,
    algorithm: DigestAlgorithm,
    options: &SignatureOptions,
    copy: Option<&mut dyn Write>,
) -> Result<(DocumentReading, bool), Error> {
    let read = |document: &mut Document<'_>, parallel: bool, copy: Option<&mut dyn Write>| {
        let whole = Selection::document().without_comments();
        let signatures = (SetOperation::Subtract, Target::all_signatures());
        let selection = if parallel { whole.filtered([signatures]) } else { whole };
        let forms = vec![(selection, options.canonicalization.clone())];
        DocumentReading::new(document, algorithm, &options.reading, forms, &options.position, copy)
    };
    let first = read(document, options.parallel, copy)?;
    if first.site.signed && !options.parallel {
        let copied = first.copied;
        return Ok((DocumentReading { copied, ..read(document, true, None)? }, true));
    }
    Ok((first, options.parallel))
}

fn prepare_elements(
    document: &mut Document<'_>,
    signing: &SigningContext<'_>,
    elements: &[String],
    copy: Option<&mut dyn Write>,
) -> Result<PendingSignature, Error> {
    let options = signing.options;
    let algorithm = signing.digest_algorithm();
    let (read, around) = read_elements(document, algorithm, options, elements, copy)?;
    let place = Place::new(read, options)?;
    let ids = Ids::new(signing, "internally detached", &place.destination);
    let signed = elements.iter().zip(&place.read.digests).zip(around);
    let reference = |(at, ((id, digest), around)): (usize, ((&String, &Digest), bool))| {
        let without = if options.parallel {
            NewTransform::WithoutSignatures
        } else {
            NewTransform::Enveloped
        };
        let canonical = NewTransform::Canonical(options.canonicalization.clone());
        NewReference {
            id: Some(ids.of(&format!("element-{}", at + 1))),
            kind: None,
            uri: format!("#{id}"),
            transforms: around.then_some(without).into_iter().chain([canonical]).collect(),
            digest: digest.clone(),
        }
    };
    let references = signed.enumerate().map(reference).collect();
    prepare_inside(document, signing, &ids, references, place)
}

/// Reads a document for a signature over elements of it. Returns for each element whether
/// the signature is inside it.
fn read_elements(
    document: &mut Document<'_>,
    algorithm: DigestAlgorithm,
    options: &SignatureOptions,
    elements: &[String],
    copy: Option<&mut dyn Write>,
) -> Result<(DocumentReading, Vec<bool>), Error> {
    let parameter = Parameter::Elements;
    let fail = |problem| Err(Error::Core(ades_core::Error::Parameter { parameter, problem }));
    if elements.is_empty() || elements.len() > MAX_ELEMENTS {
        return fail("between 1 and 64 Ids are needed");
    }
    if !elements.iter().all(|id| can_be_referenced(id)) {
        return fail("an Id with white space or punctuation, which no reference can name");
    }
    // `without`: for each element whether the form leaves out all signatures.
    let mut read = |without: &[bool], copy: Option<&mut dyn Write>| {
        let form = |(id, without): (&String, &bool)| {
            let element = Selection::element(Target::Id(id.clone())).without_comments();
            let signatures = (SetOperation::Subtract, Target::all_signatures());
            let selection = if *without { element.filtered([signatures]) } else { element };
            (selection.with_ids(options.reading.ids.clone()), options.canonicalization.clone())
        };
        let forms = elements.iter().zip(without).map(form).collect();
        let (reading, position) = (&options.reading, &options.position);
        DocumentReading::new(document, algorithm, reading, forms, position, copy)
    };
    let first = read(&vec![false; elements.len()], copy)?;
    let offset = Insertion::new(&first.site, &options.position)?.offset;
    let contains = |place: &Range<u64>| place.start < offset && offset < place.end;
    let around: Vec<bool> = first.selected.iter().map(contains).collect();
    if options.parallel && first.site.signed && around.contains(&true) {
        let copied = first.copied;
        return Ok((DocumentReading { copied, ..read(&around, None)? }, around));
    }
    Ok((first, around))
}

/// Whether `#` and the Id are a valid reference (XML Signature, 4.4.3.2). The Id must
/// be a name, except for its first character, which other implementations do not
/// check.
fn can_be_referenced(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c != ':' && is_name_char(c))
}

/// A document that has been read, and the place of the signature in it.
struct Place {
    read: DocumentReading,
    destination: Destination,
}

impl Place {
    fn new(read: DocumentReading, options: &SignatureOptions) -> Result<Self, Error> {
        check_position(&read.site, &options.position)?;
        let destination = destination(&read, &options.position)?;
        Ok(Self { read, destination })
    }
}

/// Prepares the signature with these references inside the document.
fn prepare_inside(
    document: &mut Document<'_>,
    signing: &SigningContext<'_>,
    ids: &Ids,
    references: Vec<NewReference>,
    place: Place,
) -> Result<PendingSignature, Error> {
    let parameters = signing.parameters;
    let format = |reference: &NewReference| {
        Some(NewFormat {
            reference: reference.id.clone()?,
            mime_type: parameters.document_mime_type().map(str::to_owned),
            description: parameters.document_description().map(str::to_owned),
        })
    };
    let formats = references.iter().filter_map(format).collect();
    let element = SignatureElement {
        signing,
        ids,
        around: &[],
        references,
        formats,
        manifest: None,
        content: None,
    };
    let Place { read, destination } = place;
    let mut pending = PendingSignature::new(signing, ids, element.write()?, destination);
    check_pending(document, &pending, &read.site)?;
    pending.warnings = Warning::about(&read.site);
    pending.checkpoint = Unstored(read.checkpoint.map(Arc::new));
    Ok(pending)
}

/// Checks that the position is not inside a signature. The new signature would not
/// be a property of that one, and a reference that leaves out all signatures would
/// leave out the element around the new one.
fn check_position(site: &InsertionSite, position: &Position) -> Result<(), Error> {
    let in_signature = site.in_signature || site.is_signature && !position.is_beside();
    if in_signature {
        return Err(Error::CannotInsert { why: NotInsertable::InSignature });
    }
    Ok(())
}

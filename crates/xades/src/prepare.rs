//! From a document, a certificate and parameters to what is to be signed.

use ades_core::error::Parameter;
use ades_core::{
    CertificateChain, Digest, DigestAlgorithm, DigestThread, Digester, Document,
    SignatureParameters,
};

use crate::c14n::{Canonicalization, Pass, Selection, SetOperation, Site, Target};
use crate::draft::{Draft, Ids, Signer, Written};
use crate::earlier;
use crate::envelop;
use crate::error::Error;
use crate::insertion::Insertion;
use crate::options::{Packaging, Position, Reading, SignatureOptions};
use crate::original::{Digesting, digester};
use crate::pending::{self, Original, PendingSignature};
use crate::properties::{DS, Format};
use crate::reference::{Reference, Transform};
use crate::xml::chars::is_name_char;

/// From the end tag of its root element on, a document may have so many octets:
/// they are withheld while completing, until the whole document has been
/// compared, so that what was written of another one is no document.
pub const MAX_BEHIND_ROOT: usize = 1024 * 1024;
/// So many elements may be signed by their Ids.
const MAX_ELEMENTS: usize = 64;

/// Prepares a baseline B-B signature over a document, which is read once; an
/// enveloping one over XML, or one in a document that is signed already, needs
/// more passes.
///
/// The certificate's fitness at the claimed signing time is checked first
/// (validity, key usage, key). A signature is never put where it would break
/// one that is there and intact.
///
/// # Errors
/// [`Error::Core`]: an unfit certificate, an algorithm that is not the key's,
/// a parameter the standards do not allow, or a failure to read; what is wrong
/// with the document as XML; [`Error::CannotInsert`],
/// [`Error::BreaksEarlierSignature`], [`Error::NoSuchElement`],
/// [`Error::DuplicateId`].
pub fn prepare(
    document: &mut Document<'_>,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
) -> Result<PendingSignature, Error> {
    let signer = Signer::new(chain, parameters, options)?;
    match &options.packaging {
        Packaging::Enveloped => enveloped(document, &signer),
        Packaging::InternallyDetached(ids) => beside(document, &signer, ids),
        Packaging::EnvelopingXml => envelop::xml(document, &signer),
        Packaging::EnvelopingBase64 => envelop::base64(document, &signer, envelop::OCTETS),
        Packaging::Enveloping => envelop::either(document, &signer),
    }
}

/// Whether a document can be signed so, before there is a certificate or anybody
/// is asked: what [`prepare()`] would say of the document, by the same readings.
///
/// # Errors
/// As [`prepare()`], of the document and the options.
pub fn check(document: &mut Document<'_>, options: &SignatureOptions) -> Result<(), Error> {
    let algorithm = DigestAlgorithm::Sha256;
    let read = match &options.packaging {
        Packaging::Enveloped => read_enveloped(document, algorithm, options)?.0,
        Packaging::InternallyDetached(ids) => read_beside(document, algorithm, options, ids)?,
        Packaging::EnvelopingXml => return envelop::read(document, algorithm, options).map(drop),
        // These take anything that can be read.
        Packaging::EnvelopingBase64 | Packaging::Enveloping => return Ok(()),
    };
    check_around(&read.site, &options.position)?;
    check_place(document, &read, options, &options.position)
}

/// Reads a document that is to hold its signature; yields whether all signatures
/// are left out.
fn read_enveloped(
    document: &mut Document<'_>,
    algorithm: DigestAlgorithm,
    options: &SignatureOptions,
) -> Result<(Read, bool), Error> {
    let method = &options.canonicalization;
    let mut parallel = options.parallel;
    let read = |document: &mut Document<'_>, parallel: bool| {
        let whole = Selection::document().without_comments();
        let signatures = (SetOperation::Subtract, Target::all_signatures());
        let selection = if parallel { whole.filtered([signatures]) } else { whole };
        let forms = vec![(selection, method.clone())];
        Read::new(document, algorithm, &options.reading, forms, &options.position)
    };
    let mut found = read(document, parallel)?;
    if found.site.signed && !parallel {
        parallel = true;
        found = read(document, parallel)?;
    }
    Ok((found, parallel))
}

fn enveloped(document: &mut Document<'_>, signer: &Signer<'_>) -> Result<PendingSignature, Error> {
    let options = signer.options;
    let method = &options.canonicalization;
    let (read, parallel) = read_enveloped(document, signer.digest_algorithm(), options)?;
    let ids = Ids::new(signer, "enveloped", [&read.original.digest.0]);
    let without = if parallel { Transform::WithoutSignatures } else { Transform::Enveloped };
    let reference = Reference {
        id: Some(ids.of("document")),
        kind: None,
        uri: String::new(),
        transforms: vec![without, Transform::Canonical(method.clone())],
        digest: read.digest()?,
    };
    insert(document, signer, &ids, vec![reference], read, &options.position)
}

/// Reads a document elements of which are signed by a signature beside them.
fn read_beside(
    document: &mut Document<'_>,
    algorithm: DigestAlgorithm,
    options: &SignatureOptions,
    elements: &[String],
) -> Result<Read, Error> {
    if elements.is_empty() || elements.len() > MAX_ELEMENTS {
        let problem = "between 1 and 64 Ids are needed";
        return Err(Error::Core(ades_core::Error::Parameter {
            parameter: Parameter::Elements,
            problem,
        }));
    }
    if elements.iter().any(|id| !can_be_named(id)) {
        let problem = "an Id with white space or punctuation, which no reference can name";
        return Err(Error::Core(ades_core::Error::Parameter {
            parameter: Parameter::Elements,
            problem,
        }));
    }
    let method = &options.canonicalization;
    let form = |id: &String| {
        let selection = Selection::element(Target::Id(id.clone())).without_comments();
        (selection.with_ids(options.reading.ids.clone()), method.clone())
    };
    let forms = elements.iter().map(form).collect();
    let read = Read::new(document, algorithm, &options.reading, forms, &options.position)?;
    let offset = Insertion::new(&read.site, &options.position)?.offset;
    if read.selected.iter().any(|range| range.start < offset && offset < range.end) {
        let why = "its place is in what it signs: that would be enveloped";
        return Err(Error::CannotInsert { why });
    }
    Ok(read)
}

/// Whether `#` and the Id are a reference to it (XML Signature, 4.4.3.2): one that
/// is a name but perhaps for its first character, which others do not mind.
fn can_be_named(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c != ':' && is_name_char(c))
}

fn beside(
    document: &mut Document<'_>,
    signer: &Signer<'_>,
    elements: &[String],
) -> Result<PendingSignature, Error> {
    let options = signer.options;
    let method = &options.canonicalization;
    let read = read_beside(document, signer.digest_algorithm(), options, elements)?;
    let ids = Ids::new(signer, "internally detached", [&read.original.digest.0]);
    let reference = |(at, (id, digest)): (usize, (&String, &Digest))| Reference {
        id: Some(ids.of(&format!("element-{}", at + 1))),
        kind: None,
        uri: format!("#{id}"),
        transforms: vec![Transform::Canonical(method.clone())],
        digest: digest.clone(),
    };
    let references = elements.iter().zip(&read.digests).enumerate().map(reference).collect();
    insert(document, signer, &ids, references, read, &options.position)
}

/// The signature with these references goes into the document.
fn insert(
    document: &mut Document<'_>,
    signer: &Signer<'_>,
    ids: &Ids,
    references: Vec<Reference>,
    read: Read,
    position: &Position,
) -> Result<PendingSignature, Error> {
    check_around(&read.site, position)?;
    let parameters = signer.parameters;
    let format = |reference: &Reference| {
        Some(Format {
            reference: reference.id.clone()?,
            mime_type: parameters.document_mime_type().map(str::to_owned),
            description: parameters.document_description().map(str::to_owned),
        })
    };
    let formats = references.iter().filter_map(format).collect();
    let draft = Draft { signer, ids, references, formats, object: None, content: None };
    put_into(document, signer, draft.write()?, read, position)
}

fn check_around(site: &Site, position: &Position) -> Result<(), Error> {
    // It would be no property of that signature, and all that leaves out
    // signatures would leave out what it is put into.
    let around = site.is_signature && !matches!(position, Position::Behind(_));
    if site.in_signature || around {
        return Err(Error::CannotInsert { why: "its place is in another signature" });
    }
    Ok(())
}

/// Where it goes.
fn insertion(read: &Read, position: &Position) -> Result<Insertion, Error> {
    let Read { site, original, .. } = read;
    if site.declares_attributes {
        let why = "its DTD declares attributes for elements of signatures";
        return Err(Error::CannotInsert { why });
    }
    let insertion = Insertion::new(site, position)?;
    let end = site.root.end_tag.start.min(site.root.whole().end.saturating_sub(2));
    if original.length.saturating_sub(end) > MAX_BEHIND_ROOT as u64 {
        return Err(Error::CannotInsert { why: "too much is behind the root element" });
    }
    Ok(insertion)
}

/// Where it goes, and that nothing is broken by that.
pub(crate) fn put_into(
    document: &mut Document<'_>,
    signer: &Signer<'_>,
    written: Written,
    read: Read,
    position: &Position,
) -> Result<PendingSignature, Error> {
    let insertion = insertion(&read, position)?;
    let Read { site, original, .. } = read;
    let target = pending::Target::Inserted { document: original, insertion: insertion.clone() };
    let pending = PendingSignature::new(signer, written, target);
    if site.signed {
        let inserted = insertion.octets(&pending.fragment(""))?;
        earlier::check(document, &insertion, &inserted, &signer.options.reading)?;
    }
    Ok(pending)
}

/// The same of a signature that is not there yet: one that says nothing stands in
/// for it.
pub(crate) fn check_place(
    document: &mut Document<'_>,
    read: &Read,
    options: &SignatureOptions,
    position: &Position,
) -> Result<(), Error> {
    let insertion = insertion(read, position)?;
    if read.site.signed {
        let inserted = insertion.octets(&format!("<ds:Signature xmlns:ds=\"{DS}\"/>"))?;
        earlier::check(document, &insertion, &inserted, &options.reading)?;
    }
    Ok(())
}

/// What one reading of a document yields.
pub(crate) struct Read {
    /// Of the canonical forms.
    pub(crate) digests: Vec<Digest>,
    /// Where the selected elements stand.
    pub(crate) selected: Vec<std::ops::Range<u64>>,
    pub(crate) original: Original,
    pub(crate) site: Site,
}

impl Read {
    /// Of the only canonical form.
    pub(crate) fn digest(&self) -> Result<Digest, Error> {
        let nothing = ades_core::Error::StateDamaged { what: "nothing was digested" };
        self.digests.first().cloned().ok_or(Error::Core(nothing))
    }

    pub(crate) fn new(
        document: &mut Document<'_>,
        algorithm: DigestAlgorithm,
        reading: &Reading,
        forms: Vec<(Selection, Canonicalization)>,
        position: &Position,
    ) -> Result<Self, Error> {
        let beside = digester(document, algorithm)?;
        let mut digesters = Vec::new();
        for _ in &forms {
            digesters.push(match forms.len() {
                1 => digester(document, algorithm)?,
                _ => DigestThread::here(Digester::new(algorithm)),
            });
        }
        let mut octets = Digesting::new(document.reader()?, beside);
        let mut sinks: Vec<_> = digesters
            .iter_mut()
            .map(|digester| {
                |piece: &[u8]| {
                    digester.update(piece);
                    Ok(())
                }
            })
            .collect();
        let mut pass = Pass::new(reading.reader(&mut octets)?);
        for ((selection, method), sink) in forms.into_iter().zip(&mut sinks) {
            pass.add(method, selection, sink);
        }
        let (covered, site) = pass.run_for_site(position.target(), &reading.ids)?;
        drop(sinks);
        let digests = digesters.into_iter().map(|d| Ok(DigestThread::finish(d)?.finish()));
        let selected = covered.iter().flat_map(|covered| &covered.selected);
        Ok(Self {
            digests: digests.collect::<Result<_, Error>>()?,
            selected: selected.map(crate::xml::Span::whole).collect(),
            original: octets.finish()?,
            site,
        })
    }
}
